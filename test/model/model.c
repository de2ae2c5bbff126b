// SPDX-License-Identifier: MIT
//
// OWNS        the naive model's rules: what must hold, and what must come of a request.
// CALLERS     operations.c, test_random.c.
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define G ((size_t)CAIRN_GRANULE)

_Noreturn void model_fail(const struct model *model, const char *message)
{
    printf("FAILED: %s\n  operation %lu of this heap: %s\n  fit %d, search %u, %u granules, %u blocks\n", message,
           (unsigned long)model->operations, model->what, (int)model->config.fit, (unsigned)model->config.search,
           (unsigned)model->granules, (unsigned)model->count);
    exit(1);
}

void model_begin(struct model *model, unsigned char *region)
{
    struct cairn_heap_stats stats;
    cairn_heap_stats(&model->heap, &stats);
    model->region = region;
    model->front = (size_t)(model->heap.base - region);
    model->granules = (uint32_t)(stats.size / G);
    model->count = 0;
    model->used = 0;
    model->peak = 0;
    model->failures = 0;
    model->cursor = 0;
    model->operations = 0;
    memset(model->begin, 0, sizeof model->begin);
    memset(model->taken, 0, sizeof model->taken);
    model->taken[0] = 1;
    model->taken[model->granules + 1] = 1;
}

// ---------------------------------------------------------------------------------------------------------- prediction

static uint32_t power_of_two_from(uint32_t n)
{
    uint32_t power = 1;
    while (power < n) {
        power *= 2;
    }
    return power;
}

// Lists: one for each length below 8, then one for each doubling.
static uint32_t list_of(uint32_t length)
{
    uint32_t list = length < 8 ? length : 8;
    for (uint32_t above = 16; length >= above; above *= 2) {
        list++;
    }
    return list;
}

struct model_request model_request(const struct model *model, size_t size, size_t alignment)
{
    struct model_request request = {0, 0, alignment, 0};
    if (size == 0 || size > model->granules * G || alignment == 0 || (alignment & (alignment - 1)) != 0 ||
        alignment > 2 * MODEL_REGION) {
        return request;
    }
    request.granules = (uint32_t)((size + G - 1) / G);
    request.span = request.granules + (alignment > G ? (uint32_t)(alignment / G) - 1 : 0);
    request.wanted = model->config.fit == CAIRN_FIT_BOUNDED ? power_of_two_from(request.span) : request.span;
    return request;
}

static uint32_t longest_free(const struct model *model)
{
    uint32_t longest = 0;
    for (uint32_t g = 1; g <= model->granules; g++) {
        const uint32_t run = model_free_from(model, g);
        longest = run > longest ? run : longest;
        g += run;
    }
    return longest;
}

enum model_answer model_predict(const struct model *model, const struct model_request *request)
{
    const uint32_t longest = longest_free(model);
    if (request->granules == 0 || request->wanted > longest) {
        return MODEL_NO;
    }
    const bool misses_nothing = model->config.search == CAIRN_SEARCH_ALL || model->config.fit == CAIRN_FIT_BOUNDED;
    const uint32_t own = list_of(request->wanted);
    return misses_nothing || own < 8 || list_of(longest) > own ? MODEL_YES : MODEL_MAYBE;
}

uint32_t model_free_before(const struct model *model, uint32_t granule)
{
    uint32_t run = 0;
    while (!model->taken[granule - run - 1]) {
        run++;
    }
    return run;
}

uint32_t model_free_from(const struct model *model, uint32_t granule)
{
    uint32_t run = 0;
    while (!model->taken[granule + run]) {
        run++;
    }
    return run;
}

uint32_t model_align(const struct model *model, uint32_t granule, size_t alignment)
{
    while (((uintptr_t)model->heap.base + (granule - 1) * G) % alignment != 0) {
        granule++;
    }
    return granule;
}

// A search without a limit takes the shortest that is long enough, or the longest.
static void prove_choice(const struct model *model, const struct model_request *request, uint32_t run)
{
    if (model->config.search != CAIRN_SEARCH_ALL) {
        return;
    }
    for (uint32_t g = 1; g <= model->granules; g++) {
        const uint32_t other = model_free_from(model, g);
        if (model->config.fit == CAIRN_FIT_BEST) {
            MODEL_ASSERT(model, other < request->wanted || other >= run);
        } else if (model->config.fit == CAIRN_FIT_WORST) {
            MODEL_ASSERT(model, other <= run);
        }
        g += other;
    }
}

// -------------------------------------------------------------------------------------------------------------- blocks

static unsigned char pattern(uint32_t seed, size_t i)
{
    return (unsigned char)(0x80 | (seed * 29 + i * 13 + (i >> 5)));
}

static void block_fill(struct model_block *block, uint32_t from)
{
    for (size_t i = from * G; i < block->length * G; i++) {
        block->address[i] = pattern(block->seed, i);
    }
}

static void mark(struct model *model, const struct model_block *block, uint16_t begin, uint8_t taken)
{
    model->begin[block->granule] = begin;
    memset(model->taken + block->granule, taken, block->length);
}

static uint32_t granule_of(const struct model *model, const void *address)
{
    const size_t offset = (size_t)((const unsigned char *)address - model->heap.base) + G;
    MODEL_ASSERT(model, offset % G == 0 && offset / G >= 1 && offset / G <= model->granules);
    return (uint32_t)(offset / G);
}

void model_add(struct model *model, void *address, const struct model_request *request)
{
    struct model_block *const block = &model->block[model->count];
    *block = (struct model_block){address, granule_of(model, address), 0, model->seeds++};
    block->length = (uint32_t)(cairn_heap_usable_size(&model->heap, address) / G);
    const uint32_t start = block->granule - model_free_before(model, block->granule);
    const uint32_t run = model_free_from(model, start);
    const uint32_t skipped = block->granule - start;
    MODEL_ASSERT(model, (uintptr_t)address % request->alignment == 0);
    MODEL_ASSERT(model, block->granule == model_align(model, start, request->alignment));
    MODEL_ASSERT(model, run >= request->wanted);
    MODEL_ASSERT(model, block->length == (model->config.fit == CAIRN_FIT_BOUNDED ? request->wanted - skipped : request->granules));
    prove_choice(model, request, run);
    mark(model, block, (uint16_t)(model->count + 1), 1);
    model->count++;
    model->used += block->length;
    model->peak = model->used > model->peak ? model->used : model->peak;
    block_fill(block, 0);
}

void model_change(struct model *model, uint32_t index, uint32_t granule, uint32_t length, uint32_t kept)
{
    struct model_block *const block = &model->block[index];
    mark(model, block, 0, 0);
    model->used += length - block->length;
    block->granule = granule;
    block->length = length;
    block->address = model->heap.base + (granule - 1) * G;
    for (uint32_t i = 0; i < length; i++) {
        MODEL_ASSERT(model, !model->taken[granule + i]);
    }
    for (size_t i = 0; i < kept * G; i++) {
        MODEL_ASSERT(model, block->address[i] == pattern(block->seed, i));
    }
    mark(model, block, (uint16_t)(index + 1), 1);
    block_fill(block, kept);
    model->peak = model->used > model->peak ? model->used : model->peak;
}

void model_remove(struct model *model, uint32_t index)
{
    struct model_block *const block = &model->block[index];
    mark(model, block, 0, 0);
    model->used -= block->length;
    *block = model->block[--model->count];
    if (index < model->count) {
        model->begin[block->granule] = (uint16_t)(index + 1);
    }
}

// --------------------------------------------------------------------------------------------------------------- proof

static void prove_statistics(const struct model *model)
{
    struct cairn_heap_stats stats;
    uint32_t blocks = 0, longest = 0, top = 0, in_top = 0;
    for (uint32_t g = 1; g <= model->granules; g++) {
        const uint32_t run = model_free_from(model, g);
        if (run != 0) {
            const uint32_t list = list_of(run);
            blocks++;
            longest = run > longest ? run : longest;
            in_top = list > top ? 1 : in_top + (list == top);
            top = list > top ? list : top;
        }
        g += run;
    }
    cairn_heap_stats((struct cairn_heap *)(uintptr_t)&model->heap, &stats);
    MODEL_ASSERT(model, stats.size == model->granules * G);
    MODEL_ASSERT(model, stats.used == model->used * G);
    MODEL_ASSERT(model, stats.free == stats.size - stats.used);
    MODEL_ASSERT(model, stats.peak == model->peak * G);
    MODEL_ASSERT(model, stats.used_blocks == model->count);
    MODEL_ASSERT(model, stats.free_blocks == blocks);
    MODEL_ASSERT(model, stats.failures == model->failures);
    MODEL_ASSERT(model, stats.largest_free <= longest * G);
    const uint32_t limit = model->config.search == 0 ? CAIRN_SEARCH_DEFAULT : model->config.search;
    if (model->config.fit == CAIRN_FIT_BOUNDED) { // its requests take powers of two
        uint32_t power = longest == 0 ? 0 : 1;
        while (2 * power <= longest && power != 0) {
            power *= 2;
        }
        MODEL_ASSERT(model, stats.largest_free == power * G);
    } else if (in_top <= CAIRN_SEARCH_DEFAULT && in_top <= limit) {
        MODEL_ASSERT(model, stats.largest_free == longest * G);
    }
    MODEL_ASSERT(model, longest == 0 || 2 * stats.largest_free > longest * G);
    MODEL_ASSERT(model, stats.free == 0 ? stats.fragmentation == 0
                                        : stats.fragmentation == 1000 - stats.largest_free * 1000 / stats.free);
}

static int prove_block(void *context, const struct cairn_block *shown)
{
    struct model *const model = context;
    const uint32_t granule = granule_of(model, shown->address);
    if (shown->used) {
        const uint32_t index = model->begin[granule];
        MODEL_ASSERT(model, index != 0 && shown->size == model->block[index - 1].length * G);
    } else {
        MODEL_ASSERT(model, model->taken[granule - 1] && model_free_from(model, granule) * G == shown->size);
    }
    return 0;
}

static void prove_bytes(const struct model *model)
{
    for (uint32_t i = 0; i < model->count; i++) {
        const struct model_block *const block = &model->block[i];
        for (size_t k = 0; k < block->length * G; k++) {
            MODEL_ASSERT(model, block->address[k] == pattern(block->seed, k));
        }
    }
    if (!model->config.wipe) {
        return;
    }
    for (uint32_t g = 1; g <= model->granules; g++) { // nothing of a block is left: links are small numbers, a block's bytes are not
        for (size_t k = 0; k < G && !model->taken[g]; k += 4) {
            uint32_t word;
            memcpy(&word, model->heap.base + (g - 1) * G + k, sizeof word);
            MODEL_ASSERT(model, word <= MODEL_GRANULES);
        }
    }
}

void model_prove(struct model *model, bool deep)
{
    struct cairn_fault fault;
    prove_statistics(model);
    MODEL_ASSERT(model, cairn_heap_check_step(&model->heap, &model->cursor, 1, &fault) == 0);
    if (deep) {
        MODEL_ASSERT(model, cairn_heap_check(&model->heap, &fault) == 0);
        MODEL_ASSERT(model, cairn_heap_walk(&model->heap, prove_block, model) == 0);
        prove_bytes(model);
    }
}
