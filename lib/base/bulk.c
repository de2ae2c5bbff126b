// SPDX-License-Identifier: MIT
//
// Bytes by the word; bulk.h says why. Pages, which are aligned, go by two words at once, for which some cores have an instruction.
// OWNS: nothing. COST: as bulk.h says. CALLERS: any file of lib.
#include "base/bulk.h"

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef uint32_t CAIRN_MAY_ALIAS one_word;

#if CAIRN_SPEED && UINTPTR_MAX == UINT32_MAX

typedef uint64_t CAIRN_MAY_ALIAS two_words;

CAIRN_NOINLINE void cairn_bulk_zero_(void *to, size_t bytes)
{
    one_word *at = to;
    if ((((uintptr_t)to | bytes) & 3) != 0) {
        memset(to, 0, bytes);
        return;
    }
    const one_word *const end = at + bytes / 4;
    if (((uintptr_t)at & 4) != 0 && at != end) {
        *at++ = 0;
    }
    for (; end - at >= 8; at += 8) {
        two_words *const pair = (two_words *)(void *)at;
        pair[0] = pair[1] = pair[2] = pair[3] = 0;
        CAIRN_FORGET(at); // or the compiler makes a memset of it
    }
    const size_t left = (size_t)(end - at);
    if ((left & 4) != 0) {
        two_words *const pair = (two_words *)(void *)at;
        pair[0] = pair[1] = 0;
        at += 4;
    }
    if ((left & 2) != 0) {
        *(two_words *)(void *)at = 0;
        at += 2;
    }
    if ((left & 1) != 0) {
        *at = 0;
    }
}

CAIRN_NOINLINE void cairn_bulk_copy_(void *to, const void *from, size_t bytes)
{
    one_word *at = to;
    const one_word *its = from;
    if ((((uintptr_t)to | (uintptr_t)from | bytes) & 3) != 0) {
        memcpy(to, from, bytes);
        return;
    }
    const one_word *const end = at + bytes / 4;
    const bool is_paired = (((uintptr_t)to | (uintptr_t)from) & 7) == 0;
    for (const one_word *const eights = is_paired ? at + bytes / 32 * 8 : at; at != eights; at += 8, its += 8) {
        two_words *const pair = (two_words *)(void *)at;
        const two_words *const its_pair = (const two_words *)(const void *)its;
        pair[0] = its_pair[0];
        pair[1] = its_pair[1];
        pair[2] = its_pair[2];
        pair[3] = its_pair[3];
        CAIRN_FORGET(at);
    }
    for (; at != end; at++, its++) {
        *at = *its;
        CAIRN_FORGET(at);
    }
}

#else

CAIRN_NOINLINE void cairn_bulk_zero_(void *to, size_t bytes)
{
    memset(to, 0, bytes);
}

CAIRN_NOINLINE void cairn_bulk_copy_(void *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
}

#endif

CAIRN_INLINE bool is_by_words(uintptr_t one, uintptr_t other, size_t bytes)
{
    return CAIRN_SPEED && ((one | other | bytes) & 3) == 0;
}

CAIRN_NOINLINE bool cairn_bulk_is_zeros_(const void *from, size_t bytes)
{
    const unsigned char *at = from;
    const size_t step = is_by_words((uintptr_t)at, 0, bytes) ? sizeof(one_word) : 1;
    while (bytes != 0 && (step == 1 ? *at : *(const one_word *)(const void *)at) == 0) {
        at += step;
        bytes -= step;
    }
    return bytes == 0;
}

CAIRN_NOINLINE bool cairn_bulk_is_equal_(const void *one, const void *other, size_t bytes)
{
    const unsigned char *at = one;
    const unsigned char *its = other;
    const size_t step = is_by_words((uintptr_t)at, (uintptr_t)its, bytes) ? sizeof(one_word) : 1;
    while (bytes != 0 && (step == 1 ? *at == *its : *(const one_word *)(const void *)at == *(const one_word *)(const void *)its)) {
        at += step;
        its += step;
        bytes -= step;
    }
    return bytes == 0;
}
