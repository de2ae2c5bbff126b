// SPDX-License-Identifier: MIT
//
// What a store in NOR flash keeps, in the flash and in RAM.
//
// OWNS: the layout of a block; the map from slots to places; the meaning of a block's flags.
//
// PICTURE:  block   | header | mark | place 0 | place 1 | ... | rest |
//           header  magic, sequence, erases, page, kind, failed blocks, free blocks, sum        programmed right behind the erasure
//           mark    zeros, in a block of copies, when all of them are there
//           place   | slot, sequence of the block, sum of the page, sum of these | page |        the page is programmed first, then what is before it
//     Words are in the machine's order; each part is filled up with ones to a multiple of program_size. Nothing is programmed twice.
//     One bit of a header that changed is put right, a block's or a place's; half the bits of a mark may change; a block whose header is lost keeps its pages. Two
//     changed bits in a place's header lose the place, as if it had never been.
//     A number of a place is block * places + its number in the block.
//
// INVARIANTS: 1. A place counts iff its own sum is right, its slot is one, and its sequence is its block's. Then its page was programmed to the end: if the
//                page has another sum now, bits have changed, and no older page takes its place.
//             2. Of two places of one slot that count, the one of the larger sequence is newer, and in one block the later. Sequences are never used twice.
//             3. The map names the newest place of each slot that is in use; a block's `live` is how often it is named.
//             4. A block of copies (kind COPIES) counts only with its mark. Until then the pages are where they were: given up it costs nothing.
//             5. A block is erased only when it has no live place, and right before it is used.
//             6. Where a block of larger sequence is seen, older ones are not written any more.
//             7. A block that a header names as free holds nothing that is wanted, unless it has a larger sequence than that header; the block that is
//                being copied is named in the header of its copies, which is no header without the mark.
//   No cut of power loses a page: 1, 5. None uses up a spare block: what it was opened for is copies without a mark, or complete, and the block that was
//   copied free: 4.
//   Why 6: a block of copies that a cut has left without a mark may be erased later, and that be cut too, so that its header is gone and its copies are
//   not; they count then (a block whose header is lost keeps its pages), and must be older than whatever was written since.
//   Of such a block nothing is taken that is somewhere else too: it would stand in the way of collecting.
//   Why 7: what was trimmed may be back after a restart, but not in the blocks that collecting needs. And the count of erasures of a block that was being
//   erased is found in the list.
//
// COST: as cairn/store.h says. CALLERS: lib/vm, under the lock of the store's user.
#ifndef CAIRN_VM_FLASH_LAYOUT_H
#define CAIRN_VM_FLASH_LAYOUT_H

#include "cairn/store.h"

#include "base/bits.h"
#include "base/checksum.h"

#define FLASH_MAGIC 0x31464C43u
#define FLASH_UNIT 64u // the largest program_size
#define FLASH_HEADER 128u // the largest header
#define FLASH_FAILED_KEPT 4u
#define FLASH_FREE_KEPT 4u
#define NO_PLACE UINT32_MAX
#define NO_BLOCK UINT32_MAX
#define NARROW_NONE 0xFFFFu
#define ERASES_UNKNOWN UINT32_MAX
#define FLASH_FAILED 1 // the block failed and is out of use: take another

enum { KIND_WRITES = 1, KIND_COPIES = 2 };
enum {
    BLOCK_BAD = 1,       // not used any more
    BLOCK_SUSPECT = 2,   // a program failed in it: bad as soon as nothing in it is live
    BLOCK_UNREADABLE = 4, // a read failed in it: not collected
    BLOCK_PARTIAL = 8,    // while mounting: 4, without its mark
    BLOCK_HEADLESS = 16   // while mounting: its header does not count
};

struct free_block {
    uint32_t block; // NO_BLOCK: none
    uint32_t erases;
};

struct block_header {
    uint32_t magic;
    uint32_t sequence;
    uint32_t erases;
    uint32_t page;
    uint32_t kind;
    uint32_t failed[FLASH_FAILED_KEPT]; // blocks that had failed by then; NO_BLOCK: no more
    struct free_block free[FLASH_FREE_KEPT];
    uint32_t sum;
};

struct place_header {
    uint32_t slot;
    uint32_t sequence;
    uint32_t page_sum;
    uint32_t sum;
};

_Static_assert(sizeof(struct block_header) == 72 && sizeof(struct place_header) == 16, "no holes");
_Static_assert(sizeof(struct cairn_store_flash_block) == 8, "the public header says so");

CAIRN_INLINE uint32_t place_header_sum(const struct place_header *header)
{
    return cairn_checksum_(FLASH_MAGIC, header, offsetof(struct place_header, sum));
}

// The slot's number is in it, so that a page is not taken for another's.
CAIRN_INLINE uint32_t page_sum_of(const struct cairn_store_flash *store, uint32_t slot, const void *page)
{
    return cairn_checksum_(cairn_checksum_(0, &slot, sizeof slot), page, store->store.page);
}

CAIRN_INLINE uint32_t place_offset(const struct cairn_store_flash *store, uint32_t place)
{
    return store->first + place * store->stride;
}

CAIRN_INLINE uint32_t map_get(const struct cairn_store_flash *store, uint32_t slot)
{
    if (store->wide) {
        return ((const uint32_t *)store->map)[slot];
    }
    const uint32_t place = ((const uint16_t *)store->map)[slot];
    return place == NARROW_NONE ? NO_PLACE : place;
}

CAIRN_INLINE void map_set(struct cairn_store_flash *store, uint32_t slot, uint32_t place)
{
    if (store->wide) {
        ((uint32_t *)store->map)[slot] = place;
    } else {
        ((uint16_t *)store->map)[slot] = (uint16_t)place; // NO_PLACE becomes NARROW_NONE
    }
}

// Nothing in it is wanted, and it can be used.
CAIRN_INLINE bool block_is_free(const struct cairn_store_flash *store, uint32_t block)
{
    const struct cairn_store_flash_block *const its = &store->blocks[block];
    return its->live == 0 && (its->flags & (BLOCK_BAD | BLOCK_SUSPECT)) == 0 && block != store->head;
}

// flash_block.c

// Is the sum of a header right? It stands behind `summed` bytes, and begins with `start`. One bit of all may have changed, and is put right then.
bool cairn_flash_sum_is_right_(void *header, uint32_t summed, uint32_t start);
// Read the header of a place. Returns 0, also where it does not count: then header->slot is NO_PLACE; or what the flash's read answered.
int cairn_flash_look_(const struct cairn_store_flash *store, uint32_t block, uint32_t place, struct place_header *header);
// The slot's place is this one now, or NO_PLACE; the block of the old one may be free, or bad, thereby.
void cairn_flash_settle_(struct cairn_store_flash *store, uint32_t slot, uint32_t place);
// Erase a free block and write its header. Returns 0; FLASH_FAILED; CAIRN_EOVERFLOW where sequences are used up.
// victim: what it is to be a copy of; NO_BLOCK: it is opened for writes.
int cairn_flash_open_(struct cairn_store_flash *store, uint32_t block, uint32_t victim);
// Program a page into a place, and nothing else. Returns 0 or what the flash answered.
int cairn_flash_program_(const struct cairn_store_flash *store, uint32_t block, uint32_t place, uint32_t slot, uint32_t page_sum, const void *page);
// All copies are there. Returns 0 or what the flash answered.
int cairn_flash_mark_(const struct cairn_store_flash *store, uint32_t block);
// Has it that mark? Half of its bits are enough, so that a few that change do no harm. Returns 0, 1, or what the flash's read answered.
int cairn_flash_marked_(const struct cairn_store_flash *store, uint32_t block);
// Append a page to the head, which has a place. Returns 0, and the slot is there; FLASH_FAILED.
int cairn_flash_append_(struct cairn_store_flash *store, uint32_t slot, uint32_t page_sum, const void *page);
// The block failed: no more is written to it.
void cairn_flash_retire_(struct cairn_store_flash *store, uint32_t block);

// flash_collect.c

// See to it that the head has a place. Returns 0; CAIRN_ENOMEM; what the flash answered.
int cairn_flash_room_(struct cairn_store_flash *store);

// flash_mount.c

// Find out what is in the flash. Returns 0 or what the flash's read answered.
int cairn_flash_mount_(struct cairn_store_flash *store);

#endif
