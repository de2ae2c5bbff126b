// SPDX-License-Identifier: MIT
//
// OWNS        the C library's stdout, stderr and stdin, and the one line that each output collects.
// PICTURE     putchar -> line[used] -> at '\n' or when full: one semihosting write -> the host's standard output or error
// INVARIANTS  1. A line's bytes reach the host in order, none twice: used is 0 after every flush.
//             2. The host's handle is opened at the first flush; a program that prints nothing opens nothing.
// COST        80 bytes of RAM a stream (32 on the small board); one trap a line.
// CALLERS     printf and its family, one thread; exit() through _exit; the fault report.
#include <stdio.h>
#include <unistd.h>

#include "board.h"
#include "semihost.h"

#define LINE_BYTES (CAIRN_BOARD_SMALL ? 32 : 80)

struct console {
    FILE file; // first: the library hands back its address
    int handle;
    enum semihost_mode mode;
    size_t used;
    char line[LINE_BYTES];
};

static void line_flush(struct console *console)
{
    if (console->used == 0)
        return;
    if (console->handle == 0)
        console->handle = semihost_open(":tt", console->mode);
    semihost_write(console->handle, console->line, console->used);
    console->used = 0;
}

static int line_put(char byte, FILE *file)
{
    struct console *console = (struct console *)file;

    console->line[console->used++] = byte;
    if (byte == '\n' || console->used == sizeof console->line)
        line_flush(console);
    return (unsigned char)byte;
}

static int file_flush(FILE *file)
{
    line_flush((struct console *)file);
    return 0;
}

static int nothing_get(FILE *file)
{
    (void)file;
    return _FDEV_EOF;
}

static struct console output = {
    .file = FDEV_SETUP_STREAM(line_put, NULL, file_flush, _FDEV_SETUP_WRITE),
    .mode = SEMIHOST_WRITE,
};
static struct console error = {
    .file = FDEV_SETUP_STREAM(line_put, NULL, file_flush, _FDEV_SETUP_WRITE),
    .mode = SEMIHOST_APPEND,
};
static FILE input = FDEV_SETUP_STREAM(NULL, nothing_get, NULL, _FDEV_SETUP_READ);

__attribute__((used)) FILE *const stdout = &output.file;
__attribute__((used)) FILE *const stderr = &error.file;
__attribute__((used)) FILE *const stdin = &input;

void console_flush(void)
{
    line_flush(&output);
    line_flush(&error);
}

__attribute__((used)) _Noreturn void _exit(int status)
{
    console_flush();
    semihost_exit(status);
}
