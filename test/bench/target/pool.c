// SPDX-License-Identifier: MIT
//
// Instructions of a pool's alloc and free, one situation at a time and in random order.
//
//   pool    prints name,calls,average,maximum: of every call that does its work (alloc, free), of each situation (alloc.fresh ...), and of
//           the calls that do not (alloc_fails, free_refused), which are in no sum
//
// OWNS        pools of 1 to 1000 blocks, one after the other.
// PICTURE     up to the top, and once more; down to nothing in a mixed order; then up and down at random
// INVARIANTS  1. Counted as the heap's calls are: the BLX, the body, the return (counter.h).
// COST        some ten million instructions.
// CALLERS     test/bench/run.sh; start-up.
#include <string.h>

#include "area.h"
#include "cairn/pool.h"
#include "counter.h"
#include "print.h"
#include "semihost.h"
#include "tally.h"

#define BLOCKS 1000u
#define STEPS 20000u

enum row { ROW_ALLOC, ROW_ALLOC_FRESH, ROW_ALLOC_ONE, ROW_ALLOC_LAST, ROW_FREE, ROW_FREE_ONE, ROW_FREE_FIRST, ROW_ALLOC_FAILS, ROW_REFUSED, ROWS };

static const char *const names[ROWS] = {
    "alloc", "alloc.fresh", "alloc.one_of_a_word", "alloc.last_of_a_word", "free", "free.one_of_a_word", "free.first_of_a_word", "alloc_fails",
    "free_refused",
};

static struct cairn_pool pool;
static struct tally tallies[ROWS];
static unsigned char *blocks[BLOCKS];
static uint32_t live;
static uint32_t random_state = 1;

static void ignore(void *context, const struct cairn_report *report)
{
    (void)context;
    (void)report;
}

// Marsaglia 2003, xorshift32.
static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % limit;
}

static void step_alloc(void)
{
    uint32_t instructions;
    const uint32_t fresh = pool.fresh;
    const uint32_t summary = pool.summary;
    unsigned char *const block = (unsigned char *)counter_call(&instructions, (counter_function)cairn_pool_alloc, (uintptr_t)&pool, 0, 0, 0);

    if (block == NULL) {
        tally_add(&tallies[ROW_ALLOC_FAILS], instructions);
        return;
    }
    tally_add(&tallies[ROW_ALLOC], instructions);
    tally_add(&tallies[pool.fresh != fresh ? ROW_ALLOC_FRESH : pool.summary != summary ? ROW_ALLOC_LAST : ROW_ALLOC_ONE], instructions);
    blocks[live++] = block;
}

static void step_free(uint32_t which)
{
    uint32_t instructions;
    const uint32_t summary = pool.summary;
    unsigned char *const block = blocks[which];

    blocks[which] = blocks[--live];
    (void)counter_call(&instructions, (counter_function)cairn_pool_free, (uintptr_t)&pool, (uintptr_t)block, 0, 0);
    tally_add(&tallies[ROW_FREE], instructions);
    tally_add(&tallies[pool.summary != summary ? ROW_FREE_FIRST : ROW_FREE_ONE], instructions);
    (void)counter_call(&instructions, (counter_function)cairn_pool_free, (uintptr_t)&pool, (uintptr_t)block, 0, 0);
    tally_add(&tallies[ROW_REFUSED], instructions);
}

static bool run(struct area area, uint32_t count)
{
    const struct cairn_pool_config config = {.report = ignore};
    const size_t block_size = 1 + random_below(60);
    const size_t size = cairn_pool_size(block_size, count, 0);

    if (cairn_pool_init(&pool, area_take(&area, size), size, block_size, &config) != 0)
        return false;
    live = 0;
    for (int round = 0; round < 2; round++) {
        while (live < count)
            step_alloc();
        while (live > 0)
            step_free(random_below(live));
    }
    for (uint32_t step = 0, rising = 1; step < STEPS; step++) {
        if (step % 256 == 0)
            rising = 1 + random_below(15);
        if (live == 0 || (live < count && random_below(16) < rising))
            step_alloc();
        else
            step_free(random_below(live));
    }
    while (live < count)
        step_alloc();
    step_alloc(); // one more than there is, or than was asked for
    return cairn_pool_check(&pool, NULL) == 0;
}

int main(void)
{
    static const uint32_t counts[] = {1, 2, 31, 32, 33, 100, 999};
    struct line line = {0};

    counter_init();
    for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (!counter_is_exact() || !run((struct area){board_heap_area()}, counts[i])) {
            semihost_print("pool: no exact clock (-icount), or a broken pool\n");
            return 1;
        }
    }
    for (int row = 0; row < ROWS; row++) {
        line_tally(&line, names[row], &tallies[row]);
    }
    return 0;
}
