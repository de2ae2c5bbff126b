// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/arena/blocks.c: which memory a request gets, and where a block goes back to.
// CALLERS     ctest, on every preset.
#include "arena_fixture.h"

static void nothing_is_taken_before_the_first_request(void **state)
{
    (void)state;
    assert_int_equal(arena_fixture.calls, 0);
    assert_int_equal(arena_stats().system, 0);
    assert_int_equal(arena_stats().regions, 0);
    cairn_arena_free(ARENA, NULL);
    assert_null(cairn_arena_alloc(ARENA, 0));
    assert_int_equal(arena_fixture.calls, 0);
}

static void a_small_request_comes_from_the_break(void **state)
{
    (void)state;
    unsigned char *const block = arena_take(100);
    assert_int_equal(arena_fixture.calls, 1);
    assert_true(block >= arena_span && block + 100 <= arena_fixture.at);
    assert_in_range(cairn_arena_usable_size(ARENA, block), 100, 100 + G);
    assert_int_equal(arena_stats().used_blocks, 1);
    assert_int_equal(arena_stats().regions, 1);
    assert_true(cairn_arena_region_of(ARENA, block) == &ARENA->first);
    cairn_arena_free(ARENA, block);
    assert_int_equal(arena_stats().used, 0);
}

static void a_large_request_is_mapped_and_goes_back(void **state)
{
    (void)state;
    unsigned char *const block = arena_take(THRESHOLD);
    assert_true(arena_is_page(block));
    assert_int_equal((uintptr_t)block % PAGE, 0);
    assert_int_equal(arena_used_pages(), 2);
    assert_int_equal(cairn_arena_usable_size(ARENA, block), 2 * PAGE);
    assert_int_equal(arena_stats().mapped, 2 * PAGE);
    assert_int_equal(arena_stats().mapped_blocks, 1);
    assert_null(cairn_arena_region_of(ARENA, block));
    assert_false(arena_is_page(cairn_arena_aligned_alloc(ARENA, 8, THRESHOLD - 1)));
    arena_fixture.leaks = true;
    cairn_arena_free(ARENA, block);
    assert_int_equal(arena_used_pages(), 0);
    assert_int_equal(arena_stats().mapped, 0);
}

static void a_large_request_falls_back_on_the_break(void **state)
{
    (void)state;
    unsigned char *const all = arena_take(PAGES * PAGE);
    unsigned char *const block = arena_take(THRESHOLD);
    assert_false(arena_is_page(block));
    cairn_arena_free(ARENA, all);
    cairn_arena_free(ARENA, block);
}

static void a_small_request_falls_back_on_a_region_that_is_mapped(void **state)
{
    (void)state;
    unsigned char *blocks[SPAN / 256];
    uint32_t count = 0;
    while (count < SPAN / 256 && cairn_arena_region_of(ARENA, blocks[count] = arena_take(400)) == &ARENA->first) {
        count++;
    }
    assert_in_range(count, 5, SPAN / 400);
    assert_true(arena_is_page(blocks[count]));
    assert_int_equal(arena_stats().regions, 2);
    assert_int_equal(arena_stats().mapped_blocks, 0);
    for (uint32_t i = 0; i <= count; i++) {
        assert_true(arena_is_filled(blocks[i], 400, 400));
        cairn_arena_free(ARENA, blocks[i]);
    }
    assert_true(arena_used_pages() != 0); // kept for the next time
    assert_true(cairn_arena_trim(ARENA, 0) != 0);
    assert_int_equal(arena_used_pages(), 0);
    assert_int_equal(arena_stats().regions, 1);
}

static void calloc_clears_and_sees_overflow(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 24, THRESHOLD - 1, THRESHOLD, 3 * PAGE + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned char *const block = cairn_arena_calloc(ARENA, 1, sizes[i]);
        assert_non_null(block);
        for (size_t at = 0; at < sizes[i]; at++) {
            assert_int_equal(block[at], 0);
        }
        memset(block, 0xEE, sizes[i]);
        cairn_arena_free(ARENA, block);
    }
    assert_null(cairn_arena_calloc(ARENA, SIZE_MAX / 2, 3));
    assert_null(cairn_arena_calloc(ARENA, 3, SIZE_MAX / 2));
    assert_null(cairn_arena_calloc(ARENA, SIZE_MAX, 1));
    assert_null(cairn_arena_calloc(ARENA, 0, 8));
    assert_null(cairn_arena_calloc(ARENA, 8, 0));
}

static void a_port_that_maps_zeros_is_believed_once(void **state)
{
    (void)state;
    arena_fixture.port.zeroed = true;
    unsigned char *block = cairn_arena_calloc(ARENA, 2, PAGE);
    assert_int_equal(block[0], 0xA5); // as the port gave it: nobody clears what is clear
    arena_fixture.unmaps = 1;
    cairn_arena_free(ARENA, block);
    block = cairn_arena_calloc(ARENA, 2, PAGE);
    assert_int_equal(block[0], 0); // these pages are not fresh
    cairn_arena_free(ARENA, block);
}

static void blocks_are_aligned_as_asked_for(void **state)
{
    (void)state;
    for (size_t alignment = 1; alignment <= 4 * PAGE; alignment *= 2) {
        for (size_t size = 1; size <= 2 * THRESHOLD; size += 161) {
            unsigned char *const block = cairn_arena_aligned_alloc(ARENA, alignment, size);
            assert_non_null(block);
            assert_int_equal((uintptr_t)block % alignment, 0);
            assert_true(cairn_arena_usable_size(ARENA, block) >= size);
            arena_fill(block, size, 3);
            arena_sound();
            cairn_arena_free(ARENA, block);
        }
    }
    assert_null(cairn_arena_aligned_alloc(ARENA, 0, 8));
    assert_null(cairn_arena_aligned_alloc(ARENA, 24, 8));
    assert_null(cairn_arena_aligned_alloc(ARENA, (size_t)1 << (sizeof(size_t) * 8 - 1), 8));
    assert_null(cairn_arena_aligned_alloc(ARENA, 64, SIZE_MAX - 32));
}

static void an_alignment_that_no_heap_has_room_for_is_mapped(void **state)
{
    (void)state;
    arena_fixture.config.heap_max = 1024;
    arena_make();
    void *const wall = baremetal_map(arena_fixture.port.context, PAGES / 2 * PAGE, PAGE);
    unsigned char *const block = cairn_arena_aligned_alloc(ARENA, PAGES / 2 * PAGE, 100);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % (PAGES / 2 * PAGE), 0);
    assert_true(arena_is_page(block));
    assert_int_equal(arena_stats().mapped, PAGE);
    assert_null(cairn_arena_aligned_alloc(ARENA, PAGES / 2 * PAGE, 100));
    arena_sound();
    cairn_arena_free(ARENA, block);
    assert_int_equal(baremetal_unmap(arena_fixture.port.context, wall, PAGES / 2 * PAGE), 0);
}

static void sizes_that_are_too_large_fail(void **state)
{
    (void)state;
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 7, SIZE_MAX - 15, SIZE_MAX - PAGE, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SPAN + PAGES * PAGE};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_null(cairn_arena_alloc(ARENA, sizes[i]));
        assert_int_equal(arena_stats().failures, i + 1);
        arena_sound();
    }
    unsigned char *const block = arena_take(40);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_null(cairn_arena_realloc(ARENA, block, sizes[i]));
        assert_true(arena_is_filled(block, 40, 40));
        arena_sound();
    }
    cairn_arena_free(ARENA, block);
}

static void a_free_keeps_a_step_also_where_none_was_given(void **state)
{
    (void)state;
    arena_fixture.config.step = 0; // as long as the span
    arena_fixture.config.threshold = CAIRN_ARENA_NEVER;
    arena_make();
    unsigned char *const block = arena_take(SPAN / 2);
    const size_t raised = arena_raised();
    cairn_arena_free(ARENA, block);
    assert_true(arena_stats().top >= TRIM);
    assert_int_equal(arena_raised(), raised);
    assert_true(cairn_arena_trim(ARENA, 0) != 0);
    assert_true(arena_raised() < raised);
}

static void bad_pointers_into_a_heap_are_refused_and_reported(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    unsigned char *const small = arena_take(64);
    cairn_arena_free(ARENA, small + G);
    arena_expect(CAIRN_WRONG_INTERIOR, small + G);
    assert_null(cairn_arena_realloc(ARENA, small + 2 * G, 8));
    arena_expect(CAIRN_WRONG_INTERIOR, small + 2 * G);
    arena_sound();
    cairn_arena_free(ARENA, small);
    cairn_arena_free(ARENA, small);
    arena_expect(CAIRN_WRONG_DOUBLE_FREE, small);
}

static void bad_pointers_outside_the_heaps_are_refused_and_reported(void **state)
{
    (void)state;
    static unsigned char elsewhere[16];
    unsigned char *const small = arena_take(64);
    unsigned char *const mapped = arena_take(2 * THRESHOLD);
    cairn_arena_free(ARENA, mapped + G);
    arena_expect(CAIRN_WRONG_INTERIOR, mapped + G);
    assert_ptr_equal(arena_fixture.report.block, mapped);
    assert_int_equal(arena_fixture.report.block_size, 2 * THRESHOLD);
    cairn_arena_free(ARENA, elsewhere);
    arena_expect(CAIRN_WRONG_POINTER, elsewhere);
    assert_null(cairn_arena_realloc(ARENA, elsewhere, 8));
    arena_expect(CAIRN_WRONG_POINTER, elsewhere);
    assert_int_equal(cairn_arena_usable_size(ARENA, elsewhere), 0);
    assert_int_equal(cairn_arena_usable_size(ARENA, mapped + 1), 0);
    assert_int_equal(cairn_arena_usable_size(ARENA, NULL), 0);
    arena_sound();
    cairn_arena_free(ARENA, small);
    cairn_arena_free(ARENA, mapped);
    cairn_arena_free(ARENA, mapped);
    arena_expect(CAIRN_WRONG_POINTER, mapped);
}

// A pointer of the program's that is stale, where the arena's own table has come to be: in the break, and in a region that was mapped.
static void the_table_of_maps_is_nobodys_block(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        unsigned char *const stale = arena_take(sizeof(struct cairn_arena_map) * 4);
        unsigned char *const wall = arena_take(G);
        cairn_arena_free(ARENA, stale);
        unsigned char *const mapped = arena_take(THRESHOLD);
        assert_ptr_equal(ARENA->maps, stale);
        assert_int_equal(arena_is_page(stale), i);
        cairn_arena_free(ARENA, stale);
        arena_expect(CAIRN_WRONG_POINTER, stale);
        assert_null(cairn_arena_realloc(ARENA, stale, 8));
        arena_expect(CAIRN_WRONG_POINTER, stale);
        assert_int_equal(cairn_arena_usable_size(ARENA, stale), 0);
        cairn_arena_free(ARENA, wall); // the short way is taken, or not, for all others
        arena_sound();
        assert_int_equal(cairn_arena_usable_size(ARENA, mapped), THRESHOLD);
        cairn_arena_free(ARENA, NULL);
        cairn_arena_free(ARENA, mapped);
        (void)cairn_arena_trim(ARENA, 0); // the table too: then it is not compared with NULL
        assert_null(ARENA->maps);
        cairn_arena_free(ARENA, NULL);
        assert_int_equal(cairn_arena_deinit(ARENA), 0);
        arena_fixture.port.brk = NULL;
        arena_fixture.port.room = NULL;
        arena_make();
    }
}

static unsigned asked;
static void *kept;

static bool free_one(void *context, struct cairn_arena *arena, size_t size)
{
    assert_ptr_equal(context, &arena_fixture);
    assert_true(size != 0);
    asked++;
    cairn_arena_free(arena, kept);
    const bool again = kept != NULL;
    kept = NULL;
    return again;
}

static void the_failed_hook_can_help(void **state)
{
    (void)state;
    arena_fixture.config.failed = free_one;
    asked = 0;
    kept = arena_take(SPAN / 2);
    void *const second = cairn_arena_alloc(ARENA, SPAN + SPAN / 4);
    assert_null(second);
    assert_int_equal(asked, 2);
    assert_int_equal(arena_stats().failures, 2);
    kept = arena_take(PAGES * PAGE);
    unsigned char *block = cairn_arena_calloc(ARENA, 1, PAGES * PAGE);
    assert_int_equal(asked, 3);
    assert_non_null(block);
    assert_null(cairn_arena_realloc(ARENA, block, SIZE_MAX / 4));
    assert_int_equal(asked, 4);
    block = cairn_arena_realloc(ARENA, block, 2 * PAGE);
    void *const walls[] = {arena_take(400), arena_take(400)};
    kept = arena_take((PAGES - 2) * PAGE);
    arena_fill(block, 2 * PAGE, 1);
    block = cairn_arena_realloc(ARENA, block, (PAGES - 3) * PAGE); // neither the pages nor the break have it
    assert_int_equal(asked, 5);
    assert_non_null(block);
    assert_true(arena_is_filled(block, 2 * PAGE, 1));
    assert_null(kept);
    cairn_arena_free(ARENA, block);
    cairn_arena_free(ARENA, walls[0]);
    cairn_arena_free(ARENA, walls[1]);
}

// The lock is taken once for each call below the threshold that the heap in the break can serve; without one nothing is missing.
static void a_small_request_takes_the_lock_once_if_there_is_one(void **state)
{
    (void)state;
    cairn_arena_free(ARENA, arena_take(40)); // the break is in use
    for (int i = 0; i < 3; i++) {
        const struct cairn_port_system lockless = {.context = &arena_fixture};
        const uint32_t times = i == 0 ? 1 : 0;
        arena_fixture.config.system = i == 0 ? &arena_fixture.system : i == 1 ? &lockless : NULL;
        const uint32_t before = arena_fixture.locked;
        void *const block = cairn_arena_alloc(ARENA, 40);
        assert_int_equal(arena_fixture.locked, before + times);
        assert_non_null(block);
        assert_null(cairn_arena_alloc(ARENA, SIZE_MAX / 2));
        void *const mapped = cairn_arena_alloc(ARENA, THRESHOLD);
        assert_true(arena_is_page(mapped));
        cairn_arena_free(ARENA, mapped);
        const uint32_t then = arena_fixture.locked;
        cairn_arena_free(ARENA, block);
        assert_int_equal(arena_fixture.locked, then + times);
        if (IS_HARDENED) {
            cairn_arena_free(ARENA, block);
            arena_expect(CAIRN_WRONG_DOUBLE_FREE, block);
        }
        cairn_arena_free(ARENA, NULL);
        arena_sound();
    }
    arena_fixture.config.system = &arena_fixture.system;
}

static void no_arena_answers_every_call(void **state)
{
    struct cairn_arena none = {0};
    struct cairn_arena *const dead[] = {NULL, &none};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_null(cairn_arena_alloc(dead[i], 8));
        assert_null(cairn_arena_calloc(dead[i], 1, 8));
        assert_null(cairn_arena_aligned_alloc(dead[i], 8, 8));
        assert_null(cairn_arena_alloc_where(dead[i], &ANY_MEMORY, 1, 8, 8));
        assert_null(cairn_arena_realloc(dead[i], NULL, 8));
        assert_null(cairn_arena_realloc(dead[i], &none, 8));
        cairn_arena_free(dead[i], &none);
        assert_int_equal(cairn_arena_usable_size(dead[i], &none), 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_UNIT(nothing_is_taken_before_the_first_request),
        ARENA_UNIT(a_small_request_comes_from_the_break),
        ARENA_UNIT(a_large_request_is_mapped_and_goes_back),
        ARENA_UNIT(a_large_request_falls_back_on_the_break),
        ARENA_UNIT(a_small_request_falls_back_on_a_region_that_is_mapped),
        ARENA_UNIT(calloc_clears_and_sees_overflow),
        ARENA_UNIT(a_port_that_maps_zeros_is_believed_once),
        ARENA_UNIT(blocks_are_aligned_as_asked_for),
        ARENA_UNIT(an_alignment_that_no_heap_has_room_for_is_mapped),
        ARENA_UNIT(sizes_that_are_too_large_fail),
        ARENA_UNIT(a_free_keeps_a_step_also_where_none_was_given),
        ARENA_UNIT(bad_pointers_into_a_heap_are_refused_and_reported),
        ARENA_UNIT(bad_pointers_outside_the_heaps_are_refused_and_reported),
        ARENA_UNIT(the_table_of_maps_is_nobodys_block),
        ARENA_UNIT(the_failed_hook_can_help),
        ARENA_UNIT(a_small_request_takes_the_lock_once_if_there_is_one),
        ARENA_UNIT(no_arena_answers_every_call),
    };
    return cmocka_run_group_tests_name("blocks", tests, NULL, NULL);
}
