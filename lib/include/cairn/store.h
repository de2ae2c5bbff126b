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
//   stack         no recursion, no page on it; less than 600 bytes, and what the port takes
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

// ---- NOR flash
//
// A log: what is written goes behind what was written before, and a block in which little is still wanted is copied into another and erased. Each block
// has (erase_size - 76) / (page + 16) places, where program_size is 1, 2 or 4 (cairn_store_flash_stats says). Of B good blocks `spare` are kept free, and one
// place more: capacity = (B - spare) * places - 1 slots can be in use at once. The nearer to it, the more is copied. Pages programmed for each that is
// written, in blocks of 14 to 60 places (test_store_flash_figures prints them):
//     in use                                       half       three quarters    nine tenths of the capacity
//     all slots written alike                      1.2        1.9 to 2.2        3.9 to 4.9
//     nine of ten writes go to a tenth of them     1.6        2.5 to 2.8        4.7 to 5.7
// So slots for half to three quarters of the capacity are good. More slots than the capacity share it, and a write may be refused.

// Zero means the default.
struct cairn_store_flash_config {
    const struct cairn_port_flash *flash; // stays while the store is used
    uint32_t page;                        // bytes, a multiple of program_size
    uint32_t slots;
    uint32_t spare;  // blocks kept free; 0: 2. One is for collecting, each further one for a block that fails before it is made up for
    uint32_t spread; // how far the least worn block in use may lag behind, in erasures, before its pages are moved; 0: 8
};

// One block. Read-only for the caller.
struct cairn_store_flash_block {
    uint32_t erases; // as far as is known
    uint16_t live;   // places whose page is a slot's
    uint16_t flags;
};

// The store. Read-only for the caller, and where it is.
struct cairn_store_flash {
    struct cairn_port_store store;
    const struct cairn_port_flash *flash;
    struct cairn_store_flash_block *blocks;
    void *map;             // slot -> place
    unsigned char *buffer; // a page
    bool wide;             // the map has words of 32 bits
    int failed;            // what the last block that failed answered
    uint32_t header, mark, first; // bytes of a block's header; of its mark; before its first place
    uint32_t prefix, stride;      // bytes of a place before its page; of all of it
    uint32_t places;              // of a block
    uint32_t spare, spread;
    uint32_t head, next; // the block that is written, and its next place
    uint32_t sequence;   // of the block that was opened last
    uint32_t live, good; // slots in use; blocks that have not failed
    uint32_t writes, copies, erases;
};

// Bytes of memory that a store takes, to be aligned to 4. Returns 0 iff cairn_store_flash_init would refuse the config.
size_t cairn_store_flash_size(const struct cairn_store_flash_config *config);

// Make a store of what is in the flash: blocks that hold nothing of this layout, page size or order of bytes are free; the newest whole page of each slot counts.
// Slots that were trimmed may be back, with an older content of theirs: trim those that are not wanted. The flash is not changed.
// Bits that change: a page that changed is CAIRN_ECORRUPT when it is read, before and after it was copied. One changed bit beside the pages does no harm; two in
// the 16 bytes before a page lose it, and the slot may hold an older one. Failed blocks are kept in mark_bad, and the first four in the flash itself.
// Returns 0; fails with CAIRN_EINVAL iff a pointer is NULL, memory is not aligned to 4, or a size is not as struct cairn_port_flash and the config say;
// CAIRN_ENOMEM iff size is too small, no place fits into a block, or there are not two blocks more than are spare; CAIRN_EOVERFLOW iff there are more than
// 65535 places in a block or 2^32 - 2 in all; what the flash's read answers. O(places), and two looks at the flash for each.
CAIRN_MUST_CHECK int cairn_store_flash_init(struct cairn_store_flash *store, const struct cairn_store_flash_config *config, void *memory, size_t size);

// Make room for a write now, so that the next one need not. Returns as a write does: 0; CAIRN_ENOMEM iff nothing can be collected; what the flash answered.
int cairn_store_flash_prepare(struct cairn_store_flash *store);

struct cairn_store_flash_stats {
    uint32_t capacity;     // slots that can be in use at once
    uint32_t live;         // slots in use
    uint32_t places;       // of a block
    uint32_t free_blocks;  // with nothing in them, or nothing that is wanted
    uint32_t bad_blocks;   // not used any more
    uint32_t erases_least; // of a block that is not bad, as far as is known: a cut of power in an erasure can lose a block's count, which is then taken from
    uint32_t erases_most;  // what the other blocks say, or to be the largest
    uint32_t writes;       // pages written since init
    uint32_t copies;       // pages copied
    uint32_t erases;       // blocks erased
};

// Read the figures. O(blocks).
CAIRN_SAME_NAME(void cairn_store_flash_stats(const struct cairn_store_flash *store, struct cairn_store_flash_stats *stats);)

#ifdef __cplusplus
}
#endif

#endif
