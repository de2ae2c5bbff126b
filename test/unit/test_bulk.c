// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/base/bulk.h: any address, any size, and not a byte beside it.
// CALLERS     ctest, on every preset.
#include "base/bulk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define AROUND 8u
#define MOST 80u
#define ALL (MOST + 2 * AROUND)

static _Alignas(8) unsigned char to[ALL], from[ALL];

static void fill(void)
{
    for (uint32_t i = 0; i < ALL; i++) {
        to[i] = (unsigned char)(0x80 + i);
        from[i] = (unsigned char)(1 + i % 0x7F);
    }
}

static void zeros_go_where_they_should_and_nowhere_else(void **state)
{
    (void)state;
    for (uint32_t at = 0; at < AROUND; at++) {
        for (uint32_t size = 0; size <= MOST; size++) {
            fill();
            cairn_bulk_zero_(to + at, size);
            for (uint32_t i = 0; i < ALL; i++) {
                assert_int_equal(to[i], i - at < size ? 0 : 0x80 + i);
            }
        }
    }
}

static void a_copy_is_the_same_bytes_from_and_to_any_address(void **state)
{
    (void)state;
    for (uint32_t at = 0; at < AROUND * AROUND; at++) {
        for (uint32_t size = 0; size <= MOST; size += size < 36 ? 1 : 11) {
            const uint32_t left = at % AROUND;
            const uint32_t right = at / AROUND;
            fill();
            cairn_bulk_copy_(to + left, from + right, size);
            for (uint32_t i = 0; i < ALL; i++) {
                assert_int_equal(to[i], i - left < size ? 1 + (i - left + right) % 0x7F : 0x80 + i);
            }
        }
    }
}

static void zeros_and_equals_are_told_from_any_byte_that_differs(void **state)
{
    (void)state;
    for (uint32_t at = 0; at < AROUND * AROUND; at++) {
        unsigned char *const one = to + at % AROUND;
        unsigned char *const other = from + at / AROUND;
        for (uint32_t size = 0; size <= MOST; size += size < 36 ? 1 : 11) {
            fill(); // what is around is neither zeros nor the same
            cairn_bulk_zero_(one, size);
            cairn_bulk_zero_(other, size);
            assert_true(cairn_bulk_is_zeros_(one, size));
            assert_true(cairn_bulk_is_equal_(one, other, size));
            for (uint32_t i = 0; i < size; i++) {
                other[i] = 1;
                assert_false(cairn_bulk_is_zeros_(other, size));
                assert_false(cairn_bulk_is_equal_(one, other, size));
                one[i] = 1;
                assert_true(cairn_bulk_is_equal_(one, other, size));
                one[i] = other[i] = 0;
            }
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeros_go_where_they_should_and_nowhere_else),
        cmocka_unit_test(a_copy_is_the_same_bytes_from_and_to_any_address),
        cmocka_unit_test(zeros_and_equals_are_told_from_any_byte_that_differs),
    };
    return cmocka_run_group_tests_name("bulk", tests, NULL, NULL);
}
