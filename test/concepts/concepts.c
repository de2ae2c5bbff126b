// SPDX-License-Identifier: MIT
//
// OWNS        concepts.h says what.
#include "concepts.h"

struct machine machine;
static _Alignas(PAGE) unsigned char frames[FRAMES_MOST * PAGE];
static _Alignas(8) unsigned char memory[8192];
static unsigned char slots[SLOTS * PAGE];

static int swap_read(void *context, uint32_t slot, void *page)
{
    (void)context;
    machine.swap_reads++;
    memcpy(page, slots + slot * PAGE, PAGE);
    return 0;
}

static int swap_write(void *context, uint32_t slot, const void *page)
{
    (void)context;
    machine.swap_writes++;
    memcpy(slots + slot * PAGE, page, PAGE);
    return 0;
}

static int file_read(void *context, uint32_t slot, void *page)
{
    (void)context;
    machine.file_reads++;
    memcpy(page, machine.words[slot], PAGE);
    return 0;
}

static int file_write(void *context, uint32_t slot, const void *page)
{
    (void)context;
    machine.file_writes++;
    memcpy(machine.words[slot], page, PAGE);
    return 0;
}

static int file_sync(void *context)
{
    (void)context;
    machine.file_syncs++;
    return 0;
}

struct cairn_vm_config machine_config(uint32_t count)
{
    return (struct cairn_vm_config){.page_shift = 7,
                                    .levels = 2,
                                    .bits = {4, 4},
                                    .tlb = 8,
                                    .frames = frames,
                                    .frame_count = count,
                                    .memory = memory,
                                    .size = sizeof memory,
                                    .store = &machine.swap};
}

void start(const struct cairn_vm_config *config)
{
    memset(frames, 0xA5, sizeof frames);
    memset(&machine, 0, sizeof machine);
    machine.swap = (struct cairn_port_store){.read = swap_read, .write = swap_write, .page = PAGE, .slots = SLOTS};
    machine.file = (struct cairn_port_store){.read = file_read, .write = file_write, .sync = file_sync, .page = PAGE, .slots = FILE_PAGES};
    for (uint32_t page = 0; page < FILE_PAGES; page++) {
        machine.words[page][0] = FILE_WORD(page);
    }
    assert_int_equal(cairn_vm_init(VM, config), 0);
    assert_int_equal(cairn_space_init(ONE, VM), 0);
    assert_int_equal(cairn_space_init(TWO, VM), 0);
    cairn_space_switch(VM, ONE);
}

void start_with(uint32_t count)
{
    const struct cairn_vm_config config = machine_config(count);
    start(&config);
}

void finish(void)
{
    uint32_t rule;
    assert_int_equal(cairn_vm_check(VM, &rule), 0);
    assert_int_equal(cairn_space_deinit(ONE), 0);
    assert_int_equal(cairn_space_deinit(TWO), 0);
    if (OBJECT->pages.vm != NULL) {
        assert_int_equal(cairn_object_deinit(OBJECT), 0);
    }
    assert_int_equal(figures().slots_used, 0);
}

void map(struct cairn_space *space, uint32_t page, uint32_t pages, uint32_t protection)
{
    const struct cairn_map its = {.address = AT(page), .size = AT(pages), .protection = protection, .flags = CAIRN_MAP_FIXED};
    assert_int_equal(cairn_space_map_range(space, &its, NULL), 0);
}

void open_file(void)
{
    const struct cairn_object_config config = {.size = AT(FILE_PAGES), .store = &machine.file};
    assert_int_equal(cairn_object_init(OBJECT, VM, &config), 0);
}

void map_file(struct cairn_space *space, uint32_t page, uint32_t pages, uint32_t flags)
{
    const struct cairn_map its = {.address = AT(page), .size = AT(pages), .protection = RW, .flags = flags | CAIRN_MAP_FIXED, .object = OBJECT};
    assert_int_equal(cairn_space_map_range(space, &its, NULL), 0);
}

void put(cairn_vaddr_t address, uint32_t word)
{
    assert_int_equal(cairn_vm_store32(VM, address, word), 0);
}

uint32_t get(cairn_vaddr_t address)
{
    uint32_t word = 0xABADCAFE;
    assert_int_equal(cairn_vm_load32(VM, address, &word), 0);
    return word;
}

const void *place_of(struct cairn_space *space, cairn_vaddr_t address)
{
    void *place;
    size_t run;
    assert_int_equal(cairn_space_pin(space, address, CAIRN_READ, &place, &run), 0);
    assert_int_equal(cairn_space_unpin(space, address), 0);
    return place;
}

struct cairn_vm_figures figures(void)
{
    struct cairn_vm_figures now;
    cairn_vm_figures(VM, &now);
    return now;
}

struct cairn_space_figures figures_of(const struct cairn_space *space)
{
    struct cairn_space_figures now;
    cairn_space_figures(space, &now);
    return now;
}

int load_answers(cairn_vaddr_t address)
{
    uint32_t word;
    return cairn_vm_load32(VM, address, &word);
}

int store_answers(cairn_vaddr_t address)
{
    return cairn_vm_store32(VM, address, 1);
}
