// SPDX-License-Identifier: MIT
//
// OWNS        concepts of paging, a test each, which carries its name: addresses, pages, tables, the TLB, segments, faults, swap, what is written when, what is read
//             ahead, how much is too much.
// CALLERS     ctest, on the host and one board.
#include "concepts.h"

// An address says nothing of where the bytes are. Two spaces have other bytes at one; one page has two.
static void concept_virtual_and_physical_address(void **state)
{
    (void)state;
    start_with(4);
    map(ONE, 3, 1, RW);
    map(TWO, 3, 1, RW);
    put(AT(3), 111);
    cairn_space_switch(VM, TWO);
    put(AT(3), 222);
    assert_ptr_not_equal(place_of(ONE, AT(3)), place_of(TWO, AT(3)));
    assert_int_equal(*(const uint32_t *)place_of(ONE, AT(3)), 111);
    assert_int_equal(*(const uint32_t *)place_of(TWO, AT(3)), 222);
    open_file();
    map_file(ONE, 10, 1, CAIRN_MAP_SHARED);
    map_file(TWO, 20, 1, CAIRN_MAP_SHARED);
    assert_ptr_equal(place_of(ONE, AT(10)), place_of(TWO, AT(20)));
    finish();
}

// Memory is had in pieces of one size: a byte takes one, the next byte none, the next piece one more.
static void concept_page(void **state)
{
    (void)state;
    start_with(4);
    map(ONE, 1, 3, RW);
    assert_int_equal(cairn_vm_store8(VM, AT(1), 1), 0);
    assert_int_equal(figures_of(ONE).resident, 1);
    assert_int_equal(cairn_vm_store8(VM, AT(2) - 1, 1), 0);
    assert_int_equal(figures_of(ONE).resident, 1);
    assert_int_equal(cairn_vm_store8(VM, AT(2), 1), 0);
    assert_int_equal(figures_of(ONE).resident, 2);
    const struct cairn_map half = {.size = PAGE / 2, .protection = RW};
    assert_int_equal(cairn_space_map_range(ONE, &half, NULL), CAIRN_EINVAL);
    finish();
}

// Where a page is stands in a table, which says so of the same address until the page moves.
static void concept_page_table(void **state)
{
    (void)state;
    struct cairn_vm_config config = machine_config(2);
    config.levels = 1;
    config.bits[0] = 8;
    start(&config);
    assert_int_equal(figures().table_bytes, 2 * 256 * 4); // of each space an entry for each page
    map(ONE, 1, 4, RW);
    for (uint32_t page = 1; page <= 4; page++) {
        put(AT(page), page); // in two frames: what each is the table says, whoever had it before
    }
    for (uint32_t page = 1; page <= 4; page++) {
        cairn_vm_flush(VM);
        assert_int_equal(get(AT(page)), page);
    }
    finish();
}

// The table is a tree: of what is not used there is no part.
static void concept_multi_level_table(void **state)
{
    (void)state;
    struct cairn_vm_config config = machine_config(4);
    config.levels = 3;
    config.bits[0] = config.bits[1] = config.bits[2] = 4; // 4096 pages: as one table 16 KB
    start(&config);
    const uint32_t empty = figures().table_bytes;
    map(ONE, 1, 4000, RW);
    assert_int_equal(figures().table_bytes, empty);
    put(AT(1), 1);
    assert_int_equal(figures().table_bytes, empty + 2 * 16 * 4); // two levels below the topmost
    put(AT(2), 1);
    assert_int_equal(figures().table_bytes, empty + 2 * 16 * 4); // beside it
    put(AT(4000), 1);
    assert_int_equal(figures().table_bytes, empty + 4 * 16 * 4); // far from it
    assert_int_equal(cairn_space_unmap_range(ONE, AT(1), AT(4000)), 0);
    assert_int_equal(figures().table_bytes, empty);
    finish();
}

// The table is not asked twice for a page that was just found; nor does that outlive the table's word.
static void concept_tlb(void **state)
{
    (void)state;
    start_with(4);
    map(ONE, 1, 1, RW);
    put(AT(1), 5);
    const uint32_t before = figures().tlb_misses;
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(get(AT(1)), 5);
    }
    assert_int_equal(figures().tlb_misses, before);
    cairn_space_switch(VM, TWO);
    assert_int_equal(load_answers(AT(1)), CAIRN_EFAULT); // it is the other's
    cairn_space_switch(VM, ONE);
    const uint32_t again = figures().tlb_misses;
    assert_int_equal(get(AT(1)), 5); // still there: nothing was flushed
    assert_int_equal(figures().tlb_misses, again);
    cairn_vm_flush(VM);
    assert_int_equal(get(AT(1)), 5);
    assert_int_equal(figures().tlb_misses, again + 1);
    assert_int_equal(cairn_space_unmap_range(ONE, AT(1), PAGE), 0);
    assert_int_equal(load_answers(AT(1)), CAIRN_EFAULT);
    finish();
}

// An address in two parts: which segment, and how far in it; below its limit, and as it allows.
static void concept_segment(void **state)
{
    static const struct cairn_segment segments[] = {{.base = 0x400, .limit = 0x80, .protection = CAIRN_READ},
                                                    {.base = 0x800, .limit = (cairn_vaddr_t)0 - 0x100, .protection = RW, .grows_down = true}};
    cairn_vaddr_t address = 0;
    (void)state;
    start_with(4);
    cairn_space_set_segments(ONE, segments, 2);
    assert_int_equal(cairn_segment_translate(ONE, 0, 0x7C, 4, CAIRN_READ, &address), 0);
    assert_int_equal(address, 0x47C);
    assert_int_equal(cairn_segment_translate(ONE, 0, 0x7E, 4, CAIRN_READ, &address), CAIRN_EFAULT);
    assert_int_equal(cairn_segment_translate(ONE, 0, 0, 4, CAIRN_WRITE, &address), CAIRN_EACCES);
    assert_int_equal(cairn_segment_translate(ONE, 1, (cairn_vaddr_t)0 - 8, 4, CAIRN_WRITE, &address), 0);
    assert_int_equal(address, 0x7F8); // a stack: below its base
    assert_int_equal(cairn_segment_translate(ONE, 2, 0, 4, CAIRN_READ, &address), CAIRN_EFAULT);
    finish();
}

// What a segment yields is an address of pages: a segment may be larger than RAM.
static void concept_segmented_paging(void **state)
{
    static const struct cairn_segment segment = {.base = AT(2), .limit = AT(16), .protection = RW};
    cairn_vaddr_t address = 0;
    (void)state;
    start_with(4);
    map(ONE, 2, 16, RW);
    cairn_space_set_segments(ONE, &segment, 1);
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t offset = 0; offset < 16 * PAGE; offset += PAGE) {
            assert_int_equal(cairn_segment_translate(ONE, 0, offset, 4, RW, &address), 0);
            assert_int_equal(address, AT(2) + offset);
            assert_int_equal(get(address), round * offset);
            put(address, offset);
        }
    }
    assert_int_equal(figures().major, 16); // each came back from the store
    finish();
}

static uint32_t faults;

static int mend(void *context, struct cairn_space *space, const struct cairn_vm_fault *fault)
{
    (void)context;
    faults++;
    assert_int_equal(fault->address, AT(9) + 4);
    assert_int_equal(fault->access, CAIRN_READ);
    assert_int_equal(fault->error, CAIRN_EFAULT);
    map(space, 9, 1, RW);
    return 0; // once more
}

// An access to a page that is not there stops, the page is brought, and the access is made as if nothing had been.
static void concept_page_fault(void **state)
{
    (void)state;
    start_with(4);
    map(ONE, 1, 1, RW);
    assert_int_equal(get(AT(1)), 0);
    assert_int_equal(figures().minor, 1);
    assert_int_equal(get(AT(1)), 0);
    assert_int_equal(figures().minor, 1);
    assert_int_equal(load_answers(AT(9) + 4), CAIRN_EFAULT); // there is no such page
    faults = 0;
    ONE->handler = mend;
    assert_int_equal(get(AT(9) + 4), 0); // somebody made one
    assert_int_equal(faults, 1);
    finish();
}

// A page is brought in when it is asked for, and not before.
static void concept_demand_paging(void **state)
{
    (void)state;
    start_with(4);
    map(ONE, 1, 200, RW);
    assert_int_equal(figures_of(ONE).virtual_pages, 200);
    assert_int_equal(figures_of(ONE).resident, 0);
    assert_int_equal(get(AT(150)) + get(AT(7)) + get(AT(200)), 0);
    assert_int_equal(figures_of(ONE).resident, 3);
    finish();
}

// More pages than frames: those that have none are in the store, and are as they were.
static void concept_swap(void **state)
{
    (void)state;
    start_with(4);
    map(ONE, 1, 20, RW);
    for (uint32_t page = 1; page <= 20; page++) {
        put(AT(page), page * page);
    }
    assert_int_equal(figures_of(ONE).resident, 4);
    assert_int_equal(figures_of(ONE).swapped, 16);
    for (uint32_t page = 1; page <= 20; page++) {
        assert_int_equal(get(AT(page)), page * page);
    }
    assert_int_equal(machine.swap_reads, 20);
    finish();
}

// What is stored to is written when the page leaves, once.
static void concept_write_back(void **state)
{
    (void)state;
    start_with(2);
    map(ONE, 1, 6, RW);
    for (uint32_t i = 1; i <= 10; i++) {
        put(AT(1), i);
    }
    assert_int_equal(machine.swap_writes, 0);
    for (uint32_t page = 2; page <= 5; page++) {
        assert_int_equal(get(AT(page)), 0); // they are clean: zeros need no slot
    }
    assert_int_equal(machine.swap_writes, 1);
    assert_int_equal(get(AT(1)), 10);
    finish();
}

// Each store is in the store at once: when the page leaves nothing is to be written.
static void concept_write_through(void **state)
{
    (void)state;
    struct cairn_vm_config config = machine_config(2);
    config.write_through = true;
    start(&config);
    map(ONE, 1, 6, RW);
    for (uint32_t i = 1; i <= 10; i++) {
        put(AT(1), i);
        assert_int_equal(machine.swap_writes, i);
    }
    for (uint32_t page = 2; page <= 5; page++) {
        assert_int_equal(get(AT(page)), 0);
    }
    assert_int_equal(machine.swap_writes, 10);
    assert_int_equal(get(AT(1)), 10);
    finish();
}

// Major faults of a scan of 40 pages that are in the store.
static uint32_t faults_of_a_scan(const struct cairn_prefetch *prefetch)
{
    struct cairn_vm_config config = machine_config(8);
    config.prefetch = prefetch;
    start(&config);
    map(ONE, 1, 40, RW);
    for (uint32_t page = 1; page <= 40; page++) {
        put(AT(page), page);
    }
    const uint32_t before = figures().major;
    for (uint32_t page = 1; page <= 40; page++) {
        assert_int_equal(get(AT(page)), page);
    }
    const uint32_t major = figures().major - before;
    assert_int_equal(figures().useful != 0, prefetch != NULL);
    finish();
    return major;
}

// Faults go one page after the other: the next ones are there before they are asked for.
static void concept_prefetch(void **state)
{
    (void)state;
    const uint32_t without = faults_of_a_scan(NULL);
    assert_int_equal(without, 40);
    assert_true(faults_of_a_scan(&cairn_prefetch_streams) <= without / 2);
}

// The pages in use since the last tick, however many are there.
static void concept_working_set(void **state)
{
    (void)state;
    start_with(8);
    map(ONE, 1, 8, RW);
    for (uint32_t page = 1; page <= 8; page++) {
        put(AT(page), 1);
    }
    (void)cairn_vm_tick(VM);
    for (uint32_t i = 0; i < 12; i++) {
        put(AT(2 + i % 3), i);
    }
    assert_int_equal(cairn_vm_tick(VM), 3);
    assert_int_equal(figures_of(ONE).working_set, 3);
    assert_int_equal(figures_of(ONE).resident, 8);
    finish();
}

static uint32_t alarms, wanted_pages;

static void alarm(void *context, struct cairn_vm *vm, uint32_t wanted)
{
    (void)context;
    (void)vm;
    alarms++;
    wanted_pages = wanted;
}

static void loop(struct cairn_space *space, uint32_t pages)
{
    cairn_space_switch(VM, space);
    for (uint32_t i = 0; i < 5 * pages; i++) {
        put(AT(1 + i % pages), i);
    }
}

// Working sets that together are more than the frames: nearly each access is a fault. It is told; with one of the two suspended the other works.
static void concept_thrashing(void **state)
{
    (void)state;
    struct cairn_vm_config config = machine_config(4);
    config.thrashing = alarm;
    config.policy = &cairn_policy_lru;
    start(&config);
    map(ONE, 1, 3, RW);
    map(TWO, 1, 3, RW);
    alarms = 0;
    loop(ONE, 3); // 3 fit
    (void)cairn_vm_tick(VM);
    assert_int_equal(alarms, 0);
    for (uint32_t i = 0; i < 10; i++) {
        loop(i % 2 == 0 ? TWO : ONE, 3); // 6 do not
    }
    const uint32_t before = figures().major;
    (void)cairn_vm_tick(VM);
    assert_int_equal(alarms, 1);
    assert_true(wanted_pages > 4);
    assert_int_equal(cairn_space_suspend(TWO), 0);
    assert_int_equal(figures_of(TWO).resident, 0);
    cairn_space_switch(VM, TWO);
    assert_int_equal(load_answers(AT(1)), CAIRN_EBUSY); // nothing of it comes in
    for (uint32_t i = 0; i < 10; i++) {
        loop(ONE, 3);
    }
    assert_true(figures().major <= before + 3);
    cairn_space_resume(TWO);
    cairn_space_switch(VM, TWO);
    for (uint32_t i = 12; i < 15; i++) {
        assert_int_equal(get(AT(1 + i % 3)), i); // what it stored last
    }
    loop(TWO, 3);
    finish();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(concept_virtual_and_physical_address),
        cmocka_unit_test(concept_page),
        cmocka_unit_test(concept_page_table),
        cmocka_unit_test(concept_multi_level_table),
        cmocka_unit_test(concept_tlb),
        cmocka_unit_test(concept_segment),
        cmocka_unit_test(concept_segmented_paging),
        cmocka_unit_test(concept_page_fault),
        cmocka_unit_test(concept_demand_paging),
        cmocka_unit_test(concept_swap),
        cmocka_unit_test(concept_write_back),
        cmocka_unit_test(concept_write_through),
        cmocka_unit_test(concept_prefetch),
        cmocka_unit_test(concept_working_set),
        cmocka_unit_test(concept_thrashing),
    };
    return cmocka_run_group_tests_name("concepts_paging", tests, NULL, NULL);
}
