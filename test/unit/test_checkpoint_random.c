// SPDX-License-Identifier: MIT
//
// OWNS        random lives of a space, its child and its objects, with checkpoints of both in between, power cuts in these, and restarts from them.
// PICTURE     change, change, save, change, save and cut, ... ; what is restored on another machine is what was there when it was saved, or before where it was cut
// CALLERS     ctest, on every preset: test_checkpoint_random [SEED [LIVES]]. lib/vm/checkpoint*.c, and who says which pages are saved: pageout.c, share.c, merge.c, object.c.
#include "checkpoint_fixture.h"

#include "vm/share.h"

#include <stdio.h>

#define PINS 3u

struct pinned {
    struct cairn_space *space;
    cairn_vaddr_t address;
    unsigned char *memory;
    bool writes;
};

static struct prng prng;
static struct snapshot old, new;
static struct pinned pins[PINS];
static uint32_t changes, saves, cuts, restarts, child_saves, forks, merged;
static uint32_t seen[64];
// The child's checkpoint.
static unsigned char child_slots[KEPT_SLOTS * PAGE];
static _Alignas(8) unsigned char child_memory[8192];
static struct cairn_store_ram child_ram;
static struct cairn_checkpoint child;
static uint32_t seed_now;

static uint32_t below(uint32_t limit)
{
    return prng_below(&prng, limit);
}

static cairn_vaddr_t any_page(void)
{
    return (1 + below(PAGES - 1)) * PAGE;
}

static struct cairn_space *any_space(void)
{
    return HERE->other.vm != NULL && below(3) == 0 ? &HERE->other : &HERE->space;
}

static bool has_pins(const struct cairn_space *space)
{
    for (uint32_t i = 0; i < PINS; i++) {
        if (pins[i].space != NULL && (space == NULL || pins[i].space == space)) {
            return true;
        }
    }
    return false;
}

// ------------------------------------------------------------------------------------------------------------------- changes

static void write_bytes(void)
{
    unsigned char bytes[2 * PAGE];
    const size_t size = 1 + below(below(2) == 0 ? 8 : sizeof bytes);
    const uint8_t byte = (uint8_t)(below(3) == 0 ? 0 : below(256));
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)(byte + (byte & 1) * i);
    }
    (void)!cairn_space_write(any_space(), any_page() + below(PAGE), bytes, size);
}

static void store_words(void)
{
    cairn_space_switch(&HERE->vm, any_space());
    const cairn_vaddr_t page = any_page();
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t word;
        (void)!cairn_vm_load32(&HERE->vm, page + 4 * i, &word);
        (void)!cairn_vm_store32(&HERE->vm, page + 4 * below(32), prng_next(&prng));
    }
}

static void read_some(void)
{
    struct cairn_space *const space = any_space();
    unsigned char byte;
    for (uint32_t left = below(20); left != 0; left--) {
        (void)!cairn_space_read(space, &byte, any_page(), 1);
    }
}

static void map_some(void)
{
    const uint32_t object = below(2) == 0 ? 0 : 1 + below(OBJECTS);
    const uint32_t pages = 1 + below(6);
    const uint32_t offset = object != 0 ? below(OBJECT_PAGES) : 0;
    struct cairn_map map = {.address = any_page(),
                            .size = pages * PAGE,
                            .protection = below(5) == 0 ? below(16) : RW,
                            .flags = below(2) == 0 ? CAIRN_MAP_FIXED : below(3) == 0 ? CAIRN_MAP_REPLACE : CAIRN_MAP_FIXED,
                            .object = object != 0 ? &HERE->objects[object - 1] : NULL,
                            .offset = offset * PAGE};
    if (map.address + map.size > PAGES * PAGE) {
        return;
    }
    if (object != 0 && below(2) == 0) {
        map.flags |= CAIRN_MAP_SHARED;
    } else if (object == 0 && below(8) == 0) {
        map.flags |= CAIRN_MAP_GROWS_DOWN;
        map.grow = below(4) * PAGE;
    } else if (object == 0 && below(8) == 0 && pages <= sizeof in_place / PAGE) {
        map.memory = in_place;
        map.protection = CAIRN_READ;
    }
    uint32_t count = 0;
    for (const struct cairn_mapping *mapping = HERE->space.mappings; mapping != NULL; mapping = mapping->next) {
        count++;
    }
    if (count + 6 < MAPS_MOST) {
        (void)!cairn_space_map_range(&HERE->space, &map, NULL);
    }
}

static void unmap_some(void)
{
    const cairn_vaddr_t page = any_page();
    (void)!cairn_space_unmap_range(&HERE->space, page, (1 + below(4)) * PAGE);
}

static void protect_some(void)
{
    (void)!cairn_space_protect_range(any_space(), any_page(), (1 + below(3)) * PAGE, below(2) == 0 ? RW : below(16));
}

static void advise(void)
{
    (void)!cairn_space_advise(any_space(), any_page(), (1 + below(4)) * PAGE, (enum cairn_advice)below(3));
}

static void pin(void)
{
    struct pinned *const its = &pins[below(PINS)];
    if (its->space != NULL) {
        if (its->writes) {
            its->memory[below(PAGE)] = (unsigned char)below(256);
        }
        if (below(2) == 0) {
            assert_int_equal(cairn_space_unpin(its->space, its->address), 0);
            its->space = NULL;
        }
        return;
    }
    struct cairn_space *const space = any_space();
    const cairn_vaddr_t page = any_page();
    const struct cairn_mapping *const mapping = mapping_of(space, page / PAGE);
    size_t run;
    void *memory;
    its->writes = below(2) == 0;
    if (mapping != NULL && mapping->memory == NULL && cairn_space_pin(space, page, its->writes ? CAIRN_WRITE : CAIRN_READ, &memory, &run) == 0) {
        its->space = space;
        its->address = page;
        its->memory = memory;
    }
}

static void unpin_all(void)
{
    for (uint32_t i = 0; i < PINS; i++) {
        if (pins[i].space != NULL) {
            assert_int_equal(cairn_space_unpin(pins[i].space, pins[i].address), 0);
            pins[i].space = NULL;
        }
    }
}

// What pins let be stored at any time.
static void store_through_pins(void)
{
    for (uint32_t i = 0; i < PINS; i++) {
        if (pins[i].space != NULL && pins[i].writes) {
            pins[i].memory[below(PAGE)] = (unsigned char)below(256);
        }
    }
}

static void lock_some(void)
{
    const cairn_vaddr_t page = any_page();
    if (below(2) == 0) {
        (void)!cairn_space_lock(&HERE->space, page, PAGE);
    } else {
        (void)!cairn_space_unlock(&HERE->space, page, 5 * PAGE);
    }
}

static void fork_or_end(void)
{
    if (HERE->other.vm == NULL) {
        forks += cairn_space_fork(&HERE->other, &HERE->space) == 0;
    } else if (!has_pins(&HERE->other)) {
        assert_int_equal(cairn_space_deinit(&HERE->other), 0);
    }
}

static void merge(void)
{
    memset(seen, 0, sizeof seen);
    const int freed = cairn_vm_merge(&HERE->vm, below(40), seen, 64);
    assert_true(freed >= 0);
    merged += (uint32_t)freed;
}

static void upkeep(void)
{
    struct cairn_space *const space = any_space();
    switch (below(5)) {
    case 0: (void)!cairn_vm_clean(&HERE->vm, below(9)); break;
    case 1: (void)!cairn_object_sync(&HERE->objects[below(OBJECTS)]); break;
    case 2: cairn_vm_tick(&HERE->vm); break;
    case 3: (void)!cairn_space_brk(&HERE->space, HERE->space.break_start + below(6 * PAGE)); break;
    default:
        if (cairn_space_suspend(space) == 0) {
            cairn_space_resume(space);
        }
        break;
    }
}

static void change(void)
{
    static void (*const calls[])(void) = {write_bytes, write_bytes, write_bytes, store_words, store_words, read_some,   map_some, map_some, unmap_some, protect_some,
                                          advise,      pin,         lock_some,   fork_or_end, merge,       store_words, upkeep,   upkeep,   write_bytes, read_some};
    HERE->fail_at = below(30) == 0 ? HERE->calls + 1 + below(6) : 0;
    calls[below(sizeof calls / sizeof *calls)]();
    HERE->fail_at = 0;
}

// -------------------------------------------------------------------------------------------------------------------- saves

static void save(void)
{
    struct cairn_checkpoint_stats stats;
    uint32_t pinned = 0;
    snapshot_take(HERE, &HERE->space, &new);
    assert_int_equal(kept_save(HERE, &HERE->space), 0);
    saves++;
    old = new;
    snapshot_take(HERE, &HERE->space, &new);
    assert_true(snapshot_is(&old, &new));
    if (below(3) == 0) {
        assert_true(kept_is(&old, below(3)));
    }
    if (below(8) == 0) { // nothing was stored to since
        for (uint32_t frame = 0; frame < HERE->vm.frame_count; frame++) {
            pinned += (HERE->vm.table[frame].flags & FRAME_PINNED) != 0 && HERE->vm.table[frame].pins != 0;
        }
        assert_int_equal(kept_save(HERE, &HERE->space), 0);
        cairn_checkpoint_stats(&checkpoint, &stats);
        assert_true(stats.put <= pinned);
        assert_int_equal(stats.dropped, 0);
    }
}

// A swap that fails in the midst of it.
static void save_without_swap(void)
{
    snapshot_take(HERE, &HERE->space, &new);
    HERE->fail_at = HERE->calls + 1 + below(10);
    const int error = kept_save(HERE, &HERE->space);
    HERE->fail_at = 0;
    assert_true(error == 0 || error == CAIRN_EIO);
    old = error == 0 ? new : old;
    assert_true(kept_is(&old, below(3)));
}

static void save_and_cut(void)
{
    static struct snapshot found;
    snapshot_take(HERE, &HERE->space, &new);
    kept.operations = 0;
    kept.cut_at = below(12);
    kept.how = (enum power_cut)below(CUTS);
    const int error = kept_save(HERE, &HERE->space);
    power_on(&kept);
    assert_int_equal(kept_open(), 0);
    assert_int_equal(kept_restore(THERE, 5 + below(30), below(3)), 0);
    snapshot_take(THERE, &THERE->space, &found);
    machine_end(THERE);
    const bool is_new = snapshot_is(&found, &new);
    assert_true(is_new || (error != 0 && snapshot_is(&found, &old)));
    old = is_new ? new : old;
    cuts++;
}

// All ends, and comes up again from what was kept.
static void restart(void)
{
    unpin_all();
    machine_end(HERE);
    cairn_vm_flush(&HERE->vm);
    assert_int_equal(kept_restore(HERE, 8 + below(10), below(3)), 0);
    snapshot_take(HERE, &HERE->space, &new);
    assert_true(snapshot_is(&old, &new));
    restarts++;
}

static void save_child(void)
{
    static struct snapshot found;
    struct cairn_object *list[OBJECTS];
    if (HERE->other.vm == NULL) {
        return;
    }
    const uint32_t count = machine_objects(HERE, list);
    snapshot_take(HERE, &HERE->other, &new);
    assert_int_equal(cairn_checkpoint_save(&child, &HERE->other, list, count), 0);
    machine_make(THERE, 20, 1);
    struct cairn_object *const there[OBJECTS] = {&THERE->objects[0], &THERE->objects[1], &THERE->objects[2]};
    assert_int_equal(cairn_checkpoint_restore(&child, &THERE->space, there, count), 0);
    snapshot_take(THERE, &THERE->space, &found);
    machine_end(THERE);
    assert_true(snapshot_is(&found, &new));
    child_saves++;
}

static void live(uint32_t seed, uint32_t steps)
{
    const struct cairn_image_config config = {.store = &child_ram.store, .chain = 5, .index = 120};
    prng_seed(&prng, seed);
    seed_now = seed;
    power_store_init(&kept, kept_bytes, PAGE, KEPT_SLOTS);
    kept_config = (struct cairn_image_config){.store = &kept.store, .chain = 1 + below(9), .index = 120};
    machine_make(HERE, 8 + below(12), below(3));
    HERE->vm.write_through = below(6) == 0; // before there is a page
    assert_int_equal(kept_open(), 0);
    memset(child_slots, 0, sizeof child_slots);
    assert_int_equal(cairn_store_ram_init(&child_ram, child_slots, sizeof child_slots, PAGE, KEPT_SLOTS), 0);
    assert_int_equal(cairn_checkpoint_init(&child, &config, child_memory, sizeof child_memory), 0);
    for (uint32_t i = 0; i < OBJECTS; i++) {
        machine_object(HERE, i);
    }
    assert_int_equal(cairn_space_set_break(&HERE->space, 30 * PAGE), 0);
    save();
    for (uint32_t step = 0; step < steps; step++) {
        for (uint32_t left = below(30); left != 0; left--) {
            change();
            changes++;
        }
        machine_sound(HERE);
        const uint32_t what = below(10);
        if (what < 5) {
            save();
        } else if (what < 8) {
            save_and_cut();
        } else if (what == 8) {
            save_without_swap();
        } else if (below(3) == 0) {
            restart();
        } else {
            save_child();
        }
        store_through_pins();
    }
    unpin_all();
    machine_end(HERE);
    assert_int_equal(kept.breaches, 0);
}

static uint32_t first = 1, lives;

static void random_lives_of_a_space(void **state)
{
    (void)state;
    lives = lives != 0 ? lives : fx_scale(3, FX_LONG ? 4500 : 150, FX_LONG ? 45000 : 10000);
    for (uint32_t seed = first; seed - first < lives; seed++) {
        live(seed, 20);
    }
    print_message("%u changes, %u saves, %u cut, %u restarts; %u forks, %u saves of a child, %u pages merged\n", (unsigned)changes, (unsigned)saves,
                  (unsigned)cuts, (unsigned)restarts, (unsigned)forks, (unsigned)child_saves, (unsigned)merged);
    assert_true(lives < 100 || changes > 250 * lives);
    assert_true(lives < 100 || (saves > 5 * lives && cuts > 3 * lives && restarts > lives / 4 && forks > lives && child_saves > lives / 4 && merged > lives));
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(random_lives_of_a_space)};
    first = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : first;
    lives = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    const int failed = cmocka_run_group_tests_name("checkpoint_random", tests, NULL, NULL);
    if (failed != 0) {
        printf("seed %u\n", (unsigned)seed_now);
    }
    return failed;
}
