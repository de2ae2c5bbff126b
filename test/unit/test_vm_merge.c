// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/merge.c promises: pages that are equal are one, until one of them is written.
// CALLERS     ctest, on every preset.
#include "vm_objects.h"

#include "vm/share.h"

#define SEEN 16u

static uint32_t seen[SEEN];

static int setup(void **state)
{
    memset(seen, 0, sizeof seen);
    return vm_objects_setup(state);
}

// Fill a page with a word.
static void fill_page(struct cairn_space *space, uint32_t page, uint32_t word)
{
    for (uint32_t at = 0; at < PAGE; at += 4) {
        vm_set(space, vm_page(page) + at, word);
    }
}

static void expect_page(struct cairn_space *space, uint32_t page, uint32_t word)
{
    for (uint32_t at = 0; at < PAGE; at += 4) {
        assert_int_equal(vm_look(space, vm_page(page) + at), word);
    }
}

static int merge(uint32_t frames)
{
    const int freed = cairn_vm_merge(VM, frames, seen, SEEN);
    vm_sound();
    return freed;
}

static void two_spaces_of_pages(void)
{
    assert_int_equal(vm_map(SPACE, 10, 20, RW, 0), 0);
    assert_int_equal(vm_map(OTHER, 10, 20, RW, 0), 0);
}

static void equal_pages_at_different_addresses_become_one_frame(void **state)
{
    (void)state;
    two_spaces_of_pages();
    fill_page(SPACE, 10, 7);
    fill_page(SPACE, 25, 7);
    fill_page(SPACE, 12, 8);
    assert_int_equal(merge(FRAMES), 1);
    assert_int_equal(vm_figures().frames_free, 2);
    assert_int_equal(vm_figures().shared, 1);
    assert_int_equal(vm_space_figures(SPACE).shared, 2);
    assert_int_equal(vm_space_figures(SPACE).resident, 1);
    assert_int_equal(*cairn_table_walk_(SPACE, 10), *cairn_table_walk_(SPACE, 25));
    expect_page(SPACE, 10, 7);
    expect_page(SPACE, 25, 7);
    expect_page(SPACE, 12, 8);
    assert_int_equal(merge(FRAMES), 0);
}

static void equal_pages_of_different_spaces_become_one_frame(void **state)
{
    (void)state;
    two_spaces_of_pages();
    fill_page(SPACE, 10, 7);
    fill_page(OTHER, 11, 7);
    fill_page(OTHER, 12, 7);
    assert_int_equal(merge(FRAMES), 2);
    assert_int_equal(vm_figures().frames_free, FRAMES - 1);
    assert_int_equal(table_record(VM, pte_number(*cairn_table_walk_(SPACE, 10)))->owners, 3);
    expect_page(SPACE, 10, 7);
    expect_page(OTHER, 11, 7);
    expect_page(OTHER, 12, 7);
}

static void a_write_makes_two_of_them_again(void **state)
{
    (void)state;
    two_spaces_of_pages();
    fill_page(SPACE, 10, 7);
    fill_page(OTHER, 11, 7);
    assert_int_equal(vm_get(vm_page(10)), 7); // in the TLB, for a store as well
    vm_put(vm_page(10), 7);
    assert_int_equal(merge(FRAMES), 1);
    vm_put(vm_page(10), 9);
    vm_sound();
    assert_int_equal(vm_get(vm_page(10)), 9);
    assert_int_equal(vm_get(vm_page(10) + 4), 7);
    expect_page(OTHER, 11, 7);
    assert_int_equal(vm_space_figures(SPACE).copies, 1);
    vm_set(OTHER, vm_page(11), 8); // the last one
    assert_int_equal(vm_space_figures(OTHER).copies, 0);
    assert_int_equal(vm_figures().shared, 0);
    assert_int_equal(vm_get(vm_page(10)), 9);
    vm_sound();
}

static void merged_pages_leave_and_come_back_as_one(void **state)
{
    (void)state;
    two_spaces_of_pages();
    fill_page(SPACE, 10, 7);
    fill_page(OTHER, 11, 7);
    assert_int_equal(merge(FRAMES), 1);
    vm_write_pages(SPACE, 15, 2 * FRAMES, 1);
    assert_int_equal(vm_figures().slots_used, FRAMES + 1);
    const uint32_t reads = vm_fixture.reads;
    expect_page(SPACE, 10, 7);
    expect_page(OTHER, 11, 7);
    assert_int_equal(vm_fixture.reads, reads + 1);
    vm_sound();
}

static void the_slot_of_a_page_that_was_merged_is_free(void **state)
{
    (void)state;
    two_spaces_of_pages();
    fill_page(SPACE, 10, 7);
    fill_page(OTHER, 11, 7);
    assert_int_equal(cairn_vm_clean(VM, 9), 2);
    assert_int_equal(vm_figures().slots_used, 2);
    assert_int_equal(merge(FRAMES), 1);
    assert_int_equal(vm_figures().slots_used, 1);
    expect_page(SPACE, 10, 7);
}

static void pages_of_zeros_are_forgotten(void **state)
{
    (void)state;
    two_spaces_of_pages();
    fill_page(SPACE, 10, 1);
    fill_page(SPACE, 10, 0);
    (void)vm_get(vm_page(12));
    fill_page(OTHER, 11, 0x100); // not zeros
    assert_int_equal(cairn_vm_clean(VM, 9), 2);
    assert_int_equal(merge(FRAMES), 2);
    assert_int_equal(vm_figures().frames_free, FRAMES - 1);
    assert_int_equal(vm_figures().slots_used, 1);
    assert_int_equal(vm_figures().shared, 0);
    assert_int_equal(vm_space_figures(SPACE).resident, 0);
    expect_page(SPACE, 10, 0);
    vm_put(vm_page(10), 4);
    assert_int_equal(vm_get(vm_page(10)), 4);
}

// Who its owners are nobody knows.
static void common_pages_of_zeros_are_left(void **state)
{
    struct cairn_space child;
    (void)state;
    two_spaces_of_pages();
    fill_page(SPACE, 10, 0);
    assert_int_equal(cairn_space_fork(&child, SPACE), 0);
    assert_int_equal(merge(FRAMES), 0);
    expect_page(&child, 10, 0);
    assert_int_equal(cairn_space_deinit(&child), 0);
}

static void a_page_that_is_pinned_is_left(void **state)
{
    void *memory;
    size_t run;
    (void)state;
    two_spaces_of_pages();
    fill_page(SPACE, 10, 7);
    fill_page(SPACE, 11, 7);
    fill_page(SPACE, 12, 0);
    assert_int_equal(cairn_space_lock(SPACE, vm_page(12), PAGE), 0);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(10), CAIRN_READ, &memory, &run), 0);
    assert_int_equal(merge(FRAMES), 0);
    assert_int_equal(merge(FRAMES), 0);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(10)), 0);
    assert_int_equal(merge(FRAMES), 1);
}

static void pages_of_objects_are_left(void **state)
{
    (void)state;
    memset(vm_file, 0, sizeof vm_file);
    vm_object_of_file(4);
    vm_object_of_zeros(2);
    assert_int_equal(vm_show(SPACE, 10, 2, RW, CAIRN_MAP_SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_show(SPACE, 20, 2, RW, 0, OBJECT, 2), 0);
    assert_int_equal(vm_show(SPACE, 30, 2, RW, CAIRN_MAP_SHARED, SECOND, 0), 0);
    assert_int_equal(vm_get(vm_page(10)), 0);
    assert_int_equal(vm_get(vm_page(30)), 0);
    vm_put(vm_page(20), 1);
    vm_put(vm_page(20), 0); // a private copy of zeros: what is there if it is forgotten is the object's
    assert_int_equal(merge(FRAMES), 0);
    assert_int_equal(merge(FRAMES), 0);
    assert_int_equal(vm_figures().frames_free, 0);
}

static void steps_are_as_many_as_asked_for(void **state)
{
    (void)state;
    two_spaces_of_pages();
    for (uint32_t page = 10; page < 10 + FRAMES; page++) {
        fill_page(SPACE, page, 7);
    }
    assert_int_equal(merge(0), 0);
    assert_int_equal(merge(1), 0); // the first is seen
    assert_int_equal(merge(1), 1);
    assert_int_equal(merge(1), 1);
    assert_int_equal(vm_figures().frames_free, 2);
    assert_int_equal(merge(1000), 1); // once around at most
    assert_int_equal(vm_figures().frames_free, 3);
    assert_int_equal(vm_figures().shared, 1);
}

static void what_was_seen_and_changed_since_is_compared(void **state)
{
    (void)state;
    two_spaces_of_pages();
    fill_page(SPACE, 10, 7);
    fill_page(SPACE, 11, 8);
    fill_page(SPACE, 12, 9);
    assert_int_equal(cairn_vm_merge(VM, FRAMES, seen, 1), 0); // one word for all: only the last is known
    assert_int_equal(cairn_vm_merge(VM, FRAMES, seen, 1), 0);
    vm_sound();
    assert_int_equal(merge(FRAMES), 0);
    fill_page(SPACE, 11, 7);
    fill_page(SPACE, 10, 8); // each is now where the other was seen
    assert_int_equal(merge(FRAMES), 0);
    assert_int_equal(vm_unmap(SPACE, 10, 2), 0);
    fill_page(OTHER, 20, 9);
    for (uint32_t i = 0; i < SEEN; i++) {
        seen[i] = i % 2 == 0 ? UINT32_MAX : 3 * FRAMES; // what is none of the vm's does no harm
    }
    assert_int_equal(merge(FRAMES) + merge(FRAMES), 1);
    expect_page(OTHER, 20, 9);
    expect_page(SPACE, 12, 9);
}

static void a_page_joins_what_a_fork_has_shared(void **state)
{
    struct cairn_space child;
    (void)state;
    two_spaces_of_pages();
    fill_page(SPACE, 10, 7);
    assert_int_equal(cairn_space_fork(&child, SPACE), 0);
    fill_page(OTHER, 10, 7);
    assert_int_equal(merge(FRAMES) + merge(FRAMES), 1);
    assert_int_equal(table_record(VM, pte_number(*cairn_table_walk_(OTHER, 10)))->owners, 3);
    fill_page(&child, 10, 5);
    expect_page(SPACE, 10, 7);
    expect_page(OTHER, 10, 7);
    assert_int_equal(cairn_space_deinit(&child), 0);
    vm_sound();
}

static void a_page_that_is_read_only_stays_so(void **state)
{
    (void)state;
    two_spaces_of_pages();
    fill_page(SPACE, 10, 7);
    fill_page(OTHER, 10, 7);
    assert_int_equal(vm_protect(SPACE, 10, 20, CAIRN_READ), 0);
    assert_int_equal(merge(FRAMES), 1);
    assert_int_equal(cairn_vm_store32(VM, vm_page(10), 1), CAIRN_EACCES);
    fill_page(OTHER, 10, 8);
    expect_page(SPACE, 10, 7);
    assert_int_equal(cairn_vm_store32(VM, vm_page(10), 1), CAIRN_EACCES);
    vm_sound();
}

static void without_memory_for_a_record_nothing_is_merged(void **state)
{
    (void)state;
    two_spaces_of_pages();
    fill_page(SPACE, 10, 7);
    fill_page(SPACE, 11, 7);
    const uint32_t size = VM->table_size;
    VM->table_size = VM->table_used + 4;
    assert_int_equal(merge(FRAMES), 0);
    assert_int_equal(vm_figures().frames_free, 2);
    VM->table_size = size;
    assert_int_equal(merge(FRAMES), 1);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    two_spaces_of_pages();
    REFUSES(CAIRN_EINVAL, cairn_vm_merge(NULL, 1, seen, SEEN));
    REFUSES(CAIRN_EINVAL, cairn_vm_merge(VM, 1, NULL, SEEN));
    REFUSES(CAIRN_EINVAL, cairn_vm_merge(VM, 1, seen, 0));
    REFUSES(CAIRN_EINVAL, cairn_vm_merge(VM, 1, seen, 12));
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, setup, vm_objects_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(equal_pages_at_different_addresses_become_one_frame),
        UNIT(equal_pages_of_different_spaces_become_one_frame),
        UNIT(a_write_makes_two_of_them_again),
        UNIT(merged_pages_leave_and_come_back_as_one),
        UNIT(the_slot_of_a_page_that_was_merged_is_free),
        UNIT(pages_of_zeros_are_forgotten),
        UNIT(common_pages_of_zeros_are_left),
        UNIT(a_page_that_is_pinned_is_left),
        UNIT(pages_of_objects_are_left),
        UNIT(steps_are_as_many_as_asked_for),
        UNIT(what_was_seen_and_changed_since_is_compared),
        UNIT(a_page_joins_what_a_fork_has_shared),
        UNIT(a_page_that_is_read_only_stays_so),
        UNIT(without_memory_for_a_record_nothing_is_merged),
        UNIT(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
