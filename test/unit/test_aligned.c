// SPDX-License-Identifier: MIT
//
// OWNS        the proof of the aligned calls and of calloc in lib/heap/resize.c.
// CALLERS     ctest, on every preset.
#define _DEFAULT_SOURCE // MAP_ANONYMOUS
#include "fixture.h"

#if defined(__linux__) && UINTPTR_MAX > 0xFFFFFFFFu
#include <sys/mman.h>
#endif

static const size_t too_many[] = {SIZE_MAX,         SIZE_MAX - 1,     SIZE_MAX - 7,     SIZE_MAX - 8,      SIZE_MAX - 15,
                                  SIZE_MAX / 2 + 1, SIZE_MAX / 2,     SIZE_MAX / 8 + 1, SIZE_MAX / 16 + 2, FIXTURE_REGION};
static const size_t no_alignment[] = {0, 3, 5, 6, 7, 9, 12, 24, 100, SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2, SIZE_MAX / 2 + 2};

#define EACH(index, array) (size_t index = 0; index < sizeof(array) / sizeof((array)[0]); index++)

// ----------------------------------------------------------------------------------------------------------- aligned

static void every_alignment_is_kept(void **state)
{
    (void)state;
    for (size_t alignment = 1; alignment <= FIXTURE_REGION / 4; alignment *= 2) {
        for (uint32_t n = 1; n < 20; n += 3) {
            void *const stopper = take_granules(n);
            unsigned char *const block = cairn_heap_aligned_alloc(HEAP, alignment, granules(n));
            assert_non_null(block);
            assert_int_equal((uintptr_t)block % alignment, 0);
            assert_int_equal(cairn_heap_usable_size(HEAP, block), n * G);
            fill(block, granules(n), 1);
            assert_sound();
            cairn_heap_free(HEAP, stopper);
            assert_sound();
            cairn_heap_free(HEAP, block);
            assert_blocks(0, 1);
        }
    }
}

static void what_is_skipped_for_an_alignment_stays_free(void **state)
{
    (void)state;
    void *const stopper = take_granules(1);
    void *const block = cairn_heap_aligned_alloc_(HEAP, 256, G);
    assert_non_null(block);
    assert_int_equal(stats().used, 2 * G);
    assert_in_range(stats().free_blocks, 1, 2);
    cairn_heap_free(HEAP, stopper);
    cairn_heap_free(HEAP, block);
}

static void a_bounded_heap_aligns_too(void **state)
{
    (void)state;
    fixture_make_fit(CAIRN_FIT_BOUNDED, 0);
    for (size_t alignment = 1; alignment <= 256; alignment *= 2) {
        void *const stopper = take_granules(1);
        void *const block = cairn_heap_aligned_alloc(HEAP, alignment, granules(3));
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % alignment, 0);
        assert_true(cairn_heap_usable_size(HEAP, block) >= granules(3));
        assert_sound();
        cairn_heap_free(HEAP, stopper);
        cairn_heap_free(HEAP, block);
    }
}

static void an_alignment_that_is_none_fails(void **state)
{
    struct cairn_heap none = {0};
    (void)state;
    fixture_save();
    for EACH(i, no_alignment) {
        assert_null(cairn_heap_aligned_alloc(HEAP, no_alignment[i], G));
        assert_null(cairn_heap_aligned_alloc_(HEAP, no_alignment[i], G));
        fixture_unchanged(2);
        assert_null(cairn_heap_aligned_alloc(HEAP, no_alignment[i], 0));
        fixture_unchanged(0);
    }
    for (size_t alignment = FIXTURE_REGION; alignment != 0; alignment *= 2) { // larger than the region
        assert_null(cairn_heap_aligned_alloc(HEAP, alignment, G));
        assert_null(cairn_heap_aligned_alloc(HEAP, alignment, SIZE_MAX - alignment + 1));
        fixture_unchanged(2);
    }
    assert_null(cairn_heap_aligned_alloc(HEAP, 8, 0));
    assert_null(cairn_heap_aligned_alloc(NULL, 8, 8));
    assert_null(cairn_heap_aligned_alloc(&none, 8, 8));
    assert_null(cairn_heap_aligned_alloc_(NULL, 8, 8));
    assert_null(cairn_heap_aligned_alloc_(&none, 8, 8));
    for EACH(i, too_many) {
        assert_null(cairn_heap_aligned_alloc(HEAP, 64, too_many[i]));
        fixture_unchanged(1);
    }
}

static void realloc_to_an_alignment_moves_only_if_it_must(void **state)
{
    (void)state;
    unsigned char *const block = cairn_heap_aligned_alloc(HEAP, 64, granules(3));
    fill(block, granules(3), 7);
    assert_ptr_equal(cairn_heap_aligned_realloc(HEAP, block, 64, granules(4)), block);
    assert_ptr_equal(cairn_heap_aligned_realloc(HEAP, block, 32, granules(5)), block);
    unsigned char *const odd = cairn_heap_alloc(HEAP, granules(3));
    fill(odd, granules(3), 8);
    size_t alignment = 16;
    while ((uintptr_t)odd % alignment == 0) {
        alignment *= 2;
    }
    unsigned char *const moved = cairn_heap_aligned_realloc(HEAP, odd, alignment, granules(3));
    assert_non_null(moved);
    assert_int_equal((uintptr_t)moved % alignment, 0);
    assert_filled(moved, granules(3), 8);
    assert_filled(block, granules(3), 7);
    assert_blocks(2, stats().free_blocks);
    free_all();
}

// ------------------------------------------------------------------------------------------------------------ calloc

static void calloc_zeroes(void **state)
{
    (void)state;
    void *const old = take_granules(30);
    memset(old, 0xFF, granules(30));
    cairn_heap_free(HEAP, old);
    unsigned char *const block = cairn_heap_calloc(HEAP, 30, G);
    assert_ptr_equal(block, old);
    for (size_t i = 0; i < 30 * G; i++) {
        assert_int_equal(block[i], 0);
    }
    cairn_heap_free(HEAP, block);
}

static void calloc_of_nothing_is_null(void **state)
{
    (void)state;
    fixture_save();
    assert_null(cairn_heap_calloc(HEAP, 0, 0));
    assert_null(cairn_heap_calloc(HEAP, 0, 8));
    assert_null(cairn_heap_calloc(HEAP, 8, 0));
    assert_null(cairn_heap_calloc(HEAP, SIZE_MAX, 0));
    assert_null(cairn_heap_calloc(HEAP, 0, SIZE_MAX));
    assert_null(cairn_heap_calloc(NULL, 1, 8));
    fixture_unchanged(0);
}

static void calloc_sees_a_product_that_overflows(void **state)
{
    static const size_t pairs[][2] = {{SIZE_MAX, 2},
                                      {2, SIZE_MAX},
                                      {SIZE_MAX, SIZE_MAX},
                                      {SIZE_MAX / 2 + 1, 2},
                                      {SIZE_MAX / 2 + 2, 2},
                                      {SIZE_MAX / 8 + 2, 8},
                                      {8, SIZE_MAX / 8 + 2},
                                      {(size_t)1 << sizeof(size_t) * 4, (size_t)1 << sizeof(size_t) * 4},
                                      {((size_t)1 << sizeof(size_t) * 4) + 1, (size_t)1 << sizeof(size_t) * 4},
                                      {1, SIZE_MAX},
                                      {SIZE_MAX, 1}};
    (void)state;
    fixture_save();
    for EACH(i, pairs) {
        assert_null(cairn_heap_calloc(HEAP, pairs[i][0], pairs[i][1]));
        fixture_unchanged(1);
    }
}

#if defined(__linux__) && UINTPTR_MAX > 0xFFFFFFFFu
// Granules to an alignment that does not fit 32 bits, in a region that holds a multiple of half of it.
static void an_alignment_beyond_the_region_slides_nowhere(void **state)
{
    unsigned char *const wanted = (unsigned char *)(((uintptr_t)1 << 35) - 4096);
    const size_t size = 65536;
    (void)state;
    unsigned char *const region = mmap(wanted, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region != wanted || cairn_heap_init(HEAP, region, size, &fixture.config) != 0) {
        fixture_make(FIXTURE_REGION);
        skip();
    }
    unsigned char *const below = take_granules(1000); // covers the multiple
    void *const hole = take_granules(8);
    void *const block = take_granules(8);
    (void)take_granules(1);
    cairn_heap_free(HEAP, hole);
    assert_null(cairn_heap_aligned_realloc(HEAP, block, (size_t)1 << 36, 200));
    assert_filled(below, granules(1000), number_of(below));
    assert_sound();
    fixture_make(FIXTURE_REGION);
    (void)munmap(region, size);
}
#endif

int main(void)
{
    static const struct CMUnitTest tests[] = {
#if defined(__linux__) && UINTPTR_MAX > 0xFFFFFFFFu
        UNIT(an_alignment_beyond_the_region_slides_nowhere),
#endif
        UNIT(every_alignment_is_kept),
        UNIT(what_is_skipped_for_an_alignment_stays_free),
        UNIT(a_bounded_heap_aligns_too),
        UNIT(an_alignment_that_is_none_fails),
        UNIT(realloc_to_an_alignment_moves_only_if_it_must),
        UNIT(calloc_zeroes),
        UNIT(calloc_of_nothing_is_null),
        UNIT(calloc_sees_a_product_that_overflows),
    };
    return cmocka_run_group_tests_name("aligned", tests, NULL, NULL);
}
