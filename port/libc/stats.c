// SPDX-License-Identifier: MIT
//
// malloc_stats and mstats: the heap's figures, printed. A file of its own, as it is all that needs stdio.
//
// OWNS: nothing. INVARIANTS: L2 of libc.h. COST: linked iff called; fputs, and no printf. The figures are those before it prints, which may allocate.
// CALLERS: the program.
#include <malloc.h>
#include <stdio.h>

#include "libc.h"
#include "sbrk.h"

static void print(const char *what, size_t bytes)
{
    char number[] = "          \n"; // 2^32 - 1 has 10 digits
    size_t at = 10;
    do {
        number[--at] = (char)('0' + bytes % 10);
        bytes /= 10;
    } while (bytes != 0 && at != 0);
    (void)fputs(what, stderr);
    (void)fputs(number, stderr);
}

// Three lines as the libraries' own prints them, and one more. That the heap was larger once nobody knows.
static void print_stats(const struct cairn_heap_stats *stats)
{
    print("max system bytes = ", stats->size + stats->overhead);
    print("system bytes     = ", stats->size + stats->overhead);
    print("in use bytes     = ", stats->used);
    print("max in use bytes = ", stats->peak);
}

void malloc_stats(void)
{
    struct cairn_heap_stats stats;
    cairn_heap_stats(cairn_libc_heap(), &stats);
    print_stats(&stats);
}

void mstats(char *heading)
{
    struct cairn_heap_stats stats;
    cairn_heap_stats(cairn_libc_heap(), &stats);
    (void)fputs("Memory allocation statistics ", stderr);
    (void)fputs(heading, stderr);
    (void)fputs("\n", stderr);
    print_stats(&stats);
}

#if defined(__NEWLIB__) && !defined(__PICOLIBC__)

void _malloc_stats_r(struct _reent *reent)
{
    (void)reent;
    malloc_stats();
}

void _mstats_r(struct _reent *reent, char *heading)
{
    (void)reent;
    mstats(heading);
}

#endif
