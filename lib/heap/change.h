// SPDX-License-Identifier: MIT
//
// Changing a block where it is, and blocks at an alignment: what needs no copy.
//
// OWNS: nothing beyond what tags.h and bins.h own.
// PICTURE: carve   [ used ------------------------------ ]  =>  [ free ][ used, kept ][ free ]
// INVARIANTS: a block that could not be changed is as it was. COST: O(1). CALLERS: resize.c; whoever has the heap over another floor. Lock held.
#ifndef CAIRN_HEAP_CHANGE_H
#define CAIRN_HEAP_CHANGE_H

#include "heap/core.h"

// Keep n granules from `keep` on of the used block between from and to, none of it counted; release what is before and behind.
static void carve(struct cairn_heap *heap, uint32_t from, uint32_t to, uint32_t keep, uint32_t n)
{
    struct tag_word *const tags = heap->tags;
    const uint32_t kept_to = keep + n;
    if (from < keep) {
        heap->control->blocks++;
        cairn_tags_mark_(tags, from, keep, TAG_USED);
    }
    cairn_tags_mark_(tags, keep, kept_to, TAG_USED);
    if (kept_to < to) {
        heap->control->blocks++;
        cairn_heap_release_(heap, kept_to, to);
    }
    if (from < keep) {
        cairn_heap_release_(heap, from, keep);
    }
}

// Set the length of a counted block to what it is now.
CAIRN_SHARED void recount(struct heap_control *control, uint32_t old_length, uint32_t length)
{
    heap_count_released(control, old_length);
    heap_count_taken(control, length);
}

// Give the used block between from and to so many granules more, out of the free block behind it. Returns false, and nothing has changed, where that does
// not suffice or a link is broken.
CAIRN_SHARED bool stretch(struct cairn_heap *heap, uint32_t from, uint32_t to, uint32_t more)
{
    const uint32_t after = cairn_tags_after_(heap->tags, to);
    if (after < more || !ends_free(heap->tags, to + after) || cairn_heap_cut_(heap, to + after, more) == NO_BORDER) {
        return false;
    }
    cairn_tags_clear_(heap->tags, to);
    cairn_tags_mark_(heap->tags, from, to + more, TAG_USED);
    heap->control->blocks--;
    return true;
}

// Make the counted block n granules long where it is.
static bool resize(struct cairn_heap *heap, uint32_t from, uint32_t n)
{
    const uint32_t length = cairn_tags_after_(heap->tags, from);
    if (heap->control->fit == CAIRN_FIT_BOUNDED) {
        return n <= length;
    }
    if (n > length) {
        if (!stretch(heap, from, from + length, n - length)) {
            return false;
        }
    } else if (n < length) {
        carve(heap, from, from + length, from, n);
    }
    recount(heap->control, length, n);
    return true;
}

// The first multiple of `alignment` at or behind the border.
CAIRN_SHARED size_t align_up(const struct cairn_heap *heap, uint32_t border, size_t alignment)
{
    const uintptr_t address = border_low(heap->base, border);
    return border + (((0u - address) & (alignment - 1)) >> GRANULE_SHIFT);
}

// Take n granules at a multiple of alignment, not counted; NO_BORDER if there are none.
CAIRN_SHARED uint32_t take_aligned(struct cairn_heap *heap, size_t n, size_t alignment)
{
    const size_t skip = (alignment - 1) >> GRANULE_SHIFT;
    const uint32_t from = cairn_heap_take_(heap, n + skip);
    if (from == NO_BORDER || skip == 0) {
        return from;
    }
    const uint32_t to = from + cairn_tags_after_(heap->tags, from);
    const uint32_t keep = (uint32_t)align_up(heap, from, alignment); // among the n + skip that were there
    uint32_t kept = (uint32_t)n;
    if (heap->control->fit == CAIRN_FIT_BOUNDED) {
        kept = to - keep;
        heap->control->classes |= CLASS_UNKNOWN; // what is skipped is in no peak
    }
    carve(heap, from, to, keep, kept);
    return keep;
}

#endif
