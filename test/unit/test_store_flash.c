// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/vm/store_flash.c: the contract, what is refused, wear, what is copied, blocks that fail, bits that change.
// CALLERS     ctest, on every preset. Cuts of power: test_store_flash_power.c.
#include "flash_fixture.h"
#include "test/port/store_contract.h"

#include <string.h>

static struct prng prng;

static struct cairn_store_flash_stats figures(void)
{
    struct cairn_store_flash_stats stats;
    cairn_store_flash_stats(&fx.store, &stats);
    return stats;
}

static void the_contract_holds_up_to_the_capacity(void **state)
{
    (void)state;
    static unsigned char pages[2 * FX_PAGE];
    for (uint32_t slots = 1; slots <= 10 * FX_PLACES - 1; slots += 6) {
        fx_make(12, slots, false);
        assert_int_equal(figures().capacity, 10 * FX_PLACES - 1);
        assert_null(contract_store(&fx.store.store, pages));
        assert_int_equal(fx.flash.breaches, 0);
    }
    fx_make(4, 1, false);
    fx.config.spare = 1;
    fx.flash.port.blocks = 3; // the fewest
    fx_mount();
    assert_null(contract_store(&fx.store.store, pages));
}

static void what_was_written_is_there_after_each_restart(void **state)
{
    (void)state;
    fx_make(8, 20, false);
    prng_seed(&prng, 1);
    for (uint32_t i = 0; i < 300; i++) {
        assert_int_equal(fx_write(prng_below(&prng, 20)), 0);
        if (i % 3 == 0) {
            fx_mount();
        }
        assert_true(fx_holds());
    }
}

static void a_slot_that_was_never_written_reads_as_zeros(void **state)
{
    (void)state;
    unsigned char page[FX_PAGE];
    fx_make(8, 20, false);
    memset(page, 1, sizeof page);
    assert_int_equal(fx.store.store.read(&fx.store, 19, page), 0);
    assert_int_equal(page[0] | page[FX_PAGE - 1], 0);
    assert_int_equal(fx.store.store.read(&fx.store, 20, page), CAIRN_EINVAL);
    assert_int_equal(fx.store.store.write(&fx.store, 20, page), CAIRN_EINVAL);
    fx.store.store.trim(&fx.store, 20);
    assert_int_equal(fx.flash.operations, 0);
}

// More slots than the store has room for: they share it.
static void a_full_store_refuses_new_slots_and_loses_nothing(void **state)
{
    (void)state;
    fx_make(8, 40, false);
    const uint32_t capacity = figures().capacity;
    assert_int_equal(capacity, 6 * FX_PLACES - 1);
    for (uint32_t slot = 0; slot < capacity; slot++) {
        assert_int_equal(fx_write(slot), 0);
    }
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t slot = capacity; slot < 40; slot++) {
            const uint32_t operations = fx.flash.operations;
            assert_int_equal(fx_write(slot), CAIRN_ENOMEM);
            assert_int_equal(fx.flash.operations, operations);
            fx.pending = 40;
        }
        for (uint32_t slot = 0; slot < capacity; slot++) {
            assert_int_equal(fx_write(slot * 7 % capacity), 0);
            assert_true(fx_holds());
        }
        fx_mount();
    }
    fx_trim(3);
    assert_int_equal(fx_write(39), 0);
    assert_int_equal(fx_write(3), CAIRN_ENOMEM);
    fx.pending = 40;
    assert_true(fx_holds());
}

// Slots that were trimmed are back after a restart: more than the capacity. Writes are refused until they are trimmed again.
static void slots_that_come_back_can_be_trimmed_again(void **state)
{
    (void)state;
    fx_make(8, 40, false);
    for (uint32_t slot = 0; slot < 40; slot++) {
        while (fx_write(slot) != 0) {
            fx_trim(slot - figures().live);
        }
        fx.pending = 40;
    }
    assert_true(fx_holds());
    fx_mount();
    assert_true(fx_holds());
    for (uint32_t slot = 0; slot < 20; slot++) {
        fx_trim(slot);
    }
    for (uint32_t i = 0; i < 200; i++) {
        assert_int_equal(fx_write(20 + i % 20), 0);
    }
    assert_true(fx_holds());
}

// Three quarters of the slots are written once, two are written for ever.
static void wear_is_even_where_writes_are_not(void **state)
{
    (void)state;
    const uint32_t writes = fx_scale(1200, 60000, 2000000);
    for (uint32_t spread = 2; spread <= 32; spread *= 4) {
        fx_make(12, 36, false);
        fx.config.spread = spread;
        fx_mount();
        for (uint32_t slot = 0; slot < 36; slot++) {
            assert_int_equal(fx_write(slot), 0);
        }
        uint32_t most = 0;
        for (uint32_t i = 0; i < writes; i++) {
            assert_int_equal(fx_write(30 + i % 2), 0);
            const uint32_t now = flash_spread(&fx.flash);
            most = now > most ? now : most;
        }
        const struct cairn_store_flash_stats stats = figures();
        print_message("spread %u: blocks differ by %u erasures at most, of %u; %u.%02u pages programmed a write\n", (unsigned)spread, (unsigned)most,
                      (unsigned)stats.erases_most, (unsigned)((stats.writes + stats.copies) / stats.writes),
                      (unsigned)((stats.writes + stats.copies) * 100 / stats.writes % 100));
        assert_true(most <= spread + 2);
        assert_true(fx_holds());
        assert_int_equal(stats.erases_most - stats.erases_least, flash_spread(&fx.flash));
    }
}

// Blocks that were never used have no header that counts erasures: after a restart they are no more worn than before it.
static void blocks_that_were_never_used_are_not_spared(void **state)
{
    (void)state;
    fx_make(12, 10, false);
    for (uint32_t i = 0; i < fx_scale(600, 6000, 60000); i++) {
        assert_int_equal(fx_write(i % 10), 0);
        if (i % 10 == 0) { // two blocks at most are erased between two restarts
            fx_mount();
        }
    }
    assert_true(fx_holds());
    assert_true(flash_spread(&fx.flash) <= 8 + 2);
}

static void what_is_copied_stays_within_bounds(void **state)
{
    (void)state;
    static const struct { uint32_t slots, most; } cases[] = {{24, 130}, {36, 200}, {44, 330}, {49, 700}};
    const uint32_t writes = fx_scale(800, 20000, 1000000);
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fx_make(12, cases[i].slots, false);
        prng_seed(&prng, 5);
        for (uint32_t n = 0; n < writes; n++) {
            const uint32_t copies = fx.store.copies;
            const uint32_t erases = fx.store.erases;
            assert_int_equal(fx_write(prng_below(&prng, cases[i].slots)), 0);
            assert_true(fx.store.copies - copies <= 2 * FX_PLACES - 1);
            assert_true(fx.store.erases - erases <= 3);
        }
        const uint32_t hundredths = (uint32_t)((uint64_t)(fx.store.writes + fx.store.copies) * 100 / fx.store.writes);
        print_message("%u of %u slots in use: %u.%02u pages programmed a write\n", (unsigned)cases[i].slots, (unsigned)figures().capacity,
                      (unsigned)(hundredths / 100), (unsigned)(hundredths % 100));
        assert_true(hundredths <= cases[i].most);
        assert_true(fx_holds());
    }
}

static void room_made_before_is_there_for_the_write(void **state)
{
    (void)state;
    fx_make(8, 20, false);
    for (uint32_t i = 0; i < 300; i++) {
        assert_int_equal(cairn_store_flash_prepare(&fx.store), 0);
        const uint32_t operations = fx.flash.operations;
        assert_int_equal(fx_write(i * i % 20), 0);
        assert_int_equal(fx.flash.operations - operations, 2);
    }
    assert_true(fx_holds());
}

#define BAD_WRITES 90u

// Writes to a fifth of the slots are many. Returns whether all were taken.
static bool work(uint32_t slots, uint32_t writes)
{
    prng_seed(&prng, 9);
    for (uint32_t i = 0; i < writes; i++) {
        if (fx_write(prng_below(&prng, 3) != 0 ? prng_below(&prng, slots / 5) : prng_below(&prng, slots)) != 0) {
            return false;
        }
    }
    return true;
}

static void a_block_that_fails_at_any_operation_is_left_and_nothing_is_lost(void **state)
{
    (void)state;
    for (uint32_t remembers = 0; remembers < 2; remembers++) {
        uint32_t at = 0;
        for (bool met = true; met; at++) {
            fx_make(9, 25, remembers != 0);
            fx.flash.fail_at = at;
            assert_true(work(25, BAD_WRITES));
            met = fx.flash.operations > at;
            assert_true(fx_holds());
            assert_true(!met || figures().bad_blocks <= 1);
            fx_mount();
            assert_true(fx_holds());
            assert_true(work(25, BAD_WRITES));
            assert_true(fx_holds());
            assert_true(!met || figures().bad_blocks == 1);
        }
        assert_true(at > 200);
    }
}

static void a_block_that_failed_is_not_written_again(void **state)
{
    (void)state;
    fx_make(8, 20, true);
    assert_int_equal(fx_write(0), 0);
    flash_break(&fx.flash, fx.store.head);
    const uint32_t operations = fx.flash.operations;
    assert_int_equal(fx_write(1), 0);
    assert_int_equal(fx.flash.operations - operations, 5); // a page that failed; another block's erasure and header; the page and what is before it
    assert_true(fx_holds());
    assert_int_equal(figures().bad_blocks, 0); // slot 0 is still there
    assert_int_equal(fx_write(0), 0);
    assert_int_equal(figures().bad_blocks, 1);
    assert_int_equal(figures().capacity, 5 * FX_PLACES - 1);
    assert_true(fx_holds());
}

// The second one when the first has been made up for; 25 slots still fit.
static void blocks_fail_one_after_another(void **state)
{
    (void)state;
    const uint32_t step = fx_scale(29, 3, 1);
    for (uint32_t at = 0; at < 150; at += step) {
        for (uint32_t gap = 1; gap < 60; gap += step) {
            fx_make(11, 25, false);
            fx.flash.fail_at = at;
            assert_true(work(25, BAD_WRITES));
            fx.flash.fail_at = fx.flash.operations + gap;
            assert_true(work(25, BAD_WRITES));
            assert_true(fx_holds());
            fx_mount();
            assert_true(fx_holds());
            assert_true(work(25, BAD_WRITES));
            assert_true(fx_holds());
        }
    }
}

// Until nothing can be written any more. What was written stays readable, also by another start.
static void a_flash_that_wears_out_is_read_to_the_end(void **state)
{
    (void)state;
    const uint32_t lives = fx_scale(2, 200, 20000);
    for (uint32_t seed = 1; seed <= lives; seed++) {
        fx_make(10, 20, seed % 2 == 0);
        uint32_t refused = 0;
        prng_seed(&prng, seed);
        for (uint32_t i = 0; refused < 3; i++) {
            if (prng_below(&prng, 40) == 0) {
                flash_break(&fx.flash, prng_below(&prng, 10));
            }
            const int error = fx_write(prng_below(&prng, 20));
            assert_true(error == 0 || error == CAIRN_ENOMEM || error == FLASH_ERROR);
            refused += error != 0;
            fx.pending = 20;
            assert_true(fx_holds());
            if (i % 16 == 0) {
                fx_mount();
                assert_true(fx_holds());
            }
        }
        fx_mount();
        assert_true(fx_holds());
    }
}

// Each bit of the flash in turn: what is read is what was written, or CAIRN_ECORRUPT for one page; before and after it was copied.
static void no_bit_that_changes_passes_for_data(void **state)
{
    (void)state;
    unsigned char page[FX_PAGE], wanted[FX_PAGE];
    static unsigned char kept[sizeof fx_bytes];
    const uint32_t step = fx_scale(131, 1, 1);
    fx_make(8, 20, false);
    assert_true(work(20, 120));
    memcpy(kept, fx_bytes, sizeof kept);
    const struct flash_fixture before = fx;
    for (uint32_t bit = 0; bit < 8 * FX_ERASE * 8; bit += step) {
        uint32_t corrupt[2] = {0, 0};
        memcpy(fx_bytes, kept, sizeof kept);
        fx = before;
        fx_bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        fx_mount();
        for (uint32_t round = 0; round < 2; round++) {
            for (uint32_t slot = 0; slot < 20; slot++) {
                if (fx.turns[slot] == FX_ANY) {
                    continue;
                }
                const int error = fx.store.store.read(&fx.store, slot, page);
                fx_fill(wanted, slot, fx.turns[slot]);
                corrupt[round] += error == CAIRN_ECORRUPT;
                assert_true(error == CAIRN_ECORRUPT || (error == 0 && fx.turns[slot] == before.turns[slot]) || round != 0);
                if (error == 0) {
                    assert_memory_equal(page, wanted, FX_PAGE);
                }
            }
            for (uint32_t i = 0; round == 0 && i < 40; i++) {
                assert_int_equal(fx_write(i % 3), 0);
            }
        }
        assert_true(corrupt[0] <= 1 && corrupt[1] <= corrupt[0]);
    }
}

// One bit of a block's header changes, where one block is spare: no slot is lost, and the spare block is not either, without which no write would find room.
static void one_bit_of_a_blocks_header_takes_no_room(void **state)
{
    (void)state;
    static unsigned char kept[sizeof fx_bytes];
    const uint32_t step = fx_scale(61, 7, 1);
    for (uint32_t writes = 100; writes < fx_scale(106, 160, 200); writes++) {
        fx_make(6, 20, false);
        fx.config.spare = 1;
        fx_mount();
        assert_true(work(20, writes));
        memcpy(kept, fx_bytes, sizeof kept);
        const struct flash_fixture before = fx;
        for (uint32_t bit = writes % step; bit < 6 * 72 * 8; bit += step) { // a header is 72 bytes
            memcpy(fx_bytes, kept, sizeof kept);
            fx = before;
            fx_bytes[bit / (72 * 8) * FX_ERASE + bit % (72 * 8) / 8] ^= (unsigned char)(1u << bit % 8);
            fx_mount();
            assert_true(fx_holds());
            for (uint32_t i = 0; i < 12; i++) {
                assert_int_equal(fx_write(7 * i % 20), 0);
            }
            assert_true(fx_holds());
        }
    }
}

// Change two bits of the header in front of the slot's page, where it is and where it was.
static void lose_header(uint32_t slot)
{
    unsigned char page[FX_PAGE];
    fx_fill(page, slot, fx.turns[slot]);
    for (uint32_t at = fx.store.prefix; at < sizeof fx_bytes - FX_PAGE; at++) {
        if (memcmp(fx_bytes + at, page, FX_PAGE) == 0) {
            fx_bytes[at - fx.store.prefix] ^= 1;
            fx_bytes[at - fx.store.prefix + 5] ^= 4;
        }
    }
}

// Two bits of a header in front of a page, while the store is in use: the page is an error, the others are not, and no write goes on for ever.
static void a_header_that_is_lost_stops_no_write(void **state)
{
    (void)state;
    unsigned char page[FX_PAGE];
    for (uint32_t slot = 0; slot < 20; slot++) {
        for (uint32_t blocks = 7; blocks <= 9; blocks++) {
            fx_make(blocks, 20, false);
            for (uint32_t i = 0; i < 20; i++) {
                assert_int_equal(fx_write(i), 0);
            }
            assert_true(work(20, 10 * blocks));
            lose_header(slot);
            assert_int_equal(fx.store.store.read(&fx.store, slot, page), CAIRN_ECORRUPT);
            for (uint32_t i = 0; i < 200; i++) {
                fx.flash.reads = 0;
                fx.flash.fail_read_at = 2000; // of a write that does not end
                assert_int_equal(fx_write((slot + 1 + i * i % 19) % 20), 0);
            }
            fx.flash.fail_read_at = FLASH_NEVER;
            assert_int_equal(fx.store.store.read(&fx.store, slot, page), CAIRN_ECORRUPT);
            assert_int_equal(fx_write(slot), 0);
            assert_true(fx_holds());
        }
    }
}

// Bytes scrambled, blocks copied over others: nothing is trusted, and when all slots were written anew all is well.
static void whatever_the_flash_holds_is_survived(void **state)
{
    (void)state;
    unsigned char page[FX_PAGE];
    const uint32_t rounds = fx_scale(20, 2000, 100000);
    for (uint32_t seed = 1; seed <= rounds; seed++) {
        fx_make(8, 20, seed % 2 == 0);
        assert_true(work(20, 60 + seed % 64));
        prng_seed(&prng, seed);
        for (uint32_t i = 0, many = prng_below(&prng, 60); i < many; i++) {
            fx_bytes[prng_below(&prng, 8 * FX_ERASE)] = (unsigned char)prng_next(&prng);
        }
        for (uint32_t i = 0, many = prng_below(&prng, 4); i < many; i++) {
            memmove(fx_bytes + prng_below(&prng, 8) * FX_ERASE, fx_bytes + prng_below(&prng, 8) * FX_ERASE, FX_ERASE);
        }
        fx_mount();
        for (uint32_t slot = 0; slot < 20; slot++) {
            const int error = fx.store.store.read(&fx.store, slot, page);
            assert_true(error == 0 || error == CAIRN_ECORRUPT);
        }
        if (fx_write(0) != 0) {
            for (uint32_t slot = 0; slot < 20; slot++) {
                fx_trim(slot); // more came to life than there is room for
            }
        }
        for (uint32_t slot = 0; slot < 20; slot++) {
            assert_int_equal(fx_write(slot), 0);
        }
        assert_true(work(20, 40));
        assert_true(fx_holds());
        fx_mount();
        assert_true(fx_holds());
    }
}

static void an_error_of_the_flashs_read_passes_through(void **state)
{
    (void)state;
    unsigned char page[FX_PAGE];
    fx_make(8, 20, false);
    assert_true(work(20, 60));
    for (uint32_t at = 0; at < 2; at++) {
        fx.flash.fail_read_at = fx.flash.reads + at;
        assert_int_equal(fx.store.store.read(&fx.store, 1, page), FLASH_ERROR);
    }
    static uint32_t memory[80];
    struct cairn_store_flash other;
    fx.flash.reads = 0;
    fx.flash.fail_read_at = FLASH_NEVER;
    assert_int_equal(cairn_store_flash_init(&other, &fx.config, memory, sizeof memory), 0);
    for (uint32_t at = 0, reads = fx.flash.reads; at < reads; at++) {
        fx.flash.reads = 0;
        fx.flash.fail_read_at = at;
        assert_int_equal(cairn_store_flash_init(&other, &fx.config, memory, sizeof memory), FLASH_ERROR);
    }
    assert_true(fx_holds());
}

// Reads that fail in the middle of writing: the write is refused, or done otherwise; nothing is lost, and the next is taken.
static void a_read_that_fails_while_pages_are_copied_loses_nothing(void **state)
{
    (void)state;
    const uint32_t step = fx_scale(17, 1, 1);
    for (uint32_t at = 0; at < 1500; at += step) {
        fx_make(9, 20, false);
        fx.flash.fail_read_at = at + 200;
        prng_seed(&prng, 9);
        for (uint32_t i = 0; i < BAD_WRITES; i++) {
            const uint32_t slot = prng_below(&prng, 20);
            const int error = fx_write(slot);
            assert_true(error == 0 || error == FLASH_ERROR);
            fx.pending = 20;
        }
        fx.flash.fail_read_at = FLASH_NEVER;
        assert_true(fx_holds());
    }
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    static uint32_t memory[80];
    struct cairn_store_flash store;
    fx_make(8, 20, false);
    const size_t size = cairn_store_flash_size(&fx.config);
    assert_int_equal(size, 8 * 8 + 20 * 2 + FX_PAGE);
    assert_int_equal(cairn_store_flash_init(NULL, &fx.config, memory, size), CAIRN_EINVAL);
    assert_int_equal(cairn_store_flash_init(&store, NULL, memory, size), CAIRN_EINVAL);
    assert_int_equal(cairn_store_flash_init(&store, &fx.config, NULL, size), CAIRN_EINVAL);
    assert_int_equal(cairn_store_flash_init(&store, &fx.config, (unsigned char *)memory + 2, size), CAIRN_EINVAL);
    assert_int_equal(cairn_store_flash_init(&store, &fx.config, memory, size - 1), CAIRN_ENOMEM);
    assert_int_equal(cairn_store_flash_size(NULL), 0);
    static const struct { uint32_t page, slots, spare, erase, program, blocks; int error; } cases[] = {
        {0, 20, 0, FX_ERASE, 4, 8, CAIRN_EINVAL},  {18, 20, 0, FX_ERASE, 4, 8, CAIRN_EINVAL},      {16, 0, 0, FX_ERASE, 4, 8, CAIRN_EINVAL},
        {16, UINT32_MAX, 0, FX_ERASE, 4, 8, CAIRN_EINVAL}, {16, 20, 0, FX_ERASE, 3, 8, CAIRN_EINVAL}, {16, 20, 0, FX_ERASE, 0, 8, CAIRN_EINVAL},
        {128, 20, 0, 512, 128, 8, CAIRN_EINVAL},   {16, 20, 0, FX_ERASE + 2, 4, 8, CAIRN_EINVAL},  {16, 20, 0, 72, 4, 8, CAIRN_ENOMEM},
        {16, 20, 0, 76 + 28, 4, 8, CAIRN_ENOMEM},  {UINT32_MAX - 3, 20, 0, FX_ERASE, 4, 8, CAIRN_ENOMEM}, {16, 20, 0, FX_ERASE, 4, 3, CAIRN_ENOMEM},
        {16, 20, 7, FX_ERASE, 4, 8, CAIRN_ENOMEM}, {16, 20, UINT32_MAX, FX_ERASE, 4, 8, CAIRN_ENOMEM}, {16, 20, 0, FX_ERASE, 4, 0, CAIRN_ENOMEM},
        {4, 20, 0, 20u << 20, 4, 8, CAIRN_EOVERFLOW}, {4, 20, 0, 20u << 16, 4, UINT32_MAX / 8, CAIRN_EOVERFLOW}};
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cairn_port_flash flash = fx.flash.port;
        const struct cairn_store_flash_config config = {.flash = &flash, .page = cases[i].page, .slots = cases[i].slots, .spare = cases[i].spare};
        flash.erase_size = cases[i].erase;
        flash.program_size = cases[i].program;
        flash.blocks = cases[i].blocks;
        assert_int_equal(cairn_store_flash_init(&store, &config, memory, sizeof memory), cases[i].error);
        assert_int_equal(cairn_store_flash_size(&config), 0);
    }
    struct cairn_store_flash_config wide = fx.config;
    struct cairn_port_flash large = fx.flash.port;
    wide.flash = &large;
    large.blocks = 0xFFFE / FX_PLACES;
    assert_int_equal(cairn_store_flash_size(&wide), (size_t)large.blocks * 8 + 20 * 2 + FX_PAGE);
    large.blocks++;
    assert_int_equal(cairn_store_flash_size(&wide), (size_t)large.blocks * 8 + 20 * 4 + FX_PAGE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_contract_holds_up_to_the_capacity),
        cmocka_unit_test(what_was_written_is_there_after_each_restart),
        cmocka_unit_test(a_slot_that_was_never_written_reads_as_zeros),
        cmocka_unit_test(a_full_store_refuses_new_slots_and_loses_nothing),
        cmocka_unit_test(slots_that_come_back_can_be_trimmed_again),
        cmocka_unit_test(wear_is_even_where_writes_are_not),
        cmocka_unit_test(blocks_that_were_never_used_are_not_spared),
        cmocka_unit_test(what_is_copied_stays_within_bounds),
        cmocka_unit_test(room_made_before_is_there_for_the_write),
        cmocka_unit_test(a_block_that_fails_at_any_operation_is_left_and_nothing_is_lost),
        cmocka_unit_test(a_block_that_failed_is_not_written_again),
        cmocka_unit_test(blocks_fail_one_after_another),
        cmocka_unit_test(a_flash_that_wears_out_is_read_to_the_end),
        cmocka_unit_test(no_bit_that_changes_passes_for_data),
        cmocka_unit_test(one_bit_of_a_blocks_header_takes_no_room),
        cmocka_unit_test(a_header_that_is_lost_stops_no_write),
        cmocka_unit_test(whatever_the_flash_holds_is_survived),
        cmocka_unit_test(an_error_of_the_flashs_read_passes_through),
        cmocka_unit_test(a_read_that_fails_while_pages_are_copied_loses_nothing),
        cmocka_unit_test(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests_name("store_flash", tests, NULL, NULL);
}
