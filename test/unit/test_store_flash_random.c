// SPDX-License-Identifier: MIT
//
// Random flashes and stores, worked at random against the naive model of flash_fixture.h: writes, trims, restarts, cuts of power, blocks that fail, idle time.
//
// OWNS        the plan: a new flash every few hundred operations, of another size, number of slots, spare and spread.
// PICTURE     test_store_flash_random [SEED [OPERATIONS]]   or CAIRN_SEED=SEED; CAIRN_TIER=full: a hundred times as many operations
// CALLERS     ctest, on every preset. A failure prints the seed and the operation; the same seed fails again.
#include "flash_fixture.h"

#include "test/model/arguments.h"

#include <stdio.h>

static struct prng prng;
static uint32_t seed = 1;
#if defined(__unix__) || defined(__APPLE__)
static uint32_t operations = 60000;
#else
static uint32_t operations = 2500;
#endif
static uint32_t done, capacity, breaks, cuts, refused;

static void make(void)
{
    const uint32_t blocks = 5 + prng_below(&prng, FX_BLOCKS - 4);
    const uint32_t spare = 1 + prng_below(&prng, 2);
    breaks = prng_below(&prng, 2) == 0 ? 0 : spare - 1;
    capacity = (blocks - spare - breaks) * FX_PLACES - 1;
    fx_make(blocks, 1 + prng_below(&prng, capacity), prng_below(&prng, 2) == 0);
    fx.config.spare = spare;
    fx.config.spread = 1 + prng_below(&prng, 12);
    fx_mount();
}

static void step(void)
{
    const uint32_t slots = fx.config.slots;
    switch (prng_below(&prng, 64)) {
    case 0: // the power goes, soon
        fx.flash.cut_at = fx.flash.operations + prng_below(&prng, 40);
        fx.flash.tear = (enum flash_tear)prng_below(&prng, TEARS);
        break;
    case 1: // a restart in order
        fx_mount();
        break;
    case 2:
        if (breaks != 0 && prng_below(&prng, 8) == 0 && !fx.flash.dead) {
            flash_break(&fx.flash, prng_below(&prng, fx.flash.port.blocks));
            breaks--;
        }
        break;
    case 3: // power on where it is off, or idle time
        (void)cairn_store_flash_prepare(&fx.store);
        break;
    case 4:
    case 5:
    case 6:
        fx_trim(prng_below(&prng, slots));
        break;
    default:
        if (fx_write(prng_below(&prng, 2) == 0 ? prng_below(&prng, slots) : prng_below(&prng, slots / 4 + 1)) != 0) {
            refused++;
            assert_true(fx.flash.dead);
        }
        break;
    }
    if (fx.flash.dead) {
        cuts++;
        flash_power(&fx.flash);
        fx_mount();
    }
    assert_true(fx_holds());
    assert_true(fx.store.live <= slots);
}

static void a_store_is_as_its_model(void **state)
{
    (void)state;
    prng_seed(&prng, seed);
    for (done = 0; done < operations; done++) {
        if (done % 600 == 0) {
            make();
        }
        step();
    }
    assert_true(cuts > operations / 200);
    done = 0;
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(a_store_is_as_its_model)};
    read_arguments(argc, argv, 100, &seed, &operations);
    const int failed = cmocka_run_group_tests_name("store_flash_random", tests, NULL, NULL);
    if (failed != 0) {
        printf("seed %lu, operation %lu\n", (unsigned long)seed, (unsigned long)done);
    } else {
        printf("seed %lu: %lu operations, %lu cuts of power\n", (unsigned long)seed, (unsigned long)operations, (unsigned long)cuts);
    }
    return failed;
}
