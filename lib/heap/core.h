// SPDX-License-Identifier: MIT
//
// What the files of the heap owe each other: the lock, the reports, and the two moves that all the calls are made of.
//
// OWNS: nothing; names who does.
// CALLERS: lib/heap.
#ifndef CAIRN_HEAP_CORE_H
#define CAIRN_HEAP_CORE_H

#include "cairn/deferred.h"
#include "heap/bins.h"

CAIRN_INLINE bool is_heap(const struct cairn_heap *heap)
{
    return heap != NULL && heap->control != NULL;
}

// The smallest power of two that is at least n: the length that a bounded fit gives. pre: 1 <= n <= GRANULES_MAX.
CAIRN_INLINE uint32_t round_up(uint32_t n)
{
    return (uint32_t)1 << bits_highest(2 * n - 1);
}

// The border behind the granule that has no memory.
CAIRN_INLINE uint32_t fence_of(const struct heap_control *control)
{
    return control->granules + 1;
}

// What the handle's `quick` is, where nothing is marked. Only a build for speed asks.
CAIRN_INLINE uint32_t heap_quick(const struct cairn_heap *heap)
{
    const struct cairn_heap_hooks *const hooks = heap->hooks;
    const bool plain = hooks == NULL || (hooks->lock == NULL && hooks->unlock == NULL && hooks->event == NULL && hooks->failed == NULL);
    return CAIRN_SPEED && plain && (heap->control->flags & FLAG_WIPE) == 0 ? heap->control->granules : 0;
}

// After anything that it depends on has changed.
CAIRN_INLINE void heap_set_quick(struct cairn_heap *heap)
{
    heap->quick = 0;
    if (heap->deferred == NULL) {
        heap->quick = heap_quick(heap);
    } else {
        heap->deferred->again = 1; // the next call looks for marks, and sets it
    }
}

// May blocks be marked?
CAIRN_INLINE bool heap_has_marks(const struct cairn_heap *heap)
{
    return heap->deferred != NULL && (heap->deferred->idle == 0 || CAIRN_LOOK(heap->deferred->again) != 0);
}

// deferred.c, through what cairn_deferred_init has set: a heap without deferred frees does not link it. Lock held.
struct cairn_deferred_calls {
    void (*drain)(struct cairn_deferred *deferred);                          // frees a few
    bool (*is_marked)(const struct cairn_deferred *deferred, uint32_t from); // is this block to be freed already?
};

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

// Where the used block at `address` begins, or NO_BORDER for any other address. Silent.
CAIRN_INLINE uint32_t used_block_at(const struct cairn_heap *heap, const void *address)
{
    const size_t number = border_number(heap->base, address);
    const uint32_t from = (uint32_t)number;
    if (number >= heap->control->granules || !is_border(heap->tags, from) ||
        ends_free(heap->tags, from + cairn_tags_after_(heap->tags, from))) {
        return NO_BORDER;
    }
    return from;
}

// heap.c, the moves that all the calls are made of. None takes the lock. A used block is known by the border where it begins, a free one by that where it
// ends.

// Take the free block that ends at `to` out of its list. Returns its length, or 0: its links were broken, reported, and left.
uint32_t cairn_heap_unlink_(struct cairn_heap *heap, uint32_t to);

// Merge what begins at `from` with the block that ends there if that is free: takes it out of its list. Returns where it begins then: `from` if there was
// none, or its links are broken: reported.
uint32_t cairn_heap_join_(struct cairn_heap *heap, uint32_t from);

// Make what is between two borders a free block: its tags, its list. Counts it as a free one. pre: both borders are there, or `to` is still to come.
void cairn_heap_insert_(struct cairn_heap *heap, uint32_t from, uint32_t to);

// Take at least `length` granules out of the lists, as a used block whose granules are not counted yet; bounded fit: the length rounded up to a
// power of two. Returns where it begins; NO_BORDER: there is none, or a broken link was reported; then nothing but `classes` has changed. pre: length >= 1.
uint32_t cairn_heap_take_(struct cairn_heap *heap, size_t length);

// Take n granules off the front of the free block that ends at `to`, in whatever place of whatever list. Returns where they begin; NO_BORDER, and nothing
// has changed, where it is no free block of so many, or a link is broken: reported.
uint32_t cairn_heap_cut_(struct cairn_heap *heap, uint32_t to, uint32_t n);

// Make the used block free: merge it with its free neighbours, put it into its list. A neighbour whose links are broken is reported, and
// stays unmerged. Its granules are no longer counted, itself still is.
void cairn_heap_release_(struct cairn_heap *heap, uint32_t from, uint32_t to);

// Count the granules of a block that was taken.
CAIRN_INLINE void heap_count_taken(struct heap_control *control, uint32_t length)
{
    const uint32_t used = control->used + length;
    control->used = used;
    if (used > control->peak) {
        control->peak = used;
    }
}

CAIRN_INLINE void heap_count_released(struct heap_control *control, uint32_t length)
{
    control->used -= length;
}

// check.c: every rule.
int cairn_heap_check_(const struct cairn_heap *heap, struct cairn_fault *fault);

// heap.c: what the calls share.

// Where the used block at `address` begins, or NO_BORDER, and then it was reported, if it is not NULL.
uint32_t cairn_heap_find_(const struct cairn_heap *heap, const void *address);

// Count the granules of the used block that was just taken, if any, or the failure. Returns its address.
void *cairn_heap_count_(struct cairn_heap *heap, uint32_t from);

// Free a counted block.
void cairn_heap_drop_(struct cairn_heap *heap, uint32_t from);

// Allocate by `once` in the lock, with an event, until it succeeds or the failed hook gives up. NULL where there is no heap.
void *cairn_heap_try_(struct cairn_heap *heap, size_t alignment, size_t size,
                      void *(*once)(struct cairn_heap *heap, size_t alignment, size_t size));

#endif
