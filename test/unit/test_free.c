// SPDX-License-Identifier: MIT
//
// OWNS        the proof of free in lib/heap/heap.c: merging, what is refused, broken links, wiping.
// CALLERS     ctest, on every preset.
#include "fixture.h"

// Three used blocks and a stopper behind them.
static unsigned char *first, *middle, *last, *stopper;

static void make_three(uint32_t n)
{
    first = take_granules(n);
    middle = take_granules(n);
    last = take_granules(n);
    stopper = take_granules(1);
}

static void free_puts_a_lone_block_into_its_list(void **state)
{
    (void)state;
    make_three(4);
    cairn_heap_free(HEAP, middle);
    assert_blocks(3, 2);
    assert_int_equal(CONTROL->heads[4], end_of(number_of(middle)));
    assert_int_equal(stats().used, 9 * G);
    free_all();
}

static void free_merges_the_block_before(void **state)
{
    (void)state;
    make_three(4);
    cairn_heap_free(HEAP, first);
    cairn_heap_free(HEAP, middle);
    assert_blocks(2, 2);
    assert_int_equal(length_after(TAGS, number_of(first) - 1), 8);
    free_all();
}

static void free_merges_the_block_behind(void **state)
{
    (void)state;
    make_three(4);
    cairn_heap_free(HEAP, middle);
    cairn_heap_free(HEAP, first);
    assert_blocks(2, 2);
    assert_int_equal(length_after(TAGS, number_of(first) - 1), 8);
    free_all();
}

static void free_merges_both_neighbours(void **state)
{
    (void)state;
    make_three(4);
    cairn_heap_free(HEAP, first);
    cairn_heap_free(HEAP, last);
    cairn_heap_free(HEAP, middle);
    assert_blocks(1, 2);
    assert_int_equal(length_after(TAGS, number_of(first) - 1), 12);
    cairn_heap_free(HEAP, stopper);
    assert_blocks(0, 1);
}

// Blocks of every length on both sides of every pair of tag words.
static void free_merges_whatever_the_lengths(void **state)
{
    (void)state;
    for (uint32_t n = 1; 3 * n + 1 <= CONTROL->granules; n++) {
        for (int order = 0; order < 6; order++) {
            make_three(n);
            unsigned char *const one = order < 2 ? first : order < 4 ? middle : last;
            unsigned char *const two = order == 0 || order == 5 ? middle : order == 1 || order == 2 ? last : first;
            cairn_heap_free(HEAP, one);
            assert_sound();
            cairn_heap_free(HEAP, two);
            assert_sound();
            assert_filled(stopper, granules(1), number_of(stopper));
            free_all();
            assert_blocks(0, 1);
            assert_largest(CONTROL->granules);
        }
    }
}

static void the_neighbours_keep_their_bytes(void **state)
{
    (void)state;
    make_three(9);
    cairn_heap_free(HEAP, middle);
    assert_filled(first, granules(9), number_of(first));
    assert_filled(last, granules(9), number_of(last));
    free_all();
}

static void free_of_null_does_nothing(void **state)
{
    struct cairn_heap none = {0};
    (void)state;
    void *const block = take_granules(1);
    fixture_save();
    cairn_heap_free(HEAP, NULL);
    cairn_heap_free_(HEAP, NULL);
    cairn_heap_free(NULL, NULL);
    cairn_heap_free(NULL, block);
    cairn_heap_free_(NULL, block);
    cairn_heap_free(&none, block);
    cairn_heap_free_(&none, block);
    fixture_unchanged(0);
    cairn_heap_free_(HEAP, block);
}

// Every call that takes a block refuses this address, says so once, and changes nothing.
static void assert_refused(void *address, enum cairn_wrong what)
{
    fixture_save();
    cairn_heap_free(HEAP, address);
    fixture_expect(what, address);
    cairn_heap_free_(HEAP, address);
    fixture_expect(what, address);
    assert_null(cairn_heap_realloc(HEAP, address, G));
    fixture_expect(what, address);
    assert_null(cairn_heap_realloc(HEAP, address, 0));
    fixture_expect(what, address);
    assert_null(cairn_heap_aligned_realloc(HEAP, address, 2 * G, 100 * G));
    fixture_expect(what, address);
    assert_int_equal(cairn_heap_resize(HEAP, address, G), CAIRN_EINVAL);
    fixture_expect(what, address);
    assert_int_equal(cairn_heap_resize_(HEAP, address, G), CAIRN_EINVAL);
    fixture_expect(what, address);
    assert_int_equal(cairn_heap_usable_size(HEAP, address), 0);
    fixture_expect_none();
    fixture_unchanged(0);
}

static void a_block_freed_twice_is_refused(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    make_three(4);
    cairn_heap_free(HEAP, middle);
    assert_refused(middle, CAIRN_WRONG_DOUBLE_FREE);
    cairn_heap_free(HEAP, first); // now inside a longer free block
    assert_refused(middle, CAIRN_WRONG_DOUBLE_FREE);
    assert_refused(first, CAIRN_WRONG_DOUBLE_FREE);
    free_all();
}

static void every_other_granule_is_refused(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    make_three(CONTROL->granules / 4);
    cairn_heap_free(HEAP, middle);
    for (uint32_t i = 1; i <= CONTROL->granules; i++) {
        unsigned char *const address = at(i);
        if (address == first || address == last || address == stopper) {
            continue;
        }
        const bool used = address < middle || (address >= last && address < stopper);
        assert_refused(address, used ? CAIRN_WRONG_INTERIOR : CAIRN_WRONG_DOUBLE_FREE);
    }
    free_all();
}

static void a_pointer_between_granules_is_refused(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    make_three(4);
    cairn_heap_free(HEAP, middle);
    for (size_t i = 1; i < G; i++) {
        assert_refused(first + i, CAIRN_WRONG_POINTER);
        assert_refused(middle + i, CAIRN_WRONG_POINTER);
        assert_refused((unsigned char *)at(0) + i, CAIRN_WRONG_POINTER);
    }
    free_all();
}

static void a_pointer_outside_is_refused(void **state)
{
    int local = 0;
    (void)state;
    NEEDS_HARDENING;
    make_three(4);
    assert_refused(at(0), CAIRN_WRONG_POINTER);
    assert_refused(at(fence_of(CONTROL)), CAIRN_WRONG_POINTER);
    assert_refused(at(fence_of(CONTROL) + 1), CAIRN_WRONG_POINTER);
    assert_refused(fixture_region, CAIRN_WRONG_POINTER);
    assert_refused(fixture_copy, CAIRN_WRONG_POINTER);
    assert_refused(&local, CAIRN_WRONG_POINTER);
    assert_refused((void *)(uintptr_t)1, CAIRN_WRONG_POINTER);
    assert_refused((void *)(uintptr_t)8, CAIRN_WRONG_POINTER);
    assert_refused((void *)UINTPTR_MAX, CAIRN_WRONG_POINTER);
    assert_refused((void *)(UINTPTR_MAX - 7), CAIRN_WRONG_POINTER);
    for (unsigned bit = 12; bit < sizeof(uintptr_t) * 8; bit++) { // one wrong bit above the region
        assert_refused((void *)((uintptr_t)middle ^ (uintptr_t)1 << bit), CAIRN_WRONG_POINTER);
    }
    free_all();
}

// ----------------------------------------------------------------------------------------------------- broken links

// The free neighbour's links are overwritten, in every way: the block is freed, the neighbour is left as it is, and nothing is lost.
static void free_beside_broken_links(bool behind, size_t field, uint32_t value)
{
    make_three(5);
    unsigned char *const hole = behind ? last : first;
    cairn_heap_free(HEAP, hole);
    struct block_links *const links = links_of(number_of(hole));
    const struct block_links kept = *links;
    *(field == 0 ? &links->next : &links->prev) = value;
    if (memcmp(&kept, links, sizeof kept) != 0) {
        cairn_heap_free(HEAP, middle);
        fixture_expect(CAIRN_WRONG_LINK, hole);
        assert_int_equal(stats().used_blocks, 2);
        assert_int_equal(stats().free_blocks, 3);
        assert_int_equal(cairn_heap_check(HEAP, NULL), CAIRN_ECORRUPT);
        assert_int_equal(cairn_heap_usable_size(HEAP, stopper), G);
        assert_int_equal(length_after(TAGS, number_of(hole) - 1), 5);
        assert_int_equal(length_after(TAGS, number_of(middle) - 1), 5);
        assert_int_equal(CONTROL->heads[5], end_of(number_of(middle)));
        *links = kept; // repaired: all that is left is two neighbours that are both free
        if (kept.prev == 0 && CONTROL->heads[5] != end_of(number_of(hole))) {
            links->prev = CONTROL->heads[5];
        }
        assert_names(CAIRN_RULE_T3);
    }
    fixture_make(FIXTURE_REGION);
}

static void free_beside_broken_links_loses_nothing(void **state)
{
    static const uint32_t values[] = {1, 2, 3, 6, 7, 11, 12, 16, 17, 100, 200, 1000, 65536, 0x07FFFFFF, 0x10000000, 0x80000000, 0xFFFFFFFF};
    (void)state;
    NEEDS_HARDENING;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        for (int way = 0; way < 4; way++) {
            free_beside_broken_links((way & 1) != 0, (way & 2) != 0 ? 4 : 0, values[i]);
        }
    }
}

static void free_between_two_broken_blocks_reports_both(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    make_three(5);
    cairn_heap_free(HEAP, first);
    cairn_heap_free(HEAP, last);
    links_of(number_of(first))->next = 0x12345678;
    links_of(number_of(last))->prev = 0x12345678;
    cairn_heap_free(HEAP, middle);
    assert_int_equal(fixture.reports, 2);
    fixture_forget();
    assert_int_equal(stats().used_blocks, 1);
    assert_int_equal(cairn_heap_usable_size(HEAP, middle), 0);
    fixture.damaged = true;
}

// -------------------------------------------------------------------------------------------------------- wiping

static void wiping_leaves_zeros_before_the_links(void **state)
{
    (void)state;
    fixture.config.wipe = true;
    fixture_make(FIXTURE_REGION);
    make_three(12);
    cairn_heap_free(HEAP, middle);
    for (size_t i = 0; i < 10 * G; i++) { // behind: the hint, and the links
        assert_int_equal(middle[i], 0);
    }
    assert_filled(first, granules(12), number_of(first));
    assert_filled(last, granules(12), number_of(last));
    free_all();
}

static void without_wiping_the_bytes_stay(void **state)
{
    (void)state;
    make_three(12);
    const unsigned char byte = middle[5 * G];
    cairn_heap_free(HEAP, middle);
    assert_int_equal(middle[5 * G], byte);
    free_all();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(free_puts_a_lone_block_into_its_list),
        UNIT(free_merges_the_block_before),
        UNIT(free_merges_the_block_behind),
        UNIT(free_merges_both_neighbours),
        UNIT(free_merges_whatever_the_lengths),
        UNIT(the_neighbours_keep_their_bytes),
        UNIT(free_of_null_does_nothing),
        UNIT(a_block_freed_twice_is_refused),
        UNIT(every_other_granule_is_refused),
        UNIT(a_pointer_between_granules_is_refused),
        UNIT(a_pointer_outside_is_refused),
        UNIT(free_beside_broken_links_loses_nothing),
        UNIT(free_between_two_broken_blocks_reports_both),
        UNIT(wiping_leaves_zeros_before_the_links),
        UNIT(without_wiping_the_bytes_stay),
    };
    return cmocka_run_group_tests_name("free", tests, NULL, NULL);
}
