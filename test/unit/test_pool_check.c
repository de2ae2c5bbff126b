// SPDX-License-Identifier: MIT
//
// OWNS        the proof of the checker in lib/pool/pool_check.c: each rule broken by hand must be named, and no other.
// PICTURE     the pool of every test: 70 blocks, 40 handed out, 3 of those freed again
// CALLERS     ctest, on every preset.
#include "cairn/pool.h"
#include "pool/bitmap.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static _Alignas(16) unsigned char region[1024];
static struct cairn_pool pool;

static int setup(void **state)
{
    void *blocks[40];
    (void)state;
    if (cairn_pool_init(&pool, region, cairn_pool_size(12, 40 + 10, 4), 12, &(struct cairn_pool_config){.alignment = 4}) != 0) {
        return -1;
    }
    for (int i = 0; i < 40; i++) {
        blocks[i] = cairn_pool_alloc(&pool);
    }
    cairn_pool_free(&pool, blocks[1]);
    cairn_pool_free(&pool, blocks[7]);
    cairn_pool_free(&pool, blocks[39]);
    return cairn_pool_check(&pool, NULL);
}

static void assert_names(enum cairn_pool_rule rule, const void *address)
{
    struct cairn_pool_fault fault;
    assert_int_equal(cairn_pool_check(&pool, &fault), CAIRN_ECORRUPT);
    assert_int_equal(fault.rule, rule);
    assert_ptr_equal(fault.address, address);
    assert_int_equal(cairn_pool_check(&pool, NULL), CAIRN_ECORRUPT);
}

#define BREAKS(field, value, rule, address) \
    do { \
        const struct cairn_pool whole = pool; \
        pool.field = (value); \
        assert_names(rule, address); \
        pool = whole; \
        assert_int_equal(cairn_pool_check(&pool, NULL), 0); \
    } while (0)

static void p1_a_constant_that_disagrees(void **state)
{
    (void)state;
    BREAKS(stride, 16, CAIRN_POOL_RULE_P1, &pool);
    BREAKS(stride, 0, CAIRN_POOL_RULE_P1, &pool);
    BREAKS(block_size, 0, CAIRN_POOL_RULE_P1, &pool);
    BREAKS(block_size, 13, CAIRN_POOL_RULE_P1, &pool);
    BREAKS(inverse, pool.inverse + 2, CAIRN_POOL_RULE_P1, &pool);
    BREAKS(bias, pool.bias + 1, CAIRN_POOL_RULE_P1, &pool);
    BREAKS(shift, pool.shift + 1, CAIRN_POOL_RULE_P1, &pool);
    BREAKS(shift, 200, CAIRN_POOL_RULE_P1, &pool);
    BREAKS(base, pool.base + 12, CAIRN_POOL_RULE_P1, &pool);
    BREAKS(words, pool.words + 1, CAIRN_POOL_RULE_P1, &pool);
    BREAKS(words, (uint32_t *)(void *)((unsigned char *)pool.words - 2), CAIRN_POOL_RULE_P1, &pool);
    BREAKS(count, 0, CAIRN_POOL_RULE_P1, &pool);
    BREAKS(count, CAIRN_POOL_BLOCKS + 1, CAIRN_POOL_RULE_P1, &pool);
}

static void p2_more_handed_out_than_there_are(void **state)
{
    (void)state;
    BREAKS(fresh, pool.count + 1, CAIRN_POOL_RULE_P2, &pool.fresh);
    BREAKS(fresh, UINT32_MAX, CAIRN_POOL_RULE_P2, &pool.fresh);
}

static void p3_a_bit_for_a_block_that_was_never_handed_out(void **state)
{
    (void)state;
    BREAKS(fresh, 39, CAIRN_POOL_RULE_P3, &pool.words[1]);
    for (uint32_t number = 40; number < 64; number++) {
        pool.words[1] ^= place_bit(number);
        assert_names(CAIRN_POOL_RULE_P3, &pool.words[1]);
        pool.words[1] ^= place_bit(number);
    }
}

static void p4_a_summary_without_a_word_that_has_a_bit(void **state)
{
    (void)state;
    BREAKS(summary, bit_from_top(0), CAIRN_POOL_RULE_P4, &pool.summary);
    BREAKS(summary, bit_from_top(1), CAIRN_POOL_RULE_P4, &pool.summary);
    BREAKS(summary, 0, CAIRN_POOL_RULE_P4, &pool.summary);
}

static void p4_a_summary_with_a_word_that_is_not_there(void **state)
{
    (void)state;
    for (uint32_t w = words_for(pool.count); w < 32; w++) {
        BREAKS(summary, pool.summary | bit_from_top(w), CAIRN_POOL_RULE_P4, &pool.summary);
    }
}

// What an interrupt between the two steps of a free leaves is no fault, and goes with the next look.
static void a_summary_bit_too_many_is_whole(void **state)
{
    (void)state;
    pool.words[0] = 0;
    assert_int_equal(cairn_pool_check(&pool, NULL), 0);
    void *const block = cairn_pool_alloc(&pool);
    assert_ptr_equal(block, pool.base + 39 * pool.stride);
    assert_int_equal(pool.summary, 0);
    assert_int_equal(cairn_pool_check(&pool, NULL), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(p1_a_constant_that_disagrees, setup),
        cmocka_unit_test_setup(p2_more_handed_out_than_there_are, setup),
        cmocka_unit_test_setup(p3_a_bit_for_a_block_that_was_never_handed_out, setup),
        cmocka_unit_test_setup(p4_a_summary_without_a_word_that_has_a_bit, setup),
        cmocka_unit_test_setup(p4_a_summary_with_a_word_that_is_not_there, setup),
        cmocka_unit_test_setup(a_summary_bit_too_many_is_whole, setup),
    };
    return cmocka_run_group_tests_name("pool_check", tests, NULL, NULL);
}
