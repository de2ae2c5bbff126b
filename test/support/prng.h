// SPDX-License-Identifier: MIT
//
// Pseudo-random numbers that are the same on every machine.
//
// OWNS        one word of state, in the caller's hands.
// COST        a few instructions a number.
// CALLERS     random tests. xorshift32 (Marsaglia 2003): the period is 2^32 - 1.
#ifndef CAIRN_TEST_PRNG_H
#define CAIRN_TEST_PRNG_H

#include <stdint.h>

struct prng {
    uint32_t state; // not 0
};

static inline void prng_seed(struct prng *prng, uint32_t seed)
{
    prng->state = seed * 2654435761u ^ 0x6A09E667u;
    if (prng->state == 0) {
        prng->state = 1;
    }
}

static inline uint32_t prng_next(struct prng *prng)
{
    uint32_t state = prng->state;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    prng->state = state;
    return state;
}

// A number below `limit`. pre: limit > 0.
static inline uint32_t prng_below(struct prng *prng, uint32_t limit)
{
    return (prng_next(prng) >> 3) % limit;
}

#endif
