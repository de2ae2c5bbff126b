// SPDX-License-Identifier: MIT
//
// Heaps of cairn in a Zephyr application: defined as with K_HEAP_DEFINE, called as cairn/heap.h says.
//
//     CAIRN_HEAP_DEFINE(heap, 4096);
//     ... cairn_heap_alloc(&heap, 100) ...
//
// OWNS        nothing. Each heap has its area, its handle and its spinlock.
// CALLERS     threads of the kernel's privilege, and interrupts: the lock is a spinlock. A realloc that copies does so outside it.
#ifndef CAIRN_PORT_ZEPHYR_H
#define CAIRN_PORT_ZEPHYR_H

#include <zephyr/init.h>
#include <zephyr/kernel.h>

#include "cairn/heap.h"

#ifdef __cplusplus
extern "C" {
#endif

// Define the heap `name` of `bytes` of RAM, blocks, tags and control. It is there before the kernel is. Not static: other files see it by
// extern struct cairn_heap name;
#define CAIRN_HEAP_DEFINE(name, bytes)                                         \
    static __noinit __aligned(CAIRN_GRANULE) unsigned char name##_area[bytes]; \
    static struct k_spinlock name##_lock;                                      \
    struct cairn_heap name;                                                    \
    static int name##_init(void)                                               \
    {                                                                          \
        return cairn_zephyr_init(&name, name##_area, bytes, &name##_lock);     \
    }                                                                          \
    SYS_INIT(name##_init, PRE_KERNEL_1, CONFIG_KERNEL_INIT_PRIORITY_OBJECTS)

// Make a heap of memory that the application has, with that lock. Returns as cairn_heap_init.
CAIRN_MUST_CHECK int cairn_zephyr_init(struct cairn_heap *heap, void *memory, size_t size, struct k_spinlock *lock);

// A bad pointer or a broken link was found. Unless the application defines it, it prints what and where, and the kernel panics. May return: then
// the call fails. Runs locked.
void cairn_zephyr_report(const struct cairn_report *report);

// The hooks of those heaps, for malloc.c.
extern const struct cairn_heap_hooks cairn_zephyr_hooks_;

#ifdef CONFIG_CAIRN_MALLOC
// The heap behind malloc.
extern struct cairn_heap cairn_malloc_heap;
#endif

#ifdef __cplusplus
}
#endif

#endif
