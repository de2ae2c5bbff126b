// SPDX-License-Identifier: MIT
//
// OWNS        the proof of each call of an image; and that its bytes are the same on every machine.
// CALLERS     ctest, on every preset: lib/vm/image.c, image_commit.c, image_index.c, image_slots.c.
#include "base/checksum.h"
#include "image_fixture.h"

#include <string.h>

#define KEYS 16u

static unsigned char page[FX_PAGE];
static struct prng prng;

static void make(int filling, bool far)
{
    fx_make_faulty(filling, FX_SLOTS, KEYS);
    fx.far = far;
    assert_int_equal(fx_mount(), 0);
    prng_seed(&prng, 3);
}

static void a_store_without_an_image_is_an_empty_one(void **state)
{
    (void)state;
    static const int fillings[] = {0, 0xFF, 0xA5, 'C'};
    for (uint32_t i = 0; i < 4; i++) {
        make(fillings[i], false);
        assert_true(fx_holds(&fx.old));
        assert_int_equal(fx_stats().generation, 0);
        assert_int_equal(fx_stats().free, FX_SLOTS - 2);
        assert_int_equal(fx_faulty.writes + fx_faulty.trims, 0);
        assert_int_equal(cairn_image_head(&fx.image, page, sizeof page), 0);
    }
}

static void an_empty_image_can_be_committed(void **state)
{
    (void)state;
    make(0, false);
    assert_int_equal(fx_begin(false), 0);
    assert_int_equal(fx_commit(false), 0);
    fx_assert_committed();
    assert_int_equal(fx_stats().generation, 1);
    assert_int_equal(fx_stats().written, 0); // since the restart
}

static void what_was_put_is_there_after_a_restart(void **state)
{
    (void)state;
    for (int far = 0; far < 2; far++) {
        make(0xFF, far != 0);
        assert_int_equal(fx_begin(false), 0);
        for (uint32_t key = 0; key < KEYS; key += 3) {
            assert_int_equal(fx_put(key), 0);
        }
        assert_true(fx_holds(&fx.new));
        assert_int_equal(fx_commit(true), 0);
        fx_assert_committed();
    }
}

static void a_key_is_any_number_but_one(void **state)
{
    (void)state;
    static const uint64_t keys[] = {0, 1, UINT32_MAX, (uint64_t)1 << 32, (uint64_t)1 << 63, UINT64_MAX - 1};
    uint64_t key = 0;
    make(0, false);
    assert_int_equal(cairn_image_begin(&fx.image, false), 0);
    for (uint32_t i = 6; i-- > 0;) {
        memset(page, (int)i + 1, sizeof page);
        assert_int_equal(cairn_image_put(&fx.image, keys[i], page), 0);
    }
    assert_int_equal(cairn_image_put(&fx.image, CAIRN_IMAGE_NO_KEY, page), CAIRN_EINVAL);
    assert_int_equal(cairn_image_drop(&fx.image, CAIRN_IMAGE_NO_KEY), CAIRN_EINVAL);
    for (uint32_t restart = 0; restart < 2; restart++) {
        key = 0;
        for (uint32_t i = 0; i < 6; i++) {
            assert_int_equal(cairn_image_next(&fx.image, &key), 0);
            assert_true(key == keys[i]);
            assert_int_equal(cairn_image_get(&fx.image, key, page), 0);
            assert_int_equal(page[0], i + 1);
            key++;
        }
        assert_true(key == CAIRN_IMAGE_NO_KEY);
        assert_int_equal(cairn_image_next(&fx.image, &key), CAIRN_ENOENT);
        assert_int_equal(cairn_image_get(&fx.image, CAIRN_IMAGE_NO_KEY, page), CAIRN_ENOENT);
        if (restart == 0) {
            assert_int_equal(cairn_image_commit(&fx.image, NULL, 0), 0);
            assert_int_equal(fx_mount(), 0);
        }
    }
    assert_int_equal(cairn_image_begin(&fx.image, false), 0);
    assert_int_equal(cairn_image_drop_range(&fx.image, 2, CAIRN_IMAGE_NO_KEY), 0);
    assert_int_equal(cairn_image_commit(&fx.image, NULL, 0), 0);
    assert_int_equal(fx_stats().keys, 2);
}

static void zeros_take_no_slot(void **state)
{
    (void)state;
    make(0xFF, false);
    assert_int_equal(fx_begin(false), 0);
    for (uint32_t key = 0; key < KEYS; key++) {
        assert_int_equal(fx_put_zeros(key), 0);
    }
    assert_int_equal(fx_put(3), 0);
    assert_int_equal(fx_put(4), 0);
    assert_int_equal(fx_put_zeros(4), 0);
    assert_int_equal(fx_commit(false), 0);
    assert_int_equal(fx_stats().keys, KEYS);
    assert_int_equal(fx_stats().data, 1);
    fx_assert_committed();
}

static void pages_that_did_not_change_stay_where_they_are(void **state)
{
    (void)state;
    make(0, false);
    fx.config.chain = 16;
    assert_int_equal(fx_mount(), 0);
    assert_int_equal(fx_begin(false), 0);
    for (uint32_t key = 0; key < KEYS; key++) {
        assert_int_equal(fx_put(key), 0);
    }
    assert_int_equal(fx_commit(false), 0);
    for (uint32_t turn = 0; turn < 3; turn++) {
        const uint32_t trims = fx_faulty.trims;
        assert_int_equal(fx_begin(false), 0);
        assert_int_equal(fx_put(5), 0);
        assert_int_equal(fx_faulty.trims, trims); // nothing of the old image goes before there is the new one
        assert_int_equal(fx_commit(false), 0);
        assert_int_equal(fx_faulty.trims, trims + 1); // the old page
        assert_int_equal(fx_stats().data, KEYS);
    }
    fx_assert_committed();
}

static void an_abort_leaves_what_was_committed(void **state)
{
    (void)state;
    make(0, true);
    assert_int_equal(fx_work(&prng, 10), 0);
    const struct cairn_image_stats before = fx_stats();
    for (int anew = 0; anew < 2; anew++) {
        assert_int_equal(fx_begin(anew != 0), 0);
        for (uint32_t key = 0; key < KEYS; key++) {
            assert_int_equal(fx_put(key), 0);
        }
        assert_int_equal(fx_drop_range(0, 7), 0);
        assert_true(fx_holds(&fx.new));
        fx_abort();
        fx_abort();
        assert_true(fx_holds(&fx.old));
        const struct cairn_image_stats after = fx_stats();
        assert_memory_equal(&before, &after, sizeof before);
    }
    fx_assert_committed();
}

static void begun_anew_it_has_only_what_is_put(void **state)
{
    (void)state;
    make(0, false);
    assert_int_equal(fx_work(&prng, 30), 0);
    assert_int_equal(fx_begin(true), 0);
    assert_true(fx_holds(&fx.new));
    assert_int_equal(fx_put(2), 0);
    assert_int_equal(fx_commit(false), 0);
    assert_int_equal(fx_stats().keys, 1);
    assert_int_equal(fx_stats().index, 3); // the roots, and the next record's
    fx_assert_committed();
}

// With chain = 3 the fourth commit after a root writes the index anew; nothing is left of the old one.
static void the_chain_has_an_end(void **state)
{
    (void)state;
    uint32_t most = 0;
    make(0, false);
    for (uint32_t i = 0; i < 40; i++) {
        assert_int_equal(fx_begin(false), 0);
        assert_int_equal(fx_put(i % KEYS), 0);
        assert_int_equal(fx_commit(false), 0);
        most = fx.image.committed - fx.image.base > most ? fx.image.committed - fx.image.base : most;
        assert_true(fx_holds(&fx.old));
    }
    assert_int_equal(most, 3);
    fx_assert_committed();
}

static void a_head_may_fill_what_a_record_leaves(void **state)
{
    (void)state;
    make(0, false);
    memset(page, 0x5A, sizeof page);
    assert_int_equal(cairn_image_begin(&fx.image, false), 0);
    assert_int_equal(cairn_image_commit(&fx.image, page, FX_PAGE - CAIRN_IMAGE_RECORD + 1), CAIRN_EINVAL);
    assert_int_equal(cairn_image_commit(&fx.image, page, FX_PAGE - CAIRN_IMAGE_RECORD), 0);
    assert_int_equal(fx_mount(), 0);
    memset(page, 0, sizeof page);
    assert_int_equal(cairn_image_head(&fx.image, page, 3), FX_PAGE - CAIRN_IMAGE_RECORD);
    assert_int_equal(page[2], 0x5A);
    assert_int_equal(page[3], 0);
    assert_int_equal(cairn_image_begin(&fx.image, false), 0);
    assert_int_equal(cairn_image_commit(&fx.image, NULL, 99), 0); // it stays
    assert_int_equal(cairn_image_head(&fx.image, page, FX_PAGE), FX_PAGE - CAIRN_IMAGE_RECORD);
    assert_int_equal(cairn_image_begin(&fx.image, false), 0);
    assert_int_equal(cairn_image_commit(&fx.image, page, 0), 0);
    assert_int_equal(cairn_image_head(&fx.image, page, FX_PAGE), 0);
}

static void calls_out_of_turn_are_refused(void **state)
{
    (void)state;
    make(0, false);
    assert_int_equal(cairn_image_put(&fx.image, 1, page), CAIRN_EINVAL);
    assert_int_equal(cairn_image_drop(&fx.image, 1), CAIRN_EINVAL);
    assert_int_equal(cairn_image_drop_range(&fx.image, 1, 2), CAIRN_EINVAL);
    assert_int_equal(cairn_image_commit(&fx.image, NULL, 0), CAIRN_EINVAL);
    cairn_image_abort(&fx.image);
    assert_int_equal(fx_begin(false), 0);
    assert_int_equal(fx_begin(true), CAIRN_EBUSY);
    fx.image.open = false;
    fx.image.generation = UINT32_MAX;
    assert_int_equal(fx_begin(false), CAIRN_EOVERFLOW);
}

// As a firmware has what it begins with in ROM.
static void an_image_that_is_only_read_is_not_changed(void **state)
{
    (void)state;
    make(0, false);
    assert_int_equal(fx_begin(false), 0);
    assert_int_equal(fx_put(3), 0);
    assert_int_equal(fx_commit(true), 0);
    struct cairn_port_store rom = *fx.config.store;
    const struct cairn_port_store *const store = fx.config.store;
    rom.write = NULL;
    rom.trim = NULL;
    fx.config.store = &rom;
    assert_int_equal(fx_mount(), 0);
    assert_true(fx_holds(&fx.new));
    assert_int_equal(fx_begin(false), CAIRN_EACCES);
    assert_int_equal(fx_begin(true), CAIRN_EACCES);
    assert_int_equal(cairn_image_put(&fx.image, 1, page), CAIRN_EINVAL);
    assert_true(fx_holds(&fx.new));
    fx.config.store = store;
}

static void bad_configs_are_refused(void **state)
{
    (void)state;
    static _Alignas(8) unsigned char some[3072];
    struct cairn_image image;
    make(0, false);
    struct cairn_image_config config = fx.config;
    const size_t size = cairn_image_size(&config);
    assert_int_equal(cairn_image_init(&image, &config, some, size - 1), CAIRN_ENOMEM);
    assert_int_equal(cairn_image_init(&image, &config, some + 4, size), CAIRN_EINVAL);
    assert_int_equal(cairn_image_init(&image, &config, NULL, size), CAIRN_EINVAL);
    assert_int_equal(cairn_image_init(NULL, &config, some, size), CAIRN_EINVAL);
    assert_int_equal(cairn_image_init(&image, NULL, some, size), CAIRN_EINVAL);
    assert_int_equal(cairn_image_init(&image, &config, some, size), 0);
    config.store = NULL;
    assert_int_equal(cairn_image_size(&config), 0);
    config.store = &fx_faulty.store;
    config.first = FX_SLOTS - 4;
    assert_int_equal(cairn_image_size(&config), 0);
    config.first = FX_SLOTS - 5;
    assert_int_not_equal(cairn_image_size(&config), 0);
    config.slots = 6;
    assert_int_equal(cairn_image_size(&config), 0);
    config.first = 0;
    config.slots = 4;
    assert_int_equal(cairn_image_init(&image, &config, some, sizeof some), CAIRN_EINVAL);
    config.slots = 0;
    config.index = UINT32_MAX;
    assert_int_equal(cairn_image_size(&config), 0);
    config.index = 0;
    config.chain = UINT32_MAX;
    assert_int_equal(cairn_image_size(&config), 0);
    config.chain = 0;
    fx_faulty.store.page = 63;
    assert_int_equal(cairn_image_size(&config), 0);
    fx_faulty.store.page = CAIRN_IMAGE_PAGE_MOST + 1;
    assert_int_equal(cairn_image_size(&config), 0);
}

static void a_page_that_changed_is_found_when_it_is_read(void **state)
{
    (void)state;
    make(0, false);
    assert_int_equal(fx_begin(false), 0);
    assert_int_equal(fx_put(1), 0);
    assert_int_equal(fx_put(2), 0);
    assert_int_equal(fx_commit(false), 0);
    fx_fill(page, 2, fx.old.turns[2]);
    for (uint32_t slot = 0; slot < FX_SLOTS; slot++) {
        if (memcmp(fx_slots + slot * FX_PAGE, page, FX_PAGE) == 0) {
            fx_slots[slot * FX_PAGE + 9] ^= 4;
        }
    }
    assert_int_equal(fx_mount(), 0);
    assert_int_equal(cairn_image_get(&fx.image, 1, page), 0);
    assert_int_equal(cairn_image_get(&fx.image, 2, page), CAIRN_ECORRUPT);
}

// The bytes of docs/LAYOUT.md: all slots of a store after some commits, the same on machines of any word size and order.
static void the_bytes_are_the_same_on_every_machine(void **state)
{
    (void)state;
    make(0, true);
    for (uint32_t i = 0; i < 7; i++) {
        assert_int_equal(fx_work(&prng, 9), 0);
    }
    const uint32_t sum = cairn_checksum_(0, fx_slots, sizeof fx_slots);
    print_message("sum of the store: %08lX\n", (unsigned long)sum);
    assert_int_equal(sum, 0xF087B9FE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_without_an_image_is_an_empty_one),
        cmocka_unit_test(an_empty_image_can_be_committed),
        cmocka_unit_test(what_was_put_is_there_after_a_restart),
        cmocka_unit_test(a_key_is_any_number_but_one),
        cmocka_unit_test(zeros_take_no_slot),
        cmocka_unit_test(pages_that_did_not_change_stay_where_they_are),
        cmocka_unit_test(an_abort_leaves_what_was_committed),
        cmocka_unit_test(begun_anew_it_has_only_what_is_put),
        cmocka_unit_test(the_chain_has_an_end),
        cmocka_unit_test(a_head_may_fill_what_a_record_leaves),
        cmocka_unit_test(calls_out_of_turn_are_refused),
        cmocka_unit_test(an_image_that_is_only_read_is_not_changed),
        cmocka_unit_test(bad_configs_are_refused),
        cmocka_unit_test(a_page_that_changed_is_found_when_it_is_read),
        cmocka_unit_test(the_bytes_are_the_same_on_every_machine),
    };
    return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
