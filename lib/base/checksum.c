// SPDX-License-Identifier: MIT
//
// CRC-32C, half a byte at a time.
// OWNS: the table. COST: two look-ups a byte. CALLERS: checksum.h says who.
#include "base/checksum.h"

#include "base/compiler.h"

// What four bits do to a sum of zeros: 0x82F63B78 is the polynomial, its bits turned round.
static const uint32_t nibbles[16] = {0x00000000u, 0x105EC76Fu, 0x20BD8EDEu, 0x30E349B1u, 0x417B1DBCu, 0x5125DAD3u, 0x61C69362u, 0x7198540Du,
                                   0x82F63B78u, 0x92A8FC17u, 0xA24BB5A6u, 0xB21572C9u, 0xC38D26C4u, 0xD3D3E1ABu, 0xE330A81Au, 0xF36E6F75u};

CAIRN_NOINLINE uint32_t cairn_checksum_(uint32_t sum, const void *bytes, size_t size)
{
    const unsigned char *const from = bytes;
    sum = ~sum;
    for (size_t i = 0; i < size; i++) {
        sum ^= from[i];
        sum = sum >> 4 ^ nibbles[sum & 15];
        sum = sum >> 4 ^ nibbles[sum & 15];
    }
    return ~sum;
}
