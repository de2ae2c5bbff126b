// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/heap/bound.c: the arithmetic, and the margin. That the bound holds is tried by test/bound.
// CALLERS     ctest, on every preset.
#include "fixture.h"

static size_t bound(size_t peak, size_t largest, size_t smallest)
{
    const struct cairn_demand demand = {.peak = peak, .largest = largest, .smallest = smallest};
    return cairn_heap_bound(&demand);
}

static void an_inconsistent_demand_has_no_bound(void **state)
{
    (void)state;
    assert_int_equal(cairn_heap_bound(NULL), 0);
    assert_int_equal(bound(0, 0, 0), 0);
    assert_int_equal(bound(0, 1, 1), 0);
    assert_int_equal(bound(1, 0, 0), 0);
    assert_int_equal(bound(100, 101, 1), 0);
    assert_int_equal(bound(100, 50, 51), 0);
}

static void a_demand_beyond_the_layout_has_no_bound(void **state)
{
    (void)state;
    assert_int_equal(bound(SIZE_MAX, 1, 1), 0);
    assert_int_equal(bound(SIZE_MAX, SIZE_MAX, SIZE_MAX), 0);
    assert_int_equal(bound(SIZE_MAX / 2 + 1, 8, 8), 0);
    assert_int_equal(bound((size_t)GRANULES_MAX * G, 8, 8), 0);
    assert_int_equal(bound((size_t)1 << 29, (size_t)1 << 29, 1), 0);
}

static void more_demand_is_never_less_bound(void **state)
{
    (void)state;
    size_t before = 0;
    for (size_t peak = 512; peak < 20000; peak += 61) {
        const size_t now = bound(peak, 512, 16);
        assert_true(now >= before && now > peak);
        before = now;
    }
    before = 0;
    for (size_t largest = 16; largest < 20000; largest += 61) {
        const size_t now = bound(20000, largest, 16);
        assert_true(now >= before);
        before = now;
    }
    for (size_t smallest = 1; smallest <= 1000; smallest++) {
        assert_true(bound(20000, 1000, smallest) <= bound(20000, 1000, smallest == 1 ? 1 : smallest - 1));
    }
    assert_int_equal(bound(1000, 100, 0), bound(1000, 100, 1));
}

// One size: a heap of the bound holds the peak, whatever its alignment.
static void a_heap_of_the_bound_holds_the_peak(void **state)
{
    (void)state;
    fixture.config.fit = CAIRN_FIT_BOUNDED;
    for (size_t size = 1; size < 200; size += 3) {
        const size_t count = 400 / size + 1;
        const size_t needed = bound(count * size, size, size);
        if (needed == 0 || needed + G > FIXTURE_REGION) {
            continue;
        }
        for (size_t lead = 0; lead < G; lead++) {
            assert_int_equal(cairn_heap_init(HEAP, fixture_region + lead, needed, &fixture.config), 0);
            for (size_t i = 0; i < count; i++) {
                assert_non_null(cairn_heap_alloc(HEAP, size));
            }
            free_all();
        }
    }
}

static void only_a_bounded_heap_has_a_margin(void **state)
{
    struct cairn_margin margin;
    (void)state;
    assert_int_equal(cairn_heap_margin(HEAP, &margin), CAIRN_ENOTSUP);
    assert_int_equal(cairn_heap_margin(HEAP, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_margin(NULL, &margin), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_set_fit(HEAP, CAIRN_FIT_WORST, 0), 0);
    assert_int_equal(cairn_heap_margin(HEAP, &margin), CAIRN_ENOTSUP);
    assert_int_equal(cairn_heap_set_fit(HEAP, CAIRN_FIT_BOUNDED, CAIRN_SEARCH_ALL), 0);
    assert_int_equal(cairn_heap_margin(HEAP, &margin), 0);
}

static void the_margin_follows_peak_and_sizes(void **state)
{
    struct cairn_margin margin;
    (void)state;
    fixture_make_fit(CAIRN_FIT_BOUNDED, 0);
    assert_int_equal(cairn_heap_margin(HEAP, &margin), 0);
    assert_int_equal(margin.needed, 0);
    assert_int_equal(margin.available, stats().size);
    assert_true(margin.safe);
    void *const small = take_granules(3); // 4 granules
    assert_int_equal(cairn_heap_margin(HEAP, &margin), 0);
    assert_int_equal(margin.needed, 4 * G);
    void *const large = take_granules(16);
    assert_int_equal(cairn_heap_margin(HEAP, &margin), 0);
    assert_int_equal(margin.needed, (4 + 16) * G * (1 + 2)); // 4 to 16: two doublings
    assert_true(margin.safe);
    void *const more = cairn_heap_alloc(HEAP, 64 * G);
    assert_non_null(more);
    assert_int_equal(cairn_heap_margin(HEAP, &margin), 0);
    assert_int_equal(margin.needed, (4 + 16 + 64) * G * (1 + 4));
    assert_int_equal(margin.safe, margin.needed <= margin.available);
    assert_false(margin.safe);
    cairn_heap_free(HEAP, small);
    cairn_heap_free(HEAP, large);
    cairn_heap_free(HEAP, more);
}

// What a bounded heap takes for a request that a realloc made small must be small too, or the peak is not what it holds.
static void blocks_that_shrank_count_as_they_are(void **state)
{
    static unsigned char region[360 * G];
    void *block[16];
    uint32_t count = 0;
    const struct cairn_demand demand = {.peak = 32 * G, .largest = 16 * G, .smallest = G};
    (void)state;
    fixture.config.fit = CAIRN_FIT_BOUNDED;
    assert_in_range(cairn_heap_bound(&demand), 1, sizeof region);
    assert_int_equal(cairn_heap_init(HEAP, region, cairn_heap_bound(&demand), &fixture.config), 0);
    while (count + 1 + 16 <= 32 && count < 15) {
        void *const large = cairn_heap_alloc(HEAP, 16 * G);
        assert_non_null(large);
        block[count] = cairn_heap_realloc(HEAP, large, G);
        assert_non_null(block[count]);
        assert_int_equal(cairn_heap_usable_size(HEAP, block[count]), G);
        count++;
    }
    assert_int_equal(stats().used, count * G);
    while (count != 0) {
        cairn_heap_free(HEAP, block[--count]);
    }
}

// What was granted is within the bound, but what was asked for was not.
static void a_heap_in_which_a_request_failed_is_not_safe(void **state)
{
    struct cairn_margin margin;
    (void)state;
    fixture_make_fit(CAIRN_FIT_BOUNDED, 0);
    void *const block = take_granules(1);
    assert_int_equal(cairn_heap_margin(HEAP, &margin), 0);
    assert_true(margin.safe);
    assert_null(cairn_heap_alloc(HEAP, FIXTURE_REGION));
    assert_int_equal(cairn_heap_margin(HEAP, &margin), 0);
    assert_false(margin.safe);
    assert_int_equal(margin.needed, G);
    cairn_heap_free(HEAP, block);
    cairn_heap_reset_peak(HEAP);
    assert_int_equal(stats().failures, 0);
    assert_int_equal(cairn_heap_margin(HEAP, &margin), 0);
    assert_true(margin.safe);
}

static void a_skip_for_alignment_leaves_no_margin(void **state)
{
    struct cairn_margin margin;
    (void)state;
    fixture_make_fit(CAIRN_FIT_BOUNDED, 0);
    void *const plain = cairn_heap_aligned_alloc(HEAP, G, G);
    assert_int_equal(cairn_heap_margin(HEAP, &margin), 0);
    void *const aligned = cairn_heap_aligned_alloc(HEAP, 8 * G, G);
    assert_non_null(aligned);
    assert_int_equal(cairn_heap_margin(HEAP, &margin), CAIRN_ENOTSUP);
    cairn_heap_free(HEAP, aligned);
    cairn_heap_free(HEAP, plain);
}

// Enough is free, and yet there may be no hole: what an earlier peak left.
static void blocks_that_may_lie_scattered_leave_no_margin(void **state)
{
    struct cairn_margin margin;
    (void)state;
    fixture_make_fit(CAIRN_FIT_BOUNDED, 0);
    void *block = take_granules(16);
    cairn_heap_reset_peak(HEAP);
    assert_int_equal(cairn_heap_margin(HEAP, &margin), CAIRN_ENOTSUP);
    cairn_heap_free(HEAP, block);
    assert_int_equal(cairn_heap_margin(HEAP, &margin), CAIRN_ENOTSUP);
    cairn_heap_reset_peak(HEAP); // all is one hole again
    assert_int_equal(cairn_heap_margin(HEAP, &margin), 0);
    assert_int_equal(margin.needed, 0);
    block = take_granules(4);
    assert_int_equal(cairn_heap_margin(HEAP, &margin), 0);
    assert_int_equal(margin.needed, 4 * G); // of 4 only: the 16 are from before
    assert_int_equal(cairn_heap_set_fit(HEAP, CAIRN_FIT_BOUNDED, 0), 0);
    assert_int_equal(cairn_heap_margin(HEAP, &margin), 0);
    assert_int_equal(cairn_heap_set_fit(HEAP, CAIRN_FIT_BEST, 0), 0);
    assert_int_equal(cairn_heap_set_fit(HEAP, CAIRN_FIT_BOUNDED, 0), 0);
    assert_int_equal(cairn_heap_margin(HEAP, &margin), CAIRN_ENOTSUP);
    cairn_heap_free(HEAP, block);
}

static void a_gap_leaves_no_margin(void **state)
{
    static unsigned char region[1024];
    const struct cairn_heap_config config = {.fit = CAIRN_FIT_BOUNDED, .max_size = sizeof region};
    struct cairn_heap heap;
    struct cairn_margin margin;
    (void)state;
    assert_int_equal(cairn_heap_init(&heap, region, 512, &config), 0);
    assert_int_equal(cairn_heap_grow(&heap, 512 + 8 * G), 0);
    assert_int_equal(cairn_heap_margin(&heap, &margin), 0);
    assert_int_equal(cairn_heap_grow_past(&heap, G, sizeof region), 0);
    assert_int_equal(cairn_heap_margin(&heap, &margin), CAIRN_ENOTSUP);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(an_inconsistent_demand_has_no_bound),
        UNIT(a_demand_beyond_the_layout_has_no_bound),
        UNIT(more_demand_is_never_less_bound),
        UNIT(a_heap_of_the_bound_holds_the_peak),
        UNIT(only_a_bounded_heap_has_a_margin),
        UNIT(the_margin_follows_peak_and_sizes),
        UNIT(blocks_that_shrank_count_as_they_are),
        UNIT(a_heap_in_which_a_request_failed_is_not_safe),
        UNIT(a_skip_for_alignment_leaves_no_margin),
        UNIT(blocks_that_may_lie_scattered_leave_no_margin),
        UNIT(a_gap_leaves_no_margin),
    };
    return cmocka_run_group_tests_name("bound", tests, NULL, NULL);
}
