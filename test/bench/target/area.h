// SPDX-License-Identifier: MIT
//
// OWNS        the heap area, handed out from its start and never taken back.
// PICTURE     heap area  [ trace | slots or table | the libc's saved variables | tallies | region under measurement -------- )
// CALLERS     the bench program; one thread.
#ifndef CAIRN_BENCH_AREA_H
#define CAIRN_BENCH_AREA_H

#include "board.h"

struct area {
    unsigned char *next;
};

static inline size_t area_left(const struct area *area)
{
    return (size_t)((uintptr_t)cairn_heap_area_end - (uintptr_t)area->next);
}

// Returns `size` bytes aligned to 16, or NULL where they are not left.
static inline void *area_take(struct area *area, size_t size)
{
    unsigned char *const taken = area->next;
    const size_t rounded = (size + 15) & ~(size_t)15;

    if (rounded < size || rounded > area_left(area))
        return NULL;
    area->next += rounded;
    return taken;
}

#endif
