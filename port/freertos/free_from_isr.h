// SPDX-License-Identifier: MIT
//
// Blocks that interrupts free (configCAIRN_FREE_FROM_ISR): marked there, and freed by the next calls of the heap. Where that is off, nothing.
//
// OWNS        the marks of each region's heap.
// PICTURE     [ struct region | struct cairn_deferred, its bits | heap ]
// INVARIANTS  1. A mark is taken up by what takes the heap's lock only, with the scheduler suspended, and told by the heap's event, which says the size.
// COST        marks_take_up: up to CAIRN_DEFERRED_BLOCKS frees, a few instructions where nothing is marked; marks_drain: all frees that are left.
// CALLERS     heap_cairn.c, with the scheduler suspended, but for marks_set: any interrupt.
#ifndef CAIRN_PORT_FREERTOS_FREE_FROM_ISR_H
#define CAIRN_PORT_FREERTOS_FREE_FROM_ISR_H

#include "heap_cairn.h"

#if configCAIRN_FREE_FROM_ISR == 1

#include "cairn/deferred.h"
#include "heap/control.h"

#define FREES_FROM_ISR true

// heap_cairn.c: a block of `size` bytes was freed that had been marked.
static void marks_freed(const void *block, size_t size);

// Bytes that the marks of a heap of at most `size` bytes take.
static inline size_t marks_size(size_t size)
{
    return sizeof(struct cairn_deferred) + cairn_deferred_size(size);
}

// What is marked is freed by calls that take the heap's lock. All others in heap_cairn.c do not.
static void marks_event(void *context, const struct cairn_heap_event *event)
{
    (void)context;
    if (event->act == CAIRN_ACT_FREE) {
        marks_freed(event->before, event->size);
    }
}

#define MARKS_EVENT marks_event

// The marks of a heap that has them are its hooks.
static inline struct cairn_deferred *marks_of(const struct cairn_heap *heap)
{
    return (struct cairn_deferred *)((uintptr_t)heap->hooks - offsetof(struct cairn_deferred, hooks));
}

// `marks`: marks_size(size) bytes, as aligned as a pointer. Returns whether there are enough for the heap.
static inline bool marks_init(void *marks, size_t size, struct cairn_heap *heap)
{
    struct cairn_deferred *const deferred = marks;
    return cairn_deferred_init(deferred, heap, deferred + 1, size - sizeof *deferred) == 0;
}

// Free a few blocks that are marked.
static inline void marks_take_up(struct cairn_heap *heap)
{
    const struct cairn_deferred *const deferred = marks_of(heap);
    if (deferred->idle == 0 || CAIRN_LOOK(deferred->again) != 0) {
        cairn_heap_free(heap, NULL); // as each call of the heap that takes its lock
    }
}

// Free all that are. Returns whether there were any.
static inline bool marks_drain(struct cairn_heap *heap)
{
    const uint32_t freed = marks_of(heap)->freed;
    return cairn_deferred_drain(marks_of(heap)) != freed;
}

// Is the used block marked? An interrupt may mark it at any time.
static inline bool marks_has(const struct cairn_heap *heap, const void *block)
{
    const struct cairn_deferred *const deferred = marks_of(heap);
    const size_t border = border_number(deferred->base, block);
    return border < deferred->limit && (CAIRN_LOOK(deferred->bits[border / 32]) << border % 32 & 0x80000000u) != 0;
}

static inline void marks_set(const struct cairn_heap *heap, void *block)
{
    cairn_deferred_free(marks_of(heap), block);
}

#else

#define FREES_FROM_ISR false
#define MARKS_EVENT NULL

static inline size_t marks_size(size_t size)
{
    (void)size;
    return 0;
}

static inline bool marks_init(void *marks, size_t size, struct cairn_heap *heap)
{
    (void)marks;
    (void)size;
    (void)heap;
    return true;
}

static inline void marks_take_up(struct cairn_heap *heap)
{
    (void)heap;
}

static inline bool marks_drain(struct cairn_heap *heap)
{
    (void)heap;
    return false;
}

static inline bool marks_has(const struct cairn_heap *heap, const void *block)
{
    (void)heap;
    (void)block;
    return false;
}

#endif

#endif
