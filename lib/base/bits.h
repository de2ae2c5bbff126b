// SPDX-License-Identifier: MIT
//
// Bit arithmetic on 32-bit words.
// OWNS: nothing.
// COST: one to three instructions where the core counts leading zeros; 5 halvings, about 20 instructions, where it does not (Armv6-M).
// CALLERS: any file of lib, in any context.
#ifndef CAIRN_BASE_BITS_H
#define CAIRN_BASE_BITS_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) && !(defined(__ARM_ARCH) && __ARM_ARCH == 6 && __ARM_ARCH_PROFILE == 'M') && \
    !(defined(__riscv) && !defined(__riscv_zbb))
#define BITS_HAVE_CLZ 1
#else
#define BITS_HAVE_CLZ 0
#endif

// Number of the highest bit that is set. pre: word != 0.
CAIRN_INLINE uint32_t bits_highest(uint32_t word)
{
#if BITS_HAVE_CLZ
    return 31u - (uint32_t)__builtin_clz(word);
#else
    uint32_t at = 0;
    for (uint32_t half = 16; half != 0; half >>= 1) {
        if (word >> half != 0) {
            word >>= half;
            at += half;
        }
    }
    return at;
#endif
}

// Number of bits above the highest one that is set. pre: word != 0.
CAIRN_INLINE uint32_t bits_leading(uint32_t word)
{
    return 31u - bits_highest(word);
}

// Number of the lowest bit that is set. pre: word != 0.
CAIRN_INLINE uint32_t bits_lowest(uint32_t word)
{
#if BITS_HAVE_CLZ
    return (uint32_t)__builtin_ctz(word);
#else
    return bits_highest(word & (0u - word));
#endif
}

// The smallest k with 2^k >= value. pre: 1 <= value <= 2^31.
CAIRN_INLINE uint32_t bits_ceil_log2(uint32_t value)
{
    return value <= 1 ? 0 : bits_highest(value - 1) + 1;
}

CAIRN_INLINE bool is_power_of_two(size_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

#endif
