// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/vm/codec.c: pages of every kind go round, and no bytes whatever make the decoder read or write where it must not.
// PICTURE     test_codec [SEED [PAGES]]   or CAIRN_SEED=SEED; CAIRN_TIER=full: a hundred times as many pages
// CALLERS     ctest, on every preset. With sanitizers the ends of the memory are watched to the byte; without them guards stand there.
#include "prng.h"
#include "test/model/arguments.h"
#include "vm/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE_MOST 4096u
#define ROOM (PAGE_MOST + PAGE_MOST / 128 + CODEC_SLACK)
#define GUARD 16u

static unsigned char page[PAGE_MOST], back[PAGE_MOST + 2 * GUARD + 4], encoding[ROOM + GUARD], table[CODEC_TABLE];
static struct prng prng;
static uint32_t seed = 1;
#if defined(__unix__) || defined(__APPLE__)
static uint32_t pages = 12000;
#define STRIDE 1u
#else
static uint32_t pages = 120; // and of the situations every tenth or so
#define STRIDE 11u
#endif

static const uint32_t sizes[] = {128, 132, 256, 512, 1024, 2048, 4096};
#define SIZES (sizeof sizes / sizeof sizes[0])

// Decodes at any alignment. The memory is as large as the contract says, and no larger.
static bool decode(const unsigned char *from, uint32_t length, uint32_t size, uint32_t skew)
{
    unsigned char *const bytes = malloc(size + CODEC_SLACK);
    assert_non_null(bytes);
    memset(bytes, 0xEE, size + CODEC_SLACK);
    memcpy(bytes, from, length < size + CODEC_SLACK ? length : size + CODEC_SLACK);
    memset(back, 0x3C, sizeof back);
    const bool good = cairn_codec_decode_(bytes, length, back + GUARD + skew, size);
    for (uint32_t i = 0; i < GUARD; i++) {
        assert_int_equal(back[i + skew], 0x3C);
        assert_int_equal(back[GUARD + skew + size + i], 0x3C);
    }
    free(bytes);
    return good;
}

static uint32_t encode(uint32_t size, uint32_t limit)
{
    memset(encoding, 0x77, sizeof encoding);
    memset(table, (int)prng_below(&prng, 256), sizeof table); // what it held before does not matter
    const uint32_t length = cairn_codec_encode_(page, size, encoding, limit, table);
    assert_true(length <= limit);
    for (uint32_t i = limit + CODEC_SLACK; i < sizeof encoding; i++) {
        assert_int_equal(encoding[i], 0x77);
    }
    return length;
}

static uint32_t goes_round(uint32_t size)
{
    const uint32_t length = encode(size, size);
    if (length != 0) {
        const uint32_t skew = prng_below(&prng, 4);
        assert_true(decode(encoding, length, size, skew));
        assert_memory_equal(back + GUARD + skew, page, size);
    }
    return length;
}

// What pages are made of: noise, records of which a few bytes differ, runs, pieces of what was before, small numbers.
static void make_page(uint32_t size)
{
    uint32_t at = 0;
    while (at < size) {
        const uint32_t kind = prng_below(&prng, 6);
        const uint32_t most = prng_below(&prng, 8) == 0 ? size : 40;
        const uint32_t run = 1 + prng_below(&prng, most);
        const uint32_t end = run < size - at ? at + run : size;
        const uint32_t distance = at == 0 ? 0 : 1 + prng_below(&prng, at < 300 ? at : 300);
        const uint32_t value = prng_next(&prng);
        for (; at < end; at++) {
            const bool old = kind == 2 || kind == 3;
            page[at] = kind == 0 ? (unsigned char)prng_next(&prng) : kind == 1 ? (unsigned char)value : 0;
            if (old && distance != 0) {
                page[at] = page[at - distance];
            }
            if ((kind == 3 && prng_below(&prng, 8) == 0) || (kind == 4 && at % 4 == 0)) {
                page[at] = (unsigned char)prng_next(&prng);
            }
        }
    }
}

static void random_pages_go_round(void **state)
{
    (void)state;
    uint32_t smaller = 0;
    prng_seed(&prng, seed);
    for (uint32_t i = 0; i < pages; i++) {
        const uint32_t size = sizes[i % SIZES];
        make_page(size);
        smaller += goes_round(size) < size;
    }
    assert_true(smaller > pages / 4);
}

static void pages_of_one_kind_go_round(void **state)
{
    (void)state;
    for (uint32_t s = 0; s < SIZES; s++) {
        const uint32_t size = sizes[s];
        memset(page, 0, size);
        assert_in_range(goes_round(size), 1, 8 + size / 128);
        for (uint32_t period = 1; period < 300; period += STRIDE) { // distances that can be said, and those that cannot
            for (uint32_t i = 0; i < size; i++) {
                page[i] = (unsigned char)(i < period ? i * 167 + (i >> 3) : page[i - period]);
            }
            const uint32_t length = goes_round(size);
            assert_true(size < 1024 || period > 250 || (length != 0 && length < period * 9 / 8 + 48));
        }
        for (uint32_t tail = 0; tail < 40; tail += (STRIDE + 3) / 4) { // the end of the last copy at each of the last places
            memset(page, 0, size);
            for (uint32_t i = 0; i < tail; i++) {
                page[size - 1 - i] = (unsigned char)(i * 29 + 1);
            }
            assert_true(goes_round(size) <= tail + 48);
        }
    }
}

// Every length of literals and of copies near the numbers at which a token takes more bytes.
static void long_literals_and_copies_go_round(void **state)
{
    static const uint32_t counts[] = {0, 1, 4, 5, 6, 7, 8, 9, 15, 16, 17, 18, 19, 20, 260, 261, 262, 263, 271, 272, 273, 274, 516, 517, 527, 528};
    (void)state;
    prng_seed(&prng, seed);
    for (uint32_t a = 0; a < sizeof counts / sizeof counts[0]; a += (STRIDE + 3) / 4) {
        for (uint32_t b = 0; b < sizeof counts / sizeof counts[0]; b++) {
            for (uint32_t i = 0; i < 2048; i++) {
                page[i] = (unsigned char)prng_next(&prng);
            }
            memset(page + 8 + counts[a], 0x55, 4 + counts[b]);
            memset(page + 1400, 0, counts[b]);
            memset(page + 2048 - counts[a], 1, counts[a]);
            goes_round(2048);
        }
    }
}

// 1, and the page it is made from is not changed.
static void an_encoding_keeps_within_any_limit(void **state)
{
    (void)state;
    prng_seed(&prng, seed);
    for (uint32_t i = 0; i < 40; i += STRIDE) {
        make_page(256);
        const uint32_t needed = encode(256, 256 + 8);
        for (uint32_t limit = 1; limit <= 256; limit++) {
            assert_int_equal(encode(256, limit), needed <= limit ? needed : 0);
        }
    }
    for (uint32_t i = 0; i < PAGE_MOST; i++) {
        page[i] = (unsigned char)prng_next(&prng);
    }
    assert_int_equal(encode(PAGE_MOST, PAGE_MOST), 0); // noise is never smaller
    const uint32_t most = encode(PAGE_MOST, ROOM - CODEC_SLACK);
    assert_in_range(most, PAGE_MOST, PAGE_MOST + PAGE_MOST / 255 + 2);
}

static void equal_pages_have_equal_encodings(void **state)
{
    static unsigned char first[ROOM];
    (void)state;
    prng_seed(&prng, seed);
    for (uint32_t i = 0; i < 50; i++) {
        make_page(512);
        const uint32_t length = encode(512, 512);
        memcpy(first, encoding, length);
        assert_int_equal(encode(512, 512), length);
        assert_memory_equal(first, encoding, length);
    }
}

// 2, 3.
static void changed_and_short_encodings_are_bounded(void **state)
{
    static unsigned char good[ROOM];
    uint32_t refused = 0;
    uint32_t tried = 0;
    (void)state;
    prng_seed(&prng, seed);
    for (uint32_t i = 0; i < pages / 8; i++) {
        const uint32_t size = sizes[i % SIZES];
        make_page(size);
        const uint32_t length = encode(size, size);
        memcpy(good, encoding, length);
        for (uint32_t round = 0; round < 16 && length != 0; round++, tried += 2) {
            memcpy(encoding, good, length);
            for (uint32_t bits = 1 + prng_below(&prng, 4); bits != 0; bits--) {
                encoding[prng_below(&prng, length)] ^= (unsigned char)(1u << prng_below(&prng, 8));
            }
            refused += !decode(encoding, length, size, 0);
            assert_false(decode(good, prng_below(&prng, length), size, 1)); // 3: cut short
            refused++;
            assert_false(length < size && decode(good, length + 1, size, 2)); // 3: one byte too many
        }
    }
    assert_true(refused > tried / 2);
}

static void random_bytes_are_bounded(void **state)
{
    (void)state;
    prng_seed(&prng, seed);
    for (uint32_t i = 0; i < pages; i++) {
        const uint32_t size = sizes[i % SIZES];
        const uint32_t mask = prng_below(&prng, 3) == 0 ? 0xFF : prng_next(&prng) & 0xFF; // tokens of one kind lead further in
        for (uint32_t at = 0; at < size + CODEC_SLACK; at++) {
            encoding[at] = (unsigned char)(prng_next(&prng) & mask);
        }
        (void)decode(encoding, prng_below(&prng, size), size, i % 4);
        memset(encoding, (int)(mask | 0x70), prng_below(&prng, size));
        (void)decode(encoding, prng_below(&prng, size), size, i % 4);
    }
    assert_false(decode(encoding, 0, 128, 0));
}

// As many literals as a page has, of which the encoding holds some, or none: with the largest page no more can be read than those.
static void literals_that_the_encoding_does_not_have_are_refused(void **state)
{
    (void)state;
    for (uint32_t s = 0; s < SIZES; s++) {
        const uint32_t size = sizes[s];
        uint32_t at = 0;
        uint32_t more = size - 7;
        memset(encoding, 0, sizeof encoding);
        encoding[at++] = 0x70;
        for (; more >= 255; more -= 255) {
            encoding[at++] = 255;
        }
        encoding[at++] = (unsigned char)more;
        assert_false(decode(encoding, at, size, 0));
        assert_false(decode(encoding, size, size, 0));
        memset(encoding, 255, size);
        assert_false(decode(encoding, size, size, 0)); // more and more of them
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_pages_go_round),
        cmocka_unit_test(pages_of_one_kind_go_round),
        cmocka_unit_test(long_literals_and_copies_go_round),
        cmocka_unit_test(an_encoding_keeps_within_any_limit),
        cmocka_unit_test(equal_pages_have_equal_encodings),
        cmocka_unit_test(changed_and_short_encodings_are_bounded),
        cmocka_unit_test(random_bytes_are_bounded),
        cmocka_unit_test(literals_that_the_encoding_does_not_have_are_refused),
    };
    read_arguments(argc, argv, 100, &seed, &pages);
    const int failed = cmocka_run_group_tests_name("codec", tests, NULL, NULL);
    printf("seed %lu\n", (unsigned long)seed);
    return failed;
}
