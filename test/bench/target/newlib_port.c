// SPDX-License-Identifier: MIT
//
// What start-up and the fault report expect of picolibc and the console, for programs that link newlib in its place.
// OWNS nothing. CALLERS: program.c, fault.c, exit().
#include "board.h"
#include "semihost.h"

void _set_tls(void *base);
_Noreturn void _exit(int status);

void _set_tls(void *base)
{
    (void)base;
}

void console_flush(void)
{
}

_Noreturn void _exit(int status)
{
    semihost_exit(status);
}

// What exit calls there; nothing is left to destroy.
void _fini(void);

void _fini(void)
{
}
