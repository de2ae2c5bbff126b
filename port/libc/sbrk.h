// SPDX-License-Identifier: MIT
//
// What the three C libraries call the break, where they differ, and what they call.
// OWNS: nothing. CALLERS: the other files here.
#ifndef CAIRN_PORT_LIBC_SBRK_H
#define CAIRN_PORT_LIBC_SBRK_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h> // which says what library it is

#if defined(__PICOLIBC__)
#define LIBC_SBRK sbrk
#define LIBC_REALLOC_0_FREES 1
#elif defined(__NEWLIB__)
#define LIBC_SBRK _sbrk
#if defined(_NANO_FORMATTED_IO)
#define LIBC_REALLOC_0_FREES 1
#else
#define LIBC_REALLOC_0_FREES 0
#endif
#else
#error "port/libc: it knows newlib, newlib-nano and picolibc, and this C library is none of them"
#endif

// Of a function that the library calls: it stays where link-time optimisation sees no call of it. The linker drops it where there is none.
#define LIBC_CALLED __attribute__((used))

// The library's own: the break as it was, (void *)-1 where it did not move.
void *LIBC_SBRK(ptrdiff_t step);

// The same, NULL where it did not move. errno stays as it was: a try that fails need be no failure of the call that makes it.
static inline unsigned char *libc_sbrk(ptrdiff_t step)
{
    const int before = errno;
    void *const was = LIBC_SBRK(step);
    errno = before;
    return was == (void *)-1 ? NULL : was;
}

#endif
