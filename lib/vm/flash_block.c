// SPDX-License-Identifier: MIT
//
// One block of a store in flash: opening it, programming it, taking it out of use.
//
// OWNS: what is programmed, in which order. The PICTURE and the INVARIANTS are in flash_layout.h.
// COST: what is programmed is read back once. 100 bytes of stack.
// CALLERS: store_flash.c, flash_collect.c, flash_mount.c.
#include "vm/flash_layout.h"

#include <string.h>

#define CHUNK 32u

// Program, and see that it is there. Returns 0 or what the flash answered; CAIRN_ECORRUPT: something else is there.
static int flash_put(const struct cairn_store_flash *store, uint32_t block, uint32_t offset, const void *bytes, size_t size)
{
    const struct cairn_port_flash *const flash = store->flash;
    const unsigned char *const wanted = bytes;
    int error = flash->program(flash->context, block, offset, bytes, size);
    for (size_t done = 0; error == 0 && done < size; done += CHUNK) {
        unsigned char chunk[CHUNK];
        const size_t part = size - done < CHUNK ? size - done : CHUNK;
        error = flash->read(flash->context, block, offset + (uint32_t)done, chunk, part);
        for (size_t i = 0; error == 0 && i < part; i++) {
            if (chunk[i] != wanted[done + i]) {
                error = CAIRN_ECORRUPT;
            }
        }
    }
    return error;
}

// The same for a few bytes, filled up with ones to `size`. pre: size <= FLASH_HEADER.
static int flash_put_header(const struct cairn_store_flash *store, uint32_t block, uint32_t offset, const void *header, size_t bytes, uint32_t size)
{
    unsigned char unit[FLASH_HEADER];
    memset(unit, 0xFF, sizeof unit);
    memcpy(unit, header, bytes);
    return flash_put(store, block, offset, unit, size);
}

// The sum is affine, so that what a bit does to it does not depend on the others: the last bit of what is summed does the polynomial, and each bit before it what one
// more step makes of that. (A header that a cut of power left with one bit not programmed is put right too: its page is there; in a block there is nothing yet.)
CAIRN_NOINLINE bool cairn_flash_sum_is_right_(void *header, uint32_t summed, uint32_t start)
{
    unsigned char *const bytes = header;
    uint32_t *const sum = (uint32_t *)(void *)(bytes + summed);
    const uint32_t wrong = cairn_checksum_(start, header, summed) ^ *sum;
    uint32_t does = 0x82F63B78u;
    if (wrong == 0 || is_power_of_two(wrong)) {
        *sum ^= wrong;
        return true;
    }
    for (uint32_t bit = summed * 8; bit-- != 0;) {
        if (does == wrong) {
            bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
            return true;
        }
        does = (does & 1) != 0 ? does >> 1 ^ 0x82F63B78u : does >> 1;
    }
    return false;
}

// 1, but for the block's sequence.
int cairn_flash_look_(const struct cairn_store_flash *store, uint32_t block, uint32_t place, struct place_header *header)
{
    const int error = store->flash->read(store->flash->context, block, place_offset(store, place), header, sizeof *header);
    if (error != 0 || !cairn_flash_sum_is_right_(header, offsetof(struct place_header, sum), FLASH_MAGIC) || header->slot >= store->store.slots) {
        header->slot = NO_PLACE;
    }
    return error == CAIRN_ECORRUPT ? 0 : error;
}

static void block_flag(struct cairn_store_flash *store, uint32_t block, uint16_t flag)
{
    struct cairn_store_flash_block *const its = &store->blocks[block];
    if ((its->flags & (BLOCK_BAD | BLOCK_SUSPECT)) == 0) {
        store->good--;
    }
    its->flags |= flag;
}

void cairn_flash_retire_(struct cairn_store_flash *store, uint32_t block)
{
    if (store->head == block) {
        store->head = NO_BLOCK;
    }
    if (store->blocks[block].live != 0) {
        block_flag(store, block, BLOCK_SUSPECT);
        return;
    }
    block_flag(store, block, BLOCK_BAD);
    if (store->flash->mark_bad != NULL) {
        store->flash->mark_bad(store->flash->context, block);
    }
}

void cairn_flash_settle_(struct cairn_store_flash *store, uint32_t slot, uint32_t place)
{
    const uint32_t old = map_get(store, slot);
    map_set(store, slot, place);
    if (place != NO_PLACE) {
        store->blocks[place / store->places].live++;
        store->live++;
    }
    if (old != NO_PLACE) {
        const uint32_t block = old / store->places;
        store->blocks[block].live--;
        store->live--;
        if (store->blocks[block].live == 0 && (store->blocks[block].flags & BLOCK_SUSPECT) != 0) {
            cairn_flash_retire_(store, block);
        }
    }
}

// Blocks that have failed, as many as there is room for. So a few are not found again after each restart, when they could be all that is spare.
static void list_failed(const struct cairn_store_flash *store, uint32_t *failed)
{
    uint32_t count = 0;
    for (uint32_t block = 0; block < store->flash->blocks && count < FLASH_FAILED_KEPT; block++) {
        if ((store->blocks[block].flags & (BLOCK_BAD | BLOCK_SUSPECT)) != 0) {
            failed[count++] = block;
        }
    }
    while (count < FLASH_FAILED_KEPT) {
        failed[count++] = NO_BLOCK;
    }
}

static bool is_listed(const struct free_block *list, uint32_t count, uint32_t block)
{
    for (uint32_t i = 0; i < count; i++) {
        if (list[i].block == block) {
            return true;
        }
    }
    return false;
}

// 7: the victim, and of the free blocks other than `block` the one that is worn most, then those that are worn least: the next to be erased.
static void list_free(const struct cairn_store_flash *store, struct free_block *list, uint32_t block, uint32_t victim)
{
    for (uint32_t count = 0; count < FLASH_FREE_KEPT; count++) {
        uint32_t best = count == 0 ? victim : NO_BLOCK;
        for (uint32_t b = 0; b < store->flash->blocks && (count != 0 || victim == NO_BLOCK); b++) {
            if (b == block || !block_is_free(store, b) || is_listed(list, count, b)) {
                continue;
            }
            const bool less = best != NO_BLOCK && store->blocks[b].erases < store->blocks[best].erases;
            if (best == NO_BLOCK || less != (count == 1)) {
                best = b;
            }
        }
        list[count].block = best;
        list[count].erases = best != NO_BLOCK ? store->blocks[best].erases : 0;
    }
}

int cairn_flash_open_(struct cairn_store_flash *store, uint32_t block, uint32_t victim)
{
    struct cairn_store_flash_block *const its = &store->blocks[block];
    if (store->sequence == UINT32_MAX) {
        return CAIRN_EOVERFLOW;
    }
    int error = store->flash->erase(store->flash->context, block);
    store->erases++;
    its->erases += its->erases < ERASES_UNKNOWN - 1;
    its->flags = 0;
    if (error == 0) {
        struct block_header header = {.magic = FLASH_MAGIC, .sequence = store->sequence + 1, .erases = its->erases, .page = store->store.page};
        header.kind = victim == NO_BLOCK ? KIND_WRITES : KIND_COPIES;
        list_failed(store, header.failed);
        list_free(store, header.free, block, victim);
        header.sum = cairn_checksum_(0, &header, offsetof(struct block_header, sum));
        store->sequence++; // used, even if that fails
        error = flash_put_header(store, block, 0, &header, sizeof header, store->header);
    }
    if (error != 0) {
        store->failed = error;
        cairn_flash_retire_(store, block);
        return FLASH_FAILED;
    }
    return 0;
}

int cairn_flash_program_(const struct cairn_store_flash *store, uint32_t block, uint32_t place, uint32_t slot, uint32_t page_sum, const void *page)
{
    const uint32_t offset = place_offset(store, place);
    struct place_header header = {slot, store->sequence, page_sum, 0};
    header.sum = place_header_sum(&header);
    const int error = flash_put(store, block, offset + store->prefix, page, store->store.page);
    return error != 0 ? error : flash_put_header(store, block, offset, &header, sizeof header, store->prefix);
}

int cairn_flash_mark_(const struct cairn_store_flash *store, uint32_t block)
{
    unsigned char zeros[FLASH_UNIT];
    memset(zeros, 0, sizeof zeros);
    return flash_put(store, block, store->header, zeros, store->mark);
}

int cairn_flash_marked_(const struct cairn_store_flash *store, uint32_t block)
{
    unsigned char mark[FLASH_UNIT];
    uint32_t zeros = 0;
    const int error = store->flash->read(store->flash->context, block, store->header, mark, store->mark);
    if (error != 0 && error != CAIRN_ECORRUPT) {
        return error;
    }
    for (uint32_t bit = 0; bit < store->mark * 8; bit++) {
        zeros += (mark[bit / 8] >> bit % 8 & 1) == 0;
    }
    return zeros * 2 > store->mark * 8;
}

// pre: the head's sequence is store->sequence (6).
int cairn_flash_append_(struct cairn_store_flash *store, uint32_t slot, uint32_t page_sum, const void *page)
{
    const uint32_t place = store->next++;
    const int error = cairn_flash_program_(store, store->head, place, slot, page_sum, page);
    if (error != 0) {
        store->failed = error;
        cairn_flash_retire_(store, store->head);
        return FLASH_FAILED;
    }
    cairn_flash_settle_(store, slot, store->head * store->places + place);
    return 0;
}
