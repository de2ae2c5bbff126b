// SPDX-License-Identifier: MIT
//
// The interrupt mask of Arm's M profile, and of RISC-V in machine mode.
// OWNS: nothing. CALLERS: lock.h says who.
#include "lock.h"

#if defined(__arm__) && defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M' && BAREMETAL_LOCK_PRIORITY != 0
#if __ARM_ARCH < 7
#error "BAREMETAL_LOCK_PRIORITY: this core has no BASEPRI, set it to 0"
#endif

uint32_t baremetal_lock(void *context)
{
    uint32_t key;
    (void)context;
    // basepri_max takes the new value only if it masks more: a section inside a stricter one stays as strict.
    __asm__ volatile("mrs %0, basepri\n\tmsr basepri_max, %1\n\tisb" : "=&r"(key) : "r"(BAREMETAL_LOCK_PRIORITY) : "memory");
    return key;
}

void baremetal_unlock(void *context, uint32_t key)
{
    (void)context;
    __asm__ volatile("msr basepri, %0" : : "r"(key) : "memory");
}

#elif defined(__arm__) && defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'

uint32_t baremetal_lock(void *context)
{
    uint32_t key;
    (void)context;
    __asm__ volatile("mrs %0, primask\n\tcpsid i" : "=r"(key) : : "memory");
    return key;
}

void baremetal_unlock(void *context, uint32_t key)
{
    (void)context;
    __asm__ volatile("msr primask, %0" : : "r"(key) : "memory");
}

#elif defined(__riscv)

#define MSTATUS_MIE 8u

// CSRRC was, mstatus, MIE; CSRS mstatus, key. By their names they would need -march=.._zicsr, and not every assembler takes that as an option of a line.
uint32_t baremetal_lock(void *context)
{
    unsigned long was;
    (void)context;
    __asm__ volatile(".insn i 0x73, 3, %0, %1, 0x300" : "=r"(was) : "r"((unsigned long)MSTATUS_MIE) : "memory");
    return (uint32_t)was & MSTATUS_MIE;
}

void baremetal_unlock(void *context, uint32_t key)
{
    (void)context;
    __asm__ volatile(".insn i 0x73, 2, x0, %0, 0x300" : : "r"((unsigned long)key) : "memory");
}

#else
#error "port/baremetal/lock.c: it knows Arm's M profile and RISC-V; write the two functions for this core"
#endif
