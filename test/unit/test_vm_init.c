// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/vm.c promises: a configuration that is refused changes nothing; sizes add up; the defaults.
// CALLERS     ctest, on every preset.
#include "vm_fixture.h"

static struct cairn_vm made;
static struct cairn_vm_config config;
static const struct cairn_vm_config *const good = &vm_fixture.config;

static void assert_refused(int error)
{
    static struct cairn_vm before;
    memset(&made, 0x5A, sizeof made);
    memset(&before, 0x5A, sizeof before);
    const uint32_t image = vm_image();
    assert_int_equal(cairn_vm_init(&made, &config), error);
    assert_memory_equal(&made, &before, sizeof made);
    assert_int_equal(vm_image(), image);
    config = *good;
}

static void assert_invalid(void)
{
    assert_int_equal(cairn_vm_size(&config, 100), 0);
    assert_refused(CAIRN_EINVAL);
}

static void a_configuration_out_of_range_is_refused_field_by_field(void **state)
{
    struct cairn_port_store store = vm_fixture.store;
    (void)state;
    config = *good;
    assert_int_equal(cairn_vm_init(NULL, &config), CAIRN_EINVAL);
    assert_int_equal(cairn_vm_init(&made, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_vm_size(NULL, 100), 0);
    for (uint32_t shift = 1; shift < 256; shift += shift == 6 ? 7 : 1) {
        config.page_shift = (uint8_t)shift;
        config.store = NULL;
        assert_invalid();
    }
    for (uint32_t levels = 5; levels < 256; levels += 50) {
        config.levels = (uint8_t)levels;
        assert_invalid();
    }
    for (uint32_t level = 0; level < 2; level++) {
        config.bits[level] = 0;
        assert_invalid();
        config.bits[level] = 13;
        assert_invalid();
        config.bits[level] = 255;
        assert_invalid();
    }
    for (uint32_t tlb = 1; tlb < 4; tlb++) {
        config.tlb = (uint16_t)tlb;
        assert_invalid();
    }
    for (uint32_t tlb = 5; tlb < 1024; tlb = tlb * 2 + 1) {
        config.tlb = (uint16_t)tlb;
        assert_invalid();
    }
    config.tlb = 2048;
    assert_invalid();
    config.frame_count = 0;
    assert_invalid();
    config.frame_count = CAIRN_FRAMES_MAX + 1;
    assert_invalid();
    config.frame_count = UINT32_MAX;
    assert_invalid();
    config.store = &store;
    store.page = PAGE - 1;
    assert_invalid();
    config.store = &store;
    store.page = 2 * PAGE;
    assert_invalid();
    config.store = &store;
    store.page = PAGE;
    store.slots = (1u << 22) + 1; // more than a page's entry can number
    assert_invalid();
    config.store = &store;
    store.slots = UINT32_MAX;
    assert_invalid();
}

#if CAIRN_VADDR_BITS == 32
static void more_bits_than_an_address_has_are_refused(void **state)
{
    (void)state;
    config = *good;
    config.levels = 3;
    memcpy(config.bits, (uint8_t[]){8, 8, 10}, 3);
    assert_invalid();
    config.levels = 3;
    memcpy(config.bits, (uint8_t[]){8, 8, 9}, 3);
    assert_true(cairn_vm_size(&config, 0) != 0);
}
#endif

static void a_store_that_is_only_read_is_no_swap(void **state)
{
    (void)state;
    struct cairn_port_store rom = vm_fixture.store;
    rom.write = NULL;
    config = vm_fixture.config;
    config.store = &rom;
    assert_invalid();
}

static void memory_that_cannot_be_used_is_refused(void **state)
{
    (void)state;
    config = *good;
    config.frames = NULL;
    assert_refused(CAIRN_EINVAL);
    config.memory = NULL;
    assert_refused(CAIRN_EINVAL);
    for (uint32_t off = 1; off < 8; off++) {
        config.memory = vm_memory + off;
        assert_refused(CAIRN_EINVAL);
    }
    for (uint32_t off = 1; off < PAGE; off++) {
        config.frames = vm_frames + off;
        assert_refused(CAIRN_EINVAL);
    }
}

static void memory_too_small_for_any_part_is_refused(void **state)
{
    (void)state;
    assert_int_equal(vm_end(), 0);
    config = *good;
    const size_t least = cairn_vm_size(&config, 0);
    assert_true(least > 4 * sizeof(struct cairn_frame) + 8 * sizeof(struct cairn_tlb_entry));
    for (size_t size = 0; size < least; size++) {
        config.size = size;
        assert_refused(CAIRN_ENOMEM);
    }
    config.size = least; // for all but tables: there can be no space
    assert_int_equal(cairn_vm_init(&made, &config), 0);
    assert_int_equal(cairn_space_init(SPACE, &made), CAIRN_ENOMEM);
    vm_make();
}

static void sizes_add_up(void **state)
{
    (void)state;
    config = *good;
    const size_t least = cairn_vm_size(&config, 0);
    assert_int_equal(cairn_vm_size(&config, 1000), least + 1000);
    config.frame_count += 8;
    assert_in_range(cairn_vm_size(&config, 0), least + 8 * sizeof(struct cairn_frame), least + 8 * (sizeof(struct cairn_frame) + 8)); // the policy has a share
    config = *good;
    config.tlb = 16;
    assert_int_equal(cairn_vm_size(&config, 0), least + 8 * sizeof(struct cairn_tlb_entry));
}

// What a vm of an exact size has for its tables is enough for a space, which the caller counted.
static void a_vm_of_the_size_that_was_asked_for_works(void **state)
{
    (void)state;
    assert_int_equal(vm_end(), 0);
    vm_fixture.config.size = cairn_vm_size(good, 700);
    vm_make();
    assert_int_equal(cairn_space_map(SPACE, MAP, vm_page(1), PAGES * PAGE, RW), 0);
    vm_write_pages(SPACE, 1, PAGES, 1);
    vm_expect_pages(SPACE, 1, PAGES, 1);
    for (size_t at = vm_fixture.config.size; at < sizeof vm_memory; at++) {
        assert_int_equal(vm_memory[at], 0xA5); // not a byte beyond
    }
}

static void zero_means_the_default(void **state)
{
    (void)state;
    assert_int_equal(vm_end(), 0);
    memset(&config, 0, sizeof config);
    config.frames = vm_frames;
    config.frame_count = 1;
    config.memory = vm_memory;
    config.size = sizeof vm_memory;
    assert_int_equal(cairn_vm_init(&made, &config), 0);
    assert_int_equal(made.page_shift, 10);
    assert_int_equal(made.tlb_mask, 15);
    assert_ptr_equal(made.policy, &cairn_policy_clock);
    assert_int_equal(made.levels, CAIRN_VADDR_BITS == 64 ? 4 : 2);
    assert_true(made.limit == (CAIRN_VADDR_BITS == 64 ? ((uint64_t)1 << 50) - 1 : 0xFFFFFFFF));
    for (uint32_t shift = 7; shift <= 12; shift++) {
        config.page_shift = (uint8_t)shift;
        config.frames = (void *)(uintptr_t)0x10000;
        assert_int_equal(cairn_vm_init(&made, &config), 0);
        assert_int_equal(made.levels, CAIRN_VADDR_BITS == 64 ? 4 : shift == 7 ? 3 : 2);
        assert_true(made.limit >= 0xFFFFFFFF);
    }
    vm_make();
}

static void a_tlb_of_four_entries_will_do(void **state)
{
    (void)state;
    assert_int_equal(vm_end(), 0);
    vm_fixture.config.tlb = 4;
    vm_fixture.config.frame_count = 2;
    vm_make();
    assert_int_equal(cairn_space_map(SPACE, MAP, vm_page(1), PAGES * PAGE, RW), 0);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t page = 1; page <= PAGES; page++) {
            assert_int_equal(vm_get(vm_page(page)), round == 0 ? 0 : page);
            vm_put(vm_page(page), page);
        }
    }
}

static void one_frame_holds_one_page(void **state)
{
    (void)state;
    assert_int_equal(vm_end(), 0);
    vm_fixture.config.frame_count = 1;
    vm_make();
    assert_int_equal(cairn_space_map(SPACE, MAP, vm_page(1), PAGES * PAGE, RW), 0);
    vm_write_pages(SPACE, 1, PAGES, 1);
    vm_expect_pages(SPACE, 1, PAGES, 1);
    uint32_t value;
    assert_int_equal(cairn_vm_store32(VM, vm_page(2) - 2, 5), CAIRN_ENOMEM); // two at once
    assert_int_equal(cairn_vm_load32(VM, vm_page(2) - 2, &value), 0);        // one behind the other
    assert_int_equal(cairn_space_copy(SPACE, vm_page(1), SPACE, vm_page(2), 4), CAIRN_ENOMEM);
    vm_expect_pages(SPACE, 1, PAGES, 1);
}

#ifdef CAIRN_BOARD_SMALL // no room for large pages
#define LARGEST 256u
#else
#define LARGEST 4096u
#endif

static void expect_bytes(cairn_vaddr_t address, const unsigned char bytes[4])
{
    int order = 1;
    assert_int_equal(cairn_space_compare(SPACE, address, bytes, 4, &order), 0);
    assert_int_equal(order, 0);
}

static void pages_of_every_size(void **state)
{
    static _Alignas(LARGEST) unsigned char frames[2 * LARGEST];
    (void)state;
    for (uint32_t page = 128; page <= LARGEST; page *= 2) {
        assert_int_equal(vm_end(), 0);
        vm_fixture.store.page = page;
        vm_fixture.store.slots = SLOTS * PAGE / page; // none where one is too large
        vm_fixture.config.store = page > SLOTS * PAGE ? NULL : &vm_fixture.store;
        vm_fixture.config.frames = frames;
        vm_fixture.config.frame_count = 2;
        vm_fixture.config.page_shift = (uint8_t)(vm_fixture.config.page_shift + (page != 128));
        vm_make();
        assert_int_equal(cairn_space_map(SPACE, MAP, page, 4 * page, RW), 0);
        for (uint32_t i = 0; i < 2; i++) {
            assert_int_equal(cairn_space_fill(SPACE, (i + 1) * page, (uint8_t)(i + 1), page), 0);
        }
        assert_int_equal(cairn_vm_store64(VM, 2 * page - 3, 0x0404040404040404u), 0);
        if (page <= 1024) {
            assert_int_equal(vm_get(3 * page), 0); // one leaves
            assert_int_equal(vm_get(4 * page), 0);
        }
        assert_int_equal(vm_get(page), 0x01010101);
        expect_bytes(2 * page - 4, (const unsigned char[]){1, 4, 4, 4});
        expect_bytes(2 * page + 4, (const unsigned char[]){4, 2, 2, 2});
        expect_bytes(3 * page - 4, (const unsigned char[]){2, 2, 2, 2});
        vm_sound();
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        VM_UNIT(a_configuration_out_of_range_is_refused_field_by_field),
#if CAIRN_VADDR_BITS == 32
        VM_UNIT(more_bits_than_an_address_has_are_refused),
#endif
        VM_UNIT(a_store_that_is_only_read_is_no_swap),
        VM_UNIT(memory_that_cannot_be_used_is_refused),
        VM_UNIT(memory_too_small_for_any_part_is_refused),
        VM_UNIT(sizes_add_up),
        VM_UNIT(a_vm_of_the_size_that_was_asked_for_works),
        VM_UNIT(zero_means_the_default),
        VM_UNIT(a_tlb_of_four_entries_will_do),
        VM_UNIT(one_frame_holds_one_page),
        VM_UNIT(pages_of_every_size),
    };
    return cmocka_run_group_tests_name("vm_init", tests, NULL, NULL);
}
