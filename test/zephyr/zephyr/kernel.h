// SPDX-License-Identifier: MIT
//
// The part of Zephyr's published interface that port/zephyr uses, so that it can be compiled and tested without Zephyr.
//
// OWNS: names, types and macros only; test_zephyr.c stands in for the kernel. The build gives the configuration. CALLERS: port/zephyr, as zephyr/kernel.h.
#ifndef CAIRN_TEST_ZEPHYR_KERNEL_H
#define CAIRN_TEST_ZEPHYR_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include <zephyr/types.h>

#define __noinit
#ifndef __aligned // picolibc has it too
#define __aligned(bytes) __attribute__((aligned(bytes)))
#endif
#define __weak __attribute__((weak))
#define BUILD_ASSERT(condition, text) _Static_assert(condition, text)
#define KB(n) ((n) * 1024)

struct k_spinlock {
    int depth;
};
typedef struct {
    int key;
} k_spinlock_key_t;

k_spinlock_key_t k_spin_lock(struct k_spinlock *lock);
void k_spin_unlock(struct k_spinlock *lock, k_spinlock_key_t key);
void k_panic(void);

#endif
