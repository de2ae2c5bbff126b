// SPDX-License-Identifier: MIT
//
// The replay of a trace: makes each of its operations on a heap, and watches the blocks.
//
// OWNS        the slots: where each id's block is, and its size.
// PICTURE     trace_op --replay_step--> calls->alloc, free ... ; slots[id] = block, size
//             a block   [stamp ... stamp]: four bytes at each end that only this id has
// INVARIANTS  1. A stamp is written when a block comes, and compared before it goes or moves and after it moved.
//             2. A size of 0 counts as 1. A failed operation is counted once; later ones on that id are skipped.
// COST        O(1) an operation beside the call; 8 bytes an id on a 32-bit machine.
// CALLERS     the host's tools, programs on a board; one thread.
#ifndef CAIRN_PORT_REPLAY_H
#define CAIRN_PORT_REPLAY_H

#include <cairn/heap.h>

#include "trace.h"

struct replay_slot {
    unsigned char *block;
    uint32_t size; // 0: not live, or given up after a failure
};

// The allocator under replay; `context` is the one of replay_begin. Sizes are never 0.
struct replay_calls {
    void *(*alloc)(void *context, size_t size);
    void *(*aligned_alloc)(void *context, size_t alignment, size_t size);
    void *(*realloc)(void *context, void *block, size_t size);
    void (*free)(void *context, void *block);
};

// Those of cairn's heap; context: the struct cairn_heap.
extern const struct replay_calls replay_heap_calls;

struct replay {
    const struct replay_calls *calls; // NULL: nothing is called, the figures are those of the trace itself
    void *context;
    struct replay_slot *slots;
    uint32_t ops;     // done, failed ones included
    uint32_t failed;
    uint32_t skipped; // for an earlier failure of the same id
    uint32_t broken;  // stamps found damaged
    uint32_t blocks;  // live
    uint32_t peak_blocks;
    size_t live; // bytes requested
    size_t peak;
};

// Begin. slots: one for each id, zeroed here.
void replay_begin(struct replay *replay, const struct replay_calls *calls, void *context, struct replay_slot *slots, uint32_t slot_count);

// Make one operation. pre: sound (trace.h, invariant 1), its id below slot_count. Returns false iff it failed or a stamp was damaged.
bool replay_step(struct replay *replay, const struct trace_op *op);

#endif
