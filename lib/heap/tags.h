// SPDX-License-Identifier: MIT
//
// Boundary tags, kept beside the memory: two bits a granule, in pairs of words.
//
// OWNS: the meaning of the tag array. Nobody else reads or writes its bits.
//
// PICTURE: a pair of words for each 32 granules; granule g is bit g mod 32 of pair g / 32.
//
//     granule   0   1   2   3   4   5   6   7   8   9        1 used (2 granules), 3 free (4), 7 used, 8 used ...
//     start     1   1   0   1   0   0   0   1   1   0 ..     a block starts here
//     edge      0   0   .   1   .   .   1   0   0   . ..     at a block's first and last granule: is it free? elsewhere: unread
//
//     A pair whose start word is 0 lies inside one block. In the first and the last pair of such a run the edge word is a *record*: bit 31
//     says whether the block is free, the bits below are its length. (Bit 31 is also what a block that ends on that
//     pair's last granule needs there: the edge of its last granule.)
//
//     Granule 0 and the fence, one behind the last granule, are used starts with no memory of their own: looking left from the first block
//     and right from the last needs no test.
//
// INVARIANTS: T1, T2, T4, T5 of docs/LAYOUT.md. A start bit is exact at all times: free() rests on nothing else. The edges between
//     a block's two ends and the records between its first and last are whatever was there; nobody reads them.
//
// COST: a length forwards or backwards is at most three loads, whatever the length. O(1), no loops.
// CALLERS: lib/heap, lock held.
#ifndef CAIRN_HEAP_TAGS_H
#define CAIRN_HEAP_TAGS_H

#include "base/bits.h"

// log2 of the granules that a pair covers. Tests build the heap with tiny pairs to reach every case on a small heap.
#ifndef CAIRN_TAG_SHIFT
#define CAIRN_TAG_SHIFT 5
#endif
#define TAG_GRANULES ((uint32_t)1 << CAIRN_TAG_SHIFT)
#define TAG_MASK (TAG_GRANULES - 1)
#define RECORD_FREE ((uint32_t)1 << TAG_MASK)
#define RECORD_SHIFT (CAIRN_TAG_SHIFT == 5 ? 0u : TAG_GRANULES)

#define TAG_START 1u // a granule's two bits, as cairn_tags_state_ returns them
#define TAG_EDGE 2u

struct tag_word {
    uint32_t start;
    uint32_t edge;
};

_Static_assert(sizeof(struct tag_word) == 8, "two bits a granule");
_Static_assert(CAIRN_TAG_SHIFT >= 2 && CAIRN_TAG_SHIFT <= 5, "a record needs its bits");

CAIRN_INLINE uint32_t tag_bit(uint32_t granule)
{
    return (uint32_t)1 << (granule & TAG_MASK);
}

CAIRN_INLINE uint32_t record_make(uint32_t length, bool free)
{
    return length << RECORD_SHIFT | (free ? RECORD_FREE : 0);
}

CAIRN_INLINE uint32_t record_length(uint32_t record)
{
    return (RECORD_SHIFT == 0 ? record & ~RECORD_FREE : record >> RECORD_SHIFT);
}

// tags.c: one copy of each, for every caller in a build for size, and for the paths that need not be short in any other.

// Bit 0: does a block start here? Bit 1: the edge.
uint32_t cairn_tags_state_(const struct tag_word *tags, uint32_t granule);
// Write the granule's bit in the plane whose word in the first pair is `plane`.
void cairn_tags_write_(uint32_t *plane, uint32_t granule, bool bit);
uint32_t cairn_tags_length_(const struct tag_word *tags, uint32_t granule);
uint32_t cairn_tags_before_(const struct tag_word *tags, uint32_t granule);
void cairn_tags_mark_(struct tag_word *tags, uint32_t start, uint32_t end, bool free);

CAIRN_INLINE uint32_t tag_state(const struct tag_word *tags, uint32_t granule)
{
    const struct tag_word *tag = &tags[granule >> CAIRN_TAG_SHIFT];
    const uint32_t at = granule & TAG_MASK;
    return (tag->start >> at & 1) | tag->edge >> at << 31 >> 30;
}

// Does a used block start here? The whole of what free() must know.
CAIRN_INLINE bool is_used_start(const struct tag_word *tags, uint32_t granule)
{
    if (!CAIRN_SPEED) {
        return cairn_tags_state_(tags, granule) == TAG_START;
    }
    const struct tag_word *tag = &tags[granule >> CAIRN_TAG_SHIFT];
    return ((tag->start & ~tag->edge) >> (granule & TAG_MASK) & 1) != 0;
}

CAIRN_INLINE bool is_free_start(const struct tag_word *tags, uint32_t granule)
{
    if (!CAIRN_SPEED) {
        return cairn_tags_state_(tags, granule) == (TAG_START | TAG_EDGE);
    }
    const struct tag_word *tag = &tags[granule >> CAIRN_TAG_SHIFT];
    return ((tag->start & tag->edge) >> (granule & TAG_MASK) & 1) != 0;
}

CAIRN_INLINE bool is_start(const struct tag_word *tags, uint32_t granule)
{
    if (!CAIRN_SPEED) {
        return (cairn_tags_state_(tags, granule) & TAG_START) != 0;
    }
    return (tags[granule >> CAIRN_TAG_SHIFT].start >> (granule & TAG_MASK) & 1) != 0;
}

// Is the granule, an end of a block, part of a free one?
CAIRN_INLINE bool is_free_edge(const struct tag_word *tags, uint32_t granule)
{
    if (!CAIRN_SPEED) {
        return (cairn_tags_state_(tags, granule) & TAG_EDGE) != 0;
    }
    return (tags[granule >> CAIRN_TAG_SHIFT].edge >> (granule & TAG_MASK) & 1) != 0;
}

// Length of the block that starts at `granule`.
CAIRN_INLINE uint32_t block_length(const struct tag_word *tags, uint32_t granule)
{
    const struct tag_word *tag = &tags[granule >> CAIRN_TAG_SHIFT];
    const uint32_t at = granule & TAG_MASK;
    uint32_t starts = tag->start >> at >> 1; // bit 0: one granule on
    uint32_t on = 1;
    if (CAIRN_SPEED && CAIRN_LIKELY(starts != 0)) {
        return bits_lowest(starts) + 1;
    }
    if (starts == 0) {
        starts = tag[1].start;
        on = TAG_GRANULES - at;
        if (starts == 0) {
            return record_length(tag[1].edge);
        }
    }
    return bits_lowest(starts) + on;
}

// Length of the block that ends where `granule`, a start, begins. pre: granule > 0.
CAIRN_INLINE uint32_t length_before(const struct tag_word *tags, uint32_t granule)
{
    const struct tag_word *tag = &tags[granule >> CAIRN_TAG_SHIFT];
    uint32_t at = granule & TAG_MASK;
    uint32_t starts = tag->start & (((uint32_t)1 << at) - 1);
    if (CAIRN_SPEED && CAIRN_LIKELY(starts != 0)) {
        return at - bits_highest(starts);
    }
    if (starts == 0) {
        starts = tag[-1].start;
        at += TAG_GRANULES;
        if (starts == 0) {
            return record_length(tag[-1].edge);
        }
    }
    return at - bits_highest(starts);
}

CAIRN_INLINE void plane_write(uint32_t *plane, uint32_t granule, bool bit)
{
    uint32_t *const word = &plane[(granule >> CAIRN_TAG_SHIFT) * 2];
    *word = (*word & ~tag_bit(granule)) | (uint32_t)bit << (granule & TAG_MASK);
}

CAIRN_INLINE void start_set(struct tag_word *tags, uint32_t granule)
{
    CAIRN_SPEED ? plane_write(&tags->start, granule, true) : cairn_tags_write_(&tags->start, granule, true);
}

CAIRN_INLINE void start_clear(struct tag_word *tags, uint32_t granule)
{
    CAIRN_SPEED ? plane_write(&tags->start, granule, false) : cairn_tags_write_(&tags->start, granule, false);
}

CAIRN_INLINE void edge_write(struct tag_word *tags, uint32_t granule, bool free)
{
    CAIRN_SPEED ? plane_write(&tags->edge, granule, free) : cairn_tags_write_(&tags->edge, granule, free);
}

// Write the records of the block [start, end), where it has any. After its edges: the last one may be a record's bit.
CAIRN_INLINE void record_span(struct tag_word *tags, uint32_t start, uint32_t end, bool free)
{
    const uint32_t first = (start >> CAIRN_TAG_SHIFT) + 1;
    const uint32_t behind = end >> CAIRN_TAG_SHIFT;
    if (first < behind) {
        const uint32_t record = record_make(end - start, free);
        tags[first].edge = record;
        tags[behind - 1].edge = record;
    }
}

// Say of the block [start, end) whether it is free: at both edges, and in its records where it has any. The start bits at
// start and end are there already.
CAIRN_INLINE void tags_mark(struct tag_word *tags, uint32_t start, uint32_t end, bool free)
{
    const uint32_t last = end - 1;
    if (CAIRN_SPEED && CAIRN_LIKELY((start ^ last) >> CAIRN_TAG_SHIFT == 0)) { // both edges in one word
        struct tag_word *const tag = &tags[start >> CAIRN_TAG_SHIFT];
        const uint32_t edges = tag_bit(start) | tag_bit(last);
        tag->edge = free ? tag->edge | edges : tag->edge & ~edges;
        return;
    }
    edge_write(tags, start, free);
    edge_write(tags, last, free);
    record_span(tags, start, end, free);
}

// Cut the free block [block, behind) at `end`: used before it, free from there on.
CAIRN_INLINE void tags_split(struct tag_word *tags, uint32_t block, uint32_t end, uint32_t behind)
{
    struct tag_word *const tag = &tags[block >> CAIRN_TAG_SHIFT];
    if (CAIRN_LIKELY((block ^ end) >> CAIRN_TAG_SHIFT == 0)) { // one read and one write for all of it
        const uint32_t cut = tag_bit(end);
        const uint32_t edges = tag_bit(block) | cut >> 1;
        tag->start |= cut;
        tag->edge = (tag->edge & ~edges) | cut;
    } else {
        start_set(tags, end);
        edge_write(tags, end, true);
        tags_mark(tags, block, end, false);
    }
    record_span(tags, end, behind, true);
}

// Pairs for granules 0 to `granules` and the fence.
CAIRN_INLINE uint32_t tag_pairs(uint32_t granules)
{
    return (granules + 1) / TAG_GRANULES + 1;
}

#endif
