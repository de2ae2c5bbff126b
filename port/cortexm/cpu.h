// SPDX-License-Identifier: MIT
//
// What port/board cannot say in C: the instructions of a Cortex-M core. port/riscv/cpu.h says the same for RISC-V.
//
// OWNS        SysTick, where a program counts instructions: it must not use it otherwise.
// PICTURE     an instruction = 256 ns of virtual time = 6.4 ticks at 25 MHz (mps2-an385, an386, an500)
//                                                     = 5.12 at 20 MHz (mps2-an505) = 4.096 at 16 MHz (microbit)
//             ldr (first reading) | code | movs lsls adds lsls ldr (second reading)
// COST        one to five instructions each, in the code.
// CALLERS     board.h, counter.h, semihost.c, the other files of the port.
#ifndef CAIRN_PORT_CPU_H
#define CAIRN_PORT_CPU_H

#include <stdint.h>

// The MPU region that forbids what lies below the stack, on Armv7-M. Set it up last, or leave it alone.
#define CPU_GUARD_REGION 7

// Returns the stack pointer.
static inline __attribute__((always_inline)) void *cpu_stack_pointer(void)
{
    void *pointer;

    __asm__ volatile("mov %0, sp" : "=r"(pointer));
    return pointer;
}

// One semihosting operation: the number in r0, the address of its words in r1, the answer in r0.
static inline __attribute__((always_inline)) int32_t cpu_semihost(uintptr_t operation, const void *words)
{
    register uintptr_t r0 __asm__("r0") = operation;
    register uintptr_t r1 __asm__("r1") = (uintptr_t)words;

    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory", "cc");
    return (int32_t)r0;
}

// Returns SysTick's 24 bits, which count down. Five instructions, the last of which reads.
static inline __attribute__((always_inline)) uint32_t cpu_ticks(void)
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

// Executes an instruction that does not exist.
static inline __attribute__((always_inline)) void cpu_undefined(void)
{
    __asm__ volatile("udf #0");
}

#endif
