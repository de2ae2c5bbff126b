// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/vm/stream.c.
// CALLERS     ctest, on every preset.
#include "prng.h"
#include "vm/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct stream_table table;
static struct stream_advice advice;

static uint32_t fault(uint32_t page)
{
    cairn_stream_fault_(&table, page, false, &advice);
    return advice.count;
}

static uint32_t asked(uint32_t page)
{
    cairn_stream_fault_(&table, page, true, &advice);
    return advice.count;
}

static void a_stream_opens_at_its_second_step_and_grows(void **state)
{
    (void)state;
    cairn_stream_init_(&table, 64);
    assert_int_equal(fault(10), 0);
    assert_int_equal(fault(11), 0);
    assert_int_equal(fault(12), 1);
    assert_int_equal(advice.first, 13);
    uint32_t next = 14; // never advised before
    for (uint32_t page = 13; page < 60; page++) {
        if (asked(page) != 0) {
            assert_int_equal(advice.first, next);
            assert_int_equal(advice.stride, 1);
            next += advice.count;
        }
        assert_in_range(next - page - 1, 1, 8);
    }
    assert_int_equal(next, 60 + 8);
}

static void strides_may_be_long_and_downwards(void **state)
{
    static const int32_t strides[] = {-1, 3, -7, 32, -32};
    (void)state;
    for (uint32_t i = 0; i < sizeof strides / sizeof strides[0]; i++) {
        const uint32_t stride = (uint32_t)strides[i];
        cairn_stream_init_(&table, 64);
        assert_int_equal(fault(0), 0);
        assert_int_equal(fault(stride), 0);
        assert_int_equal(fault(stride * 2), 1);
        assert_int_equal(advice.first, stride * 3);
        assert_int_equal(advice.stride, stride);
    }
    cairn_stream_init_(&table, 64);
    assert_int_equal(fault(0) + fault(33) + fault(66) + fault(99), 0);
}

static void streams_do_not_disturb_each_other(void **state)
{
    (void)state;
    cairn_stream_init_(&table, 64);
    uint32_t advised = 0;
    for (uint32_t step = 0; step < 3; step++) {
        for (uint32_t stream = 0; stream < STREAM_COUNT; stream++) {
            advised += fault(1000 * stream + step);
        }
    }
    assert_int_equal(advised, STREAM_COUNT);
}

static void few_frames_bring_in_nothing(void **state)
{
    (void)state;
    cairn_stream_init_(&table, 7);
    for (uint32_t page = 0; page < 40; page++) {
        assert_int_equal(fault(page), 0);
    }
}

static void waste_shuts_the_gate(void **state)
{
    (void)state;
    cairn_stream_init_(&table, 64);
    uint32_t advised = 0;
    for (uint32_t run = 0; run < 200; run++) { // runs of three pages, then elsewhere
        for (uint32_t step = 0; step < 3; step++) {
            const uint32_t count = fault(100 * run + step);
            for (uint32_t i = 0; i < count; i++) {
                cairn_stream_waste_(&table, advice.first + i);
            }
            advised += count;
        }
    }
    assert_in_range(advised, 1, 12);
}

static void a_page_that_left_too_early_counts(void **state)
{
    (void)state;
    cairn_stream_init_(&table, 64);
    for (uint32_t i = 0; i < 5; i++) {
        cairn_stream_gone_(&table, 5000 + 100 * i);
    }
    for (uint32_t i = 0; i < 5; i++) {
        (void)fault(5000 + 100 * i);
        (void)fault(5000 + 100 * i); // once is once
    }
    assert_int_equal(table.wasted, 5);
}

static void any_faults_keep_the_limits(void **state)
{
    struct prng prng;
    (void)state;
    prng_seed(&prng, 3);
    cairn_stream_init_(&table, 80);
    for (uint32_t step = 0; step < 20000; step++) {
        const uint32_t page = prng_below(&prng, 5) == 0 ? prng_next(&prng) : 0u - 20u + prng_below(&prng, 60);
        const uint32_t count = prng_below(&prng, 3) == 0 ? asked(page) : fault(page);
        assert_in_range(count, 0, 10);
        if (prng_below(&prng, 9) == 0) {
            cairn_stream_waste_(&table, page + 1);
        }
        for (uint32_t i = 0; i < STREAM_COUNT; i++) {
            assert_in_range(table.streams[i].window, 0, 10);
            assert_in_range(table.streams[i].ahead, 0, table.streams[i].window > 0 ? 10 : table.streams[i].ahead);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_opens_at_its_second_step_and_grows),
        cmocka_unit_test(strides_may_be_long_and_downwards),
        cmocka_unit_test(streams_do_not_disturb_each_other),
        cmocka_unit_test(few_frames_bring_in_nothing),
        cmocka_unit_test(waste_shuts_the_gate),
        cmocka_unit_test(a_page_that_left_too_early_counts),
        cmocka_unit_test(any_faults_keep_the_limits),
    };
    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
