// SPDX-License-Identifier: MIT
//
// The arena's calls: which memory a request gets, and where a block goes back to.
//
// OWNS: nothing; the regions' heaps and the table of maps do.
//
// PICTURE: a request ->  below the threshold: break -> regions in order -> regions too good for it -> break, grown -> a region, mapped
//                        from it on:          map -> all of the above
//
// INVARIANTS: a request that fails has changed nothing but what was freed or grown for it, which trim gives back.
// COST: below the threshold, where the heap in the break has room: the heap's, and no loop. CALLERS: the user.
#include "arena/arena_core.h"

#include <string.h>

// May the heap in the break be asked at once?
CAIRN_INLINE bool is_plain(const struct cairn_arena *arena)
{
    return CAIRN_LIKELY(arena->pools == NULL) && CAIRN_LIKELY(arena->config->system == NULL);
}

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

size_t cairn_arena_needed_(const struct cairn_arena *arena, size_t alignment, size_t size)
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

void *cairn_arena_try_(struct cairn_arena *arena, struct cairn_arena_want want, size_t alignment, size_t size, bool *fresh)
{
    void *block = NULL;
    *fresh = false;
    if (size >= arena->threshold && meets(arena->first.attributes, want)) {
        block = cairn_map_alloc_(arena, alignment, size, fresh);
    }
    return block != NULL ? block : alloc_in_regions(arena, want, alignment, size);
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

// Below the threshold and above, with pools and without, with a lock and without.
static CAIRN_NOINLINE void *alloc_any(struct cairn_arena *arena, size_t size)
{
    bool fresh;
    if (arena->pools != NULL) {
        void *const block = cairn_arena_pool_alloc_(arena, size);
        if (block != NULL) {
            return block;
        }
    }
    if (size < arena->threshold) {
        const uint32_t key = arena_lock(arena);
        void *const block = cairn_heap_alloc(&arena->first.heap, size);
        arena_unlock(arena, key);
        if (block != NULL) {
            return block;
        }
    }
    return request(arena, &ANY_MEMORY, 1, 0, size, &fresh);
}

void *cairn_arena_alloc(struct cairn_arena *arena, size_t size)
{
    if (!is_arena(arena)) {
        return NULL;
    }
    if (is_plain(arena) && CAIRN_LIKELY(size < arena->threshold)) {
        void *const block = cairn_heap_alloc(&arena->first.heap, size);
        if (CAIRN_LIKELY(block != NULL)) {
            return block;
        }
    }
    return alloc_any(arena, size);
}

void *cairn_arena_calloc(struct cairn_arena *arena, size_t count, size_t size)
{
    const size_t bytes = size != 0 && count > SIZE_MAX / size ? SIZE_MAX : count * size;
    bool fresh = false;
    if (!is_arena(arena)) {
        return NULL;
    }
    void *const block = bytes < arena->threshold ? cairn_arena_alloc(arena, bytes) : request(arena, &ANY_MEMORY, 1, 0, bytes, &fresh);
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

static CAIRN_NOINLINE void free_elsewhere(struct cairn_arena *arena, void *block)
{
    struct cairn_arena_region *const region = cairn_arena_find_(arena, block);
    struct cairn_arena_map *const map = region == NULL ? cairn_map_find_(arena, block) : NULL;
    if (region != NULL) {
        cairn_heap_free_(&region->heap, block);
    } else if (map != NULL) {
        cairn_map_free_(arena, map);
    } else {
        cairn_arena_refuse_(arena, block);
    }
}

static CAIRN_NOINLINE void trim_break(struct cairn_arena *arena)
{
    const struct cairn_arena_config *const config = arena->config;
    const size_t step = config->step == 0 ? CAIRN_ARENA_STEP : config->step;
    if (cairn_heap_top_(&arena->first.heap) >= (config->trim != 0 ? config->trim : 2 * step)) {
        (void)cairn_arena_lower_(arena, step);
    }
}

void cairn_arena_free_(struct cairn_arena *arena, void *block)
{
    struct cairn_heap *const heap = &arena->first.heap;
    if (heap->control == NULL || CAIRN_UNLIKELY(!is_inside(heap, block))) {
        free_elsewhere(arena, block);
        return;
    }
    cairn_heap_free(heap, block);
    if ((heap->control->map & arena->long_lists) != 0) {
        trim_break(arena);
    }
}

// Is it a pool's? Then it is done: freed, or refused.
static CAIRN_NOINLINE bool free_in_pool(struct cairn_arena *arena, void *block)
{
    struct cairn_pool *const pool = cairn_arena_pool_of_(arena, block);
    if (pool != NULL) {
        cairn_pool_free(pool, block);
    }
    return pool != NULL;
}

static CAIRN_NOINLINE void free_any(struct cairn_arena *arena, void *block)
{
    if (block != NULL && !(arena->pools != NULL && free_in_pool(arena, block))) {
        const uint32_t key = arena_lock(arena);
        cairn_arena_free_(arena, block);
        arena_unlock(arena, key);
    }
}

void cairn_arena_free(struct cairn_arena *arena, void *block)
{
    if (!is_arena(arena)) {
        return;
    }
    struct cairn_heap *const heap = &arena->first.heap;
    if (!is_plain(arena) || CAIRN_UNLIKELY(border_number(heap->base, block) >= heap->quick)) {
        free_any(arena, block);
        return;
    }
    cairn_heap_free(heap, block);
    if (CAIRN_UNLIKELY((heap->control->map & arena->long_lists) != 0)) {
        trim_break(arena);
    }
}
