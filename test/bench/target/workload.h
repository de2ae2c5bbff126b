// SPDX-License-Identifier: MIT
//
// OWNS        a recorded trace in memory, and its runs on the peer.
// PICTURE     file of the host --semihosting--> trace_reader (port/replay) --> op[count] --replay_step--> peer
// INVARIANTS  1. Blocks carry port/replay's stamps: an allocator that hands out what is in use does not pass.
// COST        16 bytes an operation, 8 an id.
// CALLERS     main.c.
#ifndef CAIRN_BENCH_WORKLOAD_H
#define CAIRN_BENCH_WORKLOAD_H

#include "area.h"
#include "replay.h"
#include "tally.h"

// The kinds of call that are told apart.
enum call_kind { CALL_MALLOC, CALL_FREE, CALL_REALLOC, CALL_KINDS };

struct workload {
    struct trace_op *ops;
    struct replay_slot *slots;
    uint32_t count;
    uint32_t ids;
    uint32_t peak;       // bytes
    struct tally *tally; // CALL_KINDS of them; NULL: do not count
    uint32_t failed;     // of the last run
    uint32_t broken;
};

// Reads a trace, text or compact. Returns NULL, or what is wrong.
const char *workload_load(struct workload *workload, struct area *area, const char *path);

// Runs all operations on the peer, freshly started. Returns whether none failed; to_the_end: goes on after one that did.
bool workload_run(struct workload *workload, bool to_the_end);

#endif
