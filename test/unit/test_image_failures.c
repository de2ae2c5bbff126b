// SPDX-License-Identifier: MIT
//
// OWNS        the proof that an image loses nothing where there is no room, nor where a call of the store fails: each at each position.
// CALLERS     ctest, on every preset: lib/vm/image.c, image_commit.c, image_slots.c.
#include "image_fixture.h"

#define KEYS 16u

static struct prng prng;

static void make(int filling, bool far)
{
    fx_make_faulty(filling, FX_SLOTS, KEYS);
    fx.far = far;
    assert_int_equal(fx_mount(), 0);
    prng_seed(&prng, 3);
}

// A small image, full: what does not fit is refused, nothing is lost, and dropping makes room where no slot is free.
static void without_room_nothing_is_lost(void **state)
{
    (void)state;
    make(0, false);
    fx.config.slots = 12;
    assert_int_equal(fx_mount(), 0);
    uint32_t refused = 0;
    uint32_t full = 0;
    for (uint32_t i = 0; i < 200; i++) {
        assert_int_equal(fx_begin(false), 0);
        int error = fx_put(prng_below(&prng, KEYS));
        error = error == 0 && prng_below(&prng, 3) == 0 ? fx_put(prng_below(&prng, KEYS)) : error;
        error = error == 0 ? fx_commit(false) : error;
        assert_true(error == 0 || error == CAIRN_ENOMEM);
        if (error != 0) {
            assert_true(fx_holds(&fx.new));
            fx_abort();
            refused++;
            full += fx_stats().free == 0;
            assert_int_equal(fx_begin(false), 0);
            uint32_t key = 0;
            while (fx.old.turns[key] == FX_ABSENT) {
                key++;
            }
            assert_int_equal(fx_drop(key), 0);
            assert_int_equal(fx_commit(false), 0);
        }
        assert_true(fx_holds(&fx.old));
    }
    assert_true(refused > 10 && full > 3);
    fx_assert_committed();
}

static void more_index_than_there_is_room_for_is_refused(void **state)
{
    (void)state;
    make(0, true);
    assert_int_equal(fx_begin(false), 0);
    for (uint32_t key = 0; key < KEYS; key++) {
        assert_int_equal(fx_put(key), 0);
    }
    assert_int_equal(fx_commit(false), 0);
    const uint32_t pages = fx.image.committed;
    fx.config.index = pages - 1;
    assert_int_equal(fx_mount(), CAIRN_ENOMEM);
    fx.config.index = pages;
    assert_int_equal(fx_mount(), 0);
    assert_true(fx_holds(&fx.old));
    assert_int_equal(fx_begin(false), 0);
    assert_int_equal(fx_put(1), 0);
    assert_int_equal(fx_commit(false), CAIRN_ENOMEM);
    fx_abort();
    fx.config.index = pages + 3;
    assert_int_equal(fx_mount(), 0);
    assert_int_equal(fx_begin(false), 0);
    int error = 0;
    for (uint32_t i = 0; i < 8 * KEYS && error == 0; i++) {
        error = fx_put(i % KEYS);
    }
    assert_int_equal(error, CAIRN_ENOMEM);
    assert_true(fx_holds(&fx.new));
    fx_abort();
    fx.config.index = 0;
    fx_assert_committed();
}

enum { READS, WRITES, SYNCS };

static uint32_t *fail_of(uint32_t which)
{
    return which == READS ? &fx_faulty.fail_read : which == WRITES ? &fx_faulty.fail_write : &fx_faulty.fail_sync;
}

// After so many commits, the at-th call of a kind fails, and on: each one behind it. The image is as before, and can be changed and committed still.
// Returns false where there was no such call.
static bool goes_wrong(uint32_t which, bool on, uint32_t commits, uint32_t at)
{
    make(0, at % 2 != 0);
    for (uint32_t i = 0; i < commits; i++) {
        assert_int_equal(fx_work(&prng, 12), 0);
    }
    *fail_of(which) = at + (which == READS ? fx_faulty.reads : which == WRITES ? fx_faulty.writes : fx_faulty.syncs);
    fx_faulty.fails_on = on;
    const int error = fx_work(&prng, 12);
    *fail_of(which) = FAULTY_NEVER;
    if (error == 0) {
        return false;
    }
    assert_int_equal(error, FAULTY_ERROR);
    assert_true(fx_holds(fx.image.open ? &fx.new : &fx.old));
    if (fx.image.open && at % 3 != 0) {
        assert_int_equal(fx_put(3), 0);
        assert_int_equal(fx_commit(at % 2 == 0), 0);
    } else {
        fx_abort();
        assert_true(fx_holds(&fx.old));
    }
    assert_int_equal(fx_work(&prng, 5), 0);
    fx_assert_committed();
    return true;
}

static void a_call_of_the_store_that_fails_leaves_the_image(void **state)
{
    (void)state;
    uint32_t failures[3] = {0, 0, 0};
    for (uint32_t kind = 0; kind < 6; kind++) {
        for (uint32_t commits = 1; commits < 9; commits++) {
            uint32_t at = 0;
            while (goes_wrong(kind % 3, kind >= 3, commits, at)) {
                at++;
            }
            failures[kind % 3] += at;
        }
    }
    assert_true(failures[READS] > 10 && failures[WRITES] > 40 && failures[SYNCS] == 2 * 2 * 8);
}

static void reads_that_fail_while_mounting_are_answered(void **state)
{
    (void)state;
    make(0, true);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(fx_work(&prng, 12), 0);
    }
    uint32_t at = 0;
    for (int error = FAULTY_ERROR; error != 0; at++) {
        fx_faulty.fail_read = fx_faulty.reads + at;
        error = fx_mount();
        assert_true(error == FAULTY_ERROR || error == 0);
    }
    assert_true(at > 8);
    fx_faulty.fail_read = FAULTY_NEVER;
    fx_faulty.fail_sync = fx_faulty.syncs;
    assert_int_equal(fx_mount(), FAULTY_ERROR);
    assert_int_equal(fx_mount(), 0);
    fx_assert_committed();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_room_nothing_is_lost),
        cmocka_unit_test(more_index_than_there_is_room_for_is_refused),
        cmocka_unit_test(a_call_of_the_store_that_fails_leaves_the_image),
        cmocka_unit_test(reads_that_fail_while_mounting_are_answered),
    };
    return cmocka_run_group_tests_name("image_failures", tests, NULL, NULL);
}
