// SPDX-License-Identifier: MIT
//
// OWNS: flash_fixture.h says what. CALLERS: flash_fixture.h says who.
#include "flash_fixture.h"

#include "test/port/store_contract.h"

#include <string.h>

struct flash_fixture fx;
unsigned char fx_bytes[FX_BLOCKS * FX_ERASE];
static uint32_t erases[FX_BLOCKS];
static unsigned char flags[FX_BLOCKS];
static uint32_t memory[(FX_BLOCKS * 8 + FX_SLOTS * 2 + FX_PAGE) / 4];

void fx_make(uint32_t blocks, uint32_t slots, bool remembers)
{
    memset(&fx, 0, sizeof fx);
    flash_init(&fx.flash, fx_bytes, erases, flags, blocks, FX_ERASE, 4, remembers);
    fx.config = (struct cairn_store_flash_config){.flash = &fx.flash.port, .page = FX_PAGE, .slots = slots};
    fx.pending = slots;
    fx_mount();
}

void fx_mount(void)
{
    memset(memory, 0xA5, sizeof memory);
    assert_true(cairn_store_flash_size(&fx.config) <= sizeof memory);
    assert_int_equal(cairn_store_flash_init(&fx.store, &fx.config, memory, cairn_store_flash_size(&fx.config)), 0);
    assert_int_equal(fx.store.places, FX_PLACES);
}

void fx_fill(unsigned char *page, uint32_t slot, uint32_t turn)
{
    for (uint32_t i = 0; i < FX_PAGE; i++) {
        page[i] = contract_byte(slot, turn, i);
    }
}

int fx_write(uint32_t slot)
{
    unsigned char page[FX_PAGE];
    fx_fill(page, slot, ++fx.turn);
    const int error = fx.store.store.write(&fx.store, slot, page);
    if (error == 0) {
        fx.turns[slot] = fx.turn;
    } else {
        fx.pending = slot;
    }
    return error;
}

void fx_trim(uint32_t slot)
{
    fx.store.store.trim(&fx.store, slot);
    fx.turns[slot] = FX_ANY;
}

static bool holds(uint32_t slot, uint32_t turn)
{
    unsigned char page[FX_PAGE], wanted[FX_PAGE];
    fx_fill(wanted, slot, turn);
    if (fx.store.store.read(&fx.store, slot, page) != 0) {
        return false;
    }
    for (uint32_t i = 0; i < FX_PAGE; i++) {
        if (page[i] != wanted[i]) {
            return false;
        }
    }
    return true;
}

bool fx_holds(void)
{
    if (fx.flash.breaches != 0) {
        print_error("%u breaches of the flash's rules\n", (unsigned)fx.flash.breaches);
        return false;
    }
    for (uint32_t slot = 0; slot < fx.config.slots; slot++) {
        const bool is_new = slot == fx.pending && holds(slot, fx.turn);
        if (is_new) {
            fx.turns[slot] = fx.turn;
        }
        if (fx.turns[slot] != FX_ANY && !is_new && !holds(slot, fx.turns[slot])) {
            print_error("slot %u does not hold turn %u\n", (unsigned)slot, (unsigned)fx.turns[slot]);
            return false;
        }
    }
    fx.pending = fx.config.slots;
    return true;
}
