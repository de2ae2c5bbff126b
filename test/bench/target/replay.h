// SPDX-License-Identifier: MIT
//
// OWNS        a run of a stream of operations on the peer, its stamps and its tallies.
// INVARIANTS  1. A block carries its slot's stamp in its first and its last byte from the call that gave it to the one that takes it;
//                a stamp that is gone is a broken allocator.
//             2. A failed operation leaves its slot dead: later operations on it are skipped.
// COST        O(operations).
// CALLERS     main.c.
#ifndef CAIRN_BENCH_REPLAY_H
#define CAIRN_BENCH_REPLAY_H

#include <stdbool.h>

#include "ops.h"
#include "tally.h"

struct slot {
    unsigned char *block; // NULL: none, or it failed
    uint32_t size;
};

struct run {
    const struct ops *ops;
    struct slot *slots;
    struct tally *tally; // OP_KINDS of them; NULL: do not count
    bool stop_at_failure;
    uint32_t failed;
    uint32_t broken;
};

// Runs all operations, the slots empty at first. Returns whether none failed.
bool replay(struct run *run);

#endif
