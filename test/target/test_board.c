// SPDX-License-Identifier: MIT
//
// OWNS        the proof of start-up, semihosting and the heap area. Its arguments are "one" and "two,three".
// CALLERS     ctest, on every QEMU machine.
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "cmocka.h"
#include "semihost.h"

static int initialised = 0x1234;
static int cleared;
static int words;
static char **word;

static void memory_is_initialised(void **state)
{
    (void)state;
    assert_int_equal(initialised, 0x1234);
    assert_int_equal(cleared, 0);
    initialised = 0;
    cleared = 1;
}

static void errno_is_writable(void **state)
{
    (void)state;
    errno = 0;
    assert_int_equal(strtoul("99999999999999999999", NULL, 10), ULONG_MAX);
    assert_int_equal(errno, ERANGE);
}

static void arguments_arrive(void **state)
{
    (void)state;
    assert_int_equal(words, 3);
    assert_string_equal(word[1], "one");
    assert_string_equal(word[2], "two,three");
    assert_null(word[3]);
}

static void floats_compute(void **state)
{
    volatile float third = 1.0f / 3.0f;
    volatile double sum = 0.5;

    (void)state;
    third *= 3.0f;
    sum += (double)third;
    assert_in_range(sum * 1000.0, 1499, 1500);
}

static void heap_area_holds_what_is_written(void **state)
{
    uint32_t *const area = board_heap_area();
    const size_t count = board_heap_area_size() / sizeof *area;

    (void)state;
    assert_in_range(board_heap_area_size(), CAIRN_BOARD_SMALL ? 2048 : 2 << 20, 16 << 20);
    assert_int_equal((uintptr_t)area % 16, 0);
    for (size_t i = 0; i < count; i++)
        area[i] = (uint32_t)i * 2654435761u;
    for (size_t i = 0; i < count; i++)
        if (area[i] != (uint32_t)i * 2654435761u)
            fail();
}

static __attribute__((noinline)) unsigned use_stack(void)
{
    volatile unsigned char bytes[256];

    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    return bytes[255];
}

static void stack_peak_sees_a_frame(void **state)
{
    (void)state;
    board_stack_paint();
    assert_int_equal(use_stack(), 255);
    assert_in_range(board_stack_peak(board_stack_pointer()), 256, 384);
}

static void files_keep_their_bytes(void **state)
{
    char path[48], bytes[8];

    (void)state;
    snprintf(path, sizeof path, "%s.tmp", word[0]);
    int handle = semihost_open(path, SEMIHOST_WRITE);
    assert_true(handle > 0);
    assert_int_equal(semihost_write(handle, "0123456789", 10), 10);
    assert_int_equal(semihost_close(handle), 0);

    handle = semihost_open(path, SEMIHOST_READ);
    assert_true(handle > 0);
    assert_int_equal(semihost_length(handle), 10);
    assert_int_equal(semihost_seek(handle, 6), 0);
    assert_int_equal(semihost_read(handle, bytes, sizeof bytes), 4);
    assert_memory_equal(bytes, "6789", 4);
    assert_int_equal(semihost_close(handle), 0);
    assert_int_equal(semihost_open("no/such/file", SEMIHOST_READ), -1);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_initialised),
        cmocka_unit_test(errno_is_writable),
        cmocka_unit_test(arguments_arrive),
        cmocka_unit_test(floats_compute),
        cmocka_unit_test(heap_area_holds_what_is_written),
        cmocka_unit_test(stack_peak_sees_a_frame),
        cmocka_unit_test(files_keep_their_bytes),
    };

    words = argc;
    word = argv;
    return cmocka_run_group_tests_name("board", tests, NULL, NULL);
}
