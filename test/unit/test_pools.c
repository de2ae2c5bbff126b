// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/arena/pools.c: pools in front of an arena.
// CALLERS     ctest, on every preset.
#include "arena_fixture.h"

#define BLOCKS 4u

static _Alignas(16) unsigned char memory[2][BLOCKS * 64 + 32];
static struct cairn_arena_pool fronts[2];

static void add(uint32_t number, size_t block_size, size_t smallest)
{
    assert_int_equal(cairn_arena_add_pool(ARENA, &fronts[number], memory[number], cairn_pool_size(block_size, BLOCKS, 0), block_size, smallest), 0);
}

static bool is_in(const void *address, uint32_t number)
{
    return (uintptr_t)address - (uintptr_t)memory[number] < sizeof memory[number];
}

static void a_request_of_its_size_is_the_pools(void **state)
{
    (void)state;
    void *blocks[BLOCKS];
    add(0, 32, 17);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        blocks[i] = arena_take(17 + 5 * i);
        assert_true(is_in(blocks[i], 0));
    }
    assert_int_equal(arena_fixture.calls, 0);
    void *const one_more = arena_take(20);
    assert_false(is_in(one_more, 0)); // it has no block left
    assert_int_equal(arena_stats().pooled_blocks, BLOCKS);
    assert_int_equal(arena_stats().pooled, BLOCKS * 32);
    assert_int_equal(arena_stats().used_blocks, 1);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        assert_true(arena_is_filled(blocks[i], 17 + 5 * i, 17 + 5 * i));
        assert_int_equal(cairn_arena_usable_size(ARENA, blocks[i]), 32);
        cairn_arena_free(ARENA, blocks[i]);
    }
    cairn_arena_free(ARENA, one_more);
    assert_int_equal(arena_stats().pooled_blocks, 0);
    void *const small = arena_take(16);
    void *const large = arena_take(33);
    assert_false(is_in(small, 0) || is_in(large, 0));
    cairn_arena_free(ARENA, small);
    cairn_arena_free(ARENA, large);
}

static void the_first_pool_that_fits_and_has_room_is_taken(void **state)
{
    (void)state;
    void *blocks[2 * BLOCKS];
    add(0, 32, 0);
    add(1, 64, 0);
    for (uint32_t i = 0; i < 2 * BLOCKS; i++) {
        blocks[i] = arena_take(24);
        assert_true(is_in(blocks[i], i < BLOCKS ? 0 : 1));
    }
    void *const heaps = arena_take(24);
    assert_false(is_in(heaps, 0) || is_in(heaps, 1));
    cairn_arena_free(ARENA, blocks[1]);
    blocks[1] = cairn_arena_calloc(ARENA, 3, 8);
    assert_true(is_in(blocks[1], 0));
    assert_int_equal(((unsigned char *)blocks[1])[23], 0);
    for (uint32_t i = 0; i < 2 * BLOCKS; i++) {
        cairn_arena_free(ARENA, blocks[i]);
    }
    cairn_arena_free(ARENA, heaps);
    assert_null(cairn_arena_alloc(ARENA, 0));
}

static void a_pool_has_its_requests_from_the_threshold_on_too(void **state)
{
    (void)state;
    arena_fixture.config.threshold = 32;
    arena_make();
    add(0, 64, 40);
    unsigned char *const block = arena_take(50);
    assert_true(is_in(block, 0));
    cairn_arena_free(ARENA, block);
    unsigned char *const zeros = cairn_arena_calloc(ARENA, 10, 5);
    assert_true(is_in(zeros, 0));
    for (uint32_t i = 0; i < 50; i++) {
        assert_int_equal(zeros[i], 0);
    }
    unsigned char *const large = cairn_arena_calloc(ARENA, 10, 7);
    assert_true(arena_is_page(large));
    assert_int_equal(large[69], 0);
    assert_null(cairn_arena_calloc(ARENA, SIZE_MAX / 2, 3));
    cairn_arena_free(ARENA, zeros);
    cairn_arena_free(ARENA, large);
}

static void realloc_leaves_a_pool_when_it_must(void **state)
{
    (void)state;
    add(0, 32, 0);
    unsigned char *block = arena_take(30);
    assert_ptr_equal(cairn_arena_realloc(ARENA, block, 5), block);
    assert_ptr_equal(cairn_arena_realloc(ARENA, block, 32), block);
    assert_null(cairn_arena_realloc(ARENA, block, SIZE_MAX / 2));
    block = cairn_arena_realloc(ARENA, block, 200);
    assert_false(is_in(block, 0));
    assert_true(arena_is_filled(block, 5, 30));
    block = cairn_arena_realloc(ARENA, block, 2 * THRESHOLD);
    assert_true(arena_is_page(block));
    cairn_arena_free(ARENA, block);
    unsigned char *const second = arena_take(8);
    assert_true(is_in(second, 0));
    assert_null(cairn_arena_realloc(ARENA, second, 0));
    assert_int_equal(arena_stats().pooled_blocks, 0);
}

static void bad_pointers_into_a_pool_are_reported(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    add(0, 32, 0);
    unsigned char *const block = arena_take(8);
    cairn_arena_free(ARENA, block + 4);
    arena_expect(CAIRN_WRONG_INTERIOR, block + 4);
    assert_null(cairn_arena_realloc(ARENA, block + 8, 8));
    arena_expect(CAIRN_WRONG_INTERIOR, block + 8);
    assert_int_equal(cairn_arena_usable_size(ARENA, block + 8), 0);
    cairn_arena_free(ARENA, block);
    cairn_arena_free(ARENA, block);
    arena_expect(CAIRN_WRONG_DOUBLE_FREE, block);
}

static void a_pool_in_use_is_not_removed(void **state)
{
    (void)state;
    add(0, 32, 0);
    add(1, 64, 33);
    void *const block = arena_take(40);
    assert_int_equal(cairn_arena_remove_pool(ARENA, &fronts[1]), CAIRN_EBUSY);
    assert_int_equal(cairn_arena_remove_pool(ARENA, &fronts[0]), 0);
    assert_int_equal(cairn_arena_remove_pool(ARENA, &fronts[0]), CAIRN_ENOENT);
    cairn_arena_free(ARENA, block);
    assert_int_equal(cairn_arena_remove_pool(ARENA, &fronts[1]), 0);
    assert_null(ARENA->pools);
    assert_int_equal(cairn_arena_remove_pool(NULL, &fronts[1]), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_remove_pool(ARENA, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_add_pool(NULL, &fronts[0], memory[0], 64, 8, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_add_pool(ARENA, NULL, memory[0], 64, 8, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_add_pool(ARENA, &fronts[0], memory[0], 64, 8, 9), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_add_pool(ARENA, &fronts[0], memory[0] + 64, 128, 8, 0), 0);
    assert_int_equal(cairn_arena_add_pool(ARENA, &fronts[0], memory[1], 64, 8, 0), CAIRN_EBUSY);
    assert_int_equal(cairn_arena_add_pool(ARENA, &fronts[1], memory[0], 72, 8, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_add_pool(ARENA, &fronts[1], memory[0] + 64 + 120, 64, 8, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_remove_pool(ARENA, &fronts[0]), 0);
    assert_int_equal(cairn_arena_add_pool(ARENA, &fronts[0], memory[0], 8, 64, 0), CAIRN_ENOMEM);
    assert_null(ARENA->pools);
}

static void the_check_looks_into_every_pool(void **state)
{
    (void)state;
    struct cairn_fault fault;
    add(0, 32, 0);
    fronts[0].pool.fresh = BLOCKS + 1;
    assert_int_equal(cairn_arena_check(ARENA, &fault), CAIRN_ECORRUPT);
    assert_int_equal(fault.rule, CAIRN_RULE_A2);
    assert_ptr_equal(fault.address, &fronts[0]);
    fronts[0].pool.fresh = 0;
    arena_sound();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_UNIT(a_request_of_its_size_is_the_pools),
        ARENA_UNIT(the_first_pool_that_fits_and_has_room_is_taken),
        ARENA_UNIT(a_pool_has_its_requests_from_the_threshold_on_too),
        ARENA_UNIT(realloc_leaves_a_pool_when_it_must),
        ARENA_UNIT(bad_pointers_into_a_pool_are_reported),
        ARENA_UNIT(a_pool_in_use_is_not_removed),
        ARENA_UNIT(the_check_looks_into_every_pool),
    };
    return cmocka_run_group_tests_name("pools", tests, NULL, NULL);
}
