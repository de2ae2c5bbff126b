// SPDX-License-Identifier: MIT
//
// How long the lock is held, in instructions, by every public call; and how large the control is.
//
//   lock FIT SEARCH    prints name,calls,average,maximum for each call; control,HEAP BYTES,CONTROL BYTES for three heaps
//
// OWNS        a heap of 64 KB whose lock hooks read the clock.
// PICTURE     call | lock: first reading ... the work ... unlock: second reading | copying and zeroing, unlocked | return
// INVARIANTS  1. Counted is what runs between the two readings: the end of the lock hook and the start of the unlock hook with it.
//             2. A call that takes the lock more than once counts each time by itself.
// COST        some 10 million instructions.
// CALLERS     test/bench/run.sh; start-up.
#include <stdlib.h>
#include <string.h>

#include "area.h"
#include "cairn/heap.h"
#include "counter.h"
#include "print.h"
#include "semihost.h"
#include "tally.h"

#define REGION_BYTES 65536u
#define BLOCKS 400u
#define STEPS 30000u

enum call {
    CALL_ALLOC,
    CALL_CALLOC,
    CALL_ALIGNED,
    CALL_REALLOC,
    CALL_ALIGNED_REALLOC,
    CALL_RESIZE,
    CALL_FREE,
    CALL_USABLE,
    CALL_STATS,
    CALL_MARGIN,
    CALL_SET_FIT,
    CALL_GROW,
    CALL_SHRINK,
    CALL_STEP,
    CALL_CHECK,
    CALL_WALK,
    CALLS,
};

static const char *const names[CALLS] = {
    "alloc", "calloc", "aligned_alloc", "realloc", "aligned_realloc", "resize", "free", "usable_size", "stats", "margin",
    "set_fit", "grow", "shrink", "check_step_1", "check_64KB", "walk_64KB",
};

struct meter {
    struct tally tally[CALLS];
    enum call now;
    uint32_t start;
};

static struct cairn_heap heap;
static struct meter meter;
static void *blocks[BLOCKS];
static uint32_t random_state = 1;

static uint32_t meter_lock(void *context)
{
    struct meter *const at = context;

    at->start = counter_read();
    return 0;
}

static void meter_unlock(void *context, uint32_t key)
{
    const uint32_t end = counter_read();
    struct meter *const at = context;

    (void)key;
    tally_add(&at->tally[at->now], counter_instructions(at->start, end));
}

static const struct cairn_heap_hooks hooks = {.hooked = CAIRN_HOOKED, .lock = meter_lock, .unlock = meter_unlock};

// Marsaglia 2003, xorshift32.
static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % limit;
}

// Mostly small, some of a few hundred bytes, a few of thousands.
static size_t random_size(void)
{
    const uint32_t kind = random_below(16);

    return 1 + random_below(kind < 12 ? 64 : kind < 15 ? 600 : 6000);
}

static int visit_nothing(void *context, const struct cairn_block *block)
{
    (void)context;
    (void)block;
    return 0;
}

static void keep(void **slot, void *block)
{
    if (block != NULL)
        *slot = block;
}

static void step_empty(void **slot)
{
    meter.now = (enum call)(CALL_ALLOC + random_below(3));
    if (meter.now == CALL_ALLOC)
        *slot = cairn_heap_alloc(&heap, random_size());
    else if (meter.now == CALL_CALLOC)
        *slot = cairn_heap_calloc(&heap, 1, random_size());
    else
        *slot = cairn_heap_aligned_alloc(&heap, (size_t)8 << random_below(6), random_size());
}

static void step_live(void **slot)
{
    const uint32_t kind = random_below(8);

    if (kind < 4) {
        meter.now = CALL_FREE;
        cairn_heap_free(&heap, *slot);
        *slot = NULL;
    } else if (kind < 6) {
        meter.now = CALL_REALLOC;
        keep(slot, cairn_heap_realloc(&heap, *slot, random_size()));
    } else if (kind < 7) {
        meter.now = CALL_ALIGNED_REALLOC;
        keep(slot, cairn_heap_aligned_realloc(&heap, *slot, (size_t)8 << random_below(6), random_size()));
    } else {
        meter.now = CALL_RESIZE;
        (void)!cairn_heap_resize(&heap, *slot, random_size());
    }
}

static void step_look(enum cairn_fit fit, uint16_t search)
{
    static uint32_t cursor;
    struct cairn_heap_stats stats;
    struct cairn_margin margin;

    meter.now = CALL_USABLE;
    (void)cairn_heap_usable_size(&heap, blocks[random_below(BLOCKS)]);
    meter.now = CALL_STATS;
    cairn_heap_stats(&heap, &stats);
    meter.now = CALL_MARGIN;
    (void)!cairn_heap_margin(&heap, &margin);
    meter.now = CALL_SET_FIT;
    (void)!cairn_heap_set_fit(&heap, fit, search);
    meter.now = CALL_SHRINK;
    (void)!cairn_heap_shrink(&heap, REGION_BYTES - 8 * (1 + random_below(64)));
    meter.now = CALL_GROW;
    (void)!cairn_heap_grow(&heap, REGION_BYTES);
    meter.now = CALL_STEP;
    (void)!cairn_heap_check_step(&heap, &cursor, 1, NULL);
}

static void print_tallies(void)
{
    struct line line = {0};

    for (unsigned call = 0; call < CALLS; call++) {
        const struct tally *const tally = &meter.tally[call];
        if (tally->calls == 0)
            continue;
        line_text(&line, names[call]);
        line_text(&line, ",");
        line_number(&line, tally->calls);
        line_text(&line, ",");
        line_average(&line, tally->sum, tally->calls);
        line_text(&line, ",");
        line_number(&line, tally->max);
        line_end(&line);
    }
}

// Handle, heads, counters: all but the tags.
static void print_control(uint32_t size)
{
    struct line line = {0};

    line_text(&line, "control,");
    line_number(&line, size);
    line_text(&line, ",");
    line_number(&line, (uint32_t)(cairn_heap_control_size(size) + sizeof heap));
    line_end(&line);
}

int main(int argc, char **argv)
{
    static const char *const fits[] = {"best", "first", "worst", "bounded"};
    struct cairn_heap_config config = {.hooks = &hooks, .context = &meter};
    struct area area = {board_heap_area()};

    for (unsigned i = 0; i < 4 && argc > 2; i++) {
        if (strcmp(argv[1], fits[i]) == 0)
            config.fit = (enum cairn_fit)i;
    }
    config.search = argc > 2 ? (uint16_t)strtoul(argv[2], NULL, 10) : 0;
    counter_init();
    if (argc < 3 || !counter_is_exact() || cairn_heap_init(&heap, area_take(&area, REGION_BYTES), REGION_BYTES, &config) != 0) {
        semihost_print("usage: lock FIT SEARCH, under -icount\n");
        return 1;
    }
    for (uint32_t step = 0; step < STEPS; step++) {
        void **const slot = &blocks[random_below(BLOCKS)];
        if (*slot == NULL)
            step_empty(slot);
        else
            step_live(slot);
        if (step % 64 == 0)
            step_look(config.fit, config.search);
    }
    meter.now = CALL_WALK;
    (void)cairn_heap_walk(&heap, visit_nothing, NULL);
    meter.now = CALL_CHECK;
    const int sound = cairn_heap_check(&heap, NULL);
    print_tallies();
    print_control(32u << 10);
    print_control(256u << 10);
    print_control(1u << 20);
    return sound != 0;
}
