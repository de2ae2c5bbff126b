// SPDX-License-Identifier: MIT
//
// The arena's calls: which memory a request gets, and where a block goes back to. realloc is in change.c.
//
// OWNS: nothing; the regions' heaps and the table of maps do.
//
// PICTURE: a request ->  a pool of its sizes -> below the threshold: break -> regions in order -> break, grown -> a region, mapped -> regions too good for it
//                                              from it on:          map -> all of the above
//
// INVARIANTS: a request that fails has changed nothing but what was freed or grown for it, which trim gives back.
//     What alloc and free read before they take the lock is only changed while nobody else calls the arena: config; or it
//     is one word, and may be old: quick.
// COST: below the threshold, where the heap in the break has room and there are no pools: the heap's, one frame, and the lock taken once; a compare more to
//     free while the table of maps is in that heap.
//     The first function has no frame, and each way on has its own: saving fewer registers is cheaper than sharing a call.
// CALLERS: the user.
#include "arena/arena_core.h"

#include <string.h>

// Allocate in one heap.
static void *take(struct cairn_heap *heap, size_t alignment, size_t size)
{
    return alignment > CAIRN_GRANULE ? cairn_heap_aligned_alloc_(heap, alignment, size) : cairn_heap_alloc_(heap, size);
}

// Allocate in a heap that is known to have room, but perhaps behind the blocks that its search looks at.
static void *take_deep(struct cairn_heap *heap, size_t alignment, size_t size)
{
    struct heap_control *const control = heap->control;
    const uint16_t search = control->search;
    const uint8_t fit = control->fit;
    void *block = take(heap, alignment, size);
    if (block == NULL && fit != CAIRN_FIT_BOUNDED) {
        control_set_fit(control, fit & ~(uint32_t)FIT_ALL, CAIRN_SEARCH_ALL);
        block = take(heap, alignment, size);
        control->search = search;
        control->fit = fit;
    }
    return block;
}

CAIRN_NOINLINE size_t cairn_arena_needed_(const struct cairn_arena *arena, size_t alignment, size_t size)
{
    const size_t skip = alignment > CAIRN_GRANULE ? alignment - CAIRN_GRANULE : 0;
    if (size > PTRDIFF_MAX - CAIRN_GRANULE || skip > PTRDIFF_MAX - CAIRN_GRANULE - size) {
        return SIZE_MAX;
    }
    const size_t bytes = round_to(size + skip, CAIRN_GRANULE);
    size_t rounded = CAIRN_GRANULE;
    while (arena->config->fit == CAIRN_FIT_BOUNDED && rounded < bytes) {
        rounded *= 2;
    }
    return rounded > bytes ? rounded : bytes;
}

// From the regions as they are. second: those that are too good for so small a request, only.
static void *take_somewhere(struct cairn_arena *arena, struct cairn_arena_want want, size_t alignment, size_t size, bool second)
{
    for (struct cairn_arena_region *region = &arena->first; region != NULL; region = region->next) {
        if (region->heap.control != NULL && meets(region->attributes, want) && (size < region->smallest) == second) {
            void *const block = take(&region->heap, alignment, size);
            if (block != NULL) {
                return block;
            }
        }
    }
    return NULL;
}

// Where memory is got for it: the break, or a region that is mapped.
static void *take_new(struct cairn_arena *arena, size_t alignment, size_t size)
{
    const size_t need = cairn_arena_needed_(arena, alignment, size);
    if (need != SIZE_MAX && cairn_arena_extend_(arena, need)) {
        return take_deep(&arena->first.heap, alignment, size);
    }
    if (need != SIZE_MAX && cairn_map_region_(arena, need)) {
        struct cairn_arena_region *last = arena->first.next;
        while (last->next != NULL) {
            last = last->next;
        }
        return take(&last->heap, alignment, size);
    }
    return NULL;
}

// From the regions, grown if they must.
static void *alloc_in_regions(struct cairn_arena *arena, struct cairn_arena_want want, size_t alignment, size_t size)
{
    void *block = take_somewhere(arena, want, alignment, size, false);
    if (block == NULL && meets(arena->first.attributes, want)) {
        block = take_new(arena, alignment, size);
    }
    return block != NULL ? block : take_somewhere(arena, want, alignment, size, true);
}

CAIRN_NOINLINE void *cairn_arena_try_(struct cairn_arena *arena, struct cairn_arena_want want, size_t alignment, size_t size, bool *fresh)
{
    const bool is_long = size >= arena_threshold(arena);
    const bool is_own = meets(arena->first.attributes, want);
    void *block = NULL;
    *fresh = false;
    if (is_long && is_own) {
        block = cairn_map_alloc_(arena, alignment, size, fresh);
    }
    if (block == NULL) {
        block = alloc_in_regions(arena, want, alignment, size);
    }
    if (block == NULL && !is_long && is_own && alignment > CAIRN_GRANULE) {
        block = cairn_map_alloc_(arena, alignment, size, fresh); // what a heap would have to skip is more than it can have, perhaps
    }
    return block;
}

void *cairn_arena_alloc_(struct cairn_arena *arena, size_t size)
{
    return alloc_in_regions(arena, (struct cairn_arena_want){MEMORY_OWN, 0}, 0, size);
}

// Allocate for the first wish that can be met; ask the failed hook where none can. pre: an arena; a legal alignment.
static void *request(struct cairn_arena *arena, const struct cairn_arena_want *wants, size_t count, size_t alignment, size_t size, bool *fresh)
{
    const struct cairn_arena_config *const config = arena->config;
    void *block = NULL;
    *fresh = false;
    if (size == 0) {
        return NULL;
    }
    do {
        const uint32_t key = arena_lock(arena);
        for (size_t i = 0; i < count && block == NULL; i++) {
            block = cairn_arena_try_(arena, wants[i], alignment, size, fresh);
        }
        arena->failures += block == NULL;
        arena_unlock(arena, key);
    } while (block == NULL && config->failed != NULL && config->failed(config->context, arena, size));
    return block;
}

// What the heap in the break has no room for, or is not to have.
static CAIRN_NOINLINE void *alloc_long(struct cairn_arena *arena, size_t size)
{
    bool fresh;
    return request(arena, &ANY_MEMORY, 1, 0, size, &fresh);
}

// No lock.
static CAIRN_NOINLINE void *alloc_plain(struct cairn_arena *arena, size_t size)
{
    void *const block = cairn_heap_alloc(&arena->first.heap, size);
    return CAIRN_LIKELY(block != NULL) ? block : alloc_long(arena, size);
}

static CAIRN_NOINLINE void *alloc_locked(struct cairn_arena *arena, size_t size, const struct cairn_port_system *system)
{
    if (CAIRN_UNLIKELY(system->lock == NULL)) {
        return alloc_plain(arena, size);
    }
    const uint32_t key = system->lock(system->context);
    void *const block = cairn_heap_alloc(&arena->first.heap, size);
    system->unlock(system->context, key);
    return CAIRN_LIKELY(block != NULL) ? block : alloc_long(arena, size);
}

// The heap in the break first.
CAIRN_INLINE void *alloc_short(struct cairn_arena *arena, size_t size)
{
    const struct cairn_port_system *const system = arena->config->system;
    return system != NULL ? alloc_locked(arena, size, system) : alloc_plain(arena, size);
}

// With pools in front, or from the threshold on.
static CAIRN_NOINLINE void *alloc_any(struct cairn_arena *arena, size_t size)
{
    if (!is_arena(arena)) {
        return NULL;
    }
    if (arena->pools != NULL) {
        void *const block = cairn_arena_pool_alloc_(arena, size);
        if (block != NULL) {
            return block;
        }
    }
    return size < arena_threshold(arena) ? alloc_short(arena, size) : alloc_long(arena, size);
}

void *cairn_arena_alloc(struct cairn_arena *arena, size_t size)
{
    if (arena == NULL) {
        return NULL;
    }
    size_t quick = CAIRN_LOOK(arena->quick);
    CAIRN_FORGET(quick); // in a register that needs no saving
    return CAIRN_LIKELY(size < quick) ? alloc_short(arena, size) : alloc_any(arena, size);
}

void *cairn_arena_calloc(struct cairn_arena *arena, size_t count, size_t size)
{
    const size_t bytes = size != 0 && count > SIZE_MAX / size ? SIZE_MAX : count * size;
    bool fresh = false;
    if (!is_arena(arena)) {
        return NULL;
    }
    const bool is_long = bytes >= arena_threshold(arena);
    void *block = is_long ? cairn_arena_pool_alloc_(arena, bytes) : cairn_arena_alloc(arena, bytes);
    if (is_long && block == NULL) {
        block = request(arena, &ANY_MEMORY, 1, 0, bytes, &fresh); // from a map it may be zeros already
    }
    if (block != NULL && !(fresh && arena->config->port->zeroed)) {
        memset(block, 0, bytes);
    }
    return block;
}

void *cairn_arena_alloc_where(struct cairn_arena *arena, const struct cairn_arena_want *wants, size_t count, size_t alignment, size_t size)
{
    bool fresh;
    if (!is_arena(arena) || wants == NULL || count == 0 || (alignment & (alignment - 1)) != 0) {
        return NULL;
    }
    return request(arena, wants, count, alignment, size, &fresh);
}

void *cairn_arena_aligned_alloc(struct cairn_arena *arena, size_t alignment, size_t size)
{
    return alignment == 0 ? NULL : cairn_arena_alloc_where(arena, &ANY_MEMORY, 1, alignment, size);
}

// -------------------------------------------------------------------------------------------------------------------- free

CAIRN_COLD void cairn_arena_refuse_(struct cairn_arena *arena, const void *address)
{
    struct cairn_report report = {CAIRN_WRONG_POINTER, address, NULL, 0, NULL, NULL};
    cairn_map_explain_(arena, &report);
    cairn_arena_report_(arena, &report);
}

// A mapped block of so many bytes is freed: blocks of its size come and go.
static void raise_threshold(struct cairn_arena *arena, size_t size)
{
    if (size <= arena->config->threshold_max && size >= arena->quick && arena->quick != 0) {
        cairn_arena_set_threshold_(arena, size + 1);
    }
}

static CAIRN_NOINLINE void free_elsewhere(struct cairn_arena *arena, void *block)
{
    struct cairn_arena_region *const region = cairn_arena_find_(arena, block);
    struct cairn_arena_map *const map = region == NULL ? cairn_map_find_(arena, block) : NULL;
    if (region != NULL) {
        cairn_heap_free_(&region->heap, block);
    } else if (map != NULL) {
        raise_threshold(arena, map->size);
        cairn_map_free_(arena, map);
    } else {
        cairn_arena_refuse_(arena, block);
    }
}

static CAIRN_NOINLINE void trim_break(struct cairn_arena *arena)
{
    if (cairn_heap_top_(&arena->first.heap) >= arena_trim(arena)) {
        (void)cairn_arena_lower_(arena, arena_step(arena));
    }
}

CAIRN_NOINLINE void cairn_arena_free_(struct cairn_arena *arena, void *block)
{
    struct cairn_heap *const heap = &arena->first.heap;
    if (CAIRN_UNLIKELY(block == arena->maps)) { // to the tags the table is a block like any other
        if (block != NULL) {
            cairn_arena_refuse_(arena, block);
        }
        return;
    }
    if (heap->control == NULL || !is_inside(heap, block)) {
        if (block != NULL) {
            free_elsewhere(arena, block);
        }
        return;
    }
    cairn_heap_free(heap, block);
    if ((heap->control->map & arena->long_lists) != 0) {
        trim_break(arena);
    }
}

// As cairn_arena_free_, with the short way of the heap in the break first. Lock held.
CAIRN_INLINE void free_near(struct cairn_arena *arena, void *block)
{
    struct cairn_heap *const heap = &arena->first.heap;
    if (!CAIRN_SPEED || CAIRN_UNLIKELY(is_far(arena, block))) {
        cairn_arena_free_(arena, block);
        return;
    }
    cairn_heap_free(heap, block);
    if (CAIRN_UNLIKELY((heap->control->map & arena->long_lists) != 0)) {
        trim_break(arena);
    }
}

// No lock.
static CAIRN_NOINLINE void free_plain(struct cairn_arena *arena, void *block)
{
    free_near(arena, block);
}

static CAIRN_NOINLINE void free_locked(struct cairn_arena *arena, void *block, const struct cairn_port_system *system)
{
    if (CAIRN_UNLIKELY(system->lock == NULL)) {
        free_plain(arena, block);
        return;
    }
    const uint32_t key = system->lock(system->context);
    free_near(arena, block);
    system->unlock(system->context, key);
}

CAIRN_INLINE void free_short(struct cairn_arena *arena, void *block)
{
    const struct cairn_port_system *const system = arena->config->system;
    system != NULL ? free_locked(arena, block, system) : free_plain(arena, block);
}

// With pools in front. What is a pool's is done there: freed, or refused.
static CAIRN_NOINLINE void free_any(struct cairn_arena *arena, void *block)
{
    if (!is_arena(arena) || block == NULL) {
        return;
    }
    struct cairn_pool *const pool = cairn_arena_pool_of_(arena, block);
    if (pool != NULL) {
        cairn_pool_free(pool, block);
    } else {
        free_short(arena, block);
    }
}

void cairn_arena_free(struct cairn_arena *arena, void *block)
{
    if (arena == NULL) {
        return;
    }
    size_t quick = CAIRN_LOOK(arena->quick);
    CAIRN_FORGET(quick);
    CAIRN_LIKELY(quick != 0) ? free_short(arena, block) : free_any(arena, block);
}
