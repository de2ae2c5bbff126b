// SPDX-License-Identifier: MIT
//
// Making a heap in a region.
//
// OWNS: nothing beyond layout.h.
// INVARIANTS: decide first, commit after: on an error nothing was written.
// COST: O(max_size / 256), for the tags. CALLERS: the user, before anybody else has the heap.
#include "heap/core.h"
#include "heap/layout.h"

#include <string.h>

int cairn_heap_init(struct cairn_heap *heap, void *region, size_t size, const struct cairn_heap_config *config)
{
    static const struct cairn_heap_config defaults;
    if (config == NULL) {
        config = &defaults;
    }
    const size_t max_size = config->max_size == 0 ? size : config->max_size;
    void *tags = config->tags;
    const bool outside = tags != NULL;
    if (heap == NULL || region == NULL || max_size < size || (uint32_t)config->fit > CAIRN_FIT_BOUNDED || ((uintptr_t)tags & 3) != 0) {
        return CAIRN_EINVAL;
    }
    const size_t lead = lead_of(region);
    if (size <= lead) {
        return CAIRN_ENOMEM;
    }
    size_t front;
    const size_t limit = granules_in(max_size - lead, outside, &front);
    if (limit > GRANULES_MAX || max_size > UINTPTR_MAX - (uintptr_t)region) {
        return CAIRN_EOVERFLOW;
    }
    size_t granules = size - lead <= front ? 0 : (size - lead - front) >> GRANULE_SHIFT;
    granules = granules > limit ? limit : granules;
    if (granules == 0 || (outside && config->tags_size < tags_bytes((uint32_t)limit))) {
        return CAIRN_ENOMEM;
    }

    unsigned char *const start = (unsigned char *)region + lead;
    struct heap_control *const control = (struct heap_control *)(void *)start;
    if (!outside) {
        tags = start + control_bytes((uint32_t)limit);
    }
    memset(start, 0, control_bytes((uint32_t)limit));
    memset(tags, 0, tags_bytes((uint32_t)limit));
    handle_set(heap, start, front, tags, config);
    control->magic = HEAP_MAGIC;
    control->granules = (uint32_t)granules;
    control->limit = (uint32_t)limit;
    control_set_fit(control, config->fit, config->search);
    control->flags = (uint8_t)((config->wipe ? FLAG_WIPE : 0) | (outside ? FLAG_TAGS_OUTSIDE : 0) |
                               (CAIRN_GRANULE == 16 ? FLAG_GRANULE_16 : 0) | lead << LEAD_SHIFT);
    heap->tags->start = 3; // granules 0 and 1
    start_set(heap->tags, fence_of(control));
    cairn_heap_insert_(heap, 1, fence_of(control));
    return 0;
}
