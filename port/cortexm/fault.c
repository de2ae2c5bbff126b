// SPDX-License-Identifier: MIT
//
// OWNS        the report of a fault that no program handles, and of abort().
// PICTURE     frame at the faulting stack pointer:  r0 r1 r2 r3 r12 lr pc xpsr
//             fault: BusFault at pc 0x0000012c lr 0x00000117 cfsr 0x00008200 address 0xdead0000
// INVARIANTS  1. Nothing is pushed before the stack is known to have 256 bytes left: the stack may be what overflowed. If it has
//                not, the report starts again at the stack's top, over frames that nobody returns to.
//             2. The frame is read only if it lies in RAM, at the stack's bottom or above: a kernel's tasks have their stacks there. Otherwise
//                the words are reported as overflow.
// COST        it does not return: the program ends with BOARD_FAULT_STATUS.
// CALLERS     the weak handlers in start.c, handler mode. abort(): the program, and the C++ library where nobody catches what was thrown.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "board.h"
#include "semihost.h"

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define SCB_CFSR REGISTER(0xE000ED28u)
#define SCB_MMFAR REGISTER(0xE000ED34u)
#define SCB_BFAR REGISTER(0xE000ED38u)
#define CFSR_MMARVALID (1u << 7)
#define CFSR_BFARVALID (1u << 15)

enum { FRAME_LR = 5, FRAME_PC = 6, FRAME_WORDS = 8 };

extern uint32_t stack_bottom[], stack_top[], bss_end[];

void fault_entry(void);
_Noreturn void fault_report(const uint32_t *frame, uint32_t exception);

static const char *exception_name(uint32_t exception)
{
    switch (exception) {
    case 2: return "NMI";
    case 3: return "HardFault";
    case 4: return "MemManage";
    case 5: return "BusFault";
    case 6: return "UsageFault";
    case 7: return "SecureFault";
    default: return "unexpected interrupt";
    }
}

static bool frame_is_inside(const uint32_t *frame)
{
    const unsigned char *const first = (const unsigned char *)frame;
    const unsigned char *const end = (const unsigned char *)(frame + FRAME_WORDS);
    return (frame >= stack_bottom && frame + FRAME_WORDS <= bss_end) || (first >= cairn_heap_area_start && end <= cairn_heap_area_end);
}

__attribute__((used)) _Noreturn void fault_report(const uint32_t *frame, uint32_t exception)
{
    console_flush();
    semihost_print("fault: ");
    semihost_print(exception_name(exception));
    if (frame_is_inside(frame)) {
        semihost_print_word(" at pc ", frame[FRAME_PC]);
        semihost_print_word(" lr ", frame[FRAME_LR]);
    } else {
        semihost_print_word(", stack overflow, sp ", (uint32_t)(uintptr_t)frame);
    }
#if __ARM_ARCH > 6
    const uint32_t cause = SCB_CFSR;
    semihost_print_word(" cfsr ", cause);
    if (cause & CFSR_BFARVALID)
        semihost_print_word(" address ", SCB_BFAR);
    else if (cause & CFSR_MMARVALID)
        semihost_print_word(" address ", SCB_MMFAR);
#endif
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

// Bit 2 of the return code in LR tells which stack holds the frame. 256 bytes: the report's depth, and its semihosting words.
__attribute__((naked, used)) void fault_entry(void)
{
    __asm__ volatile("mrs r0, msp\n\t"
                     "mov r1, lr\n\t"
                     "movs r2, #4\n\t"
                     "tst r1, r2\n\t"
                     "beq 1f\n\t"
                     "mrs r0, psp\n"
                     "1:\n\t"
                     "mrs r1, ipsr\n\t"
                     "mov r2, sp\n\t"
                     "ldr r3, =stack_bottom\n\t"
                     "adds r3, #255\n\t"
                     "cmp r2, r3\n\t"
                     "bhi 2f\n\t"
                     "ldr r3, =stack_top\n\t"
                     "mov sp, r3\n"
                     "2:\n\t"
                     "ldr r3, =fault_report\n\t"
                     "bx r3\n\t"
                     ".ltorg");
}
