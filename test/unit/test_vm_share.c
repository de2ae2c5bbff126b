// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/share.c promises: private copies of an object's pages, memory that is mapped where it is, stacks that grow.
// CALLERS     ctest, on every preset.
#include "vm_objects.h"

#include "vm/frame.h"

#define R CAIRN_READ
#define X (CAIRN_READ | CAIRN_EXEC)
#define SHARED CAIRN_MAP_SHARED

static _Alignas(8) const uint32_t code[4 * PAGE / 4] = {0xC0DE0000, 0xC0DE0001, 0xC0DE0002, [PAGE / 4] = 0xC0DE1000, [4 * PAGE / 4 - 1] = 0xC0DE3FFF};

static int show_code(struct cairn_space *space, uint32_t page, uint32_t pages)
{
    const struct cairn_map map = {.address = vm_page(page), .size = vm_page(pages), .protection = X, .flags = CAIRN_MAP_FIXED, .memory = code};
    return cairn_space_map_range(space, &map, NULL);
}

// A stack of some pages at a page.
static int make_stack(uint32_t page, uint32_t pages, uint32_t grow, uint32_t protection)
{
    const struct cairn_map map = {.address = vm_page(page),
                                  .size = vm_page(pages),
                                  .protection = protection,
                                  .flags = CAIRN_MAP_FIXED | CAIRN_MAP_GROWS_DOWN,
                                  .grow = vm_page(grow)};
    return cairn_space_map_range(SPACE, &map, NULL);
}

static int load_at(cairn_vaddr_t address)
{
    uint32_t word;
    return cairn_vm_load32(VM, address, &word);
}

// ------------------------------------------------------------------------------------------------------------- private copies

static void private_copy_on_write_object(void **state)
{
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, 0, OBJECT, 0), 0);
    assert_int_equal(vm_show(OTHER, 10, 4, RW, 0, OBJECT, 0), 0);
    assert_int_equal(vm_get(vm_page(10) + 8), FILE_WORD(0, 2));
    assert_int_equal(vm_look(OTHER, vm_page(10) + 8), FILE_WORD(0, 2));
    assert_int_equal(vm_figures().frames_free, FRAMES - 1); // one frame for all
    vm_put(vm_page(10) + 8, 1);
    assert_int_equal(vm_figures().frames_free, FRAMES - 2);
    assert_int_equal(vm_space_figures(SPACE).copies, 1);
    assert_int_equal(vm_space_figures(SPACE).resident, 1);
    assert_int_equal(vm_space_figures(SPACE).shared, 0);
    assert_int_equal(vm_get(vm_page(10) + 12), FILE_WORD(0, 3)); // the rest came along
    assert_int_equal(vm_look(OTHER, vm_page(10) + 8), FILE_WORD(0, 2));
    vm_put(vm_page(10) + 8, 2);
    assert_int_equal(vm_space_figures(SPACE).copies, 1); // once
    vm_set(OTHER, vm_page(11), 3);                       // never read before
    assert_int_equal(vm_space_figures(OTHER).copies, 1);
    assert_int_equal(vm_get(vm_page(11)), FILE_WORD(1, 0));
    vm_sound();
}

static void a_copy_that_has_no_frame_changes_nothing(void **state)
{
    void *memory;
    size_t run;
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, 0, OBJECT, 0), 0);
    assert_int_equal(vm_map(SPACE, 20, FRAMES - 1, RW, 0), 0);
    for (uint32_t page = 20; page < 20 + FRAMES - 1; page++) {
        assert_int_equal(cairn_space_pin(SPACE, vm_page(page), RW, &memory, &run), 0);
    }
    assert_int_equal(vm_get(vm_page(10)), FILE_WORD(0, 0));
    assert_int_equal(cairn_vm_store32(VM, vm_page(10), 1), CAIRN_ENOMEM);
    vm_sound();
    assert_int_equal(vm_get(vm_page(10)), FILE_WORD(0, 0));
    assert_int_equal(vm_space_figures(SPACE).copies, 0);
    for (uint32_t page = 20; page < 20 + FRAMES - 1; page++) {
        assert_int_equal(cairn_space_unpin(SPACE, vm_page(page)), 0);
    }
    vm_put(vm_page(10), 1);
    assert_int_equal(vm_get(vm_page(10)), 1);
}

static void a_page_without_a_table_changes_nothing(void **state)
{
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, 0, OBJECT, 0), 0);
    assert_int_equal(vm_show(OTHER, 10, 4, RW, SHARED, OBJECT, 0), 0);
    for (uint32_t nodes = 0; nodes < 2; nodes++) { // one for the object's, one for the space's
        vm_starve(nodes);
        assert_int_equal(load_at(vm_page(10)), CAIRN_ENOMEM);
        vm_sound();
        assert_int_equal(cairn_vm_store32(VM, vm_page(10), 1), CAIRN_ENOMEM);
        vm_feed();
        vm_sound();
        assert_int_equal(vm_space_figures(SPACE).shared + vm_space_figures(SPACE).resident, 0);
    }
    assert_int_equal(vm_get(vm_page(10)), FILE_WORD(0, 0));
}

static void a_private_copy_goes_with_its_mapping_and_the_objects_page_is_there(void **state)
{
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, 0, OBJECT, 0), 0);
    vm_put(vm_page(10), 1);
    assert_int_equal(vm_unmap(SPACE, 10, 4), 0);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, 0, OBJECT, 0), 0);
    assert_int_equal(vm_get(vm_page(10)), FILE_WORD(0, 0));
}

static void a_private_copy_is_a_childs_too(void **state)
{
    struct cairn_space child;
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, 0, OBJECT, 0), 0);
    vm_put(vm_page(10), 1);
    assert_int_equal(vm_get(vm_page(11)), FILE_WORD(1, 0));
    assert_int_equal(cairn_space_fork(&child, SPACE), 0);
    vm_sound();
    vm_put(vm_page(10), 2);
    assert_int_equal(vm_look(&child, vm_page(10)), 1);
    vm_set(&child, vm_page(11), 3);
    assert_int_equal(vm_get(vm_page(11)), FILE_WORD(1, 0));
    vm_sound();
    assert_int_equal(cairn_space_deinit(&child), 0);
    assert_int_equal(vm_get(vm_page(10)), 2);
}

static void a_pin_of_a_private_page_makes_it_the_spaces_own(void **state)
{
    void *memory;
    size_t run;
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, 0, OBJECT, 0), 0);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(10), R, &memory, &run), 0);
    assert_int_equal(vm_space_figures(SPACE).copies, 1);
    vm_put(vm_page(10), 1);
    assert_int_equal(*(uint32_t *)memory, 1);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(10)), 0);
}

// It was not stored to, and leaves its frame: it is in the vm's store then, not the object's page again.
static void what_a_pin_made_the_spaces_own_stays_so(void **state)
{
    void *memory;
    size_t run;
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, 0, OBJECT, 0), 0);
    assert_int_equal(vm_show(SPACE, 20, 4, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(10), R, &memory, &run), 0);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(10)), 0);
    vm_put(vm_page(20), 5);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(10)), 0);
    assert_int_equal(vm_get(vm_page(10)), FILE_WORD(0, 0));
    vm_sound();
}

// A page that spaces have in common since a fork, and that is in the store.
static void a_common_page_that_cannot_be_read_is_tried_again(void **state)
{
    struct cairn_space child;
    (void)state;
    assert_int_equal(vm_map(SPACE, 10, 1, RW, 0), 0);
    vm_write_pages(SPACE, 10, 1, 1);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(10)), 0);
    assert_int_equal(cairn_space_fork(&child, SPACE), 0);
    vm_fail(1, 2);
    assert_int_equal(load_at(vm_page(10)), CAIRN_ECORRUPT);
    vm_sound();
    assert_int_equal(cairn_vm_store32(VM, vm_page(10), 1), CAIRN_ECORRUPT);
    vm_sound();
    assert_int_equal(vm_figures().frames_free, FRAMES);
    vm_expect_pages(SPACE, 10, 1, 1);
    assert_int_equal(vm_space_figures(SPACE).major, 1);
    assert_int_equal(vm_space_figures(&child).major, 0);
    assert_int_equal(cairn_space_deinit(&child), 0);
}

// The last one that has it takes it over, and has no frame for it: it is known no more, and is zeros.
static void a_common_page_of_zeros_without_a_frame_changes_nothing(void **state)
{
    struct cairn_space child;
    void *memory;
    size_t run;
    (void)state;
    assert_int_equal(vm_map(SPACE, 10, 1, RW, 0), 0);
    assert_int_equal(vm_map(SPACE, 40, FRAMES, RW, 0), 0);
    assert_int_equal(vm_get(vm_page(10)), 0);
    assert_int_equal(cairn_space_fork(&child, SPACE), 0);
    assert_int_equal(cairn_space_deinit(&child), 0);
    for (uint32_t page = 40; page < 40 + FRAMES; page++) {
        assert_int_equal(cairn_space_pin(SPACE, vm_page(page), RW, &memory, &run), 0);
    }
    assert_int_equal(cairn_vm_store32(VM, vm_page(10), 1), CAIRN_ENOMEM);
    vm_sound();
    for (uint32_t page = 40; page < 40 + FRAMES; page++) {
        assert_int_equal(cairn_space_unpin(SPACE, vm_page(page)), 0);
    }
    assert_int_equal(vm_get(vm_page(10)), 0);
}

// LRU is told of pages that are not a space's own as well.
static void pages_of_several_that_are_in_use_stay(void **state)
{
    struct cairn_space child;
    (void)state;
    assert_int_equal(cairn_space_deinit(OTHER), 0);
    assert_int_equal(vm_end(), 0);
    vm_fixture.config.policy = &cairn_policy_lru;
    vm_make();
    vm_object_of_file(1);
    assert_int_equal(vm_map(SPACE, 10, 1, RW, 0), 0);
    vm_write_pages(SPACE, 10, 1, 1);
    assert_int_equal(cairn_space_fork(&child, SPACE), 0);
    assert_int_equal(vm_show(SPACE, 11, 1, R, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_map(SPACE, 20, 10, RW, 0), 0);
    for (uint32_t page = 20; page < 30; page++) {
        vm_expect_pages(SPACE, 10, 1, 1);
        assert_int_equal(vm_look(SPACE, vm_page(11)), FILE_WORD(0, 0));
        vm_write_pages(SPACE, page, 1, 1);
    }
    assert_int_equal(vm_objects.reads, 1);
    assert_int_equal(vm_fixture.reads, 0);
    assert_int_equal(cairn_space_deinit(&child), 0);
}

static void a_suspended_space_has_no_pages_of_objects_either(void **state)
{
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(show_code(SPACE, 20, 1), 0);
    vm_put(vm_page(10), 1);
    assert_int_equal(vm_get(vm_page(20)), 0xC0DE0000);
    assert_int_equal(cairn_space_suspend(SPACE), 0);
    assert_int_equal(load_at(vm_page(10)), CAIRN_EBUSY);
    assert_int_equal(load_at(vm_page(20)), CAIRN_EBUSY);
    vm_sound();
    cairn_space_resume(SPACE);
    assert_int_equal(vm_get(vm_page(10)), 1);
}

// What is in frames goes where no space that runs has it.
static void the_last_to_be_suspended_takes_what_is_shared_along(void **state)
{
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 2, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_show(OTHER, 20, 1, RW, SHARED, OBJECT, 1), 0);
    vm_write_pages(SPACE, 10, 2, 1);
    assert_int_equal(vm_look(OTHER, vm_page(20)), vm_look(SPACE, vm_page(11)));
    const uint32_t writes = vm_objects.writes;
    assert_int_equal(cairn_space_suspend(SPACE), 0);
    assert_int_equal(vm_objects.writes, writes + 1); // the one that OTHER does not have
    assert_int_equal(vm_figures().frames_free, FRAMES - 1);
    assert_int_equal(cairn_space_suspend(OTHER), 0);
    assert_int_equal(vm_objects.writes, writes + 2);
    assert_int_equal(vm_figures().frames_free, FRAMES);
    vm_sound();
    cairn_space_resume(SPACE);
    vm_expect_pages(SPACE, 10, 2, 1);
    assert_int_equal(vm_figures().frames_free, FRAMES - 2);
    cairn_space_resume(OTHER);
}

static void a_space_that_holds_a_page_of_an_object_is_not_suspended(void **state)
{
    (void)state;
    void *memory;
    size_t run;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 2, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(10), RW, &memory, &run), 0);
    REFUSES(CAIRN_EBUSY, cairn_space_suspend(SPACE));
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(10)), 0);
    assert_int_equal(cairn_space_lock(SPACE, vm_page(11), PAGE), 0);
    REFUSES(CAIRN_EBUSY, cairn_space_suspend(SPACE));
    assert_int_equal(cairn_space_unlock(SPACE, vm_page(11), PAGE), 0);
    vm_file_fail(1);
    vm_put(vm_page(10), 3);
    assert_int_equal(cairn_space_suspend(SPACE), CAIRN_EIO);
    assert_int_equal(vm_get(vm_page(10)), 3); // it goes on
    assert_int_equal(cairn_space_suspend(SPACE), 0);
    assert_int_equal(vm_figures().frames_free, FRAMES);
}

// Called once more, to take along what another space left behind.
static void a_suspended_space_stays_so_where_a_page_cannot_be_written(void **state)
{
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 1, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_show(OTHER, 20, 1, RW, SHARED, OBJECT, 0), 0);
    vm_put(vm_page(10), 1);
    vm_write_pages(OTHER, 20, 1, 1);
    assert_int_equal(cairn_space_suspend(SPACE), 0);
    assert_int_equal(cairn_space_deinit(OTHER), 0);
    vm_file_fail(1);
    assert_int_equal(cairn_space_suspend(SPACE), CAIRN_EIO);
    assert_int_equal(load_at(vm_page(10)), CAIRN_EBUSY);
    assert_int_equal(cairn_space_suspend(SPACE), 0);
    assert_int_equal(vm_figures().frames_free, FRAMES);
    cairn_space_resume(SPACE);
    vm_sound();
    assert_int_equal(cairn_space_init(OTHER, VM), 0);
}

static void shared_pages_are_in_the_working_set_of_who_has_them(void **state)
{
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 3, R, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_show(OTHER, 20, 3, R, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_map(SPACE, 30, 1, RW, 0), 0);
    for (uint32_t page = 0; page < 3; page++) {
        assert_int_equal(vm_get(vm_page(10 + page)), FILE_WORD(page, 0));
    }
    vm_put(vm_page(30), 1);
    assert_int_equal(vm_look(OTHER, vm_page(21)), FILE_WORD(1, 0));
    assert_int_equal(vm_space_figures(SPACE).since_tick, 3);
    assert_int_equal(cairn_vm_tick(VM), 4);
    assert_int_equal(vm_space_figures(SPACE).since_tick, 0);
    assert_int_equal(vm_space_figures(SPACE).working_set, 4);
    assert_int_equal(vm_space_figures(OTHER).working_set, 1);
    assert_int_equal(vm_get(vm_page(12)), FILE_WORD(2, 0));
    assert_int_equal(cairn_vm_tick(VM), 1);
    assert_int_equal(vm_space_figures(SPACE).working_set, 1);
    assert_int_equal(vm_space_figures(OTHER).working_set, 0);
    const struct cairn_vm_figures figures = vm_figures();
    assert_int_equal(figures.virtual_pages, 7);
    assert_int_equal(figures.resident, 4);
    assert_int_equal(figures.swapped, 0);
    assert_int_equal(figures.minor, vm_space_figures(SPACE).minor + vm_space_figures(OTHER).minor);
    assert_int_equal(figures.major, 3);
    assert_int_equal(vm_space_figures(&OBJECT->pages).reads, 3);
}

// ----------------------------------------------------------------------------------------------------------- executed in place

static void memory_is_read_where_it_is(void **state)
{
    (void)state;
    assert_int_equal(show_code(SPACE, 10, 4), 0);
    assert_int_equal(vm_get(vm_page(10) + 4), 0xC0DE0001);
    assert_int_equal(vm_get(vm_page(11)), 0xC0DE1000);
    assert_int_equal(vm_get(vm_page(14) - 4), 0xC0DE3FFF);
    assert_int_equal(vm_look(SPACE, vm_page(10) + 8), 0xC0DE0002);
    const uint32_t misses = vm_figures().tlb_misses;
    assert_int_equal(vm_get(vm_page(11)), 0xC0DE1000); // by the TLB
    assert_int_equal(vm_figures().tlb_misses, misses);
    uint32_t crossing;
    assert_int_equal(cairn_vm_load32(VM, vm_page(11) - 2, &crossing), 0);
    const unsigned char *const bytes = (const unsigned char *)code + PAGE - 2;
    assert_memory_equal(&crossing, bytes, 4);
    assert_int_equal(vm_figures().frames_free, FRAMES); // no frame, no table
    assert_int_equal(vm_tables(), 2);
    assert_int_equal(vm_figures().minor + vm_figures().major, 0);
    vm_sound();
}

static void memory_in_place_is_not_written(void **state)
{
    (void)state;
    assert_int_equal(show_code(SPACE, 10, 4), 0);
    assert_int_equal(cairn_vm_store32(VM, vm_page(10), 1), CAIRN_EACCES);
    assert_int_equal(vm_get(vm_page(10)), 0xC0DE0000);
    assert_int_equal(cairn_vm_store32(VM, vm_page(10), 1), CAIRN_EACCES); // with a translation
    assert_int_equal(cairn_space_fill(SPACE, vm_page(10), 0, 4), CAIRN_EACCES);
    REFUSES(CAIRN_EACCES, vm_protect(SPACE, 10, 4, RW));
    assert_int_equal(vm_get(vm_page(10)), 0xC0DE0000);
}

static void memory_in_place_is_protected_and_unmapped_at_once(void **state)
{
    (void)state;
    assert_int_equal(show_code(SPACE, 10, 4), 0);
    assert_int_equal(vm_get(vm_page(10)), 0xC0DE0000);
    assert_int_equal(vm_get(vm_page(11)), 0xC0DE1000);
    assert_int_equal(vm_protect(SPACE, 10, 1, 0), 0);
    assert_int_equal(load_at(vm_page(10)), CAIRN_EACCES);
    assert_int_equal(vm_get(vm_page(11)), 0xC0DE1000);
    assert_int_equal(vm_protect(SPACE, 10, 1, X), 0);
    assert_int_equal(vm_get(vm_page(10)), 0xC0DE0000);
    assert_int_equal(vm_unmap(SPACE, 10, 1), 0);
    assert_int_equal(load_at(vm_page(10)), CAIRN_EFAULT);
    assert_int_equal(vm_get(vm_page(11)), 0xC0DE1000);
    assert_int_equal(vm_get(vm_page(13) + PAGE - 4), 0xC0DE3FFF); // in what was split off
    assert_int_equal(vm_map(SPACE, 11, 1, RW, CAIRN_MAP_REPLACE), 0);
    assert_int_equal(vm_get(vm_page(11)), 0);
    vm_sound();
}

// The cursor's pin keeps it mapped; what comes there later has pins of its own.
static void memory_in_place_that_is_pinned_stays_mapped(void **state)
{
    (void)state;
    void *memory;
    size_t run;
    uint32_t word;
    struct cairn_cursor cursor;
    assert_int_equal(show_code(SPACE, 10, 4), 0);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(11)), CAIRN_EINVAL);
    cairn_cursor_init(&cursor, SPACE, R);
    assert_int_equal(cairn_cursor_load32(&cursor, vm_page(11), &word), 0);
    assert_int_equal(word, 0xC0DE1000);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(12), R, &memory, &run), 0);
    vm_sound();
    REFUSES(CAIRN_EBUSY, vm_unmap(SPACE, 11, 1));
    REFUSES(CAIRN_EBUSY, vm_unmap(SPACE, 10, 4));
    REFUSES(CAIRN_EBUSY, cairn_space_deinit(SPACE));
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(12)), 0);
    REFUSES(CAIRN_EBUSY, vm_unmap(SPACE, 10, 4));
    cairn_cursor_deinit(&cursor);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(11)), CAIRN_EINVAL);
    assert_int_equal(vm_unmap(SPACE, 10, 4), 0);
    assert_int_equal(cairn_cursor_load32(&cursor, vm_page(11), &word), CAIRN_EFAULT);
    vm_sound();
}

// What is in flash does not begin at a word.
static void memory_in_place_begins_anywhere(void **state)
{
    (void)state;
    for (uint32_t skipped = 1; skipped < 8; skipped++) {
        const unsigned char *const bytes = (const unsigned char *)code + skipped;
        const struct cairn_map map = {.address = vm_page(10), .size = 2 * PAGE, .protection = X, .flags = CAIRN_MAP_FIXED, .memory = bytes};
        struct cairn_cursor cursor;
        assert_int_equal(cairn_space_map_range(SPACE, &map, NULL), 0);
        cairn_cursor_init(&cursor, SPACE, R);
        for (uint32_t at = 0; at < 2 * PAGE; at += 8) {
            uint64_t word;
            uint32_t half;
            uint16_t quarter;
            assert_int_equal(cairn_vm_load64(VM, vm_page(10) + at, &word), 0);
            assert_memory_equal(&word, bytes + at, 8);
            assert_int_equal(cairn_cursor_load64(&cursor, vm_page(10) + at, &word), 0);
            assert_memory_equal(&word, bytes + at, 8);
            assert_int_equal(cairn_vm_load32(VM, vm_page(10) + at, &half), 0);
            assert_memory_equal(&half, bytes + at, 4);
            assert_int_equal(cairn_cursor_load32(&cursor, vm_page(10) + at, &half), 0);
            assert_memory_equal(&half, bytes + at, 4);
            assert_int_equal(cairn_vm_load16(VM, vm_page(10) + at, &quarter), 0);
            assert_memory_equal(&quarter, bytes + at, 2);
        }
        cairn_cursor_deinit(&cursor);
        vm_sound();
        assert_int_equal(vm_unmap(SPACE, 10, 2), 0);
    }
}

static void memory_in_place_is_pinned_for_nothing(void **state)
{
    void *memory;
    size_t run;
    (void)state;
    assert_int_equal(show_code(SPACE, 10, 4), 0);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(11) + 4, CAIRN_EXEC, &memory, &run), 0);
    assert_ptr_equal(memory, (const unsigned char *)code + PAGE + 4);
    assert_int_equal(run, PAGE - 4);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(11)), 0);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(11), RW, &memory, &run), CAIRN_EACCES);
    assert_int_equal(cairn_space_will_need(SPACE, vm_page(10)), 0);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(10)), 0);
}

static void a_cursor_goes_over_memory_in_place(void **state)
{
    struct cairn_cursor cursor;
    uint32_t word;
    (void)state;
    assert_int_equal(show_code(SPACE, 10, 2), 0);
    assert_int_equal(vm_map(SPACE, 12, 1, RW, 0), 0);
    cairn_cursor_init(&cursor, SPACE, R);
    for (uint32_t at = 0; at < 2 * PAGE; at += 4) {
        assert_int_equal(cairn_cursor_load32(&cursor, vm_page(10) + at, &word), 0);
        assert_int_equal(word, code[at / 4]);
    }
    assert_int_equal(cairn_cursor_load32(&cursor, vm_page(12), &word), 0);
    assert_int_equal(word, 0);
    cairn_cursor_deinit(&cursor);
    assert_int_equal(vm_unmap(SPACE, 10, 3), 0);
}

static void bytes_are_copied_out_of_memory_in_place(void **state)
{
    int order;
    (void)state;
    assert_int_equal(show_code(SPACE, 10, 4), 0);
    assert_int_equal(vm_map(OTHER, 20, 2, RW, 0), 0);
    assert_int_equal(cairn_space_copy(OTHER, vm_page(20) + 8, SPACE, vm_page(10) + 64, PAGE), 0);
    assert_int_equal(cairn_space_compare(OTHER, vm_page(20) + 8, (const unsigned char *)code + 64, PAGE, &order), 0);
    assert_int_equal(order, 0);
    vm_sound();
}

static void children_execute_in_place_as_well(void **state)
{
    struct cairn_space child;
    (void)state;
    assert_int_equal(show_code(SPACE, 10, 4), 0);
    assert_int_equal(cairn_space_fork(&child, SPACE), 0);
    cairn_space_switch(VM, &child);
    assert_int_equal(vm_get(vm_page(11)), 0xC0DE1000);
    vm_sound();
    assert_int_equal(cairn_space_deinit(&child), 0);
    cairn_space_switch(VM, SPACE);
    assert_int_equal(vm_get(vm_page(11)), 0xC0DE1000);
}

static struct cairn_space third;

// What the handler does: the numbers of spaces are used up, and another one has that of SPACE from now on.
static void use_up_asids(void)
{
    cairn_space_switch(VM, NULL);
    assert_int_equal(cairn_space_init(&third, VM), 0);
    while (third.asid != SPACE->asid) {
        assert_int_equal(cairn_space_deinit(&third), 0);
        assert_int_equal(cairn_space_init(&third, VM), 0);
    }
    assert_int_equal(show_code(SPACE, 10, 4), 0);
}

static void a_handler_maps_memory_in_place_and_runs_other_spaces(void **state)
{
    (void)state;
    SPACE->handler = vm_handler;
    vm_fixture.act = use_up_asids;
    assert_int_equal(vm_get(vm_page(11)), 0xC0DE1000);
    vm_sound();
    cairn_space_switch(VM, &third);
    assert_int_equal(load_at(vm_page(11)), CAIRN_EFAULT);
    assert_int_equal(cairn_space_deinit(&third), 0);
    vm_fixture.act = NULL;
    SPACE->handler = NULL;
}

// --------------------------------------------------------------------------------------------------------------------- stacks

static void a_stack_grows_down_to_what_is_used(void **state)
{
    (void)state;
    assert_int_equal(make_stack(50, 2, 6, RW), 0);
    vm_put(vm_page(50), 1);
    assert_int_equal(load_at(vm_page(43)), CAIRN_EFAULT); // too far
    EXPECT_MAPS(SPACE, 50, 2, RW);
    vm_put(vm_page(47) + 100, 2);
    EXPECT_MAPS(SPACE, 47, 5, RW);
    assert_int_equal(vm_space_figures(SPACE).virtual_pages, 5);
    assert_int_equal(vm_get(vm_page(48)), 0);
    assert_int_equal(vm_get(vm_page(44)), 0); // the last of the six
    assert_int_equal(load_at(vm_page(43)), CAIRN_EFAULT);
    assert_int_equal(vm_get(vm_page(50)), 1);
    assert_int_equal(vm_get(vm_page(47) + 100), 2);
    EXPECT_MAPS(SPACE, 44, 8, RW);
    assert_int_equal(load_at(vm_page(52)), CAIRN_EFAULT); // not upwards
}

static void a_page_below_a_stack_stays_free(void **state)
{
    (void)state;
    assert_int_equal(vm_map(SPACE, 40, 2, RW, 0), 0);
    assert_int_equal(make_stack(46, 1, 20, RW), 0);
    assert_int_equal(vm_get(vm_page(43)), 0);
    assert_int_equal(load_at(vm_page(42)), CAIRN_EFAULT);
    EXPECT_MAPS(SPACE, 40, 2, RW, 43, 4, RW);
    assert_int_equal(vm_unmap(SPACE, 40, 1), 0);
    assert_int_equal(load_at(vm_page(42)), CAIRN_EFAULT);
    assert_int_equal(vm_unmap(SPACE, 41, 1), 0);
    assert_int_equal(vm_get(vm_page(42)), 0);
    EXPECT_MAPS(SPACE, 42, 5, RW);
}

static void a_stack_at_the_bottom_leaves_page_1(void **state)
{
    (void)state;
    assert_int_equal(make_stack(4, 1, 20, RW), 0);
    assert_int_equal(load_at(vm_page(1)), CAIRN_EFAULT);
    assert_int_equal(load_at(8), CAIRN_EFAULT);
    assert_int_equal(vm_get(vm_page(2)), 0);
    EXPECT_MAPS(SPACE, 2, 3, RW);
    assert_int_equal(vm_map(SPACE, 5, 251, R, 0), 0);
    const struct cairn_map map = {.size = PAGE, .protection = RW};
    REFUSES(CAIRN_ENOMEM, cairn_space_map_range(SPACE, &map, NULL));
    assert_int_equal(vm_unmap(SPACE, 2, 1), 0); // it grows no more
    assert_int_equal(load_at(vm_page(2)), CAIRN_EFAULT);
    assert_int_equal(cairn_space_map_range(SPACE, &map, NULL), 0);
}

static void an_access_that_is_not_allowed_makes_no_stack_longer(void **state)
{
    (void)state;
    assert_int_equal(make_stack(50, 1, 6, R), 0);
    assert_int_equal(cairn_vm_store32(VM, vm_page(49), 1), CAIRN_EACCES);
    EXPECT_MAPS(SPACE, 50, 1, R);
    assert_int_equal(vm_get(vm_page(49)), 0);
    EXPECT_MAPS(SPACE, 49, 2, R);
    assert_int_equal(VM->committed, 0);
    assert_int_equal(vm_protect(SPACE, 49, 2, 0), 0);
    assert_int_equal(load_at(vm_page(48)), CAIRN_EACCES);
    EXPECT_MAPS(SPACE, 49, 2, 0);
}

static void growth_that_promises_too_much_is_refused(void **state)
{
    (void)state;
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_STRICT, 4 * PAGE), 0);
    assert_int_equal(make_stack(50, 2, 6, RW), 0);
    assert_int_equal(load_at(vm_page(47)), CAIRN_EFAULT);
    EXPECT_MAPS(SPACE, 50, 2, RW);
    assert_int_equal(vm_get(vm_page(48)), 0);
    assert_int_equal(VM->committed, 4);
    assert_int_equal(load_at(vm_page(47)), CAIRN_EFAULT);
    assert_int_equal(vm_unmap(SPACE, 51, 1), 0);
    assert_int_equal(vm_get(vm_page(47)), 0);
    EXPECT_MAPS(SPACE, 47, 4, RW);
    assert_int_equal(VM->committed, 4);
}

static void a_stack_of_which_the_top_is_unmapped_grows_still(void **state)
{
    (void)state;
    assert_int_equal(make_stack(50, 5, 6, RW), 0);
    assert_int_equal(vm_unmap(SPACE, 52, 2), 0);
    EXPECT_MAPS(SPACE, 50, 2, RW, 54, 1, RW);
    assert_int_equal(load_at(vm_page(53)), CAIRN_EFAULT); // what is behind is no stack of its own
    assert_int_equal(vm_get(vm_page(49)), 0);
    EXPECT_MAPS(SPACE, 49, 3, RW, 54, 1, RW);
}

static void a_stack_that_was_split_is_one_again(void **state)
{
    (void)state;
    assert_int_equal(make_stack(50, 5, 6, RW), 0);
    assert_int_equal(vm_protect(SPACE, 51, 2, R), 0);
    EXPECT_MAPS(SPACE, 50, 1, RW, 51, 2, R, 53, 2, RW);
    assert_int_equal(vm_protect(SPACE, 51, 2, RW), 0);
    EXPECT_MAPS(SPACE, 50, 5, RW);
    assert_int_equal(vm_get(vm_page(48)), 0);
    EXPECT_MAPS(SPACE, 48, 7, RW);
}

static void stacks_side_by_side_are_two(void **state)
{
    (void)state;
    assert_int_equal(make_stack(51, 1, 4, RW), 0);
    assert_int_equal(make_stack(50, 1, 4, RW), 0);
    EXPECT_MAPS(SPACE, 50, 1, RW, 51, 1, RW);
    assert_int_equal(vm_unmap(SPACE, 50, 1), 0);
    assert_int_equal(vm_get(vm_page(50)), 0); // the other one has grown
    EXPECT_MAPS(SPACE, 50, 2, RW);
}

static void a_childs_stack_grows_by_itself(void **state)
{
    struct cairn_space child;
    (void)state;
    assert_int_equal(make_stack(50, 1, 6, RW), 0);
    vm_put(vm_page(49), 1);
    assert_int_equal(cairn_space_fork(&child, SPACE), 0);
    cairn_space_switch(VM, &child);
    assert_int_equal(vm_get(vm_page(49)), 1);
    vm_put(vm_page(47), 2);
    EXPECT_MAPS(&child, 47, 4, RW);
    EXPECT_MAPS(SPACE, 49, 2, RW);
    assert_int_equal(cairn_space_deinit(&child), 0);
    cairn_space_switch(VM, SPACE);
    assert_int_equal(vm_get(vm_page(47)), 0);
}

static void a_suspended_spaces_stack_does_not_grow(void **state)
{
    (void)state;
    assert_int_equal(make_stack(50, 1, 6, RW), 0);
    assert_int_equal(cairn_space_suspend(SPACE), 0);
    assert_int_equal(load_at(vm_page(49)), CAIRN_EBUSY);
    EXPECT_MAPS(SPACE, 50, 1, RW);
    cairn_space_resume(SPACE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        OBJECTS_UNIT(private_copy_on_write_object),
        OBJECTS_UNIT(a_copy_that_has_no_frame_changes_nothing),
        OBJECTS_UNIT(a_page_without_a_table_changes_nothing),
        OBJECTS_UNIT(a_private_copy_goes_with_its_mapping_and_the_objects_page_is_there),
        OBJECTS_UNIT(a_private_copy_is_a_childs_too),
        OBJECTS_UNIT(a_pin_of_a_private_page_makes_it_the_spaces_own),
        OBJECTS_UNIT(what_a_pin_made_the_spaces_own_stays_so),
        OBJECTS_UNIT(a_common_page_that_cannot_be_read_is_tried_again),
        OBJECTS_UNIT(a_common_page_of_zeros_without_a_frame_changes_nothing),
        OBJECTS_UNIT(pages_of_several_that_are_in_use_stay),
        OBJECTS_UNIT(a_suspended_space_has_no_pages_of_objects_either),
        OBJECTS_UNIT(the_last_to_be_suspended_takes_what_is_shared_along),
        OBJECTS_UNIT(a_space_that_holds_a_page_of_an_object_is_not_suspended),
        OBJECTS_UNIT(a_suspended_space_stays_so_where_a_page_cannot_be_written),
        OBJECTS_UNIT(shared_pages_are_in_the_working_set_of_who_has_them),
        OBJECTS_UNIT(memory_is_read_where_it_is),
        OBJECTS_UNIT(memory_in_place_is_not_written),
        OBJECTS_UNIT(memory_in_place_is_protected_and_unmapped_at_once),
        OBJECTS_UNIT(memory_in_place_that_is_pinned_stays_mapped),
        OBJECTS_UNIT(memory_in_place_begins_anywhere),
        OBJECTS_UNIT(memory_in_place_is_pinned_for_nothing),
        OBJECTS_UNIT(a_cursor_goes_over_memory_in_place),
        OBJECTS_UNIT(bytes_are_copied_out_of_memory_in_place),
        OBJECTS_UNIT(children_execute_in_place_as_well),
        OBJECTS_UNIT(a_handler_maps_memory_in_place_and_runs_other_spaces),
        OBJECTS_UNIT(a_stack_grows_down_to_what_is_used),
        OBJECTS_UNIT(a_page_below_a_stack_stays_free),
        OBJECTS_UNIT(a_stack_at_the_bottom_leaves_page_1),
        OBJECTS_UNIT(an_access_that_is_not_allowed_makes_no_stack_longer),
        OBJECTS_UNIT(growth_that_promises_too_much_is_refused),
        OBJECTS_UNIT(a_stack_of_which_the_top_is_unmapped_grows_still),
        OBJECTS_UNIT(a_stack_that_was_split_is_one_again),
        OBJECTS_UNIT(stacks_side_by_side_are_two),
        OBJECTS_UNIT(a_childs_stack_grows_by_itself),
        OBJECTS_UNIT(a_suspended_spaces_stack_does_not_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
