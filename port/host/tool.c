// SPDX-License-Identifier: MIT
//
// OWNS        as tool.h says. COST: a reading of the clock each time progress is asked for.
// CALLERS     as tool.h says.
#include "tool.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

const char *tool_name = "cairn";

static double next_due = -1;
static bool is_line_shown;
static bool is_silent;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void tool_complain(const char *format, ...)
{
    va_list arguments;
    tool_progress_end();
    fflush(stdout);
    fprintf(stderr, "%s: ", tool_name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

bool tool_number(const char *text, uint64_t low, uint64_t high, uint64_t *number)
{
    char *end;
    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < low || value > high) {
        return false;
    }
    *number = value;
    return true;
}

bool tool_can_write(const char *path)
{
    struct stat status;
    const bool is_there = stat(path, &status) == 0;
    if (is_there && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
        return true; // to open a pipe is to begin writing
    }
    FILE *const file = fopen(path, "ab");
    if (file == NULL) {
        tool_complain("%s: %s", path, strerror(errno));
        return false;
    }
    fclose(file);
    if (!is_there) {
        (void)remove(path);
    }
    return true;
}

bool tool_progress_is_due(void)
{
    if (is_silent) {
        return false;
    }
    const double time = now();
    if (next_due < 0) {
        next_due = time + 1;
    }
    return time >= next_due;
}

void tool_progress(const char *format, ...)
{
    if (!tool_progress_is_due()) {
        return;
    }
    const bool is_terminal = isatty(STDERR_FILENO) != 0;
    va_list arguments;
    fprintf(stderr, is_terminal ? "\r\033[K%s: " : "%s: ", tool_name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    if (!is_terminal) {
        fputc('\n', stderr);
    }
    fflush(stderr);
    is_line_shown = is_terminal;
    next_due = now() + (is_terminal ? 0.25 : 10);
}

void tool_progress_end(void)
{
    if (is_line_shown) {
        fputs("\r\033[K", stderr);
        is_line_shown = false;
    }
}

void tool_progress_silence(void)
{
    is_silent = true;
}

int tool_end(int status)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0) {
        return status;
    }
    tool_complain("standard output: %s", strerror(errno));
    return TOOL_FAILED;
}

void tool_print_field(const char *text)
{
    const bool is_quoted = strpbrk(text, ",\"\r\n") != NULL;
    if (is_quoted) {
        putchar('"');
    }
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            putchar('"');
        }
        putchar(*text);
    }
    if (is_quoted) {
        putchar('"');
    }
}

bool tool_is_same_file(const char *one, const char *other)
{
    struct stat first;
    struct stat second;
    return stat(one, &first) == 0 && stat(other, &second) == 0 && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

const char *tool_base_name(const char *path, char *name, unsigned size)
{
    const char *const slash = strrchr(path, '/');
    snprintf(name, size, "%s", slash == NULL ? path : slash + 1);
    char *const dot = strrchr(name, '.');
    if (dot != NULL && dot != name) {
        *dot = '\0';
    }
    return name;
}
