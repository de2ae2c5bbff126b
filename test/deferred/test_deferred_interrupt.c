// SPDX-License-Identifier: MIT
//
// An interrupt at every instruction of a heap's alloc, free and realloc, which marks blocks to be freed; and of an alloc that finds no memory but theirs.
// And how many instructions a mark costs.
//
// OWNS        the timer, one shot; what its interrupt does.
// PICTURE     for each number of marks, each delay: timer armed -> alloc, realloc, free in a small heap -> drained, checked, counted
// INVARIANTS  1. Delays grow by one tick, and an instruction takes more than two (-icount shift=8): no instruction boundary is passed over.
//             2. Whatever the handler came between: each block that it marked is freed, once; the checker passes.
//             3. An alloc that finds no memory fails only if no block was marked before its last look for marks: what comes later is there for the next
//                one. So once a delay is too long, all longer ones are; and where it looks until nothing is marked, only its last instructions are
//                too late.
// COST        some ten thousand interrupts.
// CALLERS     ctest with -icount, on every QEMU machine.
#include "cairn/deferred.h"
#include "counter.h"
#include "one_shot.h"
#include "heap/core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define BLOCKS 6u
#define SMALL 24u
#define MANY 10u        // small blocks side by side, more than a call of the heap takes up in one go
#define LAST_TICKS 250u // more than from the last look to the test's own code
#if defined(__ARM_ARCH) && __ARM_ARCH == 8
#define MARK_MOST 31u // a store that other cores see in order has no offset
#else
#define MARK_MOST 30u // instructions, the call included
#endif

static _Alignas(8) unsigned char region[2048];
static uint32_t bits[16];
static struct cairn_heap heap;
static struct cairn_deferred deferred;
static unsigned char *blocks[BLOCKS];
static unsigned char *full[sizeof region / SMALL];
static unsigned char **marked = blocks; // which ones the handler marks, and how many
static uint32_t marks;
static volatile uint32_t struck;
static uint32_t reports;

void one_shot_struck(uint32_t place)
{
    (void)place;
    one_shot_taken();
    struck++;
    for (uint32_t i = 0; i < marks; i++) {
        cairn_deferred_free(&deferred, marked[i]);
    }
}

static void note(void *context, const struct cairn_report *report)
{
    (void)context;
    (void)report;
    reports++;
}

static const struct cairn_heap_hooks hooks = {.hooked = CAIRN_HOOKED, .report = note};

static void begin(void)
{
    static const struct cairn_heap_config config = {.hooks = &hooks};
    assert_int_equal(cairn_heap_init(&heap, region, sizeof region, &config), 0);
    assert_int_equal(cairn_deferred_init(&deferred, &heap, bits, sizeof bits), 0);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        blocks[i] = cairn_heap_alloc(&heap, 24 + 40 * i);
        assert_non_null(blocks[i]);
    }
    cairn_heap_free(&heap, blocks[3]);
    blocks[3] = cairn_heap_alloc(&heap, 8);
    struck = 0;
    reports = 0;
}

static bool run(uint32_t ticks)
{
    begin();
    const uint32_t before = heap.control->blocks - heap.control->free_blocks;
    one_shot_arm(ticks);
    unsigned char *block = cairn_heap_alloc(&heap, 100);
    unsigned char *const moved = cairn_heap_realloc(&heap, block, 300);
    cairn_heap_free(&heap, blocks[BLOCKS - 1]);
    cairn_heap_free(&heap, moved != NULL ? moved : block);
    one_shot_disarm();
    assert_non_null(block);
    const bool came = struck != 0;
    const uint32_t freed = cairn_deferred_drain(&deferred);
    assert_int_equal(freed, came ? marks : 0);
    assert_int_equal(heap.quick, CAIRN_SPEED ? heap.control->granules : 0);
    assert_int_equal(heap.control->blocks - heap.control->free_blocks, before - 1 - freed);
    assert_int_equal(cairn_heap_check(&heap, NULL), 0);
    assert_int_equal(reports, 0);
    return came;
}

static void marks_come_at_every_instruction(void **state)
{
    (void)state;
    for (marks = 1; marks < BLOCKS; marks += 2) {
        uint32_t came = 0;
        uint32_t ticks = 1;
        for (uint32_t late = 0; late < 20; ticks++) { // until they outlast the calls
            const bool in_time = run(ticks);
            came += in_time;
            late = in_time ? 0 : late + 1;
        }
        print_message("%u marks: %u interrupts\n", (unsigned)marks, (unsigned)came);
        assert_true(came > 1000);
    }
}

// ------------------------------------------------------------------------------------------------------------------- no memory

// A heap without a free granule, of whose blocks the handler marks MANY that lie side by side; `first` others are marked already, apart from each other.
static void begin_full(uint32_t first)
{
    static const struct cairn_heap_config config = {.hooks = &hooks};
    assert_int_equal(cairn_heap_init(&heap, region, sizeof region, &config), 0);
    assert_int_equal(cairn_deferred_init(&deferred, &heap, bits, sizeof bits), 0);
    uint32_t count = 0;
    for (unsigned char *block = cairn_heap_alloc(&heap, SMALL); block != NULL; block = cairn_heap_alloc(&heap, SMALL)) {
        full[count++] = block;
    }
    assert_true(count > 2 * MANY + 2 * first);
    for (uint32_t i = 0; i < first; i++) {
        cairn_deferred_free(&deferred, full[2 * i]);
    }
    marked = &full[count - MANY - 1];
    marks = MANY;
    assert_int_equal(marked[MANY - 1] - marked[0], (MANY - 1) * SMALL);
    struck = 0;
    reports = 0;
}

// Returns whether the interrupt came before the alloc returned; *got: whether it got what was marked.
static bool run_out(uint32_t first, uint32_t ticks, bool *got)
{
    begin_full(first);
    one_shot_arm(ticks);
    void *const block = cairn_heap_alloc(&heap, MANY * SMALL);
    one_shot_disarm();
    const bool came = struck != 0;
    void *const next = block != NULL ? block : cairn_heap_alloc(&heap, MANY * SMALL);
    assert_true(came ? next == marked[0] : next == NULL);
    assert_int_equal(cairn_deferred_drain(&deferred), first + (came ? MANY : 0));
    assert_int_equal(cairn_heap_check(&heap, NULL), 0);
    assert_int_equal(reports, 0);
    *got = block != NULL;
    return came;
}

static void an_alloc_that_finds_no_memory_gets_what_was_marked(void **state)
{
    (void)state;
    for (uint32_t first = 0; first < 4; first += 3) { // with 0 it looks once, before it searches; with 3 until there are none
        uint32_t most = 0;  // the longest delay that was in time
        uint32_t least = 0; // the shortest that was not
        uint32_t ticks = 1;
        for (uint32_t late = 0; late < 20; ticks++) {
            bool got;
            const bool came = run_out(first, ticks, &got);
            late = came ? 0 : late + 1;
            most = got ? ticks : most;
            least = came && !got && least == 0 ? ticks : least;
        }
        print_message("%u marked: in time up to %u ticks, too late from %u on; the call ends at %u\n", (unsigned)first, (unsigned)most, (unsigned)least,
                      (unsigned)ticks - 20);
        assert_true(most > 10);
        assert_int_equal(least, most + 1);
        assert_true(first == 0 || ticks - 20 - most < LAST_TICKS);
    }
    marked = blocks;
}

static void a_mark_takes_few_instructions(void **state)
{
    (void)state;
    uint32_t most = 0;
    counter_init();
    begin();
    for (uint32_t i = 0; i < BLOCKS; i++) {
        uint32_t instructions;
        (void)counter_call(&instructions, (counter_function)cairn_deferred_free, (uintptr_t)&deferred, (uintptr_t)blocks[i], 0, 0);
        most = instructions > most ? instructions : most;
    }
    print_message("cairn_deferred_free: %u instructions at most\n", (unsigned)most);
#if defined(__ARM_ARCH) && __ARM_ARCH >= 7
    assert_true(most <= MARK_MOST);
#endif
    assert_int_equal(cairn_deferred_drain(&deferred), BLOCKS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_come_at_every_instruction),
        cmocka_unit_test(an_alloc_that_finds_no_memory_gets_what_was_marked),
        cmocka_unit_test(a_mark_takes_few_instructions),
    };
    return cmocka_run_group_tests_name("deferred_interrupt", tests, NULL, NULL);
}
