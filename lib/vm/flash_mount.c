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
    uint32_t failed[FLASH_FAILED_KEPT]; // of the newest header, written on or not
};

static void note_sequence(struct newest *newest, uint32_t sequence, uint32_t block)
{
    if (sequence >= newest->sequence) {
        newest->block = sequence > newest->sequence ? block : NO_BLOCK; // 6; two of one sequence are not of this store's making
        newest->sequence = sequence;
    }
}

// A place that counts: it is the slot's, if it is the newest so far. Places of one block come in order.
static int take_place(struct cairn_store_flash *store, uint32_t block, uint32_t place, const struct place_header *header)
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
    }
    cairn_flash_settle_(store, header->slot, block * store->places + place);
    return 0;
}

// whole: the block has a header, of this sequence. Without one its places count by themselves.
static int scan_places(struct cairn_store_flash *store, uint32_t block, bool whole, uint32_t sequence, struct newest *newest)
{
    for (uint32_t place = 0; place < store->places; place++) {
        struct place_header header;
        int error = cairn_flash_look_(store, block, place, &header);
        if (error == 0 && header.slot != NO_PLACE && (!whole || header.sequence == sequence)) {
            if (!whole) {
                note_sequence(newest, header.sequence, NO_BLOCK);
            }
            error = take_place(store, block, place, &header);
        }
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int scan_block(struct cairn_store_flash *store, uint32_t block, struct newest *newest)
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
    const int error = flash->read(flash->context, block, 0, &header, sizeof header);
    if (error != 0 && error != CAIRN_ECORRUPT) {
        return error;
    }
    if (error != 0 || !block_header_counts(store, &header)) {
        return scan_places(store, block, false, 0, newest);
    }
    its->erases = header.erases == ERASES_UNKNOWN ? ERASES_UNKNOWN - 1 : header.erases;
    const int whole = header.kind == KIND_COPIES ? cairn_flash_marked_(store, block) : 1;
    if (header.sequence > newest->sequence) {
        memcpy(newest->failed, header.failed, sizeof newest->failed);
    }
    note_sequence(newest, header.sequence, whole == 1 ? block : NO_BLOCK);
    return whole == 1 ? scan_places(store, block, true, header.sequence, newest) : whole;
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

// A block whose count is lost was erased just before, and so is not the least worn.
static void guess_erases(struct cairn_store_flash *store)
{
    uint32_t most = 0;
    for (uint32_t block = 0; block < store->flash->blocks; block++) {
        const uint32_t its = store->blocks[block].erases;
        most = its != ERASES_UNKNOWN && its > most ? its : most;
    }
    for (uint32_t block = 0; block < store->flash->blocks; block++) {
        if (store->blocks[block].erases == ERASES_UNKNOWN) {
            store->blocks[block].erases = most;
        }
    }
}

int cairn_flash_mount_(struct cairn_store_flash *store)
{
    struct newest newest = {0, NO_BLOCK, {NO_BLOCK, NO_BLOCK, NO_BLOCK, NO_BLOCK}};
    for (uint32_t slot = 0; slot < store->store.slots; slot++) {
        map_set(store, slot, NO_PLACE);
    }
    for (uint32_t block = 0; block < store->flash->blocks; block++) {
        const int error = scan_block(store, block, &newest);
        if (error != 0) {
            return error;
        }
    }
    store->sequence = newest.sequence;
    guess_erases(store);
    for (uint32_t i = 0; i < FLASH_FAILED_KEPT; i++) {
        const uint32_t block = newest.failed[i];
        if (block < store->flash->blocks && (store->blocks[block].flags & (BLOCK_BAD | BLOCK_SUSPECT)) == 0) {
            cairn_flash_retire_(store, block);
            newest.block = newest.block == block ? NO_BLOCK : newest.block;
        }
    }
    return newest.block == NO_BLOCK ? 0 : resume(store, newest.block);
}
