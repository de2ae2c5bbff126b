// SPDX-License-Identifier: MIT
//
// OWNS        concepts of a process's memory, a test each, which carries its name: the break, maps of files, sharing, copies, programs, promises, protection.
// CALLERS     ctest, on the host and one board.
#include "concepts.h"

#include "cairn/checkpoint.h"
#include "cairn/compressed.h"
#include "cairn/exec.h"
#include "cairn/store.h"
#include "elf_image.h"

// The end of the data: what is below it can be used, what is above cannot.
static void concept_brk(void **state)
{
    cairn_vaddr_t old = 0;
    (void)state;
    start_with(4);
    assert_int_equal(cairn_space_set_break(ONE, AT(4)), 0);
    assert_int_equal(load_answers(AT(4)), CAIRN_EFAULT);
    assert_int_equal(cairn_space_brk(ONE, AT(6) + 40), 0);
    put(AT(4), 1);
    put(AT(6), 2);
    assert_int_equal(cairn_space_sbrk(ONE, -(ptrdiff_t)PAGE, &old), 0);
    assert_int_equal(old, AT(6) + 40);
    assert_int_equal(load_answers(AT(6)), CAIRN_EFAULT);
    assert_int_equal(get(AT(4)), 1);
    assert_int_equal(cairn_space_brk(ONE, AT(3)), CAIRN_EINVAL); // below where it began
    finish();
}

// A file is memory: what is at an address is what is in the file there.
static void concept_mmap(void **state)
{
    cairn_vaddr_t address = 0;
    (void)state;
    start_with(4);
    open_file();
    const struct cairn_map anywhere = {.size = AT(3), .protection = CAIRN_READ, .flags = CAIRN_MAP_SHARED, .object = OBJECT, .offset = AT(2)};
    assert_int_equal(cairn_space_map_range(ONE, &anywhere, &address), 0);
    for (uint32_t page = 0; page < 3; page++) {
        assert_int_equal(get(address + AT(page)), FILE_WORD(2 + page));
    }
    const struct cairn_map there = {.address = AT(30), .size = AT(1), .protection = RW, .flags = CAIRN_MAP_FIXED};
    assert_int_equal(cairn_space_map_range(ONE, &there, NULL), 0);
    assert_int_equal(get(AT(30)), 0); // of no file: zeros
    assert_int_equal(cairn_space_map_range(ONE, &there, NULL), CAIRN_EBUSY);
    finish();
}

// Any part of what is mapped ends; its frames and tables are free again.
static void concept_munmap(void **state)
{
    (void)state;
    start_with(4);
    map(ONE, 1, 4, RW);
    for (uint32_t page = 1; page <= 4; page++) {
        put(AT(page), page);
    }
    assert_int_equal(figures().frames_free, 0);
    assert_int_equal(cairn_space_unmap_range(ONE, AT(2), AT(2)), 0);
    assert_int_equal(figures().frames_free, 2);
    assert_int_equal(load_answers(AT(2)), CAIRN_EFAULT);
    assert_int_equal(load_answers(AT(3)), CAIRN_EFAULT);
    assert_int_equal(get(AT(1)) + get(AT(4)), 5);
    assert_int_equal(cairn_space_unmap_range(ONE, AT(1), AT(4)), 0);
    assert_int_equal(figures().frames_free, 4);
    finish();
}

// What was stored is in the file when the call returns, and the file's store was told to make it safe.
static void concept_msync(void **state)
{
    (void)state;
    start_with(4);
    open_file();
    map_file(ONE, 10, 2, CAIRN_MAP_SHARED);
    put(AT(10), 77);
    put(AT(11), 88);
    assert_int_equal(machine.words[0][0], FILE_WORD(0));
    assert_int_equal(cairn_space_sync(ONE, AT(10), PAGE), 0);
    assert_int_equal(machine.words[0][0], 77);
    assert_int_equal(machine.words[1][0], FILE_WORD(1)); // that was not asked for
    assert_int_equal(machine.file_syncs, 1);
    finish();
    assert_int_equal(machine.words[1][0], 88);
}

// Of a file that is mapped nothing is read until it is looked at, and then a page.
static void concept_lazy_loading(void **state)
{
    (void)state;
    start_with(8);
    open_file();
    map_file(ONE, 10, FILE_PAGES, 0);
    assert_int_equal(machine.file_reads, 0);
    assert_int_equal(get(AT(13)), FILE_WORD(3));
    assert_int_equal(machine.file_reads, 1);
    assert_int_equal(get(AT(13)), FILE_WORD(3));
    assert_int_equal(machine.file_reads, 1);
    finish();
}

// All who map it shared have the same pages: a store is seen by the others at once, in one frame.
static void concept_shared_object(void **state)
{
    (void)state;
    start_with(4);
    open_file();
    map_file(ONE, 10, 1, CAIRN_MAP_SHARED);
    map_file(TWO, 20, 1, CAIRN_MAP_SHARED);
    put(AT(10), 5);
    cairn_space_switch(VM, TWO);
    assert_int_equal(get(AT(20)), 5);
    assert_int_equal(figures().frames_free, 3);
    assert_int_equal(figures_of(ONE).copies + figures_of(TWO).copies, 0);
    finish();
}

// Who maps it privately sees it until he stores: then the page is his own, a copy, and nobody else sees that.
static void concept_private_copy_on_write_object(void **state)
{
    (void)state;
    start_with(4);
    open_file();
    map_file(ONE, 10, 2, 0);
    map_file(TWO, 10, 2, 0);
    assert_int_equal(get(AT(10)), FILE_WORD(0));
    assert_int_equal(figures_of(ONE).copies, 0);
    put(AT(10), 5);
    assert_int_equal(figures_of(ONE).copies, 1);
    assert_int_equal(get(AT(10)), 5);
    assert_int_equal(get(AT(11)), FILE_WORD(1));
    cairn_space_switch(VM, TWO);
    assert_int_equal(get(AT(10)), FILE_WORD(0));
    assert_int_equal(cairn_object_sync(OBJECT), 0);
    assert_int_equal(machine.words[0][0], FILE_WORD(0));
    finish();
}

// Memory by a key, for who may have it; it is there until the last has let go.
static void concept_shared_memory(void **state)
{
    cairn_vaddr_t mine = 0, theirs = 0;
    (void)state;
    start_with(4);
    assert_int_equal(cairn_shared_create(OBJECT, ONE, 42, AT(2), RW, CAIRN_READ), 0);
    assert_int_equal(cairn_shared_attach(ONE, 42, RW, &mine), 0);
    assert_int_equal(cairn_shared_attach(TWO, 42, RW, &theirs), CAIRN_EACCES);
    assert_int_equal(cairn_shared_attach(TWO, 42, CAIRN_READ, &theirs), 0);
    put(mine + PAGE, 9);
    assert_int_equal(cairn_shared_remove(VM, 42), 0);
    assert_int_equal(cairn_shared_detach(ONE, mine), 0);
    cairn_space_switch(VM, TWO);
    assert_int_equal(get(theirs + PAGE), 9);
    assert_int_equal(cairn_shared_attach(ONE, 42, RW, &mine), CAIRN_ENOENT);
    assert_int_equal(cairn_shared_detach(TWO, theirs), 0);
    assert_null(OBJECT->pages.vm); // it ended
    finish();
}

// A copy of a space that costs tables only; a page is copied when one of the two stores to it.
static void concept_fork(void **state)
{
    static struct cairn_space child;
    (void)state;
    start_with(6);
    map(ONE, 1, 3, RW);
    for (uint32_t page = 1; page <= 3; page++) {
        put(AT(page), page);
    }
    assert_int_equal(cairn_space_fork(&child, ONE), 0);
    assert_int_equal(figures().frames_free, 3); // no page was copied
    put(AT(2), 20);
    cairn_space_switch(VM, &child);
    assert_int_equal(get(AT(1)), 1);
    assert_int_equal(get(AT(2)), 2);
    put(AT(3), 30);
    cairn_space_switch(VM, ONE);
    assert_int_equal(get(AT(2)), 20);
    assert_int_equal(get(AT(3)), 3);
    assert_int_equal(figures_of(ONE).copies + figures_of(&child).copies, 2);
    assert_int_equal(cairn_space_deinit(&child), 0);
    finish();
}

// A space becomes that of a program: what was there is gone; text is read and executed, data is the program's own, behind it are zeros; a stack with the arguments.
static void concept_exec(void **state)
{
    static unsigned char image[3 * PAGE];
    static const char *const arguments[] = {"one", "two", NULL};
    static struct cairn_exec program;
    struct cairn_store_ram ram;
    struct cairn_object object;
    (void)state;
    struct cairn_vm_config config = machine_config(8);
    config.bits[0] = config.bits[1] = 4;
    start(&config);
    elf_image_make(image, CAIRN_ELF_ARM);
    memset(image + IMAGE_SIZE, 0xEE, sizeof image - IMAGE_SIZE); // what is in the file behind the data
    assert_int_equal(cairn_store_ram_init(&ram, image, sizeof image, PAGE, 3), 0);
    const struct cairn_object_config its = {.size = sizeof image, .store = &ram.store};
    assert_int_equal(cairn_object_init(&object, VM, &its), 0);
    map(ONE, 2, 1, RW);
    put(AT(2), 1);
    const struct cairn_exec_config exec = {.image = &object, .size = IMAGE_SIZE, .arguments = arguments};
    image[0] ^= 1;
    assert_int_equal(cairn_space_exec(TWO, &exec, &program), CAIRN_ECORRUPT); // no program
    assert_int_equal(cairn_object_deinit(&object), 0);
    image[0] ^= 1;
    assert_int_equal(cairn_object_init(&object, VM, &its), 0);
    assert_int_equal(cairn_space_exec(ONE, &exec, &program), 0);
    assert_int_equal(load_answers(AT(2)), CAIRN_EFAULT);
    assert_int_equal(get(0x1000), elf_image_get(image, 0, 4));
    assert_int_equal(store_answers(0x1000), CAIRN_EACCES);
    assert_int_equal(get(0x11AC), elf_image_get(image, 0x12C, 4)); // the last word of the data
    for (uint32_t address = 0x11B0; address < 0x1220; address += 4) { // the rest of its page, and what is behind
        assert_int_equal(get(address), 0);
    }
    put(0x11B0, 1);
    assert_int_equal(get(program.sp), 2); // argc
    finish();
    assert_int_equal(cairn_object_deinit(&object), 0);
}

// May more be promised than there is? As the mode says.
static void concept_overcommit(void **state)
{
    const struct cairn_map much = {.size = AT(200), .protection = RW}; // frames and slots are for 67
    (void)state;
    start_with(4);
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_STRICT, 0), 0);
    assert_int_equal(cairn_space_map_range(ONE, &much, NULL), CAIRN_ENOMEM);
    map(ONE, 1, 60, RW);
    const struct cairn_map more = {.size = AT(20), .protection = RW};
    assert_int_equal(cairn_space_map_range(ONE, &more, NULL), CAIRN_ENOMEM); // with what was promised
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_HEURISTIC, 0), 0);
    assert_int_equal(cairn_space_map_range(TWO, &more, NULL), 0);
    assert_int_equal(cairn_space_map_range(TWO, &much, NULL), CAIRN_ENOMEM);
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_UNLIMITED, 0), 0);
    assert_int_equal(cairn_space_map_range(TWO, &much, NULL), 0);
    finish();
}

// Each page allows what its mapping says, whoever asks, and until that changes.
static void concept_memory_protection(void **state)
{
    (void)state;
    start_with(4);
    map(ONE, 1, 3, RW);
    put(AT(1), 5);
    assert_int_equal(cairn_space_protect_range(ONE, AT(1), PAGE, CAIRN_READ), 0);
    assert_int_equal(store_answers(AT(1)), CAIRN_EACCES);
    assert_int_equal(get(AT(1)), 5);
    assert_int_equal(cairn_space_protect_range(ONE, AT(2), PAGE, 0), 0); // a guard
    assert_int_equal(load_answers(AT(2)), CAIRN_EACCES);
    TWO->user = true;
    cairn_space_switch(VM, TWO);
    map(TWO, 1, 1, RW);
    assert_int_equal(load_answers(AT(1)), CAIRN_EACCES); // the kernel's
    assert_int_equal(cairn_space_protect_range(TWO, AT(1), PAGE, RW | CAIRN_USER), 0);
    put(AT(1), 6);
    finish();
}

// What a space has nobody else reads or writes: not at its addresses, nor in the frames that it had, nor in the store. test/vm/test_isolation.c tries everything.
static void concept_isolation(void **state)
{
    (void)state;
    start_with(2);
    map(ONE, 1, 4, RW);
    assert_int_equal(cairn_space_fill(ONE, AT(1), 0xEE, AT(4)), 0);
    map(TWO, 1, 4, RW);
    cairn_space_switch(VM, TWO);
    for (uint32_t page = 1; page <= 4; page++) { // in frames, and then slots, that the other one had
        assert_int_equal(get(AT(page) + 4), 0);
        put(AT(page), page);
    }
    assert_int_equal(load_answers(AT(5)), CAIRN_EFAULT);
    cairn_space_switch(VM, ONE);
    for (uint32_t page = 1; page <= 4; page++) {
        assert_int_equal(get(AT(page)), 0xEEEEEEEE);
    }
    finish();
}

// Pages that are equal become one, until one of them is written.
static void concept_deduplication(void **state)
{
    static uint32_t seen[16];
    (void)state;
    start_with(8);
    map(ONE, 1, 4, RW);
    map(TWO, 1, 2, RW);
    assert_int_equal(cairn_space_fill(ONE, AT(1), 0x55, AT(4)), 0);
    assert_int_equal(cairn_space_fill(TWO, AT(1), 0x55, AT(2)), 0);
    assert_int_equal(figures().frames_free, 2);
    memset(seen, 0, sizeof seen);
    int merged = 0;
    for (uint32_t round = 0; round < 3; round++) {
        const int some = cairn_vm_merge(VM, 8, seen, 16);
        assert_true(some >= 0);
        merged += some;
    }
    assert_int_equal(merged, 5);
    assert_int_equal(figures().frames_free, 7);
    put(AT(2), 1);
    assert_int_equal(get(AT(1)), 0x55555555);
    assert_int_equal(get(AT(2)), 1);
    assert_int_equal(figures().frames_free, 6);
    finish();
}

// Pages that leave are kept in RAM, in less of it than they have bytes.
static void concept_compression(void **state)
{
    static _Alignas(4) unsigned char room[2048 + 40 * 16];
    static struct cairn_store_compressed compressed;
    struct cairn_store_compressed_stats stats;
    (void)state;
    const struct cairn_store_compressed_config its = {.memory = room, .size = sizeof room, .page = PAGE, .slots = 40};
    assert_int_equal(cairn_store_compressed_init(&compressed, &its), 0);
    struct cairn_vm_config config = machine_config(2);
    config.store = &compressed.store;
    start(&config);
    map(ONE, 1, 40, RW);
    for (uint32_t page = 1; page <= 40; page++) {
        for (uint32_t at = 0; at < PAGE; at += 4) {
            put(AT(page) + at, page * 1000 + at / 32); // records that are alike
        }
    }
    cairn_store_compressed_stats(&compressed, &stats);
    assert_true(stats.compressed >= 38 && stats.held * 2 < 38 * PAGE);
    for (uint32_t page = 1; page <= 40; page++) {
        assert_int_equal(get(AT(page) + 64), page * 1000 + 2);
    }
    finish();
}

// A space is kept as it is, and goes on from there after the power was off; what was not stored to since the last time is not written again.
static void concept_checkpoint(void **state)
{
    static unsigned char card_slots[64 * PAGE];
    static _Alignas(8) unsigned char room[4096];
    static struct cairn_store_ram card;
    static struct cairn_checkpoint checkpoint;
    struct cairn_checkpoint_stats stats;
    (void)state;
    assert_int_equal(cairn_store_ram_init(&card, card_slots, sizeof card_slots, PAGE, 64), 0);
    const struct cairn_image_config its = {.store = &card.store};
    start_with(4);
    map(ONE, 1, 16, RW);
    for (uint32_t page = 1; page <= 16; page++) {
        put(AT(page), page);
    }
    assert_int_equal(cairn_checkpoint_init(&checkpoint, &its, room, sizeof room), 0);
    assert_int_equal(cairn_checkpoint_save(&checkpoint, ONE, NULL, 0), 0);
    cairn_checkpoint_stats(&checkpoint, &stats);
    assert_true(stats.put >= 16);
    put(AT(5), 55);
    assert_int_equal(cairn_checkpoint_save(&checkpoint, ONE, NULL, 0), 0);
    cairn_checkpoint_stats(&checkpoint, &stats);
    assert_true(stats.put <= 3); // the page, and what says where everything is
    put(AT(6), 66);              // not kept
    finish();

    start_with(7); // another machine
    memset(room, 0xA5, sizeof room);
    assert_int_equal(cairn_checkpoint_init(&checkpoint, &its, room, sizeof room), 0);
    assert_int_equal(cairn_checkpoint_restore(&checkpoint, ONE, NULL, 0), 0);
    for (uint32_t page = 1; page <= 16; page++) {
        assert_int_equal(get(AT(page)), page == 5 ? 55 : page);
    }
    assert_int_equal(load_answers(AT(17)), CAIRN_EFAULT);
    finish();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(concept_brk),
        cmocka_unit_test(concept_mmap),
        cmocka_unit_test(concept_munmap),
        cmocka_unit_test(concept_msync),
        cmocka_unit_test(concept_lazy_loading),
        cmocka_unit_test(concept_shared_object),
        cmocka_unit_test(concept_private_copy_on_write_object),
        cmocka_unit_test(concept_shared_memory),
        cmocka_unit_test(concept_fork),
        cmocka_unit_test(concept_exec),
        cmocka_unit_test(concept_overcommit),
        cmocka_unit_test(concept_memory_protection),
        cmocka_unit_test(concept_isolation),
        cmocka_unit_test(concept_deduplication),
        cmocka_unit_test(concept_compression),
        cmocka_unit_test(concept_checkpoint),
    };
    return cmocka_run_group_tests_name("concepts_process", tests, NULL, NULL);
}
