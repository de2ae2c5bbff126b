// SPDX-License-Identifier: MIT
//
// Instructions of a free from an interrupt: of the mark.
//
//   deferred    prints name,calls,average,maximum: of every mark that is set (free), of each situation (free.first_of_a_word ...), and of the marks that are
//               refused (free_refused), which are in no sum
//
// OWNS        a heap of a few thousand blocks, and its marks.
// PICTURE     blocks of 8 to 256 bytes fill the heap -> marked in a mixed order, some twice -> drained -> once more
// INVARIANTS  1. Counted as the heap's calls are: the BLX, the body, the return (counter.h). Nobody comes between.
// COST        some million instructions.
// CALLERS     test/bench/run.sh; start-up.
#include "area.h"
#include "cairn/deferred.h"
#include "counter.h"
#include "print.h"
#include "semihost.h"
#include "tally.h"

#define REGION_BYTES (256u << 10)
#define BLOCKS 4000u
#define ROUNDS 2

enum row { ROW_FREE, ROW_FIRST, ROW_ANOTHER, ROW_REFUSED, ROWS };

static const char *const names[ROWS] = {"free", "free.first_of_a_word", "free.another_of_a_word", "free_refused"};

static struct cairn_heap heap;
static struct cairn_deferred deferred;
static struct tally tallies[ROWS];
static void *blocks[BLOCKS];
static uint32_t random_state = 1;

static void ignore(void *context, const struct cairn_report *report)
{
    (void)context;
    (void)report;
}

static const struct cairn_heap_hooks hooks = {.hooked = CAIRN_HOOKED, .report = ignore};

// Marsaglia 2003, xorshift32.
static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % limit;
}

static uint32_t counted_mark(void *block)
{
    uint32_t instructions;

    (void)counter_call(&instructions, (counter_function)cairn_deferred_free, (uintptr_t)&deferred, (uintptr_t)block, 0, 0);
    return instructions;
}

static void step(void *block)
{
    const uint32_t number = (uint32_t)((uintptr_t)block - (uintptr_t)heap.base) / CAIRN_GRANULE;
    const bool first = deferred.bits[number / 32] == 0;
    const uint32_t instructions = counted_mark(block);

    tally_add(&tallies[ROW_FREE], instructions);
    tally_add(&tallies[first ? ROW_FIRST : ROW_ANOTHER], instructions);
    if (random_below(8) == 0)
        tally_add(&tallies[ROW_REFUSED], counted_mark(block));
}

static bool round_of_all(void)
{
    const uint32_t before = cairn_deferred_drain(&deferred);
    uint32_t live = 0;

    while (live < BLOCKS && (blocks[live] = cairn_heap_alloc(&heap, 8 + random_below(249))) != NULL)
        live++;
    const uint32_t all = live;
    while (live > 0) {
        const uint32_t which = random_below(live);
        step(blocks[which]);
        blocks[which] = blocks[--live];
    }
    return cairn_deferred_drain(&deferred) - before == all && all > BLOCKS / 4 && cairn_heap_check(&heap, NULL) == 0;
}

int main(void)
{
    const struct cairn_heap_config config = {.hooks = &hooks};
    const size_t marks = cairn_deferred_size(REGION_BYTES);
    struct area area = {board_heap_area()};
    struct line line = {0};

    counter_init();
    bool good = counter_is_exact() && cairn_heap_init(&heap, area_take(&area, REGION_BYTES), REGION_BYTES, &config) == 0;
    good = good && cairn_deferred_init(&deferred, &heap, area_take(&area, marks), marks) == 0;
    for (int round = 0; round < ROUNDS && good; round++)
        good = round_of_all();
    if (!good) {
        semihost_print("deferred: no exact clock (-icount), or a mark was lost\n");
        return 1;
    }
    for (int row = 0; row < ROWS; row++)
        line_tally(&line, names[row], &tallies[row]);
    return 0;
}
