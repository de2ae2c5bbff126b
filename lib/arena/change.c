// SPDX-License-Identifier: MIT
//
// How long a block is, and realloc: in place, into more of the break or more pages, or elsewhere.
//
// OWNS: nothing; the regions' heaps and the table of maps do.
//
// PICTURE: a block of  a region    in place -> the break, grown under it -> moved, below the threshold or to a map
//                      a map       its pages, fewer or more -> moved
//                      a pool      stays while it is long enough -> moved out of it
//
// INVARIANTS: a call that fails has left the block as it was. No bytes are copied with the lock held.
// COST: the heap's; where the block moves, an alloc, a copy and a free. CALLERS: the user.
#include "arena/arena_core.h"
#include "heap/core.h"

#include <string.h>

// Bytes of the used block, 0 if it is none or the table of maps; and the region that it is in, NULL for a mapped one.
static size_t look_up(struct cairn_arena *arena, const void *block, struct cairn_arena_region **region)
{
    *region = cairn_arena_find_(arena, block);
    if (block == arena->maps) {
        return 0;
    }
    if (*region != NULL) {
        return cairn_heap_usable_size_(&(*region)->heap, block);
    }
    const struct cairn_arena_map *const map = cairn_map_find_(arena, block);
    return map == NULL ? 0 : map->size;
}

size_t cairn_arena_usable_size(struct cairn_arena *arena, const void *block)
{
    struct cairn_arena_region *region;
    if (!is_arena(arena) || block == NULL) {
        return 0;
    }
    const struct cairn_pool *const pool = cairn_arena_pool_of_(arena, block);
    if (pool != NULL) {
        return cairn_pool_owns(pool, block) ? pool->block_size : 0;
    }
    const uint32_t key = arena_lock(arena);
    const size_t size = look_up(arena, block, &region);
    arena_unlock(arena, key);
    return size;
}

// Move the block into new memory with the same attributes.
static void *move(struct cairn_arena *arena, void *block, size_t old_size, size_t size, uint32_t attributes)
{
    const struct cairn_arena_want want = {attributes & ~MEMORY_OWN, 0};
    bool fresh;
    uint32_t key = arena_lock(arena);
    void *const to = cairn_arena_try_(arena, want, 0, size, &fresh);
    arena_unlock(arena, key);
    if (to != NULL) {
        memcpy(to, block, old_size < size ? old_size : size);
        cairn_arena_free(arena, block);
    }
    return to;
}

// A mapped block that no heap has room for gives back the pages that it does not need.
static void *stay(struct cairn_arena *arena, void *block, size_t size)
{
    const uint32_t key = arena_lock(arena);
    struct cairn_arena_map *const map = cairn_map_find_(arena, block);
    if (map != NULL) {
        cairn_map_shrink_(arena, map, size);
    }
    arena_unlock(arena, key);
    return block;
}

// Change a mapped block: it keeps its pages, gives some back, or moves.
static void *change_map(struct cairn_arena *arena, void *block, size_t old_size, size_t size)
{
    void *to = NULL;
    const uint32_t key = arena_lock(arena);
    struct cairn_arena_map *const map = cairn_map_find_(arena, block);
    if (map == NULL) { // somebody freed it meanwhile
        cairn_arena_refuse_(arena, block);
        arena_unlock(arena, key);
        return NULL;
    }
    if (size > old_size) {
        to = cairn_map_grow_(arena, map, size);
    } else if (size >= arena_threshold(arena)) {
        cairn_map_shrink_(arena, map, size);
        to = block;
    }
    arena_unlock(arena, key);
    if (to == NULL) {
        to = move(arena, block, old_size, size, arena->config->attributes);
    }
    return to == NULL && size <= old_size ? stay(arena, block, size) : to;
}

// Change a block in a region's heap. Returns its address; NULL where there is no room for it, or it was refused.
static void *change_in(struct cairn_arena *arena, struct cairn_heap *heap, void *block, size_t size)
{
    uint32_t from;
    uint32_t key = arena_lock(arena);
    void *const to = cairn_heap_change_(heap, block, size, &key, &from);
    arena_unlock(arena, key);
    return to;
}

// Change a block of the heap in the break: in place where the break can move for it, by moving where not.
static void *change_at_break(struct cairn_arena *arena, void *block, size_t old_size, size_t size)
{
    struct cairn_heap *const heap = &arena->first.heap;
    const uint32_t key = arena_lock(arena);
    const size_t top = cairn_heap_top_(heap);
    const bool last = (unsigned char *)block + old_size + top == heap->base + bytes_of(heap->control->granules);
    const size_t need = cairn_arena_needed_(arena, 0, size);
    const bool more = need != SIZE_MAX && cairn_arena_extend_(arena, last ? need - old_size : need);
    arena_unlock(arena, key);
    return more ? change_in(arena, heap, block, size) : NULL;
}

// is_full: the region's heap has no room for it as it is.
static void *change_block(struct cairn_arena *arena, struct cairn_arena_region *region, void *block, size_t old_size, size_t size, bool is_full)
{
    void *to = NULL;
    if (size > old_size && size >= arena_threshold(arena) && has_maps(arena) && (region->attributes & MEMORY_OWN) != 0) {
        to = move(arena, block, old_size, size, region->attributes);
    }
    if (to == NULL && !is_full) {
        to = change_in(arena, &region->heap, block, size);
    }
    if (to == NULL && region == &arena->first) {
        to = change_at_break(arena, block, old_size, size);
    }
    return to != NULL ? to : move(arena, block, old_size, size, region->attributes);
}

// Change a block of a pool: it stays while it is long enough, else it leaves the pool.
static void *change_pooled(struct cairn_arena *arena, struct cairn_pool *pool, void *block, size_t size)
{
    if (!cairn_pool_owns(pool, block)) {
        cairn_pool_free(pool, block); // which reports it
        return NULL;
    }
    if (size <= pool->block_size) {
        return block;
    }
    void *const to = cairn_arena_alloc(arena, size);
    if (to != NULL) {
        memcpy(to, block, pool->block_size);
        cairn_pool_free(pool, block);
    }
    return to;
}

static void count_failure(struct cairn_arena *arena)
{
    const uint32_t key = arena_lock(arena);
    arena->failures++;
    arena_unlock(arena, key);
}

void *cairn_arena_realloc(struct cairn_arena *arena, void *block, size_t size)
{
    struct cairn_arena_region *region;
    void *to;
    if (block == NULL) {
        return cairn_arena_alloc(arena, size);
    }
    if (size == 0 || !is_arena(arena)) {
        cairn_arena_free(arena, block);
        return NULL;
    }
    struct cairn_pool *const pool = cairn_arena_pool_of_(arena, block);
    if (pool != NULL) {
        return change_pooled(arena, pool, block, size);
    }
    const struct cairn_arena_config *const config = arena->config;
    do {
        uint32_t key = arena_lock(arena);
        const bool is_near = size < arena_threshold(arena) && !is_far(arena, block);
        if (is_near) { // mostly it is one call of that heap
            uint32_t from;
            to = cairn_heap_change_(&arena->first.heap, block, size, &key, &from);
            if (to != NULL || from == NO_BORDER) {
                arena_unlock(arena, key);
                return to;
            }
        }
        const size_t old_size = look_up(arena, block, &region);
        if (old_size == 0) {
            cairn_arena_free_(arena, block); // which reports it
        }
        arena_unlock(arena, key);
        if (old_size == 0) {
            return NULL;
        }
        to = region == NULL ? change_map(arena, block, old_size, size) : change_block(arena, region, block, old_size, size, is_near);
        if (to == NULL) {
            count_failure(arena);
        }
    } while (to == NULL && config->failed != NULL && config->failed(config->context, arena, size));
    return to;
}
