// SPDX-License-Identifier: MIT
//
// Bit arithmetic on 32-bit words.
// OWNS: nothing.
// COST: one to three instructions where the core counts leading zeros; else 7 for the lowest bit and 10 to 16 for the highest by tables (Armv6-M, RV32IM), or 5 halvings.
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

#if !BITS_HAVE_CLZ && (defined(__arm__) || defined(__riscv_mul)) && CAIRN_SPEED // where there is a multiplication
#define BITS_BY_TABLE 1
#else
#define BITS_BY_TABLE 0
#endif

#if BITS_BY_TABLE
// The place of a single bit: it multiplies a de Bruijn sequence, whose every five bits are another number, into its top five bits (Leiserson, Prokop,
// Randall, "Using de Bruijn sequences to index a 1 in a computer word", 1998).
extern const uint8_t cairn_bits_place_[32];
extern const uint8_t cairn_bits_above_[16]; // of four bits: how many are above the highest that is set
#define BITS_PLACE(bit) cairn_bits_place_[(bit) * 0x077CB531u >> 27]
#endif

// Number of the highest bit that is set. pre: word != 0.
CAIRN_INLINE uint32_t bits_highest(uint32_t word)
{
#if BITS_HAVE_CLZ
    return 31u - (uint32_t)__builtin_clz(word);
#elif BITS_BY_TABLE
    uint32_t at = 31;
    if (word >> 16 == 0) {
        word <<= 16;
        at -= 16;
    }
    if (word >> 24 == 0) {
        word <<= 8;
        at -= 8;
    }
    if (word >> 28 == 0) {
        word <<= 4;
        at -= 4;
    }
    return at - cairn_bits_above_[word >> 28];
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

CAIRN_INLINE bool is_top_bit(uint32_t word)
{
    return (int32_t)word < 0;
}

// Number of the lowest bit that is set. pre: word != 0.
CAIRN_INLINE uint32_t bits_lowest(uint32_t word)
{
#if BITS_HAVE_CLZ
    return (uint32_t)__builtin_ctz(word);
#elif BITS_BY_TABLE
    return BITS_PLACE(word & (0u - word));
#else
    return bits_highest(word & (0u - word));
#endif
}

// Rotate right, by as many places modulo 32. In C the compiler masks the count, which the core does not need.
CAIRN_INLINE uint32_t bits_rotate(uint32_t word, uint32_t by)
{
#if defined(__GNUC__) && defined(__ARM_ARCH) && defined(__thumb2__)
    __asm__("ror %0, %1, %2" : "=r"(word) : "r"(word), "r"(by));
    return word;
#else
    return word >> (by & 31) | word << (-by & 31);
#endif
}

// The bit that is n modulo 32 below the top one.
CAIRN_INLINE uint32_t bits_below_top(uint32_t n)
{
#if defined(__GNUC__) && defined(__ARM_ARCH) && defined(__thumb2__)
    if (!__builtin_constant_p(n)) {
        return bits_rotate(0x80000000u, n);
    }
#endif
    return (uint32_t)0x80000000u >> (n & 31);
}

// The smallest k with 2^k >= value. pre: 1 <= value <= 2^31.
CAIRN_INLINE uint32_t bits_ceil_log2(uint32_t value)
{
    return value <= 1 ? 0 : bits_highest(value - 1) + 1;
}

// Round up to a multiple of a power of two; wraps around to less than `size` where there is none.
CAIRN_INLINE size_t round_to(size_t size, size_t unit)
{
    return (size + unit - 1) & ~(unit - 1);
}

CAIRN_INLINE bool is_power_of_two(size_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

#endif
