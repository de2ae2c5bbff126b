// SPDX-License-Identifier: MIT
//
// OWNS        what a block costs that is larger than the machine: addresses; frames and a word of a table for each page that is touched. A gigabyte; where addresses
//             have 64 bits, 80 GB, which are refused where they have 32.
// PICTURE     4 KB pages, 140 frames, no store; tables of 10 and 10 bits, of 4 times 9 for 64-bit addresses
// CALLERS     ctest, on the host: the frames are half a megabyte.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cairn/access.h"
#include "cairn/space_heap.h"

#define KB 1024u
#define PAGE (4 * KB)
#define FRAMES 140u
#define GB ((uint64_t)1 << 30)
#define BREAK (16 * PAGE)

static _Alignas(PAGE) unsigned char frames[FRAMES * PAGE];
static _Alignas(8) unsigned char memory[128 * KB];
static struct cairn_vm vm;
static struct cairn_space space;

static int setup_with(const struct cairn_vm_config *config)
{
    if (cairn_vm_init(&vm, config) != 0 || cairn_space_init(&space, &vm) != 0 || cairn_space_set_break(&space, BREAK) != 0) {
        return -1;
    }
    cairn_space_switch(&vm, &space);
    return 0;
}

static int setup(void **state)
{
    const struct cairn_vm_config config = {
        .page_shift = 12, .levels = 2, .bits = {10, 10}, .frames = frames, .frame_count = FRAMES, .memory = memory, .size = sizeof memory};
    (void)state;
    return setup_with(&config);
}

static int teardown(void **state)
{
    uint32_t rule;
    (void)state;
    return cairn_vm_check(&vm, &rule) != 0 || cairn_space_deinit(&space) != 0 || vm.figures.frames_free != FRAMES ? -1 : 0;
}

static uint32_t resident(void)
{
    return space.figures.resident;
}

static void touch(cairn_vaddr_t from, uint32_t bytes)
{
    for (uint32_t at = 0; at < bytes; at += PAGE) {
        assert_int_equal(cairn_vm_store32(&vm, from + at, at), 0);
    }
}

// 1 GB asked for, 400 KB touched: the resident figure says 400 KB, and the heap's own three pages: its control, with the first tags and the last granule's links.
static void a_gigabyte_allocated_and_400_kb_touched_is_400_kb_resident(void **state)
{
    cairn_vaddr_t block = 0;
    (void)state;
    assert_int_equal(cairn_space_heap_init(&space, NULL), 0);
    const uint32_t own = resident();
    assert_true(own <= 3);
    assert_int_equal(cairn_space_malloc(&space, GB, &block), 0);
    assert_true(space.figures.virtual_pages * (uint64_t)PAGE >= GB);
    assert_int_equal(resident(), own);
    assert_int_equal(vm.figures.table_bytes, 8 * KB); // the root, and the break's
    touch(block + 5 * PAGE, 400 * KB);
    assert_int_equal((resident() - own) * PAGE, 400 * KB);
    assert_int_equal((FRAMES - own - vm.figures.frames_free) * PAGE, 400 * KB);
    assert_int_equal(vm.figures.table_bytes, 12 * KB);
    assert_int_equal(cairn_space_free(&space, block), 0);
    assert_int_equal(resident(), own);
    assert_int_equal(vm.figures.table_bytes, 8 * KB);
}

// A heap that may take half a gigabyte has tags for that, 15.5 MB of addresses with granules of 8; it touches three pages.
static void a_heap_that_may_grow_large_costs_what_it_uses(void **state)
{
    const struct cairn_space_heap_config config = {.max = GB / 2};
    cairn_vaddr_t blocks[30];
    (void)state;
    assert_int_equal(cairn_space_heap_init(&space, &config), 0);
    assert_true(space.break_end - space.break_start >= 120 * KB * KB / CAIRN_GRANULE && space.break_end - space.break_start < 136 * KB * KB / CAIRN_GRANULE);
    assert_true(resident() <= 3);
    for (uint32_t i = 0; i < 30; i++) {
        assert_int_equal(cairn_space_malloc(&space, 100 * KB, &blocks[i]), 0);
    }
    assert_true(resident() <= 3 + 30 * 2); // for each, the page of tags where it ends, and that where the links of what was free behind it are
    for (uint32_t i = 0; i < 30; i++) {
        assert_int_equal(cairn_space_free(&space, blocks[i]), 0);
    }
    assert_int_equal(cairn_space_malloc_trim(&space, 0), 0);
    assert_true(space.break_end - space.break_start < 136 * KB * KB / CAIRN_GRANULE);
}

static void eighty_gigabytes_are_refused_where_an_address_has_32_bits(void **state)
{
    cairn_vaddr_t block = 7;
    (void)state;
    assert_int_equal(cairn_space_malloc(&space, 80 * GB, &block), CAIRN_ENOMEM);
    assert_int_equal(cairn_space_calloc(&space, 80, GB, &block), CAIRN_ENOMEM);
    assert_int_equal(cairn_space_malloc(&space, 4 * GB, &block), CAIRN_ENOMEM); // not 0 bytes
    assert_int_equal(cairn_space_malloc(&space, 4 * GB + 8, &block), CAIRN_ENOMEM); // not 8
    assert_int_equal(block, 7);
    assert_int_equal(space.heap, 0);
    assert_null(space.mappings);
    assert_int_equal(cairn_space_malloc(&space, 8, &block), 0);
    cairn_vaddr_t same = block;
    assert_int_equal(cairn_space_realloc(&space, &same, 4 * GB + 8), CAIRN_ENOMEM);
    assert_int_equal(same, block);
}

// Pages that the vm does not have are promised only where that is wanted.
static void a_gigabyte_is_refused_where_promises_are_kept(void **state)
{
    cairn_vaddr_t block = 7;
    (void)state;
    assert_int_equal(cairn_space_malloc(&space, 8, &block), 0);
    const cairn_vaddr_t committed = vm.committed;
    assert_int_equal(cairn_vm_commit(&vm, CAIRN_COMMIT_HEURISTIC, 0), 0);
    assert_int_equal(cairn_space_malloc(&space, GB, &block), CAIRN_ENOMEM);
    assert_int_equal(cairn_vm_commit(&vm, CAIRN_COMMIT_STRICT, 0), 0);
    assert_int_equal(cairn_space_malloc(&space, GB, &block), CAIRN_ENOMEM);
    assert_int_equal(cairn_space_malloc(&space, 500 * KB, &block), 0);
    assert_int_equal(vm.committed, committed + 125);
    assert_int_equal(cairn_space_free(&space, block), 0);
    assert_int_equal(vm.committed, committed);
}

#if CAIRN_VADDR_BITS == 64
static int setup_wide(void **state)
{
    const struct cairn_vm_config config = {
        .page_shift = 12, .levels = 4, .bits = {9, 9, 9, 9}, .frames = frames, .frame_count = FRAMES, .memory = memory, .size = sizeof memory};
    (void)state;
    return setup_with(&config);
}

static void eighty_gigabytes_used_sparsely_take_a_few_kb_of_tables(void **state)
{
    cairn_vaddr_t block = 0;
    (void)state;
    assert_int_equal(cairn_space_heap_init(&space, NULL), 0);
    const uint32_t own = resident();
    const uint32_t tables = vm.figures.table_bytes;
    assert_int_equal(tables, 4 * 2 * KB);
    assert_int_equal(cairn_space_malloc(&space, 80 * GB, &block), 0);
    assert_int_equal(vm.figures.table_bytes, tables);
    for (uint64_t at = 0; at < 80 * GB; at += 20 * GB) { // four places
        touch(block + at, 8 * KB);
    }
    touch(block + 80 * GB - PAGE, PAGE);
    assert_int_equal(resident() - own, 9);
    assert_true(vm.figures.table_bytes <= tables + (1 + 5 + 5) * 2 * KB); // a node for 512 GB, one for each GB, one for each 2 MB that are touched
    uint32_t word = 1;
    assert_int_equal(cairn_vm_load32(&vm, block + 20 * GB + PAGE, &word), 0);
    assert_int_equal(word, PAGE);
    assert_int_equal(cairn_space_realloc(&space, &block, 100 * GB), 0); // where it is, or with the pages that were touched
    assert_int_equal(resident() - own, 9);
    assert_int_equal(cairn_space_free(&space, block), 0);
    assert_int_equal(vm.figures.table_bytes, tables);
    assert_int_equal(resident(), own);
}

// Others have moved the break by more than a heap's offsets have bits for.
static void a_break_far_above_the_heap_is_somebody_elses(void **state)
{
    cairn_vaddr_t block = 0;
    cairn_vaddr_t other = 0;
    (void)state;
    assert_int_equal(cairn_space_malloc(&space, 1000, &block), 0);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(cairn_space_brk(&space, space.break_end + (cairn_vaddr_t)(4 * GB - i * 100)), 0);
        assert_int_equal(cairn_space_malloc(&space, 20 * KB, &other), 0);
        assert_true(other > space.break_end); // the heap cannot grow: it is mapped
        assert_int_equal(cairn_space_free(&space, other), 0);
    }
    assert_int_equal(cairn_space_free(&space, block), 0);
    assert_int_equal(cairn_space_free(&space, block), CAIRN_EINVAL);
    assert_int_equal(cairn_space_free(&space, space.break_end - 8), CAIRN_EINVAL);
    assert_int_equal(cairn_space_free(&space, block + (cairn_vaddr_t)(4 * GB)), CAIRN_EINVAL);
}
#endif

#define UNIT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(a_gigabyte_allocated_and_400_kb_touched_is_400_kb_resident),
        UNIT(a_heap_that_may_grow_large_costs_what_it_uses),
        UNIT(eighty_gigabytes_are_refused_where_an_address_has_32_bits),
        UNIT(a_gigabyte_is_refused_where_promises_are_kept),
#if CAIRN_VADDR_BITS == 64
        cmocka_unit_test_setup_teardown(eighty_gigabytes_used_sparsely_take_a_few_kb_of_tables, setup_wide, teardown),
        cmocka_unit_test_setup_teardown(a_break_far_above_the_heap_is_somebody_elses, setup_wide, teardown),
#endif
    };
    return cmocka_run_group_tests_name("space_reserve", tests, NULL, NULL);
}
