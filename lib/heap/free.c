// SPDX-License-Identifier: MIT
//
// Free: prove the pointer, merge, insert.
//
// OWNS: nothing beyond what tags.h and bins.h own; this is where a used block becomes a free one.
//
// PICTURE:  [ free ][ used ][ free ]  =>  [ --------- free --------- ]
//
// INVARIANTS: T3 no two neighbours are both free. Decide first, commit after: both neighbours' links are proved before the first write.
// COST: O(1). The bytes wiped, where wiping is on, come on top.
// CALLERS: the user, any context that the lock hooks make safe.
#include "heap/core.h"

#include <string.h>

CAIRN_FAST bool release(struct cairn_heap *heap, struct heap_control *control, uint32_t block, uint32_t length)
{
    struct tag_word *const tags = heap->tags;
    unsigned char *const base = heap->base;
    uint32_t end = block + length;
    const bool joins_before = is_free_edge(tags, block - 1);
    const bool joins_after = is_free_edge(tags, end);
    uint32_t before = 0;
    uint32_t after = 0;

    if (joins_after) {
        after = block_length(tags, end);
        if (HARDENED && !bin_agrees(heap, control, end, bin_of(after))) {
            heap_report_link(heap, end);
            return false;
        }
    }
    if (joins_before) {
        before = length_before(tags, block);
        if (HARDENED && !bin_agrees(heap, control, block - before, bin_of(before))) {
            heap_report_link(heap, block - before);
            return false;
        }
    }
    if ((control->flags & FLAG_WIPE) != 0) {
        memset(granule_address(base, block), 0, bytes_of(length));
    }
    control->free_blocks++;
    if (joins_after) {
        bin_remove(base, control, end, bin_of(after));
        start_clear(tags, end);
        control->free_blocks--;
        end += after;
    } else {
        edge_set(tags, end - 1);
    }
    if (joins_before) {
        bin_remove(base, control, block - before, bin_of(before));
        start_clear(tags, block);
        control->free_blocks--;
        block -= before;
    } else {
        edge_set(tags, block);
    }
    record_span(tags, block, end, true);
    bin_insert(base, control, block, end - block);
    return true;
}

bool heap_release(struct cairn_heap *heap, uint32_t block, uint32_t length)
{
    return release(heap, heap->control, block, length);
}

// Free, lock held, heap valid. Returns whether anything was freed.
CAIRN_FAST bool release_pointer(struct cairn_heap *heap, void *address)
{
    struct heap_control *const control = heap->control;
    const size_t number = granule_number(heap->base, address);
    const uint32_t block = (uint32_t)number;
    if (HARDENED && CAIRN_UNLIKELY(number - 1 >= control->granules || !is_used_start(heap->tags, block))) {
        heap_report_pointer(heap, address);
        return false;
    }
    const uint32_t length = block_length(heap->tags, block);
    if (!release(heap, control, block, length)) {
        return false;
    }
    heap_count_released(control, length);
    return true;
}

void cairn_heap_free_(struct cairn_heap *heap, void *block)
{
    if (block != NULL && is_heap(heap)) {
        (void)release_pointer(heap, block);
    }
}

static CAIRN_NOINLINE void free_hooked(struct cairn_heap *heap, void *block)
{
    const uint32_t key = heap_lock(heap);
    if (release_pointer(heap, block)) {
        heap_event(heap, CAIRN_ACT_FREE, block, NULL, 0, 0);
    }
    heap_unlock(heap, key);
}

void cairn_heap_free(struct cairn_heap *heap, void *block)
{
    if (block == NULL || !is_heap(heap)) {
        return;
    }
    if (heap->hooks == NULL) {
        (void)release_pointer(heap, block);
    } else {
        free_hooked(heap, block);
    }
}
