// SPDX-License-Identifier: MIT
//
// Boundary tags, kept beside the memory: two bits a granule, in pairs of words.
//
// OWNS: the meaning of the tag array. Nobody else writes its bits, but for quick.h, which keeps a pair in registers, and init, for border 0.
//
// PICTURE: border b lies b granules behind the first granule's start. A block lies between two borders, `from` and `to`. A pair of words for each
//     32 borders; border b is bit 31 - b mod 32 of pair b / 32.
//
//     border    0   1   2   3   4   5   6   7   8         granules 1 and 2 used, 3 to 6 free, 7 used, 8 used ...
//     border    1   0   1   0   0   0   1   1   1  ..     a block ends here, and the next one begins
//     free      0   0   0   0   0   0   1   0   0  ..     the block that ends here is free
//
//     A pair whose border word is 0 lies inside one block. In the first and the last pair of such a run the free word is a *record*: that
//     block's length. In the pairs between it holds anything: nobody reads it, and who sets the first border of a pair writes the
//     pair's free word afresh.
//
//     Behind the last granule is one that has no memory, a used block of its own, up to the border called the fence; and what ends at border 0
//     is used. So looking left from the first block and right from the last needs no test.
//
// INVARIANTS: T1, T2, T4, T5 of docs/LAYOUT.md. A border bit is exact at all times: free() rests on nothing else.
//
// COST: a length forwards or backwards is at most three loads, whatever the length. O(1), no loops.
// CALLERS: lib/heap, lock held.
#ifndef CAIRN_HEAP_TAGS_H
#define CAIRN_HEAP_TAGS_H

#include "heap/floor.h"

// tags.c: one copy of each, for every caller in a build for size, and for the paths that need not be short in any other.

uint32_t cairn_tags_after_(const struct tag_word *tags, uint32_t border);
uint32_t cairn_tags_before_(const struct tag_word *tags, uint32_t border);
void cairn_tags_mark_(struct tag_word *tags, uint32_t from, uint32_t to, uint32_t state);
void cairn_tags_clear_(struct tag_word *tags, uint32_t border);

// TAG_USED or TAG_FREE where a block ends; bit 0 is 0 elsewhere, bit 1 anything.
CAIRN_INLINE uint32_t tag_state(const struct tag_word *tags, uint32_t border)
{
    const struct tag_word *const tag = tag_of(tags, border);
    const uint32_t at = border & TAG_MASK;
    return tag->border << at >> 31 | tag->free << at >> 31 << 1;
}

CAIRN_INLINE bool is_border(const struct tag_word *tags, uint32_t border)
{
    if (!HEAP_NEAR) {
        return (FAR_STATE(tags, border) & TAG_USED) != 0;
    }
    return is_top_bit(tags[border >> CAIRN_TAG_SHIFT].border << (border & TAG_MASK));
}

// Does a free block end here?
CAIRN_INLINE bool is_free_end(const struct tag_word *tags, uint32_t border)
{
    if (!HEAP_NEAR) {
        return FAR_STATE(tags, border) == TAG_FREE;
    }
    const struct tag_word *const tag = tag_of(tags, border);
    return is_top_bit((tag->border & tag->free) << (border & TAG_MASK));
}

// Is the block that ends at this border free? pre: a border.
CAIRN_INLINE bool ends_free(const struct tag_word *tags, uint32_t border)
{
    if (!HEAP_NEAR) {
        return FAR_STATE(tags, border) == TAG_FREE;
    }
    return is_top_bit(tag_of(tags, border)->free << (border & TAG_MASK));
}

// Length of the block that begins at `border`. pre: a border below the fence.
CAIRN_INLINE uint32_t length_after(const struct tag_word *tags, uint32_t border)
{
    const struct tag_word *const tag = tag_of(tags, border);
    const uint32_t at = border & TAG_MASK;
    uint32_t borders = tag->border << at << 1; // bit 31: one granule on
    uint32_t on = 1;
    if (HEAP_SPEED && CAIRN_LIKELY(borders != 0)) {
        return bits_leading(borders) + 1;
    }
    if (borders == 0) {
        const struct tag_word *const behind = tag_beside(tags, tag, border, 1);
        borders = behind->border;
        on = TAG_BORDERS - at;
        if (borders == 0) {
            return behind->free;
        }
    }
    return bits_leading(borders) + on;
}

// Length of the block that ends at `border`, whose tags are in `tag`. pre: a border above 0.
CAIRN_INLINE uint32_t pair_length_before(const struct tag_word *tags, const struct tag_word *tag, uint32_t border)
{
    uint32_t borders = tag->border >> (31 - (border & TAG_MASK)) >> 1; // bit 0: one granule back
    uint32_t on = 1;
    if (HEAP_SPEED && CAIRN_LIKELY(borders != 0)) {
        return bits_lowest(borders) + 1;
    }
    if (borders == 0) {
        const struct tag_word *const before = tag_beside(tags, tag, border, -1);
        borders = before->border >> (32 - TAG_BORDERS);
        on += border & TAG_MASK;
        if (borders == 0) {
            return before->free;
        }
    }
    return bits_lowest(borders) + on;
}

CAIRN_INLINE uint32_t length_before(const struct tag_word *tags, uint32_t border)
{
    return pair_length_before(tags, tag_of(tags, border), border);
}

// Write the records of the block between two borders, where it has any.
CAIRN_INLINE void tag_record(struct tag_word *tags, uint32_t from, uint32_t to)
{
    const uint32_t first = (from >> CAIRN_TAG_SHIFT) + 1;
    const uint32_t behind = to >> CAIRN_TAG_SHIFT;
    if (first < behind) {
        TAG_AT(tags, first).free = to - from;
        TAG_AT(tags, behind - 1).free = to - from;
    }
}

// Make what is between two borders a block, TAG_USED or TAG_FREE: the border where it ends, and its records. pre: the other border is there, or
// still to come.
CAIRN_INLINE void tag_mark(struct tag_word *tags, uint32_t from, uint32_t to, uint32_t state)
{
    struct tag_word *const tag = tag_of(tags, to);
    const uint32_t bit = tag_bit(to);
    const uint32_t free = tag->border == 0 ? 0 : tag->free & ~bit;
    tag->border |= bit;
    tag->free = state == TAG_FREE ? free | bit : free;
    tag_record(tags, from, to);
}

// Take a border away.
CAIRN_INLINE void tag_clear(struct tag_word *tags, uint32_t border)
{
    struct tag_word *const tag = tag_of(tags, border);
    const uint32_t bit = tag_bit(border);
    tag->border &= ~bit;
    tag->free &= ~bit;
}

#endif
