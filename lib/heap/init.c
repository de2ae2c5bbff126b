// SPDX-License-Identifier: MIT
//
// Making a heap in a region.
//
// OWNS: nothing beyond layout.h.
// INVARIANTS: decide first, commit after: on an error nothing was written.
// COST: O(size / 256), for the tags. CALLERS: the user, before anybody else has the heap.
#include "heap/core.h"
#include "heap/layout.h"

#include <string.h>

// Write the image's control and tags. pre: the handle is set.
CAIRN_INLINE void image_start(struct cairn_heap *heap, size_t limit, size_t granules, const struct cairn_heap_config *config, size_t flags)
{
    memset(heap->control, 0, control_bytes((uint32_t)limit));
    memset(heap->tags, 0, tags_bytes((uint32_t)granules));
    struct heap_control *const control = heap->control;
    control->magic = HEAP_MAGIC;
    control->granules = (uint32_t)granules;
    control->limit = (uint32_t)limit;
    control->flags = (uint8_t)flags;
    control_set_fit(control, config->fit, config->search);
    control->blocks = 1;
    heap->tags->border = tag_bit(0);
    cairn_tags_mark_(heap->tags, control->granules, fence_of(control), TAG_USED);
    cairn_heap_insert_(heap, 0, (uint32_t)granules);
    heap_set_quick(heap);
}

// Have two ranges of memory a byte in common? An empty one counts as the place where it is.
CAIRN_INLINE bool is_overlapping(const void *a, size_t a_size, const void *b, size_t b_size)
{
    return (uintptr_t)b - (uintptr_t)a < a_size || (uintptr_t)a - (uintptr_t)b < b_size;
}

int cairn_heap_init(struct cairn_heap *heap, void *region, size_t size, const struct cairn_heap_config *config)
{
    static const struct cairn_heap_config defaults;
    if (config == NULL) {
        config = &defaults;
    }
    const size_t max_size = config->max_size == 0 ? size : config->max_size;
    const bool outside = config->tags != NULL;
    if (heap == NULL || region == NULL || max_size < size || (uint32_t)config->fit > CAIRN_FIT_BOUNDED ||
        ((uintptr_t)config->tags & 3) != 0 || !are_hooks(config->hooks) ||
        (outside && is_overlapping(region, max_size, config->tags, config->tags_size))) {
        return CAIRN_EINVAL;
    }
    const size_t lead = lead_of(region);
    if (size <= lead) {
        return CAIRN_ENOMEM;
    }
    if (max_size > UINTPTR_MAX - (uintptr_t)region) {
        return CAIRN_EOVERFLOW;
    }
    const size_t flags = (config->wipe ? FLAG_WIPE : 0) | (outside ? FLAG_TAGS_OUTSIDE : 0) |
                         (CAIRN_GRANULE == 16 ? FLAG_GRANULE_16 : 0) | lead << LEAD_SHIFT;
    unsigned char *const start = (unsigned char *)region + lead;
    size_t front;
    size -= lead;
    const size_t limit = granules_in(max_size - lead, outside, &front);
    if (limit > GRANULES_MAX) {
        return CAIRN_EOVERFLOW;
    }
    if (size < front + CAIRN_GRANULE || (outside && config->tags_size < tags_bytes((uint32_t)limit))) {
        return CAIRN_ENOMEM;
    }
    const size_t granules = (size - front) >> GRANULE_SHIFT;
    handle_set(heap, start, front, outside ? config->tags : start + control_bytes((uint32_t)limit), config);
    image_start(heap, limit, granules > limit ? limit : granules, config, flags);
    return 0;
}
