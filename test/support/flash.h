// SPDX-License-Identifier: MIT
//
// NOR flash in RAM, which keeps its rules, wears, tears and fails.
//
// OWNS        what the test gives it: bytes, a count of erasures and a flag for each block.
// PICTURE     operations (programs and erasures) are numbered from 0; the test says which one fails, and at which one the power is cut
// INVARIANTS  1. Each breach of the rules is counted: outside a block, not in whole units, a unit that is not blank.
//             2. What a cut leaves is one of enum flash_tear; after it no operation does anything, until flash_power.
//             3. A block in which an operation failed fails for ever.
// COST        a byte for a byte, 5 for a block.
// CALLERS     tests of stores in flash.
#ifndef CAIRN_TEST_FLASH_H
#define CAIRN_TEST_FLASH_H

#include "cairn/port.h"

#define FLASH_NEVER UINT32_MAX
#define FLASH_ERROR (-5)

// What of an operation is done when the power is cut.
enum flash_tear {
    TEAR_NOTHING,
    TEAR_FRONT, // the first half of its bytes; `torn_bytes` of them where that is not 0
    TEAR_BACK,  // the second half
    TEAR_BITS,  // every second bit
    TEAR_ALL,   // all; but nobody was told
    TEARS
};

struct flash {
    struct cairn_port_flash port;
    unsigned char *bytes;
    uint32_t *erases;     // of each block
    unsigned char *flags; // of each block
    uint32_t operations;  // so far
    uint32_t cut_at, fail_at, reads, fail_read_at;
    uint32_t torn_bytes;
    enum flash_tear tear;
    bool dead;
    uint32_t breaches;
};

// A new flash, blank, without faults. remembers: it has is_bad and mark_bad.
void flash_init(struct flash *flash, unsigned char *bytes, uint32_t *erases, unsigned char *flags, uint32_t blocks, uint32_t erase_size, uint32_t program_size,
                bool remembers);

// The power is on again; operations count from 0, and none is to fail.
void flash_power(struct flash *flash);

// From now on the block fails.
void flash_break(struct flash *flash, uint32_t block);

// The largest count of erasures, less the smallest.
uint32_t flash_spread(const struct flash *flash);

#endif
