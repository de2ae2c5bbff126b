// SPDX-License-Identifier: MIT
//
// What free, realloc and resize must refuse, in every state: each granule that is not the start of a used block, both fences, and addresses between.
//
// OWNS: nothing. CALLERS: moves.c.
#include "moves.h"

#include <string.h>

// The report that a pointer to `offset` bytes behind granule g must give.
static struct cairn_report expected(const struct worker *worker, uint32_t g, uint32_t offset)
{
    const struct image *const image = &worker->at;
    const struct view *const view = &worker->view;
    struct cairn_report report = {CAIRN_WRONG_POINTER, (unsigned char *)image_granule(image, g) + offset, NULL, 0, NULL, NULL};
    if (g == 0 || g > image->granules) {
        return report;
    }
    const uint32_t block = 63u - (uint32_t)__builtin_clzll(view->start & (((uint64_t)2 << g) - 1));
    const uint32_t end = view_end(view, block);
    if (offset == 0) {
        report.what = is_free_in(view, block) ? CAIRN_WRONG_DOUBLE_FREE : CAIRN_WRONG_INTERIOR;
    }
    report.block = image_granule(image, block);
    report.block_size = (size_t)(end - block) * CAIRN_GRANULE;
    if (block > 1) {
        report.before = image_granule(image, 63u - (uint32_t)__builtin_clzll(view->start & (((uint64_t)1 << block) - 1)));
    }
    if (end <= image->granules) {
        report.after = image_granule(image, end);
    }
    return report;
}

static bool is_same(const struct cairn_report *a, const struct cairn_report *b)
{
    return a->what == b->what && a->address == b->address && a->block == b->block && a->block_size == b->block_size &&
           a->before == b->before && a->after == b->after;
}

static bool refused(struct worker *worker, uint32_t g, uint32_t offset)
{
    struct image *const at = &worker->at;
    const struct cairn_report report = expected(worker, g, offset);
    void *const address = (unsigned char *)image_granule(at, g) + offset;
    worker->op.name = "free, realloc, resize of a bad pointer, block = granule,";
    worker->op.block = g;
    worker->op.granules = offset;
    worker->operations += worker->sparing ? 1 : 3;
    worker->reports = 0;
    cairn_heap_free(&at->heap, address);
    if (worker->reports != 1 || !is_same(&worker->report, &report)) {
        return worker_fail(worker, "no report of a bad free, or a wrong one");
    }
    if (!worker->sparing && (cairn_heap_realloc(&at->heap, address, 8) != NULL || cairn_heap_resize(&at->heap, address, 8) != CAIRN_EINVAL ||
        worker->reports != 3 || !is_same(&worker->report, &report))) {
        return worker_fail(worker, "a bad pointer was taken by realloc or resize, or reported wrongly");
    }
    if (!worker->sparing && cairn_heap_usable_size(&at->heap, address) != 0) {
        return worker_fail(worker, "a bad pointer has a usable size");
    }
    if (memcmp(at->bytes, worker->from.bytes, at->end) != 0) {
        return worker_fail(worker, "a bad pointer changed the image");
    }
    return true;
}

bool moves_bad_pointers(struct worker *worker)
{
    image_copy(&worker->at, &worker->from);
    for (uint32_t g = 0; g <= worker->at.granules + 2; g++) {
        const bool inside = g != 0 && g <= worker->at.granules;
        if (!(inside && is_used_in(&worker->view, g)) && !refused(worker, g, 0)) {
            return false;
        }
    }
    for (uint32_t g = 0; g <= worker->at.granules + 1; g++) {
        if ((worker->view.start >> g & 1) != 0 && !refused(worker, g, 1 + g % 7)) {
            return false;
        }
    }
    return true;
}
