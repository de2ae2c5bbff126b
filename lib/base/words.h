// SPDX-License-Identifier: MIT
//
// Bytes by the word: zeroing and copying of pages and structs. Small C libraries do that by the byte, at four instructions for each.
// OWNS: nothing. COST: on Cortex-M4 12 instructions for 32 bytes of zeros, 16 for a copy of so many; for size, and with 64-bit pointers, the C library's.
// CALLERS: any file of lib, in any context.
#ifndef CAIRN_BASE_WORDS_H
#define CAIRN_BASE_WORDS_H

#include "base/compiler.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if CAIRN_SPEED && UINTPTR_MAX == UINT32_MAX
// As memset to 0 and memcpy, for any address and size. What is not whole words at addresses of words takes those.
void cairn_words_zero_(void *to, size_t bytes);
void cairn_words_copy_(void *to, const void *from, size_t bytes);
#else
CAIRN_INLINE void cairn_words_zero_(void *to, size_t bytes)
{
    memset(to, 0, bytes);
}

CAIRN_INLINE void cairn_words_copy_(void *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
}
#endif

#endif
