// SPDX-License-Identifier: MIT
//
// A heap in a static array: one block in, one block out. Runs as it is on the host and on every board.
#include <cairn/heap.h>
#include <stdio.h>
#include <string.h>

static unsigned char region[2048];

int main(void)
{
    struct cairn_heap heap;

    if (cairn_heap_init(&heap, region, sizeof region, NULL) != 0)
        return 1;

    char *text = cairn_heap_alloc(&heap, 32);
    if (text == NULL)
        return 1;
    strcpy(text, "hello, heap");
    printf("%s\n", text);

    cairn_heap_free(&heap, text);
    printf("done\n");
    return 0;
}
