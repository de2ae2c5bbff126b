// SPDX-License-Identifier: MIT
//
// OWNS        what a space of 32 bits costs: what is reserved costs nothing, what is touched its frames and a word of a table each.
// PICTURE     4 KB pages, 10 and 10 bits; 128 frames, no store
// CALLERS     ctest, on the host: the frames are half a megabyte.
#include "vm_fixture.h"

#include "cairn/object.h"

#define KB 1024u
#define FOUR_KB (4 * KB)
#define BIG_FRAMES 128u
#define BASE 0x40000000u

static _Alignas(FOUR_KB) unsigned char frames[BIG_FRAMES * FOUR_KB];
static _Alignas(8) unsigned char memory[32 * KB];
static struct cairn_vm vm;
static struct cairn_space space;

static int setup(void **state)
{
    const struct cairn_vm_config config = {
        .page_shift = 12, .levels = 2, .bits = {10, 10}, .frames = frames, .frame_count = BIG_FRAMES, .memory = memory, .size = sizeof memory};
    (void)state;
    if (cairn_vm_init(&vm, &config) != 0 || cairn_space_init(&space, &vm) != 0) {
        return -1;
    }
    cairn_space_switch(&vm, &space);
    return 0;
}

static int teardown(void **state)
{
    uint32_t rule;
    (void)state;
    return cairn_vm_check(&vm, &rule) != 0 || cairn_space_deinit(&space) != 0 || vm.figures.frames_free != BIG_FRAMES ? -1 : 0;
}

static void touch(cairn_vaddr_t from, uint32_t bytes)
{
    for (uint32_t at = 0; at < bytes; at += FOUR_KB) {
        assert_int_equal(cairn_vm_store32(&vm, from + at, at), 0);
    }
}

// 1 GB reserved, 400 KB touched: the resident figure says 400 KB.
static void a_gigabyte_reserved_and_400_kb_touched_is_400_kb_resident(void **state)
{
    const struct cairn_map map = {.address = BASE, .size = (cairn_vaddr_t)1 << 30, .protection = RW, .flags = CAIRN_MAP_FIXED};
    struct cairn_space_figures its;
    (void)state;
    assert_int_equal(cairn_space_map_range(&space, &map, NULL), 0);
    cairn_space_figures(&space, &its);
    assert_int_equal(its.virtual_pages * FOUR_KB, (cairn_vaddr_t)1 << 30);
    assert_int_equal(its.resident, 0);
    assert_int_equal(vm.figures.table_bytes, 4 * KB); // the root
    touch(BASE, 400 * KB);
    cairn_space_figures(&space, &its);
    assert_int_equal(its.resident * FOUR_KB, 400 * KB);
    assert_int_equal((BIG_FRAMES - vm.figures.frames_free) * FOUR_KB, 400 * KB);
    assert_int_equal(vm.figures.table_bytes, 8 * KB);
    assert_int_equal(cairn_space_advise(&space, BASE, 200 * KB, CAIRN_ADVISE_FREE), 0);
    cairn_space_figures(&space, &its);
    assert_int_equal(its.resident * FOUR_KB, 200 * KB);
    assert_int_equal(cairn_space_unmap_range(&space, BASE, (cairn_vaddr_t)1 << 30), 0);
    assert_int_equal(vm.figures.table_bytes, 4 * KB);
    assert_int_equal(vm.figures.frames_free, BIG_FRAMES);
}

static void a_gigabyte_at_its_ends_takes_two_tables(void **state)
{
    const cairn_vaddr_t size = (cairn_vaddr_t)1 << 30;
    const struct cairn_map map = {.address = BASE, .size = size, .protection = 0, .flags = CAIRN_MAP_FIXED};
    (void)state;
    assert_int_equal(cairn_vm_commit(&vm, CAIRN_COMMIT_STRICT, 0), 0);
    assert_int_equal(cairn_space_map_range(&space, &map, NULL), 0); // a guard is no promise
    assert_int_equal(cairn_space_protect_range(&space, BASE, size, RW), CAIRN_ENOMEM);
    assert_int_equal(cairn_space_protect_range(&space, BASE, FOUR_KB, RW), 0);
    assert_int_equal(cairn_space_protect_range(&space, BASE + size - FOUR_KB, FOUR_KB, RW), 0);
    touch(BASE, FOUR_KB);
    touch(BASE + size - FOUR_KB, FOUR_KB);
    assert_int_equal(vm.figures.table_bytes, 12 * KB);
    assert_int_equal(space.figures.resident, 2);
}

static void the_largest_range_is_all_but_page_0(void **state)
{
    const struct cairn_map map = {.size = (cairn_vaddr_t)0xFFFFF000u, .protection = RW};
    cairn_vaddr_t address = 0;
    (void)state;
    assert_int_equal(cairn_space_map_range(&space, &map, &address), 0);
    assert_int_equal(address, FOUR_KB);
    touch((cairn_vaddr_t)0xFFFFF000u, FOUR_KB);
    assert_int_equal(cairn_space_protect_range(&space, FOUR_KB, (cairn_vaddr_t)0xFFFFF000u, CAIRN_READ), 0);
    assert_int_equal(cairn_vm_store32(&vm, (cairn_vaddr_t)0xFFFFFFFCu, 1), CAIRN_EACCES);
    assert_int_equal(cairn_space_unmap_range(&space, FOUR_KB, (cairn_vaddr_t)0xFFFFF000u), 0);
    assert_null(space.mappings);
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(a_gigabyte_reserved_and_400_kb_touched_is_400_kb_resident),
        UNIT(a_gigabyte_at_its_ends_takes_two_tables),
        UNIT(the_largest_range_is_all_but_page_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
