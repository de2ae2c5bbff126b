// SPDX-License-Identifier: MIT
//
// cairn behind the C library's malloc: strdup, qsort and printf take their memory from it, and its figures can be asked for.
#define _POSIX_C_SOURCE 200809L // strdup
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "port/libc/libc.h"

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(void)
{
    static const char *const names[] = {"tag", "granule", "region", "block", "heap"};
    enum { COUNT = sizeof names / sizeof names[0] };
    char *words[COUNT];

    printf("nouns of a heap:\n"); // from here on printf has its buffer
    struct cairn_heap_stats before;
    cairn_heap_stats(cairn_libc_heap(), &before);

    for (int i = 0; i < COUNT; i++) {
        words[i] = strdup(names[i]);
        if (words[i] == NULL)
            return 1;
    }
    qsort(words, COUNT, sizeof words[0], compare);
    for (int i = 0; i < COUNT; i++)
        printf("  %s\n", words[i]);

    struct cairn_heap_stats during;
    cairn_heap_stats(cairn_libc_heap(), &during);
    printf("%u blocks more, %u bytes\n", (unsigned)(during.used_blocks - before.used_blocks), (unsigned)(during.used - before.used));
    for (int i = 0; i < COUNT; i++)
        free(words[i]);

    return cairn_heap_check(cairn_libc_heap(), NULL) == 0 ? 0 : 1;
}
