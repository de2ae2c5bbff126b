// SPDX-License-Identifier: MIT
//
// The recorder: what it writes is a sound trace of what was done, whatever the slots hold.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cairn/recorder.h>

#include "bytes.h"
#include "prng.h"
#include "replay.h"

#define BLOCKS 60u
#define IDS 4000u

static _Alignas(16) unsigned char region[8192];
static unsigned char text[60000];
static unsigned char table[IDS / 4];
static struct replay_slot replay_slots[IDS];
static struct cairn_recorder_slot slots[BLOCKS];
static struct cairn_recorder recorder;
static struct cairn_heap heap;
static struct bytes bytes;

static void *blocks[BLOCKS];
static uint32_t sizes[BLOCKS];

// What was done, by the test's own count.
static struct {
    uint32_t ops;
    uint32_t live;
    uint32_t peak;
} done;

static void write_text(void *context, const char *line, size_t size)
{
    assert_true(bytes_write(context, line, size));
}

static void begin(uint32_t slot_count)
{
    static const struct cairn_heap_hooks hooks = {.hooked = CAIRN_HOOKED, .event = cairn_recorder_event};
    const struct cairn_heap_config config = {.hooks = &hooks, .context = &recorder};
    bytes = (struct bytes){.data = text, .room = sizeof text};
    memset(blocks, 0, sizeof blocks);
    memset(sizes, 0, sizeof sizes);
    memset(&done, 0, sizeof done);
    assert_int_equal(cairn_recorder_init(&recorder, &heap, slots, slot_count, write_text, &bytes), 0);
    assert_int_equal(cairn_heap_init(&heap, region, sizeof region, &config), 0);
}

static void count(uint32_t at, uint32_t size)
{
    done.ops++;
    done.live = done.live - sizes[at] + size;
    done.peak = done.live > done.peak ? done.live : done.peak;
    sizes[at] = size;
}

static void random_step(struct prng *prng)
{
    const uint32_t at = prng_below(prng, BLOCKS);
    const uint32_t size = 1 + prng_below(prng, prng_below(prng, 8) == 0 ? 1000 : 120);
    if (blocks[at] == NULL) {
        const uint32_t kind = prng_below(prng, 3);
        blocks[at] = kind == 0   ? cairn_heap_aligned_alloc(&heap, (size_t)1 << prng_below(prng, 7), size)
                     : kind == 1 ? cairn_heap_realloc(&heap, NULL, size)
                                 : cairn_heap_alloc(&heap, size);
        if (blocks[at] != NULL) {
            count(at, size);
        }
    } else if (prng_below(prng, 3) == 0) {
        void *const block = cairn_heap_realloc(&heap, blocks[at], size);
        if (block != NULL) {
            blocks[at] = block;
            count(at, size);
        }
    } else if (prng_below(prng, 4) == 0) {
        if (cairn_heap_resize(&heap, blocks[at], size) == 0) {
            count(at, size);
        }
    } else {
        if (prng_below(prng, 2) == 0) {
            cairn_heap_free(&heap, blocks[at]);
        } else {
            assert_null(cairn_heap_realloc(&heap, blocks[at], 0));
        }
        blocks[at] = NULL;
        count(at, 0);
    }
}

// Read what was recorded and replay it without a heap. Fails the test where the trace is not sound.
static struct replay read_back(void)
{
    struct trace_reader reader;
    struct trace_op op;
    struct replay replay;
    char why[TRACE_EXPLANATION_MAX];
    int result = trace_open(&reader, bytes_read, &bytes);
    assert_int_equal(result, 0);
    assert_int_equal(trace_set_table(&reader, table, IDS), 0);
    replay_begin(&replay, NULL, NULL, replay_slots, IDS);
    while ((result = trace_next(&reader, &op)) > 0) {
        (void)replay_step(&replay, &op);
    }
    assert_string_equal(trace_explain(&reader, why), "");
    assert_int_equal(result, 0);
    assert_int_equal(reader.ids, recorder.ids);
    return replay;
}

static void a_random_run_reads_back_as_it_was(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 10; seed++) {
        struct prng prng;
        prng_seed(&prng, seed);
        begin(BLOCKS);
        for (uint32_t turn = 0; turn < 3000; turn++) {
            random_step(&prng);
        }
        assert_int_equal(recorder.lost, 0);
        assert_int_equal(recorder.ops, done.ops);
        assert_int_equal(recorder.peak, done.peak);
        assert_int_equal(recorder.live, done.live);
        const struct replay replay = read_back(); // with the header of zeros
        assert_int_equal(replay.ops, done.ops);
        assert_int_equal(replay.peak, done.peak);
        assert_int_equal(replay.live, done.live);
        assert_int_equal(replay.blocks, recorder.used);
    }
}

static void the_header_goes_over_the_one_of_zeros(void **state)
{
    (void)state;
    struct prng prng;
    char header[CAIRN_RECORDER_HEADER_MAX];
    prng_seed(&prng, 5);
    begin(BLOCKS);
    assert_int_equal(bytes.size, CAIRN_RECORDER_HEADER_BYTES);
    assert_memory_equal(text, "0000000000\n0000000000\n0000000000\n1\n", CAIRN_RECORDER_HEADER_BYTES);
    for (uint32_t turn = 0; turn < 1000; turn++) {
        random_step(&prng);
    }
    assert_int_equal(cairn_recorder_header(&recorder, header), CAIRN_RECORDER_HEADER_BYTES);
    assert_int_equal(strlen(header), CAIRN_RECORDER_HEADER_BYTES);
    memcpy(text, header, CAIRN_RECORDER_HEADER_BYTES);
    const struct replay replay = read_back(); // which compares ids and operations with the header
    assert_int_equal(replay.peak, done.peak);
    recorder.peak = UINT32_MAX;
    recorder.ids = 1000000000;
    recorder.ops = 999999999;
    (void)cairn_recorder_header(&recorder, header);
    assert_string_equal(header, "4294967295\n1000000000\n0999999999\n1\n");
}

static void full_slots_lose_events_and_break_nothing(void **state)
{
    (void)state;
    for (uint32_t slot_count = 1; slot_count <= BLOCKS / 2; slot_count++) {
        struct prng prng;
        prng_seed(&prng, slot_count);
        begin(slot_count);
        for (uint32_t turn = 0; turn < 2000; turn++) {
            random_step(&prng);
            assert_true(recorder.used <= slot_count);
        }
        assert_true(recorder.lost != 0);
        assert_int_equal(recorder.ops + recorder.lost, done.ops);
        const struct replay replay = read_back();
        assert_int_equal(replay.ops, recorder.ops);
        assert_int_equal(replay.peak, recorder.peak);
        assert_int_equal(replay.live, recorder.live);
        for (uint32_t at = 0; at < BLOCKS; at++) {
            cairn_heap_free(&heap, blocks[at]);
        }
        assert_int_equal(recorder.used, 0);
        assert_int_equal(recorder.live, 0);
        for (uint32_t at = 0; at < slot_count; at++) {
            assert_int_equal(slots[at].granule, 0);
        }
    }
}

static void a_block_from_before_the_recording_is_lost(void **state)
{
    (void)state;
    begin(BLOCKS);
    void *const block = cairn_heap_alloc(&heap, 10);
    bytes.size = 0;
    assert_int_equal(cairn_recorder_init(&recorder, &heap, slots, BLOCKS, write_text, &bytes), 0);
    void *const moved = cairn_heap_realloc(&heap, block, 500);
    assert_non_null(moved);
    cairn_heap_free(&heap, moved);
    assert_int_equal(recorder.lost, 2);
    assert_int_equal(recorder.ops, 0);
}

// The block whose place another one moves to was freed by a call that tells nothing.
static void a_block_that_moves_to_a_stale_place_is_told_apart(void **state)
{
    (void)state;
    begin(BLOCKS);
    void *const untold = cairn_heap_alloc(&heap, 200);
    void *const moves = cairn_heap_alloc(&heap, 8);
    assert_non_null(cairn_heap_alloc(&heap, 8));
    cairn_heap_free_(&heap, untold);
    assert_ptr_equal(cairn_heap_realloc(&heap, moves, 150), untold);
    assert_int_equal(recorder.lost, 1);
    assert_int_equal(recorder.used, 2);
    cairn_heap_free(&heap, untold);
    assert_int_equal(recorder.used, 1);
    assert_int_equal(recorder.live, 8);
}

static void failed_calls_are_not_written(void **state)
{
    (void)state;
    begin(BLOCKS);
    void *const block = cairn_heap_alloc(&heap, 8);
    assert_null(cairn_heap_alloc(&heap, sizeof region));
    assert_null(cairn_heap_realloc(&heap, block, sizeof region));
    assert_null(cairn_heap_aligned_alloc(&heap, 3, 8));
    cairn_heap_free(&heap, NULL);
    assert_int_equal(recorder.ops, 1);
    assert_int_equal(recorder.lost, 0);
    assert_memory_equal(text + CAIRN_RECORDER_HEADER_BYTES, "a 0 8\n", 6);
}

static void lines_are_as_the_format_says(void **state)
{
    (void)state;
    static const char expected[] = "a 0 1\nm 1 64 123\nr 0 10\nf 1\na 2 4000\nf 0\na 3 9\nf 2\nf 3\n";
    begin(BLOCKS);
    void *const first = cairn_heap_alloc(&heap, 1);
    void *const second = cairn_heap_aligned_alloc(&heap, 64, 123);
    void *const moved = cairn_heap_realloc(&heap, first, 10);
    cairn_heap_free(&heap, second);
    void *const third = cairn_heap_calloc(&heap, 1000, 4);
    cairn_heap_free(&heap, moved);
    void *const fourth = cairn_heap_realloc(&heap, NULL, 9);
    cairn_heap_free(&heap, third);
    cairn_heap_free(&heap, fourth);
    assert_int_equal(bytes.size, CAIRN_RECORDER_HEADER_BYTES + sizeof expected - 1);
    assert_memory_equal(text + CAIRN_RECORDER_HEADER_BYTES, expected, sizeof expected - 1);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    assert_int_equal(cairn_recorder_init(NULL, &heap, slots, 1, write_text, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_recorder_init(&recorder, NULL, slots, 1, write_text, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_recorder_init(&recorder, &heap, NULL, 1, write_text, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_recorder_init(&recorder, &heap, slots, 0, write_text, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_recorder_init(&recorder, &heap, slots, 1, NULL, NULL), CAIRN_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_random_run_reads_back_as_it_was),
        cmocka_unit_test(the_header_goes_over_the_one_of_zeros),
        cmocka_unit_test(full_slots_lose_events_and_break_nothing),
        cmocka_unit_test(a_block_from_before_the_recording_is_lost),
        cmocka_unit_test(a_block_that_moves_to_a_stale_place_is_told_apart),
        cmocka_unit_test(failed_calls_are_not_written),
        cmocka_unit_test(lines_are_as_the_format_says),
        cmocka_unit_test(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
