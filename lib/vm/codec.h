// SPDX-License-Identifier: MIT
//
// The codec of pages: copies of what stood a little before (Ziv and Lempel 1977), made for few instructions.
//
// OWNS        the form of an encoding. It never leaves memory.
// PICTURE     encoding   | token | more literals | literals | distance | more length | token | ...       up to the end of the page
//             token      repeat: 1 bit, literals: 3, length - 3: 4       first the literals, then a copy of `length` bytes from `distance` before
//             more       where the token says 7 literals, how many more: bytes that are added up, each but the last 255; where it says 15, one byte
//             distance   - 4, a byte; left out where the token says repeat: then it is that of the copy before. At first it is 4.
//     Memory is made of records: the next one is like the last but for some bytes. That is a token for each difference, and no distance. And where no
//     distance is less than 4 a copy can be made of whole words.
// INVARIANTS  1. An encoding of more bytes than the limit is not handed out, and no more than CODEC_SLACK bytes are written beyond it.
//             2. Decoding writes no byte outside the page, and copies none from outside it. Each token takes no more bytes than it makes, but for the
//                last: so no more than CODEC_SLACK bytes are read beyond as many as a page has.
//             3. What decodes to the end of the page has used the bytes of the encoding, all of them and no others; or it is refused.
// COST        O(size). Decoding takes some 28 instructions a token, and 3 for each further 4 bytes of a copy (Cortex-M4, -O2); built for size it is one
//             short loop, by steps of 8 bytes and of one. test/bench/compress.sh counts the instructions.
// CALLERS     store_compressed.c.
#ifndef CAIRN_VM_CODEC_H
#define CAIRN_VM_CODEC_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODEC_TABLE 256u // bytes of memory that encoding works with
#define CODEC_SLACK 16u

// Bytes, the lowest first, of any alignment. Compilers make one load of it where the core can.
CAIRN_INLINE uint32_t word_at(const unsigned char *from)
{
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

#if CAIRN_UNALIGNED
typedef uint32_t loose_word CAIRN_LOOSE;

CAIRN_INLINE void copy_word(unsigned char *to, const unsigned char *from)
{
    *(loose_word *)(void *)to = *(const loose_word *)(const void *)from;
}
#else
CAIRN_INLINE void copy_word(unsigned char *to, const unsigned char *from)
{
    for (uint32_t i = 0; i < 4; i++) {
        to[i] = from[i];
    }
}
#endif

// Encode a page of `size` bytes, at most 65535. Equal pages have equal encodings. Returns the bytes of the encoding; 0 iff they are more than `limit`.
// pre: limit + CODEC_SLACK bytes can be written at `to`; table: CODEC_TABLE bytes.
uint32_t cairn_codec_encode_(const void *page, uint32_t size, unsigned char *to, uint32_t limit, unsigned char *table);

// Decode, whatever the bytes are. Returns whether all was as it must be; if not, the page holds anything.
// pre: size + CODEC_SLACK bytes can be read at `from`, of which the first `length` are the encoding; 16 <= size, length <= size.
bool cairn_codec_decode_(const unsigned char *from, uint32_t length, void *page, uint32_t size);

#endif
