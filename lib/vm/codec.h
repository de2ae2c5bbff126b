// SPDX-License-Identifier: MIT
//
// The codec of pages: copies of what stood a little before (Ziv and Lempel 1977), made for few instructions.
//
// OWNS        the form of an encoding. It never leaves memory.
// PICTURE     encoding   | token | literals | more | literals | distance | more | token | ...       up to the end of the page
//             token      repeat: 1 bit, literals: 3, length - 3: 4       first the literals, then a copy of `length` bytes from `distance` bytes before
//             more       where the token says 7 literals or a length of 18: how many more, in bytes of which each but the last is 255
//             distance   - 4, a byte; left out where the token says repeat: then it is that of the copy before. At first it is 4.
//     A page is made of records: the next one is like the last but for some bytes. That is a token a difference, and no distance. And a distance of 4 or
//     more can be copied by whole words.
// INVARIANTS  1. An encoding is written only as far as the limit.
//             2. Decoding writes no byte outside the page. Up to any copy it has read no more bytes than it wrote: a token makes at least 3, and more than it
//                takes; so it reads no more than CODEC_SLACK bytes beyond as many as a page has.
//             3. What decodes to the end of the page has used the bytes of the encoding, all of them and no others; or it is refused.
// COST        encoding: O(size), each place is looked up once or twice. Decoding: O(size); test/bench/compress.sh counts the instructions.
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

// Encode a page of `size` bytes, at most 65535. Equal pages have equal encodings. Returns the bytes of the encoding; 0 iff it would be more than `limit`, and
// then up to `limit` bytes of `to` hold anything.
uint32_t cairn_codec_encode_(const void *page, uint32_t size, unsigned char *to, uint32_t limit, unsigned char *table);

// Decode, whatever the bytes are. pre: size + CODEC_SLACK bytes can be read at `from`, and size >= 16. Returns whether all was as it must be; if not, the page holds anything.
bool cairn_codec_decode_(const unsigned char *from, uint32_t length, void *page, uint32_t size);

#endif
