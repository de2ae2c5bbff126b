// SPDX-License-Identifier: MIT
//
// OWNS        nothing: the words are in the machine's space. Each struct words keeps one page pinned, for writing only where words are set: a page that is pinned for writing
//             is dirty.
// CALLERS     as way.h says.
#include <cairn/access.h>

#include "machine.h"
#include "way.h"

struct words {
    struct cairn_cursor cursor;
    cairn_vaddr_t base;
};

static inline uint32_t get(struct words *words, uint32_t at)
{
    uint32_t word;
    if (cairn_cursor_load32(&words->cursor, words->base + 4 * (cairn_vaddr_t)at, &word) != 0) {
        machine_stop("a load failed");
    }
    return word;
}

static inline void set(struct words *words, uint32_t at, uint32_t word)
{
    if (cairn_cursor_store32(&words->cursor, words->base + 4 * (cairn_vaddr_t)at, word) != 0) {
        machine_stop("a store failed");
    }
}

static void words_open(struct words *words, enum part part, bool sets)
{
    cairn_cursor_init(&words->cursor, &machine.space, sets ? CAIRN_READ | CAIRN_WRITE : CAIRN_READ);
    words->base = part == PART_ARRAY ? MACHINE_ARRAY : MACHINE_INDEX;
}

static void words_close(struct words *words)
{
    cairn_cursor_deinit(&words->cursor);
}

#include "work.h"

const struct way way_cursor = {"cursors", WORK_STEPS};
