// SPDX-License-Identifier: MIT
//
// Counts the instructions that a piece of code executes, exactly, on QEMU with -icount shift=8.
//
// OWNS        the core's clock: SysTick on Cortex-M, which a program that counts must not use otherwise; minstret on RISC-V.
// PICTURE     an instruction = 256 ns of virtual time; cpu.h says how many ticks that is
//             first reading | code | second reading
// INVARIANTS  1. The count is of executed instructions, not of cycles; a conditional one that is skipped counts.
//             2. It is exact up to COUNTER_LIMIT instructions; each port's counter.c says why.
// COST        counter_init: 4 million instructions. A reading: as cpu.h says, subtracted again.
// CALLERS     measurements and their tests; one thread, no interrupts in between.
#ifndef CAIRN_PORT_COUNTER_H
#define CAIRN_PORT_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu.h"

// The most instructions that one measurement can tell, on any core: SysTick's 24 bits last for 2.6 million.
#define COUNTER_LIMIT 2000000u

// Starts the clock and measures its rate over known runs of instructions. Call it once, before any other.
void counter_init(void);

// Returns whether the clock follows the instructions: false without -icount, where every figure would be noise.
bool counter_is_exact(void);

// Reads the clock, in ticks. In the code, not a call.
static inline __attribute__((always_inline)) uint32_t counter_read(void)
{
    return cpu_ticks();
}

// Returns the instructions executed between two readings, the readings themselves not counted. What the compiler puts between
// them (arguments into registers, the result out) is counted: use counter_call where that matters.
uint32_t counter_instructions(uint32_t start, uint32_t end);

// Any function of up to four word-sized arguments, cast.
typedef void (*counter_function)(void);

// Calls function(a, b, c, d) and returns its result. *instructions = those of the call: the call's own, the body, the return;
// arguments are in their registers before the count begins. UINT32_MAX if the call took longer than can be told.
// It may restart the clock: a reading taken before cannot be compared with one taken after.
uintptr_t counter_call(uint32_t *instructions, counter_function function, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d);

#endif
