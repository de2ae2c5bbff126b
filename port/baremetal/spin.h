// SPDX-License-Identifier: MIT
//
// A lock for several cores that share a heap: interrupts held off on this core, and a spinlock against the others.
//
// OWNS        a word, or a lock that the chip has.
// INVARIANTS  1. Interrupts go off first and come back last: no interrupt of this core can wait for what its own core holds.
//             2. It does not nest: the heap's and the arena's calls nest none.
// COST        as lock.h, and a wait for as long as the other core is inside: one call of the heap (docs/BENCHMARKS.md says how long that is).
// CALLERS     struct cairn_port_system, struct cairn_heap_hooks, with a struct baremetal_spin as the context.
#ifndef CAIRN_PORT_BAREMETAL_SPIN_H
#define CAIRN_PORT_BAREMETAL_SPIN_H

#include <stdint.h>

struct baremetal_spin {
    // A lock of the chip, as dual-core Cortex-M0+ parts have them: a read that takes it gives something other than 0, a write of anything gives it
    // back. NULL: `word` is the lock, for cores with exclusive loads and stores or atomic words, in memory that all of them share.
    volatile uint32_t *hardware;
    uint32_t word;
};

uint32_t baremetal_spin_lock(void *context);
void baremetal_spin_unlock(void *context, uint32_t key);

#endif
