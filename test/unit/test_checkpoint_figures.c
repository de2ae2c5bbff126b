// SPDX-License-Identifier: MIT
//
// OWNS        the figures of cairn/checkpoint.h: what checkpoints write beside the pages that were stored to, what they read, what RAM they take.
// PICTURE     a space of 1024 pages of 1 KB in 64 frames; so many of them are stored to, and it is kept, twice round the chain of its index
// CALLERS     ctest, on hosts.
#include "cairn/access.h"
#include "cairn/checkpoint.h"
#include "cairn/store.h"
#include "faulty_store.h"
#include "prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 1024u
#define PAGES 1024u
#define FRAMES 64u
#define SLOTS (2 * PAGES + 256)

static unsigned char slots[SLOTS * PAGE], swapped[PAGES * PAGE];
static _Alignas(PAGE) unsigned char frames[FRAMES * PAGE];
static _Alignas(8) unsigned char memory[65536], index_memory[32768];
static struct cairn_store_ram ram, swap;
static struct faulty_store counted;
static struct cairn_vm vm;
static struct cairn_space space;
static struct cairn_checkpoint checkpoint;
static struct prng prng;

static void make(void)
{
    const struct cairn_vm_config config = {
        .frames = frames, .frame_count = FRAMES, .memory = memory, .size = sizeof memory, .store = &swap.store, .levels = 2, .bits = {6, 6}};
    const struct cairn_map map = {.address = PAGE, .size = PAGES * PAGE, .protection = CAIRN_READ | CAIRN_WRITE, .flags = CAIRN_MAP_FIXED};
    assert_int_equal(cairn_store_ram_init(&ram, slots, sizeof slots, PAGE, SLOTS), 0);
    assert_int_equal(cairn_store_ram_init(&swap, swapped, sizeof swapped, PAGE, PAGES), 0);
    faulty_store_init(&counted, &ram.store);
    assert_int_equal(cairn_vm_init(&vm, &config), 0);
    assert_int_equal(cairn_space_init(&space, &vm), 0);
    assert_int_equal(cairn_space_map_range(&space, &map, NULL), 0);
    cairn_space_switch(&vm, &space);
    const struct cairn_image_config image = {.store = &counted.store};
    print_message("RAM for %u slots of 1 KB: %u bytes\n", SLOTS, (unsigned)cairn_checkpoint_size(&image));
    assert_true(cairn_checkpoint_size(&image) <= 12288);
    assert_int_equal(cairn_checkpoint_init(&checkpoint, &image, index_memory, sizeof index_memory), 0);
    prng_seed(&prng, 1);
}

// Store to so many pages, all different, and to some of them twice; keep it. Returns the slots that this wrote.
static uint32_t save(uint32_t count)
{
    static bool is_stored[PAGES];
    struct cairn_checkpoint_stats stats;
    memset(is_stored, 0, sizeof is_stored);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t page = prng_below(&prng, PAGES);
        while (is_stored[page]) {
            page = prng_below(&prng, PAGES);
        }
        is_stored[page] = true;
        assert_int_equal(cairn_vm_store32(&vm, PAGE + page * PAGE + 4 * prng_below(&prng, PAGE / 4), prng_next(&prng)), 0);
    }
    assert_int_equal(cairn_checkpoint_save(&checkpoint, &space, NULL, 0), 0);
    cairn_checkpoint_stats(&checkpoint, &stats);
    assert_int_equal(stats.dropped, 0);
    return stats.written;
}

static void a_checkpoint_writes_what_was_stored_to_and_two_per_cent(void **state)
{
    (void)state;
    static const uint32_t counts[] = {1, 64, 128, 512};
    make();
    const uint32_t full = save(PAGES) - PAGES;
    print_message("the first one, of %u pages: %u slots beside them\n", PAGES, (unsigned)full);
    assert_true(full * 50 <= PAGES);
    for (uint32_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        uint32_t all = 0;
        const uint32_t rounds = counts[i] > 128 ? 33 : 66;
        for (uint32_t round = 0; round < rounds; round++) {
            all += save(counts[i]) - counts[i];
        }
        const uint32_t mean = all * 10000 / rounds / counts[i];
        print_message("%4u of %u pages stored to: %u.%02u %% beside them on average\n", (unsigned)counts[i], PAGES, (unsigned)mean / 100, (unsigned)mean % 100);
        if (counts[i] >= 64) {
            assert_true(mean <= 200);
        }
    }
    const uint32_t reads = counted.reads;
    assert_true(save(0) <= 9);
    print_message("a checkpoint of what is the same: %u reads\n", (unsigned)(counted.reads - reads));
    assert_true(counted.reads - reads <= 48 * 9);
    assert_int_equal(cairn_space_deinit(&space), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(a_checkpoint_writes_what_was_stored_to_and_two_per_cent)};
    return cmocka_run_group_tests_name("checkpoint_figures", tests, NULL, NULL);
}
