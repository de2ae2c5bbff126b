// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/heap/report.c: what each report says of the address, its block and the neighbours.
// PICTURE     used 3 | free 4 | used 40 | free to the fence
// CALLERS     ctest, on every preset.
#include "fixture.h"

static unsigned char *low, *hole, *big, *tail;

static int setup(void **state)
{
    if (fixture_setup(state) != 0) {
        return -1;
    }
    low = take_granules(3);
    hole = take_granules(4);
    big = take_granules(40);
    tail = big + 40 * G;
    cairn_heap_free(HEAP, hole);
    fixture.leaks = true;
    return 0;
}

static void assert_report(enum cairn_wrong what, void *address, const void *block, size_t size, const void *before, const void *after)
{
    cairn_heap_free(HEAP, address);
    fixture_expect(what, address);
    assert_ptr_equal(fixture.report.block, block);
    assert_int_equal(fixture.report.block_size, size);
    assert_ptr_equal(fixture.report.before, before);
    assert_ptr_equal(fixture.report.after, after);
}

static void a_pointer_inside_a_used_block(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    for (uint32_t i = 1; i < 40; i++) {
        assert_report(CAIRN_WRONG_INTERIOR, big + i * G, big, 40 * G, hole, tail);
    }
    assert_report(CAIRN_WRONG_INTERIOR, low + G, low, 3 * G, NULL, hole);
}

static void a_pointer_into_a_free_block(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    assert_report(CAIRN_WRONG_DOUBLE_FREE, hole, hole, 4 * G, low, big);
    assert_report(CAIRN_WRONG_DOUBLE_FREE, hole + 2 * G, hole, 4 * G, low, big);
    const size_t rest = bytes_of(fence_of(CONTROL) - number_of(tail));
    assert_report(CAIRN_WRONG_DOUBLE_FREE, tail + 30 * G, tail, rest, big, NULL);
}

static void a_pointer_between_granules(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    assert_report(CAIRN_WRONG_POINTER, big + 1, big, 40 * G, hole, tail);
    assert_report(CAIRN_WRONG_POINTER, hole + G - 1, hole, 4 * G, low, big);
}

static void a_pointer_outside(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    assert_report(CAIRN_WRONG_POINTER, at(0), NULL, 0, NULL, NULL);
    assert_report(CAIRN_WRONG_POINTER, at(fence_of(CONTROL)), NULL, 0, NULL, NULL);
    assert_report(CAIRN_WRONG_POINTER, fixture_region, NULL, 0, NULL, NULL);
    assert_report(CAIRN_WRONG_POINTER, (void *)UINTPTR_MAX, NULL, 0, NULL, NULL);
}

static void a_broken_link(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    links_of(number_of(hole))->prev = 99;
    fixture.damaged = true;
    cairn_heap_free(HEAP, low);
    fixture_expect(CAIRN_WRONG_LINK, hole);
    assert_ptr_equal(fixture.report.block, hole);
    assert_int_equal(fixture.report.block_size, 4 * G);
    assert_ptr_equal(fixture.report.after, big);
}

static void a_region_of_one_block_has_no_neighbours(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    free_all();
    assert_report(CAIRN_WRONG_DOUBLE_FREE, at(1), at(1), stats().size, NULL, NULL);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
    static const struct CMUnitTest tests[] = {
        TEST(a_pointer_inside_a_used_block),
        TEST(a_pointer_into_a_free_block),
        TEST(a_pointer_between_granules),
        TEST(a_pointer_outside),
        TEST(a_broken_link),
        TEST(a_region_of_one_block_has_no_neighbours),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
