// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/space.c promises: mappings that are refused change nothing, what is unmapped is gone, spaces come and end.
// CALLERS     ctest, on every preset.
#include "vm_fixture.h"

static uint32_t value;

#define ALL (~(cairn_vaddr_t)0)

static void assert_map(cairn_vaddr_t address, cairn_vaddr_t size, uint32_t protection, int error)
{
    const uint32_t before = vm_image();
    assert_int_equal(cairn_space_map(SPACE, EXTRA, address, size, protection), error);
    assert_int_equal(vm_image(), before);
}

static void a_mapping_outside_its_range_is_refused(void **state)
{
    const cairn_vaddr_t end = VM->limit + 1;
    const uint32_t before = vm_image();
    (void)state;
    assert_int_equal(cairn_space_map(NULL, EXTRA, vm_page(40), PAGE, RW), CAIRN_EINVAL);
    assert_int_equal(cairn_space_map(SPACE, NULL, vm_page(40), PAGE, RW), CAIRN_EINVAL);
    assert_int_equal(cairn_space_map(OTHER, EXTRA, vm_page(40), PAGE, RW), CAIRN_EINVAL); // not a space
    assert_int_equal(vm_image(), before);
    for (uint32_t low = 1; low < PAGE; low++) {
        assert_map(vm_page(40) + low, PAGE, RW, CAIRN_EINVAL);
        assert_map(vm_page(40), PAGE + low, RW, CAIRN_EINVAL);
        assert_map(vm_page(40), low, RW, CAIRN_EINVAL);
    }
    assert_map(0, PAGE, RW, CAIRN_EINVAL);
    assert_map(0, end, RW, CAIRN_EINVAL);
    assert_map(vm_page(40), 0, RW, CAIRN_EINVAL);
    assert_map(end, PAGE, RW, CAIRN_EINVAL);
    assert_map(end - PAGE, 2 * PAGE, RW, CAIRN_EINVAL);
    assert_map(vm_page(40), end, RW, CAIRN_EINVAL);
    assert_map(vm_page(40), end - vm_page(40) + PAGE, RW, CAIRN_EINVAL);
    assert_map(end + vm_page(40), PAGE, RW, CAIRN_EINVAL);
    assert_map(ALL - PAGE + 1, PAGE, RW, CAIRN_EINVAL);
    assert_map(vm_page(40), ALL - PAGE + 1, RW, CAIRN_EINVAL);                        // to the end of all
    assert_map(vm_page(40), (cairn_vaddr_t)0 - vm_page(40), RW, CAIRN_EINVAL);        // to address 0
    assert_map(vm_page(40), (cairn_vaddr_t)0 - vm_page(40) + PAGE, RW, CAIRN_EINVAL); // and over it
    assert_map(vm_page(40), (cairn_vaddr_t)0 - vm_page(20), RW, CAIRN_EINVAL);
}

static void a_protection_that_no_access_can_have_is_refused(void **state)
{
    (void)state;
    vm_put(vm_page(1), 1);
    for (uint32_t protection = 0; protection < 40; protection++) {
        const bool good = protection < 16 && (protection & RW) != CAIRN_WRITE;
        if (good) {
            assert_int_equal(cairn_space_map(SPACE, EXTRA, vm_page(40), PAGE, protection), 0);
            assert_int_equal(cairn_space_unmap(SPACE, EXTRA), 0);
        } else {
            assert_map(vm_page(40), PAGE, protection, CAIRN_EINVAL);
            const uint32_t before = vm_image();
            assert_int_equal(cairn_space_protect(SPACE, MAP, protection), CAIRN_EINVAL);
            assert_int_equal(vm_image(), before);
        }
    }
    assert_map(vm_page(40), PAGE, UINT32_MAX, CAIRN_EINVAL);
}

static void mappings_that_overlap_are_refused(void **state)
{
    (void)state;
    assert_map(vm_page(1), PAGE, RW, CAIRN_EBUSY);
    assert_map(vm_page(PAGES), PAGE, RW, CAIRN_EBUSY);
    assert_map(vm_page(PAGES), 9 * PAGE, RW, CAIRN_EBUSY);
    assert_map(vm_page(3), PAGE, RW, CAIRN_EBUSY);
    assert_map(vm_page(1), vm_page(255), RW, CAIRN_EBUSY);
    const uint32_t before = vm_image();
    assert_int_equal(cairn_space_map(SPACE, MAP, vm_page(40), PAGE, RW), CAIRN_EBUSY); // it is in use
    assert_int_equal(cairn_space_map(SPACE, MAP, vm_page(1), PAGE, RW), CAIRN_EBUSY);
    assert_int_equal(vm_image(), before);
    assert_int_equal(cairn_space_map(SPACE, EXTRA, vm_page(PAGES + 1), PAGE, RW), 0); // side by side
    vm_sound();
}

static void mappings_are_kept_in_the_order_of_their_addresses(void **state)
{
    static struct cairn_mapping maps[6];
    static const uint32_t order[] = {3, 0, 5, 1, 4, 2};
    (void)state;
    assert_int_equal(cairn_space_unmap(SPACE, MAP), 0);
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(cairn_space_map(SPACE, &maps[order[i]], vm_page(1 + 2 * order[i]), 2 * PAGE, RW), 0);
        vm_sound();
    }
    for (uint32_t i = 0; i < 6; i++) {
        const uint32_t at = order[(i + 2) % 6];
        assert_int_equal(cairn_space_map(SPACE, MAP, vm_page(2 + 2 * at), PAGE, RW), CAIRN_EBUSY);
        vm_put(vm_page(2 + 2 * at), at);
        assert_int_equal(vm_space_figures(SPACE).virtual_pages, 12 - 2 * i);
        assert_int_equal(cairn_space_unmap(SPACE, &maps[at]), 0);
        assert_int_equal(cairn_vm_load32(VM, vm_page(2 + 2 * at), &value), CAIRN_EFAULT);
        vm_sound();
    }
    assert_int_equal(vm_space_figures(SPACE).virtual_pages, 0);
}

// It would be a list that closes.
static void a_space_that_lives_is_not_made_again(void **state)
{
    (void)state;
    vm_put(vm_page(3), 3);
    assert_int_equal(cairn_space_init(OTHER, VM), 0);
    const uint32_t before = vm_image();
    assert_int_equal(cairn_space_init(SPACE, VM), CAIRN_EBUSY);
    assert_int_equal(cairn_space_init(OTHER, VM), CAIRN_EBUSY);
    assert_int_equal(vm_image(), before);
    vm_sound();
    assert_int_equal(vm_get(vm_page(3)), 3);
}

static void the_whole_of_a_space_can_be_mapped(void **state)
{
    (void)state;
    assert_int_equal(cairn_space_unmap(SPACE, MAP), 0);
    assert_int_equal(cairn_space_map(SPACE, MAP, PAGE, VM->limit + 1 - PAGE, RW), 0);
    vm_put(VM->limit - 3, 5);
    assert_int_equal(vm_get(VM->limit - 3), 5);
    assert_int_equal(cairn_vm_load32(VM, 0, &value), CAIRN_EFAULT);
}

static void what_is_unmapped_is_forgotten_wherever_it_lived(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, 10, 1); // in frames and in the store
    assert_int_equal(vm_get(vm_page(12)), 0);
    assert_int_equal(cairn_space_unmap(SPACE, MAP), 0);
    assert_int_equal(vm_figures().frames_free, FRAMES);
    assert_int_equal(vm_figures().slots_used, 0);
    assert_int_equal(vm_tables(), 1);
    const struct cairn_space_figures its = vm_space_figures(SPACE);
    assert_int_equal(its.resident + its.swapped + (uint32_t)its.virtual_pages, 0);
    const uint32_t before = vm_image();
    assert_int_equal(cairn_space_unmap(SPACE, MAP), CAIRN_ENOENT);
    assert_int_equal(cairn_space_protect(SPACE, MAP, RW), CAIRN_ENOENT);
    assert_int_equal(cairn_space_unmap(SPACE, NULL), CAIRN_ENOENT);
    assert_int_equal(cairn_space_unmap(NULL, MAP), CAIRN_ENOENT);
    assert_int_equal(cairn_space_unmap(OTHER, MAP), CAIRN_ENOENT);
    assert_int_equal(cairn_space_protect(NULL, MAP, RW), CAIRN_EINVAL);
    assert_int_equal(cairn_space_protect(SPACE, NULL, RW), CAIRN_EINVAL);
    assert_int_equal(cairn_space_protect(OTHER, MAP, RW), CAIRN_EINVAL);
    assert_int_equal(vm_image(), before);
    assert_int_equal(cairn_vm_load32(VM, vm_page(1), &value), CAIRN_EFAULT);
    assert_int_equal(cairn_space_map(SPACE, MAP, vm_page(1), PAGES * PAGE, RW), 0);
    for (uint32_t page = 1; page < 11; page++) {
        assert_int_equal(vm_get(vm_page(page) + 4), 0); // zeros again
    }
}

static void a_pin_keeps_the_mapping_and_all_its_pages(void **state)
{
    void *memory;
    size_t run;
    (void)state;
    vm_write_pages(SPACE, 1, 10, 1);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(10), CAIRN_READ, &memory, &run), 0);
    const uint32_t before = vm_image();
    assert_int_equal(cairn_space_unmap(SPACE, MAP), CAIRN_EBUSY);
    assert_int_equal(cairn_space_deinit(SPACE), CAIRN_EBUSY);
    assert_int_equal(vm_image(), before);
    assert_int_equal(cairn_space_protect(SPACE, MAP, 0), 0); // the pin keeps what it has
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(10)), 0);
    assert_int_equal(cairn_space_protect(SPACE, MAP, RW), 0);
    vm_expect_pages(SPACE, 1, 10, 1);
}

static void a_mapping_belongs_to_one_space(void **state)
{
    (void)state;
    assert_int_equal(cairn_space_init(OTHER, VM), 0);
    const uint32_t before = vm_image();
    assert_int_equal(cairn_space_unmap(OTHER, MAP), CAIRN_ENOENT);
    assert_int_equal(cairn_space_protect(OTHER, MAP, 0), CAIRN_ENOENT);
    assert_int_equal(vm_image(), before);
}

static void protection_holds_for_pages_in_the_store_too(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, 6, 1);
    assert_int_equal(cairn_space_protect(SPACE, MAP, CAIRN_READ), 0);
    for (uint32_t page = 1; page < 7; page++) {
        assert_int_equal(cairn_vm_store32(VM, vm_page(page), 1), CAIRN_EACCES);
        vm_expect_pages(SPACE, page, 1, 1);
        assert_int_equal(cairn_vm_store32(VM, vm_page(page), 1), CAIRN_EACCES);
    }
    assert_int_equal(cairn_space_protect(SPACE, MAP, RW), 0);
    for (uint32_t page = 1; page < 7; page++) {
        vm_put(vm_page(page), page);
    }
    vm_sound();
}

// ----------------------------------------------------------------------------------------------------------------------- spaces

static void a_space_of_nothing_is_refused(void **state)
{
    static struct cairn_vm none;
    (void)state;
    const uint32_t before = vm_image();
    assert_int_equal(cairn_space_init(NULL, VM), CAIRN_EINVAL);
    assert_int_equal(cairn_space_init(OTHER, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_space_init(OTHER, &none), CAIRN_EINVAL);
    assert_int_equal(cairn_space_deinit(NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_space_deinit(OTHER), CAIRN_EINVAL);
    assert_int_equal(vm_image(), before);
}

static void a_space_that_ends_gives_everything_back(void **state)
{
    (void)state;
    assert_int_equal(cairn_space_init(OTHER, VM), 0);
    assert_int_equal(cairn_space_map(OTHER, EXTRA, vm_page(1), PAGES * PAGE, RW), 0);
    vm_write_pages(SPACE, 1, 2, 1);
    vm_write_pages(OTHER, 1, 9, 2);
    const struct cairn_space *const current = VM->current;
    assert_int_equal(cairn_space_deinit(OTHER), 0);
    assert_ptr_equal(VM->current, current);
    assert_null(OTHER->vm);
    assert_int_equal(vm_tables(), 2);
    vm_sound();
    vm_expect_pages(SPACE, 1, 2, 1);
    assert_int_equal(cairn_space_deinit(SPACE), 0);
    assert_null(VM->current);
    assert_int_equal(vm_figures().frames_free, FRAMES);
    assert_int_equal(cairn_vm_load32(VM, vm_page(1), &value), CAIRN_EFAULT);
}

static void numbers_of_spaces_are_used_again(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 600; i++) {
        assert_int_equal(cairn_space_init(OTHER, VM), 0);
        assert_int_equal(OTHER->number, 2);
        assert_int_equal(cairn_space_deinit(OTHER), 0);
    }
}

#ifndef CAIRN_BOARD_SMALL // where there is room for so many
static void there_are_255_spaces_at_most(void **state)
{
    static struct cairn_space many[255];
    static _Alignas(8) unsigned char memory[16384];
    (void)state;
    assert_int_equal(vm_end(), 0);
    vm_fixture.config.memory = memory;
    vm_fixture.config.size = sizeof memory;
    vm_fixture.config.bits[0] = 1;
    assert_int_equal(cairn_vm_init(VM, &vm_fixture.config), 0);
    for (uint32_t i = 0; i < 255; i++) {
        assert_int_equal(cairn_space_init(&many[i], VM), 0);
    }
    assert_int_equal(cairn_space_init(SPACE, VM), CAIRN_EBUSY);
    assert_int_equal(cairn_space_deinit(&many[100]), 0);
    assert_int_equal(cairn_space_init(SPACE, VM), 0);
    assert_int_equal(SPACE->number, 101);
}
#endif

static void figures_are_handed_out(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, 6, 1);
    const struct cairn_space_figures its = vm_space_figures(SPACE);
    assert_int_equal(its.virtual_pages, PAGES);
    assert_int_equal(its.resident, FRAMES);
    assert_int_equal(its.swapped, 2);
    assert_int_equal(its.minor, 6);
    assert_int_equal(its.major, 0);
    assert_int_equal(its.writes, 2);
    assert_int_equal(its.reads, 0);
    const struct cairn_vm_figures all = vm_figures();
    assert_int_equal(all.frames_free, 0);
    assert_int_equal(all.minor, 6);
    assert_int_equal(all.evictions, 2);
    assert_int_equal(all.slots_used, 2);
    assert_int_equal(all.writes, 2);
    assert_int_equal(all.tlb_misses, 0); // writing goes round the TLB
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        VM_UNIT(a_mapping_outside_its_range_is_refused),
        VM_UNIT(a_protection_that_no_access_can_have_is_refused),
        VM_UNIT(mappings_that_overlap_are_refused),
        VM_UNIT(a_space_that_lives_is_not_made_again),
        VM_UNIT(mappings_are_kept_in_the_order_of_their_addresses),
        VM_UNIT(the_whole_of_a_space_can_be_mapped),
        VM_UNIT(what_is_unmapped_is_forgotten_wherever_it_lived),
        VM_UNIT(a_pin_keeps_the_mapping_and_all_its_pages),
        VM_UNIT(a_mapping_belongs_to_one_space),
        VM_UNIT(protection_holds_for_pages_in_the_store_too),
        VM_UNIT(a_space_of_nothing_is_refused),
        VM_UNIT(a_space_that_ends_gives_everything_back),
        VM_UNIT(numbers_of_spaces_are_used_again),
#ifndef CAIRN_BOARD_SMALL
        VM_UNIT(there_are_255_spaces_at_most),
#endif
        VM_UNIT(figures_are_handed_out),
    };
    return cmocka_run_group_tests_name("vm_space", tests, NULL, NULL);
}
