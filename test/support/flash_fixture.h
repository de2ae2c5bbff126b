// SPDX-License-Identifier: MIT
//
// A store in emulated flash, and what its slots must hold.
//
// OWNS        one flash of 12 blocks of 236 bytes, its store of pages of 16 bytes (5 places a block), and the model: the turn in which each slot was written.
// PICTURE     power on: the store is made of what the flash holds -> writes and trims, which the model follows -> a cut -> power on -> the slots are as
//             the model says
// INVARIANTS  1. A slot holds what was written last, and nothing else. After a trim it may hold anything, or be corrupt.
//             2. One write may have been under way when the power went: its slot holds that or what it held.
//             3. The rules of the flash were never broken.
// COST        5 KB of RAM.
// CALLERS     test/unit/test_store_flash*.c.
#ifndef CAIRN_TEST_FLASH_FIXTURE_H
#define CAIRN_TEST_FLASH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cairn/store.h"
#include "flash.h"
#include "prng.h"
#include "scale.h"

#define FX_BLOCKS 12u
#define FX_ERASE 236u
#define FX_PLACES 5u
#define FX_PAGE 16u
#define FX_SLOTS 64u  // at most
#define FX_ANY 0u     // a turn: the slot may hold anything

struct flash_fixture {
    struct flash flash;
    struct cairn_store_flash store;
    struct cairn_store_flash_config config;
    uint32_t turn;             // of the last write
    uint32_t turns[FX_SLOTS];  // what each slot holds
    uint32_t pending;          // slot whose write was not answered with 0; config.slots: none
};

extern struct flash_fixture fx;
extern unsigned char fx_bytes[FX_BLOCKS * FX_ERASE];

// A blank flash of so many blocks and a store of so many slots in it, with default spare and spread.
void fx_make(uint32_t blocks, uint32_t slots, bool remembers);
// The store of what the flash holds now. The power is on.
void fx_mount(void);
// Write a slot for another turn. Returns what write answered.
int fx_write(uint32_t slot);
void fx_trim(uint32_t slot);
// Every slot is as the model says; of a pending one the model takes over what it holds. Returns false, and says which is not.
bool fx_holds(void);
// The bytes of a write.
void fx_fill(unsigned char *page, uint32_t slot, uint32_t turn);

#endif
