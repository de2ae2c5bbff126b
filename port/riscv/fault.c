// SPDX-License-Identifier: MIT
//
// OWNS        the report of a trap that no program handles, and of abort().
// PICTURE     fault: store access at pc 0x80000a3c ra 0x80000a30 cause 0x00000007 value 0xb0000000
//             value: the address, or the instruction that does not exist
// INVARIANTS  1. Nothing is pushed before the stack is known to have 256 bytes left: the stack may be what overflowed. If it has
//                not, the report starts again at the stack's top, over frames that nobody returns to.
// COST        it does not return: the program ends with BOARD_FAULT_STATUS.
// CALLERS     the core, by the trap vector that start.c sets, machine mode. abort(): the program.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "board.h"
#include "semihost.h"

#define CAUSE_INTERRUPT 0x80000000u

extern uint32_t stack_bottom[];

void fault_entry(void);
_Noreturn void fault_report(const uint32_t *stack, uint32_t caller);

static const char *cause_name(uint32_t cause)
{
    switch (cause) {
    case 0: return "misaligned instruction";
    case 1: return "instruction access";
    case 2: return "undefined instruction";
    case 3: return "breakpoint";
    case 4: return "misaligned load";
    case 5: return "load access";
    case 6: return "misaligned store";
    case 7: return "store access";
    case 11: return "environment call";
    default: return cause & CAUSE_INTERRUPT ? "unexpected interrupt" : "unknown trap";
    }
}

// Above the bottom is no overflow: a kernel's tasks have their stacks there.
static bool stack_is_inside(const uint32_t *stack)
{
    return stack >= stack_bottom;
}

__attribute__((used)) _Noreturn void fault_report(const uint32_t *stack, uint32_t caller)
{
    uint32_t cause, pc, value;

    __asm__ volatile(CPU_CSR("csrr %0, mcause") : "=r"(cause));
    __asm__ volatile(CPU_CSR("csrr %0, mepc") : "=r"(pc));
    __asm__ volatile(CPU_CSR("csrr %0, mtval") : "=r"(value));
    console_flush();
    semihost_print("fault: ");
    semihost_print(cause_name(cause));
    semihost_print_word(" at pc ", pc);
    semihost_print_word(" ra ", caller);
    if (!stack_is_inside(stack))
        semihost_print_word(", stack overflow, sp ", (uint32_t)(uintptr_t)stack);
    semihost_print_word(" cause ", cause);
    semihost_print_word(" value ", value);
    semihost_print("\n");
    semihost_exit(BOARD_FAULT_STATUS);
}

// The C library's raises a signal, which needs a kernel.
__attribute__((used)) _Noreturn void abort(void)
{
    console_flush();
    semihost_print("fault: abort\n");
    semihost_exit(BOARD_FAULT_STATUS);
}

// At a multiple of 4, as the trap vector demands. 256 bytes: the report's depth, and its semihosting words.
__attribute__((naked, weak, used, aligned(4))) void fault_entry(void)
{
    __asm__ volatile("mv a0, sp\n\t"
                     "mv a1, ra\n\t"
                     "la t0, stack_bottom + 256\n\t"
                     "bgeu sp, t0, 1f\n\t"
                     "la sp, stack_top\n"
                     "1:\n\t"
                     "tail fault_report");
}
