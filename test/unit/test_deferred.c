// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/deferred/deferred.c: marks are set, taken up a few at a time, and found wherever they are.
// CALLERS     ctest, on every preset.
#include "cairn/deferred.h"
#include "fixture.h"

static struct cairn_deferred deferred;
static uint32_t marks[64];

static void defer(void)
{
    assert_int_equal(cairn_deferred_init(&deferred, HEAP, marks, sizeof marks), 0);
}

static void part(void)
{
    cairn_deferred_deinit(&deferred);
    assert_ptr_equal((const void *)HEAP->hooks, (const void *)&fixture.hooks);
    fixture_expect_none();
}

static void a_mark_frees_with_the_next_call(void **state)
{
    (void)state;
    defer();
    void *const first = take_granules(3);
    void *const second = take_granules(1);
    cairn_deferred_free(&deferred, first);
    assert_int_equal(HEAP->quick, 0);
    assert_int_equal(CONTROL->used, 4); // nothing has happened yet
    cairn_heap_free(HEAP, second);
    assert_int_equal(CONTROL->used, 0);
    assert_int_equal(HEAP->quick, CAIRN_SPEED ? CONTROL->granules : 0);
    cairn_deferred_free(&deferred, NULL);
    assert_int_equal(cairn_deferred_drain(&deferred), 1);
    part();
}

static void each_call_frees_a_few(void **state)
{
    (void)state;
    void *blocks[20];
    defer();
    for (uint32_t i = 0; i < 20; i++) {
        blocks[i] = take_granules(2);
    }
    for (uint32_t i = 0; i < 20; i++) {
        cairn_deferred_free(&deferred, blocks[i]);
    }
    for (uint32_t left = 20; left != 0; left -= CAIRN_DEFERRED_BLOCKS) {
        assert_int_equal(stats().used_blocks, left - CAIRN_DEFERRED_BLOCKS); // which is a call
    }
    part();
}

static void all_marks_are_taken_up_before_an_alloc_fails(void **state)
{
    (void)state;
    void *blocks[64];
    uint32_t count = 0;
    defer();
    while (count < 64 && (blocks[count] = cairn_heap_alloc(HEAP, 3 * G)) != NULL) {
        count++;
    }
    const size_t all = stats().size;
    for (uint32_t i = 0; i < count; i++) {
        cairn_deferred_free(&deferred, blocks[i]);
    }
    void *block = cairn_heap_alloc(HEAP, all - 8 * G);
    assert_non_null(block);
    cairn_deferred_free(&deferred, block);
    block = cairn_heap_aligned_alloc(HEAP, 64, all / 2 + 64);
    assert_non_null(block);
    void *const second = cairn_heap_alloc(HEAP, all / 8);
    cairn_deferred_free(&deferred, second);
    block = cairn_heap_realloc(HEAP, block, all - 80);
    assert_non_null(block);
    assert_null(cairn_heap_alloc(HEAP, all));
    cairn_heap_free(HEAP, block);
    part();
}

static void a_block_that_is_marked_twice_is_reported_and_freed_once(void **state)
{
    NEEDS_HARDENING;
    (void)state;
    defer();
    void *const block = take_granules(3);
    cairn_deferred_free(&deferred, block);
    cairn_deferred_free(&deferred, block);
    fixture_expect_none(); // not in the interrupt
    assert_int_equal(cairn_deferred_drain(&deferred), 1);
    fixture_expect(CAIRN_WRONG_DOUBLE_FREE, block);
    cairn_deferred_free(&deferred, block); // it is free now
    assert_int_equal(cairn_deferred_drain(&deferred), 1);
    fixture_expect(CAIRN_WRONG_DOUBLE_FREE, block);
    part();
}

// Before it is made, or behind its end, an interrupt may come all the same.
static void what_is_not_made_yet_marks_nothing(void **state)
{
    (void)state;
    struct cairn_deferred none = {0};
    void *const block = take_granules(3);
    cairn_deferred_free(&none, block);
    cairn_deferred_free(&none, NULL);
    defer();
    part();
    cairn_deferred_free(&deferred, block);
    assert_int_equal(cairn_deferred_drain(&deferred), 0);
    cairn_heap_free(HEAP, block);
}

// As by an interrupt that was held up between its mark, which another's pass has found since, and this.
static void the_short_way_that_is_shut_late_opens_again(void **state)
{
    (void)state;
    defer();
    cairn_deferred_free(&deferred, take_granules(3));
    assert_int_equal(cairn_deferred_drain(&deferred), 1);
    cairn_heap_free(HEAP, take_granules(1));
    assert_int_equal(HEAP->quick, CAIRN_SPEED ? CONTROL->granules : 0);
    HEAP->quick = 0;
    cairn_heap_free(HEAP, take_granules(1));
    assert_int_equal(HEAP->quick, CAIRN_SPEED ? CONTROL->granules : 0);
    part();
}

static void marks_reach_as_far_as_a_heap_can(void **state)
{
    (void)state;
    const size_t most = CAIRN_GRANULE * (size_t)0x07FFFFFE;
    const size_t whole = most < SIZE_MAX / 2 ? most + cairn_heap_tags_size(most) : 0; // and a little more in front
    assert_int_equal(cairn_deferred_size(8), 0);
    assert_in_range(cairn_deferred_size(1024), 8, 24);
    if (cairn_heap_control_size(whole) != 0) {
        assert_true(cairn_deferred_size(whole) >= 0x07FFFFFE / 8);
    }
    assert_int_equal(cairn_deferred_size(SIZE_MAX), 0);
}

static void a_marked_block_is_not_freed_or_changed_by_hand(void **state)
{
    NEEDS_HARDENING;
    (void)state;
    void *blocks[6];
    defer();
    for (uint32_t i = 0; i < 6; i++) {
        blocks[i] = take_granules(3);
    }
    for (uint32_t i = 0; i < 6; i++) {
        cairn_deferred_free(&deferred, blocks[i]);
    }
    // The call takes up the four lowest; the two that are left are still marked.
    cairn_heap_free(HEAP, blocks[5]);
    fixture_expect(CAIRN_WRONG_DOUBLE_FREE, blocks[5]);
    assert_int_equal(stats().used, 0);
    part();
}

static void pointers_that_are_no_block_are_reported_later(void **state)
{
    NEEDS_HARDENING;
    (void)state;
    static unsigned char elsewhere[16];
    defer();
    unsigned char *const block = take_granules(3);
    cairn_deferred_free(&deferred, elsewhere);
    assert_int_equal(cairn_deferred_drain(&deferred), 0);
    fixture_expect(CAIRN_WRONG_POINTER, elsewhere);
    cairn_deferred_free(&deferred, block + 1);
    assert_int_equal(cairn_deferred_drain(&deferred), 0);
    fixture_expect(CAIRN_WRONG_POINTER, block + 1);
    cairn_deferred_free(&deferred, block + G);
    assert_int_equal(cairn_deferred_drain(&deferred), 0);
    fixture_expect(CAIRN_WRONG_INTERIOR, block + G);
    cairn_heap_free(HEAP, block);
    part();
}

static uint32_t depth;
static uint32_t freed_events;
static size_t freed_bytes;

static uint32_t lock(void *context)
{
    (void)context;
    depth++;
    return 5;
}

static void unlock(void *context, uint32_t key)
{
    (void)context;
    assert_int_equal(key, 5);
    depth--;
}

static void event(void *context, const struct cairn_heap_event *what)
{
    (void)context;
    assert_int_equal(depth, 1);
    freed_events += what->act == CAIRN_ACT_FREE;
    freed_bytes += what->act == CAIRN_ACT_FREE ? what->size : 0;
}

static void with_hooks_it_is_done_in_the_lock_and_told(void **state)
{
    (void)state;
    fixture.hooks.lock = lock;
    fixture.hooks.unlock = unlock;
    fixture.hooks.event = event;
    fixture_make(FIXTURE_REGION);
    freed_events = 0;
    freed_bytes = 0;
    defer();
    for (uint32_t i = 1; i <= 9; i++) {
        cairn_deferred_free(&deferred, take_granules(i));
    }
    assert_int_equal(cairn_deferred_drain(&deferred), 9);
    assert_int_equal(freed_events, 9);
    assert_int_equal(freed_bytes, 45 * G);
    cairn_heap_free(HEAP, take_granules(3));
    assert_int_equal(freed_bytes, 48 * G);
    assert_int_equal(depth, 0);
    assert_int_equal(HEAP->quick, 0);
    part();
}

static void *marked_while_copied[7]; // by the next unlock; NULL: none is left

static uint32_t lock_only(void *context)
{
    (void)context;
    return 0;
}

static void unlock_and_mark(void *context, uint32_t key)
{
    (void)context;
    (void)key;
    for (uint32_t i = 0; i < 7 && marked_while_copied[i] != NULL; i++) {
        cairn_deferred_free(&deferred, marked_while_copied[i]);
        marked_while_copied[i] = NULL;
    }
}

// A call takes up four marks. The block that moves has the last one, of more than that.
static void a_block_that_is_marked_while_it_is_copied_is_reported(void **state)
{
    NEEDS_HARDENING;
    (void)state;
    for (uint32_t slides = 0; slides < 2; slides++) {
        void *blocks[6];
        fixture.hooks.lock = lock_only;
        fixture.hooks.unlock = unlock_and_mark;
        fixture_make(FIXTURE_REGION);
        defer();
        for (uint32_t i = 0; i < 6; i++) {
            blocks[i] = take_granules(2);
            assert_non_null(take_granules(1)); // so that they do not merge
        }
        void *const before = take_granules(2);
        void *const block = take_granules(3);
        assert_non_null(take_granules(1));
        if (slides != 0) {
            cairn_heap_free(HEAP, before);
        }
        memcpy(marked_while_copied, blocks, sizeof blocks);
        marked_while_copied[6] = block;
        void *const moved = cairn_heap_realloc(HEAP, block, granules(4));
        assert_non_null(moved);
        assert_true(slides != 0 ? moved == before : moved > block);
        fixture_expect(CAIRN_WRONG_DOUBLE_FREE, block);
        assert_int_equal(cairn_deferred_drain(&deferred), 6);
        fixture_expect_none();
        assert_int_equal(cairn_heap_usable_size(HEAP, moved), 4 * G);
        fixture.leaks = true;
        part();
    }
}

// What comes between the look at a mark and the free, or while a twin moves a block: it frees nothing that is put there next.
static void a_mark_that_comes_too_late_is_reported(void **state)
{
    NEEDS_HARDENING;
    (void)state;
    defer();
    void *const block = take_granules(2);
    cairn_heap_free_(HEAP, block);
    cairn_deferred_free(&deferred, block);
    HEAP->hooks->hooked->gone(HEAP, block);
    fixture_expect(CAIRN_WRONG_DOUBLE_FREE, block);
    assert_ptr_equal(cairn_heap_alloc_(HEAP, granules(2)), block);
    assert_int_equal(cairn_deferred_drain(&deferred), 0);
    assert_int_equal(cairn_heap_usable_size(HEAP, block), 2 * G);
    HEAP->hooks->hooked->gone(HEAP, block); // not marked
    fixture_expect_none();
    void *const moved = cairn_heap_realloc_(HEAP, block, granules(4));
    assert_non_null(moved);
    cairn_heap_free_(HEAP, moved);
    part();
}

static void a_region_of_an_arena_has_no_marks(void **state)
{
    static const struct cairn_hooked others;
    const struct cairn_heap_hooks hooks = {.hooked = &others};
    const struct cairn_heap_hooks *const its = HEAP->hooks;
    (void)state;
    HEAP->hooks = &hooks;
    assert_int_equal(cairn_deferred_init(&deferred, HEAP, marks, sizeof marks), CAIRN_EINVAL);
    HEAP->hooks = its;
}

static void a_heap_without_hooks_has_none_again_when_it_parts(void **state)
{
    (void)state;
    fixture.config.hooks = NULL;
    fixture_make(FIXTURE_REGION);
    defer();
    void *const block = take_granules(2);
    cairn_deferred_free(&deferred, block);
    assert_int_equal(HEAP->quick, 0);
    assert_non_null(cairn_heap_realloc(HEAP, NULL, 8));
    assert_int_equal(CONTROL->used, 1);
    assert_int_equal(HEAP->quick, CAIRN_SPEED ? CONTROL->granules : 0);
    fixture.leaks = true;
    cairn_deferred_deinit(&deferred);
    assert_null((const void *)HEAP->hooks);
}

static void marks_survive_a_move_of_the_end(void **state)
{
    (void)state;
    fixture.config.max_size = FIXTURE_REGION;
    fixture_make(1024);
    defer();
    void *const block = take_granules(2);
    cairn_deferred_free(&deferred, block);
    assert_int_equal(cairn_heap_grow(HEAP, FIXTURE_REGION), 0);
    assert_int_equal(cairn_deferred_drain(&deferred), 1);
    assert_int_equal(HEAP->quick, CAIRN_SPEED ? CONTROL->granules : 0);
    void *const far = take_granules(CONTROL->granules - 1);
    void *const last = take_granules(1);
    cairn_deferred_free(&deferred, last);
    cairn_deferred_free(&deferred, far);
    part();
    assert_int_equal(HEAP->quick, CAIRN_SPEED ? CONTROL->granules : 0);
}

static void a_heap_may_end_before_its_marks(void **state)
{
    (void)state;
    const struct cairn_heap_hooks *const hooks[] = {NULL, &fixture.hooks};
    for (size_t i = 0; i < 2; i++) {
        fixture.config.hooks = hooks[i];
        fixture_make(FIXTURE_REGION);
        defer();
        cairn_deferred_free(&deferred, take_granules(1));
        cairn_heap_deinit(HEAP);
        assert_int_equal(cairn_deferred_drain(&deferred), 0);
        cairn_deferred_deinit(&deferred);
        assert_null(HEAP->control);
    }
    fixture_make(FIXTURE_REGION);
    defer();
    fixture_make(FIXTURE_REGION); // in the same handle: not its heap any more
    cairn_deferred_deinit(&deferred);
    assert_ptr_equal((const void *)HEAP->hooks, (const void *)&fixture.hooks);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    const size_t needed = cairn_deferred_size(FIXTURE_REGION);
    assert_in_range(needed, 8, sizeof marks);
    assert_int_equal(cairn_deferred_size(SIZE_MAX), sizeof(size_t) == 8 ? 0 : cairn_deferred_size(SIZE_MAX));
    assert_int_equal(cairn_deferred_size(0), 0);
    assert_int_equal(cairn_deferred_init(NULL, HEAP, marks, needed), CAIRN_EINVAL);
    assert_int_equal(cairn_deferred_init(&deferred, NULL, marks, needed), CAIRN_EINVAL);
    assert_int_equal(cairn_deferred_init(&deferred, HEAP, NULL, needed), CAIRN_EINVAL);
    assert_int_equal(cairn_deferred_init(&deferred, HEAP, (char *)marks + 1, needed), CAIRN_EINVAL);
    assert_int_equal(cairn_deferred_init(&deferred, HEAP, marks, 7), CAIRN_ENOMEM);
    assert_ptr_equal((const void *)HEAP->hooks, (const void *)&fixture.hooks);
    assert_int_equal(cairn_deferred_init(&deferred, HEAP, marks, needed), 0);
    struct cairn_deferred second;
    assert_int_equal(cairn_deferred_init(&second, HEAP, marks, needed), CAIRN_EINVAL);
    part();
    assert_int_equal(cairn_deferred_drain(NULL), 0);
    assert_int_equal(cairn_deferred_drain(&deferred), 0);
    cairn_deferred_deinit(NULL);
    cairn_deferred_deinit(&deferred);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(a_mark_frees_with_the_next_call),
        UNIT(each_call_frees_a_few),
        UNIT(all_marks_are_taken_up_before_an_alloc_fails),
        UNIT(a_block_that_is_marked_twice_is_reported_and_freed_once),
        UNIT(what_is_not_made_yet_marks_nothing),
        UNIT(the_short_way_that_is_shut_late_opens_again),
        UNIT(marks_reach_as_far_as_a_heap_can),
        UNIT(a_marked_block_is_not_freed_or_changed_by_hand),
        UNIT(pointers_that_are_no_block_are_reported_later),
        UNIT(with_hooks_it_is_done_in_the_lock_and_told),
        UNIT(a_block_that_is_marked_while_it_is_copied_is_reported),
        UNIT(a_mark_that_comes_too_late_is_reported),
        UNIT(a_region_of_an_arena_has_no_marks),
        UNIT(a_heap_without_hooks_has_none_again_when_it_parts),
        UNIT(marks_survive_a_move_of_the_end),
        UNIT(a_heap_may_end_before_its_marks),
        UNIT(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests_name("deferred", tests, NULL, NULL);
}
