// SPDX-License-Identifier: MIT
//
// The choice of a free block for a request.
//
// OWNS: nothing. Reads lists and the length hints in free blocks; what it returns is a candidate that the tags still have to confirm.
// INVARIANTS: a link is followed only if it lies inside the region.
// COST: at most 2 * search blocks looked at; with CAIRN_SEARCH_ALL at most as many as there are free blocks, so that a broken list
//     that runs in a circle ends too.
// CALLERS: alloc.c, lock held.
#ifndef CAIRN_HEAP_FIT_H
#define CAIRN_HEAP_FIT_H

#include "heap/core.h"

// Of the first blocks of a range list, the one that the fit prefers among those of at least `length` granules; 0 if none is.
CAIRN_FAST uint32_t fit_search(const struct cairn_heap *heap, const struct heap_control *control, uint32_t block, uint32_t length,
                               uint32_t fit)
{
    const unsigned char *const base = heap->base;
    const uint32_t last = control->granules - 1;
    uint32_t left = control->search == CAIRN_SEARCH_ALL ? control->free_blocks : control->search;
    uint32_t from = block;
    uint32_t found = 0;
    uint32_t found_length = fit == CAIRN_FIT_WORST ? length - 1 : UINT32_MAX;
    do {
        if (HARDENED && block - 1 >= last) {
            heap_report_link(heap, from);
            return 0;
        }
        const uint32_t its = hint_at(base, block)->next;
        if (its >= length && (fit == CAIRN_FIT_WORST ? its > found_length : its < found_length)) {
            found = block;
            found_length = its;
            if (fit == CAIRN_FIT_FIRST) {
                break;
            }
        }
        from = block;
        block = links_at(base, block)->next;
    } while (block != 0 && --left != 0);
    return found;
}

// Find a free block of at least `length` granules; 0 if the fit sees none. pre: for a bounded fit, length is a power of two.
CAIRN_FAST uint32_t fit_find(const struct cairn_heap *heap, const struct heap_control *control, uint32_t length)
{
    const uint32_t fit = control->fit;
    uint32_t bin = bin_of(length);
    if (CAIRN_UNLIKELY(fit == CAIRN_FIT_WORST)) {
        bin = bin_last(control);
        if (bin < BIN_EXACT) {
            return bin >= length ? control->heads[bin] : 0;
        }
        return fit_search(heap, control, control->heads[bin], length, fit);
    }
    if (bin >= BIN_EXACT && fit != CAIRN_FIT_BOUNDED) {
        const uint32_t head = control->heads[bin];
        if (head != 0) {
            const uint32_t found = fit_search(heap, control, head, length, fit);
            if (found != 0) {
                return found;
            }
        }
        if (++bin == 32) {
            return 0;
        }
    }
    bin = bin_next(control, bin);
    const uint32_t head = control->heads[bin];
    if (bin >= BIN_EXACT && fit == CAIRN_FIT_BEST) {
        return fit_search(heap, control, head, length, fit);
    }
    return head;
}

#endif
