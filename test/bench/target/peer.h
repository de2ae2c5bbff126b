// SPDX-License-Identifier: MIT
//
// OWNS        nothing: the allocator under measurement, one a program (peer_cairn.c, peer_arena.c, peer_libc.c).
// INVARIANTS  1. peer_start gives a fresh heap each time: what an earlier one left behind is not seen.
//             2. Nothing else runs between the two readings of the clock: a call is counted from its BLX to its return.
// CALLERS     the bench programs; one thread.
#ifndef CAIRN_BENCH_PEER_H
#define CAIRN_BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "area.h"

// Keeps what peer_start needs to start again in a piece of the area. Once, before any peer_start.
void peer_prepare(struct area *area);

// Makes a heap of `size` bytes at `region`, everything counted. `fit` is one of cairn's by name, or a mode of peer_arena.c; a C library has
// but one, "libc". Returns false iff the region is too small, or there is no such fit.
bool peer_start(const char *fit, uint32_t search, unsigned char *region, size_t size);

// The calls. count: the instructions of the call; NULL: do not count.
void *peer_alloc(uint32_t *count, uint32_t alignment, size_t size);
void *peer_realloc(uint32_t *count, void *block, size_t size);
void peer_free(uint32_t *count, void *block);

#endif
