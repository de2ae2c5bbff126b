// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/heap/fit.h: which hole each fit takes, at each search limit.
// CALLERS     ctest, on every preset.
#include "fixture.h"

#include <stdlib.h>

#define HOLES 5u
static uint32_t hole[HOLES];

// Holes of these lengths, apart from each other, freed in this order: the last is the head of its list. All that is behind them is used.
static void make_holes(const uint32_t *length, uint32_t count, enum cairn_fit fit, uint16_t search)
{
    void *block[HOLES];
    fixture_make_fit(CAIRN_FIT_BEST, 0);
    for (uint32_t i = 0; i < count; i++) {
        block[i] = take_granules(length[i]);
        hole[i] = number_of(block[i]);
        (void)take_granules(1);
    }
    if (stats().largest_free != 0) {
        assert_non_null(cairn_heap_alloc(HEAP, stats().largest_free));
    }
    for (uint32_t i = 0; i < count; i++) {
        cairn_heap_free(HEAP, block[i]);
    }
    assert_int_equal(cairn_heap_set_fit(HEAP, fit, search), 0);
    fixture.leaks = true;
}

#define MAKE(fit, search, ...) \
    do { \
        static const uint32_t lengths[] = {__VA_ARGS__}; \
        make_holes(lengths, sizeof lengths / sizeof lengths[0], fit, search); \
    } while (0)

// The next n granules come out of this hole; HOLES: they come out of none.
static void assert_takes(uint32_t n, uint32_t which)
{
    const void *const block = cairn_heap_alloc(HEAP, granules(n));
    if (which == HOLES) {
        assert_null(block);
    } else {
        assert_non_null(block);
        assert_int_equal(number_of(block), hole[which]);
    }
    assert_sound();
}

static void best_takes_the_shortest_of_all(void **state)
{
    (void)state;
    MAKE(CAIRN_FIT_BEST, CAIRN_SEARCH_ALL, 14, 9, 12, 10, 15);
    assert_takes(9, 1);
    assert_takes(11, 2);
    assert_takes(10, 3);
    assert_takes(13, 0);
    assert_takes(13, 4);
    assert_takes(13, HOLES);
}

static void best_takes_the_exact_length_first(void **state)
{
    (void)state;
    MAKE(CAIRN_FIT_BEST, 0, 3, 4, 5, 6, 7);
    assert_takes(5, 2);
    assert_takes(5, 3);
    assert_takes(5, 4);
    assert_takes(5, HOLES);
}

static void best_takes_the_first_of_the_shortest(void **state)
{
    (void)state;
    MAKE(CAIRN_FIT_BEST, CAIRN_SEARCH_ALL, 10, 10, 12);
    assert_takes(9, 1);
    MAKE(CAIRN_FIT_BEST, 0, 12, 10, 10);
    assert_takes(9, 2);
}

static void best_looks_at_no_more_than_it_may(void **state)
{
    (void)state;
    MAKE(CAIRN_FIT_BEST, 2, 9, 10, 14, 15, 13);
    assert_takes(9, 4); // 13 and 15 were looked at
}

static void best_looks_into_the_next_list_too(void **state)
{
    (void)state;
    MAKE(CAIRN_FIT_BEST, 1, 20, 15, 8);
    assert_takes(12, 0); // 8 is too short, and the only one looked at in its list
    MAKE(CAIRN_FIT_BEST, 1, 15, 8);
    assert_takes(12, HOLES);
    assert_int_equal(cairn_heap_set_fit(HEAP, CAIRN_FIT_BEST, 2), 0);
    assert_takes(12, 0);
}

static void best_compares_in_the_next_list(void **state)
{
    (void)state;
    MAKE(CAIRN_FIT_BEST, CAIRN_SEARCH_ALL, 30, 17, 25);
    assert_takes(12, 1);
}

static void first_takes_the_first_that_is_long_enough(void **state)
{
    (void)state;
    MAKE(CAIRN_FIT_FIRST, CAIRN_SEARCH_ALL, 14, 9, 12, 15, 10);
    assert_takes(12, 3);
    assert_takes(12, 2);
    assert_takes(12, 0);
    assert_takes(12, HOLES);
}

static void first_takes_the_head_of_a_longer_list(void **state)
{
    (void)state;
    MAKE(CAIRN_FIT_FIRST, 0, 17, 31, 25);
    assert_takes(9, 2);
}

static void worst_takes_the_longest(void **state)
{
    (void)state;
    MAKE(CAIRN_FIT_WORST, CAIRN_SEARCH_ALL, 9, 14, 15, 10, 3);
    assert_takes(2, 2);
    assert_takes(2, 1);
    MAKE(CAIRN_FIT_WORST, CAIRN_SEARCH_ALL, 9, 14);
    assert_takes(15, HOLES);
}

static void worst_comes_back_to_what_is_left_of_the_longest(void **state)
{
    (void)state;
    MAKE(CAIRN_FIT_WORST, CAIRN_SEARCH_ALL, 9, 15);
    assert_takes(2, 1);
    hole[1] += 2;
    assert_takes(2, 1);
}

static void worst_takes_any_of_a_short_list(void **state)
{
    (void)state;
    MAKE(CAIRN_FIT_WORST, 0, 3, 5, 5);
    assert_takes(6, HOLES);
    assert_takes(5, 2);
    assert_takes(1, 1);
}

static void worst_looks_at_no_more_than_it_may(void **state)
{
    (void)state;
    MAKE(CAIRN_FIT_WORST, 2, 15, 10, 12, 9);
    assert_takes(2, 2);
}

static void bounded_rounds_up_to_powers_of_two(void **state)
{
    (void)state;
    MAKE(CAIRN_FIT_BOUNDED, 0, 15, 8, 40);
    assert_takes(9, 2);
    assert_int_equal(stats().largest_free, 16 * G); // 16 of 40 went, and 24 hold no more than 16
    assert_takes(5, 1);
    assert_takes(33, HOLES);
}

static void bounded_never_searches_a_list(void **state)
{
    (void)state;
    MAKE(CAIRN_FIT_BOUNDED, CAIRN_SEARCH_ALL, 9, 15, 11);
    assert_takes(8, 2);
    assert_takes(7, 1);
    assert_takes(8, 0);
    assert_takes(8, HOLES);
}

static void nothing_free_is_nothing_found(void **state)
{
    (void)state;
    for (int fit = CAIRN_FIT_BEST; fit <= CAIRN_FIT_BOUNDED; fit++) {
        fixture_make_fit(CAIRN_FIT_BEST, 0);
        assert_non_null(cairn_heap_alloc(HEAP, stats().size));
        assert_int_equal(cairn_heap_set_fit(HEAP, (enum cairn_fit)fit, 0), 0);
        for (uint32_t n = 1; n < 40; n++) {
            assert_takes(n, HOLES);
        }
    }
    fixture.leaks = true;
}

// A list that runs in a circle, or out of the region, ends every search, with a report or with nothing; no block is used twice.
static void a_list_in_a_circle_ends_the_search(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    for (int fit = CAIRN_FIT_BEST; fit <= CAIRN_FIT_BOUNDED; fit++) {
        MAKE((enum cairn_fit)fit, CAIRN_SEARCH_ALL, 9, 10, 11);
        links_of(hole[0])->next = end_of(hole[2]);
        fixture_save();
        assert_null(cairn_heap_alloc(HEAP, granules(12)));
        fixture_forget();
        fixture_unchanged(1);
        assert_names(CAIRN_RULE_T6);
    }
    fixture.damaged = true;
}

static void a_link_out_of_the_region_is_not_followed(void **state)
{
    static const uint32_t bad[] = {0xFFFFFFFF, 0x80000000, 0x08000000, 1000};
    (void)state;
    NEEDS_HARDENING;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        MAKE(CAIRN_FIT_BEST, CAIRN_SEARCH_ALL, 9, 10, 11);
        links_of(hole[1])->next = bad[i];
        fixture_save();
        assert_null(cairn_heap_alloc(HEAP, granules(12)));
        assert_int_equal(fixture.reports, 1);
        assert_int_equal(fixture.report.what, CAIRN_WRONG_LINK);
        fixture_forget();
        fixture_unchanged(1);
    }
    fixture.damaged = true;
}

// A broken link fails the allocation, and names the block that holds it, even where a longer list would have had a block.
static void a_link_out_of_the_region_is_reported_where_it_is(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    MAKE(CAIRN_FIT_BEST, 0, 40, 9, 10, 11);
    links_of(hole[2])->next = 0x12345678; // the second of its list, of which none is long enough
    fixture_save();
    assert_null(cairn_heap_alloc(HEAP, granules(12)));
    fixture_expect(CAIRN_WRONG_LINK, at(hole[2]));
    fixture_unchanged(1);
    fixture.damaged = true;
}

// Two blocks of different lists, made to link to each other: nothing is handed out twice, no used block is written to.
static void links_forged_to_match_hand_out_nothing_twice(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    MAKE(CAIRN_FIT_BEST, 0, 2, 3, 3, 2);
    const uint32_t short_head = hole[3];
    const uint32_t long_head = hole[2];
    links_of(short_head)->next = end_of(long_head);
    links_of(long_head)->prev = end_of(short_head);
    unsigned char *const one = take_granules(2);
    fixture_forget();
    void *const other = cairn_heap_alloc(HEAP, granules(2));
    void *const third = cairn_heap_alloc(HEAP, granules(3));
    assert_true(other == NULL || other != third);
    assert_filled(one, granules(2), number_of(one));
    fixture_forget();
    fixture.damaged = true;
}

// Granules that are free behind a head that is to get lost, and those of both.
#define BEHIND(n) ((n) + 7)
#define BOTH(n) ((n) + BEHIND(n))

// A block of n granules leaves its list by a forged link, and is still its head; then it is the front of a used block, which is returned.
static unsigned char *lose_head(uint32_t n)
{
    void *const forger = take_granules(1);
    (void)take_granules(1);
    void *const head = take_granules(n);
    void *const beside = take_granules(BEHIND(n));
    (void)take_granules(1);
    cairn_heap_free(HEAP, forger);
    cairn_heap_free(HEAP, head);
    links_of(number_of(forger))->next = end_of(number_of(head));
    links_of(number_of(head))->prev = end_of(number_of(forger));
    const uint32_t stale = CONTROL->heads[bin_of(n)];
    cairn_heap_free(HEAP, beside); // the head merges with it, and leaves the list of the forger
    assert_int_equal(CONTROL->heads[bin_of(n)], stale);
    fixture_expect_none();
    unsigned char *const over = take_granules(BOTH(n));
    assert_ptr_equal(over, head);
    return over;
}

// What came into the list was told of the head that is none, did not write to it, and is all that the list has.
static void assert_list_begins_anew(unsigned char *over, uint32_t n, uint32_t to)
{
    fixture_expect(CAIRN_WRONG_LINK, over);
    assert_filled(over, granules(BOTH(n)), number_of(over));
    assert_int_equal(CONTROL->heads[bin_of(n)], to);
    assert_int_equal(length_before(TAGS, to), n);
    assert_sound();
    free_all();
}

static const uint32_t lost[] = {4, 9}; // of a list of one length, and of one of several

static void a_head_that_was_forged_away_is_not_handed_out(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++) {
        fixture_make_fit(CAIRN_FIT_BEST, 0);
        unsigned char *const over = lose_head(lost[i]);
        const uint32_t stale = CONTROL->heads[bin_of(lost[i])];
        *hint_at(HEAP->base, stale) = lost[i]; // the caller's bytes are those of a free block
        *links_at(HEAP->base, stale) = (struct block_links){0, 0};
        fixture_save();
        assert_null(cairn_heap_alloc(HEAP, granules(lost[i])));
        fixture_expect(CAIRN_WRONG_LINK, over);
        fixture_unchanged(1);
    }
    fixture.damaged = true;
}

static void a_free_does_not_write_to_a_head_that_was_forged_away(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    for (uint32_t way = 0; way < 4 * sizeof lost / sizeof lost[0]; way++) {
        const uint32_t n = lost[way >> 2];
        const uint32_t before = way & 1; // is one granule before it free, and one behind it?
        const uint32_t behind = way >> 1 & 1;
        fixture_make_fit(CAIRN_FIT_BEST, 0);
        void *const left = before != 0 ? take_granules(1) : NULL;
        void *const later = take_granules(n - before - behind);
        void *const right = behind != 0 ? take_granules(1) : NULL;
        (void)take_granules(1);
        unsigned char *const over = lose_head(n);
        cairn_heap_free(HEAP, left);
        cairn_heap_free(HEAP, right);
        const uint32_t to = number_of(later) - 1 + n - before;
        cairn_heap_free(HEAP, later);
        assert_list_begins_anew(over, n, to);
    }
}

// Then it would follow itself.
static void a_head_that_was_forged_away_is_freed_once_more(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++) {
        const uint32_t n = lost[i];
        fixture_make_fit(CAIRN_FIT_BEST, 0);
        unsigned char *const over = lose_head(n);
        assert_int_equal(cairn_heap_resize(HEAP, over, granules(n)), 0);
        void *const behind = take_granules(BEHIND(n));
        assert_ptr_equal(behind, over + n * G);
        fixture_expect_none();
        cairn_heap_free(HEAP, over);
        fixture_expect(CAIRN_WRONG_LINK, over);
        assert_int_equal(CONTROL->heads[bin_of(n)], number_of(over) - 1 + n);
        assert_sound();
        free_all();
    }
}

// The list of what an alloc leaves says that it begins with just that.
static void a_rest_that_is_a_forged_head_does_not_follow_itself(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    for (uint32_t rest = 3; rest <= 9; rest += 6) {
        MAKE(CAIRN_FIT_BEST, 0, 40);
        const uint32_t to = end_of(hole[0]);
        CONTROL->heads[bin_of(rest)] = to;
        CONTROL->map |= bin_bit(bin_of(rest));
        fixture_expect_none();
        assert_ptr_equal(take_granules(40 - rest), at(hole[0]));
        fixture_expect(CAIRN_WRONG_LINK, at(hole[0]));
        assert_int_equal(CONTROL->heads[bin_of(rest)], to);
        assert_sound();
        assert_non_null(take_granules(rest));
    }
}

// What an alloc leaves of the hole goes there; before: the hole is not the head of its own list.
static void a_rest_does_not_write_to_a_head_that_was_forged_away(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    for (uint32_t way = 0; way < 2 * sizeof lost / sizeof lost[0]; way++) {
        const uint32_t n = lost[way >> 1];
        const bool before = (way & 1) != 0;
        const uint32_t asked = 2 * n;
        fixture_make_fit(CAIRN_FIT_BEST, 0);
        void *const longer = before ? take_granules(asked + n + 1) : NULL;
        (void)take_granules(1);
        void *const cut = take_granules(asked + n);
        (void)take_granules(1);
        unsigned char *const over = lose_head(n);
        (void)cairn_heap_alloc(HEAP, stats().largest_free);
        cairn_heap_free(HEAP, cut);
        cairn_heap_free(HEAP, longer);
        assert_ptr_equal(take_granules(asked), cut);
        assert_list_begins_anew(over, n, number_of(cut) - 1 + asked + n);
    }
}

// A block behind the head is taken out of its list only where its neighbours there agree.
static void a_block_behind_the_head_with_broken_links_is_refused(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    for (int way = 0; way < 4; way++) {
        MAKE(CAIRN_FIT_BEST, 0, 40, 10, 9, 11);
        struct block_links *const links = links_of(hole[2]);
        *((way & 1) != 0 ? &links->next : &links->prev) = (way & 2) != 0 ? end_of(hole[0]) : end_of(hole[2]);
        fixture_save();
        assert_null(cairn_heap_alloc(HEAP, granules(9)));
        fixture_expect(CAIRN_WRONG_LINK, at(hole[2]));
        fixture_unchanged(1);
    }
    fixture.damaged = true;
}

// A link leads to the head of a list of longer blocks: it is refused, or is cut, and what is left goes into the list of its length.
static void a_block_of_another_list_leaves_nothing_in_a_wrong_one(void **state)
{
    static const uint32_t lengths[][2] = {{40, 9}, {17, 9}}; // what is left of the longer belongs to a list of more granules than were asked for; of fewer
    (void)state;
    NEEDS_HARDENING;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        make_holes(lengths[i], 2, CAIRN_FIT_BEST, 0);
        links_of(hole[1])->next = end_of(hole[0]);
        fixture_save();
        const void *const block = cairn_heap_alloc(HEAP, granules(12));
        if (block == NULL) {
            fixture_expect(CAIRN_WRONG_LINK, at(hole[0]));
            fixture_unchanged(1);
        } else {
            assert_ptr_equal(block, at(hole[0]));
        }
        links_of(hole[1])->next = 0;
        assert_sound();
    }
}

static void a_hint_that_says_too_much_is_not_believed(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    MAKE(CAIRN_FIT_BEST, CAIRN_SEARCH_ALL, 9, 10, 11);
    *hint_for(hole[1]) = 1000;
    fixture_save();
    assert_null(cairn_heap_alloc(HEAP, granules(12)));
    fixture_expect(CAIRN_WRONG_LINK, at(hole[1]));
    fixture_unchanged(1);
    assert_names(CAIRN_RULE_T6);
    fixture.damaged = true;
}

#if UINTPTR_MAX > 0xFFFFFFFFu
// In the longest heaps a length rounds up to one that has no list. Untouched pages of the region cost nothing.
static void bounded_cannot_round_past_the_last_list(void **state)
{
    const size_t size = ((size_t)1 << 26) * G + ((size_t)1 << 20) * G;
    const size_t with_tags = size + size / 16;
    (void)state;
    unsigned char *const region = malloc(with_tags);
    if (region == NULL) {
        skip();
    }
    fixture.config.fit = CAIRN_FIT_BOUNDED;
    assert_int_equal(cairn_heap_init(HEAP, region, with_tags, &fixture.config), 0);
    assert_null(cairn_heap_alloc(HEAP, size));
    assert_null(cairn_heap_alloc(HEAP, (((size_t)1 << 26) + 1) * G));
    assert_null(cairn_heap_aligned_alloc(HEAP, 2 * G, ((size_t)1 << 26) * G));
    fixture_expect_none();
    void *const block = cairn_heap_alloc(HEAP, ((size_t)1 << 26) * G);
    assert_non_null(block);
    cairn_heap_free(HEAP, block);
    assert_blocks(0, 1);
    cairn_heap_deinit(HEAP);
    free(region);
}
#endif

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(best_takes_the_shortest_of_all),
        UNIT(best_takes_the_exact_length_first),
        UNIT(best_takes_the_first_of_the_shortest),
        UNIT(best_looks_at_no_more_than_it_may),
        UNIT(best_looks_into_the_next_list_too),
        UNIT(best_compares_in_the_next_list),
        UNIT(first_takes_the_first_that_is_long_enough),
        UNIT(first_takes_the_head_of_a_longer_list),
        UNIT(worst_takes_the_longest),
        UNIT(worst_comes_back_to_what_is_left_of_the_longest),
        UNIT(worst_takes_any_of_a_short_list),
        UNIT(worst_looks_at_no_more_than_it_may),
        UNIT(bounded_rounds_up_to_powers_of_two),
        UNIT(bounded_never_searches_a_list),
        UNIT(nothing_free_is_nothing_found),
        UNIT(a_list_in_a_circle_ends_the_search),
        UNIT(a_link_out_of_the_region_is_not_followed),
        UNIT(a_link_out_of_the_region_is_reported_where_it_is),
        UNIT(links_forged_to_match_hand_out_nothing_twice),
        UNIT(a_head_that_was_forged_away_is_not_handed_out),
        UNIT(a_free_does_not_write_to_a_head_that_was_forged_away),
        UNIT(a_head_that_was_forged_away_is_freed_once_more),
        UNIT(a_rest_that_is_a_forged_head_does_not_follow_itself),
        UNIT(a_rest_does_not_write_to_a_head_that_was_forged_away),
        UNIT(a_block_behind_the_head_with_broken_links_is_refused),
        UNIT(a_block_of_another_list_leaves_nothing_in_a_wrong_one),
        UNIT(a_hint_that_says_too_much_is_not_believed),
#if UINTPTR_MAX > 0xFFFFFFFFu
        UNIT(bounded_cannot_round_past_the_last_list),
#endif
    };
    return cmocka_run_group_tests_name("fit", tests, NULL, NULL);
}
