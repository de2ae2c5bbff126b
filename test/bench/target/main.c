// SPDX-License-Identifier: MIT
//
// The bench program: one allocator, one command.
//
//   bench region FILE.ops FIT SEARCH           the smallest region in which all operations succeed
//   bench trace FILE.ops FIT SEARCH REGION     instructions a call (QEMU -icount)
//   bench holes N FIT SEARCH                   instructions a call with N free holes (QEMU -icount)
//
// OWNS        the heap area.
// PICTURE     heap area  [ operations | slots or table | the libc's saved variables | tallies | region ------------- )
// INVARIANTS  1. What must outlive peer_start is on the stack or in the heap area (peer_libc.c).
// COST        region: some 40 replays; the others: one.
// CALLERS     test/bench/run.sh; start-up.
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "counter.h"
#include "holes.h"
#include "peer.h"
#include "print.h"
#include "replay.h"
#include "semihost.h"

#define REGION_STEP 64u // bytes between two sizes that are tried
#define REGION_EXTRA 32u // steps below the smallest found, as what works is not monotonic

struct bench {
    const char *fit;
    uint32_t search;
    unsigned char *spare; // the heap area from here on is free
    struct line line;
};

static int complain(const char *what, const char *which)
{
    semihost_print("bench: ");
    semihost_print(what);
    semihost_print(which);
    semihost_print("\n");
    return 1;
}

static void *area_take(struct bench *bench, size_t size)
{
    void *const taken = bench->spare;

    bench->spare += (size + 15) & ~(size_t)15;
    return taken;
}

static size_t area_left(const struct bench *bench)
{
    return board_heap_area_size() - (size_t)(bench->spare - (unsigned char *)board_heap_area());
}

static struct ops *ops_load(struct bench *bench, const char *path)
{
    const int file = semihost_open(path, SEMIHOST_READ);
    const long length = file < 0 ? -1 : semihost_length(file);

    if (length < (long)sizeof(struct ops) || (size_t)length > area_left(bench))
        return NULL;
    struct ops *const ops = area_take(bench, (size_t)length);
    if (semihost_read(file, ops, (size_t)length) != (size_t)length || ops->magic != OPS_MAGIC)
        return NULL;
    semihost_close(file);
    return ops;
}

static struct tally *tally_take(struct bench *bench, size_t count)
{
    struct tally *const tally = area_take(bench, count * sizeof *tally);

    memset(tally, 0, count * sizeof *tally);
    return tally;
}

// calls,sum,max: the average is the reader's to take.
static void tally_print(struct bench *bench, const char *name, const struct tally *tally)
{
    struct line *const line = &bench->line;

    line_text(line, name);
    line_text(line, ",");
    line_number(line, tally->calls);
    line_text(line, ",");
    line_average(line, tally->sum, tally->calls);
    line_text(line, ",");
    line_number(line, tally->max);
    line_end(line);
    for (uint32_t i = 0; i < TALLY_BARS; i++) {
        if (tally->bar[i] == 0)
            continue;
        line_text(line, "bar ");
        line_text(line, name);
        line_text(line, ",");
        line_number(line, i * TALLY_STEP);
        line_text(line, ",");
        line_number(line, tally->bar[i]);
        line_end(line);
    }
}

// ---------------------------------------------------------------------------------------------------- commands

static bool works(struct bench *bench, struct run *run, uint32_t size)
{
    return size <= area_left(bench) && peer_start(bench->fit, bench->search, bench->spare, size) && replay(run);
}

// Bisects between the peak and a size that works, then looks below it.
static uint32_t region_smallest(struct bench *bench, struct run *run)
{
    uint32_t low = run->ops->peak & ~7u;
    uint32_t high = low + REGION_STEP;

    while (!works(bench, run, high)) {
        low = high;
        high += high / 2;
        if (high > area_left(bench))
            return 0;
    }
    while (high - low > REGION_STEP) {
        const uint32_t middle = (low + (high - low) / 2) & ~7u;
        if (works(bench, run, middle))
            high = middle;
        else
            low = middle;
    }
    for (uint32_t i = 1; i <= REGION_EXTRA && high > i * REGION_STEP; i++) {
        if (works(bench, run, high - i * REGION_STEP)) {
            high -= i * REGION_STEP;
            i = 0;
        }
    }
    return high;
}

static int command_region(struct bench *bench, struct run *run)
{
    struct line *const line = &bench->line;

    run->stop_at_failure = true;
    const uint32_t smallest = region_smallest(bench, run);
    line_number(line, run->ops->count);
    line_text(line, ",");
    line_number(line, run->ops->peak);
    line_text(line, ",");
    line_number(line, smallest);
    line_end(line);
    if (run->broken != 0)
        return complain("a block's stamp was overwritten", "");
    return smallest == 0 ? complain("no region is large enough", "") : 0;
}

static int command_trace(struct bench *bench, struct run *run, uint32_t size)
{
    static const char *const names[OP_KINDS] = {"", "malloc", "free", "realloc"};

    run->tally = tally_take(bench, OP_KINDS);
    if (size > area_left(bench) || !peer_start(bench->fit, bench->search, bench->spare, size))
        return complain("no heap of that size, or no such fit: ", bench->fit);
    replay(run);
    for (int kind = OP_ALLOC; kind < OP_KINDS; kind++)
        tally_print(bench, names[kind], &run->tally[kind]);
    if (run->broken != 0)
        return complain("a block's stamp was overwritten", "");
    return run->failed != 0 ? complain("an operation failed", "") : 0;
}

static int command_holes(struct bench *bench, uint32_t holes)
{
    static const uint32_t sizes[] = {24, 72, 520}; // in a list of one length, of a few, of many

    if (holes < 64)
        return complain("too few holes", "");
    unsigned char **const table = area_take(bench, 2 * holes * sizeof *table);
    struct tally *const tally = tally_take(bench, HOLES_CASES);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (!peer_start(bench->fit, bench->search, bench->spare, area_left(bench)) ||
            !holes_run(table, holes, sizes[i], tally))
            return complain("the holes do not fit", "");
    }
    for (int what = 0; what < HOLES_CASES; what++)
        tally_print(bench, holes_names[what], &tally[what]);
    return 0;
}

int main(int argc, char **argv)
{
    struct bench bench = {.spare = board_heap_area()};
    struct run run = {0};

    if (argc < 5)
        return complain("usage: bench region|trace|holes FILE|N FIT SEARCH [REGION]", "");
    const char *const command = argv[1];
    const uint32_t size = argc > 5 ? (uint32_t)strtoul(argv[5], NULL, 10) : 0;
    bench.fit = argv[3];
    bench.search = (uint32_t)strtoul(argv[4], NULL, 10);
    if (strcmp(command, "region") != 0) {
        counter_init();
        if (!counter_is_exact())
            return complain("the clock does not follow the instructions: -icount is missing", "");
    }
    if (strcmp(command, "holes") == 0) {
        const uint32_t holes = (uint32_t)strtoul(argv[2], NULL, 10);
        peer_prepare(&bench.spare);
        return command_holes(&bench, holes);
    }
    const struct ops *const ops = ops_load(&bench, argv[2]);
    if (ops == NULL)
        return complain("cannot read ", argv[2]);
    run.ops = ops;
    run.slots = area_take(&bench, ops->slots * sizeof *run.slots);
    peer_prepare(&bench.spare);
    return strcmp(command, "trace") == 0 ? command_trace(&bench, &run, size) : command_region(&bench, &run);
}
