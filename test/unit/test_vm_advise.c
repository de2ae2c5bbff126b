// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/advise.c promises: what is said of ranges, and pages that are locked.
// CALLERS     ctest, on every preset.
#include "vm_objects.h"

#include "vm/frame.h"

#define R CAIRN_READ
#define SHARED CAIRN_MAP_SHARED

static void *memory;
static size_t run;

static int advise(uint32_t page, uint32_t pages, enum cairn_advice advice)
{
    return cairn_space_advise(SPACE, vm_page(page), vm_page(pages), advice);
}

static int lock(uint32_t page, uint32_t pages)
{
    return cairn_space_lock(SPACE, vm_page(page), vm_page(pages));
}

static int unlock(uint32_t page, uint32_t pages)
{
    return cairn_space_unlock(SPACE, vm_page(page), vm_page(pages));
}

static int load_at(cairn_vaddr_t address)
{
    uint32_t word;
    return cairn_vm_load32(VM, address, &word);
}

// Pins that the frame of a page has.
static uint32_t pins(const struct cairn_space *space, uint32_t page)
{
    return VM->table[pte_number(*cairn_table_walk_(space, page))].pins;
}

// Ten pages that may be written, with contents, at page 10.
static void ten_pages(void)
{
    assert_int_equal(vm_map(SPACE, 10, 10, RW, 0), 0);
    vm_write_pages(SPACE, 10, 10, 1);
}

// --------------------------------------------------------------------------------------------------------------------- advice

static void will_need_brings_in_as_far_as_frames_are_free(void **state)
{
    (void)state;
    ten_pages();
    for (uint32_t page = 10; page < 20; page++) {
        assert_int_equal(cairn_space_dont_need(SPACE, vm_page(page)), 0);
    }
    vm_fixture.writes = vm_fixture.reads = 0;
    assert_int_equal(advise(12, 2, CAIRN_ADVISE_WILL_NEED), 0);
    assert_true(vm_is_resident(SPACE, 12));
    assert_true(vm_is_resident(SPACE, 13));
    assert_int_equal(vm_figures().frames_free, FRAMES - 2);
    assert_int_equal(advise(10, 10, CAIRN_ADVISE_WILL_NEED), 0);
    assert_int_equal(vm_figures().frames_free, 0);
    assert_int_equal(vm_fixture.reads, FRAMES);
    assert_true(vm_is_resident(SPACE, 12)); // nothing has left for it
    assert_int_equal(advise(15, 5, CAIRN_ADVISE_WILL_NEED), 0);
    assert_int_equal(vm_fixture.reads, FRAMES);
    vm_expect_pages(SPACE, 10, 10, 1);
}

static void will_need_of_an_object_reads_its_pages(void **state)
{
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 2, RW, 0, OBJECT, 0), 0);
    assert_int_equal(vm_show(SPACE, 12, 2, RW, SHARED, OBJECT, 2), 0);
    vm_file_fail(3);
    assert_int_equal(advise(10, 4, CAIRN_ADVISE_WILL_NEED), CAIRN_ECORRUPT);
    vm_sound();
    assert_int_equal(advise(10, 4, CAIRN_ADVISE_WILL_NEED), 0);
    assert_int_equal(vm_objects.reads, 5);
    assert_int_equal(vm_get(vm_page(13)), FILE_WORD(3, 0));
    assert_int_equal(vm_objects.reads, 5);
    assert_int_equal(vm_space_figures(SPACE).copies, 0);
}

static void dont_need_makes_room_and_loses_nothing(void **state)
{
    (void)state;
    ten_pages();
    vm_object_of_file(2);
    assert_int_equal(vm_show(SPACE, 20, 2, RW, SHARED, OBJECT, 0), 0);
    vm_put(vm_page(20), 1);
    assert_int_equal(advise(10, 12, CAIRN_ADVISE_DONT_NEED), 0);
    vm_sound();
    assert_int_equal(vm_figures().frames_free, FRAMES);
    assert_int_equal(vm_file[0], 1);
    vm_expect_pages(SPACE, 10, 10, 1);
    assert_int_equal(vm_get(vm_page(20)), 1);
    assert_int_equal(cairn_space_pin(SPACE, vm_page(19), R, &memory, &run), 0);
    assert_int_equal(advise(10, 10, CAIRN_ADVISE_DONT_NEED), CAIRN_EBUSY);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(19)), 0);
}

static void free_forgets_what_is_the_ranges_own(void **state)
{
    (void)state;
    ten_pages();
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 20, 4, RW, 0, OBJECT, 0), 0);
    vm_put(vm_page(20), 1); // private
    vm_put(vm_page(21), 2);
    assert_int_equal(advise(12, 9, CAIRN_ADVISE_FREE), 0);
    vm_sound();
    vm_expect_pages(SPACE, 10, 2, 1);
    for (uint32_t page = 12; page < 20; page++) {
        assert_int_equal(vm_get(vm_page(page)), 0);
    }
    assert_int_equal(vm_get(vm_page(20)), FILE_WORD(0, 0));
    assert_int_equal(vm_get(vm_page(21)), 2);
    assert_int_equal(advise(10, 14, CAIRN_ADVISE_FREE), 0);
    assert_int_equal(vm_space_figures(SPACE).resident + vm_space_figures(SPACE).swapped, 0);
    assert_int_equal(vm_figures().slots_used, 0);
    EXPECT_MAPS(SPACE, 10, 10, RW, 20, 4, RW); // it is mapped still
}

static void free_leaves_what_is_shared(void **state)
{
    struct cairn_space child;
    (void)state;
    ten_pages();
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 20, 4, RW, SHARED, OBJECT, 0), 0);
    vm_put(vm_page(20), 1);
    assert_int_equal(cairn_space_fork(&child, SPACE), 0);
    assert_int_equal(advise(10, 14, CAIRN_ADVISE_FREE), 0);
    vm_sound();
    assert_int_equal(vm_get(vm_page(20)), 1);
    assert_int_equal(vm_get(vm_page(10)), 0); // what was a child's as well is forgotten here,
    vm_expect_pages(&child, 10, 10, 1);       // and not there
    assert_int_equal(cairn_space_deinit(&child), 0);
}

static void free_stops_at_a_page_that_is_pinned(void **state)
{
    (void)state;
    ten_pages();
    assert_int_equal(cairn_space_pin(SPACE, vm_page(14), R, &memory, &run), 0);
    assert_int_equal(advise(13, 4, CAIRN_ADVISE_FREE), CAIRN_EBUSY);
    vm_sound();
    vm_expect_pages(SPACE, 14, 1, 1);
    vm_expect_pages(SPACE, 10, 3, 1);
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(14)), 0);
}

static void advice_on_what_is_not_mapped_is_refused(void **state)
{
    (void)state;
    ten_pages();
    for (uint32_t advice = 0; advice < 3; advice++) {
        REFUSES(CAIRN_EFAULT, advise(19, 2, (enum cairn_advice)advice));
        REFUSES(CAIRN_EFAULT, advise(9, 2, (enum cairn_advice)advice));
        REFUSES(CAIRN_EINVAL, cairn_space_advise(SPACE, vm_page(10) + 4, PAGE, (enum cairn_advice)advice));
        REFUSES(CAIRN_EINVAL, cairn_space_advise(SPACE, vm_page(10), 0, (enum cairn_advice)advice));
        REFUSES(CAIRN_EINVAL, cairn_space_advise(NULL, vm_page(10), PAGE, (enum cairn_advice)advice));
    }
    REFUSES(CAIRN_EINVAL, advise(10, 1, (enum cairn_advice)3));
    REFUSES(CAIRN_EFAULT, lock(19, 2));
    REFUSES(CAIRN_EFAULT, unlock(9, 2));
    REFUSES(CAIRN_EINVAL, cairn_space_lock(NULL, vm_page(10), PAGE));
    REFUSES(CAIRN_EINVAL, cairn_space_unlock(SPACE, vm_page(10), 1));
}

// ---------------------------------------------------------------------------------------------------------------------- locks

static void pages_that_are_locked_stay_in_frames(void **state)
{
    (void)state;
    ten_pages();
    assert_int_equal(lock(12, 2), 0);
    EXPECT_MAPS(SPACE, 10, 2, RW, 12, 2, RW, 14, 6, RW);
    for (uint32_t round = 0; round < 2; round++) {
        vm_expect_pages(SPACE, 14, 6, 1);
        assert_true(vm_is_resident(SPACE, 12));
        assert_true(vm_is_resident(SPACE, 13));
    }
    const uint32_t faults = vm_space_figures(SPACE).major;
    vm_expect_pages(SPACE, 12, 2, 1);
    vm_put(vm_page(12), vm_get(vm_page(12)));
    assert_int_equal(vm_space_figures(SPACE).major, faults);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(12)), CAIRN_EBUSY);
    assert_int_equal(advise(13, 1, CAIRN_ADVISE_FREE), CAIRN_EBUSY);
    assert_int_equal(cairn_space_suspend(SPACE), CAIRN_EBUSY);
    assert_int_equal(unlock(10, 10), 0); // pages that are not do no harm
    EXPECT_MAPS(SPACE, 10, 10, RW);
    assert_int_equal(pins(SPACE, 12), 0);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(12)), 0);
    vm_expect_pages(SPACE, 10, 10, 1);
}

static void a_lock_is_held_once(void **state)
{
    (void)state;
    ten_pages();
    assert_int_equal(lock(12, 2), 0);
    REFUSES(CAIRN_EBUSY, lock(13, 2));
    REFUSES(CAIRN_EBUSY, lock(11, 2));
    assert_int_equal(pins(SPACE, 12), 1);
    assert_int_equal(unlock(12, 1), 0); // half of it
    EXPECT_MAPS(SPACE, 10, 3, RW, 13, 1, RW, 14, 6, RW);
    assert_int_equal(pins(SPACE, 12), 0);
    assert_int_equal(pins(SPACE, 13), 1);
    assert_int_equal(lock(14, 1), 0);
    EXPECT_MAPS(SPACE, 10, 3, RW, 13, 2, RW, 15, 5, RW); // of two locks side by side, one mapping
}

static void a_pin_is_beside_the_lock(void **state)
{
    (void)state;
    ten_pages();
    assert_int_equal(lock(12, 1), 0);
    REFUSES(CAIRN_EINVAL, cairn_space_unpin(SPACE, vm_page(12))); // the lock's is none of the caller's
    assert_int_equal(cairn_space_pin(SPACE, vm_page(12), R, &memory, &run), 0);
    REFUSES(CAIRN_EBUSY, vm_unmap(SPACE, 12, 1));
    assert_int_equal(unlock(12, 1), 0);
    assert_int_equal(pins(SPACE, 12), 1);
    REFUSES(CAIRN_EBUSY, vm_unmap(SPACE, 12, 1));
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(12)), 0);
    REFUSES(CAIRN_EINVAL, cairn_space_unpin(SPACE, vm_page(12)));
}

static void unmapping_lets_locked_pages_go(void **state)
{
    (void)state;
    ten_pages();
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 20, 2, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(lock(19, 2), 0);
    assert_int_equal(vm_unmap(SPACE, 19, 2), 0);
    vm_sound();
    assert_int_equal(lock(13, 3), 0);
    assert_int_equal(vm_unmap(SPACE, 14, 1), 0); // the middle
    assert_int_equal(pins(SPACE, 13), 1);
    assert_int_equal(pins(SPACE, 15), 1);
    assert_int_equal(vm_map(SPACE, 13, 1, RW, CAIRN_MAP_REPLACE), 0);
    assert_int_equal(vm_get(vm_page(13)), 0);
    vm_sound(); // the tear-down ends the space while 15 is locked
}

static void a_locked_page_of_an_object_is_locked_for_all(void **state)
{
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 4, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_show(OTHER, 10, 4, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_map(SPACE, 30, 8, RW, 0), 0);
    assert_int_equal(lock(11, 1), 0);
    assert_int_equal(cairn_space_lock(OTHER, vm_page(11), PAGE), 0);
    assert_int_equal(pins(SPACE, 11), 2);
    REFUSES(CAIRN_EINVAL, cairn_space_unpin(SPACE, vm_page(11)));
    vm_write_pages(SPACE, 30, 8, 1);
    assert_true(vm_is_resident(OTHER, 11));
    vm_put(vm_page(11), 3);
    assert_int_equal(cairn_space_sync(SPACE, vm_page(11), PAGE), 0); // it is written, and stays
    assert_int_equal(vm_file[PAGE / 4], 3);
    assert_int_equal(vm_unmap(SPACE, 11, 1), 0);
    vm_write_pages(SPACE, 30, 8, 1);
    assert_int_equal(pins(OTHER, 11), 1);
    assert_int_equal(cairn_space_unlock(OTHER, vm_page(10), 4 * PAGE), 0);
    assert_int_equal(pins(OTHER, 11), 0);
    vm_sound();
}

static void a_locked_private_page_is_the_spaces_own(void **state)
{
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_show(SPACE, 10, 2, RW, 0, OBJECT, 0), 0);
    assert_int_equal(lock(10, 2), 0);
    assert_int_equal(vm_space_figures(SPACE).copies, 2);
    assert_int_equal(vm_space_figures(SPACE).resident, 2);
    const uint32_t minor = vm_space_figures(SPACE).minor;
    vm_put(vm_page(11), 3); // needs nothing more
    assert_int_equal(vm_space_figures(SPACE).minor, minor);
    vm_sound();
}

static void a_child_has_no_locks(void **state)
{
    struct cairn_space child;
    (void)state;
    ten_pages();
    assert_int_equal(lock(12, 2), 0);
    assert_int_equal(cairn_space_fork(&child, SPACE), 0);
    vm_sound();
    assert_int_equal(pins(SPACE, 12), 1);
    vm_expect_pages(&child, 10, 10, 1);
    assert_int_equal(cairn_space_lock(&child, vm_page(12), PAGE), 0);
    assert_int_equal(cairn_space_deinit(&child), 0);
    vm_expect_pages(SPACE, 10, 10, 1);
}

static void locking_memory_in_place_costs_nothing(void **state)
{
    static const unsigned char code[2 * PAGE] = {1};
    const struct cairn_map map = {.address = vm_page(10), .size = 2 * PAGE, .protection = R, .flags = CAIRN_MAP_FIXED, .memory = code};
    (void)state;
    assert_int_equal(cairn_space_map_range(SPACE, &map, NULL), 0);
    assert_int_equal(vm_map(SPACE, 12, 1, RW, 0), 0);
    assert_int_equal(lock(10, 3), 0);
    assert_int_equal(vm_figures().frames_free, FRAMES - 1);
    assert_int_equal(unlock(10, 3), 0);
    vm_sound();
}

static void more_than_the_frames_is_not_locked_and_nothing_is(void **state)
{
    (void)state;
    ten_pages();
    assert_int_equal(lock(10, FRAMES + 1), CAIRN_ENOMEM);
    EXPECT_MAPS(SPACE, 10, 10, RW);
    for (uint32_t frame = 0; frame < FRAMES; frame++) {
        assert_int_equal(VM->table[frame].pins, 0);
    }
    vm_expect_pages(SPACE, 10, 10, 1);
    assert_int_equal(lock(10, FRAMES), 0); // all of them
    assert_int_equal(load_at(vm_page(15)), CAIRN_ENOMEM);
    assert_int_equal(unlock(10, FRAMES), 0);
}

static void a_lock_that_fails_halfway_has_locked_nothing(void **state)
{
    (void)state;
    vm_object_of_file(4);
    assert_int_equal(vm_map(SPACE, 10, 1, RW, 0), 0);
    assert_int_equal(vm_show(SPACE, 11, 2, RW, SHARED, OBJECT, 0), 0);
    assert_int_equal(vm_map(SPACE, 13, 2, 0, 0), 0);
    for (uint32_t nth = 1; nth < 3; nth++) {
        vm_file_fail(nth);
        assert_int_equal(lock(10, 3), CAIRN_ECORRUPT);
        for (uint32_t frame = 0; frame < FRAMES; frame++) {
            assert_int_equal(VM->table[frame].pins, 0);
        }
        vm_sound();
        assert_int_equal(advise(10, 3, CAIRN_ADVISE_DONT_NEED), 0);
    }
    assert_int_equal(lock(10, 5), CAIRN_EACCES); // a guard is among them
    vm_sound();
    EXPECT_MAPS(SPACE, 10, 1, RW, 11, 2, RW, 13, 2, 0);
    assert_int_equal(lock(10, 3), 0);
}

static int open_guard(void *context, struct cairn_space *space, const struct cairn_vm_fault *fault)
{
    (void)context;
    return cairn_space_protect_range(space, fault->address & ~(cairn_vaddr_t)(PAGE - 1), PAGE, RW);
}

// What the handler allows makes one mapping of all: the lock is on what was asked for, all the same.
static void a_guard_that_opens_does_not_widen_the_lock(void **state)
{
    (void)state;
    assert_int_equal(vm_map(SPACE, 10, 6, RW, 0), 0);
    assert_int_equal(vm_protect(SPACE, 12, 1, 0), 0);
    SPACE->handler = open_guard;
    assert_int_equal(lock(11, 2), 0);
    EXPECT_MAPS(SPACE, 10, 1, RW, 11, 2, RW, 13, 3, RW);
    vm_put(vm_page(14), 14);
    vm_sound();
    assert_int_equal(cairn_space_unlock(SPACE, vm_page(10), 6 * PAGE), 0);
    EXPECT_MAPS(SPACE, 10, 6, RW);
    for (uint32_t frame = 0; frame < FRAMES; frame++) {
        assert_int_equal(VM->table[frame].pins, 0);
    }
}

static int open_and_lock(void *context, struct cairn_space *space, const struct cairn_vm_fault *fault)
{
    const int error = open_guard(context, space, fault);
    return error != 0 ? error : cairn_space_lock(space, fault->address & ~(cairn_vaddr_t)(PAGE - 1), PAGE);
}

static void a_page_that_the_handler_locks_is_not_locked_twice(void **state)
{
    (void)state;
    assert_int_equal(vm_map(SPACE, 10, 6, RW, 0), 0);
    assert_int_equal(vm_protect(SPACE, 12, 1, 0), 0);
    SPACE->handler = open_and_lock;
    assert_int_equal(lock(11, 2), CAIRN_EBUSY);
    vm_sound();
    assert_int_equal(cairn_space_unlock(SPACE, vm_page(10), 6 * PAGE), 0);
    for (uint32_t frame = 0; frame < FRAMES; frame++) {
        assert_int_equal(VM->table[frame].pins, 0);
    }
}

static void a_page_with_all_its_pins_is_not_locked(void **state)
{
    (void)state;
    ten_pages();
    for (uint32_t i = 0; i < 255; i++) {
        assert_int_equal(cairn_space_pin(SPACE, vm_page(11), R, &memory, &run), 0);
    }
    assert_int_equal(lock(10, 2), CAIRN_EOVERFLOW);
    assert_int_equal(pins(SPACE, 10), 0);
    vm_sound();
    for (uint32_t i = 0; i < 255; i++) {
        assert_int_equal(cairn_space_unpin(SPACE, vm_page(11)), 0);
    }
}

static void a_locked_stack_stays_as_long_as_it_is(void **state)
{
    const struct cairn_map map = {
        .address = vm_page(20), .size = PAGE, .protection = RW, .flags = CAIRN_MAP_FIXED | CAIRN_MAP_GROWS_DOWN, .grow = vm_page(4)};
    (void)state;
    assert_int_equal(cairn_space_map_range(SPACE, &map, NULL), 0);
    vm_put(vm_page(19), 1);
    assert_int_equal(lock(19, 2), 0);
    assert_int_equal(load_at(vm_page(18)), CAIRN_EFAULT);
    EXPECT_MAPS(SPACE, 19, 2, RW);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        OBJECTS_UNIT(will_need_brings_in_as_far_as_frames_are_free),
        OBJECTS_UNIT(will_need_of_an_object_reads_its_pages),
        OBJECTS_UNIT(dont_need_makes_room_and_loses_nothing),
        OBJECTS_UNIT(free_forgets_what_is_the_ranges_own),
        OBJECTS_UNIT(free_leaves_what_is_shared),
        OBJECTS_UNIT(free_stops_at_a_page_that_is_pinned),
        OBJECTS_UNIT(advice_on_what_is_not_mapped_is_refused),
        OBJECTS_UNIT(pages_that_are_locked_stay_in_frames),
        OBJECTS_UNIT(a_lock_is_held_once),
        OBJECTS_UNIT(a_pin_is_beside_the_lock),
        OBJECTS_UNIT(unmapping_lets_locked_pages_go),
        OBJECTS_UNIT(a_locked_page_of_an_object_is_locked_for_all),
        OBJECTS_UNIT(a_locked_private_page_is_the_spaces_own),
        OBJECTS_UNIT(a_child_has_no_locks),
        OBJECTS_UNIT(locking_memory_in_place_costs_nothing),
        OBJECTS_UNIT(more_than_the_frames_is_not_locked_and_nothing_is),
        OBJECTS_UNIT(a_lock_that_fails_halfway_has_locked_nothing),
        OBJECTS_UNIT(a_guard_that_opens_does_not_widen_the_lock),
        OBJECTS_UNIT(a_page_that_the_handler_locks_is_not_locked_twice),
        OBJECTS_UNIT(a_page_with_all_its_pins_is_not_locked),
        OBJECTS_UNIT(a_locked_stack_stays_as_long_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
