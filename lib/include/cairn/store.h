// SPDX-License-Identifier: MIT
//
// Stores: slots of one page each in memory and in NOR flash, and one that checks another.
//
// VITALS
//   a store       a struct that the caller owns; its `store` is what a vm is given. It stays where it is while anybody uses that.
//   memory        a slot costs: RAM its page; checked 4 bytes, or none; flash 2 bytes (4 where there are 65535 places or more), and 8 a block, and one page
//   time          RAM and checked O(page). Flash: read O(page); a write that finds no room collects first: at most 2 blocks of pages are copied and 3
//                 erased, and more only while the blocks that failed since are made up for
//   power         flash: after a cut at any moment a slot holds what it held or what was being written, and all whose write had returned is there
//   threads, ISR  none of its own: the lock of whoever uses the store
//   stack         no recursion; at most 200 bytes, and what the port takes
#ifndef CAIRN_STORE_H
#define CAIRN_STORE_H

#include "cairn/port.h"

#ifdef __cplusplus
extern "C" {
#endif

// ---- RAM

struct cairn_store_ram {
    struct cairn_port_store store;
    unsigned char *slots; // of the caller's
};

// Make a store of `slots` slots of `page` bytes in memory: RAM, PSRAM, any that is plainly read and written, of any alignment. It holds what the memory holds.
// Returns 0; fails with CAIRN_EINVAL iff ram or memory is NULL, or page or slots is 0; CAIRN_ENOMEM iff they do not fit in `size` bytes. O(1).
CAIRN_MUST_CHECK int cairn_store_ram_init(struct cairn_store_ram *ram, void *memory, size_t size, uint32_t page, uint32_t slots);

// ---- checked

// Bytes of an underlying slot that a seal takes.
#define CAIRN_STORE_SEAL 8u

// Zero means none.
struct cairn_store_checked_config {
    const struct cairn_port_store *under;
    uint32_t *sums;       // under->slots words of RAM; NULL: none are kept there
    unsigned char *sealed; // under->page bytes of RAM; NULL: pages are not sealed
};

struct cairn_store_checked {
    struct cairn_port_store store;
    const struct cairn_port_store *under;
    uint32_t *sums;
    unsigned char *sealed;
    uint32_t generation; // of the last write; counts modulo 2^32
};

// Check what another store hands back. With `sums` the checksum of each page is kept in RAM: what is read is what was written last, or CAIRN_ECORRUPT, but for
// one chance in 2^32; that holds for pages that changed, went to another slot, or never arrived. Slots that were not written since init, or were trimmed, are
// not checked. With `sealed` a slot ends in a seal of CAIRN_STORE_SEAL bytes, made of the page, the slot's number and a generation that each write has its own
// of, and the page is so much smaller: that survives a restart, but an older page of the same slot passes; a slot that nobody ever wrote is CAIRN_ECORRUPT. With
// both, a write that never arrived is found although it wrote the same bytes.
// Errors of the store under it pass through. Returns 0; fails with CAIRN_EINVAL iff checked, config or config->under is NULL, both sums and sealed are, or there
// is no room for a seal and a page. O(slots).
CAIRN_MUST_CHECK int cairn_store_checked_init(struct cairn_store_checked *checked, const struct cairn_store_checked_config *config);

#ifdef __cplusplus
}
#endif

#endif
