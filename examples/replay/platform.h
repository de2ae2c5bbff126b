// SPDX-License-Identifier: MIT
//
// What the replay example needs of the machine it runs on.
//
// OWNS        one open file, the large memory, the tallies.
// CALLERS     main.c, picture.c. platform_target.c is for a board in QEMU, platform_host.c for this machine.
#ifndef CAIRN_EXAMPLE_PLATFORM_H
#define CAIRN_EXAMPLE_PLATFORM_H

#include "replay.h"

// Instructions of the calls of one kind.
#define TALLY_WIDTH 20u  // instructions a bar
#define TALLY_BARS 16u   // and one for all that is longer
struct tally {
    const char *name;
    uint32_t calls;
    uint32_t longest;
    uint64_t sum;
    uint32_t bars[TALLY_BARS + 1];
};

enum { TALLY_MALLOC = 0, TALLY_FREE, TALLY_REALLOC, TALLIES };
extern struct tally platform_tallies[TALLIES];

static inline void tally_add(struct tally *tally, uint32_t instructions)
{
    const uint32_t bar = instructions / TALLY_WIDTH;
    tally->calls++;
    tally->sum += instructions;
    tally->longest = instructions > tally->longest ? instructions : tally->longest;
    tally->bars[bar < TALLY_BARS ? bar : TALLY_BARS]++;
}

// The calls to replay with. Those of a board that counts fill the tallies.
extern const struct replay_calls platform_calls;

// Who runs this: "Cortex-M4", say.
const char *platform_name(void);

// Get ready. Returns whether instructions are counted.
bool platform_begin(void);

// Open a file of the host for reading from its start; open again: from its start again. Returns false iff it cannot be opened.
bool platform_open(const char *path);
size_t platform_read(void *context, void *bytes, size_t size); // a trace_read_function

// The large memory, aligned to 16, and its bytes.
unsigned char *platform_memory(size_t *size);

#endif
