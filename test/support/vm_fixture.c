// SPDX-License-Identifier: MIT
//
// OWNS        vm_fixture.h says what.
#include "vm_fixture.h"

#include "vm/frame.h"

struct vm_fixture vm_fixture;
_Alignas(PAGE * FRAMES_MOST) unsigned char vm_frames[FRAMES_MOST * PAGE];
_Alignas(8) unsigned char vm_memory[4096];
unsigned char vm_slots[SLOTS * PAGE];

// ------------------------------------------------------------------------------------------------------------------ the store

static bool fails(void)
{
    vm_fixture.calls++;
    return vm_fixture.fail_at != 0 && vm_fixture.calls - vm_fixture.fail_at < (vm_fixture.fail_for == 0 ? 1 : vm_fixture.fail_for);
}

static int slot_read(void *context, uint32_t slot, void *page)
{
    const uint32_t size = ((struct vm_fixture *)context)->store.page;
    vm_fixture.reads++;
    if (fails()) {
        memset(page, 0xEE, size);
        return CAIRN_ECORRUPT;
    }
    memcpy(page, vm_slots + (size_t)slot * size, size);
    return 0;
}

static int slot_write(void *context, uint32_t slot, const void *page)
{
    const uint32_t size = ((struct vm_fixture *)context)->store.page;
    vm_fixture.writes++;
    if (fails()) {
        return CAIRN_EIO;
    }
    memcpy(vm_slots + (size_t)slot * size, page, size);
    return 0;
}

static void slot_trim(void *context, uint32_t slot)
{
    const uint32_t size = ((struct vm_fixture *)context)->store.page;
    vm_fixture.trims++;
    memset(vm_slots + (size_t)slot * size, 0xDD, size);
}

void vm_fail(uint32_t nth, uint32_t calls)
{
    vm_fixture.fail_at = nth == 0 ? 0 : vm_fixture.calls + nth;
    vm_fixture.fail_for = calls;
}

// ----------------------------------------------------------------------------------------------------------- set-up, tear-down

void vm_make(void)
{
    memset(vm_frames, 0xA5, sizeof vm_frames);
    memset(vm_memory, 0xA5, sizeof vm_memory);
    vm_fixture.table_size = 0;
    assert_int_equal(cairn_vm_init(VM, &vm_fixture.config), 0);
    assert_int_equal(cairn_space_init(SPACE, VM), 0);
    cairn_space_switch(VM, SPACE);
    vm_sound();
}

int vm_setup(void **state)
{
    (void)state;
    memset(&vm_fixture, 0, sizeof vm_fixture);
    memset(vm_slots, 0xDD, sizeof vm_slots);
    vm_fixture.store = (struct cairn_port_store){&vm_fixture, slot_read, slot_write, slot_trim, NULL, PAGE, SLOTS};
    vm_fixture.config = (struct cairn_vm_config){.page_shift = 7,
                                                 .levels = 2,
                                                 .bits = {4, 4},
                                                 .tlb = 8,
                                                 .frames = vm_frames,
                                                 .frame_count = FRAMES,
                                                 .memory = vm_memory,
                                                 .size = sizeof vm_memory,
                                                 .policy = &cairn_policy_fifo,
                                                 .store = &vm_fixture.store};
    vm_make();
    assert_int_equal(cairn_space_map(SPACE, MAP, vm_page(1), PAGES * PAGE, RW), 0);
    return 0;
}

void vm_write_through(void)
{
    assert_int_equal(vm_end(), 0);
    vm_fixture.config.write_through = true;
    vm_make();
    assert_int_equal(cairn_space_map(SPACE, MAP, vm_page(1), PAGES * PAGE, RW), 0);
    vm_fixture.reads = vm_fixture.writes = vm_fixture.trims = 0;
}

int vm_end(void)
{
    uint32_t rule;
    vm_feed();
    if (cairn_vm_check(VM, &rule) != 0) {
        print_error("V%u is broken\n", (unsigned)rule);
        return -1;
    }
    while (VM->spaces != NULL) {
        if (cairn_space_deinit(VM->spaces) != 0) {
            print_error("a space does not end\n");
            return -1;
        }
    }
    if (cairn_vm_check(VM, &rule) != 0) {
        print_error("V%u is broken when all has ended\n", (unsigned)rule);
        return -1;
    }
    const struct cairn_vm_figures now = vm_figures();
    if (now.frames_free != VM->frame_count || now.slots_used != 0 || vm_tables() != 0) {
        print_error("%u frames are free, %u slots and %u tables left\n", (unsigned)now.frames_free, (unsigned)now.slots_used, (unsigned)vm_tables());
        return -1;
    }
    return 0;
}

int vm_teardown(void **state)
{
    (void)state;
    return vm_end();
}

// --------------------------------------------------------------------------------------------------------------------- to look

void vm_sound(void)
{
    uint32_t rule;
    if (cairn_vm_check(VM, &rule) != 0) {
        fail_msg("V%u is broken", (unsigned)rule);
    }
}

void vm_broken(uint32_t rule)
{
    uint32_t named = 99;
    assert_int_equal(cairn_vm_check(VM, &named), CAIRN_ECORRUPT);
    assert_int_equal(named, rule);
    assert_int_equal(cairn_vm_check(VM, NULL), CAIRN_ECORRUPT);
}

static uint32_t hash(uint32_t sum, const void *from, size_t size)
{
    const unsigned char *const bytes = from;
    for (size_t i = 0; i < size; i++) {
        sum = (sum ^ bytes[i]) * 16777619u; // FNV-1a (Fowler, Noll, Vo 1991)
    }
    return sum;
}

uint32_t vm_image(void)
{
    uint32_t sum = hash(2166136261u, VM, sizeof *VM);
    sum = hash(sum, SPACE, sizeof *SPACE);
    sum = hash(sum, OTHER, sizeof *OTHER);
    sum = hash(sum, MAP, sizeof *MAP);
    sum = hash(sum, EXTRA, sizeof *EXTRA);
    sum = hash(sum, vm_frames, sizeof vm_frames);
    sum = hash(sum, vm_slots, sizeof vm_slots);
    return hash(sum, vm_memory, sizeof vm_memory);
}

struct cairn_vm_figures vm_figures(void)
{
    struct cairn_vm_figures now;
    cairn_vm_figures(VM, &now);
    return now;
}

struct cairn_space_figures vm_space_figures(const struct cairn_space *space)
{
    struct cairn_space_figures now;
    cairn_space_figures(space, &now);
    return now;
}

uint32_t vm_tables(void)
{
    return vm_figures().tables;
}

// ----------------------------------------------------------------------------------------------------------------------- bytes

cairn_vaddr_t vm_page(uint32_t page)
{
    return (cairn_vaddr_t)page << VM->page_shift;
}

void vm_put(cairn_vaddr_t address, uint32_t value)
{
    assert_int_equal(cairn_vm_store32(VM, address, value), 0);
}

uint32_t vm_get(cairn_vaddr_t address)
{
    uint32_t value = 0xABADCAFE;
    assert_int_equal(cairn_vm_load32(VM, address, &value), 0);
    return value;
}

static void contents(unsigned char *bytes, uint32_t page, uint32_t seed)
{
    for (uint32_t i = 0; i < PAGE; i++) {
        bytes[i] = (unsigned char)(seed * 31 + page * 7 + i * 3 + 1);
    }
}

void vm_write_pages(struct cairn_space *space, uint32_t first, uint32_t count, uint32_t seed)
{
    unsigned char bytes[PAGE];
    for (uint32_t page = first; page < first + count; page++) {
        contents(bytes, page, seed);
        assert_int_equal(cairn_space_write(space, vm_page(page), bytes, PAGE), 0);
    }
}

void vm_expect_pages(struct cairn_space *space, uint32_t first, uint32_t count, uint32_t seed)
{
    unsigned char bytes[PAGE];
    int order;
    for (uint32_t page = first; page < first + count; page++) {
        contents(bytes, page, seed);
        assert_int_equal(cairn_space_compare(space, vm_page(page), bytes, PAGE, &order), 0);
        assert_int_equal(order, 0);
    }
}

static pte_t pte_of(const struct cairn_space *space, uint32_t page)
{
    const pte_t *const pte = cairn_table_walk_(space, page);
    return pte == NULL ? 0 : *pte;
}

const unsigned char *vm_slot(const struct cairn_space *space, uint32_t page)
{
    const pte_t pte = pte_of(space, page);
    const uint32_t slot = pte_is_present(pte) ? VM->table[pte_number(pte)].slot : pte_is_swapped(pte) ? pte_number(pte) : SLOT_NONE;
    return slot == SLOT_NONE ? NULL : vm_slots + (size_t)slot * vm_fixture.store.page;
}

bool vm_is_resident(const struct cairn_space *space, uint32_t page)
{
    return pte_is_present(pte_of(space, page));
}

bool vm_is_dirty(const struct cairn_space *space, uint32_t page)
{
    const pte_t pte = pte_of(space, page);
    return pte_is_present(pte) && (VM->table[pte_number(pte)].flags & FRAME_DIRTY) != 0;
}

// -------------------------------------------------------------------------------------------------------------- to make it fail

// pre: all levels have as many bits, so that there is one list.
void vm_starve(uint32_t nodes)
{
    uint32_t *end = &VM->free_node[VM->node_list[0]];
    for (; nodes != 0 && *end != 0; nodes--) {
        end = table_below(VM, *end);
    }
    vm_fixture.withheld = *end;
    vm_fixture.table_size = VM->table_size;
    *end = 0;
    VM->table_size = VM->table_used + nodes * table_bytes(VM, 0);
    assert_in_range(VM->table_size, 0, vm_fixture.table_size);
}

void vm_feed(void)
{
    if (vm_fixture.table_size == 0) {
        return;
    }
    uint32_t *end = &VM->free_node[VM->node_list[0]];
    while (*end != 0) {
        end = table_below(VM, *end);
    }
    *end = vm_fixture.withheld;
    VM->table_size = vm_fixture.table_size;
    vm_fixture.table_size = 0;
}

int vm_handler(void *context, struct cairn_space *space, const struct cairn_vm_fault *fault)
{
    (void)context;
    vm_fixture.faults++;
    vm_fixture.fault = *fault;
    vm_fixture.fault_space = space;
    if (vm_fixture.act != NULL) {
        vm_fixture.act();
    }
    return vm_fixture.answer;
}

void vm_expect_fault(cairn_vaddr_t address, uint32_t access, int error)
{
    assert_int_equal(vm_fixture.faults, 1);
    assert_true(vm_fixture.fault.address == address);
    assert_int_equal(vm_fixture.fault.access, access);
    assert_int_equal(vm_fixture.fault.error, error);
    vm_fixture.faults = 0;
}
