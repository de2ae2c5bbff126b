// SPDX-License-Identifier: MIT
//
// Reports: what a check on the hardening ladder found.
//
// OWNS: nothing; reads the tags. COST: O(pairs of the block that holds the address), only when something is wrong.
// CALLERS: lib/heap, lock held.
#include "heap/core.h"

CAIRN_COLD void cairn_heap_report_(const struct cairn_heap *heap, enum cairn_wrong what, const void *address)
{
    struct cairn_report report = {what, address, NULL, 0, NULL, NULL};
    const size_t granule = (size_t)((uintptr_t)address - (uintptr_t)heap->base) >> GRANULE_SHIFT;
    if (granule - 1 < heap->control->granules) {
        uint32_t block = (uint32_t)granule;
        uint32_t state;
        while (state = cairn_tags_state_(heap->tags, block), (state & TAG_START) == 0) {
            block = heap->tags[block >> CAIRN_TAG_SHIFT].start == 0 ? (block & ~TAG_MASK) - 1 : block - 1;
        }
        if (what == CAIRN_WRONG_POINTER && ((uintptr_t)address & (CAIRN_GRANULE - 1)) == 0) {
            report.what = (state & TAG_EDGE) != 0 ? CAIRN_WRONG_DOUBLE_FREE : CAIRN_WRONG_INTERIOR;
        }
        unsigned char *const start = granule_address(heap->base, block);
        report.block = start;
        report.block_size = bytes_of(cairn_tags_length_(heap->tags, block));
        if (block != 1) {
            report.before = start - bytes_of(cairn_tags_before_(heap->tags, block));
        }
        report.after = start + report.block_size;
        if (report.after == granule_address(heap->base, fence_of(heap->control))) {
            report.after = NULL;
        }
    }
    if (heap->hooks == NULL || heap->hooks->report == NULL) {
        CAIRN_TRAP();
    } else {
        heap->hooks->report(heap->context, &report);
    }
}
