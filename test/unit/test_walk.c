// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/heap/walk.c: walk, usable size, statistics.
// CALLERS     ctest, on every preset.
#include "fixture.h"

struct seen {
    uint32_t count;
    uint32_t used;
    uint32_t end;  // granule behind the last block seen
    int stop_at;   // block at which to stop; -1: never
    bool was_free; // the last
};

static int look(void *context, const struct cairn_block *block)
{
    struct seen *const seen = context;
    assert_int_equal(number_of(block->address), seen->end);
    assert_true(block->size > 0 && block->size % G == 0);
    assert_false(seen->was_free && !block->used);
    seen->was_free = !block->used;
    seen->end += (uint32_t)(block->size / G);
    seen->used += block->used;
    if ((int)seen->count++ == seen->stop_at) {
        return 77;
    }
    return 0;
}

static void walk_shows_each_block_by_rising_address(void **state)
{
    struct seen seen = {0, 0, 1, -1, false};
    (void)state;
    assert_int_equal(cairn_heap_walk(HEAP, look, &seen), 0);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.end, fence_of(CONTROL));
    void *const a = take_granules(3);
    void *const b = take_granules(40);
    void *const c = take_granules(1);
    cairn_heap_free(HEAP, b);
    seen = (struct seen){0, 0, 1, -1, false};
    assert_int_equal(cairn_heap_walk(HEAP, look, &seen), 0);
    assert_int_equal(seen.count, 4);
    assert_int_equal(seen.used, 2);
    assert_int_equal(seen.end, fence_of(CONTROL));
    cairn_heap_free(HEAP, a);
    cairn_heap_free(HEAP, c);
}

static void walk_ends_where_it_is_told(void **state)
{
    (void)state;
    (void)fill_up(10);
    for (int stop = 0; stop < 4; stop++) {
        struct seen seen = {0, 0, 1, stop, false};
        assert_int_equal(cairn_heap_walk(HEAP, look, &seen), 77);
        assert_int_equal(seen.count, stop + 1);
    }
    assert_int_equal(cairn_heap_walk(HEAP, NULL, NULL), 0);
    free_all();
}

static void usable_size_is_of_starts_of_used_blocks_only(void **state)
{
    (void)state;
    unsigned char *const block = take_granules(5);
    assert_int_equal(cairn_heap_usable_size(HEAP, block), 5 * G);
    assert_int_equal(cairn_heap_usable_size_(HEAP, block), 5 * G);
    for (size_t i = 1; i < 6 * G; i++) {
        assert_int_equal(cairn_heap_usable_size(HEAP, block + i), 0);
    }
    assert_int_equal(cairn_heap_usable_size(HEAP, NULL), 0);
    assert_int_equal(cairn_heap_usable_size_(HEAP, NULL), 0);
    assert_int_equal(cairn_heap_usable_size(HEAP, &block), 0);
    assert_int_equal(cairn_heap_usable_size(HEAP, at(0)), 0);
    assert_int_equal(cairn_heap_usable_size(HEAP, at(fence_of(CONTROL))), 0);
    fixture_expect_none();
    cairn_heap_free(HEAP, block);
    assert_int_equal(cairn_heap_usable_size(HEAP, block), 0);
}

static void statistics_of_an_empty_heap(void **state)
{
    (void)state;
    const struct cairn_heap_stats now = stats();
    assert_int_equal(now.size, CONTROL->granules * G);
    assert_int_equal(now.used, 0);
    assert_int_equal(now.free, now.size);
    assert_int_equal(now.peak, 0);
    assert_int_equal(now.largest_free, now.size);
    assert_in_range(now.size + now.overhead, FIXTURE_REGION - 3 * G, FIXTURE_REGION);
    assert_int_equal(now.fragmentation, 0);
    assert_int_equal(now.failures, 0);
}

static void statistics_follow_the_blocks(void **state)
{
    (void)state;
    void *const a = take_granules(6);
    void *const b = take_granules(2);
    cairn_heap_free(HEAP, a);
    const struct cairn_heap_stats now = stats();
    assert_int_equal(now.used, 2 * G);
    assert_int_equal(now.free + now.used, now.size);
    assert_int_equal(now.peak, 8 * G);
    assert_int_equal(now.used_blocks, 1);
    assert_int_equal(now.free_blocks, 2);
    assert_int_equal(now.largest_free, now.size - 8 * G);
    const uint32_t all = CONTROL->granules;
    assert_int_equal(now.fragmentation, 1000 - (all - 8) * 1000 / (all - 2));
    cairn_heap_reset_peak(HEAP);
    assert_int_equal(stats().peak, 2 * G);
    cairn_heap_free(HEAP, b);
    assert_int_equal(stats().peak, 2 * G);
    cairn_heap_reset_peak(HEAP);
    assert_int_equal(stats().peak, 0);
}

static void a_full_heap_is_not_fragmented(void **state)
{
    (void)state;
    void *const block = cairn_heap_alloc(HEAP, stats().size);
    assert_int_equal(stats().largest_free, 0);
    assert_int_equal(stats().free, 0);
    assert_int_equal(stats().fragmentation, 0);
    cairn_heap_free(HEAP, block);
}

static void failures_are_counted_but_not_those_of_no_bytes(void **state)
{
    (void)state;
    (void)cairn_heap_alloc(HEAP, 0);
    (void)cairn_heap_calloc(HEAP, 0, 5);
    (void)cairn_heap_aligned_alloc(HEAP, 8, 0);
    assert_int_equal(stats().failures, 0);
    (void)cairn_heap_alloc(HEAP, FIXTURE_REGION);
    (void)cairn_heap_calloc(HEAP, FIXTURE_REGION, 1);
    (void)cairn_heap_aligned_alloc(HEAP, 8, FIXTURE_REGION);
    (void)cairn_heap_realloc(HEAP, NULL, FIXTURE_REGION);
    assert_int_equal(stats().failures, 4);
    void *const block = take_granules(1);
    assert_null(cairn_heap_realloc(HEAP, block, FIXTURE_REGION));
    assert_int_equal(stats().failures, 5);
    cairn_heap_free(HEAP, block);
}

// n holes of these lengths in one range list.
static void make_holes(const uint32_t *lengths, uint32_t count)
{
    void *holes[8];
    for (uint32_t i = 0; i < count; i++) {
        holes[i] = take_granules(lengths[i]);
        (void)take_granules(1);
    }
    assert_non_null(cairn_heap_alloc(HEAP, stats().largest_free));
    for (uint32_t i = 0; i < count; i++) {
        cairn_heap_free(HEAP, holes[i]);
    }
}

static void the_largest_free_is_exact_in_a_short_list(void **state)
{
    static const uint32_t lengths[] = {9, 15, 8, 12, 3};
    (void)state;
    make_holes(lengths, 5);
    assert_largest(15);
    assert_non_null(cairn_heap_alloc(HEAP, stats().largest_free));
    assert_largest(12);
    free_all();
}

static void the_largest_free_is_more_than_half_in_a_long_list(void **state)
{
    static const uint32_t lengths[] = {15, 8, 8, 8, 8, 8};
    (void)state;
    make_holes(lengths, 6);
    assert_in_range(stats().largest_free, 8 * G, 15 * G);
    assert_non_null(cairn_heap_alloc(HEAP, stats().largest_free));
    free_all();
}

static void the_largest_free_of_exact_lists(void **state)
{
    static const uint32_t lengths[] = {2, 7, 5};
    (void)state;
    make_holes(lengths, 3);
    assert_largest(7);
    free_all();
}

static void a_broken_list_does_not_lead_statistics_astray(void **state)
{
    static const uint32_t lengths[] = {9, 15, 8};
    (void)state;
    make_holes(lengths, 3);
    links_at(HEAP->base, CONTROL->heads[8])->next = 0xFFFFFFFF;
    assert_int_equal(stats().largest_free, 8 * G);
    fixture.damaged = true;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(walk_shows_each_block_by_rising_address),
        UNIT(walk_ends_where_it_is_told),
        UNIT(usable_size_is_of_starts_of_used_blocks_only),
        UNIT(statistics_of_an_empty_heap),
        UNIT(statistics_follow_the_blocks),
        UNIT(a_full_heap_is_not_fragmented),
        UNIT(failures_are_counted_but_not_those_of_no_bytes),
        UNIT(the_largest_free_is_exact_in_a_short_list),
        UNIT(the_largest_free_is_more_than_half_in_a_long_list),
        UNIT(the_largest_free_of_exact_lists),
        UNIT(a_broken_list_does_not_lead_statistics_astray),
    };
    return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
