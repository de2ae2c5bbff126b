// SPDX-License-Identifier: MIT
//
// Every state that a small pool can reach, and every operation in each.
//
// OWNS        the table of states seen.
// PICTURE     a state: how many blocks were ever handed out, and which of those are used. From each, breadth first: alloc, the free of every block,
//             of every wrong pointer in and around the pool.
// INVARIANTS  1. The states that are reached are all that the rules allow: 2^fresh for each fresh from 0 to the count.
//             2. alloc takes the lowest word's last freed block, else the next fresh one; the checker finds every state whole.
// COST        2^(count + 1) states of a few hundred operations.
// CALLERS     ctest, on the host, with words of 2 and of 4 blocks.
#include "pool/bitmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MOST 10u
#define STRIDE 6u

struct state {
    uint32_t fresh;
    uint32_t used; // bit i: block i
};

static _Alignas(16) unsigned char region[256];
static struct cairn_pool pool;
static bool seen[MOST + 1][1u << MOST];
static struct state queue[(MOST + 1) << MOST];
static uint32_t queued, reports;

static void note(void *context, const struct cairn_report *report)
{
    (void)context;
    (void)report;
    reports++;
}

static void make(uint32_t count)
{
    const struct cairn_pool_config config = {.alignment = 2, .report = note};
    const size_t size = words_for(count) * sizeof(uint32_t) + count * STRIDE;
    assert_int_equal(cairn_pool_init(&pool, region, size, STRIDE, &config), 0);
    assert_int_equal(pool.count, count);
}

// By the calls alone: the blocks in order, then the free ones given back.
static void go_to(struct state state)
{
    make(pool.count);
    for (uint32_t i = 0; i < state.fresh; i++) {
        assert_ptr_equal(cairn_pool_alloc(&pool), pool.base + i * STRIDE);
    }
    for (uint32_t i = 0; i < state.fresh; i++) {
        if ((state.used >> i & 1) == 0) {
            cairn_pool_free(&pool, pool.base + i * STRIDE);
        }
    }
}

static void assert_is(struct state state)
{
    struct cairn_pool_stats stats;
    uint32_t used = 0;
    assert_int_equal(cairn_pool_check(&pool, NULL), 0);
    for (uint32_t i = 0; i < pool.count; i++) {
        const bool its = (state.used >> i & 1) != 0;
        assert_int_equal(cairn_pool_owns(&pool, pool.base + i * STRIDE), its);
        used += its;
    }
    cairn_pool_stats(&pool, &stats);
    assert_int_equal(stats.used, used);
    assert_int_equal(stats.peak, state.fresh);
}

static void reach(struct state state)
{
    if (!seen[state.fresh][state.used]) {
        seen[state.fresh][state.used] = true;
        queue[queued++] = state;
    }
}

// The block that alloc must take: the last free one of the lowest word that has any, else the fresh one; the count where there is none.
static uint32_t expected(struct state state)
{
    for (uint32_t first = 0; first < state.fresh; first += POOL_PLACES) {
        for (uint32_t i = first + POOL_PLACES; i-- > first;) {
            if (i < state.fresh && (state.used >> i & 1) == 0) {
                return i;
            }
        }
    }
    return state.fresh;
}

static void try_alloc(struct state state)
{
    const uint32_t number = expected(state);
    go_to(state);
    void *const block = cairn_pool_alloc(&pool);
    if (number == pool.count) {
        assert_null(block);
    } else {
        assert_ptr_equal(block, pool.base + number * STRIDE);
        state.used |= 1u << number;
        state.fresh += number == state.fresh;
    }
    assert_is(state);
    reach(state);
}

static void try_frees(struct state state)
{
    for (uint32_t offset = 0; offset < (pool.count + 4) * STRIDE; offset++) {
        const uint32_t number = offset / STRIDE - 2; // wraps around in front of the pool
        const bool right = number < pool.count && (state.used >> number & 1) != 0 && offset % STRIDE == 0;
        struct state next = state;
        if (right) {
            go_to(state);
            next.used &= ~(1u << number);
        } else if (!POOL_HARDENED) {
            continue;
        }
        reports = 0;
        cairn_pool_free(&pool, pool.base - 2 * STRIDE + offset);
        assert_int_equal(reports, right ? 0 : 1);
        if (right || offset % STRIDE == 1) {
            assert_is(next);
        }
        if (right) {
            reach(next);
            go_to(state);
        }
    }
    assert_is(state);
}

static void every_state_of_small_pools_is_right(void **unused)
{
    (void)unused;
    for (uint32_t count = 1; count <= MOST; count++) {
        uint32_t allowed = 0;
        memset(seen, 0, sizeof seen);
        queued = 0;
        make(count);
        reach((struct state){0, 0});
        for (uint32_t at = 0; at < queued; at++) {
            go_to(queue[at]);
            assert_is(queue[at]);
            try_frees(queue[at]);
            try_alloc(queue[at]);
        }
        for (uint32_t fresh = 0; fresh <= count; fresh++) {
            allowed += 1u << fresh;
        }
        print_message("%u blocks: %u states\n", (unsigned)count, (unsigned)queued);
        assert_int_equal(queued, allowed);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_of_small_pools_is_right),
    };
    return cmocka_run_group_tests_name("pool_states", tests, NULL, NULL);
}
