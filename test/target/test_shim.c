// SPDX-License-Identifier: MIT
//
// OWNS        the proof that the shim passes, fails and skips as cmocka does. On the host it is cmocka that runs it.
// PICTURE     an inner group that must fail twice and skip once, inside main; then the group that counts
// CALLERS     ctest, on every preset.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int setups, teardowns, passed_setups;

static int count_setup(void **state)
{
    setups++;
    *state = &setups;
    return 0;
}

static int refuse_setup(void **state)
{
    (void)state;
    return -1;
}

static int count_teardown(void **state)
{
    teardowns += *state == &setups;
    return 0;
}

static void holds(void **state)
{
    static const char text[] = "cairn";

    assert_ptr_equal(*state, &setups);
    assert_true(setups);
    assert_false(0);
    assert_null(NULL);
    assert_non_null(text);
    assert_int_equal(-1, -1);
    assert_int_not_equal(1, 2);
    assert_ptr_not_equal(text, &setups);
    assert_string_equal(text, "cairn");
    assert_string_not_equal(text, "heap");
    assert_memory_equal(text, "cairo", 4);
    assert_memory_not_equal(text, "cairo", 5);
    assert_in_range(5, 5, 6);
    assert_not_in_range(7, 5, 6);
    assert_return_code(0, 0);
    passed_setups = setups;
}

static void fails(void **state)
{
    (void)state;
    assert_int_equal(1, 2);
    teardowns = -100;
}

static void fails_with_a_message(void **state)
{
    (void)state;
    fail_msg("number %d", 7);
}

static void skips(void **state)
{
    (void)state;
    skip();
}

static void figures_are_right(void **state)
{
    (void)state;
    assert_int_equal(setups, 4);
    assert_int_equal(teardowns, 4);
    assert_int_equal(passed_setups, 1);
}

int main(void)
{
    const struct CMUnitTest inner[] = {
        cmocka_unit_test_setup_teardown(holds, count_setup, count_teardown),
        cmocka_unit_test_setup_teardown(fails, count_setup, count_teardown),
        cmocka_unit_test_setup_teardown(fails_with_a_message, count_setup, count_teardown),
        cmocka_unit_test_setup_teardown(skips, count_setup, count_teardown),
        cmocka_unit_test_setup(holds, refuse_setup),
    };
    const struct CMUnitTest outer[] = {
        cmocka_unit_test(figures_are_right),
    };

    print_message("three of these fail on purpose\n");
    if (cmocka_run_group_tests_name("shim, inner", inner, NULL, NULL) != 3)
        return 1;
    return cmocka_run_group_tests_name("shim", outer, NULL, NULL);
}
