// SPDX-License-Identifier: MIT
//
// Does this build check what it is given? Where it does not, a bad pointer to a heap or a pool and a broken link are undefined behaviour, and no test may bring one.
//
// CALLERS     the fixtures, and tests without one. After cmocka.h.
#ifndef CAIRN_TEST_HARDENING_H
#define CAIRN_TEST_HARDENING_H

#include "cairn/config.h"

#define IS_HARDENED (CAIRN_HARDEN >= 1)
#define NEEDS_HARDENING \
    do { \
        if (!IS_HARDENED) { \
            skip(); \
        } \
    } while (0)

#endif
