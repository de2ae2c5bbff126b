// SPDX-License-Identifier: MIT
//
// The part of cmocka's interface that the unit tests use, for targets where cmocka does not exist.
//
// OWNS        names and types only; cmocka_shim.c runs the tests.
// PICTURE     assert_*(...) -> shim_check_*(values, text, file, line) -> on failure longjmp back to the runner
// COST        200 bytes of RAM and a jmp_buf; 2 KB of code and the C library's printf.
// CALLERS     the unit tests, where test/target/unit.cmake finds no cmocka for the preset. The same sources build with either.
#ifndef CAIRN_TEST_CMOCKA_H
#define CAIRN_TEST_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef void (*CMUnitTestFunction)(void **state);
typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
    const char *name;
    CMUnitTestFunction test_func;
    CMFixtureFunction setup_func;
    CMFixtureFunction teardown_func;
    void *initial_state;
};

#define cmocka_unit_test(f) {#f, f, NULL, NULL, NULL}
#define cmocka_unit_test_setup(f, setup) {#f, f, setup, NULL, NULL}
#define cmocka_unit_test_teardown(f, teardown) {#f, f, NULL, teardown, NULL}
#define cmocka_unit_test_setup_teardown(f, setup, teardown) {#f, f, setup, teardown, NULL}
#define cmocka_unit_test_prestate(f, state) {#f, f, NULL, NULL, state}
#define cmocka_unit_test_prestate_setup_teardown(f, setup, teardown, state) {#f, f, setup, teardown, state}

#define cmocka_run_group_tests(tests, setup, teardown) \
    shim_run_group(#tests, tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)
#define cmocka_run_group_tests_name(name, tests, setup, teardown) \
    shim_run_group(name, tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)

#define SHIM_VALUE(value) ((uintmax_t)(value))
#define SHIM_POINTER(value) ((uintmax_t)(uintptr_t)(value))
#define SHIM_HERE __FILE__, __LINE__

#define assert_true(c) shim_check((c) ? 1 : 0, #c, SHIM_HERE)
#define assert_false(c) shim_check((c) ? 0 : 1, "!(" #c ")", SHIM_HERE)
#define assert_non_null(p) shim_check((p) != NULL, #p " != NULL", SHIM_HERE)
#define assert_null(p) shim_check((p) == NULL, #p " == NULL", SHIM_HERE)
#define assert_return_code(rc, error) shim_check_return((long)(rc), (long)(error), #rc, SHIM_HERE)
#define assert_int_equal(a, b) shim_check_equal(SHIM_VALUE(a), SHIM_VALUE(b), SHIM_HERE)
#define assert_int_not_equal(a, b) shim_check_not_equal(SHIM_VALUE(a), SHIM_VALUE(b), SHIM_HERE)
#define assert_ptr_equal(a, b) shim_check_equal(SHIM_POINTER(a), SHIM_POINTER(b), SHIM_HERE)
#define assert_ptr_not_equal(a, b) shim_check_not_equal(SHIM_POINTER(a), SHIM_POINTER(b), SHIM_HERE)
#define assert_string_equal(a, b) shim_check_string(a, b, 1, SHIM_HERE)
#define assert_string_not_equal(a, b) shim_check_string(a, b, 0, SHIM_HERE)
#define assert_memory_equal(a, b, size) shim_check_memory(a, b, size, 1, SHIM_HERE)
#define assert_memory_not_equal(a, b, size) shim_check_memory(a, b, size, 0, SHIM_HERE)
#define assert_in_range(value, low, high) shim_check_range(SHIM_VALUE(value), SHIM_VALUE(low), SHIM_VALUE(high), 1, SHIM_HERE)
#define assert_not_in_range(value, low, high) shim_check_range(SHIM_VALUE(value), SHIM_VALUE(low), SHIM_VALUE(high), 0, SHIM_HERE)

#define fail() shim_fail(SHIM_HERE)
#define fail_msg(...) \
    do { \
        print_error("ERROR: " __VA_ARGS__); \
        print_error("\n"); \
        shim_fail(SHIM_HERE); \
    } while (0)
#define skip() shim_skip(SHIM_HERE)

void print_message(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Runs the tests in order, each between its set-up and tear-down, and prints each result and a summary.
// Returns how many failed; a group set-up that fails counts as one.
int shim_run_group(const char *name, const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup,
                   CMFixtureFunction teardown);

void shim_check(int holds, const char *text, const char *file, int line);
void shim_check_return(long code, long error, const char *text, const char *file, int line);
void shim_check_equal(uintmax_t a, uintmax_t b, const char *file, int line);
void shim_check_not_equal(uintmax_t a, uintmax_t b, const char *file, int line);
void shim_check_string(const char *a, const char *b, int equal, const char *file, int line);
void shim_check_memory(const void *a, const void *b, size_t size, int equal, const char *file, int line);
void shim_check_range(uintmax_t value, uintmax_t low, uintmax_t high, int inside, const char *file, int line);
void shim_fail(const char *file, int line) __attribute__((noreturn));
void shim_skip(const char *file, int line) __attribute__((noreturn));

#endif
