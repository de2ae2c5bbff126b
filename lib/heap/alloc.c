// SPDX-License-Identifier: MIT
//
// Allocation: find, unlink, split.
//
// OWNS: nothing beyond what tags.h and bins.h own; this is where a free block becomes a used one.
//
// PICTURE:  [ free, length ----------------- ]  =>  [ used, n ---- ][ free, length - n ]
//
// INVARIANTS: decide first, commit after: up to the unlink nothing is written, behind it nothing can fail.
// COST: O(1) for a bounded search. No recursion, no loops but the search.
// CALLERS: the user, any context that the lock hooks make safe.
#include "heap/core.h"
#include "heap/fit.h"

// Cut the free block [block, block + length), already out of its list, after n granules; the rest goes into its list.
CAIRN_INLINE void split(struct cairn_heap *heap, struct heap_control *control, uint32_t block, uint32_t length, uint32_t n)
{
    struct tag_word *const tags = heap->tags;
    const uint32_t end = block + n;
    const uint32_t rest = length - n;
    if (rest == 0) {
        tags_mark_used(tags, block, end);
        control->free_blocks--;
        return;
    }
    if (CAIRN_LIKELY((block ^ end) >> CAIRN_TAG_SHIFT == 0)) { // both in one pair of words: one read, one write
        struct tag_word *const tag = &tags[block >> CAIRN_TAG_SHIFT];
        const uint32_t cut = tag_bit(end);
        tag->start |= cut;
        tag->edge = (tag->edge & ~(tag_bit(block) | cut >> 1)) | cut;
    } else {
        start_set(tags, end);
        edge_set(tags, end);
        tags_mark_used(tags, block, end);
    }
    record_span(tags, end, block + length, true);
    bin_insert(heap->base, control, end, rest);
}

CAIRN_FAST uint32_t take(struct cairn_heap *heap, struct heap_control *control, uint32_t n)
{
    if (control->fit == CAIRN_FIT_BOUNDED) {
        const uint32_t log = bits_ceil_log2(n);
        n = (uint32_t)1 << log;
        control->classes |= n;
    }
    const uint32_t block = fit_find(heap, control, n);
    if (block == 0) {
        return 0;
    }
    const uint32_t length = block_length(heap->tags, block);
    const uint32_t bin = bin_of(length);
    if (HARDENED && (!is_free_start(heap->tags, block) || length < n || !bin_agrees(heap, control, block, bin))) {
        heap_report_link(heap, block);
        return 0;
    }
    bin_remove(heap->base, control, block, bin);
    split(heap, control, block, length, n);
    return block;
}

// Allocate, lock held, heap valid.
CAIRN_FAST void *alloc(struct cairn_heap *heap, size_t size)
{
    struct heap_control *const control = heap->control;
    const size_t n = granules_for(size);
    if (n <= control->granules) {
        const uint32_t block = take(heap, control, (uint32_t)n);
        if (block != 0) {
            heap_count_taken(control, control->fit == CAIRN_FIT_BOUNDED ? block_length(heap->tags, block) : (uint32_t)n);
            return granule_address(heap->base, block);
        }
    }
    if (size != 0) {
        control->failures++;
    }
    return NULL;
}

uint32_t heap_take(struct cairn_heap *heap, uint32_t length)
{
    return take(heap, heap->control, length);
}

void *cairn_heap_alloc_(struct cairn_heap *heap, size_t size)
{
    return is_heap(heap) ? alloc(heap, size) : NULL;
}

static CAIRN_NOINLINE void *alloc_hooked(struct cairn_heap *heap, size_t size)
{
    void *block;
    do {
        const uint32_t key = heap_lock(heap);
        block = cairn_heap_alloc_(heap, size);
        heap_event(heap, CAIRN_ACT_ALLOC, NULL, block, size, 0);
        heap_unlock(heap, key);
    } while (block == NULL && heap_failed(heap, size));
    return block;
}

void *cairn_heap_alloc(struct cairn_heap *heap, size_t size)
{
    if (!is_heap(heap)) {
        return NULL;
    }
    return heap->hooks == NULL ? alloc(heap, size) : alloc_hooked(heap, size);
}
