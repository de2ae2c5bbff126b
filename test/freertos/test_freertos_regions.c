// SPDX-License-Identifier: MIT
//
// OWNS        the proof of port/freertos/heap_cairn.c in the place of heap_5: regions, one after the other, and what is no region.
// PICTURE     memory   | low: 1000 | gap: 24 | high: 2000 | spare: 1072 |
// CALLERS     ctest, on every preset.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "FreeRTOS.h"
#include "heap_cairn.h"

#include <string.h>

#define G ((size_t)CAIRN_GRANULE)
#define LOW (memory)
#define LOW_SIZE ((size_t)1000)
#define HIGH (memory + 1024)
#define HIGH_SIZE ((size_t)2000)
#define SPARE (memory + 3024)
#define SPARE_SIZE ((size_t)1072)

static _Alignas(16) uint8_t memory[4096];

static bool is_in(const void *block, const uint8_t *region, size_t size)
{
    return (uintptr_t)block - (uintptr_t)region < size;
}

// Define one region. Returns the bytes that it added.
static size_t define(uint8_t *address, size_t size, unsigned asserts)
{
    const HeapRegion_t regions[] = {{address, size}, {NULL, 0}};
    const size_t free = xPortGetFreeHeapSize();
    vPortDefineHeapRegions(regions);
    kernel_expect(1, asserts, 0);
    return xPortGetFreeHeapSize() - free;
}

static void define_both(void)
{
    static const HeapRegion_t regions[] = {{LOW, LOW_SIZE}, {HIGH, HIGH_SIZE}, {NULL, 0}};
    vPortDefineHeapRegions(regions);
    kernel_expect(1, 0, 0);
}

// Allocate in this region, which must succeed.
static void *take(size_t size, const uint8_t *region, size_t region_size)
{
    void *const block = pvPortMalloc(size);
    assert_non_null(block);
    assert_true(is_in(block, region, region_size) && is_in((uint8_t *)block + size - 1, region, region_size));
    kernel_expect(1, 0, 0);
    return block;
}

static void malloc_before_any_region_fails_an_assert(void **state)
{
    (void)state;
    assert_null(pvPortMalloc(8));
    kernel_expect(1, 1, 1);
    vPortFree(memory + 8);
    kernel_expect(1, 0, 0);
    assert_int_equal(kernel.reports, 1);
    assert_int_equal(kernel.what, CAIRN_WRONG_POINTER);
}

static void an_empty_table_fails_an_assert(void **state)
{
    (void)state;
    assert_int_equal(define(NULL, 0, 1), 0);
    assert_int_equal(define(LOW, 0, 1), 0);
    vPortDefineHeapRegions(NULL);
    kernel_expect(1, 1, 0);
}

static void regions_are_used_in_the_order_of_the_table(void **state)
{
    static const HeapRegion_t regions[] = {{HIGH, HIGH_SIZE}, {LOW, LOW_SIZE}, {NULL, 0}};
    (void)state;
    vPortDefineHeapRegions(regions); // not by address
    kernel_expect(1, 0, 0);
    const size_t free = xPortGetFreeHeapSize();
    void *const first = take(1500, HIGH, HIGH_SIZE);
    void *const second = take(700, LOW, LOW_SIZE);
    void *const third = take(100, HIGH, HIGH_SIZE);
    assert_null(pvPortMalloc(700));
    kernel_expect(1, 0, 1);
    vPortFree(second);
    vPortFree(first);
    vPortFree(third);
    kernel_expect(3, 0, 0);
    assert_int_equal(xPortGetFreeHeapSize(), free);
}

static void a_later_call_adds(void **state)
{
    (void)state;
    const size_t low = define(LOW, LOW_SIZE, 0);
    assert_int_equal(xPortGetMinimumEverFreeHeapSize(), low);
    void *const first = take(low, LOW, LOW_SIZE);
    assert_null(pvPortMalloc(8));
    kernel_expect(1, 0, 1);
    const size_t high = define(HIGH, HIGH_SIZE, 0);
    assert_int_equal(xPortGetMinimumEverFreeHeapSize(), high);
    void *const second = take(high, HIGH, HIGH_SIZE);
    const size_t spare = define(SPARE, SPARE_SIZE, 0); // begins where another ends
    void *const third = take(spare, SPARE, SPARE_SIZE);
    assert_int_equal(xPortGetMinimumEverFreeHeapSize(), 0);
    vPortFree(second);
    vPortFree(third);
    vPortFree(first);
    kernel_expect(3, 0, 0);
    assert_int_equal(xPortGetFreeHeapSize(), low + high + spare);
}

static void what_overlaps_is_refused(void **state)
{
    static const HeapRegion_t mixed[] = {{LOW + 8, 200}, {SPARE, SPARE_SIZE}, {HIGH + HIGH_SIZE - 1, 300}, {NULL, 0}};
    (void)state;
    define_both();
    assert_int_equal(define(LOW, LOW_SIZE, 2), 0); // and nothing was added
    assert_int_equal(define(HIGH, HIGH_SIZE, 2), 0);
    assert_int_equal(define(LOW + 100, 500, 2), 0);
    assert_int_equal(define(LOW + 500, 1100, 2), 0);
    assert_int_equal(define(LOW + LOW_SIZE - 1, 24, 2), 0);
    assert_int_equal(define(memory, sizeof memory, 2), 0);
    assert_int_equal(define(HIGH + HIGH_SIZE - 1, SPARE_SIZE, 2), 0);
    const size_t free = xPortGetFreeHeapSize();
    vPortDefineHeapRegions(mixed);
    kernel_expect(1, 2, 0);
    assert_in_range(xPortGetFreeHeapSize() - free, SPARE_SIZE - 200, SPARE_SIZE);
}

static void what_is_too_small_is_refused(void **state)
{
    (void)state;
    size_t size = 1;
    memset(SPARE, 0xA5, SPARE_SIZE);
    for (;;) {
        const HeapRegion_t regions[] = {{SPARE, size}, {NULL, 0}};
        vPortDefineHeapRegions(regions);
        if (kernel.asserts == 0) {
            break;
        }
        kernel_expect(1, 2, 0);
        assert_int_equal(xPortGetFreeHeapSize(), 0);
        for (size_t i = 0; i < SPARE_SIZE; i++) {
            assert_int_equal(SPARE[i], 0xA5);
        }
        size++;
    }
    kernel_expect(1, 0, 0);
    assert_in_range(size, 80, 200);
    assert_int_equal(xPortGetFreeHeapSize(), G);
    vPortFree(take(G, SPARE, size));
    kernel_expect(1, 0, 0);
    assert_int_equal(define(NULL, 500, 2), 0);
    assert_int_equal(define(LOW, SIZE_MAX, 2), 0);
}

static void a_region_may_begin_and_end_anywhere(void **state)
{
    (void)state;
    for (size_t skip = 0; skip < 16; skip++) {
        for (size_t size = 600; size < 617; size++) {
            (void)kernel_setup(state);
            memset(memory, 0x5A, sizeof memory);
            const size_t free = define(memory + 16 + skip, size, 0);
            assert_in_range(free, 400, 600);
            void *const block = take(free, memory + 16 + skip, size);
            assert_true((uintptr_t)block % portBYTE_ALIGNMENT == 0);
            memset(block, 0, free);
            vPortFree(block);
            for (size_t i = 0; i < 16 + skip; i++) {
                assert_int_equal(memory[i], 0x5A);
            }
            for (size_t i = 16 + skip + size; i < 700; i++) {
                assert_int_equal(memory[i], 0x5A);
            }
        }
    }
}

static void realloc_moves_to_another_region(void **state)
{
    (void)state;
    define_both();
    unsigned char *const block = take(608, LOW, LOW_SIZE);
    for (size_t i = 0; i < 608; i++) {
        block[i] = (unsigned char)(i * 7);
    }
    const size_t free = xPortGetFreeHeapSize();
    unsigned char *const moved = pvPortRealloc(block, 1216);
    kernel_expect(2, 0, 0);
    assert_true(moved != NULL && is_in(moved, HIGH, HIGH_SIZE));
    for (size_t i = 0; i < 608; i++) {
        assert_int_equal(moved[i], (unsigned char)(i * 7));
    }
    assert_int_equal(xPortGetFreeHeapSize(), free - 608);
    assert_int_equal(xPortGetMinimumEverFreeHeapSize(), free - 1216);
    assert_null(pvPortRealloc(moved, 3000));
    kernel_expect(1, 0, 1);
    vPortFree(moved);
}

static void aligned_blocks_come_from_any_region(void **state)
{
    (void)state;
    define_both();
    void *const full = take(700, LOW, LOW_SIZE);
    void *const block = pvPortAlignedAlloc(256, 400);
    kernel_expect(1, 0, 0);
    assert_true(block != NULL && is_in(block, HIGH, HIGH_SIZE) && (uintptr_t)block % 256 == 0);
    vPortFree(full);
    vPortFree(block);
}

static void assert_reports(void *pointer, enum cairn_wrong what, const void *block)
{
    kernel.reports = 0;
    vPortFree(pointer);
    assert_int_equal(kernel.reports, 1);
    assert_int_equal(kernel.what, what);
    assert_ptr_equal(kernel.address, pointer);
    assert_ptr_equal(kernel.block, block);
    kernel_expect(1, 0, 0);
}

static void a_bad_pointer_is_reported_with_its_block(void **state)
{
    (void)state;
    define_both();
    uint8_t *const low = take(LOW_SIZE / 2, LOW, LOW_SIZE);
    uint8_t *const high = take(LOW_SIZE, HIGH, HIGH_SIZE);
    vPortFree(low);
    kernel_expect(1, 0, 0);
    const size_t free = xPortGetFreeHeapSize();
    for (size_t i = 0; i < HIGH_SIZE && CAIRN_HARDEN >= 1; i += i < 24 ? 1 : 8) {
        assert_reports(LOW + LOW_SIZE + i % 24, CAIRN_WRONG_POINTER, NULL);
    }
    if (CAIRN_HARDEN >= 1) {
        assert_reports(low, CAIRN_WRONG_DOUBLE_FREE, low);
        assert_reports(high + G, CAIRN_WRONG_INTERIOR, high);
        assert_reports(high + 1, CAIRN_WRONG_POINTER, high);
        assert_reports(HIGH, CAIRN_WRONG_POINTER, NULL);
        assert_reports(&state, CAIRN_WRONG_POINTER, NULL);
    }
    assert_int_equal(xPortGetFreeHeapSize(), free);
    vPortFree(high);
}

static void stats_count_all_regions(void **state)
{
    HeapStats_t stats;
    (void)state;
    const size_t low = define(LOW, LOW_SIZE, 0);
    const size_t high = define(HIGH, HIGH_SIZE, 0);
    void *const first = take(low - 2 * G, LOW, LOW_SIZE);
    void *const second = take(5 * G, HIGH, HIGH_SIZE);
    vPortGetHeapStats(&stats);
    kernel_expect(1, 0, 0);
    assert_int_equal(stats.xNumberOfFreeBlocks, 2);
    assert_int_equal(stats.xSizeOfSmallestFreeBlockInBytes, 2 * G);
    assert_int_equal(stats.xSizeOfLargestFreeBlockInBytes, high - 5 * G);
    assert_int_equal(stats.xAvailableHeapSpaceInBytes, high - 3 * G);
    assert_int_equal(stats.xMinimumEverFreeBytesRemaining, high - 3 * G);
    vPortFree(first);
    vPortFree(second);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        KERNEL_TEST(malloc_before_any_region_fails_an_assert),
        KERNEL_TEST(an_empty_table_fails_an_assert),
        KERNEL_TEST(regions_are_used_in_the_order_of_the_table),
        KERNEL_TEST(a_later_call_adds),
        KERNEL_TEST(what_overlaps_is_refused),
        KERNEL_TEST(what_is_too_small_is_refused),
        KERNEL_TEST(a_region_may_begin_and_end_anywhere),
        KERNEL_TEST(realloc_moves_to_another_region),
        KERNEL_TEST(aligned_blocks_come_from_any_region),
        KERNEL_TEST(a_bad_pointer_is_reported_with_its_block),
        KERNEL_TEST(stats_count_all_regions),
    };
    return cmocka_run_group_tests_name("freertos_regions", tests, NULL, NULL);
}
