// SPDX-License-Identifier: MIT
//
// The floor: where the heap's moves find the words of tags and of free granules. This one is memory itself.
//
// OWNS: nothing; the only place that makes an address of a border's number.
// PICTURE: the core  ->  tag_of, TAG_AT, tag_beside | links_at, hint_at, hint_beside  ->  memory
//     Another floor is a header with these names that is included first, and takes this one's guard: then the headers above are the same heap over other
//     memory. What they point to stays where it is until the operation ends.
// INVARIANTS: a word is reached by these names alone, but where HEAP_SPEED is 1, and in quick.h, check.c, init.c, report.c and region.c, which are
//     for memory only.
// COST: an instruction or two. CALLERS: lib/heap.
#ifndef CAIRN_HEAP_FLOOR_H
#define CAIRN_HEAP_FLOOR_H

#include "heap/control.h"

#define HEAP_SPEED CAIRN_SPEED       // are the short paths laid out in each caller?
#define HEAP_NEAR 1                  // is a word a load, no call?
#define FAR_STATE(tags, border) tag_state(tags, border) // where it is a call: one copy of tag_state
#define HARDENED (CAIRN_HARDEN >= 1) // are the words distrusted?
#define TAG_AT(tags, pair) ((tags)[pair]) // a pair by its number

// The pair that a border's tags are in.
CAIRN_INLINE struct tag_word *tag_of(const struct tag_word *tags, uint32_t border)
{
    const struct tag_word *tag = &tags[border >> CAIRN_TAG_SHIFT];
    CAIRN_FORGET(tag);
    return (struct tag_word *)(uintptr_t)tag;
}

// The pair before (-1) or behind (1) that of a border, which is `tag`.
CAIRN_INLINE const struct tag_word *tag_beside(const struct tag_word *tags, const struct tag_word *tag, uint32_t border, int by)
{
    (void)tags;
    (void)border;
    return &tag[by];
}

CAIRN_INLINE void *border_address(const unsigned char *base, uint32_t border)
{
    return (void *)(base + ((size_t)border << GRANULE_SHIFT));
}

// The low bits of a border's address.
CAIRN_INLINE uintptr_t border_low(const unsigned char *base, uint32_t border)
{
    return (uintptr_t)border_address(base, border);
}

// The links of the free block that ends at `to`.
CAIRN_INLINE struct block_links *links_at(const unsigned char *base, uint32_t to)
{
    unsigned char *end = border_address(base, to);
    CAIRN_FORGET(end);
    return (struct block_links *)(void *)(end - CAIRN_GRANULE);
}

// The length that a free block in a range list keeps one granule before its links: a hint for searches; the tags decide.
CAIRN_INLINE free_word *hint_of(struct block_links *links)
{
    return &links[-(CAIRN_GRANULE / (int)sizeof *links)].next;
}

CAIRN_INLINE free_word *hint_at(const unsigned char *base, uint32_t to)
{
    return hint_of(links_at(base, to));
}

// The same, where its links are at hand.
CAIRN_INLINE free_word *hint_beside(const unsigned char *base, uint32_t to, struct block_links *links)
{
    (void)base;
    (void)to;
    return hint_of(links);
}

#endif
