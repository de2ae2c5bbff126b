// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/arena/break.c where the break is not the arena's alone: others move it, or it is gone.
// CALLERS     ctest, on every preset.
#include "arena_fixture.h"

static size_t front(void)
{
    return (size_t)(ARENA->first.heap.base - arena_span);
}

static void others_may_move_the_break(void **state)
{
    (void)state;
    static const size_t gaps[] = {1, G, 3 * G + 5, 40};
    unsigned char *mine[5];
    unsigned char *theirs[4];
    mine[0] = arena_take(300);
    for (size_t i = 0; i < 4; i++) {
        const size_t used = arena_stats().used;
        theirs[i] = baremetal_brk(arena_fixture.port.context, (ptrdiff_t)gaps[i]);
        assert_non_null(theirs[i]);
        memset(theirs[i], 0x77, gaps[i]);
        assert_int_equal(cairn_arena_trim(ARENA, 0), 0); // it is not at the end
        mine[i + 1] = arena_take(400);
        assert_true(mine[i + 1] > theirs[i]);
        assert_in_range(arena_stats().used, used + 400 + gaps[i], used + 400 + gaps[i] + 2 * G);
        arena_sound();
    }
    for (size_t i = 0; i < 5; i++) {
        assert_true(arena_is_filled(mine[i], i == 0 ? 300 : 400, i == 0 ? 300 : 400));
        cairn_arena_free(ARENA, mine[i]);
        arena_sound();
    }
    for (size_t i = 0; i < 4; i++) {
        for (size_t at = 0; at < gaps[i]; at++) {
            assert_int_equal(theirs[i][at], 0x77);
        }
    }
    assert_int_equal(cairn_arena_deinit(ARENA), 0);
    assert_ptr_equal(arena_fixture.at, theirs[3] + gaps[3]);
    arena_fixture.at = arena_span;
    arena_make();
}

static void others_may_leave_no_room_for_tags(void **state)
{
    (void)state;
    arena_fixture.config.heap_max = SPAN / 4;
    arena_make();
    unsigned char *const block = arena_take(100);
    unsigned char *const end = arena_fixture.at;
    assert_non_null(baremetal_brk(arena_fixture.port.context, SPAN / 2));
    const uint32_t calls = arena_fixture.calls;
    unsigned char *const mapped = arena_take(450); // behind what others took the heap has no tags
    assert_true(arena_is_page(mapped));
    assert_int_equal(arena_fixture.calls, calls + 1); // of map
    assert_ptr_equal(arena_fixture.at, end + SPAN / 2);
    arena_sound();
    arena_fixture.at = end;
    cairn_arena_free(ARENA, mapped);
    cairn_arena_free(ARENA, block);
}

static void a_break_below_the_heap_is_not_believed(void **state)
{
    (void)state;
    unsigned char *const block = arena_take(100);
    unsigned char *const end = arena_fixture.at;
    arena_fixture.at = end - 64;
    unsigned char *const mapped = arena_take(450); // not from there
    assert_true(arena_is_page(mapped));
    assert_int_equal(cairn_arena_trim(ARENA, 0), 0);
    arena_sound();
    arena_fixture.at = end;
    cairn_arena_free(ARENA, mapped);
    cairn_arena_free(ARENA, block);
}

static void *no_brk(void *context, ptrdiff_t delta)
{
    (void)context;
    (void)delta;
    return NULL;
}

static void a_break_that_is_gone_is_left_alone(void **state)
{
    (void)state;
    arena_fixture.port.brk = no_brk;
    unsigned char *const early = arena_take(8); // no heap can be made there
    assert_true(arena_is_page(early));
    arena_fixture.port.brk = baremetal_brk;
    unsigned char *const block = arena_take(400);
    assert_true(arena_is_page(block)); // the region that was mapped has room
    cairn_arena_free(ARENA, early);
    cairn_arena_free(ARENA, block);
    assert_true(cairn_arena_trim(ARENA, 0) != 0);
    unsigned char *const low = arena_take(100);
    assert_false(arena_is_page(low));
    arena_fixture.port.brk = no_brk;
    unsigned char *const late = arena_take(450);
    assert_true(arena_is_page(late));
    arena_sound();
    cairn_arena_free(ARENA, late);
    assert_true(cairn_arena_trim(ARENA, 0) != 0); // the region again: nothing of the break
    assert_true(arena_raised() != 0);
    arena_fixture.port.brk = baremetal_brk;
    cairn_arena_free(ARENA, low);
}

// Moves more than asked, as if somebody else had moved it at the same time.
static void *racing_brk(void *context, ptrdiff_t delta)
{
    if (delta > 0) {
        (void)baremetal_brk(context, (ptrdiff_t)G);
    }
    return baremetal_brk(context, delta);
}

static void a_break_that_others_moved_meanwhile_is_given_back(void **state)
{
    (void)state;
    void *const block = arena_take(100);
    arena_fixture.port.brk = racing_brk;
    unsigned char *const mapped = arena_take(450);
    assert_true(arena_is_page(mapped));
    arena_sound();
    assert_in_range(arena_raised(), STEP, STEP + front() + 100 + 4 * G); // only their granules are left
    cairn_arena_free(ARENA, mapped);
    cairn_arena_free(ARENA, block);
    assert_true(cairn_arena_trim(ARENA, 0) != 0); // the region that was mapped
    arena_fixture.at = (unsigned char *)ARENA->first.heap.base + ARENA->first.heap.control->granules * G;
}

static unsigned char *theirs[2];
static unsigned races; // moves up, of those that follow, that others are before and behind

static void *twice_raced_brk(void *context, ptrdiff_t delta)
{
    const bool now = delta > 0 && races != 0;
    races -= now;
    theirs[0] = now ? baremetal_brk(context, 16) : theirs[0];
    void *const was = baremetal_brk(context, delta);
    theirs[1] = now ? baremetal_brk(context, 48) : theirs[1];
    if (now) {
        memset(theirs[0], 0x77, 16);
        memset(theirs[1], 0x77, 48);
    }
    return was;
}

// What came of the step cannot go back.
static void what_others_have_above_a_step_stays_theirs(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) { // the heap is made, it grows
        unsigned char *const first = i == 0 ? NULL : arena_take(100);
        arena_fixture.port.brk = twice_raced_brk;
        races = 1;
        unsigned char *const block = arena_take(450);
        assert_true(block > theirs[1] && !arena_is_page(block)); // behind them
        for (size_t at = 0; at < 48; at++) {
            assert_int_equal(theirs[1][at], 0x77);
            assert_true(at >= 16 || theirs[0][at] == 0x77);
        }
        arena_sound();
        assert_true(arena_is_filled(block, 450, 450));
        assert_true(i == 0 || arena_is_filled(first, 100, 100));
        arena_fixture.port.brk = baremetal_brk;
        assert_int_equal(cairn_arena_deinit(ARENA), 0);
        assert_ptr_equal(arena_fixture.at, theirs[1] + 48);
        arena_fixture.at = arena_span;
        arena_make();
    }
}

static void *once_raced_brk(void *context, ptrdiff_t delta)
{
    if (delta > 0 && races != 0) {
        races--;
        (void)baremetal_brk(context, (ptrdiff_t)G);
    }
    return baremetal_brk(context, delta);
}

static void a_request_goes_on_from_where_others_left_the_break(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        arena_fixture.port.brk = once_raced_brk;
        races = 1;
        unsigned char *const first = arena_take(100);
        races = 1;
        unsigned char *const second = arena_take(450);
        assert_false(arena_is_page(first) || arena_is_page(second));
        assert_int_equal(races, 0);
        arena_sound();
        arena_fixture.port.brk = baremetal_brk;
        assert_int_equal(cairn_arena_deinit(ARENA), 0);
        arena_fixture.at = arena_span;
        arena_make();
    }
}

// Somebody else moves it up just before it goes down.
static void *rising_brk(void *context, ptrdiff_t delta)
{
    if (delta < 0) {
        (void)baremetal_brk(context, (ptrdiff_t)G);
    }
    return baremetal_brk(context, delta);
}

static void a_trim_that_others_were_faster_than_is_taken_back(void **state)
{
    (void)state;
    unsigned char *const block = arena_take(300);
    const size_t top = arena_stats().top;
    const size_t raised = arena_raised();
    arena_fixture.port.brk = rising_brk;
    assert_int_equal(cairn_arena_trim(ARENA, 0), 0);
    assert_int_equal(arena_raised(), raised + G); // theirs
    assert_int_equal(arena_stats().top, top);
    arena_sound();
    assert_true(arena_is_filled(block, 300, 300));
    arena_fixture.port.brk = baremetal_brk;
    arena_fixture.at -= G;
    cairn_arena_free(ARENA, block);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_UNIT(others_may_move_the_break),
        ARENA_UNIT(others_may_leave_no_room_for_tags),
        ARENA_UNIT(a_break_below_the_heap_is_not_believed),
        ARENA_UNIT(a_break_that_is_gone_is_left_alone),
        ARENA_UNIT(a_break_that_others_moved_meanwhile_is_given_back),
        ARENA_UNIT(what_others_have_above_a_step_stays_theirs),
        ARENA_UNIT(a_request_goes_on_from_where_others_left_the_break),
        ARENA_UNIT(a_trim_that_others_were_faster_than_is_taken_back),
    };
    return cmocka_run_group_tests_name("break_others", tests, NULL, NULL);
}
