// SPDX-License-Identifier: MIT
//
// What a check on the hardening ladder found: the same for a heap and for a pool, so that one hook can serve both.
// VITALS: no state, no calls.
#ifndef CAIRN_REPORT_H
#define CAIRN_REPORT_H

#include "cairn/types.h"

// What went wrong, in a report.
enum cairn_wrong {
    CAIRN_WRONG_POINTER = 1, // not inside the region, or (heap) not a multiple of the granule
    CAIRN_WRONG_INTERIOR,    // inside a used block, not at its start
    CAIRN_WRONG_DOUBLE_FREE, // at, or inside, a block that is free
    CAIRN_WRONG_LINK,        // heap: a free block's links and its neighbours or tags disagree
};

// A bad pointer: the call does nothing. A broken link: an allocation fails and changes nothing; a free, and a resize that gives something
// back, are done all the same, beside the broken block, which is left as it is.
struct cairn_report {
    enum cairn_wrong what;
    const void *address; // what the caller passed, or the block whose link is broken, or to which a broken link leads
    const void *block;   // start of the block that holds it; NULL if outside the region
    size_t block_size;   // bytes of that block; 0 if outside
    const void *before;  // start of the block before it; NULL if none
    const void *after;   // start of the block behind it; NULL if none
};

#endif
