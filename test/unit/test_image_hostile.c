// SPDX-License-Identifier: MIT
//
// OWNS        the proof that nothing in a store harms who reads it: every byte of the index changed, with and without the right sums.
// PICTURE     an image with a root, a chain, and pages that are linked; one change; mount; read all; change, commit, mount
// CALLERS     ctest, on every preset, with sanitizers on the host: lib/vm/image_mount.c, image_index.c.
#include "cairn/store.h"
#include "image_fixture.h"
#include "image_seal.h"

#include <string.h>

#define SLOTS 40u
#define KEYS 16u

static unsigned char slots[SLOTS * FX_PAGE], kept[SLOTS * FX_PAGE];
static unsigned char page[FX_PAGE];
static struct cairn_store_ram ram;
static struct prng prng;
static uint32_t refused, taken;

static void make(bool far)
{
    memset(slots, 0, sizeof slots);
    assert_int_equal(cairn_store_ram_init(&ram, slots, sizeof slots, FX_PAGE, SLOTS), 0);
    fx_make(&ram.store, KEYS);
    fx.far = far;
    fx.config.chain = 8;
    assert_int_equal(fx_mount(), 0);
    prng_seed(&prng, 9);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(fx_begin(false), 0);
        for (uint32_t key = i; key < KEYS; key += 1 + 2 * i) {
            assert_int_equal(i == 2 ? fx_drop(key) : fx_put(key), 0);
        }
        assert_int_equal(fx_put_zeros(3), 0);
        assert_int_equal(fx_commit(true), 0);
    }
    assert_true(fx.image.committed > 5);
    memcpy(kept, slots, sizeof slots);
}

static bool is_answer(int error)
{
    return error == 0 || error == CAIRN_ECORRUPT || error == CAIRN_ENOMEM || error == CAIRN_ENOENT || error == CAIRN_EINVAL;
}

// Whatever is in the slots: every call has an answer, and ends.
static void use(void)
{
    const int error = fx_mount();
    assert_true(error == 0 || error == CAIRN_ECORRUPT || error == CAIRN_ENOMEM);
    refused += error != 0;
    taken += error == 0;
    if (error != 0) {
        return;
    }
    struct cairn_image *const image = &fx.image;
    uint64_t key = 0;
    uint32_t found = 0;
    assert_true(cairn_image_head(image, page, sizeof page) <= (int)(FX_PAGE - CAIRN_IMAGE_RECORD));
    while (cairn_image_next(image, &key) == 0) {
        assert_true(is_answer(cairn_image_get(image, key, page)));
        key++;
        assert_true(++found <= FX_PAGE * SLOTS);
    }
    assert_int_equal(found, image->keys);
    if (cairn_image_begin(image, false) == 0) {
        memset(page, 0x77, sizeof page);
        assert_true(is_answer(cairn_image_put(image, 5, page)));
        assert_true(is_answer(cairn_image_drop_range(image, 0, 9)));
        const int committed = cairn_image_commit(image, NULL, 0);
        assert_true(is_answer(committed));
        if (committed == 0) {
            assert_int_equal(fx_mount(), 0);
        }
    }
}

// One byte of a slot becomes another, in each of some ways.
static void change_each_byte(bool far, bool sealed)
{
    const uint32_t step = fx_scale(29, 3, 1);
    make(far);
    for (uint32_t at = 0; at < sizeof slots; at += step) {
        if (seal_kind(kept + at / FX_PAGE * FX_PAGE) == 0) {
            continue;
        }
        for (uint32_t how = 0; how < 12; how++) {
            memcpy(slots, kept, sizeof slots);
            const unsigned char byte = slots[at];
            slots[at] = (unsigned char)(how < 8 ? byte ^ 1u << how : how == 8 ? 0 : how == 9 ? 0xFF : how == 10 ? byte + 1u : prng_below(&prng, 256));
            if (sealed) {
                seal_all(slots, FX_PAGE, SLOTS);
            }
            use();
        }
    }
}

static void any_byte_of_the_index_that_changed_is_an_answer(void **state)
{
    (void)state;
    refused = taken = 0;
    change_each_byte(false, false);
    change_each_byte(true, false);
    assert_true(refused > taken / 8 && taken > 0);
}

static void nor_does_it_harm_with_the_right_sums(void **state)
{
    (void)state;
    refused = taken = 0;
    change_each_byte(false, true);
    change_each_byte(true, true);
    print_message("%u refused, %u taken\n", (unsigned)refused, (unsigned)taken);
    assert_true(refused > taken / 4 && taken > refused / 8);
}

static void sealing_changes_nothing_where_nothing_is_wrong(void **state)
{
    (void)state;
    make(true);
    seal_all(slots, FX_PAGE, SLOTS);
    assert_memory_equal(slots, kept, sizeof slots);
}

// Several words of the index are random, small or as others are; sums are right.
static void no_words_of_the_index_do_harm(void **state)
{
    (void)state;
    const uint32_t rounds = fx_scale(100, 6000, 1000000);
    for (uint32_t round = 0; round < rounds; round++) {
        if (round % 5000 == 0) {
            make(round % 10000 != 0);
        }
        memcpy(slots, kept, sizeof slots);
        for (uint32_t i = 0; i < 1 + round % 4; i++) {
            const uint32_t slot = fx.config.first + prng_below(&prng, SLOTS);
            const uint32_t at = slot * FX_PAGE + 4 * prng_below(&prng, prng_below(&prng, 2) == 0 ? 14 : FX_PAGE / 4);
            const uint32_t what = prng_below(&prng, 4);
            const uint32_t word = what == 0 ? prng_next(&prng) : what == 1 ? prng_below(&prng, 130) : seal_word(kept + 4 * prng_below(&prng, sizeof kept / 4));
            if (seal_kind(slots + slot * FX_PAGE) != 0 && at % FX_PAGE != 4) {
                seal_set_word(slots + at, word);
            }
        }
        seal_all(slots, FX_PAGE, SLOTS);
        use();
    }
}

// The slot of a page that a record links, some page of index.
static unsigned char *linked_page(void)
{
    for (uint32_t slot = 2; slot < SLOTS; slot++) {
        if (seal_kind(slots + slot * FX_PAGE) == 1) {
            for (uint32_t number = 0; number < fx.image.committed; number++) {
                if (fx.image.pages[number].slot == slot) {
                    return slots + slot * FX_PAGE;
                }
            }
        }
    }
    fail();
    return NULL;
}

// The same page with another entry, and its own sum right.
static void change_linked_page(void)
{
    unsigned char *const its = linked_page();
    its[FX_PAGE - 1] ^= 1; // behind the entries
    seal_page(its, FX_PAGE);
}

static void a_whole_page_of_index_that_is_another_is_found(void **state)
{
    (void)state;
    make(true);
    assert_int_equal(fx_mount(), 0);
    change_linked_page();
    uint32_t corrupt = 0;
    for (uint32_t key = 0; key < KEYS; key++) {
        corrupt += cairn_image_get(&fx.image, fx_key(key), page) == CAIRN_ECORRUPT; // changed since it was mounted
    }
    assert_true(corrupt > 0);
    assert_int_equal(fx_mount(), CAIRN_ECORRUPT);
}

#define MOST 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF
#define MANY 0xFF, MOST // nine bytes of a number: 63 bits

// Entries of a root, as bytes; and what mounting it answers.
static void entries_are_as_the_layout_says_or_refused(void **state)
{
    (void)state;
    static const struct {
        unsigned char bytes[24];
        uint32_t size;
        uint32_t keys;
        int error;
    } cases[] = {
        {{0}, 0, 0, 0},
        {{5, 1}, 2, 1, 0},                                    // key 5 is zeros
        {{5, 1, 0, 1, 0, 0}, 6, 2, 0},                        // 6 too, 7 was dropped
        {{0x80, 0x80, 0, 1}, 4, 1, 0},                        // longer than need be
        {{MANY, 0, 1}, 11, 1, 0},                             // 2^63 - 1
        {{0xFE, MOST, 1, 1}, 11, 1, 0}, // 2^64 - 2, the last key
        {{MANY, 1, 1}, 11, 1, CAIRN_ECORRUPT},                // 2^64 - 1 is none
        {{MANY, 2, 1}, 11, 1, CAIRN_ECORRUPT},                // 65 bits
        {{MANY, 0x80, 0, 1}, 12, 1, CAIRN_ECORRUPT},          // 11 bytes
        {{0xFE, MOST, 1, 1, 0, 1}, 13, 2, CAIRN_ECORRUPT}, // one more than the last key
        {{0xFE, MOST, 1, 1, 2, 1}, 13, 2, CAIRN_ECORRUPT},
        {{5}, 1, 1, CAIRN_ECORRUPT},                          // nothing behind the key
        {{5, 0x80}, 2, 1, CAIRN_ECORRUPT},
        {{0, 6, 1, 2, 3, 4}, 6, 1, 0},                        // slot 2
        {{0, 6, 1, 2, 3}, 5, 1, CAIRN_ECORRUPT},              // a sum of 3 bytes
        {{0, 2, 1, 2, 3, 4}, 6, 1, CAIRN_ECORRUPT},           // slot 0
        {{0, 4, 1, 2, 3, 4}, 6, 1, CAIRN_ECORRUPT},           // slot 1
        {{0, 3, 1, 2, 3, 4}, 6, 1, CAIRN_ECORRUPT},           // slot -1
        {{0, 0x50, 1, 2, 3, 4}, 6, 1, 0},                     // slot 39, the last
        {{0, 0x52, 1, 2, 3, 4}, 6, 1, CAIRN_ECORRUPT},        // slot 40
        {{0, 6, 1, 2, 3, 4, 0, 1, 0, 2, 1, 2, 3, 4}, 14, 3, 0}, // slots 2, 3
        {{0, 8, 1, 2, 3, 4, 0, 5, 1, 2, 3, 4}, 12, 2, 0},     // slots 3, 2
        {{0, 8, 1, 2, 3, 4, 0, 3, 1, 2, 3, 4}, 12, 2, CAIRN_ECORRUPT}, // slot 3 twice
        {{0, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F, 1, 2, 3, 4}, 10, 1, CAIRN_ECORRUPT}, // more than 32 bits
        {{5, 1}, 2, 2, CAIRN_ECORRUPT},                       // another number of keys
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memset(slots, 0, sizeof slots);
        assert_int_equal(cairn_store_ram_init(&ram, slots, sizeof slots, FX_PAGE, SLOTS), 0);
        fx_make(&ram.store, KEYS);
        assert_int_equal(fx_mount(), 0);
        assert_int_equal(cairn_image_begin(&fx.image, false), 0);
        assert_int_equal(cairn_image_commit(&fx.image, NULL, 0), 0);
        seal_set_word(slots + 32, 20); // the next record's slot, out of the way
        seal_set_word(slots + 20, 52 + cases[i].size);
        seal_set_word(slots + 40, cases[i].keys);
        memcpy(slots + 52, cases[i].bytes, cases[i].size);
        seal_all(slots, FX_PAGE, SLOTS);
        const int error = fx_mount();
        if (error != cases[i].error) {
            print_error("case %u\n", (unsigned)i);
        }
        assert_int_equal(error, cases[i].error);
    }
}

// A root that links nothing, and names a page that it does.
static void a_link_behind_the_last_is_refused(void **state)
{
    (void)state;
    make(false);
    memset(slots, 0, sizeof slots);
    assert_int_equal(fx_mount(), 0);
    assert_int_equal(cairn_image_begin(&fx.image, false), 0);
    assert_int_equal(cairn_image_commit(&fx.image, NULL, 0), 0);
    assert_int_equal(fx_mount(), 0);
    seal_set_word(slots + 12, 5);
    seal_all(slots, FX_PAGE, SLOTS);
    assert_int_equal(fx_mount(), CAIRN_ECORRUPT);
}

// An image of a root and a change, a key each.
static void make_two_records(void)
{
    memset(slots, 0, sizeof slots);
    assert_int_equal(cairn_store_ram_init(&ram, slots, sizeof slots, FX_PAGE, SLOTS), 0);
    fx_make(&ram.store, KEYS);
    assert_int_equal(fx_mount(), 0);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(fx_begin(false), 0);
        assert_int_equal(fx_put(i), 0);
        assert_int_equal(fx_commit(false), 0);
    }
}

// The image ends before it.
static void a_change_of_another_number_does_not_count(void **state)
{
    (void)state;
    for (uint32_t step = 0; step < 3; step++) {
        make_two_records();
        unsigned char *const change = slots + fx.image.pages[1].slot * FX_PAGE;
        seal_set_word(change + 8, 1 + step); // 2 it is
        seal_page(change, FX_PAGE);
        assert_int_equal(fx_mount(), 0);
        assert_int_equal(fx.image.generation, step == 1 ? 2 : 1);
        assert_int_equal(fx.image.keys, step == 1 ? 2 : 1);
    }
}

// What is before a change in the chain is known by its sum, and that by all of its header: the image ends before the change.
static void a_change_behind_another_header_does_not_count(void **state)
{
    (void)state;
    make_two_records();
    unsigned char *const root = slots + fx.image.pages[0].slot * FX_PAGE;
    assert_int_equal(fx_mount(), 0);
    assert_int_equal(fx.image.generation, 2);
    root[28] ^= 1; // which nobody reads of a root
    seal_page(root, FX_PAGE);
    assert_int_equal(fx_mount(), 0);
    assert_int_equal(fx.image.generation, 1);
}

static void put_and_commit(unsigned char byte)
{
    memset(page, byte, sizeof page);
    assert_int_equal(cairn_image_begin(&fx.image, false), 0);
    assert_int_equal(cairn_image_put(&fx.image, 5, page), 0);
    assert_int_equal(cairn_image_commit(&fx.image, NULL, 0), 0);
}

// The image went on behind it. When it is made once more, byte for byte, it ends there.
static void a_change_that_was_damaged_and_is_made_again_has_none_behind_it(void **state)
{
    (void)state;
    memset(slots, 0, sizeof slots);
    assert_int_equal(cairn_store_ram_init(&ram, slots, sizeof slots, FX_PAGE, SLOTS), 0);
    fx_make(&ram.store, KEYS);
    assert_int_equal(fx_mount(), 0);
    put_and_commit(1);
    assert_int_equal(fx_mount(), 0);
    const uint32_t second = fx.image.next;
    put_and_commit(2);
    put_and_commit(3);
    slots[second * FX_PAGE + 40] ^= 4;
    assert_int_equal(fx_mount(), 0);
    assert_int_equal(fx.image.generation, 1);
    assert_int_equal(cairn_image_begin(&fx.image, false), 0);
    cairn_image_abort(&fx.image); // what is known of the damage stays
    put_and_commit(2);
    assert_int_equal(fx_mount(), 0);
    assert_int_equal(fx.image.generation, 2);
    assert_int_equal(cairn_image_get(&fx.image, 5, page), 0);
    assert_int_equal(page[0], 2);
    const uint32_t base = fx.image.base;
    put_and_commit(4); // a change again
    assert_int_equal(fx.image.base, base);
}

// A root of another version, or of pages of another size, is not taken for an empty store.
static void another_layout_is_refused(void **state)
{
    (void)state;
    for (uint32_t what = 0; what < 2; what++) {
        make(false);
        for (uint32_t slot = 0; slot < 2; slot++) {
            unsigned char *const root = slots + slot * FX_PAGE;
            if (seal_kind(root) != 0) {
                root[what == 0 ? 7 : 36] ^= 0x03;
                seal_set_word(root + 48, cairn_checksum_(0, root + 4, 44));
            }
        }
        assert_int_equal(fx_mount(), CAIRN_ECORRUPT);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealing_changes_nothing_where_nothing_is_wrong),
        cmocka_unit_test(any_byte_of_the_index_that_changed_is_an_answer),
        cmocka_unit_test(nor_does_it_harm_with_the_right_sums),
        cmocka_unit_test(no_words_of_the_index_do_harm),
        cmocka_unit_test(a_whole_page_of_index_that_is_another_is_found),
        cmocka_unit_test(entries_are_as_the_layout_says_or_refused),
        cmocka_unit_test(a_link_behind_the_last_is_refused),
        cmocka_unit_test(a_change_of_another_number_does_not_count),
        cmocka_unit_test(a_change_behind_another_header_does_not_count),
        cmocka_unit_test(a_change_that_was_damaged_and_is_made_again_has_none_behind_it),
        cmocka_unit_test(another_layout_is_refused),
    };
    return cmocka_run_group_tests_name("image_hostile", tests, NULL, NULL);
}
