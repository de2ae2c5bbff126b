// SPDX-License-Identifier: MIT
//
// OWNS        the measured rate of SysTick, in ticks a RATE_RUN.
// INVARIANTS  1. instructions = ticks * RATE_RUN / rate, rounded to the nearest; both readings truncate, so ticks and rate are
//                each off by less than 1, and the error is below (1 + ticks / rate) ticks: under half an instruction's 4.096 ticks
//                up to COUNTER_LIMIT.
// COST        counter_instructions: one 64-bit division.
// CALLERS     as counter.h says.
#include "counter.h"

#include <stddef.h>

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define SYST_CSR REGISTER(0xE000E010u)
#define SYST_RVR REGISTER(0xE000E014u)
#define SYST_CVR REGISTER(0xE000E018u)
#define CSR_ENABLE 1u
#define CSR_CORE_CLOCK 4u
#define CSR_COUNTED (1u << 16)
#define CLOCK_MASK 0xFFFFFFu

#define READ_COST 5u
#define CALL_COST 1u          // the second LDR
#define RATE_RUN (1u << 21)   // 13.4 million ticks at most: within the clock's 16.7
#define LOOP_INSTRUCTIONS 2u  // SUBS, BNE

struct reading {
    uint32_t start;
    uint32_t end;
    uintptr_t result;
};

static uint32_t rate;
static bool exact;

void counter_loop_(uint32_t turns, struct reading *reading);
void counter_call_(counter_function function, const uintptr_t *arguments, struct reading *reading);

static uint32_t ticks_between(uint32_t start, uint32_t end)
{
    return (start - end) & CLOCK_MASK;
}

static uint32_t ticks_to_instructions(uint32_t ticks, uint32_t cost)
{
    const uint64_t run = (uint64_t)ticks * RATE_RUN;

    return rate == 0 ? 0 : (uint32_t)((run + rate / 2) / rate) - cost;
}

// turns * 2 instructions, a NOP and the second LDR: RATE_RUN in all for turns = RATE_RUN / 2 - 1.
__attribute__((naked)) void counter_loop_(uint32_t turns, struct reading *reading)
{
    (void)turns;
    (void)reading;
    __asm__ volatile("ldr r2, =0xE000E018\n\t"
                     "ldr r3, [r2]\n"
                     "1:\n\t"
                     "subs r0, r0, #1\n\t"
                     "bne 1b\n\t"
                     "nop\n\t"
                     "ldr r2, [r2]\n\t"
                     "str r3, [r1, #0]\n\t"
                     "str r2, [r1, #4]\n\t"
                     "bx lr\n\t"
                     ".ltorg");
}

__attribute__((naked)) void counter_call_(counter_function function, const uintptr_t *arguments, struct reading *reading)
{
    (void)function;
    (void)arguments;
    (void)reading;
    __asm__ volatile("push {r3-r7, lr}\n\t"
                     "mov r4, r0\n\t"
                     "mov r5, r2\n\t"
                     "ldr r6, =0xE000E018\n\t"
                     "ldr r0, [r1, #0]\n\t"
                     "ldr r2, [r1, #8]\n\t"
                     "ldr r3, [r1, #12]\n\t"
                     "ldr r1, [r1, #4]\n\t"
                     "ldr r7, [r6]\n\t"
                     "blx r4\n\t"
                     "ldr r6, [r6]\n\t"
                     "str r7, [r5, #0]\n\t"
                     "str r6, [r5, #4]\n\t"
                     "str r0, [r5, #8]\n\t"
                     "pop {r3-r7, pc}\n\t"
                     ".ltorg");
}

static void clock_restart(void)
{
    SYST_CVR = 0; // any value: it clears the counter and COUNTED
}

static uint32_t rate_measure(void)
{
    struct reading reading;

    clock_restart();
    counter_loop_(RATE_RUN / LOOP_INSTRUCTIONS - 1, &reading);
    return ticks_between(reading.start, reading.end);
}

void counter_init(void)
{
    SYST_RVR = CLOCK_MASK;
    SYST_CSR = CSR_ENABLE | CSR_CORE_CLOCK;
    rate = rate_measure();
    const uint32_t again = rate_measure();
    exact = rate != 0 && again - rate + 1 <= 2;
}

bool counter_is_exact(void)
{
    return exact;
}

uint32_t counter_instructions(uint32_t start, uint32_t end)
{
    return ticks_to_instructions(ticks_between(start, end), READ_COST);
}

uintptr_t counter_call(uint32_t *instructions, counter_function function, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d)
{
    const uintptr_t arguments[4] = {a, b, c, d};
    struct reading reading;

    clock_restart();
    counter_call_(function, arguments, &reading);
    if (SYST_CSR & CSR_COUNTED)
        *instructions = UINT32_MAX;
    else
        *instructions = ticks_to_instructions(ticks_between(reading.start, reading.end), CALL_COST);
    return reading.result;
}
