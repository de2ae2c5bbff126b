// SPDX-License-Identifier: MIT
//
// Two threads that take turns.
// OWNS, INVARIANTS: switch.h. CALLERS: the core, at SysTick; preempt.c.
#include "switch.h"

#include <stdlib.h>

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define SYST_CSR REGISTER(0xE000E010u)
#define SYST_RVR REGISTER(0xE000E014u)
#define SYST_CVR REGISTER(0xE000E018u)
#define CSR_ON 7u // the core's clock, its interrupt, on

#define STACK_WORDS 2048u
#define EXC_RETURN_PSP 0xFFFFFFFDu // to a thread, its process stack, no floating point
#define XPSR_THUMB (1u << 24)

enum { SAVED_WORDS = 9, FRAME_PC = 6, FRAME_XPSR = 7, FRAME_WORDS = 8 };

static uint64_t stack[STACK_WORDS / 2];
static uint32_t *waiting; // the stack pointer of the thread that waits
static uint32_t state;
static uint32_t least;
static uint32_t mask;
static uint32_t count;

void systick_handler(void);
uint32_t *switch_next(uint32_t *sp);

// The next turn's length: xorshift (Marsaglia 2003).
static void turn_begin(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    SYST_RVR = least + (state & mask);
    SYST_CVR = 0; // any value: it starts from the reload value
}

// What waits now is what ran, and the other way round.
__attribute__((used)) uint32_t *switch_next(uint32_t *sp)
{
    uint32_t *const next = waiting;
    waiting = sp;
    count++;
    turn_begin();
    return next;
}

#if __ARM_ARCH > 6

__attribute__((naked)) void systick_handler(void)
{
    __asm__ volatile("mrs r0, psp\n\t"
#if defined(__ARM_FP)
                     "tst lr, #16\n\t"
                     "it eq\n\t"
                     "vstmdbeq r0!, {s16-s31}\n\t"
#endif
                     "stmdb r0!, {r4-r11, lr}\n\t"
                     "bl switch_next\n\t"
                     "ldmia r0!, {r4-r11, lr}\n\t"
#if defined(__ARM_FP)
                     "tst lr, #16\n\t"
                     "it eq\n\t"
                     "vldmiaeq r0!, {s16-s31}\n\t"
#endif
                     "msr psp, r0\n\t"
                     "bx lr");
}

#else

// Armv6-M stores r8 to r11 by way of the low registers. The words lie as above: r4-r7 r8-r11 lr.
__attribute__((naked)) void systick_handler(void)
{
    __asm__ volatile("mrs r0, psp\n\t"
                     "subs r0, #36\n\t"
                     "stmia r0!, {r4-r7}\n\t"
                     "mov r4, r8\n\t"
                     "mov r5, r9\n\t"
                     "mov r6, r10\n\t"
                     "mov r7, r11\n\t"
                     "mov r3, lr\n\t"
                     "stmia r0!, {r4-r7}\n\t"
                     "str r3, [r0]\n\t"
                     "subs r0, #32\n\t"
                     "bl switch_next\n\t"
                     "adds r0, #16\n\t"
                     "ldmia r0!, {r4-r7}\n\t"
                     "mov r8, r4\n\t"
                     "mov r9, r5\n\t"
                     "mov r10, r6\n\t"
                     "mov r11, r7\n\t"
                     "ldr r3, [r0]\n\t"
                     "adds r0, #4\n\t"
                     "msr psp, r0\n\t"
                     "subs r0, #36\n\t"
                     "ldmia r0!, {r4-r7}\n\t"
                     "bx r3");
}

#endif

// A thread stack of its own for the caller: it stays where it is, and interrupts get what is 16 KB below.
static void leave_main_stack(void)
{
    __asm__ volatile("mov r0, sp\n\t"
                     "msr psp, r0\n\t"
                     "movs r1, #2\n\t"
                     "msr control, r1\n\t"
                     "isb\n\t"
                     "movs r1, #1\n\t"
                     "lsls r1, r1, #14\n\t"
                     "subs r0, r0, r1\n\t"
                     "msr msp, r0" ::
                         : "r0", "r1", "memory", "cc");
}

void switch_start(void (*second)(void), uint32_t shortest, uint32_t bits, uint32_t seed)
{
    uint32_t *const frame = (uint32_t *)(void *)stack + STACK_WORDS - FRAME_WORDS;
    frame[FRAME_PC] = (uint32_t)(uintptr_t)second & ~1u;
    frame[FRAME_XPSR] = XPSR_THUMB;
    frame[-1] = EXC_RETURN_PSP;
    waiting = frame - SAVED_WORDS;
    state = seed;
    least = shortest;
    mask = ((uint32_t)1 << bits) - 1;
    leave_main_stack();
    turn_begin();
    SYST_CSR = CSR_ON;
}

void switch_stop(void)
{
    SYST_CSR = 0;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

uint32_t switch_thread(void)
{
    return count & 1;
}

uint32_t switch_count(void)
{
    return count;
}
