// SPDX-License-Identifier: MIT
//
// Bytes by the word; words.h says why. OWNS: nothing. COST: as words.h says.
#include "base/words.h"

#include "base/compiler.h"

#include <stdint.h>
#include <string.h>

#if CAIRN_SPEED && UINTPTR_MAX == UINT32_MAX

typedef uint32_t CAIRN_MAY_ALIAS aligned_word;

CAIRN_NOINLINE void cairn_words_zero_(void *to, size_t bytes)
{
    aligned_word *at = to;
    if ((((uintptr_t)to | bytes) & 3) != 0) {
        memset(to, 0, bytes);
        return;
    }
    for (; bytes >= 32; bytes -= 32, at += 8) {
        CAIRN_FORGET(at); // or the compiler makes a memset of it
        at[0] = at[1] = at[2] = at[3] = at[4] = at[5] = at[6] = at[7] = 0;
    }
    for (; bytes != 0; bytes -= 4, at++) {
        CAIRN_FORGET(at);
        at[0] = 0;
    }
}

CAIRN_NOINLINE void cairn_words_copy_(void *to, const void *from, size_t bytes)
{
    aligned_word *at = to;
    const aligned_word *its = from;
    if ((((uintptr_t)to | (uintptr_t)from | bytes) & 3) != 0) {
        memcpy(to, from, bytes);
        return;
    }
    for (; bytes >= 16; bytes -= 16, at += 4, its += 4) {
        CAIRN_FORGET(at);
        const uint32_t a = its[0], b = its[1], c = its[2], d = its[3];
        at[0] = a;
        at[1] = b;
        at[2] = c;
        at[3] = d;
    }
    for (; bytes != 0; bytes -= 4, at++, its++) {
        CAIRN_FORGET(at);
        at[0] = its[0];
    }
}

#else

CAIRN_NOINLINE void cairn_words_zero_(void *to, size_t bytes)
{
    memset(to, 0, bytes);
}

CAIRN_NOINLINE void cairn_words_copy_(void *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
}

#endif
