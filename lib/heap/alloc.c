// SPDX-License-Identifier: MIT
//
// The calls that firmware makes most: alloc and free.
//
// OWNS: nothing. COST: O(1) for a bounded search; docs/BENCHMARKS.md has the instructions.
// INVARIANTS: those of heap.c, which does the work wherever the short path of fast.h does not fit.
// CALLERS: the user, in any context that the lock hooks make safe.
#include "heap/fast.h"

// ------------------------------------------------------------------------------------------------------------------- alloc

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

CAIRN_INLINE uint32_t fast_best(struct cairn_heap *heap, struct heap_control *control, uint32_t n)
{
    if (n < BIN_EXACT) {
        const uint32_t block = fast_exact(heap, control, n);
        return block != 0 ? block : fast_take(heap, control, n, n);
    }
    return n > GRANULES_MAX ? 0 : fast_take(heap, control, n, bin_of(n));
}

// Take n granules, a power of two, bounded fit: every block of its list and above is long enough.
CAIRN_INLINE uint32_t fast_bounded(struct cairn_heap *heap, struct heap_control *control, uint32_t n)
{
    control->classes |= n;
    if (n > GRANULES_MAX) {
        return 0;
    }
    const uint32_t own = bin_of(n);
    const uint32_t map = control->map >> own << own;
    if (map == 0) {
        return 0;
    }
    const uint32_t bin = bits_lowest(map);
    const uint32_t block = control->heads[bin];
    return CAIRN_LIKELY(fast_cut(heap, control, block, bin, n)) || cairn_heap_cut_(heap, block, n) ? block : 0;
}

CAIRN_INLINE void *alloc_done(struct cairn_heap *heap, struct heap_control *control, uint32_t block, uint32_t length, size_t size)
{
    if (CAIRN_UNLIKELY(block == 0)) {
        control->failures += size != 0;
        return NULL;
    }
    heap_count_taken(control, length);
    return granule_address(heap->base, block);
}

// Allocate by whatever fit the heap has.
CAIRN_INLINE void *alloc(struct cairn_heap *heap, size_t size)
{
    struct heap_control *const control = heap->control;
    const size_t count = granules_for(size);
    if (!CAIRN_SPEED) {
        return size == 0 ? NULL : cairn_heap_count_(heap, cairn_heap_take_(heap, count));
    }
    uint32_t n = (uint32_t)count;
    uint32_t block = 0;
    if (CAIRN_UNLIKELY(count > control->granules)) {
        n = 0;
    } else if (CAIRN_LIKELY(control->fit == CAIRN_FIT_BEST)) {
        block = fast_best(heap, control, n);
    } else if (control->fit == CAIRN_FIT_BOUNDED) {
        n = (uint32_t)1 << bits_ceil_log2(n);
        block = fast_bounded(heap, control, n);
    } else {
        block = cairn_heap_take_(heap, n);
        n = block == 0 ? 0 : cairn_tags_length_(heap->tags, block);
    }
    return alloc_done(heap, control, block, n, size);
}

void *cairn_heap_alloc_(struct cairn_heap *heap, size_t size)
{
    return is_heap(heap) ? alloc(heap, size) : NULL;
}

static void *alloc_once(struct cairn_heap *heap, size_t alignment, size_t size)
{
    (void)alignment;
    return CAIRN_SPEED ? cairn_heap_alloc_(heap, size) : alloc(heap, size);
}

void *cairn_heap_alloc(struct cairn_heap *heap, size_t size)
{
    if (CAIRN_SPEED && !is_heap(heap)) {
        return NULL;
    }
    if (CAIRN_SPEED && CAIRN_LIKELY(heap->hooks == NULL)) {
        return alloc(heap, size);
    }
    return cairn_heap_try_(heap, 0, size, alloc_once);
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
    if (!CAIRN_SPEED) {
        const uint32_t found = cairn_heap_find_(heap, address);
        if (found != 0) {
            cairn_heap_drop_(heap, found);
        }
        return found != 0;
    }
    if (HARDENED && CAIRN_UNLIKELY(number - 1 >= control->granules || !is_used_start(heap->tags, block))) {
        return refuse(heap, address);
    }
    if (!HARDENED && address == NULL) {
        return false;
    }
    const uint32_t length = block_length(heap->tags, block);
    heap_count_released(control, length);
    if (CAIRN_LIKELY((control->flags & FLAG_WIPE) == 0)) {
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
        const struct cairn_heap_event event = {CAIRN_ACT_FREE, block, NULL, 0, 0};
        cairn_heap_event_(heap, &event);
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
