// SPDX-License-Identifier: MIT
//
// OWNS        what a program may ask of the board it runs on: its spare RAM, its stack, its console.
// PICTURE     RAM:  stack_bottom [ painted ... | used ] stack_top | .data | .bss      spare:  [ heap area )
// COST        all O(1) but board_stack_peak, which reads the untouched part of the stack.
// CALLERS     programs under test/target, test/bench and examples; one thread. Each port adds a cpu.h, start.c, fault.c, counter.c and ld/.
#ifndef CAIRN_PORT_BOARD_H
#define CAIRN_PORT_BOARD_H

#include <stddef.h>
#include <stdint.h>

#include "cpu.h"

// Puts an object into the large RAM: static CAIRN_HEAP_AREA unsigned char region[2 << 20]; start-up does not clear it.
#define CAIRN_HEAP_AREA __attribute__((section(".heap_area"), aligned(16)))

extern unsigned char cairn_heap_area_start[];
extern unsigned char cairn_heap_area_end[];

// Returns the first byte of the spare RAM, aligned to 16: 16 MB on virt and the mps2 boards, what .bss leaves over on microbit.
static inline void *board_heap_area(void)
{
    return cairn_heap_area_start;
}

// Returns the bytes of the spare RAM.
static inline size_t board_heap_area_size(void)
{
    return (size_t)((uintptr_t)cairn_heap_area_end - (uintptr_t)cairn_heap_area_start);
}

// Paints the unused part of the stack again, so that board_stack_peak tells about what comes next only.
void board_stack_paint(void);

// Returns how deep the stack has reached below `from` since the last paint (or since reset), in bytes.
// `from` is a board_stack_pointer() of an earlier moment, or NULL for the stack's top.
size_t board_stack_peak(const void *from);

// Returns the stack pointer of the caller.
static inline void *board_stack_pointer(void)
{
    return cpu_stack_pointer();
}

// Hands what stands in the console's line buffers to the host. exit() and a fault do it too.
void console_flush(void);

// A fault handler prints the fault and ends the program with this status.
#define BOARD_FAULT_STATUS 70

#endif
