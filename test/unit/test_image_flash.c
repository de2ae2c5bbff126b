// SPDX-License-Identifier: MIT
//
// OWNS        the proof that an image over the store in flash survives a cut of power at any operation of the flash.
// PICTURE     24 keys of pages of 96 bytes in an image of 44 slots; that in 8 blocks of emulated NOR flash with 8 places each
// CALLERS     ctest, on every preset: lib/vm/image*.c over lib/vm/store_flash.c.
#include "cairn/store.h"
#include "flash.h"
#include "image_fixture.h"

#include <string.h>

#define BLOCKS 9u
#define ERASE (76u + 8u * (FX_PAGE + 16u))
#define SLOTS 44u
#define KEYS 14u

static unsigned char bytes[BLOCKS * ERASE];
static uint32_t erases[BLOCKS];
static unsigned char flags[BLOCKS];
static uint32_t memory[(BLOCKS * 8 + SLOTS * 2 + FX_PAGE) / 4 + 1];
static struct flash flash;
static struct cairn_store_flash store;
static const struct cairn_store_flash_config store_config = {.flash = &flash.port, .page = FX_PAGE, .slots = SLOTS};
static struct prng prng;

static void mount(void)
{
    assert_int_equal(cairn_store_flash_init(&store, &store_config, memory, sizeof memory), 0);
    assert_int_equal(fx_mount(), 0);
}

static int work(uint32_t commits)
{
    int error = 0;
    for (uint32_t i = 0; i < commits && error == 0; i++) {
        error = fx_work(&prng, prng_below(&prng, 5));
    }
    return error;
}

// A workload with the power cut at this operation of the flash. Returns false where it came to its end before.
static bool cut(uint32_t at, uint32_t tear, uint32_t commits)
{
    flash_init(&flash, bytes, erases, flags, BLOCKS, ERASE, 4, false);
    fx_make(&store.store, KEYS);
    mount();
    prng_seed(&prng, 2);
    flash.cut_at = at;
    flash.tear = (enum flash_tear)tear;
    return work(commits) != 0;
}

static void come_up(void)
{
    flash_power(&flash);
    mount();
    assert_true(fx_is_either());
    assert_int_equal(flash.breaches, 0);
}

static void a_cut_at_any_operation_leaves_the_old_image_or_the_new_one(void **state)
{
    (void)state;
    const uint32_t step = fx_scale(23, 2, 1);
    const uint32_t commits = fx_scale(20, 40, 120);
    uint32_t cuts = 0;
    for (uint32_t tear = 0; tear < TEARS; tear++) {
        for (uint32_t at = tear % step; cut(at, tear, commits); at += step) {
            assert_true(flash.dead);
            come_up();
            assert_int_equal(work(3), 0);
            assert_true(fx_holds(&fx.old));
            come_up();
            cuts++;
        }
    }
    assert_true(cuts > fx_scale(10, 500, 3000));
}

// Cut after cut.
static void no_number_of_cuts_loses_the_image(void **state)
{
    (void)state;
    const uint32_t cuts = fx_scale(40, 2000, 50000);
    (void)cut(FLASH_NEVER, 0, 8);
    for (uint32_t i = 0; i < cuts; i++) {
        flash.cut_at = flash.operations + prng_below(&prng, 40);
        flash.tear = (enum flash_tear)prng_below(&prng, TEARS);
        const int error = work(30);
        assert_true(error != 0 && flash.dead);
        come_up();
    }
    assert_int_equal(work(20), 0);
    come_up();
}

// What the image trims the flash need not copy: the slots in use are those of the image.
static void the_flash_keeps_only_what_the_image_has(void **state)
{
    (void)state;
    struct cairn_image_stats stats;
    (void)cut(FLASH_NEVER, 0, 30);
    cairn_image_stats(&fx.image, &stats);
    assert_true(store.live <= stats.data + stats.index);
    assert_true(store.live >= stats.data + stats.index - 2); // the next record's slot, a root's
    come_up();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_at_any_operation_leaves_the_old_image_or_the_new_one),
        cmocka_unit_test(no_number_of_cuts_loses_the_image),
        cmocka_unit_test(the_flash_keeps_only_what_the_image_has),
    };
    return cmocka_run_group_tests_name("image_flash", tests, NULL, NULL);
}
