// SPDX-License-Identifier: MIT
//
// What the files of libcairn-malloc.so owe each other.
//
// OWNS: nothing. CALLERS: malloc.c, which has the arena; info.c.
#ifndef CAIRN_PORT_PRELOAD_H
#define CAIRN_PORT_PRELOAD_H

#include "cairn/arena.h"

#include <string.h>

#define EXPORT __attribute__((visibility("default")))

// The arena, made at the first call.
struct cairn_arena *preload_arena(void);

// What the arena is made from; it is to be changed before that. NULL: it is made already.
struct cairn_arena_config *preload_config(void);

// info.c. Take the settings that the environment has, before it is made.
void preload_read_settings(void);

// Lines are put together where nothing may allocate: each returns where the text ends.

static inline size_t append(char *line, size_t at, const char *text)
{
    const size_t length = strlen(text);
    memcpy(line + at, text, length);
    return at + length;
}

static inline size_t append_address(char *line, size_t at, uintptr_t address)
{
    at = append(line, at, " 0x");
    for (int shift = (int)sizeof address * 8 - 4; shift >= 0; shift -= 4) {
        line[at++] = "0123456789abcdef"[address >> shift & 15];
    }
    return at;
}

// To the right of a column of 12, or longer.
static inline size_t append_number(char *line, size_t at, size_t number)
{
    char digits[24];
    size_t from = sizeof digits;
    do {
        digits[--from] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (sizeof digits - from < 12) {
        digits[--from] = ' ';
    }
    memcpy(line + at, digits + from, sizeof digits - from);
    return at + sizeof digits - from;
}

#endif
