// SPDX-License-Identifier: MIT
//
// The life of a heap after it was made: moving the region's end, changing the fit, ending.
//
// OWNS: the fence.
//
// PICTURE: grow    [ .. last block ][fence           =>  [ .. last block ][ free ------ ][fence
//          shrink  [ .. ][ free ------------- ][fence =>  [ .. ][ free ][fence
//
// INVARIANTS: T1 the fence is a used start, and nothing starts behind it. Its edge is cleared by hand: it may have lain inside a block.
// COST: O(1). CALLERS: the user.
#include "heap/core.h"
#include "heap/layout.h"

// Granules of a region of `size` bytes that starts where this heap's does; 0 if there is no room for one.
static size_t granules_of(const struct cairn_heap *heap, size_t size)
{
    const size_t front = (size_t)(heap->base + CAIRN_GRANULE - (const unsigned char *)heap->control);
    const size_t before = front + (heap->control->flags >> LEAD_SHIFT);
    const size_t granules = size <= before ? 0 : (size - before) >> GRANULE_SHIFT;
    const uint32_t limit = heap->control->limit;
    return granules > limit && granules - limit <= LIMIT_SLACK ? limit : granules;
}

static void fence_move(struct cairn_heap *heap, uint32_t granules)
{
    heap->control->granules = granules;
    start_set(heap->tags, fence_of(heap->control));
    edge_write(heap->tags, fence_of(heap->control), false);
}

static int grow(struct cairn_heap *heap, size_t size)
{
    struct heap_control *const control = heap->control;
    const uint32_t old_fence = fence_of(control);
    const size_t granules = granules_of(heap, size);
    if (granules < control->granules) {
        return CAIRN_EINVAL;
    }
    if (granules > control->limit) {
        return CAIRN_ENOMEM;
    }
    const uint32_t more = (uint32_t)granules - control->granules;
    if (more == 0) {
        return 0;
    }
    fence_move(heap, (uint32_t)granules);
    cairn_heap_release_(heap, old_fence, more);
    return 0;
}

static int shrink(struct cairn_heap *heap, size_t size)
{
    struct heap_control *const control = heap->control;
    struct tag_word *const tags = heap->tags;
    const uint32_t old_fence = fence_of(control);
    const size_t granules = granules_of(heap, size);
    if (granules == 0 || granules > control->granules) {
        return CAIRN_EINVAL;
    }
    if (granules == control->granules) {
        return 0;
    }
    const uint32_t fence = (uint32_t)granules + 1;
    const uint32_t length = is_free_edge(tags, old_fence - 1) ? cairn_tags_before_(tags, old_fence) : 0;
    const uint32_t block = old_fence - length;
    if (block > fence) {
        return CAIRN_EBUSY;
    }
    if (cairn_heap_unlink_(heap, block) == 0) {
        return CAIRN_ECORRUPT;
    }
    start_clear(tags, old_fence);
    fence_move(heap, (uint32_t)granules);
    if (block < fence) {
        cairn_heap_insert_(heap, block, fence);
    }
    return 0;
}

static int move_end(struct cairn_heap *heap, size_t size, int (*move)(struct cairn_heap *, size_t))
{
    if (!is_heap(heap)) {
        return CAIRN_EINVAL;
    }
    const uint32_t key = heap_lock(heap);
    const int error = move(heap, size);
    heap_unlock(heap, key);
    return error;
}

int cairn_heap_grow(struct cairn_heap *heap, size_t size)
{
    return move_end(heap, size, grow);
}

int cairn_heap_shrink(struct cairn_heap *heap, size_t size)
{
    return move_end(heap, size, shrink);
}

int cairn_heap_set_fit(struct cairn_heap *heap, enum cairn_fit fit, uint16_t search)
{
    if (!is_heap(heap) || (uint32_t)fit > CAIRN_FIT_BOUNDED) {
        return CAIRN_EINVAL;
    }
    const uint32_t key = heap_lock(heap);
    control_set_fit(heap->control, fit, search);
    heap_unlock(heap, key);
    return 0;
}

void cairn_heap_deinit(struct cairn_heap *heap)
{
    if (is_heap(heap)) {
        heap->control->magic = 0;
        *heap = (struct cairn_heap){0};
    }
}
