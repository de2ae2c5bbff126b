// SPDX-License-Identifier: MIT
//
// OWNS        the proof that port/libc stands an sbrk that fails, or that somebody else calls, at any of its calls.
// PICTURE     area [ heap | theirs, 24 bytes of THEIRS | heap .. ] at ......
// CALLERS     test/check/libc.sh, with newlib, newlib-nano and picolibc.
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "port/libc/libc.h"
#include "port/libc/sbrk.h"

int malloc_trim(size_t keep);

enum { AREA = 65536, THEIRS = 0xD7, GAP = 24, GAPS = 256 };
enum mode { FAILS_ONCE, FAILS_FROM_THEN_ON, SOMEBODY_WAS_FASTER, SOMEBODY_CAME_TWICE }; // before the call and behind it
enum way { UP, DOWN };

static _Alignas(16) unsigned char area[AREA];
static size_t at;
static size_t size_now; // of the area, as far as it is given out
static uint32_t calls;
static uint32_t strikes_at; // 0: never
static enum mode mode;
static enum way way; // strikes when the break is asked for, or moved up; or when it is moved down
static size_t gaps[GAPS];
static uint32_t gap_count;

static void take_gap(void)
{
    if (at + GAP <= size_now) {
        memset(area + at, THEIRS, GAP);
        gaps[gap_count++] = at;
        at += GAP;
    }
}

void *LIBC_SBRK(ptrdiff_t step)
{
    calls += (step < 0) == (way == DOWN);
    const bool strikes = strikes_at != 0 && (step < 0) == (way == DOWN) && (calls == strikes_at || (mode == FAILS_FROM_THEN_ON && calls > strikes_at));
    if (strikes && mode >= SOMEBODY_WAS_FASTER) {
        take_gap();
    } else if (strikes) {
        errno = ENOMEM;
        return (void *)-1;
    }
    if (step > (ptrdiff_t)(size_now - at) || step < -(ptrdiff_t)at) {
        errno = ENOMEM;
        return (void *)-1;
    }
    unsigned char *const was = area + at;
    at = (size_t)((ptrdiff_t)at + step);
    if (strikes && mode == SOMEBODY_CAME_TWICE) {
        take_gap();
    }
    return was;
}

// From nothing: no heap, the break at the start.
static void begin(enum mode how, uint32_t when, size_t size)
{
    *cairn_libc_heap() = (struct cairn_heap){0};
    errno = 0;
    at = 0;
    calls = 0;
    gap_count = 0;
    mode = how;
    way = UP;
    strikes_at = when;
    size_now = size;
}

static void look(void)
{
    struct cairn_heap *const heap = cairn_libc_heap();
    struct cairn_heap_stats stats;
    if (heap->control != NULL) {
        assert_int_equal(cairn_heap_check(heap, NULL), 0);
        cairn_heap_stats(heap, &stats);
        assert_true(heap->base + stats.size <= area + at);
    }
    for (uint32_t i = 0; i < gap_count; i++) {
        for (size_t k = 0; k < GAP; k++) {
            assert_int_equal(area[gaps[i] + k], THEIRS);
        }
    }
}

// What malloc or realloc gave, full of `fill` from `from` on, where it gave something; and then errno is as it was.
static unsigned char *filled(unsigned char *block, size_t from, size_t size, int fill)
{
    assert_int_equal(errno, block == NULL ? ENOMEM : 0);
    errno = 0;
    if (block != NULL) {
        memset(block + from, fill, size - from);
    }
    look();
    return block;
}

// Some calls of each kind. Returns how many requests failed.
static uint32_t scenario(void)
{
    unsigned char *a = filled(malloc(100), 0, 100, 1);
    unsigned char *const b = filled(malloc(3000), 0, 3000, 2);
    unsigned char *const longer = filled(realloc(a, 5000), a == NULL ? 0 : 100, 5000, 1);
    uint32_t failed = (uint32_t)((a == NULL) + (b == NULL) + (longer == NULL));
    const size_t length = longer != NULL ? 5000 : a != NULL ? 100 : 0;
    a = longer != NULL ? longer : a;
    free(b);
    look();
    unsigned char *const c = filled(malloc(9000), 0, 9000, 3);
    free(c);
    (void)malloc_trim(0);
    look();
    unsigned char *const d = filled(memalign(256, 2000), 0, 2000, 4);
    failed += (uint32_t)((c == NULL) + (d == NULL));
    for (size_t i = 0; i < length; i++) {
        assert_int_equal(a[i], 1);
    }
    free(a);
    free(d);
    look();
    return failed;
}

static void strike_everywhere(enum mode how, uint32_t *failed)
{
    begin(how, 0, AREA);
    assert_int_equal(scenario(), 0);
    const uint32_t all = calls;
    assert_true(all > 20);
    *failed = 0;
    for (uint32_t when = 1; when <= all; when++) {
        begin(how, when, AREA);
        *failed += scenario();
        if (how != FAILS_FROM_THEN_ON) { // it passes
            void *const block = malloc(10000);
            assert_non_null(block);
            free(block);
        }
        look();
    }
}

static void a_call_that_fails_harms_nothing(void **state)
{
    uint32_t failed;
    (void)state;
    strike_everywhere(FAILS_ONCE, &failed);
    strike_everywhere(FAILS_FROM_THEN_ON, &failed);
    assert_true(failed > 5);
}

static void somebody_who_moves_the_break_in_between_keeps_what_is_his(void **state)
{
    uint32_t failed;
    (void)state;
    strike_everywhere(SOMEBODY_WAS_FASTER, &failed);
    assert_int_equal(failed, 0); // the heap goes on behind him
    strike_everywhere(SOMEBODY_CAME_TWICE, &failed);
    assert_int_equal(failed, 0);
}

static void a_break_that_does_not_go_down_or_not_from_there_is_left(void **state)
{
    static const enum mode modes[] = {FAILS_ONCE, SOMEBODY_WAS_FASTER};
    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        begin(modes[i], 0, AREA);
        free(malloc(20000));
        const size_t before = at;
        way = DOWN;
        calls = 0;
        strikes_at = 1;
        assert_int_equal(malloc_trim(0), 0);
        assert_int_equal(at, before + (modes[i] == SOMEBODY_WAS_FASTER ? GAP : 0));
        look();
        assert_int_equal(calls, 1);
        void *const block = malloc(20000);
        assert_non_null(block);
        assert_int_equal(at, before + (modes[i] == SOMEBODY_WAS_FASTER ? GAP : 0));
        free(block);
        assert_int_equal(malloc_trim(0), modes[i] == SOMEBODY_WAS_FASTER ? 0 : 1);
        look();
    }
}

static void every_area_is_enough_or_too_small_and_said_so(void **state)
{
    uint32_t whole = 0;
    (void)state;
    for (size_t size = 0; size < 20000; size += 8) {
        begin(FAILS_ONCE, 0, size);
        whole += scenario() == 0;
    }
    assert_true(whole > 0);
    assert_true(whole < 20000 / 8);
    begin(FAILS_ONCE, 0, 24);
    assert_null(malloc(1));
    assert_int_equal(at, 0); // nothing was taken for it
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_fails_harms_nothing),
        cmocka_unit_test(somebody_who_moves_the_break_in_between_keeps_what_is_his),
        cmocka_unit_test(a_break_that_does_not_go_down_or_not_from_there_is_left),
        cmocka_unit_test(every_area_is_enough_or_too_small_and_said_so),
    };
    return cmocka_run_group_tests_name("sbrk", tests, NULL, NULL);
}
