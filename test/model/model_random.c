// SPDX-License-Identifier: MIT
//
// OWNS        the random operations, each done on the heap and on the model.
// CALLERS     test_random.c.
#include "model.h"

#include "heap/core.h"

#include <stdio.h>
#include <string.h>

#define G ((size_t)CAIRN_GRANULE)

// ------------------------------------------------------------------------------------------------------------- choices

static size_t random_size(struct model *model)
{
    struct prng *const prng = &model->prng;
    const uint32_t all = model->granules * (uint32_t)G;
    switch (prng_below(prng, 16)) {
    case 0: return 1 + prng_below(prng, all);
    case 1: return prng_below(prng, all / 4 + 1);
    case 2: return (size_t)1 << prng_below(prng, 11);
    case 3: return prng_below(prng, 8) == 0 ? SIZE_MAX - prng_below(prng, 20) : prng_below(prng, 400);
    case 4: return 32 * G * prng_below(prng, 4) + prng_below(prng, 3); // ends of tag words
    default: return prng_below(prng, prng_below(prng, 2) == 0 ? 40 : 200);
    }
}

static size_t random_alignment(struct model *model)
{
    struct prng *const prng = &model->prng;
    if (prng_below(prng, 30) == 0) {
        return prng_below(prng, 2) == 0 ? 3 * prng_below(prng, 9) : (size_t)1 << (sizeof(size_t) * 8 - 1 - prng_below(prng, 3));
    }
    return (size_t)1 << prng_below(prng, prng_below(prng, 4) == 0 ? 12 : 7);
}

// ---------------------------------------------------------------------------------------------------------- operations

static void settle_new(struct model *model, void *block, const struct model_request *request, size_t size)
{
    const enum model_answer answer = model_predict(model, request);
    if (block == NULL) {
        MODEL_ASSERT(model, answer != MODEL_YES);
        model->failures += size != 0;
    } else {
        MODEL_ASSERT(model, answer != MODEL_NO);
        model_add(model, block, request);
    }
}

static void step_alloc(struct model *model)
{
    const size_t size = random_size(model);
    const struct model_request request = model_request(model, size, 1);
    snprintf(model->what, sizeof model->what, "alloc %lu", (unsigned long)size);
    if (prng_below(&model->prng, 4) != 0) {
        settle_new(model, cairn_heap_alloc(&model->heap, size), &request, size);
        return;
    }
    unsigned char *const block = cairn_heap_calloc(&model->heap, 1, size);
    for (size_t i = 0; block != NULL && i < size; i++) {
        MODEL_ASSERT(model, block[i] == 0);
    }
    settle_new(model, block, &request, size);
}

static void step_aligned_alloc(struct model *model)
{
    const size_t size = random_size(model);
    const size_t alignment = random_alignment(model);
    const struct model_request request = model_request(model, size, alignment);
    snprintf(model->what, sizeof model->what, "aligned_alloc %lu %lu", (unsigned long)alignment, (unsigned long)size);
    settle_new(model, cairn_heap_aligned_alloc(&model->heap, alignment, size), &request, size);
}

static void step_free(struct model *model)
{
    const uint32_t index = prng_below(&model->prng, model->count);
    void *const address = model->block[index].address;
    snprintf(model->what, sizeof model->what, "free of granule %u", (unsigned)model->block[index].granule);
    cairn_heap_free(&model->heap, NULL);
    if (prng_below(&model->prng, 8) == 0) {
        MODEL_ASSERT(model, cairn_heap_realloc(&model->heap, address, 0) == NULL);
    } else {
        cairn_heap_free(&model->heap, address);
    }
    model_remove(model, index);
}

// Can the block be n granules long where it is?
static bool fits_in_place(const struct model *model, const struct model_block *block, uint32_t n)
{
    const uint32_t behind = model->config.fit == CAIRN_FIT_BOUNDED ? 0 : model_free_from(model, block->granule + block->length);
    return n != 0 && n <= block->length + behind;
}

// Would a realloc of the block to n granules take a smaller power of two?
static bool gives_back(const struct model *model, const struct model_block *block, uint32_t n)
{
    uint32_t power = 1;
    while (power < n) {
        power *= 2;
    }
    return model->config.fit == CAIRN_FIT_BOUNDED && power < block->length;
}

static void change_in_place(struct model *model, uint32_t index, uint32_t n)
{
    const struct model_block *const block = &model->block[index];
    const uint32_t length = model->config.fit == CAIRN_FIT_BOUNDED ? block->length : n;
    model_change(model, index, block->granule, length, length < block->length ? length : block->length);
}

static void step_resize(struct model *model)
{
    const uint32_t index = prng_below(&model->prng, model->count);
    const size_t size = random_size(model);
    const uint32_t n = model_request(model, size, 1).granules;
    const struct model_block *const block = &model->block[index];
    snprintf(model->what, sizeof model->what, "resize of granule %u to %lu", (unsigned)block->granule, (unsigned long)size);
    const int error = cairn_heap_resize(&model->heap, block->address, size);
    MODEL_ASSERT(model, error == (size == 0 ? CAIRN_EINVAL : fits_in_place(model, block, n) ? 0 : CAIRN_ENOMEM));
    if (error == 0) {
        change_in_place(model, index, n);
    }
}

// The granule that a block slides left to, or 0.
static uint32_t slide_of(const struct model *model, const struct model_block *block, const struct model_request *request)
{
    if (request->granules == 0 || model->config.fit == CAIRN_FIT_BOUNDED) {
        return 0;
    }
    const uint32_t start = block->granule - model_free_before(model, block->granule);
    const uint32_t keep = model_align(model, start, request->alignment);
    const uint32_t end = block->granule + block->length + model_free_from(model, block->granule + block->length);
    return keep <= block->granule && keep + request->granules <= end ? keep : 0;
}

// The peak that a slide of the block to `slide` reaches: while it copies, all that it gathered is used.
static uint32_t slide_peak(const struct model *model, const struct model_block *block, const struct model_request *request, uint32_t slide)
{
    const uint32_t end = block->granule + block->length;
    const uint32_t reach = slide + request->granules > end ? slide + request->granules : end;
    const uint32_t used = model->used - block->length + reach - slide;
    return used > model->peak ? used : model->peak;
}

static void settle_realloc(struct model *model, uint32_t index, void *result, const struct model_request *request)
{
    struct model_block *const block = &model->block[index];
    const enum model_answer answer = model_predict(model, request);
    const uint32_t slide = slide_of(model, block, request);
    const uint32_t kept = block->length < request->granules ? block->length : request->granules;
    if (result == NULL) {
        MODEL_ASSERT(model, answer != MODEL_YES && slide == 0);
        model->failures++;
        return;
    }
    const bool slid = slide != 0 && result == model->heap.base + (slide - 1) * G &&
                      (slide + request->granules > block->granule || model_free_before(model, block->granule) < request->wanted);
    // What is free before it and too short to move into comes first.
    const bool at_once = slide != 0 && model_free_before(model, block->granule) < request->granules;
    if (at_once || answer == MODEL_NO || (answer == MODEL_MAYBE && slid)) {
        MODEL_ASSERT(model, slide != 0 && result == model->heap.base + (slide - 1) * G);
        const uint32_t slid_peak = slide_peak(model, block, request, slide);
        model_change(model, index, slide, request->granules, kept);
        model->peak = slid_peak;
        return;
    }
    // Moved: for a moment both places were used. The bytes are the old block's.
    const uint32_t slid_peak = slide == 0 ? 0 : slide_peak(model, block, request, slide);
    unsigned char moved[MODEL_REGION];
    const struct model_block old = *block;
    memcpy(moved, result, kept * G);
    model_add(model, result, request);
    const uint32_t peak = model->peak;
    struct model_block *const fresh = &model->block[model->count - 1];
    fresh->seed = old.seed;
    memcpy(fresh->address, moved, kept * G);
    model_change(model, model->count - 1, fresh->granule, fresh->length, kept);
    model_remove(model, index);
    model->peak = peak;
    struct cairn_heap_stats stats;
    cairn_heap_stats(&model->heap, &stats);
    if (answer == MODEL_MAYBE && slide != 0 && stats.peak != peak * G) { // it may have slid to a place apart from the old one
        model->peak = slid_peak;
    }
}

static void step_realloc(struct model *model)
{
    const uint32_t index = prng_below(&model->prng, model->count);
    struct model_block *const block = &model->block[index];
    const bool aligned = prng_below(&model->prng, 3) == 0;
    const size_t alignment = aligned ? random_alignment(model) : 1;
    const size_t size = random_size(model);
    if (size == 0) {
        return;
    }
    const struct model_request request = model_request(model, size, alignment);
    snprintf(model->what, sizeof model->what, "realloc of granule %u to %lu at %lu", (unsigned)block->granule, (unsigned long)size,
             (unsigned long)alignment);
    void *const result = aligned ? cairn_heap_aligned_realloc(&model->heap, block->address, alignment, size)
                                 : cairn_heap_realloc(&model->heap, block->address, size);
    const bool in_place = request.granules != 0 && (uintptr_t)block->address % alignment == 0;
    if (in_place && gives_back(model, block, request.granules)) { // moves if it can
        if (result == block->address) {
            MODEL_ASSERT(model, model_predict(model, &request) == MODEL_NO);
        } else {
            settle_realloc(model, index, result, &request);
        }
    } else if (in_place && fits_in_place(model, block, request.granules)) {
        MODEL_ASSERT(model, result == block->address);
        change_in_place(model, index, request.granules);
    } else {
        settle_realloc(model, index, result, &request);
    }
}

static void step_end_of_region(struct model *model)
{
    const size_t most = model->front + model->limit * G;
    const size_t size = prng_below(&model->prng, 10) == 0 ? prng_next(&model->prng)
                        : prng_below(&model->prng, 3) == 0 ? most
                                                           : prng_below(&model->prng, (uint32_t)(most + 8 * G));
    const bool grow = prng_below(&model->prng, 2) == 0;
    size_t granules = size <= model->front ? 0 : (size - model->front) / G;
    granules = granules > model->limit && granules <= model->limit + 2 ? model->limit : granules;
    snprintf(model->what, sizeof model->what, "%s to %lu", grow ? "grow" : "shrink", (unsigned long)size);
    int expected = 0;
    if (grow) {
        expected = granules < model->granules ? CAIRN_EINVAL : granules > model->limit ? CAIRN_ENOMEM : 0;
        MODEL_ASSERT(model, cairn_heap_grow(&model->heap, size) == expected);
    } else {
        expected = granules == 0 || granules > model->granules ? CAIRN_EINVAL : 0;
        for (size_t g = granules + 1; expected == 0 && g <= model->granules; g++) {
            expected = model->taken[g] ? CAIRN_EBUSY : 0;
        }
        MODEL_ASSERT(model, cairn_heap_shrink(&model->heap, size) == expected);
    }
    if (expected == 0) {
        model->taken[model->granules + 1] = 0;
        model->granules = (uint32_t)granules;
        model->taken[model->granules + 1] = 1;
    }
}

static void step_set_fit(struct model *model)
{
    static const uint16_t searches[] = {0, 1, 2, CAIRN_SEARCH_ALL};
    snprintf(model->what, sizeof model->what, "set_fit");
    model->config.fit = (enum cairn_fit)prng_below(&model->prng, 4);
    model->config.search = searches[prng_below(&model->prng, 4)];
    MODEL_ASSERT(model, cairn_heap_set_fit(&model->heap, model->config.fit, model->config.search) == 0);
}

static void step_bad_pointer(struct model *model)
{
    unsigned char *const address = model->heap.base - G + prng_below(&model->prng, (uint32_t)((model->granules + 4) * G));
    const size_t offset = (size_t)(address + G - model->heap.base);
    const size_t granule = offset / G;
    snprintf(model->what, sizeof model->what, "free of byte %lu", (unsigned long)offset);
    if (!HARDENED || model->config.hooks == NULL || (offset % G == 0 && granule <= model->granules && model->begin[granule] != 0)) {
        return;
    }
    const enum cairn_wrong expected = granule == 0 || granule > model->granules || offset % G != 0 ? CAIRN_WRONG_POINTER
                                      : model->taken[granule]                                       ? CAIRN_WRONG_INTERIOR
                                                                                                    : CAIRN_WRONG_DOUBLE_FREE;
    model->reports = 0;
    if (prng_below(&model->prng, 2) == 0) {
        cairn_heap_free(&model->heap, address);
    } else {
        MODEL_ASSERT(model, cairn_heap_realloc(&model->heap, address, 1 + prng_below(&model->prng, 100)) == NULL);
    }
    MODEL_ASSERT(model, model->reports == 1 && model->report.what == expected && model->report.address == address);
}

// What the statistics call the largest free block can be had.
static void step_largest(struct model *model)
{
    struct cairn_heap_stats stats;
    cairn_heap_stats(&model->heap, &stats);
    const size_t size = stats.largest_free;
    if (size == 0) {
        return;
    }
    snprintf(model->what, sizeof model->what, "alloc of the largest free, %lu", (unsigned long)size);
    void *const block = cairn_heap_alloc(&model->heap, size);
    const struct model_request request = model_request(model, size, 1);
    MODEL_ASSERT(model, block != NULL);
    settle_new(model, block, &request, size);
}

static void step_reset_peak(struct model *model)
{
    snprintf(model->what, sizeof model->what, "reset_peak");
    cairn_heap_reset_peak(&model->heap);
    model->failures = 0;
    model->peak = model->used;
}

void model_step(struct model *model)
{
    const uint32_t dice = prng_below(&model->prng, 128);
    // Waves: the heap fills up and empties again.
    const bool filling = (model->operations / 64) % 3 != 2;
    model->operations++;
    if (dice < 2) {
        step_set_fit(model);
    } else if (dice < 6) {
        step_bad_pointer(model);
    } else if (dice < 10) {
        step_end_of_region(model);
    } else if (dice < 11) {
        step_reset_peak(model);
    } else if (model->count != 0 && (model->count + 1 >= MODEL_BLOCKS || dice < (filling ? 48 : 80))) {
        step_free(model);
    } else if (dice < 14) {
        step_largest(model);
    } else if (model->count != 0 && dice < 96) {
        dice < 82 ? step_realloc(model) : step_resize(model);
    } else if (dice < 112) {
        step_aligned_alloc(model);
    } else {
        step_alloc(model);
    }
}

void model_end(struct model *model)
{
    snprintf(model->what, sizeof model->what, "the end");
    while (model->count != 0) {
        cairn_heap_free(&model->heap, model->block[model->count - 1].address);
        model_remove(model, model->count - 1);
        model_prove(model, model->count % 8 == 0);
    }
    model_prove(model, true);
    MODEL_ASSERT(model, model_free_from(model, 1) == model->granules);
}
