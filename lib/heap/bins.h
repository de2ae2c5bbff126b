// SPDX-License-Identifier: MIT
//
// The free lists: segregated by length, last in first out, doubly linked through the last granule of each.
//
// OWNS: map and heads of the control, and the links in free blocks.
//
// PICTURE: list 1 .. 7: blocks of just that many granules. Then a list for each doubling:
//          8: 8..15   9: 16..31   10: 32..63   11: 64..127 ... 31: 2^26 and more
//
// INVARIANTS: T6 a free block is in exactly one list, that of its length, and links are mutual. T7 a list's bit in the map is set
//     exactly when the list is not empty. What a free block says is believed only if both neighbours and the tags agree.
//
// COST: insert and remove O(1). At most 4 loads and 4 stores beside the tags.
// CALLERS: lib/heap, lock held.
#ifndef CAIRN_HEAP_BINS_H
#define CAIRN_HEAP_BINS_H

#include "heap/tags.h"

#define BIN_EXACT 8u  // lists below this number hold one length each

uint32_t cairn_bin_of_(uint32_t length); // heap.c: one copy, for builds that favour size

// heap.c: tell the report hook about `address`, or stop the program where there is none. For CAIRN_WRONG_POINTER it finds out itself what is
// wrong with it.
void cairn_heap_report_(const struct cairn_heap *heap, enum cairn_wrong what, const void *address);

// A list's bit in the map: the lists of short blocks have the high bits, so that one count of leading zeros finds the next one.
CAIRN_INLINE uint32_t bin_bit(uint32_t bin)
{
    return (uint32_t)0x80000000u >> bin;
}

// The list of a length; 0, which is no list, for 0.
CAIRN_INLINE uint32_t bin_of(uint32_t length)
{
    if (!HEAP_SPEED) {
        return cairn_bin_of_(length);
    }
    return length < BIN_EXACT ? length : BIN_EXACT - 3 + bits_highest(length);
}

// Lists that a heap of `limit` granules has; list 0 is never used, and the exact ones are there in any heap: alloc looks at the list of a
// length before it asks how long the heap is.
CAIRN_INLINE uint32_t bin_count(uint32_t limit)
{
    return bin_of(limit | (BIN_EXACT - 1)) + 1;
}

// Is this, a link that a free block holds, the number of a free block at all?
CAIRN_SHARED bool is_free_block(const struct cairn_heap *heap, uint32_t to)
{
    return to <= heap->control->granules && is_free_end(heap->tags, to);
}

// Where the free block `link` links back to the free block `block`, which links to it: its `next` for which == 0, its `prev` for 1. NULL
// where it is no free block, or does not.
CAIRN_SHARED free_word *link_back(const struct cairn_heap *heap, uint32_t block, uint32_t link, uint32_t which)
{
    if (HARDENED && CAIRN_UNLIKELY(!is_free_block(heap, link))) {
        return NULL;
    }
    free_word *const back = (free_word *)(void *)links_at(heap->base, link) + which;
    return HARDENED && CAIRN_UNLIKELY(*back != block) ? NULL : back;
}

// Where the number of a list's first block is. (The sum that comes first is all that has to be kept at hand.)
CAIRN_INLINE free_word *head_of(struct heap_control *control, uint32_t bin)
{
    free_word *at = (free_word *)(void *)control + bin;
    CAIRN_FORGET(at);
    return at + sizeof *control / sizeof *at;
}

// Take the free block `block` of list `bin` out of it. Returns false, and nothing has changed, where its neighbours in the list are not
// free blocks that point back to it; one that points to itself both ways would seem to.
CAIRN_INLINE bool bin_remove(const struct cairn_heap *heap, struct heap_control *control, uint32_t block, uint32_t bin)
{
    const struct block_links links = *links_at(heap->base, block);
    free_word *from = head_of(control, bin); // the link that leads to the block
    if (CAIRN_UNLIKELY(links.prev != 0)) {
        from = HARDENED && links.prev == block ? NULL : link_back(heap, block, links.prev, 0);
        if (HARDENED && from == NULL) {
            return false;
        }
    } else if (HARDENED && CAIRN_UNLIKELY(*from != block)) {
        return false;
    }
    if (links.next != 0) {
        free_word *const back = link_back(heap, block, links.next, 1);
        if (HARDENED && back == NULL) {
            return false;
        }
        *back = links.prev;
    } else if (links.prev == 0) {
        control->map &= ~bin_bit(bin);
    }
    *from = links.next;
    return true;
}

// The links of the free block that ends at `to` are broken. Returns 0.
CAIRN_COLD static uint32_t report_link(const struct cairn_heap *heap, uint32_t to)
{
    cairn_heap_report_(heap, CAIRN_WRONG_LINK, links_at(heap->base, to));
    return 0;
}

// Put the block, whose links are these, into a list, at the head. Returns false, and nothing has changed, where the head is none, or the block itself (inside it was
// when it became one).
CAIRN_INLINE bool bin_push(const struct cairn_heap *heap, struct heap_control *control, struct block_links *links, uint32_t block, uint32_t bin)
{
    free_word *const head = head_of(control, bin);
    const uint32_t next = *head;
    if (next == 0) {
        control->map |= bin_bit(bin);
    } else if (HARDENED && (CAIRN_UNLIKELY(next == block) || CAIRN_UNLIKELY(!is_free_end(heap->tags, next)))) {
        return false;
    } else {
        links_at(heap->base, next)->prev = block;
    }
    links->next = next;
    links->prev = 0;
    *head = block;
    return true;
}

// The head of a list is none: reported; what was in the list is lost.
CAIRN_INLINE void bin_forget(const struct cairn_heap *heap, uint32_t bin)
{
    free_word *const head = head_of(heap->control, bin);
    *head = report_link(heap, *head);
}

#endif
