// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/base/bits.h against loops that count.
// CALLERS     ctest, on every preset: on Armv6-M the other half of the file is compiled.
#include "base/bits.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint32_t highest_by_hand(uint32_t word)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < 32; i++) {
        if ((word >> i & 1) != 0) {
            at = i;
        }
    }
    return at;
}

static uint32_t lowest_by_hand(uint32_t word)
{
    uint32_t at = 0;
    while ((word >> at & 1) == 0) {
        at++;
    }
    return at;
}

static void one_bit_is_both_highest_and_lowest(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 32; i++) {
        assert_int_equal(bits_highest((uint32_t)1 << i), i);
        assert_int_equal(bits_lowest((uint32_t)1 << i), i);
    }
}

static void two_bits_are_told_apart(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 32; i++) {
        for (uint32_t j = 0; j <= i; j++) {
            const uint32_t word = (uint32_t)1 << i | (uint32_t)1 << j;
            assert_int_equal(bits_highest(word), i);
            assert_int_equal(bits_lowest(word), j);
        }
    }
}

static void any_word_agrees_with_counting(void **state)
{
    uint32_t word = 1;
    (void)state;
    for (int i = 0; i < 2000; i++) {
        word = word * 1664525u + 1013904223u;
        const uint32_t part = word >> (word & 31);
        if (part != 0) {
            assert_int_equal(bits_highest(part), highest_by_hand(part));
            assert_int_equal(bits_lowest(part), lowest_by_hand(part));
        }
    }
}

static void ceil_log2_is_the_smallest_power_not_below(void **state)
{
    (void)state;
    for (uint32_t value = 1; value < 5000; value++) {
        const uint32_t k = bits_ceil_log2(value);
        assert_true((uint32_t)1 << k >= value);
        assert_true(k == 0 || (uint32_t)1 << (k - 1) < value);
    }
    assert_int_equal(bits_ceil_log2((uint32_t)1 << 31), 31);
    assert_int_equal(bits_ceil_log2(((uint32_t)1 << 30) + 1), 31);
    assert_int_equal(bits_ceil_log2(((uint32_t)1 << 31) - 1), 31);
}

static void powers_of_two_have_one_bit(void **state)
{
    (void)state;
    assert_false(is_power_of_two(0));
    for (size_t i = 0; i < sizeof(size_t) * 8; i++) {
        assert_true(is_power_of_two((size_t)1 << i));
        assert_int_equal(is_power_of_two(((size_t)1 << i) + 1), i == 0);
    }
    assert_false(is_power_of_two(SIZE_MAX));
    assert_false(is_power_of_two(12));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_bit_is_both_highest_and_lowest),
        cmocka_unit_test(two_bits_are_told_apart),
        cmocka_unit_test(any_word_agrees_with_counting),
        cmocka_unit_test(ceil_log2_is_the_smallest_power_not_below),
        cmocka_unit_test(powers_of_two_have_one_bit),
    };
    return cmocka_run_group_tests_name("bits", tests, NULL, NULL);
}
