// SPDX-License-Identifier: MIT
//
// OWNS        the bytes of a checkpoint: those that docs/LAYOUT.md says, on every machine, whoever wrote them.
// PICTURE     slots that a 64-bit host wrote | restored; written anew, and compared
// CALLERS     ctest, on every preset: lib/vm/checkpoint_meta.c.
#include "checkpoint_fixture.h"

#include "vm/share.h"

#define SLOTS 16u
#define GOLDEN 8u

// What there is of them; all others are zeros.
static const struct {
    unsigned char bytes[PAGE];
    uint32_t slot;
} golden[GOLDEN] = {
#include "checkpoint_golden.h"
};

static unsigned char slots[SLOTS * PAGE];
static struct cairn_store_ram ram;

// Words as they are in the golden bytes: the low byte first, whatever machine this is.
static void put_word(uint32_t address, uint32_t word)
{
    unsigned char bytes[4];
    for (uint32_t i = 0; i < 4; i++, word >>= 8) {
        bytes[i] = (unsigned char)word;
    }
    assert_int_equal(cairn_space_write(&HERE->space, address, bytes, 4), 0);
}

static uint32_t get_word(uint32_t address)
{
    unsigned char bytes[4];
    assert_int_equal(cairn_space_read(&THERE->space, bytes, address, 4), 0);
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

// A space of two mappings and an object, two pages of each, and a page that is stored to once more.
static void write_it(void)
{
    assert_int_equal(cairn_store_ram_init(&ram, slots, sizeof slots, PAGE, SLOTS), 0);
    memset(slots, 0, sizeof slots);
    kept_config = (struct cairn_image_config){.store = &ram.store, .index = 16};
    assert_int_equal(kept_open(), 0);
    machine_object(HERE, 2);
    assert_int_equal(machine_map(HERE, 2, 3, RW, 0, 0, 0), 0);
    assert_int_equal(machine_map(HERE, 5, 2, CAIRN_READ | CAIRN_EXEC, 0, 0, 0), 0);
    assert_int_equal(machine_map(HERE, 8, 4, RW, CAIRN_MAP_SHARED, 3, 1), 0);
    assert_int_equal(machine_map(HERE, 20, 2, RW, CAIRN_MAP_GROWS_DOWN, 0, 0), 0);
    assert_int_equal(cairn_space_set_break(&HERE->space, 30 * PAGE), 0);
    HERE->space.heap = 0x123;
    for (uint32_t i = 0; i < PAGE; i += 4) {
        put_word(3 * PAGE + i, 0x03020100 + i);
        put_word(9 * PAGE + i, 0x44332211);
    }
    put_word(2 * PAGE, 0);
    assert_int_equal(kept_save(HERE, &HERE->space), 0);
    put_word(3 * PAGE + 8, 0x55555555);
    assert_int_equal(kept_save(HERE, &HERE->space), 0);
}

static void the_bytes_are_the_same_on_every_machine(void **state)
{
    (void)state;
    uint32_t used = 0;
    write_it();
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        uint32_t at = 0;
        while (at < GOLDEN && golden[at].slot != slot) {
            at++;
        }
        for (uint32_t i = 0; i < PAGE; i++) {
            if (slots[slot * PAGE + i] != (at < GOLDEN ? golden[at].bytes[i] : 0)) {
                fail_msg("slot %u, byte %u: %02x", (unsigned)slot, (unsigned)i, slots[slot * PAGE + i]);
            }
        }
        used += at < GOLDEN;
    }
    assert_int_equal(used, GOLDEN);
}

static void what_another_machine_wrote_is_restored(void **state)
{
    (void)state;
    assert_int_equal(cairn_store_ram_init(&ram, slots, sizeof slots, PAGE, SLOTS), 0);
    memset(slots, 0, sizeof slots);
    for (uint32_t i = 0; i < GOLDEN; i++) {
        memcpy(slots + golden[i].slot * PAGE, golden[i].bytes, PAGE);
    }
    kept_config = (struct cairn_image_config){.store = &ram.store, .index = 16};
    assert_int_equal(kept_open(), 0);
    for (uint32_t kind = 0; kind < 3; kind++) {
        machine_make(THERE, 4, kind);
        struct cairn_object *const there[] = {&THERE->objects[2]};
        struct cairn_space *const space = &THERE->space;
        assert_int_equal(cairn_checkpoint_restore(&checkpoint, space, there, 1), 0);
        const struct cairn_mapping *its = space->mappings;
        assert_true(its->first == 2 && its->pages == 3 && its->protection == RW && its->object == NULL && its->plain != 0);
        its = its->next;
        assert_true(its->first == 5 && its->pages == 2 && its->protection == (CAIRN_READ | CAIRN_EXEC) && its->object == NULL);
        its = its->next;
        assert_true(its->first == 8 && its->pages == 4 && its->object == &THERE->objects[2] && its->offset == 1 && (its->flags & CAIRN_MAP_SHARED) != 0);
        its = its->next;
        assert_true(its->first == 20 && its->pages == 2 && its->grow == 3 && (its->flags & CAIRN_MAP_GROWS_DOWN) != 0 && its->next == NULL);
        assert_true(space->break_start == 30 * PAGE && space->break_end == 30 * PAGE && space->heap == 0x123);
        assert_true(THERE->objects[2].count == OBJECT_PAGES && THERE->objects[2].key == KEY && THERE->objects[2].others == CAIRN_READ);
        for (uint32_t i = 0; i < PAGE; i += 4) {
            assert_int_equal(get_word(3 * PAGE + i), i == 8 ? 0x55555555 : 0x03020100 + i);
            assert_int_equal(get_word(9 * PAGE + i), 0x44332211);
            assert_int_equal(get_word(4 * PAGE + i), 0);
        }
        machine_end(THERE);
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {CHECKPOINT_UNIT(the_bytes_are_the_same_on_every_machine), CHECKPOINT_UNIT(what_another_machine_wrote_is_restored)};
    if (argc > 1 && strcmp(argv[1], "print") == 0) { // what checkpoint_golden.h is to hold
        checkpoint_setup(NULL);
        write_it();
        for (uint32_t slot = 0; slot < SLOTS; slot++) {
            uint32_t last = PAGE;
            while (last != 0 && slots[slot * PAGE + last - 1] == 0) {
                last--;
            }
            for (uint32_t i = 0; i < last; i++) {
                print_message("%s0x%02X,%s", i == 0 ? "{{" : i % 16 == 0 ? " " : "", slots[slot * PAGE + i], i % 16 == 15 ? "\n " : " ");
            }
            if (last != 0) {
                print_message("}, %u},\n", (unsigned)slot);
            }
        }
        return 0;
    }
    return cmocka_run_group_tests_name("checkpoint_layout", tests, NULL, NULL);
}
