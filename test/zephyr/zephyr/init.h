// SPDX-License-Identifier: MIT
//
// Zephyr's initialisation: here, before main. OWNS: nothing. CALLERS: port/zephyr, as zephyr/init.h.
#ifndef CAIRN_TEST_ZEPHYR_INIT_H
#define CAIRN_TEST_ZEPHYR_INIT_H

#define SYS_INIT(function, level, priority)                    \
    __attribute__((constructor)) static void function##_run(void) \
    {                                                          \
        (void)function();                                      \
    }                                                          \
    _Static_assert(1, "a semicolon follows")

#endif
