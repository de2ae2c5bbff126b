// SPDX-License-Identifier: MIT
//
// OWNS        the proof that a vm and the store in flash work together: what was stored comes back, over blocks that wear, fail and lie.
// PICTURE     48 pages of 128 bytes in 8 frames; the others in 16 blocks of emulated NOR flash, in a store of 56 slots
// CALLERS     ctest, on every preset with room for it.
#include "cairn/access.h"
#include "cairn/store.h"
#include "flash.h"
#include "prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 128u
#define FRAMES 8u
#define PAGES 48u
#define WORDS (PAGES * PAGE / 4)
#define BASE PAGE // page 0 is none
#define BLOCKS 16u
#define ERASE 1000u

#if defined(__unix__) || defined(__APPLE__)
#define STEPS 60000u
#else
#define STEPS 3000u
#endif

static _Alignas(PAGE) unsigned char frames[FRAMES * PAGE];
static _Alignas(8) unsigned char memory[2048];
static _Alignas(8) unsigned char store_memory[2048];
static unsigned char flash_bytes[BLOCKS * ERASE];
static uint32_t flash_erases[BLOCKS];
static unsigned char flash_flags[BLOCKS];
static uint32_t model[WORDS];
static struct flash flash;
static struct cairn_store_flash store;
static struct cairn_vm vm;
static struct cairn_space space;
static struct cairn_mapping mapping;
static struct prng prng;

static int setup(void **state)
{
    (void)state;
    flash_init(&flash, flash_bytes, flash_erases, flash_flags, BLOCKS, ERASE, 4, true);
    const struct cairn_store_flash_config flash_config = {.flash = &flash.port, .page = PAGE, .slots = 56};
    const struct cairn_vm_config config = {.page_shift = 7,
                                           .levels = 2,
                                           .bits = {4, 4},
                                           .tlb = 4,
                                           .frames = frames,
                                           .frame_count = FRAMES,
                                           .memory = memory,
                                           .size = sizeof memory,
                                           .store = &store.store};
    prng_seed(&prng, 7);
    memset(model, 0, sizeof model);
    assert_int_equal(cairn_store_flash_init(&store, &flash_config, store_memory, sizeof store_memory), 0);
    assert_int_equal(cairn_vm_init(&vm, &config), 0);
    assert_int_equal(cairn_space_init(&space, &vm), 0);
    assert_int_equal(cairn_space_map(&space, &mapping, BASE, PAGES * PAGE, CAIRN_READ | CAIRN_WRITE), 0);
    cairn_space_switch(&vm, &space);
    return 0;
}

static void assert_sound(void)
{
    uint32_t rule;
    assert_int_equal(cairn_vm_check(&vm, &rule), 0);
    assert_int_equal(flash.breaches, 0);
}

static int teardown(void **state)
{
    struct cairn_vm_figures figures;
    (void)state;
    assert_sound();
    assert_int_equal(cairn_space_deinit(&space), 0);
    cairn_vm_figures(&vm, &figures);
    assert_int_equal(figures.slots_used, 0);
    assert_int_equal(store.live, 0); // each slot was trimmed
    return 0;
}

static void put(uint32_t word, uint32_t value)
{
    assert_int_equal(cairn_vm_store32(&vm, BASE + 4 * word, value), 0);
    model[word] = value;
}

static void assert_holds(uint32_t word)
{
    uint32_t value = 0xABADCAFE;
    assert_int_equal(cairn_vm_load32(&vm, BASE + 4 * word, &value), 0);
    assert_int_equal(value, model[word]);
}

// Half of it goes to a few pages.
static uint32_t any_word(void)
{
    return prng_below(&prng, prng_below(&prng, 2) == 0 ? WORDS : WORDS / 6);
}

static void work(uint32_t steps)
{
    for (uint32_t step = 0; step < steps; step++) {
        if (prng_below(&prng, 3) == 0) {
            put(any_word(), step ^ 0x5A000000u);
        } else {
            assert_holds(any_word());
        }
        if (prng_below(&prng, 500) == 0) {
            assert_true(cairn_vm_clean(&vm, 3) >= 0);
            assert_int_equal(cairn_store_flash_prepare(&store), 0);
        }
    }
    for (uint32_t word = 0; word < WORDS; word++) {
        assert_holds(word);
    }
}

static void what_was_stored_comes_back_from_flash(void **state)
{
    struct cairn_vm_figures figures;
    struct cairn_store_flash_stats stats;
    (void)state;
    work(STEPS);
    cairn_vm_figures(&vm, &figures);
    cairn_store_flash_stats(&store, &stats);
    assert_int_equal(stats.writes, figures.writes); // a page that left, a page that was written
    assert_int_equal(stats.live, figures.slots_used);
    assert_true(stats.erases > BLOCKS); // it went round
    assert_true(flash_spread(&flash) <= 16);
}

static void blocks_that_fail_cost_no_page(void **state)
{
    struct cairn_store_flash_stats stats;
    (void)state;
    work(STEPS / 8);
    flash_break(&flash, 3);
    work(STEPS / 8);
    cairn_store_flash_stats(&store, &stats);
    assert_int_equal(stats.bad_blocks, 1);
}

static void a_page_that_changed_in_flash_is_an_error_where_it_is_needed(void **state)
{
    uint32_t value = 77;
    (void)state;
    for (uint32_t word = 0; word < WORDS; word++) {
        put(word, word * 2654435761u);
    }
    unsigned char bytes[4];
    memcpy(bytes, &model[40], sizeof bytes); // of page 1, which has left
    for (uint32_t at = 0; at + 4 <= sizeof flash_bytes; at++) {
        if (memcmp(&flash_bytes[at], bytes, sizeof bytes) == 0) {
            flash_bytes[at] ^= 0x10;
        }
    }
    assert_int_equal(cairn_vm_load32(&vm, BASE + 4 * 40, &value), CAIRN_ECORRUPT);
    assert_int_equal(cairn_vm_store32(&vm, BASE + 4 * 33, 1), CAIRN_ECORRUPT); // the same page
    assert_int_equal(value, 77);
    for (uint32_t word = 0; word < WORDS; word++) {
        if (word / (PAGE / 4) != 1) {
            assert_holds(word);
        }
    }
}

// Nothing can be written any more, nor read: what is in frames works on, and no access does half.
static void without_power_what_is_resident_is_there(void **state)
{
    (void)state;
    work(500);
    flash.cut_at = flash.operations; // the next one
    flash.tear = TEAR_NOTHING;
    uint32_t failed = 0;
    for (uint32_t word = 0; word < WORDS; word += PAGE / 4) {
        const int error = cairn_vm_store32(&vm, BASE + 4 * word, word);
        if (error == 0) {
            model[word] = word;
        }
        failed += error != 0;
    }
    assert_true(failed != 0);
    assert_sound();
    uint32_t there = 0;
    for (uint32_t word = 0; word < WORDS; word++) {
        uint32_t value = 77;
        const int error = cairn_vm_load32(&vm, BASE + 4 * word, &value);
        assert_int_equal(value, error == 0 ? model[word] : 77);
        there += error == 0;
    }
    assert_true(there >= PAGE / 4);
    assert_sound();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_stored_comes_back_from_flash, setup, teardown),
        cmocka_unit_test_setup_teardown(blocks_that_fail_cost_no_page, setup, teardown),
        cmocka_unit_test_setup_teardown(a_page_that_changed_in_flash_is_an_error_where_it_is_needed, setup, teardown),
        cmocka_unit_test_setup(without_power_what_is_resident_is_there, setup),
    };
    return cmocka_run_group_tests_name("vm_flash", tests, NULL, NULL);
}
