// SPDX-License-Identifier: MIT
//
// Reports: what a check on the hardening ladder found.
//
// OWNS: nothing; reads the tags. COST: O(pairs of the block that holds the address), only when something is wrong.
// CALLERS: lib/heap, lock held, through the handle's hooks.
#include "heap/core.h"

void cairn_hooked_report_(const struct cairn_heap *heap, enum cairn_wrong what, const void *address)
{
    struct cairn_report report = {what, address, NULL, 0, NULL, NULL};
    const size_t granule = (size_t)((uintptr_t)address - (uintptr_t)heap->base) >> GRANULE_SHIFT;
    if (granule < heap->control->granules) {
        const struct tag_word *const tags = heap->tags;
        uint32_t from = (uint32_t)granule;
        while (!is_border(tags, from)) {
            from = tags[from >> CAIRN_TAG_SHIFT].border == 0 ? (from & ~TAG_MASK) - 1 : from - 1;
        }
        const uint32_t to = from + cairn_tags_after_(tags, from);
        report.block = border_address(heap->base, from);
        report.block_size = bytes_of(to - from);
        if (what == CAIRN_WRONG_LINK) {
            report.address = report.block;
        } else if (what != CAIRN_WRONG_DOUBLE_FREE && ((uintptr_t)address & (CAIRN_GRANULE - 1)) == 0) {
            report.what = ends_free(tags, to) ? CAIRN_WRONG_DOUBLE_FREE : CAIRN_WRONG_INTERIOR;
        }
        if (from != 0) {
            report.before = border_address(heap->base, from - cairn_tags_before_(tags, from));
        }
        if (to != heap->control->granules) {
            report.after = border_address(heap->base, to);
        }
    }
    if (heap->hooks->report == NULL) {
        CAIRN_TRAP();
    } else {
        heap->hooks->report(heap->context, &report);
    }
}
