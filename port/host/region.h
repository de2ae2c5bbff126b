// SPDX-License-Identifier: MIT
//
// Replaying a trace in a region of a given size, and looking for the smallest one.
//
// OWNS        struct runner: the memory that every run uses again.
// PICTURE     region bytes = handle as on a 32-bit machine (6 words) | what cairn_heap_init gets, aligned to 8
// INVARIANTS  1. A heap's image has the same size on every machine; only the handle's does not, so the smaller one is charged.
// COST        one pass over the trace a run; a run that must not fail ends at its first failure.
// CALLERS     cairn-replay and its tests.
#ifndef CAIRN_PORT_REGION_H
#define CAIRN_PORT_REGION_H

#include "load.h"

#define REGION_HANDLE_BYTES 24u
_Static_assert(sizeof(void *) != 4 || sizeof(struct cairn_heap) == REGION_HANDLE_BYTES, "the handle is counted");
#define REGION_STEP 64u
#define REGION_STEPS 32u
#define REGION_MAX ((size_t)1 << 30)

struct runner {
    const struct trace *trace;
    enum cairn_fit fit;
    uint16_t search;
    unsigned char *memory;
    size_t memory_size;
    struct replay_slot *slots;
    uint32_t runs;
    // After a run:
    bool is_made; // there was a heap
    struct cairn_heap heap;
    struct replay replay;
};

// Called before each operation of a run and once after the last, with op = the number of operations done. May be NULL.
typedef void (*runner_watch)(void *context, struct runner *runner, uint32_t op);

// Returns false iff memory is out; then there is nothing to end.
bool runner_begin(struct runner *runner, const struct trace *trace, enum cairn_fit fit, uint16_t search);
void runner_end(struct runner *runner);

// Make a heap in a region of so many bytes and replay the trace: to its first failure, or all of it. Returns whether nothing failed; a region in which no
// heap can be made, or memory that is out, counts as a failure of every operation.
bool runner_run(struct runner *runner, size_t region, bool is_whole, runner_watch watch, void *context);

// The smallest region in which nothing fails: bisect to REGION_STEP between the peak and a size that works; then, as the outcome is
// not monotonic, look at the next REGION_STEPS smaller sizes, REGION_STEP apart, starting again at each that works. Returns its
// bytes; 0 iff there is none up to REGION_MAX.
size_t runner_min_region(struct runner *runner);

#endif
