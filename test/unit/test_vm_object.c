// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/object.c promises: objects with a store and without, written back and ended.
// CALLERS     ctest, on every preset.
#include "vm_objects.h"

#define R CAIRN_READ
#define SHARED CAIRN_MAP_SHARED

static uint32_t on_file(uint32_t page, uint32_t word)
{
    return vm_file[page * PAGE / 4 + word];
}

static void prepare_push(void)
{
    assert_int_equal(vm_map(SPACE, 200, 2 * FRAMES, RW, 0), 0);
}

// Have every frame hold something else.
static void push_out(void)
{
    vm_write_pages(SPACE, 200, 2 * FRAMES, 5);
    vm_expect_pages(SPACE, 200, 2 * FRAMES, 5);
    vm_sound();
}

// ------------------------------------------------------------------------------------------------------------ with a store

static void mmap_of_a_file_is_filled_lazily(void **state)
{
    (void)state;
    vm_object_of_file(FILE_PAGES);
    assert_int_equal(vm_show(SPACE, 10, FILE_PAGES, RW, 0, OBJECT, 0), 0);
    assert_int_equal(vm_show(SPACE, 40, FILE_PAGES, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_objects.reads, 0);
    assert_int_equal(vm_figures().frames_free, FRAMES);
    assert_int_equal(vm_get(vm_page(13) + 8), FILE_WORD(3, 2));
    assert_int_equal(vm_get(vm_page(13) + 12), FILE_WORD(3, 3));
    assert_int_equal(vm_get(vm_page(43) + 16), FILE_WORD(3, 4)); // the same frame
    assert_int_equal(vm_objects.reads, 1);
    assert_int_equal(vm_figures().frames_free, FRAMES - 1);
    assert_int_equal(vm_space_figures(SPACE).major, 1);
    assert_int_equal(vm_space_figures(SPACE).minor, 1);
    assert_int_equal(vm_space_figures(SPACE).shared, 2);
    assert_int_equal(vm_space_figures(SPACE).resident, 0);
    assert_int_equal(vm_space_figures(&OBJECT->pages).resident, 1);
    vm_sound();
}

static void all_of_a_file_is_read_through_few_frames(void **state)
{
    (void)state;
    vm_object_of_file(FILE_PAGES);
    assert_int_equal(vm_show(SPACE, 10, FILE_PAGES, R, SHARED, OBJECT, 0), 0);
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t page = 0; page < FILE_PAGES; page++) {
            assert_int_equal(vm_get(vm_page(10 + page) + PAGE - 4), FILE_WORD(page, PAGE / 4 - 1));
            vm_sound();
        }
    }
    assert_int_equal(vm_objects.writes, 0); // clean
    assert_int_equal(vm_fixture.writes, 0);
    assert_int_equal(vm_objects.reads, 2 * FILE_PAGES);
}

// ASIDs were used up as often as that can be counted: no space is taken for an object, or the other way round.
static void an_object_is_one_however_often_asids_ran_out(void **state)
{
    struct cairn_space more;
    (void)state;
    vm_object_of_file(2);
    assert_int_equal(vm_show(SPACE, 10, 2, RW, SHARED, OBJECT, 0), 0);
    VM->generation = SPACE->generation = OTHER->generation = UINT32_MAX - 1;
    for (uint32_t asid = 0; asid < PAGE / 8; asid++) {
        assert_int_equal(cairn_space_init(&more, VM), 0);
        assert_int_equal(cairn_space_deinit(&more), 0);
    }
    assert_int_not_equal(VM->generation, UINT32_MAX - 1);
    vm_put(vm_page(10), 1);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(10)), 0);
    vm_sound();
    assert_int_equal(on_file(0, 0), 1);
    assert_int_equal(vm_get(vm_page(10)), 1);
}

static void a_mapping_shows_what_its_offset_says(void **state)
{
    (void)state;
    vm_object_of_file(6);
    assert_int_equal(vm_show(SPACE, 10, 2, RW, SHARED, OBJECT, 4), 0);
    assert_int_equal(vm_get(vm_page(10)), FILE_WORD(4, 0));
    assert_int_equal(vm_get(vm_page(11)), FILE_WORD(5, 0));
    vm_put(vm_page(11), 1);
    assert_int_equal(cairn_space_sync(SPACE, vm_page(10), 2 * PAGE), 0);
    assert_int_equal(on_file(5, 0), 1);
}

static void an_object_begins_at_its_slot(void **state)
{
    const struct cairn_object_config config = {.size = 3 * PAGE, .store = &vm_objects.file, .slot = 5};
    (void)state;
    assert_int_equal(cairn_object_init(OBJECT, VM, &config), 0);
    assert_int_equal(vm_show(SPACE, 10, 3, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_get(vm_page(12)), FILE_WORD(7, 0));
    vm_put(vm_page(10), 9);
    assert_int_equal(cairn_object_sync(OBJECT), 0);
    assert_int_equal(on_file(5, 0), 9);
}

static void a_mapping_beyond_the_object_is_refused(void **state)
{
    (void)state;
    vm_object_of_file(6);
    REFUSES(CAIRN_EINVAL, vm_show(SPACE, 10, 7, R, 0, OBJECT, 0));
    REFUSES(CAIRN_EINVAL, vm_show(SPACE, 10, 1, R, 0, OBJECT, 6));
    REFUSES(CAIRN_EINVAL, vm_show(SPACE, 10, 2, R, SHARED, OBJECT, 5));
    REFUSES(CAIRN_EINVAL, vm_show(SPACE, 10, 2, R, SHARED, OBJECT, (uint32_t)0 - 1));
    assert_int_equal(vm_show(SPACE, 10, 1, R, 0, OBJECT, 5), 0);
    const struct cairn_map grows = {.size = PAGE, .protection = R, .flags = CAIRN_MAP_GROWS_DOWN, .object = OBJECT};
    REFUSES(CAIRN_EINVAL, cairn_space_map_range(SPACE, &grows, NULL));
    const struct cairn_map within = {.size = PAGE, .protection = R, .object = OBJECT, .offset = 4};
    REFUSES(CAIRN_EINVAL, cairn_space_map_range(SPACE, &within, NULL));
    REFUSES(CAIRN_EINVAL, vm_show(SPACE, 30, 1, R, 0, SECOND, 0)); // there is none
}

static void objects_that_cannot_be_are_refused(void **state)
{
    struct cairn_port_store other = vm_objects.file;
    (void)state;
    other.page = 2 * PAGE;
    const struct cairn_object_config bad[] = {
        {.size = 0},
        {.size = PAGE + 4},
        {.size = 257 * PAGE},
        {.size = 9 * PAGE, .store = &vm_objects.file},
        {.size = PAGE, .store = &vm_objects.file, .slot = 8},
        {.size = PAGE, .store = &vm_objects.file, .slot = UINT32_MAX},
        {.size = PAGE, .store = &other},
    };
    vm_object_of_zeros(1); // so that there is a pool
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        REFUSES(CAIRN_EINVAL, cairn_object_init(OBJECT, VM, &bad[i]));
    }
    const struct cairn_object_config good = {.size = 4 * PAGE};
    REFUSES(CAIRN_EINVAL, cairn_object_init(NULL, VM, &good));
    REFUSES(CAIRN_EINVAL, cairn_object_init(OBJECT, NULL, &good));
    REFUSES(CAIRN_EINVAL, cairn_object_init(OBJECT, VM, NULL));
    REFUSES(CAIRN_EINVAL, cairn_object_sync(OBJECT));
    REFUSES(CAIRN_EINVAL, cairn_object_deinit(OBJECT));
    REFUSES(CAIRN_EINVAL, cairn_object_deinit(NULL));
    vm_starve(0);
    REFUSES(CAIRN_ENOMEM, cairn_object_init(OBJECT, VM, &good));
    vm_feed();
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_STRICT, 4 * PAGE), 0);
    REFUSES(CAIRN_ENOMEM, cairn_object_init(OBJECT, VM, &good)); // SECOND has one of them
    assert_null(OBJECT->pages.vm);
}

// ---------------------------------------------------------------------------------------------------- shared, private, coherent

static void shared_object(void **state)
{
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_show(OTHER, 31, 3, RW, SHARED, OBJECT, 1), 0);
    vm_put(vm_page(11), 1);
    assert_int_equal(vm_look(OTHER, vm_page(31)), 1);
    cairn_space_switch(VM, OTHER);
    assert_int_equal(vm_get(vm_page(31)), 1); // in the TLB
    cairn_space_switch(VM, SPACE);
    vm_put(vm_page(11), 2);
    cairn_space_switch(VM, OTHER);
    assert_int_equal(vm_get(vm_page(31)), 2);
    vm_put(vm_page(31), 3);
    vm_put(vm_page(33) + 4, 4);
    assert_int_equal(vm_look(SPACE, vm_page(11)), 3);
    assert_int_equal(vm_look(SPACE, vm_page(13) + 4), 4);
    assert_int_equal(vm_objects.writes, 0);
    assert_int_equal(vm_space_figures(SPACE).copies, 0);
    vm_sound();
}

static void pages_that_leave_are_found_again_by_all(void **state)
{
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_show(OTHER, 10, 4, R, SHARED, OBJECT, 0), 0);
    prepare_push();
    for (uint32_t round = 1; round < 5; round++) {
        vm_put(vm_page(10 + round % 4), round);
        assert_int_equal(vm_look(OTHER, vm_page(10 + round % 4)), round);
        push_out();
        assert_int_equal(vm_space_figures(SPACE).shared + vm_space_figures(OTHER).shared, 0);
        assert_int_equal(on_file(round % 4, 0), round);
        assert_int_equal(vm_look(OTHER, vm_page(10 + round % 4)), round);
        assert_int_equal(vm_get(vm_page(10 + round % 4)), round);
    }
    assert_int_equal(vm_objects.writes, 4); // once each, none into the vm's store
    assert_int_equal(vm_space_figures(&OBJECT->pages).swapped, 0);
}

static void private_mappings_see_the_object_until_they_write(void **state)
{
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_show(OTHER, 10, 4, RW, 0, OBJECT, 0), 0);
    assert_int_equal(vm_look(OTHER, vm_page(10)), FILE_WORD(0, 0));
    vm_put(vm_page(10), 1);
    assert_int_equal(vm_look(OTHER, vm_page(10)), 1);
    vm_set(OTHER, vm_page(10) + 4, 2);
    vm_put(vm_page(10), 3);
    assert_int_equal(vm_look(OTHER, vm_page(10)), 1);
    assert_int_equal(vm_look(OTHER, vm_page(10) + 4), 2);
    assert_int_equal(vm_look(SPACE, vm_page(10) + 4), FILE_WORD(0, 1));
    vm_sound();
}

static void nothing_written_privately_reaches_the_store(void **state)
{
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, 0, OBJECT, 0), 0);
    prepare_push();
    for (uint32_t page = 0; page < 4; page++) {
        vm_put(vm_page(10 + page), page);
    }
    push_out();
    assert_int_equal(cairn_space_sync(SPACE, vm_page(10), 4 * PAGE), 0);
    assert_int_equal(vm_objects.syncs, 0);
    assert_int_equal(cairn_object_sync(OBJECT), 0);
    for (uint32_t page = 0; page < 4; page++) {
        assert_int_equal(vm_get(vm_page(10 + page)), page);
        assert_int_equal(vm_get(vm_page(10 + page) + 4), FILE_WORD(page, 1));
        assert_int_equal(on_file(page, 0), FILE_WORD(page, 0));
    }
    assert_int_equal(vm_objects.writes, 0);
    assert_int_equal(vm_space_figures(SPACE).copies, 4);
}

static void a_read_only_object_is_written_privately_only(void **state)
{
    const struct cairn_object_config config = {.size = 4 * PAGE, .store = &vm_objects.file, .read_only = true};
    (void)state;
    assert_int_equal(cairn_object_init(OBJECT, VM, &config), 0);
    REFUSES(CAIRN_EACCES, vm_show(SPACE, 10, 4, RW, SHARED, OBJECT, 0));
    assert_int_equal(vm_show(SPACE, 10, 4, R, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_show(SPACE, 20, 4, R | CAIRN_EXEC, 0, OBJECT, 0), 0);
    REFUSES(CAIRN_EACCES, vm_protect(SPACE, 11, 2, RW));
    assert_int_equal(vm_protect(SPACE, 20, 4, RW), 0);
    vm_put(vm_page(20), 1);
    assert_int_equal(vm_get(vm_page(10)), FILE_WORD(0, 0));
    assert_int_equal(vm_get(vm_page(20)), 1);
}

static void an_object_of_a_store_that_is_only_read_is_read_only(void **state)
{
    struct cairn_port_store rom = vm_objects.file;
    const struct cairn_object_config config = {.size = 4 * PAGE, .store = &rom};
    (void)state;
    rom.write = NULL;
    assert_int_equal(cairn_object_init(OBJECT, VM, &config), 0);
    REFUSES(CAIRN_EACCES, vm_show(SPACE, 10, 4, RW, SHARED, OBJECT, 0));
    assert_int_equal(vm_show(SPACE, 10, 4, R, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_show(SPACE, 20, 4, RW, 0, OBJECT, 0), 0);
    for (uint32_t page = 4; page-- != 0;) {
        vm_put(vm_page(20 + page), page);
        assert_int_equal(vm_get(vm_page(10 + page)), FILE_WORD(page, 0));
    }
    assert_int_equal(vm_unmap(SPACE, 10, 14), 0);
    assert_int_equal(cairn_object_deinit(OBJECT), 0);
}

// ----------------------------------------------------------------------------------------------------------------- written back

static void msync_makes_it_safe(void **state)
{
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, SHARED, OBJECT, 0), 0);
    vm_put(vm_page(10), 1);
    vm_put(vm_page(12), 3);
    assert_int_equal(on_file(0, 0), FILE_WORD(0, 0));
    assert_int_equal(cairn_space_sync(SPACE, vm_page(10), 2 * PAGE), 0);
    assert_int_equal(on_file(0, 0), 1);
    assert_int_equal(on_file(2, 0), FILE_WORD(2, 0)); // not asked for
    assert_int_equal(vm_objects.writes, 1);
    assert_int_equal(vm_objects.syncs, 1);
    vm_put(vm_page(10), 2); // dirty once more
    vm_sound();
    assert_int_equal(cairn_object_sync(OBJECT), 0);
    assert_int_equal(on_file(0, 0), 2);
    assert_int_equal(on_file(2, 0), 3);
    assert_int_equal(vm_objects.writes, 3);
    assert_int_equal(cairn_object_sync(OBJECT), 0);
    assert_int_equal(vm_objects.writes, 3); // all clean
}

static void sync_of_parts_of_several_mappings(void **state)
{
    (void)state;
    vm_object_of_file(4);
    vm_object_of_zeros(2);
    assert_int_equal(vm_show(SPACE, 10, 2, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_show(SPACE, 12, 2, RW, SHARED, SECOND, 0), 0);
    assert_int_equal(vm_show(SPACE, 14, 2, RW, SHARED, OBJECT, 2), 0);
    vm_put(vm_page(11), 1);
    vm_put(vm_page(12), 2);
    vm_put(vm_page(14), 3);
    assert_int_equal(cairn_space_sync(SPACE, vm_page(11), 4 * PAGE), 0);
    assert_int_equal(on_file(1, 0), 1);
    assert_int_equal(on_file(2, 0), 3);
    assert_int_equal(vm_objects.syncs, 2);
    REFUSES(CAIRN_EFAULT, cairn_space_sync(SPACE, vm_page(15), 2 * PAGE));
    REFUSES(CAIRN_EINVAL, cairn_space_sync(SPACE, vm_page(15) + 4, PAGE));
}

static void the_end_of_an_object_writes_it_back(void **state)
{
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, SHARED, OBJECT, 0), 0);
    vm_put(vm_page(13), 1);
    assert_int_equal(vm_unmap(SPACE, 10, 4), 0);
    vm_sound();
    assert_int_equal(vm_figures().frames_free, FRAMES - 1); // it stays in its frame, mapped or not
    assert_int_equal(cairn_object_deinit(OBJECT), 0);
    vm_sound();
    assert_int_equal(on_file(3, 0), 1);
    assert_int_equal(vm_objects.syncs, 1);
    assert_int_equal(vm_figures().frames_free, FRAMES);
    assert_null(OBJECT->pages.vm);
}

static void an_object_that_is_mapped_does_not_end(void **state)
{
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_show(OTHER, 10, 1, R, 0, OBJECT, 0), 0);
    vm_put(vm_page(10), 1);
    assert_int_equal(cairn_object_deinit(OBJECT), CAIRN_EBUSY);
    assert_int_equal(vm_unmap(SPACE, 1, 255), 0);
    assert_int_equal(cairn_object_deinit(OBJECT), CAIRN_EBUSY);
    assert_int_equal(vm_look(OTHER, vm_page(10)), 1);
    assert_int_equal(cairn_space_deinit(OTHER), 0); // unmaps
    assert_int_equal(cairn_object_deinit(OBJECT), 0);
    vm_sound();
}

// What a pin lets somebody store is not seen by the vm, which must take it for stored.
static void what_is_stored_through_a_pin_behind_a_sync_is_not_lost(void **state)
{
    void *memory;
    size_t run;
    const uint32_t late = 0x1A7E;
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(10), RW, &memory, &run), 0);
    assert_int_equal(cairn_object_sync(OBJECT), 0);
    memcpy(memory, &late, sizeof late);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(10)), 0);
    prepare_push();
    push_out();
    assert_int_equal(on_file(0, 0), late);
    assert_int_equal(vm_get(vm_page(10)), late);
}

static void a_pin_is_let_go_through_the_space_that_has_it(void **state)
{
    void *memory;
    size_t run;
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_show(OTHER, 10, 4, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(10), RW, &memory, &run), 0);
    assert_int_equal(vm_look(OTHER, vm_page(10)), FILE_WORD(0, 0));
    REFUSES(CAIRN_EINVAL, cairn_space_unpin(OTHER, vm_page(10)));
    REFUSES(CAIRN_EBUSY, vm_unmap(SPACE, 10, 1));
    REFUSES(CAIRN_EBUSY, vm_unmap(SPACE, 9, 5));
    assert_int_equal(vm_unmap(OTHER, 10, 4), 0);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(10)), CAIRN_EBUSY);
    *(uint32_t *)memory = 5;
    assert_int_equal(vm_get(vm_page(10)), 5);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(10)), 0);
    REFUSES(CAIRN_EINVAL, cairn_space_unpin(SPACE, vm_page(10)));
}

// Another space's pin of the same page, and its own of another page, are not what it may let go of.
static void a_pin_is_of_a_space_and_a_page(void **state)
{
    void *memory;
    size_t run;
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_show(OTHER, 20, 4, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_get(vm_page(11)), FILE_WORD(1, 0)); // it shows the page, too
    assert_int_equal(cairn_space_pin(SPACE, vm_page(10), R, &memory, &run), 0);
    assert_int_equal(cairn_space_pin(OTHER, vm_page(21), R, &memory, &run), 0);
    REFUSES(CAIRN_EINVAL, cairn_space_unpin(SPACE, vm_page(11)));
    for (uint32_t pins = 1; pins < 7; pins++) {
        assert_int_equal(cairn_space_pin(OTHER, vm_page(21), R, &memory, &run), 0);
    }
    assert_int_equal(cairn_space_pin(OTHER, vm_page(21), R, &memory, &run), CAIRN_EOVERFLOW);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(11), R, &memory, &run), 0);
    vm_put(vm_page(11), 5); // once more the long way, as its first store: the count stays
    for (uint32_t pins = 0; pins < 7; pins++) {
        assert_int_equal(cairn_space_unpin(OTHER, vm_page(21)), 0);
    }
    REFUSES(CAIRN_EINVAL, cairn_space_unpin(OTHER, vm_page(21)));
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(11)), 0);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(10)), 0);
    vm_sound();
}

// What vm.h does with the caller's mappings it does not with those of object.h: an object's rights are looked at there, and its pins.
static void a_mapping_of_a_range_is_none_of_the_callers(void **state)
{
    void *memory;
    size_t run;
    (void)state;
    const struct cairn_object_config config = {.size = 4 * PAGE, .store = &vm_objects.file, .read_only = true};
    assert_int_equal(cairn_object_init(OBJECT, VM, &config), 0);
    assert_int_equal(vm_show(SPACE, 10, 2, R, SHARED, OBJECT, 0), 0);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(10), R, &memory, &run), 0);
    REFUSES(CAIRN_ENOENT, cairn_space_protect(SPACE, SPACE->mappings, RW));
    REFUSES(CAIRN_ENOENT, cairn_space_unmap(SPACE, SPACE->mappings));
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(10)), 0);
}

// Whose page a pin is on is not known of a part of a mapping.
static void a_mapping_with_pins_is_not_split_but_merged(void **state)
{
    struct cairn_space child;
    void *memory;
    size_t run;
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 2, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_show(SPACE, 12, 2, R, SHARED, OBJECT, 2), 0);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(10), R, &memory, &run), 0);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(12), R, &memory, &run), 0);
    REFUSES(CAIRN_EBUSY, vm_protect(SPACE, 10, 1, R));
    REFUSES(CAIRN_EBUSY, vm_protect(SPACE, 11, 1, R));
    assert_int_equal(vm_protect(SPACE, 12, 2, RW), 0);
    EXPECT_MAPS(SPACE, 10, 4, RW);
    assert_int_equal(cairn_space_fork(&child, SPACE), 0);
    vm_sound();
    assert_int_equal(vm_look(&child, vm_page(10)), FILE_WORD(0, 0));
    assert_int_equal(cairn_space_unpin(&child, vm_page(10)), CAIRN_EINVAL);
    assert_int_equal(cairn_space_deinit(&child), 0);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(10)), 0);
    REFUSES(CAIRN_EBUSY, vm_unmap(SPACE, 10, 1));
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(12)), 0);
    assert_int_equal(vm_unmap(SPACE, 10, 1), 0);
}

static void an_answer_that_is_no_error_of_ours_is_one_of_a_transfer(void **state)
{
    uint32_t word;
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, SHARED, OBJECT, 0), 0);
    vm_objects.error = 7;
    vm_file_fail(1);
    assert_int_equal(cairn_vm_load32(VM, vm_page(10), &word), CAIRN_EIO);
    vm_put(vm_page(10), 1);
    vm_file_fail(1);
    assert_int_equal(cairn_object_sync(OBJECT), CAIRN_EIO);
    vm_file_fail(2);
    assert_int_equal(cairn_space_sync(SPACE, vm_page(10), PAGE), CAIRN_EIO);
    vm_sound();
}

static void write_through_writes_an_objects_page_at_each_store(void **state)
{
    (void)state;
    assert_int_equal(cairn_space_deinit(OTHER), 0);
    assert_int_equal(vm_end(), 0);
    vm_fixture.config.write_through = true;
    vm_make();
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, SHARED, OBJECT, 0), 0);
    vm_put(vm_page(11), 1);
    assert_int_equal(on_file(1, 0), 1);
    vm_put(vm_page(11) + 4, 2);
    assert_int_equal(on_file(1, 1), 2);
    assert_int_equal(vm_objects.writes, 2);
}

// ------------------------------------------------------------------------------------------------------------ the store fails

static void a_read_that_fails_is_told_and_tried_again(void **state)
{
    uint32_t word = 0;
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_show(SPACE, 20, 4, RW, 0, OBJECT, 0), 0);
    for (uint32_t page = 10; page < 30; page += 10) {
        vm_file_fail(1);
        assert_int_equal(cairn_vm_load32(VM, vm_page(page + 1), &word), CAIRN_ECORRUPT);
        vm_sound();
        vm_file_fail(1);
        assert_int_equal(cairn_vm_store32(VM, vm_page(page + 1), 4), CAIRN_ECORRUPT);
        vm_sound();
        assert_int_equal(vm_figures().frames_free, FRAMES);
        assert_int_equal(vm_figures().tables, 3);
    }
    assert_int_equal(vm_get(vm_page(11)), FILE_WORD(1, 0));
}

static void an_object_that_lives_is_not_made_again(void **state)
{
    (void)state;
    const struct cairn_object_config config = {.size = PAGE};
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, SHARED, OBJECT, 0), 0);
    vm_put(vm_page(10), 5);
    REFUSES(CAIRN_EBUSY, cairn_object_init(OBJECT, VM, &config));
    vm_sound();
    assert_int_equal(vm_get(vm_page(10)), 5);
}

static void a_page_that_cannot_be_written_stays(void **state)
{
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, SHARED, OBJECT, 0), 0);
    for (uint32_t page = 0; page < 4; page++) {
        vm_put(vm_page(10 + page), page); // every frame is dirty
    }
    prepare_push();
    vm_objects.fail_for = 1 + 4; // the victim, then each
    vm_file_fail(1);
    assert_int_equal(cairn_vm_store32(VM, vm_page(200), 1), CAIRN_EIO);
    vm_sound();
    vm_objects.fail_for = 0;
    vm_file_fail(1);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(12)), CAIRN_EIO);
    vm_sound();
    push_out();
    for (uint32_t page = 0; page < 4; page++) {
        assert_int_equal(on_file(page, 0), page);
    }
}

// Two pages are dirty: two writes and a sync.
static void a_sync_that_fails_at_any_call_is_told(void **state)
{
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, SHARED, OBJECT, 0), 0);
    for (uint32_t nth = 1; nth <= 3; nth++) {
        for (uint32_t end = 0; end < 3; end++) {
            vm_put(vm_page(10), nth);
            vm_put(vm_page(12), nth + 8);
            vm_file_fail(nth);
            const int error = end == 0 ? cairn_object_sync(OBJECT) : end == 1 ? cairn_space_sync(SPACE, vm_page(10), 4 * PAGE) : cairn_object_deinit(OBJECT);
            assert_int_equal(error, CAIRN_EIO);
            vm_sound();
            assert_int_equal(vm_get(vm_page(10)), nth);
            assert_int_equal(vm_get(vm_page(12)), nth + 8);
            assert_int_equal(cairn_object_sync(OBJECT), 0);
            assert_int_equal(on_file(0, 0), nth);
            assert_int_equal(on_file(2, 0), nth + 8);
        }
    }
    assert_int_equal(vm_unmap(SPACE, 10, 4), 0);
}

// ---------------------------------------------------------------------------------------------------------- without a store

static void an_object_without_a_store_keeps_what_it_holds_unmapped(void **state)
{
    (void)state;
    vm_object_of_zeros(3);
    assert_int_equal(VM->committed, 3);
    assert_int_equal(vm_show(SPACE, 10, 3, RW, SHARED, SECOND, 0), 0);
    assert_int_equal(VM->committed, 3);
    prepare_push();
    assert_int_equal(vm_get(vm_page(12)), 0);
    vm_put(vm_page(11), 1);
    assert_int_equal(vm_unmap(SPACE, 10, 3), 0);
    push_out();
    assert_int_equal(vm_space_figures(&SECOND->pages).swapped, 1);
    assert_int_equal(vm_show(OTHER, 40, 1, R, SHARED, SECOND, 1), 0);
    assert_int_equal(vm_look(OTHER, vm_page(40)), 1);
    assert_int_equal(cairn_object_sync(SECOND), 0); // nothing to do
    vm_sound();
    assert_int_equal(vm_unmap(OTHER, 40, 1), 0);
    push_out();
    assert_int_equal(cairn_object_deinit(SECOND), 0);
    vm_sound();
    assert_int_equal(VM->committed, 2 * FRAMES);
    assert_int_equal(vm_figures().slots_used, 2 * FRAMES);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        OBJECTS_UNIT(mmap_of_a_file_is_filled_lazily),
        OBJECTS_UNIT(all_of_a_file_is_read_through_few_frames),
        OBJECTS_UNIT(an_object_is_one_however_often_asids_ran_out),
        OBJECTS_UNIT(a_mapping_shows_what_its_offset_says),
        OBJECTS_UNIT(an_object_begins_at_its_slot),
        OBJECTS_UNIT(a_mapping_beyond_the_object_is_refused),
        OBJECTS_UNIT(objects_that_cannot_be_are_refused),
        OBJECTS_UNIT(shared_object),
        OBJECTS_UNIT(pages_that_leave_are_found_again_by_all),
        OBJECTS_UNIT(private_mappings_see_the_object_until_they_write),
        OBJECTS_UNIT(nothing_written_privately_reaches_the_store),
        OBJECTS_UNIT(a_read_only_object_is_written_privately_only),
        OBJECTS_UNIT(an_object_of_a_store_that_is_only_read_is_read_only),
        OBJECTS_UNIT(msync_makes_it_safe),
        OBJECTS_UNIT(sync_of_parts_of_several_mappings),
        OBJECTS_UNIT(the_end_of_an_object_writes_it_back),
        OBJECTS_UNIT(an_object_that_is_mapped_does_not_end),
        OBJECTS_UNIT(what_is_stored_through_a_pin_behind_a_sync_is_not_lost),
        OBJECTS_UNIT(a_pin_is_let_go_through_the_space_that_has_it),
        OBJECTS_UNIT(a_pin_is_of_a_space_and_a_page),
        OBJECTS_UNIT(a_mapping_of_a_range_is_none_of_the_callers),
        OBJECTS_UNIT(a_mapping_with_pins_is_not_split_but_merged),
        OBJECTS_UNIT(an_answer_that_is_no_error_of_ours_is_one_of_a_transfer),
        OBJECTS_UNIT(write_through_writes_an_objects_page_at_each_store),
        OBJECTS_UNIT(a_read_that_fails_is_told_and_tried_again),
        OBJECTS_UNIT(an_object_that_lives_is_not_made_again),
        OBJECTS_UNIT(a_page_that_cannot_be_written_stays),
        OBJECTS_UNIT(a_sync_that_fails_at_any_call_is_told),
        OBJECTS_UNIT(an_object_without_a_store_keeps_what_it_holds_unmapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
