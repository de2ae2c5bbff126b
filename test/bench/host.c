// SPDX-License-Identifier: MIT
//
// The host's malloc beside cairn: the memory that a trace takes, and the time.
//
//   host TRACE glibc|best|bounded REGION    prints ops,peak bytes,bytes taken,ns an operation
//
// OWNS        the trace and the region, both outside the allocator under measurement (mmap).
// PICTURE     glibc: bytes taken = the largest length of its arena; large blocks stay in it, it grows by pages
//             cairn: bytes taken = REGION
// COST        RUNS replays.
// CALLERS     host.py. The time is a timing: it depends on the machine and on what else it does.
#define _DEFAULT_SOURCE
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "replay.h"

#define RUNS 5
#define AREA_BYTES ((size_t)256 << 20)

static unsigned char *area;

static void *area_take(size_t size)
{
    unsigned char *const taken = area;

    area += (size + 63) & ~(size_t)63;
    return taken;
}

static size_t file_read(void *context, void *bytes, size_t size)
{
    return fread(bytes, 1, size, context);
}

static size_t arena_peak;

static void arena_look(void)
{
    const struct mallinfo2 info = mallinfo2();

    if (info.arena + info.hblkhd > arena_peak)
        arena_peak = info.arena + info.hblkhd;
}

static void *libc_alloc(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void *libc_aligned(void *context, size_t alignment, size_t size)
{
    (void)context;
    return memalign(alignment, size);
}

static void *libc_realloc(void *context, void *block, size_t size)
{
    (void)context;
    return realloc(block, size);
}

static void libc_free(void *context, void *block)
{
    (void)context;
    free(block);
}

static const struct replay_calls libc_calls = {libc_alloc, libc_aligned, libc_realloc, libc_free};

struct load {
    struct trace_op *ops;
    struct replay_slot *slots;
    uint32_t count;
    uint32_t ids;
};

static int load_trace(struct load *load, const char *path)
{
    static struct trace_reader reader;
    static char buffer[4096];
    FILE *const file = fopen(path, "rb");

    if (file == NULL || setvbuf(file, buffer, _IOFBF, sizeof buffer) != 0 || trace_open(&reader, file_read, file) != 0)
        return -1;
    load->ids = reader.header.ids;
    load->slots = area_take((load->ids + (size_t)1) * sizeof *load->slots);
    if (trace_set_table(&reader, area_take(trace_table_size(load->ids)), load->ids) != 0)
        return -1;
    load->ops = (struct trace_op *)(void *)area;
    int got = trace_next(&reader, &load->ops[0]);
    while (got == 1)
        got = trace_next(&reader, &load->ops[++load->count]);
    (void)area_take((load->count + (size_t)1) * sizeof *load->ops);
    fclose(file);
    return got;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

// One run; what the trace leaves behind is freed, so that the next starts from an empty heap.
static double run(const struct load *load, const struct replay_calls *calls, void *context, struct replay *replay, int look)
{
    replay_begin(replay, calls, context, load->slots, load->ids);
    const double start = seconds();
    for (uint32_t i = 0; i < load->count; i++) {
        (void)replay_step(replay, &load->ops[i]);
        if (look)
            arena_look();
    }
    const double end = seconds();
    for (uint32_t i = 0; i < load->ids; i++) {
        if (load->slots[i].size != 0)
            calls->free(context, load->slots[i].block);
    }
    return end - start;
}

int main(int argc, char **argv)
{
    struct load load = {0};
    struct replay replay;
    struct cairn_heap heap;
    const size_t region = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    double best = 1e9;

    // Before anything allocates: the arena then holds the trace's blocks and the few hundred bytes of an open file.
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 30);
    (void)mallopt(M_TOP_PAD, 0);
    area = mmap(NULL, AREA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (argc < 4 || (void *)area == MAP_FAILED || load_trace(&load, argv[1]) != 0) {
        fprintf(stderr, "usage: host TRACE glibc|best|bounded REGION\n");
        return 1;
    }
    const int is_libc = strcmp(argv[2], "glibc") == 0;
    const struct cairn_heap_config config = {.fit = strcmp(argv[2], "bounded") == 0 ? CAIRN_FIT_BOUNDED : CAIRN_FIT_BEST};
    void *const memory = area_take(region + 1);
    for (int i = 0; i < RUNS; i++) {
        double taken;
        if (is_libc) {
            taken = run(&load, &libc_calls, NULL, &replay, i == 0);
        } else {
            if (cairn_heap_init(&heap, memory, region, &config) != 0)
                return 1;
            taken = run(&load, &replay_heap_calls, &heap, &replay, 0);
        }
        if ((!is_libc || i > 0) && taken < best)
            best = taken;
    }
    printf("%lu,%zu,%zu,%.1f\n", (unsigned long)load.count, replay.peak, is_libc ? arena_peak : region, best * 1e9 / load.count);
    return replay.failed != 0 || replay.broken != 0;
}
