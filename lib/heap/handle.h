// SPDX-License-Identifier: MIT
//
// The handle: what it has beside the image, the lock and the hooks.
//
// OWNS: struct cairn_hooked; the handle's `quick`. COST: none of its own. CALLERS: lib/heap, and what stands on it.
#ifndef CAIRN_HEAP_HANDLE_H
#define CAIRN_HEAP_HANDLE_H

#include "heap/control.h"

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
    void *(*alloc)(struct cairn_heap *heap, size_t size);
    void (*free)(struct cairn_heap *heap, void *block);
    bool (*free_at)(struct cairn_heap *heap, const void *address); // as cairn_heap_free_at_
    bool (*failed)(struct cairn_heap *heap, size_t size); // unlocked. Returns whether to try again
    void (*gone)(const struct cairn_heap *heap, const void *address); // a block that was there has just moved
    void (*event)(const struct cairn_heap *heap, const struct cairn_heap_event *event);
    void (*report)(const struct cairn_heap *heap, enum cairn_wrong what, const void *address);
    uint32_t (*find)(const struct cairn_heap *heap, const void *address); // as cairn_heap_find_
    uint32_t (*quick)(const struct cairn_heap *heap);                     // what the handle's `quick` is to be
};

// hooks.c, for deferred.c: each as the field of its name.
void cairn_hooked_unlock_(const struct cairn_heap *heap, uint32_t key);
void cairn_hooked_tell_(const struct cairn_heap *heap, void *block, size_t size); // the event of an alloc
void *cairn_hooked_attempt_(struct cairn_heap *heap, size_t alignment, size_t size, heap_once once);
void cairn_hooked_event_(const struct cairn_heap *heap, const struct cairn_heap_event *event);
void cairn_hooked_report_(const struct cairn_heap *heap, enum cairn_wrong what, const void *address); // report.c

// One copy each, for the calls that take the lock. Of what is no heap: nothing, 0.
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

// Allocate, in a lock that is taken and asked so. pre: the heap has hooks.
CAIRN_INLINE void *alloc_hooked(struct cairn_heap *heap, size_t size, uint32_t (*lock)(const struct cairn_heap *heap),
                                bool (*failed)(struct cairn_heap *heap, size_t size))
{
    void *block;
    do {
        const uint32_t key = lock(heap);
        block = cairn_heap_alloc_(heap, size);
        if (heap->hooks->event != NULL) {
            cairn_hooked_tell_(heap, block, size);
        }
        cairn_hooked_unlock_(heap, key);
    } while (CAIRN_UNLIKELY(block == NULL) && failed(heap, size));
    return block;
}

// Allocate by `once`. NULL where there is no heap.
CAIRN_INLINE void *heap_attempt(struct cairn_heap *heap, size_t alignment, size_t size, heap_once once)
{
    if (!is_heap(heap)) {
        return NULL;
    }
    return heap->hooks == NULL ? once(heap, alignment, size) : heap->hooks->hooked->attempt(heap, alignment, size, once);
}

// Do alloc and free look at `quick`? A build for speed does; one that has some files for speed and some for size says so to all of them.
#ifndef CAIRN_QUICK
#define CAIRN_QUICK CAIRN_SPEED
#endif

// What the handle's `quick` is for a heap without hooks.
CAIRN_INLINE uint32_t plain_quick(const struct cairn_heap *heap)
{
    return CAIRN_QUICK && (heap->control->flags & FLAG_WIPE) == 0 ? heap->control->granules : 0;
}

// After anything that it depends on has changed. alloc and free look at it before they take the lock.
CAIRN_INLINE void heap_set_quick(struct cairn_heap *heap)
{
    if (CAIRN_QUICK) {
        CAIRN_PUT(heap->quick, heap->hooks == NULL ? plain_quick(heap) : heap->hooks->hooked->quick(heap));
    }
}

#endif
