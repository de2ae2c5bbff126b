// SPDX-License-Identifier: MIT
//
// OWNS        how many calls of one kind there were, what they cost in instructions, and how the costs are spread.
// INVARIANTS  1. The bars add up to `calls`.
// COST        O(1) a call.
// CALLERS     the bench programs; one thread.
#ifndef CAIRN_BENCH_TALLY_H
#define CAIRN_BENCH_TALLY_H

#include <stdint.h>

#define TALLY_STEP 4u
#define TALLY_BARS 128u // the last holds everything above

struct tally {
    uint32_t calls;
    uint32_t max;
    uint64_t sum;
    uint32_t bar[TALLY_BARS];
};

static inline void tally_add(struct tally *tally, uint32_t instructions)
{
    const uint32_t bar = instructions / TALLY_STEP;

    tally->calls++;
    tally->sum += instructions;
    if (instructions > tally->max)
        tally->max = instructions;
    tally->bar[bar < TALLY_BARS ? bar : TALLY_BARS - 1]++;
}

#endif
