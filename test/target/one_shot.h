// SPDX-License-Identifier: MIT
//
// One interrupt, a number of ticks from now: for tests that strike at every instruction of a call (-icount shift=8: a tick is less than an instruction).
//
// OWNS        SysTick, or the machine timer of RISC-V, and the trap vector there. The test defines one_shot_struck, which calls one_shot_taken first.
// PICTURE     Cortex-M  an instruction is 4 ticks or more: SysTick counts down to 0 -> systick_handler -> one_shot_struck
//             RISC-V    an instruction is 2.56 ticks: mtime reaches mtimecmp -> fault_entry -> one_shot_struck; any other trap is reported as ever
// CALLERS     tests on QEMU's machines; one file of a program includes it.
#ifndef CAIRN_TEST_ONE_SHOT_H
#define CAIRN_TEST_ONE_SHOT_H

#include <stdint.h>

#include "cpu.h"

#define ONE_SHOT_REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

// In the interrupt. place: the instruction that it came before.
void one_shot_struck(uint32_t place);

// one_shot_arm: `ticks` is 1 at least. one_shot_taken, in the handler: the interrupt does not come again, though a short delay ends again on the way there.

#if defined(__riscv)

#define MTIMECMP 0x02004000u // QEMU virt: the CLINT's, of the first core
#define MTIME 0x0200BFF8u
#define NEVER 0xFFFFFFFFu
#define MIE_TIMER 0x80u
#define MSTATUS_ON 8u
#define CAUSE_TIMER 0x80000007u

void fault_entry(void);
_Noreturn void fault_report(const uint32_t *stack, uint32_t caller);

// The high words are 0: a test takes less than 2^32 ticks, seven minutes of the machine's time.
static inline void one_shot_arm(uint32_t ticks)
{
    ONE_SHOT_REGISTER(MTIMECMP + 4) = NEVER;
    __asm__ volatile(CPU_CSR("csrs mie, %0") CPU_CSR("csrs mstatus, %1") : : "r"(MIE_TIMER), "r"(MSTATUS_ON) : "memory");
    ONE_SHOT_REGISTER(MTIMECMP) = ONE_SHOT_REGISTER(MTIME) + ticks;
    ONE_SHOT_REGISTER(MTIMECMP + 4) = 0;
}

static inline void one_shot_taken(void)
{
    ONE_SHOT_REGISTER(MTIMECMP + 4) = NEVER;
}

__attribute__((interrupt("machine"), used, aligned(4))) void fault_entry(void)
{
    uint32_t cause, place;

    __asm__ volatile(CPU_CSR("csrr %0, mcause") CPU_CSR("csrr %1, mepc") : "=r"(cause), "=r"(place));
    if (cause != CAUSE_TIMER)
        fault_report(cpu_stack_pointer(), 0);
    one_shot_struck(place);
}

#else

#define SYST_CSR ONE_SHOT_REGISTER(0xE000E010u)
#define SYST_RVR ONE_SHOT_REGISTER(0xE000E014u)
#define SYST_CVR ONE_SHOT_REGISTER(0xE000E018u)
#define SCB_ICSR ONE_SHOT_REGISTER(0xE000ED04u)
#define ICSR_FORGET_TICK (1u << 25)
#define CSR_ON 7u // enabled, interrupt, core clock

void systick_handler(void);

static inline void one_shot_arm(uint32_t ticks)
{
    SYST_CSR = 0;
    SYST_RVR = ticks;
    SYST_CVR = 0;
    SYST_CSR = CSR_ON;
}

static inline void one_shot_taken(void)
{
    SYST_CSR = 0;
    SCB_ICSR = ICSR_FORGET_TICK;
}

// The frame that the core pushed: r0-r3 r12 lr pc xpsr.
__attribute__((naked, used)) void systick_handler(void)
{
    __asm__ volatile("ldr r0, [sp, #24]\n\t"
                     "ldr r1, =one_shot_struck\n\t"
                     "bx r1\n\t"
                     ".ltorg");
}

#endif

// Behind the call: it may be pending, and not taken.
static inline void one_shot_disarm(void)
{
    one_shot_taken();
    __asm__ volatile("" ::: "memory");
}

#endif
