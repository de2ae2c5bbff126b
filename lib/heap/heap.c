// SPDX-License-Identifier: MIT
//
// The heap's two moves, take and release, and the calls made of nothing else: alloc and free.
//
// OWNS: nothing beyond what tags.h and bins.h own; this is where free blocks become used ones, and used ones free.
//
// PICTURE: take     [ free ------------------------ ]  =>  [ used ][ free, back in a list ]
//          release  [ free ][ used ][ free ]           =>  [ free, in the list of its length ]
//
// INVARIANTS: T3 no two neighbours are both free. A pointer and a link are proved before the first write that rests on them. A free
//     neighbour whose links are broken is reported and left alone: what is freed beside it is free all the same.
// COST: O(1) for a bounded search. No recursion; the only loop is the search. What is wiped, where wiping is on, comes on top.
// CALLERS: the user, in any context that the lock hooks make safe; lib/heap, lock held.
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

// The same as cut, below, for the head of a list, where most blocks come from: its place in the list is handed to the rest if that
// belongs there too, and the tags of both are written in one go where one pair of words has them.
CAIRN_INLINE bool cut_head(struct cairn_heap *heap, struct heap_control *control, uint32_t block, uint32_t length, uint32_t n)
{
    unsigned char *const base = heap->base;
    struct tag_word *const tags = heap->tags;
    const uint32_t bin = bin_of(length);
    const uint32_t end = block + n;
    const uint32_t rest = length - n;
    const struct block_links links = *links_at(base, block);
    if (HARDENED && CAIRN_UNLIKELY(links.prev != 0 || (links.next != 0 && (!is_free_block(heap, control, links.next) ||
                                                                          links_at(base, links.next)->prev != block)))) {
        return report_link(heap, block) != 0;
    }
    if (rest == 0) {
        tags_mark(tags, block, end, false);
        control->free_blocks--;
    } else {
        tags_split(tags, block, end, block + length);
        if (bin >= BIN_EXACT && bin_of(rest) == bin) {
            *links_at(base, end) = (struct block_links){links.next, 0};
            hint_at(base, end)->next = rest;
            control->heads[bin] = end;
            if (links.next != 0) {
                links_at(base, links.next)->prev = end;
            }
            return true;
        }
    }
    control->heads[bin] = links.next;
    if (links.next != 0) {
        links_at(base, links.next)->prev = 0;
    } else {
        control->map &= ~((uint32_t)1 << bin);
    }
    if (rest != 0) {
        bin_insert(base, control, end, rest);
    }
    return true;
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
    if (CAIRN_SPEED && control->heads[bin_of(length)] == block) {
        return cut_head(heap, control, block, length, n);
    }
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

// The block of at least n granules for a heap that is not plain best fit; 0 if none.
static CAIRN_NOINLINE uint32_t find_other(const struct cairn_heap *heap, uint32_t n)
{
    return fit_find(heap, heap->control, n);
}

CAIRN_INLINE uint32_t take(struct cairn_heap *heap, struct heap_control *control, uint32_t n)
{
    uint32_t block;
    if (CAIRN_SPEED && CAIRN_LIKELY(control->fit == CAIRN_FIT_BEST)) {
        block = fit_best(heap, control, n);
    } else {
        if (control->fit == CAIRN_FIT_BOUNDED) {
            n = (uint32_t)1 << bits_ceil_log2(n);
            control->classes |= n;
        }
        block = find_other(heap, n);
    }
    if (block == 0 || !cut(heap, control, block, n)) {
        return 0;
    }
    return block;
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

// ------------------------------------------------------------------------------------------------------------------- alloc

CAIRN_INLINE void *alloc(struct cairn_heap *heap, size_t size)
{
    struct heap_control *const control = heap->control;
    const size_t n = granules_for(size);
    if (CAIRN_LIKELY(n <= control->granules)) {
        const uint32_t block = take(heap, control, (uint32_t)n);
        if (CAIRN_LIKELY(block != 0)) {
            heap_count_taken(control, control->fit == CAIRN_FIT_BOUNDED ? length_of(heap->tags, block) : (uint32_t)n);
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
    const uint32_t length = length_of(heap->tags, block);
    release(heap, control, block, length);
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
