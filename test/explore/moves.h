// SPDX-License-Identifier: MIT
//
// Every operation from one state of a small heap, each with what must come of it.
//
// OWNS: struct worker.
// COST: some hundred operations a state. CALLERS: explore.c, one worker a thread.
#ifndef MOVES_H
#define MOVES_H

#include "image.h"

struct worker {
    struct image from;  // the state
    struct image at;    // where the operation is done
    struct image last;  // what the operation before left
    struct view view;   // of from
    bool (*found)(void *context, struct shape shape);
    void *context;
    struct cairn_report report; // the last
    uint32_t reports;           // since the operation began
    uint32_t last_gone;         // block that the operation before might change
    bool sparing;               // leave out what is likely to repeat; see below
    uint64_t operations;
    const char *wrong; // NULL, or what went wrong; then `op` is the operation
    struct {
        const char *name;
        uint32_t block, granules, alignment, fit;
        uint16_t search;
    } op;
};

// Returns false iff the library refuses such a heap.
bool worker_init(struct worker *worker, uint32_t granules, uint32_t phase);

// Do everything from `shape`: each size, each alignment, each fit, for each block. A sparing worker leaves out sizes that are more than one
// granule above all that is free, tries an aligned request with one fit of the four, gives each block each new length by one of resize, realloc
// and aligned realloc with one fit, which change with state, block and length, and passes bad pointers to free alone.
// Hands each state that it leads to, maybe more than once, to worker->found. Returns false iff something went wrong: worker->wrong and worker->op say what.
bool worker_visit(struct worker *worker, struct shape shape);

// bad.c: every pointer that may not be freed, from the state in worker->from.
bool moves_bad_pointers(struct worker *worker);

static inline bool worker_fail(struct worker *worker, const char *wrong)
{
    if (worker->wrong == NULL) {
        worker->wrong = wrong;
    }
    return false;
}

#endif
