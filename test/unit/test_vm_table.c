// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/table.c promises: nodes come with the first page that needs them, and go with the last.
// CALLERS     ctest, on every preset.
#include "vm_fixture.h"

#include "vm/table.h"

static void a_mapping_takes_no_table_until_it_is_touched(void **state)
{
    (void)state;
    assert_int_equal(vm_tables(), 1); // the root
    vm_put(vm_page(1), 1);
    assert_int_equal(vm_tables(), 2);
    vm_put(vm_page(15), 1);
    assert_int_equal(vm_tables(), 2);
    vm_put(vm_page(16), 1); // in the second leaf
    assert_int_equal(vm_tables(), 3);
    vm_sound();
}

static void a_table_goes_with_its_last_page(void **state)
{
    (void)state;
    vm_put(vm_page(1), 1);
    vm_put(vm_page(16), 1);
    assert_int_equal(cairn_space_unmap(SPACE, MAP), 0);
    assert_int_equal(vm_tables(), 1);
    vm_sound();
}

static void a_page_of_zeros_that_leaves_takes_its_table_along(void **state)
{
    (void)state;
    assert_int_equal(vm_get(vm_page(16)), 0);
    assert_int_equal(vm_tables(), 2);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(16)), 0);
    assert_int_equal(vm_tables(), 1);
    assert_int_equal(vm_fixture.writes, 0);
    vm_sound();
}

static void a_page_in_the_store_keeps_its_table(void **state)
{
    (void)state;
    vm_put(vm_page(16), 16);
    assert_int_equal(cairn_space_dont_need(SPACE, vm_page(16)), 0);
    assert_int_equal(vm_tables(), 2);
    assert_int_equal(vm_get(vm_page(16)), 16);
}

static void every_depth_reaches_the_first_and_the_last_page(void **state)
{
    static const uint8_t bits[][CAIRN_LEVELS_MAX] = {{8}, {1, 7}, {7, 1}, {3, 3, 3}, {1, 1, 6}, {2, 2, 2, 2}, {5, 1, 1, 1}};
    (void)state;
    for (uint32_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        uint32_t levels = 0;
        uint32_t sum = 0;
        while (levels < CAIRN_LEVELS_MAX && bits[i][levels] != 0) {
            sum += bits[i][levels++];
        }
        assert_int_equal(vm_end(), 0);
        vm_fixture.config.levels = (uint8_t)levels;
        memcpy(vm_fixture.config.bits, bits[i], sizeof bits[i]);
        vm_make();
        assert_int_equal(VM->limit, ((uint32_t)PAGE << sum) - 1);
        assert_int_equal(cairn_space_map(SPACE, MAP, PAGE, VM->limit + 1 - PAGE, RW), 0);
        const uint32_t last = (1u << sum) - 1;
        vm_write_pages(SPACE, 1, 1, 5);
        vm_write_pages(SPACE, last, 1, 5);
        vm_write_pages(SPACE, last / 2, 4, 5);
        vm_sound();
        vm_expect_pages(SPACE, 1, 1, 5);
        vm_expect_pages(SPACE, last, 1, 5);
        vm_expect_pages(SPACE, last / 2, 4, 5);
        assert_int_equal(cairn_space_unmap(SPACE, MAP), 0);
        assert_int_equal(vm_tables(), 1);
    }
}

static void next_finds_each_page_once_across_gaps(void **state)
{
    static const uint32_t pages[] = {3, 4, 63, 64, 200, 255};
    uint32_t at = 0;
    (void)state;
    assert_int_equal(cairn_space_map(SPACE, EXTRA, vm_page(17), vm_page(256 - 17), RW), 0);
    for (uint32_t i = 0; i < 6; i++) {
        vm_put(vm_page(pages[i]), i);
    }
    assert_int_equal(cairn_table_next_(SPACE, 0, 3), 3);
    for (cairn_vaddr_t page = cairn_table_next_(SPACE, 0, 256); page < 256; page = cairn_table_next_(SPACE, page + 1, 256)) {
        assert_int_equal(page, pages[at++]);
    }
    assert_int_equal(at, 6);
    assert_int_equal(cairn_table_next_(SPACE, 65, 199), 199);
    assert_int_equal(cairn_table_next_(SPACE, 256, 256), 256);
}

// Each of the nodes that a page needs is the one for which there is no memory.
static void no_memory_for_a_table_fails_and_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(vm_end(), 0);
    vm_fixture.config.levels = 4;
    memcpy(vm_fixture.config.bits, (uint8_t[]){2, 2, 2, 2}, 4);
    vm_make();
    assert_int_equal(cairn_space_map(SPACE, MAP, PAGE, vm_page(255), RW), 0);
    for (uint32_t full = 0; full < 2; full++) {
        for (uint32_t nodes = 0; nodes < 3; nodes++) {
            uint32_t value = 77;
            vm_starve(nodes);
            const uint32_t tables = vm_tables();
            assert_int_equal(cairn_vm_store32(VM, vm_page(200), 1), CAIRN_ENOMEM);
            assert_int_equal(cairn_vm_load32(VM, vm_page(200), &value), CAIRN_ENOMEM);
            assert_int_equal(value, 77);
            assert_true(vm_tables() <= tables); // a page of zeros may have left, and its tables
            vm_sound();
            vm_feed();
        }
        vm_starve(3);
        vm_put(vm_page(200), 200);
        vm_feed();
        assert_int_equal(cairn_space_unmap(SPACE, MAP), 0);
        assert_int_equal(cairn_space_map(SPACE, MAP, PAGE, vm_page(255), RW), 0);
        vm_write_pages(SPACE, 1, 9, 3); // the next time, a page has to leave first
    }
    vm_expect_pages(SPACE, 1, 9, 3);
}

static void no_memory_for_a_root_makes_no_space(void **state)
{
    (void)state;
    vm_starve(0);
    const uint32_t before = vm_image();
    assert_int_equal(cairn_space_init(OTHER, VM), CAIRN_ENOMEM);
    assert_int_equal(vm_image(), before);
    vm_feed();
    assert_int_equal(cairn_space_init(OTHER, VM), 0);
}

#if CAIRN_VADDR_BITS == 64
static _Alignas(4096) unsigned char frames[3 * 4096];
static _Alignas(8) unsigned char memory[12288];

static void eighty_gigabytes_take_a_few_kilobytes_of_tables(void **state)
{
    const cairn_vaddr_t size = (cairn_vaddr_t)80 << 30;
    (void)state;
    assert_int_equal(vm_end(), 0);
    vm_fixture.store.page = 4096;
    vm_fixture.store.slots = 0; // what is only read needs none
    vm_fixture.config = (struct cairn_vm_config){.page_shift = 12,
                                                 .levels = 4,
                                                 .bits = {7, 6, 6, 6},
                                                 .frames = frames,
                                                 .frame_count = 3,
                                                 .memory = memory,
                                                 .size = sizeof memory,
                                                 .store = &vm_fixture.store};
    vm_make();
    assert_int_equal(cairn_space_map(SPACE, MAP, 4096, size, RW), 0);
    assert_true(vm_space_figures(SPACE).virtual_pages == size >> 12);
    assert_int_equal(vm_tables(), 1);
    for (uint32_t i = 0; i < 80; i++) {
        assert_int_equal(vm_get(((cairn_vaddr_t)i << 30) + 4096), 0);
    }
    vm_put(size, 80); // the last page
    vm_put(4096, 1);
    assert_int_equal(vm_get((cairn_vaddr_t)40 << 30), 0);
    assert_true(vm_figures().table_bytes < 3 * 1024);
    assert_int_equal(vm_get(size), 80);
    vm_sound();
    assert_int_equal(cairn_space_unmap(SPACE, MAP), 0);
    assert_int_equal(vm_tables(), 1);
}
#endif

int main(void)
{
    static const struct CMUnitTest tests[] = {
        VM_UNIT(a_mapping_takes_no_table_until_it_is_touched),
        VM_UNIT(a_table_goes_with_its_last_page),
        VM_UNIT(a_page_of_zeros_that_leaves_takes_its_table_along),
        VM_UNIT(a_page_in_the_store_keeps_its_table),
        VM_UNIT(every_depth_reaches_the_first_and_the_last_page),
        VM_UNIT(next_finds_each_page_once_across_gaps),
        VM_UNIT(no_memory_for_a_table_fails_and_changes_nothing),
        VM_UNIT(no_memory_for_a_root_makes_no_space),
#if CAIRN_VADDR_BITS == 64
        VM_UNIT(eighty_gigabytes_take_a_few_kilobytes_of_tables),
#endif
    };
    return cmocka_run_group_tests_name("vm_table", tests, NULL, NULL);
}
