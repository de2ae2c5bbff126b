// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/heap/attach.c: images that are whole, moved, cut short, and damaged in every bit.
// CALLERS     ctest, on every preset.
#include "fixture.h"

static uint32_t tags[80];

// Blocks of every state, with two lists of several and one long block.
static void *kept[3];

static void make_image(void)
{
    kept[0] = take_granules(3);
    void *const a = take_granules(9);
    kept[1] = take_granules(1);
    void *const b = take_granules(11);
    kept[2] = take_granules(40);
    cairn_heap_free(HEAP, a);
    cairn_heap_free(HEAP, b);
    (void)cairn_heap_alloc(HEAP, FIXTURE_REGION); // a failure
    fixture.leaks = true;
}

static int attach(void *region, size_t size)
{
    return cairn_heap_attach(HEAP, region, size, &fixture.config);
}

static void assert_attach_fails(void *region, size_t size, int error)
{
    const struct cairn_heap before = fixture.heap;
    fixture_save();
    assert_int_equal(attach(region, size), error);
    assert_memory_equal(&before, &fixture.heap, sizeof before);
    assert_memory_equal(fixture_region, fixture_copy, FIXTURE_REGION);
}

// Use up the heap and give all back: nothing is reported, and check() passes.
static void assert_works(void)
{
    assert_sound();
    (void)fill_up(2);
    (void)fill_up(1);
    assert_sound();
    free_all();
    assert_sound();
    fixture_expect_none();
}

static void an_image_is_taken_up_again(void **state)
{
    (void)state;
    make_image();
    const struct cairn_heap_stats before = stats();
    const struct cairn_heap heap = fixture.heap;
    fixture_save();
    memset(&fixture.heap, 0, sizeof fixture.heap);
    assert_int_equal(attach(fixture_region, FIXTURE_REGION), 0);
    assert_memory_equal(fixture_region, fixture_copy, FIXTURE_REGION);
    assert_ptr_equal((void *)heap.control, (void *)CONTROL);
    assert_ptr_equal((void *)heap.tags, (void *)TAGS);
    assert_ptr_equal(heap.base, HEAP->base);
    assert_ptr_equal((const void *)heap.hooks, (const void *)HEAP->hooks);
    assert_ptr_equal(heap.context, HEAP->context);
    assert_int_equal(heap.quick, HEAP->quick);
    const struct cairn_heap_stats after = stats();
    assert_memory_equal(&before, &after, sizeof before);
    assert_filled(kept[2], granules(40), number_of(kept[2]));
    assert_works();
}

static void attach_without_a_configuration_has_no_hooks(void **state)
{
    (void)state;
    make_image();
    assert_int_equal(cairn_heap_attach(HEAP, fixture_region, FIXTURE_REGION, NULL), 0);
    assert_null(HEAP->hooks);
    assert_works();
}

static void a_moved_image_is_the_same_heap(void **state)
{
    (void)state;
    make_image();
    const uint32_t number = number_of(kept[2]);
    memcpy(fixture_copy, fixture_region, FIXTURE_REGION);
    memset(fixture_region, 0xEE, FIXTURE_REGION);
    assert_int_equal(attach(fixture_copy, FIXTURE_REGION), 0);
    assert_true((unsigned char *)at(number) >= fixture_copy && (unsigned char *)at(number) < fixture_copy + FIXTURE_REGION);
    assert_filled(at(number), granules(40), number);
    cairn_heap_free(HEAP, at(number));
    assert_works();
    for (size_t i = 0; i < FIXTURE_REGION; i++) {
        assert_int_equal(fixture_region[i], 0xEE);
    }
}

static void an_image_at_another_alignment_is_refused(void **state)
{
    (void)state;
    for (size_t lead = 0; lead < G; lead++) {
        assert_int_equal(cairn_heap_init(HEAP, fixture_region + G - lead, 1000, &fixture.config), 0);
        assert_int_equal(lead_of(fixture_region + G - lead), lead);
        assert_int_equal(attach(fixture_region + G - lead, 1000), 0);
        for (size_t other = 1; other < G; other++) { // the control is found, at the wrong lead
            if (other != lead) {
                assert_attach_fails(fixture_region + G - other, 1000 + G, CAIRN_EINVAL);
            }
        }
    }
}

static void null_arguments_are_refused(void **state)
{
    (void)state;
    make_image();
    assert_attach_fails(NULL, FIXTURE_REGION, CAIRN_EINVAL);
    assert_int_equal(cairn_heap_attach(NULL, fixture_region, FIXTURE_REGION, &fixture.config), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_attach(NULL, NULL, 0, NULL), CAIRN_EINVAL);
}

static void an_image_cut_short_is_refused(void **state)
{
    (void)state;
    make_image();
    const size_t needed = (size_t)((unsigned char *)at(fence_of(CONTROL)) - fixture_region);
    for (size_t size = 0; size <= FIXTURE_REGION; size++) {
        if (size < needed) {
            assert_attach_fails(fixture_region, size, CAIRN_ENOMEM);
        } else {
            assert_int_equal(attach(fixture_region, size), 0);
        }
    }
}

static void what_is_no_image_is_refused(void **state)
{
    static const unsigned char rubbish[] = {0, 0xFF, 0x5A, 0x01, 'C'};
    (void)state;
    for (size_t i = 0; i < sizeof rubbish; i++) {
        memset(fixture_region, rubbish[i], FIXTURE_REGION);
        assert_attach_fails(fixture_region, FIXTURE_REGION, CAIRN_ECORRUPT);
    }
    fixture.damaged = true;
}

static void after_deinit_there_is_no_image(void **state)
{
    (void)state;
    make_image();
    cairn_heap_deinit(HEAP);
    assert_attach_fails(fixture_region, FIXTURE_REGION, CAIRN_ECORRUPT);
}

// The byte at `damaged`, each of its bits turned: refused, or as good as any heap.
static unsigned turn_each_bit(unsigned char *damaged, size_t size)
{
    unsigned refused = 0;
    for (unsigned bit = 0; bit < 8; bit++) {
        memcpy(fixture_region, fixture_copy, FIXTURE_REGION);
        *damaged ^= (unsigned char)(1u << bit);
        if (attach(fixture_region, size) != 0) {
            refused++;
        } else {
            assert_works();
        }
    }
    return refused;
}

static void a_bit_turned_in_the_control_or_the_tags_is_found_or_harmless(void **state)
{
    unsigned refused = 0;
    (void)state;
    make_image();
    const unsigned char *const first = at(1);
    memcpy(fixture_copy, fixture_region, FIXTURE_REGION);
    for (unsigned char *byte = fixture_region; byte < first; byte++) {
        refused += turn_each_bit(byte, FIXTURE_REGION);
    }
    assert_true(refused > 500); // most of them matter
    fixture.damaged = true;
}

static void a_bit_turned_in_a_free_block_is_found(void **state)
{
    (void)state;
    make_image();
    memcpy(fixture_copy, fixture_region, FIXTURE_REGION);
    uint32_t length;
    for (uint32_t block = 1; block < fence_of(CONTROL); block += length) {
        memcpy(fixture_region, fixture_copy, FIXTURE_REGION);
        length = length_after(TAGS, block - 1);
        if (is_free_end(TAGS, block - 1 + length)) {
            for (size_t i = 0; i < 8; i++) {
                assert_int_equal(turn_each_bit((unsigned char *)links_of(block) + i, FIXTURE_REGION), 8);
            }
            for (size_t i = 0; i < 4 && length >= BIN_EXACT; i++) {
                assert_int_equal(turn_each_bit((unsigned char *)hint_for(block) + i, FIXTURE_REGION), 8);
            }
        }
        memcpy(fixture_region, fixture_copy, FIXTURE_REGION);
    }
    assert_int_equal(attach(fixture_region, FIXTURE_REGION), 0);
}

// A heap that may grow: what lies behind its fence must be as grow expects it.
static void a_bit_turned_behind_the_fence_is_found_or_harmless(void **state)
{
    (void)state;
    fixture.config.max_size = FIXTURE_REGION;
    fixture_make(1024);
    (void)take_granules(40);
    fixture.leaks = true;
    memcpy(fixture_copy, fixture_region, FIXTURE_REGION);
    const unsigned char *const first = at(1);
    for (unsigned char *byte = (unsigned char *)TAGS; byte < first; byte++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(fixture_region, fixture_copy, FIXTURE_REGION);
            *byte ^= (unsigned char)(1u << bit);
            if (attach(fixture_region, FIXTURE_REGION) == 0) {
                assert_int_equal(cairn_heap_grow(HEAP, FIXTURE_REGION), 0);
                assert_works();
            }
        }
    }
    fixture.damaged = true;
}

static void words_of_rubbish_are_found_or_harmless(void **state)
{
    static const uint32_t rubbish[] = {0, 1, 2, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFF, 0x08000000, 0x07FFFFFE, 0x00010000};
    (void)state;
    make_image();
    const unsigned char *const first = at(1);
    memcpy(fixture_copy, fixture_region, FIXTURE_REGION);
    for (unsigned char *word = fixture_region; word < first; word += 4) {
        for (size_t i = 0; i < sizeof rubbish / sizeof rubbish[0]; i++) {
            memcpy(fixture_region, fixture_copy, FIXTURE_REGION);
            memcpy(word, &rubbish[i], 4);
            if (attach(fixture_region, FIXTURE_REGION) == 0) {
                assert_works();
            }
        }
    }
    fixture.damaged = true;
}

static void tags_outside_are_given_again(void **state)
{
    (void)state;
    fixture.config.tags = tags;
    fixture.config.tags_size = sizeof tags;
    fixture_make(FIXTURE_REGION);
    make_image();
    const size_t needed = tags_bytes(CONTROL->limit);
    fixture.config.tags = NULL;
    assert_attach_fails(fixture_region, FIXTURE_REGION, CAIRN_EINVAL);
    fixture.config.tags = (unsigned char *)tags + 1;
    assert_attach_fails(fixture_region, FIXTURE_REGION, CAIRN_EINVAL);
    fixture.config.tags = (unsigned char *)tags + 2;
    assert_attach_fails(fixture_region, FIXTURE_REGION, CAIRN_EINVAL);
    fixture.config.tags = tags;
    fixture.config.tags_size = needed - 1;
    assert_attach_fails(fixture_region, FIXTURE_REGION, CAIRN_ENOMEM);
    fixture.config.tags_size = 0;
    assert_attach_fails(fixture_region, FIXTURE_REGION, CAIRN_ENOMEM);
    fixture.config.tags_size = needed;
    assert_int_equal(attach(fixture_region, FIXTURE_REGION), 0);
    tags[2] ^= 0x10000;
    assert_attach_fails(fixture_region, FIXTURE_REGION, CAIRN_ECORRUPT);
    tags[2] ^= 0x10000;
    assert_works();
}

static void tags_outside_a_heap_that_has_its_own_are_refused(void **state)
{
    (void)state;
    make_image();
    fixture.config.tags = tags;
    fixture.config.tags_size = sizeof tags;
    assert_attach_fails(fixture_region, FIXTURE_REGION, CAIRN_EINVAL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(an_image_is_taken_up_again),
        UNIT(attach_without_a_configuration_has_no_hooks),
        UNIT(a_moved_image_is_the_same_heap),
        UNIT(an_image_at_another_alignment_is_refused),
        UNIT(null_arguments_are_refused),
        UNIT(an_image_cut_short_is_refused),
        UNIT(what_is_no_image_is_refused),
        UNIT(after_deinit_there_is_no_image),
        UNIT(a_bit_turned_in_the_control_or_the_tags_is_found_or_harmless),
        UNIT(a_bit_turned_in_a_free_block_is_found),
        UNIT(a_bit_turned_behind_the_fence_is_found_or_harmless),
        UNIT(words_of_rubbish_are_found_or_harmless),
        UNIT(tags_outside_are_given_again),
        UNIT(tags_outside_a_heap_that_has_its_own_are_refused),
    };
    return cmocka_run_group_tests_name("attach", tests, NULL, NULL);
}
