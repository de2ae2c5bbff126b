// SPDX-License-Identifier: MIT
//
// Random images, changed at random against the naive model of image_fixture.h: puts, zeros, drops, ranges, commits, aborts, restarts, calls of the store
// that fail, cuts of power.
//
// OWNS        the plan: a new image every few hundred operations, of another number of slots and keys, near or far apart, of another chain, behind a lead
//             or not.
// PICTURE     test_image_random [SEED [OPERATIONS]]   or CAIRN_SEED=SEED; CAIRN_TIER=full: a hundred times as many operations
// CALLERS     ctest, on every preset. A failure prints the seed and the operation; the same seed fails again.
#include "image_fixture.h"
#include "power_store.h"

#include "test/model/arguments.h"

#include <stdio.h>

#define SLOTS 72u

static unsigned char bytes[SLOTS * (2 * FX_PAGE + 1)];
static struct power_store power;
static struct prng prng;
static uint32_t seed = 1;
#if defined(__unix__) || defined(__APPLE__)
static uint32_t operations = 40000;
#else
static uint32_t operations = 1500;
#endif
static uint32_t done, cuts, failures, refused, commits;

static void make(void)
{
    const uint32_t keys = 1 + prng_below(&prng, FX_KEYS);
    power_store_init(&power, bytes, FX_PAGE, 8 + prng_below(&prng, SLOTS - 7));
    fx_make(&power.store, keys);
    fx.far = prng_below(&prng, 2) == 0;
    fx.config.chain = 1 + prng_below(&prng, 6);
    fx.config.index = 60;
    fx.config.first = prng_below(&prng, 3) == 0 ? prng_below(&prng, power.store.slots - 7) : 0;
    assert_int_equal(fx_mount(), 0);
}

static int change(void)
{
    const uint32_t key = prng_below(&prng, fx.keys);
    const uint32_t last = key + prng_below(&prng, 5);
    switch (prng_below(&prng, 16)) {
    case 0: return fx_put_zeros(key);
    case 1: return fx_drop_range(key, last < fx.keys ? last : fx.keys - 1);
    case 2:
    case 3: return fx_drop(key);
    default: return fx_put(key);
    }
}

static void step(void)
{
    int error = 0;
    switch (prng_below(&prng, 40)) {
    case 0:
        if (prng_below(&prng, 4) == 0) {
            power.cut_at = power.operations + prng_below(&prng, 30);
            power.how = (enum power_cut)prng_below(&prng, CUTS);
        }
        break;
    case 1: power.fail_at = power.operations + prng_below(&prng, 6); break;
    case 2: fx_abort(); break;
    case 3:
        if (!fx.image.unsure && !power.dead && power.cut_at == POWER_NEVER) { // a restart in order
            power.fail_at = POWER_NEVER;
            fx_abort();
            assert_int_equal(fx_mount(), 0);
        }
        break;
    default:
        if (!fx.image.open) {
            error = fx_begin(prng_below(&prng, 10) == 0);
        } else if (prng_below(&prng, 5) == 0) {
            error = fx_commit(prng_below(&prng, 4) == 0);
            commits += error == 0;
            if (error == CAIRN_ENOMEM) {
                fx_abort();
            }
        } else {
            error = change();
        }
        break;
    }
    assert_true(error == 0 || error == POWER_ERROR || error == CAIRN_ENOMEM);
    refused += error == CAIRN_ENOMEM;
    failures += error == POWER_ERROR;
    if (power.dead) {
        cuts++;
        power_on(&power);
        assert_int_equal(fx_mount(), 0);
        assert_true(fx_is_either());
    }
    assert_true(fx_holds(fx.image.open ? &fx.new : &fx.old));
    assert_int_equal(power.breaches, 0);
}

static void an_image_is_as_its_model(void **state)
{
    (void)state;
    prng_seed(&prng, seed);
    for (done = 0; done < operations; done++) {
        if (done % 500 == 0) {
            make();
        }
        step();
    }
    assert_true(cuts > operations / 400 && failures > operations / 100 && commits > operations / 20);
    done = 0;
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(an_image_is_as_its_model)};
    read_arguments(argc, argv, 100, &seed, &operations);
    const int failed = cmocka_run_group_tests_name("image_random", tests, NULL, NULL);
    if (failed != 0) {
        printf("seed %lu, operation %lu\n", (unsigned long)seed, (unsigned long)done);
    } else {
        printf("seed %lu: %lu operations, %lu commits, %lu cuts of power, %lu failures, %lu without room\n", (unsigned long)seed, (unsigned long)operations,
               (unsigned long)commits, (unsigned long)cuts, (unsigned long)failures, (unsigned long)refused);
    }
    return failed;
}
