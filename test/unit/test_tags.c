// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/heap/tags.h: every block in an array of a few pairs, forwards and backwards.
// CALLERS     ctest, on every preset.
#include "heap/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PAIRS 5u
#define FENCE (PAIRS * TAG_GRANULES - 1)

static struct tag_word tags[PAIRS];

// The array holds rubbish where nothing is said about it.
static void begin(uint32_t rubbish)
{
    for (uint32_t i = 0; i < PAIRS; i++) {
        tags[i] = (struct tag_word){0, rubbish};
    }
    start_set(tags, 0);
    edge_write(tags, 0, false);
    start_set(tags, FENCE);
    edge_write(tags, FENCE, false);
}

static void assert_block(uint32_t start, uint32_t end, bool free)
{
    assert_int_equal(block_length(tags, start), end - start);
    assert_int_equal(length_before(tags, end), end - start);
    assert_int_equal(is_used_start(tags, start), !free);
    assert_int_equal(is_free_start(tags, start), free);
    assert_true(is_start(tags, start));
    assert_int_equal(is_free_edge(tags, start), free);
    assert_int_equal(is_free_edge(tags, end - 1), free);
}

// Every block [start, end) with one block before and one behind, in every state of the three.
static void any_block_between_two_is_measured_from_both_ends(void **state)
{
    (void)state;
    for (uint32_t start = 2; start < FENCE - 1; start++) {
        for (uint32_t end = start + 1; end < FENCE; end++) {
            for (uint32_t way = 0; way < 4; way++) {
                const bool free = (way & 1) != 0;
                begin((way & 2) != 0 ? ~(uint32_t)0 : 0);
                start_set(tags, 1);
                start_set(tags, start);
                start_set(tags, end);
                tags_mark(tags, 1, start, !free);
                tags_mark(tags, end, FENCE, !free);
                tags_mark(tags, start, end, free);
                assert_block(1, start, !free);
                assert_block(start, end, free);
                assert_block(end, FENCE, !free);
            }
        }
    }
}

static void a_block_may_take_the_whole_array(void **state)
{
    (void)state;
    begin(0x5A5A5A5A);
    start_set(tags, 1);
    tags_mark(tags, 1, FENCE, true);
    assert_block(1, FENCE, true);
    assert_int_equal(tags[1].edge, record_make(FENCE - 1, true));
    assert_int_equal(tags[PAIRS - 2].edge, record_make(FENCE - 1, true));
}

static void only_the_start_is_a_start(void **state)
{
    (void)state;
    begin(0);
    start_set(tags, 1);
    start_set(tags, 9);
    tags_mark(tags, 1, 9, true);
    tags_mark(tags, 9, FENCE, false);
    for (uint32_t i = 2; i < FENCE; i++) {
        assert_int_equal(is_start(tags, i), i == 9);
        assert_int_equal(is_used_start(tags, i), i == 9);
        assert_false(is_free_start(tags, i));
    }
}

static void a_start_can_be_taken_away(void **state)
{
    (void)state;
    begin(0);
    for (uint32_t i = 1; i < FENCE; i++) {
        start_set(tags, i);
        assert_true(is_start(tags, i));
        start_clear(tags, i);
        assert_false(is_start(tags, i));
    }
}

static void an_edge_is_written_alone(void **state)
{
    (void)state;
    begin(0);
    edge_write(tags, 7, true);
    assert_true(is_free_edge(tags, 7));
    assert_false(is_free_edge(tags, 6));
    assert_false(is_free_edge(tags, 8));
    edge_write(tags, 7, false);
    assert_false(is_free_edge(tags, 7));
}

static void a_record_keeps_length_and_state(void **state)
{
    (void)state;
    assert_int_equal(record_length(record_make(GRANULES_MAX >> (RECORD_SHIFT), false)), GRANULES_MAX >> RECORD_SHIFT);
    assert_int_equal(record_length(record_make(1, true)), 1);
    assert_int_not_equal(record_make(100, true), record_make(100, false));
}

static void pairs_cover_the_fence(void **state)
{
    (void)state;
    for (uint32_t n = 1; n < 8 * TAG_GRANULES; n++) {
        assert_true(tag_pairs(n) * TAG_GRANULES > n + 1);
        assert_true((tag_pairs(n) - 1) * TAG_GRANULES <= n + 1);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_block_between_two_is_measured_from_both_ends),
        cmocka_unit_test(a_block_may_take_the_whole_array),
        cmocka_unit_test(only_the_start_is_a_start),
        cmocka_unit_test(a_start_can_be_taken_away),
        cmocka_unit_test(an_edge_is_written_alone),
        cmocka_unit_test(a_record_keeps_length_and_state),
        cmocka_unit_test(pairs_cover_the_fence),
    };
    return cmocka_run_group_tests_name("tags", tests, NULL, NULL);
}
