// SPDX-License-Identifier: MIT
//
// OWNS        the one cairn heap of a bench program.
// COST        as peer.h says.
// CALLERS     the bench programs; one thread.
#include <string.h>

#include "cairn/heap.h"
#include "counter.h"
#include "peer.h"

static struct cairn_heap heap;

void peer_prepare(struct area *area)
{
    (void)area;
}

bool peer_start(const char *fit, uint32_t search, unsigned char *region, size_t size)
{
    static const char *const names[] = {"best", "first", "worst", "bounded"};

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(fit, names[i]) == 0 && size > sizeof heap) {
            const struct cairn_heap_config config = {.fit = (enum cairn_fit)i, .search = (uint16_t)search};
            return cairn_heap_init(&heap, region, size - sizeof heap, &config) == 0;
        }
    }
    return false;
}

void *peer_alloc(uint32_t *count, uint32_t alignment, size_t size)
{
    const bool plain = alignment <= CAIRN_GRANULE;

    if (count == NULL)
        return plain ? cairn_heap_alloc(&heap, size) : cairn_heap_aligned_alloc(&heap, alignment, size);
    if (plain)
        return (void *)counter_call(count, (counter_function)cairn_heap_alloc, (uintptr_t)&heap, size, 0, 0);
    return (void *)counter_call(count, (counter_function)cairn_heap_aligned_alloc, (uintptr_t)&heap, alignment, size, 0);
}

void *peer_realloc(uint32_t *count, void *block, size_t size)
{
    if (count == NULL)
        return cairn_heap_realloc(&heap, block, size);
    return (void *)counter_call(count, (counter_function)cairn_heap_realloc, (uintptr_t)&heap, (uintptr_t)block, size, 0);
}

void peer_free(uint32_t *count, void *block)
{
    if (count == NULL)
        cairn_heap_free(&heap, block);
    else
        (void)counter_call(count, (counter_function)cairn_heap_free, (uintptr_t)&heap, (uintptr_t)block, 0, 0);
}
