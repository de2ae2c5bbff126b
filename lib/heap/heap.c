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

CAIRN_INLINE uint32_t unlink_block(struct cairn_heap *heap, struct heap_control *control, uint32_t block, uint32_t length)
{
    if (!bin_remove(heap, control, block, bin_of(length), HARDENED)) {
        return report_link(heap, block);
    }
    control->free_blocks--;
    return length;
}

CAIRN_INLINE void insert_block(struct cairn_heap *heap, struct heap_control *control, uint32_t start, uint32_t end)
{
    mark(heap->tags, start, end, true);
    bin_insert(heap->base, control, start, end - start);
    control->free_blocks++;
}

// Cut n granules off the front of `block`, a free start; the rest goes back into a list. Returns false where a broken link was reported.
CAIRN_INLINE bool cut(struct cairn_heap *heap, struct heap_control *control, uint32_t block, uint32_t n)
{
    struct tag_word *const tags = heap->tags;
    const uint32_t length = length_of(tags, block);
    if (HARDENED && CAIRN_UNLIKELY(length < n)) {
        return report_link(heap, block) != 0;
    }
    const uint32_t end = block + n;
    if (unlink_block(heap, control, block, length) == 0) {
        return false;
    }
    if (length != n) {
        start_set(tags, end);
        insert_block(heap, control, end, block + length);
    }
    mark(tags, block, end, false);
    return true;
}

CAIRN_INLINE uint32_t take(struct cairn_heap *heap, struct heap_control *control, uint32_t n)
{
    if (control->fit == CAIRN_FIT_BOUNDED) {
        n = (uint32_t)1 << bits_ceil_log2(n);
        control->classes |= n;
        if (n > control->granules) { // and 2^27 has no list
            return 0;
        }
    }
    const uint32_t block = fit_find(heap, control, n);
    return block != 0 && cut(heap, control, block, n) ? block : 0;
}

CAIRN_INLINE void release(struct cairn_heap *heap, struct heap_control *control, uint32_t block, uint32_t length)
{
    struct tag_word *const tags = heap->tags;
    const uint32_t behind = block + length;
    uint32_t start = block;
    uint32_t end = behind;
    if ((control->flags & FLAG_WIPE) != 0) {
        memset(granule_address(heap->base, block), 0, bytes_of(length));
    }
    if (is_free_edge(tags, behind)) {
        const uint32_t after = unlink_block(heap, control, behind, length_of(tags, behind));
        if (after != 0) {
            start_clear(tags, behind);
            end += after;
        }
    }
    if (is_free_edge(tags, block - 1)) {
        const uint32_t before = length_behind(tags, block);
        if (unlink_block(heap, control, block - before, before) != 0) {
            start_clear(tags, block);
            start -= before;
        }
    }
    insert_block(heap, control, start, end);
}

uint32_t cairn_heap_unlink_(struct cairn_heap *heap, uint32_t block)
{
    return unlink_block(heap, heap->control, block, length_of(heap->tags, block));
}

void cairn_heap_insert_(struct cairn_heap *heap, uint32_t start, uint32_t end)
{
    insert_block(heap, heap->control, start, end);
}

uint32_t cairn_heap_take_(struct cairn_heap *heap, uint32_t length)
{
    return take(heap, heap->control, length);
}

void cairn_heap_release_(struct cairn_heap *heap, uint32_t block, uint32_t length)
{
    release(heap, heap->control, block, length);
}

bool cairn_heap_cut_(struct cairn_heap *heap, uint32_t block, uint32_t n)
{
    return fit_proved(heap, block, 0) != 0 && cut(heap, heap->control, block, n);
}

// ------------------------------------------------------------------------------------------------------------------- hooks

bool cairn_heap_failed_(struct cairn_heap *heap, size_t size)
{
    const struct cairn_heap_hooks *const hooks = heap->hooks;
    return size != 0 && hooks != NULL && hooks->failed != NULL && hooks->failed(heap->context, heap, size);
}

void cairn_heap_event_(const struct cairn_heap *heap, enum cairn_heap_act act, const void *before, void *after, size_t size,
                       size_t alignment)
{
    const struct cairn_heap_hooks *const hooks = heap->hooks;
    if (hooks != NULL && hooks->event != NULL) {
        const struct cairn_heap_event event = {act, before, after, size, alignment};
        hooks->event(heap->context, &event);
    }
}
