// SPDX-License-Identifier: MIT
//
// The words of the image: pairs of tags, the links in free blocks.
//
// OWNS: their types; tags.h and bins.h say what they mean.
// PICTURE: tags { border, free } for each 32 borders      a free block's last granule { next, prev }
// INVARIANTS: 8 bytes each, on every machine. COST: none. CALLERS: lib/heap; floors of the heap's.
#ifndef CAIRN_HEAP_WORDS_H
#define CAIRN_HEAP_WORDS_H

#include "base/bits.h"
#include "cairn/config.h"

// log2 of the borders that a pair covers. Tests build the heap with tiny pairs to reach every case on a small heap.
#ifndef CAIRN_TAG_SHIFT
#define CAIRN_TAG_SHIFT 5
#endif
#define TAG_BORDERS ((uint32_t)1 << CAIRN_TAG_SHIFT)
#define TAG_MASK (TAG_BORDERS - 1)

// The two bits of a border, by the block that ends there.
#define TAG_USED 1u
#define TAG_FREE 3u

struct tag_word {
    uint32_t border;
    uint32_t free;
};

_Static_assert(sizeof(struct tag_word) == 8, "two bits a granule");
_Static_assert(CAIRN_TAG_SHIFT >= 2 && CAIRN_TAG_SHIFT <= 5, "a pair is two words");

CAIRN_INLINE uint32_t tag_bit(uint32_t border)
{
    return bits_below_top(TAG_MASK == 31 ? border : border & TAG_MASK);
}

// Pairs for the borders 0 to that of the fence, of so many granules.
CAIRN_INLINE uint32_t tag_pairs(uint32_t granules)
{
    return (granules + 1) / TAG_BORDERS + 1;
}

struct CAIRN_MAY_ALIAS block_links {
    uint32_t next;
    uint32_t prev;
};

_Static_assert(sizeof(struct block_links) <= CAIRN_GRANULE, "one granule holds the links");

typedef uint32_t CAIRN_MAY_ALIAS free_word; // a word in a free block, where the caller's objects were

#endif
