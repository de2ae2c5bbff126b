// SPDX-License-Identifier: MIT
//
// OWNS        the worst that many free blocks can do: see holes.c.
// CALLERS     main.c.
#ifndef CAIRN_BENCH_HOLES_H
#define CAIRN_BENCH_HOLES_H

#include <stdbool.h>
#include <stdint.h>

#include "tally.h"

// What was called, and in which situation.
enum holes_case {
    HOLES_ALLOC_NONE,    // none of the holes is long enough
    HOLES_ALLOC_EXACT,   // the request is as long as a hole
    HOLES_ALLOC_REST,    // a hole is longer than the request
    HOLES_FREE_ALONE,    // both neighbours are used
    HOLES_FREE_BETWEEN,  // both neighbours are free
    HOLES_REALLOC_GROWS, // of a small block; the hole behind it is long enough
    HOLES_REALLOC_MOVES, // of one too; what is free beside it is too short
    HOLES_CASES,
};

extern const char *const holes_names[HOLES_CASES];

// Makes `holes` free blocks of `size` bytes between as many that stay, and counts each case on them. `table` has room for
// 2 * holes pointers. The peer is freshly started, in a region that has room for all. Returns false iff an allocation failed.
bool holes_run(unsigned char **table, uint32_t holes, uint32_t size, struct tally *tally);

// The same of the cases of realloc.
bool holes_resize(unsigned char **table, uint32_t holes, uint32_t size, struct tally *tally);

#endif
