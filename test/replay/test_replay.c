// SPDX-License-Identifier: MIT
//
// The replay: its figures, its failures, and that it sees a damaged block.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "replay.h"

static _Alignas(16) unsigned char region[4096];
static struct replay_slot slots[16];
static struct cairn_heap heap;
static struct replay replay;

static void begin(size_t size)
{
    assert_int_equal(cairn_heap_init(&heap, region, size, NULL), 0);
    replay_begin(&replay, &replay_heap_calls, &heap, slots, 16);
}

static bool step(enum trace_act act, uint32_t id, uint32_t size)
{
    const struct trace_op op = {(uint32_t)act, id, size, act == TRACE_ALIGNED ? 64 : 0};
    return replay_step(&replay, &op);
}

static void figures_are_those_of_the_trace(void **state)
{
    (void)state;
    for (int is_dry = 0; is_dry < 2; is_dry++) {
        begin(sizeof region);
        replay.calls = is_dry != 0 ? NULL : &replay_heap_calls;
        assert_true(step(TRACE_ALLOC, 0, 100));
        assert_true(step(TRACE_ALLOC, 1, 0)); // counts as 1
        assert_true(step(TRACE_ALIGNED, 2, 3));
        assert_true(step(TRACE_REALLOC, 0, 300));
        assert_true(step(TRACE_FREE, 2, 0));
        assert_true(step(TRACE_REALLOC, 0, 7));
        assert_true(step(TRACE_REALLOC, 0, 0));
        assert_int_equal(replay.ops, 7);
        assert_int_equal(replay.peak, 304);
        assert_int_equal(replay.live, 2);
        assert_int_equal(replay.blocks, 2);
        assert_int_equal(replay.peak_blocks, 3);
        assert_int_equal(replay.failed + replay.skipped + replay.broken, 0);
    }
    begin(sizeof region);
    assert_true(step(TRACE_ALIGNED, 0, 9));
    assert_int_equal((uintptr_t)slots[0].block % 64, 0);
}

static void a_failure_is_counted_once_and_its_id_skipped(void **state)
{
    (void)state;
    begin(1024);
    assert_true(step(TRACE_ALLOC, 0, 100));
    assert_false(step(TRACE_ALLOC, 1, 2000));
    assert_true(step(TRACE_REALLOC, 1, 8));
    assert_true(step(TRACE_FREE, 1, 0));
    assert_false(step(TRACE_REALLOC, 0, 2000));
    assert_true(step(TRACE_REALLOC, 0, 8));
    assert_true(step(TRACE_FREE, 0, 0));
    assert_int_equal(replay.ops, 7);
    assert_int_equal(replay.failed, 2);
    assert_int_equal(replay.skipped, 4);
    assert_int_equal(replay.broken, 0);
}

static void a_damaged_end_is_seen_at_free_and_at_realloc(void **state)
{
    (void)state;
    for (uint32_t size = 1; size <= 20; size++) {
        for (int is_last = 0; is_last < 2; is_last++) {
            for (int is_realloc = 0; is_realloc < 2; is_realloc++) {
                begin(sizeof region);
                assert_true(step(TRACE_ALLOC, 3, size));
                slots[3].block[is_last != 0 ? size - 1 : 0] ^= 1;
                assert_false(is_realloc != 0 ? step(TRACE_REALLOC, 3, 40) : step(TRACE_FREE, 3, 0));
                assert_int_equal(replay.broken, 1);
                assert_int_equal(replay.failed, 0);
            }
        }
    }
}

// An allocator whose realloc forgets to copy.
static void *forgetful_realloc(void *context, void *block, size_t size)
{
    (void)block;
    return cairn_heap_calloc(context, 1, size);
}

static void a_realloc_that_loses_bytes_is_seen(void **state)
{
    (void)state;
    struct replay_calls calls = replay_heap_calls;
    calls.realloc = forgetful_realloc;
    for (uint32_t size = 1; size <= 20; size++) {
        begin(sizeof region);
        replay.calls = &calls;
        assert_true(step(TRACE_ALLOC, 0, size));
        assert_false(step(TRACE_REALLOC, 0, size > 10 ? 2 : 40));
        assert_int_equal(replay.broken, 1);
    }
}

static void blocks_keep_their_stamps_when_they_move(void **state)
{
    (void)state;
    for (uint32_t size = 1; size <= 40; size++) {
        begin(sizeof region);
        assert_true(step(TRACE_ALLOC, 0, size));
        assert_true(step(TRACE_ALLOC, 1, 8));
        for (uint32_t other = 1; other <= 40; other++) {
            assert_true(step(TRACE_REALLOC, 0, other));
            assert_true(step(TRACE_REALLOC, 0, size));
        }
        assert_true(step(TRACE_FREE, 0, 0));
        assert_int_equal(replay.broken + replay.failed, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_those_of_the_trace),
        cmocka_unit_test(a_failure_is_counted_once_and_its_id_skipped),
        cmocka_unit_test(a_damaged_end_is_seen_at_free_and_at_realloc),
        cmocka_unit_test(a_realloc_that_loses_bytes_is_seen),
        cmocka_unit_test(blocks_keep_their_stamps_when_they_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
