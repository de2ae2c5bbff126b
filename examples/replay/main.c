// SPDX-License-Identifier: MIT
//
// replay TRACE [REGION]: replays a recorded trace on a heap of REGION bytes (default: 3/2 of the trace's peak and 4 KB), draws the
// heap while it runs, and tells what it took.
//
// OWNS        the large memory: | table of ids | slots | region |
// COST        two passes over the trace: the first checks it and finds its peak, the second replays it.
// CALLERS     a person; examples/run.sh. Status: 0; 1 if an operation failed, or the output could not be written; 2 for a bad trace or command line.
#include <stdio.h>
#include <stdlib.h>

#include "picture.h"

#define ROWS 16u
#define HANDLE_BYTES 24u // of struct cairn_heap where pointers have 32 bits
_Static_assert(sizeof(void *) != 4 || sizeof(struct cairn_heap) == HANDLE_BYTES, "the handle is counted");

struct work {
    const char *path;
    unsigned char *memory; // what is left
    size_t left;
    struct trace_reader reader;
    void *table;
    uint32_t capacity;
    struct replay_slot *slots;
    struct replay measured; // the trace's own figures
    struct replay replay;
    struct cairn_heap heap;
    uint32_t fragmentation; // the most in any row, in thousandths
    bool is_broken;
};

static struct work work;

static void *carve(size_t size)
{
    void *const memory = work.memory;
    size = (size + 15) & ~(size_t)15;
    if (size > work.left) {
        return NULL;
    }
    work.memory += size;
    work.left -= size;
    return memory;
}

static int complain(const char *what)
{
    printf("replay: %s: %s\n", work.path, what);
    return 2;
}

static int complain_trace(void)
{
    char text[TRACE_EXPLANATION_MAX];
    return complain(trace_explain(&work.reader, text));
}

// Open the trace and give the reader its table. Returns 0, or a status.
static int trace_begin(void)
{
    if (!platform_open(work.path)) {
        return complain("cannot be opened");
    }
    if (trace_open(&work.reader, platform_read, NULL) != 0) {
        return complain_trace();
    }
    if (work.table == NULL) { // once: by the header's ids, else by what a quarter of the memory holds
        const uint32_t ids = work.reader.header.ids;
        work.capacity = ids != 0 ? ids : (uint32_t)(work.left / 4 / (sizeof(struct replay_slot) + 1));
        if (work.capacity > work.left / sizeof(struct replay_slot)) {
            return complain("more ids than this memory holds");
        }
        work.table = carve(trace_table_size(work.capacity));
        work.slots = carve(work.capacity * sizeof(struct replay_slot));
        if (work.table == NULL || work.slots == NULL) {
            return complain("more ids than this memory holds");
        }
    }
    return trace_set_table(&work.reader, work.table, work.capacity) == 0 ? 0 : complain_trace();
}

// The first pass. Returns 0, or a status.
static int measure(void)
{
    struct trace_op op;
    int result;
    int status = trace_begin();
    if (status != 0) {
        return status;
    }
    replay_begin(&work.measured, NULL, NULL, work.slots, work.capacity);
    while ((result = trace_next(&work.reader, &op)) > 0) {
        (void)replay_step(&work.measured, &op);
    }
    return result < 0 ? complain_trace() : 0;
}

static const char *base_name(const char *path)
{
    const char *name = path;
    for (const char *at = path; *at != '\0'; at++) {
        name = *at == '/' ? at + 1 : name;
    }
    return name;
}

static void print_head(size_t region)
{
    const size_t peak = work.measured.peak == 0 ? 1 : work.measured.peak;
    const unsigned long ratio = (unsigned long)(((uint64_t)region * 10000 + peak / 2) / peak);
    printf("cairn: %s on %s, best fit\n\n", base_name(work.path), platform_name());
    printf("  operations     %9lu\n", (unsigned long)work.measured.ops);
    printf("  peak           %9lu bytes requested, in %lu blocks at most\n", (unsigned long)work.measured.peak,
           (unsigned long)work.measured.peak_blocks);
    printf("  region         %9lu bytes, everything counted\n", (unsigned long)region);
    printf("  ratio          %4lu.%04lu region / peak\n", ratio / 10000, ratio % 10000);
}

// The operation behind which a row is drawn, from row 1 on.
static uint64_t row_op(uint32_t row)
{
    return (uint64_t)work.measured.ops * row / ROWS;
}

// The second pass. Returns 0, or a status.
static int replay(size_t region)
{
    const size_t size = region - HANDLE_BYTES;
    struct trace_op op;
    uint32_t row = 1;
    int result;
    int status = trace_begin();
    if (status != 0) {
        return status;
    }
    picture_head(size);
    replay_begin(&work.replay, &platform_calls, &work.heap, work.slots, work.capacity);
    while ((result = trace_next(&work.reader, &op)) > 0) {
        (void)replay_step(&work.replay, &op);
        if (work.replay.ops >= row_op(row)) {
            const uint32_t fragmentation = picture_row(&work.heap, size, work.replay.ops, work.replay.live);
            work.fragmentation = fragmentation > work.fragmentation ? fragmentation : work.fragmentation;
            while (row_op(row) <= work.replay.ops) { // several at once where there are fewer operations than rows
                row++;
            }
        }
    }
    return result < 0 ? complain_trace() : 0;
}

static void print_result(void)
{
    struct cairn_heap_stats stats;
    struct cairn_fault fault;
    cairn_heap_stats(&work.heap, &stats);
    const int checked = cairn_heap_check(&work.heap, &fault);
    const unsigned long overhead = (unsigned long)(stats.overhead * 1000 / (stats.size + stats.overhead));
    printf("\n  failed         %9lu operations%s\n", (unsigned long)work.replay.failed,
           work.replay.failed != 0 ? ": the region is too small" : "");
    printf("  damaged        %9lu stamps at the ends of blocks\n", (unsigned long)work.replay.broken);
    printf("  fragmentation  %7lu.%lu %% at most: free bytes outside the largest free block\n", (unsigned long)work.fragmentation / 10,
           (unsigned long)work.fragmentation % 10);
    printf("  overhead       %7lu.%lu %% of the heap for control and tags, %lu bytes\n", overhead / 10, overhead % 10,
           (unsigned long)stats.overhead);
    printf("  check          %9s\n", checked == 0 ? "good" : "BROKEN");
    work.is_broken = checked != 0 || work.replay.broken != 0;
}

static int run(int argc, char **argv)
{
    if (argc < 2 || argc > 3) {
        printf("usage: replay TRACE [REGION]\n");
        return 2;
    }
    work.path = argv[1];
    work.memory = platform_memory(&work.left);
    int status = measure();
    if (status != 0) {
        return status;
    }
    const size_t fallback = work.measured.peak + work.measured.peak / 2 + 4096;
    char *end = NULL;
    const size_t region = argc == 3 ? (size_t)strtoul(argv[2], &end, 10) : fallback & ~(size_t)7;
    if (end != NULL && (end == argv[2] || *end != '\0')) {
        return complain("REGION is a number of bytes");
    }
    unsigned char *const memory = region > HANDLE_BYTES ? carve(region - HANDLE_BYTES) : NULL;
    if (memory == NULL || cairn_heap_init(&work.heap, memory, region - HANDLE_BYTES, NULL) != 0) {
        return complain("no heap can be made of so many bytes");
    }
    const bool is_counted = platform_begin();
    print_head(region);
    status = replay(region);
    if (status != 0) {
        return status;
    }
    print_result();
    if (is_counted) {
        picture_tallies(platform_tallies);
    } else {
        printf("\nInstructions are not counted here: run it in QEMU with -icount shift=8.\n");
    }
    return work.replay.failed != 0 || work.is_broken ? 1 : 0;
}

int main(int argc, char **argv)
{
    const int status = run(argc, argv);
    const bool is_told = fflush(stdout) == 0 && ferror(stdout) == 0;
    return status == 0 && !is_told ? 1 : status;
}
