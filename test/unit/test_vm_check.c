// SPDX-License-Identifier: MIT
//
// OWNS        the proof of the checker in lib/vm/vm_check.c: each rule broken by hand must be named, and no other.
// PICTURE     the vm of every test: pages 1 and 2 in the store, 3 to 6 in frames, 6 clean with a slot; 3 and 4 in the TLB, 4 dirty; frames 4 and 5 free
// CALLERS     ctest, on every preset.
#include "vm_fixture.h"

#include "vm/frame.h"
#include "vm/tlb.h"

static pte_t *pte_at(uint32_t page)
{
    return cairn_table_walk_(SPACE, page);
}

static struct cairn_frame *frame_at(uint32_t page)
{
    return &VM->table[pte_number(*pte_at(page))];
}

static int setup(void **state)
{
    if (vm_setup(state) != 0 || vm_end() != 0) {
        return -1;
    }
    vm_fixture.config.frame_count = 6;
    vm_make();
    assert_int_equal(cairn_space_map(SPACE, MAP, vm_page(1), PAGES * PAGE, RW), 0);
    assert_int_equal(cairn_space_init(OTHER, VM), 0);
    for (uint32_t page = 1; page <= 6; page++) {
        vm_write_pages(SPACE, page, 1, 1);
        if (page < 3 || page == 6) {
            assert_int_equal(cairn_space_dont_need(SPACE, vm_page(page)), 0);
        }
    }
    vm_expect_pages(SPACE, 6, 1, 1);
    (void)vm_get(vm_page(6));
    (void)vm_get(vm_page(3));
    vm_put(vm_page(4), 4);
    assert_int_equal(vm_figures().frames_free, 2);
    vm_sound();
    return 0;
}

static void a_vm_that_is_whole_has_no_rule_broken(void **state)
{
    uint32_t rule = 99;
    (void)state;
    assert_int_equal(cairn_vm_check(VM, &rule), 0);
    assert_int_equal(rule, 0);
    assert_int_equal(cairn_vm_check(VM, NULL), 0);
}

static void v1_a_node_without_an_entry(void **state)
{
    (void)state;
    assert_non_null(cairn_table_make_(SPACE, 40));
    vm_broken(1);
    cairn_table_set_(SPACE, 40, 0);
    vm_sound();
}

static void v1_a_free_node_that_is_not_zeros(void **state)
{
    (void)state;
    uint32_t *const leaf = cairn_table_make_(SPACE, 40);
    assert_non_null(leaf);
    cairn_table_set_(SPACE, 40, 0);
    VM_BREAKS(uint32_t, leaf[1], 1, 1);
    VM_BREAKS(uint32_t, leaf[table_mask(VM, table_levels(VM) - 1)], 1, 1);
}

static void v1_bytes_that_are_not_those_of_the_tables(void **state)
{
    (void)state;
    VM_BREAKS(uint32_t, VM->figures.table_bytes, VM->figures.table_bytes + 4, 1);
    VM_BREAKS(uint32_t, VM->table_used, VM->figures.table_bytes - 4, 1);
    VM_BREAKS(uint32_t, VM->table_size, VM->table_used - 4, 1);
}

static void v2_a_pte_that_is_both_or_neither(void **state)
{
    (void)state;
    VM_BREAKS(pte_t, *pte_at(3), *pte_at(3) | PTE_SWAPPED, 2);
    VM_BREAKS(pte_t, *pte_at(2), *pte_at(2) & ~PTE_SWAPPED, 2);
    VM_BREAKS(pte_t, *pte_at(2), *pte_at(2) | PTE_SAVED, 2); // it is not shared
    VM_BREAKS(pte_t, *pte_at(3), *pte_at(3) | CAIRN_EXEC, 2); // more than the mapping
    VM_BREAKS(uint8_t, frame_at(3)->flags, frame_at(3)->flags | FRAME_AHEAD, 2);
    *pte_at(9) = CAIRN_READ;
    vm_broken(2);
    *pte_at(9) = 0;
    vm_sound();
}

static void v3_a_frame_and_a_pte_that_do_not_name_each_other(void **state)
{
    (void)state;
    VM_BREAKS(cairn_vaddr_t, frame_at(3)->page, 4, 3);
    VM_BREAKS(cairn_vaddr_t, frame_at(3)->page, 1, 3);
    VM_BREAKS(cairn_vaddr_t, frame_at(3)->page, 200, 3);
    VM_BREAKS(struct cairn_space *, frame_at(3)->space, OTHER, 3);
    VM_BREAKS(pte_t, *pte_at(3), *pte_at(4), 3);
    VM_BREAKS(pte_t, *pte_at(3), PTE_PRESENT | 63u << PTE_SHIFT, 3);
    *pte_at(9) = *pte_at(3);
    vm_broken(3);
    *pte_at(9) = 0;
    vm_sound();
}

static void v4_a_slot_that_has_no_owner_or_two(void **state)
{
    (void)state;
    VM_BREAKS(uint32_t, VM->slots[0], VM->slots[0] & ~(1u << pte_number(*pte_at(1))), 4);
    VM_BREAKS(uint32_t, VM->slots[0], VM->slots[0] | 1u << 20, 4);
    VM_BREAKS(uint32_t, VM->figures.slots_used, 0, 4);
    VM_BREAKS(pte_t, *pte_at(1), *pte_at(2), 4);
    VM_BREAKS(uint32_t, frame_at(6)->slot, pte_number(*pte_at(1)), 4);
    VM_BREAKS(uint32_t, frame_at(6)->slot, SLOTS, 4);
    VM_BREAKS(uint32_t, frame_at(6)->slot, SLOT_NONE, 4);
    VM_BREAKS(pte_t, *pte_at(1), PTE_SWAPPED | SLOTS << PTE_SHIFT, 4);
    VM_BREAKS(const struct cairn_port_store *, VM->store, NULL, 4);
}

static void v5_a_list_that_is_not_what_is_free(void **state)
{
    (void)state;
    const uint16_t first = VM->free_frame;
    VM_BREAKS(uint16_t, VM->free_frame, CAIRN_FRAME_NONE, 5);
    VM_BREAKS(uint16_t, VM->free_frame, VM->table[first].next, 5);
    VM_BREAKS(uint16_t, VM->free_frame, pte_number(*pte_at(3)), 5);
    VM_BREAKS(uint16_t, VM->free_frame, 6, 5);
    VM_BREAKS(uint16_t, VM->table[first].next, first, 5);
    VM_BREAKS(uint32_t, VM->figures.frames_free, 3, 5);
}

static void v6_an_entry_of_the_tlb_that_is_not_true(void **state)
{
    struct cairn_tlb_entry *const entry = tlb_at(VM, 3);
    (void)state;
    VM_BREAKS(uintptr_t, entry->addend, entry->addend + PAGE, 6);
    VM_BREAKS(cairn_vaddr_t, entry->read_tag, tlb_tag(VM, SPACE->asid, 1 + 2 * 8), 6); // not mapped
    VM_BREAKS(cairn_vaddr_t, entry->read_tag, tlb_tag(VM, OTHER->asid, 3), 6);         // another's
    VM_BREAKS(cairn_vaddr_t, entry->read_tag, tlb_tag(VM, SPACE->asid, 1 << 20), 6);   // beyond the space
}

static void v3_a_frame_of_a_page_beyond_the_space(void **state)
{
    struct cairn_frame *const frame = &VM->table[pte_number(*pte_at(3))];
    (void)state;
    VM_BREAKS(cairn_vaddr_t, frame->page, ~(cairn_vaddr_t)0 >> 7, 3);
}

static void v6_a_write_tag_without_the_right(void **state)
{
    (void)state;
    cairn_space_flush(SPACE);
    (void)vm_get(vm_page(6)); // clean
    VM_BREAKS(cairn_vaddr_t, tlb_at(VM, 6)->write_tag, tlb_at(VM, 6)->read_tag, 6);
    vm_put(vm_page(4), 4);
    VM_BREAKS(cairn_vaddr_t, tlb_at(VM, 4)->write_tag, tlb_tag(VM, SPACE->asid, 5), 6);
    VM_BREAKS(cairn_vaddr_t, tlb_at(VM, 4)->read_tag, CAIRN_TAG_NONE, 6);
    struct cairn_frame *const frame = &VM->table[pte_number(*pte_at(4))];
    VM_BREAKS(uint8_t, frame->flags, (uint8_t)(frame->flags & ~FRAME_DIRTY), 6);
    VM_BREAKS(pte_t, *pte_at(4), *pte_at(4) & ~CAIRN_WRITE, 6);
    VM_BREAKS(pte_t, *pte_at(4), *pte_at(4) & ~CAIRN_READ, 6);
}

static void v6_an_entry_where_nobody_looks(void **state)
{
    (void)state;
    cairn_vm_flush(VM);
    (void)vm_get(vm_page(6));
    *tlb_at(VM, 5) = *tlb_at(VM, 6);
    vm_broken(6);
    cairn_vm_flush(VM);
    (void)vm_get(vm_page(6));
    VM->victim[2] = *tlb_at(VM, 6);
    vm_sound(); // there it may stand
    VM_BREAKS(uintptr_t, VM->victim[2].addend, VM->victim[2].addend + PAGE, 6);
    VM_BREAKS(cairn_vaddr_t, VM->asid, OTHER->asid, 6);
    VM_BREAKS(uint32_t, SPACE->generation, SPACE->generation + 1, 6);
}

static void v7_a_pin_of_nothing(void **state)
{
    (void)state;
    VM_BREAKS(uint8_t, VM->table[VM->free_frame].pins, 1, 7);
    VM_BREAKS(uint8_t, VM->table[VM->free_frame].flags, 0, 7);
    VM_BREAKS(uint8_t, frame_at(3)->flags, frame_at(3)->flags | FRAME_PINNED, 7);
    VM_BREAKS(uint8_t, VM->table[VM->table[VM->free_frame].next].pins, UINT8_MAX, 7);
}

static void v8_mappings_out_of_order_or_place(void **state)
{
    (void)state;
    assert_int_equal(cairn_space_map(SPACE, EXTRA, vm_page(100), 2 * PAGE, RW), 0);
    VM_BREAKS(cairn_vaddr_t, EXTRA->first, PAGES, 8);
    VM_BREAKS(cairn_vaddr_t, EXTRA->first, 255, 8);
    VM_BREAKS(cairn_vaddr_t, EXTRA->first, 300, 8);
    VM_BREAKS(cairn_vaddr_t, EXTRA->pages, 0, 8);
    VM_BREAKS(cairn_vaddr_t, EXTRA->pages, 157, 8);
    VM_BREAKS(cairn_vaddr_t, EXTRA->pages, ~(cairn_vaddr_t)0, 8);
    VM_BREAKS(cairn_vaddr_t, MAP->first, 0, 8);
    VM_BREAKS(cairn_vaddr_t, MAP->pages, 5, 8);
    VM_BREAKS(struct cairn_mapping *, SPACE->mappings, EXTRA, 8);
    VM_BREAKS(struct cairn_mapping *, SPACE->mappings, NULL, 8);
}

static void v8_figures_that_do_not_agree(void **state)
{
    (void)state;
    VM_BREAKS(uint32_t, SPACE->figures.resident, 5, 8);
    VM_BREAKS(uint32_t, SPACE->figures.swapped, 1, 8);
    VM_BREAKS(cairn_vaddr_t, SPACE->figures.virtual_pages, PAGES + 1, 8);
    VM_BREAKS(uint32_t, OTHER->figures.resident, 1, 8);
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, setup, vm_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(a_vm_that_is_whole_has_no_rule_broken),
        UNIT(v1_a_node_without_an_entry),
        UNIT(v1_a_free_node_that_is_not_zeros),
        UNIT(v1_bytes_that_are_not_those_of_the_tables),
        UNIT(v2_a_pte_that_is_both_or_neither),
        UNIT(v3_a_frame_and_a_pte_that_do_not_name_each_other),
        UNIT(v4_a_slot_that_has_no_owner_or_two),
        UNIT(v5_a_list_that_is_not_what_is_free),
        UNIT(v3_a_frame_of_a_page_beyond_the_space),
        UNIT(v6_an_entry_of_the_tlb_that_is_not_true),
        UNIT(v6_a_write_tag_without_the_right),
        UNIT(v6_an_entry_where_nobody_looks),
        UNIT(v7_a_pin_of_nothing),
        UNIT(v8_mappings_out_of_order_or_place),
        UNIT(v8_figures_that_do_not_agree),
    };
    return cmocka_run_group_tests_name("vm_check", tests, NULL, NULL);
}
