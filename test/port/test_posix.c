// SPDX-License-Identifier: MIT
//
// OWNS        the proof of port/posix, and that the template compiles and refuses everything.
// CALLERS     ctest, on host presets.
#include "contract.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "cairn/arena.h"
#include "port/posix/posix.h"
#include "port/template/port.h"

#include <string.h>

static void the_contract_holds(void **state)
{
    (void)state;
    posix_start();
    assert_null(contract_break(&posix_region, false)); // the C library moves the break too
    assert_null(contract_maps(&posix_region));
    assert_null(contract_system(&posix_system));
}

static void the_template_has_nothing_and_says_so(void **state)
{
    (void)state;
    assert_non_null(contract_break(&template_region, true));
    assert_non_null(contract_maps(&template_region));
    struct cairn_arena arena;
    static const struct cairn_arena_config config = {.system = &template_system, .port = &template_region};
    assert_int_equal(cairn_arena_init(&arena, &config), 0);
    assert_null(cairn_arena_alloc(&arena, 8));
    assert_null(cairn_arena_alloc(&arena, CAIRN_ARENA_THRESHOLD));
    assert_int_equal(cairn_arena_deinit(&arena), 0);
}

// On a machine of 32 bits the system may have so much.
static void no_map_is_longer_than_a_difference_of_pointers(void **state)
{
    (void)state;
    posix_start();
    const size_t page = posix_region.page;
    const size_t too_long = (size_t)PTRDIFF_MAX + 1;
    assert_null(posix_region.map(posix_region.context, too_long, page));
    assert_null(posix_region.map(posix_region.context, too_long - page, 2 * page));
    void *const address = posix_region.map(posix_region.context, page, page);
    assert_non_null(address);
    assert_true(posix_region.remap == NULL || posix_region.remap(posix_region.context, address, page, too_long) == NULL);
    assert_int_equal(posix_region.unmap(posix_region.context, address, page), 0);
}

#define THREADS 4
#define ROUNDS 20000u

static struct cairn_arena arena;

// Each thread keeps 32 blocks, with a byte of its own in each.
static void *work(void *context)
{
    const unsigned seed = (unsigned)(uintptr_t)context;
    unsigned char *blocks[32] = {0};
    size_t sizes[32] = {0};
    unsigned random = seed * 2654435761u + 1;
    for (unsigned round = 0; round < ROUNDS; round++) {
        random = random * 1664525u + 1013904223u;
        const unsigned at = random >> 27;
        if (blocks[at] != NULL && (blocks[at][0] != seed || blocks[at][sizes[at] - 1] != seed)) {
            return "another thread wrote here";
        }
        const size_t size = (random >> 8 & 1023) == 0 ? (size_t)200000 : 1 + (random >> 8 & 1023);
        unsigned char *const to = (random >> 20 & 3) == 0 ? cairn_arena_realloc(&arena, blocks[at], size) : cairn_arena_alloc(&arena, size);
        if (to == NULL) {
            return "no memory";
        }
        if ((random >> 20 & 3) != 0) {
            cairn_arena_free(&arena, blocks[at]);
        } else if (blocks[at] != NULL && to[0] != seed) {
            return "a realloc lost bytes";
        }
        memset(to, (int)seed, size);
        blocks[at] = to;
        sizes[at] = size;
    }
    for (unsigned at = 0; at < 32; at++) {
        cairn_arena_free(&arena, blocks[at]);
    }
    return NULL;
}

// Takes all there is, gives it back, again and again.
static void *exhaust(void *context)
{
    uint32_t *const refused = context;
    unsigned char *blocks[400];
    for (unsigned round = 0; round < 200; round++) {
        unsigned count = 0;
        while (count < 400 && (blocks[count] = cairn_arena_alloc(&arena, 16 + 97 * (count % 60))) != NULL) {
            blocks[count][0] = (unsigned char)count;
            count++;
        }
        *refused += count < 400;
        for (unsigned i = 0; i < count; i++) {
            if (blocks[i][0] != (unsigned char)i) {
                return "another thread wrote here";
            }
            cairn_arena_free(&arena, blocks[i]);
        }
    }
    return NULL;
}

static void threads_run_out_of_memory_together(void **state)
{
    (void)state;
    static struct cairn_port_region no_maps;
    static const struct cairn_arena_config config = {
        .system = &posix_system, .port = &no_maps, .step = 4096, .heap_max = (size_t)1 << 19};
    pthread_t threads[THREADS];
    uint32_t refused[THREADS] = {0};
    posix_start();
    no_maps = posix_region;
    no_maps.map = NULL;
    no_maps.unmap = NULL;
    no_maps.remap = NULL;
    assert_int_equal(cairn_arena_init(&arena, &config), 0);
    void *const kept = cairn_arena_alloc(&arena, 100000); // so that even one of them cannot have all that it asks for
    void *const more = cairn_arena_alloc(&arena, 100000);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, exhaust, &refused[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
        assert_int_not_equal(refused[i], 0);
    }
    cairn_arena_free(&arena, kept);
    cairn_arena_free(&arena, more);
    struct cairn_arena_stats stats;
    cairn_arena_stats(&arena, &stats);
    assert_int_equal(stats.used_blocks, 0);
    assert_int_equal(cairn_arena_check(&arena, NULL), 0);
    assert_int_equal(cairn_arena_deinit(&arena), 0);
}

static void threads_share_an_arena(void **state)
{
    (void)state;
    static const struct cairn_arena_config config = {
        .system = &posix_system, .port = &posix_region, .step = 65536, .heap_max = (size_t)16 << 20};
    pthread_t threads[THREADS];
    posix_start();
    assert_int_equal(cairn_arena_init(&arena, &config), 0);
    for (uintptr_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)(i + 1)), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    struct cairn_arena_stats stats;
    cairn_arena_stats(&arena, &stats);
    assert_int_equal(stats.mapped_blocks, 0);
    assert_int_equal(stats.failures, 0);
    assert_int_equal(cairn_arena_check(&arena, NULL), 0);
    assert_int_equal(cairn_arena_deinit(&arena), 0);
}

// Eight thresholds are more than one heap can span.
static void a_large_threshold_does_not_keep_regions_from_being_mapped(void **state)
{
    (void)state;
    struct cairn_port_region port = posix_region;
    port.brk = NULL;
    port.room = NULL;
    for (size_t threshold = (size_t)64 << 20; threshold < SIZE_MAX / 32; threshold *= 2) {
        const struct cairn_arena_config config = {.system = &posix_system, .port = &port, .threshold = threshold};
        assert_int_equal(cairn_arena_init(&arena, &config), 0);
        unsigned char *const block = cairn_arena_alloc(&arena, 100);
        assert_non_null(block);
        cairn_arena_free(&arena, block);
        assert_int_equal(cairn_arena_deinit(&arena), 0);
    }
}

// With its control and tags, of which hardly any are touched.
static void the_heap_in_the_break_may_be_as_large_as_heaps_are(void **state)
{
    (void)state;
    const struct cairn_arena_config config = {.system = &posix_system, .port = &posix_region, .heap_max = SIZE_MAX};
    const size_t most = (((size_t)1 << 27) - 2) * CAIRN_GRANULE;
    posix_start();
    assert_int_equal(cairn_arena_init(&arena, &config), 0);
    unsigned char *const block = cairn_arena_alloc(&arena, 100);
    assert_non_null(block);
    assert_ptr_equal(cairn_arena_region_of(&arena, block), &arena.first);
    const size_t front = (size_t)(arena.first.heap.base - (unsigned char *)arena.first.heap.control);
    assert_in_range(front, most / (4 * CAIRN_GRANULE + 2), most / (4 * CAIRN_GRANULE)); // tags are two bits a granule
    cairn_arena_free(&arena, block);
    assert_int_equal(cairn_arena_check(&arena, NULL), 0);
    assert_int_equal(cairn_arena_deinit(&arena), 0);
}

// So that which one an address is in is soon found, however much there is.
static void the_regions_of_a_large_heap_are_few(void **state)
{
    (void)state;
    struct cairn_port_region port = posix_region;
    struct cairn_arena_stats stats;
    port.brk = NULL;
    port.room = NULL;
    const struct cairn_arena_config config = {.system = &posix_system, .port = &port, .threshold = 4096};
    assert_int_equal(cairn_arena_init(&arena, &config), 0);
    for (size_t all = 0; all < (size_t)48 << 20; all += 3000) {
        assert_non_null(cairn_arena_alloc(&arena, 3000));
    }
    cairn_arena_stats(&arena, &stats);
    assert_in_range(stats.regions, 2, 64);
    assert_true(stats.system - stats.used < stats.used / 4); // what is not in use yet is a part of what is
    assert_int_equal(cairn_arena_check(&arena, NULL), 0);
    assert_int_equal(cairn_arena_deinit(&arena), 0);
}

static size_t left; // bytes that map may still give

static void *map_some(void *context, size_t size, size_t alignment)
{
    if (size > left) {
        return NULL;
    }
    left -= size;
    return posix_region.map(context, size, alignment);
}

// The last of what there is too: it is shorter than a region is to be.
static void the_regions_are_few_where_little_is_left(void **state)
{
    (void)state;
    struct cairn_port_region port = posix_region;
    struct cairn_arena_stats stats;
    port.brk = NULL;
    port.room = NULL;
    port.map = map_some;
    left = (size_t)6 << 20;
    const struct cairn_arena_config config = {.system = &posix_system, .port = &port, .threshold = (size_t)1 << 20};
    assert_int_equal(cairn_arena_init(&arena, &config), 0);
    while (cairn_arena_alloc(&arena, 100) != NULL) {
    }
    cairn_arena_stats(&arena, &stats);
    assert_true(stats.used > (size_t)5 << 20);
    assert_in_range(stats.regions, 2, 32);
    assert_int_equal(cairn_arena_check(&arena, NULL), 0);
    assert_int_equal(cairn_arena_deinit(&arena), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_contract_holds),
        cmocka_unit_test(the_template_has_nothing_and_says_so),
        cmocka_unit_test(no_map_is_longer_than_a_difference_of_pointers),
        cmocka_unit_test(threads_share_an_arena),
        cmocka_unit_test(threads_run_out_of_memory_together),
        cmocka_unit_test(a_large_threshold_does_not_keep_regions_from_being_mapped),
        cmocka_unit_test(the_heap_in_the_break_may_be_as_large_as_heaps_are),
        cmocka_unit_test(the_regions_of_a_large_heap_are_few),
        cmocka_unit_test(the_regions_are_few_where_little_is_left),
    };
    return cmocka_run_group_tests_name("posix", tests, NULL, NULL);
}
