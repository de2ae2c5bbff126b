// SPDX-License-Identifier: MIT
//
// The heap's two moves, take and release, that all calls are made of.
//
// OWNS: nothing beyond what tags.h and bins.h own; this is where free blocks become used ones, and used ones free.
//
// PICTURE: take     [ free ------------------------ ]  =>  [ used ][ free, back in a list ]
//          release  [ free ][ used ][ free ]           =>  [ free, in the list of its length ]
//
// INVARIANTS: T3 no two neighbours are both free. A pointer and a link are proved before the first write that rests on them. A free
//     neighbour whose links are broken is reported and left alone: what is freed beside it is free all the same.
// COST: O(1) for a bounded search. No recursion; the only loop is the search. What is wiped, where wiping is on, comes on top.
// CALLERS: lib/heap, lock held.
#include "heap/core.h"
#include "heap/fit.h"

#include <string.h>

// ------------------------------------------------------------------------------- in each caller for speed, one copy for size

CAIRN_INLINE uint32_t length_of(const struct tag_word *tags, uint32_t block)
{
    return CAIRN_SPEED ? block_length(tags, block) : cairn_tags_length_(tags, block);
}

CAIRN_INLINE uint32_t length_behind(const struct tag_word *tags, uint32_t granule)
{
    return CAIRN_SPEED ? length_before(tags, granule) : cairn_tags_before_(tags, granule);
}

CAIRN_INLINE void mark(struct tag_word *tags, uint32_t start, uint32_t end, bool free)
{
    CAIRN_SPEED ? tags_mark(tags, start, end, free) : cairn_tags_mark_(tags, start, end, free);
}

// ------------------------------------------------------------------------------------------------------------ the two moves

uint32_t cairn_bin_of_(uint32_t length)
{
    return length < BIN_EXACT ? length : BIN_EXACT - 3 + bits_highest(length);
}

// Take the free block out of its list. Returns its length, or 0, and nothing has changed, where it is not free, shorter than `least`, or its
// links are broken: reported.
CAIRN_SHARED uint32_t unlink_block(struct cairn_heap *heap, uint32_t block, uint32_t least)
{
    const uint32_t length = length_of(heap->tags, block);
    if ((HARDENED && length < least) || !bin_remove(heap, block, bin_of(length), HARDENED)) {
        return report_link(heap, block);
    }
    heap->control->free_blocks--;
    return length;
}

CAIRN_SHARED void insert_block(struct cairn_heap *heap, uint32_t start, uint32_t end)
{
    mark(heap->tags, start, end, true);
    bin_insert(heap->base, heap->control, start, end - start);
    heap->control->free_blocks++;
}

uint32_t cairn_heap_join_(struct cairn_heap *heap, uint32_t block, uint32_t border)
{
    uint32_t length = 0;
    if (is_free_edge(heap->tags, block)) {
        length = unlink_block(heap, block, 0);
        if (length != 0) {
            start_clear(heap->tags, border);
        }
    }
    return length;
}

// Cut n granules off the front of `block`; the rest goes back into a list. Returns block, or 0 where it is no free block of that length, or
// a broken link was reported.
CAIRN_INLINE uint32_t cut(struct cairn_heap *heap, uint32_t block, uint32_t n)
{
    const uint32_t length = unlink_block(heap, block, n);
    if (length == 0) {
        return 0;
    }
    if (length != n) {
        start_set(heap->tags, block + n);
        insert_block(heap, block + n, block + length);
    }
    mark(heap->tags, block, block + n, false);
    return block;
}

uint32_t cairn_heap_take_(struct cairn_heap *heap, size_t length)
{
    uint32_t n = (uint32_t)length;
    if (length > heap->control->granules) {
        return 0;
    }
    if (heap->control->fit == CAIRN_FIT_BOUNDED) {
        n = round_up(n);
        heap->control->classes |= n;
        if (n > heap->control->granules) { // and 2^27 has no list
            return 0;
        }
    }
    const uint32_t block = fit_find(heap, n);
    return block == 0 ? 0 : cut(heap, block, n);
}

void cairn_heap_release_(struct cairn_heap *heap, uint32_t block, uint32_t length)
{
    uint32_t end = block + length;
    if ((heap->control->flags & FLAG_WIPE) != 0) {
        memset(granule_address(heap->base, block), 0, bytes_of(length));
    }
    end += cairn_heap_join_(heap, end, end);
    block -= cairn_heap_join_(heap, block - length_behind(heap->tags, block), block);
    insert_block(heap, block, end);
}

uint32_t cairn_heap_unlink_(struct cairn_heap *heap, uint32_t block)
{
    return unlink_block(heap, block, 0);
}

void cairn_heap_insert_(struct cairn_heap *heap, uint32_t start, uint32_t end)
{
    insert_block(heap, start, end);
}

bool cairn_heap_cut_(struct cairn_heap *heap, uint32_t block, uint32_t n)
{
    return cut(heap, block, n) != 0;
}

// ------------------------------------------------------------------------------------------------------------------- hooks

uint32_t cairn_heap_lock_(const struct cairn_heap *heap)
{
    if (heap->hooks != NULL && heap->hooks->lock != NULL) {
        return heap->hooks->lock(heap->context);
    }
    return 0;
}

void cairn_heap_unlock_(const struct cairn_heap *heap, uint32_t key)
{
    if (heap->hooks != NULL && heap->hooks->unlock != NULL) {
        heap->hooks->unlock(heap->context, key);
    }
}

bool cairn_heap_failed_(struct cairn_heap *heap, size_t size)
{
    if (size != 0 && heap->hooks != NULL && heap->hooks->failed != NULL) {
        return heap->hooks->failed(heap->context, heap, size);
    }
    return false;
}

void cairn_heap_event_(const struct cairn_heap *heap, const struct cairn_heap_event *event)
{
    if (heap->hooks != NULL && heap->hooks->event != NULL) {
        heap->hooks->event(heap->context, event);
    }
}

// -------------------------------------------------------------------------------------------------- what the calls share

uint32_t cairn_heap_find_(const struct cairn_heap *heap, const void *address)
{
    const size_t number = granule_number(heap->base, address);
    if (number - 1 < heap->control->granules && is_used_start(heap->tags, (uint32_t)number)) {
        return (uint32_t)number;
    }
    if (HARDENED && address != NULL) {
        cairn_heap_report_(heap, CAIRN_WRONG_POINTER, address);
    }
    return 0;
}

void *cairn_heap_count_(struct cairn_heap *heap, uint32_t block)
{
    if (block == 0) {
        heap->control->failures++;
        return NULL;
    }
    heap_count_taken(heap->control, cairn_tags_length_(heap->tags, block));
    return granule_address(heap->base, block);
}

void cairn_heap_drop_(struct cairn_heap *heap, uint32_t block)
{
    const uint32_t length = cairn_tags_length_(heap->tags, block);
    heap_count_released(heap->control, length);
    cairn_heap_release_(heap, block, length);
}

void *cairn_heap_try_(struct cairn_heap *heap, size_t alignment, size_t size,
                      void *(*once)(struct cairn_heap *heap, size_t alignment, size_t size))
{
    struct cairn_heap_event event = {CAIRN_ACT_ALLOC, NULL, NULL, size, alignment};
    if (!is_heap(heap)) {
        return NULL;
    }
    do {
        const uint32_t key = heap_lock(heap);
        event.after = once(heap, alignment, size);
        cairn_heap_event_(heap, &event);
        heap_unlock(heap, key);
    } while (event.after == NULL && cairn_heap_failed_(heap, size));
    return event.after;
}
