// SPDX-License-Identifier: MIT
//
// OWNS        the proof of port/posix/file_store.c, in a temporary file.
// CALLERS     ctest, on host presets.
#define _GNU_SOURCE
#include "cairn/store.h"
#include "port/posix/file_store.h"
#include "store_contract.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PAGE 4096u
#define SLOTS 16u

static unsigned char pages[2 * PAGE];
static struct posix_file_store its;
static FILE *opened;

static int setup(void **state)
{
    (void)state;
    opened = tmpfile();
    return opened != NULL ? posix_file_store_init(&its, fileno(opened), PAGE, SLOTS) : -1;
}

static int teardown(void **state)
{
    (void)state;
    return fclose(opened);
}

static void the_contract_holds(void **state)
{
    (void)state;
    assert_null(contract_store(&its.store, pages));
    assert_int_equal(posix_file_store_init(&its, fileno(opened), 100, 77), 0);
    assert_null(contract_store(&its.store, pages));
}

static void behind_the_end_there_are_zeros(void **state)
{
    (void)state;
    assert_int_equal(ftruncate(its.file, PAGE + 10), 0);
    memset(pages, 1, sizeof pages);
    assert_int_equal(its.store.read(&its, 1, pages), 0);
    for (uint32_t i = 0; i < PAGE; i++) {
        assert_int_equal(pages[i], 0);
    }
    assert_int_equal(its.store.read(&its, SLOTS - 1, pages), 0);
}

static void trim_gives_the_space_back_and_keeps_errno(void **state)
{
    (void)state;
    struct stat before, after;
    memset(pages, 1, sizeof pages);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        assert_int_equal(its.store.write(&its, slot, pages), 0);
    }
    assert_int_equal(its.store.sync(&its), 0);
    assert_int_equal(fstat(its.file, &before), 0);
    errno = 77;
    for (uint32_t slot = 1; slot < SLOTS; slot++) {
        its.store.trim(&its, slot);
    }
    assert_int_equal(errno, 77);
    assert_int_equal(fstat(its.file, &after), 0);
    assert_int_equal(before.st_size, after.st_size);
    assert_true(after.st_blocks <= before.st_blocks);
    assert_int_equal(its.store.read(&its, 0, pages), 0);
    assert_int_equal(pages[PAGE - 1], 1);
}

// The system takes the first half of a page, then no more: what was written is no page, and a checked store says so.
static void a_write_that_breaks_off_is_an_error(void **state)
{
    (void)state;
    static uint32_t sums[SLOTS];
    struct cairn_store_checked checked;
    const struct cairn_store_checked_config config = {.under = &its.store, .sums = sums};
    struct rlimit was, limit;
    assert_int_equal(cairn_store_checked_init(&checked, &config), 0);
    memset(pages, 1, sizeof pages);
    assert_int_equal(checked.store.write(&checked, 2, pages), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    limit = was;
    limit.rlim_cur = 2 * PAGE + PAGE / 2;
    assert_ptr_not_equal(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
    memset(pages, 2, sizeof pages);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const int error = checked.store.write(&checked, 2, pages);
    const int far = checked.store.write(&checked, 5, pages);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(error, -EFBIG);
    assert_int_equal(far, -EFBIG);
    assert_int_equal(checked.store.read(&checked, 2, pages), CAIRN_ECORRUPT);
    memset(pages, 3, sizeof pages);
    assert_int_equal(checked.store.write(&checked, 2, pages), 0);
    assert_int_equal(checked.store.read(&checked, 2, pages), 0);
}

static void errors_of_the_system_are_passed_through(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(posix_file_store_init(&its, ends[0], PAGE, SLOTS), 0);
    assert_int_equal(its.store.read(&its, 0, pages), -ESPIPE);
    assert_int_equal(its.store.sync(&its), -EINVAL);
    its.store.trim(&its, 0);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(its.store.write(&its, 0, pages), -EBADF);
    FILE *const full = fopen("/dev/full", "r+");
    if (full != NULL) {
        assert_int_equal(posix_file_store_init(&its, fileno(full), PAGE, SLOTS), 0);
        assert_int_equal(its.store.write(&its, 0, pages), CAIRN_ENOMEM);
        fclose(full);
    }
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    assert_int_equal(posix_file_store_init(NULL, 0, PAGE, SLOTS), CAIRN_EINVAL);
    assert_int_equal(posix_file_store_init(&its, -1, PAGE, SLOTS), CAIRN_EINVAL);
    assert_int_equal(posix_file_store_init(&its, 0, 0, SLOTS), CAIRN_EINVAL);
    assert_int_equal(posix_file_store_init(&its, 0, PAGE, 0), CAIRN_EINVAL);
    assert_int_equal(posix_file_store_init(&its, 0, UINT32_MAX, UINT32_MAX), CAIRN_EOVERFLOW);
    assert_int_equal(its.store.read(&its, SLOTS, pages), CAIRN_EINVAL);
    assert_int_equal(its.store.write(&its, SLOTS, pages), CAIRN_EINVAL);
    its.store.trim(&its, SLOTS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_contract_holds, setup, teardown),
        cmocka_unit_test_setup_teardown(behind_the_end_there_are_zeros, setup, teardown),
        cmocka_unit_test_setup_teardown(trim_gives_the_space_back_and_keeps_errno, setup, teardown),
        cmocka_unit_test_setup_teardown(a_write_that_breaks_off_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(errors_of_the_system_are_passed_through, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_arguments_are_refused, setup, teardown),
    };
    return cmocka_run_group_tests_name("file_store", tests, NULL, NULL);
}
