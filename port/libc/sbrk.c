// SPDX-License-Identifier: MIT
//
// sbrk between the two symbols of the linker script, where the program has none of its own.
// OWNS: nothing; port/baremetal/linker.c has the break. CALLERS: grow.c, the C library, whoever else wants memory for good.
#include "sbrk.h"

#include <errno.h>

#include "libc.h"
#include "port/baremetal/linker.h"

LIBC_CALLED __attribute__((weak)) void *LIBC_SBRK(ptrdiff_t step)
{
    const uint32_t key = cairn_libc_lock();
    void *const was = baremetal_linker_region.brk(baremetal_linker_region.context, step);
    cairn_libc_unlock(key);
    if (was == NULL) {
        errno = ENOMEM;
        return (void *)-1;
    }
    return was;
}
