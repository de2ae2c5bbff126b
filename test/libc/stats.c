// SPDX-License-Identifier: MIT
//
// malloc_stats and mstats, and what they should have printed: theirs goes to stderr, the other to stdout.
// OWNS: nothing. CALLERS: test/check/libc.sh, which compares the two.
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "port/libc/libc.h"

void mstats(char *heading); // which not all versions of newlib declare

static void print(const struct cairn_heap_stats *stats)
{
    printf("max system bytes = %10lu\n", (unsigned long)(stats->size + stats->overhead));
    printf("system bytes     = %10lu\n", (unsigned long)(stats->size + stats->overhead));
    printf("in use bytes     = %10lu\n", (unsigned long)stats->used);
    printf("max in use bytes = %10lu\n", (unsigned long)stats->peak);
}

int main(void)
{
    struct cairn_heap_stats stats;
    char heading[] = "with one block";
    malloc_stats();
    print(&(struct cairn_heap_stats){0}); // and from here on printf has its buffer

    void *volatile block = malloc(123456);
    void *volatile other = malloc(7654321);
    free(other);
    cairn_heap_stats(cairn_libc_heap(), &stats);
    mstats(heading);
    printf("Memory allocation statistics %s\n", heading);
    print(&stats);
#if defined(__NEWLIB__) && !defined(__PICOLIBC__)
    cairn_heap_stats(cairn_libc_heap(), &stats);
    _malloc_stats_r(_REENT);
    print(&stats);
    _mstats_r(_REENT, heading);
    printf("Memory allocation statistics %s\n", heading);
    print(&stats);
#endif
    free(block);
    return stats.used >= 123456 && stats.peak > stats.used + 7000000 ? 0 : 1;
}
