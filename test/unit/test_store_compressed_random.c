// SPDX-License-Identifier: MIT
//
// Random compressed stores, worked at random against a flat array: writes of pages of every kind, duplicates, trims, a store under it that fails.
//
// OWNS        the plan: a new store every few hundred operations, of another page, area, chunk, threshold, with and without a store under it.
// PICTURE     test_store_compressed_random [SEED [OPERATIONS]]   or CAIRN_SEED=SEED; CAIRN_TIER=full: a hundred times as many operations
// CALLERS     ctest, on every preset. A failure prints the seed and the operation; the same seed fails again.
#include "cairn/compressed.h"
#include "cairn/store.h"
#include "faulty_store.h"
#include "prng.h"
#include "test/model/arguments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PAGE_MOST 512u
#define SLOTS_MOST 20u

static struct prng prng;
static uint32_t seed = 1;
#if defined(__unix__) || defined(__APPLE__)
static uint32_t operations = 60000;
#else
static uint32_t operations = 2000;
#endif
static uint32_t done, refused, failed;

static _Alignas(4) unsigned char memory[24576];
static unsigned char elsewhere[SLOTS_MOST * PAGE_MOST];
static unsigned char model[SLOTS_MOST][PAGE_MOST], page[PAGE_MOST];
static bool written[SLOTS_MOST];
static struct cairn_store_ram ram;
static struct faulty_store faulty;
static struct cairn_store_compressed store;
static struct cairn_store_compressed_config config;

static void make(void)
{
    static const uint32_t pages[] = {128, 132, 256, 512};
    config = (struct cairn_store_compressed_config){.memory = memory, .page = pages[prng_below(&prng, 4)], .slots = 1 + prng_below(&prng, SLOTS_MOST)};
    config.chunk = prng_below(&prng, 3) == 0 ? 0 : 16u << prng_below(&prng, 5);
    config.accept = prng_below(&prng, 2) == 0 ? 0 : prng_below(&prng, config.page);
    assert_int_equal(cairn_store_ram_init(&ram, elsewhere, sizeof elsewhere, config.page, config.slots), 0);
    faulty_store_init(&faulty, &ram.store);
    config.under = prng_below(&prng, 2) == 0 ? NULL : &faulty.store;
    config.size = cairn_store_compressed_size(&config, 1 + prng_below(&prng, config.slots * config.page));
    memset(memory, (int)prng_below(&prng, 256), sizeof memory);
    memset(memory + config.size, 0x6B, 64);
    assert_in_range(config.size, 1, sizeof memory - 64);
    assert_int_equal(cairn_store_compressed_init(&store, &config), 0);
    memset(model, 0, sizeof model);
    memset(written, 0, sizeof written);
}

// Zeros, one word, what another slot holds, that but for a byte, records, noise.
static void make_page(void)
{
    const uint32_t kind = prng_below(&prng, 8);
    const uint32_t word = prng_below(&prng, 2) == 0 ? prng_next(&prng) : prng_below(&prng, 4);
    memcpy(page, model[prng_below(&prng, config.slots)], config.page);
    for (uint32_t i = 0; i < config.page && kind < 5; i++) {
        switch (kind) {
        case 0: page[i] = 0; break;
        case 1: page[i] = (unsigned char)(word >> 8 * (i % 4)); break;
        case 2: page[i] = (unsigned char)prng_next(&prng); break;
        default: page[i] = (unsigned char)(i % 12 < 3 ? word + i / 12 : i % 12); break;
        }
    }
    if (kind > 5) {
        page[prng_below(&prng, config.page)] ^= (unsigned char)(1u << prng_below(&prng, 8));
    }
}

static void write_one(uint32_t slot)
{
    make_page();
    if (prng_below(&prng, 16) == 0) {
        faulty.fail_write = faulty.writes;
    }
    const int error = store.store.write(store.store.context, slot, page);
    faulty.fail_write = FAULTY_NEVER;
    if (error == 0) {
        memcpy(model[slot], page, config.page);
        written[slot] = true;
    } else {
        assert_int_equal(error, config.under == NULL ? CAIRN_ENOMEM : FAULTY_ERROR);
        *(config.under == NULL ? &refused : &failed) += 1;
    }
}

static void holds(uint32_t slot)
{
    memset(page, 0x3C, sizeof page);
    assert_int_equal(store.store.read(store.store.context, slot, page), 0);
    assert_memory_equal(page, model[slot], config.page);
}

// Pages that no other slot of a smaller number has.
static uint32_t different(void)
{
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < config.slots; slot++) {
        bool first = written[slot];
        for (uint32_t other = 0; other < slot && first; other++) {
            first = !written[other] || memcmp(model[slot], model[other], config.page) != 0;
        }
        count += first;
    }
    return count;
}

// The figures, counted from the model.
static void figures_are_right(void)
{
    struct cairn_store_compressed_stats stats;
    uint32_t used = 0;
    cairn_store_compressed_stats(&store, &stats);
    for (uint32_t slot = 0; slot < config.slots; slot++) {
        used += written[slot];
    }
    assert_int_equal(stats.used, used);
    assert_int_equal(stats.used, stats.filled + stats.duplicates + stats.compressed + stats.raw + stats.under);
    assert_true(stats.held <= stats.capacity && stats.held >= stats.encoded + stats.raw * config.page);
    assert_true(stats.held < stats.encoded + stats.raw * config.page + (stats.compressed + stats.raw) * store.chunk + 1);
    if (config.under == NULL) { // the same page is kept once
        assert_int_equal(stats.under, 0);
        assert_int_equal(stats.filled + stats.compressed + stats.raw, different());
    }
    for (uint32_t i = 0; i < 64; i++) {
        assert_int_equal(memory[config.size + i], 0x6B);
    }
}

static void step(void)
{
    const uint32_t slot = prng_below(&prng, config.slots);
    if (prng_below(&prng, 6) == 0) {
        store.store.trim(store.store.context, slot);
        memset(model[slot], 0, PAGE_MOST);
        written[slot] = false;
    } else {
        write_one(slot);
    }
    holds(slot);
    holds(prng_below(&prng, config.slots));
}

static void everything_is_given_back(void)
{
    struct cairn_store_compressed_stats stats;
    for (uint32_t slot = 0; slot < config.slots; slot++) {
        holds(slot);
    }
    for (uint32_t slot = 0; slot < config.slots; slot++) {
        store.store.trim(store.store.context, slot);
    }
    cairn_store_compressed_stats(&store, &stats);
    assert_int_equal(stats.used + stats.held + stats.duplicates, 0);
}

static void a_store_is_as_its_model(void **state)
{
    (void)state;
    prng_seed(&prng, seed);
    for (done = 0; done < operations; done++) {
        if (done % 400 == 0) {
            if (done != 0) {
                everything_is_given_back();
            }
            make();
        }
        step();
        figures_are_right();
    }
    everything_is_given_back();
    assert_true(refused > operations / 200 && failed > operations / 400);
    done = 0;
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(a_store_is_as_its_model)};
    read_arguments(argc, argv, 100, &seed, &operations);
    const int broken = cmocka_run_group_tests_name("store_compressed_random", tests, NULL, NULL);
    if (broken != 0) {
        printf("seed %lu, operation %lu\n", (unsigned long)seed, (unsigned long)done);
    } else {
        printf("seed %lu: %lu operations, %lu refused, %lu failed\n", (unsigned long)seed, (unsigned long)operations, (unsigned long)refused,
               (unsigned long)failed);
    }
    return broken;
}
