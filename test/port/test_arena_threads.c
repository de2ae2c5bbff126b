// SPDX-License-Identifier: MIT
//
// OWNS        the proof that threads may share an arena: all its calls at once, with requests that fail, regions that come and go, and a break so short that
//             regions are mapped. Under the thread sanitizer too.
// PICTURE     test_arena_threads [SEED [ROUNDS]]     rounds of each thread
// CALLERS     ctest, on host presets.
#define _POSIX_C_SOURCE 200809L // barriers
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cairn/arena.h"
#include "model/arguments.h"
#include "port/posix/posix.h"
#include "prng.h"

#include <string.h>

#define THREADS 4u
#define BLOCKS 24u
#define TOO_MUCH (SIZE_MAX > UINT32_MAX ? SIZE_MAX / 4 : SIZE_MAX / 4 * 3) // a 32-bit program on a 64-bit system does get a quarter, and fills it

struct worker {
    pthread_t thread;
    struct prng prng;
    unsigned char *blocks[BLOCKS];
    size_t sizes[BLOCKS];
    unsigned char mark; // its bytes
    const char *wrong;
};

static struct cairn_arena arena;
static uint32_t first_seed = 1;
static uint32_t rounds = 50000;
static pthread_barrier_t start;

static size_t some_size(struct prng *prng)
{
    const uint32_t kind = prng_below(prng, 64);
    return 1 + prng_below(prng, kind == 0 ? 100000 : kind < 8 ? 6000 : 400);
}

static bool is_whole(const struct worker *worker, uint32_t at)
{
    const unsigned char *const block = worker->blocks[at];
    return block == NULL || (block[0] == worker->mark && block[worker->sizes[at] - 1] == worker->mark);
}

// Change a block, or fail to: it is too much, or what was in the region that is lent has no other place of its kind.
static const char *change(struct worker *worker, uint32_t at)
{
    const bool fails = prng_below(&worker->prng, 64) == 0;
    const size_t size = fails ? TOO_MUCH : some_size(&worker->prng);
    unsigned char *const to = cairn_arena_realloc(&arena, worker->blocks[at], size);
    if (to == NULL) {
        const struct cairn_arena_region *const region = cairn_arena_region_of(&arena, worker->blocks[at]);
        return fails || (region != NULL && (region->attributes & CAIRN_MEMORY_FAST) != 0) ? NULL : "a realloc failed";
    }
    if (worker->blocks[at] != NULL && to[0] != worker->mark) {
        return "a realloc lost bytes";
    }
    memset(to, worker->mark, size);
    worker->blocks[at] = to;
    worker->sizes[at] = size;
    return NULL;
}

static const char *renew(struct worker *worker, uint32_t at)
{
    static const struct cairn_arena_want wants[] = {{CAIRN_MEMORY_FAST, 0}, {0, 0}};
    const uint32_t kind = prng_below(&worker->prng, 4);
    const size_t size = some_size(&worker->prng);
    cairn_arena_free(&arena, worker->blocks[at]);
    worker->sizes[at] = size;
    worker->blocks[at] = kind == 0   ? cairn_arena_alloc_where(&arena, wants, 2, 0, size)
                         : kind == 1 ? cairn_arena_aligned_alloc(&arena, 256, size)
                                     : cairn_arena_alloc(&arena, size);
    if (worker->blocks[at] == NULL) {
        return "no memory";
    }
    memset(worker->blocks[at], worker->mark, size);
    return cairn_arena_usable_size(&arena, worker->blocks[at]) < size ? "a block is too short" : NULL;
}

static void *work(void *context)
{
    struct worker *const worker = context;
    (void)pthread_barrier_wait(&start);
    for (uint32_t round = 0; round < rounds && worker->wrong == NULL; round++) {
        const uint32_t at = prng_below(&worker->prng, BLOCKS);
        if (!is_whole(worker, at)) {
            worker->wrong = "another thread wrote here";
        } else {
            worker->wrong = prng_below(&worker->prng, 3) == 0 ? change(worker, at) : renew(worker, at);
        }
    }
    for (uint32_t at = 0; at < BLOCKS; at++) {
        cairn_arena_free(&arena, worker->blocks[at]);
    }
    return NULL;
}

// Looks on, trims, and lends the arena a region.
static void *look_on(void *context)
{
    static _Alignas(16) unsigned char memory[4096];
    static struct cairn_arena_region region;
    struct worker *const worker = context;
    bool is_added = false;
    (void)pthread_barrier_wait(&start);
    for (uint32_t round = 0; round < rounds / 100 || is_added; round++) {
        struct cairn_arena_stats stats;
        cairn_arena_stats(&arena, &stats);
        if (stats.used + stats.free + stats.mapped > stats.system || cairn_arena_check(&arena, NULL) != 0) {
            worker->wrong = "the figures do not add up";
        }
        (void)cairn_arena_trim(&arena, prng_below(&worker->prng, 5000));
        if (!is_added) {
            is_added = cairn_arena_add(&arena, &region, memory, sizeof memory, CAIRN_MEMORY_FAST, 0) == 0;
        } else if (cairn_arena_remove(&arena, &region) == 0) {
            is_added = false;
            memset(memory, 0xA5, sizeof memory);
        }
    }
    return NULL;
}

static void threads_share_every_call(void **state)
{
    (void)state;
    static const struct cairn_arena_config config = {
        .system = &posix_system, .port = &posix_region, .threshold = 8192, .threshold_max = 24576, .heap_max = 40000, .search = CAIRN_SEARCH_ALL};
    static struct worker workers[THREADS + 1];
    struct cairn_arena_stats stats;
    print_message("seed %u, %u rounds\n", (unsigned)first_seed, (unsigned)rounds);
    posix_start();
    assert_int_equal(cairn_arena_init(&arena, &config), 0);
    assert_int_equal(pthread_barrier_init(&start, NULL, THREADS + 1), 0);
    for (uint32_t i = 0; i <= THREADS; i++) {
        workers[i].mark = (unsigned char)(i + 1);
        prng_seed(&workers[i].prng, first_seed * 100 + i);
        assert_int_equal(pthread_create(&workers[i].thread, NULL, i == THREADS ? look_on : work, &workers[i]), 0);
    }
    for (uint32_t i = 0; i <= THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    }
    for (uint32_t i = 0; i <= THREADS; i++) {
        assert_string_equal(workers[i].wrong == NULL ? "" : workers[i].wrong, "");
    }
    cairn_arena_stats(&arena, &stats);
    assert_int_equal(stats.mapped_blocks, 0);
    assert_true(stats.failures != 0 || rounds < 1000);
    assert_int_equal(cairn_arena_check(&arena, NULL), 0);
    assert_int_equal(cairn_arena_deinit(&arena), 0);
}

int main(int argc, char **argv)
{
    read_arguments(argc, argv, 10, &first_seed, &rounds);
    static const struct CMUnitTest tests[] = {cmocka_unit_test(threads_share_every_call)};
    return cmocka_run_group_tests_name("arena_threads", tests, NULL, NULL);
}
