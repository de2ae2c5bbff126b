// SPDX-License-Identifier: MIT
//
// The calls that firmware makes most: alloc and free.
//
// OWNS: nothing. COST: O(1) for a bounded search; docs/BENCHMARKS.md has the instructions.
// INVARIANTS: those of heap.c, which does the work wherever the short path of fast.h does not fit.
// CALLERS: the user, in any context that the lock hooks make safe.
#include "heap/fast.h"

// ------------------------------------------------------------------------------------------------------------------- alloc

// Allocate by the general way: any fit.
static CAIRN_NOINLINE void *alloc(struct cairn_heap *heap, size_t size)
{
    struct heap_control *const control = heap->control;
    const size_t n = granules_for(size);
    if (n <= control->granules) {
        const uint32_t block = cairn_heap_take_(heap, (uint32_t)n);
        if (block != 0) {
            heap_count_taken(control, cairn_tags_length_(heap->tags, block));
            return granule_address(heap->base, block);
        }
    }
    control->failures += size != 0;
    return NULL;
}

// Take n granules, best fit.
CAIRN_INLINE uint32_t fast_take(struct cairn_heap *heap, struct heap_control *control, uint32_t n, uint32_t bin)
{
    for (uint32_t map = control->map >> bin << bin; map != 0; map &= map - 1) {
        bin = bits_lowest(map);
        uint32_t block = control->heads[bin];
        if (bin >= BIN_EXACT) {
            block = fast_search(heap, control, block, n);
            if (CAIRN_UNLIKELY(block == 0)) {
                continue;
            }
        }
        return CAIRN_LIKELY(fast_cut(heap, control, block, bin, n)) || cairn_heap_cut_(heap, block, n) ? block : 0;
    }
    return 0;
}

// Allocate by the short way: best fit with a limit.
CAIRN_INLINE void *fast_alloc(struct cairn_heap *heap, struct heap_control *control, size_t size)
{
    const size_t n = granules_for(size);
    uint32_t block = 0;
    if (n < BIN_EXACT) {
        block = fast_exact(heap, control, (uint32_t)n);
        if (block == 0) {
            block = fast_take(heap, control, (uint32_t)n, (uint32_t)n);
        }
    } else if (n <= control->granules) {
        block = fast_take(heap, control, (uint32_t)n, bin_of((uint32_t)n));
    }
    if (CAIRN_UNLIKELY(block == 0)) {
        control->failures += size != 0;
        return NULL;
    }
    heap_count_taken(control, (uint32_t)n);
    return granule_address(heap->base, block);
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
        block = alloc(heap, size);
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
    if (CAIRN_SPEED && CAIRN_LIKELY(heap->hooks == NULL && heap->control->fit == CAIRN_FIT_BEST)) {
        return fast_alloc(heap, heap->control, size);
    }
    return alloc_hooked(heap, size);
}

// -------------------------------------------------------------------------------------------------------------------- free

// Say what is wrong with the pointer; NULL is not wrong.
static CAIRN_COLD bool refuse(const struct cairn_heap *heap, const void *address)
{
    if (address != NULL) {
        cairn_heap_report_(heap, CAIRN_WRONG_POINTER, address);
    }
    return false;
}

// Free the block at `address`. Returns false where it was refused.
CAIRN_INLINE bool release_address(struct cairn_heap *heap, struct heap_control *control, const void *address)
{
    const size_t number = granule_number(heap->base, address);
    const uint32_t block = (uint32_t)number;
    if (HARDENED && CAIRN_UNLIKELY(number - 1 >= control->granules || !is_used_start(heap->tags, block))) {
        return refuse(heap, address);
    }
    if (!HARDENED && address == NULL) {
        return false;
    }
    const uint32_t length = block_length(heap->tags, block);
    heap_count_released(control, length);
    if (CAIRN_SPEED && CAIRN_LIKELY((control->flags & FLAG_WIPE) == 0)) {
        fast_release(heap, control, block, length);
    } else {
        cairn_heap_release_(heap, block, length);
    }
    return true;
}

void cairn_heap_free_(struct cairn_heap *heap, void *block)
{
    if (is_heap(heap)) {
        (void)release_address(heap, heap->control, block);
    }
}

static CAIRN_NOINLINE void free_hooked(struct cairn_heap *heap, void *block)
{
    const uint32_t key = heap_lock(heap);
    if (release_address(heap, heap->control, block)) {
        cairn_heap_event_(heap, CAIRN_ACT_FREE, block, NULL, 0, 0);
    }
    heap_unlock(heap, key);
}

void cairn_heap_free(struct cairn_heap *heap, void *block)
{
    if (!is_heap(heap)) {
        return;
    }
    if (CAIRN_SPEED && CAIRN_LIKELY(heap->hooks == NULL)) {
        (void)release_address(heap, heap->control, block);
    } else {
        free_hooked(heap, block);
    }
}
