// SPDX-License-Identifier: MIT
//
// What the files of the heap owe each other: the lock, the reports, and the two moves that all the calls are made of.
//
// OWNS: nothing; names who does.
// CALLERS: lib/heap.
#ifndef CAIRN_HEAP_CORE_H
#define CAIRN_HEAP_CORE_H

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

// ------------------------------------------------------------------------------------------------------------------- hooks

// One try at an allocation, in the lock. Returns the block, or NULL.
typedef void *(*heap_once)(struct cairn_heap *heap, size_t alignment, size_t size);

// How a heap with hooks does what another does plainly: hooks.c; deferred.c, where blocks may be marked. A heap without hooks links neither.
struct cairn_hooked {
    uint32_t (*lock)(const struct cairn_heap *heap); // returns the key for unlock, 0 where there is no such hook
    void (*unlock)(const struct cairn_heap *heap, uint32_t key);
    void *(*attempt)(struct cairn_heap *heap, size_t alignment, size_t size, heap_once once); // until it succeeds or the failed hook gives up
    void (*free)(struct cairn_heap *heap, void *block);
    bool (*failed)(struct cairn_heap *heap, size_t size); // unlocked. Returns whether to try again
    void (*event)(const struct cairn_heap *heap, const struct cairn_heap_event *event);
    void (*report)(const struct cairn_heap *heap, enum cairn_wrong what, const void *address);
    uint32_t (*find)(const struct cairn_heap *heap, const void *address); // as cairn_heap_find_
    uint32_t (*quick)(const struct cairn_heap *heap);                     // what the handle's `quick` is to be
};

// hooks.c, for deferred.c: each as the field of its name.
void cairn_hooked_unlock_(const struct cairn_heap *heap, uint32_t key);
void *cairn_hooked_attempt_(struct cairn_heap *heap, size_t alignment, size_t size, heap_once once);
void cairn_hooked_event_(const struct cairn_heap *heap, const struct cairn_heap_event *event);
void cairn_hooked_report_(const struct cairn_heap *heap, enum cairn_wrong what, const void *address); // report.c

// One copy each, for the calls that take the lock.
uint32_t cairn_heap_lock_(const struct cairn_heap *heap);
void cairn_heap_unlock_(const struct cairn_heap *heap, uint32_t key);

CAIRN_INLINE uint32_t heap_lock(const struct cairn_heap *heap)
{
    return cairn_heap_lock_(heap);
}

CAIRN_INLINE void heap_unlock(const struct cairn_heap *heap, uint32_t key)
{
    cairn_heap_unlock_(heap, key);
}

CAIRN_INLINE bool heap_failed(struct cairn_heap *heap, size_t size)
{
    return heap->hooks != NULL && heap->hooks->hooked->failed(heap, size);
}

CAIRN_INLINE void heap_event(const struct cairn_heap *heap, const struct cairn_heap_event *event)
{
    if (heap->hooks != NULL) {
        heap->hooks->hooked->event(heap, event);
    }
}

// Allocate by `once`. NULL where there is no heap.
CAIRN_INLINE void *heap_attempt(struct cairn_heap *heap, size_t alignment, size_t size, heap_once once)
{
    if (!is_heap(heap)) {
        return NULL;
    }
    return heap->hooks == NULL ? once(heap, alignment, size) : heap->hooks->hooked->attempt(heap, alignment, size, once);
}

// What the handle's `quick` is for a heap without hooks. Only a build for speed asks.
CAIRN_INLINE uint32_t plain_quick(const struct cairn_heap *heap)
{
    return CAIRN_SPEED && (heap->control->flags & FLAG_WIPE) == 0 ? heap->control->granules : 0;
}

// After anything that it depends on has changed.
CAIRN_INLINE void heap_set_quick(struct cairn_heap *heap)
{
    if (CAIRN_SPEED) {
        heap->quick = heap->hooks == NULL ? plain_quick(heap) : heap->hooks->hooked->quick(heap);
    }
}

// ------------------------------------------------------------------------------------------------------------------- moves

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

// The same, where blocks may be marked.
CAIRN_INLINE uint32_t heap_find(const struct cairn_heap *heap, const void *address)
{
    return heap->hooks == NULL ? cairn_heap_find_(heap, address) : heap->hooks->hooked->find(heap, address);
}

// Count the granules of the used block that was just taken, if any, or the failure. Returns its address.
void *cairn_heap_count_(struct cairn_heap *heap, uint32_t from);

// Free a counted block.
void cairn_heap_drop_(struct cairn_heap *heap, uint32_t from);

// alloc.c: free the block at `address`. Returns false where it was refused: reported, if it is not NULL.
bool cairn_heap_free_at_(struct cairn_heap *heap, const void *address);

#endif
