// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/pageout.c promises: a frame is had where one can be, and a page that cannot be written stays.
// PICTURE     4 frames, FIFO: the first page to come is the first to leave
// CALLERS     ctest, on every preset.
#include "vm_fixture.h"

static uint32_t value;

static void every_policy_brings_back_what_left(void **state)
{
    static const struct cairn_policy *const policies[] = {&cairn_policy_fifo, &cairn_policy_lru, &cairn_policy_clock, &cairn_policy_nru};
    (void)state;
    for (uint32_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        assert_int_equal(vm_end(), 0);
        vm_fixture.config.policy = policies[i];
        vm_make();
        assert_int_equal(cairn_space_map(SPACE, MAP, vm_page(1), PAGES * PAGE, RW), 0);
        vm_write_pages(SPACE, 1, PAGES, 1);
        vm_sound();
        assert_int_equal(vm_space_figures(SPACE).resident, FRAMES);
        assert_int_equal(vm_space_figures(SPACE).swapped, PAGES - FRAMES);
        vm_expect_pages(SPACE, 1, PAGES, 1);
        vm_sound();
    }
}

static void a_clean_page_leaves_without_being_written(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, PAGES, 1);
    vm_expect_pages(SPACE, 1, PAGES, 1);
    const uint32_t writes = vm_fixture.writes;
    assert_int_equal(writes, PAGES);
    vm_expect_pages(SPACE, 1, PAGES, 1);
    assert_int_equal(vm_fixture.writes, writes);
}

static void a_page_of_zeros_leaves_without_a_slot(void **state)
{
    (void)state;
    for (uint32_t page = 1; page <= PAGES; page++) {
        assert_int_equal(vm_get(vm_page(page)), 0);
    }
    assert_int_equal(vm_fixture.calls, 0);
    assert_int_equal(vm_figures().slots_used, 0);
    assert_int_equal(vm_figures().evictions, PAGES - FRAMES);
    assert_int_equal(vm_space_figures(SPACE).swapped, 0);
}

static void a_page_goes_back_to_its_own_slot(void **state)
{
    (void)state;
    vm_put(vm_page(1), 1);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(1)), 0);
    const unsigned char *const slot = vm_slot(SPACE, 1);
    vm_put(vm_page(1), 2);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(1)), 0);
    assert_ptr_equal(vm_slot(SPACE, 1), slot);
    assert_int_equal(vm_figures().slots_used, 1);
    assert_int_equal(vm_get(vm_page(1)), 2);
    assert_int_equal(cairn_space_unmap(SPACE, MAP), 0);
    assert_int_equal(vm_fixture.trims, 1);
    assert_int_equal(vm_figures().slots_used, 0);
}

static void a_store_need_not_know_of_what_is_not_wanted(void **state)
{
    (void)state;
    vm_fixture.store.trim = NULL;
    vm_write_pages(SPACE, 1, PAGES, 1);
    assert_int_equal(cairn_space_unmap(SPACE, MAP), 0);
    assert_int_equal(vm_figures().slots_used, 0);
}

static void where_one_cannot_be_written_a_clean_one_leaves(void **state)
{
    (void)state;
    vm_put(vm_page(1), 1); // the victim
    vm_put(vm_page(2), 2);
    assert_int_equal(vm_get(vm_page(3)), 0);
    vm_put(vm_page(4), 4);
    vm_fail(1, 99);
    assert_int_equal(vm_get(vm_page(5)), 0);
    assert_int_equal(vm_fixture.writes, 1);
    assert_false(vm_is_resident(SPACE, 3));
    vm_sound();
    vm_fail(0, 0);
    assert_int_equal(vm_get(vm_page(1)), 1);
    assert_int_equal(vm_figures().slots_used, 0); // nothing was written, and no slot kept
}

// As many pages as a strict limit allows, stored to in turn: of those in frames at least one has a slot, whichever the policy names.
static void where_no_slot_is_free_one_that_has_its_own_leaves(void **state)
{
    static const struct cairn_policy *const policies[] = {&cairn_policy_fifo,  &cairn_policy_lru, &cairn_policy_clock,    &cairn_policy_nru,
                                                          &cairn_policy_lfu,   &cairn_policy_2q,  &cairn_policy_clockpro, &cairn_policy_random,
                                                          &cairn_policy_s3fifo, &cairn_policy_wsclock, &cairn_policy_adaptive};
    (void)state;
    for (uint32_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        assert_int_equal(vm_end(), 0);
        vm_fixture.config.policy = policies[i];
        vm_fixture.store.slots = 2;
        vm_make();
        assert_int_equal(cairn_space_map(SPACE, MAP, vm_page(1), (FRAMES - 1 + 2) * PAGE, RW), 0);
        uint32_t written[FRAMES + 1] = {0};
        for (uint32_t store = 1; store <= 200; store++) {
            const uint32_t at = store * store / 3 % (FRAMES + 1);
            assert_int_equal(vm_get(vm_page(1 + at)), written[at]);
            vm_put(vm_page(1 + at), store);
            written[at] = store;
        }
        vm_sound();
    }
}

// The policy names the page of the store that fails again and again.
static void a_store_that_fails_keeps_its_own_pages_only(void **state)
{
    (void)state;
    vm_put(vm_page(1), 1);
    assert_int_equal(cairn_vm_clean(VM, 1), 1);
    vm_put(vm_page(1), 2);
    vm_write_pages(SPACE, 2, FRAMES - 1, 1);
    const uint32_t writes = vm_fixture.writes;
    vm_fail(1, 2); // page 1, which was the first to come, and is in the first frame
    assert_int_equal(vm_get(vm_page(9)), 0);
    assert_true(vm_is_resident(SPACE, 1) && vm_is_dirty(SPACE, 1));
    assert_false(vm_is_resident(SPACE, 2));
    assert_int_equal(vm_fixture.writes, writes + 3);
    vm_sound();
    vm_expect_pages(SPACE, 2, FRAMES - 1, 1);
    assert_int_equal(vm_get(vm_page(1)), 2);
}

static void where_none_can_be_written_all_stay(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, FRAMES, 1);
    vm_fail(1, 99);
    assert_int_equal(cairn_vm_load32(VM, vm_page(9), &value), CAIRN_EIO);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(1)), CAIRN_EIO);
    assert_int_equal(vm_figures().slots_used, 0);
    assert_int_equal(vm_figures().writes, 0);
    assert_int_equal(vm_figures().evictions, 0);
    vm_sound();
    vm_expect_pages(SPACE, 1, FRAMES, 1);
    vm_fail(0, 0);
    assert_int_equal(vm_get(vm_page(9)), 0);
    vm_expect_pages(SPACE, 1, FRAMES, 1);
}

static void a_rewrite_that_fails_leaves_the_slot_its_own(void **state)
{
    (void)state;
    vm_put(vm_page(1), 1);
    assert_int_equal(cairn_vm_clean(VM, 1), 1);
    vm_put(vm_page(1), 2);
    vm_fail(1, 1);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(1)), CAIRN_EIO);
    assert_int_equal(vm_figures().slots_used, 1);
    assert_true(vm_is_dirty(SPACE, 1));
    assert_int_equal(vm_get(vm_page(1)), 2);
    vm_sound();
}

static void without_a_slot_a_dirty_page_stays(void **state)
{
    (void)state;
    for (uint32_t slots = 0; slots < 4; slots++) {
        assert_int_equal(vm_end(), 0);
        vm_fixture.store.slots = slots;
        vm_fixture.config.store = slots == 0 ? NULL : &vm_fixture.store;
        vm_make();
        assert_int_equal(cairn_space_map(SPACE, MAP, vm_page(1), PAGES * PAGE, RW), 0);
        vm_write_pages(SPACE, 1, FRAMES + slots, slots);
        assert_int_equal(vm_figures().slots_used, slots);
        assert_int_equal(cairn_vm_store32(VM, vm_page(PAGES), 1), CAIRN_ENOMEM);
        assert_int_equal(cairn_vm_load32(VM, vm_page(PAGES), &value), CAIRN_ENOMEM);
        assert_int_equal(cairn_space_dont_need(SPACE, vm_page(FRAMES + slots)), CAIRN_ENOMEM);
        assert_int_equal(cairn_vm_clean(VM, 99), CAIRN_ENOMEM);
        vm_sound();
        vm_expect_pages(SPACE, 1 + slots, FRAMES, slots); // those that are in frames
    }
}

static void every_slot_is_used_once(void **state)
{
    static unsigned char seen[SLOTS];
    (void)state;
    vm_write_pages(SPACE, 1, PAGES, 1);
    assert_int_equal(cairn_space_map(SPACE, EXTRA, vm_page(20), PAGES * PAGE, RW), 0);
    vm_write_pages(SPACE, 20, SLOTS + FRAMES - PAGES, 1); // one slot for each page but those in frames
    assert_int_equal(vm_figures().slots_used, SLOTS);
    for (uint32_t page = 1; page < 20 + SLOTS + FRAMES - PAGES; page++) {
        const unsigned char *const slot = vm_slot(SPACE, page);
        if (slot != NULL) {
            assert_int_equal(seen[(size_t)(slot - vm_slots) / PAGE]++, 0);
        }
    }
    assert_int_equal(cairn_vm_store32(VM, vm_page(19 + PAGES), 1), CAIRN_ENOMEM);
    assert_int_equal(cairn_space_unmap(SPACE, MAP), 0);
    vm_write_pages(SPACE, 20, PAGES, 2);
    vm_expect_pages(SPACE, 20, PAGES, 2);
}

// ----------------------------------------------------------------------------------------------------------------- cleaning

static void cleaning_goes_on_where_it_stopped(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, FRAMES, 1);
    for (uint32_t i = 0; i < FRAMES; i++) {
        assert_int_equal(cairn_vm_clean(VM, 1), 1);
        uint32_t dirty = 0;
        for (uint32_t page = 1; page <= FRAMES; page++) {
            dirty += vm_is_dirty(SPACE, page);
        }
        assert_int_equal(dirty, FRAMES - 1 - i);
    }
    assert_int_equal(cairn_vm_clean(VM, 1), 0);
    assert_int_equal(cairn_vm_clean(VM, 0), 0);
    const uint32_t writes = vm_fixture.writes;
    vm_write_pages(SPACE, 9, FRAMES, 1); // all leave at once
    assert_int_equal(vm_fixture.writes, writes);
    assert_int_equal(cairn_vm_clean(VM, 3), 3);
    assert_int_equal(cairn_vm_clean(VM, UINT32_MAX), 1);
    vm_expect_pages(SPACE, 1, FRAMES, 1);
    vm_expect_pages(SPACE, 9, FRAMES, 1);
}

static void cleaning_passes_over_what_fails(void **state)
{
    (void)state;
    for (uint32_t nth = 1; nth <= FRAMES; nth++) {
        vm_write_pages(SPACE, 1, FRAMES, nth);
        vm_fail(nth, 1);
        assert_int_equal(cairn_vm_clean(VM, 99), CAIRN_EIO);
        vm_sound();
        (void)!cairn_vm_clean(VM, 99);
        assert_int_equal(cairn_vm_clean(VM, 99), 0);
        vm_expect_pages(SPACE, 1, FRAMES, nth);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        VM_UNIT(every_policy_brings_back_what_left),
        VM_UNIT(a_clean_page_leaves_without_being_written),
        VM_UNIT(a_page_of_zeros_leaves_without_a_slot),
        VM_UNIT(a_page_goes_back_to_its_own_slot),
        VM_UNIT(a_store_need_not_know_of_what_is_not_wanted),
        VM_UNIT(where_one_cannot_be_written_a_clean_one_leaves),
        VM_UNIT(where_no_slot_is_free_one_that_has_its_own_leaves),
        VM_UNIT(a_store_that_fails_keeps_its_own_pages_only),
        VM_UNIT(where_none_can_be_written_all_stay),
        VM_UNIT(a_rewrite_that_fails_leaves_the_slot_its_own),
        VM_UNIT(without_a_slot_a_dirty_page_stays),
        VM_UNIT(every_slot_is_used_once),
        VM_UNIT(cleaning_goes_on_where_it_stopped),
        VM_UNIT(cleaning_passes_over_what_fails),
    };
    return cmocka_run_group_tests_name("vm_pageout", tests, NULL, NULL);
}
