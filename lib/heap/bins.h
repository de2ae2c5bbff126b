// SPDX-License-Identifier: MIT
//
// The free lists: segregated by length, last in first out, doubly linked through the free granules.
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

#include "heap/control.h"

#define BIN_EXACT 8u  // lists below this number hold one length each

uint32_t cairn_bin_of_(uint32_t length); // heap.c: one copy, for builds that favour size

// The list of a length. pre: 1 <= length.
CAIRN_INLINE uint32_t bin_of(uint32_t length)
{
    if (!CAIRN_SPEED) {
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

CAIRN_INLINE bool is_inside(const struct heap_control *control, uint32_t granule)
{
    return granule - 1 < control->granules;
}

// Is this, a link that a free block holds, the number of a free block at all?
CAIRN_INLINE bool is_free_block(const struct cairn_heap *heap, const struct heap_control *control, uint32_t granule)
{
    return granule - 1 < control->granules && is_free_start(heap->tags, granule);
}

// The links of the free block `granule`, or NULL where the tags say that none starts there.
CAIRN_SHARED struct block_links *free_links(const struct cairn_heap *heap, uint32_t granule)
{
    return is_free_block(heap, heap->control, granule) ? links_at(heap->base, granule) : NULL;
}

// Take `block`, a free start of list `bin`, out of it. Returns false, and nothing has changed, where its neighbours in the list are not free
// blocks that point back to it; one that points to itself both ways would seem to.
CAIRN_INLINE bool bin_remove(const struct cairn_heap *heap, uint32_t block, uint32_t bin, bool prove)
{
    const struct block_links *const links = prove ? free_links(heap, block) : links_at(heap->base, block);
    struct block_links *before = (struct block_links *)(void *)&heap->control->heads[bin]; // a head is the next of nobody
    if (prove && links == NULL) {
        return false;
    }
    if (links->prev != 0) {
        before = prove ? free_links(heap, links->prev) : links_at(heap->base, links->prev);
    }
    if (prove && (before == NULL || before == links || before->next != block)) {
        return false;
    }
    if (links->next != 0) {
        struct block_links *const after = prove ? free_links(heap, links->next) : links_at(heap->base, links->next);
        if (prove && (after == NULL || after->prev != block)) {
            return false;
        }
        after->prev = links->prev;
    }
    before->next = links->next;
    if (heap->control->heads[bin] == 0) {
        heap->control->map &= ~((uint32_t)1 << bin);
    }
    return true;
}

// Put the block of `length` granules into its list, at the head.
CAIRN_INLINE void bin_insert(unsigned char *base, struct heap_control *control, uint32_t block, uint32_t length)
{
    const uint32_t bin = bin_of(length);
    struct block_links *const links = links_at(base, block);
    if (length >= BIN_EXACT) {
        hint_at(base, block)->next = length;
    }
    const uint32_t head = control->heads[bin];
    links->next = head;
    links->prev = 0;
    control->heads[bin] = block;
    control->map |= (uint32_t)1 << bin;
    if (head != 0) {
        links_at(base, head)->prev = block;
    }
}

#endif
