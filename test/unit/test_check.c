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

// One bit of a border in either word, turned over. The border where the block that starts at granule g begins is g - 1.
static void flip_border(uint32_t border)
{
    TAGS[border >> CAIRN_TAG_SHIFT].border ^= tag_bit(border);
}

static void flip_free(uint32_t border)
{
    TAGS[border >> CAIRN_TAG_SHIFT].free ^= tag_bit(border);
}

static void t1_what_ends_at_border_0_is_used(void **state)
{
    (void)state;
    BREAKS(CAIRN_RULE_T1, at(1), flip_border(0), flip_border(0));
    BREAKS(CAIRN_RULE_T1, at(1), flip_free(0), flip_free(0));
}

static void t1_a_used_granule_without_memory_ends_at_the_fence(void **state)
{
    const uint32_t fence = fence_of(CONTROL);
    (void)state;
    BREAKS(CAIRN_RULE_T1, at(fence), flip_border(fence - 1), flip_border(fence - 1));
    BREAKS(CAIRN_RULE_T1, at(fence), flip_border(fence), flip_border(fence));
    BREAKS(CAIRN_RULE_T1, at(fence), flip_free(fence), flip_free(fence));
    for (uint32_t i = fence + 1; (i & TAG_MASK) != 0; i++) {
        BREAKS(CAIRN_RULE_T1, at(fence), flip_border(i), flip_border(i));
    }
}

static void t1_what_is_in_the_pairs_behind_the_fences_is_nobodys(void **state)
{
    (void)state;
    fixture.config.max_size = FIXTURE_REGION;
    fixture_make(1024);
    const uint32_t limit = CONTROL->limit;
    for (uint32_t pair = tag_pairs(CONTROL->granules); pair < tag_pairs(limit); pair++) {
        TAGS[pair] = (struct tag_word){UINT32_MAX, UINT32_MAX};
    }
    assert_sound();
    assert_int_equal(cairn_heap_grow(HEAP, FIXTURE_REGION), 0);
    assert_sound();
    assert_blocks(0, 1);
    assert_largest(limit);
}

// The first tag word that lies whole inside the big block, and the last.
static struct tag_word *first_record(void)
{
    return &TAGS[((big - 1) >> CAIRN_TAG_SHIFT) + 1];
}

static struct tag_word *last_record(void)
{
    return &TAGS[((tail - 1) >> CAIRN_TAG_SHIFT) - 1];
}

static void t2_a_block_ends_where_the_next_begins(void **state)
{
    static const uint32_t bad[] = {0, 1, 50, 0x7FFFFFFF, 0xFFFFFFFF, 0x1000};
    (void)state;
    const uint32_t record = first_record()->free;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (bad[i] != 0 && bad[i] < fence_of(CONTROL) - big && is_border(TAGS, big - 1 + bad[i])) {
            continue;
        }
        BREAKS(CAIRN_RULE_T2, at(big), first_record()->free = bad[i], first_record()->free = record);
    }
}

// A block that turns free beside a free one: the check comes to it at the second of the two.
static void t3_no_two_neighbours_are_both_free(void **state)
{
    (void)state;
    BREAKS(CAIRN_RULE_T3, at(one), flip_free(second - 1), flip_free(second - 1));
    BREAKS(CAIRN_RULE_T3, at(two), flip_free(short_hole - 1), flip_free(short_hole - 1));
}

static void t4_both_records_say_the_same(void **state)
{
    (void)state;
    const uint32_t record = last_record()->free;
    assert_int_equal(record, tail - big);
    BREAKS(CAIRN_RULE_T4, at(big), last_record()->free++, last_record()->free--);
    BREAKS(CAIRN_RULE_T4, at(big), last_record()->free ^= 0x80000000, last_record()->free ^= 0x80000000);
    BREAKS(CAIRN_RULE_T4, at(big), (last_record()->border ^= 2, last_record()->free = 0),
           (last_record()->border ^= 2, last_record()->free = record));
}

// Steps that begin behind the block see its last record only.
static void t4_is_found_from_behind_too(void **state)
{
    struct cairn_fault fault;
    static const uint32_t bad[] = {0, 1, 7, 0x7FFFFFFF, 0xFFFFFFFF};
    (void)state;
    const uint32_t record = last_record()->free;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        last_record()->free = bad[i];
        uint32_t cursor = (tail - 1) >> CAIRN_TAG_SHIFT;
        assert_int_equal(cairn_heap_check_step(HEAP, &cursor, 1, &fault), CAIRN_ECORRUPT);
        assert_int_equal(fault.rule, CAIRN_RULE_T4);
    }
    last_record()->free = record;
    assert_sound();
}

static void t4_a_border_inside_a_long_block_is_found(void **state)
{
    (void)state;
    for (uint32_t i = big; i < tail - 1; i++) {
        flip_border(i);
        assert_int_equal(cairn_heap_check(HEAP, NULL), CAIRN_ECORRUPT);
        flip_border(i);
    }
    assert_sound();
}

// In every pair that has a border, everything that is none.
static void t5_nothing_is_free_where_nothing_ends(void **state)
{
    (void)state;
    for (uint32_t i = 1; i < tag_pairs(CONTROL->granules) * TAG_BORDERS; i++) {
        struct tag_word *const tag = &TAGS[i >> CAIRN_TAG_SHIFT];
        if (tag->border != 0 && !is_border(TAGS, i)) {
            BREAKS(CAIRN_RULE_T5, (void *)tag, flip_free(i), flip_free(i));
        }
    }
    BREAKS(CAIRN_RULE_T6, at(second), flip_free(one - 1), flip_free(one - 1)); // a block that is not free, in a list
}

static void t6_links_are_mutual(void **state)
{
    struct block_links *const links = links_of(hole);
    static const uint32_t bad[] = {0xFFFFFFFF, 0x80000000, 3000, 1, 2};
    (void)state;
    const struct block_links kept = *links;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        BREAKS(CAIRN_RULE_T6, at(hole), links->next = bad[i], *links = kept);
        BREAKS(CAIRN_RULE_T6, at(hole), links->prev = bad[i], *links = kept);
    }
    BREAKS(CAIRN_RULE_T6, at(hole), links->next = end_of(hole), *links = kept);
    BREAKS(CAIRN_RULE_T6, at(hole), links->next = end_of(short_hole), *links = kept);
}

static void t6_a_list_holds_its_lengths_only(void **state)
{
    struct block_links *const links = links_of(second);
    struct block_links *const other = links_of(short_hole);
    (void)state;
    const struct block_links kept = *links, other_kept = *other;
    assert_int_equal(kept.next, end_of(hole)); // the head of its list
    const uint32_t head = CONTROL->heads[4];
    CONTROL->heads[4] = end_of(second); // a longer block
    assert_int_equal(cairn_heap_check(HEAP, NULL), CAIRN_ECORRUPT);
    CONTROL->heads[4] = head;
    links_of(hole)->next = end_of(short_hole); // a shorter block at the end, linked both ways
    other->prev = end_of(hole);
    assert_names(CAIRN_RULE_T6);
    links_of(hole)->next = 0;
    *other = other_kept;
    assert_sound();
}

static void t6_the_hint_is_the_length(void **state)
{
    uint32_t *const hint = hint_for(hole);
    (void)state;
    BREAKS(CAIRN_RULE_T6, at(hole), (*hint)++, (*hint)--);
    BREAKS(CAIRN_RULE_T6, at(second), *hint_for(second) = 0, *hint_for(second) = 11);
}

static void t6_a_head_is_a_free_block(void **state)
{
    (void)state;
    uint32_t *const head = &CONTROL->heads[6]; // an empty list
    const uint32_t map = CONTROL->map;
    CONTROL->map |= bin_bit(6);
    static const uint32_t bad[] = {0xFFFFFFFF, 5000};
    for (size_t i = 0; i < 2; i++) {
        BREAKS_WHOLE(CAIRN_RULE_T6, *head = bad[i], (*head = 0, CONTROL->map = map));
        CONTROL->map |= bin_bit(6);
    }
    BREAKS_WHOLE(CAIRN_RULE_T6, *head = end_of(low), (*head = 0, CONTROL->map = map));
    CONTROL->map |= bin_bit(6);
    BREAKS_WHOLE(CAIRN_RULE_T6, *head = end_of(short_hole), (*head = 0, CONTROL->map = map));
}

static void t6_a_free_block_in_no_list_is_missed(void **state)
{
    (void)state;
    links_of(second)->next = 0; // its neighbour still points back: both ends disagree
    assert_names(CAIRN_RULE_T6);
    links_of(hole)->prev = end_of(hole);
    links_of(hole)->next = end_of(hole); // a list of its own, in a circle
    assert_names(CAIRN_RULE_T6);
}

static void t7_the_bit_is_set_where_the_list_is_not_empty(void **state)
{
    (void)state;
    const uint32_t map = CONTROL->map;
    BREAKS(CAIRN_RULE_T7, at(hole), CONTROL->map &= ~bin_bit(bin_of(9)), CONTROL->map = map);
    BREAKS(CAIRN_RULE_T7, at(short_hole), CONTROL->map &= ~bin_bit(4), CONTROL->map = map);
    for (uint32_t bin = 0; bin < 32; bin++) {
        if ((map & bin_bit(bin)) == 0) {
            BREAKS_WHOLE(CAIRN_RULE_T7, CONTROL->map |= bin_bit(bin), CONTROL->map = map);
        }
    }
}

static void t8_the_counters_agree(void **state)
{
    uint32_t *const counters[] = {&CONTROL->used, &CONTROL->blocks, &CONTROL->free_blocks};
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
    BREAKS_T9(CONTROL->limit = kept.limit + 4 * TAG_BORDERS); // not what lies in front of the granules
    BREAKS_T9(CONTROL->fit = 0x80);
    BREAKS_T9(CONTROL->fit = CAIRN_FIT_BOUNDED | FIT_ALL);
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
        TEST(t1_what_ends_at_border_0_is_used),
        TEST(t1_a_used_granule_without_memory_ends_at_the_fence),
        TEST(t1_what_is_in_the_pairs_behind_the_fences_is_nobodys),
        TEST(t2_a_block_ends_where_the_next_begins),
        TEST(t3_no_two_neighbours_are_both_free),
        TEST(t4_both_records_say_the_same),
        TEST(t4_is_found_from_behind_too),
        TEST(t4_a_border_inside_a_long_block_is_found),
        TEST(t5_nothing_is_free_where_nothing_ends),
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
