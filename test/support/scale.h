// SPDX-License-Identifier: MIT
//
// How much a test does.
//
// OWNS        nothing. CALLERS: tests by way of their fixtures.
#ifndef CAIRN_TEST_SCALE_H
#define CAIRN_TEST_SCALE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// 1 in the plain host build, and where CMake says so: random calls by the million, which nothing slows down there.
#ifndef FX_LONG
#define FX_LONG 0
#endif

// More is done where the whole test is wanted (CAIRN_TIER=full), less on boards.
static inline uint32_t fx_scale(uint32_t board, uint32_t fast, uint32_t full)
{
#if defined(__unix__) || defined(__APPLE__)
    const char *const tier = getenv("CAIRN_TIER");
    (void)board;
    return tier != NULL && strcmp(tier, "full") == 0 ? full : fast;
#else
    (void)fast;
    (void)full;
    return board;
#endif
}

#endif
