// SPDX-License-Identifier: MIT
//
// OWNS        the proof that the counter is exact: runs of NOPs, loops and calls of known length, equal to one instruction.
// CALLERS     ctest with -icount shift=8, on every QEMU machine.
#include "cmocka.h"
#include "counter.h"

// A return; a loop of 1 + 3 * turns instructions; a sum of four arguments by three instructions.
#if defined(__riscv)
#define CODE_RETURN "ret"
#define CODE_LOOP "li a1, 0\n1:\n\tnop\n\taddi a0, a0, -1\n\tbnez a0, 1b\n\t"
#define CODE_SUM "add a0, a0, a1\n\tadd a0, a0, a2\n\tadd a0, a0, a3\n\t"
#else
#define CODE_RETURN "bx lr"
#define CODE_LOOP "movs r1, #0\n1:\n\tnop\n\tsubs r0, r0, #1\n\tbne 1b\n\t"
#define CODE_SUM "adds r0, r0, r1\n\tadds r0, r0, r2\n\tadds r0, r0, r3\n\t"
#endif

// nops_N: N NOPs between two readings in the code; run_N: a function of N NOPs and a return.
#define NOPS(count) \
    static __attribute__((noinline)) uint32_t nops_##count(void) \
    { \
        const uint32_t start = counter_read(); \
        __asm__ volatile(".rept " #count "\n\tnop\n\t.endr"); \
        const uint32_t end = counter_read(); \
        return counter_instructions(start, end); \
    }
#define RUN(count) \
    static __attribute__((naked, noinline)) void run_##count(void) \
    { \
        __asm__ volatile(".rept " #count "\n\tnop\n\t.endr\n\t" CODE_RETURN); \
    }

NOPS(1)
NOPS(2)
NOPS(3)
NOPS(7)
NOPS(10)
NOPS(100)
NOPS(1000)
RUN(1)
RUN(10)
RUN(1000)
RUN(100000) // 200 KB of code: it fits the smallest board's 256

// 1 + 3 * turns + 1 instructions to the return; the call adds its own.
static __attribute__((naked, noinline)) uintptr_t known_loop(uintptr_t turns)
{
    (void)turns;
    __asm__ volatile(CODE_LOOP CODE_RETURN);
}

static __attribute__((naked, noinline)) uintptr_t known_sum(uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d)
{
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    __asm__ volatile(CODE_SUM CODE_RETURN);
}

static uint32_t loop_instructions(uintptr_t turns)
{
    uint32_t instructions;

    counter_call(&instructions, (counter_function)known_loop, turns, 0, 0, 0);
    return instructions;
}

static uint32_t call_instructions(counter_function function)
{
    uint32_t instructions;

    counter_call(&instructions, function, 0, 0, 0, 0);
    return instructions;
}

static void clock_follows_instructions(void **state)
{
    (void)state;
    assert_true(counter_is_exact());
}

static void nothing_costs_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        const uint32_t start = counter_read();
        const uint32_t end = counter_read();
        assert_int_equal(counter_instructions(start, end), 0);
    }
}

static void short_runs_are_exact(void **state)
{
    (void)state;
    assert_int_equal(nops_1(), 1);
    assert_int_equal(nops_2(), 2);
    assert_int_equal(nops_3(), 3);
    assert_int_equal(nops_7(), 7);
    assert_int_equal(nops_10(), 10);
    assert_int_equal(nops_100(), 100);
    assert_int_equal(nops_1000(), 1000);
}

static void calls_of_known_length_are_exact(void **state)
{
    (void)state;
    assert_int_equal(call_instructions(run_1), 1 + 2); // the call and the return
    assert_int_equal(call_instructions(run_10), 10 + 2);
    assert_int_equal(call_instructions(run_1000), 1000 + 2);
    assert_int_equal(call_instructions(run_100000), 100000 + 2);
}

// Phase after phase: the clock's 6.4 ticks an instruction start at another fraction each time.
static void every_length_is_exact(void **state)
{
    (void)state;
    for (uintptr_t turns = 1; turns < 600; turns++)
        assert_int_equal(loop_instructions(turns), 1 + 1 + 3 * turns + 1);
}

static void length_up_to_the_limit_is_exact(void **state)
{
    (void)state;
    for (uintptr_t turns = 1000; 3 * turns + 3 <= COUNTER_LIMIT; turns = turns * 7 / 4 + 1)
        assert_int_equal(loop_instructions(turns), 3 * turns + 3);
    const uintptr_t most = (COUNTER_LIMIT - 3) / 3;
    for (uintptr_t turns = most - 20; turns <= most; turns++)
        assert_int_equal(loop_instructions(turns), 3 * turns + 3);
}

static void too_long_is_told(void **state)
{
    (void)state;
    assert_int_equal(loop_instructions(2000000), UINT32_MAX);
    assert_int_equal(loop_instructions(1), 6);
}

static void call_hands_arguments_and_result_through(void **state)
{
    uint32_t instructions;

    (void)state;
    assert_int_equal(counter_call(&instructions, (counter_function)known_sum, 1, 20, 300, 4000), 4321);
    assert_int_equal(instructions, 5); // the call, three additions, the return
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_follows_instructions),
        cmocka_unit_test(nothing_costs_nothing),
        cmocka_unit_test(short_runs_are_exact),
        cmocka_unit_test(calls_of_known_length_are_exact),
        cmocka_unit_test(every_length_is_exact),
        cmocka_unit_test(length_up_to_the_limit_is_exact),
        cmocka_unit_test(too_long_is_told),
        cmocka_unit_test(call_hands_arguments_and_result_through),
    };

    counter_init();
    return cmocka_run_group_tests_name("counter", tests, NULL, NULL);
}
