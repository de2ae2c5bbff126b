// SPDX-License-Identifier: MIT
//
// The choice of a free block for a request.
//
// OWNS: nothing. Reads lists and the length hints in free blocks; what it returns is a free block, how long the tags have yet to say.
//
// PICTURE: the request's own list, where a block may be too short, then the next list that is not empty, where none is.
//          best: the shortest of the first K   first, bounded: the first   worst: the longest of the first K of the topmost list
//
// INVARIANTS: a link is followed only if it lies inside the region.
// COST: at most 2 K blocks looked at; with CAIRN_SEARCH_ALL at most twice as many as there are free blocks, so that a broken list that
//     runs in a circle ends too.
// CALLERS: heap.c, lock held.
#ifndef CAIRN_HEAP_FIT_H
#define CAIRN_HEAP_FIT_H

#include "heap/core.h"

_Static_assert((CAIRN_FIT_FIRST & 1) != 0 && (CAIRN_FIT_BOUNDED & 1) != 0, "an odd fit takes the first that is long enough");
_Static_assert((CAIRN_FIT_BEST & 1) == 0 && (CAIRN_FIT_WORST & 1) == 0, "an even fit compares");

CAIRN_COLD static uint32_t report_link(const struct cairn_heap *heap, uint32_t block)
{
    cairn_heap_report_(heap, CAIRN_WRONG_LINK, granule_address(heap->base, block));
    return 0;
}

// A block that a search came to by links may be anything: it is a candidate only if the tags say that a free block starts there. The head
// of a list is one, because it was proved when it became the head.
CAIRN_INLINE uint32_t fit_proved(const struct cairn_heap *heap, uint32_t found, uint32_t head)
{
    if (HARDENED && found != head && found != 0 && !is_free_start(heap->tags, found)) {
        return report_link(heap, found);
    }
    return found;
}

// Of the first `left` blocks of a range list, the one that the fit prefers among those of at least `length` granules; 0 if none is.
CAIRN_INLINE uint32_t fit_search(const struct cairn_heap *heap, const struct heap_control *control, uint32_t head, uint32_t length,
                                 uint32_t fit, uint32_t left)
{
    const unsigned char *const base = heap->base;
    const uint32_t last = control->granules - 1;
    const uint32_t flip = fit == CAIRN_FIT_WORST ? ~(uint32_t)0 : 0; // the longest is the shortest of the complements
    uint32_t shortest = ~(uint32_t)0;
    uint32_t found = 0;
    uint32_t block = head;
    do {
        if (HARDENED && CAIRN_UNLIKELY(block - 1 >= last)) {
            return report_link(heap, block);
        }
        const uint32_t its = hint_at(base, block)->next;
        if (its >= length && (its ^ flip) < shortest) {
            found = block;
            shortest = its ^ flip;
            if ((fit & 1) != 0) {
                break;
            }
        }
        block = links_at(base, block)->next;
    } while (block != 0 && --left != 0);
    return fit_proved(heap, found, head);
}

// Find a free block of at least `length` granules; 0 if the fit sees none. pre: for a bounded fit, length is a power of two.
CAIRN_INLINE uint32_t fit_find(const struct cairn_heap *heap, const struct heap_control *control, uint32_t length)
{
    const uint32_t fit = control->fit & ~FIT_ALL;
    const uint32_t left = fit == control->fit ? control->search : control->free_blocks;
    uint32_t map = control->map;
    if (fit == CAIRN_FIT_WORST) {
        map &= map == 0 ? 0 : (uint32_t)1 << bits_highest(map);
    } else {
        map &= ~(uint32_t)0 << bin_of(length);
    }
    for (; map != 0; map &= map - 1) {
        const uint32_t bin = bits_lowest(map);
        const uint32_t head = control->heads[bin];
        if (bin < BIN_EXACT) {
            return bin >= length ? head : 0;
        }
        const uint32_t found = fit_search(heap, control, head, length, fit, left);
        if (found != 0) {
            return found;
        }
    }
    return 0;
}

// The same for a limited best fit, the default, without what the others need.
CAIRN_INLINE uint32_t fit_best(const struct cairn_heap *heap, const struct heap_control *control, uint32_t length)
{
    const uint32_t own = bin_of(length);
    for (uint32_t map = control->map >> own << own; map != 0; map &= map - 1) {
        const uint32_t bin = bits_lowest(map);
        const uint32_t head = control->heads[bin];
        if (bin < BIN_EXACT) {
            return head;
        }
        const uint32_t found = fit_search(heap, control, head, length, CAIRN_FIT_BEST, control->search);
        if (found != 0) {
            return found;
        }
    }
    return 0;
}

#endif
