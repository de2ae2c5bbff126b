// SPDX-License-Identifier: MIT
//
// A store in which calls can be made to fail, and to do the wrong thing.
//
// OWNS        nothing: it counts, and hands on to another store.
// INVARIANTS  1. A call that fails has changed nothing.
// CALLERS     tests of what stands on a store.
#ifndef CAIRN_TEST_FAULTY_STORE_H
#define CAIRN_TEST_FAULTY_STORE_H

#include "cairn/port.h"

#define FAULTY_NEVER UINT32_MAX
#define FAULTY_ERROR (-5)

struct faulty_store {
    struct cairn_port_store store;
    const struct cairn_port_store *under;
    uint32_t reads, writes, syncs, trims; // calls so far
    uint32_t fail_read, fail_write, fail_sync; // the call of this number, from 0, fails
    bool fails_on;    // and each one after it
    bool loses;       // writes are answered with 0 and not done
    uint32_t wanders; // added to the number of each slot that is written
};

// A store over `under` in which nothing fails yet.
static inline void faulty_store_init(struct faulty_store *faulty, const struct cairn_port_store *under);

static inline bool faulty_store_fails(const struct faulty_store *faulty, uint32_t call, uint32_t at)
{
    return at != FAULTY_NEVER && (call == at || (faulty->fails_on && call > at));
}

static inline int faulty_store_read(void *context, uint32_t slot, void *page)
{
    struct faulty_store *const faulty = context;
    return faulty_store_fails(faulty, faulty->reads++, faulty->fail_read) ? FAULTY_ERROR : faulty->under->read(faulty->under->context, slot, page);
}

static inline int faulty_store_write(void *context, uint32_t slot, const void *page)
{
    struct faulty_store *const faulty = context;
    if (faulty_store_fails(faulty, faulty->writes++, faulty->fail_write)) {
        return FAULTY_ERROR;
    }
    return faulty->loses ? 0 : faulty->under->write(faulty->under->context, (slot + faulty->wanders) % faulty->store.slots, page);
}

static inline void faulty_store_trim(void *context, uint32_t slot)
{
    struct faulty_store *const faulty = context;
    faulty->trims++;
    if (faulty->under->trim != NULL) {
        faulty->under->trim(faulty->under->context, slot);
    }
}

static inline int faulty_store_sync(void *context)
{
    struct faulty_store *const faulty = context;
    if (faulty_store_fails(faulty, faulty->syncs++, faulty->fail_sync)) {
        return FAULTY_ERROR;
    }
    return faulty->under->sync == NULL ? 0 : faulty->under->sync(faulty->under->context);
}

static inline void faulty_store_init(struct faulty_store *faulty, const struct cairn_port_store *under)
{
    *faulty = (struct faulty_store){.store = {.context = faulty,
                                              .read = faulty_store_read,
                                              .write = faulty_store_write,
                                              .trim = faulty_store_trim,
                                              .sync = faulty_store_sync,
                                              .page = under->page,
                                              .slots = under->slots},
                                    .under = under,
                                    .fail_read = FAULTY_NEVER,
                                    .fail_write = FAULTY_NEVER,
                                    .fail_sync = FAULTY_NEVER};
}

#endif
