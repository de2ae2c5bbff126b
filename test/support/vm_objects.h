// SPDX-License-Identifier: MIT
//
// Two spaces with nothing in them, and a file that objects are made of: what tests of object.h begin with.
//
// OWNS        a file of 8 pages in RAM, whose reads, writes and syncs are counted and can be made to fail; two objects.
// PICTURE     set-up: as vm_fixture.h, but nothing is mapped, OTHER is a space too
//             -> the test -> tear-down: spaces end, then objects, then as vm_fixture.h
// INVARIANTS  1. A word of the file as it is made says where it is: FILE_WORD(page, word).
// COST        2 KB of RAM beside vm_fixture.h's.
// CALLERS     test/unit/test_vm_mapping.c, test_vm_commit.c, test_vm_object.c, test_vm_shared.c, test_vm_share.c, test_vm_advise.c, test_vm_merge.c, test_vm_brk.c,
//             test_vm_check_share.c.
#ifndef CAIRN_TEST_VM_OBJECTS_H
#define CAIRN_TEST_VM_OBJECTS_H

#include "vm_fixture.h"

#include "cairn/object.h"

#define FILE_PAGES 8u
#define FILE_WORD(page, word) (0xF1000000u + (page) * 0x100u + (word))
#define OBJECT (&vm_objects.object)
#define SECOND (&vm_objects.second)

struct vm_objects {
    struct cairn_object object, second;
    struct cairn_port_store file;
    uint32_t calls;   // of read, write and sync
    uint32_t fail_at; // the number of the call that fails; 0: none
    uint32_t fail_for; // so many from there; 0: one
    int error;        // with which; 0: one that says what failed
    uint32_t reads, writes, syncs;
};

extern struct vm_objects vm_objects;
extern uint32_t vm_file[FILE_PAGES * PAGE / 4];

int vm_objects_setup(void **state);
int vm_objects_teardown(void **state);

// The file's calls from the next on: the nth (1 ...) fails; 0: none.
void vm_file_fail(uint32_t nth);

// Make OBJECT of the file's first pages; SECOND of no store.
void vm_object_of_file(uint32_t pages);
void vm_object_of_zeros(uint32_t pages);

// Map pages at a page: FIXED, if flags do not say REPLACE. Returns what the call does.
int vm_map(struct cairn_space *space, uint32_t page, uint32_t pages, uint32_t protection, uint32_t flags);
int vm_show(struct cairn_space *space, uint32_t page, uint32_t pages, uint32_t protection, uint32_t flags, struct cairn_object *object, uint32_t offset);
int vm_unmap(struct cairn_space *space, uint32_t page, uint32_t pages);
int vm_protect(struct cairn_space *space, uint32_t page, uint32_t pages, uint32_t protection);

// The mappings of a space are these: first page, pages and protection of each; 0.
void vm_expect_maps(const struct cairn_space *space, const uint32_t *maps);
#define EXPECT_MAPS(space, ...) vm_expect_maps(space, (const uint32_t[]){__VA_ARGS__, 0})
#define EXPECT_NO_MAPS(space) vm_expect_maps(space, (const uint32_t[]){0})

// A number of what is promised, mapped and counted: equal where nothing has changed but nodes that were taken and given back.
uint32_t vm_shape(void);

// The call fails with this, and nothing has changed; the second time not a byte has, since the nodes that it took and gave back are where they were.
#define REFUSES(expected, call) \
    do { \
        const uint32_t shape_before = vm_shape(); \
        assert_int_equal(call, expected); \
        assert_int_equal(vm_shape(), shape_before); \
        const uint32_t image_before = vm_image(); \
        assert_int_equal(call, expected); \
        assert_int_equal(vm_image(), image_before); \
        vm_sound(); \
    } while (0)

// A word of a space, which need not be current; goes round the TLB.
uint32_t vm_look(struct cairn_space *space, cairn_vaddr_t address);
void vm_set(struct cairn_space *space, cairn_vaddr_t address, uint32_t value);

#define OBJECTS_UNIT(test) cmocka_unit_test_setup_teardown(test, vm_objects_setup, vm_objects_teardown)

#endif
