// SPDX-License-Identifier: MIT
//
// The life of a heap after it was made: moving the region's end, changing the fit, ending.
//
// OWNS: the fence.
//
// PICTURE: grow    [ .. last block ][fence           =>  [ .. last block ][ free ------ ][fence
//          shrink  [ .. ][ free ------------- ][fence =>  [ .. ][ free ][fence
//
// INVARIANTS: T1 one used granule without memory ends at the fence, and there is no border behind it.
// COST: O(1). CALLERS: the user.
#include "heap/core.h"
#include "heap/layout.h"

// Granules of a region of `size` bytes that starts where this heap's does; 0 if there is no room for one.
static size_t granules_of(const struct cairn_heap *heap, size_t size)
{
    const size_t front = (size_t)(heap->base - (const unsigned char *)heap->control);
    const size_t before = front + (heap->control->flags >> LEAD_SHIFT);
    const size_t granules = size <= before ? 0 : (size - before) >> GRANULE_SHIFT;
    const uint32_t limit = heap->control->limit;
    return granules > limit && granules - limit <= LIMIT_SLACK ? limit : granules;
}

static void fence_move(struct cairn_heap *heap, uint32_t granules)
{
    cairn_tags_clear_(heap->tags, fence_of(heap->control));
    heap->control->granules = granules;
    cairn_tags_mark_(heap->tags, granules, fence_of(heap->control), TAG_USED);
    heap_set_quick(heap);
}

static int grow(struct cairn_heap *heap, size_t size)
{
    struct heap_control *const control = heap->control;
    const uint32_t end = control->granules;
    const size_t granules = granules_of(heap, size);
    if (granules < end) {
        return CAIRN_EINVAL;
    }
    if (granules > control->limit) {
        return CAIRN_ENOMEM;
    }
    if (granules != end) {
        fence_move(heap, (uint32_t)granules);
        cairn_tags_mark_(heap->tags, end, (uint32_t)granules, TAG_USED);
        control->blocks++;
        cairn_heap_release_(heap, end, (uint32_t)granules);
    }
    return 0;
}

static int shrink(struct cairn_heap *heap, size_t size)
{
    struct heap_control *const control = heap->control;
    const uint32_t end = control->granules;
    const size_t granules = granules_of(heap, size);
    if (granules == 0 || granules > end) {
        return CAIRN_EINVAL;
    }
    if (granules == end) {
        return 0;
    }
    const uint32_t to = (uint32_t)granules;
    const uint32_t from = end - cairn_tags_before_(heap->tags, end);
    if (!ends_free(heap->tags, end) || from > to) {
        return CAIRN_EBUSY;
    }
    if (cairn_heap_unlink_(heap, end) == 0) {
        return CAIRN_ECORRUPT;
    }
    cairn_tags_clear_(heap->tags, end);
    fence_move(heap, to);
    if (from < to) {
        cairn_heap_insert_(heap, from, to);
    } else {
        control->blocks--;
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
