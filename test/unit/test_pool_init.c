// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/pool/pool_init.c: sizes, places, and every argument that is refused.
// CALLERS     ctest, on every preset.
#include "cairn/pool.h"
#include "pool/bitmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define REGION 1600u

static _Alignas(64) unsigned char region[REGION];
static struct cairn_pool pool;

// init fails so, and has written nothing.
static void assert_fails(int error, void *at, size_t size, size_t block_size, size_t alignment)
{
    const struct cairn_pool_config config = {.alignment = alignment};
    struct cairn_pool before;
    memset(&before, 0x5A, sizeof before);
    pool = before;
    memset(region, 0xA5, sizeof region);
    assert_int_equal(cairn_pool_init(&pool, at, size, block_size, &config), error);
    assert_memory_equal(&pool, &before, sizeof pool);
    for (size_t i = 0; i < sizeof region; i++) {
        assert_int_equal(region[i], 0xA5);
    }
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    assert_int_equal(cairn_pool_init(NULL, region, sizeof region, 8, NULL), CAIRN_EINVAL);
    assert_fails(CAIRN_EINVAL, NULL, sizeof region, 8, 0);
    assert_fails(CAIRN_EINVAL, region, sizeof region, 0, 0);
    assert_fails(CAIRN_EINVAL, region, sizeof region, 8, 3);
    assert_fails(CAIRN_EINVAL, region, sizeof region, 8, 12);
    assert_fails(CAIRN_EINVAL, region, sizeof region, 8, SIZE_MAX);
}

static void a_region_without_room_is_refused(void **state)
{
    (void)state;
    assert_fails(CAIRN_ENOMEM, region, 0, 8, 0);
    assert_fails(CAIRN_ENOMEM, region, 3, 1, 1);
    assert_fails(CAIRN_ENOMEM, region, 4, 1, 1);
    assert_fails(CAIRN_ENOMEM, region, sizeof region, sizeof region, 0);
    assert_fails(CAIRN_ENOMEM, region, sizeof region, sizeof region + 1, 0);
    assert_fails(CAIRN_ENOMEM, region, sizeof region, SIZE_MAX, 0);
    assert_fails(CAIRN_ENOMEM, region, sizeof region, SIZE_MAX / 2 + 2, SIZE_MAX / 2 + 1);
    assert_fails(CAIRN_ENOMEM, region, sizeof region, 8, SIZE_MAX / 2 + 1);
    assert_fails(CAIRN_ENOMEM, region, 15, 8, 0);
}

static void what_wraps_around_or_is_too_much_is_refused(void **state)
{
    (void)state;
    assert_fails(CAIRN_EOVERFLOW, region, SIZE_MAX, 8, 0);
    assert_fails(CAIRN_EOVERFLOW, region, (size_t)0 - (uintptr_t)region, SIZE_MAX / 4096, 0);
    assert_fails(CAIRN_EOVERFLOW, region, sizeof region, 1, 1);
    assert_int_equal(cairn_pool_init(&pool, region, 4 * 32 + CAIRN_POOL_BLOCKS, 1, &(struct cairn_pool_config){.alignment = 1}), 0);
    assert_int_equal(pool.count, CAIRN_POOL_BLOCKS);
}

static void the_size_is_enough_wherever_the_region_is(void **state)
{
    static const size_t alignments[] = {0, 1, 2, 4, 8, 16, 32};
    (void)state;
    for (size_t i = 0; i < sizeof alignments / sizeof alignments[0]; i++) {
        for (size_t block_size = 1; block_size < 40; block_size += 3) {
            for (uint32_t count = 1; count < 36; count += count < 30 ? 7 : 1) {
                const struct cairn_pool_config config = {.alignment = alignments[i]};
                const size_t size = cairn_pool_size(block_size, count, alignments[i]);
                const size_t offset = (block_size + count) % 33;
                if (size + offset > sizeof region) {
                    continue;
                }
                memset(region, 0xA5, sizeof region);
                assert_int_equal(cairn_pool_init(&pool, region + offset, size, block_size, &config), 0);
                assert_int_equal(cairn_pool_check(&pool, NULL), 0);
                assert_true(pool.count >= count);
                assert_int_equal((uintptr_t)pool.base % (alignments[i] == 0 ? CAIRN_GRANULE : alignments[i]), 0);
                assert_true(pool.base + pool.count * pool.stride <= region + offset + size);
                assert_true((unsigned char *)pool.words >= region + offset);
                for (size_t k = offset + size; k < sizeof region; k++) {
                    assert_int_equal(region[k], 0xA5);
                }
            }
        }
    }
}

// Somewhere a byte less does not hold as many.
static void the_size_is_not_more_than_the_worst_place_needs(void **state)
{
    const struct cairn_pool_config config = {.alignment = 16};
    (void)state;
    for (uint32_t count = 2; count < 40; count++) {
        const size_t size = cairn_pool_size(16, count, 16);
        uint32_t least = UINT32_MAX;
        for (size_t offset = 0; offset < 16; offset++) {
            assert_int_equal(cairn_pool_init(&pool, region + offset, size - 1, 16, &config), 0);
            least = pool.count < least ? pool.count : least;
        }
        assert_int_equal(least, count - 1);
    }
}

static void sizes_that_nothing_can_hold_are_zero(void **state)
{
    (void)state;
    assert_int_equal(cairn_pool_size(0, 1, 0), 0);
    assert_int_equal(cairn_pool_size(1, 0, 0), 0);
    assert_int_equal(cairn_pool_size(8, 1, 24), 0);
    assert_int_equal(cairn_pool_size(8, CAIRN_POOL_BLOCKS + 1, 0), 0);
    assert_int_equal(cairn_pool_size(8, SIZE_MAX, 0), 0);
    assert_int_equal(cairn_pool_size(SIZE_MAX, 1, 0), 0);
    assert_int_equal(cairn_pool_size(SIZE_MAX, 1, 1), 0);
    assert_int_equal(cairn_pool_size(SIZE_MAX / 4, 5, 0), 0);
    assert_int_equal(cairn_pool_size(1, 1, SIZE_MAX / 2 + 1), 0);
    assert_int_equal(cairn_pool_size(CAIRN_GRANULE, CAIRN_POOL_BLOCKS, 0), 4 * 32 + CAIRN_GRANULE * CAIRN_POOL_BLOCKS + CAIRN_GRANULE - 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(a_region_without_room_is_refused),
        cmocka_unit_test(what_wraps_around_or_is_too_much_is_refused),
        cmocka_unit_test(the_size_is_enough_wherever_the_region_is),
        cmocka_unit_test(the_size_is_not_more_than_the_worst_place_needs),
        cmocka_unit_test(sizes_that_nothing_can_hold_are_zero),
    };
    return cmocka_run_group_tests_name("pool_init", tests, NULL, NULL);
}
