// SPDX-License-Identifier: MIT
//
// OWNS        the figures of cairn/image.h: what commits write, what there is of index, what is read, what RAM it takes.
// PICTURE     an image of 1024 pages of 1 KB, and of 4096
// CALLERS     ctest, on hosts.
#include "cairn/image.h"
#include "cairn/store.h"
#include "faulty_store.h"
#include "prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 1024u
#define PAGES_MOST 4096u
#define SLOTS (PAGES_MOST + 1024u)
#define ANYWHERE UINT32_MAX

static unsigned char slots[SLOTS * PAGE];
static unsigned char page[PAGE];
static _Alignas(8) unsigned char memory[16384];
static struct cairn_store_ram ram;
static struct faulty_store counted;
static struct cairn_image image;
static struct cairn_image_config config;
static struct prng prng;
static uint32_t pages;

// Commit so many pages, all different: from `first` on, or anywhere. Returns how many slots that wrote.
static uint32_t commit(uint32_t count, uint32_t first)
{
    static bool is_put[PAGES_MOST];
    struct cairn_image_stats stats;
    unsigned char head[64] = {0};
    memset(is_put, 0, sizeof is_put);
    assert_int_equal(cairn_image_begin(&image, false), 0);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t key = first != ANYWHERE ? (first + i) % pages : prng_below(&prng, pages);
        while (is_put[key]) {
            key = prng_below(&prng, pages);
        }
        is_put[key] = true;
        assert_int_equal(cairn_image_put(&image, key, page), 0);
    }
    assert_int_equal(cairn_image_commit(&image, head, sizeof head), 0);
    cairn_image_stats(&image, &stats);
    assert_int_equal(stats.keys, pages);
    assert_int_equal(stats.data, pages);
    return stats.written;
}

// An image of so many pages. Returns the slots that its first commit wrote.
static uint32_t make(uint32_t count)
{
    memset(slots, 0, sizeof slots);
    memset(page, 0x5A, sizeof page);
    prng_seed(&prng, 1);
    pages = count;
    assert_int_equal(cairn_store_ram_init(&ram, slots, sizeof slots, PAGE, SLOTS), 0);
    faulty_store_init(&counted, &ram.store);
    config = (struct cairn_image_config){.store = &counted.store, .slots = count + 640};
    assert_true(cairn_image_size(&config) <= sizeof memory);
    assert_int_equal(cairn_image_init(&image, &config, memory, sizeof memory), 0);
    return commit(count, 0);
}

// What a commit of so many pages costs beside them, in slots: the least, and the mean in hundredths of a per cent.
static void measure(uint32_t count, uint32_t first, uint32_t *least, uint32_t *mean)
{
    uint32_t all = 0;
    uint32_t most = 0;
    *least = UINT32_MAX;
    for (uint32_t i = 0; i < 34; i++) { // twice round the chain
        const uint32_t beside = commit(count, first) - count;
        *least = beside < *least ? beside : *least;
        most = beside > most ? beside : most;
        all += beside;
    }
    *mean = (all * 10000 / 34) / count;
    print_message("%5u of %u pages, %s: %u to %u slots beside them; %u.%02u %% on average\n", (unsigned)count, (unsigned)pages,
                  first == ANYWHERE ? "anywhere  " : "one by one", (unsigned)*least, (unsigned)most, (unsigned)*mean / 100, (unsigned)*mean % 100);
}

static void a_commit_writes_its_pages_and_two_per_cent(void **state)
{
    (void)state;
    static const uint32_t counts[] = {1, 8, 64, 100, 128, 256, 512};
    for (uint32_t of = 1024; of <= PAGES_MOST; of *= 4) {
        const uint32_t full = make(of) - of;
        print_message("full image of %u pages: %u slots beside them, %u.%02u %%\n", (unsigned)of, (unsigned)full, (unsigned)(full * 100 / of),
                      (unsigned)(full * 10000 / of % 100));
        assert_true(full * 100 <= of);
        for (uint32_t i = 0; i < (of == 1024 ? 14u : 7u); i++) {
            uint32_t least, mean;
            measure(counts[i % 7], i < 7 ? ANYWHERE : 5, &least, &mean);
            if (counts[i % 7] >= 64) {
                assert_true(least * 50 <= counts[i % 7]);
                assert_true(mean <= (of == 1024 ? 260 : 530));
            }
        }
    }
}

static void reading_reads_little_of_the_index(void **state)
{
    (void)state;
    make(1024);
    for (uint32_t i = 0; i < 16; i++) {
        (void)commit(64, ANYWHERE);
    }
    uint32_t before = counted.reads;
    assert_int_equal(cairn_image_init(&image, &config, memory, sizeof memory), 0);
    print_message("mounting 1024 pages with %u pages of index: %u reads\n", (unsigned)image.committed, (unsigned)(counted.reads - before));
    assert_true(counted.reads - before <= 8 * 24);
    before = counted.reads;
    uint32_t found = 0;
    for (uint64_t key = 0; cairn_image_next(&image, &key) == 0; key++, found++) {
        assert_int_equal(cairn_image_get(&image, key, page), 0);
    }
    assert_int_equal(found, 1024);
    print_message("all 1024 pages, key by key: %u reads beside them\n", (unsigned)(counted.reads - before - 1024));
    assert_true(counted.reads - before - 1024 <= 200);
    before = counted.reads;
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(cairn_image_get(&image, prng_below(&prng, 1024), page), 0);
    }
    const uint32_t beside = counted.reads - before - 1000;
    print_message("1000 pages, any: %u.%u reads of the index for each\n", (unsigned)(beside / 1000), (unsigned)(beside / 100 % 10));
    assert_true(beside <= 20 * 1000);
}

static void memory_is_little(void **state)
{
    (void)state;
    make(1024);
    config.slots = 1024;
    print_message("RAM for 1024 slots of 1 KB: %u bytes\n", (unsigned)cairn_image_size(&config));
    assert_true(cairn_image_size(&config) <= 4600);
    config.slots = 4096;
    print_message("RAM for 4096 slots of 1 KB: %u bytes\n", (unsigned)cairn_image_size(&config));
    assert_true(cairn_image_size(&config) <= 7000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_writes_its_pages_and_two_per_cent),
        cmocka_unit_test(reading_reads_little_of_the_index),
        cmocka_unit_test(memory_is_little),
    };
    return cmocka_run_group_tests_name("image_figures", tests, NULL, NULL);
}
