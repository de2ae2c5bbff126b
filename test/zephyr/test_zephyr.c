// SPDX-License-Identifier: MIT
//
// OWNS        the proof of port/zephyr: its heaps are there before main, take their own lock, and malloc answers as Zephyr's does.
// PICTURE     heap: 2048 bytes, a lock | cairn_malloc_heap: 4096 bytes, another
// CALLERS     ctest, on the host.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cairn/deferred.h"
#include "cairn_zephyr.h"
#include "hardening.h"

#include <errno.h>
#include <stdlib.h>

void *aligned_alloc(size_t alignment, size_t size);
void *reallocarray(void *block, size_t count, size_t size);

CAIRN_HEAP_DEFINE(heap, 2048);

static struct kernel {
    unsigned sections, wrong, reports;
    enum cairn_wrong what;
} kernel;

k_spinlock_key_t k_spin_lock(struct k_spinlock *lock)
{
    kernel.wrong += lock->depth != 0;
    lock->depth++;
    kernel.sections++;
    return (k_spinlock_key_t){.key = 77};
}

void k_spin_unlock(struct k_spinlock *lock, k_spinlock_key_t key)
{
    kernel.wrong += lock->depth != 1 || key.key != 77;
    lock->depth--;
}

void k_panic(void)
{
    kernel.wrong++;
}

void printk(const char *format, ...)
{
    (void)format;
}

void cairn_zephyr_report(const struct cairn_report *report)
{
    kernel.reports++;
    kernel.what = report->what;
}

static size_t used(struct cairn_heap *of)
{
    struct cairn_heap_stats stats;
    cairn_heap_stats(of, &stats);
    return stats.used;
}

static void a_heap_is_there_before_main_and_takes_its_lock(void **state)
{
    (void)state;
    void *const block = cairn_heap_alloc(&heap, 100);
    assert_non_null(block);
    cairn_heap_free(&heap, block);
    assert_int_equal(kernel.sections, 2);
    assert_int_equal(heap_lock.depth, 0);
}

static void malloc_takes_from_its_own_heap(void **state)
{
    (void)state;
    void *block = malloc(100);
    assert_true(used(&cairn_malloc_heap) >= 100);
    block = reallocarray(block, 10, 100);
    assert_true(used(&cairn_malloc_heap) >= 1000);
    assert_int_equal(used(&heap), 0);
    free(block);
    block = aligned_alloc(64, 10);
    assert_int_equal((uintptr_t)block % 64, 0);
    free(block);
    unsigned char *const zeros = calloc(3, 5);
    for (size_t i = 0; i < 15; i++) {
        assert_int_equal(zeros[i], 0);
    }
    free(zeros);
}

static volatile size_t three = 3; // the compiler warns of a product that it can see

static void only_what_fails_sets_errno(void **state)
{
    (void)state;
    errno = 0;
    assert_null(malloc(0));
    assert_null(calloc(0, 8));
    assert_null(realloc(malloc(8), 0));
    free(NULL);
    assert_int_equal(errno, 0);
    assert_null(malloc(5000));
    assert_int_equal(errno, ENOMEM);
    errno = 0;
    assert_null(reallocarray(NULL, SIZE_MAX / 2, three));
    assert_int_equal(errno, ENOMEM);
    errno = 0;
    assert_null(calloc(SIZE_MAX / 2, three));
    assert_int_equal(errno, ENOMEM);
}

static void a_block_freed_twice_is_reported(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    void *const block = malloc(10);
    free(block);
    free(block);
    assert_int_equal(kernel.reports, 1);
    assert_int_equal(kernel.what, CAIRN_WRONG_DOUBLE_FREE);
}

static void malloc_and_free_take_the_lock_once(void **state)
{
    (void)state;
    free(malloc(100));
    assert_int_equal(kernel.sections, 2);
    assert_null(malloc(5000));
    assert_int_equal(kernel.sections, 3);
}

static void malloc_and_free_free_what_is_marked(void **state)
{
    (void)state;
    static uint32_t bits[64];
    struct cairn_deferred deferred;
    assert_int_equal(cairn_deferred_init(&deferred, &cairn_malloc_heap, bits, sizeof bits), 0);
    cairn_deferred_free(&deferred, malloc(1500));
    void *const block = malloc(3000); // there is no place but that one
    assert_non_null(block);
    cairn_deferred_free(&deferred, malloc(16));
    free(block);
    assert_int_equal(used(&cairn_malloc_heap), 0);
    cairn_deferred_deinit(&deferred);
}

static int setup(void **state)
{
    (void)state;
    kernel = (struct kernel){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    const bool is_whole = cairn_heap_check(&heap, NULL) == 0 && cairn_heap_check(&cairn_malloc_heap, NULL) == 0;
    return is_whole && kernel.wrong == 0 && used(&heap) == 0 && used(&cairn_malloc_heap) == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_heap_is_there_before_main_and_takes_its_lock, setup, teardown),
        cmocka_unit_test_setup_teardown(malloc_takes_from_its_own_heap, setup, teardown),
        cmocka_unit_test_setup_teardown(only_what_fails_sets_errno, setup, teardown),
        cmocka_unit_test_setup_teardown(a_block_freed_twice_is_reported, setup, teardown),
        cmocka_unit_test_setup_teardown(malloc_and_free_take_the_lock_once, setup, teardown),
        cmocka_unit_test_setup_teardown(malloc_and_free_free_what_is_marked, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
