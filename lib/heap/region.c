// SPDX-License-Identifier: MIT
//
// The life of a heap after it was made: moving the region's end, changing the fit, ending.
//
// OWNS: nothing beyond fence.h.
//
// PICTURE: grow    [ .. last block ][fence           =>  [ .. last block ][ free ------ ][fence
//          past    [ .. last block ][fence           =>  [ .. last block ][ used, not ours ][ free ------ ][fence
//          shrink  [ .. ][ free ------------- ][fence =>  [ .. ][ free ][fence
//
// INVARIANTS: T1 one used granule without memory ends at the fence, and there is no border behind it. Tags behind the fence's pair were never
//     written, or are left over: who grows over them clears them.
// COST: O(1), and 8 bytes of tags cleared for each 32 granules that are new. CALLERS: the user.
#include "heap/core.h"
#include "heap/fence.h"
#include "heap/layout.h"

#include <string.h>

// Granules of a region of `size` bytes that starts where this heap's does; 0 if there is no room for one.
static size_t granules_of(const struct cairn_heap *heap, size_t size)
{
    const size_t front = (size_t)(heap->base - (const unsigned char *)heap->control);
    const size_t before = front + (heap->control->flags >> LEAD_SHIFT);
    const size_t granules = size <= before ? 0 : (size - before) >> GRANULE_SHIFT;
    const uint32_t limit = heap->control->limit;
    return granules > limit && granules - limit <= LIMIT_SLACK ? limit : granules;
}

int cairn_heap_grow_past_(struct cairn_heap *heap, size_t gap, size_t size)
{
    if (!is_heap(heap)) {
        return CAIRN_EINVAL;
    }
    struct heap_control *const control = heap->control;
    const uint32_t end = control->granules;
    const size_t granules = granules_of(heap, size);
    const size_t skipped = gap == 0 ? 0 : granules_for(gap);
    if (granules < end || skipped > granules - end) {
        return CAIRN_EINVAL;
    }
    if (granules > control->limit) {
        return CAIRN_ENOMEM;
    }
    const uint32_t to = (uint32_t)granules;
    const uint32_t from = end + (uint32_t)skipped;
    if (to == end) {
        return 0;
    }
    memset(heap->tags + tag_pairs(end), 0, tags_bytes(to) - tags_bytes(end));
    fence_raise(heap, control, end, from, to);
    return 0;
}

int cairn_heap_shrink_(struct cairn_heap *heap, size_t size)
{
    if (!is_heap(heap)) {
        return CAIRN_EINVAL;
    }
    struct heap_control *const control = heap->control;
    const uint32_t end = control->granules;
    const size_t granules = granules_of(heap, size);
    if (granules == 0 || granules > end) {
        return CAIRN_EINVAL;
    }
    if (granules == end) {
        return 0;
    }
    return fence_lower(heap, (uint32_t)granules);
}

int cairn_heap_grow_past(struct cairn_heap *heap, size_t gap, size_t size)
{
    const uint32_t key = heap_lock(heap);
    const int error = cairn_heap_grow_past_(heap, gap, size);
    heap_unlock(heap, key);
    return error;
}

int cairn_heap_grow_(struct cairn_heap *heap, size_t size)
{
    return cairn_heap_grow_past_(heap, 0, size);
}

int cairn_heap_grow(struct cairn_heap *heap, size_t size)
{
    return cairn_heap_grow_past(heap, 0, size);
}

int cairn_heap_shrink(struct cairn_heap *heap, size_t size)
{
    const uint32_t key = heap_lock(heap);
    const int error = cairn_heap_shrink_(heap, size);
    heap_unlock(heap, key);
    return error;
}

CAIRN_NOINLINE size_t cairn_heap_top_(const struct cairn_heap *heap)
{
    if (!is_heap(heap)) {
        return 0;
    }
    const uint32_t end = heap->control->granules;
    return ends_free(heap->tags, end) ? bytes_of(cairn_tags_before_(heap->tags, end)) : 0;
}

size_t cairn_heap_top(struct cairn_heap *heap)
{
    const uint32_t key = heap_lock(heap);
    const size_t top = cairn_heap_top_(heap);
    heap_unlock(heap, key);
    return top;
}

int cairn_heap_set_fit_(struct cairn_heap *heap, enum cairn_fit fit, uint16_t search)
{
    if (!is_heap(heap) || (uint32_t)fit > CAIRN_FIT_BOUNDED) {
        return CAIRN_EINVAL;
    }
    if (heap->control->fit != CAIRN_FIT_BOUNDED && heap->control->used != 0) {
        heap->control->classes |= CLASS_UNKNOWN; // blocks may lie scattered
    }
    control_set_fit(heap->control, fit, search);
    return 0;
}

int cairn_heap_set_fit(struct cairn_heap *heap, enum cairn_fit fit, uint16_t search)
{
    const uint32_t key = heap_lock(heap);
    const int error = cairn_heap_set_fit_(heap, fit, search);
    heap_unlock(heap, key);
    return error;
}

void cairn_heap_deinit(struct cairn_heap *heap)
{
    if (is_heap(heap)) {
        heap->control->magic = 0;
        *heap = (struct cairn_heap){0};
    }
}
