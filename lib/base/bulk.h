// SPDX-License-Identifier: MIT
//
// Bytes by the word: zeroing and copying of pages and structs. Small C libraries do that by the byte, at four instructions for each.
// OWNS: nothing. COST: on Cortex-M4 7 instructions for 32 bytes of zeros, 12 for a copy of so many; for size, and with 64-bit pointers, the C library's.
// CALLERS: any file of lib, in any context.
#ifndef CAIRN_BASE_BULK_H
#define CAIRN_BASE_BULK_H

#include <stddef.h>

// As memset to 0 and memcpy, for any address and size; fast are whole words at addresses of words.
void cairn_bulk_zero_(void *to, size_t bytes);
void cairn_bulk_copy_(void *to, const void *from, size_t bytes);

#endif
