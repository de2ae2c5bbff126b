// SPDX-License-Identifier: MIT
//
// OWNS        the open file, 64 MB of memory. Counts nothing.
// CALLERS     as platform.h says.
#include "platform.h"

#include <stdio.h>

struct tally platform_tallies[TALLIES] = {{.name = "malloc"}, {.name = "free"}, {.name = "realloc"}};

static FILE *file;
static _Alignas(16) unsigned char memory[64u << 20];

const char *platform_name(void)
{
    return "this machine";
}

bool platform_begin(void)
{
    return false;
}

bool platform_open(const char *path)
{
    if (file != NULL) {
        fclose(file);
    }
    file = fopen(path, "rb");
    return file != NULL;
}

size_t platform_read(void *context, void *bytes, size_t size)
{
    (void)context;
    return fread(bytes, 1, size, file);
}

unsigned char *platform_memory(size_t *size)
{
    *size = sizeof memory;
    return memory;
}

static void *plain_alloc(void *heap, size_t size)
{
    return cairn_heap_alloc(heap, size);
}

static void *plain_aligned_alloc(void *heap, size_t alignment, size_t size)
{
    return cairn_heap_aligned_alloc(heap, alignment, size);
}

static void *plain_realloc(void *heap, void *block, size_t size)
{
    return cairn_heap_realloc(heap, block, size);
}

static void plain_free(void *heap, void *block)
{
    cairn_heap_free(heap, block);
}

const struct replay_calls platform_calls = {plain_alloc, plain_aligned_alloc, plain_realloc, plain_free};
