// SPDX-License-Identifier: MIT
//
// The choice of a free block for a request.
//
// OWNS: nothing. Reads lists and the length hints in free blocks; what it returns is a candidate that the tags still have to confirm.
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

// Of the first blocks of a range list, the one that the fit prefers among those of at least `length` granules; 0 if none is.
CAIRN_INLINE uint32_t fit_search(const struct cairn_heap *heap, const struct heap_control *control, uint32_t block, uint32_t length,
                                 uint32_t fit)
{
    const unsigned char *const base = heap->base;
    const uint32_t last = control->granules - 1;
    const uint32_t flip = fit == CAIRN_FIT_WORST ? ~(uint32_t)0 : 0; // the longest is the shortest of the complements
    uint32_t left = control->search == CAIRN_SEARCH_ALL ? control->free_blocks : control->search;
    uint32_t shortest = ~(uint32_t)0;
    uint32_t found = 0;
    do {
        if (HARDENED && CAIRN_UNLIKELY(block - 1 >= last)) {
            return block; // no block is there: the caller proves every candidate, and will say so
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
    return found;
}

// Find a free block of at least `length` granules; 0 if the fit sees none. pre: for a bounded fit, length is a power of two.
CAIRN_INLINE uint32_t fit_find(const struct cairn_heap *heap, const struct heap_control *control, uint32_t length)
{
    const uint32_t fit = control->fit;
    uint32_t map = control->map;
    if (CAIRN_UNLIKELY(fit == CAIRN_FIT_WORST)) {
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
        const uint32_t found = fit_search(heap, control, head, length, fit);
        if (found != 0) {
            return found;
        }
    }
    return 0;
}

#endif
