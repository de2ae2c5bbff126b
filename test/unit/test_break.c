// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/arena/break.c: the heap in the break is made, grown, trimmed.
// CALLERS     ctest, on every preset.
#include "arena_fixture.h"

static size_t front(void)
{
    return (size_t)(ARENA->first.heap.base - arena_span);
}

static void the_break_moves_by_a_step_more_than_is_needed(void **state)
{
    (void)state;
    void *const first = arena_take(8);
    const size_t raised = arena_raised();
    assert_int_equal(raised % STEP, 0);
    assert_in_range(raised, front() + 8, front() + 8 + STEP);
    void *const second = arena_take(400);
    assert_int_equal((arena_raised() - raised) % STEP, 0);
    assert_in_range(arena_raised() - raised, STEP, 400 + STEP);
    const uint32_t calls = arena_fixture.calls;
    void *const third = arena_take(8); // from what the step left over
    assert_int_equal(arena_fixture.calls, calls);
    cairn_arena_free(ARENA, first);
    cairn_arena_free(ARENA, second);
    cairn_arena_free(ARENA, third);
}

static void the_tags_are_made_for_all_that_the_break_has_room_for(void **state)
{
    (void)state;
    cairn_arena_free(ARENA, arena_take(8));
    const uint32_t limit = ARENA->first.heap.control->limit;
    assert_in_range(front() + limit * G, SPAN - 4 * G, SPAN);
    arena_fixture.config.heap_max = SPAN / 2;
    assert_int_equal(cairn_arena_deinit(ARENA), 0);
    arena_make();
    cairn_arena_free(ARENA, arena_take(8));
    assert_in_range(front() + ARENA->first.heap.control->limit * G, SPAN / 2 - 4 * G, SPAN / 2);
    arena_fixture.config.heap_max = 2 * SPAN; // more than there is
    assert_int_equal(cairn_arena_deinit(ARENA), 0);
    arena_make();
    cairn_arena_free(ARENA, arena_take(8));
    assert_int_equal(ARENA->first.heap.control->limit, limit);
}

static void the_last_byte_of_the_span_can_be_had(void **state)
{
    (void)state;
    arena_fixture.config.threshold = CAIRN_ARENA_NEVER;
    arena_fixture.port.map = NULL;
    arena_fixture.port.unmap = NULL;
    arena_make();
    uint32_t blocks = 0;
    while (cairn_arena_alloc(ARENA, G) != NULL) {
        blocks++;
    }
    assert_int_equal(blocks, ARENA->first.heap.control->limit);
    assert_in_range(arena_raised(), SPAN - 4 * G, SPAN);
    arena_fixture.leaks = true;
}

static void a_step_that_does_not_fit_is_taken_smaller(void **state)
{
    (void)state;
    arena_fixture.config.step = 2 * SPAN;
    arena_fixture.config.trim = CAIRN_ARENA_NEVER;
    arena_make();
    void *const block = arena_take(100);
    assert_in_range(arena_raised(), front() + 100, front() + 100 + G);
    void *const second = arena_take(50);
    assert_in_range(arena_raised(), front() + 150, front() + 150 + 2 * G);
    cairn_arena_free(ARENA, second);
    cairn_arena_free(ARENA, block);
}

static void what_is_free_at_the_end_goes_back(void **state)
{
    (void)state;
    unsigned char *blocks[6];
    for (size_t i = 0; i < 6; i++) {
        blocks[i] = arena_take(400);
    }
    const size_t most = arena_raised();
    cairn_arena_free(ARENA, blocks[1]);
    assert_int_equal(arena_raised(), most);
    for (size_t i = 5; i > 1; i--) {
        cairn_arena_free(ARENA, blocks[i]);
    }
    assert_true(arena_raised() <= most - TRIM + STEP);
    assert_int_equal(arena_stats().top, STEP);
    assert_true(arena_is_filled(blocks[0], 400, 400));
    cairn_arena_free(ARENA, blocks[0]);
    const size_t kept = arena_stats().top;
    assert_int_equal(cairn_arena_trim(ARENA, kept), 0);
    assert_int_equal(cairn_arena_trim(ARENA, 2 * G), kept - 2 * G);
    assert_int_equal(cairn_arena_trim(ARENA, 0), G); // a heap has a granule
    assert_int_equal(arena_raised(), front() + G);
    cairn_arena_free(ARENA, arena_take(300));
}

static void a_trim_that_the_port_refuses_changes_nothing(void **state)
{
    (void)state;
    unsigned char *const block = arena_take(300);
    const size_t top = arena_stats().top;
    const size_t raised = arena_raised();
    assert_true(top != 0);
    arena_fixture.fail_at = arena_fixture.calls + 1;
    assert_int_equal(cairn_arena_trim(ARENA, 0), 0);
    assert_int_equal(arena_raised(), raised);
    assert_int_equal(arena_stats().top, top);
    arena_sound();
    assert_true(arena_is_filled(block, 300, 300));
    cairn_arena_free(ARENA, block);
}

static void a_broken_block_at_the_end_is_not_given_back(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    unsigned char kept[CAIRN_GRANULE];
    unsigned char *const block = arena_take(300);
    const size_t raised = arena_raised();
    unsigned char *const links = arena_span + raised - G;
    memcpy(kept, links, G);
    memset(links, 0x11, G); // somebody wrote beyond his block
    assert_int_equal(cairn_arena_trim(ARENA, 0), 0);
    assert_int_equal(arena_fixture.reports, 1);
    assert_int_equal(arena_fixture.report.what, CAIRN_WRONG_LINK);
    arena_fixture.reports = 0;
    assert_int_equal(arena_raised(), raised);
    memcpy(links, kept, G);
    arena_sound();
    assert_true(cairn_arena_trim(ARENA, 0) != 0);
    cairn_arena_free(ARENA, block);
}

static void a_span_with_no_room_for_a_heap_is_left_alone(void **state)
{
    static const size_t rooms[] = {0, 3, 3 * G};
    (void)state;
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        arena_fixture.at = arena_span + SPAN - rooms[i];
        unsigned char *const mapped = arena_take(8);
        assert_true(arena_is_page(mapped));
        assert_int_equal(arena_raised(), SPAN - rooms[i]);
        assert_null(ARENA->first.heap.control);
        cairn_arena_free(ARENA, mapped);
        assert_true(cairn_arena_trim(ARENA, 0) != 0);
    }
    arena_fixture.at = arena_span;
}

static void a_first_request_that_no_heap_holds_makes_none(void **state)
{
    (void)state;
    arena_fixture.port.map = NULL;
    arena_fixture.port.unmap = NULL;
    arena_make();
    assert_null(cairn_arena_alloc(ARENA, SPAN));
    assert_null(cairn_arena_alloc(ARENA, SPAN - G));
    arena_fixture.config.heap_max = SPAN / 4;
    arena_make();
    assert_null(cairn_arena_alloc(ARENA, SPAN / 2));
    assert_null(ARENA->first.heap.control);
    assert_int_equal(arena_fixture.calls, 0); // the port is not even asked
    assert_int_equal(arena_stats().failures, 1);
}

static void a_span_that_starts_anywhere_is_taken_from_the_next_granule(void **state)
{
    (void)state;
    arena_fixture.at = arena_span + 3;
    void *const block = arena_take(40);
    arena_sound();
    cairn_arena_free(ARENA, block);
    assert_int_equal(cairn_arena_deinit(ARENA), 0);
    assert_int_equal(arena_raised(), 3); // and what was skipped goes back too
    arena_fixture.at = arena_span;
    arena_make();
}

static void more_than_the_first_blocks_of_a_list_is_looked_at_before_the_break_moves(void **state)
{
    (void)state;
    arena_fixture.config.search = 1;
    arena_fixture.config.step = 1;
    arena_fixture.config.trim = CAIRN_ARENA_NEVER;
    arena_make();
    unsigned char *holes[8];
    unsigned char *walls[8];
    for (size_t i = 0; i < 8; i++) {
        holes[i] = arena_take(9 * G);
        walls[i] = arena_take(G);
    }
    assert_true(cairn_arena_extend_(ARENA, 15 * G));
    const size_t raised = arena_raised();
    for (size_t i = 0; i < 8; i++) {
        cairn_arena_free(ARENA, holes[i]); // a list of blocks that are too short for the next request, before what is free at the end
    }
    unsigned char *const block = arena_take(15 * G);
    assert_true(block > walls[7] && !arena_is_page(block));
    assert_int_equal(arena_raised(), raised);
    arena_sound();
    cairn_arena_free(ARENA, block);
    for (size_t i = 0; i < 8; i++) {
        cairn_arena_free(ARENA, walls[i]);
    }
}

static void the_end_is_found_behind_shorter_blocks_of_its_list(void **state)
{
    (void)state;
    unsigned char *holes[2];
    arena_fixture.config.search = 1;
    arena_fixture.config.step = 16;
    arena_fixture.config.trim = CAIRN_ARENA_NEVER;
    arena_make();
    holes[0] = arena_take(9 * G);
    unsigned char *const wall = arena_take(G);
    holes[1] = arena_take(9 * G);
    unsigned char *const second = arena_take(G);
    unsigned char *const last = arena_take(12 * G);
    const size_t raised = arena_raised();
    cairn_arena_free(ARENA, last); // all three in the list of 8 to 15 granules, this one behind
    cairn_arena_free(ARENA, holes[0]);
    cairn_arena_free(ARENA, holes[1]);
    assert_in_range(arena_stats().top, 12 * G, 15 * G);
    assert_ptr_equal(cairn_arena_alloc(ARENA, 12 * G), last);
    assert_int_equal(arena_raised(), raised);
    assert_int_equal(ARENA->first.heap.control->search, 1); // as it was
    cairn_arena_free(ARENA, last);
    cairn_arena_free(ARENA, wall);
    cairn_arena_free(ARENA, second);
}

static void a_bounded_fit_grows_by_powers_of_two(void **state)
{
    (void)state;
    arena_fixture.config.fit = CAIRN_FIT_BOUNDED;
    arena_make();
    for (size_t size = 1; size < THRESHOLD; size += 37) {
        unsigned char *const block = arena_take(size);
        assert_false(arena_is_page(block));
        cairn_arena_free(ARENA, block);
    }
    assert_null(cairn_arena_alloc(ARENA, PTRDIFF_MAX - 64)); // rounded it is no difference of two addresses
}

static size_t nobody_knows(void *context)
{
    (void)context;
    return SIZE_MAX;
}

static void room_that_nobody_knows_is_taken_to_be_64_mb(void **state)
{
    (void)state;
    arena_fixture.port.room = nobody_knows;
    unsigned char *const block = arena_take(8);
    assert_true(arena_is_page(block)); // tags for 64 MB do not fit this span
    cairn_arena_free(ARENA, block);
    assert_true(cairn_arena_trim(ARENA, 0) != 0);
    arena_fixture.config.heap_max = SPAN;
    cairn_arena_free(ARENA, arena_take(8));
    assert_true(arena_raised() != 0);
}

static uint32_t moves;

static void *highest_brk(void *context, ptrdiff_t delta)
{
    (void)context;
    moves += delta != 0;
    return delta == 0 ? (void *)(UINTPTR_MAX - 63) : NULL;
}

static void a_break_at_the_end_of_all_addresses_stays(void **state)
{
    (void)state;
    arena_fixture.port.brk = highest_brk;
    arena_fixture.port.room = nobody_knows;
    arena_fixture.config.heap_max = SPAN;
    moves = 0;
    unsigned char *const block = arena_take(8);
    assert_true(arena_is_page(block));
    assert_int_equal(moves, 0); // it is not even asked to
    cairn_arena_free(ARENA, block);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_UNIT(the_break_moves_by_a_step_more_than_is_needed),
        ARENA_UNIT(the_tags_are_made_for_all_that_the_break_has_room_for),
        ARENA_UNIT(the_last_byte_of_the_span_can_be_had),
        ARENA_UNIT(a_step_that_does_not_fit_is_taken_smaller),
        ARENA_UNIT(what_is_free_at_the_end_goes_back),
        ARENA_UNIT(a_trim_that_the_port_refuses_changes_nothing),
        ARENA_UNIT(a_broken_block_at_the_end_is_not_given_back),
        ARENA_UNIT(a_span_with_no_room_for_a_heap_is_left_alone),
        ARENA_UNIT(a_first_request_that_no_heap_holds_makes_none),
        ARENA_UNIT(a_span_that_starts_anywhere_is_taken_from_the_next_granule),
        ARENA_UNIT(more_than_the_first_blocks_of_a_list_is_looked_at_before_the_break_moves),
        ARENA_UNIT(the_end_is_found_behind_shorter_blocks_of_its_list),
        ARENA_UNIT(a_bounded_fit_grows_by_powers_of_two),
        ARENA_UNIT(room_that_nobody_knows_is_taken_to_be_64_mb),
        ARENA_UNIT(a_break_at_the_end_of_all_addresses_stays),
    };
    return cmocka_run_group_tests_name("break", tests, NULL, NULL);
}
