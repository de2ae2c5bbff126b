// SPDX-License-Identifier: MIT
//
// Changing a block: in place, moved, slid left; and blocks at an alignment.
//
// OWNS: nothing beyond what tags.h and bins.h own.
//
// PICTURE: carve   [ used ------------------------------ ]  =>  [ free ][ used, kept ][ free ]
//          slide   [ free ][ used, data ][ free ]           =>  [ used, data -------- ][ free ]
//
// INVARIANTS: a block that could not be changed is as it was. Bytes are copied outside the lock: at that time both places belong to
//     the caller's block.
// COST: O(1) and the copy. CALLERS: the user.
#include "heap/core.h"

#include <string.h>

// Keep [keep, keep + n) of the used block [block, end), none of it counted; release what is before and behind.
static void carve(struct cairn_heap *heap, uint32_t block, uint32_t end, uint32_t keep, uint32_t n)
{
    struct tag_word *const tags = heap->tags;
    const uint32_t kept_end = keep + n;
    start_set(tags, keep);
    start_set(tags, kept_end);
    cairn_tags_mark_(tags, keep, kept_end, false);
    if (kept_end < end) {
        cairn_heap_release_(heap, kept_end, end - kept_end);
    }
    if (block < keep) {
        cairn_heap_release_(heap, block, keep - block);
    }
}

// Set the length of a counted block to what it is now.
CAIRN_SHARED void recount(struct heap_control *control, uint32_t old_length, uint32_t length)
{
    control->used_blocks--;
    control->used -= old_length;
    heap_count_taken(control, length);
}

// Merge the used block that ends at `end` with the free one behind it, if it does not reach to `reach` without. Returns where it ends then; 0, and
// nothing has changed, where that does not suffice or a link is broken. The tags within are still to be marked.
CAIRN_SHARED uint32_t stretch(struct cairn_heap *heap, uint32_t end, uint32_t reach)
{
    if (reach <= end) {
        return end;
    }
    if (is_free_edge(heap->tags, end) && reach <= end + cairn_tags_length_(heap->tags, end)) { // the fence has no length
        const uint32_t after = cairn_heap_join_(heap, end, end);
        return after == 0 ? 0 : end + after;
    }
    return 0;
}

// Make the counted block n granules long where it is.
static bool resize(struct cairn_heap *heap, uint32_t block, uint32_t n)
{
    const uint32_t length = cairn_tags_length_(heap->tags, block);
    if (heap->control->fit == CAIRN_FIT_BOUNDED) {
        return n <= length;
    }
    const uint32_t end = stretch(heap, block + length, block + n);
    if (end == 0) {
        return false;
    }
    carve(heap, block, end, block, n);
    recount(heap->control, length, n);
    return true;
}

// The first multiple of `alignment` at or behind the granule.
CAIRN_SHARED uint32_t align_up(const struct cairn_heap *heap, uint32_t granule, size_t alignment)
{
    const uintptr_t address = (uintptr_t)granule_address(heap->base, granule);
    return granule + (uint32_t)(((0u - address) & (alignment - 1)) >> GRANULE_SHIFT);
}

// Take n granules at a multiple of alignment, not counted; 0 if there are none.
CAIRN_SHARED uint32_t take_aligned(struct cairn_heap *heap, size_t n, size_t alignment)
{
    const size_t skip = (alignment - 1) >> GRANULE_SHIFT;
    const uint32_t block = cairn_heap_take_(heap, n + skip);
    if (block == 0 || skip == 0) {
        return block;
    }
    const uint32_t end = block + cairn_tags_length_(heap->tags, block);
    const uint32_t keep = align_up(heap, block, alignment);
    uint32_t kept = (uint32_t)n;
    if (heap->control->fit == CAIRN_FIT_BOUNDED) {
        kept = end - keep;
        heap->control->classes |= CLASS_ALIGNED;
    }
    carve(heap, block, end, keep, kept);
    return keep;
}

void *cairn_heap_aligned_alloc_(struct cairn_heap *heap, size_t alignment, size_t size)
{
    if (!is_heap(heap) || size == 0) {
        return NULL;
    }
    return cairn_heap_count_(heap, is_power_of_two(alignment) ? take_aligned(heap, granules_for(size), alignment) : 0);
}

void *cairn_heap_aligned_alloc(struct cairn_heap *heap, size_t alignment, size_t size)
{
    return cairn_heap_try_(heap, alignment, size, cairn_heap_aligned_alloc_);
}

void *cairn_heap_calloc(struct cairn_heap *heap, size_t count, size_t size)
{
    const size_t bytes = size != 0 && count > SIZE_MAX / size ? SIZE_MAX : count * size;
    void *const block = cairn_heap_alloc(heap, bytes);
    if (block != NULL) {
        memset(block, 0, bytes);
    }
    return block;
}

int cairn_heap_resize_(struct cairn_heap *heap, void *address, size_t size)
{
    if (!is_heap(heap) || address == NULL || size == 0) {
        return CAIRN_EINVAL;
    }
    const uint32_t block = cairn_heap_find_(heap, address);
    if (block == 0) {
        return CAIRN_EINVAL;
    }
    const size_t n = granules_for(size);
    return n <= heap->control->granules && resize(heap, block, (uint32_t)n) ? 0 : CAIRN_ENOMEM;
}

int cairn_heap_resize(struct cairn_heap *heap, void *address, size_t size)
{
    if (!is_heap(heap)) {
        return CAIRN_EINVAL;
    }
    const uint32_t key = heap_lock(heap);
    const int error = cairn_heap_resize_(heap, address, size);
    if (error == 0) {
        const struct cairn_heap_event event = {CAIRN_ACT_REALLOC, address, address, size, 0};
        cairn_heap_event_(heap, &event);
    }
    heap_unlock(heap, key);
    return error;
}

// Take the free block before `block`, and the one behind it where that is needed, so that n granules fit at the first multiple of `alignment`.
// Returns where the whole starts; 0, and nothing has changed, where they do not fit or not at or before the block.
CAIRN_INLINE uint32_t gather(struct cairn_heap *heap, uint32_t block, uint32_t n, size_t alignment)
{
    const uint32_t length = cairn_tags_length_(heap->tags, block);
    const uint32_t left = block - cairn_tags_before_(heap->tags, block);
    const uint32_t keep = align_up(heap, left, alignment);
    if (heap->control->fit == CAIRN_FIT_BOUNDED || keep > block || !is_free_edge(heap->tags, left)) {
        return 0;
    }
    const uint32_t end = stretch(heap, block + length, keep + n);
    if (end == 0) {
        return 0;
    }
    if (cairn_heap_join_(heap, left, block) == 0) {
        carve(heap, block, end, block, length);
        return 0;
    }
    cairn_tags_mark_(heap->tags, left, end, false);
    return left;
}

// Change a used block's size: in place, else moved, else slid left. Returns its address, or NULL. The key is that of the lock, which is left
// while bytes are copied.
CAIRN_INLINE void *change(struct cairn_heap *heap, uint32_t block, uint32_t n, size_t alignment, uint32_t *key)
{
    void *const address = granule_address(heap->base, block);
    const uint32_t length = cairn_tags_length_(heap->tags, block);
    const bool aligned = ((uintptr_t)address & (alignment - 1)) == 0;
    const bool gives_back = heap->control->fit == CAIRN_FIT_BOUNDED && round_up(n) < length; // by moving
    uint32_t left = 0;
    if (aligned && !gives_back && resize(heap, block, n)) {
        return address;
    }
    uint32_t to = take_aligned(heap, n, alignment);
    if (to == 0 && aligned && gives_back) {
        return address;
    }
    if (to == 0) {
        left = gather(heap, block, n, alignment);
        if (left == 0) {
            return cairn_heap_count_(heap, 0);
        }
        to = align_up(heap, left, alignment);
        recount(heap->control, length, cairn_tags_length_(heap->tags, left));
    } else {
        cairn_heap_count_(heap, to);
    }
    heap_unlock(heap, *key);
    const size_t bytes = bytes_of(length < n ? length : n);
    if (CAIRN_SPEED && left == 0) {
        memcpy(granule_address(heap->base, to), address, bytes);
    } else {
        memmove(granule_address(heap->base, to), address, bytes);
    }
    *key = heap_lock(heap);
    if (left == 0) {
        cairn_heap_drop_(heap, block);
    } else {
        const uint32_t whole = cairn_tags_length_(heap->tags, left);
        carve(heap, left, left + whole, to, n);
        recount(heap->control, whole, n);
    }
    return granule_address(heap->base, to);
}

// One try at a realloc.
CAIRN_SHARED void *realloc_once(struct cairn_heap *heap, void *address, size_t alignment, size_t size)
{
    struct cairn_heap_event event = {CAIRN_ACT_REALLOC, address, NULL, size, alignment == 1 ? 0 : alignment};
    uint32_t key = heap_lock(heap);
    const size_t n = granules_for(size);
    const uint32_t block = cairn_heap_find_(heap, address);
    if (block != 0) {
        event.after = n > heap->control->granules || !is_power_of_two(alignment) ? cairn_heap_count_(heap, 0)
                                                                                 : change(heap, block, (uint32_t)n, alignment, &key);
        cairn_heap_event_(heap, &event);
    }
    heap_unlock(heap, key);
    return event.after;
}

void *cairn_heap_aligned_realloc(struct cairn_heap *heap, void *block, size_t alignment, size_t size)
{
    void *result;
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
    do {
        result = realloc_once(heap, block, alignment, size);
    } while (result == NULL && cairn_heap_failed_(heap, size));
    return result;
}

void *cairn_heap_realloc(struct cairn_heap *heap, void *block, size_t size)
{
    return cairn_heap_aligned_realloc(heap, block, 1, size);
}
