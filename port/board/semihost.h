// SPDX-License-Identifier: MIT
//
// OWNS        nothing: the calls a program makes to the machine that debugs or emulates it.
// PICTURE     an operation's number and the address of its words in two registers, a trap, the answer in the first
//             (Arm IHI 0026 "Semihosting"; "RISC-V Semihosting" has the same operations). cpu.h has the trap.
// COST        one trap each; the host does the work. A core without a debugger or emulator faults at the trap.
// CALLERS     start-up, the console, tests and measurements. Thread or handler mode, no lock.
#ifndef CAIRN_PORT_SEMIHOST_H
#define CAIRN_PORT_SEMIHOST_H

#include <stddef.h>
#include <stdint.h>

// How semihost_open opens a file: fopen's "rb", "wb", "ab". The path ":tt" is standard output with _WRITE, standard error with _APPEND.
enum semihost_mode {
    SEMIHOST_READ = 1,
    SEMIHOST_WRITE = 5,
    SEMIHOST_APPEND = 9,
};

// Ends the program. QEMU's exit status is the low byte of `status`.
_Noreturn void semihost_exit(int status);

// Writes a string to the host's console (QEMU: standard error). Needs no open file, so that a fault handler may use it.
void semihost_print(const char *text);

// Writes a name and a word as 0x and eight digits, in the same way.
void semihost_print_word(const char *name, uint32_t value);

// Opens a file of the host. Returns a handle above 0; fails with -1 iff the host cannot open it.
int semihost_open(const char *path, enum semihost_mode mode);

// Reads up to `size` bytes at the file's position. Returns how many; fewer than `size` means the end of the file, or an error.
size_t semihost_read(int handle, void *bytes, size_t size);

// Writes `size` bytes. Returns how many were written.
size_t semihost_write(int handle, const void *bytes, size_t size);

// Moves the position to `offset` bytes from the start. Returns 0; fails with -1 iff the host refuses.
int semihost_seek(int handle, size_t offset);

// Returns the length of the file in bytes; fails with -1 iff the host cannot tell (a console has no length).
long semihost_length(int handle);

// Closes a handle. Returns 0; fails with -1 iff it was not open.
int semihost_close(int handle);

// Copies the command line, its words separated by blanks, and ends it with 0.
// Returns its length; fails with -1 iff it does not fit `size` bytes.
int semihost_command_line(char *text, size_t size);

#endif
