// SPDX-License-Identifier: MIT
//
// Looking into an arena, trimming it, ending it.
//
// OWNS: nothing.
// COST: O(regions + maps); walk and check O(memory). CALLERS: the user.
#include "arena/arena_core.h"

size_t cairn_arena_trim(struct cairn_arena *arena, size_t keep)
{
    if (!is_arena(arena)) {
        return 0;
    }
    const uint32_t key = arena_lock(arena);
    const size_t mapped = cairn_map_trim_(arena, false); // first: the table may be at the break
    const size_t lowered = cairn_arena_lower_(arena, keep);
    arena_unlock(arena, key);
    return mapped + lowered;
}

void cairn_arena_stats(struct cairn_arena *arena, struct cairn_arena_stats *stats)
{
    if (stats == NULL) {
        return;
    }
    *stats = (struct cairn_arena_stats){0};
    if (!is_arena(arena)) {
        return;
    }
    const uint32_t key = arena_lock(arena);
    stats->mapped = arena->mapped;
    stats->mapped_blocks = arena->map_count - cairn_map_spares_(arena, &stats->system);
    stats->failures = arena->failures;
    stats->top = cairn_heap_top_(&arena->first.heap);
    for (struct cairn_arena_region *region = &arena->first; region != NULL; region = region->next) {
        struct cairn_heap_stats its;
        cairn_heap_stats_(&region->heap, &its);
        stats->used += its.used;
        stats->free += its.free;
        const bool is_mapped = region != &arena->first && (region->attributes & MEMORY_OWN) != 0;
        stats->system += is_mapped ? cairn_map_region_size_(region) : its.size + its.overhead;
        stats->largest_free = its.largest_free > stats->largest_free ? its.largest_free : stats->largest_free;
        stats->used_blocks += its.used_blocks;
        stats->free_blocks += its.free_blocks;
        stats->regions += region->heap.control != NULL;
    }
    for (const struct cairn_arena_pool *front = arena->pools; front != NULL; front = front->next) {
        struct cairn_pool_stats its;
        cairn_pool_stats(&front->pool, &its);
        stats->pooled += its.used * its.stride;
        stats->pooled_blocks += its.used;
    }
    stats->system += stats->mapped;
    arena_unlock(arena, key);
}

int cairn_arena_walk(struct cairn_arena *arena, int (*visit)(void *context, const struct cairn_block *block), void *context)
{
    int stop = 0;
    if (!is_arena(arena) || visit == NULL) {
        return 0;
    }
    const uint32_t key = arena_lock(arena);
    for (struct cairn_arena_region *region = &arena->first; stop == 0 && region != NULL; region = region->next) {
        stop = cairn_heap_walk_(&region->heap, visit, context);
    }
    if (stop == 0) {
        stop = cairn_map_walk_(arena, visit, context);
    }
    arena_unlock(arena, key);
    return stop;
}

int cairn_arena_check(struct cairn_arena *arena, struct cairn_fault *fault)
{
    if (fault != NULL) {
        *fault = (struct cairn_fault){CAIRN_RULE_NONE, NULL};
    }
    if (!is_arena(arena)) {
        return CAIRN_EINVAL;
    }
    const uint32_t key = arena_lock(arena);
    int error = 0;
    for (struct cairn_arena_region *region = &arena->first; error == 0 && region != NULL; region = region->next) {
        error = region->heap.control == NULL ? 0 : cairn_heap_check_(&region->heap, fault);
    }
    if (error == 0 && !cairn_map_is_whole_(arena)) {
        error = CAIRN_ECORRUPT;
        if (fault != NULL) {
            *fault = (struct cairn_fault){CAIRN_RULE_A1, arena->maps};
        }
    }
    for (const struct cairn_arena_pool *front = arena->pools; error == 0 && front != NULL; front = front->next) {
        error = cairn_pool_check(&front->pool, NULL);
        if (error != 0 && fault != NULL) {
            *fault = (struct cairn_fault){CAIRN_RULE_A2, front};
        }
    }
    arena_unlock(arena, key);
    return error;
}

int cairn_arena_deinit(struct cairn_arena *arena)
{
    if (!is_arena(arena)) {
        return CAIRN_EINVAL;
    }
    const uint32_t key = arena_lock(arena);
    (void)cairn_map_trim_(arena, true);
    bool kept = arena->map_count != 0;
    for (const struct cairn_arena_region *region = arena->first.next; region != NULL; region = region->next) {
        kept = kept || (region->attributes & MEMORY_OWN) != 0;
    }
    if (kept) {
        arena_unlock(arena, key);
        return CAIRN_EBUSY;
    }
    cairn_arena_leave_(arena);
    const struct cairn_arena ended = *arena;
    *arena = (struct cairn_arena){0};
    arena_unlock(&ended, key);
    return 0;
}
