// SPDX-License-Identifier: MIT
//
// OWNS        the proof of the checker in lib/vm/vm_check.c for pages that are shared: V9, V10 and what others say of them, broken by hand, must be named.
// PICTURE     the vm of every test: OBJECT, of a file, 4 pages: SPACE shows 0 to 2 of it at 10, shared and read-only; OTHER shows all at 20, privately.
//             Page 0 of it is in a frame, which both name; OTHER has a copy of page 1 at 21. Pages 30 and 31 of SPACE are the pool's since a fork: 30 in a frame, 31
//             in the store; the child has them too. Memory in place at 40 of SPACE. One frame is free
// CALLERS     ctest, on every preset.
#include "vm_objects.h"

#include "vm/share.h"

#define R CAIRN_READ

static struct cairn_space child;
static _Alignas(8) const uint32_t code[2 * PAGE / 4];

static pte_t *pte_at(const struct cairn_space *space, uint32_t page)
{
    return cairn_table_walk_(space, page);
}

static struct cairn_frame *frame_of(pte_t pte)
{
    return &VM->table[pte_number(pte)];
}

static struct record *record_at(uint32_t page)
{
    return table_record(VM, pte_number(*pte_at(SPACE, page)));
}

static struct cairn_mapping *mapping_at(const struct cairn_space *space, uint32_t page)
{
    struct cairn_mapping *const mapping = mapping_of(space, page);
    assert_non_null(mapping);
    return mapping;
}

static int setup(void **state)
{
    if (vm_objects_setup(state) != 0) {
        return -1;
    }
    vm_object_of_file(4);
    const struct cairn_map map = {.address = vm_page(40), .size = 2 * PAGE, .protection = R, .flags = CAIRN_MAP_FIXED, .memory = code};
    assert_int_equal(vm_map(SPACE, 30, 2, RW, 0), 0);
    vm_write_pages(SPACE, 30, 2, 1);
    assert_int_equal(cairn_space_fork(&child, SPACE), 0);
    assert_int_equal(vm_show(SPACE, 10, 3, R, CAIRN_MAP_SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_show(OTHER, 20, 4, RW, 0, OBJECT, 0), 0);
    assert_int_equal(cairn_space_map_range(SPACE, &map, NULL), 0);
    vm_set(OTHER, vm_page(21), 1);
    assert_int_equal(cairn_frame_evict_(VM, pte_number(record_at(31)->pte)), 0);
    assert_int_equal(cairn_frame_evict_(VM, pte_number(*pte_at(&OBJECT->pages, 1))), 0);
    assert_int_equal(vm_get(vm_page(10)), FILE_WORD(0, 0));
    assert_int_equal(vm_look(OTHER, vm_page(20)), FILE_WORD(0, 0));
    vm_expect_pages(SPACE, 30, 1, 1);
    (void)vm_get(vm_page(30));
    (void)vm_get(vm_page(40));
    assert_int_equal(vm_figures().frames_free, 1);
    vm_sound();
    return 0;
}

static void a_vm_that_shares_has_no_rule_broken(void **state)
{
    (void)state;
    assert_true(pte_is_present(record_at(30)->pte));
    assert_true(pte_is_swapped(record_at(31)->pte));
    assert_int_equal(record_at(30)->owners, 2);
    assert_ptr_equal(frame_of(*pte_at(SPACE, 10))->space, &OBJECT->pages);
    assert_int_equal(pte_number(*pte_at(SPACE, 10)), pte_number(*pte_at(OTHER, 20)));
    assert_ptr_equal(frame_of(*pte_at(OTHER, 21))->space, OTHER);
    vm_sound();
}

static void v9_a_pte_that_shows_another_page(void **state)
{
    (void)state;
    VM_BREAKS(pte_t, *pte_at(SPACE, 10), *pte_at(OTHER, 21), 9); // of another space
    VM_BREAKS(pte_t, *pte_at(SPACE, 10), record_at(30)->pte, 9); // the pool's
    VM_BREAKS(pte_t, *pte_at(SPACE, 11), *pte_at(SPACE, 10), 9); // the object's, but not there
    VM_BREAKS(cairn_vaddr_t, mapping_at(SPACE, 10)->offset, 1, 9);
    VM_BREAKS(cairn_vaddr_t, mapping_at(OTHER, 20)->first, 19, 9);
}

static void v9_a_pte_that_allows_what_is_not_the_mappings(void **state)
{
    (void)state;
    VM_BREAKS(pte_t, *pte_at(OTHER, 20), *pte_at(OTHER, 20) | CAIRN_WRITE, 9); // the object's page, privately
    VM_BREAKS(pte_t, *pte_at(SPACE, 10), *pte_at(SPACE, 10) | CAIRN_WRITE, 9); // read-only
    VM_BREAKS(pte_t, *pte_at(SPACE, 10), *pte_at(SPACE, 10) | CAIRN_EXEC, 9);
}

static void v9_a_mapping_beyond_its_object(void **state)
{
    (void)state;
    VM_BREAKS(cairn_vaddr_t, mapping_at(SPACE, 10)->pages, 5, 9);
    VM_BREAKS(cairn_vaddr_t, mapping_at(SPACE, 10)->offset, 2, 9);
    VM_BREAKS(cairn_vaddr_t, mapping_at(SPACE, 10)->offset, ~(cairn_vaddr_t)0, 9);
    VM_BREAKS(cairn_vaddr_t, OBJECT->count, 3, 9);
    VM_BREAKS(cairn_vaddr_t, OBJECT->count, 0, 9);
}

static void v9_a_list_that_is_not_that_of_the_mappings(void **state)
{
    struct cairn_mapping *const shared = mapping_at(SPACE, 10);
    struct cairn_mapping *const private = mapping_at(OTHER, 20);
    (void)state;
    assert_ptr_equal(OBJECT->mappings, private);
    VM_BREAKS(struct cairn_mapping *, OBJECT->mappings, NULL, 9);
    VM_BREAKS(struct cairn_mapping *, OBJECT->mappings, shared, 9);
    VM_BREAKS(struct cairn_mapping *, private->sibling, NULL, 9);
    VM_BREAKS(struct cairn_mapping *, shared->sibling, private, 9); // a ring
    VM_BREAKS(struct cairn_mapping *, OBJECT->mappings, mapping_at(SPACE, 30), 9);
    VM_BREAKS(struct cairn_mapping *, shared->sibling, mapping_at(SPACE, 30), 9);
    struct cairn_mapping stray = *shared; // of no space
    stray.sibling = NULL;
    VM_BREAKS(struct cairn_mapping *, shared->sibling, &stray, 9);
    VM_BREAKS(struct cairn_object *, mapping_at(SPACE, 30)->object, OBJECT, 9);
}

static void v9_a_page_that_an_object_cannot_have(void **state)
{
    (void)state;
    pte_t *const beyond = table_pte(VM, table_leaf(VM, OBJECT->pages.root, 5), 5);
    pte_t *const within = table_pte(VM, table_leaf(VM, OBJECT->pages.root, 2), 2);
    VM_BREAKS(pte_t, *beyond, *pte_at(&OBJECT->pages, 0), 9);
    VM_BREAKS(pte_t, *within, PTE_SWAPPED, 9); // its store has it
    VM_BREAKS(pte_t, *within, PTE_SHARED, 9);
    VM_BREAKS(pte_t, *within, PTE_SWAPPED | PTE_PRESENT, 2);
    VM_BREAKS(pte_t, *within, *pte_at(&OBJECT->pages, 0), 3); // twice
    VM_BREAKS(pte_t, *pte_at(&OBJECT->pages, 0), *pte_at(&OBJECT->pages, 0) | R, 2); // nobody reaches it by this
}

static void v10_owners_that_are_more_or_less(void **state)
{
    (void)state;
    VM_BREAKS(uint32_t, record_at(30)->owners, 1, 10);
    VM_BREAKS(uint32_t, record_at(30)->owners, 3, 10);
    VM_BREAKS(uint32_t, record_at(31)->owners, 0, 10);
    VM_BREAKS(pte_t, *pte_at(SPACE, 31), 0, 10);
    VM_BREAKS(pte_t, *pte_at(&child, 30), *pte_at(SPACE, 31), 10);
    *pte_at(&child, 29) = *pte_at(SPACE, 30); // where nothing is mapped
    vm_broken(8);
    *pte_at(&child, 29) = 0;
    vm_sound();
}

static void v10_a_record_that_is_none(void **state)
{
    (void)state;
    VM_BREAKS(pte_t, *pte_at(SPACE, 30), PTE_SHARED | (VM->table_used / 4) << PTE_SHIFT, 10);
    *pte_at(SPACE, 30) |= PTE_SAVED; // of one of its owners: they are two still
    vm_sound();
    VM_BREAKS(pte_t, *pte_at(&child, 30), PTE_SHARED | (PTE_NUMBERS - 1) << PTE_SHIFT, 10);
    VM_BREAKS(uint32_t, VM->figures.shared, 1, 10);
    VM_BREAKS(uint32_t, VM->figures.shared, 3, 10);
    VM_BREAKS(uint32_t, VM->pool->figures.resident, 2, 10);
    VM_BREAKS(uint32_t, VM->pool->figures.swapped, 0, 10);
}

static void v10_a_page_of_the_pools_that_is_pinned(void **state)
{
    struct cairn_frame *const frame = frame_of(record_at(30)->pte);
    (void)state;
    frame_pin(frame);
    vm_broken(10);
    frame_unpin(frame);
    vm_sound();
}

static void v2_v3_v4_hold_for_the_pool_as_well(void **state)
{
    struct cairn_frame *const frame = frame_of(record_at(30)->pte);
    (void)state;
    VM_BREAKS(pte_t, record_at(30)->pte, record_at(30)->pte | R, 2);
    VM_BREAKS(cairn_vaddr_t, frame->page, pte_number(*pte_at(SPACE, 31)), 3);
    VM_BREAKS(cairn_vaddr_t, frame->page, ~(cairn_vaddr_t)0 >> 7, 3);
    VM_BREAKS(struct cairn_space *, frame->space, SPACE, 3);
    VM_BREAKS(pte_t, record_at(30)->pte, *pte_at(OTHER, 21), 3);
    VM_BREAKS(pte_t, record_at(30)->pte, 0, 3);
    VM_BREAKS(pte_t, record_at(31)->pte, PTE_SWAPPED | SLOTS << PTE_SHIFT, 4);
    VM_BREAKS(uint32_t, VM->slots[0], 0, 4);
}

static void v6_an_entry_for_a_shared_page_that_lets_store(void **state)
{
    struct cairn_tlb_entry *const pool = tlb_at(VM, 30);
    (void)state;
    assert_int_equal(pool->read_tag, tlb_tag(VM, SPACE->asid, 30));
    VM_BREAKS(cairn_vaddr_t, pool->write_tag, pool->read_tag, 6);
    VM_BREAKS(uintptr_t, pool->addend, pool->addend + PAGE, 6);
    struct cairn_tlb_entry *const code_entry = tlb_at(VM, 40);
    assert_int_equal(code_entry->read_tag, tlb_tag(VM, SPACE->asid, 40));
    VM_BREAKS(cairn_vaddr_t, code_entry->write_tag, code_entry->read_tag, 6);
    VM_BREAKS(uintptr_t, code_entry->addend, code_entry->addend + 4, 6);
    VM_BREAKS(const unsigned char *, mapping_at(SPACE, 40)->memory, (const unsigned char *)code + 4, 6);
}

static void v7_pins_that_nobody_has(void **state)
{
    void *memory;
    size_t run;
    (void)state;
    VM_BREAKS(uint32_t, mapping_at(SPACE, 10)->pins, 1, 7);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(10), R, &memory, &run), 0);
    vm_sound();
    VM_BREAKS(uint32_t, mapping_at(SPACE, 10)->pins, 0, 7);
    VM_BREAKS(pte_t, *pte_at(SPACE, 10), *pte_at(SPACE, 10) & ~PTE_PINS, 7);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(10)), 0);
    VM_BREAKS(uint32_t, mapping_at(SPACE, 10)->flags, mapping_at(SPACE, 10)->flags | CAIRN_MAP_LOCKED, 7);
    VM_BREAKS(uint32_t, mapping_at(OTHER, 20)->flags, mapping_at(OTHER, 20)->flags | CAIRN_MAP_LOCKED, 7);
}

static void v8_pages_of_a_mapping_that_has_none(void **state)
{
    (void)state;
    VM_BREAKS(uint32_t, mapping_at(SPACE, 10)->flags, mapping_at(SPACE, 10)->flags | MAP_UNTOUCHED, 8);
    VM_BREAKS(uint32_t, mapping_at(SPACE, 40)->flags, mapping_at(SPACE, 40)->flags & ~MAP_UNTOUCHED, 8); // memory in place
}

static void v8_figures_that_do_not_agree(void **state)
{
    (void)state;
    VM_BREAKS(uint32_t, SPACE->figures.shared, 2, 8);
    VM_BREAKS(uint32_t, OTHER->figures.shared, 2, 8);
    VM_BREAKS(uint32_t, OBJECT->pages.figures.resident, 2, 8);
    VM_BREAKS(cairn_vaddr_t, VM->committed, 0, 8);
    VM_BREAKS(cairn_vaddr_t, VM->committed, VM->committed + 1, 8);
    VM_BREAKS(bool, OBJECT->charged, true, 8);
    VM_BREAKS(struct cairn_space *, mapping_at(SPACE, 10)->space, OTHER, 8);
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, setup, vm_objects_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(a_vm_that_shares_has_no_rule_broken),
        UNIT(v9_a_pte_that_shows_another_page),
        UNIT(v9_a_pte_that_allows_what_is_not_the_mappings),
        UNIT(v9_a_mapping_beyond_its_object),
        UNIT(v9_a_list_that_is_not_that_of_the_mappings),
        UNIT(v9_a_page_that_an_object_cannot_have),
        UNIT(v10_owners_that_are_more_or_less),
        UNIT(v10_a_record_that_is_none),
        UNIT(v10_a_page_of_the_pools_that_is_pinned),
        UNIT(v2_v3_v4_hold_for_the_pool_as_well),
        UNIT(v6_an_entry_for_a_shared_page_that_lets_store),
        UNIT(v7_pins_that_nobody_has),
        UNIT(v8_pages_of_a_mapping_that_has_none),
        UNIT(v8_figures_that_do_not_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
