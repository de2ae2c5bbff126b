// SPDX-License-Identifier: MIT
//
// Bytes by the word: zeroing, copying and comparing of pages and structs. Small C libraries do that by the byte, at four instructions for each.
// OWNS: nothing. COST: on Cortex-M4 7 instructions for 32 bytes of zeros, 12 for a copy of so many; for size, and with 64-bit pointers, the C library's. To
//     compare: a word or, for size, a byte at a time, up to the first that differs.
// CALLERS: any file of lib, in any context.
#ifndef CAIRN_BASE_BULK_H
#define CAIRN_BASE_BULK_H

#include <stdbool.h>
#include <stddef.h>

// As memset to 0 and memcpy, for any address and size; fast are whole words at addresses of words.
void cairn_bulk_zero_(void *to, size_t bytes);
void cairn_bulk_copy_(void *to, const void *from, size_t bytes);
// Are all bytes 0? Are they the same?
bool cairn_bulk_is_zeros_(const void *from, size_t bytes);
bool cairn_bulk_is_equal_(const void *one, const void *other, size_t bytes);

#endif
