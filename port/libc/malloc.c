// SPDX-License-Identifier: MIT
//
// malloc and its family, under the names of C, of POSIX and of older systems.
//
// OWNS: what they set errno to. INVARIANTS: L2 of libc.h. COST: libc.h. CALLERS: the program, its C library.
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "libc.h"
#include "sbrk.h"

#define PAGE ((size_t)4096) // of valloc and pvalloc, as newlib has it

// Not in every library's headers.
void *memalign(size_t alignment, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
int posix_memalign(void **block, size_t alignment, size_t size);
void *reallocarray(void *block, size_t count, size_t size);
void *valloc(size_t size);
void *pvalloc(size_t size);
void cfree(void *block);
size_t malloc_usable_size(void *block);
int malloc_trim(size_t keep);
int mallopt(int parameter, int value);

static void *or_enomem(void *block)
{
    if (block == NULL) {
        errno = ENOMEM;
    }
    return block;
}

LIBC_CALLED void *malloc(size_t size)
{
    return or_enomem(cairn_libc_alloc(size));
}

LIBC_CALLED void *calloc(size_t count, size_t size)
{
    return or_enomem(cairn_libc_calloc(count, size));
}

LIBC_CALLED void *realloc(void *block, size_t size)
{
    void *const to = cairn_libc_realloc(block, size);
    return size == 0 ? to : or_enomem(to);
}

LIBC_CALLED void *reallocarray(void *block, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return or_enomem(NULL);
    }
    return realloc(block, count * size);
}

LIBC_CALLED void free(void *block)
{
    cairn_libc_free(block);
}

LIBC_CALLED void cfree(void *block)
{
    cairn_libc_free(block);
}

// C11, as corrected: an alignment that is a power of two, and any size. EINVAL: it is none.
LIBC_CALLED void *aligned_alloc(size_t alignment, size_t size)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        errno = EINVAL;
        return NULL;
    }
    return or_enomem(cairn_libc_aligned_alloc(alignment, size));
}

LIBC_CALLED void *memalign(size_t alignment, size_t size)
{
    return aligned_alloc(alignment, size);
}

// POSIX: a power of two that is a multiple of a pointer's size; errno and, on failure, *block stay as they were.
LIBC_CALLED int posix_memalign(void **block, size_t alignment, size_t size)
{
    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) {
        return EINVAL;
    }
    void *const to = cairn_libc_aligned_alloc(alignment, size);
    if (to == NULL) {
        return ENOMEM;
    }
    *block = to;
    return 0;
}

LIBC_CALLED void *valloc(size_t size)
{
    return memalign(PAGE, size);
}

LIBC_CALLED void *pvalloc(size_t size)
{
    return size > SIZE_MAX - PAGE ? or_enomem(NULL) : memalign(PAGE, (size + PAGE - 1) & ~(PAGE - 1));
}

LIBC_CALLED size_t malloc_usable_size(void *block)
{
    return cairn_libc_usable_size(block);
}

// Returns 1 where memory went back, else 0.
LIBC_CALLED int malloc_trim(size_t keep)
{
    return cairn_libc_trim(keep) != 0;
}

// Nothing can be set. Returns 0, which says so.
LIBC_CALLED int mallopt(int parameter, int value)
{
    (void)parameter;
    (void)value;
    return 0;
}

LIBC_CALLED struct mallinfo mallinfo(void)
{
    struct cairn_heap_stats stats;
    cairn_heap_stats(cairn_libc_heap(), &stats);
    return (struct mallinfo){.arena = stats.size + stats.overhead,
                             .ordblks = stats.free_blocks,
                             .uordblks = stats.used,
                             .fordblks = stats.free,
                             .keepcost = cairn_heap_top(cairn_libc_heap())};
}

