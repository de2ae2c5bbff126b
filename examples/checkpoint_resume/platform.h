// SPDX-License-Identifier: MIT
//
// What this example needs of the machine it runs on: a file, which is the memory card that goes from one board to the next.
//
// OWNS        nothing.
// CALLERS     main.c. platform_target.c is for a board in QEMU, platform_host.c for this machine.
#ifndef CAIRN_EXAMPLE_PLATFORM_H
#define CAIRN_EXAMPLE_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>

// Read a file, if there is one: at most `size` bytes. Returns how many.
size_t platform_load(const char *path, void *bytes, size_t size);
// Write it. Returns false where that failed.
bool platform_save(const char *path, const void *bytes, size_t size);

#endif
