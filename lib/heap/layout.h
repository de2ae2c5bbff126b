// SPDX-License-Identifier: MIT
//
// The layout of the image in a region: where each part lies.
//
// OWNS: the arithmetic of the layout.
// PICTURE: region | lead | control | heads | tags | granule 1 .. granule n | a few bytes unused
//          lead: bytes to the first multiple of the granule. base is one granule before granule 1.
// COST: O(1). CALLERS: init, attach, region, bound, stats.
#ifndef CAIRN_HEAP_LAYOUT_H
#define CAIRN_HEAP_LAYOUT_H

#include "heap/bins.h"

// Bytes of control and of tags in the image of a heap made for `limit` granules.
CAIRN_INLINE size_t control_bytes(uint32_t limit)
{
    return sizeof(struct heap_control) + sizeof(uint32_t) * bin_count(limit);
}

CAIRN_INLINE size_t tags_bytes(uint32_t limit)
{
    return sizeof(struct tag_word) * (size_t)tag_pairs(limit);
}

// What the end of a region of max_size bytes may hold beyond the limit, in granules: one more granule there would cost a pair
// of tag words, a list and their alignment in front.
#define LIMIT_SLACK 2u

// Granules between byte `front` and byte `size` of a region, the slack left out.
CAIRN_INLINE size_t granules_between(size_t front, size_t size, uint32_t limit)
{
    const size_t granules = size <= front ? 0 : (size - front) >> GRANULE_SHIFT;
    return granules > limit && granules - limit <= LIMIT_SLACK ? limit : granules;
}

// Bytes from the control to granule 1.
CAIRN_INLINE size_t front_bytes(uint32_t limit, bool outside)
{
    const size_t bytes = control_bytes(limit) + (outside ? 0 : tags_bytes(limit));
    return (bytes + CAIRN_GRANULE - 1) & ~(size_t)(CAIRN_GRANULE - 1);
}

// Bytes from the region to the first multiple of the granule, where the control lies.
CAIRN_INLINE size_t lead_of(const void *region)
{
    return (size_t)(0u - (uintptr_t)region) & (CAIRN_GRANULE - 1);
}

// Point the handle at a control of a heap made for `limit` granules.
CAIRN_INLINE void handle_set(struct cairn_heap *heap, unsigned char *start, size_t front, uint32_t limit, const struct cairn_heap_config *config)
{
    heap->control = (struct heap_control *)(void *)start;
    heap->tags = config->tags != NULL ? config->tags : (void *)(start + control_bytes(limit));
    heap->base = start + front - CAIRN_GRANULE;
    heap->hooks = config->hooks;
    heap->context = config->context;
}

#endif
