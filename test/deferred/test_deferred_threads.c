// SPDX-License-Identifier: MIT
//
// Threads that mark what another one has allocated, while it allocates.
//
// OWNS        one heap, entered by the main thread only; a ring of blocks for each thread that marks.
// PICTURE     main: alloc, fill -> ring -> thread: looks at the bytes, marks it        now and then main frees a block itself, or moves the heap's end, and a
//             thread marks what is no block
// INVARIANTS  1. Every block that was handed over is freed, once; none is handed out twice while it is in a ring.
//             2. In the end nothing is live, and the checker passes.
//             3. What is no block is reported, as that and nothing else.
// CALLERS     ctest, on host presets.
#include "cairn/deferred.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/arguments.h"

#define THREADS 3u
#define RING 64u
#define REGION ((size_t)256 * 1024)

struct ring {
    unsigned char *blocks[RING];
    uint32_t in;  // written by main
    uint32_t out; // by the thread
    uint32_t id;
    uint32_t wrong;
};

static struct cairn_heap heap;
static struct cairn_deferred deferred;
static struct ring rings[THREADS];
static uint32_t over;
static uint32_t reports;
static uint32_t rounds = 200000;
static uint32_t seed = 1;
static unsigned char elsewhere[THREADS];

static void report(void *context, const struct cairn_report *what)
{
    (void)context;
    const size_t place = (size_t)((uintptr_t)what->address - (uintptr_t)elsewhere);
    assert_int_equal(what->what, CAIRN_WRONG_POINTER);
    assert_true(place < THREADS);
    reports++;
}

static void *work(void *context)
{
    struct ring *const ring = context;
    for (;;) {
        const uint32_t in = __atomic_load_n(&ring->in, __ATOMIC_ACQUIRE);
        if (ring->out == in) {
            if (__atomic_load_n(&over, __ATOMIC_ACQUIRE) != 0 && ring->out == __atomic_load_n(&ring->in, __ATOMIC_ACQUIRE)) {
                return NULL;
            }
            (void)sched_yield();
            continue;
        }
        unsigned char *const block = ring->blocks[ring->out % RING];
        ring->wrong += block[0] != ring->id || block[7] != ring->id;
        memset(block, 0xEE, 8);
        cairn_deferred_free(&deferred, block);
        if (ring->out % 128 == 0) {
            cairn_deferred_free(&deferred, &elsewhere[ring->id - 1]);
        }
        __atomic_store_n(&ring->out, ring->out + 1, __ATOMIC_RELEASE);
    }
}

static void blocks_are_freed_by_others(void **state)
{
    (void)state;
    unsigned char *const region = malloc(REGION);
    void *const bits = malloc(cairn_deferred_size(REGION));
    pthread_t threads[THREADS];
    uint32_t random = seed * 2654435761u + 1;
    print_message("seed %u, %u rounds\n", (unsigned)seed, (unsigned)rounds);
    assert_non_null(region);
    static const struct cairn_heap_hooks hooks = {.hooked = CAIRN_HOOKED, .report = report};
    const struct cairn_heap_config config = {.max_size = REGION, .hooks = &hooks};
    assert_int_equal(cairn_heap_init(&heap, region, REGION - 4096, &config), 0);
    assert_int_equal(cairn_deferred_init(&deferred, &heap, bits, cairn_deferred_size(REGION)), 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        rings[i].id = i + 1;
        assert_int_equal(pthread_create(&threads[i], NULL, work, &rings[i]), 0);
    }
    uint32_t handed = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        random = random * 1664525u + 1013904223u;
        if (round % 256 == 0) {
            assert_int_equal(cairn_heap_grow(&heap, REGION), 0);
        } else if (round % 256 == 128) {
            (void)(cairn_heap_shrink(&heap, REGION - 4096) == 0); // where nothing stands there
        }
        unsigned char *const block = cairn_heap_alloc(&heap, 8 + (random >> 8 & 1023));
        struct ring *const ring = &rings[random >> 20 & 3];
        assert_non_null(block); // at most 3 rings of 1 KB blocks are away
        if ((random >> 20 & 3) == THREADS) {
            cairn_heap_free(&heap, block);
            continue;
        }
        while (ring->in - __atomic_load_n(&ring->out, __ATOMIC_ACQUIRE) == RING) {
            (void)sched_yield();
        }
        memset(block, (int)ring->id, 8);
        ring->blocks[ring->in % RING] = block;
        __atomic_store_n(&ring->in, ring->in + 1, __ATOMIC_RELEASE);
        handed++;
    }
    __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(rings[i].wrong, 0);
    }
    assert_int_equal(cairn_deferred_drain(&deferred), handed);
    assert_true(handed > rounds / 2);
    assert_true(reports != 0);
    struct cairn_heap_stats stats;
    cairn_heap_stats(&heap, &stats);
    assert_int_equal(stats.used, 0);
    assert_int_equal(cairn_heap_check(&heap, NULL), 0);
    cairn_deferred_deinit(&deferred);
    free(bits);
    free(region);
}

int main(int argc, char **argv)
{
    read_arguments(argc, argv, 20, &seed, &rounds);
    static const struct CMUnitTest tests[] = {cmocka_unit_test(blocks_are_freed_by_others)};
    return cmocka_run_group_tests_name("deferred_threads", tests, NULL, NULL);
}
