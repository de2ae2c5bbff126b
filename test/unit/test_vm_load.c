// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/load.c promises: working sets, thrashing, suspending, what is needed and what not.
// CALLERS     ctest, on every preset.
#include "vm_fixture.h"

static uint32_t value;
static uint32_t alarms;
static uint32_t alarm_wanted;

static void thrashing(void *context, struct cairn_vm *vm, uint32_t wanted)
{
    assert_ptr_equal(context, &alarms);
    assert_ptr_equal(vm, VM);
    alarms++;
    alarm_wanted = wanted;
}

static int setup(void **state)
{
    alarms = 0;
    if (vm_setup(state) != 0 || vm_end() != 0) {
        return -1;
    }
    vm_fixture.config.thrashing = thrashing;
    vm_fixture.config.context = &alarms;
    vm_make();
    return cairn_space_map(SPACE, MAP, vm_page(1), PAGES * PAGE, RW);
}

static void a_working_set_is_what_was_used_since_the_last_tick(void **state)
{
    (void)state;
    assert_int_equal(cairn_vm_tick(VM), 0);
    vm_put(vm_page(1), 1);
    vm_put(vm_page(2), 2);
    vm_put(vm_page(3), 3);
    assert_int_equal(cairn_vm_tick(VM), 3);
    assert_int_equal(vm_space_figures(SPACE).working_set, 3);
    assert_int_equal(vm_get(vm_page(2)), 2); // it was in the TLB
    assert_int_equal(cairn_vm_tick(VM), 1);
    assert_int_equal(vm_space_figures(SPACE).working_set, 1);
    vm_put(vm_page(2), 2);
    vm_put(vm_page(2), 3);
    assert_int_equal(cairn_space_read(SPACE, &value, vm_page(3), 4), 0);
    assert_int_equal(cairn_vm_tick(VM), 2);
    assert_int_equal(cairn_vm_tick(VM), 0);
    assert_int_equal(vm_space_figures(SPACE).working_set, 0);
    vm_sound();
}

static void each_space_has_its_own(void **state)
{
    (void)state;
    assert_int_equal(cairn_space_init(OTHER, VM), 0);
    assert_int_equal(cairn_space_map(OTHER, EXTRA, vm_page(1), 4 * PAGE, RW), 0);
    vm_put(vm_page(1), 1);
    assert_int_equal(cairn_space_fill(OTHER, vm_page(1), 1, 2 * PAGE), 0);
    assert_int_equal(cairn_vm_tick(VM), 3);
    assert_int_equal(vm_space_figures(SPACE).working_set, 1);
    assert_int_equal(vm_space_figures(OTHER).working_set, 2);
}

static void scan(uint32_t pages)
{
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t page = 1; page <= pages; page++) {
            vm_put(vm_page(page), page);
        }
    }
}

static void a_scan_of_more_than_there_are_frames_is_told(void **state)
{
    (void)state;
    scan(FRAMES + 3);
    const uint32_t wanted = cairn_vm_tick(VM);
    assert_int_equal(alarms, 1);
    assert_int_equal(alarm_wanted, wanted);
    assert_true(wanted > FRAMES);
    assert_int_equal(cairn_vm_tick(VM), 0); // nothing since
    assert_int_equal(alarms, 1);
    scan(FRAMES + 1);
    (void)cairn_vm_tick(VM);
    assert_int_equal(alarms, 2);
}

static void frames_that_are_pinned_do_not_make_it_less(void **state)
{
    void *memory;
    size_t run;
    (void)state;
    assert_int_equal(cairn_space_pin(SPACE, vm_page(PAGES), CAIRN_READ, &memory, &run), 0);
    (void)cairn_vm_tick(VM);
    scan(FRAMES + 3); // in one frame less
    assert_true(cairn_vm_tick(VM) > FRAMES);
    assert_int_equal(alarms, 1);
    assert_true(alarm_wanted > FRAMES);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(PAGES)), 0);
}

static void what_fits_is_not_told(void **state)
{
    (void)state;
    for (uint32_t tick = 0; tick < 3; tick++) {
        scan(FRAMES);
        assert_int_equal(cairn_vm_tick(VM), FRAMES);
    }
    vm_write_pages(SPACE, 9, FRAMES, 1); // another phase of the program comes, and fits too
    assert_int_equal(cairn_vm_tick(VM), FRAMES);
    for (uint32_t round = 0; round < 9; round++) {
        vm_expect_pages(SPACE, 9, FRAMES, 1);
    }
    assert_int_equal(cairn_vm_tick(VM), FRAMES);
    assert_int_equal(alarms, 0);
}

static void nobody_need_be_told(void **state)
{
    (void)state;
    VM->thrashing = NULL;
    scan(PAGES);
    assert_true(cairn_vm_tick(VM) > FRAMES);
    assert_int_equal(alarms, 0);
}

// ------------------------------------------------------------------------------------------------------------------ suspending

static void a_space_that_is_suspended_has_no_frame_and_gets_none(void **state)
{
    int order;
    (void)state;
    vm_write_pages(SPACE, 1, 6, 1);
    assert_int_equal(vm_get(vm_page(9)), 0);
    assert_int_equal(cairn_space_suspend(SPACE), 0);
    assert_int_equal(cairn_space_suspend(SPACE), 0);
    assert_int_equal(vm_figures().frames_free, FRAMES);
    assert_int_equal(vm_space_figures(SPACE).resident, 0);
    assert_int_equal(vm_space_figures(SPACE).swapped, 6);
    assert_int_equal(cairn_vm_load32(VM, vm_page(1), &value), CAIRN_EBUSY);
    assert_int_equal(cairn_vm_store32(VM, vm_page(1), 1), CAIRN_EBUSY);
    assert_int_equal(cairn_vm_store32(VM, vm_page(2) - 1, 1), CAIRN_EBUSY);
    assert_int_equal(cairn_vm_load32(VM, vm_page(9), &value), CAIRN_EBUSY);
    assert_int_equal(cairn_space_write(SPACE, vm_page(1), &value, 4), CAIRN_EBUSY);
    assert_int_equal(cairn_space_compare(SPACE, vm_page(1), &value, 4, &order), CAIRN_EBUSY);
    assert_int_equal(cairn_space_will_need(SPACE, vm_page(1)), CAIRN_EBUSY);
    void *memory;
    size_t run;
    assert_int_equal(cairn_space_pin(SPACE, vm_page(1), CAIRN_READ, &memory, &run), CAIRN_EBUSY);
    assert_int_equal(cairn_vm_load32(VM, vm_page(40), &value), CAIRN_EFAULT); // valid and allowed come first
    assert_int_equal(cairn_space_protect(SPACE, MAP, CAIRN_READ), 0);
    assert_int_equal(cairn_vm_store32(VM, vm_page(1), 1), CAIRN_EACCES);
    assert_int_equal(vm_figures().frames_free, FRAMES);
    vm_sound();
    cairn_space_resume(SPACE);
    cairn_space_resume(SPACE);
    vm_expect_pages(SPACE, 1, 6, 1);
    assert_int_equal(vm_get(vm_page(9)), 0);
}

static void others_have_its_frames_meanwhile(void **state)
{
    (void)state;
    assert_int_equal(cairn_space_init(OTHER, VM), 0);
    assert_int_equal(cairn_space_map(OTHER, EXTRA, vm_page(1), 4 * PAGE, RW), 0);
    vm_write_pages(SPACE, 1, FRAMES, 1);
    assert_int_equal(cairn_space_suspend(SPACE), 0);
    const uint32_t calls = vm_fixture.calls;
    vm_write_pages(OTHER, 1, FRAMES, 2);
    vm_expect_pages(OTHER, 1, FRAMES, 2);
    assert_int_equal(vm_fixture.calls, calls);
    cairn_space_resume(SPACE);
    vm_expect_pages(SPACE, 1, FRAMES, 1);
    vm_expect_pages(OTHER, 1, FRAMES, 2);
}

static void a_space_can_end_while_it_is_suspended(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, 6, 1);
    assert_int_equal(cairn_space_suspend(SPACE), 0);
    assert_int_equal(cairn_space_unmap(SPACE, MAP), 0);
    assert_int_equal(cairn_space_deinit(SPACE), 0);
    assert_int_equal(cairn_space_init(SPACE, VM), 0);
    assert_false(SPACE->suspended);
}

static void suspending_fails_at_any_write_and_the_space_goes_on(void **state)
{
    (void)state;
    for (uint32_t nth = 1; nth <= FRAMES; nth++) {
        vm_write_pages(SPACE, 1, FRAMES, nth);
        vm_fail(nth, 1);
        assert_int_equal(cairn_space_suspend(SPACE), CAIRN_EIO);
        vm_sound();
        vm_expect_pages(SPACE, 1, FRAMES, nth);
        vm_put(vm_page(1), 1);
    }
    vm_write_pages(SPACE, 1, FRAMES, 9);
    assert_int_equal(cairn_space_suspend(SPACE), 0);
    cairn_space_resume(SPACE);
    vm_expect_pages(SPACE, 1, FRAMES, 9);
}

// --------------------------------------------------------------------------------------------------------- what will be needed

static void what_will_be_needed_is_there_when_it_is(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, 6, 1);
    assert_int_equal(cairn_space_will_need(SPACE, vm_page(1) + 77), 0);
    assert_int_equal(vm_space_figures(SPACE).major, 1);
    const uint32_t calls = vm_fixture.calls;
    vm_expect_pages(SPACE, 1, 1, 1);
    assert_int_equal(cairn_space_will_need(SPACE, vm_page(1)), 0); // it is there
    assert_int_equal(vm_fixture.calls, calls);
    assert_int_equal(cairn_space_will_need(SPACE, 0), CAIRN_EFAULT);
    assert_int_equal(cairn_space_will_need(SPACE, ~(cairn_vaddr_t)0), CAIRN_EFAULT);
    assert_int_equal(cairn_space_protect(SPACE, MAP, CAIRN_EXEC), 0);
    assert_int_equal(cairn_space_will_need(SPACE, vm_page(2)), 0); // it is no access
    vm_sound();
    assert_int_equal(cairn_space_protect(SPACE, MAP, 0), 0);
    assert_int_equal(cairn_space_will_need(SPACE, vm_page(3)), CAIRN_EACCES); // it is a guard now
    assert_int_equal(cairn_space_protect(SPACE, MAP, RW), 0);
    assert_int_equal(cairn_space_will_need(SPACE, vm_page(3)), 0);
    vm_fail(1, 9);
    assert_int_equal(cairn_space_will_need(SPACE, vm_page(6)), 0);
    assert_int_not_equal(cairn_space_will_need(SPACE, vm_page(4)), 0);
}

static void what_is_not_needed_leaves_and_comes_back(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, 2, 1);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(1) + 9), 0);
    assert_false(vm_is_resident(SPACE, 1));
    assert_true(vm_is_resident(SPACE, 2));
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(1)), 0); // it has left
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(7)), 0); // it never came
    assert_int_equal(vm_fixture.writes, 1);
    assert_int_equal(cairn_space_dont_need(SPACE, 0), CAIRN_EFAULT);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(PAGES + 1)), CAIRN_EFAULT);
    assert_int_equal(cairn_space_dont_need(SPACE, VM->limit + 1 + vm_page(1)), CAIRN_EFAULT);
    vm_fail(1, 1);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(2)), CAIRN_EIO);
    assert_true(vm_is_resident(SPACE, 2));
    vm_expect_pages(SPACE, 1, 2, 1);
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, setup, vm_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(a_working_set_is_what_was_used_since_the_last_tick),
        UNIT(each_space_has_its_own),
        UNIT(a_scan_of_more_than_there_are_frames_is_told),
        UNIT(frames_that_are_pinned_do_not_make_it_less),
        UNIT(what_fits_is_not_told),
        UNIT(nobody_need_be_told),
        UNIT(a_space_that_is_suspended_has_no_frame_and_gets_none),
        UNIT(others_have_its_frames_meanwhile),
        UNIT(a_space_can_end_while_it_is_suspended),
        UNIT(suspending_fails_at_any_write_and_the_space_goes_on),
        UNIT(what_will_be_needed_is_there_when_it_is),
        UNIT(what_is_not_needed_leaves_and_comes_back),
    };
    return cmocka_run_group_tests_name("vm_load", tests, NULL, NULL);
}
