// SPDX-License-Identifier: MIT
//
// What the files of the heap owe each other: the lock, the reports, and the two moves that all the calls are made of.
//
// OWNS: nothing; names who does.
// CALLERS: lib/heap.
#ifndef CAIRN_HEAP_CORE_H
#define CAIRN_HEAP_CORE_H

#include "heap/bins.h"

#define HARDENED (CAIRN_HARDEN >= 1)

CAIRN_INLINE bool is_heap(const struct cairn_heap *heap)
{
    return heap != NULL && heap->control != NULL;
}

// The smallest power of two that is at least n: the length that a bounded fit gives. pre: 1 <= n <= GRANULES_MAX.
CAIRN_INLINE uint32_t round_up(uint32_t n)
{
    return (uint32_t)1 << bits_highest(2 * n - 1);
}

CAIRN_INLINE uint32_t fence_of(const struct heap_control *control)
{
    return control->granules + 1;
}

// heap.c: the hooks. lock returns the key for unlock, 0 where there is no hook; failed, which runs unlocked, whether to try again.
uint32_t cairn_heap_lock_(const struct cairn_heap *heap);
void cairn_heap_unlock_(const struct cairn_heap *heap, uint32_t key);
bool cairn_heap_failed_(struct cairn_heap *heap, size_t size);
void cairn_heap_event_(const struct cairn_heap *heap, const struct cairn_heap_event *event); // pre: lock held

CAIRN_INLINE uint32_t heap_lock(const struct cairn_heap *heap)
{
    return cairn_heap_lock_(heap);
}

CAIRN_INLINE void heap_unlock(const struct cairn_heap *heap, uint32_t key)
{
    cairn_heap_unlock_(heap, key);
}

// The number of a used block's first granule, or 0 for any other address. Silent.
CAIRN_INLINE uint32_t used_block_at(const struct cairn_heap *heap, const struct heap_control *control, const void *address)
{
    const size_t number = granule_number(heap->base, address);
    if (number - 1 >= control->granules || !is_used_start(heap->tags, (uint32_t)number)) {
        return 0;
    }
    return (uint32_t)number;
}

// report.c: tell the report hook about `address`, or stop the program where there is none. For CAIRN_WRONG_POINTER it finds out itself what is
// wrong with it.
void cairn_heap_report_(const struct cairn_heap *heap, enum cairn_wrong what, const void *address);

// heap.c, the moves that all the calls are made of. None takes the lock.

// Unlink the free block, which then is in no list. Returns its length, or 0: its links were broken, reported, and left. pre: a free start.
uint32_t cairn_heap_unlink_(struct cairn_heap *heap, uint32_t block);

// Take `block`, if it is free, out of its list and merge it with the block that it shares `border` with. Returns its length, or 0.
uint32_t cairn_heap_join_(struct cairn_heap *heap, uint32_t block, uint32_t border);

// Make [start, end) a free block: its edges, its list. pre: start bits at start and end.
void cairn_heap_insert_(struct cairn_heap *heap, uint32_t start, uint32_t end);

// Take at least `length` granules out of the lists, as a used block that is not counted yet; bounded fit: the length rounded up to a
// power of two. Returns its first granule, or 0: there is none, or a broken link was reported; then nothing has changed. pre: length >= 1.
uint32_t cairn_heap_take_(struct cairn_heap *heap, size_t length);

// Take n granules off the front of `block`, in whatever place of whatever list; the rest goes back into a list. Returns false, and nothing has
// changed, where the block is no free block of that length, or a link is broken: reported.
bool cairn_heap_cut_(struct cairn_heap *heap, uint32_t block, uint32_t n);

// Make the used block, which is not counted any more, free: merge it with its free neighbours, put it into its list. A neighbour whose
// links are broken is reported, and stays unmerged.
void cairn_heap_release_(struct cairn_heap *heap, uint32_t block, uint32_t length);

// Count a block of `length` granules that was taken.
CAIRN_INLINE void heap_count_taken(struct heap_control *control, uint32_t length)
{
    const uint32_t used = control->used + length;
    control->used = used;
    control->used_blocks++;
    if (used > control->peak) {
        control->peak = used;
    }
}

CAIRN_INLINE void heap_count_released(struct heap_control *control, uint32_t length)
{
    control->used -= length;
    control->used_blocks--;
}

// check.c: every rule.
int cairn_heap_check_(const struct cairn_heap *heap, struct cairn_fault *fault);

// heap.c: what the calls share.

// The number of the used block that starts at `address`, or 0, and then it was reported.
uint32_t cairn_heap_find_(const struct cairn_heap *heap, const void *address);

// Count the block that was just taken, if any, or the failure. Returns its address.
void *cairn_heap_count_(struct cairn_heap *heap, uint32_t block);

// Free a counted block.
void cairn_heap_drop_(struct cairn_heap *heap, uint32_t block);

// Allocate by `once` in the lock, with an event, until it succeeds or the failed hook gives up. NULL where there is no heap.
void *cairn_heap_try_(struct cairn_heap *heap, size_t alignment, size_t size,
                      void *(*once)(struct cairn_heap *heap, size_t alignment, size_t size));

#endif
