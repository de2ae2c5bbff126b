// SPDX-License-Identifier: MIT
//
// OWNS        nothing.
// INVARIANTS  S1  every operation's words stand on the caller's stack: the calls may nest and need no initialisation.
// COST        bounded by the host; at most 16 bytes of words, 40 of stack.
// CALLERS     as semihost.h says.
#include "semihost.h"

#include <string.h>

#include "cpu.h"

enum operation {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITE0 = 0x04,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_SEEK = 0x0A,
    SYS_FLEN = 0x0C,
    SYS_GET_CMDLINE = 0x15,
    SYS_EXIT_EXTENDED = 0x20,
};

#define STOPPED_APPLICATION_EXIT 0x20026u

static int32_t trap(enum operation operation, const void *words)
{
    return cpu_semihost((uintptr_t)operation, words);
}

_Noreturn void semihost_exit(int status)
{
    const uint32_t words[2] = {STOPPED_APPLICATION_EXIT, (uint32_t)status};

    for (;;)
        trap(SYS_EXIT_EXTENDED, words);
}

void semihost_print(const char *text)
{
    trap(SYS_WRITE0, text);
}

void semihost_print_word(const char *name, uint32_t value)
{
    char text[] = "0x00000000";

    for (int digit = 0; digit < 8; digit++)
        text[9 - digit] = "0123456789abcdef"[value >> (4 * digit) & 15];
    semihost_print(name);
    semihost_print(text);
}

int semihost_open(const char *path, enum semihost_mode mode)
{
    const uint32_t words[3] = {(uint32_t)(uintptr_t)path, (uint32_t)mode, (uint32_t)strlen(path)};

    return (int)trap(SYS_OPEN, words);
}

// The host answers both with the number of bytes that it did *not* move.
static size_t moved(enum operation operation, int handle, const void *bytes, size_t size)
{
    const uint32_t words[3] = {(uint32_t)handle, (uint32_t)(uintptr_t)bytes, (uint32_t)size};
    const uint32_t left = (uint32_t)trap(operation, words);

    return left <= size ? size - left : 0;
}

size_t semihost_read(int handle, void *bytes, size_t size)
{
    return moved(SYS_READ, handle, bytes, size);
}

size_t semihost_write(int handle, const void *bytes, size_t size)
{
    return moved(SYS_WRITE, handle, bytes, size);
}

int semihost_seek(int handle, size_t offset)
{
    const uint32_t words[2] = {(uint32_t)handle, (uint32_t)offset};

    return trap(SYS_SEEK, words) == 0 ? 0 : -1;
}

long semihost_length(int handle)
{
    const uint32_t words[1] = {(uint32_t)handle};

    return (long)trap(SYS_FLEN, words);
}

int semihost_close(int handle)
{
    const uint32_t words[1] = {(uint32_t)handle};

    return (int)trap(SYS_CLOSE, words);
}

int semihost_command_line(char *text, size_t size)
{
    uint32_t words[2] = {(uint32_t)(uintptr_t)text, (uint32_t)size};

    if (size == 0 || trap(SYS_GET_CMDLINE, words) != 0 || words[1] >= size)
        return -1;
    text[words[1]] = '\0';
    return (int)strlen(text);
}
