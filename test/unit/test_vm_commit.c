// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/mapping.c promises of promises: what counts, how much, and what is refused.
// CALLERS     ctest, on every preset.
#include "vm_objects.h"

#define R CAIRN_READ

static void overcommit_is_refused_when_strict(void **state)
{
    (void)state;
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_STRICT, 10 * PAGE), 0);
    assert_int_equal(vm_map(SPACE, 10, 6, RW, 0), 0);
    REFUSES(CAIRN_ENOMEM, vm_map(SPACE, 20, 5, RW, 0));
    assert_int_equal(vm_map(SPACE, 20, 4, RW, 0), 0);
    REFUSES(CAIRN_ENOMEM, vm_map(OTHER, 20, 1, RW, 0));
    assert_int_equal(vm_map(OTHER, 20, 50, R, 0), 0); // never written: needs nothing
    assert_int_equal(vm_map(OTHER, 80, 50, 0, 0), 0);
    assert_int_equal(vm_unmap(SPACE, 11, 2), 0);
    assert_int_equal(vm_map(OTHER, 140, 2, RW, 0), 0);
    assert_int_equal(VM->committed, 10);
}

// All that was promised can be written, with a frame less than there are.
static void what_was_promised_can_be_written(void **state)
{
    const uint32_t most = FRAMES - 1 + SLOTS;
    (void)state;
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_STRICT, 0), 0);
    REFUSES(CAIRN_ENOMEM, vm_map(SPACE, 10, most + 1, RW, 0));
    assert_int_equal(vm_map(SPACE, 10, most, RW, 0), 0);
    vm_write_pages(SPACE, 10, most, 1);
    vm_expect_pages(SPACE, 10, most, 1);
}

static void a_limit_of_less_than_a_page_promises_nothing(void **state)
{
    (void)state;
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_STRICT, PAGE - 1), 0);
    REFUSES(CAIRN_ENOMEM, vm_map(SPACE, 10, 1, RW, 0));
    REFUSES(CAIRN_EINVAL, cairn_vm_commit(VM, (enum cairn_commit)3, 0));
    REFUSES(CAIRN_EINVAL, cairn_vm_commit(NULL, CAIRN_COMMIT_STRICT, 0));
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_UNLIMITED, 0), 0);
    assert_int_equal(vm_map(SPACE, 10, 200, RW, 0), 0);
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_STRICT, 10 * PAGE), 0); // what is mapped already stays
    REFUSES(CAIRN_ENOMEM, vm_map(SPACE, 240, 1, RW, 0));
    assert_int_equal(vm_map(SPACE, 240, 1, R, 0), 0);
}

static void one_range_larger_than_the_machine_is_refused_by_the_heuristic(void **state)
{
    const uint32_t most = FRAMES - 1 + SLOTS;
    (void)state;
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_HEURISTIC, 0), 0);
    REFUSES(CAIRN_ENOMEM, vm_map(SPACE, 10, most + 1, RW, 0));
    assert_int_equal(vm_map(SPACE, 10, most, RW, 0), 0);
    assert_int_equal(vm_map(SPACE, 100, most, RW, 0), 0);
}

static void protection_that_lets_write_is_a_promise(void **state)
{
    (void)state;
    vm_object_of_file(8);
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_STRICT, 6 * PAGE), 0);
    assert_int_equal(vm_map(SPACE, 10, 8, R, 0), 0);
    assert_int_equal(vm_show(SPACE, 20, 8, R, 0, OBJECT, 0), 0);
    assert_int_equal(vm_show(SPACE, 30, 8, RW, CAIRN_MAP_SHARED, OBJECT, 0), 0); // the object's store keeps it
    assert_int_equal(VM->committed, 0);
    REFUSES(CAIRN_ENOMEM, vm_protect(SPACE, 10, 8, RW));
    assert_int_equal(vm_protect(SPACE, 10, 3, RW), 0);
    assert_int_equal(VM->committed, 3);
    assert_int_equal(vm_protect(SPACE, 20, 3, RW), 0);
    assert_int_equal(VM->committed, 6);
    REFUSES(CAIRN_ENOMEM, vm_protect(SPACE, 22, 2, RW)); // one of them is promised already
    assert_int_equal(vm_protect(SPACE, 10, 3, R), 0);
    assert_int_equal(VM->committed, 6); // it was written, and may be there
    assert_int_equal(vm_unmap(SPACE, 10, 2), 0);
    assert_int_equal(vm_protect(SPACE, 22, 2, RW), 0);
    assert_int_equal(VM->committed, 5);
}

static void fork_is_a_promise_and_refused(void **state)
{
    struct cairn_space child;
    (void)state;
    assert_int_equal(vm_map(SPACE, 10, 4, RW, 0), 0);
    assert_int_equal(vm_map(SPACE, 20, 2, R, 0), 0);
    assert_int_equal(vm_map(SPACE, 30, 2, RW, 0), 0);
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_STRICT, 11 * PAGE), 0);
    assert_int_equal(cairn_space_fork(&child, SPACE), CAIRN_ENOMEM);
    assert_int_equal(VM->committed, 6);
    vm_sound();
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_STRICT, 12 * PAGE), 0);
    assert_int_equal(cairn_space_fork(&child, SPACE), 0);
    assert_int_equal(VM->committed, 12);
    assert_int_equal(cairn_space_deinit(&child), 0);
    assert_int_equal(VM->committed, 6);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        OBJECTS_UNIT(overcommit_is_refused_when_strict),
        OBJECTS_UNIT(what_was_promised_can_be_written),
        OBJECTS_UNIT(a_limit_of_less_than_a_page_promises_nothing),
        OBJECTS_UNIT(one_range_larger_than_the_machine_is_refused_by_the_heuristic),
        OBJECTS_UNIT(protection_that_lets_write_is_a_promise),
        OBJECTS_UNIT(fork_is_a_promise_and_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
