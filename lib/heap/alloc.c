// SPDX-License-Identifier: MIT
//
// The calls that firmware makes most: alloc and free.
//
// OWNS: nothing. Sends each call the short way, where the build favours speed, after taking the lock where there is one, or the general one.
// INVARIANTS: those of moves.h.
// COST: O(1) for a bounded search; docs/BENCHMARKS.md has the instructions.
// CALLERS: the user, in any context that the lock hooks make safe.
#include "heap/quick.h"

// Have the twins, for who holds the lock, short paths of their own? A library that calls them seldom says 0: they are 2 KB.
#ifndef CAIRN_QUICK_TWINS
#define CAIRN_QUICK_TWINS CAIRN_SPEED
#endif

// ------------------------------------------------------------------------------------------------------------------- alloc

void *cairn_heap_alloc_(struct cairn_heap *heap, size_t size)
{
    if (!is_heap(heap) || size == 0) {
        return NULL;
    }
    struct heap_control *const control = heap->control;
    const size_t n = granules_for(size);
    if (CAIRN_QUICK_TWINS && n <= control->granules) {
        if (control->fit == CAIRN_FIT_BEST) {
            return quick_best(heap, control, (uint32_t)n);
        }
        if (control->fit == CAIRN_FIT_BOUNDED) {
            return quick_bounded(heap, control, round_up((uint32_t)n));
        }
    }
    return cairn_heap_count_(heap, cairn_heap_take_(heap, n));
}

CAIRN_APART void *alloc_other(struct cairn_heap *heap, size_t size)
{
    return heap == NULL || heap->hooks == NULL ? cairn_heap_alloc_(heap, size) : heap->hooks->hooked->alloc(heap, size);
}

void *cairn_heap_alloc(struct cairn_heap *heap, size_t size)
{
    const size_t less = (size - 1) >> GRANULE_SHIFT; // one less than it takes; huge for 0 bytes
    if (!CAIRN_SPEED || heap == NULL || CAIRN_UNLIKELY(less >= CAIRN_LOOK(heap->quick))) {
        return alloc_other(heap, size);
    }
    struct heap_control *const control = heap->control;
    if (CAIRN_UNLIKELY(control->fit != CAIRN_FIT_BEST)) {
        return cairn_heap_alloc_(heap, size);
    }
    return quick_best(heap, control, (uint32_t)less + 1);
}

// -------------------------------------------------------------------------------------------------------------------- free

bool cairn_heap_free_at_(struct cairn_heap *heap, const void *address)
{
    if (CAIRN_QUICK_TWINS && (heap->control->flags & FLAG_WIPE) == 0) {
        const size_t number = border_number(heap->base, address);
        if (number < heap->control->granules && quick_free(heap, (uint32_t)number, true)) {
            return true;
        }
    }
    const size_t number = border_number(heap->base, address);
    const uint32_t to = used_end(heap, number);
    if (to == 0) {
        if (HARDENED && address != NULL) {
            cairn_heap_report_(heap, CAIRN_WRONG_POINTER, address);
        }
        return false;
    }
    heap_count_released(heap->control, to - (uint32_t)number);
    cairn_heap_release_(heap, (uint32_t)number, to);
    return true;
}

void cairn_heap_free_(struct cairn_heap *heap, void *block)
{
    if (is_heap(heap)) {
        (void)(heap->hooks == NULL ? cairn_heap_free_at_(heap, block) : heap->hooks->hooked->free_at(heap, block));
    }
}

CAIRN_APART void free_other(struct cairn_heap *heap, void *block)
{
    if (is_heap(heap)) {
        heap->hooks == NULL ? (void)cairn_heap_free_at_(heap, block) : heap->hooks->hooked->free(heap, block);
    }
}

void cairn_heap_free(struct cairn_heap *heap, void *block)
{
    if (CAIRN_SPEED && heap != NULL) {
        const size_t number = border_number(heap->base, block);
        if (CAIRN_LIKELY(number < CAIRN_LOOK(heap->quick))) {
            if (CAIRN_UNLIKELY(!quick_free(heap, (uint32_t)number, false))) {
                free_other(heap, border_address(heap->base, (uint32_t)number));
            }
            return;
        }
    }
    free_other(heap, block);
}
