// SPDX-License-Identifier: MIT
//
// The malloc of a C library (newlib, newlib-nano, picolibc), over an sbrk() that ends where the region ends.
//
// OWNS        the break, and a copy of all variables of the program as they were before the first allocation.
// PICTURE     region [ used by sbrk | left ) limit
// INVARIANTS  1. peer_start puts every variable of .data and .bss back, the library's and ours: it starts from nothing. So a
//                program that uses this keeps what must outlive a start on its stack or in the heap area.
// COST        a start copies .data and .bss.
// CALLERS     the bench programs; one thread.
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "counter.h"
#include "peer.h"

extern unsigned char data_start[], bss_end[];

void *sbrk(ptrdiff_t step);
void *_sbrk(ptrdiff_t step);

static unsigned char *saved;
static unsigned char *at;
static unsigned char *limit;

void *sbrk(ptrdiff_t step)
{
    unsigned char *const old = at;

    if (step > limit - at) {
        errno = ENOMEM;
        return (void *)-1;
    }
    at += step;
    return old;
}

void *_sbrk(ptrdiff_t step)
{
    return sbrk(step);
}

static size_t variables_size(void)
{
    return (size_t)((uintptr_t)bss_end - (uintptr_t)data_start);
}

void peer_prepare(struct area *area)
{
    saved = area_take(area, variables_size());
    memcpy(saved, data_start, variables_size());
}

bool peer_start(const char *fit, uint32_t search, unsigned char *region, size_t size)
{
    (void)search;
    memcpy(data_start, saved, variables_size());
    at = region;
    limit = region + size;
    return strcmp(fit, "libc") == 0;
}

void *peer_alloc(uint32_t *count, uint32_t alignment, size_t size)
{
    const bool plain = alignment <= 8;

    if (count == NULL)
        return plain ? malloc(size) : memalign(alignment, size);
    if (plain)
        return (void *)counter_call(count, (counter_function)malloc, size, 0, 0, 0);
    return (void *)counter_call(count, (counter_function)memalign, alignment, size, 0, 0);
}

void *peer_realloc(uint32_t *count, void *block, size_t size)
{
    if (count == NULL)
        return realloc(block, size);
    return (void *)counter_call(count, (counter_function)realloc, (uintptr_t)block, size, 0, 0);
}

void peer_free(uint32_t *count, void *block)
{
    if (count == NULL)
        free(block);
    else
        (void)counter_call(count, (counter_function)free, (uintptr_t)block, 0, 0, 0);
}
