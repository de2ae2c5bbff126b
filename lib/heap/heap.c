// SPDX-License-Identifier: MIT
//
// What all the calls share: one copy of the moves, the steps of a call.
//
// OWNS: nothing; moves.h says what the moves do.
// COST: O(1) for a bounded search. No recursion; the only loops are the search, and a second try at a list whose head is none. What is wiped, where wiping is on, comes on top.
// CALLERS: lib/heap, lock held.
#include "heap/fit.h"
#include "heap/moves.h"

#include <string.h>

CAIRN_NOINLINE uint32_t cairn_bin_of_(uint32_t length)
{
    return length < BIN_EXACT ? length : BIN_EXACT - 3 + bits_highest(length);
}

uint32_t cairn_heap_take_(struct cairn_heap *heap, size_t length)
{
    uint32_t n = (uint32_t)length;
    if (length > heap->control->granules) {
        return NO_BORDER;
    }
    if (heap->control->fit == CAIRN_FIT_BOUNDED) {
        n = round_up(n);
        heap->control->classes |= n;
        if (n > heap->control->granules) { // and 2^27 has no list
            return NO_BORDER;
        }
    }
    const uint32_t to = fit_find(heap, n);
    return to == 0 || to == NO_BORDER ? NO_BORDER : cairn_heap_cut_(heap, to, n);
}

void cairn_heap_release_(struct cairn_heap *heap, uint32_t from, uint32_t to)
{
    if ((heap->control->flags & FLAG_WIPE) != 0) {
        memset(border_address(heap->base, from), 0, bytes_of(to - from));
    }
    release(heap, from, to);
}

uint32_t cairn_heap_unlink_(struct cairn_heap *heap, uint32_t to)
{
    return take_out(heap, to);
}

CAIRN_NOINLINE bool cairn_heap_refile_(struct cairn_heap *heap, uint32_t to, uint32_t was, uint32_t length)
{
    return refile(heap, to, was, length);
}

CAIRN_NOINLINE uint32_t cairn_heap_join_(struct cairn_heap *heap, uint32_t from)
{
    return join(heap, from);
}

void cairn_heap_insert_(struct cairn_heap *heap, uint32_t from, uint32_t to)
{
    put_in(heap, from, to);
}

uint32_t cairn_heap_cut_(struct cairn_heap *heap, uint32_t to, uint32_t n)
{
    return cut(heap, to, n);
}

// -------------------------------------------------------------------------------------------------- what the calls share

// A handle that is no heap has no hooks.
CAIRN_INLINE bool has_hooks(const struct cairn_heap *heap)
{
    return heap != NULL && heap->hooks != NULL;
}

uint32_t cairn_heap_lock_(const struct cairn_heap *heap)
{
    return has_hooks(heap) ? heap->hooks->hooked->lock(heap) : 0;
}

CAIRN_NOINLINE void cairn_heap_unlock_(const struct cairn_heap *heap, uint32_t key)
{
    if (has_hooks(heap)) {
        heap->hooks->hooked->unlock(heap, key);
    }
}

CAIRN_COLD void cairn_heap_report_(const struct cairn_heap *heap, enum cairn_wrong what, const void *address)
{
    if (heap->hooks == NULL) {
        CAIRN_TRAP();
    } else {
        heap->hooks->hooked->report(heap, what, address);
    }
}

uint32_t cairn_heap_find_(const struct cairn_heap *heap, const void *address)
{
    const uint32_t from = used_block_at(heap, address);
    if (HARDENED && from == NO_BORDER && address != NULL) {
        cairn_heap_report_(heap, CAIRN_WRONG_POINTER, address);
    }
    return from;
}

CAIRN_NOINLINE void *cairn_heap_count_(struct cairn_heap *heap, uint32_t from)
{
    if (from == NO_BORDER) {
        heap->control->failures++;
        return NULL;
    }
    heap_count_taken(heap->control, cairn_tags_after_(heap->tags, from));
    return border_address(heap->base, from);
}
