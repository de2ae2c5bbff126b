// SPDX-License-Identifier: MIT
//
// OWNS        the proof that no cut of power leaves anything but the old image or the new one: at every write and sync, with each write since the last
//             sync kept, torn or lost; again while what the first one left is worked with.
// PICTURE     work | cut | power on, check | work | cut | power on, check | work to the end, check
// CALLERS     ctest, on every preset: lib/vm/image_commit.c, image_mount.c.
#include "image_fixture.h"
#include "power_store.h"

#define SLOTS 48u
#define KEYS 16u

static unsigned char bytes[SLOTS * (2 * FX_PAGE + 1)];
static unsigned char kept_bytes[sizeof bytes];
static struct power_store power, kept_power;
static struct image_fixture kept;
static struct prng prng;

static void make(bool far)
{
    power_store_init(&power, bytes, FX_PAGE, SLOTS);
    fx_make(&power.store, KEYS);
    fx.far = far;
    assert_int_equal(fx_mount(), 0);
    power.operations = 0;
}

// So many commits, of few changes and many.
static int work(uint32_t commits)
{
    int error = 0;
    for (uint32_t i = 0; i < commits && error == 0; i++) {
        error = fx_work(&prng, prng_below(&prng, 4) == 0 ? prng_below(&prng, 2 * KEYS) : prng_below(&prng, 4));
    }
    return error;
}

// The power is on: it is the old image or the new one.
static void come_up(void)
{
    power_on(&power);
    assert_int_equal(fx_mount(), 0);
    assert_true(fx_is_either());
    assert_int_equal(power.breaches, 0);
    power.operations = 0;
}

static void keep(void)
{
    memcpy(kept_bytes, bytes, sizeof bytes);
    kept = fx;
    kept_power = power;
}

static void take_up(void)
{
    memcpy(bytes, kept_bytes, sizeof bytes);
    fx = kept;
    power = kept_power;
}

// A workload with the power cut at this operation. Returns false where it came to its end before.
static bool first_cut(bool far, uint32_t at, uint32_t how, uint32_t commits)
{
    make(far);
    prng_seed(&prng, 5 + far);
    power.cut_at = at;
    power.how = (enum power_cut)how;
    return work(commits) != 0;
}

static void a_cut_at_any_operation_leaves_the_old_image_or_the_new_one(void **state)
{
    (void)state;
    uint32_t cuts = 0;
    const uint32_t step = fx_scale(7, 1, 1);
    const uint32_t commits = fx_scale(12, 24, 60);
    for (uint32_t how = 0; how < 2 * CUTS; how++) {
        for (uint32_t at = how % step; first_cut(how % 2 != 0, at, how / 2, commits); at += step) {
            assert_true(power.dead);
            come_up();
            assert_int_equal(work(4), 0);
            assert_true(fx_holds(&fx.old));
            come_up();
            cuts++;
        }
    }
    assert_true(cuts > fx_scale(40, 1500, 5000));
}

// What comes after the first cut is itself cut, at each of so many operations: two commits and more.
static void a_second_cut_while_the_first_is_made_good(void **state)
{
    (void)state;
    const uint32_t first_step = fx_scale(61, 17, 2);
    const uint32_t reach = fx_scale(10, 24, 60);
    const uint32_t how_step = fx_scale(5, 1, 1);
    for (uint32_t how = 0; how < CUTS * CUTS; how += how_step) {
        for (uint32_t at = how % first_step; first_cut(how % 2 != 0, at, how % CUTS, fx_scale(8, 16, 24)); at += first_step) {
            come_up();
            keep();
            const struct prng then = prng;
            for (uint32_t second = 0; second < reach; second++) {
                take_up();
                prng = then;
                come_up();
                power.cut_at = second;
                power.how = (enum power_cut)(how / CUTS);
                assert_int_not_equal(work(40), 0);
                come_up();
                assert_int_equal(work(2), 0);
                come_up();
            }
        }
    }
}

// A write or a sync fails, and nobody knows whether the record is there; the image is used on, or the commit tried again; and then the power goes.
static void a_commit_of_unknown_outcome_is_there_whole_or_not_at_all(void **state)
{
    (void)state;
    const uint32_t seeds = fx_scale(20, 4000, 100000);
    uint32_t attempts = 0;
    for (uint32_t seed = 1; seed <= seeds; seed++) {
        make(seed % 2 != 0);
        prng_seed(&prng, seed);
        assert_int_equal(work(1 + seed % 6), 0);
        power.fail_at = power.operations + prng_below(&prng, 12);
        if (work(1) == 0) {
            continue;
        }
        attempts += fx.tries;
        assert_true(fx_holds(&fx.new)); // what is to be committed
        if (seed % 3 == 0 && fx_begin(false) == CAIRN_EBUSY) {
            power.fail_at = power.operations + prng_below(&prng, 8);
            if (fx_commit(seed % 2 != 0) != 0) {
                assert_int_equal(fx_commit(false), 0);
            }
            assert_true(fx_holds(&fx.old));
        } else if (seed % 3 == 1) { // a reset that leaves the store alone, and what it has not synced
            power_on(&power);
            assert_int_equal(fx_mount(), 0);
            assert_true(fx_is_either());
        } else {
            fx_abort();
            assert_true(fx_holds(&fx.old));
        }
        power.cut_at = power.operations + prng_below(&prng, 20);
        power.how = (enum power_cut)prng_below(&prng, CUTS);
        (void)work(3);
        come_up();
    }
    assert_true(attempts > seeds / 8);
}

// An image of pages that are longer than two headers of a record, so that half a record is no more than its entries. Its keys from 12 on are always the same.
static void put_all(struct cairn_image *image, unsigned char *memory, size_t size, unsigned char turn)
{
    const struct cairn_image_config config = {.store = &power.store, .index = 30};
    unsigned char page[128];
    power_on(&power);
    assert_int_equal(cairn_image_init(image, &config, memory, size), 0);
    assert_int_equal(cairn_image_begin(image, false), 0);
    for (uint32_t key = 0; key < 14; key++) {
        memset(page, key < 12 ? turn : (int)key, sizeof page);
        assert_int_equal(cairn_image_put(image, key, page), 0);
    }
}

static void halves_of_two_records_make_no_record(void **state)
{
    (void)state;
    static _Alignas(8) unsigned char memory[4096];
    struct cairn_image image;
    unsigned char page[128];
    const struct cairn_image_config config = {.store = &power.store, .index = 30};
    for (uint32_t commits = 0; commits < 2; commits++) { // a root, a change
        uint32_t at = 0;
        power_store_init(&power, bytes, sizeof page, 36);
        for (uint32_t i = 0; i < commits; i++) {
            put_all(&image, memory, sizeof memory, 1);
            assert_int_equal(cairn_image_commit(&image, NULL, 0), 0);
        }
        for (uint32_t half = 0; half < 2; half++) {
            put_all(&image, memory, sizeof memory, (unsigned char)(2 + half));
            const struct power_store before = power;
            memcpy(kept_bytes, bytes, sizeof bytes);
            const struct cairn_image then = image;
            static unsigned char memory_then[sizeof memory];
            memcpy(memory_then, memory, sizeof memory);
            assert_int_equal(cairn_image_commit(&image, NULL, 0), 0); // to know where the record is written: before the last sync
            at = power.operations - 2;
            power = before;
            image = then;
            memcpy(bytes, kept_bytes, sizeof bytes);
            memcpy(memory, memory_then, sizeof memory);
            power.cut_at = at;
            power.how = half == 0 ? CUT_FRONT : CUT_BACK;
            assert_int_not_equal(cairn_image_commit(&image, NULL, 0), 0);
        }
        power_on(&power);
        assert_int_equal(cairn_image_init(&image, &config, memory, sizeof memory), 0);
        assert_int_equal(image.generation, commits);
        for (uint64_t key = 0; key < 14; key++) {
            assert_int_equal(cairn_image_get(&image, key, page), commits == 0 ? CAIRN_ENOENT : 0);
            assert_int_equal(page[0], commits == 0 ? page[0] : key < 12 ? 1 : key);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_at_any_operation_leaves_the_old_image_or_the_new_one),
        cmocka_unit_test(a_second_cut_while_the_first_is_made_good),
        cmocka_unit_test(halves_of_two_records_make_no_record),
        cmocka_unit_test(a_commit_of_unknown_outcome_is_there_whole_or_not_at_all),
    };
    return cmocka_run_group_tests_name("image_power", tests, NULL, NULL);
}
