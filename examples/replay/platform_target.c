// SPDX-License-Identifier: MIT
//
// OWNS        the file's handle, the counter. COST: counter.h.
// CALLERS     as platform.h says.
#include "platform.h"

#include "board.h"
#include "counter.h"
#include "semihost.h"

struct tally platform_tallies[TALLIES] = {{.name = "malloc"}, {.name = "free"}, {.name = "realloc"}};

static int file = -1;

const char *platform_name(void)
{
#if defined(__riscv)
    return "RISC-V";
#elif defined(__ARM_ARCH_8M_MAIN__)
    return "Cortex-M33";
#elif defined(__ARM_ARCH_6M__)
    return "Cortex-M0";
#elif defined(__ARM_ARCH_7M__)
    return "Cortex-M3";
#elif defined(__ARM_FP) && (__ARM_FP & 8)
    return "Cortex-M7";
#else
    return "Cortex-M4";
#endif
}

bool platform_begin(void)
{
    counter_init();
    return counter_is_exact();
}

bool platform_open(const char *path)
{
    if (file >= 0) {
        (void)semihost_close(file);
    }
    file = semihost_open(path, SEMIHOST_READ);
    return file >= 0;
}

size_t platform_read(void *context, void *bytes, size_t size)
{
    (void)context;
    return semihost_read(file, bytes, size);
}

unsigned char *platform_memory(size_t *size)
{
    *size = board_heap_area_size();
    return board_heap_area();
}

// ---------------------------------------------------------------------------------------------------------------- counted calls

static void *counted_alloc(void *heap, size_t size)
{
    uint32_t count;
    const uintptr_t block = counter_call(&count, (counter_function)cairn_heap_alloc, (uintptr_t)heap, size, 0, 0);
    tally_add(&platform_tallies[TALLY_MALLOC], count);
    return (void *)block;
}

static void *counted_aligned_alloc(void *heap, size_t alignment, size_t size)
{
    uint32_t count;
    const uintptr_t block = counter_call(&count, (counter_function)cairn_heap_aligned_alloc, (uintptr_t)heap, alignment, size, 0);
    tally_add(&platform_tallies[TALLY_MALLOC], count);
    return (void *)block;
}

static void *counted_realloc(void *heap, void *old, size_t size)
{
    uint32_t count;
    const uintptr_t block = counter_call(&count, (counter_function)cairn_heap_realloc, (uintptr_t)heap, (uintptr_t)old, size, 0);
    tally_add(&platform_tallies[TALLY_REALLOC], count);
    return (void *)block;
}

static void counted_free(void *heap, void *block)
{
    uint32_t count;
    (void)counter_call(&count, (counter_function)cairn_heap_free, (uintptr_t)heap, (uintptr_t)block, 0, 0);
    tally_add(&platform_tallies[TALLY_FREE], count);
}

const struct replay_calls platform_calls = {counted_alloc, counted_aligned_alloc, counted_realloc, counted_free};
