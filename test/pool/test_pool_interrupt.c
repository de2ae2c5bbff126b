// SPDX-License-Identifier: MIT
//
// An interrupt at every instruction of alloc and of free, which allocates and frees in the same pool.
//
// OWNS        the timer, one shot; the handler; where it struck.
// PICTURE     for each state of the pool, each thing the handler does, each delay: timer armed -> alloc, free -> the pool counted
// INVARIANTS  1. Delays grow by one tick, and an instruction takes more than two (-icount shift=8): no instruction boundary is passed over. Proved:
//                the handler has struck as many places of each call as the call has instructions.
//             2. Whatever came between: the checker passes, the count is that of the calls that succeeded, and each block is there once.
//             3. A block that the handler has freed is there for its next alloc, wherever it struck.
// COST        some ten thousand interrupts.
// CALLERS     ctest with -icount, on every QEMU machine. Armv6-M: where interrupts are masked, none strikes until they are not.
#include "counter.h"
#include "one_shot.h"
#include "pool/bitmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define COUNT 40u
#define STRIDE 8u
#define CODE_BYTES 1024u // more than alloc or free has; free is behind alloc
#define TICKS 1600u      // more than alloc and free take together
#if defined(__ARM_ARCH) && __ARM_ARCH == 6
#define MASKED 18u // instructions in two critical sections, behind which the interrupt strikes
#else
#define MASKED 0u
#endif

enum act { ACT_BOTH, ACT_FREE, ACT_TAKE, ACT_SWAP, ACT_TAKE_ALL, ACTS };
enum start { START_ONE, START_TWO, START_OTHER_WORD, START_FRESH, START_NONE, STARTS };

static _Alignas(8) unsigned char region[COUNT * STRIDE + 16];
static struct cairn_pool pool;
static unsigned char *blocks[COUNT];
static enum act act;
static volatile uint32_t struck; // times; its handler's doings:
static uint32_t freed, taken;
static bool missed; // what it freed itself was not to be had
static uint8_t hit[2][CODE_BYTES / 2]; // by halfword of alloc, of free

static void note_place(uint32_t place)
{
    const uintptr_t starts[2] = {(uintptr_t)cairn_pool_alloc & ~(uintptr_t)1, (uintptr_t)cairn_pool_free & ~(uintptr_t)1};
    const int call = place >= starts[1] && (starts[1] > starts[0] || place < starts[0]);
    if (place - starts[call] < CODE_BYTES) {
        hit[call][(place - starts[call]) / 2] = 1;
    }
}

static void handler_free(uint32_t number)
{
    cairn_pool_free(&pool, blocks[number]);
    freed++;
}

static bool handler_take(void)
{
    if (cairn_pool_alloc(&pool) == NULL) {
        return false;
    }
    taken++;
    return true;
}

void one_shot_struck(uint32_t place)
{
    one_shot_taken();
    struck++;
    note_place(place);
    if (act == ACT_BOTH) {
        cairn_pool_free(&pool, cairn_pool_alloc(&pool));
    }
    if (act == ACT_FREE || act == ACT_SWAP) {
        handler_free(3); // of the first word, like START_ONE's
    }
    if (act == ACT_SWAP) {
        missed = !handler_take();
    }
    if (act == ACT_TAKE) {
        (void)handler_take();
    }
    while (act == ACT_TAKE_ALL && handler_take()) {
    }
}

static void begin(enum start start)
{
    const struct cairn_pool_config config = {.alignment = STRIDE};
    assert_int_equal(cairn_pool_init(&pool, region, sizeof region, STRIDE, &config), 0);
    assert_true(pool.count >= COUNT);
    pool.count = COUNT;
    for (uint32_t i = 0; i < (start == START_FRESH ? 20 : COUNT); i++) {
        blocks[i] = cairn_pool_alloc(&pool);
    }
    const uint32_t frees[STARTS] = {[START_ONE] = 1, [START_TWO] = 2, [START_OTHER_WORD] = 1};
    for (uint32_t i = 0; i < frees[start]; i++) {
        cairn_pool_free(&pool, blocks[start == START_OTHER_WORD ? 35 : 5 + i]);
    }
    struck = freed = taken = 0;
    missed = false;
}

static uint32_t used_now(void)
{
    struct cairn_pool_stats stats;
    cairn_pool_stats(&pool, &stats);
    return stats.used;
}

// Each block that is left can be had, once; none is lost, none is there twice.
static void assert_all_there(uint32_t used)
{
    uint32_t left = 0;
    uint8_t seen[COUNT] = {0};
    assert_int_equal(cairn_pool_check(&pool, NULL), 0);
    assert_int_equal(used_now(), used);
    for (unsigned char *block = cairn_pool_alloc(&pool); block != NULL; block = cairn_pool_alloc(&pool)) {
        const size_t number = (size_t)(block - pool.base) / STRIDE;
        assert_true(number < COUNT);
        assert_int_equal(seen[number]++, 0);
        left++;
    }
    assert_int_equal(left, COUNT - used);
}

// One interrupted alloc and free. Returns whether the interrupt came before they were done.
static bool run(enum start start, uint32_t ticks)
{
    begin(start);
    const uint32_t used = used_now();
    one_shot_arm(ticks);
    void *const block = cairn_pool_alloc(&pool);
    const bool none = block == NULL;
    cairn_pool_free(&pool, block);
    one_shot_disarm();
    if (none) { // there was no moment without a free block, but for these:
        assert_true(start == START_NONE || act == ACT_TAKE || act == ACT_TAKE_ALL || act == ACT_SWAP);
    }
    const bool came = struck != 0;
    assert_false(missed);
    assert_all_there(used - freed + taken);
    return came;
}

static uint32_t places(int call)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < CODE_BYTES / 2; i++) {
        count += hit[call][i];
    }
    return count;
}

// whole: alloc and free do it all themselves, so that their own places can be counted.
static void check_every_place(enum start start, bool whole)
{
    uint32_t instructions[2];
    for (act = ACT_BOTH; act < ACTS; act++) {
        uint32_t came = 0;
        memset(hit, 0, sizeof hit);
        for (uint32_t ticks = 1; ticks < TICKS; ticks++) {
            came += run(start, ticks);
        }
        assert_in_range(came, 100, TICKS - 2); // the longest delays outlast the calls
        begin(start);
        counter_init();
        const uintptr_t block = counter_call(&instructions[0], (counter_function)cairn_pool_alloc, (uintptr_t)&pool, 0, 0, 0);
        (void)counter_call(&instructions[1], (counter_function)cairn_pool_free, (uintptr_t)&pool, block, 0, 0);
        print_message("start %d, act %d: %u interrupts, at %u places of alloc (%u instructions), %u of free (%u)\n", (int)start, (int)act,
                      (unsigned)came, (unsigned)places(0), (unsigned)instructions[0], (unsigned)places(1), (unsigned)instructions[1]);
        if (whole) { // but for the BLX, which is counted and is not theirs
            assert_true(places(0) >= instructions[0] - 1 - MASKED);
            assert_true(places(1) >= instructions[1] - 1 - MASKED);
        }
    }
}

static void alloc_of_a_words_last_block(void **state)
{
    (void)state;
    check_every_place(START_ONE, true);
}

static void alloc_of_one_of_two(void **state)
{
    (void)state;
    check_every_place(START_TWO, true);
}

static void alloc_from_another_word(void **state)
{
    (void)state;
    check_every_place(START_OTHER_WORD, false);
}

static void alloc_of_a_fresh_block(void **state)
{
    (void)state;
    check_every_place(START_FRESH, false);
}

static void alloc_where_nothing_is_free(void **state)
{
    (void)state;
    check_every_place(START_NONE, false);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(alloc_of_a_words_last_block), cmocka_unit_test(alloc_of_one_of_two),
        cmocka_unit_test(alloc_from_another_word),     cmocka_unit_test(alloc_of_a_fresh_block),
        cmocka_unit_test(alloc_where_nothing_is_free),
    };
    return cmocka_run_group_tests_name("pool_interrupt", tests, NULL, NULL);
}
