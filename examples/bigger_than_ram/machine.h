// SPDX-License-Identifier: MIT
//
// A vm with few page frames, a space with the array and the index in it, and a store for the pages that have no frame.
//
// OWNS        the vm, its frames, the store.
// PICTURE     frames: 16 KB, the RAM that there is        store: 512 KB elsewhere, as external RAM would be: only whole pages go in and out
//             space:  | - | array, 256 KB | .. | index, 4 KB | .. |
// CALLERS     main.c, way_*.c.
#ifndef CAIRN_EXAMPLE_MACHINE_H
#define CAIRN_EXAMPLE_MACHINE_H

#include <cairn/vm.h>

#define MACHINE_PAGE_SHIFT 9u // 512 bytes
#define MACHINE_FRAMES 32u    // 16 KB
#define MACHINE_ARRAY 0x10000u
#define MACHINE_INDEX 0x60000u

struct machine {
    struct cairn_vm vm;
    struct cairn_space space;
    struct cairn_mapping array;
    struct cairn_mapping index;
};
extern struct machine machine;

// Make it, with nothing in it. Every time anew.
void machine_start(void);

// Say why, and end the program.
_Noreturn void machine_stop(const char *why);

#endif
