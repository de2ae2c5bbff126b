// SPDX-License-Identifier: MIT
//
// A store in RAM whose power can be cut: what was written since the last sync is lost, kept, torn and put in any order.
//
// OWNS        what the test gives it: what is safe, what is read, and a flag for each slot.
// PICTURE     operations (writes and syncs) are numbered from 0; the test says at which one the power is cut, and what of the writes since the last sync
//             is left
// INVARIANTS  1. After a cut no operation does anything, until power_on; then the slots hold what the cut left.
//             2. A slot that was not written since the last sync is untouched by a cut.
//             3. A slot that is trimmed holds garbage at once, whatever happens then. A slot out of range is counted as a breach.
// COST        two bytes for a byte. CALLERS: tests of images.
#ifndef CAIRN_TEST_POWER_STORE_H
#define CAIRN_TEST_POWER_STORE_H

#include "cairn/port.h"
#include "prng.h"

#include <string.h>

#define POWER_NEVER UINT32_MAX
#define POWER_ERROR (-5)

// What is left: of the writes before the one at which the power is cut, and of that one.
enum power_cut {
    CUT_BEFORE,    // all; nothing
    CUT_FRONT,     // all; the first half
    CUT_BACK,      // all; the second half
    CUT_GARBAGE,   // all; garbage behind the first quarter
    CUT_BEHIND,    // all; all, but nobody was told
    CUT_REORDERED, // none; all
    CUT_LOST,      // none; nothing
    CUT_RANDOM,    // some; any of these
    CUTS
};

struct power_store {
    struct cairn_port_store store;
    unsigned char *safe; // what a cut cannot take
    unsigned char *seen; // what is read
    unsigned char *fresh; // of each slot: written since the last sync
    uint32_t operations, cut_at;
    uint32_t fail_at; // this one fails, and nothing else is amiss: a write is not done; a sync may be
    enum power_cut how;
    struct prng prng;
    bool dead;
    uint32_t breaches;
    uint32_t trims;
};

static inline unsigned char *power_slot(const struct power_store *power, unsigned char *bytes, uint32_t slot)
{
    return bytes + (size_t)slot * power->store.page;
}

static inline void power_garbage(struct power_store *power, unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)(prng_next(&power->prng) >> 11);
    }
}

// What is left of a slot's write. part: as the write at the cut itself.
static inline void power_leave(struct power_store *power, uint32_t slot, enum power_cut part)
{
    unsigned char *const safe = power_slot(power, power->safe, slot);
    const unsigned char *const seen = power_slot(power, power->seen, slot);
    const size_t page = power->store.page;
    switch (part) {
    case CUT_FRONT: memcpy(safe, seen, page / 2); break;
    case CUT_BACK: memcpy(safe + page / 2, seen + page / 2, page - page / 2); break;
    case CUT_GARBAGE:
        memcpy(safe, seen, page / 4);
        power_garbage(power, safe + page / 4, page - page / 4);
        break;
    case CUT_BEHIND:
    case CUT_REORDERED: memcpy(safe, seen, page); break;
    default: break;
    }
}

// The power goes while this slot is written; slots: while it is synced.
static inline void power_cut(struct power_store *power, uint32_t at)
{
    for (uint32_t slot = 0; slot < power->store.slots; slot++) {
        if (power->fresh[slot] != 0) {
            const bool is_random = power->how == CUT_RANDOM;
            const enum power_cut before = power->how < CUT_REORDERED ? CUT_BEHIND : CUT_LOST;
            power_leave(power, slot, is_random ? (enum power_cut)prng_below(&power->prng, CUTS) : slot == at ? power->how : before);
        }
    }
    power->dead = true;
}

static inline bool power_is_there(struct power_store *power, uint32_t slot)
{
    power->breaches += slot >= power->store.slots;
    return !power->dead && slot < power->store.slots;
}

static inline int power_read(void *context, uint32_t slot, void *page)
{
    struct power_store *const power = context;
    if (!power_is_there(power, slot)) {
        return POWER_ERROR;
    }
    memcpy(page, power_slot(power, power->seen, slot), power->store.page);
    return 0;
}

static inline int power_write(void *context, uint32_t slot, const void *page)
{
    struct power_store *const power = context;
    if (!power_is_there(power, slot)) {
        return POWER_ERROR;
    }
    if (power->operations == power->fail_at) {
        power->operations++;
        return POWER_ERROR;
    }
    memcpy(power_slot(power, power->seen, slot), page, power->store.page);
    power->fresh[slot] = 1;
    if (power->operations++ == power->cut_at) {
        power_cut(power, slot);
    }
    return power->dead ? POWER_ERROR : 0;
}

static inline void power_trim(void *context, uint32_t slot)
{
    struct power_store *const power = context;
    if (power_is_there(power, slot)) {
        power_garbage(power, power_slot(power, power->safe, slot), power->store.page);
        memcpy(power_slot(power, power->seen, slot), power_slot(power, power->safe, slot), power->store.page);
        power->fresh[slot] = 0;
        power->trims++;
    }
}

static inline int power_sync(void *context)
{
    struct power_store *const power = context;
    if (power->dead) {
        return POWER_ERROR;
    }
    const bool fails = power->operations == power->fail_at;
    if (power->operations++ == power->cut_at) {
        power_cut(power, power->store.slots);
        return POWER_ERROR;
    }
    if (fails && prng_below(&power->prng, 2) == 0) {
        return POWER_ERROR;
    }
    for (uint32_t slot = 0; slot < power->store.slots; slot++) {
        if (power->fresh[slot] != 0) {
            memcpy(power_slot(power, power->safe, slot), power_slot(power, power->seen, slot), power->store.page);
            power->fresh[slot] = 0;
        }
    }
    return fails ? POWER_ERROR : 0;
}

// The power is on again, after a cut or, where there was none, after a reset that left the store alone.
static inline void power_on(struct power_store *power)
{
    if (power->dead) {
        memcpy(power->seen, power->safe, (size_t)power->store.slots * power->store.page);
        memset(power->fresh, 0, power->store.slots);
    }
    power->dead = false;
    power->operations = 0;
    power->cut_at = POWER_NEVER;
    power->fail_at = POWER_NEVER;
}

// Garbage in every slot. bytes: two for each of the slots' bytes, and one for each slot.
static inline void power_store_init(struct power_store *power, unsigned char *bytes, uint32_t page, uint32_t slots)
{
    const size_t size = (size_t)page * slots;
    *power = (struct power_store){
        .store = {.context = power, .read = power_read, .write = power_write, .trim = power_trim, .sync = power_sync, .page = page, .slots = slots},
        .safe = bytes,
        .seen = bytes + size,
        .fresh = bytes + 2 * size,
        .dead = true};
    prng_seed(&power->prng, 11);
    power_garbage(power, power->safe, size);
    power_on(power);
}

#endif
