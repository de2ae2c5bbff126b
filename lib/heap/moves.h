// SPDX-License-Identifier: MIT
//
// The two moves that all calls are made of: cut and release.
//
// OWNS: nothing beyond what tags.h and bins.h own; this is where free blocks become used ones, and used ones free.
//
// PICTURE: cut      [ free ------------------------ ]  =>  [ used ][ free ---------------- ]
//          release  [ free ][ used ][ free ]           =>  [ free ----------------------- ]
//
//     What a request gets is the front of a free block: what is left ends where it did, and keeps its links there, and its place in its list unless it
//     belongs to another now. The same holds for a free block that grows because what is before it was freed.
//
// INVARIANTS: T3 no two neighbours are both free. A pointer and a link are proved before the first write that rests on them. A free
//     neighbour whose links are broken is reported and left alone: what is freed beside it is free all the same.
// COST: O(1). No loops, but for a second try where a list's head is none. CALLERS: heap.c, for everybody; quick.h, where the build favours speed. Lock held.
#ifndef CAIRN_HEAP_MOVES_H
#define CAIRN_HEAP_MOVES_H

#include "heap/core.h"

// ------------------------------------------------------------------------------- in each caller for speed, one copy for size

CAIRN_INLINE uint32_t long_after(const struct tag_word *tags, uint32_t border)
{
    return HEAP_SPEED ? length_after(tags, border) : cairn_tags_after_(tags, border);
}

CAIRN_INLINE uint32_t long_before(const struct tag_word *tags, uint32_t border)
{
    return HEAP_SPEED ? length_before(tags, border) : cairn_tags_before_(tags, border);
}

CAIRN_INLINE void mark(struct tag_word *tags, uint32_t from, uint32_t to, uint32_t state)
{
    HEAP_SPEED ? tag_mark(tags, from, to, state) : cairn_tags_mark_(tags, from, to, state);
}

CAIRN_INLINE void clear(struct tag_word *tags, uint32_t border)
{
    HEAP_SPEED ? tag_clear(tags, border) : cairn_tags_clear_(tags, border);
}

// ------------------------------------------------------------------------------------------------------------ the two moves

// As cairn_heap_refile_.
CAIRN_INLINE bool refile(struct cairn_heap *heap, uint32_t to, uint32_t was, uint32_t length)
{
    const uint32_t bin = bin_of(length);
    const uint32_t old = bin_of(was);
    if (old != bin) {
        if (was == 0) {
            heap->control->free_blocks++;
        } else if (!bin_remove(heap, heap->control, to, old) && HARDENED) {
            return report_link(heap, to) != 0;
        }
        if (length == 0) {
            heap->control->free_blocks--;
            return true;
        }
        while (!bin_push(heap, heap->control, links_at(heap->base, to), to, bin)) {
            bin_forget(heap, bin);
        }
    }
    if (length >= BIN_EXACT) {
        *hint_at(heap->base, to) = length;
    }
    return true;
}

// Take n granules off the front of the free block that ends at `to`. Returns where they begin; NO_BORDER, and nothing has changed, where it is no
// free block of so many, or its links are broken: reported.
CAIRN_INLINE uint32_t cut(struct cairn_heap *heap, uint32_t to, uint32_t n)
{
    struct tag_word *const tags = heap->tags;
    const uint32_t length = long_before(tags, to);
    const uint32_t rest = length - n;
    if (HARDENED && (!is_free_end(tags, to) || length < n)) {
        return report_link(heap, to) - 1;
    }
    if (!cairn_heap_refile_(heap, to, length, rest)) {
        return NO_BORDER;
    }
    mark(tags, to - length, to - rest, TAG_USED);
    if (rest != 0) {
        heap->control->blocks++;
        if (rest > TAG_BORDERS) { // else it has no record, and the border is there
            mark(tags, to - rest, to, TAG_FREE);
        }
    }
    return to - length;
}

// As cairn_heap_join_.
CAIRN_INLINE uint32_t join(struct cairn_heap *heap, uint32_t from)
{
    const uint32_t length = long_before(heap->tags, from);
    if (!HEAP_SPEED) {
        if (!cairn_heap_refile_(heap, from, length, 0)) {
            return from;
        }
    } else if (bin_remove(heap, heap->control, from, bin_of(length)) || !HARDENED) {
        heap->control->free_blocks--;
    } else {
        return from + report_link(heap, from);
    }
    clear(heap->tags, from);
    heap->control->blocks--;
    return from - length;
}

// As cairn_heap_unlink_, cairn_heap_insert_.
CAIRN_INLINE uint32_t take_out(struct cairn_heap *heap, uint32_t to)
{
    const uint32_t length = long_before(heap->tags, to);
    return cairn_heap_refile_(heap, to, length, 0) ? length : 0;
}

CAIRN_INLINE void put_in(struct cairn_heap *heap, uint32_t from, uint32_t to)
{
    mark(heap->tags, from, to, TAG_FREE);
    (void)cairn_heap_refile_(heap, to, 0, to - from);
}

// Make the used block free.
CAIRN_INLINE void release(struct cairn_heap *heap, uint32_t from, uint32_t to)
{
    struct tag_word *const tags = heap->tags;
    const uint32_t after = long_after(tags, to);
    if (ends_free(tags, from)) {
        from = cairn_heap_join_(heap, from);
    }
    if (ends_free(tags, to + after) && cairn_heap_refile_(heap, to + after, after, to + after - from)) {
        clear(tags, to);
        heap->control->blocks--;
        to += after;
    } else {
        (void)cairn_heap_refile_(heap, to, 0, to - from);
    }
    mark(tags, from, to, TAG_FREE);
}

#endif
