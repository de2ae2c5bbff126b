// SPDX-License-Identifier: MIT
//
// Making a heap: the layout of the image in a region.
//
// OWNS: the arithmetic of the layout; struct cairn_heap's fields.
//
// PICTURE: region | lead | control | heads | tags | granule 1 .. granule n | up to one granule unused
//          lead: bytes to the first multiple of the granule. base is one granule before granule 1.
//
// INVARIANTS: decide first, commit after: on an error nothing was written.
// COST: O(max_size / 256), for the tags. CALLERS: the user, before anybody else has the heap.
#include "heap/core.h"
#include "heap/layout.h"

#include <string.h>

// The most granules that `room` bytes hold with what is in front of them; 0 if none; more than GRANULES_MAX if too many.
static size_t granules_in(size_t room, bool outside)
{
    size_t granules = room >> GRANULE_SHIFT;
    while (granules - 1 < GRANULES_MAX * 2u) {
        const size_t bytes = front_bytes((uint32_t)granules, outside) + (granules << GRANULE_SHIFT);
        if (bytes <= room) {
            break;
        }
        const size_t step = ((bytes - room) >> (GRANULE_SHIFT + 2)) + 1; // never past the most: a granule brings less than four
        granules = granules < step ? 0 : granules - step;
    }
    return granules;
}

size_t cairn_heap_control_size(size_t max_size)
{
    const size_t granules = granules_in(max_size, false);
    return granules > GRANULES_MAX ? 0 : control_bytes((uint32_t)granules);
}

size_t cairn_heap_tags_size(size_t max_size)
{
    const size_t granules = granules_in(max_size, true);
    return granules > GRANULES_MAX ? 0 : tags_bytes((uint32_t)granules);
}

int cairn_heap_init(struct cairn_heap *heap, void *region, size_t size, const struct cairn_heap_config *config)
{
    struct cairn_heap_config given = {0};
    if (config != NULL) {
        given = *config;
    }
    const size_t max_size = given.max_size == 0 ? size : given.max_size;
    const bool outside = given.tags != NULL;
    if (heap == NULL || region == NULL || max_size < size || !is_fit(given.fit, given.search) ||
        ((uintptr_t)given.tags & 3) != 0) {
        return CAIRN_EINVAL;
    }
    if (max_size > UINTPTR_MAX - (uintptr_t)region) {
        return CAIRN_EOVERFLOW;
    }
    const size_t lead = lead_of(region);
    if (size <= lead) {
        return CAIRN_ENOMEM;
    }
    const size_t limit = granules_in(max_size - lead, outside);
    if (limit > GRANULES_MAX) {
        return CAIRN_EOVERFLOW;
    }
    const size_t front = front_bytes((uint32_t)limit, outside);
    if (limit == 0 || size - lead < front + CAIRN_GRANULE || (outside && given.tags_size < tags_bytes((uint32_t)limit))) {
        return CAIRN_ENOMEM;
    }

    handle_set(heap, (unsigned char *)region + lead, front, (uint32_t)limit, &given);
    struct heap_control *const control = heap->control;
    memset(control, 0, control_bytes((uint32_t)limit));
    memset(heap->tags, 0, tags_bytes((uint32_t)limit));
    control->limit = (uint32_t)limit;
    control->granules = (uint32_t)granules_between(lead + front, size, (uint32_t)limit);
    control->search = search_limit(given.search);
    control->fit = (uint8_t)given.fit;
    control->flags = (uint8_t)((given.wipe ? FLAG_WIPE : 0) | (outside ? FLAG_TAGS_OUTSIDE : 0) |
                               (CAIRN_GRANULE == 16 ? FLAG_GRANULE_16 : 0) | lead << LEAD_SHIFT);
    start_set(heap->tags, 0);
    start_set(heap->tags, 1);
    start_set(heap->tags, fence_of(control));
    cairn_heap_insert_(heap, 1, fence_of(control));
    control->magic = HEAP_MAGIC;
    return 0;
}
