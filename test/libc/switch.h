// SPDX-License-Identifier: MIT
//
// Two threads on a Cortex-M, which SysTick takes turns with: what a test of locks needs of a kernel.
//
// OWNS        SysTick, PSP, and a stack for the second thread.
// PICTURE     main, on a stack pointer of its own from switch_start on  |  SysTick  |  the second thread  |  SysTick  |  main ...
//             a thread that waits:  sp -> [ r4-r11, exc_return ( s16-s31 ) ][ r0-r3 r12 lr pc xpsr ( s0-s15 fpscr ) ] pushed by the core
// INVARIANTS  1. The time to the next switch is drawn anew at each one, so that over many of them every instruction is the last one of a turn.
// COST        some 40 instructions a switch.
// CALLERS     preempt.c, lock.c.
#ifndef CAIRN_TEST_SWITCH_H
#define CAIRN_TEST_SWITCH_H

#include <stdint.h>

// Start `second` as a thread, and take turns with the caller's: each is `shortest` to `shortest` + 2^bits - 1 ticks of the core's clock. `second` must not
// return. It ends with the program.
void switch_start(void (*second)(void), uint32_t shortest, uint32_t bits, uint32_t seed);

// Stop taking turns: only the caller's thread goes on.
void switch_stop(void);

// Switches so far.
uint32_t switch_count(void);

// Which thread calls: 0 the one that started, 1 the second. Interrupts held off, or it may be another by now.
uint32_t switch_thread(void);

#endif
