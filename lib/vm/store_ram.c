// SPDX-License-Identifier: MIT
//
// A store in plain memory.
//
// OWNS: nothing; the caller's memory holds the slots.
// PICTURE: memory | slot 0 | slot 1 | ... | slots, a page each
// INVARIANTS: 1. slots * page <= the bytes that were given.
// COST: a copy of one page.
// CALLERS: through struct cairn_port_store.
#include "cairn/store.h"

#include "base/bulk.h"

static unsigned char *slot_of(const struct cairn_store_ram *ram, uint32_t slot)
{
    return ram->slots + (size_t)slot * ram->store.page;
}

static int ram_read(void *context, uint32_t slot, void *page)
{
    const struct cairn_store_ram *const ram = context;
    if (slot >= ram->store.slots) {
        return CAIRN_EINVAL;
    }
    cairn_bulk_copy_(page, slot_of(ram, slot), ram->store.page);
    return 0;
}

static int ram_write(void *context, uint32_t slot, const void *page)
{
    const struct cairn_store_ram *const ram = context;
    if (slot >= ram->store.slots) {
        return CAIRN_EINVAL;
    }
    cairn_bulk_copy_(slot_of(ram, slot), page, ram->store.page);
    return 0;
}

int cairn_store_ram_init(struct cairn_store_ram *ram, void *memory, size_t size, uint32_t page, uint32_t slots)
{
    if (ram == NULL || memory == NULL || page == 0 || slots == 0) {
        return CAIRN_EINVAL;
    }
    if (size / page < slots) {
        return CAIRN_ENOMEM;
    }
    ram->store = (struct cairn_port_store){.context = ram, .read = ram_read, .write = ram_write, .page = page, .slots = slots};
    ram->slots = memory;
    return 0;
}
