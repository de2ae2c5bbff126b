// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/heap/check.c: each rule of the image broken by hand must be named, and no other.
// PICTURE     the image of every test: used 3 | free 9 | used 1 | free 11 | used 2 | free 4 | used, long | free to the fence
// CALLERS     ctest, on every preset.
#include "fixture.h"
#include "prng.h"

static uint32_t low, hole, one, second, two, short_hole, big, tail; // first granules of those blocks

static int setup(void **state)
{
    if (fixture_setup(state) != 0) {
        return -1;
    }
    low = number_of(take_granules(3));
    hole = number_of(take_granules(9));
    one = number_of(take_granules(1));
    second = number_of(take_granules(11));
    two = number_of(take_granules(2));
    short_hole = number_of(take_granules(4));
    big = number_of(take_granules(CONTROL->granules - 48));
    tail = big + CONTROL->granules - 48;
    cairn_heap_free(HEAP, at(hole));
    cairn_heap_free(HEAP, at(second));
    cairn_heap_free(HEAP, at(short_hole));
    assert_sound();
    fixture.damaged = true;
    return 0;
}

// What the steps say, one tag word at a time, from the first to the last.
static enum cairn_rule rule_by_steps(uint32_t words)
{
    uint32_t cursor = 0;
    do {
        struct cairn_fault fault;
        if (cairn_heap_check_step(HEAP, &cursor, words, &fault) != 0) {
            assert_non_null(fault.address);
            return fault.rule;
        }
        assert_int_equal(fault.rule, CAIRN_RULE_NONE);
    } while (cursor != 0);
    return CAIRN_RULE_NONE;
}

// The whole check and the steps name it; put right again, both pass.
#define BREAKS(rule, place, change, repair) \
    do { \
        change; \
        assert_names(rule); \
        assert_int_equal(cairn_heap_check(HEAP, NULL), CAIRN_ECORRUPT); \
        assert_int_equal(rule_by_steps(1), rule); \
        assert_int_equal(rule_by_steps(1000), rule); \
        assert_address(place); \
        repair; \
        assert_sound(); \
        assert_int_equal(rule_by_steps(1), CAIRN_RULE_NONE); \
    } while (0)
// The same for what only the whole check sees.
#define BREAKS_WHOLE(rule, change, repair) \
    do { \
        change; \
        assert_names(rule); \
        assert_int_equal(rule_by_steps(1), CAIRN_RULE_NONE); \
        repair; \
        assert_sound(); \
    } while (0)

static void assert_address(const void *address)
{
    struct cairn_fault fault;
    assert_int_equal(cairn_heap_check(HEAP, &fault), CAIRN_ECORRUPT);
    assert_ptr_equal(fault.address, address);
}

static void t1_the_first_granule_starts_a_block(void **state)
{
    (void)state;
    BREAKS(CAIRN_RULE_T1, at(1), start_clear(TAGS, 1), start_set(TAGS, 1));
    BREAKS(CAIRN_RULE_T1, at(1), start_clear(TAGS, 0), start_set(TAGS, 0));
    BREAKS(CAIRN_RULE_T1, at(1), edge_write(TAGS, 0, true), edge_write(TAGS, 0, false));
}

static void t1_the_fence_is_used_and_nothing_starts_behind(void **state)
{
    const uint32_t fence = fence_of(CONTROL);
    (void)state;
    BREAKS(CAIRN_RULE_T1, at(fence), start_clear(TAGS, fence), start_set(TAGS, fence));
    BREAKS(CAIRN_RULE_T1, at(fence), edge_write(TAGS, fence, true), edge_write(TAGS, fence, false));
    for (uint32_t i = fence + 1; (i & TAG_MASK) != 0; i++) {
        BREAKS(CAIRN_RULE_T1, at(fence), start_set(TAGS, i), start_clear(TAGS, i));
    }
}

static void t1_nothing_starts_in_the_pairs_behind_the_fence(void **state)
{
    (void)state;
    fixture.config.max_size = FIXTURE_REGION;
    fixture_make(1024);
    const uint32_t fence = fence_of(CONTROL);
    for (uint32_t i = fence + 1; i <= CONTROL->limit + 1; i += 5) {
        start_set(TAGS, i);
        assert_names(CAIRN_RULE_T1);
        start_clear(TAGS, i);
    }
    assert_sound();
}

// The first tag word that lies whole inside the big block, and the last.
static struct tag_word *first_record(void)
{
    return &TAGS[(big >> CAIRN_TAG_SHIFT) + 1];
}

static struct tag_word *last_record(void)
{
    return &TAGS[(tail >> CAIRN_TAG_SHIFT) - 1];
}

static void t2_a_block_ends_where_the_next_starts(void **state)
{
    static const uint32_t bad[] = {0, 1, 50, 0x7FFFFFFF >> RECORD_SHIFT, 0x1000};
    (void)state;
    const uint32_t record = first_record()->edge;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (bad[i] != 0 && bad[i] < fence_of(CONTROL) - big && is_start(TAGS, big + bad[i])) {
            continue;
        }
        BREAKS(CAIRN_RULE_T2, at(big), first_record()->edge = record_make(bad[i], false), first_record()->edge = record);
    }
}

static void t3_no_two_neighbours_are_both_free(void **state)
{
    (void)state;
    BREAKS(CAIRN_RULE_T3, at(hole), tags_mark(TAGS, one, second, true), tags_mark(TAGS, one, second, false));
    BREAKS(CAIRN_RULE_T3, at(second), edge_write(TAGS, two, true), edge_write(TAGS, two, false));
}

static void t4_both_records_say_the_same(void **state)
{
    (void)state;
    const uint32_t record = last_record()->edge;
    assert_int_equal(record, record_make(tail - big, false));
    BREAKS(CAIRN_RULE_T4, at(big), last_record()->edge = record_make(tail - big + 1, false), last_record()->edge = record);
    BREAKS(CAIRN_RULE_T4, at(big), last_record()->edge = record_make(tail - big, true), last_record()->edge = record);
    BREAKS(CAIRN_RULE_T4, at(big), first_record()->edge ^= RECORD_FREE, first_record()->edge ^= RECORD_FREE);
    BREAKS(CAIRN_RULE_T4, at(big), last_record()->start ^= 2, last_record()->start ^= 2);
}

// Steps that begin behind the block see its last record only.
static void t4_is_found_from_behind_too(void **state)
{
    struct cairn_fault fault;
    static const uint32_t bad[] = {0, 1, 7, 0x7FFFFFFF >> RECORD_SHIFT};
    (void)state;
    const uint32_t record = last_record()->edge;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        last_record()->edge = record_make(bad[i], false);
        uint32_t cursor = tail >> CAIRN_TAG_SHIFT;
        assert_int_equal(cairn_heap_check_step(HEAP, &cursor, 1, &fault), CAIRN_ECORRUPT);
        assert_int_equal(fault.rule, CAIRN_RULE_T4);
    }
    last_record()->edge = record;
    assert_sound();
}

static void t4_a_start_inside_a_long_block_is_found(void **state)
{
    (void)state;
    for (uint32_t i = big + 2; i < tail; i++) { // each but those that only shorten the block by a whole, sound one
        start_set(TAGS, i);
        assert_int_equal(cairn_heap_check(HEAP, NULL), CAIRN_ECORRUPT);
        start_clear(TAGS, i);
    }
    assert_sound();
}

static void t5_both_ends_say_whether_it_is_free(void **state)
{
    (void)state;
    BREAKS(CAIRN_RULE_T5, at(low), edge_write(TAGS, hole - 1, true), edge_write(TAGS, hole - 1, false));
    BREAKS(CAIRN_RULE_T5, at(hole), edge_write(TAGS, one - 1, false), edge_write(TAGS, one - 1, true));
    BREAKS(CAIRN_RULE_T5, at(hole), edge_write(TAGS, hole, false), edge_write(TAGS, hole, true));
}

static void t6_links_are_mutual(void **state)
{
    struct block_links *const links = links_at(HEAP->base, hole);
    static const uint32_t bad[] = {0xFFFFFFFF, 0x80000000, 3000, 1, 2};
    (void)state;
    const struct block_links kept = *links;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        BREAKS(CAIRN_RULE_T6, at(hole), links->next = bad[i], *links = kept);
        BREAKS(CAIRN_RULE_T6, at(hole), links->prev = bad[i], *links = kept);
    }
    BREAKS(CAIRN_RULE_T6, at(hole), links->next = hole, *links = kept);
    BREAKS(CAIRN_RULE_T6, at(hole), links->next = short_hole, *links = kept);
}

static void t6_a_list_holds_its_lengths_only(void **state)
{
    struct block_links *const links = links_at(HEAP->base, second);
    struct block_links *const other = links_at(HEAP->base, short_hole);
    (void)state;
    const struct block_links kept = *links, other_kept = *other;
    assert_int_equal(kept.next, hole); // the head of its list
    const uint32_t head = CONTROL->heads[4];
    CONTROL->heads[4] = second; // a longer block
    assert_int_equal(cairn_heap_check(HEAP, NULL), CAIRN_ECORRUPT);
    CONTROL->heads[4] = head;
    links_at(HEAP->base, hole)->next = short_hole; // a shorter block at the end, linked both ways
    other->prev = hole;
    assert_names(CAIRN_RULE_T6);
    links_at(HEAP->base, hole)->next = 0;
    *other = other_kept;
    assert_sound();
}

static void t6_the_hint_is_the_length(void **state)
{
    struct block_links *const hint = hint_at(HEAP->base, hole);
    (void)state;
    BREAKS(CAIRN_RULE_T6, at(hole), hint->next++, hint->next--);
    BREAKS(CAIRN_RULE_T6, at(second), hint_at(HEAP->base, second)->next = 0, hint_at(HEAP->base, second)->next = 11);
}

static void t6_a_head_is_a_free_block(void **state)
{
    (void)state;
    uint32_t *const head = &CONTROL->heads[6]; // an empty list
    const uint32_t map = CONTROL->map;
    CONTROL->map |= 1u << 6;
    static const uint32_t bad[] = {0xFFFFFFFF, 5000};
    for (size_t i = 0; i < 2; i++) {
        BREAKS_WHOLE(CAIRN_RULE_T6, *head = bad[i], (*head = 0, CONTROL->map = map));
        CONTROL->map |= 1u << 6;
    }
    BREAKS_WHOLE(CAIRN_RULE_T6, *head = low, (*head = 0, CONTROL->map = map));
    CONTROL->map |= 1u << 6;
    BREAKS_WHOLE(CAIRN_RULE_T6, *head = short_hole, (*head = 0, CONTROL->map = map));
}

static void t6_a_free_block_in_no_list_is_missed(void **state)
{
    (void)state;
    links_at(HEAP->base, second)->next = 0; // its neighbour still points back: both ends disagree
    assert_names(CAIRN_RULE_T6);
    links_at(HEAP->base, hole)->prev = hole;
    links_at(HEAP->base, hole)->next = hole; // a list of its own, in a circle
    assert_names(CAIRN_RULE_T6);
}

static void t7_the_bit_is_set_where_the_list_is_not_empty(void **state)
{
    (void)state;
    const uint32_t map = CONTROL->map;
    BREAKS(CAIRN_RULE_T7, at(hole), CONTROL->map &= ~(1u << bin_of(9)), CONTROL->map = map);
    BREAKS(CAIRN_RULE_T7, at(short_hole), CONTROL->map &= ~(1u << 4), CONTROL->map = map);
    for (uint32_t bin = 0; bin < 32; bin++) {
        if ((map >> bin & 1) == 0) {
            BREAKS_WHOLE(CAIRN_RULE_T7, CONTROL->map |= (uint32_t)1 << bin, CONTROL->map = map);
        }
    }
}

static void t8_the_counters_agree(void **state)
{
    uint32_t *const counters[] = {&CONTROL->used, &CONTROL->used_blocks, &CONTROL->free_blocks};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        BREAKS_WHOLE(CAIRN_RULE_T8, (*counters[i])++, (*counters[i])--);
    }
    BREAKS_WHOLE(CAIRN_RULE_T8, CONTROL->used--, CONTROL->used++);
    const uint32_t peak = CONTROL->peak;
    BREAKS_WHOLE(CAIRN_RULE_T8, CONTROL->peak = CONTROL->used - 1, CONTROL->peak = peak);
    BREAKS_WHOLE(CAIRN_RULE_T8, CONTROL->peak = CONTROL->limit + 1, CONTROL->peak = peak);
}

static void t9_the_control_is_in_range(void **state)
{
    (void)state;
    const struct heap_control kept = *CONTROL;
#define BREAKS_T9(change) BREAKS(CAIRN_RULE_T9, (void *)CONTROL, change, memcpy(CONTROL, &kept, sizeof kept))
    BREAKS_T9(CONTROL->magic++);
    BREAKS_T9(CONTROL->magic = 0);
    BREAKS_T9(CONTROL->granules = 0);
    BREAKS_T9(CONTROL->granules = kept.limit + 1);
    BREAKS_T9(CONTROL->limit = kept.granules - 1);
    BREAKS_T9(CONTROL->limit = GRANULES_MAX + 1);
    BREAKS_T9(CONTROL->limit = 0xFFFFFFFF);
    BREAKS_T9(CONTROL->limit = kept.limit + 4 * TAG_GRANULES); // not what lies in front of the granules
    BREAKS_T9(CONTROL->fit = 0x80);
    BREAKS_T9(CONTROL->fit = 0xFF);
    BREAKS_T9(CONTROL->search = 0);
    BREAKS_T9(CONTROL->flags ^= FLAG_GRANULE_16);
    BREAKS_T9(CONTROL->flags |= 0x08);
}

static void arguments_out_of_range_are_refused(void **state)
{
    struct cairn_heap none = {0};
    struct cairn_fault fault = {CAIRN_RULE_T1, HEAP};
    uint32_t cursor = 0;
    (void)state;
    assert_int_equal(cairn_heap_check(NULL, &fault), CAIRN_EINVAL);
    assert_int_equal(fault.rule, CAIRN_RULE_NONE);
    assert_int_equal(cairn_heap_check(&none, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_check(HEAP, NULL), 0);
    assert_int_equal(cairn_heap_check_step(NULL, &cursor, 1, &fault), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_check_step(&none, &cursor, 1, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_check_step(HEAP, NULL, 1, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_check_step(HEAP, &cursor, 0, NULL), CAIRN_EINVAL);
    assert_int_equal(cursor, 0);
}

static void a_step_advances_and_wraps(void **state)
{
    (void)state;
    const uint32_t pairs = tag_pairs(CONTROL->granules);
    for (uint32_t words = 1; words < pairs + 3; words++) {
        uint32_t cursor = 0;
        for (uint32_t seen = words; seen < pairs; seen += words) {
            assert_int_equal(cairn_heap_check_step(HEAP, &cursor, words, NULL), 0);
            assert_int_equal(cursor, seen);
        }
        assert_int_equal(cairn_heap_check_step(HEAP, &cursor, words, NULL), 0);
        assert_int_equal(cursor, 0);
    }
}

static void a_cursor_behind_the_end_begins_again(void **state)
{
    (void)state;
    uint32_t cursor = tag_pairs(CONTROL->granules);
    assert_int_equal(cairn_heap_check_step(HEAP, &cursor, 1, NULL), 0);
    assert_int_equal(cursor, 0);
    cursor = 0xFFFFFFFF;
    assert_int_equal(cairn_heap_check_step(HEAP, &cursor, 0xFFFFFFFF, NULL), 0);
    assert_int_equal(cursor, 0);
}

static void steps_go_on_while_the_heap_is_used(void **state)
{
    void *live[24] = {NULL};
    struct prng prng;
    uint32_t cursor = 0;
    (void)state;
    fixture.config.max_size = FIXTURE_REGION;
    fixture_make(FIXTURE_REGION);
    prng_seed(&prng, 1);
    for (int i = 0; i < 3000; i++) {
        void **const slot = &live[prng_below(&prng, 24)];
        if (*slot != NULL) {
            cairn_heap_free(HEAP, *slot);
            *slot = NULL;
        } else {
            *slot = cairn_heap_alloc(HEAP, granules(1 + prng_below(&prng, prng_below(&prng, 8) == 0 ? 100 : 12)));
        }
        if ((i & 63) == 63) {
            const int error = (i & 64) != 0 ? cairn_heap_shrink(HEAP, FIXTURE_REGION - prng_below(&prng, 1200))
                                            : cairn_heap_grow(HEAP, FIXTURE_REGION);
            assert_true(error == 0 || error == CAIRN_EBUSY);
        }
        assert_int_equal(cairn_heap_check_step(HEAP, &cursor, 1 + prng_below(&prng, 3), NULL), 0);
    }
    free_all();
    assert_sound();
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
    static const struct CMUnitTest tests[] = {
        TEST(t1_the_first_granule_starts_a_block),
        TEST(t1_the_fence_is_used_and_nothing_starts_behind),
        TEST(t1_nothing_starts_in_the_pairs_behind_the_fence),
        TEST(t2_a_block_ends_where_the_next_starts),
        TEST(t3_no_two_neighbours_are_both_free),
        TEST(t4_both_records_say_the_same),
        TEST(t4_is_found_from_behind_too),
        TEST(t4_a_start_inside_a_long_block_is_found),
        TEST(t5_both_ends_say_whether_it_is_free),
        TEST(t6_links_are_mutual),
        TEST(t6_a_list_holds_its_lengths_only),
        TEST(t6_the_hint_is_the_length),
        TEST(t6_a_head_is_a_free_block),
        TEST(t6_a_free_block_in_no_list_is_missed),
        TEST(t7_the_bit_is_set_where_the_list_is_not_empty),
        TEST(t8_the_counters_agree),
        TEST(t9_the_control_is_in_range),
        TEST(arguments_out_of_range_are_refused),
        TEST(a_step_advances_and_wraps),
        TEST(a_cursor_behind_the_end_begins_again),
        TEST(steps_go_on_while_the_heap_is_used),
    };
    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
