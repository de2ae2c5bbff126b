// SPDX-License-Identifier: MIT
//
// The tables behind bits.h, for cores that multiply and do not count zeros.
// OWNS: 48 bytes of constants, where they are wanted. COST: a load; bits.h has the sums. CALLERS: bits.h.
#include "base/bits.h"

#if BITS_BY_TABLE
const uint8_t cairn_bits_place_[32] = {
    0, 1, 28, 2, 29, 14, 24, 3, 30, 22, 20, 15, 25, 17, 4, 8, //
    31, 27, 13, 23, 21, 19, 16, 7, 26, 12, 18, 6, 11, 5, 10, 9,
};

const uint8_t cairn_bits_above_[16] = {4, 3, 2, 2, 1, 1, 1, 1};
#else
typedef int bits_needs_no_table; // a file of C is not empty
#endif
