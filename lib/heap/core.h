// SPDX-License-Identifier: MIT
//
// What the files of the heap owe each other: the lock, the reports, and the two moves that all the calls are made of.
//
// OWNS: nothing; names who does.
// COST: O(1), but for cairn_heap_take_, which searches as fit.h says, and cairn_heap_check_, O(region). No recursion.
// CALLERS: lib/heap.
#ifndef CAIRN_HEAP_CORE_H
#define CAIRN_HEAP_CORE_H

#include "heap/bins.h"
#include "heap/handle.h"

// ------------------------------------------------------------------------------------------------------------------- moves

// Where the used block that begins at the border with this number ends; 0: none does. Silent.
CAIRN_INLINE uint32_t used_end(const struct cairn_heap *heap, size_t number)
{
    const uint32_t from = (uint32_t)number;
    if (number >= heap->control->granules || !is_border(heap->tags, from)) {
        return 0;
    }
    const uint32_t to = from + cairn_tags_after_(heap->tags, from);
    return ends_free(heap->tags, to) ? 0 : to;
}

// The border with this number if a used block begins there, else NO_BORDER. Silent.
CAIRN_INLINE uint32_t used_block(const struct cairn_heap *heap, size_t number)
{
    return used_end(heap, number) != 0 ? (uint32_t)number : NO_BORDER;
}

// The same of an address.
CAIRN_INLINE uint32_t used_block_at(const struct cairn_heap *heap, const void *address)
{
    return used_block(heap, border_number(heap->base, address));
}

// heap.c, the moves that all the calls are made of. None takes the lock. A used block is known by the border where it begins, a free one by that where it
// ends.

// Take the free block that ends at `to` out of its list. Returns its length, or 0: its links were broken, reported, and left.
uint32_t cairn_heap_unlink_(struct cairn_heap *heap, uint32_t to);

// The free block that ends at `to`, which was `was` granules long, 0 if it was none, is getting another length, 0 if it is to be none: it
// keeps its place in its list, if it still belongs there, else leaves it, and goes into another. Counts it. Returns false, and nothing has
// changed, where its links are broken: reported.
bool cairn_heap_refile_(struct cairn_heap *heap, uint32_t to, uint32_t was, uint32_t length);

// Merge what begins at `from` with the free block that ends there: takes it out of its list. Returns where it begins then: `from` where its links are broken:
// reported.
uint32_t cairn_heap_join_(struct cairn_heap *heap, uint32_t from);

// Make what is between two borders a free block: its tags, its list. Counts it as a free one. pre: both borders are there, or `to` is still to come.
void cairn_heap_insert_(struct cairn_heap *heap, uint32_t from, uint32_t to);

// Take at least `length` granules out of the lists, as a used block whose granules are not counted yet; bounded fit: the length rounded up to a
// power of two. Returns where it begins; NO_BORDER: there is none, or a broken link was reported; then nothing but `classes` has changed. pre: length >= 1.
uint32_t cairn_heap_take_(struct cairn_heap *heap, size_t length);

// Take n granules off the front of the free block that ends at `to`, in whatever place of whatever list. Returns where they begin; NO_BORDER, and nothing
// has changed, where it is no free block of so many, or a link is broken: reported.
uint32_t cairn_heap_cut_(struct cairn_heap *heap, uint32_t to, uint32_t n);

// Make the used block free: merge it with its free neighbours, put it into its list. A neighbour whose links are broken is reported, and
// stays unmerged. Its granules are no longer counted, itself still is.
void cairn_heap_release_(struct cairn_heap *heap, uint32_t from, uint32_t to);

// Count the granules of a block that was taken.
CAIRN_INLINE void heap_count_taken(struct heap_control *control, uint32_t length)
{
    const uint32_t used = control->used + length;
    control->used = used;
    if (used > control->peak) {
        control->peak = used;
    }
}

CAIRN_INLINE void heap_count_released(struct heap_control *control, uint32_t length)
{
    control->used -= length;
}

// heap.c: what the calls share.

// Where the used block at `address` begins, or NO_BORDER, and then it was reported, if it is not NULL.
uint32_t cairn_heap_find_(const struct cairn_heap *heap, const void *address);

// The same, where blocks may be marked.
CAIRN_INLINE uint32_t heap_find(const struct cairn_heap *heap, const void *address)
{
    return heap->hooks == NULL ? cairn_heap_find_(heap, address) : heap->hooks->hooked->find(heap, address);
}

// Count the granules of the used block that was just taken, if any, or the failure. Returns its address.
void *cairn_heap_count_(struct cairn_heap *heap, uint32_t from);

// alloc.c: free the block at `address`. Returns false where it was refused: reported, if it is not NULL.
bool cairn_heap_free_at_(struct cairn_heap *heap, const void *address);

// resize.c: one try at a realloc by who holds the lock, which is left while bytes are copied: *key is that of the lock. Returns the block's address; NULL where
// there is no place, or *from == NO_BORDER: it was refused, and reported. pre: size >= 1.
void *cairn_heap_change_(struct cairn_heap *heap, void *block, size_t size, uint32_t *key, uint32_t *from);

#endif
