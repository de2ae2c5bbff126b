// SPDX-License-Identifier: MIT
//
// Making room in a store in flash: a free block is opened; or a block in which little is live is copied, and free; blocks that lag behind in wear are moved.
//
// OWNS: which block is collected, and which is written next. The INVARIANTS are in flash_layout.h; beside them:
//   1. Nothing is opened for writes while no more than `spare` blocks are free; copies may take one of those, and give one back.
//   2. Wear. A free block is opened for writes only where it has fewer than `spread` erasures more than each block in use, or just one such was moved.
//      The least worn free block is opened; what was lying still goes to the one that is worn most.
//
// PICTURE:  victim | a . b . . c |        . not live
//           target | a b c | mark |  becomes the head: what is left of it is written next
//     If `spare` blocks are free afterwards that is all. If not, because one has failed, further victims' pages go to the head until one more is free.
//
// COST: a call copies at most 2 places - 1 pages and erases three blocks, but where blocks have failed. O(blocks) besides.
// CALLERS: store_flash.c.
#include "vm/flash_layout.h"

static uint32_t count_free(const struct cairn_store_flash *store)
{
    uint32_t count = 0;
    for (uint32_t block = 0; block < store->flash->blocks; block++) {
        count += block_is_free(store, block);
    }
    return count;
}

// The free block that is worn least, or most. pre: there is one.
static uint32_t pick_free(const struct cairn_store_flash *store, bool most)
{
    uint32_t best = NO_BLOCK;
    for (uint32_t block = 0; block < store->flash->blocks; block++) {
        if (block_is_free(store, block) && (best == NO_BLOCK || (most ? store->blocks[block].erases > store->blocks[best].erases
                                                                      : store->blocks[block].erases < store->blocks[best].erases))) {
            best = block;
        }
    }
    return best;
}

// In use, and nothing stands against copying it.
static bool can_collect(const struct cairn_store_flash *store, uint32_t block)
{
    const struct cairn_store_flash_block *const its = &store->blocks[block];
    return its->live != 0 && (its->flags & BLOCK_UNREADABLE) == 0 && block != store->head;
}

// The block with the fewest live places, if not all of them are. A block that failed is first where there is a block to spare, and never else: it does not
// become free.
static uint32_t pick_victim(const struct cairn_store_flash *store, uint32_t free_blocks)
{
    uint32_t best = NO_BLOCK;
    for (uint32_t block = 0; block < store->flash->blocks; block++) {
        const struct cairn_store_flash_block *const its = &store->blocks[block];
        if (!can_collect(store, block)) {
            continue;
        }
        if ((its->flags & BLOCK_SUSPECT) != 0) {
            if (free_blocks >= 2) {
                return block;
            }
            continue;
        }
        if (its->live < store->places && (best == NO_BLOCK || its->live < store->blocks[best].live ||
                                          (its->live == store->blocks[best].live && its->erases < store->blocks[best].erases))) {
            best = block;
        }
    }
    return best;
}

// 2: the block in use that lags behind, or NO_BLOCK.
static uint32_t pick_still(const struct cairn_store_flash *store)
{
    const uint32_t next = pick_free(store, false);
    uint32_t best = NO_BLOCK;
    for (uint32_t block = 0; block < store->flash->blocks; block++) {
        if (can_collect(store, block) && (store->blocks[block].flags & BLOCK_SUSPECT) == 0 &&
            (best == NO_BLOCK || store->blocks[block].erases < store->blocks[best].erases)) {
            best = block;
        }
    }
    if (best == NO_BLOCK || store->blocks[next].erases < store->blocks[best].erases ||
        store->blocks[next].erases - store->blocks[best].erases < store->spread) {
        return NO_BLOCK;
    }
    return best;
}

// The next live place of a block from *place on: its header, and its page in the buffer. Returns 1, and *place is it; 0: there is none; or what the flash's
// read answered. A page that has changed keeps its sum, and with it stays an error.
static int fetch_live(struct cairn_store_flash *store, uint32_t block, uint32_t *place, struct place_header *header)
{
    const struct cairn_port_flash *const flash = store->flash;
    for (; *place < store->places; (*place)++) {
        int error = cairn_flash_look_(store, block, *place, header);
        if (error == 0 && header->slot != NO_PLACE && map_get(store, header->slot) == block * store->places + *place) {
            error = flash->read(flash->context, block, place_offset(store, *place) + store->prefix, store->buffer, store->store.page);
            if (error == 0 || error == CAIRN_ECORRUPT) {
                return 1;
            }
        }
        if (error != 0) {
            store->blocks[block].flags |= BLOCK_UNREADABLE;
            return error;
        }
    }
    return 0;
}

// All that can be fetched of the block was. What is live in it still has a header that is lost: to collect it once more would win nothing.
static void leave_lost(struct cairn_store_flash *store, uint32_t block)
{
    if (store->blocks[block].live != 0) {
        store->blocks[block].flags |= BLOCK_UNREADABLE;
    }
}

// The slots whose copies are in the block's first `count` places are there now. Where a header cannot be read any more its slot stays where it is.
static void settle_copies(struct cairn_store_flash *store, uint32_t block, uint32_t count)
{
    for (uint32_t place = 0; place < count; place++) {
        struct place_header header;
        if (cairn_flash_look_(store, block, place, &header) == 0 && header.slot != NO_PLACE) {
            cairn_flash_settle_(store, header.slot, block * store->places + place);
        }
    }
}

// Copy what is live in the victim to a free block, which becomes the head. Returns 0, FLASH_FAILED, or an error; on both the map has not changed.
static int copy_block(struct cairn_store_flash *store, uint32_t victim, uint32_t target)
{
    struct place_header header;
    uint32_t count = 0;
    int error = cairn_flash_open_(store, target, victim);
    if (error != 0) {
        return error;
    }
    for (uint32_t place = 0;; place++) {
        const int found = fetch_live(store, victim, &place, &header);
        if (found < 0) {
            return found;
        }
        error = found != 0 ? cairn_flash_program_(store, target, count, header.slot, header.page_sum, store->buffer) : cairn_flash_mark_(store, target);
        if (error != 0) {
            store->failed = error;
            cairn_flash_retire_(store, target);
            return FLASH_FAILED;
        }
        if (found == 0) {
            break;
        }
        count++;
    }
    store->copies += count;
    store->head = target;
    store->next = count;
    settle_copies(store, target, count);
    leave_lost(store, victim);
    return 0;
}

// Places in blocks other than the head that a collection would win.
static uint32_t count_dead(const struct cairn_store_flash *store)
{
    uint32_t dead = 0;
    for (uint32_t block = 0; block < store->flash->blocks; block++) {
        if (can_collect(store, block) && (store->blocks[block].flags & BLOCK_SUSPECT) == 0) {
            dead += store->places - store->blocks[block].live;
        }
    }
    return dead;
}

// Fewer blocks are free than should be. Fill the head with pages of other blocks, until one of them is free, if in the end there will be a place left.
static int fill_head(struct cairn_store_flash *store)
{
    if (count_dead(store) + (store->places - store->next) <= store->places) {
        return 0;
    }
    while (store->head != NO_BLOCK && store->next < store->places && count_free(store) < store->spare) {
        struct place_header header;
        uint32_t place = 0;
        const uint32_t victim = pick_victim(store, 1);
        if (victim == NO_BLOCK) {
            return 0;
        }
        int error = 1;
        while (error == 1 && store->head != NO_BLOCK && store->next < store->places) {
            error = fetch_live(store, victim, &place, &header);
            if (error == 1) {
                const int failed = cairn_flash_append_(store, header.slot, header.page_sum, store->buffer);
                store->copies += failed == 0;
                place++;
            }
        }
        if (error < 0) {
            return error;
        }
        if (error == 0) {
            leave_lost(store, victim);
        }
    }
    return 0;
}

// One step. Returns 0, FLASH_FAILED or an error. pre: there is no head.
static int room_step(struct cairn_store_flash *store, bool *moved)
{
    const uint32_t free_blocks = count_free(store);
    if (free_blocks == 0) {
        return CAIRN_ENOMEM;
    }
    const uint32_t still = *moved ? NO_BLOCK : pick_still(store);
    if (still != NO_BLOCK) {
        *moved = true;
        return copy_block(store, still, pick_free(store, true));
    }
    const uint32_t target = pick_free(store, false);
    if (free_blocks > store->spare) {
        const int error = cairn_flash_open_(store, target, NO_BLOCK);
        if (error == 0) {
            store->head = target;
            store->next = 0;
        }
        return error;
    }
    const uint32_t victim = pick_victim(store, free_blocks);
    if (victim == NO_BLOCK) {
        return CAIRN_ENOMEM;
    }
    const int error = copy_block(store, victim, target);
    return error == 0 && count_free(store) < store->spare ? fill_head(store) : error;
}

// Worst case: each block fails, or `places` rounds of filling heads until a whole block is free.
int cairn_flash_room_(struct cairn_store_flash *store)
{
    uint32_t rounds = store->flash->blocks + 2 * store->places + 4;
    bool moved = false;
    while (store->head == NO_BLOCK || store->next == store->places) {
        store->head = NO_BLOCK;
        const int error = rounds-- != 0 ? room_step(store, &moved) : CAIRN_ENOMEM;
        if (error < 0) {
            return error;
        }
    }
    return 0;
}
