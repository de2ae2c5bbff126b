// SPDX-License-Identifier: MIT
//
// The break and the pages of a machine without a kernel.
// OWNS: nothing; memory.h says what belongs to whom. CALLERS: through struct cairn_port_region.
#include "memory.h"

void *baremetal_brk(void *context, ptrdiff_t delta)
{
    const struct baremetal_memory *const memory = context;
    unsigned char *const was = *memory->at == NULL ? memory->start : *memory->at;
    if (delta > memory->end - was || delta < memory->start - was) {
        return NULL;
    }
    *memory->at = was + delta;
    return was;
}

size_t baremetal_room(void *context)
{
    const struct baremetal_memory *const memory = context;
    return (size_t)(memory->end - (*memory->at == NULL ? memory->start : *memory->at));
}

static bool is_used(const struct baremetal_memory *memory, uint32_t page)
{
    return (memory->used[page / 32] >> page % 32 & 1) != 0;
}

// Turn the bits of n pages.
static void turn(const struct baremetal_memory *memory, uint32_t page, uint32_t n)
{
    for (uint32_t i = page; i < page + n; i++) {
        memory->used[i / 32] ^= (uint32_t)1 << i % 32;
    }
}

// Pages from `page` on that are in the state `used`, up to n.
static uint32_t run(const struct baremetal_memory *memory, uint32_t page, uint32_t n, bool used)
{
    uint32_t length = 0;
    while (length < n && page + length < memory->count && is_used(memory, page + length) == used) {
        length++;
    }
    return length;
}

void *baremetal_map(void *context, size_t size, size_t alignment)
{
    const struct baremetal_memory *const memory = context;
    const size_t n = size / memory->page;
    uint32_t page = 0;
    if (n == 0 || n > memory->count || size % memory->page != 0) { // whole pages of the description, whatever the port's `page` says
        return NULL;
    }
    while (page < memory->count) {
        const uintptr_t address = (uintptr_t)memory->pages + (size_t)page * memory->page;
        const size_t skip = ((0u - address) & (alignment - 1)) / memory->page;
        if (skip >= memory->count - page) {
            return NULL;
        }
        page += (uint32_t)skip;
        const uint32_t length = run(memory, page, (uint32_t)n, false);
        if (length == n) {
            turn(memory, page, length);
            return memory->pages + (size_t)page * memory->page;
        }
        page += length + 1; // behind the page that is used
    }
    return NULL;
}

int baremetal_unmap(void *context, void *address, size_t size)
{
    const struct baremetal_memory *const memory = context;
    const size_t offset = (size_t)((uintptr_t)address - (uintptr_t)memory->pages);
    const size_t whole = (size_t)memory->count * memory->page;
    const size_t below = memory->page - 1;
    if (size == 0 || offset >= whole || size > whole - offset || ((offset | size) & below) != 0) {
        return CAIRN_EINVAL;
    }
    const uint32_t first = (uint32_t)(offset / memory->page);
    const uint32_t n = (uint32_t)(size / memory->page);
    if (run(memory, first, n, true) != n) {
        return CAIRN_EINVAL;
    }
    turn(memory, first, n);
    return 0;
}
