// SPDX-License-Identifier: MIT
//
// Making and ending a pool.
//
// OWNS: where the words and the blocks lie in the region, and the constants of the handle.
// PICTURE: region | to a multiple of 4 | words | to a multiple of the alignment | blocks, one stride each | less than one block with its bit |
// INVARIANTS: P1. 1. What can be refused is refused before anything is written.
// COST: init O(1): one division, at most as many tries as the words take blocks' room, and the words cleared.
// CALLERS: the user, when nobody else has the pool.
#include "pool/bitmap.h"

// How a region is cut up. Addresses as offsets from its start.
struct cut {
    size_t alignment;
    size_t stride;
    size_t words;
    size_t blocks;
    uint32_t count;
};

static int cut_begin(struct cut *cut, size_t block_size, size_t alignment)
{
    cut->alignment = alignment == 0 ? CAIRN_GRANULE : alignment;
    if (block_size == 0 || !is_power_of_two(cut->alignment)) {
        return CAIRN_EINVAL;
    }
    cut->stride = round_to(block_size, cut->alignment);
    return cut->stride < block_size ? CAIRN_ENOMEM : 0; // it wrapped around: larger than any region
}

// Place so many blocks at `start`. Returns whether they fit in `size` bytes. pre: start + size does not wrap around.
static bool cut_fits(struct cut *cut, uintptr_t start, size_t size, uint32_t count)
{
    const size_t words = (0 - start) & (sizeof(uint32_t) - 1);
    const size_t behind = words + words_for(count) * sizeof(uint32_t);
    const size_t blocks = behind + ((0 - (start + behind)) & (cut->alignment - 1));
    if (behind > size || blocks < behind || blocks > size || (size - blocks) / cut->stride < count) {
        return false;
    }
    cut->words = words;
    cut->blocks = blocks;
    cut->count = count;
    return true;
}

static int cut_region(struct cut *cut, uintptr_t start, size_t size)
{
    const size_t room = size / cut->stride;
    if (start + size < start) {
        return CAIRN_EOVERFLOW;
    }
    if (cut_fits(cut, start, size, POOL_MOST + 1)) {
        return CAIRN_EOVERFLOW;
    }
    for (uint32_t count = room < POOL_MOST ? (uint32_t)room : POOL_MOST; count != 0; count--) {
        if (cut_fits(cut, start, size, count)) {
            return 0;
        }
    }
    return CAIRN_ENOMEM;
}

// Of an odd number modulo 2^N: each step doubles the bits that are right, from 3 (Newton; Granlund, Montgomery 1994).
static uintptr_t inverse_of(uintptr_t odd)
{
    uintptr_t inverse = odd;
    for (int bits = 3; bits < 64; bits *= 2) {
        inverse *= 2 - odd * inverse;
    }
    return inverse;
}

static uint32_t zeros_below(size_t stride)
{
    uint32_t zeros = 0;
    while ((stride >> zeros & 1) == 0) {
        zeros++;
    }
    return zeros;
}

int cairn_pool_init(struct cairn_pool *pool, void *region, size_t size, size_t block_size, const struct cairn_pool_config *config)
{
    static const struct cairn_pool_config defaults = {0};
    const struct cairn_pool_config *const its = config != NULL ? config : &defaults;
    struct cut cut;
    if (pool == NULL || region == NULL) {
        return CAIRN_EINVAL;
    }
    int error = cut_begin(&cut, block_size, its->alignment);
    if (error == 0) {
        error = cut_region(&cut, (uintptr_t)region, size);
    }
    if (error != 0) {
        return error;
    }
    unsigned char *const base = (unsigned char *)region + cut.blocks;
    uint32_t *const words = (uint32_t *)(void *)((unsigned char *)region + cut.words);
    const uint32_t shift = zeros_below(cut.stride);
    const uintptr_t inverse = inverse_of((uintptr_t)cut.stride >> shift);
    for (uint32_t w = 0; w < words_for(cut.count); w++) {
        words[w] = 0;
    }
    *pool = (struct cairn_pool){.words = words,
                                .base = base,
                                .stride = cut.stride,
                                .inverse = inverse,
                                .bias = 0 - (uintptr_t)base * inverse,
                                .shift = shift,
                                .count = cut.count,
                                .block_size = block_size,
                                .report = its->report,
                                .context = its->context};
    return 0;
}

void cairn_pool_deinit(struct cairn_pool *pool)
{
    if (pool != NULL) {
        *pool = (struct cairn_pool){.words = NULL};
    }
}

size_t cairn_pool_size(size_t block_size, size_t count, size_t alignment)
{
    struct cut cut;
    if (cut_begin(&cut, block_size, alignment) != 0 || count == 0 || count > POOL_MOST) {
        return 0;
    }
    // The start is odd by less than the larger alignment, whatever it is.
    const size_t least = sizeof(uint32_t);
    const size_t front = words_for((uint32_t)count) * least + (cut.alignment > least ? cut.alignment : least) - 1;
    return (SIZE_MAX - front) / cut.stride < count || front < cut.alignment - 1 ? 0 : front + count * cut.stride;
}
