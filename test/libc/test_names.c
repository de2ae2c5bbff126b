// SPDX-License-Identifier: MIT
//
// OWNS        the proof that the names of the libraries' malloc.h that few programs use are there, and are cairn's.
// CALLERS     test/check/libc.sh, with newlib, newlib-nano and picolibc; and it looks for the library's own malloc in the map.
#define _GNU_SOURCE // sbrk
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "board.h"
#include "port/libc/libc.h"

#define PAGE 4096u

void *valloc(size_t size);
int malloc_trim(size_t keep);

static struct cairn_heap_stats look(void)
{
    struct cairn_heap_stats stats;
    cairn_heap_stats(cairn_libc_heap(), &stats);
    return stats;
}

static int teardown(void **state)
{
    struct cairn_fault fault;
    (void)state;
    assert_int_equal(cairn_heap_check(cairn_libc_heap(), &fault), 0);
    return 0;
}

// ------------------------------------------------------------------------------------------------------------------ the figures

// What the calls say before there is a heap: asked by main, as the console of some libraries allocates.
static struct mallinfo none;
static bool is_first;
static int trimmed;

static void ask_before_the_first_block(void)
{
    none = mallinfo();
    trimmed = malloc_trim(0);
    is_first = cairn_libc_heap()->control == NULL;
    free(malloc(1));
}

static void before_the_first_block_there_is_nothing(void **state)
{
    (void)state;
    assert_true(is_first);
    assert_int_equal(none.arena + none.ordblks + none.uordblks + none.fordblks + none.keepcost, 0);
    assert_int_equal(trimmed, 0);
    assert_int_not_equal(mallinfo().arena, 0);
}

static void mallinfo_counts_what_the_heap_counts(void **state)
{
    (void)state;
    const struct mallinfo before = mallinfo();
    void *const hole = malloc(2000);
    void *const block = malloc(1000);
    free(hole);
    const struct mallinfo after = mallinfo();
    assert_int_equal(after.uordblks - before.uordblks, malloc_usable_size(block));
    assert_int_equal(after.uordblks, look().used);
    assert_int_equal(after.fordblks, look().free);
    assert_int_equal(after.ordblks, before.ordblks + 1);
    assert_int_equal(after.smblks + after.hblks + after.hblkhd + after.usmblks + after.fsmblks, 0);
    free(block);
}

static void arena_is_what_sbrk_gave_and_keepcost_what_trim_gives_back(void **state)
{
    (void)state;
    const struct mallinfo before = mallinfo();
    const unsigned char *const was = sbrk(0);
    assert_in_range((size_t)(was - cairn_heap_area_start) - before.arena, 0, CAIRN_GRANULE - 1); // what rounding leaves between tags and blocks
    assert_int_equal(malloc_trim(0), 1);
    const unsigned char *const now = sbrk(0);
    const struct mallinfo after = mallinfo();
    assert_in_range((size_t)(was - now), before.keepcost - CAIRN_GRANULE, before.keepcost); // the heap's last granule stays
    assert_int_equal(before.arena - after.arena, (size_t)(was - now));
    assert_int_equal(after.keepcost, before.keepcost - (size_t)(was - now));
}

static void mallopt_sets_nothing_and_says_so(void **state)
{
    (void)state;
    assert_int_equal(mallopt(M_TRIM_THRESHOLD, 0), 0);
    assert_int_equal(mallopt(M_TOP_PAD, 1000), 0);
}

// -------------------------------------------------------------------------------------------------------------------- the blocks

static void valloc_and_pvalloc_give_pages(void **state)
{
    (void)state;
    const size_t used = look().used;
    void *const page = valloc(1);
    void *const pages = pvalloc(PAGE + 1);
    assert_non_null(page);
    assert_non_null(pages);
    assert_int_equal(((uintptr_t)page | (uintptr_t)pages) % PAGE, 0);
    assert_in_range(malloc_usable_size(page), 1, PAGE - 1);
    assert_true(malloc_usable_size(pages) >= 2 * PAGE);
    cfree(page);
    cfree(pages);
    assert_int_equal(look().used, used);
    volatile size_t huge = SIZE_MAX - 64;
    errno = 0;
    assert_null(pvalloc(huge));
    assert_int_equal(errno, ENOMEM);
    errno = 0;
    assert_null(valloc(huge));
    assert_int_equal(errno, ENOMEM);
}

#if defined(__NEWLIB__) && !defined(__PICOLIBC__)

#include <reent.h>

#undef _malloc_r // without threads some of newlib's headers make them macros
#undef _calloc_r
#undef _realloc_r
#undef _free_r

void _cfree_r(struct _reent *reent, void *block);

static void newlibs_own_names_take_and_give_the_same_blocks(void **state)
{
    (void)state;
    const size_t used = look().used;
    void *block = _malloc_r(_REENT, 100);
    unsigned char *const zero = _calloc_r(_REENT, 10, 10);
    void *const aligned = _memalign_r(_REENT, 256, 10);
    void *const page = _valloc_r(_REENT, 10);
    void *const pages = _pvalloc_r(_REENT, 10);
    assert_int_equal(zero[0] | zero[99], 0);
    assert_int_equal((uintptr_t)aligned % 256, 0);
    assert_int_equal(((uintptr_t)page | (uintptr_t)pages) % PAGE, 0);
    assert_int_equal(_malloc_usable_size_r(_REENT, pages), malloc_usable_size(pages));
    block = _realloc_r(_REENT, block, 1000);
    assert_true(malloc_usable_size(block) >= 1000);
    assert_int_equal(_mallinfo_r(_REENT).uordblks, look().used);
    assert_true(look().used > used + 1000 + 100 + PAGE);
    _free_r(_REENT, block);
    _free_r(_REENT, zero);
    _cfree_r(_REENT, aligned);
    free(page);
    free(pages);
    assert_int_equal(look().used, used);
    assert_int_equal(_mallopt_r(_REENT, M_TOP_PAD, 1000), 0);
    assert_int_equal(_malloc_trim_r(_REENT, 0), 1);
    assert_int_equal(_malloc_trim_r(_REENT, 0), 0);
}

static void their_errno_is_the_one_of_their_first_argument(void **state)
{
    (void)state;
    static struct _reent other;
    volatile size_t huge = SIZE_MAX - 64;
    void *(*const calls[])(struct _reent *, size_t) = {_malloc_r, _valloc_r, _pvalloc_r};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        other._errno = 0;
        assert_null(calls[i](&other, huge));
        assert_int_equal(other._errno, ENOMEM);
    }
    other._errno = 0;
    assert_null(_memalign_r(&other, 64, huge));
    assert_int_equal(other._errno, ENOMEM);
    other._errno = 0;
    assert_null(_calloc_r(&other, huge, 2));
    assert_int_equal(other._errno, ENOMEM);
}

#endif

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_first_block_there_is_nothing),
        cmocka_unit_test_setup_teardown(mallinfo_counts_what_the_heap_counts, NULL, teardown),
        cmocka_unit_test_setup_teardown(arena_is_what_sbrk_gave_and_keepcost_what_trim_gives_back, NULL, teardown),
        cmocka_unit_test_setup_teardown(mallopt_sets_nothing_and_says_so, NULL, teardown),
        cmocka_unit_test_setup_teardown(valloc_and_pvalloc_give_pages, NULL, teardown),
#if defined(__NEWLIB__) && !defined(__PICOLIBC__)
        cmocka_unit_test_setup_teardown(newlibs_own_names_take_and_give_the_same_blocks, NULL, teardown),
        cmocka_unit_test_setup_teardown(their_errno_is_the_one_of_their_first_argument, NULL, teardown),
#endif
    };
    ask_before_the_first_block();
    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
