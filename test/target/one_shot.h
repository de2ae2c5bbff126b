// SPDX-License-Identifier: MIT
//
// One interrupt, a number of ticks from now: for tests that strike at every instruction of a call (-icount shift=8: a tick is less than an instruction).
//
// OWNS        SysTick. The test defines systick_handler, which calls one_shot_taken first.
// CALLERS     tests on QEMU's Cortex-M machines.
#ifndef CAIRN_TEST_ONE_SHOT_H
#define CAIRN_TEST_ONE_SHOT_H

#include <stdint.h>

#define ONE_SHOT_REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
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

// In the handler: a short delay ends again on the way there.
static inline void one_shot_taken(void)
{
    SYST_CSR = 0;
    SCB_ICSR = ICSR_FORGET_TICK;
}

// Behind the call: it may be pending, and not taken.
static inline void one_shot_disarm(void)
{
    one_shot_taken();
    __asm__ volatile("" ::: "memory");
}

#endif
