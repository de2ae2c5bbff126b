// SPDX-License-Identifier: MIT
//
// Free from an interrupt: blocks of a heap that are to be freed where the heap must not be entered. They are marked, without a lock, and freed by the
// heap's next calls, a few with each.
//
// VITALS
//   memory        a bit for each granule that the heap may have, and one for each 32 of those: 1/62 of the heap's memory and up to 7 bytes, in the
//                 caller's memory
//   time          free: O(1), no loop but while somebody else comes between. Each hold of the heap's lock frees up to CAIRN_DEFERRED_BLOCKS of what is
//                 marked, and looks at up to 16 words for it: each call, a realloc that moves twice
//   nothing lost  marks are found however calls and interrupts interleave. A block that is marked twice is found at the second mark, one that is not a used
//                 block when its mark is taken up, one that was moved after it was marked when it has moved; all are reported then. A mark is no link:
//                 there is no list that could loop.
//   nothing owed  an alloc that finds no memory goes on until no mark is left before it fails; who only frees takes up marks too
//   threads, ISR  cairn_deferred_free: any interrupt, any thread, on the cores that base/atomic.h names. All else: as the heap's own calls
#ifndef CAIRN_DEFERRED_H
#define CAIRN_DEFERRED_H

#include "cairn/heap.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAIRN_DEFERRED_BLOCKS 4u // that a hold of the heap's lock frees at most

// Read-only for the caller, and where it is: the heap and interrupts hold its address.
struct cairn_deferred {
    unsigned char *base; // of the heap
    uint32_t limit;      // granules that have a bit
    uint32_t *bits;      // bit 31 - i of word w: the block that begins at border 32 w + i is to be freed
    uint32_t *summary;   // bit 31 - w of word s: word 32 s + w of `bits` may have one
    uint32_t *quick;     // of the heap's handle; NULL: there is none
    uint32_t again; // not 0: something came since the last pass began
    struct cairn_heap_hooks hooks;          // the heap's, while it has this: those it had, by way of deferred.c
    const struct cairn_heap_hooks *before;  // those it had, or NULL
    uint32_t cursor; // the next word of summary
    uint32_t idle;   // the last pass found nothing
    uint32_t freed;  // blocks, since init
    void *refused;   // an address that free refused, to be reported
    uint32_t refusals;
};

// Bytes of marks for a heap of max_size bytes. 0 iff that is more than the layout can number, or too little for a heap.
size_t cairn_deferred_size(size_t max_size);

// Let `heap` take up what is marked in `bits` (aligned to 4, of `size` bytes). Returns 0; fails with CAIRN_EINVAL iff an argument is NULL or
// misaligned, or the heap has one already, or is a region's of an arena; CAIRN_ENOMEM iff size is less than the heap's max_size
// needs. pre: nobody else has the heap meanwhile.
CAIRN_MUST_CHECK int cairn_deferred_init(struct cairn_deferred *deferred, struct cairn_heap *heap, void *bits, size_t size);

// Mark the block, to be freed soon. NULL: nothing; so for any block where *deferred is zeros: not made yet, or ended. Any context.
void cairn_deferred_free(struct cairn_deferred *deferred, void *block);

// Free all that is marked, a few blocks in each hold of the lock. Returns how many were freed since init, here or by the heap's calls.
uint32_t cairn_deferred_drain(struct cairn_deferred *deferred);

// Free all that is marked, and part from the heap; forget the marks where it has ended before. pre: nobody marks any more, and nobody else has the heap
// meanwhile.
void cairn_deferred_deinit(struct cairn_deferred *deferred);

#ifdef __cplusplus
}
#endif

#endif
