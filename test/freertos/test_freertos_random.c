// SPDX-License-Identifier: MIT
//
// Random calls of the kernel's heap API against a naive model: a table of blocks.
//
// OWNS        the table: address, size, and the byte that the block is filled with.
// INVARIANTS  1. A block's bytes are as its owner wrote them, and no two blocks overlap: each is filled, all are read.
//             2. Free bytes, their least, and the counters are those that the table gives.
//             3. A call fails only where no free block is twice as long as what it needs. A bounded fit moves what shrinks to a half or less.
// CALLERS     ctest, on every preset; with the configurations of CMakeLists.txt. PROGRAM [SEED [OPERATIONS]].
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "FreeRTOS.h"
#include "heap_cairn.h"

#include "arguments.h"
#include "prng.h"

#include <stdio.h>
#include <string.h>

#define SLOTS 48u
#define ALIGNED_MOST 128u

static struct slot {
    unsigned char *block;
    size_t size;
    unsigned char fill;
} slots[SLOTS];

static uint32_t seed = 1;
static uint32_t operations = 20000;
static struct prng prng;
static uint32_t operation;
static size_t total, used, least, allocations, frees, failures;

#ifdef configCAIRN_FIT
static const bool is_bounded = configCAIRN_FIT == CAIRN_FIT_BOUNDED;
#else
static const bool is_bounded = false;
#endif

#define EXPECT(condition) \
    do { \
        if (!(condition)) { \
            fail_msg("seed %lu, operation %lu: %s", (unsigned long)seed, (unsigned long)operation, #condition); \
        } \
    } while (0)

static bool is_filled(const struct slot *slot, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (slot->block[i] != slot->fill) {
            return false;
        }
    }
    return true;
}

// Count what is in the table now. transient: bytes that were in use beside it for a while.
static void count(size_t transient)
{
    used = 0;
    for (size_t i = 0; i < SLOTS; i++) {
        used += xPortGetBlockSize(slots[i].block);
    }
    least = total - used - transient < least ? total - used - transient : least;
    EXPECT(xPortGetFreeHeapSize() == total - used);
    EXPECT(xPortGetMinimumEverFreeHeapSize() == least);
    EXPECT(kernel.in_use == used);
}

static size_t some_size(void)
{
    return 1 + prng_below(&prng, prng_below(&prng, 8) == 0 ? 700 : 60);
}

// What a block of the size takes at least.
static size_t least_block(size_t size)
{
    const size_t unit = portBYTE_ALIGNMENT > CAIRN_GRANULE ? portBYTE_ALIGNMENT : CAIRN_GRANULE;
    return (size + unit - 1) / unit * unit;
}

// No free block is so long that it must have been found for this.
static bool is_too_full(size_t alignment, size_t size)
{
    const size_t unit = least_block(1);
    const size_t enough = least_block(size) + (alignment > unit ? alignment - unit : 0);
    HeapStats_t stats;
    vPortGetHeapStats(&stats);
    return stats.xSizeOfLargestFreeBlockInBytes < (is_bounded ? 2 * enough : enough);
}

static void was_refused(size_t alignment, size_t size)
{
    EXPECT(is_too_full(alignment, size));
    EXPECT(kernel.failed == ++failures);
}

static void fill(struct slot *slot, unsigned char *block, size_t size)
{
    EXPECT((uintptr_t)block % portBYTE_ALIGNMENT == 0);
    EXPECT(xPortGetBlockSize(block) >= size && xPortGetBlockSize(block) % portBYTE_ALIGNMENT == 0);
    slot->block = block;
    slot->size = size;
    slot->fill = (unsigned char)prng_next(&prng);
    memset(block, slot->fill, size);
}

static void allocate(struct slot *slot)
{
    const size_t size = some_size();
    const uint32_t way = prng_below(&prng, 6);
    const size_t alignment = way == 0 ? (size_t)1 << prng_below(&prng, 8) : 1;
    unsigned char *const block = way == 0 ? pvPortAlignedAlloc(alignment, size) : way == 1 ? pvPortCalloc(1, size) : pvPortMalloc(size);
    if (block == NULL) {
        was_refused(ALIGNED_MOST, size);
        return;
    }
    EXPECT((uintptr_t)block % alignment == 0);
    for (size_t i = 0; way == 1 && i < size; i++) {
        EXPECT(block[i] == 0);
    }
    allocations++;
    fill(slot, block, size);
    count(0);
}

static void change(struct slot *slot)
{
    const size_t size = some_size();
    const size_t old = xPortGetBlockSize(slot->block);
    kernel.sections = 0;
    unsigned char *const block = pvPortRealloc(slot->block, size);
    const bool is_copied = kernel.sections == 2;
    if (block == NULL) {
        EXPECT(size > slot->size);
        was_refused(portBYTE_ALIGNMENT, size);
        return;
    }
    EXPECT(!is_copied || (block != slot->block && xPortGetBlockSize(block) != old));
    // A bounded fit gives back by moving.
    EXPECT(is_copied || !is_bounded || least_block(size) > old / 2 || is_too_full(portBYTE_ALIGNMENT, size));
    allocations++;
    frees++;
    slot->block = block;
    EXPECT(is_filled(slot, size < slot->size ? size : slot->size));
    fill(slot, block, size);
    count(is_copied ? old : 0);
}

static void give(struct slot *slot)
{
    vPortFree(slot->block);
    slot->block = NULL;
    frees++;
    count(0);
}

#if configCAIRN_FREE_FROM_ISR == 1
// An interrupt frees a block or a few, and the next call takes them up.
static void give_from_isr(struct slot *slot)
{
    HeapStats_t stats;
    for (unsigned i = 0; i < 4; i++, slot = &slots[prng_below(&prng, SLOTS)]) {
        vPortFreeFromISR(slot->block);
        frees += slot->block != NULL;
        slot->block = NULL;
    }
    vPortGetHeapStats(&stats);
    count(0);
}
#else
#define give_from_isr give
#endif

static int see_nothing_wrong(void)
{
    for (size_t i = 0; i < SLOTS; i++) {
        EXPECT(slots[i].block == NULL || is_filled(&slots[i], slots[i].size));
    }
    return xPortCheckHeap(NULL);
}

static void step(void)
{
    struct slot *const slot = &slots[prng_below(&prng, SLOTS)];
    if (slot->block == NULL) {
        allocate(slot);
        return;
    }
    EXPECT(is_filled(slot, slot->size));
    if (prng_below(&prng, 3) == 0) {
        change(slot);
    } else if (prng_below(&prng, 4) == 0) {
        give_from_isr(slot);
    } else {
        give(slot);
    }
}

static void the_heap_does_as_the_model(void **state)
{
    (void)state;
    prng_seed(&prng, seed);
#if defined(configCAIRN_AS_HEAP_5)
    static _Alignas(8) uint8_t memory[6000];
    static const HeapRegion_t regions[] = {{memory + 3, 1500}, {memory + 4000, 2000}, {memory + 2000, 1900}, {NULL, 0}};
    vPortDefineHeapRegions(regions);
#endif
    vPortFree(pvPortMalloc(1));
    xPortResetHeapMinimumEverFreeHeapSize();
    total = least = xPortGetFreeHeapSize();
    used = failures = 0;
    allocations = frees = 1;
    for (operation = 0; operation < operations; operation++) {
        step();
        if (operation % 64 == 0) {
            EXPECT(see_nothing_wrong() == 0);
        }
    }
    for (size_t i = 0; i < SLOTS; i++) {
        if (slots[i].block != NULL) {
            give(&slots[i]);
        }
    }
    EXPECT(used == 0 && xPortGetFreeHeapSize() == total);
    EXPECT(kernel.allocations == allocations && kernel.frees == frees);
    EXPECT(kernel.asserts == 0 && failures != 0 && kernel.failures == failures);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {KERNEL_TEST(the_heap_does_as_the_model)};
    read_arguments(argc, argv, 100, &seed, &operations);
    printf("seed %lu, %lu operations\n", (unsigned long)seed, (unsigned long)operations);
    fflush(stdout);
    return cmocka_run_group_tests_name("freertos_random", tests, NULL, NULL);
}
