// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/arena/change.c: where a block that changes its size stays, and where it goes.
// CALLERS     ctest, on every preset.
#include "arena_fixture.h"

static void realloc_moves_between_heap_and_maps(void **state)
{
    (void)state;
    static const size_t sizes[] = {10, 300, THRESHOLD + 100, 4 * PAGE, 2 * PAGE + 1, THRESHOLD - 1, 30, THRESHOLD, 1};
    unsigned char *block = cairn_arena_realloc(ARENA, NULL, sizes[0]);
    arena_fill(block, sizes[0], 9);
    for (size_t i = 1; i < sizeof sizes / sizeof sizes[0]; i++) {
        block = cairn_arena_realloc(ARENA, block, sizes[i]);
        assert_non_null(block);
        assert_int_equal(arena_is_page(block), sizes[i] >= THRESHOLD);
        assert_true(arena_is_filled(block, sizes[i] < sizes[i - 1] ? sizes[i] : sizes[i - 1], 9));
        arena_fill(block, sizes[i], 9);
        arena_sound();
    }
    assert_null(cairn_arena_realloc(ARENA, block, 0));
}

static void without_maps_a_long_block_stays_in_the_heap(void **state)
{
    (void)state;
    arena_fixture.port.map = NULL;
    arena_fixture.port.unmap = NULL;
    arena_make();
    unsigned char *block = arena_take(100);
    unsigned char *const other = arena_take(THRESHOLD + 100);
    block = cairn_arena_realloc(ARENA, block, 2 * THRESHOLD);
    assert_non_null(block);
    assert_true(arena_is_filled(block, 100, 100));
    assert_ptr_equal(cairn_arena_region_of(ARENA, block), &ARENA->first);
    assert_ptr_equal(cairn_arena_region_of(ARENA, other), &ARENA->first);
    assert_int_equal(arena_stats().mapped_blocks, 0);
    cairn_arena_free(ARENA, block);
    cairn_arena_free(ARENA, other);
}

static void a_mapped_block_gives_pages_back_where_it_is(void **state)
{
    (void)state;
    unsigned char *const block = arena_take(8 * PAGE);
    assert_ptr_equal(cairn_arena_realloc(ARENA, block, 8 * PAGE - 1), block);
    assert_int_equal(arena_used_pages(), 8);
    assert_ptr_equal(cairn_arena_realloc(ARENA, block, 3 * PAGE), block);
    assert_int_equal(arena_used_pages(), 3);
    assert_true(arena_is_filled(block, 3 * PAGE, (unsigned)(8 * PAGE)));
    assert_int_equal(arena_stats().mapped, 3 * PAGE);
    arena_fixture.unmaps = 1;
    assert_ptr_equal(cairn_arena_realloc(ARENA, block, 2 * PAGE), block);
    assert_int_equal(cairn_arena_usable_size(ARENA, block), 3 * PAGE);
    cairn_arena_free(ARENA, block);
}

static void shrinking_never_fails(void **state)
{
    (void)state;
    unsigned char *const mapped = arena_take(THRESHOLD);
    unsigned char *const small = arena_take(200);
    arena_fixture.fail_at = 1;
    arena_fixture.fail_all = true;
    while (cairn_arena_alloc(ARENA, G) != NULL) {
    }
    arena_fixture.leaks = true;
    assert_ptr_equal(cairn_arena_realloc(ARENA, mapped, 100), mapped);
    assert_true(arena_is_filled(mapped, 100, THRESHOLD));
    assert_ptr_equal(cairn_arena_realloc(ARENA, small, 20), small);
    assert_true(arena_is_filled(small, 20, 200));
}

static void a_mapped_block_that_no_heap_has_room_for_gives_pages_back(void **state)
{
    (void)state;
    unsigned char *const mapped = arena_take(PAGES * PAGE);
    while (cairn_arena_alloc(ARENA, G) != NULL) {
    }
    arena_fixture.leaks = true;
    assert_ptr_equal(cairn_arena_realloc(ARENA, mapped, PAGE + 1), mapped);
    assert_int_equal(cairn_arena_usable_size(ARENA, mapped), 2 * PAGE);
    assert_int_equal(arena_used_pages(), 2);
    assert_true(arena_is_filled(mapped, PAGE + 1, PAGES * PAGE));
    arena_sound();
    cairn_arena_free(ARENA, mapped);
}

static void a_block_at_the_end_grows_where_it_is(void **state)
{
    (void)state;
    unsigned char *block = arena_take(100);
    for (size_t size = 130; size < THRESHOLD; size += 30) {
        assert_ptr_equal(cairn_arena_realloc(ARENA, block, size), block);
    }
    cairn_arena_free(ARENA, block);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_UNIT(realloc_moves_between_heap_and_maps),
        ARENA_UNIT(without_maps_a_long_block_stays_in_the_heap),
        ARENA_UNIT(a_mapped_block_gives_pages_back_where_it_is),
        ARENA_UNIT(shrinking_never_fails),
        ARENA_UNIT(a_mapped_block_that_no_heap_has_room_for_gives_pages_back),
        ARENA_UNIT(a_block_at_the_end_grows_where_it_is),
    };
    return cmocka_run_group_tests_name("change", tests, NULL, NULL);
}
