// SPDX-License-Identifier: MIT
//
// OWNS        the running test's way back (one jmp_buf) and the group's figures.
// PICTURE     run_guarded: setjmp -> set-up | test | tear-down; a failed check longjmps there with FAILED, skip() with SKIPPED
// INVARIANTS  1. way_back is valid exactly while a guarded function runs; a check outside ends the program.
//             2. A tear-down runs iff its set-up succeeded, whatever became of the test.
//             3. run = passed + failed + skipped.
// COST        one level of setjmp; the checks add nothing to RAM.
// CALLERS     main() of each unit test, one thread, one group at a time.
#include "cmocka.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum outcome { PASSED = 0, FAILED = 1, SKIPPED = 2 };

static jmp_buf way_back;
static bool guarded;

void print_message(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
}

// To stdout as well: the order of the lines tells what failed where.
void print_error(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
}

// ---------------------------------------------------------------------------------------------------- checks

static _Noreturn void leave(enum outcome outcome)
{
    if (!guarded)
        exit(EXIT_FAILURE);
    longjmp(way_back, (int)outcome);
}

_Noreturn void shim_fail(const char *file, int line)
{
    printf("%s:%d: error: failure\n", file, line);
    leave(FAILED);
}

_Noreturn void shim_skip(const char *file, int line)
{
    (void)file;
    (void)line;
    leave(SKIPPED);
}

void shim_check(int holds, const char *text, const char *file, int line)
{
    if (holds)
        return;
    printf("%s\n", text);
    shim_fail(file, line);
}

void shim_check_return(long code, long error, const char *text, const char *file, int line)
{
    if (code >= 0)
        return;
    printf("%s < 0: %ld, error %ld\n", text, code, error);
    shim_fail(file, line);
}

static _Noreturn void fail_values(uintmax_t a, const char *relation, uintmax_t b, const char *file, int line)
{
    printf("0x%llx %s 0x%llx\n", (unsigned long long)a, relation, (unsigned long long)b);
    shim_fail(file, line);
}

void shim_check_equal(uintmax_t a, uintmax_t b, const char *file, int line)
{
    if (a != b)
        fail_values(a, "!=", b, file, line);
}

void shim_check_not_equal(uintmax_t a, uintmax_t b, const char *file, int line)
{
    if (a == b)
        fail_values(a, "==", b, file, line);
}

void shim_check_string(const char *a, const char *b, int equal, const char *file, int line)
{
    if ((strcmp(a, b) == 0) == (equal != 0))
        return;
    printf("\"%s\" %s \"%s\"\n", a, equal ? "!=" : "==", b);
    shim_fail(file, line);
}

void shim_check_memory(const void *a, const void *b, size_t size, int equal, const char *file, int line)
{
    const unsigned char *const left = a, *const right = b;
    size_t at = 0;

    if ((memcmp(a, b, size) == 0) == (equal != 0))
        return;
    while (at < size && left[at] == right[at])
        at++;
    if (at < size)
        printf("byte %lu: 0x%02x != 0x%02x\n", (unsigned long)at, left[at], right[at]);
    else
        printf("%lu bytes are the same\n", (unsigned long)size);
    shim_fail(file, line);
}

void shim_check_range(uintmax_t value, uintmax_t low, uintmax_t high, int inside, const char *file, int line)
{
    if ((low <= value && value <= high) == (inside != 0))
        return;
    printf("0x%llx is %s 0x%llx .. 0x%llx\n", (unsigned long long)value, inside ? "outside" : "inside",
           (unsigned long long)low, (unsigned long long)high);
    shim_fail(file, line);
}

// ---------------------------------------------------------------------------------------------------- runner

// One of the two functions is given. A fixture fails by a result other than 0.
static enum outcome run_guarded(CMUnitTestFunction test, CMFixtureFunction fixture, void **state)
{
    volatile enum outcome outcome = PASSED;
    const int left = setjmp(way_back);

    if (left != 0) {
        outcome = (enum outcome)left;
    } else {
        guarded = true;
        if (test != NULL)
            test(state);
        else if (fixture(state) != 0)
            outcome = FAILED;
    }
    guarded = false;
    return outcome;
}

static enum outcome run_one(const struct CMUnitTest *test, void *group_state)
{
    void *state = test->initial_state != NULL ? test->initial_state : group_state;
    enum outcome outcome = PASSED;

    if (test->setup_func != NULL)
        outcome = run_guarded(NULL, test->setup_func, &state);
    if (outcome != PASSED)
        return outcome;
    outcome = run_guarded(test->test_func, NULL, &state);
    if (test->teardown_func != NULL && run_guarded(NULL, test->teardown_func, &state) != PASSED)
        outcome = FAILED;
    return outcome;
}

int shim_run_group(const char *name, const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup,
                   CMFixtureFunction teardown)
{
    static const char *const words[] = {"[       OK ]", "[  FAILED  ]", "[  SKIPPED ]"};
    int figures[3] = {0, 0, 0};
    void *state = NULL;

    printf("[==========] %s: %d test(s)\n", name, (int)count);
    if (setup != NULL && run_guarded(NULL, setup, &state) != PASSED) {
        printf("[  FAILED  ] group set-up\n");
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        printf("[ RUN      ] %s\n", tests[i].name);
        const enum outcome outcome = run_one(&tests[i], state);
        printf("%s %s\n", words[outcome], tests[i].name);
        figures[outcome]++;
    }
    if (teardown != NULL && run_guarded(NULL, teardown, &state) != PASSED) {
        printf("[  FAILED  ] group tear-down\n");
        figures[FAILED]++;
    }
    printf("[==========] %d passed, %d failed, %d skipped\n", figures[PASSED], figures[FAILED], figures[SKIPPED]);
    return figures[FAILED];
}
