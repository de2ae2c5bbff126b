// SPDX-License-Identifier: MIT
//
// OWNS        the proof that no cut of power loses a page: at every operation, torn in every way, again while what the first one left is worked with.
// PICTURE     work | cut | power on, check | work | cut | power on, check | work to the end, check
// CALLERS     ctest, on every preset: lib/vm/flash_mount.c, flash_collect.c, flash_block.c.
#include "flash_fixture.h"

#include <string.h>

#define BLOCKS 6u
#define SLOTS 17u // of 19
#define WRITES 70u

static struct prng prng;
static unsigned char kept_bytes[BLOCKS * FX_ERASE];
static struct flash_fixture kept;

// Part of a workload that goes on through cuts. Returns false where the power went.
static bool work(uint32_t writes)
{
    for (uint32_t i = 0; i < writes; i++) {
        const uint32_t slot = prng_below(&prng, 3) != 0 ? prng_below(&prng, SLOTS / 4) : prng_below(&prng, SLOTS);
        if (prng_below(&prng, 16) == 0) {
            fx_trim(prng_below(&prng, SLOTS));
        }
        const int error = fx_write(slot);
        if (error != 0) {
            assert_true(fx.flash.dead);
            return false;
        }
    }
    return true;
}

static void power_on(void)
{
    flash_power(&fx.flash);
    fx_mount();
    assert_true(fx_holds());
}

static void keep(void)
{
    memcpy(kept_bytes, fx_bytes, sizeof kept_bytes);
    kept = fx;
}

static void take_up(void)
{
    memcpy(fx_bytes, kept_bytes, sizeof kept_bytes);
    fx = kept;
}

// Every slot filled, then all of the workload with the power cut at this operation. Returns false where it came to its end before.
static bool first_cut(uint32_t at, enum flash_tear tear)
{
    fx_make(BLOCKS, SLOTS, false);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        assert_int_equal(fx_write(slot), 0);
    }
    prng_seed(&prng, 3);
    flash_power(&fx.flash);
    fx.flash.cut_at = at;
    fx.flash.tear = tear;
    return !work(WRITES);
}

static void a_cut_at_any_operation_leaves_the_old_page_or_the_new_one(void **state)
{
    (void)state;
    uint32_t cuts = 0;
    for (uint32_t tear = 0; tear < TEARS; tear++) {
        const uint32_t step = fx_scale(5, 1, 1);
        for (uint32_t at = 0; first_cut(at, (enum flash_tear)tear); at += step) {
            power_on();
            assert_true(work(WRITES));
            assert_true(fx_holds());
            power_on();
            cuts++;
        }
    }
    assert_true(cuts > 150);
}

// What comes after the first cut is itself cut, at each of so many operations: enough for a block to be collected.
static void a_second_cut_while_the_first_is_made_good(void **state)
{
    (void)state;
    const uint32_t first_step = fx_scale(47, 11, 4);
    const uint32_t reach = fx_scale(12, 26, 40);
    const uint32_t tear_step = fx_scale(2, 1, 1);
    for (uint32_t tear = 0; tear < TEARS * TEARS; tear += tear_step) {
        for (uint32_t at = tear % first_step; first_cut(at, (enum flash_tear)(tear % TEARS)); at += first_step) {
            power_on();
            keep();
            const struct prng then = prng;
            for (uint32_t second = 0; second < reach; second++) {
                take_up();
                prng = then;
                flash_power(&fx.flash);
                fx_mount();
                fx.flash.cut_at = second;
                fx.flash.tear = (enum flash_tear)(tear / TEARS);
                assert_false(work(WRITES));
                power_on();
                assert_true(work(12));
                assert_true(fx_holds());
            }
        }
    }
}

// One write, torn behind each of its bytes; one erasure likewise.
static void an_operation_torn_at_any_byte_is_not_taken_for_whole(void **state)
{
    (void)state;
    const uint32_t step = fx_scale(5, 1, 1);
    for (uint32_t at = 0; at < 60; at += step) {
        for (uint32_t bytes = 1; bytes < FX_ERASE; bytes += bytes < 48 ? 1 : 7 * step) {
            fx_make(BLOCKS, SLOTS, false);
            prng_seed(&prng, 3);
            fx.flash.tear = TEAR_FRONT;
            fx.flash.torn_bytes = bytes;
            flash_power(&fx.flash);
            fx.flash.cut_at = at + 60;
            assert_false(work(WRITES * 2));
            power_on();
            assert_true(work(20));
            assert_true(fx_holds());
        }
    }
}

// Cut after cut, all of them after a few operations, the store as full as can be. However many there were, it goes on when they end.
static void no_number_of_cuts_uses_up_the_room(void **state)
{
    (void)state;
    const uint32_t lives = fx_scale(2, 12, 600);
    for (uint32_t seed = 1; seed <= lives; seed++) {
        fx_make(BLOCKS, 4 * FX_PLACES - 1, false);
        for (uint32_t slot = 0; slot < 4 * FX_PLACES - 1; slot++) {
            assert_int_equal(fx_write(slot), 0);
        }
        prng_seed(&prng, seed);
        for (uint32_t cuts = 0; cuts < 250; cuts++) {
            flash_power(&fx.flash);
            fx.flash.cut_at = prng_below(&prng, 1 + seed % 13);
            fx.flash.tear = (enum flash_tear)prng_below(&prng, TEARS);
            fx_mount();
            (void)fx_holds();
            assert_false(work(WRITES));
            power_on();
        }
        assert_true(work(WRITES));
        assert_true(fx_holds());
        power_on();
    }
}

// The power goes before the first cut's operation, and a block fails after it: both at once, where two are spare.
static void a_block_that_fails_after_a_cut_loses_nothing(void **state)
{
    (void)state;
    const uint32_t step = fx_scale(19, 4, 1);
    for (uint32_t at = 0; at < 150; at += step) {
        for (uint32_t failing = 0; failing < 40; failing += step) {
            fx_make(8, SLOTS, false);
            prng_seed(&prng, 3);
            fx.flash.cut_at = at;
            fx.flash.tear = (enum flash_tear)(at % TEARS);
            assert_false(work(3 * WRITES));
            power_on();
            fx.flash.fail_at = failing;
            assert_true(work(WRITES));
            assert_true(fx_holds());
            power_on();
            assert_true(work(WRITES));
            assert_true(fx_holds());
        }
    }
}

// A program fails, pages are copied to another block, the power goes before all are; the block that failed works again. What is written then must be newer than
// the copies, also when the erasure of their block is cut off behind its header.
static void copies_that_were_given_up_are_never_newer(void **state)
{
    (void)state;
    const uint32_t step = fx_scale(17, 5, 1);
    for (uint32_t failing = 0; failing < 60; failing += step) {
        for (uint32_t at = 2; at < 16; at++) {
            for (uint32_t second = 0; second < 16; second++) {
                fx_make(BLOCKS + 1, SLOTS, false);
                for (uint32_t slot = 0; slot < SLOTS; slot++) {
                    assert_int_equal(fx_write(slot), 0);
                }
                prng_seed(&prng, failing);
                flash_power(&fx.flash);
                fx.flash.fail_at = failing;
                fx.flash.cut_at = failing + at;
                assert_false(work(WRITES));
                memset(fx.flash.flags, 0, BLOCKS + 1);
                power_on();
                fx.flash.tear = TEAR_FRONT;
                fx.flash.torn_bytes = 80;
                fx.flash.cut_at = second;
                assert_false(work(WRITES));
                power_on();
            }
        }
    }
}

static void wear_stays_even_through_cuts(void **state)
{
    (void)state;
    const uint32_t cuts = fx_scale(100, 1500, 30000);
    uint32_t most = 0;
    fx_make(BLOCKS, SLOTS, false);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        assert_int_equal(fx_write(slot), 0);
    }
    prng_seed(&prng, 7);
    for (uint32_t cut = 0; cut < cuts; cut++) {
        flash_power(&fx.flash);
        fx.flash.cut_at = 30 + prng_below(&prng, 200);
        fx.flash.tear = (enum flash_tear)prng_below(&prng, TEARS);
        fx_mount();
        while (fx_write(prng_below(&prng, 2)) == 0) {
        }
        power_on();
        most = flash_spread(&fx.flash) > most ? flash_spread(&fx.flash) : most;
    }
    struct cairn_store_flash_stats stats;
    cairn_store_flash_stats(&fx.store, &stats);
    print_message("%u cuts: blocks differ by %u erasures at most, of %u\n", (unsigned)cuts, (unsigned)most, (unsigned)stats.erases_most);
    assert_true(most <= 10 + cuts / 50); // counts that are lost: of a block that was cut off twice running
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_at_any_operation_leaves_the_old_page_or_the_new_one),
        cmocka_unit_test(a_second_cut_while_the_first_is_made_good),
        cmocka_unit_test(an_operation_torn_at_any_byte_is_not_taken_for_whole),
        cmocka_unit_test(no_number_of_cuts_uses_up_the_room),
        cmocka_unit_test(a_block_that_fails_after_a_cut_loses_nothing),
        cmocka_unit_test(copies_that_were_given_up_are_never_newer),
        cmocka_unit_test(wear_stays_even_through_cuts),
    };
    return cmocka_run_group_tests_name("store_flash_power", tests, NULL, NULL);
}
