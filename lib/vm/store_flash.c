// SPDX-License-Identifier: MIT
//
// A store in NOR flash, as a log.
//
// OWNS: the handle; how its memory is cut up. The PICTURE and the INVARIANTS are in flash_layout.h.
// PICTURE: memory | 8 bytes a block | 2 or 4 bytes a slot, to a multiple of 4 | a page |
// COST: read: two reads and a checksum of a page. write: a checksum, two programs, and what flash_collect.c says.
// CALLERS: the user; a vm, through struct cairn_port_store.
#include "vm/flash_layout.h"

#include <string.h>

static int flash_store_read(void *context, uint32_t slot, void *page)
{
    const struct cairn_store_flash *const store = context;
    struct place_header header;
    if (slot >= store->store.slots) {
        return CAIRN_EINVAL;
    }
    const uint32_t at = map_get(store, slot);
    if (at == NO_PLACE) {
        memset(page, 0, store->store.page);
        return 0;
    }
    const uint32_t block = at / store->places;
    const uint32_t place = at % store->places;
    int error = cairn_flash_look_(store, block, place, &header);
    if (error == 0) {
        error = store->flash->read(store->flash->context, block, place_offset(store, place) + store->prefix, page, store->store.page);
    }
    if (error == 0 && (header.slot != slot || header.page_sum != page_sum_of(store, slot, page))) {
        error = CAIRN_ECORRUPT;
    }
    return error;
}

// Slots that can be in use: what is not spare, and not full to the last place, so that a block to collect has something to win.
static uint32_t capacity_of(const struct cairn_store_flash *store)
{
    return store->good > store->spare ? (store->good - store->spare) * store->places - 1 : 0;
}

static int flash_store_write(void *context, uint32_t slot, const void *page)
{
    struct cairn_store_flash *const store = context;
    int error;
    if (slot >= store->store.slots) {
        return CAIRN_EINVAL;
    }
    if (map_get(store, slot) == NO_PLACE && store->live >= capacity_of(store)) {
        return CAIRN_ENOMEM;
    }
    const uint32_t sum = page_sum_of(store, slot, page);
    do {
        store->failed = 0;
        error = cairn_flash_room_(store);
        if (error != 0) {
            return error == CAIRN_ENOMEM && store->failed != 0 ? store->failed : error;
        }
        error = cairn_flash_append_(store, slot, sum, page);
    } while (error != 0); // one block less each time
    store->writes++;
    return 0;
}

static void flash_store_trim(void *context, uint32_t slot)
{
    struct cairn_store_flash *const store = context;
    if (slot < store->store.slots && map_get(store, slot) != NO_PLACE) {
        cairn_flash_settle_(store, slot, NO_PLACE);
    }
}

// The config's, in the handle. Returns 0 or why not.
static int cut(struct cairn_store_flash *store, const struct cairn_store_flash_config *config)
{
    if (config == NULL || config->flash == NULL) {
        return CAIRN_EINVAL;
    }
    const struct cairn_port_flash *const flash = config->flash;
    const uint32_t unit = flash->program_size;
    if (!is_power_of_two(unit) || unit > FLASH_UNIT || flash->erase_size % unit != 0 || config->page == 0 || config->page % unit != 0 ||
        config->slots == 0 || config->slots == UINT32_MAX) {
        return CAIRN_EINVAL;
    }
    *store = (struct cairn_store_flash){.flash = flash, .head = NO_BLOCK, .good = flash->blocks};
    store->store.page = config->page;
    store->store.slots = config->slots;
    store->header = (uint32_t)round_to(sizeof(struct block_header), unit);
    store->mark = (uint32_t)round_to(sizeof(uint32_t), unit);
    store->first = store->header + store->mark;
    store->prefix = (uint32_t)round_to(sizeof(struct place_header), unit);
    store->stride = store->prefix + config->page;
    store->spare = config->spare != 0 ? config->spare : 2;
    store->spread = config->spread != 0 ? config->spread : 8;
    if (store->stride < config->page || flash->erase_size < store->first || (flash->erase_size - store->first) / store->stride == 0 ||
        flash->blocks < 2 || flash->blocks - 2 < store->spare) {
        return CAIRN_ENOMEM;
    }
    store->places = (flash->erase_size - store->first) / store->stride;
    if (store->places > UINT16_MAX || (uint64_t)store->places * flash->blocks >= NO_PLACE) {
        return CAIRN_EOVERFLOW;
    }
    store->wide = store->places * flash->blocks >= NARROW_NONE;
    return 0;
}

// Bytes of the map; 0 where a size_t cannot count what the store takes.
static size_t map_bytes(const struct cairn_store_flash *store)
{
    const uint64_t map = round_to((size_t)store->store.slots * (store->wide ? 4u : 2u), 4);
    const uint64_t all = (uint64_t)store->store.slots * (store->wide ? 4u : 2u) + (uint64_t)store->flash->blocks * sizeof *store->blocks + store->store.page;
    return all < SIZE_MAX - 8 ? (size_t)map : 0;
}

size_t cairn_store_flash_size(const struct cairn_store_flash_config *config)
{
    struct cairn_store_flash store;
    if (cut(&store, config) != 0 || map_bytes(&store) == 0) {
        return 0;
    }
    return store.flash->blocks * sizeof *store.blocks + map_bytes(&store) + round_to(store.store.page, 4);
}

int cairn_store_flash_init(struct cairn_store_flash *store, const struct cairn_store_flash_config *config, void *memory, size_t size)
{
    if (store == NULL || memory == NULL || (uintptr_t)memory % 4 != 0) {
        return CAIRN_EINVAL;
    }
    const int error = cut(store, config);
    if (error != 0) {
        return error;
    }
    const size_t needed = cairn_store_flash_size(config);
    if (needed == 0 || size < needed) {
        return CAIRN_ENOMEM;
    }
    unsigned char *const bytes = memory;
    store->blocks = memory;
    store->map = bytes + store->flash->blocks * sizeof *store->blocks;
    store->buffer = (unsigned char *)store->map + map_bytes(store);
    store->store.context = store;
    store->store.read = flash_store_read;
    store->store.write = flash_store_write;
    store->store.trim = flash_store_trim;
    return cairn_flash_mount_(store);
}

int cairn_store_flash_prepare(struct cairn_store_flash *store)
{
    store->failed = 0;
    const int error = cairn_flash_room_(store);
    return error == CAIRN_ENOMEM && store->failed != 0 ? store->failed : error;
}

void cairn_store_flash_stats(const struct cairn_store_flash *store, struct cairn_store_flash_stats *stats)
{
    *stats = (struct cairn_store_flash_stats){.capacity = capacity_of(store),
                                              .live = store->live,
                                              .places = store->places,
                                              .erases_least = UINT32_MAX,
                                              .writes = store->writes,
                                              .copies = store->copies,
                                              .erases = store->erases};
    for (uint32_t block = 0; block < store->flash->blocks; block++) {
        const struct cairn_store_flash_block *const its = &store->blocks[block];
        if ((its->flags & BLOCK_BAD) != 0) {
            stats->bad_blocks++;
            continue;
        }
        stats->free_blocks += block_is_free(store, block);
        stats->erases_least = its->erases < stats->erases_least ? its->erases : stats->erases_least;
        stats->erases_most = its->erases > stats->erases_most ? its->erases : stats->erases_most;
    }
}
