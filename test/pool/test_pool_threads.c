// SPDX-License-Identifier: MIT
//
// Threads that allocate and free at the same time, in pools so small that they always meet.
//
// OWNS        the threads; an owner for each block, outside the pool.
// PICTURE     test_pool_threads [SEED [OPERATIONS]]   each thread: alloc -> claim the block's owner and stamp it -> later: unstamp, unclaim, free
// INVARIANTS  1. Nobody is given a block that somebody has: the claim must find it without an owner.
//             2. At the end all blocks are there, once each, and the checker passes.
// COST        a second or so; no time decides anything.
// CALLERS     ctest, on the host; once more under the thread sanitizer.
#include "arguments.h"
#include "pool/bitmap.h"
#include "prng.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define THREADS 4u
#define HOLDS 5u
#define STRIDE (3u * CAIRN_GRANULE)

struct worker {
    pthread_t thread;
    struct prng prng;
    uint32_t number;
    uint32_t holds;
    uint32_t wrong;
    uint32_t refused;
    uint32_t taken;
};

static _Alignas(16) unsigned char region[STRIDE * THREADS * HOLDS + 256];
static struct cairn_pool pool;
static uint32_t owner[THREADS * HOLDS];
static uint32_t seed = 1;
static uint32_t operations = 200000;

static uint32_t number_of(const void *block)
{
    return (uint32_t)((size_t)((const unsigned char *)block - pool.base) / STRIDE);
}

static void claim(struct worker *worker, void *block)
{
    worker->wrong += __atomic_exchange_n(&owner[number_of(block)], worker->number + 1, __ATOMIC_RELAXED) != 0;
    memset(block, (int)worker->number + 1, STRIDE); // not atomic: only the pool orders it after the last owner's
    worker->taken++;
}

static void give_back(struct worker *worker, void *block)
{
    for (uint32_t i = 0; i < STRIDE; i++) {
        worker->wrong += ((const unsigned char *)block)[i] != worker->number + 1;
    }
    worker->wrong += __atomic_exchange_n(&owner[number_of(block)], 0, __ATOMIC_RELAXED) != worker->number + 1;
    worker->wrong += !cairn_pool_owns(&pool, block);
    cairn_pool_free(&pool, block);
}

static void *work(void *context)
{
    struct worker *const worker = context;
    void *held[THREADS * HOLDS] = {NULL};
    for (uint32_t i = 0; i < operations; i++) {
        void **const slot = &held[prng_below(&worker->prng, worker->holds)];
        if (*slot != NULL) {
            give_back(worker, *slot);
            *slot = NULL;
            continue;
        }
        *slot = cairn_pool_alloc(&pool);
        if (*slot == NULL) {
            worker->refused++;
        } else {
            claim(worker, *slot);
        }
    }
    for (uint32_t i = 0; i < worker->holds; i++) {
        if (held[i] != NULL) {
            give_back(worker, held[i]);
        }
    }
    return NULL;
}

static void run(uint32_t blocks, uint32_t holds)
{
    struct worker workers[THREADS];
    struct cairn_pool_stats stats;
    uint32_t taken = 0, refused = 0;
    const size_t words = words_for(blocks) * sizeof(uint32_t);
    assert_int_equal(cairn_pool_init(&pool, region, (words + CAIRN_GRANULE - 1) / CAIRN_GRANULE * CAIRN_GRANULE + blocks * STRIDE, STRIDE, NULL), 0);
    assert_int_equal(pool.count, blocks);
    memset(owner, 0, sizeof owner);
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.number = i, .holds = holds};
        prng_seed(&workers[i].prng, seed * THREADS + i);
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_int_equal(workers[i].wrong, 0);
        taken += workers[i].taken;
        refused += workers[i].refused;
    }
    assert_int_equal(cairn_pool_check(&pool, NULL), 0);
    cairn_pool_stats(&pool, &stats);
    assert_int_equal(stats.used, 0);
    assert_int_equal(stats.failures, refused);
    assert_in_range(stats.peak, 1, blocks);
    for (uint32_t i = 0; i < blocks; i++) {
        const void *const block = cairn_pool_alloc(&pool);
        assert_non_null(block);
        assert_int_equal(owner[number_of(block)]++, 0);
    }
    assert_null(cairn_pool_alloc(&pool));
    print_message("%u blocks, %u threads of %u: taken %u times, refused %u\n", (unsigned)blocks, THREADS, (unsigned)holds, (unsigned)taken,
                  (unsigned)refused);
}

static void threads_in_a_pool_with_enough_are_served(void **state)
{
    (void)state;
    run(THREADS, 1);
    run(THREADS * HOLDS, HOLDS);
}

static void threads_in_a_pool_with_too_little_share_it(void **state)
{
    (void)state;
    run(1, 1);
    run(3, 2);
    run(7, 5);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_in_a_pool_with_enough_are_served),
        cmocka_unit_test(threads_in_a_pool_with_too_little_share_it),
    };
    read_arguments(argc, argv, 100, &seed, &operations);
    printf("seed %lu, %lu operations a thread\n", (unsigned long)seed, (unsigned long)operations);
    fflush(stdout);
    return cmocka_run_group_tests_name("pool_threads", tests, NULL, NULL);
}
