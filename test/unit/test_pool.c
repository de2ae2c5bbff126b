// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/pool/pool.c: alloc, free, what free refuses, owns.
// CALLERS     ctest, on every preset.
#include "cairn/pool.h"
#include "pool/bitmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define REGION 2048u

static _Alignas(16) unsigned char region[REGION];
static struct cairn_pool pool;
static void *blocks[CAIRN_POOL_BLOCKS];
static struct cairn_report last;
static unsigned reports;

static void note(void *context, const struct cairn_report *report)
{
    assert_ptr_equal(context, &pool);
    last = *report;
    reports++;
}

static const struct cairn_pool_config config = {.report = note, .context = &pool};
static const struct cairn_pool_config tight = {.alignment = 1, .report = note, .context = &pool};

static void make(size_t block_size, uint32_t count, const struct cairn_pool_config *its)
{
    memset(region, 0xA5, sizeof region);
    const size_t size = cairn_pool_size(block_size, count, its->alignment);
    assert_in_range(size, 1, sizeof region);
    assert_int_equal(cairn_pool_init(&pool, region, size, block_size, its), 0);
    assert_true(pool.count >= count);
    reports = 0;
}

static uint32_t take_all(void)
{
    uint32_t count = 0;
    for (void *block = cairn_pool_alloc(&pool); block != NULL; block = cairn_pool_alloc(&pool)) {
        blocks[count++] = block;
    }
    return count;
}

static struct cairn_pool_stats stats(void)
{
    struct cairn_pool_stats its;
    cairn_pool_stats(&pool, &its);
    return its;
}

static void assert_sound(uint32_t used)
{
    struct cairn_pool_fault fault;
    assert_int_equal(cairn_pool_check(&pool, &fault), 0);
    assert_int_equal(fault.rule, CAIRN_POOL_RULE_NONE);
    assert_int_equal(stats().used, used);
}

static void assert_refused(void *address, enum cairn_wrong what, const void *block)
{
    const struct cairn_pool before = pool;
    static unsigned char copy[REGION];
    memcpy(copy, region, sizeof copy);
    reports = 0;
    assert_false(cairn_pool_owns(&pool, address));
    cairn_pool_free(&pool, address);
    assert_int_equal(reports, 1);
    assert_int_equal(last.what, what);
    assert_ptr_equal(last.address, address);
    assert_ptr_equal(last.block, block);
    assert_int_equal(last.block_size, block == NULL ? 0 : pool.stride);
    assert_memory_equal(copy, region, sizeof copy);
    assert_memory_equal(&before, &pool, sizeof pool);
    reports = 0;
}

static void all_blocks_are_distinct_aligned_and_inside(void **state)
{
    (void)state;
    for (size_t size = 1; size < 60; size++) {
        make(size, 30, &config);
        const uint32_t count = take_all();
        assert_int_equal(count, pool.count);
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal((uintptr_t)blocks[i] % CAIRN_GRANULE, 0);
            assert_true((unsigned char *)blocks[i] >= (unsigned char *)(pool.words + words_for(count)));
            assert_true((unsigned char *)blocks[i] + size <= region + sizeof region);
            memset(blocks[i], (int)i + 1, size);
        }
        for (uint32_t i = 0; i < count; i++) {
            for (size_t k = 0; k < size; k++) {
                assert_int_equal(((unsigned char *)blocks[i])[k], (unsigned char)(i + 1));
            }
        }
        assert_sound(count);
    }
}

static void an_empty_pool_fails_and_counts_it(void **state)
{
    (void)state;
    make(8, 70, &config);
    const uint32_t count = take_all();
    assert_null(cairn_pool_alloc(&pool));
    assert_int_equal(stats().failures, 2);
    assert_sound(count);
    cairn_pool_free(&pool, blocks[41]);
    assert_sound(count - 1);
    assert_ptr_equal(cairn_pool_alloc(&pool), blocks[41]);
    assert_null(cairn_pool_alloc(&pool));
    assert_int_equal(stats().failures, 3);
}

// As a free leaves it that is interrupted between its two steps.
static void a_block_is_found_without_its_summary_bit(void **state)
{
    (void)state;
    make(8, 70, &config);
    const uint32_t count = take_all();
    cairn_pool_free(&pool, blocks[33]);
    cairn_pool_free(&pool, blocks[69]);
    const uint32_t summary = pool.summary;
    pool.summary = 0;
    assert_ptr_equal(cairn_pool_alloc(&pool), blocks[33]);
    assert_int_equal(cairn_pool_check(&pool, NULL), CAIRN_ECORRUPT);
    pool.summary = summary;
    assert_ptr_equal(cairn_pool_alloc(&pool), blocks[69]);
    assert_null(cairn_pool_alloc(&pool));
    assert_int_equal(pool.summary, 0);
    assert_sound(count);
}

static void freed_blocks_come_before_fresh_ones(void **state)
{
    (void)state;
    make(8, 70, &config);
    for (uint32_t i = 0; i < 50; i++) {
        blocks[i] = cairn_pool_alloc(&pool);
    }
    for (uint32_t i = 0; i < 50; i++) {
        cairn_pool_free(&pool, blocks[i]);
        assert_int_equal(stats().used, 49 - i);
    }
    assert_int_equal(stats().peak, 50);
    for (uint32_t i = 0; i < 50; i++) {
        assert_true((uintptr_t)cairn_pool_alloc(&pool) <= (uintptr_t)blocks[49]);
    }
    assert_int_equal(stats().peak, 50);
    assert_true((uintptr_t)cairn_pool_alloc(&pool) > (uintptr_t)blocks[49]);
    assert_int_equal(stats().peak, 51);
    assert_sound(51);
}

static void every_pointer_but_the_start_of_a_used_block_is_refused(void **state)
{
    (void)state;
    if (!POOL_HARDENED) {
        skip();
    }
    for (size_t size = 1; size < 50; size += size < 17 ? 1 : 7) {
        make(size, 12, &tight);
        for (uint32_t i = 0; i < 9; i++) {
            blocks[i] = cairn_pool_alloc(&pool);
        }
        cairn_pool_free(&pool, blocks[4]);
        for (uintptr_t offset = 0; offset < 13 * size + 40; offset++) {
            unsigned char *const address = pool.base - 20 + offset;
            const uintptr_t place = offset - 20;
            const uintptr_t number = offset < 20 ? pool.count : place / size;
            const bool used = number < 9 && number != 4;
            unsigned char *const block = number < pool.count ? pool.base + number * size : NULL;
            if (used && place % size == 0) {
                assert_true(cairn_pool_owns(&pool, address));
            } else {
                assert_refused(address, block == NULL ? CAIRN_WRONG_POINTER : used ? CAIRN_WRONG_INTERIOR : CAIRN_WRONG_DOUBLE_FREE, block);
            }
        }
        assert_sound(8);
    }
}

// Far away, where a product or an offset wraps around.
static void far_pointers_are_refused(void **state)
{
    uintptr_t address = 1;
    (void)state;
    if (!POOL_HARDENED) {
        skip();
    }
    for (size_t size = 1; size < 64; size += 5) {
        make(size, 12, &tight);
        (void)take_all();
        for (uint32_t i = 0; i < 500; i++) {
            address = address * 1664525u + 1013904223u + i;
            const uintptr_t offset = address - (uintptr_t)pool.base;
            if (offset >= pool.count * size) {
                assert_refused((void *)address, CAIRN_WRONG_POINTER, NULL);
            }
        }
        for (uint32_t shift = 0; shift < sizeof address * 8; shift++) {
            const uintptr_t far = (uintptr_t)1 << shift;
            if (far >= pool.count * size) {
                assert_refused((void *)((uintptr_t)pool.base + far), CAIRN_WRONG_POINTER, NULL);
            }
        }
    }
}

static void a_report_names_the_neighbours(void **state)
{
    (void)state;
    if (!POOL_HARDENED) {
        skip();
    }
    make(16, 3, &config);
    const uint32_t count = take_all();
    assert_refused((unsigned char *)blocks[0] + 1, CAIRN_WRONG_INTERIOR, blocks[0]);
    assert_null(last.before);
    assert_ptr_equal(last.after, blocks[1]);
    assert_refused((unsigned char *)blocks[count - 1] + 15, CAIRN_WRONG_INTERIOR, blocks[count - 1]);
    assert_ptr_equal(last.before, blocks[count - 2]);
    assert_null(last.after);
}

static void nothing_is_freed_silently(void **state)
{
    (void)state;
    make(16, 3, &config);
    (void)take_all();
    cairn_pool_free(&pool, NULL);
    cairn_pool_free(NULL, blocks[0]);
    assert_false(cairn_pool_owns(&pool, NULL));
    assert_false(cairn_pool_owns(NULL, blocks[0]));
    assert_null(cairn_pool_alloc(NULL));
    assert_int_equal(reports, 0);
    assert_sound(pool.count);
}

static void no_pool_fails_every_call(void **state)
{
    struct cairn_pool_stats its;
    struct cairn_pool_fault fault;
    (void)state;
    make(16, 3, &config);
    void *const block = cairn_pool_alloc(&pool);
    cairn_pool_free(&pool, cairn_pool_alloc(&pool));
    cairn_pool_deinit(&pool);
    cairn_pool_deinit(NULL);
    assert_null(cairn_pool_alloc(&pool));
    cairn_pool_free(&pool, block);
    assert_false(cairn_pool_owns(&pool, block));
    assert_int_equal(cairn_pool_check(&pool, &fault), CAIRN_EINVAL);
    assert_int_equal(cairn_pool_check(NULL, NULL), CAIRN_EINVAL);
    memset(&its, 1, sizeof its);
    cairn_pool_stats(&pool, &its);
    assert_int_equal(its.count + its.used + its.peak + its.failures + its.stride + its.block_size, 0);
    memset(&its, 1, sizeof its);
    cairn_pool_stats(NULL, &its);
    assert_int_equal(its.count + its.used + its.peak + its.failures + its.stride + its.block_size, 0);
    cairn_pool_stats(&pool, NULL);
    assert_int_equal(reports, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_blocks_are_distinct_aligned_and_inside),
        cmocka_unit_test(an_empty_pool_fails_and_counts_it),
        cmocka_unit_test(a_block_is_found_without_its_summary_bit),
        cmocka_unit_test(freed_blocks_come_before_fresh_ones),
        cmocka_unit_test(every_pointer_but_the_start_of_a_used_block_is_refused),
        cmocka_unit_test(far_pointers_are_refused),
        cmocka_unit_test(a_report_names_the_neighbours),
        cmocka_unit_test(nothing_is_freed_silently),
        cmocka_unit_test(no_pool_fails_every_call),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
