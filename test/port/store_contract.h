// SPDX-License-Identifier: MIT
//
// The contract of struct cairn_port_store, as a run that any store passes.
//
// OWNS        nothing; leaves every slot trimmed.
// CALLERS     test/unit/test_store_*.c, test/port/test_file_store.c; whoever writes a store of his own.
#ifndef CAIRN_TEST_STORE_CONTRACT_H
#define CAIRN_TEST_STORE_CONTRACT_H

#include "cairn/port.h"

// Returns NULL, or what does not hold. pages: room for two. The store has room for all its slots at once.
const char *contract_store(const struct cairn_port_store *store, unsigned char *pages);

// What belongs into byte `at` of a slot that was written for the turn-th time.
static inline unsigned char contract_byte(uint32_t slot, uint32_t turn, uint32_t at)
{
    const uint32_t mixed = (slot * 2654435761u ^ turn * 2246822519u ^ at * 3266489917u) * 668265263u;
    return (unsigned char)(mixed >> 24);
}

#endif
