// SPDX-License-Identifier: MIT
//
// What port/board cannot say in C: the instructions of a RISC-V core in machine mode. port/cortexm/cpu.h says the same for Cortex-M.
//
// OWNS        nothing: minstret runs since reset, and nobody writes it.
// PICTURE     csrr (first reading) | code | csrr (second reading)
// COST        one to three instructions each, in the code.
// CALLERS     board.h, counter.h, semihost.c, the other files of the port.
#ifndef CAIRN_PORT_CPU_H
#define CAIRN_PORT_CPU_H

#include <stdint.h>

// The assembler wants the extension of the control and status registers named, where the compiler's -march does not.
#define CPU_CSR(instruction) ".option push\n\t.option arch, +zicsr\n\t" instruction "\n\t.option pop\n\t"

// Returns the stack pointer.
static inline __attribute__((always_inline)) void *cpu_stack_pointer(void)
{
    void *pointer;

    __asm__ volatile("mv %0, sp" : "=r"(pointer));
    return pointer;
}

// One semihosting operation: the number in a0, the address of its words in a1, the answer in a0. An EBREAK is one where it stands
// between these two shifts, all three four bytes long and in the same page: at a multiple of 16 they are.
static inline __attribute__((always_inline)) int32_t cpu_semihost(uintptr_t operation, const void *words)
{
    register uintptr_t a0 __asm__("a0") = operation;
    register uintptr_t a1 __asm__("a1") = (uintptr_t)words;

    __asm__ volatile(".balign 16\n\t"
                     ".option push\n\t"
                     ".option norvc\n\t"
                     "slli zero, zero, 0x1f\n\t"
                     "ebreak\n\t"
                     "srai zero, zero, 7\n\t"
                     ".option pop"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return (int32_t)a0;
}

// Returns the low word of minstret, which counts up.
static inline __attribute__((always_inline)) uint32_t cpu_ticks(void)
{
    uint32_t ticks;

    __asm__ volatile(CPU_CSR("csrr %0, minstret") : "=r"(ticks) : : "memory");
    return ticks;
}

// Executes an instruction that does not exist.
static inline __attribute__((always_inline)) void cpu_undefined(void)
{
    __asm__ volatile("unimp");
}

#endif
