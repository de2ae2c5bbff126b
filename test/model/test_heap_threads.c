// SPDX-License-Identifier: MIT
//
// OWNS        the proof that threads may share a heap through its lock hooks: all its calls at once, also those that move its end. Under the thread
//             sanitizer too.
// PICTURE     test_heap_threads [SEED [ROUNDS]]     rounds of each thread
// CALLERS     ctest, on host presets.
#include "arguments.h"
#include "cairn/heap.h"
#include "prng.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define THREADS 4u
#define BLOCKS 24u
#define REGION 65536u

struct worker {
    pthread_t thread;
    struct prng prng;
    unsigned char *blocks[BLOCKS];
    size_t sizes[BLOCKS];
    unsigned char mark; // its bytes
    uint32_t cursor;
    const char *wrong;
};

static _Alignas(16) unsigned char region[REGION];
static struct cairn_heap heap;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint32_t first_seed = 1;
static uint32_t rounds = 50000;
static uint32_t reports;

static uint32_t lock(void *context)
{
    (void)context;
    return (uint32_t)pthread_mutex_lock(&mutex);
}

static void unlock(void *context, uint32_t key)
{
    (void)context;
    (void)key;
    (void)pthread_mutex_unlock(&mutex);
}

static void note_report(void *context, const struct cairn_report *report)
{
    (void)context;
    (void)report;
    reports++;
}

static bool is_whole(const struct worker *worker, uint32_t at)
{
    const unsigned char *const block = worker->blocks[at];
    return block == NULL || (block[0] == worker->mark && block[worker->sizes[at] - 1] == worker->mark);
}

static void own(struct worker *worker, uint32_t at, unsigned char *block, size_t size)
{
    if (block != NULL) {
        memset(block, worker->mark, size);
        worker->blocks[at] = block;
        worker->sizes[at] = size;
    }
}

static void renew(struct worker *worker, uint32_t at, size_t size)
{
    cairn_heap_free(&heap, worker->blocks[at]);
    worker->blocks[at] = NULL;
    own(worker, at, prng_below(&worker->prng, 4) == 0 ? cairn_heap_aligned_alloc(&heap, 64, size) : cairn_heap_alloc(&heap, size), size);
}

static void change(struct worker *worker, uint32_t at, size_t size)
{
    if (prng_below(&worker->prng, 4) != 0) {
        own(worker, at, cairn_heap_realloc(&heap, worker->blocks[at], size), size);
    } else if (worker->blocks[at] != NULL && cairn_heap_resize(&heap, worker->blocks[at], size) == 0) {
        own(worker, at, worker->blocks[at], size);
    }
}

// Move the end, look at the figures, check a few words.
static const char *look(struct worker *worker, size_t size)
{
    struct cairn_heap_stats stats;
    const int moved = prng_below(&worker->prng, 2) == 0 ? cairn_heap_grow(&heap, size) : cairn_heap_shrink(&heap, size);
    (void)moved; // either answer is right
    cairn_heap_stats(&heap, &stats);
    if (stats.used + stats.free != stats.size) {
        return "the figures do not add up";
    }
    return cairn_heap_check_step(&heap, &worker->cursor, 3, NULL) != 0 ? "a rule is broken" : NULL;
}

static void *work(void *context)
{
    struct worker *const worker = context;
    for (uint32_t round = 0; round < rounds && worker->wrong == NULL; round++) {
        const uint32_t at = prng_below(&worker->prng, BLOCKS);
        const size_t size = 1 + prng_below(&worker->prng, prng_below(&worker->prng, 8) == 0 ? 3000 : 300);
        const uint32_t kind = prng_below(&worker->prng, 8);
        if (!is_whole(worker, at)) {
            worker->wrong = "another thread wrote here";
        } else if (kind == 0) {
            worker->wrong = look(worker, REGION / 2 + prng_below(&worker->prng, REGION / 2));
        } else if (kind < 4) {
            change(worker, at, size);
        } else {
            renew(worker, at, size);
        }
    }
    for (uint32_t at = 0; at < BLOCKS; at++) {
        cairn_heap_free(&heap, worker->blocks[at]);
    }
    return NULL;
}

static void threads_share_every_call(void **state)
{
    static const struct cairn_heap_hooks hooks = {.hooked = CAIRN_HOOKED, .lock = lock, .unlock = unlock, .report = note_report};
    static const struct cairn_heap_config config = {.max_size = REGION, .hooks = &hooks};
    static struct worker workers[THREADS];
    struct cairn_heap_stats stats;
    (void)state;
    print_message("seed %u, %u rounds\n", (unsigned)first_seed, (unsigned)rounds);
    assert_int_equal(cairn_heap_init(&heap, region, REGION / 2, &config), 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i].mark = (unsigned char)(i + 1);
        prng_seed(&workers[i].prng, first_seed * 100 + i);
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_string_equal(workers[i].wrong == NULL ? "" : workers[i].wrong, "");
    }
    cairn_heap_stats(&heap, &stats);
    assert_int_equal(reports, 0);
    assert_int_equal(stats.used, 0);
    assert_int_equal(stats.free_blocks, 1);
    assert_int_equal(cairn_heap_check(&heap, NULL), 0);
}

int main(int argc, char **argv)
{
    read_arguments(argc, argv, 10, &first_seed, &rounds);
    static const struct CMUnitTest tests[] = {cmocka_unit_test(threads_share_every_call)};
    return cmocka_run_group_tests_name("heap_threads", tests, NULL, NULL);
}
