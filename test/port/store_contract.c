// SPDX-License-Identifier: MIT
//
// The contract of a store, entry by entry.
// OWNS: nothing. CALLERS: store_contract.h says who.
#include "store_contract.h"

#include <string.h>

static bool is_page(const unsigned char *page, uint32_t size, uint32_t slot, uint32_t turn)
{
    for (uint32_t i = 0; i < size; i++) {
        if (page[i] != contract_byte(slot, turn, i)) {
            return false;
        }
    }
    return true;
}

static bool put(const struct cairn_port_store *store, unsigned char *page, uint32_t slot, uint32_t turn)
{
    for (uint32_t i = 0; i < store->page; i++) {
        page[i] = contract_byte(slot, turn, i);
    }
    return store->write(store->context, slot, page) == 0 && is_page(page, store->page, slot, turn);
}

// The bytes behind the page are nobody's to write.
static bool has(const struct cairn_port_store *store, unsigned char *page, uint32_t slot, uint32_t turn)
{
    memset(page, 0x3C, 2 * (size_t)store->page);
    if (store->read(store->context, slot, page) != 0 || !is_page(page, store->page, slot, turn)) {
        return false;
    }
    for (uint32_t i = 0; i < store->page; i++) {
        if (page[store->page + i] != 0x3C) {
            return false;
        }
    }
    return true;
}

// Every slot, written in turns 0 to 2; turn 1 leaves out every third, and turn 2 goes backwards over every second.
static uint32_t turn_of(uint32_t slot)
{
    return slot % 2 == 0 ? 2 : slot % 3 != 0;
}

static const char *fill(const struct cairn_port_store *store, unsigned char *pages)
{
    for (uint32_t slot = 0; slot < store->slots; slot++) {
        if (!put(store, pages, slot, 0)) {
            return "write: a slot was refused";
        }
        if (!has(store, pages, slot, 0)) {
            return "read: not what was just written, or more than one page";
        }
    }
    for (uint32_t slot = 0; slot < store->slots; slot++) {
        if (slot % 3 != 0 && !put(store, pages, slot, 1)) {
            return "write: a slot that was written was refused";
        }
    }
    for (uint32_t slot = store->slots; slot-- != 0;) {
        if (slot % 2 == 0 && !put(store, pages, slot, 2)) {
            return "write: a slot that was written was refused";
        }
    }
    return NULL;
}

const char *contract_store(const struct cairn_port_store *store, unsigned char *pages)
{
    if (store->read == NULL || store->write == NULL || store->page == 0 || store->slots == 0) {
        return "a store has read and write, a size of page, and slots";
    }
    const char *const wrong = fill(store, pages);
    if (wrong != NULL) {
        return wrong;
    }
    if (store->sync != NULL && store->sync(store->context) != 0) {
        return "sync: it failed";
    }
    for (uint32_t slot = 0; slot < store->slots; slot++) {
        if (!has(store, pages, slot, turn_of(slot))) {
            return "read: not what was written last";
        }
    }
    for (uint32_t slot = 0; store->trim != NULL && slot < store->slots; slot += 4) {
        store->trim(store->context, slot);
        store->trim(store->context, slot);
        (void)store->read(store->context, slot, pages);
    }
    for (uint32_t slot = 0; slot < store->slots; slot++) {
        if (!has(store, pages, slot, turn_of(slot)) && slot % 4 != 0) {
            return "trim: it took more than its slot";
        }
    }
    for (uint32_t slot = 0; slot < store->slots; slot += 4) {
        if (!put(store, pages, slot, 3) || !has(store, pages, slot, 3)) {
            return "write: a slot that was trimmed is a slot";
        }
    }
    for (uint32_t slot = 0; store->trim != NULL && slot < store->slots; slot++) {
        store->trim(store->context, slot);
    }
    return NULL;
}
