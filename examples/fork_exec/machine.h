// SPDX-License-Identifier: MIT
//
// A machine for the example's program: the seven instructions of RV32I that it has. Its memory is the current space of a vm.
#ifndef EXAMPLE_MACHINE_H
#define EXAMPLE_MACHINE_H

#include <cairn/access.h>

// Run from an address until the program makes a call to its system. Returns 0, and what it left in a0; or the error of an access, CAIRN_ENOTSUP: an instruction
// that is none of those, or too many of them.
int machine_run(struct cairn_vm *vm, uint32_t entry, uint32_t sp, uint32_t most, uint32_t *result);

#endif
