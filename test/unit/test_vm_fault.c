// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/fault.c promises: the order of a fault, what it counts, what the handler is told.
// CALLERS     ctest, on every preset.
#include "vm_fixture.h"

static uint32_t value;

static void a_page_is_zeros_at_first_and_counts_as_minor(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < PAGE; i += 4) {
        assert_int_equal(vm_get(vm_page(1) + i), 0); // the frame was full of other bytes
    }
    assert_int_equal(vm_figures().minor, 1);
    assert_int_equal(vm_space_figures(SPACE).minor, 1);
    assert_int_equal(vm_figures().major, 0);
    assert_int_equal(vm_fixture.calls, 0);
    assert_int_equal(vm_space_figures(SPACE).resident, 1);
}

static void a_page_from_the_store_counts_as_major(void **state)
{
    (void)state;
    vm_put(vm_page(1), 1);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(1)), 0);
    assert_int_equal(vm_space_figures(SPACE).swapped, 1);
    assert_int_equal(vm_get(vm_page(1)), 1);
    const struct cairn_vm_figures all = vm_figures();
    const struct cairn_space_figures its = vm_space_figures(SPACE);
    assert_int_equal(all.minor, 1);
    assert_int_equal(all.major, 1);
    assert_int_equal(all.reads, 1);
    assert_int_equal(all.writes, 1);
    assert_int_equal(all.evictions, 1);
    assert_int_equal(its.minor, 1);
    assert_int_equal(its.major, 1);
    assert_int_equal(its.reads, 1);
    assert_int_equal(its.writes, 1);
    assert_int_equal(its.swapped, 0);
    assert_int_equal(its.resident, 1);
    cairn_vm_flush(VM);
    assert_int_equal(vm_get(vm_page(1)), 1); // a miss on a resident page is no fault
    assert_int_equal(vm_figures().minor + vm_figures().major, 2);
}

static void each_step_is_asked_before_the_next(void **state)
{
    (void)state;
    SPACE->handler = vm_handler;
    assert_int_equal(cairn_space_protect(SPACE, MAP, CAIRN_READ), 0);
    for (uint32_t i = 0; i < FRAMES; i++) { // no frame, no table memory, a store that fails
        void *memory;
        size_t run;
        assert_int_equal(cairn_space_pin(SPACE, vm_page(1 + i), CAIRN_READ, &memory, &run), 0);
    }
    vm_starve(0);
    vm_fail(1, 99);
    vm_fixture.answer = -4711;
    assert_int_equal(cairn_vm_store32(VM, vm_page(PAGES + 1), 1), vm_fixture.answer);
    vm_expect_fault(vm_page(PAGES + 1), CAIRN_WRITE, CAIRN_EFAULT); // valid?
    assert_int_equal(cairn_vm_store32(VM, vm_page(PAGES), 1), vm_fixture.answer);
    vm_expect_fault(vm_page(PAGES), CAIRN_WRITE, CAIRN_EACCES); // allowed?
    assert_int_equal(cairn_vm_load32(VM, vm_page(PAGES), &value), vm_fixture.answer);
    vm_expect_fault(vm_page(PAGES), CAIRN_READ, CAIRN_ENOMEM); // a frame?
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(1)), 0);
    assert_int_equal(cairn_vm_load32(VM, vm_page(PAGES), &value), vm_fixture.answer);
    vm_expect_fault(vm_page(PAGES), CAIRN_READ, CAIRN_ENOMEM); // a table?
    assert_int_equal(vm_fixture.calls, 0);
    vm_feed();
    assert_int_equal(vm_get(vm_page(PAGES)), 0); // the store is not asked for zeros
    assert_int_equal(vm_fixture.calls, 0);
    for (uint32_t i = 1; i < FRAMES; i++) {
        assert_int_equal(cairn_space_unpin(SPACE, vm_page(1 + i)), 0);
    }
}

static void a_page_that_cannot_be_read_stays_in_its_slot(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, 1, 1);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(1)), 0);
    SPACE->handler = vm_handler;
    vm_fixture.answer = CAIRN_ECORRUPT;
    vm_fail(1, 3);
    const struct cairn_space_figures before = vm_space_figures(SPACE);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(cairn_vm_load32(VM, vm_page(1), &value), CAIRN_ECORRUPT);
        vm_expect_fault(vm_page(1), CAIRN_READ, CAIRN_ECORRUPT); // the store's own
        vm_sound();
    }
    const struct cairn_space_figures now = vm_space_figures(SPACE);
    assert_memory_equal(&now, &before, sizeof now);
    assert_int_equal(vm_figures().frames_free, FRAMES);
    vm_expect_pages(SPACE, 1, 1, 1);
}

static int wrong_sign(void *context, uint32_t slot, void *page)
{
    (void)context;
    (void)slot;
    (void)page;
    return 5;
}

static int wrong_sign_write(void *context, uint32_t slot, const void *page)
{
    (void)context;
    (void)slot;
    (void)page;
    return 5;
}

static void the_stores_error_without_a_sign_is_an_io_error(void **state)
{
    (void)state;
    const struct cairn_port_store whole = vm_fixture.store;
    vm_put(vm_page(1), 1);
    vm_fixture.store.write = wrong_sign_write;
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(1)), CAIRN_EIO);
    assert_int_equal(vm_figures().slots_used, 0);
    vm_fixture.store = whole;
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(1)), 0);
    vm_fixture.store.read = wrong_sign;
    assert_int_equal(cairn_vm_load32(VM, vm_page(1), &value), CAIRN_EIO);
    vm_fixture.store = whole;
    assert_int_equal(vm_get(vm_page(1)), 1);
}

static void without_a_handler_an_access_has_its_own_error(void **state)
{
    (void)state;
    assert_int_equal(cairn_vm_load32(VM, 0, &value), CAIRN_EFAULT);
    SPACE->handler = vm_handler;
    vm_fixture.answer = -4711;
    assert_int_equal(cairn_vm_load32(VM, 4, &value), -4711);
    assert_ptr_equal(vm_fixture.fault_space, SPACE);
    vm_expect_fault(4, CAIRN_READ, CAIRN_EFAULT);
}

static void a_fault_names_the_byte_that_was_asked_for(void **state)
{
    (void)state;
    SPACE->handler = vm_handler;
    vm_fixture.answer = CAIRN_EFAULT;
    assert_int_equal(cairn_vm_load8(VM, vm_page(20) + 77, (uint8_t *)&value), CAIRN_EFAULT);
    vm_expect_fault(vm_page(20) + 77, CAIRN_READ, CAIRN_EFAULT);
    assert_int_equal(cairn_vm_store32(VM, vm_page(PAGES + 1) - 2, 1), CAIRN_EFAULT); // its second half
    vm_expect_fault(vm_page(PAGES + 1), CAIRN_WRITE, CAIRN_EFAULT);
    assert_int_equal(cairn_space_read(SPACE, &value, vm_page(PAGES + 1) - 1, 4), CAIRN_EFAULT);
    vm_expect_fault(vm_page(PAGES + 1), CAIRN_READ, CAIRN_EFAULT);
    assert_int_equal(cairn_space_will_need(SPACE, vm_page(33) + 1), CAIRN_EFAULT);
    vm_expect_fault(vm_page(33) + 1, 0, CAIRN_EFAULT);
    void *memory;
    size_t run;
    assert_int_equal(cairn_space_pin(SPACE, vm_page(33) + 1, CAIRN_EXEC, &memory, &run), CAIRN_EFAULT);
    vm_expect_fault(vm_page(33) + 1, CAIRN_EXEC, CAIRN_EFAULT);
    SPACE->user = true;
    assert_int_equal(cairn_vm_store32(VM, vm_page(1), 1), CAIRN_EFAULT);
    vm_expect_fault(vm_page(1), CAIRN_WRITE | CAIRN_USER, CAIRN_EACCES);
    SPACE->user = false;
}

static void map_it(void)
{
    assert_int_equal(cairn_space_map(SPACE, EXTRA, vm_fixture.fault.address & ~(cairn_vaddr_t)(PAGE - 1), PAGE, RW), 0);
}

static void allow_it(void)
{
    assert_int_equal(cairn_space_protect(SPACE, MAP, RW), 0);
}

static void make_room(void)
{
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(1)), 0);
}

static void resume_it(void)
{
    cairn_space_resume(SPACE);
}

static void a_handler_that_mends_it_has_the_access_made_again(void **state)
{
    (void)state;
    SPACE->handler = vm_handler;
    vm_fixture.act = vm_feed;
    vm_starve(0);
    assert_int_equal(vm_get(vm_page(PAGES)), 0);
    vm_expect_fault(vm_page(PAGES), CAIRN_READ, CAIRN_ENOMEM);

    vm_fixture.act = map_it; // a stack that grows, say
    vm_put(vm_page(30) + 8, 8);
    vm_expect_fault(vm_page(30) + 8, CAIRN_WRITE, CAIRN_EFAULT);
    assert_int_equal(vm_get(vm_page(30) + 8), 8);

    vm_fixture.act = allow_it;
    assert_int_equal(cairn_space_protect(SPACE, MAP, CAIRN_READ), 0);
    assert_int_equal(cairn_vm_store64(VM, vm_page(2) - 4, 2), 0); // over a page's end: asked once
    vm_expect_fault(vm_page(2) - 4, CAIRN_WRITE, CAIRN_EACCES);

    vm_fixture.act = make_room;
    for (uint32_t i = 0; i < FRAMES; i++) {
        void *memory;
        size_t run;
        assert_int_equal(cairn_space_pin(SPACE, vm_page(1 + i), CAIRN_READ, &memory, &run), 0);
    }
    assert_int_equal(vm_get(vm_page(9)), 0);
    vm_expect_fault(vm_page(9), CAIRN_READ, CAIRN_ENOMEM);
    for (uint32_t i = 1; i < FRAMES; i++) {
        assert_int_equal(cairn_space_unpin(SPACE, vm_page(1 + i)), 0);
    }

    vm_fixture.act = resume_it;
    assert_int_equal(cairn_space_suspend(SPACE), 0);
    assert_int_equal(vm_get(vm_page(30) + 8), 8);
    vm_expect_fault(vm_page(30) + 8, CAIRN_READ, CAIRN_EBUSY);

    vm_fixture.act = NULL; // it failed once, and does not the second time
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(30)), 0);
    vm_fail(1, 1);
    assert_int_equal(vm_get(vm_page(30) + 8), 8);
    vm_expect_fault(vm_page(30) + 8, CAIRN_READ, CAIRN_ECORRUPT);
}

static void a_handler_that_mends_nothing_is_asked_once(void **state)
{
    (void)state;
    SPACE->handler = vm_handler;
    assert_int_equal(cairn_vm_load32(VM, vm_page(30), &value), CAIRN_EFAULT);
    vm_expect_fault(vm_page(30), CAIRN_READ, CAIRN_EFAULT);
    vm_fixture.act = map_it; // mapped, but the store fails next
    assert_int_equal(cairn_space_fill(SPACE, vm_page(1), 1, FRAMES * PAGE), 0);
    vm_fail(1, 99);
    assert_int_equal(cairn_vm_load32(VM, vm_page(30), &value), CAIRN_EIO);
    vm_expect_fault(vm_page(30), CAIRN_READ, CAIRN_EFAULT);
    vm_fail(0, 0);
    vm_sound();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        VM_UNIT(a_page_is_zeros_at_first_and_counts_as_minor),
        VM_UNIT(a_page_from_the_store_counts_as_major),
        VM_UNIT(each_step_is_asked_before_the_next),
        VM_UNIT(a_page_that_cannot_be_read_stays_in_its_slot),
        VM_UNIT(the_stores_error_without_a_sign_is_an_io_error),
        VM_UNIT(without_a_handler_an_access_has_its_own_error),
        VM_UNIT(a_fault_names_the_byte_that_was_asked_for),
        VM_UNIT(a_handler_that_mends_it_has_the_access_made_again),
        VM_UNIT(a_handler_that_mends_nothing_is_asked_once),
    };
    return cmocka_run_group_tests_name("vm_fault", tests, NULL, NULL);
}
