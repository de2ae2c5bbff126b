// SPDX-License-Identifier: MIT
//
// The memory that a program's malloc may have: on a board as many bytes as the word says, on the host what there is.
// OWNS: nothing. CALLERS: run_lua.c, run_json.c, before anything is allocated.
#ifndef CAIRN_TEST_LIMIT_H
#define CAIRN_TEST_LIMIT_H

#if CAIRN_TEST_BOARD
#include <stdlib.h>

#include "test/libc/span.h"

static inline void limit_set(const char *word)
{
    const unsigned long bytes = strtoul(word, NULL, 10);
    if (bytes != 0) {
        span_set(bytes);
    }
}

#else

static inline void limit_set(const char *word)
{
    (void)word;
}

#endif

#endif
