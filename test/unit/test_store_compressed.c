// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/vm/store_compressed.c, one situation at a time; test_store_compressed_random.c has the model.
// CALLERS     ctest, on every preset.
#include "cairn/compressed.h"
#include "cairn/store.h"
#include "faulty_store.h"
#include "prng.h"
#include "test/port/store_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 256u
#define SLOTS 24u

enum kind { ZEROS, FILLED, RECORDS, NOISE }; // what a page is made of

static _Alignas(4) unsigned char memory[16384];
static unsigned char elsewhere[SLOTS * PAGE];
static unsigned char page[2 * PAGE], expected[PAGE];
static struct cairn_store_ram ram;
static struct faulty_store faulty;
static struct cairn_store_compressed store;
static struct cairn_store_compressed_config config;
static struct cairn_store_compressed_stats stats;

// A store with an area of so many bytes. Whatever the memory held.
static void make(size_t area, bool over)
{
    memset(memory, 0xA5, sizeof memory);
    assert_int_equal(cairn_store_ram_init(&ram, elsewhere, sizeof elsewhere, PAGE, SLOTS), 0);
    faulty_store_init(&faulty, &ram.store);
    config = (struct cairn_store_compressed_config){.memory = memory, .page = PAGE, .slots = SLOTS, .under = over ? &faulty.store : NULL};
    config.size = cairn_store_compressed_size(&config, area);
    assert_in_range(config.size, area + 1, sizeof memory);
    assert_int_equal(cairn_store_compressed_init(&store, &config), 0);
}

static void look(void)
{
    cairn_store_compressed_stats(&store, &stats);
    assert_int_equal(stats.used, stats.filled + stats.duplicates + stats.compressed + stats.raw + stats.under);
    assert_true(stats.held <= stats.capacity && stats.capacity + stats.cost <= config.size);
}

static void make_page(enum kind kind, uint32_t value)
{
    struct prng prng;
    prng_seed(&prng, value + 1);
    for (uint32_t i = 0; i < PAGE; i++) {
        const uint32_t word = kind == NOISE ? prng_next(&prng) : kind == FILLED ? value : kind == RECORDS && i % 16 < 2 ? value * 7 + i / 16 : 0;
        page[i] = (unsigned char)(kind == FILLED ? word >> 8 * (i % 4) : word);
    }
}

static int put(uint32_t slot, enum kind kind, uint32_t value)
{
    make_page(kind, value);
    memcpy(expected, page, PAGE);
    const int error = store.store.write(store.store.context, slot, page);
    assert_memory_equal(page, expected, PAGE);
    return error;
}

static int get(uint32_t slot)
{
    memset(page, 0x3C, sizeof page);
    const int error = store.store.read(store.store.context, slot, page);
    for (uint32_t i = PAGE; i < 2 * PAGE; i++) {
        assert_int_equal(page[i], 0x3C);
    }
    return error;
}

static void holds(uint32_t slot, enum kind kind, uint32_t value)
{
    make_page(kind, value);
    memcpy(expected, page, PAGE);
    assert_int_equal(get(slot), 0);
    assert_memory_equal(page, expected, PAGE);
}

static void trim(uint32_t slot)
{
    store.store.trim(store.store.context, slot);
}

static void nothing_is_left(void)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        trim(slot);
    }
    look();
    assert_int_equal(stats.used, 0);
    assert_int_equal(stats.held, 0);
}

static void the_contract_holds(void **state)
{
    (void)state;
    for (uint32_t chunk = 16; chunk <= 256; chunk *= 2) {
        for (int over = 0; over < 2; over++) {
            make(over == 0 ? (SLOTS + 1) * PAGE : 2 * PAGE, over != 0);
            config.chunk = chunk;
            config.size = cairn_store_compressed_size(&config, over == 0 ? (SLOTS + 1) * PAGE : 2 * PAGE);
            assert_int_equal(cairn_store_compressed_init(&store, &config), 0);
            assert_null(contract_store(&store.store, page));
            nothing_is_left();
        }
    }
}

static void one_word_repeated_takes_nothing(void **state)
{
    (void)state;
    make(PAGE, false);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        assert_int_equal(put(slot, slot % 3 == 0 ? ZEROS : FILLED, 0x01020304u * (slot / 2)), 0);
    }
    look();
    assert_int_equal(stats.held, 0);
    assert_int_equal(stats.used, SLOTS);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        holds(slot, slot % 3 == 0 ? ZEROS : FILLED, 0x01020304u * (slot / 2));
    }
    nothing_is_left();
}

static void nearly_one_word_is_not(void **state)
{
    (void)state;
    make(4 * PAGE, false);
    for (uint32_t at = 0; at < PAGE; at++) {
        make_page(FILLED, 0x11223344);
        page[at] ^= 0x40;
        memcpy(expected, page, PAGE);
        assert_int_equal(store.store.write(store.store.context, 1, page), 0);
        assert_int_equal(get(1), 0);
        assert_memory_equal(page, expected, PAGE);
        look();
        assert_int_equal(stats.compressed, 1);
        assert_in_range(stats.held, 1, 32);
    }
}

static void the_same_page_is_kept_once(void **state)
{
    (void)state;
    make(2 * PAGE, false);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        assert_int_equal(put(slot, slot % 2 == 0 ? RECORDS : NOISE, 5), 0);
    }
    look();
    assert_int_equal(stats.compressed, 1);
    assert_int_equal(stats.raw, 1);
    assert_int_equal(stats.duplicates, SLOTS - 2);
    assert_in_range(stats.held, PAGE + 1, PAGE + PAGE / 2);
    const uint32_t held = stats.held;
    trim(0); // those that are left keep it
    trim(1);
    look();
    assert_int_equal(stats.held, held);
    holds(2, RECORDS, 5);
    holds(3, NOISE, 5);
    assert_int_equal(put(0, RECORDS, 5), 0);
    assert_int_equal(put(0, RECORDS, 5), 0); // its own
    look();
    assert_int_equal(stats.duplicates, SLOTS - 3);
    nothing_is_left();
}

static void a_duplicate_that_is_rewritten_changes_no_other(void **state)
{
    (void)state;
    make(4 * PAGE, false);
    for (int kind = ZEROS; kind <= NOISE; kind++) {
        for (int other = ZEROS; other <= NOISE; other++) {
            for (uint32_t slot = 0; slot < 3; slot++) {
                assert_int_equal(put(slot, (enum kind)kind, 1), 0);
            }
            for (uint32_t slot = 0; slot < 3; slot++) {
                assert_int_equal(put(slot, (enum kind)other, 2 + slot % 2), 0);
                for (uint32_t i = 0; i < 3; i++) {
                    holds(i, i <= slot ? (enum kind)other : (enum kind)kind, i <= slot ? 2 + i % 2 : 1);
                }
            }
        }
    }
    nothing_is_left();
}

static void the_threshold_decides(void **state)
{
    (void)state;
    make(4 * PAGE, false);
    make_page(NOISE, 3); // PAGE - 80 bytes that cannot be compressed
    memset(page + PAGE - 80, 0, 80);
    assert_int_equal(store.store.write(store.store.context, 0, page), 0);
    look();
    assert_int_equal(stats.compressed, 1);
    assert_in_range(stats.encoded, PAGE - 80, PAGE * 3 / 4);
    const uint32_t needed = stats.encoded;
    for (config.accept = needed - 1; config.accept <= needed; config.accept++) {
        assert_int_equal(cairn_store_compressed_init(&store, &config), 0);
        assert_int_equal(store.store.write(store.store.context, 0, page), 0);
        look();
        assert_int_equal(stats.compressed, config.accept == needed);
        assert_int_equal(stats.raw, config.accept != needed);
    }
}

static void full_refuses_and_keeps_what_was_there(void **state)
{
    (void)state;
    make(4 * PAGE - 32, false);
    for (uint32_t slot = 0; slot < 3; slot++) {
        assert_int_equal(put(slot, NOISE, slot), 0);
    }
    assert_int_equal(put(3, RECORDS, 1), 0);
    assert_int_equal(put(4, NOISE, 9), CAIRN_ENOMEM);
    assert_int_equal(put(3, NOISE, 9), CAIRN_ENOMEM);
    holds(3, RECORDS, 1);
    assert_int_equal(put(1, NOISE, 8), 0); // its own chunks are enough
    assert_int_equal(put(5, ZEROS, 0), 0); // what takes none
    assert_int_equal(put(6, NOISE, 0), 0);
    assert_int_equal(put(0, NOISE, 7), CAIRN_ENOMEM); // its chunks are another's too
    holds(0, NOISE, 0);
    look();
    assert_int_equal(stats.refused, 3);
    trim(1);
    assert_int_equal(put(4, NOISE, 9), 0);
    holds(4, NOISE, 9);
    holds(6, NOISE, 0);
    nothing_is_left();
}

static void a_slot_that_holds_nothing_reads_as_zeros(void **state)
{
    (void)state;
    make(2 * PAGE, true);
    holds(3, ZEROS, 0);
    assert_int_equal(put(3, NOISE, 1), 0);
    trim(3);
    holds(3, ZEROS, 0);
    assert_int_equal(get(SLOTS), CAIRN_EINVAL);
    assert_int_equal(put(SLOTS, ZEROS, 0), CAIRN_EINVAL);
    trim(SLOTS);
}

static void what_does_not_fit_goes_to_the_store_under_it(void **state)
{
    (void)state;
    make(PAGE, true);
    assert_int_equal(put(0, NOISE, 1), 0);
    assert_int_equal(faulty.writes, 1);
    uint32_t slot = 1;
    for (; faulty.writes == 1; slot++) {
        assert_int_equal(put(slot, RECORDS, slot), 0);
    }
    look();
    assert_int_equal(stats.under, 2);
    for (uint32_t i = 1; i < slot; i++) {
        holds(i, RECORDS, i);
    }
    holds(0, NOISE, 1);
    assert_int_equal(put(0, NOISE, 2), 0); // from there to there: it is not trimmed
    assert_int_equal(faulty.trims, 0);
    holds(0, NOISE, 2);
    assert_int_equal(put(0, ZEROS, 0), 0); // back
    assert_int_equal(faulty.trims, 1);
    trim(slot - 1);
    assert_int_equal(faulty.trims, 2);
    nothing_is_left();
}

static void errors_of_the_store_under_it_change_nothing(void **state)
{
    (void)state;
    for (int before = ZEROS; before <= NOISE; before++) {
        make(4 * PAGE, true);
        assert_int_equal(put(0, (enum kind)before, 1), 0);
        assert_int_equal(put(1, (enum kind)before, 1), 0);
        faulty.fail_write = faulty.writes;
        assert_int_equal(put(0, NOISE, 2), FAULTY_ERROR);
        holds(0, (enum kind)before, 1);
        holds(1, (enum kind)before, 1);
        assert_int_equal(put(0, NOISE, 2), 0);
        faulty.fail_read = faulty.reads;
        assert_int_equal(get(0), FAULTY_ERROR);
        holds(0, NOISE, 2);
        faulty.fail_sync = 0;
        assert_int_equal(store.store.sync(store.store.context), FAULTY_ERROR);
        assert_int_equal(store.store.sync(store.store.context), 0);
        nothing_is_left();
    }
}

// 6.
static void every_bit_that_changes_in_the_area_is_found(void **state)
{
    (void)state;
    for (int kind = RECORDS; kind <= NOISE; kind++) {
        make(2 * PAGE, false);
        assert_int_equal(put(1, (enum kind)kind, 4), 0);
        look();
        const uint32_t bits = (kind == RECORDS ? stats.encoded : PAGE) * 8;
        assert_true(bits >= 64);
        for (uint32_t bit = 0; bit < bits; bit++) {
            store.area[bit / 8] ^= (unsigned char)(1u << bit % 8);
            assert_int_equal(get(1), CAIRN_ECORRUPT);
            store.area[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        for (uint32_t i = 0; i < 64; i++) {
            struct prng prng;
            prng_seed(&prng, i + 100);
            for (uint32_t at = 0; at < stats.capacity; at++) {
                store.area[at] = (unsigned char)prng_next(&prng);
            }
            assert_int_equal(get(1), CAIRN_ECORRUPT);
        }
        assert_int_equal(put(2, (enum kind)kind, 4), 0); // what has changed is not taken for the same page
        holds(2, (enum kind)kind, 4);
        nothing_is_left();
    }
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    make(2 * PAGE, true);
    const struct cairn_store_compressed_config good = config;
    assert_int_equal(cairn_store_compressed_init(NULL, &good), CAIRN_EINVAL);
    assert_int_equal(cairn_store_compressed_init(&store, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_store_compressed_size(NULL, 1), 0);
    for (int i = 0; i < 15; i++) {
        struct cairn_port_store under = ram.store;
        config = good;
        config.under = &under;
        switch (i) {
        case 0: config.page = 124; break;
        case 1: config.page = 4100; break;
        case 2: config.page = 130; break;
        case 3: config.slots = 0; break;
        case 4: config.slots = 65535; break;
        case 5: config.accept = PAGE; break;
        case 6: config.chunk = 8; break;
        case 7: config.chunk = 512; break;
        case 8: config.chunk = 48; break;
        case 9: under.page = 2 * PAGE; break;
        case 10: under.slots = SLOTS - 1; break;
        case 11: under.read = NULL; break;
        case 12: under.write = NULL; break;
        case 13: config.memory = NULL; break;
        default: config.memory = memory + 2; break;
        }
        assert_int_equal(cairn_store_compressed_init(&store, &config), CAIRN_EINVAL);
        assert_int_equal(cairn_store_compressed_size(&config, 4096) == 0, i < 13);
    }
    config = good;
    config.size = cairn_store_compressed_size(&config, 1);
    assert_int_equal(cairn_store_compressed_init(&store, &config), 0);
    assert_int_equal(store.chunks, 1);
    config.size -= 34;
    assert_int_equal(cairn_store_compressed_init(&store, &config), CAIRN_ENOMEM);
    assert_int_equal(cairn_store_compressed_size(&good, 65535 * 32), 0);
    struct cairn_port_store plain = ram.store; // no trim, no sync
    config = good;
    config.under = &plain;
    assert_int_equal(cairn_store_compressed_init(&store, &config), 0);
    assert_null(store.store.sync);
    assert_int_equal(put(1, NOISE, 1), 0);
    nothing_is_left();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_contract_holds),
        cmocka_unit_test(one_word_repeated_takes_nothing),
        cmocka_unit_test(nearly_one_word_is_not),
        cmocka_unit_test(the_same_page_is_kept_once),
        cmocka_unit_test(a_duplicate_that_is_rewritten_changes_no_other),
        cmocka_unit_test(the_threshold_decides),
        cmocka_unit_test(full_refuses_and_keeps_what_was_there),
        cmocka_unit_test(a_slot_that_holds_nothing_reads_as_zeros),
        cmocka_unit_test(what_does_not_fit_goes_to_the_store_under_it),
        cmocka_unit_test(errors_of_the_store_under_it_change_nothing),
        cmocka_unit_test(every_bit_that_changes_in_the_area_is_found),
        cmocka_unit_test(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests_name("store_compressed", tests, NULL, NULL);
}
