// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/prefetch.c promises: pages of a stream of faults are in frames before they are asked for, be they a space's or a file's.
// PICTURE     16 frames of 128 bytes, so that at most 2 pages are ahead; a file of 64 pages, and a store as large, each read noted
// CALLERS     ctest, on every preset.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cairn/object.h"

#include <string.h>

#define PAGE 128u
#define FRAMES 16u
#define SLOTS 64u
#define RW (CAIRN_READ | CAIRN_WRITE)
#define WORD(page) (0xC0000000u + (page))

static _Alignas(PAGE) unsigned char frames[FRAMES * PAGE];
static _Alignas(8) unsigned char memory[4096];
static unsigned char file_slots[SLOTS * PAGE], swap_slots[SLOTS * PAGE];
static struct cairn_vm vm;
static struct cairn_space space;
static struct cairn_object object;
static cairn_vaddr_t start; // of the pages that are written and expected

static struct device {
    struct cairn_port_store store;
    unsigned char *slots;
    uint32_t reads[SLOTS]; // of each slot
    uint32_t fail_slot;    // whose first read fails; SLOTS: none
    bool fails;
} file, swap;

static int device_read(void *context, uint32_t slot, void *page)
{
    struct device *const device = context;
    device->reads[slot]++;
    if (device->fails && slot == device->fail_slot) {
        device->fails = false;
        memset(page, 0xEE, PAGE);
        return CAIRN_EIO;
    }
    memcpy(page, device->slots + slot * PAGE, PAGE);
    return 0;
}

static int device_write(void *context, uint32_t slot, const void *page)
{
    memcpy(((struct device *)context)->slots + slot * PAGE, page, PAGE);
    return 0;
}

static void device_make(struct device *device, unsigned char *slots)
{
    *device = (struct device){.slots = slots, .fail_slot = SLOTS, .store = {.context = device, .read = device_read, .write = device_write, .page = PAGE, .slots = SLOTS}};
}

static struct cairn_vm_config plan(bool has_store)
{
    return (struct cairn_vm_config){.page_shift = 7,
                                    .levels = 2,
                                    .bits = {4, 4},
                                    .tlb = 8,
                                    .frames = frames,
                                    .frame_count = FRAMES,
                                    .memory = memory,
                                    .size = sizeof memory,
                                    .store = has_store ? &swap.store : NULL,
                                    .prefetch = &cairn_prefetch_streams};
}

static void make_of(const struct cairn_vm_config *config)
{
    start = PAGE;
    device_make(&file, file_slots);
    device_make(&swap, swap_slots);
    for (uint32_t page = 0; page < SLOTS; page++) {
        const uint32_t word = WORD(page);
        memcpy(file_slots + page * PAGE, &word, sizeof word);
    }
    assert_int_equal(cairn_vm_init(&vm, config), 0);
    assert_int_equal(cairn_space_init(&space, &vm), 0);
}

static void make(bool has_store)
{
    const struct cairn_vm_config config = plan(has_store);
    make_of(&config);
}

// Map an object's pages from page 1 on.
static void show(uint32_t pages, const struct cairn_port_store *store)
{
    const struct cairn_object_config config = {.size = pages * PAGE, .store = store};
    const struct cairn_map map = {.address = PAGE, .size = pages * PAGE, .protection = RW, .flags = CAIRN_MAP_FIXED | CAIRN_MAP_SHARED, .object = &object};
    assert_int_equal(cairn_object_init(&object, &vm, &config), 0);
    assert_int_equal(cairn_space_map_range(&space, &map, NULL), 0);
}

static void end(void)
{
    uint32_t rule;
    assert_int_equal(cairn_vm_check(&vm, &rule), 0);
    assert_int_equal(cairn_space_deinit(&space), 0);
    if (object.pages.vm != NULL) {
        assert_int_equal(cairn_object_deinit(&object), 0);
    }
    assert_int_equal(vm.figures.frames_free, FRAMES);
}

static void expect(uint32_t page)
{
    uint32_t rule;
    uint32_t word;
    assert_int_equal(cairn_space_read(&space, &word, start + page * PAGE, sizeof word), 0);
    assert_int_equal(word, WORD(page));
    assert_int_equal(cairn_vm_check(&vm, &rule), 0);
}

static void write_all(uint32_t pages)
{
    for (uint32_t page = 0; page < pages; page++) {
        const uint32_t word = WORD(page);
        assert_int_equal(cairn_space_write(&space, start + page * PAGE, &word, sizeof word), 0);
    }
}

static struct cairn_vm_figures figures(void)
{
    struct cairn_vm_figures now;
    cairn_vm_figures(&vm, &now);
    return now;
}

// Of pages in order most are ahead of the reader: each is read once.
static void expect_stream(const struct device *device, uint32_t pages)
{
    uint32_t reads = 0;
    const struct cairn_vm_figures before = figures();
    for (uint32_t page = 0; page < pages; page++) {
        expect(page);
    }
    const struct cairn_vm_figures after = figures();
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        assert_true(device->reads[slot] <= 1);
        reads += device->reads[slot];
    }
    assert_true(after.prefetches - before.prefetches > pages / 2);
    assert_true(after.useful - before.useful >= after.prefetches - before.prefetches - 2);
    struct cairn_space_figures its, objects = {0};
    cairn_space_figures(&space, &its);
    if (object.pages.vm != NULL) {
        cairn_space_figures(&object.pages, &objects);
    }
    assert_int_equal(its.useful + objects.useful, after.useful);
    assert_int_equal(after.major - before.major + after.prefetches - before.prefetches, reads);
    assert_true(after.major - before.major < pages / 2);
}

static void a_file_that_is_read_in_order_is_read_ahead(void **state)
{
    (void)state;
    make(true);
    show(40, &file.store);
    expect_stream(&file, 40);
    end();
}

static void a_file_is_read_ahead_where_the_vm_has_no_store(void **state)
{
    (void)state;
    make(false);
    show(40, &file.store);
    expect_stream(&file, 40);
    end();
}

static void nothing_is_read_behind_the_end_of_an_object(void **state)
{
    (void)state;
    make(true);
    show(9, &file.store);
    for (uint32_t page = 0; page < 9; page++) {
        expect(page);
    }
    assert_true(figures().prefetches != 0);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        assert_int_equal(file.reads[slot], slot < 9);
    }
    end();
}

static void pages_in_no_order_are_not_read_ahead(void **state)
{
    (void)state;
    make(true);
    show(SLOTS, &file.store);
    for (uint32_t i = 0; i < 40; i++) {
        expect(i * i * 7 % SLOTS);
    }
    assert_int_equal(figures().prefetches, 0);
    end();
}

static void a_page_that_cannot_be_read_ahead_is_read_when_it_is_asked_for(void **state)
{
    (void)state;
    for (uint32_t slot = 0; slot < 20; slot++) {
        make(true);
        show(20, &file.store);
        file.fail_slot = slot;
        file.fails = true;
        bool asked = false; // the failure was that of an access
        for (uint32_t page = 0; page < 20; page++) {
            uint32_t word;
            const int error = cairn_space_read(&space, &word, start + page * PAGE, sizeof word);
            assert_true(error == 0 || (error == CAIRN_EIO && page == slot && !asked));
            asked = asked || error != 0;
            expect(page);
        }
        assert_false(file.fails);
        assert_int_equal(file.reads[slot], 2);
        end();
    }
}

static void what_was_read_ahead_and_written_goes_to_the_file(void **state)
{
    (void)state;
    make(true);
    show(40, &file.store);
    for (uint32_t page = 0; page < 40; page++) {
        const uint32_t word = ~WORD(page);
        expect(page);
        assert_int_equal(cairn_space_write(&space, start + page * PAGE, &word, sizeof word), 0);
    }
    assert_true(figures().prefetches != 0);
    end();
    for (uint32_t page = 0; page < 40; page++) {
        uint32_t word;
        memcpy(&word, file_slots + page * PAGE, sizeof word);
        assert_int_equal(word, ~WORD(page));
    }
}

static void pages_that_were_swapped_come_back_ahead(void **state)
{
    const struct cairn_map map = {.address = PAGE, .size = 40 * PAGE, .protection = RW, .flags = CAIRN_MAP_FIXED};
    (void)state;
    make(true);
    assert_int_equal(cairn_space_map_range(&space, &map, NULL), 0);
    write_all(40);
    expect_stream(&swap, 40 - FRAMES);
    end();
}

#if CAIRN_VADDR_BITS == 64
// A policy, and who looks for streams, know pages by 32 bits.
static void pages_beyond_32_bits_of_numbers_come_back_ahead(void **state)
{
    static _Alignas(8) unsigned char more[40000];
    struct cairn_mapping mapping;
    struct cairn_vm_config config = plan(true);
    (void)state;
    memcpy(config.bits, (const uint8_t[CAIRN_LEVELS_MAX]){12, 12, 6, 4}, CAIRN_LEVELS_MAX);
    config.levels = 4;
    config.memory = more;
    config.size = sizeof more;
    make_of(&config);
    start = (cairn_vaddr_t)3 << (32 + 7);
    assert_int_equal(cairn_space_map(&space, &mapping, start, 40 * PAGE, RW), 0);
    write_all(40);
    expect_stream(&swap, 40 - FRAMES);
    end();
}
#endif

static void an_object_without_a_store_comes_back_ahead(void **state)
{
    (void)state;
    make(true);
    show(40, NULL);
    write_all(40);
    expect_stream(&swap, 40 - FRAMES);
    end();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_read_in_order_is_read_ahead),
        cmocka_unit_test(a_file_is_read_ahead_where_the_vm_has_no_store),
        cmocka_unit_test(nothing_is_read_behind_the_end_of_an_object),
        cmocka_unit_test(pages_in_no_order_are_not_read_ahead),
        cmocka_unit_test(a_page_that_cannot_be_read_ahead_is_read_when_it_is_asked_for),
        cmocka_unit_test(what_was_read_ahead_and_written_goes_to_the_file),
        cmocka_unit_test(pages_that_were_swapped_come_back_ahead),
#if CAIRN_VADDR_BITS == 64
        cmocka_unit_test(pages_beyond_32_bits_of_numbers_come_back_ahead),
#endif
        cmocka_unit_test(an_object_without_a_store_comes_back_ahead),
    };
    return cmocka_run_group_tests_name("vm_prefetch", tests, NULL, NULL);
}
