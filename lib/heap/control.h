// SPDX-License-Identifier: MIT
//
// The front of the image: sizes, counters, list heads.
//
// OWNS: struct heap_control.
//
// PICTURE: region ->| control | heads | tags: 8 bytes for 32 granules, for max_size | granules |
//          all words are 32 bits, in the machine's own order; no pointers. A free block is known by the border where it ends, and a link is such
//          a number, 0 is none: what becomes of its front, its links and its number stay.
//          a free block:  last granule { next, prev }   the one before, where the block is in a range list: { length, - }
//
// INVARIANTS: T8 used + free == granules, and the counters agree. T9 limits, below.
// COST: none of its own. CALLERS: lib/heap, lock held.
#ifndef CAIRN_HEAP_CONTROL_H
#define CAIRN_HEAP_CONTROL_H

#include "cairn/heap.h"
#include "heap/words.h"

#if CAIRN_GRANULE == 16
#define GRANULE_SHIFT 4
#else
#define GRANULE_SHIFT 3
#endif

#define HEAP_MAGIC 0x334E5243u   // "CRN3": bytes C R N 3 on a little-endian machine; 3 is the layout's version
#define GRANULES_MAX 0x07FFFFFEu // so that every length has one of 31 lists
#define CLASS_UNKNOWN 0x80000000u // beside the classes: they and the peak do not say what the heap needs
#define FIT_ALL 0x04u // beside the fit: the search has no limit
#define FLAG_WIPE 0x01u
#define FLAG_TAGS_OUTSIDE 0x02u
#define FLAG_GRANULE_16 0x04u
#define FLAGS_KNOWN (FLAG_WIPE | FLAG_TAGS_OUTSIDE | FLAG_GRANULE_16)
#define LEAD_SHIFT 4 // above: bytes from the region's start to the control
#define NO_BORDER UINT32_MAX

struct heap_control {
    uint32_t magic;
    uint32_t granules; // now
    uint32_t limit;    // granules that the tags and lists are made for
    uint16_t search;
    uint8_t fit;
    uint8_t flags;
    uint32_t used; // granules
    uint32_t peak;
    uint32_t blocks; // used and free
    uint32_t free_blocks;
    uint32_t failures;
    uint32_t classes; // bounded fit: bit k: a length of 2^k was asked for
    uint32_t map;     // bit 31 - b: list b is not empty
    uint32_t heads[]; // list b; as many as bin_count(limit)
};

_Static_assert(sizeof(struct heap_control) == 44, "the same bytes on every machine");

CAIRN_INLINE size_t bytes_of(uint32_t granules)
{
    return (size_t)granules << GRANULE_SHIFT;
}

// Number of the border at `address`; more than GRANULES_MAX for any address that is none. Rotates, so that the bits below a granule
// make the number too large.
CAIRN_INLINE size_t border_number(const unsigned char *base, const void *address)
{
    const size_t offset = (size_t)((uintptr_t)address - (uintptr_t)base);
    return offset >> GRANULE_SHIFT | offset << (sizeof(size_t) * 8 - GRANULE_SHIFT);
}

// Set how blocks are chosen. pre: fit is in range.
CAIRN_INLINE void control_set_fit(struct heap_control *control, enum cairn_fit fit, uint16_t search)
{
    control->search = search == 0 ? (uint16_t)CAIRN_SEARCH_DEFAULT : search;
    control->fit = (uint8_t)((uint32_t)fit | (search == CAIRN_SEARCH_ALL && fit != CAIRN_FIT_BOUNDED ? FIT_ALL : 0));
}

// Granules that `size` bytes take; more than GRANULES_MAX for 0 bytes.
CAIRN_INLINE size_t granules_for(size_t size)
{
    return ((size - 1) >> GRANULE_SHIFT) + 1;
}

#endif
