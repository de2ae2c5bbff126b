// SPDX-License-Identifier: MIT
//
// The bench program: one allocator, one command.
//
//   bench region TRACE FIT SEARCH           the smallest region in which all operations succeed
//   bench trace TRACE FIT SEARCH REGION    instructions a call (QEMU -icount)
//   bench holes N FIT SEARCH                   instructions a call with N free holes (QEMU -icount)
//
// OWNS        the commands, and the order in which the heap area is handed out.
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
#include "semihost.h"
#include "workload.h"

#define REGION_ALIGNMENT 4096u
#define REGION_STEP 64u // bytes between two sizes that are tried
#define REGION_EXTRA 32u // steps below the smallest found, as what works is not monotonic

struct bench {
    struct area area;
    const char *fit;
    uint32_t search;
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

// At a multiple of 4096, as newlib asks sbrk() for whole pages.
static uint32_t region_room(const struct bench *bench)
{
    return (uint32_t)area_left(&bench->area) & ~(REGION_ALIGNMENT - 1);
}

static bool start(const struct bench *bench, uint32_t size)
{
    return size <= region_room(bench) && peer_start(bench->fit, bench->search, cairn_heap_area_end - region_room(bench), size);
}

static struct tally *tally_take(struct bench *bench, size_t count)
{
    struct tally *const tally = area_take(&bench->area, count * sizeof *tally);

    if (tally != NULL)
        memset(tally, 0, count * sizeof *tally);
    return tally;
}

// name,calls,average,maximum; and the bars of the histogram that are not 0, as `bar name,instructions,calls`.
static void tally_print(struct bench *bench, const char *name, const struct tally *tally)
{
    struct line *const line = &bench->line;

    line_tally(line, name, tally);
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

static bool works(struct bench *bench, struct workload *workload, uint32_t size)
{
    return start(bench, size) && workload_run(workload, false);
}

// Bisects between the peak and a size that works, then looks below it: the same steps as cairn-replay --min-region.
static uint32_t region_smallest(struct bench *bench, struct workload *workload)
{
    uint32_t low = workload->peak & ~7u;
    uint32_t high = (low * 2 + 1024) & ~7u;

    while (!works(bench, workload, high)) {
        low = high;
        high *= 2;
        if (high > region_room(bench))
            return 0;
    }
    while (high - low > REGION_STEP) {
        const uint32_t middle = (low + (high - low) / 2) & ~7u;
        if (works(bench, workload, middle))
            high = middle;
        else
            low = middle;
    }
    for (uint32_t i = 1; i <= REGION_EXTRA && i * REGION_STEP < high; i++) {
        if (works(bench, workload, high - i * REGION_STEP)) {
            high -= i * REGION_STEP;
            i = 0;
        }
    }
    return high;
}

static int command_region(struct bench *bench, struct workload *workload)
{
    struct line *const line = &bench->line;
    const uint32_t smallest = region_smallest(bench, workload);

    line_number(line, workload->count);
    line_text(line, ",");
    line_number(line, workload->peak);
    line_text(line, ",");
    line_number(line, smallest);
    line_end(line);
    if (workload->broken != 0)
        return complain("a block was overwritten", "");
    return smallest == 0 ? complain("no region is large enough", "") : 0;
}

static int command_trace(struct bench *bench, struct workload *workload, uint32_t size)
{
    static const char *const names[CALL_KINDS] = {"malloc", "free", "realloc"};

    workload->tally = tally_take(bench, CALL_KINDS);
    if (workload->tally == NULL || !start(bench, size))
        return complain("no heap of that size, or no such fit: ", bench->fit);
    workload_run(workload, true);
    for (int kind = 0; kind < CALL_KINDS; kind++)
        tally_print(bench, names[kind], &workload->tally[kind]);
    if (workload->broken != 0)
        return complain("a block was overwritten", "");
    return workload->failed != 0 ? complain("an operation failed", "") : 0;
}

static int command_holes(struct bench *bench, uint32_t holes)
{
    static const uint32_t sizes[] = {24, 72, 520}; // in a list of one length, of a few, of many

    if (holes < 64)
        return complain("too few holes", "");
    unsigned char **const table = area_take(&bench->area, 2 * holes * sizeof *table);
    struct tally *const tally = tally_take(bench, HOLES_CASES);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (tally == NULL || !start(bench, region_room(bench)) || !holes_run(table, holes, sizes[i], tally) || !start(bench, region_room(bench)) ||
            !holes_resize(table, holes, sizes[i], tally))
            return complain("the holes do not fit", "");
    }
    for (int what = 0; what < HOLES_CASES; what++)
        tally_print(bench, holes_names[what], &tally[what]);
    return 0;
}

int main(int argc, char **argv)
{
    struct bench bench = {.area = {board_heap_area()}};
    struct workload workload = {0};

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
        peer_prepare(&bench.area);
        return command_holes(&bench, holes);
    }
    const char *const wrong = workload_load(&workload, &bench.area, argv[2]);
    if (wrong != NULL)
        return complain(wrong, argv[2]);
    peer_prepare(&bench.area);
    return strcmp(command, "trace") == 0 ? command_trace(&bench, &workload, size) : command_region(&bench, &workload);
}
