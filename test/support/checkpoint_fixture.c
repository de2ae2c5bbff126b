// SPDX-License-Identifier: MIT
//
// OWNS        checkpoint_fixture.h says what.
#include "checkpoint_fixture.h"

#include "vm/share.h"

struct machine machines[2];
struct power_store kept;
unsigned char kept_bytes[KEPT_SLOTS * (2 * PAGE + 1)];
struct cairn_image_config kept_config;
struct cairn_checkpoint checkpoint;
const unsigned char in_place[4 * PAGE] = {1, 2, 3, [PAGE] = 4, [3 * PAGE + 5] = 9}; // the third is zeros
static _Alignas(8) unsigned char kept_memory[8192];

// ------------------------------------------------------------------------------------------------------------------- machines

static bool fails(struct machine *machine)
{
    machine->calls++;
    return machine->fail_at != 0 && (machine->fail_on ? machine->calls >= machine->fail_at : machine->calls == machine->fail_at);
}

static int swap_read(void *context, uint32_t slot, void *page)
{
    struct machine *const machine = context;
    return fails(machine) ? CAIRN_EIO : machine->swap.store.read(machine->swap.store.context, slot, page);
}

static int swap_write(void *context, uint32_t slot, const void *page)
{
    struct machine *const machine = context;
    return fails(machine) ? CAIRN_EIO : machine->swap.store.write(machine->swap.store.context, slot, page);
}

void machine_make(struct machine *machine, uint32_t frames, uint32_t kind)
{
    memset(machine, 0xA5, sizeof *machine);
    memset(machine->objects, 0, sizeof machine->objects);
    machine->calls = machine->fail_at = 0;
    machine->fail_on = false;
    assert_int_equal(cairn_store_ram_init(&machine->swap, machine->slots, sizeof machine->slots, PAGE, SWAP), 0);
    assert_int_equal(cairn_store_ram_init(&machine->file, machine->bytes, sizeof machine->bytes, PAGE, OBJECT_PAGES), 0);
    for (uint32_t i = 0; i < sizeof machine->bytes; i++) {
        machine->bytes[i] = (unsigned char)(0x40 + i / PAGE + i % 7);
    }
    machine->wrapped = machine->swap.store;
    machine->wrapped.context = machine;
    machine->wrapped.read = swap_read;
    machine->wrapped.write = swap_write;
    machine->wrapped.trim = NULL;
    machine->config = (struct cairn_vm_config){.page_shift = 7,
                                               .levels = (uint8_t)(kind == 1 ? 3 : 2),
                                               .bits = {kind == 1 ? 3 : kind == 2 ? 2 : 4, kind == 2 ? 6 : 4, 2},
                                               .tlb = (uint16_t)(kind == 2 ? 4 : 8),
                                               .frames = machine->frames,
                                               .frame_count = frames,
                                               .memory = machine->memory,
                                               .size = sizeof machine->memory,
                                               .policy = kind == 1 ? &cairn_policy_clock : kind == 2 ? &cairn_policy_wsclock : &cairn_policy_fifo,
                                               .store = &machine->wrapped};
    assert_int_equal(cairn_vm_init(&machine->vm, &machine->config), 0);
    assert_int_equal(cairn_space_init(&machine->space, &machine->vm), 0);
    memset(&machine->other, 0, sizeof machine->other);
    cairn_space_switch(&machine->vm, &machine->space);
}

void machine_sound(const struct machine *machine)
{
    uint32_t rule;
    if (cairn_vm_check(&machine->vm, &rule) != 0) {
        fail_msg("V%u is broken", (unsigned)rule);
    }
}

void machine_end(struct machine *machine)
{
    struct cairn_vm_figures figures;
    machine->fail_at = 0;
    machine_sound(machine);
    if (machine->other.vm != NULL) {
        assert_int_equal(cairn_space_deinit(&machine->other), 0);
    }
    assert_int_equal(cairn_space_deinit(&machine->space), 0);
    for (uint32_t i = 0; i < OBJECTS; i++) {
        assert_true(machine->objects[i].pages.vm == NULL || cairn_object_deinit(&machine->objects[i]) == 0);
    }
    machine_sound(machine);
    cairn_vm_figures(&machine->vm, &figures);
    assert_null(machine->vm.spaces);
    assert_int_equal(figures.frames_free, machine->vm.frame_count);
    assert_int_equal(figures.slots_used, 0);
    assert_int_equal(figures.tables, 0);
    assert_int_equal(figures.shared, 0);
    assert_true(machine->vm.committed == 0);
}

uint32_t machine_objects(struct machine *machine, struct cairn_object *list[OBJECTS])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < OBJECTS; i++) {
        if (machine->objects[i].pages.vm != NULL) {
            list[count++] = &machine->objects[i];
        }
    }
    return count;
}

void machine_object(struct machine *machine, uint32_t number)
{
    const struct cairn_object_config config = {.size = OBJECT_PAGES * PAGE, .store = number == 1 ? &machine->file.store : NULL};
    struct cairn_object *const object = &machine->objects[number];
    assert_int_equal(number == 2 ? cairn_shared_create(object, &machine->space, KEY, config.size, RW, CAIRN_READ) : cairn_object_init(object, &machine->vm, &config), 0);
}

int machine_map(struct machine *machine, uint32_t page, uint32_t pages, uint32_t protection, uint32_t flags, uint32_t object, uint32_t offset)
{
    const struct cairn_map map = {.address = page * PAGE,
                                  .size = pages * PAGE,
                                  .protection = protection,
                                  .flags = flags | CAIRN_MAP_FIXED,
                                  .object = object != 0 ? &machine->objects[object - 1] : NULL,
                                  .offset = offset * PAGE,
                                  .grow = (flags & CAIRN_MAP_GROWS_DOWN) != 0 ? 3 * PAGE : 0};
    return cairn_space_map_range(&machine->space, &map, NULL);
}

void machine_write(struct machine *machine, struct cairn_space *space, uint32_t page, uint32_t seed)
{
    unsigned char bytes[PAGE];
    struct prng prng;
    (void)machine;
    prng_seed(&prng, page * 1000 + seed);
    for (uint32_t i = 0; i < PAGE; i++) {
        bytes[i] = (unsigned char)(prng_next(&prng) >> 9);
    }
    assert_int_equal(cairn_space_write(space, page * PAGE, bytes, PAGE), 0);
}

// Mappings of all kinds, pages in all states: more than there are frames for.
void machine_furnish(struct machine *machine)
{
    const struct cairn_map text = {.address = 40 * PAGE, .size = sizeof in_place, .protection = CAIRN_READ | CAIRN_EXEC, .flags = CAIRN_MAP_FIXED, .memory = in_place};
    for (uint32_t i = 0; i < OBJECTS; i++) {
        machine_object(machine, i);
    }
    assert_int_equal(machine_map(machine, 2, 10, RW, 0, 0, 0), 0);
    assert_int_equal(machine_map(machine, 14, 6, RW, CAIRN_MAP_SHARED, 1, 1), 0);
    assert_int_equal(machine_map(machine, 22, 8, RW, 0, 2, 0), 0);
    assert_int_equal(machine_map(machine, 30, 4, CAIRN_READ, CAIRN_MAP_SHARED, 2, 4), 0);
    assert_int_equal(machine_map(machine, 34, 3, RW | CAIRN_USER, CAIRN_MAP_SHARED, 3, 0), 0);
    assert_int_equal(cairn_space_map_range(&machine->space, &text, NULL), 0);
    assert_int_equal(machine_map(machine, 46, 1, 0, 0, 0, 0), 0); // a guard
    assert_int_equal(machine_map(machine, 52, 2, RW, CAIRN_MAP_GROWS_DOWN, 0, 0), 0);
    assert_int_equal(cairn_space_set_break(&machine->space, 56 * PAGE), 0);
    assert_int_equal(cairn_space_brk(&machine->space, 57 * PAGE + 9), 0);
    machine->space.heap = 3 * PAGE;
    static const uint8_t written[] = {2, 3, 5, 6, 11, 14, 16, 23, 25, 34, 35, 36, 50, 51, 52, 56, 57};
    for (uint32_t i = 0; i < sizeof written; i++) {
        machine_write(machine, &machine->space, written[i], 1);
    }
    assert_int_equal(cairn_space_fill(&machine->space, 7 * PAGE, 0, PAGE), 0);  // zeros that were stored
    assert_int_equal(cairn_space_fill(&machine->space, 26 * PAGE, 0, PAGE), 0); // and hide what the object has
    uint32_t word;
    assert_int_equal(cairn_vm_load32(&machine->vm, 9 * PAGE, &word), 0); // zeros that were not
    assert_int_equal(cairn_space_protect_range(&machine->space, 3 * PAGE, 2 * PAGE, CAIRN_READ), 0);
    machine_sound(machine);
}

// ----------------------------------------------------------------------------------------------------------------- snapshots

// A page of its own of a space, or an object. Returns false where it has none.
static bool own_page(struct machine *machine, const struct cairn_space *space, uint64_t page, unsigned char *to)
{
    const struct cairn_vm *const vm = &machine->vm;
    const pte_t *const at = cairn_table_walk_(space, (cairn_vaddr_t)page);
    pte_t pte = at == NULL ? 0 : *at;
    const bool is_shared = pte_is_shared(pte);
    memset(to, 0, PAGE);
    if (pte == 0) {
        return false;
    }
    if (is_shared) {
        pte = table_record(vm, pte_number(pte))->pte;
    }
    if (pte_is_swapped(pte)) {
        memcpy(to, machine->slots + (size_t)pte_number(pte) * PAGE, PAGE);
    } else if (pte_is_present(pte)) {
        if (!is_shared && vm->table[pte_number(pte)].space != space) {
            return false;
        }
        memcpy(to, machine->frames + (size_t)pte_number(pte) * PAGE, PAGE);
    }
    return true;
}

static void object_page(struct machine *machine, const struct cairn_object *object, uint64_t page, unsigned char *to)
{
    if (!own_page(machine, &object->pages, page, to) && object->pages.backing != NULL) {
        memcpy(to, machine->bytes + page * PAGE, PAGE);
    }
}

void snapshot_take(struct machine *machine, const struct cairn_space *space, struct snapshot *snapshot)
{
    struct cairn_object *list[OBJECTS];
    const uint32_t count = machine_objects(machine, list);
    memset(snapshot, 0, sizeof *snapshot);
    snapshot->break_start = space->break_start;
    snapshot->break_end = space->break_end;
    snapshot->heap = space->heap;
    for (const struct cairn_mapping *mapping = space->mappings; mapping != NULL; mapping = mapping->next) {
        struct map_kept *const map = &snapshot->maps[snapshot->map_count++];
        assert_true(snapshot->map_count < MAPS_MOST);
        *map = (struct map_kept){mapping->first, mapping->pages, mapping->grow, mapping->object == NULL ? 0 : mapping->offset, mapping->protection, 0, 0};
        map->flags = mapping->flags & (CAIRN_MAP_SHARED | CAIRN_MAP_GROWS_DOWN | MAP_CHARGED | MAP_COUNTED);
        while (mapping->object != NULL && list[map->object++] != mapping->object) {
            assert_true(map->object < count);
        }
        for (uint64_t page = mapping->first; page < mapping_end(mapping); page++) {
            assert_true(page <= PAGES);
            if (mapping->memory != NULL) {
                memcpy(snapshot->pages[page], mapping->memory + (page - mapping->first) * PAGE, PAGE);
            } else if (!own_page(machine, space, page, snapshot->pages[page]) && mapping->object != NULL) {
                object_page(machine, mapping->object, page - mapping->first + mapping->offset, snapshot->pages[page]);
            }
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        snapshot->there[i] = true;
        for (uint32_t page = 0; page < OBJECT_PAGES; page++) {
            object_page(machine, list[i], page, snapshot->objects[i][page]);
        }
    }
}

bool snapshot_is(const struct snapshot *a, const struct snapshot *b)
{
    if (a->map_count != b->map_count || a->break_start != b->break_start || a->break_end != b->break_end || a->heap != b->heap) {
        return false;
    }
    for (uint32_t i = 0; i < a->map_count; i++) {
        const struct map_kept *const x = &a->maps[i];
        const struct map_kept *const y = &b->maps[i];
        if (x->first != y->first || x->pages != y->pages || x->grow != y->grow || x->offset != y->offset || x->protection != y->protection || x->flags != y->flags ||
            x->object != y->object) {
            return false;
        }
    }
    return memcmp(a->pages, b->pages, sizeof a->pages) == 0 && memcmp(a->objects, b->objects, sizeof a->objects) == 0 && memcmp(a->there, b->there, sizeof a->there) == 0;
}

// -------------------------------------------------------------------------------------------------------------- the checkpoint

int kept_open(void)
{
    memset(kept_memory, 0xA5, sizeof kept_memory);
    assert_true(cairn_checkpoint_size(&kept_config) <= sizeof kept_memory);
    return cairn_checkpoint_init(&checkpoint, &kept_config, kept_memory, cairn_checkpoint_size(&kept_config));
}

int kept_save(struct machine *machine, struct cairn_space *space)
{
    struct cairn_object *list[OBJECTS];
    const uint32_t count = machine_objects(machine, list);
    const int error = cairn_checkpoint_save(&checkpoint, space, list, count);
    machine_sound(machine);
    return error;
}

int kept_restore(struct machine *machine, uint32_t frames, uint32_t kind)
{
    struct cairn_checkpoint_info info;
    struct cairn_object *const list[OBJECTS] = {&machine->objects[0], &machine->objects[1], &machine->objects[2]};
    machine_make(machine, frames, kind);
    int error = cairn_checkpoint_read_info(&checkpoint, &info);
    if (error == 0) {
        error = cairn_checkpoint_restore(&checkpoint, &machine->space, list, info.objects > OBJECTS ? 0 : info.objects);
    }
    machine_sound(machine);
    return error;
}

bool kept_is(const struct snapshot *snapshot, uint32_t kind)
{
    static struct snapshot found;
    assert_int_equal(kept_restore(THERE, 6 + 7 * kind, kind), 0);
    snapshot_take(THERE, &THERE->space, &found);
    machine_end(THERE);
    return snapshot_is(snapshot, &found);
}

int checkpoint_setup(void **state)
{
    (void)state;
    power_store_init(&kept, kept_bytes, PAGE, KEPT_SLOTS);
    kept_config = (struct cairn_image_config){.store = &kept.store, .chain = 4, .index = 120};
    machine_make(HERE, FRAMES, 0);
    assert_int_equal(kept_open(), 0);
    return 0;
}

int checkpoint_teardown(void **state)
{
    (void)state;
    machine_end(HERE);
    assert_int_equal(kept.breaches, 0);
    return 0;
}
