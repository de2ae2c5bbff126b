// SPDX-License-Identifier: MIT
//
// The calls that firmware makes most: alloc and free.
//
// OWNS: nothing. COST: O(1) for a bounded search; docs/BENCHMARKS.md has the instructions.
// INVARIANTS: those of heap.c, which does the work wherever the short path of fast.h does not fit.
// CALLERS: the user, in any context that the lock hooks make safe.
#include "heap/fast.h"

// ------------------------------------------------------------------------------------------------------------------- alloc

// take, where CAIRN_SPEED lays out the short path of a plain best fit.
CAIRN_INLINE uint32_t take_fast(struct cairn_heap *heap, struct heap_control *control, uint32_t n)
{
    if (!CAIRN_SPEED || CAIRN_UNLIKELY(control->fit != CAIRN_FIT_BEST)) {
        return cairn_heap_take_(heap, n);
    }
    const uint32_t own = bin_of(n);
    for (uint32_t map = control->map >> own << own; map != 0; map &= map - 1) {
        const uint32_t bin = bits_lowest(map);
        uint32_t block = control->heads[bin];
        if (bin >= BIN_EXACT) {
            block = fast_search(heap, control, block, n);
        }
        if (block != 0) {
            return fast_cut(heap, control, block, bin, n) || cairn_heap_cut_(heap, block, n) ? block : 0;
        }
    }
    return 0;
}

CAIRN_INLINE void *alloc(struct cairn_heap *heap, size_t size)
{
    struct heap_control *const control = heap->control;
    const size_t n = granules_for(size);
    if (CAIRN_LIKELY(n <= control->granules)) {
        const uint32_t block = take_fast(heap, control, (uint32_t)n);
        if (CAIRN_LIKELY(block != 0)) {
            heap_count_taken(control, control->fit == CAIRN_FIT_BOUNDED ? cairn_tags_length_(heap->tags, block) : (uint32_t)n);
            return granule_address(heap->base, block);
        }
    }
    control->failures += size != 0;
    return NULL;
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
        cairn_heap_event_(heap, CAIRN_ACT_ALLOC, NULL, block, size, 0);
        heap_unlock(heap, key);
    } while (block == NULL && cairn_heap_failed_(heap, size));
    return block;
}

void *cairn_heap_alloc(struct cairn_heap *heap, size_t size)
{
    if (!is_heap(heap)) {
        return NULL;
    }
    return CAIRN_SPEED && heap->hooks == NULL ? alloc(heap, size) : alloc_hooked(heap, size);
}

// -------------------------------------------------------------------------------------------------------------------- free

// Free the block at `address`. Returns false where it was refused.
CAIRN_INLINE bool release_address(struct cairn_heap *heap, const void *address)
{
    struct heap_control *const control = heap->control;
    const size_t number = granule_number(heap->base, address);
    const uint32_t block = (uint32_t)number;
    if (HARDENED && CAIRN_UNLIKELY(number - 1 >= control->granules || !is_used_start(heap->tags, block))) {
        cairn_heap_report_(heap, CAIRN_WRONG_POINTER, address);
        return false;
    }
    const uint32_t length = cairn_tags_length_(heap->tags, block);
    const uint32_t at = block & TAG_MASK;
    if (CAIRN_SPEED && CAIRN_LIKELY(at != 0 && at + length < TAG_GRANULES && (control->flags & FLAG_WIPE) == 0)) {
        fast_release(heap, control, block, length, cairn_heap_unlink_);
    } else {
        cairn_heap_release_(heap, block, length);
    }
    heap_count_released(control, length);
    return true;
}

void cairn_heap_free_(struct cairn_heap *heap, void *block)
{
    if (block != NULL && is_heap(heap)) {
        (void)release_address(heap, block);
    }
}

static CAIRN_NOINLINE void free_hooked(struct cairn_heap *heap, void *block)
{
    const uint32_t key = heap_lock(heap);
    if (release_address(heap, block)) {
        cairn_heap_event_(heap, CAIRN_ACT_FREE, block, NULL, 0, 0);
    }
    heap_unlock(heap, key);
}

void cairn_heap_free(struct cairn_heap *heap, void *block)
{
    if (block == NULL || !is_heap(heap)) {
        return;
    }
    if (CAIRN_SPEED && heap->hooks == NULL) {
        (void)release_address(heap, block);
    } else {
        free_hooked(heap, block);
    }
}
