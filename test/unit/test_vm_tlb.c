// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/tlb.c promises: a hit needs no walk, and no entry serves a page, a space or an access that it was not made for.
// PICTURE     the TLB of 8: pages p and p + 8 want the same entry
// CALLERS     ctest, on every preset.
#include "vm_fixture.h"

#define MANY 16u // more than pages of 128 bytes have ASIDs

static struct cairn_space many[MANY];
static struct cairn_mapping maps[MANY];

static uint32_t misses(void)
{
    return vm_figures().tlb_misses;
}

static const struct cairn_tlb_entry *entry_of(uint32_t page)
{
    return &VM->tlb[page & VM->tlb_mask];
}

static void a_hit_needs_no_walk(void **state)
{
    (void)state;
    vm_put(vm_page(1), 5);
    assert_int_equal(misses(), 1);
    for (uint32_t i = 0; i < PAGE; i += 4) {
        vm_put(vm_page(1) + i, i);
        assert_int_equal(vm_get(vm_page(1) + i), i);
    }
    assert_int_equal(misses(), 1);
}

static void a_store_behind_a_load_misses_once(void **state)
{
    (void)state;
    assert_int_equal(vm_get(vm_page(1)), 0);
    assert_true(entry_of(1)->write_tag == CAIRN_TAG_NONE);
    assert_false(vm_is_dirty(SPACE, 1));
    vm_put(vm_page(1), 1);
    assert_true(entry_of(1)->write_tag == entry_of(1)->read_tag);
    assert_true(vm_is_dirty(SPACE, 1));
    vm_put(vm_page(1), 2);
    assert_int_equal(vm_get(vm_page(1)), 2);
    assert_int_equal(misses(), 2);
}

static void a_page_that_was_written_must_be_told_of_the_next_store(void **state)
{
    (void)state;
    vm_put(vm_page(1), 1);
    assert_int_equal(cairn_vm_clean(VM, 1), 1);
    assert_true(entry_of(1)->write_tag == CAIRN_TAG_NONE);
    assert_int_equal(vm_get(vm_page(1)), 1);
    assert_int_equal(misses(), 1); // loads still hit
    vm_put(vm_page(1), 2);
    assert_int_equal(misses(), 2);
    assert_true(vm_is_dirty(SPACE, 1));
}

static void conflicts_come_back_from_the_victim_set(void **state)
{
    (void)state;
    vm_put(vm_page(1), 1);
    vm_put(vm_page(9), 9);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(vm_get(vm_page(1)), 1);
        assert_int_equal(vm_get(vm_page(9)), 9);
    }
    assert_int_equal(misses(), 12);
    assert_int_equal(vm_figures().victim_hits, 10);
    vm_put(vm_page(1), 10); // with its write tag
    assert_int_equal(vm_figures().victim_hits, 11);
    vm_sound();
}

// Each page has one place there, by its number modulo four.
static void the_victim_set_has_one_place_for_a_page(void **state)
{
    (void)state;
    vm_fixture.config.frame_count = FRAMES_MOST;
    assert_int_equal(vm_end(), 0);
    vm_make();
    assert_int_equal(cairn_space_map(SPACE, MAP, PAGE, vm_page(255), RW), 0);
    for (uint32_t i = 0; i < 6; i++) {
        vm_put(vm_page(1 + i % 3 + 8 * (i / 3)), i); // 9 to 11 are in the TLB, 1 to 3 in the set
    }
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(vm_get(vm_page(1 + i)), i);
        assert_int_equal(vm_figures().victim_hits, i + 1);
    }
    vm_put(vm_page(17), 17); // 1 takes the place of 9
    assert_int_equal(vm_get(vm_page(9)), 3);
    assert_int_equal(vm_figures().victim_hits, 3);
    vm_sound();
}

static void a_page_that_leaves_is_forgotten_wherever_it_stands(void **state)
{
    (void)state;
    vm_put(vm_page(1), 1);
    vm_put(vm_page(9), 9); // 1 is in the victim set
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(1)), 0);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(9)), 0);
    vm_sound();
    vm_write_pages(SPACE, 2, FRAMES, 4); // other pages in their frames
    assert_int_equal(vm_get(vm_page(1)), 1);
    assert_int_equal(vm_get(vm_page(9)), 9);
    assert_int_equal(vm_figures().victim_hits, 0);
}

static void switching_spaces_flushes_nothing(void **state)
{
    (void)state;
    assert_int_equal(cairn_space_init(OTHER, VM), 0);
    assert_int_equal(cairn_space_map(OTHER, EXTRA, vm_page(2), 2 * PAGE, RW), 0);
    vm_put(vm_page(1), 1);
    cairn_space_switch(VM, OTHER);
    vm_put(vm_page(2), 2);
    for (uint32_t i = 0; i < 5; i++) {
        cairn_space_switch(VM, SPACE);
        assert_int_equal(vm_get(vm_page(1)), 1);
        cairn_space_switch(VM, OTHER);
        assert_int_equal(vm_get(vm_page(2)), 2);
    }
    assert_int_equal(misses(), 2);
}

static void one_address_in_two_spaces_is_two_pages(void **state)
{
    (void)state;
    assert_int_equal(cairn_space_init(OTHER, VM), 0);
    assert_int_equal(cairn_space_map(OTHER, EXTRA, vm_page(1), PAGE, RW), 0);
    for (uint32_t i = 0; i < 4; i++) {
        cairn_space_switch(VM, SPACE);
        vm_put(vm_page(1), 10 + i);
        cairn_space_switch(VM, OTHER);
        vm_put(vm_page(1), 20 + i);
        assert_int_equal(vm_get(vm_page(1)), 20 + i);
        cairn_space_switch(VM, SPACE);
        assert_int_equal(vm_get(vm_page(1)), 10 + i);
    }
    vm_sound();
}

static void a_flush_of_a_space_leaves_the_others(void **state)
{
    (void)state;
    assert_int_equal(cairn_space_init(OTHER, VM), 0);
    assert_int_equal(cairn_space_map(OTHER, EXTRA, vm_page(2), PAGE, RW), 0);
    vm_put(vm_page(1), 1);
    vm_put(vm_page(9), 9); // 1 is in the victim set
    cairn_space_switch(VM, OTHER);
    vm_put(vm_page(2), 2);
    cairn_space_flush(SPACE);
    assert_int_equal(vm_get(vm_page(2)), 2);
    assert_int_equal(misses(), 3);
    cairn_space_switch(VM, SPACE);
    assert_int_equal(vm_get(vm_page(1)), 1);
    assert_int_equal(misses(), 4);
    assert_int_equal(vm_figures().victim_hits, 0);
    cairn_vm_flush(VM);
    cairn_space_switch(VM, OTHER);
    assert_int_equal(vm_get(vm_page(2)), 2);
    assert_int_equal(misses(), 5);
    cairn_vm_flush(VM);
    assert_int_equal(vm_get(vm_page(2)), 2);
    assert_int_equal(misses(), 6);
}

static void a_flush_of_a_page_leaves_the_others(void **state)
{
    (void)state;
    vm_put(vm_page(1), 1);
    vm_put(vm_page(9), 9); // 1 is in the victim set
    vm_put(vm_page(2), 2);
    cairn_space_flush_page(SPACE, vm_page(1) + 5);
    assert_int_equal(vm_get(vm_page(9)), 9);
    assert_int_equal(vm_get(vm_page(2)), 2);
    assert_int_equal(misses(), 3);
    assert_int_equal(vm_get(vm_page(1)), 1);
    assert_int_equal(misses(), 4);
    cairn_space_flush_page(SPACE, vm_page(1));
    assert_int_equal(vm_get(vm_page(1)), 1);
    assert_int_equal(misses(), 5);
    cairn_space_flush_page(SPACE, ~(cairn_vaddr_t)0);
    vm_sound();
}

static void rights_that_are_taken_are_gone_at_once(void **state)
{
    uint32_t value = 3;
    (void)state;
    vm_put(vm_page(1), 1);
    vm_put(vm_page(9), 9); // 1 is in the victim set
    assert_int_equal(cairn_space_protect(SPACE, MAP, CAIRN_READ), 0);
    vm_sound();
    assert_int_equal(cairn_vm_store32(VM, vm_page(1), 2), CAIRN_EACCES);
    assert_int_equal(cairn_vm_store32(VM, vm_page(9), 2), CAIRN_EACCES);
    assert_int_equal(vm_get(vm_page(1)), 1);
    assert_int_equal(cairn_vm_store32(VM, vm_page(1), 2), CAIRN_EACCES); // with a read tag, too
    assert_int_equal(cairn_space_protect(SPACE, MAP, CAIRN_EXEC), 0);
    assert_int_equal(cairn_vm_load32(VM, vm_page(1), &value), CAIRN_EACCES);
    assert_int_equal(cairn_space_protect(SPACE, MAP, 0), 0);
    assert_int_equal(cairn_vm_load32(VM, vm_page(9), &value), CAIRN_EACCES);
    assert_int_equal(value, 3);
    assert_int_equal(cairn_space_protect(SPACE, MAP, RW), 0);
    assert_int_equal(vm_get(vm_page(9)), 9);
    vm_put(vm_page(9), 10);
}

static void a_users_access_needs_a_users_page(void **state)
{
    uint32_t value;
    (void)state;
    assert_int_equal(cairn_space_map(SPACE, EXTRA, vm_page(20), PAGE, RW | CAIRN_USER), 0);
    vm_put(vm_page(1), 1);
    vm_put(vm_page(20), 20);
    SPACE->user = true;
    cairn_space_flush(SPACE);
    cairn_space_switch(VM, SPACE);
    assert_int_equal(vm_get(vm_page(20)), 20);
    vm_put(vm_page(20), 21);
    assert_int_equal(cairn_vm_load32(VM, vm_page(1), &value), CAIRN_EACCES);
    assert_int_equal(cairn_vm_store32(VM, vm_page(1), 2), CAIRN_EACCES);
    assert_int_equal(cairn_space_read(SPACE, &value, vm_page(1), 4), CAIRN_EACCES);
    SPACE->user = false;
    cairn_space_flush(SPACE);
    cairn_space_switch(VM, SPACE);
    assert_int_equal(vm_get(vm_page(1)), 1);
}

// ----------------------------------------------------------------------------------------------------------------------- ASIDs

static void make_small(void)
{
    assert_int_equal(vm_end(), 0);
    vm_fixture.config.bits[0] = 1; // 16 pages: tables of 12 and 36 bytes
    vm_fixture.config.bits[1] = 3;
    vm_make();
    assert_int_equal(cairn_space_map(SPACE, MAP, vm_page(1), PAGE, RW), 0);
}

static void make(uint32_t i)
{
    assert_int_equal(cairn_space_init(&many[i], VM), 0);
    assert_int_equal(cairn_space_map(&many[i], &maps[i], vm_page(1), PAGE, RW), 0);
}

static void more_spaces_than_asids_keep_apart(void **state)
{
    (void)state;
    make_small();
    for (uint32_t i = 0; i < MANY; i++) {
        make(i);
    }
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < MANY; i++) {
            cairn_space_switch(VM, &many[i]);
            assert_int_equal(vm_get(vm_page(1)), round == 0 ? 0 : 100 * round + i);
            vm_put(vm_page(1), 100 * (round + 1) + i);
            vm_sound();
        }
    }
    cairn_space_switch(VM, SPACE);
    assert_int_equal(vm_get(vm_page(1)), 0);
}

static void spaces_come_and_go_for_ever(void **state)
{
    (void)state;
    make_small();
    vm_put(vm_page(1), 1);
    for (uint32_t i = 0; i < 3 * MANY; i++) {
        make(0);
        cairn_space_switch(VM, &many[0]);
        assert_int_equal(vm_get(vm_page(1)), 0);
        vm_put(vm_page(1), 1000 + i);
        vm_sound();
        if (i % 3 == 0) {
            cairn_space_switch(VM, SPACE);
            assert_int_equal(vm_get(vm_page(1)), 1);
        }
        assert_int_equal(cairn_space_deinit(&many[0]), 0);
    }
    cairn_space_switch(VM, SPACE);
    assert_int_equal(vm_get(vm_page(1)), 1);
}

// The current space has an ASID that the last of the new ones would get, were it not given another.
static void the_current_space_stays_itself_while_others_are_made(void **state)
{
    (void)state;
    make_small();
    vm_put(vm_page(1), 1);
    for (uint32_t i = 0; i < MANY; i++) {
        make(i);
        vm_sound();
        assert_int_equal(vm_get(vm_page(1)), 1);
        vm_put(vm_page(1), 1);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        cairn_space_switch(VM, &many[i]);
        assert_int_equal(vm_get(vm_page(1)), 0);
    }
}

static void run_all_others_and_stay(void)
{
    for (uint32_t i = 0; i < MANY; i++) {
        cairn_space_switch(VM, &many[i]);
        (void)vm_get(vm_page(1));
    }
    assert_int_equal(cairn_space_protect(SPACE, MAP, RW), 0);
}

static void run_all_others(void)
{
    run_all_others_and_stay();
    cairn_space_switch(VM, SPACE);
}

// The access is made once more with what has become of the ASIDs meanwhile.
static void a_handler_that_runs_other_spaces_does_no_harm(void **state)
{
    (void)state;
    make_small();
    for (uint32_t i = 0; i < MANY; i++) {
        make(i);
    }
    SPACE->handler = vm_handler;
    for (uint32_t round = 0; round < 8; round++) {
        vm_fixture.act = round % 2 == 0 ? run_all_others : run_all_others_and_stay;
        assert_int_equal(cairn_space_protect(SPACE, MAP, CAIRN_READ), 0);
        vm_put(vm_page(1), round + 7);
        vm_expect_fault(vm_page(1), CAIRN_WRITE, CAIRN_EACCES);
        vm_sound();
        for (uint32_t i = 0; i < MANY; i++) {
            cairn_space_switch(VM, &many[i]);
            assert_int_equal(vm_get(vm_page(1)), 0);
        }
        cairn_space_switch(VM, SPACE);
        assert_int_equal(vm_get(vm_page(1)), round + 7);
        if (round == 3) { // from here on each store is written through
            assert_int_equal(vm_end(), 0);
            vm_fixture.config.write_through = true;
            make_small();
            for (uint32_t i = 0; i < MANY; i++) {
                make(i);
            }
            SPACE->handler = vm_handler;
        }
    }
}

static void without_a_space_every_access_misses(void **state)
{
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    (void)state;
    vm_put(vm_page(1), 1);
    cairn_space_switch(VM, NULL);
    for (cairn_vaddr_t at = 0; at < 2 * PAGE; at++) {
        for (uint32_t i = 0; i < 3; i++) { // page 0 and 1, the last two of the space, the last two of all
            const cairn_vaddr_t address = i == 0 ? at : i == 1 ? VM->limit - at : ~(cairn_vaddr_t)0 - at;
            assert_int_equal(cairn_vm_load8(VM, address, &u8), CAIRN_EFAULT);
            assert_int_equal(cairn_vm_load16(VM, address, &u16), CAIRN_EFAULT);
            assert_int_equal(cairn_vm_load32(VM, address, &u32), CAIRN_EFAULT);
            assert_int_equal(cairn_vm_load64(VM, address, &u64), CAIRN_EFAULT);
            assert_int_equal(cairn_vm_store8(VM, address, 1), CAIRN_EFAULT);
            assert_int_equal(cairn_vm_store64(VM, address, 1), CAIRN_EFAULT);
        }
    }
    cairn_space_switch(VM, SPACE);
    assert_int_equal(vm_get(vm_page(1)), 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        VM_UNIT(a_hit_needs_no_walk),
        VM_UNIT(a_store_behind_a_load_misses_once),
        VM_UNIT(a_page_that_was_written_must_be_told_of_the_next_store),
        VM_UNIT(conflicts_come_back_from_the_victim_set),
        VM_UNIT(the_victim_set_has_one_place_for_a_page),
        VM_UNIT(a_page_that_leaves_is_forgotten_wherever_it_stands),
        VM_UNIT(switching_spaces_flushes_nothing),
        VM_UNIT(one_address_in_two_spaces_is_two_pages),
        VM_UNIT(a_flush_of_a_space_leaves_the_others),
        VM_UNIT(a_flush_of_a_page_leaves_the_others),
        VM_UNIT(rights_that_are_taken_are_gone_at_once),
        VM_UNIT(a_users_access_needs_a_users_page),
        VM_UNIT(more_spaces_than_asids_keep_apart),
        VM_UNIT(spaces_come_and_go_for_ever),
        VM_UNIT(the_current_space_stays_itself_while_others_are_made),
        VM_UNIT(a_handler_that_runs_other_spaces_does_no_harm),
        VM_UNIT(without_a_space_every_access_misses),
    };
    return cmocka_run_group_tests_name("vm_tlb", tests, NULL, NULL);
}
