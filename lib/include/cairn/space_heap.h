// SPDX-License-Identifier: MIT
//
// malloc inside a space: blocks of a space's own memory, by virtual address.
//
// VITALS
//   small blocks  from a heap in the break, with the rules and the layout of heap.h, after a head of 16 bytes (docs/LAYOUT.md): 8 bytes is the smallest
//   large blocks  a mapping of whole pages each, which goes when the block is freed
//   memory        all of the heap lies in the space: a fork copies it, and who saves the space's pages saves it. In struct cairn_space: its address
//   RAM           is taken when a page is touched: the tags of the largest heap are addresses only. Where the vm promises strictly they count
//   time          a bounded number of words of the heap, each as an access; a page of each that changes is pinned. Mappings: O(mappings)
//   stack         some 3 KB, and that of an access
//   errors        0 or a negative error; on an error nothing has changed: what is to be written is written when all its pages are there and pinned
//   trust         none: the program in the space may write over its heap. The calls then fail, or harm that space's memory, and no other's
//   threads, ISR  as vm.h; not from a space's handler
#ifndef CAIRN_SPACE_HEAP_H
#define CAIRN_SPACE_HEAP_H

#include "cairn/object.h"

#ifdef __cplusplus
extern "C" {
#endif

// Zero means the default.
struct cairn_space_heap_config {
    uint64_t max;       // bytes of the break that the heap may take, with its bookkeeping, which is made for so many: at most 1 GB. Default: half of the room above
                        // the break, and no more than the vm's frames and slots hold
    uint64_t threshold; // blocks of so many bytes, or more, are mapped; whole pages count. Default: 128 KB
    uint64_t step;      // bytes by which the break moves at least; whole pages count. Default: 64 KB, or an eighth of max
};

struct cairn_space_heap_stats {
    uint64_t size;    // bytes of all granules of the heap
    uint64_t used;    // in used blocks; what others took of the break in between counts
    uint64_t free;    // size - used
    uint64_t peak;    // largest `used` so far
    uint64_t mapped;  // in blocks that are mapped
    uint32_t used_blocks, free_blocks, mapped_blocks;
};

// Make the heap of a space where its break is. What allocates makes it with all defaults where there is none. Fails with CAIRN_EINVAL iff the space has no break
// (cairn_space_set_break) or is NULL; CAIRN_EBUSY iff it has a heap; CAIRN_ENOMEM iff there is no room above the break, or max has none for a block; as cairn_space_brk;
// as an access. config NULL: all defaults.
CAIRN_MUST_CHECK int cairn_space_heap_init(struct cairn_space *space, const struct cairn_space_heap_config *config);

// Allocate `size` bytes, a multiple of CAIRN_GRANULE in their address: *address, 0 for 0 bytes. Not zeroed. Fails with CAIRN_EINVAL iff there is no break, or an
// argument is NULL; CAIRN_ENOMEM iff the space has no room for it, the vm has promised all that it can, or there is no memory for a mapping, no frame or no slot;
// CAIRN_ECORRUPT iff the heap is damaged; as an access.
CAIRN_MUST_CHECK int cairn_space_malloc(struct cairn_space *space, uint64_t size, cairn_vaddr_t *address);

// The same, count * size bytes of zeros. Pages that nobody touched are left so. CAIRN_ENOMEM also iff the product overflows.
CAIRN_MUST_CHECK int cairn_space_calloc(struct cairn_space *space, uint64_t count, uint64_t size, cairn_vaddr_t *address);

// The same, at a multiple of `alignment`: where that is more than a page the block is mapped. CAIRN_EINVAL also iff it is not a power of two.
CAIRN_MUST_CHECK int cairn_space_memalign(struct cairn_space *space, uint64_t alignment, uint64_t size, cairn_vaddr_t *address);

// Change the size of the block at *address, and *address where it moves; the first min(old, new) bytes stay. *address 0: allocates. Size 0: frees, *address is 0 then.
// In place where it shrinks or what is behind it is free; else it moves. A mapped block stays mapped, and gives back the pages that it does not need; of one that moves
// pages that nobody touched are left so. Fails as cairn_space_malloc and cairn_space_free; a mapped block that shrinks, as cairn_space_unmap_range.
CAIRN_MUST_CHECK int cairn_space_realloc(struct cairn_space *space, cairn_vaddr_t *address, uint64_t size);

// Give a block back. 0: nothing. Fails with CAIRN_EINVAL iff it is not the start of a used block; CAIRN_EBUSY iff it is mapped and a page of it is pinned;
// CAIRN_ECORRUPT iff the heap is damaged; as an access.
CAIRN_MUST_CHECK int cairn_space_free(struct cairn_space *space, cairn_vaddr_t address);

// *size: bytes that the block holds, at least those asked for. Fails with CAIRN_EINVAL, CAIRN_ECORRUPT, and as an access, as above.
CAIRN_MUST_CHECK int cairn_space_usable_size(struct cairn_space *space, cairn_vaddr_t address, uint64_t *size);

// Give back what is free: the end of the break, but for `pad` bytes, where nobody else moved it; and the pages that lie in free blocks, which are zeros when they are
// touched again. Fails as cairn_space_brk, as an access, with CAIRN_EINVAL iff space is NULL; then some may have been given back. O(blocks).
CAIRN_MUST_CHECK int cairn_space_malloc_trim(struct cairn_space *space, uint64_t pad);

// Read the figures; zeros where there is no heap. Fails with CAIRN_EINVAL iff an argument is NULL; CAIRN_ECORRUPT; as an access. O(mappings).
CAIRN_SAME_NAME(CAIRN_MUST_CHECK int cairn_space_heap_stats(struct cairn_space *space, struct cairn_space_heap_stats *stats);)

#ifdef __cplusplus
}
#endif

#endif
