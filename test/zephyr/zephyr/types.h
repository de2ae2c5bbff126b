// SPDX-License-Identifier: MIT
//
// OWNS: nothing. CALLERS: port/zephyr, as zephyr/types.h.
#ifndef CAIRN_TEST_ZEPHYR_TYPES_H
#define CAIRN_TEST_ZEPHYR_TYPES_H

typedef union {
    long long number;
    void (*function)(void);
} z_max_align_t;

#endif
