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
static void recount(struct heap_control *control, uint32_t old_length, uint32_t length)
{
    control->used_blocks--;
    control->used -= old_length;
    heap_count_taken(control, length);
}

// Take the free blocks around [block, *end) out of their lists: the one behind always, the one before if `left`. Returns where the whole
// starts; *end is where it ends. Nothing changes where the whole would be shorter than n, or a link is broken: returns 0.
static uint32_t swallow(struct cairn_heap *heap, uint32_t block, uint32_t *end, bool left, uint32_t n)
{
    struct tag_word *const tags = heap->tags;
    const uint32_t after = is_free_edge(tags, *end) ? cairn_tags_length_(tags, *end) : 0;
    const uint32_t before = left && is_free_edge(tags, block - 1) ? cairn_tags_before_(tags, block) : 0;
    const uint32_t start = block - before;
    if (*end + after - start < n) {
        return 0;
    }
    if (after != 0 && cairn_heap_unlink_(heap, *end) == 0) {
        return 0;
    }
    if (before != 0) {
        if (cairn_heap_unlink_(heap, start) == 0) {
            if (after != 0) {
                cairn_heap_insert_(heap, *end, *end + after);
            }
            return 0;
        }
        start_clear(tags, block);
    }
    if (after != 0) {
        start_clear(tags, *end);
        *end += after;
    }
    cairn_tags_mark_(tags, start, *end, false);
    return start;
}

// Make the counted block n granules long where it is.
static bool resize(struct cairn_heap *heap, uint32_t block, uint32_t n)
{
    struct heap_control *const control = heap->control;
    const uint32_t length = cairn_tags_length_(heap->tags, block);
    uint32_t end = block + length;
    if (control->fit == CAIRN_FIT_BOUNDED) {
        return n <= length;
    }
    if (n > length && swallow(heap, block, &end, false, n) == 0) {
        return false;
    }
    carve(heap, block, end, block, n);
    recount(control, length, n);
    return true;
}

// The first multiple of `alignment` at or behind the granule.
static uint32_t align_up(const struct cairn_heap *heap, uint32_t granule, size_t alignment)
{
    const uintptr_t address = (uintptr_t)granule_address(heap->base, granule);
    return granule + (uint32_t)(((0u - address) & (alignment - 1)) >> GRANULE_SHIFT);
}

// Take n granules at a multiple of alignment, not counted; 0 if there are none.
static uint32_t take_aligned(struct cairn_heap *heap, size_t n, size_t alignment)
{
    if (alignment <= CAIRN_GRANULE) {
        return n > heap->control->granules ? 0 : cairn_heap_take_(heap, (uint32_t)n);
    }
    const size_t span = n + (alignment >> GRANULE_SHIFT) - 1;
    if (n > heap->control->granules || span > heap->control->granules) {
        return 0;
    }
    const uint32_t block = cairn_heap_take_(heap, (uint32_t)span);
    if (block == 0) {
        return 0;
    }
    const uint32_t end = block + cairn_tags_length_(heap->tags, block);
    const uint32_t keep = align_up(heap, block, alignment);
    const bool bounded = heap->control->fit == CAIRN_FIT_BOUNDED;
    carve(heap, block, end, keep, bounded ? end - keep : (uint32_t)n);
    return keep;
}

// Count the block that was just taken, if any, or the failure. Returns its address.
static void *count_new(struct cairn_heap *heap, uint32_t block)
{
    if (block == 0) {
        heap->control->failures++;
        return NULL;
    }
    heap_count_taken(heap->control, cairn_tags_length_(heap->tags, block));
    return granule_address(heap->base, block);
}

void *cairn_heap_aligned_alloc_(struct cairn_heap *heap, size_t alignment, size_t size)
{
    if (!is_heap(heap) || size == 0) {
        return NULL;
    }
    return count_new(heap, is_power_of_two(alignment) ? take_aligned(heap, granules_for(size), alignment) : 0);
}

void *cairn_heap_aligned_alloc(struct cairn_heap *heap, size_t alignment, size_t size)
{
    void *block;
    if (!is_heap(heap)) {
        return NULL;
    }
    do {
        const uint32_t key = heap_lock(heap);
        block = cairn_heap_aligned_alloc_(heap, alignment, size);
        cairn_heap_event_(heap, CAIRN_ACT_ALLOC, NULL, block, size, alignment);
        heap_unlock(heap, key);
    } while (block == NULL && cairn_heap_failed_(heap, size));
    return block;
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

// The start of the used block at `address`, or 0, and then it was reported.
static uint32_t used_block_or_report(const struct cairn_heap *heap, const void *address)
{
    const uint32_t block = used_block_at(heap, heap->control, address);
    if (HARDENED && block == 0) {
        cairn_heap_report_(heap, CAIRN_WRONG_POINTER, address);
    }
    return block;
}

int cairn_heap_resize_(struct cairn_heap *heap, void *address, size_t size)
{
    if (!is_heap(heap) || address == NULL || size == 0) {
        return CAIRN_EINVAL;
    }
    const uint32_t block = used_block_or_report(heap, address);
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
        cairn_heap_event_(heap, CAIRN_ACT_REALLOC, address, address, size, 0);
    }
    heap_unlock(heap, key);
    return error;
}

// One try at a realloc: in place, else moved, else slid left.
static void *realloc_once(struct cairn_heap *heap, void *address, size_t alignment, size_t size)
{
    uint32_t key = heap_lock(heap);
    struct heap_control *const control = heap->control;
    void *result = NULL;
    const size_t n = granules_for(size);
    const uint32_t block = used_block_or_report(heap, address);
    if (block == 0 || n > control->granules || !is_power_of_two(alignment)) {
        control->failures += block != 0;
        heap_unlock(heap, key);
        return NULL;
    }
    const uint32_t length = cairn_tags_length_(heap->tags, block);
    const bool in_place = ((uintptr_t)address & (alignment - 1)) == 0 && resize(heap, block, (uint32_t)n);
    if (in_place) {
        result = address;
    } else {
        const size_t bytes = bytes_of(length < n ? length : (uint32_t)n);
        const uint32_t fresh = take_aligned(heap, n, alignment);
        if (fresh != 0) {
            result = count_new(heap, fresh);
            heap_unlock(heap, key);
            memcpy(result, address, bytes);
            key = heap_lock(heap);
            cairn_heap_release_(heap, block, length);
            heap_count_released(control, length);
        } else {
            uint32_t end = block + length;
            const uint32_t before = is_free_edge(heap->tags, block - 1) ? cairn_tags_before_(heap->tags, block) : 0;
            const uint32_t keep = align_up(heap, block - before, alignment);
            const uint32_t start = control->fit == CAIRN_FIT_BOUNDED || keep > block
                                       ? 0
                                       : swallow(heap, block, &end, true, (uint32_t)n + keep - (block - before));
            if (start != 0) {
                result = granule_address(heap->base, keep);
                heap_unlock(heap, key);
                memmove(result, address, bytes);
                key = heap_lock(heap);
                carve(heap, start, end, keep, (uint32_t)n);
                recount(control, length, (uint32_t)n);
            } else {
                control->failures++;
            }
        }
    }
    cairn_heap_event_(heap, CAIRN_ACT_REALLOC, address, result, size, alignment);
    heap_unlock(heap, key);
    return result;
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
