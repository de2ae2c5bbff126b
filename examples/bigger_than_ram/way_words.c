// SPDX-License-Identifier: MIT
//
// OWNS        nothing: the words are in the machine's space.
// CALLERS     as way.h says.
#include <cairn/access.h>

#include "machine.h"
#include "way.h"

struct words {
    struct cairn_vm *vm;
    cairn_vaddr_t base;
};

static inline uint32_t get(struct words *words, uint32_t at)
{
    uint32_t word;
    if (cairn_vm_load32(words->vm, words->base + 4 * (cairn_vaddr_t)at, &word) != 0) {
        machine_stop("a load failed");
    }
    return word;
}

static inline void set(struct words *words, uint32_t at, uint32_t word)
{
    if (cairn_vm_store32(words->vm, words->base + 4 * (cairn_vaddr_t)at, word) != 0) {
        machine_stop("a store failed");
    }
}

static void words_open(struct words *words, enum part part, bool sets)
{
    (void)sets;
    words->vm = &machine.vm;
    words->base = part == PART_ARRAY ? MACHINE_ARRAY : MACHINE_INDEX;
}

static void words_close(struct words *words)
{
    (void)words;
}

#include "work.h"

const struct way way_words = {"loads and stores", WORK_STEPS};
