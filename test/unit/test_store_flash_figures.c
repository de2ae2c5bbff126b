// SPDX-License-Identifier: MIT
//
// OWNS        the figures of lib/vm/flash_collect.c: what is copied and how even wear is, by how much is in use and how it is written. On the host with blocks of
//             4 KB and 16 KB, on boards with a few small ones.
// CALLERS     ctest, on every preset. The figures in cairn/store.h are those of the host.
#include "cairn/store.h"
#include "flash.h"
#include "prng.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#if defined(__unix__) || defined(__APPLE__)
#define BYTES (512u << 10)
#define BLOCKS 128u
#define ROUNDS 24u // writes for each slot
#else
#define BYTES 3072u
#define BLOCKS 12u
#define ROUNDS 12u
#endif

static unsigned char bytes[BYTES];
static uint32_t erases[BLOCKS];
static unsigned char flags[BLOCKS];
static uint32_t memory[(BLOCKS * 8 + BLOCKS * 28 + 1024) / 4];
static struct flash flash;
static struct cairn_store_flash store;
static struct cairn_store_flash_stats stats;
static unsigned char page[256];

struct shape {
    uint32_t blocks, erase, page;
};

static void start(const struct shape *shape, uint32_t slots)
{
    const struct cairn_store_flash_config config = {.flash = &flash.port, .page = shape->page, .slots = slots};
    assert_true(cairn_store_flash_size(&config) <= sizeof memory);
    assert_int_equal(cairn_store_flash_init(&store, &config, memory, sizeof memory), 0);
    cairn_store_flash_stats(&store, &stats);
}

// Pages programmed for each that is written, in hundredths. nine_tenths: of the writes go to a tenth of the slots.
static uint32_t amplification(const struct shape *shape, uint32_t percent, bool nine_tenths)
{
    struct prng prng;
    flash_init(&flash, bytes, erases, flags, shape->blocks, shape->erase, 4, false);
    start(shape, 1);
    const uint32_t slots = stats.capacity * percent / 100;
    start(shape, slots);
    prng_seed(&prng, 1);
    for (uint32_t i = 0; i < slots * (ROUNDS + 1); i++) {
        const uint32_t any = prng_below(&prng, slots);
        const uint32_t slot = i < slots ? i : nine_tenths && prng_below(&prng, 10) != 0 ? any % (slots / 10 + 1) : any;
        page[0] = (unsigned char)i;
        assert_int_equal(store.store.write(&store, slot, page), 0);
    }
    cairn_store_flash_stats(&store, &stats);
    const uint32_t hundredths = 100 + (uint32_t)((uint64_t)stats.copies * 100 / (stats.writes - slots));
    print_message("%u blocks of %u, page %u: %u of %u slots, %s: %u.%02u pages programmed a write; blocks erased %u to %u times\n", (unsigned)shape->blocks,
                  (unsigned)shape->erase, (unsigned)shape->page, (unsigned)slots, (unsigned)stats.capacity,
                  nine_tenths ? "9 of 10 writes to a tenth" : "all alike", (unsigned)(hundredths / 100), (unsigned)(hundredths % 100),
                  (unsigned)stats.erases_least, (unsigned)stats.erases_most);
    assert_true(flash_spread(&flash) <= 8 + 2);
    assert_int_equal(flash.breaches, 0);
    return hundredths;
}

static void what_is_copied_by_how_much_is_in_use(void **state)
{
    (void)state;
#if defined(__unix__) || defined(__APPLE__)
    static const struct shape shapes[] = {{128, 4096, 256}, {32, 16384, 256}};
#else
    static const struct shape shapes[] = {{12, 256, 16}};
#endif
    static const struct {
        uint32_t percent, alike, nine_tenths;
    } most[] = {{50, 130, 170}, {75, 225, 290}, {90, 510, 600}};
    for (uint32_t shape = 0; shape < sizeof shapes / sizeof shapes[0]; shape++) {
        for (uint32_t i = 0; i < sizeof most / sizeof most[0]; i++) {
            assert_true(amplification(&shapes[shape], most[i].percent, false) <= most[i].alike);
            assert_true(amplification(&shapes[shape], most[i].percent, true) <= most[i].nine_tenths);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_copied_by_how_much_is_in_use),
    };
    return cmocka_run_group_tests_name("store_flash_figures", tests, NULL, NULL);
}
