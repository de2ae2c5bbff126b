// SPDX-License-Identifier: MIT
//
// What this example needs of the machine it runs on: a count of the instructions.
//
// OWNS        the stopwatch.
// CALLERS     main.c; work.h and machine.c take laps. platform_target.c is for a board in QEMU, platform_host.c for this machine.
#ifndef CAIRN_EXAMPLE_PLATFORM_H
#define CAIRN_EXAMPLE_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

// Get ready. Returns whether instructions can be counted.
bool platform_begin(void);

// Start the stopwatch at 0. platform_stop: instructions since then.
void platform_start(void);
uint64_t platform_stop(void);
// To be called at least every 2,000,000 instructions: the clock is short. Does nothing where nothing is counted.
void platform_lap(void);

#endif
