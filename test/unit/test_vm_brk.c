// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/brk.c promises: the break, byte by byte, and what is below it.
// CALLERS     ctest, on every preset.
#include "vm_objects.h"

#define START vm_page(10)

static cairn_vaddr_t old;

static int setup(void **state)
{
    return vm_objects_setup(state) != 0 || cairn_space_set_break(SPACE, START) != 0 ? -1 : 0;
}

static int load_at(cairn_vaddr_t address)
{
    uint8_t byte;
    return cairn_vm_load8(VM, address, &byte);
}

static void break_at(cairn_vaddr_t address)
{
    assert_int_equal(cairn_space_brk(SPACE, address), 0);
    assert_int_equal(SPACE->break_end, address);
    vm_sound();
}

static cairn_vaddr_t by(ptrdiff_t delta)
{
    assert_int_equal(cairn_space_sbrk(SPACE, delta, &old), 0);
    vm_sound();
    return old;
}

static void the_break_grows_and_what_is_below_is_zeros(void **state)
{
    (void)state;
    assert_int_equal(load_at(START), CAIRN_EFAULT);
    break_at(START + 1);
    EXPECT_MAPS(SPACE, 10, 1, RW);
    assert_int_equal(vm_get(START), 0);
    assert_int_equal(load_at(START + PAGE), CAIRN_EFAULT);
    break_at(START + PAGE);
    EXPECT_MAPS(SPACE, 10, 1, RW);
    break_at(START + PAGE + 4);
    EXPECT_MAPS(SPACE, 10, 2, RW); // one mapping
    vm_put(START + PAGE, 5);
    break_at(START + 20 * PAGE);
    EXPECT_MAPS(SPACE, 10, 20, RW);
    assert_int_equal(vm_get(START + PAGE), 5);
    assert_int_equal(vm_get(START + 19 * PAGE), 0);
}

static void the_break_shrinks_and_pages_go(void **state)
{
    (void)state;
    break_at(START + 8 * PAGE);
    vm_write_pages(SPACE, 10, 8, 1);
    break_at(START + 3 * PAGE + 1);
    EXPECT_MAPS(SPACE, 10, 4, RW);
    assert_int_equal(load_at(START + 4 * PAGE), CAIRN_EFAULT);
    vm_expect_pages(SPACE, 10, 3, 1);
    break_at(START);
    EXPECT_NO_MAPS(SPACE);
    assert_int_equal(vm_figures().slots_used, 0);
    assert_int_equal(vm_figures().frames_free, FRAMES);
}

static void what_was_given_back_is_zeros_when_it_grows_again(void **state)
{
    (void)state;
    break_at(START + 3 * PAGE);
    assert_int_equal(cairn_space_fill(SPACE, START, 0x77, 3 * PAGE), 0);
    break_at(START + PAGE + 40);
    break_at(START + PAGE + 60); // within a page
    assert_int_equal(vm_get(START + PAGE + 36), 0x77777777);
    assert_int_equal(vm_get(START + PAGE + 40), 0);
    assert_int_equal(vm_get(START + PAGE + 56), 0);
    assert_int_equal(cairn_space_fill(SPACE, START, 0x77, PAGE + 60), 0);
    break_at(START + PAGE + 41);
    break_at(START + 3 * PAGE); // beyond it
    uint8_t byte = 9;
    assert_int_equal(cairn_vm_load8(VM, START + PAGE + 40, &byte), 0);
    assert_int_equal(byte, 0x77);
    for (uint32_t at = PAGE + 41; at < 3 * PAGE; at++) {
        assert_int_equal(cairn_vm_load8(VM, START + at, &byte), 0);
        assert_int_equal(byte, 0);
    }
}

static void sbrk_says_where_the_break_was(void **state)
{
    (void)state;
    assert_int_equal(by(0), START);
    assert_int_equal(by(100), START);
    assert_int_equal(by(PAGE), START + 100);
    assert_int_equal(by(-60), START + 100 + PAGE);
    assert_int_equal(by(0), START + 40 + PAGE);
    EXPECT_MAPS(SPACE, 10, 2, RW);
    assert_int_equal(cairn_space_sbrk(SPACE, -40, NULL), 0);
    EXPECT_MAPS(SPACE, 10, 1, RW);
    assert_int_equal(by(-(ptrdiff_t)PAGE), START + PAGE);
    EXPECT_NO_MAPS(SPACE);
}

static void the_break_stays_between_its_start_and_the_end(void **state)
{
    (void)state;
    break_at(START + 10);
    old = 1234;
    REFUSES(CAIRN_EINVAL, cairn_space_brk(SPACE, START - 1));
    REFUSES(CAIRN_EINVAL, cairn_space_brk(SPACE, 0));
    REFUSES(CAIRN_EINVAL, cairn_space_sbrk(SPACE, -11, &old));
    REFUSES(CAIRN_EINVAL, cairn_space_sbrk(SPACE, PTRDIFF_MIN, &old));
    REFUSES(CAIRN_ENOMEM, cairn_space_sbrk(SPACE, PTRDIFF_MAX, &old));
    REFUSES(CAIRN_ENOMEM, cairn_space_brk(SPACE, 256 * PAGE));
    REFUSES(CAIRN_ENOMEM, cairn_space_sbrk(SPACE, 256 * PAGE - 10 * PAGE - 10, &old));
    assert_int_equal(old, 1234);
    break_at(256 * PAGE - 1); // the last byte but one
    EXPECT_MAPS(SPACE, 10, 246, RW);
}

static void a_break_that_is_not_set_or_none_is_refused(void **state)
{
    (void)state;
    REFUSES(CAIRN_EINVAL, cairn_space_brk(OTHER, START));
    REFUSES(CAIRN_EINVAL, cairn_space_brk(NULL, START));
    REFUSES(CAIRN_EINVAL, cairn_space_sbrk(OTHER, 4, NULL));
    REFUSES(CAIRN_EINVAL, cairn_space_sbrk(NULL, 4, NULL));
    REFUSES(CAIRN_EINVAL, cairn_space_set_break(SPACE, 0));
    REFUSES(CAIRN_EINVAL, cairn_space_set_break(SPACE, START + 4));
    REFUSES(CAIRN_EINVAL, cairn_space_set_break(SPACE, 256 * PAGE));
    REFUSES(CAIRN_EINVAL, cairn_space_set_break(NULL, START));
    break_at(START + 4);
}

static void a_mapping_in_the_way_stops_the_break(void **state)
{
    (void)state;
    assert_int_equal(vm_map(SPACE, 14, 2, CAIRN_READ, 0), 0);
    break_at(START + PAGE);
    vm_write_pages(SPACE, 10, 1, 1);
    REFUSES(CAIRN_ENOMEM, cairn_space_brk(SPACE, START + 4 * PAGE + 1));
    REFUSES(CAIRN_ENOMEM, cairn_space_brk(SPACE, START + 8 * PAGE));
    assert_int_equal(SPACE->break_end, START + PAGE);
    break_at(START + 4 * PAGE);
    EXPECT_MAPS(SPACE, 10, 4, RW, 14, 2, CAIRN_READ);
    vm_expect_pages(SPACE, 10, 1, 1);
}

static void a_break_that_promises_too_much_is_refused(void **state)
{
    (void)state;
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_STRICT, 4 * PAGE), 0);
    break_at(START + 3 * PAGE);
    REFUSES(CAIRN_ENOMEM, cairn_space_brk(SPACE, START + 5 * PAGE));
    break_at(START + 4 * PAGE);
    break_at(START);
    assert_int_equal(VM->committed, 0);
}

static void a_pinned_page_keeps_the_break(void **state)
{
    void *memory;
    size_t run;
    (void)state;
    break_at(START + 3 * PAGE);
    assert_int_equal(cairn_space_pin(SPACE, START + PAGE, RW, &memory, &run), 0);
    REFUSES(CAIRN_EBUSY, cairn_space_brk(SPACE, START));
    break_at(START + 2 * PAGE);
    assert_int_equal(cairn_space_unpin(SPACE, START + PAGE), 0);
}

static void a_fork_copies_the_break(void **state)
{
    struct cairn_space child;
    (void)state;
    break_at(START + 3 * PAGE - 4);
    vm_write_pages(SPACE, 10, 2, 1);
    assert_int_equal(cairn_space_fork(&child, SPACE), 0);
    assert_int_equal(cairn_space_sbrk(&child, 4 + PAGE, &old), 0);
    assert_int_equal(old, START + 3 * PAGE - 4);
    EXPECT_MAPS(SPACE, 10, 3, RW);
    assert_int_equal(child.break_end, START + 4 * PAGE);
    vm_set(&child, START + 3 * PAGE, 3);
    vm_expect_pages(&child, 10, 2, 1);
    break_at(START);
    vm_expect_pages(&child, 10, 2, 1);
    assert_int_equal(cairn_space_brk(&child, START + 8), 0);
    EXPECT_MAPS(&child, 10, 1, RW);
    assert_int_equal(cairn_space_deinit(&child), 0);
}

static void what_a_user_has_is_the_users(void **state)
{
    (void)state;
    SPACE->user = true;
    cairn_space_switch(VM, SPACE);
    break_at(START + 8);
    EXPECT_MAPS(SPACE, 10, 1, RW | CAIRN_USER);
    vm_put(START, 4);
    break_at(START + 4);
    break_at(START + 2 * PAGE);
    EXPECT_MAPS(SPACE, 10, 2, RW | CAIRN_USER);
    assert_int_equal(vm_get(START), 4);
    assert_int_equal(vm_get(START + 4), 0);
    SPACE->user = false;
    cairn_space_switch(VM, SPACE);
}

// The rest of the page is made zeros, for which it must come in.
static void a_break_whose_page_cannot_come_in_stays(void **state)
{
    (void)state;
    break_at(START + 8);
    vm_put(START + 4, 3);
    assert_int_equal(cairn_space_dont_need(SPACE, START), 0);
    REFUSES(CAIRN_ECORRUPT, (vm_fail(1, 0), cairn_space_brk(SPACE, START + 2 * PAGE)));
    EXPECT_MAPS(SPACE, 10, 1, RW);
    break_at(START + 2 * PAGE);
    assert_int_equal(vm_get(START + 4), 3);
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, setup, vm_objects_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(the_break_grows_and_what_is_below_is_zeros),
        UNIT(the_break_shrinks_and_pages_go),
        UNIT(what_was_given_back_is_zeros_when_it_grows_again),
        UNIT(sbrk_says_where_the_break_was),
        UNIT(the_break_stays_between_its_start_and_the_end),
        UNIT(a_break_that_is_not_set_or_none_is_refused),
        UNIT(a_mapping_in_the_way_stops_the_break),
        UNIT(a_break_that_promises_too_much_is_refused),
        UNIT(a_pinned_page_keeps_the_break),
        UNIT(a_fork_copies_the_break),
        UNIT(what_a_user_has_is_the_users),
        UNIT(a_break_whose_page_cannot_come_in_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
