// SPDX-License-Identifier: MIT
//
// Finding out what is in the flash: after a reset, or of a flash that was something else before.
//
// OWNS: nothing. The INVARIANTS are in flash_layout.h. Nothing that is read is believed but by its sum; nothing is changed.
// COST: reads a header for each place, one more for each that is not a slot's first, and one block to its blank end.
// CALLERS: store_flash.c.
#include "vm/flash_layout.h"

#include <string.h>

#define CHUNK 32u

// The newest block so far, if it can be written on.
struct newest {
    uint32_t sequence;
    uint32_t block;
    uint32_t listed; // sequence of the newest header that counts, and its lists
    uint32_t failed[FLASH_FAILED_KEPT];
    struct free_block free[FLASH_FREE_KEPT];
};

static void note_sequence(struct newest *newest, uint32_t sequence, uint32_t block)
{
    if (sequence >= newest->sequence) {
        newest->block = sequence > newest->sequence ? block : NO_BLOCK; // 6; two of one sequence are not of this store's making
        newest->sequence = sequence;
    }
}

// A place that counts: it is the slot's, if it is the newest so far. Places of one block come in order. headless: and if it is not the same page once more.
static int take_place(struct cairn_store_flash *store, uint32_t block, uint32_t place, const struct place_header *header, bool headless)
{
    const uint32_t known = map_get(store, header->slot);
    if (known != NO_PLACE) {
        struct place_header old;
        const int error = cairn_flash_look_(store, known / store->places, known % store->places, &old);
        if (error != 0) {
            return error;
        }
        if (old.slot == header->slot && (old.sequence > header->sequence || (old.sequence == header->sequence && known / store->places != block))) {
            return 0;
        }
        if (headless && old.slot == header->slot && old.page_sum == header->page_sum) {
            return 0;
        }
    }
    cairn_flash_settle_(store, header->slot, block * store->places + place);
    return 0;
}

static const struct free_block *find_free(const struct newest *newest, uint32_t block)
{
    for (uint32_t i = 0; i < FLASH_FREE_KEPT; i++) {
        if (newest->free[i].block == block) {
            return &newest->free[i];
        }
    }
    return NULL;
}

// Read the header of a block. Returns 1: it counts; 0: it does not; or what the flash's read answered.
static int read_header(const struct cairn_store_flash *store, uint32_t block, struct block_header *header)
{
    const int error = store->flash->read(store->flash->context, block, 0, header, sizeof *header);
    if (error != 0) {
        return error == CAIRN_ECORRUPT ? 0 : error;
    }
    const uint32_t other = header->magic ^ FLASH_MAGIC;
    return (other & (other - 1)) == 0 // what is no header at all is not worth the time
           && cairn_flash_sum_is_right_(header, offsetof(struct block_header, sum), 0) && header->magic == FLASH_MAGIC && header->page == store->store.page;
}

// Read the header of a block, and note what it says.
static int scan_header(struct cairn_store_flash *store, uint32_t block, struct newest *newest)
{
    const struct cairn_port_flash *const flash = store->flash;
    struct cairn_store_flash_block *const its = &store->blocks[block];
    struct block_header header;
    *its = (struct cairn_store_flash_block){.erases = ERASES_UNKNOWN};
    if (flash->is_bad != NULL && flash->is_bad(flash->context, block)) {
        its->flags = BLOCK_BAD;
        store->good--;
        return 0;
    }
    const int counts = read_header(store, block, &header);
    if (counts != 1) {
        its->flags = BLOCK_HEADLESS;
        return counts;
    }
    its->erases = header.erases == ERASES_UNKNOWN ? ERASES_UNKNOWN - 1 : header.erases;
    const int whole = header.kind == KIND_COPIES ? cairn_flash_marked_(store, block) : 1;
    if (whole < 0) {
        return whole;
    }
    if (whole == 1 && header.sequence > newest->listed) {
        newest->listed = header.sequence;
        memcpy(newest->failed, header.failed, sizeof newest->failed);
        memcpy(newest->free, header.free, sizeof newest->free);
    }
    its->flags = whole == 1 ? 0 : BLOCK_PARTIAL;
    note_sequence(newest, header.sequence, whole == 1 ? block : NO_BLOCK);
    return 0;
}

// Take what a block holds. Without a header its places count by themselves.
static int scan_places(struct cairn_store_flash *store, uint32_t block, struct newest *newest)
{
    struct block_header whole;
    const int counts = read_header(store, block, &whole);
    const bool is_free = find_free(newest, block) != NULL;
    int error = counts < 0 ? counts : 0;
    for (uint32_t place = 0; place < store->places && error == 0; place++) {
        struct place_header header;
        error = cairn_flash_look_(store, block, place, &header);
        if (error != 0 || header.slot == NO_PLACE || (counts == 1 && header.sequence != whole.sequence)) {
            continue;
        }
        if (counts == 0) {
            note_sequence(newest, header.sequence, NO_BLOCK);
        }
        if (!is_free || header.sequence > newest->listed) { // 7
            error = take_place(store, block, place, &header, counts == 0);
        }
    }
    return error;
}

// Is all of this erased? What cannot be read is not.
static int is_blank(const struct cairn_store_flash *store, uint32_t block, uint32_t offset, uint32_t size)
{
    for (uint32_t done = 0; done < size; done += CHUNK) {
        unsigned char chunk[CHUNK];
        const uint32_t part = size - done < CHUNK ? size - done : CHUNK;
        const int error = store->flash->read(store->flash->context, block, offset + done, chunk, part);
        if (error != 0) {
            return error == CAIRN_ECORRUPT ? 0 : error;
        }
        for (uint32_t i = 0; i < part; i++) {
            if (chunk[i] != 0xFF) {
                return 0;
            }
        }
    }
    return 1;
}

// The newest block is written on behind the last place that is not blank.
static int resume(struct cairn_store_flash *store, uint32_t block)
{
    uint32_t place = store->places;
    int blank = 1;
    while (place != 0 && blank == 1) {
        blank = is_blank(store, block, place_offset(store, place - 1), store->stride);
        place -= blank == 1;
    }
    if (blank >= 0 && place < store->places) {
        store->head = block;
        store->next = place;
    }
    return blank < 0 ? blank : 0;
}

// The count of a block without a header, of which the list says more, if it is there: it was free. One that is not blank was being erased, or is not of this store's
// making; if it is not in the list, it is not taken for the least worn. One that is blank was never used, or erased and not opened: it has no more than the others
// do not account for, as each time that a block is opened takes a sequence.
static uint32_t guess_one(const struct cairn_store_flash *store, uint32_t block, const struct free_block *listed, uint32_t most, uint32_t lost)
{
    const bool blank = is_blank(store, block, 0, store->header) == 1;
    const uint32_t its = listed != NULL ? listed->erases + (blank ? 0 : 1) : blank ? lost : most;
    return its < most ? its : most;
}

static void guess_erases(struct cairn_store_flash *store, const struct newest *newest)
{
    uint32_t lost = newest->sequence;
    uint32_t most = 0;
    for (uint32_t block = 0; block < store->flash->blocks; block++) {
        const uint32_t its = store->blocks[block].erases;
        if (its != ERASES_UNKNOWN) {
            most = its > most ? its : most;
            lost -= its < lost ? its : lost;
        }
    }
    for (uint32_t block = 0; block < store->flash->blocks; block++) {
        uint32_t *const its = &store->blocks[block].erases;
        *its = *its != ERASES_UNKNOWN ? *its : guess_one(store, block, find_free(newest, block), most, lost);
    }
}

// Blocks that had failed are not tried again.
static void retire_failed(struct cairn_store_flash *store, struct newest *newest)
{
    for (uint32_t i = 0; i < FLASH_FAILED_KEPT; i++) {
        const uint32_t block = newest->failed[i];
        if (block < store->flash->blocks && (store->blocks[block].flags & (BLOCK_BAD | BLOCK_SUSPECT)) == 0) {
            cairn_flash_retire_(store, block);
            newest->block = newest->block == block ? NO_BLOCK : newest->block;
        }
    }
}

CAIRN_NOINLINE int cairn_flash_mount_(struct cairn_store_flash *store)
{
    struct newest newest = {.block = NO_BLOCK};
    memset(newest.failed, 0xFF, sizeof newest.failed);
    memset(newest.free, 0xFF, sizeof newest.free);
    for (uint32_t slot = 0; slot < store->store.slots; slot++) {
        map_set(store, slot, NO_PLACE);
    }
    for (uint32_t block = 0; block < store->flash->blocks; block++) {
        const int error = scan_header(store, block, &newest);
        if (error != 0) {
            return error;
        }
    }
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t block = 0; block < store->flash->blocks; block++) {
            const int error = store->blocks[block].flags == (pass == 0 ? 0 : BLOCK_HEADLESS) ? scan_places(store, block, &newest) : 0;
            if (error != 0) {
                return error;
            }
        }
    }
    for (uint32_t block = 0; block < store->flash->blocks; block++) {
        store->blocks[block].flags &= BLOCK_BAD;
    }
    store->sequence = newest.sequence;
    guess_erases(store, &newest);
    retire_failed(store, &newest);
    return newest.block == NO_BLOCK ? 0 : resume(store, newest.block);
}
