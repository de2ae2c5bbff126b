// SPDX-License-Identifier: MIT
//
// Changing a block: in place, moved, slid left; and blocks at an alignment.
//
// OWNS: nothing beyond what tags.h and bins.h own.
//
// PICTURE: slide   [ free ][ used, data ][ free ]           =>  [ used, data -------- ][ free ]
//
// INVARIANTS: a block that could not be changed is as it was. Bytes are copied outside the lock: at that time both places belong to
//     the caller's block.
// COST: O(1) and the copy. CALLERS: the user.
#include "heap/change.h"

#include <string.h>

void *cairn_heap_aligned_alloc_(struct cairn_heap *heap, size_t alignment, size_t size)
{
    if (!is_heap(heap) || size == 0) {
        return NULL;
    }
    return cairn_heap_count_(heap, is_power_of_two(alignment) ? take_aligned(heap, granules_for(size), alignment) : NO_BORDER);
}

void *cairn_heap_aligned_alloc(struct cairn_heap *heap, size_t alignment, size_t size)
{
    return heap_attempt(heap, alignment, size, cairn_heap_aligned_alloc_);
}

// The bytes of an array; where they overflow, more than any heap has.
CAIRN_INLINE size_t array_bytes(size_t count, size_t size)
{
    return size != 0 && count > SIZE_MAX / size ? SIZE_MAX : count * size;
}

CAIRN_INLINE void *zeroed(void *block, size_t bytes)
{
    return block == NULL ? NULL : memset(block, 0, bytes);
}

void *cairn_heap_calloc_(struct cairn_heap *heap, size_t count, size_t size)
{
    const size_t bytes = array_bytes(count, size);
    return zeroed(cairn_heap_alloc_(heap, bytes), bytes);
}

void *cairn_heap_calloc(struct cairn_heap *heap, size_t count, size_t size)
{
    const size_t bytes = array_bytes(count, size);
    return zeroed(cairn_heap_alloc(heap, bytes), bytes);
}

int cairn_heap_resize_(struct cairn_heap *heap, void *address, size_t size)
{
    if (!is_heap(heap) || size == 0) {
        return CAIRN_EINVAL;
    }
    const uint32_t from = heap_find(heap, address);
    if (from == NO_BORDER) {
        return CAIRN_EINVAL;
    }
    const size_t n = granules_for(size);
    return n <= heap->control->granules && resize(heap, from, (uint32_t)n) ? 0 : CAIRN_ENOMEM;
}

int cairn_heap_resize(struct cairn_heap *heap, void *address, size_t size)
{
    const uint32_t key = heap_lock(heap);
    const int error = cairn_heap_resize_(heap, address, size);
    if (error == 0) {
        const struct cairn_heap_event event = {CAIRN_ACT_REALLOC, address, address, size, 0};
        heap_event(heap, &event);
    }
    heap_unlock(heap, key);
    return error;
}

// Make the used block reach from the first multiple of `alignment` in the free block before it, which must be shorter than `most`, over n granules at least,
// with what is behind it where that is needed. Returns where it begins then, and in *end where it ends; NO_BORDER, and nothing has changed, where it does not
// fit.
CAIRN_SHARED uint32_t gather(struct cairn_heap *heap, uint32_t from, uint32_t n, size_t alignment, uint32_t most, uint32_t *end)
{
    const uint32_t length = cairn_tags_after_(heap->tags, from);
    const uint32_t left = from - (ends_free(heap->tags, from) ? cairn_tags_before_(heap->tags, from) : 0);
    const size_t place = align_up(heap, left, alignment);
    const uint32_t keep = (uint32_t)place;
    uint32_t to = from + length;
    if (heap->control->fit == CAIRN_FIT_BOUNDED || place >= from || from - left >= most) {
        return NO_BORDER;
    }
    if (keep + n > to) {
        if (!stretch(heap, from, to, keep + n - to)) {
            return NO_BORDER;
        }
        to = keep + n;
    }
    if (cairn_heap_join_(heap, from) == from) {
        carve(heap, from, to, from, length);
        return NO_BORDER;
    }
    cairn_tags_mark_(heap->tags, left, to, TAG_USED);
    carve(heap, left, to, keep, to - keep);
    *end = to;
    return keep;
}

// Change a used block's size: in place; else slid left, if what is free there is too short for a move; else moved; else slid left. Returns
// its address, or NULL. key: that of the lock, which is left while bytes are copied; NULL: it is kept.
CAIRN_INLINE void *change(struct cairn_heap *heap, uint32_t from, uint32_t n, size_t alignment, uint32_t *key)
{
    void *const address = border_address(heap->base, from);
    const uint32_t length = cairn_tags_after_(heap->tags, from);
    const bool aligned = ((uintptr_t)address & (alignment - 1)) == 0;
    const bool gives_back = heap->control->fit == CAIRN_FIT_BOUNDED && round_up(n) < length; // by moving
    uint32_t end = 0;
    if (aligned && !gives_back && resize(heap, from, n)) {
        return address;
    }
    uint32_t to = gather(heap, from, n, alignment, n, &end);
    if (to == NO_BORDER) {
        to = take_aligned(heap, n, alignment);
    }
    if (to == NO_BORDER && aligned && gives_back) {
        return address;
    }
    if (to == NO_BORDER) {
        to = gather(heap, from, n, alignment, UINT32_MAX, &end);
    }
    if (end != 0) {
        recount(heap->control, length, end - to);
    } else if (cairn_heap_count_(heap, to) == NULL) {
        return NULL;
    }
    if (key != NULL) {
        heap_unlock(heap, *key);
    }
    const size_t bytes = bytes_of(length < n ? length : n);
    if (CAIRN_SPEED && end == 0) {
        memcpy(border_address(heap->base, to), address, bytes);
    } else {
        memmove(border_address(heap->base, to), address, bytes);
    }
    if (key != NULL) {
        *key = heap_lock(heap);
    }
    if (end == 0) {
        (void)cairn_heap_free_at_(heap, address); // which is proved once more: somebody may have freed it meanwhile
    } else {
        carve(heap, to, end, to, n);
        recount(heap->control, end - to, n);
    }
    if (heap->hooks != NULL) {
        heap->hooks->hooked->gone(heap, address);
    }
    return border_address(heap->base, to);
}

// As cairn_heap_change_; key: as above.
CAIRN_SHARED void *change_once(struct cairn_heap *heap, void *block, size_t alignment, size_t size, uint32_t *key, uint32_t *from)
{
    const size_t n = granules_for(size);
    *from = heap_find(heap, block);
    if (*from == NO_BORDER) {
        return NULL;
    }
    if (n > heap->control->granules || !is_power_of_two(alignment)) {
        return cairn_heap_count_(heap, NO_BORDER);
    }
    return change(heap, *from, (uint32_t)n, alignment, key);
}

void *cairn_heap_aligned_realloc_(struct cairn_heap *heap, void *block, size_t alignment, size_t size)
{
    uint32_t from;
    if (block == NULL) {
        return cairn_heap_aligned_alloc_(heap, alignment, size);
    }
    if (size == 0) {
        cairn_heap_free_(heap, block);
        return NULL;
    }
    return is_heap(heap) ? change_once(heap, block, alignment, size, NULL, &from) : NULL;
}

void *cairn_heap_change_(struct cairn_heap *heap, void *block, size_t size, uint32_t *key, uint32_t *from)
{
    return change_once(heap, block, 1, size, key, from);
}

void *cairn_heap_realloc_(struct cairn_heap *heap, void *block, size_t size)
{
    return cairn_heap_aligned_realloc_(heap, block, 1, size);
}

void *cairn_heap_aligned_realloc(struct cairn_heap *heap, void *block, size_t alignment, size_t size)
{
    if (block == NULL) {
        return cairn_heap_aligned_alloc(heap, alignment, size);
    }
    if (size == 0) {
        cairn_heap_free(heap, block);
        return NULL;
    }
    if (!is_heap(heap)) {
        return NULL;
    }
    struct cairn_heap_event event = {CAIRN_ACT_REALLOC, block, NULL, size, alignment == 1 ? 0 : alignment};
    uint32_t from;
    do {
        uint32_t key = heap_lock(heap);
        event.after = change_once(heap, block, alignment, size, &key, &from);
        if (from != NO_BORDER) {
            heap_event(heap, &event);
        }
        heap_unlock(heap, key);
    } while (event.after == NULL && from != NO_BORDER && heap_failed(heap, size)); // refused: no memory would help
    return event.after;
}

void *cairn_heap_realloc(struct cairn_heap *heap, void *block, size_t size)
{
    return cairn_heap_aligned_realloc(heap, block, 1, size);
}
