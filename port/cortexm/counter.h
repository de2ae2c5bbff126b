// SPDX-License-Identifier: MIT
//
// Counts the instructions that a piece of code executes, exactly, on QEMU with -icount shift=8.
//
// OWNS        SysTick: a program that counts must not use it otherwise.
// PICTURE     an instruction = 256 ns of virtual time = 6.4 ticks at 25 MHz (mps2-an385, an386, an500)
//                                                     = 5.12 at 20 MHz (mps2-an505) = 4.096 at 16 MHz (microbit)
//             ldr (first reading) | code | movs lsls adds lsls ldr (second reading)
// INVARIANTS  1. The count is of executed instructions, not of cycles; a conditional one that is skipped counts.
//             2. Readings are a tick off at most, the rate one in 8 million: exact up to COUNTER_LIMIT instructions.
// COST        counter_init: 4 million instructions. A reading: 5 instructions, subtracted again.
// CALLERS     measurements and their tests; one thread, no interrupts in between.
#ifndef CAIRN_PORT_COUNTER_H
#define CAIRN_PORT_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

// The most instructions that one measurement can tell: SysTick's 24 bits last for 2.6 million.
#define COUNTER_LIMIT 2000000u

// Starts SysTick and measures its rate over known runs of instructions. Call it once, before any other.
void counter_init(void);

// Returns whether the clock follows the instructions: false without -icount, where every figure would be noise.
bool counter_is_exact(void);

// Reads the clock, in ticks that count down. In the code, not a call: five instructions, the last of which reads.
static inline __attribute__((always_inline)) uint32_t counter_read(void)
{
    uint32_t ticks;

    __asm__ volatile("movs %0, #0xE0\n\t"
                     "lsls %0, %0, #16\n\t"
                     "adds %0, %0, #0xE0\n\t"
                     "lsls %0, %0, #8\n\t"
                     "ldr  %0, [%0, #0x18]" // SYST_CVR, 0xE000E018
                     : "=l"(ticks)
                     :
                     : "memory", "cc");
    return ticks;
}

// Returns the instructions executed between two readings, the readings themselves not counted. What the compiler puts between
// them (arguments into registers, the result out) is counted: use counter_call where that matters.
uint32_t counter_instructions(uint32_t start, uint32_t end);

// Any function of up to four word-sized arguments, cast.
typedef void (*counter_function)(void);

// Calls function(a, b, c, d) and returns its result. *instructions = those of the call: the BLX, the body, the return; arguments
// are in their registers before the count begins. UINT32_MAX if the call took longer than the clock lasts.
// It restarts the clock: a reading taken before cannot be compared with one taken after.
uintptr_t counter_call(uint32_t *instructions, counter_function function, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d);

#endif
