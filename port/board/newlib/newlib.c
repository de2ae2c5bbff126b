// SPDX-License-Identifier: MIT
//
// What newlib and newlib-nano ask of a system, by semihosting; and what start-up and the fault report expect of console.c, which is picolibc's.
//
// OWNS        the files that are open, and the place in each: semihosting does not tell it.
// PICTURE     descriptor 0 1 2      the host's standard input, output and error
//             descriptor 3 4 ..     files[descriptor]: the host's handle, the place
// INVARIANTS  1. A handle of 0 is a file that is not open; 1 and 2 are opened at their first byte.
// COST        one or two traps a call, 64 bytes of RAM.
// CALLERS     newlib, one thread; exit() through _exit; the fault report. Compiled in the place of port/board/console.c.
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "board.h"
#include "semihost.h"

#define FILES 8

struct open_file {
    int handle;
    long at;
};

static struct open_file files[FILES];

void _set_tls(void *base);
int _open(const char *path, int flags, int mode);
int _close(int file);
int _read(int file, char *bytes, int size);
int _write(int file, const char *bytes, int size);
int _lseek(int file, int offset, int whence);
int _fstat(int file, struct stat *status);
int _isatty(int file);
void _fini(void);
int _getpid(void);
int _kill(int process, int signal);

static int fails(int why)
{
    errno = why;
    return -1;
}

static bool is_open(int file)
{
    return file >= 0 && file < FILES && files[file].handle != 0;
}

// newlib keeps its errno in a struct of its own: nothing is thread-local.
void _set_tls(void *base)
{
    (void)base;
}

// newlib's buffers are its own: exit() flushes them.
void console_flush(void)
{
}

__attribute__((used)) _Noreturn void _exit(int status)
{
    semihost_exit(status);
}

__attribute__((used)) int _open(const char *path, int flags, int mode)
{
    const int access = flags & O_ACCMODE;
    const enum semihost_mode how = access == O_RDONLY ? SEMIHOST_READ : (flags & O_APPEND) != 0 ? SEMIHOST_APPEND : SEMIHOST_WRITE;
    (void)mode;
    for (int file = 3; file < FILES; file++) {
        if (files[file].handle == 0) {
            const int handle = semihost_open(path, how);
            if (handle <= 0) {
                return fails(ENOENT);
            }
            files[file] = (struct open_file){handle, 0};
            return file;
        }
    }
    return fails(EMFILE);
}

__attribute__((used)) int _close(int file)
{
    if (!is_open(file)) {
        return fails(EBADF);
    }
    const int error = semihost_close(files[file].handle);
    files[file].handle = 0;
    return error == 0 ? 0 : fails(EIO);
}

__attribute__((used)) int _read(int file, char *bytes, int size)
{
    if (file == 0 || size < 0) {
        return 0;
    }
    if (!is_open(file)) {
        return fails(EBADF);
    }
    const size_t got = semihost_read(files[file].handle, bytes, (size_t)size);
    files[file].at += (long)got;
    return (int)got;
}

__attribute__((used)) int _write(int file, const char *bytes, int size)
{
    if ((file == 1 || file == 2) && files[file].handle == 0) {
        files[file].handle = semihost_open(":tt", file == 1 ? SEMIHOST_WRITE : SEMIHOST_APPEND);
    }
    if (!is_open(file) || size < 0) {
        return fails(EBADF);
    }
    const size_t put = semihost_write(files[file].handle, bytes, (size_t)size);
    files[file].at += (long)put;
    return (int)put;
}

__attribute__((used)) int _lseek(int file, int offset, int whence)
{
    if (!is_open(file) || file < 3) {
        return fails(ESPIPE);
    }
    const long from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? files[file].at : semihost_length(files[file].handle);
    const long to = from + offset;
    if (to < 0 || semihost_seek(files[file].handle, (size_t)to) != 0) {
        return fails(EINVAL);
    }
    files[file].at = to;
    return (int)to;
}

__attribute__((used)) int _fstat(int file, struct stat *status)
{
    *status = (struct stat){.st_mode = file < 3 ? S_IFCHR : S_IFREG};
    return 0;
}

__attribute__((used)) int _isatty(int file)
{
    return file < 3;
}

__attribute__((used)) int _getpid(void)
{
    return 1;
}

__attribute__((used)) int _kill(int process, int signal)
{
    (void)process;
    semihost_exit(128 + signal);
}

// What its exit calls where C++ is linked in: constructors are program_run's, and nothing is left to destroy.
__attribute__((used)) void _fini(void)
{
}
