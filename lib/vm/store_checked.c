// SPDX-License-Identifier: MIT
//
// A store that checks another.
//
// OWNS: the sums, the seals.
// PICTURE:   sums    | sum of slot 0 | sum of slot 1 | ...       0: not written since init, or trimmed
//            sealed  | page ............... | generation | sum |    as a slot of the store under it
//     sum: CRC-32C of the page; where pages are sealed, of the page, the slot's number and the generation.
// INVARIANTS: 1. A sum in RAM is that of the last write that succeeded, or 0. 2. What is handed out as good has the sum in its seal, and the one in RAM.
// COST: a checksum of one page; where pages are sealed, a copy of one too. CALLERS: through struct cairn_port_store.
#include "cairn/store.h"

#include "base/checksum.h"

#include <string.h>

#define NO_SUM 0u

struct seal {
    uint32_t generation;
    uint32_t sum;
};

_Static_assert(sizeof(struct seal) == CAIRN_STORE_SEAL, "the public header says so");

static uint32_t sum_of(const struct cairn_store_checked *checked, uint32_t slot, const void *page, uint32_t generation)
{
    uint32_t sum = cairn_checksum_(0, page, checked->store.page);
    if (checked->sealed != NULL) {
        const uint32_t more[2] = {slot, generation};
        sum = cairn_checksum_(sum, more, sizeof more);
    }
    return sum == NO_SUM ? 1 : sum;
}

// 2, for RAM.
static bool is_last(const struct cairn_store_checked *checked, uint32_t slot, uint32_t sum)
{
    return checked->sums == NULL || checked->sums[slot] == NO_SUM || checked->sums[slot] == sum;
}

static int checked_read(void *context, uint32_t slot, void *page)
{
    const struct cairn_store_checked *const checked = context;
    const uint32_t size = checked->store.page;
    struct seal seal = {0, 0};
    if (slot >= checked->store.slots) {
        return CAIRN_EINVAL;
    }
    const int error = checked->under->read(checked->under->context, slot, checked->sealed != NULL ? checked->sealed : page);
    if (error != 0) {
        return error;
    }
    if (checked->sealed != NULL) {
        memcpy(page, checked->sealed, size);
        memcpy(&seal, checked->sealed + size, sizeof seal);
    }
    const uint32_t sum = sum_of(checked, slot, page, seal.generation);
    if ((checked->sealed != NULL && seal.sum != sum) || !is_last(checked, slot, sum)) {
        return CAIRN_ECORRUPT;
    }
    return 0;
}

static int checked_write(void *context, uint32_t slot, const void *page)
{
    struct cairn_store_checked *const checked = context;
    const uint32_t size = checked->store.page;
    if (slot >= checked->store.slots) {
        return CAIRN_EINVAL;
    }
    const struct seal seal = {checked->generation + 1, sum_of(checked, slot, page, checked->generation + 1)};
    if (checked->sealed != NULL) {
        memset(checked->sealed, 0, checked->under->page);
        memcpy(checked->sealed, page, size);
        memcpy(checked->sealed + size, &seal, sizeof seal);
    }
    const int error = checked->under->write(checked->under->context, slot, checked->sealed != NULL ? checked->sealed : page);
    if (error == 0) {
        checked->generation = seal.generation;
        if (checked->sums != NULL) {
            checked->sums[slot] = seal.sum;
        }
    }
    return error;
}

static void checked_trim(void *context, uint32_t slot)
{
    const struct cairn_store_checked *const checked = context;
    if (slot < checked->store.slots) {
        if (checked->sums != NULL) {
            checked->sums[slot] = NO_SUM;
        }
        if (checked->under->trim != NULL) {
            checked->under->trim(checked->under->context, slot);
        }
    }
}

static int checked_sync(void *context)
{
    const struct cairn_store_checked *const checked = context;
    return checked->under->sync(checked->under->context);
}

int cairn_store_checked_init(struct cairn_store_checked *checked, const struct cairn_store_checked_config *config)
{
    if (checked == NULL || config == NULL || config->under == NULL || (config->sums == NULL && config->sealed == NULL)) {
        return CAIRN_EINVAL;
    }
    const struct cairn_port_store *const under = config->under;
    const uint32_t taken = config->sealed != NULL ? CAIRN_STORE_SEAL : 0;
    if (under->page <= taken) {
        return CAIRN_EINVAL;
    }
    *checked = (struct cairn_store_checked){
        .store = {.context = checked, .read = checked_read, .write = under->write != NULL ? checked_write : NULL, .trim = checked_trim, .page = under->page - taken, .slots = under->slots},
        .under = under,
        .sums = config->sums,
        .sealed = config->sealed};
    if (under->sync != NULL) {
        checked->store.sync = checked_sync;
    }
    for (uint32_t slot = 0; config->sums != NULL && slot < under->slots; slot++) {
        config->sums[slot] = NO_SUM;
    }
    return 0;
}
