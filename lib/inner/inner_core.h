// SPDX-License-Identifier: MIT
//
// The heap in the break of a space: what the calls are made of.
//
// OWNS: nothing; names who does.
// PICTURE: break | head: magic, threshold, step, 0 | the image of a heap (docs/LAYOUT.md) .. | the break's end
// INVARIANTS: each of these has done all of it, or changed nothing.
// COST: as an access for each word. CALLERS: space_malloc.c. pre: but for init, the space has a heap.
#ifndef CAIRN_INNER_CORE_H
#define CAIRN_INNER_CORE_H

#include "cairn/space_heap.h"
#include "vm/share.h"

#define SPACE_HEAP_MAGIC 0x31485343u // "CSH1": bytes C S H 1 on a little-endian machine; 1 is the head's version

struct space_heap_head {
    uint32_t magic;
    uint32_t threshold; // pages
    uint32_t step;      // pages
    uint32_t unused;    // 0
};

_Static_assert(sizeof(struct space_heap_head) == 16, "the image behind it is at a multiple of any granule");

// Make the heap at the break's end, for at most `max` bytes of it.
CAIRN_MUST_CHECK int cairn_inner_init_(struct cairn_space *space, const struct space_heap_head *head, size_t max);
// Its head. CAIRN_ECORRUPT iff it is none.
CAIRN_MUST_CHECK int cairn_inner_head_(struct cairn_space *space, struct space_heap_head *head);
// pre: 1 <= size, alignment is a power of two, and not more than a page.
CAIRN_MUST_CHECK int cairn_inner_alloc_(struct cairn_space *space, size_t size, size_t alignment, bool zeros, cairn_vaddr_t *address);
// pre: 1 <= size.
CAIRN_MUST_CHECK int cairn_inner_realloc_(struct cairn_space *space, cairn_vaddr_t *address, size_t size);
CAIRN_MUST_CHECK int cairn_inner_free_(struct cairn_space *space, cairn_vaddr_t address);
CAIRN_MUST_CHECK int cairn_inner_size_(struct cairn_space *space, cairn_vaddr_t address, size_t *size);
CAIRN_MUST_CHECK int cairn_inner_trim_(struct cairn_space *space, size_t pad);
CAIRN_MUST_CHECK int cairn_inner_stats_(struct cairn_space *space, struct cairn_space_heap_stats *stats);

#endif
