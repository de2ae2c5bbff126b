// SPDX-License-Identifier: MIT
//
// newlib's own names for malloc, which it uses inside: each has the thread's struct, and with it the errno, as its first argument.
//
// OWNS: what they set that errno to. INVARIANTS: L2 of libc.h. COST: libc.h. CALLERS: newlib and newlib-nano; picolibc has none of them.
#include "sbrk.h"

#if defined(__NEWLIB__) && !defined(__PICOLIBC__)
#include <errno.h>
#include <malloc.h>
#include <reent.h>

#include "libc.h"

#ifndef _REENT_ERRNO
#define _REENT_ERRNO(reent) ((reent)->_errno)
#endif

#undef _malloc_r // without threads some of newlib's headers make them macros
#undef _calloc_r
#undef _realloc_r
#undef _free_r

void _cfree_r(struct _reent *reent, void *block);

static void *or_enomem(struct _reent *reent, void *block)
{
    if (block == NULL) {
        _REENT_ERRNO(reent) = ENOMEM;
    }
    return block;
}

LIBC_CALLED void *_malloc_r(struct _reent *reent, size_t size)
{
    return or_enomem(reent, cairn_libc_alloc(size));
}

LIBC_CALLED void *_calloc_r(struct _reent *reent, size_t count, size_t size)
{
    return or_enomem(reent, cairn_libc_calloc(count, size));
}

LIBC_CALLED void *_realloc_r(struct _reent *reent, void *block, size_t size)
{
    void *const to = cairn_libc_realloc(block, size);
    return size == 0 ? to : or_enomem(reent, to);
}

LIBC_CALLED void _free_r(struct _reent *reent, void *block)
{
    (void)reent;
    cairn_libc_free(block);
}

LIBC_CALLED void _cfree_r(struct _reent *reent, void *block)
{
    _free_r(reent, block);
}

LIBC_CALLED void *_memalign_r(struct _reent *reent, size_t alignment, size_t size)
{
    return or_enomem(reent, cairn_libc_aligned_alloc(alignment, size));
}

LIBC_CALLED void *_valloc_r(struct _reent *reent, size_t size)
{
    return or_enomem(reent, valloc(size));
}

LIBC_CALLED void *_pvalloc_r(struct _reent *reent, size_t size)
{
    return or_enomem(reent, pvalloc(size));
}

LIBC_CALLED size_t _malloc_usable_size_r(struct _reent *reent, void *block)
{
    (void)reent;
    return cairn_libc_usable_size(block);
}

LIBC_CALLED int _malloc_trim_r(struct _reent *reent, size_t keep)
{
    (void)reent;
    return malloc_trim(keep);
}

LIBC_CALLED int _mallopt_r(struct _reent *reent, int parameter, int value)
{
    (void)reent;
    return mallopt(parameter, value);
}

LIBC_CALLED struct mallinfo _mallinfo_r(struct _reent *reent)
{
    (void)reent;
    return mallinfo();
}

#else

typedef int reent_is_newlibs; // ISO C has no empty file

#endif
