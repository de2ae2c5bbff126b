// SPDX-License-Identifier: MIT
//
// The fence: where the heap's last granule ends, and what happens when it moves.
//
// OWNS: the fence.
// PICTURE: raise   [ .. last block ][fence           =>  [ .. last block ][ used, not ours ][ free ------ ][fence
//          lower   [ .. ][ free ------------- ][fence =>  [ .. ][ free ][fence
// INVARIANTS: T1. Who raises it has cleared the pairs of tags behind that of the old one.
// COST: O(1). CALLERS: region.c; whoever has the heap over another floor. Lock held.
#ifndef CAIRN_HEAP_FENCE_H
#define CAIRN_HEAP_FENCE_H

#include "heap/core.h"

static void fence_move(struct cairn_heap *heap, uint32_t granules)
{
    cairn_tags_clear_(heap->tags, fence_of(heap->control));
    heap->control->granules = granules;
    cairn_tags_mark_(heap->tags, granules, fence_of(heap->control), TAG_USED);
    heap_set_quick(heap);
}

// The heap, which ended at `end`, ends at `to`; up to `from` there is what is not its own. pre: end <= from <= to, end < to.
CAIRN_INLINE void fence_raise(struct cairn_heap *heap, struct heap_control *control, uint32_t end, uint32_t from, uint32_t to)
{
    fence_move(heap, to);
    if (from != end) {
        cairn_tags_mark_(heap->tags, end, from, TAG_USED);
        heap_count_taken(control, from - end);
        control->classes |= CLASS_UNKNOWN; // no block spans it
        control->blocks++;
    }
    if (from != to) {
        cairn_tags_mark_(heap->tags, from, to, TAG_USED);
        control->blocks++;
        cairn_heap_release_(heap, from, to);
    }
}

// The heap ends at `to`. Returns 0; CAIRN_EBUSY iff what is behind is not all free, CAIRN_ECORRUPT iff a link is broken: reported; then nothing has changed.
// pre: to is below its end, and not 0.
CAIRN_INLINE int fence_lower(struct cairn_heap *heap, uint32_t to)
{
    struct heap_control *const control = heap->control;
    const uint32_t end = control->granules;
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

#endif
