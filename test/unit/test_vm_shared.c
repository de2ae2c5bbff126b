// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/object.c promises of shared memory by key: creating, attaching, detaching, removing, and who may.
// CALLERS     ctest, on every preset.
#include "vm_objects.h"

#define R CAIRN_READ
#define SHARED CAIRN_MAP_SHARED
#define KEY 77u

static void make_shared(uint32_t protection, uint32_t others)
{
    assert_int_equal(cairn_shared_create(SECOND, SPACE, KEY, 3 * PAGE, protection, others), 0);
}

static cairn_vaddr_t attach(struct cairn_space *space, uint32_t page, uint32_t protection)
{
    cairn_vaddr_t address = vm_page(page);
    assert_int_equal(cairn_shared_attach(space, KEY, protection, &address), 0);
    vm_sound();
    return address;
}

static void shared_memory_by_key_shows_each_the_others_writes(void **state)
{
    (void)state;
    make_shared(RW, RW);
    assert_int_equal(attach(SPACE, 10, RW), vm_page(10));
    const cairn_vaddr_t there = attach(OTHER, 0, RW);
    assert_int_equal(there, vm_page(253));
    vm_put(vm_page(11), 1);
    cairn_space_switch(VM, OTHER);
    assert_int_equal(vm_get(there + PAGE), 1);
    vm_put(there + PAGE, 2);
    cairn_space_switch(VM, SPACE);
    assert_int_equal(vm_get(vm_page(11)), 2);
    cairn_space_switch(VM, OTHER);
    vm_put(there + PAGE, 3); // by the TLB
    cairn_space_switch(VM, SPACE);
    assert_int_equal(vm_get(vm_page(11)), 3);
}

static void keys_that_are_none_or_taken_are_refused(void **state)
{
    cairn_vaddr_t address = 0;
    (void)state;
    make_shared(RW, RW);
    REFUSES(CAIRN_EBUSY, cairn_shared_create(OBJECT, OTHER, KEY, PAGE, RW, RW));
    REFUSES(CAIRN_EINVAL, cairn_shared_create(OBJECT, OTHER, 0, PAGE, RW, RW));
    REFUSES(CAIRN_EINVAL, cairn_shared_create(OBJECT, NULL, 5, PAGE, RW, RW));
    REFUSES(CAIRN_EINVAL, cairn_shared_create(OBJECT, OTHER, 5, PAGE + 1, RW, RW));
    REFUSES(CAIRN_EINVAL, cairn_shared_create(OBJECT, OTHER, 5, PAGE, 16, RW));
    REFUSES(CAIRN_EINVAL, cairn_shared_create(OBJECT, OTHER, 5, PAGE, RW, CAIRN_WRITE));
    REFUSES(CAIRN_EINVAL, cairn_shared_create(NULL, OTHER, 5, PAGE, RW, RW));
    REFUSES(CAIRN_ENOENT, cairn_shared_attach(SPACE, 5, R, &address));
    REFUSES(CAIRN_EINVAL, cairn_shared_attach(SPACE, 0, R, &address));
    REFUSES(CAIRN_EINVAL, cairn_shared_attach(SPACE, KEY, R, NULL));
    REFUSES(CAIRN_EINVAL, cairn_shared_attach(NULL, KEY, R, &address));
    REFUSES(CAIRN_ENOENT, cairn_shared_remove(VM, 5));
    REFUSES(CAIRN_ENOENT, cairn_shared_remove(VM, 0));
    assert_int_equal(address, 0);
    assert_int_equal(vm_map(SPACE, 12, 1, RW, 0), 0);
    address = vm_page(10);
    REFUSES(CAIRN_EBUSY, cairn_shared_attach(SPACE, KEY, R, &address));
    address += 4;
    REFUSES(CAIRN_EINVAL, cairn_shared_attach(SPACE, KEY, R, &address));
    assert_int_equal(address, vm_page(10) + 4);
    REFUSES(CAIRN_EINVAL, cairn_shared_detach(SPACE, vm_page(12))); // not of shared memory
    REFUSES(CAIRN_EINVAL, cairn_shared_detach(SPACE, vm_page(20)));
    REFUSES(CAIRN_EINVAL, cairn_shared_detach(NULL, vm_page(20)));
}

static void the_owner_may_do_more_than_others(void **state)
{
    cairn_vaddr_t address = 0;
    (void)state;
    make_shared(RW, R);
    (void)attach(SPACE, 10, RW);
    REFUSES(CAIRN_EACCES, cairn_shared_attach(OTHER, KEY, RW, &address));
    REFUSES(CAIRN_EACCES, cairn_shared_attach(OTHER, KEY, R | CAIRN_EXEC, &address));
    REFUSES(CAIRN_EACCES, cairn_shared_attach(SPACE, KEY, R | CAIRN_EXEC, &address));
    (void)attach(OTHER, 10, R);
    REFUSES(CAIRN_EACCES, vm_protect(OTHER, 10, 3, RW));
    assert_int_equal(vm_show(OTHER, 20, 3, RW, 0, SECOND, 0), 0); // its own copy is its own
    vm_put(vm_page(10), 1);
    vm_set(OTHER, vm_page(20), 2);
    assert_int_equal(vm_get(vm_page(10)), 1);
    SECOND->others = 0;
    assert_int_equal(vm_unmap(OTHER, 1, 255), 0);
    REFUSES(CAIRN_EACCES, cairn_shared_attach(OTHER, KEY, R, &address));
    REFUSES(CAIRN_EACCES, vm_show(OTHER, 20, 3, RW, 0, SECOND, 0));
}

// Else a new space at the same place would be taken for it.
static void the_owner_ends_and_nobody_is_owner(void **state)
{
    cairn_vaddr_t address = 0;
    (void)state;
    assert_int_equal(cairn_shared_create(SECOND, OTHER, KEY, 3 * PAGE, RW, R), 0);
    (void)attach(OTHER, 10, RW);
    assert_int_equal(cairn_space_deinit(OTHER), 0);
    vm_sound();
    assert_int_equal(cairn_space_init(OTHER, VM), 0);
    assert_int_equal(cairn_shared_attach(OTHER, KEY, RW, &address), CAIRN_EACCES);
    (void)attach(OTHER, 10, R);
    assert_int_equal(cairn_shared_detach(OTHER, vm_page(10)), 0);
}

static void a_childs_rights_are_those_of_others(void **state)
{
    struct cairn_space child;
    (void)state;
    make_shared(RW, R);
    (void)attach(SPACE, 10, RW);
    assert_int_equal(cairn_space_fork(&child, SPACE), 0);
    vm_set(&child, vm_page(10), 4); // what the parent had mapped it has mapped
    assert_int_equal(vm_get(vm_page(10)), 4);
    assert_int_equal(cairn_shared_detach(&child, vm_page(10)), 0);
    cairn_vaddr_t address = 0;
    assert_int_equal(cairn_shared_attach(&child, KEY, RW, &address), CAIRN_EACCES);
    assert_int_equal(cairn_space_deinit(&child), 0);
}

static void detach_unmaps_it_there_and_it_stays(void **state)
{
    void *memory;
    size_t run;
    (void)state;
    make_shared(RW, RW);
    (void)attach(SPACE, 10, RW);
    (void)attach(SPACE, 20, R);
    vm_put(vm_page(11), 1);
    REFUSES(CAIRN_EINVAL, cairn_shared_detach(SPACE, vm_page(11)));
    REFUSES(CAIRN_EINVAL, cairn_shared_detach(SPACE, vm_page(10) + 4));
    assert_int_equal(cairn_space_pin(SPACE, vm_page(11), RW, &memory, &run), 0);
    REFUSES(CAIRN_EBUSY, cairn_shared_detach(SPACE, vm_page(10)));
    assert_int_equal(cairn_space_unpin(SPACE, vm_page(11)), 0);
    assert_int_equal(cairn_shared_detach(SPACE, vm_page(10)), 0);
    EXPECT_MAPS(SPACE, 20, 3, R);
    assert_int_equal(cairn_shared_detach(SPACE, vm_page(20)), 0);
    EXPECT_NO_MAPS(SPACE);
    (void)attach(SPACE, 30, R);
    assert_int_equal(vm_get(vm_page(31)), 1);
}

static void detach_leaves_what_came_in_its_place(void **state)
{
    (void)state;
    make_shared(RW, RW);
    (void)attach(SPACE, 10, RW);
    assert_int_equal(vm_map(SPACE, 11, 1, RW, CAIRN_MAP_REPLACE), 0);
    vm_put(vm_page(11), 7);
    assert_int_equal(cairn_shared_detach(SPACE, vm_page(10)), 0);
    EXPECT_MAPS(SPACE, 11, 1, RW);
    assert_int_equal(vm_get(vm_page(11)), 7);
}

static void removed_memory_ends_with_its_last_mapping(void **state)
{
    (void)state;
    make_shared(RW, RW);
    (void)attach(SPACE, 10, RW);
    (void)attach(OTHER, 10, RW);
    vm_put(vm_page(10), 1);
    assert_int_equal(cairn_shared_remove(VM, KEY), 0);
    cairn_vaddr_t address = 0;
    REFUSES(CAIRN_ENOENT, cairn_shared_attach(SPACE, KEY, RW, &address));
    assert_int_equal(cairn_shared_create(OBJECT, OTHER, KEY, PAGE, RW, RW), 0); // the key is free
    assert_int_equal(vm_look(OTHER, vm_page(10)), 1);
    assert_int_equal(cairn_shared_detach(SPACE, vm_page(10)), 0);
    assert_non_null(SECOND->pages.vm);
    assert_int_equal(cairn_space_deinit(OTHER), 0);
    assert_null(SECOND->pages.vm);
    assert_int_equal(VM->committed, 1);
    vm_sound();
}

static void removed_memory_that_is_not_mapped_ends_at_once(void **state)
{
    (void)state;
    make_shared(RW, RW);
    (void)attach(SPACE, 10, RW);
    vm_put(vm_page(10), 1);
    assert_int_equal(cairn_shared_detach(SPACE, vm_page(10)), 0);
    assert_int_equal(cairn_shared_remove(VM, KEY), 0);
    assert_null(SECOND->pages.vm);
    assert_int_equal(vm_figures().frames_free, FRAMES);
    assert_int_equal(VM->committed, 0);
    vm_sound();
}

// What is mapped in its own place is mapped still.
static void removed_memory_that_replaces_itself_stays(void **state)
{
    (void)state;
    make_shared(RW, RW);
    (void)attach(SPACE, 10, RW);
    vm_put(vm_page(11), 1);
    assert_int_equal(cairn_shared_remove(VM, KEY), 0);
    assert_int_equal(vm_show(SPACE, 10, 3, R, SHARED | CAIRN_MAP_REPLACE, SECOND, 0), 0);
    vm_sound();
    assert_int_equal(vm_get(vm_page(11)), 1);
    assert_int_equal(vm_map(SPACE, 10, 3, R, CAIRN_MAP_REPLACE), 0); // now it ends
    assert_null(SECOND->pages.vm);
    vm_sound();
}

static void shared_memory_is_a_promise(void **state)
{
    (void)state;
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_STRICT, 4 * PAGE), 0);
    make_shared(RW, RW);
    REFUSES(CAIRN_ENOMEM, cairn_shared_create(OBJECT, SPACE, 5, 2 * PAGE, RW, RW));
    assert_null(OBJECT->pages.vm);
    assert_int_equal(cairn_shared_create(OBJECT, SPACE, 5, PAGE, RW, RW), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        OBJECTS_UNIT(shared_memory_by_key_shows_each_the_others_writes),
        OBJECTS_UNIT(keys_that_are_none_or_taken_are_refused),
        OBJECTS_UNIT(the_owner_may_do_more_than_others),
        OBJECTS_UNIT(the_owner_ends_and_nobody_is_owner),
        OBJECTS_UNIT(a_childs_rights_are_those_of_others),
        OBJECTS_UNIT(detach_unmaps_it_there_and_it_stays),
        OBJECTS_UNIT(detach_leaves_what_came_in_its_place),
        OBJECTS_UNIT(removed_memory_ends_with_its_last_mapping),
        OBJECTS_UNIT(removed_memory_that_is_not_mapped_ends_at_once),
        OBJECTS_UNIT(removed_memory_that_replaces_itself_stays),
        OBJECTS_UNIT(shared_memory_is_a_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
