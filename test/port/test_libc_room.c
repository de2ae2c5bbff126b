// SPDX-License-Identifier: MIT
//
// OWNS        the proof of what port/libc makes of a room that is more than one heap numbers.
// CALLERS     ctest, on host presets: the tags of such a heap need a machine with 64 MB.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "port/baremetal/lock.h"
#include "port/libc/libc.h"
#include "port/libc/sbrk.h"

#define SPAN ((size_t)80 * 1024 * 1024)

static _Alignas(16) unsigned char span[SPAN];
static size_t at;
static size_t room;

void *LIBC_SBRK(ptrdiff_t step)
{
    unsigned char *const was = span + at;
    if (step > (ptrdiff_t)(SPAN - at) || step < -(ptrdiff_t)at) {
        return (void *)-1;
    }
    at = (size_t)((ptrdiff_t)at + step);
    return was;
}

size_t cairn_libc_room(void)
{
    return room;
}

uint32_t baremetal_lock(void *context)
{
    (void)context;
    return 0;
}

void baremetal_unlock(void *context, uint32_t key)
{
    (void)context;
    (void)key;
}

static void a_room_beyond_the_largest_heap_is_cut_to_it(void **state)
{
    const size_t most = (((size_t)1 << 27) - 2) * CAIRN_GRANULE;
    const size_t rooms[] = {most - CAIRN_GRANULE, most, most + 1, most + CAIRN_GRANULE, SIZE_MAX / 2, SIZE_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        *cairn_libc_heap() = (struct cairn_heap){0};
        at = 3; // some bytes are skipped
        room = rooms[i];
        void *const block = cairn_libc_alloc(100);
        assert_non_null(block);
        assert_int_equal(cairn_heap_check(cairn_libc_heap(), NULL), 0);
        cairn_libc_free(block);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(a_room_beyond_the_largest_heap_is_cut_to_it)};
    return cmocka_run_group_tests_name("libc_room", tests, NULL, NULL);
}
