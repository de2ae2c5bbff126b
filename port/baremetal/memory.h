// SPDX-License-Identifier: MIT
//
// The port's memory where there is no kernel: a break in a span of RAM, and maps out of a static array of pages.
//
// OWNS        one word of RAM for the break, and a bit for each page.
// PICTURE     span   start |====== given out ======| at ........ room ........ | end
//             pages  | used | used | free | free | used | free |       a bit each, 1: used; neighbours that are free are one run, without being merged
// INVARIANTS  The description is constant (in flash, say); what changes is behind its pointers. Both start as zeros (.bss).
// COST        brk O(1). map O(pages): first fit; unmap O(pages given back).
// CALLERS     whoever fills in a struct cairn_port_region, the arena then, under its lock. Not tied to a core: the tests use it on the host too.
#ifndef CAIRN_PORT_BAREMETAL_MEMORY_H
#define CAIRN_PORT_BAREMETAL_MEMORY_H

#include "cairn/port.h"

struct baremetal_memory {
    unsigned char *start; // the span of the break
    unsigned char *end;
    unsigned char **at;   // where the break is; NULL there: at the start
    unsigned char *pages; // the first page, at a multiple of `page`; NULL: there are no maps
    uint32_t *used;       // (count + 31) / 32 words
    uint32_t count;       // pages
    uint32_t page;        // bytes of one, a power of two, at least 16
};

// The entries of struct cairn_port_region; the context is a struct baremetal_memory.
void *baremetal_brk(void *context, ptrdiff_t delta);
size_t baremetal_room(void *context);
// Returns NULL also iff size is 0 or no whole pages of the description.
void *baremetal_map(void *context, size_t size, size_t alignment);
// Returns CAIRN_EINVAL, and nothing has changed, iff that is not a run of whole pages that are all used.
int baremetal_unmap(void *context, void *address, size_t size);

// A port over a description, of the same page: zeroed is false, because pages come back as they were left.
#define BAREMETAL_REGION(memory, page_bytes)                                                                                     \
    {.context = (void *)(uintptr_t)(memory), .brk = baremetal_brk, .room = baremetal_room, .map = baremetal_map, .unmap = baremetal_unmap, .page = (page_bytes)}

// The same for a span alone.
#define BAREMETAL_BREAK(memory) {.context = (void *)(uintptr_t)(memory), .brk = baremetal_brk, .room = baremetal_room}

#endif
