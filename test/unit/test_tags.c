// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/heap/tags.h: every block in an array of a few pairs, forwards and backwards.
// CALLERS     ctest, on every preset.
#include "heap/tags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PAIRS 5u
#define FENCE (PAIRS * TAG_BORDERS - 1)

static struct tag_word tags[PAIRS];

// The array holds rubbish where nothing is said about it.
static void begin(uint32_t rubbish)
{
    for (uint32_t i = 0; i < PAIRS; i++) {
        tags[i] = (struct tag_word){0, rubbish};
    }
    tag_mark(tags, 0, 0, TAG_USED);
    tag_mark(tags, FENCE - 1, FENCE, TAG_USED);
}

static void assert_block(uint32_t from, uint32_t to, uint32_t state)
{
    assert_int_equal(length_after(tags, from), to - from);
    assert_int_equal(length_before(tags, to), to - from);
    assert_int_equal(tag_state(tags, to), state);
    assert_int_equal(cairn_tags_after_(tags, from), to - from); // the one copy of each, which some builds and some paths use
    assert_int_equal(cairn_tags_before_(tags, to), to - from);
    assert_int_equal(tag_state(tags, to), state);
    assert_int_equal(is_free_end(tags, to), state == TAG_FREE);
    assert_int_equal(ends_free(tags, to), state == TAG_FREE);
    assert_true(is_border(tags, from));
    assert_true(is_border(tags, to));
}

// Pairs with a border say of nothing else that it is free.
static void assert_nothing_left_over(void)
{
    for (uint32_t i = 0; i < PAIRS; i++) {
        assert_true(tags[i].border == 0 || (tags[i].free & ~tags[i].border) == 0);
    }
}

// Every block with one block before and one behind, in every state of the three, marked in any order.
static void any_block_between_two_is_measured_from_both_ends(void **state)
{
    (void)state;
    for (uint32_t from = 1; from < FENCE - 2; from++) {
        for (uint32_t to = from + 1; to < FENCE - 1; to++) {
            for (uint32_t way = 0; way < 8; way++) {
                const uint32_t its = (way & 1) != 0 ? TAG_FREE : TAG_USED;
                const uint32_t others = TAG_FREE + TAG_USED - its;
                begin((way & 2) != 0 ? ~(uint32_t)0 : 0);
                if ((way & 4) != 0) {
                    tag_mark(tags, from, to, its);
                }
                tag_mark(tags, 0, from, others);
                tag_mark(tags, to, FENCE - 1, others);
                if ((way & 4) == 0) {
                    tag_mark(tags, from, to, its);
                }
                assert_block(0, from, others);
                assert_block(from, to, its);
                assert_block(to, FENCE - 1, others);
                assert_block(FENCE - 1, FENCE, TAG_USED);
                assert_nothing_left_over();
            }
        }
    }
}

static void a_block_may_take_the_whole_array(void **state)
{
    (void)state;
    begin(0x5A5A5A5A);
    tag_mark(tags, 0, FENCE - 1, TAG_FREE);
    assert_block(0, FENCE - 1, TAG_FREE);
    assert_int_equal(tags[1].free, FENCE - 1);
    assert_int_equal(tags[PAIRS - 2].free, FENCE - 1);
}

static void only_a_border_is_a_border(void **state)
{
    (void)state;
    begin(0);
    tag_mark(tags, 0, 9, TAG_FREE);
    tag_mark(tags, 9, FENCE - 1, TAG_USED);
    for (uint32_t i = 1; i < FENCE - 1; i++) {
        assert_int_equal(is_border(tags, i), i == 9);
        assert_int_equal(is_free_end(tags, i), i == 9);
    }
}

// What a merge does: the border goes, and one block is marked over both.
static void a_border_can_be_taken_away(void **state)
{
    (void)state;
    for (uint32_t i = 1; i < FENCE - 1; i++) {
        begin(~(uint32_t)0);
        tag_mark(tags, 0, i, (i & 1) != 0 ? TAG_FREE : TAG_USED);
        tag_mark(tags, i, FENCE - 1, TAG_FREE);
        tag_clear(tags, i);
        tag_mark(tags, 0, FENCE - 1, TAG_FREE);
        assert_false(is_border(tags, i));
        assert_block(0, FENCE - 1, TAG_FREE);
        assert_nothing_left_over();
    }
}

static void a_state_can_be_changed_and_back(void **state)
{
    (void)state;
    begin(~(uint32_t)0);
    tag_mark(tags, 0, FENCE - 1, TAG_USED);
    tag_mark(tags, 6, 9, TAG_USED);
    tag_mark(tags, 9, FENCE - 1, TAG_USED);
    tag_mark(tags, 0, 6, TAG_USED);
    tag_mark(tags, 6, 9, TAG_FREE);
    assert_block(6, 9, TAG_FREE);
    assert_block(0, 6, TAG_USED);
    tag_mark(tags, 6, 9, TAG_USED);
    assert_block(6, 9, TAG_USED);
    assert_nothing_left_over();
}

static void pairs_cover_the_fence(void **state)
{
    (void)state;
    for (uint32_t n = 1; n < 8 * TAG_BORDERS; n++) {
        assert_true(tag_pairs(n) * TAG_BORDERS > n + 1);
        assert_true((tag_pairs(n) - 1) * TAG_BORDERS <= n + 1);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_block_between_two_is_measured_from_both_ends),
        cmocka_unit_test(a_block_may_take_the_whole_array),
        cmocka_unit_test(only_a_border_is_a_border),
        cmocka_unit_test(a_border_can_be_taken_away),
        cmocka_unit_test(a_state_can_be_changed_and_back),
        cmocka_unit_test(pairs_cover_the_fence),
    };
    return cmocka_run_group_tests_name("tags", tests, NULL, NULL);
}
