// SPDX-License-Identifier: MIT
//
// OWNS        the array and the index in plain memory.
// CALLERS     as way.h says.
#include "way.h"

struct words {
    uint32_t *at;
};

static uint32_t array_memory[WORDS];
static uint32_t index_memory[INDEX_WORDS];

static inline uint32_t get(struct words *words, uint32_t at)
{
    return words->at[at];
}

static inline void set(struct words *words, uint32_t at, uint32_t word)
{
    words->at[at] = word;
}

static void words_open(struct words *words, enum part part, bool sets)
{
    (void)sets;
    words->at = part == PART_ARRAY ? array_memory : index_memory;
}

static void words_close(struct words *words)
{
    (void)words;
}

#include "work.h"

const struct way way_plain = {"plain memory", WORK_STEPS};
