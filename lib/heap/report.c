// SPDX-License-Identifier: MIT
//
// Reports: what a check on the hardening ladder found.
//
// OWNS: nothing; reads the tags. COST: O(pairs of the block that holds the address), only when something is wrong.
// CALLERS: lib/heap, lock held.
#include "heap/core.h"

CAIRN_COLD void cairn_heap_report_(const struct cairn_heap *heap, enum cairn_wrong what, const void *address)
{
    const struct tag_word *const tags = heap->tags;
    struct cairn_report report = {what, address, NULL, 0, NULL, NULL};
    size_t granule = (size_t)((uintptr_t)address - (uintptr_t)heap->base) >> GRANULE_SHIFT;
    if (granule - 1 < heap->control->granules) {
        uint32_t block = (uint32_t)granule;
        while (!is_start(tags, block)) {
            block--;
        }
        const uint32_t before = block - cairn_tags_before_(tags, block);
        const uint32_t after = block + cairn_tags_length_(tags, block);
        report.block = granule_address(heap->base, block);
        report.block_size = bytes_of(after - block);
        report.before = before == 0 ? NULL : granule_address(heap->base, before);
        report.after = after == fence_of(heap->control) ? NULL : granule_address(heap->base, after);
        if (what == CAIRN_WRONG_POINTER && ((uintptr_t)address & (CAIRN_GRANULE - 1)) == 0) {
            report.what = is_free_edge(tags, block) ? CAIRN_WRONG_DOUBLE_FREE : CAIRN_WRONG_INTERIOR;
        }
    }
    if (heap->hooks == NULL || heap->hooks->report == NULL) {
        CAIRN_TRAP();
    } else {
        heap->hooks->report(heap->context, &report);
    }
}
