// SPDX-License-Identifier: MIT
//
// OWNS        the proof that no cut of power leaves anything but the old checkpoint or the new one: at every write and sync of a save, with what was written since
//             the last sync kept, torn, lost or reordered; and again in the save that follows, whether the machine went on or came up from what was left.
// PICTURE     save | changes, save, cut | power on, look | changes, save, cut | power on, look | changes, save, look
// CALLERS     ctest, on every preset: lib/vm/checkpoint_save.c, checkpoint_restore.c.
#include "checkpoint_fixture.h"

static struct snapshot old, new;
static struct machine machine_then;
static struct power_store kept_then;
static unsigned char bytes_then[sizeof kept_bytes];
static struct snapshot old_then;

static void change(uint32_t round)
{
    for (uint32_t i = 0; i < 2; i++) {
        machine_write(HERE, &HERE->space, 2 + (round * 3 + i) % 6, round + i);
    }
    machine_write(HERE, &HERE->space, 10 + round % 3, round);
    if (round % 2 != 0) {
        assert_int_equal(cairn_space_advise(&HERE->space, (2 + round % 6) * PAGE, PAGE, CAIRN_ADVISE_FREE), 0);
    }
    if (round % 3 == 0) {
        assert_int_equal(machine_map(HERE, 20 + round, 1, RW, 0, 0, 0), 0);
    }
}

// Changes, and a save in which the power goes at this operation. Returns whether it went.
static bool save_and_cut(uint32_t round, uint32_t at, uint32_t how)
{
    change(round);
    snapshot_take(HERE, &HERE->space, &new);
    power_on(&kept);
    kept.cut_at = at;
    kept.how = (enum power_cut)how;
    const int error = kept_save(HERE, &HERE->space);
    assert_true((error != 0) == kept.dead);
    return kept.dead;
}

// The power is on again: it is the old one or the new one. The machine goes on as it was, or (anew) from there.
static void come_up(bool anew)
{
    static struct snapshot found;
    power_on(&kept);
    if (anew) {
        machine_end(HERE);
    }
    assert_int_equal(kept_open(), 0);
    struct machine *const machine = anew ? HERE : THERE;
    assert_int_equal(kept_restore(machine, 7, 1), 0);
    snapshot_take(machine, &machine->space, &found);
    const bool is_new = snapshot_is(&found, &new);
    assert_true(is_new || snapshot_is(&found, &old));
    if (is_new) {
        old = new;
    }
    if (!anew) {
        machine_end(THERE);
    }
}

static void start(void)
{
    machine_end(HERE);
    machine_make(HERE, 6, 0);
    power_store_init(&kept, kept_bytes, PAGE, KEPT_SLOTS);
    assert_int_equal(kept_open(), 0);
    machine_object(HERE, 0);
    assert_int_equal(machine_map(HERE, 2, 6, RW, 0, 0, 0), 0);
    assert_int_equal(machine_map(HERE, 10, 3, RW, CAIRN_MAP_SHARED, 1, 0), 0);
    change(0);
    snapshot_take(HERE, &HERE->space, &old);
    assert_int_equal(kept_save(HERE, &HERE->space), 0);
}

// What comes after is as if nothing had been.
static void go_on(void)
{
    change(8);
    snapshot_take(HERE, &HERE->space, &new);
    assert_int_equal(kept_save(HERE, &HERE->space), 0);
    old = new;
    come_up(false);
}

static void a_cut_at_any_write_leaves_the_old_checkpoint_or_the_new_one(void **state)
{
    (void)state;
    uint32_t cuts = 0;
    uint32_t new_ones = 0;
    for (uint32_t how = 0; how < 5 * CUTS; how += fx_scale(13, 1, 1)) {
        for (uint32_t at = 0;; at += fx_scale(3, 1, 1)) {
            start();
            for (uint32_t saves = how / CUTS; saves != 0; saves--) {
                go_on(); // until the index is written anew
            }
            if (!save_and_cut(1 + at % 2, at, how % CUTS)) {
                break;
            }
            come_up(at % 2 != 0);
            new_ones += snapshot_is(&old, &new);
            go_on();
            cuts++;
        }
    }
    assert_true(cuts > fx_scale(3, 250, 250));
    assert_true(new_ones >= fx_scale(0, 1, 1) && new_ones < cuts);
}

static void keep(void)
{
    machine_then = *HERE;
    kept_then = kept;
    old_then = old;
    memcpy(bytes_then, kept_bytes, sizeof kept_bytes);
}

static void take_up(void)
{
    *HERE = machine_then;
    kept = kept_then;
    old = old_then;
    memcpy(kept_bytes, bytes_then, sizeof kept_bytes);
    assert_int_equal(kept_open(), 0);
}

static void a_second_cut_in_the_save_that_follows(void **state)
{
    (void)state;
    const uint32_t first_step = fx_scale(5, 1, 1);
    const uint32_t how_step = fx_scale(40, 3, 1);
    uint32_t cuts = 0;
    for (uint32_t how = how_step - 1; how < CUTS * CUTS; how += how_step) {
        for (uint32_t at = how % first_step;; at += first_step) {
            start();
            if (!save_and_cut(1, at, how % CUTS)) {
                break;
            }
            come_up(at % 2 != 0);
            keep();
            for (uint32_t second = 0;; second++) {
                take_up();
                if (!save_and_cut(3, second, how / CUTS)) {
                    machine_end(HERE);
                    take_up();
                    break;
                }
                come_up(second % 2 != 0);
                go_on();
                cuts++;
                machine_end(HERE);
            }
        }
    }
    print_message("%u cuts after a cut\n", (unsigned)cuts);
    assert_true(cuts > fx_scale(3, 1000, 3000));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CHECKPOINT_UNIT(a_cut_at_any_write_leaves_the_old_checkpoint_or_the_new_one),
        CHECKPOINT_UNIT(a_second_cut_in_the_save_that_follows),
    };
    return cmocka_run_group_tests_name("checkpoint_power", tests, NULL, NULL);
}
