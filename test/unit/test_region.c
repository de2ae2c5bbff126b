// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/heap/region.c: grow, shrink, set_fit, deinit.
// CALLERS     ctest, on every preset.
#include "fixture.h"

#define SMALL_SIZE 1024u

// A heap of 1 KB that may grow to the whole region.
static void make_growing(void)
{
    fixture.config.max_size = FIXTURE_REGION;
    fixture_make(SMALL_SIZE);
}

static size_t front(void)
{
    return (size_t)((unsigned char *)at(1) - fixture_region);
}

static void grow_adds_to_the_free_block_at_the_end(void **state)
{
    (void)state;
    make_growing();
    const size_t before = stats().size;
    assert_int_equal(cairn_heap_grow(HEAP, FIXTURE_REGION), 0);
    assert_true(stats().size >= before + (FIXTURE_REGION - SMALL_SIZE) - 2 * G);
    assert_blocks(0, 1);
    assert_largest(CONTROL->granules);
    assert_int_equal(CONTROL->granules, CONTROL->limit);
}

static void grow_behind_a_used_block_makes_a_free_one(void **state)
{
    (void)state;
    make_growing();
    void *const block = cairn_heap_alloc(HEAP, stats().size);
    memset(block, 0x77, stats().size);
    assert_int_equal(cairn_heap_grow(HEAP, FIXTURE_REGION), 0);
    assert_blocks(1, 1);
    cairn_heap_free(HEAP, block);
    assert_blocks(0, 1);
}

static void the_end_moves_to_every_size(void **state)
{
    (void)state;
    make_growing();
    for (size_t size = SMALL_SIZE; size <= FIXTURE_REGION; size++) {
        const uint32_t before = CONTROL->granules;
        assert_int_equal(cairn_heap_grow(HEAP, size), 0);
        assert_in_range(CONTROL->granules, before, before + 1);
        assert_true(front() + stats().size <= size);
        assert_sound();
    }
    for (size_t size = FIXTURE_REGION; size >= front() + G; size--) {
        assert_int_equal(cairn_heap_shrink(HEAP, size), 0);
        assert_true(front() + stats().size <= size);
        assert_sound();
    }
    assert_int_equal(CONTROL->granules, 1);
    void *const block = cairn_heap_alloc(HEAP, G);
    assert_non_null(block);
    cairn_heap_free(HEAP, block);
    assert_int_equal(cairn_heap_grow(HEAP, FIXTURE_REGION), 0);
    assert_blocks(0, 1);
}

static void what_is_grown_past_is_never_touched(void **state)
{
    (void)state;
    make_growing();
    const uint32_t end = CONTROL->granules;
    void *const first = cairn_heap_alloc(HEAP, G);
    memset(at(end + 1), 0x5A, 3 * G);
    assert_int_equal(cairn_heap_grow_past(HEAP, 3 * G - 1, FIXTURE_REGION), 0);
    assert_sound();
    assert_blocks(2, 2);
    assert_int_equal(stats().used, 4 * G);
    void *const before = cairn_heap_alloc(HEAP, (end - 1) * G);
    void *const behind = cairn_heap_alloc(HEAP, (CONTROL->limit - end - 3) * G);
    assert_non_null(before);
    assert_ptr_equal(behind, at(end + 4));
    memset(before, 0x11, (end - 1) * G);
    memset(behind, 0x22, (CONTROL->limit - end - 3) * G);
    cairn_heap_free(HEAP, before);
    cairn_heap_free(HEAP, behind);
    cairn_heap_free(HEAP, first);
    assert_blocks(1, 2);
    for (size_t i = 0; i < 3 * G; i++) {
        assert_int_equal(((unsigned char *)at(end + 1))[i], 0x5A);
    }
    assert_int_equal(cairn_heap_top(HEAP), (CONTROL->limit - end - 3) * G);
    fixture.leaks = true;
}

static void a_gap_may_take_all_that_is_new_but_not_more(void **state)
{
    (void)state;
    make_growing();
    const uint32_t end = CONTROL->granules;
    fixture_save();
    assert_int_equal(cairn_heap_grow_past(HEAP, 4 * G + 1, SMALL_SIZE + 4 * G), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_grow_past(HEAP, SIZE_MAX, SMALL_SIZE + 4 * G), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_grow_past(HEAP, G, SMALL_SIZE), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_grow_past(HEAP, G, FIXTURE_REGION + 8 * G), CAIRN_ENOMEM);
    fixture_unchanged(0);
    assert_int_equal(cairn_heap_grow_past(HEAP, 4 * G, SMALL_SIZE + 4 * G), 0);
    assert_blocks(1, 1);
    assert_int_equal(CONTROL->granules, end + 4);
    assert_int_equal(cairn_heap_top(HEAP), 0);
    assert_int_equal(cairn_heap_shrink(HEAP, SMALL_SIZE), CAIRN_EBUSY);
    assert_int_equal(cairn_heap_grow_past(NULL, G, SMALL_SIZE), CAIRN_EINVAL);
    fixture.leaks = true;
}

static void the_top_is_what_is_free_at_the_end(void **state)
{
    (void)state;
    assert_int_equal(cairn_heap_top(NULL), 0);
    assert_int_equal(cairn_heap_top(HEAP), stats().size);
    void *const first = cairn_heap_alloc(HEAP, 5 * G);
    assert_int_equal(cairn_heap_top(HEAP), stats().size - 5 * G);
    void *const rest = cairn_heap_alloc(HEAP, stats().size - 5 * G);
    assert_int_equal(cairn_heap_top(HEAP), 0);
    cairn_heap_free(HEAP, first);
    assert_int_equal(cairn_heap_top(HEAP), 0);
    cairn_heap_free(HEAP, rest);
}

static void a_size_on_the_wrong_side_is_refused(void **state)
{
    (void)state;
    make_growing();
    fixture_save();
    assert_int_equal(cairn_heap_grow(HEAP, SMALL_SIZE - G), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_grow(HEAP, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_grow(HEAP, front() - 1), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_shrink(HEAP, SMALL_SIZE + G), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_shrink(HEAP, SIZE_MAX), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_shrink(HEAP, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_shrink(HEAP, front()), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_shrink(HEAP, front() + G - 1), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_grow(HEAP, SMALL_SIZE), 0);
    assert_int_equal(cairn_heap_shrink(HEAP, SMALL_SIZE), 0);
    fixture_unchanged(0);
}

static void more_than_max_size_is_refused(void **state)
{
    (void)state;
    make_growing();
    fixture_save();
    assert_int_equal(cairn_heap_grow(HEAP, FIXTURE_REGION + (LIMIT_SLACK + 1) * G), CAIRN_ENOMEM);
    assert_int_equal(cairn_heap_grow(HEAP, SIZE_MAX), CAIRN_ENOMEM);
    assert_int_equal(cairn_heap_grow(HEAP, SIZE_MAX / 2 + 1), CAIRN_ENOMEM);
    fixture_unchanged(0);
}

static void a_used_block_in_the_way_is_busy(void **state)
{
    (void)state;
    make_growing();
    void *const low = take_granules(2);
    void *const gap = take_granules(10);
    void *const high = take_granules(2);
    cairn_heap_free(HEAP, gap);
    const size_t high_end = front() + 14 * G;
    fixture_save();
    assert_int_equal(cairn_heap_shrink(HEAP, high_end - G), CAIRN_EBUSY);
    assert_int_equal(cairn_heap_shrink(HEAP, high_end - 2 * G), CAIRN_EBUSY);
    assert_int_equal(cairn_heap_shrink(HEAP, front() + G), CAIRN_EBUSY);
    fixture_unchanged(0);
    assert_int_equal(cairn_heap_shrink(HEAP, high_end), 0);
    assert_blocks(2, 1);
    assert_int_equal(cairn_heap_shrink(HEAP, high_end - G), CAIRN_EBUSY); // the end itself is used
    assert_int_equal(cairn_heap_grow(HEAP, SMALL_SIZE), 0);
    cairn_heap_free(HEAP, high);
    assert_int_equal(cairn_heap_shrink(HEAP, front() + 2 * G), 0);
    assert_blocks(1, 0);
    assert_int_equal(cairn_heap_shrink(HEAP, front() + 2 * G - 1), CAIRN_EBUSY);
    assert_int_equal(cairn_heap_grow(HEAP, SMALL_SIZE), 0);
    cairn_heap_free(HEAP, low);
}

static void shrink_past_a_broken_block_fails_and_changes_nothing(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    make_growing();
    links_of(1)->next = 0x12345678;
    fixture_save();
    assert_int_equal(cairn_heap_shrink(HEAP, SMALL_SIZE - 8 * G), CAIRN_ECORRUPT);
    fixture_expect(CAIRN_WRONG_LINK, at(1));
    fixture_unchanged(0);
    fixture.damaged = true;
}

static void grow_beside_a_broken_block_leaves_it(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    make_growing();
    const size_t before = stats().size;
    links_of(1)->next = 0x12345678;
    const int error = cairn_heap_grow(HEAP, FIXTURE_REGION);
    fixture_expect(CAIRN_WRONG_LINK, at(1));
    assert_true(error == 0 || error == CAIRN_ECORRUPT);
    assert_true(error == 0 ? stats().size > before && stats().free_blocks == 2 : stats().size == before);
    fixture.damaged = true;
}

static void a_heap_in_one_piece_neither_grows_nor_loses_its_last_granule(void **state)
{
    (void)state;
    assert_int_equal(cairn_heap_grow(HEAP, FIXTURE_REGION + 8 * G), CAIRN_ENOMEM);
    assert_int_equal(cairn_heap_shrink(HEAP, front()), CAIRN_EINVAL);
}

static void grow_wipes_what_comes_in(void **state)
{
    (void)state;
    fixture.config.wipe = true;
    make_growing();
    memset(fixture_region + SMALL_SIZE, 0xEE, FIXTURE_REGION - SMALL_SIZE);
    assert_int_equal(cairn_heap_grow(HEAP, FIXTURE_REGION), 0);
    for (const unsigned char *byte = fixture_region + SMALL_SIZE; byte < (unsigned char *)at(fence_of(CONTROL) - 2); byte++) { // but the hint and the links
        assert_int_equal(*byte, 0);
    }
}

static void the_fit_can_be_changed(void **state)
{
    (void)state;
    for (int fit = CAIRN_FIT_BEST; fit <= CAIRN_FIT_BOUNDED; fit++) {
        assert_int_equal(cairn_heap_set_fit(HEAP, (enum cairn_fit)fit, 0), 0);
        assert_int_equal(CONTROL->search, CAIRN_SEARCH_DEFAULT);
        assert_int_equal(cairn_heap_set_fit(HEAP, (enum cairn_fit)fit, CAIRN_SEARCH_ALL), 0);
        assert_int_equal(CONTROL->search, CAIRN_SEARCH_ALL);
        assert_int_equal(cairn_heap_set_fit(HEAP, (enum cairn_fit)fit, 1), 0);
        assert_int_equal(CONTROL->search, 1);
        assert_sound();
        void *const block = take_granules(3);
        assert_int_equal(cairn_heap_usable_size(HEAP, block), (fit == CAIRN_FIT_BOUNDED ? 4 : 3) * G);
        cairn_heap_free(HEAP, block);
    }
}

static void a_fit_that_does_not_exist_is_refused(void **state)
{
    struct cairn_heap none = {0};
    (void)state;
    fixture_save();
    assert_int_equal(cairn_heap_set_fit(HEAP, (enum cairn_fit)(CAIRN_FIT_BOUNDED + 1), 0), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_set_fit(HEAP, (enum cairn_fit)100, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_set_fit(NULL, CAIRN_FIT_BEST, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_set_fit(&none, CAIRN_FIT_BEST, 0), CAIRN_EINVAL);
    fixture_unchanged(0);
}

static int never(void *context, const struct cairn_block *block)
{
    (void)context;
    (void)block;
    fail();
    return 1;
}

// Every call on a heap that is none gives its answer and touches nothing.
static void assert_dead(struct cairn_heap *heap)
{
    struct cairn_heap_stats now;
    struct cairn_margin margin;
    uint32_t cursor = 0;
    void *const address = at(1);
    fixture_save();
    assert_null(cairn_heap_alloc(heap, 8));
    assert_null(cairn_heap_calloc(heap, 1, 8));
    assert_null(cairn_heap_aligned_alloc(heap, 8, 8));
    assert_null(cairn_heap_realloc(heap, address, 8));
    assert_null(cairn_heap_realloc(heap, NULL, 8));
    assert_null(cairn_heap_aligned_realloc(heap, address, 8, 8));
    assert_int_equal(cairn_heap_resize(heap, address, 8), CAIRN_EINVAL);
    cairn_heap_free(heap, address);
    assert_int_equal(cairn_heap_usable_size(heap, address), 0);
    assert_int_equal(cairn_heap_usable_size_(heap, address), 0);
    memset(&now, 0xFF, sizeof now);
    cairn_heap_stats(heap, &now);
    assert_int_equal(now.size, 0);
    assert_int_equal(now.failures, 0);
    cairn_heap_stats(heap, NULL);
    cairn_heap_reset_peak(heap);
    assert_int_equal(cairn_heap_walk(heap, never, NULL), 0);
    assert_int_equal(cairn_heap_check(heap, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_check_step(heap, &cursor, 1, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_margin(heap, &margin), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_grow(heap, 4096), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_shrink(heap, 1024), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_grow_past_(heap, 8, 4096), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_shrink_(heap, 1024), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_set_fit(heap, CAIRN_FIT_BEST, 0), CAIRN_EINVAL);
    cairn_heap_deinit(heap);
    assert_memory_equal(fixture_region, fixture_copy, FIXTURE_REGION);
}

static void no_heap_answers_every_call(void **state)
{
    struct cairn_heap none = {0};
    (void)state;
    assert_dead(NULL);
    assert_dead(&none);
}

static void after_deinit_every_call_fails(void **state)
{
    struct cairn_heap kept;
    (void)state;
    (void)take_granules(3);
    kept = fixture.heap;
    cairn_heap_deinit(HEAP);
    assert_null(HEAP->control);
    assert_int_equal(cairn_heap_attach(&kept, fixture_region, FIXTURE_REGION, &fixture.config), CAIRN_ECORRUPT);
    fixture.heap.base = kept.base;
    const struct cairn_heap dead = {.base = kept.base};
    fixture.heap = dead;
    assert_dead(HEAP);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(grow_adds_to_the_free_block_at_the_end),
        UNIT(grow_behind_a_used_block_makes_a_free_one),
        UNIT(the_end_moves_to_every_size),
        UNIT(what_is_grown_past_is_never_touched),
        UNIT(a_gap_may_take_all_that_is_new_but_not_more),
        UNIT(the_top_is_what_is_free_at_the_end),
        UNIT(a_size_on_the_wrong_side_is_refused),
        UNIT(more_than_max_size_is_refused),
        UNIT(a_used_block_in_the_way_is_busy),
        UNIT(shrink_past_a_broken_block_fails_and_changes_nothing),
        UNIT(grow_beside_a_broken_block_leaves_it),
        UNIT(a_heap_in_one_piece_neither_grows_nor_loses_its_last_granule),
        UNIT(grow_wipes_what_comes_in),
        UNIT(the_fit_can_be_changed),
        UNIT(a_fit_that_does_not_exist_is_refused),
        UNIT(no_heap_answers_every_call),
        UNIT(after_deinit_every_call_fails),
    };
    return cmocka_run_group_tests_name("region", tests, NULL, NULL);
}
