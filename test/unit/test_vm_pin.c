// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/pin.c promises: a page that is pinned stays, and a cursor is no way round what is allowed.
// CALLERS     ctest, on every preset.
#include "vm_fixture.h"

static struct cairn_cursor cursor;
static void *memory;
static size_t run;

static void a_pin_hands_out_the_place_and_the_rest_of_the_page(void **state)
{
    (void)state;
    vm_put(vm_page(2) + 100, 42);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(2) + 100, CAIRN_READ, &memory, &run), 0);
    assert_int_equal(run, 28);
    assert_int_equal(*(uint32_t *)memory, 42);
    assert_in_range((uintptr_t)memory, (uintptr_t)vm_frames, (uintptr_t)vm_frames + FRAMES * PAGE);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(2)), 0); // any address of the page
}

static void a_pinned_page_stays_where_it_is(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, 1, 1);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(1), CAIRN_READ, &memory, &run), 0);
    vm_write_pages(SPACE, 2, 9, 1);
    assert_true(vm_is_resident(SPACE, 1));
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(1)), CAIRN_EBUSY);
    assert_int_equal(cairn_space_suspend(SPACE), CAIRN_EBUSY);
    assert_int_equal(cairn_space_unmap(SPACE, MAP), CAIRN_EBUSY);
    assert_int_equal(cairn_space_deinit(SPACE), CAIRN_EBUSY);
    assert_true(vm_is_resident(SPACE, 1));
    vm_sound();
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(1)), 0);
    vm_expect_pages(SPACE, 1, 10, 1);
    assert_false(vm_is_resident(SPACE, 1) && vm_is_resident(SPACE, 2) && vm_is_resident(SPACE, 3));
}

static void a_page_pinned_for_writing_is_written_when_it_leaves(void **state)
{
    (void)state;
    assert_int_equal(cairn_space_pin(SPACE, vm_page(1), CAIRN_WRITE, &memory, &run), 0);
    assert_int_equal(cairn_vm_clean(VM, 9), 0); // it may change still
    memset(memory, 0x77, PAGE);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(1)), 0);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(1)), 0);
    assert_int_equal(vm_fixture.writes, 1);
    assert_int_equal(vm_get(vm_page(1)), 0x77777777);
}

static void a_pin_that_is_refused_pins_nothing(void **state)
{
    void *const none = &memory;
    (void)state;
    memory = none;
    run = 9;
    assert_int_equal(cairn_space_protect(SPACE, MAP, CAIRN_READ), 0);
    const uint32_t before = vm_image();
    assert_int_equal(cairn_space_pin(SPACE, vm_page(1), 0, &memory, &run), CAIRN_EINVAL);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(1), 16, &memory, &run), CAIRN_EINVAL);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(1), CAIRN_READ | CAIRN_USER, &memory, &run), CAIRN_EINVAL);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(1), RW, &memory, &run), CAIRN_EACCES);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(1), CAIRN_EXEC, &memory, &run), CAIRN_EACCES);
    assert_int_equal(cairn_space_pin(SPACE, 0, CAIRN_READ, &memory, &run), CAIRN_EFAULT);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(PAGES + 1), CAIRN_READ, &memory, &run), CAIRN_EFAULT);
    assert_int_equal(cairn_space_pin(SPACE, VM->limit + 1, CAIRN_READ, &memory, &run), CAIRN_EFAULT);
    assert_int_equal(cairn_space_pin(SPACE, ~(cairn_vaddr_t)0, CAIRN_READ, &memory, &run), CAIRN_EFAULT);
    assert_int_equal(vm_image(), before);
    assert_ptr_equal(memory, none);
    assert_int_equal(run, 9);
}

static void unpin_of_what_is_not_pinned_is_refused(void **state)
{
    (void)state;
    vm_put(vm_page(1), 1);
    vm_put(vm_page(2), 1);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(2)), 0);
    const uint32_t before = vm_image();
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(1)), CAIRN_EINVAL);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(2)), CAIRN_EINVAL); // in the store
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(3)), CAIRN_EINVAL); // nowhere yet
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(40)), CAIRN_EINVAL);
    assert_int_equal(cairn_space_unpin(SPACE, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_space_unpin(SPACE, VM->limit + 1), CAIRN_EINVAL);
    assert_int_equal(cairn_space_unpin(SPACE, ~(cairn_vaddr_t)0), CAIRN_EINVAL);
    assert_int_equal(vm_image(), before);
}

static void pins_count_to_255(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 255; i++) {
        if (cairn_space_pin(SPACE, vm_page(1), CAIRN_READ, &memory, &run) != 0) {
            fail_msg("pin %u", (unsigned)i);
        }
    }
    const uint32_t before = vm_image();
    assert_int_equal(cairn_space_pin(SPACE, vm_page(1), CAIRN_READ, &memory, &run), CAIRN_EOVERFLOW);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(1), CAIRN_WRITE, &memory, &run), CAIRN_EOVERFLOW);
    assert_int_equal(vm_image(), before);
    vm_put(vm_page(1), 4); // an access needs none
    assert_int_equal(cairn_vm_store32(VM, vm_page(2) - 2, 0x00010001), 0);
    assert_int_equal(cairn_space_copy(SPACE, vm_page(3), SPACE, vm_page(1), 4), 0);
    assert_int_equal(vm_get(vm_page(3)), 4);
    for (uint32_t i = 0; i < 255; i++) {
        if (cairn_space_unpin(SPACE, vm_page(1)) != 0) {
            fail_msg("unpin %u", (unsigned)i);
        }
    }
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(1)), CAIRN_EINVAL);
}

static void where_all_frames_are_pinned_no_page_comes(void **state)
{
    uint32_t value = 9;
    (void)state;
    for (uint32_t i = 1; i <= FRAMES; i++) {
        assert_int_equal(cairn_space_pin(SPACE, vm_page(i), CAIRN_WRITE, &memory, &run), 0);
        memset(memory, (int)i, PAGE);
    }
    assert_int_equal(cairn_vm_load32(VM, vm_page(7), &value), CAIRN_ENOMEM);
    assert_int_equal(cairn_vm_store32(VM, vm_page(7), 1), CAIRN_ENOMEM);
    assert_int_equal(cairn_vm_store32(VM, vm_page(5) - 2, 1), CAIRN_ENOMEM); // half of it in a frame
    assert_int_equal(cairn_space_write(SPACE, vm_page(7), &value, 4), CAIRN_ENOMEM);
    assert_int_equal(cairn_space_copy(SPACE, vm_page(7), SPACE, vm_page(1), 4), CAIRN_ENOMEM);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(7), CAIRN_READ, &memory, &run), CAIRN_ENOMEM);
    assert_int_equal(cairn_space_will_need(SPACE, vm_page(7)), CAIRN_ENOMEM);
    assert_int_equal(value, 9);
    vm_sound();
    for (uint32_t i = 1; i <= FRAMES; i++) {
        assert_int_equal(vm_get(vm_page(i) + PAGE - 4), i * 0x01010101);
        assert_int_equal(cairn_space_unpin(SPACE, vm_page(i)), 0);
    }
    assert_int_equal(vm_get(vm_page(7)), 0);
}

static void what_is_pinned_for_writing_is_written_through_at_the_last_unpin(void **state)
{
    (void)state;
    vm_write_through();
    assert_int_equal(cairn_space_pin(SPACE, vm_page(1), RW, &memory, &run), 0);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(1), CAIRN_READ, &memory, &run), 0);
    memset(memory, 0x33, PAGE);
    vm_put(vm_page(1), 0x44444444);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(1)), 0);
    assert_int_equal(vm_fixture.writes, 0); // it may change still
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(1)), 0);
    assert_int_equal(vm_fixture.writes, 1);
    assert_memory_equal(vm_slot(SPACE, 1), memory, PAGE);
    assert_false(vm_is_dirty(SPACE, 1));
}

// --------------------------------------------------------------------------------------------------------------------- cursors

static void a_cursor_pins_one_page_at_a_time(void **state)
{
    uint8_t byte;
    (void)state;
    vm_write_pages(SPACE, 1, 6, 2);
    cairn_cursor_init(&cursor, SPACE, CAIRN_READ);
    cairn_cursor_deinit(&cursor); // it has none
    for (uint32_t page = 1; page < 7; page++) {
        for (uint32_t i = 0; i < PAGE; i++) {
            assert_int_equal(cairn_cursor_load8(&cursor, vm_page(page) + i, &byte), 0);
            assert_int_equal(byte, (unsigned char)(2 * 31 + page * 7 + i * 3 + 1));
        }
        assert_int_equal(cairn_space_dont_need(SPACE, vm_page(page)), CAIRN_EBUSY);
        assert_int_not_equal(cairn_space_dont_need(SPACE, vm_page(page - 1)), CAIRN_EBUSY);
    }
    cairn_cursor_deinit(&cursor);
    cairn_cursor_deinit(&cursor);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(6)), 0);
}

static void a_cursor_loads_and_stores_words_of_any_size_at_any_address(void **state)
{
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    (void)state;
    cairn_cursor_init(&cursor, SPACE, RW);
    for (cairn_vaddr_t at = vm_page(3) - 12; at < vm_page(3) + 4; at++) {
        assert_int_equal(cairn_cursor_store64(&cursor, at, 0x0102030405060708u * (at + 1)), 0);
        assert_int_equal(cairn_vm_load64(VM, at, &u64), 0);
        assert_true(u64 == 0x0102030405060708u * (at + 1));
        assert_int_equal(cairn_cursor_load64(&cursor, at, &u64), 0);
        assert_true(u64 == 0x0102030405060708u * (at + 1));
        assert_int_equal(cairn_cursor_store32(&cursor, at, 0xA0B0C0D0), 0);
        assert_int_equal(cairn_cursor_load32(&cursor, at, &u32), 0);
        assert_int_equal(u32, 0xA0B0C0D0);
        assert_int_equal(vm_get(at), 0xA0B0C0D0);
        assert_int_equal(cairn_cursor_store16(&cursor, at, 0xE1F2), 0);
        assert_int_equal(cairn_cursor_load16(&cursor, at, &u16), 0);
        assert_int_equal(u16, 0xE1F2);
        assert_int_equal(cairn_cursor_store8(&cursor, at, 0x5A), 0);
        assert_int_equal(cairn_cursor_load8(&cursor, at, &u8), 0);
        assert_int_equal(u8, 0x5A);
    }
    cairn_cursor_deinit(&cursor);
    vm_sound();
}

static void a_cursor_for_loads_stores_nothing(void **state)
{
    uint32_t value;
    (void)state;
    vm_write_pages(SPACE, 1, 2, 7);
    cairn_cursor_init(&cursor, SPACE, CAIRN_READ);
    assert_int_equal(cairn_cursor_store32(&cursor, vm_page(1), 1), CAIRN_EACCES);
    assert_int_equal(cairn_cursor_load32(&cursor, vm_page(1), &value), 0);
    assert_int_equal(cairn_cursor_store8(&cursor, vm_page(1), 1), CAIRN_EACCES); // its page is at hand
    assert_int_equal(cairn_cursor_store32(&cursor, vm_page(1), 1), CAIRN_EACCES);
    assert_int_equal(cairn_cursor_store64(&cursor, vm_page(2) - 4, 1), CAIRN_EACCES);
    assert_int_equal(cairn_cursor_load32(&cursor, vm_page(1), &value), 0);
    cairn_cursor_deinit(&cursor);
    vm_expect_pages(SPACE, 1, 2, 7);
}

static void a_cursor_gets_no_further_than_an_access(void **state)
{
    uint64_t value = 5;
    (void)state;
    vm_write_pages(SPACE, PAGES, 1, 7);
    cairn_cursor_init(&cursor, SPACE, RW);
    assert_int_equal(cairn_cursor_load64(&cursor, 0, &value), CAIRN_EFAULT);
    assert_int_equal(cairn_cursor_load64(&cursor, ~(cairn_vaddr_t)0, &value), CAIRN_EFAULT);
    assert_int_equal(cairn_cursor_load64(&cursor, vm_page(PAGES + 1) - 4, &value), CAIRN_EFAULT); // its end is not mapped
    assert_int_equal(cairn_cursor_store64(&cursor, vm_page(PAGES + 1) - 4, 0), CAIRN_EFAULT);     // and none of it is stored
    assert_int_equal(cairn_cursor_store32(&cursor, vm_page(PAGES + 1) - 1, 0), CAIRN_EFAULT);
    assert_true(value == 5);
    cairn_cursor_deinit(&cursor);
    vm_expect_pages(SPACE, PAGES, 1, 7);
    assert_int_equal(cairn_space_protect(SPACE, MAP, CAIRN_READ), 0);
    assert_int_equal(cairn_cursor_load64(&cursor, vm_page(1), &value), CAIRN_EACCES); // it would be for stores too
    cairn_cursor_deinit(&cursor);
}

static void a_cursors_stores_over_a_pages_end_are_whole_wherever_the_store_fails(void **state)
{
    (void)state;
    for (uint32_t nth = 1; nth < 6; nth++) {
        uint64_t now;
        uint64_t before;
        vm_write_pages(SPACE, 1, 2, 7);
        assert_int_equal(cairn_vm_load64(VM, vm_page(2) - 3, &before), 0);
        vm_write_pages(SPACE, 3, FRAMES, 7); // neither is in a frame
        cairn_cursor_init(&cursor, SPACE, RW);
        vm_fail(nth, 99);
        const int error = cairn_cursor_store64(&cursor, vm_page(2) - 3, 0x1122334455667788u);
        vm_fail(0, 0);
        cairn_cursor_deinit(&cursor);
        vm_sound();
        assert_int_equal(error == 0, nth == 5); // two pages leave, two come
        assert_int_equal(cairn_vm_load64(VM, vm_page(2) - 3, &now), 0);
        assert_true(now == (error == 0 ? 0x1122334455667788u : before));
    }
}

static void a_cursors_page_is_written_through_when_it_moves_on(void **state)
{
    (void)state;
    vm_write_through();
    cairn_cursor_init(&cursor, SPACE, RW);
    for (uint32_t i = 0; i < PAGE; i++) {
        assert_int_equal(cairn_cursor_store8(&cursor, vm_page(1) + i, 0x66), 0);
    }
    assert_int_equal(cairn_cursor_store8(&cursor, vm_page(2), 0x67), 0);
    assert_int_equal(vm_fixture.writes, 1);
    assert_int_equal(vm_slot(SPACE, 1)[PAGE - 1], 0x66);
    cairn_cursor_deinit(&cursor);
    assert_int_equal(vm_slot(SPACE, 2)[0], 0x67);
    assert_int_equal(vm_fixture.writes, 2);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        VM_UNIT(a_pin_hands_out_the_place_and_the_rest_of_the_page),
        VM_UNIT(a_pinned_page_stays_where_it_is),
        VM_UNIT(a_page_pinned_for_writing_is_written_when_it_leaves),
        VM_UNIT(a_pin_that_is_refused_pins_nothing),
        VM_UNIT(unpin_of_what_is_not_pinned_is_refused),
        VM_UNIT(pins_count_to_255),
        VM_UNIT(where_all_frames_are_pinned_no_page_comes),
        VM_UNIT(what_is_pinned_for_writing_is_written_through_at_the_last_unpin),
        VM_UNIT(a_cursor_pins_one_page_at_a_time),
        VM_UNIT(a_cursor_loads_and_stores_words_of_any_size_at_any_address),
        VM_UNIT(a_cursor_for_loads_stores_nothing),
        VM_UNIT(a_cursor_gets_no_further_than_an_access),
        VM_UNIT(a_cursors_stores_over_a_pages_end_are_whole_wherever_the_store_fails),
        VM_UNIT(a_cursors_page_is_written_through_when_it_moves_on),
    };
    return cmocka_run_group_tests_name("vm_pin", tests, NULL, NULL);
}
