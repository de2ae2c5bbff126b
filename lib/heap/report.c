// SPDX-License-Identifier: MIT
//
// Reports: what a check on the hardening ladder found.
//
// OWNS: nothing; reads the tags. COST: O(pairs of the block that holds the address), only when something is wrong.
// CALLERS: lib/heap, lock held.
#include "heap/core.h"

// Start of the block that holds `granule`. pre: 1 <= granule <= granules.
static uint32_t block_holding(const struct tag_word *tags, uint32_t granule)
{
    while (!is_start(tags, granule)) {
        granule--;
    }
    return granule;
}

static void tell(const struct cairn_heap *heap, enum cairn_wrong what, const void *address, uint32_t block)
{
    struct cairn_report report = {what, address, NULL, 0, NULL, NULL};
    if (block != 0) {
        const uint32_t length = block_length(heap->tags, block);
        const uint32_t before = length_before(heap->tags, block);
        report.block = granule_address(heap->base, block);
        report.block_size = bytes_of(length);
        report.before = block - before == 0 ? NULL : granule_address(heap->base, block - before);
        report.after = block + length == fence_of(heap->control) ? NULL : granule_address(heap->base, block + length);
    }
    if (heap->hooks == NULL || heap->hooks->report == NULL) {
        CAIRN_TRAP();
    } else {
        heap->hooks->report(heap->context, &report);
    }
}

CAIRN_COLD void heap_report_pointer(const struct cairn_heap *heap, const void *address)
{
    const size_t offset = (size_t)((uintptr_t)address - (uintptr_t)heap->base) >> GRANULE_SHIFT;
    if (offset - 1 >= heap->control->granules) {
        tell(heap, CAIRN_WRONG_POINTER, address, 0);
        return;
    }
    const uint32_t block = block_holding(heap->tags, (uint32_t)offset);
    const bool aligned = ((uintptr_t)address & (CAIRN_GRANULE - 1)) == 0;
    const bool used = is_used_start(heap->tags, block);
    tell(heap, !aligned ? CAIRN_WRONG_POINTER : used ? CAIRN_WRONG_INTERIOR : CAIRN_WRONG_DOUBLE_FREE, address, block);
}

CAIRN_COLD void heap_report_link(const struct cairn_heap *heap, uint32_t granule)
{
    const bool inside = is_inside(heap->control, granule);
    tell(heap, CAIRN_WRONG_LINK, granule_address(heap->base, granule), inside ? block_holding(heap->tags, granule) : 0);
}
