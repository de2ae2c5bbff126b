// SPDX-License-Identifier: MIT
//
// malloc and its family, in the place of Zephyr's (CONFIG_COMMON_LIBC_MALLOC).
//
// OWNS        cairn_malloc_heap: an array, or what the linker left of the RAM.
// INVARIANTS  1. As with Zephyr's: of size 0 malloc returns NULL, and realloc frees; what fails sets errno to ENOMEM.
// COST        the heap's, and the spinlock; malloc and free take it themselves, and ask for hooks only where somebody gave the heap others.
// CALLERS     the application and its C library: threads in kernel mode, and initialisation from PRE_KERNEL_1 on. Not interrupts: errno would be that of
//             the thread they interrupt. They may call the heap itself.
#include <errno.h>
#include <stdlib.h>

#include <zephyr/types.h>

#include "cairn_zephyr.h"

BUILD_ASSERT(CAIRN_GRANULE % __alignof__(z_max_align_t) == 0, "malloc aligns to more here: CONFIG_CAIRN_GRANULE=16");

// Not in every library's headers.
void *aligned_alloc(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size);
void *reallocarray(void *block, size_t count, size_t size);

#if CONFIG_CAIRN_MALLOC_ARENA_SIZE >= 0

CAIRN_HEAP_DEFINE(cairn_malloc_heap, CONFIG_CAIRN_MALLOC_ARENA_SIZE);

#else

extern unsigned char _end[]; // the linker script's: the first byte of RAM that nobody has
struct cairn_heap cairn_malloc_heap;
static struct k_spinlock cairn_malloc_heap_lock;

static int arena_init(void)
{
    return cairn_zephyr_init(&cairn_malloc_heap, _end, CONFIG_SRAM_BASE_ADDRESS + KB(CONFIG_SRAM_SIZE) - (uintptr_t)_end, &cairn_malloc_heap_lock);
}
SYS_INIT(arena_init, PRE_KERNEL_1, CONFIG_KERNEL_INIT_PRIORITY_OBJECTS);

#endif

// Has the heap the hooks that cairn_zephyr_init gave it: a lock and the report? It has others where blocks are freed by marks, none before it is made.
static bool is_locked_only(void)
{
    return cairn_malloc_heap.hooks == &cairn_zephyr_hooks_;
}

static void *or_enomem(void *block, size_t size)
{
    if (block == NULL && size != 0) {
        errno = ENOMEM;
    }
    return block;
}

void *malloc(size_t size)
{
    void *block;
    if (is_locked_only()) {
        const k_spinlock_key_t key = k_spin_lock(&cairn_malloc_heap_lock);
        block = cairn_heap_alloc_(&cairn_malloc_heap, size);
        k_spin_unlock(&cairn_malloc_heap_lock, key);
    } else {
        block = cairn_heap_alloc(&cairn_malloc_heap, size);
    }
    return or_enomem(block, size);
}

void *calloc(size_t count, size_t size)
{
    return or_enomem(cairn_heap_calloc(&cairn_malloc_heap, count, size), count == 0 ? 0 : size);
}

void *realloc(void *block, size_t size)
{
    return or_enomem(cairn_heap_realloc(&cairn_malloc_heap, block, size), size);
}

void *reallocarray(void *block, size_t count, size_t size)
{
    return size != 0 && count > SIZE_MAX / size ? or_enomem(NULL, 1) : realloc(block, count * size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return or_enomem(cairn_heap_aligned_alloc(&cairn_malloc_heap, alignment, size), size);
}

void *memalign(size_t alignment, size_t size)
{
    return aligned_alloc(alignment, size);
}

void free(void *block)
{
    if (is_locked_only()) {
        const k_spinlock_key_t key = k_spin_lock(&cairn_malloc_heap_lock);
        cairn_heap_free_(&cairn_malloc_heap, block);
        k_spin_unlock(&cairn_malloc_heap_lock, key);
    } else {
        cairn_heap_free(&cairn_malloc_heap, block);
    }
}
