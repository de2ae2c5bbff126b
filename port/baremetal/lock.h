// SPDX-License-Identifier: MIT
//
// A lock for one core without a kernel: interrupts are held off.
//
// OWNS        the core's interrupt mask, between lock and unlock.
// INVARIANTS  1. Sections nest: the key is the mask as it was, and unlock puts it back.
//             2. They may be entered in an interrupt. With BAREMETAL_LOCK_PRIORITY, only in one of that priority or below: those above are never held off,
//                and must not use what the lock protects (free from such an interrupt: cairn/deferred.h).
// COST        three instructions to enter, one to leave. How long interrupts are held off is how long the heap's calls take (docs/BENCHMARKS.md).
// CALLERS     struct cairn_port_system, struct cairn_heap_hooks.
//
// BAREMETAL_LOCK_PRIORITY  Armv7-M, Armv8-M Mainline: the value for BASEPRI, the priority's bits at the top of a byte (1 to 255); interrupts that are more
//                          urgent stay on. 0 (default): PRIMASK, all interrupts.
#ifndef CAIRN_PORT_BAREMETAL_LOCK_H
#define CAIRN_PORT_BAREMETAL_LOCK_H

#include <stdint.h>

#ifndef BAREMETAL_LOCK_PRIORITY
#define BAREMETAL_LOCK_PRIORITY 0
#endif

// The entries of struct cairn_port_system; the context is not used.
uint32_t baremetal_lock(void *context);
void baremetal_unlock(void *context, uint32_t key);

#endif
