// SPDX-License-Identifier: MIT
//
// OWNS        what a RISC-V core needs before and beside program.c: its stack and global pointers, its trap vector, its guard.
// PICTURE     reset -> gp, sp, trap vector -> program_run -> ... guard below the stack -> ... main -> exit
// INVARIANTS  1. reset_handler is the first thing in FLASH: the machine starts there.
//             2. Every trap goes to fault_entry, which is weak: a program that takes interrupts defines its own.
// COST        reset runs once.
// CALLERS     the core, at reset, in machine mode. The linker script gives the symbols.
#include <stdint.h>

#include "cpu.h"
#include "program.h"

#define GUARD_BYTES (4u << 20)            // a power of two, and RAM begins at a multiple of it; virt.ld leaves as much free below
#define GUARD_RIGHTS 0x98u                // locked, a range of 2^n bytes, no read, write or execute
#define GUARD_ONES (GUARD_BYTES / 8 - 1)  // in the low bits of the address in words: the range's length

extern uint32_t stack_bottom[];

void reset_handler(void);

// gp is set without the linker's help: it would relax the load to one relative to gp itself.
__attribute__((naked, section(".vectors"), used)) void reset_handler(void)
{
    __asm__ volatile(".option push\n\t"
                     ".option norelax\n\t"
                     "la gp, __global_pointer$\n\t"
                     ".option pop\n\t"
                     "la sp, stack_top\n\t"
                     "la t0, fault_entry\n\t"
                     CPU_CSR("csrw mtvec, t0")
                     "tail program_run");
}

// The stack is the lowest thing in RAM, and what lies below must fault: there the machine has memory, so the PMP's first entry forbids
// it. Only a locked entry binds machine mode: no program can use it before the next reset.
void program_protect(void)
{
    const uintptr_t guard = (uintptr_t)stack_bottom - GUARD_BYTES;

    __asm__ volatile(CPU_CSR("csrw pmpaddr0, %0") : : "r"(guard >> 2 | GUARD_ONES));
    __asm__ volatile(CPU_CSR("csrs pmpcfg0, %0") : : "r"(GUARD_RIGHTS) : "memory");
}
