// SPDX-License-Identifier: MIT
//
// The states that were found: an exact set that several threads add to, and the queue of those that were not visited yet.
//
// OWNS: struct found.
// PICTURE: slots   open addressing, a state's key each, 0 is empty
//          queue   the keys in the order of their discovery: [0, head) taken, [head, tail) waiting
// INVARIANTS: a key is in the queue exactly once, because it is queued by the thread whose compare-and-swap put it into its slot.
//     A key is the whole state (no fingerprint): two states are never taken for one.
// COST: 8 bytes a state in the queue, and 8 bytes a slot. CALLERS: explore.c.
#ifndef FOUND_H
#define FOUND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct found {
    _Atomic uint64_t *slots;
    _Atomic uint64_t *queue;
    uint64_t mask;
    uint64_t room;          // of the queue
    _Atomic uint64_t tail;  // states found
    _Atomic uint64_t head;  // states taken
    _Atomic uint64_t ended; // states visited
};

// Returns false iff there is no memory for `states` of them.
bool found_init(struct found *found, uint64_t states);
void found_deinit(struct found *found);

// Add a key that is not 0. Returns false iff there is no room.
bool found_add(struct found *found, uint64_t key);

// Take the next state to visit; 0: all are visited. Waits while others may still find some. Call found_visited after the visit.
uint64_t found_take(struct found *found);

static inline void found_visited(struct found *found)
{
    atomic_fetch_add(&found->ended, 1);
}

#endif
