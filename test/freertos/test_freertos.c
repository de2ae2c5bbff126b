// SPDX-License-Identifier: MIT
//
// OWNS        the proof of port/freertos/heap_cairn.c in the place of heap_4: every call, its edges, what it asks of the kernel.
// PICTURE     ucHeap, here so that the test sees it: [ region | control, tags | granules ]
// CALLERS     ctest, on every preset.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "FreeRTOS.h"
#include "heap_cairn.h"

#include <string.h>

// Blocks begin at its multiples, and are so long.
#define G ((size_t)(portBYTE_ALIGNMENT > CAIRN_GRANULE ? portBYTE_ALIGNMENT : CAIRN_GRANULE))
#define COUNT 600 // more blocks than fit

extern uint8_t ucHeap[configTOTAL_HEAP_SIZE];
_Alignas(16) uint8_t ucHeap[configTOTAL_HEAP_SIZE];

static void *blocks[COUNT];

static HeapStats_t stats(void)
{
    HeapStats_t now;
    const unsigned sections = kernel.sections;
    vPortGetHeapStats(&now);
    assert_int_equal(kernel.sections, sections + 1);
    kernel.sections = sections;
    return now;
}

// The free bytes of the heap when nothing is in use.
static size_t whole(void)
{
    kernel_give(kernel_take(1));
    return xPortGetFreeHeapSize();
}

// Blocks of `size` bytes until there is no more room. Returns how many.
static size_t fill_up(size_t size)
{
    size_t count = 0;
    while (count < COUNT && (blocks[count] = pvPortMalloc(size)) != NULL) {
        count++;
    }
    assert_in_range(count, 1, COUNT - 1);
    kernel_expect((unsigned)count + 1, 0, 1);
    return count;
}

static void nothing_is_there_before_the_first_use(void **state)
{
    (void)state;
    memset(ucHeap, 0xA5, sizeof ucHeap);
    assert_int_equal(xPortGetFreeHeapSize(), 0);
    assert_int_equal(xPortGetMinimumEverFreeHeapSize(), 0);
    assert_int_equal(stats().xNumberOfFreeBlocks, 0);
    assert_int_equal(stats().xSizeOfLargestFreeBlockInBytes, 0);
    assert_true(stats().xSizeOfSmallestFreeBlockInBytes == SIZE_MAX);
    assert_int_equal(xPortCheckHeap(NULL), 0);
    vPortInitialiseBlocks();
    kernel_expect(1, 0, 0);
    for (size_t i = 0; i < sizeof ucHeap; i++) {
        assert_int_equal(ucHeap[i], 0xA5);
    }
}

static void malloc_takes_what_it_says(void **state)
{
    (void)state;
    const size_t free = whole();
    assert_in_range(free, configTOTAL_HEAP_SIZE * 9 / 10, configTOTAL_HEAP_SIZE);
    for (size_t size = 1; size <= 10 * G; size++) {
        unsigned char *const block = kernel_take(size);
        assert_true((uintptr_t)block % portBYTE_ALIGNMENT == 0 && block > ucHeap && block + size <= ucHeap + sizeof ucHeap);
        assert_int_equal(free - xPortGetFreeHeapSize(), (size + G - 1) / G * G);
        assert_int_equal(xPortGetBlockSize(block), (size + G - 1) / G * G);
        assert_int_equal(kernel.in_use, (size + G - 1) / G * G);
        kernel_expect(1, 0, 0);
        kernel_give(block);
        assert_int_equal(xPortGetFreeHeapSize(), free);
    }
}

static void malloc_of_nothing_or_too_much_fails_and_says_so(void **state)
{
    static const size_t sizes[] = {0, configTOTAL_HEAP_SIZE, SIZE_MAX, SIZE_MAX - G, SIZE_MAX / 2 + 1};
    (void)state;
    const size_t free = whole();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        kernel.failures = 0;
        assert_null(pvPortMalloc(sizes[i]));
        kernel_expect(1, 0, 1);
        assert_int_equal(kernel.failures, 1);
        assert_int_equal(xPortGetFreeHeapSize(), free);
    }
    assert_int_equal(xPortGetMinimumEverFreeHeapSize(), free - G);
}

static void every_byte_can_be_had_and_comes_back(void **state)
{
    (void)state;
    const size_t free = whole();
    const size_t count = fill_up(G);
    assert_int_equal(count, free / G);
    assert_int_equal(xPortGetFreeHeapSize(), 0);
    assert_int_equal(stats().xNumberOfFreeBlocks, 0);
    assert_int_equal(stats().xSizeOfLargestFreeBlockInBytes, 0);
    assert_true(stats().xSizeOfSmallestFreeBlockInBytes == SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        kernel_give(blocks[i]);
    }
    assert_int_equal(xPortGetFreeHeapSize(), free);
    assert_int_equal(xPortGetMinimumEverFreeHeapSize(), 0);
    kernel_give(kernel_take(free));
}

static void calloc_gives_zeros(void **state)
{
    (void)state;
    unsigned char *block = kernel_take(300);
    memset(block, 0xFF, 300);
    kernel_give(block);
    block = pvPortCalloc(30, 10);
    assert_non_null(block);
    kernel_expect(1, 0, 0);
    for (size_t i = 0; i < 300; i++) {
        assert_int_equal(block[i], 0);
    }
    kernel_give(block);
}

static void calloc_refuses_what_overflows(void **state)
{
    (void)state;
    const size_t free = whole();
    assert_null(pvPortCalloc(SIZE_MAX / 2 + 1, 2)); // 0, were it not for the check
    assert_null(pvPortCalloc(SIZE_MAX / 16 + 2, 16)); // 16
    assert_null(pvPortCalloc(16, SIZE_MAX / 16 + 2));
    kernel_expect(0, 0, 0);
    assert_null(pvPortCalloc(0, 5));
    assert_null(pvPortCalloc(5, 0));
    assert_null(pvPortCalloc(SIZE_MAX, 1));
    kernel_expect(3, 0, 3);
    assert_int_equal(xPortGetFreeHeapSize(), free);
}

static void free_of_null_does_nothing(void **state)
{
    (void)state;
    vPortFree(NULL);
    kernel_expect(0, 0, 0);
}

static void a_bad_pointer_fails_an_assert_and_changes_nothing(void **state)
{
    (void)state;
    unsigned char *const low = kernel_take(5 * G);
    unsigned char *const freed = kernel_take(4 * G);
    unsigned char *const high = kernel_take(3 * G);
    kernel_give(freed);
    void *const bad[] = {freed, freed + G, low + G, low + 1, low - 1, high + 3 * G, ucHeap, ucHeap + 8, ucHeap + sizeof ucHeap, blocks, &state};
    const HeapStats_t before = stats();
    for (size_t i = 0; CAIRN_HARDEN >= 1 && i < sizeof bad / sizeof bad[0]; i++) {
        vPortFree(bad[i]);
        kernel_expect(1, 1, 0);
        assert_null(pvPortRealloc(bad[i], 100));
        kernel_expect(1, 1, 0);
        assert_int_equal(xPortGetBlockSize(bad[i]), 0);
        kernel_expect(1, 0, 0);
        const HeapStats_t after = stats();
        assert_memory_equal(&before, &after, sizeof before);
    }
    kernel_give(low);
    kernel_give(high);
}

static void realloc_in_place(void **state)
{
    (void)state;
    unsigned char *const block = kernel_take(10 * G);
    const size_t free = xPortGetFreeHeapSize();
    memset(block, 1, 10 * G);
    assert_ptr_equal(pvPortRealloc(block, 20 * G), block);
    kernel_expect(1, 0, 0);
    assert_int_equal(xPortGetFreeHeapSize(), free - 10 * G);
    assert_ptr_equal(pvPortRealloc(block, 3 * G), block);
    kernel_expect(1, 0, 0);
    assert_int_equal(xPortGetFreeHeapSize(), free + 7 * G);
    assert_int_equal(xPortGetMinimumEverFreeHeapSize(), free - 10 * G);
    assert_int_equal(kernel.in_use, 3 * G);
    for (size_t i = 0; i < 3 * G; i++) {
        assert_int_equal(block[i], 1);
    }
    assert_int_equal(stats().xNumberOfSuccessfulAllocations, 3);
    kernel_give(block);
}

static void realloc_of_null_and_to_nothing(void **state)
{
    (void)state;
    const size_t free = whole();
    void *const block = pvPortRealloc(NULL, 50);
    assert_non_null(block);
    kernel_expect(1, 0, 0);
    assert_null(pvPortRealloc(block, 0));
    kernel_expect(1, 0, 0);
    assert_int_equal(xPortGetFreeHeapSize(), free);
    assert_null(pvPortRealloc(NULL, 0));
    kernel_expect(1, 0, 1);
}

static unsigned char *mine, *theirs;

// Runs where the scheduler does: between the section that finds a place and the one that frees the old block.
static void other_task(void)
{
    assert_int_equal(kernel.depth, 0);
    for (size_t i = 0; i < 10 * G; i++) {
        assert_int_equal(mine[i], 7);
    }
    assert_int_equal(xPortGetBlockSize(mine), 10 * G);
    theirs = pvPortMalloc(12 * G);
    assert_non_null(theirs);
    memset(theirs, 9, 12 * G);
}

static void realloc_copies_while_others_run(void **state)
{
    (void)state;
    mine = kernel_take(10 * G);
    void *const wall = kernel_take(G);
    const size_t free = xPortGetFreeHeapSize();
    memset(mine, 7, 10 * G);
    kernel.on_resume = other_task;
    unsigned char *const moved = pvPortRealloc(mine, 30 * G);
    kernel_expect(4, 0, 0); // two, and two of the other task
    assert_true(moved != NULL && moved != mine);
    for (size_t i = 0; i < 10 * G; i++) {
        assert_int_equal(moved[i], 7);
    }
    memset(moved, 3, 30 * G);
    for (size_t i = 0; i < 12 * G; i++) {
        assert_int_equal(theirs[i], 9);
    }
    assert_int_equal(xPortGetFreeHeapSize(), free - 32 * G);
    assert_int_equal(xPortGetMinimumEverFreeHeapSize(), free - 42 * G);
    kernel_give(moved);
    kernel_give(theirs);
    kernel_give(wall);
}

static void realloc_slides_where_nothing_else_is_left(void **state)
{
    (void)state;
    const size_t free = whole();
    unsigned char *const hole = kernel_take(10 * G);
    unsigned char *const block = kernel_take(20 * G);
    unsigned char *const rest = kernel_take(free - 30 * G);
    for (size_t i = 0; i < 20 * G; i++) {
        block[i] = (unsigned char)i;
    }
    kernel_give(hole);
    unsigned char *const slid = pvPortRealloc(block, 28 * G);
    kernel_expect(1, 0, 0);
    assert_ptr_equal(slid, hole);
    for (size_t i = 0; i < 20 * G; i++) {
        assert_int_equal(slid[i], (unsigned char)i);
    }
    assert_int_equal(xPortGetFreeHeapSize(), 2 * G);
    assert_int_equal(kernel.in_use, free - 2 * G);
    assert_null(pvPortRealloc(slid, 31 * G));
    kernel_expect(1, 0, 1);
    assert_int_equal(xPortGetBlockSize(slid), 28 * G);
    for (size_t i = 0; i < 20 * G; i++) {
        assert_int_equal(slid[i], (unsigned char)i);
    }
    assert_null(pvPortRealloc(slid, SIZE_MAX));
    kernel_expect(2, 0, 1);
    kernel_give(slid);
    kernel_give(rest);
}

static void aligned_blocks(void **state)
{
    static const size_t wrong[] = {0, 3, 24, SIZE_MAX};
    (void)state;
    const size_t free = whole();
    for (size_t alignment = 1; alignment <= 512; alignment *= 2) {
        void *const wall = kernel_take(G);
        unsigned char *const block = pvPortAlignedAlloc(alignment, 5 * G);
        kernel_expect(1, 0, 0);
        assert_true(block != NULL && (uintptr_t)block % alignment == 0 && (uintptr_t)block % portBYTE_ALIGNMENT == 0);
        assert_int_equal(xPortGetFreeHeapSize(), free - 6 * G);
        kernel_give(wall);
        kernel_give(block);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_null(pvPortAlignedAlloc(wrong[i], 8));
        kernel_expect(1, 0, 1);
    }
    assert_null(pvPortAlignedAlloc(16, 0));
    assert_null(pvPortAlignedAlloc(16, configTOTAL_HEAP_SIZE));
    kernel_expect(2, 0, 2);
    assert_int_equal(xPortGetFreeHeapSize(), free);
}

// configHEAP_CLEAR_MEMORY_ON_FREE: of what was filled, nothing is left but in the two granules that a free block uses.
static void what_is_freed_is_cleared(void **state)
{
    (void)state;
    unsigned char *block = kernel_take(40 * G);
    void *const wall = kernel_take(G);
    memset(block, 0xFF, 40 * G);
    unsigned char *const moved = pvPortRealloc(block, 60 * G);
    kernel_expect(2, 0, 0);
    for (size_t i = 0; i < 38 * G; i++) {
        assert_int_equal(block[i], 0);
    }
    assert_ptr_equal(pvPortRealloc(moved, 20 * G), moved);
    kernel_expect(1, 0, 0);
    for (size_t i = 0; i < 60 * G; i++) {
        assert_int_equal(moved[i], i < 20 * G ? 0xFF : 0);
    }
    kernel_give(moved);
    for (size_t i = 0; i < 60 * G; i++) {
        assert_int_equal(moved[i], 0);
    }
    kernel_give(wall);
}

static void stats_are_those_of_the_blocks(void **state)
{
    (void)state;
    const size_t free = whole();
    void *const first = kernel_take(6 * G);
    void *const second = kernel_take(G);
    void *const third = kernel_take(2 * G);
    void *const fourth = kernel_take(G);
    kernel_give(first);
    kernel_give(third);
    const HeapStats_t now = stats();
    assert_int_equal(now.xAvailableHeapSpaceInBytes, free - 2 * G);
    assert_int_equal(now.xNumberOfFreeBlocks, 3);
    assert_int_equal(now.xSizeOfSmallestFreeBlockInBytes, 2 * G);
    assert_int_equal(now.xSizeOfLargestFreeBlockInBytes, free - 10 * G);
    assert_int_equal(now.xMinimumEverFreeBytesRemaining, free - 10 * G);
    assert_int_equal(now.xNumberOfSuccessfulAllocations, 5);
    assert_int_equal(now.xNumberOfSuccessfulFrees, 3);
    kernel_give(kernel_take(now.xSizeOfLargestFreeBlockInBytes));
    assert_int_equal(xPortGetMinimumEverFreeHeapSize(), 8 * G);
    xPortResetHeapMinimumEverFreeHeapSize();
    kernel_expect(1, 0, 0);
    assert_int_equal(xPortGetMinimumEverFreeHeapSize(), free - 2 * G);
    kernel_give(second);
    kernel_give(fourth);
    assert_int_equal(xPortGetMinimumEverFreeHeapSize(), free - 2 * G);
}

// Six free blocks of one list, the longest of them freed first, so that it is the last.
static void a_search_sees_as_many_blocks_as_it_may(void **state)
{
    void *list[6];
    void *walls[6];
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        list[i] = kernel_take(i == 0 ? 40 * G : 33 * G);
        walls[i] = kernel_take(G);
    }
    void *const rest = kernel_take(xPortGetFreeHeapSize());
    for (size_t i = 0; i < 6; i++) {
        kernel_give(list[i]);
    }
    assert_int_equal(stats().xNumberOfFreeBlocks, 6);
    assert_int_equal(stats().xSizeOfLargestFreeBlockInBytes, 40 * G);
#ifdef configCAIRN_SEARCH // 4
    assert_null(pvPortMalloc(40 * G));
    kernel_expect(1, 0, 1);
#else // and before it fails, at all
    assert_ptr_equal(kernel_take(40 * G), list[0]);
    kernel_give(list[0]);
#endif
    kernel_give(kernel_take(33 * G));
    kernel_give(rest);
    for (size_t i = 0; i < 6; i++) {
        kernel_give(walls[i]);
    }
}

static void reset_begins_anew(void **state)
{
    (void)state;
    const size_t free = whole();
    void *const lost = kernel_take(100);
    vPortHeapResetState();
    kernel_expect(0, 0, 0);
    kernel.allocations = kernel.frees = 0;
    assert_int_equal(xPortGetFreeHeapSize(), 0);
    assert_int_equal(xPortGetMinimumEverFreeHeapSize(), 0);
    assert_int_equal(stats().xNumberOfSuccessfulAllocations, 0);
    vPortFree(lost);
    kernel_expect(1, 1, 0);
    assert_int_equal(whole(), free);
}

static void a_region_adds_to_ucHeap(void **state)
{
    static uint8_t more[1024];
    static const HeapRegion_t regions[] = {{more, sizeof more}, {NULL, 0}};
    (void)state;
    const size_t free = whole();
    vPortDefineHeapRegions(regions);
    kernel_expect(1, 0, 0);
    const size_t both = xPortGetFreeHeapSize();
    assert_in_range(both - free, 700, 1024);
    assert_int_equal(xPortGetMinimumEverFreeHeapSize(), both - G);
    void *const first = kernel_take(free);
    uint8_t *const second = kernel_take(300);
    assert_true(second > more && second + 300 <= more + sizeof more);
    kernel_give(first);
    kernel_give(second);
    vPortHeapResetState();
    kernel.allocations = kernel.frees = 0;
    vPortDefineHeapRegions(regions); // before the first use: ucHeap comes first all the same
    kernel_expect(1, 0, 0);
    assert_int_equal(xPortGetFreeHeapSize(), both);
    kernel_give(kernel_take(free));
}

static void a_broken_link_is_found(void **state)
{
    struct cairn_fault fault;
    (void)state;
    unsigned char *const block = kernel_take(4 * G);
    void *const wall = kernel_take(G);
    kernel_give(block);
    memset(block, 0x5A, 4 * G);
    assert_int_equal(xPortCheckHeap(&fault), CAIRN_ECORRUPT);
    assert_int_equal(fault.rule, CAIRN_RULE_T6);
    assert_ptr_equal(fault.address, block);
    kernel_expect(1, 0, 0);
    if (CAIRN_HARDEN >= 1) {
        assert_null(pvPortMalloc(4 * G));
        kernel_expect(1, 1, 1);
    }
    (void)wall;
    (void)kernel_setup(state); // that heap is lost
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        KERNEL_TEST(nothing_is_there_before_the_first_use),
        KERNEL_TEST(malloc_takes_what_it_says),
        KERNEL_TEST(malloc_of_nothing_or_too_much_fails_and_says_so),
        KERNEL_TEST(every_byte_can_be_had_and_comes_back),
        KERNEL_TEST(calloc_gives_zeros),
        KERNEL_TEST(calloc_refuses_what_overflows),
        KERNEL_TEST(free_of_null_does_nothing),
        KERNEL_TEST(a_bad_pointer_fails_an_assert_and_changes_nothing),
        KERNEL_TEST(realloc_in_place),
        KERNEL_TEST(realloc_of_null_and_to_nothing),
        KERNEL_TEST(realloc_copies_while_others_run),
        KERNEL_TEST(realloc_slides_where_nothing_else_is_left),
        KERNEL_TEST(aligned_blocks),
        KERNEL_TEST(what_is_freed_is_cleared),
        KERNEL_TEST(stats_are_those_of_the_blocks),
        KERNEL_TEST(a_search_sees_as_many_blocks_as_it_may),
        KERNEL_TEST(reset_begins_anew),
        KERNEL_TEST(a_region_adds_to_ucHeap),
        KERNEL_TEST(a_broken_link_is_found),
    };
    return cmocka_run_group_tests_name("freertos", tests, NULL, NULL);
}
