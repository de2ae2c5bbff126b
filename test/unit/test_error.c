// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/base/error.c.
// CALLERS     ctest, on every preset.
#include "cairn/types.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const int all[] = {CAIRN_OK,        CAIRN_ENOENT,    CAIRN_ENOMEM,   CAIRN_EBUSY,
                          CAIRN_EINVAL,    CAIRN_EOVERFLOW, CAIRN_ECORRUPT, CAIRN_ENOTSUP,
                          CAIRN_EIO,       CAIRN_EACCES,    CAIRN_EFAULT};
#define COUNT (sizeof all / sizeof all[0])

static void each_error_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(strlen(cairn_error_name(all[i])) > 3);
        assert_string_not_equal(cairn_error_name(all[i]), "unknown error");
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(cairn_error_name(all[i]), cairn_error_name(all[j]));
        }
    }
}

static void other_numbers_are_unknown(void **state)
{
    (void)state;
    assert_string_equal(cairn_error_name(1), "unknown error");
    assert_string_equal(cairn_error_name(-1), "unknown error");
    assert_string_equal(cairn_error_name(-2147483647 - 1), "unknown error");
    assert_string_equal(cairn_error_name(2147483647), "unknown error");
}

static void errors_are_negative(void **state)
{
    (void)state;
    assert_int_equal(CAIRN_OK, 0);
    for (size_t i = 1; i < COUNT; i++) {
        assert_true(all[i] < 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_error_has_a_name_of_its_own),
        cmocka_unit_test(other_numbers_are_unknown),
        cmocka_unit_test(errors_are_negative),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
