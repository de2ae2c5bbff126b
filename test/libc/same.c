// SPDX-License-Identifier: MIT
//
// Prints how malloc answers where the standards leave it a choice: the same, whether cairn is behind it or the library's own.
// OWNS: nothing. CALLERS: test/check/libc.sh, which builds it both ways and compares.
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void show(const char *what, const void *block)
{
    printf("%s: %s, errno %s\n", what, block == NULL ? "NULL" : "a block", errno == 0 ? "0" : errno == ENOMEM ? "ENOMEM" : "another");
    errno = 0;
}

int main(void)
{
    const volatile size_t none = 0;
    const volatile size_t huge = SIZE_MAX - 64;
    void *volatile block = malloc(none);
    void *volatile other = malloc(none);
    errno = 0;
    show("malloc(0)", block);
    printf("malloc(0) twice: %s\n", block == other ? "the same" : "different");
    free(other);
    show("realloc(p, huge)", realloc(block, huge));
    show("realloc(p, 0)", realloc(block, none));
    show("realloc(NULL, 0)", realloc(NULL, none));
    show("calloc(0, 1)", calloc(none, 1));
    show("calloc(1, 0)", calloc(1, none));
    show("malloc(huge)", malloc(huge));
    return 0;
}
