// SPDX-License-Identifier: MIT
//
// A program's own sbrk, over as many bytes of the heap area as it is told.
// OWNS: the break, and where it must stop. CALLERS: whatever malloc is linked.
#include "span.h"

#include <errno.h>

#include "board.h"
#include "port/libc/sbrk.h"

static unsigned char *at;
static unsigned char *limit;

void span_set(size_t bytes)
{
    limit = cairn_heap_area_start + bytes;
}

size_t span_taken(void)
{
    return at == NULL ? 0 : (size_t)(at - cairn_heap_area_start);
}

void *LIBC_SBRK(ptrdiff_t step)
{
    unsigned char *const was = at == NULL ? cairn_heap_area_start : at;
    if (limit == NULL) {
        limit = cairn_heap_area_end;
    }
    if (step > limit - was || step < cairn_heap_area_start - was) {
        errno = ENOMEM;
        return (void *)-1;
    }
    at = was + step;
    return was;
}
