// SPDX-License-Identifier: MIT
//
// Random operations on random pools against a naive model: an array that says of each block whether it is used.
//
// OWNS        the model; the plan: a new pool every few hundred operations, of another block size, alignment and place.
// PICTURE     test_pool_random [SEED [OPERATIONS]]   or CAIRN_SEED=SEED; CAIRN_TIER=full: a hundred times as many operations
// CALLERS     ctest, on every preset. A failure prints the seed and the operation; the same seed fails again.
#include "arguments.h"
#include "pool/bitmap.h"
#include "prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define REGION 6000u

static _Alignas(64) unsigned char region[REGION];
static struct cairn_pool pool;
static struct prng prng;
static bool used[POOL_MOST];
static uint32_t used_now, peak, failures, reports;
static struct cairn_report last;
static uint32_t seed = 1;
static uint32_t operations = 100000;

static void note(void *context, const struct cairn_report *report)
{
    (void)context;
    last = *report;
    reports++;
}

static unsigned char *address_of(uint32_t number)
{
    return pool.base + number * pool.stride;
}

// A pool whose blocks fit, of any kind.
static void make_pool(void)
{
    const struct cairn_pool_config config = {.alignment = (size_t)1 << prng_below(&prng, 6), .report = note};
    size_t size, block_size;
    do {
        block_size = 1 + prng_below(&prng, 70);
        size = 80 + prng_below(&prng, REGION - 200);
    } while (cairn_pool_init(&pool, region + prng_below(&prng, 100), size, block_size, &config) != 0);
    memset(used, 0, sizeof used);
    used_now = peak = failures = reports = 0;
}

static void stamp(uint32_t number)
{
    memset(address_of(number), (int)(number * 7 + 1), pool.block_size);
}

static void step_alloc(void)
{
    unsigned char *const block = cairn_pool_alloc(&pool);
    if (block == NULL) {
        assert_int_equal(used_now, pool.count);
        failures++;
        return;
    }
    const uint32_t number = (uint32_t)((size_t)(block - pool.base) / pool.stride);
    assert_true(number < pool.count);
    assert_ptr_equal(block, address_of(number));
    assert_false(used[number]);
    used[number] = true;
    used_now++;
    peak = used_now > peak ? used_now : peak;
    stamp(number);
}

static void step_free(void)
{
    const uint32_t number = prng_below(&prng, pool.count);
    const size_t offset = prng_below(&prng, 8) == 0 ? prng_below(&prng, (uint32_t)pool.stride) : 0;
    const bool right = used[number] && offset == 0;
    if (!right && !POOL_HARDENED) {
        return;
    }
    for (size_t i = 0; used[number] && i < pool.block_size; i++) {
        assert_int_equal(address_of(number)[i], (unsigned char)(number * 7 + 1));
    }
    reports = 0;
    assert_int_equal(cairn_pool_owns(&pool, address_of(number) + offset), right);
    cairn_pool_free(&pool, address_of(number) + offset);
    assert_int_equal(reports, right ? 0 : 1);
    if (right) {
        used[number] = false;
        used_now--;
    } else {
        assert_int_equal(last.what, used[number] ? CAIRN_WRONG_INTERIOR : CAIRN_WRONG_DOUBLE_FREE);
        assert_ptr_equal(last.block, address_of(number));
    }
}

static void prove(void)
{
    struct cairn_pool_stats stats;
    cairn_pool_stats(&pool, &stats);
    assert_int_equal(cairn_pool_check(&pool, NULL), 0);
    assert_int_equal(stats.used, used_now);
    assert_int_equal(stats.peak, peak);
    assert_int_equal(stats.failures, failures);
    assert_int_equal(stats.count, pool.count);
    for (uint32_t w = 0; w < words_for(pool.count); w++) { // exact where no calls overlap
        assert_int_equal((pool.summary & bit_from_top(w)) != 0, pool.words[w] != 0);
    }
    for (uint32_t number = 0; number < pool.count; number++) {
        assert_int_equal(cairn_pool_owns(&pool, address_of(number)), used[number]);
    }
}

static void the_pool_does_as_the_model(void **state)
{
    (void)state;
    prng_seed(&prng, seed);
    for (uint32_t done = 0; done < operations;) {
        make_pool();
        const uint32_t length = 50 + prng_below(&prng, 3 * pool.count);
        for (uint32_t i = 0, rising = 8; i < length; i++, done++) {
            if (i % 64 == 0) {
                rising = 1 + prng_below(&prng, 15); // of 16 operations
            }
            if (prng_below(&prng, 16) < rising) {
                step_alloc();
            } else {
                step_free();
            }
            if (i % 16 == 0) {
                prove();
            }
        }
        prove();
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pool_does_as_the_model),
    };
    read_arguments(argc, argv, 100, &seed, &operations);
    printf("seed %lu, %lu operations\n", (unsigned long)seed, (unsigned long)operations);
    fflush(stdout);
    return cmocka_run_group_tests_name("pool_random", tests, NULL, NULL);
}
