// SPDX-License-Identifier: MIT
//
// OWNS        the proof of vPortFreeFromISR: what an interrupt frees comes back, is counted once, and what it should not free is reported.
// PICTURE     memory   | low: 1500 | gap: 36 | high: 2500 |
// CALLERS     ctest, on every preset.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cairn/deferred.h"

#include "FreeRTOS.h"
#include "hardening.h"
#include "heap_cairn.h"

#include <string.h>

#define G ((size_t)CAIRN_GRANULE)
#define LOW (memory)
#define LOW_SIZE ((size_t)1500)
#define HIGH (memory + 1536)
#define HIGH_SIZE ((size_t)2500)
#define COUNT 300 // more blocks than fit

static _Alignas(16) uint8_t memory[4096];
static void *blocks[COUNT];

static size_t define(void)
{
    static const HeapRegion_t regions[] = {{LOW, LOW_SIZE}, {HIGH, HIGH_SIZE}, {NULL, 0}};
    vPortDefineHeapRegions(regions);
    kernel_expect(1, 0, 0);
    return xPortGetFreeHeapSize();
}

static void interrupt(void *block)
{
    const size_t free = xPortGetFreeHeapSize();
    vPortFreeFromISR(block);
    kernel_expect(0, 0, 0); // it does not call the kernel
    assert_int_equal(xPortGetFreeHeapSize(), free);
}

static void expect_report(enum cairn_wrong what, const void *address)
{
    assert_int_equal(kernel.reports, 1);
    assert_int_equal(kernel.what, what);
    assert_ptr_equal(kernel.address, address);
    kernel.reports = 0;
}

// What makes the heap look and changes nothing.
static HeapStats_t look(void)
{
    HeapStats_t stats;
    vPortGetHeapStats(&stats);
    kernel_expect(1, 0, 0);
    return stats;
}

static void the_next_call_of_any_kind_frees_it(void **state)
{
    (void)state;
    const size_t free = define();
    void *const stays = kernel_take(40);
    const size_t without = free - xPortGetBlockSize(stays);
    kernel_expect(1, 0, 0);
    for (unsigned call = 0; call < 4; call++) {
        interrupt(kernel_take(100));
        void *const block = call == 0 ? pvPortMalloc(1) : NULL;
        if (call == 1) {
            kernel_give(kernel_take(1));
        } else if (call == 2) {
            assert_ptr_equal(pvPortRealloc(stays, 39), stays);
        } else if (call == 3) {
            (void)look();
        }
        kernel.sections = 0;
        vPortFree(block);
        kernel.sections = 0;
        assert_int_equal(xPortGetFreeHeapSize(), without);
    }
    vPortFree(stays);
    assert_int_equal(xPortGetFreeHeapSize(), free);
}

static void it_is_no_block_from_then_on(void **state)
{
    (void)state;
    (void)define();
    void *const block = kernel_take(100);
    vPortFreeFromISR(block);
    assert_int_equal(xPortGetBlockSize(block), 0);
}

static void a_call_frees_only_a_few(void **state)
{
    (void)state;
    const size_t free = define() - G;
    void *const stays = kernel_take(1);
    for (unsigned i = 0; i < 9; i++) {
        blocks[i] = kernel_take(1);
        blocks[20 + i] = kernel_take(1); // so that they do not merge
    }
    for (unsigned i = 0; i < 9; i++) {
        interrupt(blocks[i]);
    }
    for (size_t left = 9; left != 0; left = left < CAIRN_DEFERRED_BLOCKS ? 0 : left - CAIRN_DEFERRED_BLOCKS) {
        assert_int_equal(xPortGetFreeHeapSize(), free - (9 + left) * G);
        assert_ptr_equal(pvPortRealloc(stays, 1), stays);
    }
    assert_int_equal(xPortGetFreeHeapSize(), free - 9 * G);
    assert_int_equal(kernel.frees, 9 + 3); // and what realloc counts
}

static void a_request_that_would_fail_frees_all_first(void **state)
{
    (void)state;
    const size_t free = define();
    size_t count = 0;
    const size_t largest = look().xSizeOfLargestFreeBlockInBytes;
    while (count < COUNT && (blocks[count] = pvPortMalloc(24)) != NULL) {
        count++;
    }
    assert_in_range(count, 40, COUNT - 1);
    kernel_expect((unsigned)count + 1, 0, 1);
    for (size_t i = 0; i < count; i++) {
        interrupt(blocks[i]);
    }
    vPortFree(kernel_take(largest));
    assert_int_equal(xPortGetFreeHeapSize(), free);
    assert_int_equal(kernel.frees, count + 1);
}

static void what_is_in_no_region_is_reported_by_the_next_call(void **state)
{
    (void)state;
    const size_t free = define();
    uint8_t *const block = kernel_take(10 * G);
    vPortFreeFromISR(NULL);
    (void)look();
    assert_int_equal(kernel.reports, 0);
    vPortFreeFromISR(LOW + LOW_SIZE + 4); // between the regions
    (void)look();
    expect_report(CAIRN_WRONG_POINTER, LOW + LOW_SIZE + 4);
    vPortFreeFromISR(HIGH + 8); // what is in front of its blocks
    (void)look();
    expect_report(CAIRN_WRONG_POINTER, HIGH + 8);
    kernel_give(block);
    assert_int_equal(xPortGetFreeHeapSize(), free);
    assert_int_equal(kernel.frees, 1);
}

static void what_is_no_block_of_a_region_is_reported_by_the_next_call(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    const size_t free = define();
    uint8_t *const block = kernel_take(10 * G);
    vPortFreeFromISR(block + 2 * G);
    (void)look();
    expect_report(CAIRN_WRONG_INTERIOR, block + 2 * G);
    vPortFreeFromISR(block + 1);
    (void)look();
    expect_report(CAIRN_WRONG_POINTER, block + 1);
    kernel_give(block);
    vPortFreeFromISR(block);
    (void)look();
    expect_report(CAIRN_WRONG_DOUBLE_FREE, block);
    assert_int_equal(xPortGetFreeHeapSize(), free);
    assert_int_equal(kernel.frees, 1);
}

static void before_there_is_memory_it_fails_an_assert(void **state)
{
    (void)state;
    kernel.depth = 1; // as if: asserts are counted within a section
    vPortFreeFromISR(memory);
    kernel.depth = 0;
    kernel_expect(0, 1, 0);
}

static void twice_is_reported_and_counted_once(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    const size_t free = define();
    void *block = kernel_take(50);
    vPortFreeFromISR(block);
    vPortFreeFromISR(block);
    (void)look();
    expect_report(CAIRN_WRONG_DOUBLE_FREE, block);
    block = kernel_take(50);
    vPortFreeFromISR(block);
    kernel_give(block); // which frees what is marked first
    expect_report(CAIRN_WRONG_DOUBLE_FREE, block);
    block = kernel_take(50);
    vPortFreeFromISR(block);
    assert_null(pvPortRealloc(block, 10));
    kernel_expect(1, 0, 0);
    expect_report(CAIRN_WRONG_DOUBLE_FREE, block);
    assert_int_equal(xPortGetFreeHeapSize(), free);
    assert_int_equal(kernel.frees, 3);
}

static void *victim;

static void free_the_victim(void)
{
    vPortFreeFromISR(victim);
}

static void one_that_comes_while_realloc_copies_is_reported(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    (void)define();
    victim = kernel_take(40);
    void *const stopper = kernel_take(1);
    memset(victim, 7, 40);
    kernel.on_resume = free_the_victim;
    uint8_t *const to = pvPortRealloc(victim, 400);
    assert_true(to != NULL && to != victim && to[0] == 7 && to[39] == 7);
    expect_report(CAIRN_WRONG_DOUBLE_FREE, victim);
    assert_int_equal(kernel.frees, 1);
    vPortFree(to);
    vPortFree(stopper);
}

static void each_region_has_marks_of_its_own(void **state)
{
    (void)state;
    const size_t free = define();
    void *const low = kernel_take(700);
    void *const high = kernel_take(1500);
    assert_true((uint8_t *)low < HIGH && (uint8_t *)high > HIGH);
    interrupt(low);
    interrupt(high);
    vPortFree(kernel_take(1));
    assert_int_equal(xPortGetFreeHeapSize(), free);
    assert_int_equal(kernel.frees, 3);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        KERNEL_TEST(the_next_call_of_any_kind_frees_it),
        KERNEL_TEST(it_is_no_block_from_then_on),
        KERNEL_TEST(a_call_frees_only_a_few),
        KERNEL_TEST(a_request_that_would_fail_frees_all_first),
        KERNEL_TEST(what_is_in_no_region_is_reported_by_the_next_call),
        KERNEL_TEST(what_is_no_block_of_a_region_is_reported_by_the_next_call),
        KERNEL_TEST(before_there_is_memory_it_fails_an_assert),
        KERNEL_TEST(twice_is_reported_and_counted_once),
        KERNEL_TEST(one_that_comes_while_realloc_copies_is_reported),
        KERNEL_TEST(each_region_has_marks_of_its_own),
    };
    return cmocka_run_group_tests_name("freertos_isr", tests, NULL, NULL);
}
