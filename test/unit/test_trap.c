// SPDX-License-Identifier: MIT
//
// OWNS        the proof that a heap, a pool or an arena without a report hook stops the program, the image as it was: on the short paths too.
// PICTURE     sigsetjmp -> the call -> trap instruction -> SIGILL or SIGTRAP -> siglongjmp
// CALLERS     ctest, on the host: nothing comes back from a trap on a target.
#define _POSIX_C_SOURCE 200809L // sigsetjmp
#include "fixture.h"

#include "cairn/arena.h"
#include "cairn/pool.h"

#include <signal.h>

static sigjmp_buf way_back;
static uint32_t hole[3];

static void leave(int number)
{
    siglongjmp(way_back, number);
}

// Three holes of this many granules, in one list; the last is the head. Then no hooks any more.
static void make_holes(uint32_t n)
{
    void *block[3];
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = leave;
    (void)sigaction(SIGILL, &action, NULL);
    (void)sigaction(SIGTRAP, &action, NULL);
    fixture_make(FIXTURE_REGION);
    for (int i = 0; i < 3; i++) {
        block[i] = take_granules(n);
        hole[i] = number_of(block[i]);
        (void)take_granules(1);
    }
    assert_non_null(cairn_heap_alloc(HEAP, stats().largest_free));
    for (int i = 0; i < 3; i++) {
        cairn_heap_free(HEAP, block[i]);
    }
    HEAP->hooks = NULL;
    heap_set_quick(HEAP);
    fixture.damaged = true;
}

static void assert_stops(void (*call)(size_t), size_t argument)
{
    fixture_save();
    if (sigsetjmp(way_back, 1) == 0) {
        call(argument);
        fail_msg("the program went on");
    }
    fixture_unchanged(0);
}

static void do_alloc(size_t n)
{
    (void)cairn_heap_alloc(HEAP, granules((uint32_t)n));
}

static void do_free(size_t number)
{
    cairn_heap_free(HEAP, at((uint32_t)number));
}

static void do_free_byte(size_t offset)
{
    cairn_heap_free(HEAP, (unsigned char *)HEAP->base - G + offset);
}

static void a_bad_pointer_stops_the_program(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    make_holes(3);
    assert_stops(do_free, hole[0]);
    assert_stops(do_free, hole[0] + 1);
    assert_stops(do_free, 0);
    assert_stops(do_free, fence_of(CONTROL));
    assert_stops(do_free_byte, hole[0] * G - 1);
    assert_stops(do_free_byte, FIXTURE_REGION * 10);
}

// Short lists, and lists of a range; the head, and one behind it; each field, with numbers of every kind.
static void a_broken_link_stops_the_program(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    for (uint32_t n = 3; n < 36; n += 9) {
        const uint32_t bad[] = {1, 4, n + 3, 100000, 0x80000000, 0xFFFFFFFF};
        for (size_t i = 0; i < 2 * sizeof bad / sizeof bad[0]; i++) {
            make_holes(n);
            struct block_links *const links = links_of(hole[2]);
            *((i & 1) != 0 ? &links->next : &links->prev) = bad[i / 2];
            if (links->prev == 0 || n >= BIN_EXACT || (i & 1) != 0) {
                assert_stops(do_alloc, n);
                assert_stops(do_alloc, n < BIN_EXACT ? n : n - 1);
            }
        }
    }
}

static void a_self_link_stops_the_program(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    for (int which = 0; which < 3; which++) {
        make_holes(12);
        *hint_for(hole[which]) = 12;
        *links_of(hole[which]) = (struct block_links){end_of(hole[which]), end_of(hole[which])};
        for (int i = 0; i < 3; i++) { // the search prefers it
            if (i != which) {
                *hint_for(hole[i]) = 9;
            }
        }
        assert_stops(do_alloc, 12);
    }
}

// A block inside a list whose links say that it is the first, or that the one before it is another.
static void a_broken_link_inside_a_list_stops_the_program(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    for (int which = 0; which < 2; which++) {
        const uint32_t bad[] = {0, 2, 100000, 0xFFFFFFFF};
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            make_holes(12);
            for (int k = 0; k < 3; k++) { // the search prefers it
                *hint_for(hole[k]) = k == which ? 12 : 9;
            }
            links_of(hole[which])->prev = bad[i];
            assert_stops(do_alloc, 12);
        }
    }
}

// The free neighbour of a block that is freed.
static void a_self_link_beside_a_freed_block_stops_the_program(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    make_holes(12);
    *links_of(hole[1]) = (struct block_links){end_of(hole[1]), end_of(hole[1])};
    fixture_save();
    if (sigsetjmp(way_back, 1) == 0) {
        cairn_heap_free(HEAP, at(hole[1] + 12));
        fail_msg("the program went on");
    }
}

static void a_hint_that_says_too_much_stops_the_program(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    make_holes(12);
    *hint_for(hole[1]) = 14;
    assert_stops(do_alloc, 13);
}

static struct cairn_pool pool;

static void do_pool_free(size_t offset)
{
    cairn_pool_free(&pool, pool.base + offset);
}

static void a_pool_without_a_report_hook_stops_the_program(void **state)
{
    static unsigned char blocks[200];
    (void)state;
    NEEDS_HARDENING;
    make_holes(3);
    assert_int_equal(cairn_pool_init(&pool, blocks, sizeof blocks, 16, NULL), 0);
    cairn_pool_free(&pool, cairn_pool_alloc(&pool));
    assert_ptr_equal(cairn_pool_alloc(&pool), pool.base);
    (void)cairn_pool_alloc(&pool);
    cairn_pool_free(&pool, pool.base);
    assert_stops(do_pool_free, 0);
    assert_stops(do_pool_free, 17);
    assert_stops(do_pool_free, 32);
    assert_stops(do_pool_free, 100000);
    assert_int_equal(cairn_pool_check(&pool, NULL), 0);
}

static struct cairn_arena arena;
static unsigned char *arena_block;

static void do_arena_free(size_t offset)
{
    cairn_arena_free(&arena, arena_block + offset);
}

static void an_arena_that_nobody_listens_to_stops_the_program(void **state)
{
    static unsigned char memory[512];
    static struct cairn_arena_region region;
    static const struct cairn_port_system silent = {0};
    static const struct cairn_arena_config configs[] = {{0}, {.system = &silent}};
    (void)state;
    NEEDS_HARDENING;
    make_holes(3);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(cairn_arena_init(&arena, &configs[i]), 0);
        assert_int_equal(cairn_arena_add(&arena, &region, memory, sizeof memory, 0, 0), 0);
        arena_block = cairn_arena_alloc(&arena, 40);
        assert_non_null(arena_block);
        assert_stops(do_arena_free, 1);
        assert_stops(do_arena_free, 16);
        assert_stops(do_arena_free, sizeof memory);
        assert_int_equal(cairn_arena_check(&arena, NULL), 0);
        cairn_arena_free(&arena, arena_block);
        assert_int_equal(cairn_arena_deinit(&arena), 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(a_bad_pointer_stops_the_program),
        UNIT(a_broken_link_stops_the_program),
        UNIT(a_self_link_stops_the_program),
        UNIT(a_broken_link_inside_a_list_stops_the_program),
        UNIT(a_self_link_beside_a_freed_block_stops_the_program),
        UNIT(a_hint_that_says_too_much_stops_the_program),
        UNIT(a_pool_without_a_report_hook_stops_the_program),
        UNIT(an_arena_that_nobody_listens_to_stops_the_program),
    };
    return cmocka_run_group_tests_name("trap", tests, NULL, NULL);
}
