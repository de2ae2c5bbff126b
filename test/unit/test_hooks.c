// SPDX-License-Identifier: MIT
//
// OWNS        the proof of what the hooks are called with, and when: lock, failed, event. (report: test_report.c.)
// CALLERS     ctest, on every preset.
#include "fixture.h"

#define EVENTS 8u

static struct {
    unsigned locks, unlocks;
    int held;
    bool unbalanced;
    const unsigned char *watched; // while unlocked between two locks: what this byte was
    unsigned char at_unlock[4], at_lock[4];
    void *to_free_at_lock; // somebody else frees it before the second lock is taken
    unsigned failed;
    size_t failed_size;
    bool failed_held;
    void *to_free; // the failed hook frees it, and says: again
    unsigned retries;
    struct cairn_heap_event event[EVENTS];
    unsigned events;
    bool event_unlocked;
} seen;

static uint32_t lock(void *context)
{
    seen.unbalanced |= context != &seen || seen.held != 0;
    seen.held++;
    if (seen.to_free_at_lock != NULL && seen.locks == 1) {
        cairn_heap_free_(HEAP, seen.to_free_at_lock);
        seen.to_free_at_lock = NULL;
    }
    if (seen.watched != NULL && seen.locks < 4) {
        seen.at_lock[seen.locks] = *seen.watched;
    }
    return 0xC0DE0000u + seen.locks++;
}

static void unlock(void *context, uint32_t key)
{
    seen.unbalanced |= context != &seen || seen.held != 1 || key != 0xC0DE0000u + seen.unlocks;
    seen.held--;
    if (seen.watched != NULL && seen.unlocks < 4) {
        seen.at_unlock[seen.unlocks] = *seen.watched;
    }
    seen.unlocks++;
}

static bool failed(void *context, struct cairn_heap *heap, size_t size)
{
    seen.unbalanced |= context != &seen || heap != HEAP;
    seen.failed_held |= seen.held != 0;
    seen.failed++;
    seen.failed_size = size;
    if (seen.to_free != NULL) {
        cairn_heap_free(heap, seen.to_free);
        seen.to_free = NULL;
        return true;
    }
    return seen.retries != 0 && seen.retries-- != 0;
}

static void report(void *context, const struct cairn_report *its)
{
    seen.unbalanced |= context != &seen || seen.held != 1;
    fixture.reports++;
    fixture.report = *its;
}

static void event(void *context, const struct cairn_heap_event *its)
{
    seen.event_unlocked |= context != &seen || seen.held != 1;
    if (seen.events < EVENTS) {
        seen.event[seen.events] = *its;
    }
    seen.events++;
}

static int setup(void **state)
{
    if (fixture_setup(state) != 0) {
        return -1;
    }
    memset(&seen, 0, sizeof seen);
    fixture.hooks = (struct cairn_heap_hooks){CAIRN_HOOKED, lock, unlock, failed, report, event};
    fixture.config.context = &seen;
    fixture_make(FIXTURE_REGION);
    memset(&seen, 0, sizeof seen);
    return 0;
}

static void assert_locks(unsigned count)
{
    assert_false(seen.unbalanced);
    assert_int_equal(seen.held, 0);
    assert_int_equal(seen.locks, count);
    assert_int_equal(seen.unlocks, count);
    seen.locks = 0;
    seen.unlocks = 0;
}

static int pass(void *context, const struct cairn_block *block)
{
    (void)context;
    (void)block;
    return seen.held - 1; // 0 where the lock is held
}

// The same heap with a lock and reports only: then alloc and free take a way of their own.
static void keep_the_lock_only(void)
{
    fixture.hooks.failed = NULL;
    fixture.hooks.event = NULL;
    fixture_make(FIXTURE_REGION);
    memset(&seen, 0, sizeof seen);
}

static void each_call_takes_the_lock_once(void **state)
{
    struct cairn_heap_stats now;
    struct cairn_margin margin;
    uint32_t cursor = 0;
    (void)state;
    void *block = cairn_heap_alloc(HEAP, 8);
    assert_locks(1);
    assert_int_equal(cairn_heap_usable_size(HEAP, block), G);
    assert_locks(1);
    assert_int_equal(cairn_heap_resize(HEAP, block, 40), 0);
    assert_locks(1);
    block = cairn_heap_realloc(HEAP, block, 16);
    assert_locks(1);
    block = cairn_heap_aligned_realloc(HEAP, block, G, 80);
    assert_locks(1);
    cairn_heap_free(HEAP, block);
    assert_locks(1);
    block = cairn_heap_aligned_alloc(HEAP, 64, 8);
    assert_locks(1);
    assert_null(cairn_heap_realloc(HEAP, block, 0));
    assert_locks(1);
    block = cairn_heap_calloc(HEAP, 3, 8);
    assert_locks(1);
    cairn_heap_free(HEAP, block);
    assert_locks(1);
    cairn_heap_stats(HEAP, &now);
    assert_locks(1);
    cairn_heap_reset_peak(HEAP);
    assert_locks(1);
    assert_int_equal(cairn_heap_walk(HEAP, pass, NULL), 0);
    assert_locks(1);
    assert_int_equal(cairn_heap_check(HEAP, NULL), 0);
    assert_locks(1);
    assert_int_equal(cairn_heap_check_step(HEAP, &cursor, 1, NULL), 0);
    assert_locks(1);
    assert_int_equal(cairn_heap_shrink(HEAP, FIXTURE_REGION - 100), 0);
    assert_locks(1);
    assert_int_equal(cairn_heap_grow(HEAP, FIXTURE_REGION), 0);
    assert_locks(1);
    assert_int_equal(cairn_heap_set_fit(HEAP, CAIRN_FIT_BOUNDED, 0), 0);
    assert_locks(1);
    assert_int_equal(cairn_heap_margin(HEAP, &margin), 0);
    assert_locks(1);
    (void)cairn_heap_top(HEAP);
    assert_locks(1);
    assert_int_equal(cairn_heap_grow_past(HEAP, 0, FIXTURE_REGION), 0);
    assert_locks(1);
}

static void a_lock_alone_is_taken_once_by_each_call(void **state)
{
    keep_the_lock_only();
    each_call_takes_the_lock_once(state);
}

static void calls_that_fail_leave_the_lock(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    void *const block = take_granules(1);
    assert_locks(1);
    assert_null(cairn_heap_alloc(HEAP, SIZE_MAX));
    assert_locks(1);
    assert_null(cairn_heap_calloc(HEAP, SIZE_MAX, 2));
    assert_locks(1);
    assert_null(cairn_heap_aligned_alloc(HEAP, 3, 8));
    assert_locks(1);
    assert_null(cairn_heap_realloc(HEAP, block, SIZE_MAX));
    assert_locks(1);
    assert_int_equal(cairn_heap_resize(HEAP, block, SIZE_MAX), CAIRN_ENOMEM);
    assert_locks(1);
    assert_int_equal(cairn_heap_shrink(HEAP, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_grow(HEAP, SIZE_MAX), CAIRN_ENOMEM);
    assert_locks(2);
    cairn_heap_free(HEAP, at(1 + 1));
    fixture_expect(CAIRN_WRONG_DOUBLE_FREE, at(2));
    assert_locks(1);
    cairn_heap_free(HEAP, block);
}

static void a_lock_alone_is_left_by_calls_that_fail(void **state)
{
    keep_the_lock_only();
    calls_that_fail_leave_the_lock(state);
}

static int count_blocks(void *context, const struct cairn_block *block)
{
    *(unsigned *)context += block->used;
    return seen.held;
}

static void the_twins_take_no_lock(void **state)
{
    struct cairn_heap_stats now;
    struct cairn_margin margin;
    unsigned used = 0;
    uint32_t cursor = 0;
    (void)state;
    void *const block = cairn_heap_alloc_(HEAP, 8);
    assert_int_equal(cairn_heap_usable_size_(HEAP, block), G);
    assert_int_equal(cairn_heap_resize_(HEAP, block, 20), 0);
    void *const other = cairn_heap_aligned_alloc_(HEAP, 64, 20);
    assert_null(cairn_heap_alloc_(HEAP, SIZE_MAX));
    assert_null(cairn_heap_aligned_alloc_(HEAP, 64, SIZE_MAX));
    cairn_heap_stats_(HEAP, &now);
    assert_int_equal(now.used_blocks, 2);
    assert_int_equal(now.failures, 2);
    assert_int_equal(cairn_heap_walk_(HEAP, count_blocks, &used), 0);
    assert_int_equal(used, 2);
    assert_int_equal(cairn_heap_check_(HEAP, NULL), 0);
    assert_int_equal(cairn_heap_check_step_(HEAP, &cursor, UINT32_MAX, NULL), 0);
    assert_int_equal(cursor, 0);
    cairn_heap_free_(HEAP, block);
    cairn_heap_free_(HEAP, other);
    cairn_heap_reset_peak_(HEAP);
    assert_int_equal(stats().failures, 0);
    assert_locks(1); // of stats
    assert_int_equal(cairn_heap_set_fit_(HEAP, CAIRN_FIT_BOUNDED, 0), 0);
    assert_int_equal(cairn_heap_margin_(HEAP, &margin), 0);
    assert_true(margin.safe);
    assert_int_equal(cairn_heap_top_(HEAP), now.size);
    assert_int_equal(cairn_heap_shrink_(HEAP, FIXTURE_REGION - 100), 0);
    assert_int_equal(cairn_heap_grow_(HEAP, FIXTURE_REGION), 0);
    assert_int_equal(cairn_heap_top_(HEAP), now.size);
    assert_locks(0);
    assert_int_equal(seen.events, 0);
    assert_int_equal(seen.failed, 0);
}

// All that realloc does, with the lock kept: in place, moved, slid left, failed, refused; and calloc.
static void the_twins_of_realloc_keep_the_lock(void **state)
{
    (void)state;
    unsigned char *const old = cairn_heap_alloc_(HEAP, 8 * G);
    memset(old, 0x99, 8 * G);
    cairn_heap_free_(HEAP, old);
    assert_ptr_equal(cairn_heap_calloc_(HEAP, 8, G), old);
    assert_int_equal(old[4 * G], 0);
    assert_null(cairn_heap_calloc_(HEAP, SIZE_MAX, 2));
    cairn_heap_free_(HEAP, old);

    void *const left = cairn_heap_realloc_(HEAP, NULL, 6 * G);
    unsigned char *block = cairn_heap_aligned_realloc_(HEAP, NULL, G, 4 * G);
    memset(block, 0x11, 4 * G);
    void *const stopper = cairn_heap_alloc_(HEAP, G);
    assert_ptr_equal(cairn_heap_realloc_(HEAP, block, 3 * G), block);
    unsigned char *const moved = cairn_heap_realloc_(HEAP, block, 5 * G);
    assert_ptr_not_equal(moved, block);
    assert_int_equal(moved[0], 0x11);
    assert_int_equal(moved[3 * G - 1], 0x11);
    assert_null(cairn_heap_realloc_(HEAP, moved, SIZE_MAX));
    assert_null(cairn_heap_aligned_realloc_(HEAP, moved, 3, 8));
    unsigned char *const aligned = cairn_heap_aligned_realloc_(HEAP, moved, 128, 5 * G);
    assert_int_equal((uintptr_t)aligned % 128, 0);
    assert_int_equal(aligned[3 * G - 1], 0x11);
    assert_null(cairn_heap_aligned_realloc_(HEAP, aligned, 128, 0));
    assert_null(cairn_heap_realloc_(HEAP, stopper, 0));

    block = cairn_heap_alloc_(HEAP, 4 * G);
    memset(block, 0x22, 4 * G);
    void *const rest = cairn_heap_alloc_(HEAP, cairn_heap_top_(HEAP));
    cairn_heap_free_(HEAP, left);
    assert_ptr_equal(cairn_heap_realloc_(HEAP, block, 9 * G), left); // there is no other place
    assert_int_equal(*(unsigned char *)left, 0x22);
    cairn_heap_free_(HEAP, left);
    cairn_heap_free_(HEAP, rest);
    if (CAIRN_HARDEN != 0) {
        assert_null(cairn_heap_realloc_(HEAP, &seen, 8));
        assert_int_equal(fixture.reports, 1);
        fixture.reports = 0;
        assert_int_equal(seen.unbalanced, true); // the report came without the lock, which nobody took
    }
    seen.unbalanced = false;
    assert_locks(0);
    assert_int_equal(seen.events, 0);
    assert_int_equal(seen.failed, 0);
}

static void twins_of_no_heap_say_so(void **state)
{
    struct cairn_heap none = {0};
    struct cairn_heap *const heaps[] = {NULL, &none};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct cairn_heap *const heap = heaps[i];
        struct cairn_heap_stats now = {.size = 1};
        struct cairn_margin margin;
        struct cairn_fault fault = {CAIRN_RULE_T1, &none};
        uint32_t cursor = 0;
        assert_null(cairn_heap_alloc_(heap, 8));
        assert_null(cairn_heap_calloc_(heap, 1, 8));
        assert_null(cairn_heap_realloc_(heap, NULL, 8));
        assert_null(cairn_heap_realloc_(heap, &none, 8));
        assert_null(cairn_heap_aligned_realloc_(heap, &none, 8, 8));
        cairn_heap_free_(heap, &none);
        cairn_heap_reset_peak_(heap);
        cairn_heap_stats_(heap, &now);
        assert_int_equal(now.size, 0);
        assert_int_equal(cairn_heap_walk_(heap, pass, NULL), 0);
        assert_int_equal(cairn_heap_check_(heap, &fault), CAIRN_EINVAL);
        assert_int_equal(fault.rule, CAIRN_RULE_NONE);
        assert_int_equal(cairn_heap_check_step_(heap, &cursor, 1, NULL), CAIRN_EINVAL);
        assert_int_equal(cairn_heap_margin_(heap, &margin), CAIRN_EINVAL);
        assert_int_equal(cairn_heap_grow_(heap, 8), CAIRN_EINVAL);
        assert_int_equal(cairn_heap_shrink_(heap, 8), CAIRN_EINVAL);
        assert_int_equal(cairn_heap_set_fit_(heap, CAIRN_FIT_BEST, 0), CAIRN_EINVAL);
        assert_int_equal(cairn_heap_top_(heap), 0);
    }
}

// The first byte of where the block goes: written between the first unlock and the second lock.
static void a_move_copies_outside_the_lock(void **state)
{
    (void)state;
    unsigned char *const block = take_granules(4);
    void *const stopper = take_granules(1);
    unsigned char *const place = take_granules(10); // where the block will go
    memset(place, 0x99, 10 * G);
    memset(block, 0x11, 4 * G);
    cairn_heap_free(HEAP, place);
    seen.locks = seen.unlocks = 0;
    seen.watched = place + 3 * G; // behind the links and the hint
    assert_ptr_equal(cairn_heap_realloc(HEAP, block, granules(10)), place);
    assert_int_equal(seen.at_unlock[0], 0x99);
    assert_int_equal(seen.at_lock[1], 0x11);
    assert_locks(2);
    seen.watched = NULL;
    cairn_heap_free(HEAP, place);
    cairn_heap_free(HEAP, stopper);
}

static void a_slide_copies_outside_the_lock(void **state)
{
    (void)state;
    void *const left = take_granules(6);
    unsigned char *const block = take_granules(4);
    assert_non_null(cairn_heap_alloc(HEAP, stats().largest_free));
    memset(left, 0x99, 6 * G);
    memset(block, 0x11, 4 * G);
    cairn_heap_free(HEAP, left);
    seen.locks = seen.unlocks = 0;
    seen.watched = (unsigned char *)left + 2 * G;
    assert_ptr_equal(cairn_heap_realloc(HEAP, block, granules(9)), left);
    assert_int_equal(seen.at_unlock[0], 0x99);
    assert_int_equal(seen.at_lock[1], 0x11);
    assert_locks(2);
    seen.watched = NULL;
    free_all();
}

// Somebody else frees the block where the lock is left: the realloc finds that, and frees nothing twice.
static void a_block_freed_while_it_moves_is_reported(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    for (uint32_t before = 0; before < 2; before++) { // the block merges with what is free before it, or not
        void *const hole = take_granules(2);
        unsigned char *const block = take_granules(4);
        void *const stopper = take_granules(1);
        if (before != 0) {
            cairn_heap_free(HEAP, hole);
        }
        seen.locks = seen.unlocks = 0;
        seen.to_free_at_lock = block;
        void *const moved = cairn_heap_realloc(HEAP, block, granules(20));
        assert_null(seen.to_free_at_lock);
        assert_non_null(moved);
        fixture_expect(CAIRN_WRONG_DOUBLE_FREE, block);
        assert_filled(moved, granules(4), number_of(block));
        assert_sound();
        cairn_heap_free(HEAP, stopper);
        free_all();
    }
}

static void calloc_zeroes_outside_the_lock(void **state)
{
    (void)state;
    unsigned char *const old = take_granules(8);
    memset(old, 0x99, 8 * G);
    cairn_heap_free(HEAP, old);
    seen.locks = seen.unlocks = 0;
    seen.watched = old + 4 * G;
    assert_ptr_equal(cairn_heap_calloc(HEAP, 8, G), old);
    assert_int_equal(seen.at_unlock[0], 0x99);
    assert_int_equal(old[4 * G], 0);
    assert_locks(1);
    seen.watched = NULL;
    cairn_heap_free(HEAP, old);
}

// ------------------------------------------------------------------------------------------------------------ failed

static void the_failed_hook_may_free_and_try_again(void **state)
{
    (void)state;
    const size_t all = stats().size;
    for (int call = 0; call < 4; call++) {
        seen.to_free = cairn_heap_alloc(HEAP, all);
        seen.failed = 0;
        void *const block = call == 0   ? cairn_heap_alloc(HEAP, 100)
                            : call == 1 ? cairn_heap_calloc(HEAP, 10, 10)
                            : call == 2 ? cairn_heap_aligned_alloc(HEAP, 32, 100)
                                        : cairn_heap_realloc(HEAP, NULL, 100);
        assert_non_null(block);
        assert_int_equal(seen.failed, 1);
        assert_int_equal(seen.failed_size, 100);
        cairn_heap_free(HEAP, block);
    }
    assert_int_equal(stats().failures, 4);
    assert_false(seen.failed_held);
    assert_false(seen.unbalanced);
}

static void the_failed_hook_may_help_a_realloc(void **state)
{
    (void)state;
    void *const block = take_granules(2);
    seen.to_free = cairn_heap_alloc(HEAP, stats().largest_free);
    assert_non_null(cairn_heap_realloc(HEAP, block, 20 * G));
    assert_int_equal(seen.failed, 1);
    assert_int_equal(seen.failed_size, 20 * G);
    assert_false(seen.failed_held);
    free_all();
}

static void the_failed_hook_may_let_it_fail(void **state)
{
    (void)state;
    void *const block = take_granules(2);
    assert_null(cairn_heap_alloc(HEAP, SIZE_MAX));
    assert_int_equal(seen.failed, 1);
    assert_int_equal(seen.failed_size, SIZE_MAX);
    assert_null(cairn_heap_calloc(HEAP, SIZE_MAX, 2));
    assert_int_equal(seen.failed, 2);
    assert_null(cairn_heap_realloc(HEAP, block, FIXTURE_REGION));
    assert_int_equal(seen.failed, 3);
    assert_null(cairn_heap_aligned_alloc(HEAP, 5, 8));
    assert_int_equal(seen.failed, 4);
    seen.retries = 3;
    assert_null(cairn_heap_alloc(HEAP, FIXTURE_REGION));
    assert_int_equal(seen.failed, 8);
    assert_int_equal(stats().failures, 8);
    cairn_heap_free(HEAP, block);
}

// No memory would help a pointer that is refused: it is reported once.
static void a_refused_pointer_is_no_failure(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    void *const block = take_granules(4);
    seen.retries = 3;
    assert_null(cairn_heap_realloc(HEAP, at(2), 8));
    fixture_expect(CAIRN_WRONG_INTERIOR, at(2));
    assert_null(cairn_heap_aligned_realloc(HEAP, &seen, 64, 8));
    fixture_expect(CAIRN_WRONG_POINTER, &seen);
    assert_locks(3);
    assert_int_equal(seen.failed, 0);
    assert_int_equal(stats().failures, 0);
    cairn_heap_free(HEAP, block);
}

static void no_bytes_are_no_failure(void **state)
{
    (void)state;
    void *const block = take_granules(2);
    assert_null(cairn_heap_alloc(HEAP, 0));
    assert_null(cairn_heap_calloc(HEAP, 0, 8));
    assert_null(cairn_heap_aligned_alloc(HEAP, 8, 0));
    assert_null(cairn_heap_realloc(HEAP, block, 0));
    assert_int_equal(cairn_heap_resize(HEAP, NULL, 8), CAIRN_EINVAL);
    assert_int_equal(seen.failed, 0);
}

// ------------------------------------------------------------------------------------------------------------- event

static void assert_event(enum cairn_heap_act act, const void *before, const void *after, size_t size, size_t alignment)
{
    assert_int_equal(seen.events, 1);
    assert_false(seen.event_unlocked);
    assert_int_equal(seen.event[0].act, act);
    assert_ptr_equal(seen.event[0].before, before);
    assert_ptr_equal(seen.event[0].after, after);
    assert_int_equal(seen.event[0].size, size);
    assert_int_equal(seen.event[0].alignment, alignment);
    seen.events = 0;
}

static void each_change_is_an_event(void **state)
{
    (void)state;
    void *block = cairn_heap_alloc(HEAP, 13);
    assert_event(CAIRN_ACT_ALLOC, NULL, block, 13, 0);
    assert_int_equal(cairn_heap_resize(HEAP, block, 17), 0);
    assert_event(CAIRN_ACT_REALLOC, block, block, 17, 0);
    assert_ptr_equal(cairn_heap_realloc(HEAP, block, 5), block);
    assert_event(CAIRN_ACT_REALLOC, block, block, 5, 0);
    void *const stopper = cairn_heap_calloc(HEAP, 3, 5);
    assert_event(CAIRN_ACT_ALLOC, NULL, stopper, 15, 0);
    void *const moved = cairn_heap_realloc(HEAP, block, 111);
    assert_event(CAIRN_ACT_REALLOC, block, moved, 111, 0);
    void *const aligned = cairn_heap_aligned_alloc(HEAP, 64, 20);
    assert_event(CAIRN_ACT_ALLOC, NULL, aligned, 20, 64);
    void *const again = cairn_heap_aligned_realloc(HEAP, aligned, 128, 30);
    assert_event(CAIRN_ACT_REALLOC, aligned, again, 30, 128);
    cairn_heap_free(HEAP, moved);
    assert_event(CAIRN_ACT_FREE, moved, NULL, 112, 0);
    assert_null(cairn_heap_realloc(HEAP, stopper, 0));
    assert_event(CAIRN_ACT_FREE, stopper, NULL, 16, 0);
    cairn_heap_free(HEAP, again);
    seen.events = 0;
    block = cairn_heap_realloc(HEAP, NULL, 9);
    assert_event(CAIRN_ACT_ALLOC, NULL, block, 9, 0);
    cairn_heap_free(HEAP, block);
}

static void a_failure_is_an_event_without_a_result(void **state)
{
    (void)state;
    assert_null(cairn_heap_alloc(HEAP, FIXTURE_REGION));
    assert_event(CAIRN_ACT_ALLOC, NULL, NULL, FIXTURE_REGION, 0);
    void *const block = cairn_heap_alloc(HEAP, 100);
    void *const rest = cairn_heap_alloc(HEAP, stats().largest_free);
    seen.events = 0;
    assert_null(cairn_heap_realloc(HEAP, block, 500));
    assert_event(CAIRN_ACT_REALLOC, block, NULL, 500, 0);
    cairn_heap_free(HEAP, block);
    cairn_heap_free(HEAP, rest);
}

static void what_changes_nothing_is_no_event(void **state)
{
    struct cairn_heap_stats now;
    (void)state;
    NEEDS_HARDENING;
    void *const block = cairn_heap_alloc(HEAP, 100);
    seen.events = 0;
    cairn_heap_free(HEAP, NULL);
    cairn_heap_free(HEAP, (unsigned char *)block + 1);
    fixture_expect(CAIRN_WRONG_POINTER, (unsigned char *)block + 1);
    assert_null(cairn_heap_realloc(HEAP, at(5), 8));
    fixture_expect(CAIRN_WRONG_INTERIOR, at(5));
    assert_int_equal(cairn_heap_resize(HEAP, block, SIZE_MAX), CAIRN_ENOMEM);
    assert_null(cairn_heap_alloc(HEAP, 0));
    assert_null(cairn_heap_calloc(HEAP, 0, 8));
    assert_null(cairn_heap_aligned_alloc(HEAP, 64, 0));
    assert_null(cairn_heap_realloc(HEAP, NULL, 0));
    (void)cairn_heap_usable_size(HEAP, block);
    cairn_heap_stats(HEAP, &now);
    assert_int_equal(cairn_heap_check(HEAP, NULL), 0);
    assert_int_equal(cairn_heap_walk(HEAP, pass, NULL), 0);
    assert_int_equal(seen.events, 0);
    cairn_heap_free(HEAP, block);
}

static void any_hook_may_be_missing(void **state)
{
    (void)state;
    for (unsigned missing = 0; missing < 16; missing++) {
        fixture.hooks = (struct cairn_heap_hooks){CAIRN_HOOKED, (missing & 1) != 0 ? NULL : lock, (missing & 1) != 0 ? NULL : unlock,
                                                  (missing & 2) != 0 ? NULL : failed, report, (missing & 4) != 0 ? NULL : event};
        if ((missing & 8) != 0) {
            fixture.config.hooks = NULL;
        }
        fixture_make(FIXTURE_REGION);
        void *const block = cairn_heap_alloc(HEAP, 100);
        assert_null(cairn_heap_alloc(HEAP, FIXTURE_REGION));
        assert_ptr_equal(cairn_heap_realloc(HEAP, block, 300), block);
        assert_null(cairn_heap_realloc(HEAP, block, FIXTURE_REGION));
        cairn_heap_free(HEAP, block);
        assert_blocks(0, 1);
        fixture.config.hooks = &fixture.hooks;
    }
    assert_int_equal(seen.held, 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
    static const struct CMUnitTest tests[] = {
        TEST(each_call_takes_the_lock_once),
        TEST(a_lock_alone_is_taken_once_by_each_call),
        TEST(calls_that_fail_leave_the_lock),
        TEST(a_lock_alone_is_left_by_calls_that_fail),
        TEST(the_twins_take_no_lock),
        TEST(the_twins_of_realloc_keep_the_lock),
        TEST(twins_of_no_heap_say_so),
        TEST(a_move_copies_outside_the_lock),
        TEST(a_slide_copies_outside_the_lock),
        TEST(a_block_freed_while_it_moves_is_reported),
        TEST(calloc_zeroes_outside_the_lock),
        TEST(the_failed_hook_may_free_and_try_again),
        TEST(the_failed_hook_may_help_a_realloc),
        TEST(the_failed_hook_may_let_it_fail),
        TEST(a_refused_pointer_is_no_failure),
        TEST(no_bytes_are_no_failure),
        TEST(each_change_is_an_event),
        TEST(a_failure_is_an_event_without_a_result),
        TEST(what_changes_nothing_is_no_event),
        TEST(any_hook_may_be_missing),
    };
    return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}
