// SPDX-License-Identifier: MIT
//
// OWNS        the proof of alloc in lib/heap/heap.c.
// CALLERS     ctest, on every preset.
#include "fixture.h"

static const size_t too_many[] = {SIZE_MAX,     SIZE_MAX - 1, SIZE_MAX - 7,     SIZE_MAX - 8,        SIZE_MAX - 15,      SIZE_MAX - 16,
                                  SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX / 8, SIZE_MAX / 8 + 1, SIZE_MAX / 16 + 2, FIXTURE_REGION};

static void the_first_block_is_the_first_granule(void **state)
{
    (void)state;
    void *const block = take_granules(1);
    assert_ptr_equal(block, at(1));
    assert_blocks(1, 1);
    assert_int_equal(stats().used, G);
    cairn_heap_free(HEAP, block);
}

static void blocks_are_cut_one_behind_the_other(void **state)
{
    unsigned char *block[20];
    (void)state;
    for (uint32_t i = 0; i < 20 && stats().largest_free >= (i + 1) * G; i++) {
        block[i] = take_granules(i + 1);
        assert_true(i == 0 || block[i] == block[i - 1] + i * G);
        assert_blocks(i + 1, stats().free == 0 ? 0 : 1);
    }
    free_all();
}

static void every_size_gets_its_granules(void **state)
{
    (void)state;
    for (size_t size = 1; size <= stats().size; size++) {
        unsigned char *const block = cairn_heap_alloc(HEAP, size);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % G, 0);
        assert_int_equal(cairn_heap_usable_size(HEAP, block), (size + G - 1) / G * G);
        memset(block, 0xFF, size);
        assert_sound();
        cairn_heap_free(HEAP, block);
    }
}

static void the_whole_region_is_one_block(void **state)
{
    (void)state;
    void *const block = cairn_heap_alloc(HEAP, stats().size);
    assert_ptr_equal(block, at(1));
    assert_blocks(1, 0);
    assert_int_equal(stats().free, 0);
    assert_int_equal(stats().largest_free, 0);
    assert_null(cairn_heap_alloc(HEAP, 1));
    assert_int_equal(stats().failures, 1);
    cairn_heap_free(HEAP, block);
}

static void nothing_is_left_when_granules_are_taken_one_by_one(void **state)
{
    (void)state;
    const uint32_t all = CONTROL->granules;
    assert_int_equal(fill_up(1), all);
    assert_blocks(all, 0);
    free_all();
}

static void no_bytes_are_no_block(void **state)
{
    (void)state;
    fixture_save();
    assert_null(cairn_heap_alloc(HEAP, 0));
    assert_null(cairn_heap_alloc_(HEAP, 0));
    fixture_unchanged(0);
}

static void too_many_bytes_fail_and_change_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof too_many / sizeof too_many[0]; i++) {
        fixture_save();
        assert_null(cairn_heap_alloc(HEAP, too_many[i]));
        assert_null(cairn_heap_alloc_(HEAP, too_many[i]));
        fixture_unchanged(2);
    }
    assert_null(cairn_heap_alloc(HEAP, stats().size + 1));
}

static void no_heap_is_no_block(void **state)
{
    struct cairn_heap none = {0};
    (void)state;
    assert_null(cairn_heap_alloc(NULL, 8));
    assert_null(cairn_heap_alloc(&none, 8));
    assert_null(cairn_heap_alloc_(NULL, 8));
    assert_null(cairn_heap_alloc_(&none, 8));
}

static void a_heap_without_hooks_allocates_too(void **state)
{
    (void)state;
    fixture.config.hooks = NULL;
    fixture_make(FIXTURE_REGION);
    void *const block = take_granules(5);
    assert_null(cairn_heap_alloc(HEAP, 0));
    assert_null(cairn_heap_alloc(HEAP, SIZE_MAX));
    assert_int_equal(stats().failures, 1);
    cairn_heap_free(HEAP, block);
    cairn_heap_free(HEAP, NULL);
}

// The same heap through a handle without hooks, which takes the short paths.
static void every_length_without_hooks(void **state)
{
    (void)state;
    fixture.config.hooks = NULL;
    for (uint16_t search = 0; search < 6; search++) {
        fixture_make_fit(CAIRN_FIT_BEST, search);
        for (uint32_t gap = 1; gap < 36; gap++) {
            for (uint32_t n = 1; n < 36; n++) {
                void *const first = take_granules(gap);
                void *const second = take_granules(n);
                void *const third = take_granules(1);
                assert_sound();
                cairn_heap_free(HEAP, second);
                void *const part = take_granules(n > 2 ? n - 2 : n);
                assert_ptr_equal(part, second);
                assert_sound();
                cairn_heap_free(HEAP, first);
                cairn_heap_free(HEAP, third);
                assert_filled(part, granules(n > 2 ? n - 2 : n), number_of(part));
                cairn_heap_free(HEAP, part);
                assert_blocks(0, 1);
            }
        }
    }
}

// In a heap of a few granules there are no lists for more: no request looks past the last.
static void a_tiny_heap_has_few_lists(void **state)
{
    (void)state;
    for (int hooked = 0; hooked < 2; hooked++) {
        fixture.config.hooks = hooked ? &fixture.hooks : NULL;
        for (size_t size = 6 * G; size < 40 * G; size += G) {
            unsigned char *const region = fixture_region + FIXTURE_REGION - size;
            if (cairn_heap_init(HEAP, region, size, &fixture.config) != 0) {
                continue;
            }
            const uint32_t all = CONTROL->granules;
            for (uint32_t n = all + 1; n < 40; n++) {
                assert_null(cairn_heap_alloc(HEAP, granules(n)));
            }
            assert_int_equal(fill_up(1), all);
            fixture_save();
            for (uint32_t n = 1; n < 40; n++) {
                assert_null(cairn_heap_alloc(HEAP, granules(n)));
            }
            fixture_unchanged(39);
            free_all();
            assert_blocks(0, 1);
        }
    }
}

static void the_twin_does_the_same(void **state)
{
    (void)state;
    void *const block = cairn_heap_alloc_(HEAP, 3 * G);
    assert_ptr_equal(block, at(1));
    assert_blocks(1, 1);
    cairn_heap_free_(HEAP, block);
}

// Two holes of six granules between used blocks; the head of the list is the second.
static uint32_t hole[2];

static void make_two_holes(void)
{
    void *const first = take_granules(6);
    (void)take_granules(1);
    void *const second = take_granules(6);
    (void)take_granules(1);
    hole[0] = number_of(first);
    hole[1] = number_of(second);
    cairn_heap_free(HEAP, first);
    cairn_heap_free(HEAP, second);
    fixture.leaks = true;
}

static void a_head_whose_next_is_broken_is_refused(void **state)
{
    static const uint32_t bad[] = {2, 5, 100000, 0x80000000, 0xFFFFFFFF};
    (void)state;
    NEEDS_HARDENING;
    make_two_holes();
    struct block_links *const links = links_of(hole[1]);
    const struct block_links kept = *links;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        links->next = bad[i];
        fixture_save();
        assert_null(cairn_heap_alloc(HEAP, granules(6)));
        fixture_expect(CAIRN_WRONG_LINK, at(hole[1]));
        fixture_unchanged(1);
        assert_names(CAIRN_RULE_T6);
        *links = kept;
        assert_sound();
    }
}

// The head has none before it: what its prev says is reported, or never read. Either way nothing comes of it.
static void a_head_whose_prev_is_broken_does_no_harm(void **state)
{
    static const uint32_t bad[] = {1, 2, 5, 100000, 0x80000000, 0xFFFFFFFF};
    (void)state;
    NEEDS_HARDENING;
    make_two_holes();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct block_links *const links = links_of(hole[1]);
        const struct block_links kept = *links;
        links->prev = bad[i];
        fixture_save();
        void *const block = cairn_heap_alloc(HEAP, granules(6));
        if (block == NULL) {
            fixture_expect(CAIRN_WRONG_LINK, at(hole[1]));
            fixture_unchanged(1);
            *links = kept;
        } else {
            assert_ptr_equal(block, at(hole[1]));
            assert_sound();
            cairn_heap_free(HEAP, block);
        }
        assert_sound();
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(the_first_block_is_the_first_granule),
        UNIT(blocks_are_cut_one_behind_the_other),
        UNIT(every_size_gets_its_granules),
        UNIT(the_whole_region_is_one_block),
        UNIT(nothing_is_left_when_granules_are_taken_one_by_one),
        UNIT(no_bytes_are_no_block),
        UNIT(too_many_bytes_fail_and_change_nothing),
        UNIT(no_heap_is_no_block),
        UNIT(a_heap_without_hooks_allocates_too),
        UNIT(every_length_without_hooks),
        UNIT(a_tiny_heap_has_few_lists),
        UNIT(the_twin_does_the_same),
        UNIT(a_head_whose_next_is_broken_is_refused),
        UNIT(a_head_whose_prev_is_broken_does_no_harm),
    };
    return cmocka_run_group_tests_name("alloc", tests, NULL, NULL);
}
