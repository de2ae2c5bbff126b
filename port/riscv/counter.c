// SPDX-License-Identifier: MIT
//
// OWNS        the measured rate of minstret, in ticks a RATE_RUN.
// INVARIANTS  1. instructions = ticks * RATE_RUN / rate, without a remainder: a core counts 1 an instruction; QEMU with -icount shift=8
//                either that or 256, the nanoseconds of virtual time, according to its version.
//             2. Ticks are differences of the low words, which last for 2^24 instructions at least; a longer call is found by both words.
// COST        counter_instructions: one 64-bit division.
// CALLERS     as counter.h says.
#include "counter.h"

#include <stddef.h>

#define READ_COST 1u // the second CSRR
#define CALL_COST 1u
#define RATE_RUN (1u << 21)
#define LOOP_INSTRUCTIONS 2u // ADDI, BNEZ

struct reading {
    uint32_t start;
    uint32_t end;
    uintptr_t result;
};

static uint32_t rate;
static bool exact;

void counter_loop_(uint32_t turns, struct reading *reading);
void counter_call_(counter_function function, const uintptr_t *arguments, struct reading *reading);

static uint32_t ticks_to_instructions(uint32_t ticks, uint32_t cost)
{
    const uint64_t run = (uint64_t)ticks * RATE_RUN;

    return rate == 0 ? 0 : (uint32_t)((run + rate / 2) / rate) - cost;
}

// turns * 2 instructions, a NOP and the second CSRR: RATE_RUN in all for turns = RATE_RUN / 2 - 1.
__attribute__((naked)) void counter_loop_(uint32_t turns, struct reading *reading)
{
    (void)turns;
    (void)reading;
    __asm__ volatile(CPU_CSR("csrr t0, minstret")
                     "1:\n\t"
                     "addi a0, a0, -1\n\t"
                     "bnez a0, 1b\n\t"
                     "nop\n\t"
                     CPU_CSR("csrr t1, minstret")
                     "sw t0, 0(a1)\n\t"
                     "sw t1, 4(a1)\n\t"
                     "ret");
}

__attribute__((naked)) void counter_call_(counter_function function, const uintptr_t *arguments, struct reading *reading)
{
    (void)function;
    (void)arguments;
    (void)reading;
    __asm__ volatile("addi sp, sp, -16\n\t"
                     "sw ra, 12(sp)\n\t"
                     "sw s0, 8(sp)\n\t"
                     "sw s1, 4(sp)\n\t"
                     "mv s0, a2\n\t"
                     "mv t1, a0\n\t"
                     "lw a0, 0(a1)\n\t"
                     "lw a2, 8(a1)\n\t"
                     "lw a3, 12(a1)\n\t"
                     "lw a1, 4(a1)\n\t"
                     CPU_CSR("csrr s1, minstret")
                     "jalr t1\n\t"
                     CPU_CSR("csrr t0, minstret")
                     "sw s1, 0(s0)\n\t"
                     "sw t0, 4(s0)\n\t"
                     "sw a0, 8(s0)\n\t"
                     "lw ra, 12(sp)\n\t"
                     "lw s0, 8(sp)\n\t"
                     "lw s1, 4(sp)\n\t"
                     "addi sp, sp, 16\n\t"
                     "ret");
}

// Both words; the high one again, should the low one have passed zero in between.
static uint64_t clock_read(void)
{
    uint32_t high, low, again;

    do {
        __asm__ volatile(CPU_CSR("csrr %0, minstreth") : "=r"(high) : : "memory");
        low = cpu_ticks();
        __asm__ volatile(CPU_CSR("csrr %0, minstreth") : "=r"(again) : : "memory");
    } while (again != high);
    return (uint64_t)high << 32 | low;
}

static uint32_t rate_measure(void)
{
    struct reading reading;

    counter_loop_(RATE_RUN / LOOP_INSTRUCTIONS - 1, &reading);
    return reading.end - reading.start;
}

void counter_init(void)
{
    rate = rate_measure();
    exact = rate != 0 && rate % RATE_RUN == 0 && rate_measure() == rate;
}

bool counter_is_exact(void)
{
    return exact;
}

uint32_t counter_instructions(uint32_t start, uint32_t end)
{
    return ticks_to_instructions(end - start, READ_COST);
}

uintptr_t counter_call(uint32_t *instructions, counter_function function, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d)
{
    const uintptr_t arguments[4] = {a, b, c, d};
    struct reading reading;

    const uint64_t begin = clock_read();
    counter_call_(function, arguments, &reading);
    const uint64_t around = clock_read() - begin;
    *instructions = UINT32_MAX;
    if (around <= UINT32_MAX) {
        const uint32_t count = ticks_to_instructions(reading.end - reading.start, CALL_COST);
        if (count <= COUNTER_LIMIT)
            *instructions = count;
    }
    return reading.result;
}
