// SPDX-License-Identifier: MIT
//
// OWNS        as region.h says. COST: about 45 runs for the smallest region.
// CALLERS     as region.h says.
#include "region.h"

#include <stdlib.h>
#include <string.h>

#include "tool.h"

#define PROGRESS_OPS 4096u // operations from one look at the clock to the next

bool runner_begin(struct runner *runner, const struct trace *trace, enum cairn_fit fit, uint16_t search)
{
    *runner = (struct runner){.trace = trace, .fit = fit, .search = search};
    runner->slots = malloc((trace->id_count + (size_t)1) * sizeof *runner->slots);
    return runner->slots != NULL;
}

void runner_end(struct runner *runner)
{
    free(runner->slots);
    free(runner->memory);
    runner->slots = NULL;
    runner->memory = NULL;
}

static bool memory_grow(struct runner *runner, size_t size)
{
    if (size > runner->memory_size) {
        free(runner->memory);
        runner->memory = aligned_alloc(64, (size + 63) & ~(size_t)63);
        runner->memory_size = runner->memory == NULL ? 0 : size;
    }
    return runner->memory != NULL;
}

static bool heap_make(struct runner *runner, size_t region)
{
    const struct cairn_heap_config config = {.fit = runner->fit, .search = runner->search};
    return region > REGION_HANDLE_BYTES && memory_grow(runner, region) &&
           cairn_heap_init(&runner->heap, runner->memory, region - REGION_HANDLE_BYTES, &config) == 0;
}

bool runner_run(struct runner *runner, size_t region, bool is_whole, runner_watch watch, void *context)
{
    const struct trace *const trace = runner->trace;
    runner->runs++;
    runner->heap = (struct cairn_heap){0};
    replay_begin(&runner->replay, &replay_heap_calls, &runner->heap, runner->slots, trace->id_count);
    runner->is_made = heap_make(runner, region);
    if (!runner->is_made) {
        runner->replay.failed = trace->op_count;
        return false;
    }
    bool is_good = true;
    uint32_t at = 0;
    for (; at < trace->op_count && (is_good || is_whole); at++) {
        if (watch != NULL) {
            watch(context, runner, at);
        } else if (at % PROGRESS_OPS == PROGRESS_OPS - 1 && tool_progress_is_due()) {
            tool_progress("%s: %zu bytes, operation %lu of %lu", trace->name, region, (unsigned long)at + 1, (unsigned long)trace->op_count);
        }
        is_good = replay_step(&runner->replay, &trace->ops[at]) && is_good;
    }
    if (watch != NULL) {
        watch(context, runner, at);
    }
    return is_good;
}

static bool works(struct runner *runner, size_t region)
{
    if (tool_progress_is_due()) {
        tool_progress("%s: run %lu, %zu bytes, %.4f of the peak", runner->trace->name, (unsigned long)runner->runs + 1, region,
                      (double)region / (double)runner->trace->peak);
    }
    return runner_run(runner, region, false, NULL, NULL);
}

// Half-way between two sizes, a multiple of 8.
static size_t middle(size_t low, size_t high)
{
    return (low + (high - low) / 2) & ~(size_t)7;
}

static size_t at_most(size_t size)
{
    return size < REGION_MAX ? size & ~(size_t)7 : REGION_MAX;
}

size_t runner_min_region(struct runner *runner)
{
    size_t low = runner->trace->peak & ~(size_t)7;
    size_t high = at_most(low * 2 + 1024);
    while (!works(runner, high)) {
        if (high == REGION_MAX) {
            return 0;
        }
        low = high;
        high = at_most(high * 2);
    }
    while (high - low > REGION_STEP) {
        const size_t size = middle(low, high);
        if (works(runner, size)) {
            high = size;
        } else {
            low = size;
        }
    }
    for (unsigned step = 1; step <= REGION_STEPS && step * REGION_STEP < high; step++) {
        if (works(runner, high - step * REGION_STEP)) {
            high -= step * REGION_STEP;
            step = 0;
        }
    }
    return high;
}
