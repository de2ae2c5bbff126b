// SPDX-License-Identifier: MIT
//
// OWNS: nothing. CALLERS: port/zephyr, as zephyr/sys/printk.h.
#ifndef CAIRN_TEST_ZEPHYR_PRINTK_H
#define CAIRN_TEST_ZEPHYR_PRINTK_H

void printk(const char *format, ...);

#endif
