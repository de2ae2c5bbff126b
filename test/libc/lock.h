// SPDX-License-Identifier: MIT
//
// Which lock preempt.c runs with: lock.c says what HOOKED and UNLOCKED mean. OWNS: nothing. CALLERS: preempt.c.
#ifndef CAIRN_TEST_LOCK_H
#define CAIRN_TEST_LOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h> // which says what library it is

#ifndef HOOKED
#define HOOKED 0
#endif
#ifndef UNLOCKED
#define UNLOCKED 0
#endif

// How often a thread found the mutex taken. 0 without HOOKED.
uint32_t lock_waits(void);

#endif
