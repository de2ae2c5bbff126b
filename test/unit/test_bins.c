// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/heap/bins.h: which list a length has, links in and out, what an unlink believes.
// CALLERS     ctest, on every preset.
#include "fixture.h"

// Four holes of n granules, each between used blocks; the last freed is the head.
static uint32_t hole[4];

static void make_holes(uint32_t n)
{
    void *block[4];
    for (int i = 0; i < 4; i++) {
        block[i] = take_granules(n);
        (void)take_granules(1);
    }
    for (int i = 0; i < 4; i++) {
        hole[i] = number_of(block[i]);
        cairn_heap_free(HEAP, block[i]);
    }
    fixture.leaks = true;
}

// Would the block be taken out of its list? It is put back at the same place.
static bool agrees(uint32_t block, uint32_t length)
{
    const uint32_t map = CONTROL->map;
    fixture_save();
    const bool agreed = bin_remove(HEAP, CONTROL, end_of(block), bin_of(length));
    if (!agreed) {
        fixture_unchanged(0);
    }
    memcpy(fixture_region, fixture_copy, sizeof fixture_region);
    return agreed && CONTROL->map == map;
}

static void take_out(uint32_t block)
{
    assert_true(bin_remove(HEAP, CONTROL, end_of(block), 3));
}

static void lengths_have_a_list_each_then_one_a_doubling(void **state)
{
    uint32_t last = 0;
    (void)state;
    for (uint32_t length = 1; length < BIN_EXACT; length++) {
        assert_int_equal(bin_of(length), length);
    }
    for (uint32_t length = 1; length <= 100000; length++) {
        const uint32_t bin = bin_of(length);
        assert_int_equal(cairn_bin_of_(length), bin); // the one copy, for builds that favour size
        assert_true(bin == last || bin == last + 1);
        last = bin;
    }
    assert_int_equal(bin_of(8), BIN_EXACT);
    assert_int_equal(bin_of(15), BIN_EXACT);
    assert_int_equal(bin_of(16), BIN_EXACT + 1);
    assert_int_equal(bin_of(GRANULES_MAX), 31);
    assert_int_equal(bin_of(((uint32_t)1 << 26) - 1), 30);
    assert_int_equal(bin_count(GRANULES_MAX), 32);
}

static void a_list_is_last_in_first_out(void **state)
{
    (void)state;
    make_holes(3);
    assert_int_equal(CONTROL->heads[3], end_of(hole[3]));
    for (int i = 3; i > 0; i--) {
        assert_int_equal(links_of(hole[i])->next, end_of(hole[i - 1]));
        assert_int_equal(links_of(hole[i - 1])->prev, end_of(hole[i]));
    }
    assert_int_equal(links_of(hole[3])->prev, 0);
    assert_int_equal(links_of(hole[0])->next, 0);
}

static void removing_any_of_a_list_leaves_the_others(void **state)
{
    (void)state;
    make_holes(3);
    take_out(hole[1]);
    assert_int_equal(links_of(hole[2])->next, end_of(hole[0]));
    assert_int_equal(links_of(hole[0])->prev, end_of(hole[2]));
    take_out(hole[3]);
    assert_int_equal(CONTROL->heads[3], end_of(hole[2]));
    take_out(hole[0]);
    assert_int_equal(links_of(hole[2])->next, 0);
    assert_true((CONTROL->map & bin_bit(3)) != 0);
    take_out(hole[2]);
    assert_int_equal(CONTROL->heads[3], 0);
    assert_true((CONTROL->map & bin_bit(3)) == 0);
    for (int i = 0; i < 4; i++) {
        assert_true(bin_push(HEAP, CONTROL, links_at(HEAP->base, end_of(hole[i])), end_of(hole[i]), 3));
    }
    assert_sound();
}

static void a_range_list_keeps_the_length_as_a_hint(void **state)
{
    (void)state;
    make_holes(BIN_EXACT + 1);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(*hint_for(hole[i]), BIN_EXACT + 1);
    }
}

static void whole_links_agree(void **state)
{
    (void)state;
    make_holes(2);
    for (int i = 0; i < 4; i++) {
        assert_true(agrees(hole[i], 2));
    }
}

static void a_link_outside_the_region_does_not_agree(void **state)
{
    static const uint32_t bad[] = {0xFFFFFFFF, 0x80000000, 0x08000000, 100000};
    (void)state;
    NEEDS_HARDENING;
    make_holes(2);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct block_links *const links = links_of(hole[1]);
        const struct block_links kept = *links;
        links->next = bad[i];
        assert_false(agrees(hole[1], 2));
        *links = kept;
        links->prev = bad[i];
        assert_false(agrees(hole[1], 2));
        *links = kept;
    }
    const uint32_t fence = fence_of(CONTROL);
    links_of(hole[0])->next = fence;
    assert_false(agrees(hole[0], 2));
    links_of(hole[0])->next = 0;
}

static void a_link_to_a_block_that_does_not_point_back_does_not_agree(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    make_holes(2);
    struct block_links *const links = links_of(hole[1]);
    const struct block_links kept = *links;
    for (uint32_t to = 1; to <= CONTROL->granules; to++) {
        links->next = to;
        assert_int_equal(agrees(hole[1], 2), to == kept.next);
        links->next = kept.next;
        links->prev = to;
        assert_int_equal(agrees(hole[1], 2), to == kept.prev);
        links->prev = kept.prev;
    }
}

static void only_the_head_may_have_no_one_before_it(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    make_holes(2);
    struct block_links *const links = links_of(hole[1]);
    const uint32_t kept = links->prev;
    links->prev = 0;
    assert_false(agrees(hole[1], 2));
    links->prev = kept;
}

static void a_block_that_links_to_itself_does_not_agree(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    make_holes(2);
    for (int i = 0; i < 4; i++) {
        struct block_links *const links = links_of(hole[i]);
        const struct block_links kept = *links;
        *links = (struct block_links){end_of(hole[i]), end_of(hole[i])};
        assert_false(agrees(hole[i], 2));
        *links = kept;
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(lengths_have_a_list_each_then_one_a_doubling),
        UNIT(a_list_is_last_in_first_out),
        UNIT(removing_any_of_a_list_leaves_the_others),
        UNIT(a_range_list_keeps_the_length_as_a_hint),
        UNIT(whole_links_agree),
        UNIT(a_link_outside_the_region_does_not_agree),
        UNIT(a_link_to_a_block_that_does_not_point_back_does_not_agree),
        UNIT(only_the_head_may_have_no_one_before_it),
        UNIT(a_block_that_links_to_itself_does_not_agree),
    };
    return cmocka_run_group_tests_name("bins", tests, NULL, NULL);
}
