// SPDX-License-Identifier: MIT
//
// The layout of the image in a region: where each part lies.
//
// OWNS: the arithmetic of the layout.
// PICTURE: region | lead | control | heads | tags | pad | granules | a few bytes unused
//          lead: bytes to the first multiple of the granule. base: where the first granule is.
// COST: O(1), but granules_in: about 25 steps, and one more for each 270,000 bytes of room. CALLERS: init, attach, region, bound, stats.
#ifndef CAIRN_HEAP_LAYOUT_H
#define CAIRN_HEAP_LAYOUT_H

#include "heap/bins.h"

// Bytes of control and of tags in the image of a heap made for `limit` granules.
CAIRN_SHARED size_t control_bytes(uint32_t limit)
{
    return sizeof(struct heap_control) + sizeof(uint32_t) * bin_count(limit);
}

CAIRN_INLINE size_t tags_bytes(uint32_t limit)
{
    return sizeof(struct tag_word) * (size_t)tag_pairs(limit);
}

// Bytes from the control to the first granule.
CAIRN_INLINE size_t front_bytes(uint32_t limit, bool outside)
{
    size_t bytes = control_bytes(limit);
    if (!outside) {
        bytes += tags_bytes(limit);
    }
    return (bytes + CAIRN_GRANULE - 1) & ~(size_t)(CAIRN_GRANULE - 1);
}

// A granule's tags are two bits: one 2^TAG_SHARE-th of it.
#define TAG_SHARE (GRANULE_SHIFT + 2)

// The most granules that `room` bytes hold with what is in front of them; 0 if none; more than GRANULES_MAX if too many. *front: the
// bytes in front of so many.
CAIRN_SHARED size_t granules_in(size_t room, bool outside, size_t *front)
{
    size_t granules = room >> GRANULE_SHIFT;
    *front = 0;
    if (!outside) { // of 1024, at least 31 go to the tags; of 4096 granules of 16 bytes, at least 63
        granules -= (granules >> TAG_SHARE) - (granules >> 2 * TAG_SHARE);
    }
    while ((uint32_t)granules == granules && granules != 0) {
        *front = front_bytes((uint32_t)granules, outside);
        if (*front + (granules << GRANULE_SHIFT) <= room) {
            break;
        }
        granules--;
    }
    return granules;
}

// A region may end up to two granules behind what its limit numbers: one more would cost a pair of tag words, a list and their
// alignment in front.
#define LIMIT_SLACK 2u

// Bytes from the region to the first multiple of the granule, where the control lies.
CAIRN_INLINE size_t lead_of(const void *region)
{
    return (size_t)(0u - (uintptr_t)region) & (CAIRN_GRANULE - 1);
}

// Do hooks name their code, and a lock its end?
CAIRN_INLINE bool are_hooks(const struct cairn_heap_hooks *hooks)
{
    return hooks == NULL || (hooks->hooked != NULL && (hooks->lock == NULL) == (hooks->unlock == NULL));
}

// Point the handle at a control of a heap made for `limit` granules. heap_set_quick is still to come.
CAIRN_INLINE void handle_set(struct cairn_heap *heap, unsigned char *start, size_t front, void *tags, const struct cairn_heap_config *config)
{
    heap->control = (struct heap_control *)(void *)start;
    heap->tags = tags;
    heap->base = start + front;
    heap->hooks = config->hooks;
    heap->context = config->context;
    heap->quick = 0;
}

#endif
