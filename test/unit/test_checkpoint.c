// SPDX-License-Identifier: MIT
//
// OWNS        what cairn_checkpoint_save and restore promise, situation by situation.
// CALLERS     ctest, on every preset: lib/vm/checkpoint_save.c, checkpoint_pages.c, checkpoint_meta.c, checkpoint_restore.c.
#include "checkpoint_fixture.h"

#include "cairn/space_heap.h"

#include "vm/share.h"

static struct snapshot then, now;

static struct cairn_checkpoint_stats last; // of the last save

static int keep(struct machine *machine, struct cairn_space *space)
{
    const int error = kept_save(machine, space);
    cairn_checkpoint_stats(&checkpoint, &last);
    return error;
}

static void take(void)
{
    snapshot_take(HERE, &HERE->space, &now);
}

// A save that leaves the space as it is, and from which it can be made again, on other machines.
static void save(void)
{
    snapshot_take(HERE, &HERE->space, &then);
    assert_int_equal(keep(HERE, &HERE->space), 0);
    take();
    assert_true(snapshot_is(&then, &now));
    for (uint32_t kind = fx_scale(2, 0, 0); kind < 3; kind++) {
        assert_true(kept_is(&then, kind));
    }
    assert_int_equal(kept_open(), 0);
    assert_true(kept_is(&then, 1));
}

static void checkpoint_of_every_kind_of_mapping_and_page(void **state)
{
    (void)state;
    machine_furnish(HERE);
    save();
    struct cairn_checkpoint_info info;
    assert_int_equal(cairn_checkpoint_read_info(&checkpoint, &info), 0);
    assert_int_equal(info.generation, 1);
    assert_int_equal(info.objects, 3);
    assert_int_equal(info.mappings, then.map_count);
}

static void expect_bytes(struct cairn_space *space, cairn_vaddr_t address, uint8_t byte, uint32_t size)
{
    for (uint32_t at = 0; at < size; at++) {
        uint8_t found;
        assert_int_equal(cairn_space_read(space, &found, address + at, 1), 0);
        assert_int_equal(found, byte);
    }
}

static void checkpoint_of_a_heap_which_goes_on_elsewhere(void **state)
{
    enum { SMALL = 6, LARGE = 2, LARGE_BYTES = 9 * PAGE };
    const struct cairn_space_heap_config config = {.max = 24 * PAGE, .threshold = 8 * PAGE, .step = 4 * PAGE};
    struct cairn_space_heap_stats before, after;
    cairn_vaddr_t small[SMALL], large[LARGE], more = 0;
    (void)state;
    assert_int_equal(cairn_space_set_break(&HERE->space, 4 * PAGE), 0);
    assert_int_equal(cairn_space_heap_init(&HERE->space, &config), 0);
    for (uint32_t i = 0; i < SMALL; i++) {
        assert_int_equal(cairn_space_malloc(&HERE->space, 20 + 30 * i, &small[i]), 0);
        assert_int_equal(cairn_space_fill(&HERE->space, small[i], (uint8_t)(i + 1), 20 + 30 * i), 0);
    }
    for (uint32_t i = 0; i < LARGE; i++) { // neighbours, which stay two
        assert_int_equal(cairn_space_malloc(&HERE->space, LARGE_BYTES, &large[i]), 0);
        assert_int_equal(cairn_space_fill(&HERE->space, large[i], (uint8_t)(0xA0 + i), LARGE_BYTES), 0);
    }
    assert_int_equal(cairn_space_free(&HERE->space, small[2]), 0);
    assert_int_equal(cairn_space_heap_stats(&HERE->space, &before), 0);
    assert_int_equal(before.mapped_blocks, LARGE);
    assert_int_equal(keep(HERE, &HERE->space), 0);
    for (uint32_t kind = fx_scale(2, 0, 0); kind < 3; kind++) {
        struct cairn_space *const space = &THERE->space;
        assert_int_equal(kept_restore(THERE, 30, kind), 0);
        assert_int_equal(cairn_space_heap_stats(space, &after), 0);
        assert_true(after.size == before.size && after.used == before.used && after.peak == before.peak && after.mapped == before.mapped);
        assert_true(after.used_blocks == before.used_blocks && after.free_blocks == before.free_blocks && after.mapped_blocks == before.mapped_blocks);
        assert_int_equal(cairn_space_free(space, small[2]), CAIRN_EINVAL);
        assert_int_equal(cairn_space_free(space, large[0] + PAGE), CAIRN_EINVAL);
        assert_int_equal(cairn_space_free(space, large[1]), 0);
        expect_bytes(space, large[0], 0xA0, LARGE_BYTES);
        assert_int_equal(cairn_space_free(space, large[1]), CAIRN_EINVAL);
        assert_int_equal(cairn_space_malloc(space, 70, &more), 0);
        assert_int_equal(cairn_space_fill(space, more, 0x77, 70), 0);
        for (uint32_t i = 0; i < SMALL; i++) {
            if (i != 2) {
                cairn_vaddr_t moved = small[i];
                expect_bytes(space, small[i], (uint8_t)(i + 1), 20 + 30 * i);
                assert_int_equal(cairn_space_realloc(space, &moved, 200), 0);
                expect_bytes(space, moved, (uint8_t)(i + 1), 20 + 30 * i);
                assert_int_equal(cairn_space_free(space, moved), 0);
            }
        }
        assert_int_equal(cairn_space_free(space, more), 0);
        assert_int_equal(cairn_space_free(space, large[0]), 0);
        assert_int_equal(cairn_space_heap_stats(space, &after), 0);
        assert_true(after.used == 0 && after.mapped == 0 && after.used_blocks == 0);
        machine_sound(THERE);
        machine_end(THERE);
    }
}

static void checkpoint_of_an_empty_space(void **state)
{
    (void)state;
    assert_int_equal(kept_restore(THERE, 4, 0), CAIRN_ENOENT);
    machine_end(THERE);
    save();
    assert_int_equal(then.map_count, 0);
}

static void a_second_one_writes_nothing_where_nothing_was_stored(void **state)
{
    (void)state;
    machine_furnish(HERE);
    save();
    for (uint32_t i = 0; i < 3; i++) {
        save();
        assert_int_equal(last.put, 0);
        assert_int_equal(last.dropped, 0);
    }
    assert_true(last.written <= 2);
}

// Each page that is stored to is written once, whatever became of it meanwhile.
static void a_second_one_writes_what_was_stored_to(void **state)
{
    (void)state;
    machine_furnish(HERE);
    save();
    for (uint32_t round = 0; round < 6; round++) {
        machine_write(HERE, &HERE->space, 2, 2 + round);  // had been stored to
        machine_write(HERE, &HERE->space, 8, 2 + round);  // had not
        machine_write(HERE, &HERE->space, 15, 2 + round); // an object's
        machine_write(HERE, &HERE->space, 28, 2 + round); // a copy of an object's
        for (uint32_t page = 2; round % 2 != 0 && page < 46; page++) { // it leaves
            uint32_t word;
            (void)!cairn_space_read(&HERE->space, &word, page * PAGE, 4);
        }
        save();
        assert_int_equal(last.put, 4);
        assert_int_equal(last.dropped, 0);
    }
}

static void pages_that_are_forgotten_are_dropped(void **state)
{
    (void)state;
    machine_furnish(HERE);
    save();
    assert_int_equal(cairn_space_advise(&HERE->space, 5 * PAGE, 3 * PAGE, CAIRN_ADVISE_FREE), 0); // three that were stored to
    save();
    assert_int_equal(last.dropped, 3);
    assert_int_equal(last.put, 0);
    assert_int_equal(cairn_space_unmap_range(&HERE->space, 2 * PAGE, 2 * PAGE), 0);
    save();
    assert_int_equal(last.dropped, 2);
    assert_in_range(last.put, 1, 5); // of the directory: there is a mapping less
    assert_int_equal(machine_map(HERE, 2, 2, RW, 0, 0, 0), 0);
    save();
    assert_int_equal(cairn_space_unmap_range(&HERE->space, 1 * PAGE, 60 * PAGE), 0);
    save();
}

// Many that are not neighbours: more than there is room to note.
static void many_holes_at_once(void **state)
{
    (void)state;
    assert_int_equal(machine_map(HERE, 1, 62, RW, 0, 0, 0), 0);
    for (uint32_t page = 1; page < 63; page++) {
        machine_write(HERE, &HERE->space, page, 1);
    }
    save();
    for (uint32_t page = 1; page < 63; page += 2) {
        assert_int_equal(cairn_space_advise(&HERE->space, page * PAGE, PAGE, CAIRN_ADVISE_FREE), 0);
    }
    machine_write(HERE, &HERE->space, 44, 2);
    save();
    assert_int_equal(last.dropped, 31);
    assert_int_equal(last.put, 1);
}

static void a_page_that_is_pinned_for_writing_is_written_each_time(void **state)
{
    (void)state;
    void *memory;
    size_t run;
    machine_furnish(HERE);
    assert_int_equal(cairn_space_pin(&HERE->space, 5 * PAGE, CAIRN_WRITE, &memory, &run), 0);
    save();
    memset(memory, 0x77, PAGE);
    save();
    assert_int_equal(last.put, 1);
    memset(memory, 0x78, PAGE);
    assert_int_equal(cairn_space_unpin(&HERE->space, 5 * PAGE), 0);
    save();
    assert_int_equal(last.put, 1);
    save();
    assert_int_equal(last.put, 0);
    assert_int_equal(cairn_space_pin(&HERE->space, 5 * PAGE, CAIRN_READ, &memory, &run), 0);
    save();
    assert_int_equal(last.put, 0);
    assert_int_equal(cairn_space_unpin(&HERE->space, 5 * PAGE), 0);
}

static void pages_that_are_locked_are_written_when_stored_to(void **state)
{
    (void)state;
    machine_furnish(HERE);
    assert_int_equal(cairn_space_lock(&HERE->space, 5 * PAGE, 2 * PAGE), 0);
    save();
    save();
    assert_int_equal(last.put, 0);
    assert_int_equal(cairn_vm_store32(&HERE->vm, 5 * PAGE, 1), 0);
    save();
    assert_int_equal(last.put, 1);
    assert_int_equal(cairn_vm_store32(&HERE->vm, 5 * PAGE, 2), 0); // by the TLB, if that let it
    save();
    assert_int_equal(last.put, 1);
}

// A store that hits in the TLB right behind a save.
static void a_store_after_a_checkpoint_is_noticed(void **state)
{
    (void)state;
    assert_int_equal(machine_map(HERE, 2, 2, RW, 0, 0, 0), 0);
    for (uint32_t i = 1; i < 5; i++) {
        assert_int_equal(cairn_vm_store32(&HERE->vm, 2 * PAGE, i), 0);
        assert_int_equal(cairn_vm_store32(&HERE->vm, 2 * PAGE + 4, i), 0);
        save();
        assert_int_equal(last.put, 1 + (uint32_t)(i == 1));
    }
}

// What was not stored to since, but is not in its slot, is written when it leaves.
static void what_is_in_the_checkpoint_alone_does_not_get_lost(void **state)
{
    (void)state;
    assert_int_equal(machine_map(HERE, 2, 30, RW, 0, 0, 0), 0);
    for (uint32_t page = 2; page < 8; page++) {
        machine_write(HERE, &HERE->space, page, 1);
    }
    save();
    assert_int_equal(cairn_space_suspend(&HERE->space), 0);
    take();
    assert_true(snapshot_is(&then, &now));
    cairn_space_resume(&HERE->space);
    for (uint32_t page = 8; page < 32; page++) {
        machine_write(HERE, &HERE->space, page, 1);
    }
    for (uint32_t page = 2; page < 8; page++) {
        unsigned char bytes[PAGE];
        assert_int_equal(cairn_space_read(&HERE->space, bytes, page * PAGE, PAGE), 0);
        assert_memory_equal(bytes, then.pages[page], PAGE);
    }
    save();
    assert_int_equal(last.put, 24);
    assert_true(cairn_vm_clean(&HERE->vm, 100) > 0);
    assert_int_equal(cairn_vm_clean(&HERE->vm, 100), 0);
    save();
    assert_int_equal(last.put, 0);
}

static void a_restored_space_goes_on_where_it_was(void **state)
{
    (void)state;
    struct cairn_object *list[OBJECTS];
    machine_furnish(HERE);
    save();
    assert_int_equal(kept_restore(THERE, 9, 2), 0);
    assert_int_equal(machine_objects(THERE, list), 3);
    assert_int_equal(THERE->objects[2].key, KEY);
    assert_ptr_equal(THERE->objects[2].owner, &THERE->space);
    machine_write(THERE, &THERE->space, 15, 5);
    machine_write(THERE, &THERE->space, 2, 5);
    machine_write(THERE, &THERE->space, 49, 5); // the stack grows
    assert_int_equal(cairn_space_brk(&THERE->space, 59 * PAGE), 0);
    assert_int_equal(cairn_space_write(&THERE->space, 3 * PAGE, list, 4), CAIRN_EACCES);
    assert_int_equal(cairn_space_write(&THERE->space, 46 * PAGE, list, 4), CAIRN_EACCES);
    uint32_t word;
    assert_int_equal(cairn_space_read(&THERE->space, &word, 40 * PAGE, 4), 0);
    assert_memory_equal(&word, in_place, 4);
    snapshot_take(THERE, &THERE->space, &then);
    assert_int_equal(keep(THERE, &THERE->space), 0);
    assert_true(last.put <= 3 + 4); // and of the directory
    machine_end(THERE);
    assert_true(kept_is(&then, 0));
    machine_end(HERE); // and back, in place of what was there
    assert_int_equal(kept_restore(HERE, FRAMES, 0), 0);
    take();
    assert_true(snapshot_is(&then, &now));
    save();
    assert_int_equal(last.put, 0);
}

// What a child shares is the parent's, and is kept as that.
static void checkpoints_of_parent_and_child(void **state)
{
    (void)state;
    assert_int_equal(machine_map(HERE, 2, 8, RW, 0, 0, 0), 0);
    for (uint32_t page = 2; page < 8; page++) {
        machine_write(HERE, &HERE->space, page, 1);
    }
    save();
    assert_int_equal(cairn_space_fork(&HERE->other, &HERE->space), 0);
    save();
    assert_int_equal(last.put, 0);
    machine_write(HERE, &HERE->other, 3, 7);
    machine_write(HERE, &HERE->space, 4, 8);
    save();
    assert_int_equal(last.put, 1);
    snapshot_take(HERE, &HERE->other, &then);
    assert_int_equal(keep(HERE, &HERE->other), 0); // the child in place of the parent: all of it
    assert_int_equal(last.put, 6 + 1);
    assert_true(kept_is(&then, 0));
    machine_write(HERE, &HERE->other, 5, 9);
    snapshot_take(HERE, &HERE->other, &then);
    assert_int_equal(keep(HERE, &HERE->other), 0);
    assert_int_equal(last.put, 1);
    assert_true(kept_is(&then, 0));
    assert_int_equal(cairn_space_deinit(&HERE->space), 0); // its pages are the child's alone
    assert_int_equal(cairn_space_init(&HERE->space, &HERE->vm), 0);
    machine_write(HERE, &HERE->other, 6, 9);
    snapshot_take(HERE, &HERE->other, &then);
    assert_int_equal(keep(HERE, &HERE->other), 0);
    assert_int_equal(last.put, 1);
    assert_true(kept_is(&then, 0));
}

// What was kept as a child's while it was common becomes its own, and is not written again.
static void pages_that_a_child_takes_over_are_as_they_were(void **state)
{
    (void)state;
    void *memory;
    size_t run;
    uint32_t slots = 0;
    assert_int_equal(machine_map(HERE, 2, 30, RW, 0, 0, 0), 0);
    for (uint32_t page = 2; page < 10; page++) {
        machine_write(HERE, &HERE->space, page, 1);
    }
    assert_int_equal(cairn_space_fork(&HERE->other, &HERE->space), 0);
    assert_int_equal(keep(HERE, &HERE->other), 0);
    assert_int_equal(last.put, 8 + 1);
    for (uint32_t page = 10; page < 18; page++) {
        machine_write(HERE, &HERE->space, page, 1); // some leave
    }
    assert_int_equal(cairn_space_deinit(&HERE->space), 0);
    assert_int_equal(cairn_space_init(&HERE->space, &HERE->vm), 0);
    for (uint32_t page = 2; page < 10; page++) {
        slots += pte_is_swapped(table_record(&HERE->vm, pte_number(*cairn_table_walk_(&HERE->other, page)))->pte);
        assert_int_equal(cairn_space_pin(&HERE->other, page * PAGE, CAIRN_READ, &memory, &run), 0);
        assert_int_equal(cairn_space_unpin(&HERE->other, page * PAGE), 0);
    }
    assert_in_range(slots, 1, 7);
    assert_int_equal(keep(HERE, &HERE->other), 0);
    assert_int_equal(last.put, 0);
}

// leaves: the page that another one is merged with has been in its slot.
static void merge_pages(bool leaves)
{
    static uint32_t seen[16];
    assert_int_equal(machine_map(HERE, 2, 8, RW, 0, 0, 0), 0);
    for (uint32_t page = 2; page < 8; page++) {
        assert_int_equal(cairn_space_fill(&HERE->space, page * PAGE, (uint8_t)page, PAGE), 0);
    }
    save();
    if (leaves) {
        uint32_t word;
        assert_int_equal(cairn_space_suspend(&HERE->space), 0);
        cairn_space_resume(&HERE->space);
        assert_int_equal(cairn_space_read(&HERE->space, &word, 2 * PAGE, 4), 0);
    }
    assert_int_equal(cairn_space_fill(&HERE->space, 3 * PAGE, 2, PAGE), 0); // as page 2
    assert_int_equal(cairn_space_fill(&HERE->space, 4 * PAGE, 0, PAGE), 0);
    memset(seen, 0, sizeof seen);
    assert_int_equal(cairn_vm_merge(&HERE->vm, FRAMES, seen, 16), 2);
    save();
    assert_int_equal(last.put, 1);
    assert_int_equal(last.dropped, 1);
    save();
    assert_int_equal(last.put, 0);
    machine_write(HERE, &HERE->space, 2, 1);
    save();
    assert_int_equal(last.put, 1);
    machine_write(HERE, &HERE->space, 3, 1); // it has it alone now
    save();
    assert_int_equal(last.put, 1);
}

static void pages_that_are_merged_are_what_they_were(void **state)
{
    (void)state;
    merge_pages(false);
    assert_int_equal(cairn_space_unmap_range(&HERE->space, PAGE, 60 * PAGE), 0);
    merge_pages(true);
}

// A file that was written back since is compared, not written again.
static void what_a_file_holds_is_compared(void **state)
{
    (void)state;
    machine_furnish(HERE);
    save();
    assert_int_equal(machine_map(HERE, 60, 2, RW, CAIRN_MAP_SHARED, 2, 2), 0);
    machine_write(HERE, &HERE->space, 60, 1);
    assert_int_equal(cairn_object_sync(&HERE->objects[1]), 0);
    save();
    assert_in_range(last.put, 2, 4); // the page, the directory
    machine_write(HERE, &HERE->space, 61, 1);
    save();
    assert_int_equal(last.put, 1);
    assert_int_equal(cairn_object_sync(&HERE->objects[1]), 0);
    save();
    assert_int_equal(last.put, 0);
    machine_end(HERE); // into a file with other contents
    machine_make(HERE, FRAMES, 0);
    machine_object(HERE, 1);
    struct cairn_object *const list[OBJECTS] = {&HERE->objects[0], &HERE->objects[1], &HERE->objects[2]};
    memset(HERE->bytes, 0xEE, sizeof HERE->bytes);
    assert_int_equal(cairn_checkpoint_restore(&checkpoint, &HERE->space, list, 3), 0);
    take();
    assert_true(snapshot_is(&then, &now));
    save();
    assert_int_equal(last.put, 0);
    assert_int_equal(cairn_object_sync(&HERE->objects[1]), 0);
    assert_memory_equal(HERE->bytes, then.objects[1], sizeof HERE->bytes);
    save();
    assert_int_equal(last.put, 0);
}

static int refuse_write(void *context, uint32_t slot, const void *page)
{
    (void)context;
    (void)slot;
    (void)page;
    return CAIRN_EACCES;
}

// A program in ROM, say, which is there too: with fewer frames than it has pages.
static void a_file_that_is_the_same_there_is_not_written(void **state)
{
    (void)state;
    machine_object(HERE, 1);
    assert_int_equal(machine_map(HERE, 14, OBJECT_PAGES, RW, 0, 2, 0), 0);
    machine_write(HERE, &HERE->space, 15, 1);
    save();
    machine_make(THERE, 4, 0);
    THERE->file.store.write = refuse_write;
    machine_object(THERE, 1);
    struct cairn_object *const list[] = {&THERE->objects[1]};
    assert_int_equal(cairn_checkpoint_restore(&checkpoint, &THERE->space, list, 1), 0);
    for (uint32_t page = 2 * OBJECT_PAGES; page-- != 0;) {
        unsigned char bytes[PAGE];
        const uint32_t number = page % OBJECT_PAGES;
        assert_int_equal(cairn_space_read(&THERE->space, bytes, (14 + number) * PAGE, PAGE), 0);
        assert_memory_equal(bytes, then.pages[14 + number], PAGE);
    }
    assert_int_equal(keep(THERE, &THERE->space), 0);
    assert_int_equal(last.put, 0);
    machine_end(THERE);
}

// One that cannot be written is to hold what was kept.
static void a_file_that_is_only_read_must_be_the_same_there(void **state)
{
    (void)state;
    machine_object(HERE, 1);
    assert_int_equal(machine_map(HERE, 14, OBJECT_PAGES, CAIRN_READ, 0, 2, 0), 0);
    save();
    machine_make(THERE, 4, 0);
    THERE->file.store.write = NULL;
    machine_object(THERE, 1);
    struct cairn_object *const list[] = {&THERE->objects[1]};
    assert_int_equal(cairn_checkpoint_restore(&checkpoint, &THERE->space, list, 1), 0);
    assert_int_equal(cairn_space_unmap_range(&THERE->space, 14 * PAGE, OBJECT_PAGES * PAGE), 0);
    machine_end(THERE);
    machine_make(THERE, 4, 0);
    THERE->bytes[PAGE] ^= 1;
    THERE->file.store.write = NULL;
    machine_object(THERE, 1);
    assert_int_equal(cairn_checkpoint_restore(&checkpoint, &THERE->space, list, 1), CAIRN_EACCES);
    assert_null(THERE->space.mappings);
    machine_end(THERE);
}

// Objects that are mapped elsewhere, whose pages are in frames, slots and a file.
static void objects_that_were_there_get_the_contents(void **state)
{
    (void)state;
    void *memory;
    size_t run;
    machine_furnish(HERE);
    save();
    machine_end(HERE);
    machine_make(HERE, FRAMES, 0);
    machine_object(HERE, 0);
    machine_object(HERE, 1);
    struct cairn_space *const other = &HERE->other;
    struct cairn_object *const list[OBJECTS] = {&HERE->objects[0], &HERE->objects[1], &HERE->objects[2]};
    assert_int_equal(cairn_space_init(other, &HERE->vm), 0);
    for (uint32_t i = 0; i < 3; i++) { // the memory, the file, the file privately
        const struct cairn_map map = {.address = (2 + 10 * i) * PAGE,
                                      .size = OBJECT_PAGES * PAGE,
                                      .protection = RW,
                                      .flags = CAIRN_MAP_FIXED | (i < 2 ? CAIRN_MAP_SHARED : 0),
                                      .object = list[i != 0]};
        assert_int_equal(cairn_space_map_range(other, &map, NULL), 0);
    }
    for (uint32_t page = 2; page < 24; page++) {
        if ((page - 2) % 10 < OBJECT_PAGES) {
            machine_write(HERE, other, page, 3);
        }
    }
    assert_true(HERE->objects[0].pages.figures.swapped > 0 && HERE->objects[1].pages.figures.resident > 0);
    assert_int_equal(cairn_space_pin(other, 5 * PAGE, CAIRN_READ, &memory, &run), 0);
    assert_int_equal(cairn_checkpoint_restore(&checkpoint, &HERE->space, list, OBJECTS), CAIRN_EBUSY);
    assert_int_equal(cairn_space_unpin(other, 5 * PAGE), 0);
    assert_int_equal(cairn_checkpoint_restore(&checkpoint, &HERE->space, list, OBJECTS), 0);
    machine_sound(HERE);
    take();
    assert_true(snapshot_is(&then, &now));
    unsigned char bytes[PAGE];
    for (uint32_t page = 0; page < 2 * OBJECT_PAGES; page++) {
        assert_int_equal(cairn_space_read(other, bytes, (2 + page / OBJECT_PAGES * 10 + page % OBJECT_PAGES) * PAGE, PAGE), 0);
        assert_memory_equal(bytes, then.objects[page / OBJECT_PAGES][page % OBJECT_PAGES], PAGE);
    }
    uint32_t same = 0;
    assert_int_equal(cairn_space_read(other, bytes, 22 * PAGE, PAGE), 0); // its own copy stays
    for (uint32_t i = 0; i < PAGE; i++) {
        same += bytes[i] == then.objects[1][0][i];
    }
    assert_true(same < PAGE / 4);
    save();
    assert_int_equal(last.put, 0);
}

static void an_object_as_large_as_a_space_comes_back(void **state)
{
    (void)state;
    const cairn_vaddr_t pages = (HERE->vm.limit >> HERE->vm.page_shift) + 1; // one more than a mapping can show
    const struct cairn_object_config config = {.size = pages * PAGE};
    struct cairn_object *const here[] = {&HERE->objects[0]};
    struct cairn_object *const there[] = {&THERE->objects[0]};
    assert_int_equal(cairn_object_init(here[0], &HERE->vm, &config), 0);
    assert_int_equal(machine_map(HERE, 2, 1, RW, CAIRN_MAP_SHARED, 1, (uint32_t)pages - 1), 0);
    assert_int_equal(cairn_space_fill(&HERE->space, 2 * PAGE, 7, PAGE), 0);
    assert_int_equal(cairn_checkpoint_save(&checkpoint, &HERE->space, here, 1), 0);
    machine_make(THERE, 4, 0);
    assert_int_equal(cairn_checkpoint_restore(&checkpoint, &THERE->space, there, 1), 0);
    machine_sound(THERE);
    assert_true(there[0]->count == pages);
    expect_bytes(&THERE->space, 2 * PAGE, 7, PAGE);
    machine_end(THERE);
}

// Shared memory that was removed, and is still mapped: it ends with its last mapping there too; but where none is kept with it, it stays.
static void an_object_that_was_removed_ends_with_its_last_mapping(void **state)
{
    (void)state;
    struct cairn_object *const there[] = {&THERE->objects[2]};
    for (uint32_t mapped = 0; mapped < 2; mapped++) {
        machine_object(HERE, 2);
        assert_int_equal(machine_map(HERE, 34, 3, RW, CAIRN_MAP_SHARED, 3, 0), 0);
        assert_int_equal(cairn_space_fork(&HERE->other, &HERE->space), 0);
        assert_int_equal(cairn_shared_remove(&HERE->vm, KEY), 0);
        if (mapped == 0) {
            assert_int_equal(cairn_space_unmap_range(&HERE->space, 34 * PAGE, 3 * PAGE), 0);
        }
        save();
        assert_int_equal(cairn_space_deinit(&HERE->other), 0);
        assert_int_equal(cairn_space_unmap_range(&HERE->space, PAGE, 60 * PAGE), 0);
        machine_make(THERE, 9, 0);
        assert_int_equal(cairn_checkpoint_restore(&checkpoint, &THERE->space, there, 1), 0);
        if (mapped == 0) {
            assert_int_equal(machine_map(THERE, 34, 3, RW, CAIRN_MAP_SHARED, 3, 0), 0);
        }
        assert_int_equal(cairn_space_unmap_range(&THERE->space, PAGE, 60 * PAGE), 0);
        assert_int_equal(THERE->objects[2].pages.vm == NULL, mapped != 0);
        machine_end(THERE);
    }
}

static void another_checkpoint_in_between_makes_it_whole_again(void **state)
{
    (void)state;
    machine_furnish(HERE);
    save();
    struct cairn_object *list[OBJECTS];
    const uint32_t count = machine_objects(HERE, list);
    struct cairn_object *const turned[OBJECTS] = {list[2], list[0], list[1]};
    assert_int_equal(cairn_checkpoint_save(&checkpoint, &HERE->space, turned, count), 0); // objects in another order
    cairn_checkpoint_stats(&checkpoint, &last);
    assert_in_range(last.put, 10, 60);
    assert_int_equal(cairn_checkpoint_save(&checkpoint, &HERE->space, turned, count), 0);
    cairn_checkpoint_stats(&checkpoint, &last);
    assert_int_equal(last.put, 0);
    save();
    power_store_init(&kept, kept_bytes, PAGE, KEPT_SLOTS); // another store
    assert_int_equal(kept_open(), 0);
    save();
    save();
    assert_int_equal(last.put, 0);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    struct cairn_object *list[OBJECTS];
    static _Alignas(8) unsigned char memory[8192];
    struct cairn_checkpoint other;
    machine_furnish(HERE);
    const uint32_t count = machine_objects(HERE, list);
    assert_int_equal(cairn_checkpoint_save(NULL, &HERE->space, list, count), CAIRN_EINVAL);
    struct cairn_checkpoint_info info;
    assert_int_equal(cairn_checkpoint_read_info(NULL, &info), CAIRN_EINVAL);
    assert_int_equal(cairn_checkpoint_read_info(&checkpoint, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_checkpoint_save(&checkpoint, NULL, list, count), CAIRN_EINVAL);
    assert_int_equal(cairn_checkpoint_save(&checkpoint, &HERE->other, list, count), CAIRN_EINVAL);
    assert_int_equal(cairn_checkpoint_save(&checkpoint, &HERE->space, NULL, count), CAIRN_EINVAL);
    assert_int_equal(cairn_checkpoint_save(&checkpoint, &HERE->space, list, 2), CAIRN_EINVAL); // a mapping shows the third
    assert_int_equal(cairn_checkpoint_save(&checkpoint, &list[0]->pages, list, count), CAIRN_EINVAL);
    struct cairn_object *const twice[] = {list[0], list[1], list[2], list[1]};
    assert_int_equal(cairn_checkpoint_save(&checkpoint, &HERE->space, twice, 4), CAIRN_EINVAL);
    assert_int_equal(cairn_checkpoint_save(&checkpoint, &HERE->space, list, 126), CAIRN_EINVAL);
    save();
    assert_int_equal(cairn_checkpoint_restore(&checkpoint, &HERE->space, list, count), CAIRN_EBUSY);
    machine_make(THERE, 9, 0);
    struct cairn_object *const there[OBJECTS] = {&THERE->objects[0], &THERE->objects[1], &THERE->objects[2]};
    assert_int_equal(cairn_checkpoint_restore(&checkpoint, &THERE->space, there, 2), CAIRN_EINVAL);
    assert_int_equal(cairn_checkpoint_restore(&checkpoint, &THERE->space, list, 3), CAIRN_EINVAL); // of another vm
    const struct cairn_object_config small = {.size = PAGE};
    assert_int_equal(cairn_object_init(&THERE->objects[0], &THERE->vm, &small), 0);
    assert_int_equal(cairn_checkpoint_restore(&checkpoint, &THERE->space, there, 3), CAIRN_EINVAL);
    assert_int_equal(cairn_object_deinit(&THERE->objects[0]), 0);
    struct cairn_object taken;
    memset(&taken, 0, sizeof taken);
    assert_int_equal(cairn_shared_create(&taken, &THERE->space, KEY, PAGE, RW, RW), 0);
    assert_int_equal(cairn_checkpoint_restore(&checkpoint, &THERE->space, there, 3), CAIRN_EBUSY);
    assert_int_equal(cairn_object_deinit(&taken), 0);
    const struct cairn_object_config read_only = {.size = OBJECT_PAGES * PAGE, .read_only = true};
    assert_int_equal(cairn_object_init(&THERE->objects[0], &THERE->vm, &read_only), 0);
    assert_int_equal(cairn_checkpoint_restore(&checkpoint, &THERE->space, there, 3), CAIRN_EACCES);
    assert_null(THERE->objects[1].pages.vm);
    machine_sound(THERE);
    machine_end(THERE);
    struct cairn_image_config config = kept_config;
    assert_int_equal(cairn_checkpoint_init(&other, &config, memory, cairn_checkpoint_size(&config) - 1), CAIRN_ENOMEM);
    assert_int_equal(cairn_checkpoint_init(&other, &config, memory + 4, sizeof memory - 4), CAIRN_EINVAL);
    assert_int_equal(cairn_checkpoint_init(NULL, &config, memory, sizeof memory), CAIRN_EINVAL);
    assert_int_equal(cairn_checkpoint_init(&other, &config, NULL, sizeof memory), CAIRN_EINVAL);
    config.slots = 4;
    assert_int_equal(cairn_checkpoint_size(&config), 0);
    assert_int_equal(cairn_checkpoint_size(NULL), 0);
}

// What an object that is there allows depends on who asks.
static void a_restore_gives_no_rights_to_others(void **state)
{
    (void)state;
    struct cairn_object shared;
    struct cairn_object *const list[] = {&shared};
    cairn_vaddr_t address = 20 * PAGE;
    memset(&shared, 0, sizeof shared);
    assert_int_equal(cairn_shared_create(&shared, &HERE->space, KEY, PAGE, RW, CAIRN_READ), 0);
    assert_int_equal(cairn_shared_attach(&HERE->space, KEY, RW, &address), 0);
    assert_int_equal(cairn_checkpoint_save(&checkpoint, &HERE->space, list, 1), 0);
    assert_int_equal(cairn_space_init(&HERE->other, &HERE->vm), 0);
    assert_int_equal(cairn_checkpoint_restore(&checkpoint, &HERE->other, list, 1), CAIRN_EACCES);
    assert_null(HERE->other.mappings);
    assert_int_equal(cairn_space_deinit(&HERE->other), 0);
    assert_int_equal(cairn_shared_detach(&HERE->space, address), 0);
    assert_int_equal(cairn_checkpoint_restore(&checkpoint, &HERE->space, list, 1), 0);
    assert_int_equal(cairn_shared_detach(&HERE->space, address), 0);
    assert_int_equal(cairn_object_deinit(&shared), 0);
}

// Pages of another size than the vm's.
static void another_page_size_is_refused(void **state)
{
    (void)state;
    static _Alignas(8) unsigned char memory[8192];
    static unsigned char slots[16 * 256];
    struct cairn_store_ram ram;
    struct cairn_checkpoint other;
    assert_int_equal(cairn_store_ram_init(&ram, slots, sizeof slots, 256, 16), 0);
    const struct cairn_image_config config = {.store = &ram.store, .index = 6};
    assert_int_equal(cairn_checkpoint_init(&other, &config, memory, sizeof memory), 0);
    assert_int_equal(cairn_checkpoint_save(&other, &HERE->space, NULL, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_checkpoint_restore(&other, &HERE->space, NULL, 0), CAIRN_EINVAL);
}

// Too little of something at the other end: the space is empty, nothing is left.
static void a_restore_that_fails_leaves_nothing(void **state)
{
    (void)state;
    machine_furnish(HERE);
    save();
    struct cairn_object *const there[OBJECTS] = {&THERE->objects[0], &THERE->objects[1], &THERE->objects[2]};
    uint32_t failed = 0;
    for (uint32_t run = 2;; run += fx_scale(7, 1, 1)) { // the swap fails, once or from then on
        const uint32_t at = run / 2;
        machine_make(THERE, 5, 0);
        THERE->fail_at = at;
        THERE->fail_on = run % 2 != 0;
        const int error = cairn_checkpoint_restore(&checkpoint, &THERE->space, there, 3);
        const bool is_end = THERE->calls < at;
        THERE->fail_at = 0;
        if (error == 0) { // another page left in its place; or it did not come to that
            snapshot_take(THERE, &THERE->space, &now);
            assert_true(snapshot_is(&then, &now));
        } else {
            failed++;
            assert_null(THERE->space.mappings);
            assert_null(THERE->objects[0].pages.vm);
        }
        machine_end(THERE);
        if (is_end) {
            break;
        }
    }
    assert_true(failed > fx_scale(1, 5, 5));
    for (uint32_t size = 700;; size += fx_scale(48, 8, 8)) { // memory for tables
        machine_make(THERE, 40, 1);
        const size_t fixed = cairn_vm_size(&THERE->config, 0);
        assert_int_equal(cairn_space_deinit(&THERE->space), 0);
        THERE->config.size = fixed + size;
        assert_int_equal(cairn_vm_init(&THERE->vm, &THERE->config), 0);
        if (cairn_space_init(&THERE->space, &THERE->vm) != 0) {
            continue;
        }
        const int error = cairn_checkpoint_restore(&checkpoint, &THERE->space, there, 3);
        assert_true(error == 0 || error == CAIRN_ENOMEM);
        machine_end(THERE);
        if (error == 0) {
            assert_true(size > 900);
            break;
        }
    }
    machine_make(THERE, 40, 1); // promised too much
    assert_int_equal(cairn_vm_commit(&THERE->vm, CAIRN_COMMIT_STRICT, 20 * PAGE), 0);
    assert_int_equal(cairn_checkpoint_restore(&checkpoint, &THERE->space, there, 3), CAIRN_ENOMEM);
    machine_end(THERE);
}

// A save that fails, wherever it does, is as if there had been none.
static void a_save_that_fails_changes_nothing(void **state)
{
    (void)state;
    machine_furnish(HERE);
    save();
    for (uint32_t at = 0;; at += fx_scale(3, 1, 1)) {
        machine_write(HERE, &HERE->space, 2, 100 + at);
        machine_write(HERE, &HERE->space, 35, 100 + at);
        power_on(&kept);
        kept.fail_at = at;
        const int error = keep(HERE, &HERE->space);
        if (error == 0) {
            break;
        }
        assert_int_equal(error, POWER_ERROR);
        power_on(&kept);
        take(); // and that one is what the next save writes
        assert_int_equal(keep(HERE, &HERE->space), 0);
        assert_true(kept_is(&now, at % 3));
    }
    power_on(&kept);
    for (uint32_t at = 1;; at += fx_scale(4, 1, 1)) { // a page does not come from the swap
        save();
        for (uint32_t page = 2; page < 59; page++) {
            const struct cairn_mapping *const mapping = mapping_of(&HERE->space, page);
            if (mapping != NULL && (mapping->protection & CAIRN_WRITE) != 0) {
                machine_write(HERE, &HERE->space, page, at);
            }
        }
        HERE->calls = 0;
        HERE->fail_at = at;
        const int error = keep(HERE, &HERE->space);
        HERE->fail_at = 0;
        assert_true(kept_is(&then, 0) == (error != 0));
        if (error == 0) {
            assert_true(at > 5);
            break;
        }
        assert_int_equal(error, CAIRN_EIO);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CHECKPOINT_UNIT(checkpoint_of_every_kind_of_mapping_and_page),
        CHECKPOINT_UNIT(checkpoint_of_a_heap_which_goes_on_elsewhere),
        CHECKPOINT_UNIT(checkpoint_of_an_empty_space),
        CHECKPOINT_UNIT(a_second_one_writes_nothing_where_nothing_was_stored),
        CHECKPOINT_UNIT(a_second_one_writes_what_was_stored_to),
        CHECKPOINT_UNIT(pages_that_are_forgotten_are_dropped),
        CHECKPOINT_UNIT(many_holes_at_once),
        CHECKPOINT_UNIT(a_page_that_is_pinned_for_writing_is_written_each_time),
        CHECKPOINT_UNIT(pages_that_are_locked_are_written_when_stored_to),
        CHECKPOINT_UNIT(a_store_after_a_checkpoint_is_noticed),
        CHECKPOINT_UNIT(what_is_in_the_checkpoint_alone_does_not_get_lost),
        CHECKPOINT_UNIT(a_restored_space_goes_on_where_it_was),
        CHECKPOINT_UNIT(checkpoints_of_parent_and_child),
        CHECKPOINT_UNIT(pages_that_a_child_takes_over_are_as_they_were),
        CHECKPOINT_UNIT(pages_that_are_merged_are_what_they_were),
        CHECKPOINT_UNIT(what_a_file_holds_is_compared),
        CHECKPOINT_UNIT(a_file_that_is_the_same_there_is_not_written),
        CHECKPOINT_UNIT(a_file_that_is_only_read_must_be_the_same_there),
        CHECKPOINT_UNIT(objects_that_were_there_get_the_contents),
        CHECKPOINT_UNIT(an_object_as_large_as_a_space_comes_back),
        CHECKPOINT_UNIT(an_object_that_was_removed_ends_with_its_last_mapping),
        CHECKPOINT_UNIT(another_checkpoint_in_between_makes_it_whole_again),
        CHECKPOINT_UNIT(bad_arguments_are_refused),
        CHECKPOINT_UNIT(a_restore_gives_no_rights_to_others),
        CHECKPOINT_UNIT(another_page_size_is_refused),
        CHECKPOINT_UNIT(a_restore_that_fails_leaves_nothing),
        CHECKPOINT_UNIT(a_save_that_fails_changes_nothing),
    };
    return cmocka_run_group_tests_name("checkpoint", tests, NULL, NULL);
}
