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

// Of the first blocks of a range list, the one that the fit prefers among those of at least `length` granules; 0 if none is,
// NO_BORDER where a link is broken: reported. What a link leads to is only a candidate: the tags decide.
CAIRN_SHARED uint32_t fit_search(const struct cairn_heap *heap, uint32_t block, uint32_t length)
{
    const struct heap_control *const control = heap->control;
    const uint32_t fit = control->fit;
    const uint32_t flip = 0u - (fit >> 1 & 1); // worst: the longest is the shortest of the complements; an odd fit does not care
    uint32_t left = (fit & FIT_ALL) != 0 ? control->free_blocks : control->search;
    uint32_t shortest = ~(uint32_t)0;
    uint32_t found = 0;
    for (;;) {
        struct block_links *const links = links_at(heap->base, block);
        const uint32_t its = *hint_beside(heap->base, block, links);
        if (its >= length && (its ^ flip) < shortest) {
            found = block;
            shortest = its ^ flip;
            if ((fit & 1) != 0) {
                return found;
            }
        }
        const uint32_t next = links->next;
        if (next == 0 || --left == 0) {
            return found;
        }
        if (HARDENED && CAIRN_UNLIKELY(next > control->granules)) {
            return report_link(heap, block) - 1;
        }
        block = next;
    }
}

// Find a free block of at least `length` granules; 0 if the fit sees none, NO_BORDER where a link is broken: reported. pre: for a bounded
// fit, length is a power of two. Worst fit: the topmost list is the request's own, or all in it are long enough.
CAIRN_INLINE uint32_t fit_find(const struct cairn_heap *heap, uint32_t length)
{
    const uint32_t own = bin_of(length);
    uint32_t bin;
    for (uint32_t map = heap->control->map << own >> own; map != 0; map &= ~bin_bit(bin)) {
        bin = bits_leading((heap->control->fit & ~FIT_ALL) == CAIRN_FIT_WORST ? map & (0u - map) : map);
        uint32_t block = heap->control->heads[bin];
        if (bin >= BIN_EXACT) {
            block = fit_search(heap, block, length);
        }
        if (block != 0) {
            return block;
        }
    }
    return 0;
}

#endif
