// SPDX-License-Identifier: MIT
//
// Looking in without changing: walk, usable size, statistics.
//
// OWNS: nothing. COST: walk O(region), the others O(1). CALLERS: the user.
#include "heap/core.h"
#include "heap/layout.h"

size_t cairn_heap_usable_size_(const struct cairn_heap *heap, const void *address)
{
    const uint32_t from = is_heap(heap) && address != NULL ? used_block_at(heap, address) : NO_BORDER;
    return from == NO_BORDER ? 0 : bytes_of(cairn_tags_after_(heap->tags, from));
}

size_t cairn_heap_usable_size(struct cairn_heap *heap, const void *address)
{
    const uint32_t key = heap_lock(heap);
    const size_t size = cairn_heap_usable_size_(heap, address);
    heap_unlock(heap, key);
    return size;
}

int cairn_heap_walk_(const struct cairn_heap *heap, int (*visit)(void *context, const struct cairn_block *block), void *context)
{
    int stop = 0;
    if (!is_heap(heap) || visit == NULL) {
        return 0;
    }
    for (uint32_t from = 0; from < heap->control->granules && stop == 0;) {
        const uint32_t to = from + cairn_tags_after_(heap->tags, from);
        const struct cairn_block block = {border_address(heap->base, from), bytes_of(to - from), !ends_free(heap->tags, to)};
        stop = visit(context, &block);
        from = to;
    }
    return stop;
}

int cairn_heap_walk(struct cairn_heap *heap, int (*visit)(void *context, const struct cairn_block *block), void *context)
{
    const uint32_t key = heap_lock(heap);
    const int stop = cairn_heap_walk_(heap, visit, context);
    heap_unlock(heap, key);
    return stop;
}

// Granules of the largest request that can be met: the longest block that a search sees in the topmost list; the power of two below it where
// lengths are rounded up to one.
static uint32_t largest_free(const struct cairn_heap *heap)
{
    const struct heap_control *const control = heap->control;
    const uint32_t bin = control->map == 0 ? 0 : 31 - bits_lowest(control->map);
    uint32_t block = control->heads[bin];
    uint32_t longest = bin < BIN_EXACT ? bin : 0;
    uint32_t left = control->search < CAIRN_SEARCH_DEFAULT ? control->search : CAIRN_SEARCH_DEFAULT;
    if (control->fit == CAIRN_FIT_BOUNDED) {
        return bin == 0 ? 0 : (uint32_t)1 << (bin < BIN_EXACT ? bits_highest(bin) : bin - BIN_EXACT + 3);
    }
    for (; bin >= BIN_EXACT && left != 0 && is_free_block(heap, block); left--) {
        const uint32_t length = cairn_tags_before_(heap->tags, block);
        longest = length > longest ? length : longest;
        block = links_at(heap->base, block)->next;
    }
    return longest;
}

CAIRN_NOINLINE void cairn_heap_stats_(const struct cairn_heap *heap, struct cairn_heap_stats *stats)
{
    if (stats == NULL) {
        return;
    }
    *stats = (struct cairn_heap_stats){0};
    if (!is_heap(heap)) {
        return;
    }
    const struct heap_control *const control = heap->control;
    stats->size = bytes_of(control->granules);
    stats->used = bytes_of(control->used);
    stats->peak = bytes_of(control->peak);
    stats->largest_free = bytes_of(largest_free(heap));
    stats->used_blocks = control->blocks - control->free_blocks;
    stats->free_blocks = control->free_blocks;
    stats->failures = control->failures;
    stats->overhead = control_bytes(control->limit) + tags_bytes(control->limit);
    stats->free = stats->size - stats->used;
    if (stats->free != 0) {
        const uint32_t unit = (uint32_t)(stats->free >> 22) + 1; // so that 1000 times it fits 32 bits
        stats->fragmentation = 1000u - (uint32_t)(stats->largest_free / unit) * 1000u / (uint32_t)(stats->free / unit);
    }
}

void cairn_heap_stats(struct cairn_heap *heap, struct cairn_heap_stats *stats)
{
    const uint32_t key = heap_lock(heap);
    cairn_heap_stats_(heap, stats);
    heap_unlock(heap, key);
}

void cairn_heap_reset_peak_(struct cairn_heap *heap)
{
    if (is_heap(heap)) {
        const uint32_t used = heap->control->used;
        heap->control->peak = used;
        heap->control->failures = 0;
        heap->control->classes = used == 0 ? 0 : heap->control->classes | CLASS_UNKNOWN; // blocks may lie scattered, as a higher peak left them
    }
}

void cairn_heap_reset_peak(struct cairn_heap *heap)
{
    const uint32_t key = heap_lock(heap);
    cairn_heap_reset_peak_(heap);
    heap_unlock(heap, key);
}
