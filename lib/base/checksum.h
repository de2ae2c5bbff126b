// SPDX-License-Identifier: MIT
//
// CRC-32C (Castagnoli, Braeuer, Herrmann 1993): polynomial 0x1EDC6F41, bits from the low end, all ones before and after.
// OWNS: nothing; a constant table of 64 bytes.
// COST: two look-ups a byte. Finds every change of up to 5 bits in 655 bytes and of up to 3 in 256 MB, and every burst of 32 bits.
// CALLERS: any file of lib, in any context.
#ifndef CAIRN_BASE_CHECKSUM_H
#define CAIRN_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

// The checksum of what gave `sum` and these bytes behind it. Begin with 0.
uint32_t cairn_checksum_(uint32_t sum, const void *bytes, size_t size);

#endif
