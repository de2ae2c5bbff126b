// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/heap/resize.c: in place, moved, slid left. Its aligned calls and calloc: test_aligned.c.
// CALLERS     ctest, on every preset.
#include "fixture.h"

static const size_t too_many[] = {SIZE_MAX,         SIZE_MAX - 1,     SIZE_MAX - 7,     SIZE_MAX - 8,      SIZE_MAX - 15,
                                  SIZE_MAX / 2 + 1, SIZE_MAX / 2,     SIZE_MAX / 8 + 1, SIZE_MAX / 16 + 2, FIXTURE_REGION};
static const size_t no_alignment[] = {0, 3, 5, 6, 7, 9, 12, 24, 100, SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2, SIZE_MAX / 2 + 2};

#define EACH(index, array) (size_t index = 0; index < sizeof(array) / sizeof((array)[0]); index++)

// ---------------------------------------------------------------------------------------------------------- in place

static void resize_to_every_size_and_back(void **state)
{
    (void)state;
    void *const block = take_granules(1);
    unsigned char *const bytes = block;
    for (size_t size = 1; size <= stats().size; size++) {
        bytes[size > 1 ? size - 2 : 0] = (unsigned char)size;
        assert_int_equal(cairn_heap_resize(HEAP, block, size), 0);
        assert_int_equal(cairn_heap_usable_size(HEAP, block), (size + G - 1) / G * G);
        assert_sound();
    }
    assert_int_equal(stats().free, 0);
    for (size_t size = stats().size; size > 0; size--) {
        assert_int_equal(cairn_heap_resize_(HEAP, block, size), 0);
        assert_int_equal(cairn_heap_usable_size(HEAP, block), (size + G - 1) / G * G);
        assert_sound();
    }
    cairn_heap_free(HEAP, block);
}

static void resize_fails_where_a_used_block_is_behind(void **state)
{
    (void)state;
    void *const block = take_granules(3);
    void *const stopper = take_granules(1);
    fixture_save();
    assert_int_equal(cairn_heap_resize(HEAP, block, 4 * G), CAIRN_ENOMEM);
    fixture_unchanged(0);
    assert_int_equal(cairn_heap_resize(HEAP, block, 3 * G), 0);
    assert_int_equal(cairn_heap_resize(HEAP, block, G), 0);
    assert_blocks(2, 2);
    assert_int_equal(cairn_heap_resize(HEAP, block, 3 * G), 0);
    assert_blocks(2, 1);
    cairn_heap_free(HEAP, block);
    cairn_heap_free(HEAP, stopper);
}

static void resize_refuses_sizes_out_of_range(void **state)
{
    struct cairn_heap none = {0};
    (void)state;
    void *const block = take_granules(3);
    fixture_save();
    assert_int_equal(cairn_heap_resize(HEAP, block, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_resize(HEAP, NULL, 8), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_resize(NULL, block, 8), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_resize(&none, block, 8), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_resize_(HEAP, block, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_resize_(HEAP, NULL, 8), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_resize_(NULL, block, 8), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_resize_(&none, block, 8), CAIRN_EINVAL);
    for EACH(i, too_many) {
        assert_int_equal(cairn_heap_resize(HEAP, block, too_many[i]), CAIRN_ENOMEM);
        assert_int_equal(cairn_heap_resize_(HEAP, block, too_many[i]), CAIRN_ENOMEM);
    }
    fixture_unchanged(0);
    cairn_heap_free(HEAP, block);
}

static void resize_beside_a_broken_block_fails_and_changes_nothing(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    void *const block = take_granules(3);
    void *const hole = take_granules(3);
    (void)take_granules(1);
    cairn_heap_free(HEAP, hole);
    links_of(number_of(hole))->next = 0x12345678;
    fixture_save();
    assert_int_equal(cairn_heap_resize(HEAP, block, 5 * G), CAIRN_ENOMEM);
    fixture_expect(CAIRN_WRONG_LINK, hole);
    fixture_unchanged(0);
    fixture.damaged = true;
}

// ------------------------------------------------------------------------------------------------------------ realloc

static void realloc_of_null_allocates(void **state)
{
    (void)state;
    void *const block = cairn_heap_realloc(HEAP, NULL, 3 * G);
    assert_ptr_equal(block, at(1));
    void *const other = cairn_heap_aligned_realloc(HEAP, NULL, 64, 3 * G);
    assert_int_equal((uintptr_t)other % 64, 0);
    assert_int_equal(stats().used_blocks, 2);
    assert_null(cairn_heap_realloc(HEAP, NULL, 0));
    assert_null(cairn_heap_aligned_realloc(HEAP, NULL, 64, 0));
    assert_int_equal(stats().failures, 0);
    free_all();
}

static void realloc_to_nothing_frees(void **state)
{
    (void)state;
    void *const block = take_granules(3);
    assert_null(cairn_heap_realloc(HEAP, block, 0));
    assert_blocks(0, 1);
    assert_int_equal(stats().failures, 0);
}

static void realloc_shrinks_in_place(void **state)
{
    (void)state;
    unsigned char *const block = take_granules(20);
    const unsigned seed = number_of(block);
    for (uint32_t n = 20; n > 0; n--) {
        assert_ptr_equal(cairn_heap_realloc(HEAP, block, granules(n)), block);
        assert_filled(block, granules(n), seed);
        assert_blocks(1, 1);
    }
    cairn_heap_free(HEAP, block);
}

static void realloc_grows_into_the_free_block_behind(void **state)
{
    (void)state;
    unsigned char *const block = take_granules(3);
    void *const hole = take_granules(4);
    void *const stopper = take_granules(1);
    cairn_heap_free(HEAP, hole);
    assert_ptr_equal(cairn_heap_realloc(HEAP, block, 5 * G), block);
    assert_blocks(2, 2);
    assert_ptr_equal(cairn_heap_realloc(HEAP, block, 7 * G), block);
    assert_blocks(2, 1);
    assert_filled(block, granules(3), number_of(block));
    cairn_heap_free(HEAP, block);
    cairn_heap_free(HEAP, stopper);
}

static void realloc_moves_where_it_cannot_grow(void **state)
{
    (void)state;
    unsigned char *const block = take_granules(3);
    (void)take_granules(1);
    unsigned char *const moved = cairn_heap_realloc(HEAP, block, 9 * G);
    assert_non_null(moved);
    assert_ptr_not_equal(moved, block);
    assert_filled(moved, granules(3), number_of(block));
    assert_int_equal(cairn_heap_usable_size(HEAP, block), 0);
    assert_blocks(2, 2);
    assert_int_equal(stats().peak, 13 * G); // both places at one time
    free_all();
}

// [ free before ][ block ][ free behind ][ used up to the fence ]
static unsigned char *make_slide(uint32_t before, uint32_t block, uint32_t behind)
{
    void *const left = before == 0 ? NULL : take_granules(before);
    unsigned char *const its = take_granules(block);
    void *const right = behind == 0 ? NULL : take_granules(behind);
    assert_non_null(cairn_heap_alloc(HEAP, stats().largest_free));
    cairn_heap_free(HEAP, left);
    cairn_heap_free(HEAP, right);
    return its;
}

static void realloc_slides_left_before_it_fails(void **state)
{
    (void)state;
    for (uint32_t before = 1; before < 40; before += 3) {
        for (uint32_t length = before; length < before + 20; length += 4) {
            for (uint32_t behind = 0; behind < 6; behind += 2) {
                unsigned char *const block = make_slide(before, length, behind);
                const unsigned seed = number_of(block);
                const uint32_t n = before + length + behind;
                assert_null(cairn_heap_realloc(HEAP, block, granules(n + 1)));
                assert_filled(block, granules(length), seed);
                unsigned char *const slid = cairn_heap_realloc(HEAP, block, granules(n));
                assert_ptr_equal(slid, at(1));
                assert_filled(slid, granules(length), seed);
                assert_blocks(2, 0);
                assert_int_equal(stats().used, stats().size);
                free_all();
            }
        }
    }
}

static void a_slide_gives_back_what_is_too_much(void **state)
{
    (void)state;
    unsigned char *const block = make_slide(4, 5, 3);
    const unsigned seed = number_of(block);
    unsigned char *const slid = cairn_heap_realloc(HEAP, block, granules(10));
    assert_ptr_equal(slid, at(1));
    assert_filled(slid, granules(5), seed);
    assert_blocks(2, 1);
    assert_largest(2);
    free_all();
}

// The tags end with the pair that holds the fence: to ask the fence for a length would read behind them, which a sanitizer sees.
static void the_last_block_cannot_grow_past_the_fence(void **state)
{
    static uint32_t tags[16];
    size_t size = FIXTURE_REGION;
    (void)state;
    fixture.config.tags = tags;
    fixture.config.tags_size = sizeof tags;
    while (cairn_heap_tags_size(size) > sizeof tags) {
        size -= G;
    }
    assert_int_equal(cairn_heap_init(HEAP, fixture_region, size, &fixture.config), 0);
    void *const first = take_granules(1);
    const size_t rest = stats().largest_free;
    void *const last = cairn_heap_alloc(HEAP, rest);
    assert_non_null(last);
    assert_int_equal(cairn_heap_resize(HEAP, last, rest + G), CAIRN_ENOMEM);
    assert_null(cairn_heap_realloc(HEAP, last, rest + G));
    cairn_heap_free(HEAP, first);
    assert_ptr_equal(cairn_heap_realloc(HEAP, last, rest + G), at(1)); // slid
    free_all();
    fixture.config.tags = NULL;
}

static void a_bounded_heap_gives_back_by_moving(void **state)
{
    (void)state;
    assert_int_equal(cairn_heap_set_fit(HEAP, CAIRN_FIT_BOUNDED, 0), 0);
    void *const block = take_granules(16);
    void *const behind = take_granules(1);
    void *const moved = cairn_heap_realloc(HEAP, block, granules(3));
    assert_ptr_not_equal(moved, block);
    assert_int_equal(cairn_heap_usable_size(HEAP, moved), 4 * G);
    assert_ptr_equal(cairn_heap_realloc(HEAP, moved, granules(4)), moved);
    while (cairn_heap_alloc(HEAP, G) != NULL) {
    }
    assert_ptr_equal(cairn_heap_realloc(HEAP, moved, G), moved); // nowhere to go: it stays as it is
    assert_int_equal(cairn_heap_usable_size(HEAP, moved), 4 * G);
    assert_int_equal(cairn_heap_resize(HEAP, moved, G), 0);
    assert_int_equal(cairn_heap_usable_size(HEAP, moved), 4 * G);
    (void)behind;
    free_all();
}

static void a_bounded_heap_does_not_slide(void **state)
{
    (void)state;
    unsigned char *const block = make_slide(4, 5, 3);
    assert_int_equal(cairn_heap_set_fit(HEAP, CAIRN_FIT_BOUNDED, 0), 0);
    assert_null(cairn_heap_realloc(HEAP, block, granules(10)));
    assert_int_equal(stats().failures, 1);
    free_all();
}

static void realloc_that_fails_changes_nothing(void **state)
{
    (void)state;
    void *const block = take_granules(3);
    (void)take_granules(1);
    fixture_save();
    for EACH(i, too_many) {
        assert_null(cairn_heap_realloc(HEAP, block, too_many[i]));
        assert_null(cairn_heap_aligned_realloc(HEAP, block, 64, too_many[i]));
        fixture_unchanged(2);
    }
    for EACH(i, no_alignment) {
        assert_null(cairn_heap_aligned_realloc(HEAP, block, no_alignment[i], G));
        fixture_unchanged(1);
    }
    assert_filled(block, granules(3), number_of(block));
    free_all();
}

static void realloc_on_no_heap_is_null(void **state)
{
    struct cairn_heap none = {0};
    (void)state;
    void *const block = take_granules(1);
    fixture_save();
    assert_null(cairn_heap_realloc(NULL, NULL, 8));
    assert_null(cairn_heap_realloc(NULL, block, 8));
    assert_null(cairn_heap_realloc(NULL, block, 0));
    assert_null(cairn_heap_realloc(&none, block, 8));
    assert_null(cairn_heap_aligned_realloc(NULL, block, 8, 8));
    assert_null(cairn_heap_aligned_realloc(&none, NULL, 8, 8));
    fixture_unchanged(0);
    cairn_heap_free(HEAP, block);
}

static void realloc_past_a_broken_block_behind_moves(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    unsigned char *const block = take_granules(3);
    void *const hole = take_granules(3);
    (void)take_granules(1);
    cairn_heap_free(HEAP, hole);
    links_of(number_of(hole))->prev = 0x12345678;
    unsigned char *const moved = cairn_heap_realloc(HEAP, block, 5 * G);
    assert_int_equal(fixture.reports, 2); // in place, and when the old block is freed beside it
    fixture_forget();
    assert_non_null(moved);
    assert_filled(moved, granules(3), number_of(block));
    assert_int_equal(stats().used_blocks, 2);
    fixture.damaged = true;
}

static void a_slide_over_a_broken_block_fails_and_loses_nothing(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    for (int behind = 0; behind < 2; behind++) {
        unsigned char *const block = make_slide(4, 5, 3);
        const unsigned seed = number_of(block);
        unsigned char *const hole = behind ? block + 5 * G : at(1);
        links_of(number_of(hole))->next = 0x12345678;
        assert_null(cairn_heap_realloc(HEAP, block, granules(12)));
        assert_true(fixture.reports >= 1);
        assert_int_equal(fixture.report.what, CAIRN_WRONG_LINK);
        assert_ptr_equal(fixture.report.address, hole);
        fixture_forget();
        assert_filled(block, granules(5), seed);
        assert_int_equal(cairn_heap_usable_size(HEAP, block), 5 * G);
        assert_int_equal(stats().free_blocks, 2);
        links_of(number_of(hole))->next = 0;
        assert_sound();
        free_all();
    }
}

static void a_slide_keeps_the_alignment(void **state)
{
    (void)state;
    for (uint32_t before = 0; before < 24; before++) {
        void *const lead = take_granules(1); // so that the free block before starts anywhere
        unsigned char *const block = make_slide(before, 5, 1);
        const unsigned seed = number_of(block);
        unsigned char *const slid = cairn_heap_aligned_realloc(HEAP, block, 32, granules(6));
        if (slid != NULL) {
            assert_int_equal((uintptr_t)slid % 32, 0);
            assert_filled(slid, granules(5), seed);
        } else {
            assert_filled(block, granules(5), seed);
        }
        assert_sound();
        cairn_heap_free(HEAP, lead);
        free_all();
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(resize_to_every_size_and_back),
        UNIT(resize_fails_where_a_used_block_is_behind),
        UNIT(resize_refuses_sizes_out_of_range),
        UNIT(resize_beside_a_broken_block_fails_and_changes_nothing),
        UNIT(realloc_of_null_allocates),
        UNIT(realloc_to_nothing_frees),
        UNIT(realloc_shrinks_in_place),
        UNIT(realloc_grows_into_the_free_block_behind),
        UNIT(realloc_moves_where_it_cannot_grow),
        UNIT(realloc_slides_left_before_it_fails),
        UNIT(a_slide_gives_back_what_is_too_much),
        UNIT(the_last_block_cannot_grow_past_the_fence),
        UNIT(a_bounded_heap_gives_back_by_moving),
        UNIT(a_bounded_heap_does_not_slide),
        UNIT(realloc_that_fails_changes_nothing),
        UNIT(realloc_on_no_heap_is_null),
        UNIT(realloc_past_a_broken_block_behind_moves),
        UNIT(a_slide_over_a_broken_block_fails_and_loses_nothing),
        UNIT(a_slide_keeps_the_alignment),
    };
    return cmocka_run_group_tests_name("resize", tests, NULL, NULL);
}
