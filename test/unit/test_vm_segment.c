// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/segment.c promises: base, limit, protection, and which fault comes of each.
// CALLERS     ctest, on every preset.
#include "vm_fixture.h"

#define END (~(cairn_vaddr_t)0) // the largest offset

static const struct cairn_segment table[] = {
    {.base = 0x1000, .limit = 0x400, .protection = CAIRN_READ | CAIRN_EXEC},
    {.base = 0x2000, .limit = 0, .protection = RW}, // holds nothing
    {.base = 0x3000, .limit = END, .protection = RW | CAIRN_USER},
    {.base = 7000, .limit = 580, .protection = RW},
    {.base = 0x4000, .limit = (cairn_vaddr_t)0 - 0x200, .protection = RW, .grows_down = true}, // 0x3E00 to 0x3FFF
};

static cairn_vaddr_t address;

static int setup(void **state)
{
    if (vm_setup(state) != 0) {
        return -1;
    }
    cairn_space_set_segments(SPACE, table, sizeof table / sizeof table[0]);
    address = 0xA5A5;
    return 0;
}

static void assert_is(uint32_t segment, cairn_vaddr_t offset, size_t size, uint32_t access, cairn_vaddr_t linear)
{
    address = 0xA5A5;
    assert_int_equal(cairn_segment_translate(SPACE, segment, offset, size, access, &address), 0);
    assert_true(address == linear);
}

static void assert_fails(uint32_t segment, cairn_vaddr_t offset, size_t size, uint32_t access, int error)
{
    address = 0xA5A5;
    assert_int_equal(cairn_segment_translate(SPACE, segment, offset, size, access, &address), error);
    assert_true(address == 0xA5A5);
}

static void segment_3_based_at_7000_offset_500_is_7500(void **state)
{
    (void)state;
    assert_is(3, 500, 4, CAIRN_READ, 7500);
}

static void bytes_up_to_the_limit_are_inside(void **state)
{
    (void)state;
    assert_is(3, 0, 580, RW, 7000);
    assert_is(3, 576, 4, CAIRN_READ, 7576);
    assert_is(3, 579, 1, CAIRN_READ, 7579);
    assert_fails(3, 577, 4, CAIRN_READ, CAIRN_EFAULT);
    assert_fails(3, 580, 1, CAIRN_READ, CAIRN_EFAULT);
    assert_fails(3, 0, 581, CAIRN_READ, CAIRN_EFAULT);
    assert_fails(3, 500, 0, CAIRN_READ, CAIRN_EFAULT); // nothing is nowhere
    assert_fails(1, 0, 1, CAIRN_READ, CAIRN_EFAULT);
    assert_is(2, 0, 1, CAIRN_READ, 0x3000);
}

static void bytes_that_wrap_are_outside(void **state)
{
    (void)state;
    assert_fails(3, END, 1, CAIRN_READ, CAIRN_EFAULT);
    assert_fails(3, END, 2, CAIRN_READ, CAIRN_EFAULT);
    assert_fails(3, 500, SIZE_MAX, CAIRN_READ, CAIRN_EFAULT);
    assert_fails(3, 1, SIZE_MAX, CAIRN_READ, CAIRN_EFAULT);
    assert_fails(2, END - 3, 8, CAIRN_READ, CAIRN_EFAULT);
    assert_fails(2, END, 1, CAIRN_READ, CAIRN_EFAULT); // the limit is END
    assert_is(2, END - 1, 1, CAIRN_READ, 0x3000 + (END - 1));
}

static void a_stack_grows_down_to_its_limit(void **state)
{
    (void)state;
    assert_is(4, (cairn_vaddr_t)0 - 4, 4, RW, 0x4000 - 4);
    assert_is(4, (cairn_vaddr_t)0 - 0x200, 0x200, RW, 0x3E00);
    assert_is(4, END, 1, RW, 0x3FFF);
    assert_fails(4, (cairn_vaddr_t)0 - 0x201, 1, RW, CAIRN_EFAULT);
    assert_fails(4, (cairn_vaddr_t)0 - 0x204, 8, RW, CAIRN_EFAULT);
    assert_fails(4, (cairn_vaddr_t)0 - 4, 8, RW, CAIRN_EFAULT); // over its base
    assert_fails(4, 0, 4, RW, CAIRN_EFAULT);
    assert_fails(4, 0, 0, RW, CAIRN_EFAULT);
}

static void a_segment_allows_what_it_says(void **state)
{
    (void)state;
    assert_is(0, 0x3FC, 4, CAIRN_EXEC, 0x13FC);
    assert_is(0, 0x3FC, 4, CAIRN_READ, 0x13FC);
    assert_fails(0, 0x3FC, 4, CAIRN_WRITE, CAIRN_EACCES);
    assert_fails(0, 0x400, 4, CAIRN_WRITE, CAIRN_EFAULT); // is it there, before is it allowed
    assert_fails(3, 0, 4, CAIRN_READ | CAIRN_EXEC, CAIRN_EACCES);
    SPACE->user = true;
    assert_fails(3, 0, 4, CAIRN_READ, CAIRN_EACCES);
    assert_is(2, 0, 4, CAIRN_READ, 0x3000);
    SPACE->user = false;
}

static void a_segment_that_is_not_there_faults(void **state)
{
    (void)state;
    assert_fails(5, 0, 1, CAIRN_READ, CAIRN_EFAULT);
    assert_fails(UINT32_MAX, 0, 1, CAIRN_READ, CAIRN_EFAULT);
    cairn_space_set_segments(SPACE, table, 1);
    assert_fails(1, 0, 1, CAIRN_READ, CAIRN_EFAULT);
    cairn_space_set_segments(SPACE, NULL, 5);
    assert_fails(0, 0, 1, CAIRN_READ, CAIRN_EFAULT);
    cairn_space_set_segments(SPACE, table, 0);
    assert_fails(0, 0, 1, CAIRN_READ, CAIRN_EFAULT);
    assert_int_equal(cairn_segment_translate(NULL, 0, 0, 1, CAIRN_READ, &address), CAIRN_EINVAL);
    assert_int_equal(cairn_segment_translate(SPACE, 0, 0, 1, CAIRN_READ, NULL), CAIRN_EINVAL);
}

static void give_it_segments(void)
{
    cairn_space_set_segments(SPACE, table, 4);
}

static void the_handler_is_asked_and_it_is_tried_again(void **state)
{
    (void)state;
    SPACE->handler = vm_handler;
    vm_fixture.answer = -77;
    assert_fails(3, 577, 4, CAIRN_WRITE, -77);
    vm_expect_fault(577, CAIRN_WRITE, CAIRN_EFAULT);
    assert_fails(0, 0, 4, CAIRN_WRITE, -77);
    vm_expect_fault(0, CAIRN_WRITE, CAIRN_EACCES);
    vm_fixture.answer = 0;
    assert_fails(3, 577, 4, CAIRN_WRITE, CAIRN_EFAULT); // as before
    vm_expect_fault(577, CAIRN_WRITE, CAIRN_EFAULT);
    cairn_space_set_segments(SPACE, NULL, 0);
    vm_fixture.act = give_it_segments;
    assert_is(3, 500, 4, CAIRN_WRITE, 7500);
    vm_expect_fault(500, CAIRN_WRITE, CAIRN_EFAULT);
}

// Segmented paging: the linear address is a page's.
static void what_a_segment_gives_is_paged(void **state)
{
    (void)state;
    assert_int_equal(cairn_space_map(SPACE, EXTRA, 6912, 6 * PAGE, RW), 0); // pages 54 to 59
    assert_is(3, 500, 4, CAIRN_WRITE, 7500);
    vm_put(address, 12345);
    assert_is(3, 500, 4, CAIRN_READ, 7500);
    assert_int_equal(vm_get(address), 12345);
    assert_is(2, 0x5000, 4, CAIRN_READ, 0x8000); // inside the segment, beyond the space
    uint32_t value;
    assert_int_equal(cairn_vm_load32(VM, address, &value), CAIRN_EFAULT);
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, setup, vm_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(segment_3_based_at_7000_offset_500_is_7500),
        UNIT(bytes_up_to_the_limit_are_inside),
        UNIT(bytes_that_wrap_are_outside),
        UNIT(a_stack_grows_down_to_its_limit),
        UNIT(a_segment_allows_what_it_says),
        UNIT(a_segment_that_is_not_there_faults),
        UNIT(the_handler_is_asked_and_it_is_tried_again),
        UNIT(what_a_segment_gives_is_paged),
    };
    return cmocka_run_group_tests_name("vm_segment", tests, NULL, NULL);
}
