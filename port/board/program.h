// SPDX-License-Identifier: MIT
//
// The way from a core that has just been reset to main() and out again.
//
// OWNS        nothing.
// PICTURE     reset_handler (port) -> program_run -> .data, .bss, thread-local base, stack painted -> program_protect (port)
//                                                 -> argv -> main -> exit
// CALLERS     the start-up of each port.
#ifndef CAIRN_PORT_PROGRAM_H
#define CAIRN_PORT_PROGRAM_H

// Runs the program. pre: the stack pointer stands at stack_top, floating point works where it is used.
_Noreturn void program_run(void);

// The port's: names the faults and guards what lies below the stack. Variables are initialised, the stack is painted.
void program_protect(void);

#endif
