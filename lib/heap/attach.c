// SPDX-License-Identifier: MIT
//
// Taking up an image that is already there.
//
// OWNS: nothing; reads bytes from outside, and believes them only after the check.
// INVARIANTS: nothing of the image is changed; the handle is set only when all is well.
// COST: O(region). CALLERS: the user, before anybody else has the heap.
#include "heap/core.h"
#include "heap/layout.h"

int cairn_heap_attach(struct cairn_heap *heap, void *region, size_t size, const struct cairn_heap_config *config)
{
    static const struct cairn_heap_config defaults;
    struct cairn_heap found;
    if (config == NULL) {
        config = &defaults;
    }
    if (heap == NULL || region == NULL || ((uintptr_t)config->tags & 3) != 0 || !are_hooks(config->hooks)) {
        return CAIRN_EINVAL;
    }
    const size_t lead = lead_of(region);
    if (size < lead + sizeof(struct heap_control)) {
        return CAIRN_ENOMEM;
    }
    const struct heap_control *const control = (const struct heap_control *)(const void *)((unsigned char *)region + lead);
    const bool outside = (control->flags & FLAG_TAGS_OUTSIDE) != 0;
    if (control->magic != HEAP_MAGIC || ((control->flags & FLAG_GRANULE_16) != 0) != (CAIRN_GRANULE == 16) ||
        control->limit > GRANULES_MAX || control->granules - 1 >= control->limit) {
        return CAIRN_ECORRUPT;
    }
    if (control->flags >> LEAD_SHIFT != lead || outside != (config->tags != NULL)) {
        return CAIRN_EINVAL;
    }
    const size_t front = front_bytes(control->limit, outside);
    if (size - lead < front || (size - lead - front) >> GRANULE_SHIFT < control->granules ||
        (outside && config->tags_size < tags_bytes(control->limit))) {
        return CAIRN_ENOMEM;
    }
    unsigned char *const start = (unsigned char *)region + lead;
    handle_set(&found, start, front, outside ? config->tags : start + control_bytes(control->limit), config);
    const int error = cairn_heap_check_(&found, NULL);
    if (error == 0) {
        heap_set_quick(&found);
        *heap = found;
    }
    return error;
}
