// SPDX-License-Identifier: MIT
//
// OWNS        the sampling of a run. PICTURE: map.h.
// INVARIANTS  1. A column shows the heap at one moment, between two operations.
// COST        O(ids + region) a column.
// CALLERS     cairn-replay.
#include "map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

struct sampler {
    struct map *map;
    const unsigned char *memory;
    uint8_t *classes; // of each id
    uint8_t *owners;  // class of the block that starts at each granule
    uint32_t column;  // the next one
    uint32_t bytes[MAP_ROWS][MAP_CLASSES];
};

static enum map_class class_of(uint32_t lifetime)
{
    uint32_t class = MAP_TO_100;
    for (uint32_t limit = 100; class < MAP_LONGER && lifetime > limit; limit *= 10) {
        class++;
    }
    return (enum map_class)class;
}

// How long each id lives. births: room for as many.
static void classes_set(const struct trace *trace, uint8_t *classes, uint32_t *births)
{
    memset(classes, MAP_NEVER_FREED, trace->id_count);
    for (uint32_t at = 0; at < trace->op_count; at++) {
        const struct trace_op *const op = &trace->ops[at];
        if (op->act == TRACE_FREE) {
            classes[op->id] = (uint8_t)class_of(at - births[op->id]);
        } else if (op->act != TRACE_REALLOC) {
            births[op->id] = at;
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------- a column

static size_t row_start(const struct map *map, size_t row)
{
    return (size_t)((uint64_t)map->size * row / MAP_ROWS);
}

static int block_sample(void *context, const struct cairn_block *block)
{
    struct sampler *const sampler = context;
    const struct map *const map = sampler->map;
    if (!block->used) {
        return 0;
    }
    const size_t start = (size_t)((const unsigned char *)block->address - sampler->memory);
    const size_t end = start + block->size;
    const enum map_class class = sampler->owners[start / CAIRN_GRANULE];
    size_t row = (size_t)((uint64_t)start * MAP_ROWS / map->size);
    row -= row != 0 && row_start(map, row) > start;
    for (; row < MAP_ROWS && row_start(map, row) < end; row++) {
        const size_t low = row_start(map, row) > start ? row_start(map, row) : start;
        const size_t high = row_start(map, row + 1) < end ? row_start(map, row + 1) : end;
        sampler->bytes[row][class] += high > low ? (uint32_t)(high - low) : 0;
    }
    return 0;
}

static unsigned char cell_of(const struct sampler *sampler, uint32_t row)
{
    const size_t low = row_start(sampler->map, row);
    const size_t size = row_start(sampler->map, row + 1) - low;
    const uint32_t *const bytes = sampler->bytes[row];
    uint32_t used = 0;
    uint32_t most = 0;
    for (uint32_t class = 0; class < MAP_CLASSES; class++) {
        used += bytes[class];
        most = bytes[class] > bytes[most] ? class : most;
    }
    if (low + size / 2 < sampler->map->control_size) {
        return MAP_CONTROL;
    }
    if ((uint64_t)used * 4 < size) {
        return MAP_FREE;
    }
    return (unsigned char)(MAP_USED + 2 * most + ((uint64_t)used * 4 >= (uint64_t)size * 3));
}

static void column_sample(struct sampler *sampler, struct runner *runner, uint32_t op)
{
    struct map *const map = sampler->map;
    const struct trace *const trace = runner->trace;
    for (uint32_t id = 0; id < trace->id_count; id++) {
        if (runner->slots[id].size != 0) {
            sampler->owners[(size_t)(runner->slots[id].block - runner->memory) / CAIRN_GRANULE] = sampler->classes[id];
        }
    }
    struct cairn_heap_stats stats;
    cairn_heap_stats(&runner->heap, &stats);
    map->control_size = stats.overhead;
    memset(sampler->bytes, 0, sizeof sampler->bytes);
    (void)cairn_heap_walk(&runner->heap, block_sample, sampler);
    for (uint32_t row = MAP_ROWS; row-- > 0;) { // of a region of few bytes many rows have none: they show what the next one does
        const bool is_empty = row + 1 < MAP_ROWS && row_start(map, row) == row_start(map, row + 1);
        map->cells[row][sampler->column] = is_empty ? map->cells[row + 1][sampler->column] : cell_of(sampler, row);
    }
    map->samples[sampler->column] = (struct map_sample){op, runner->replay.live, stats.free, stats.largest_free};
    if (stats.free >= stats.size / 8 && stats.fragmentation > map->fragmentation) {
        map->fragmentation = stats.fragmentation;
    }
    sampler->column++;
}

// The operation before which a column is sampled: the first before all, the last after all.
static uint32_t column_op(const struct map *map, uint32_t column)
{
    return map->columns < 2 ? 0 : (uint32_t)((uint64_t)map->trace->op_count * column / (map->columns - 1));
}

static void watch(void *context, struct runner *runner, uint32_t op)
{
    struct sampler *const sampler = context;
    sampler->memory = runner->memory;
    while (sampler->column < sampler->map->columns && op == column_op(sampler->map, sampler->column)) {
        column_sample(sampler, runner, op);
        if (tool_progress_is_due()) {
            tool_progress("%s: map, column %lu of %lu", runner->trace->name, (unsigned long)sampler->column,
                          (unsigned long)sampler->map->columns);
        }
    }
}

// --------------------------------------------------------------------------------------------------------------------- the call

static const char *fit_name(enum cairn_fit fit)
{
    static const char *const names[] = {
        [CAIRN_FIT_BEST] = "best", [CAIRN_FIT_FIRST] = "first", [CAIRN_FIT_WORST] = "worst", [CAIRN_FIT_BOUNDED] = "bounded"};
    return names[fit];
}

static bool sample(struct runner *runner, struct map *map, struct sampler *sampler)
{
    const struct trace *const trace = runner->trace;
    uint32_t *const births = calloc(trace->id_count + (size_t)1, sizeof *births);
    sampler->map = map;
    sampler->classes = malloc(trace->id_count + (size_t)1);
    sampler->owners = calloc(map->size / CAIRN_GRANULE + 1, 1);
    const bool is_ready = births != NULL && sampler->classes != NULL && sampler->owners != NULL;
    if (is_ready) {
        classes_set(trace, sampler->classes, births);
        (void)runner_run(runner, map->region, true, watch, sampler);
        map->failed = runner->replay.failed;
    }
    free(births);
    free(sampler->classes);
    free(sampler->owners);
    return is_ready;
}

bool map_draw(struct runner *runner, size_t region, const char *path)
{
    const struct trace *const trace = runner->trace;
    struct map *const map = calloc(1, sizeof *map);
    struct sampler *const sampler = calloc(1, sizeof *sampler);
    bool is_drawn = map != NULL && sampler != NULL;
    if (is_drawn) {
        map->trace = trace;
        map->fit = fit_name(runner->fit);
        map->search = runner->search;
        map->region = region;
        map->size = region > REGION_HANDLE_BYTES ? region - REGION_HANDLE_BYTES : 1;
        map->columns = trace->op_count + 1 < MAP_COLUMNS ? trace->op_count + 1 : MAP_COLUMNS;
        errno = ENOMEM;
        is_drawn = sample(runner, map, sampler) && map_write_svg(map, path);
    }
    if (!is_drawn) {
        tool_complain("%s: %s", path, strerror(errno));
    }
    free(map);
    free(sampler);
    return is_drawn;
}
