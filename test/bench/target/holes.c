// SPDX-License-Identifier: MIT
//
// Maxima with many free blocks.
//
// OWNS        nothing (holes.h).
// PICTURE     table  0    1    2    3    4    5  ...  2N-1
//             block [hole][stay][hole][stay][hole][stay] .. [ the rest of the region ]
// COST        O(holes) calls.
// CALLERS     main.c.
#include "holes.h"

#include <stddef.h>

#include "peer.h"

#define SAMPLES 16u

const char *const holes_names[HOLES_CASES] = {"none", "exact", "rest", "alone", "between"};

static void *counted_alloc(struct tally *tally, enum holes_case what, uint32_t size)
{
    uint32_t count;
    void *const block = peer_alloc(&count, 1, size);

    tally_add(&tally[what], count);
    return block;
}

static void counted_free(struct tally *tally, enum holes_case what, void *block)
{
    uint32_t count;

    peer_free(&count, block);
    tally_add(&tally[what], count);
}

static bool make(unsigned char **table, uint32_t holes, uint32_t size, struct tally *tally)
{
    for (uint32_t i = 0; i < 2 * holes; i++) {
        table[i] = peer_alloc(NULL, 1, size);
        if (table[i] == NULL)
            return false;
    }
    for (uint32_t i = 0; i < 2 * holes; i += 2)
        counted_free(tally, HOLES_FREE_ALONE, table[i]);
    return true;
}

bool holes_run(unsigned char **table, uint32_t holes, uint32_t size, struct tally *tally)
{
    bool done = make(table, holes, size, tally);

    // Longer than a hole by a granule (the same list, where lists hold a range), by half, and by far. The first such call of a
    // library that sorts its holes late pays for all of them: it comes first.
    for (uint32_t i = 0; i < SAMPLES && done; i++) {
        done = counted_alloc(tally, HOLES_ALLOC_NONE, size + 8) != NULL;
        done = done && counted_alloc(tally, HOLES_ALLOC_NONE, size + size / 2) != NULL;
        done = done && counted_alloc(tally, HOLES_ALLOC_NONE, 4 * size) != NULL;
    }
    // In the middle and at the end of memory: a list ordered by address is searched that far. Every second one, so that each has
    // two holes of its own.
    for (uint32_t i = 0; i < SAMPLES / 2 && done; i++) {
        counted_free(tally, HOLES_FREE_BETWEEN, table[(holes | 1) + 4 * i]);
        counted_free(tally, HOLES_FREE_BETWEEN, table[2 * holes - 3 - 4 * i]);
    }
    for (uint32_t i = 0; i < SAMPLES && done; i++) {
        done = counted_alloc(tally, HOLES_ALLOC_EXACT, size) != NULL;
        done = done && counted_alloc(tally, HOLES_ALLOC_REST, size - 8) != NULL;
        done = done && counted_alloc(tally, HOLES_ALLOC_REST, size / 2) != NULL;
    }
    return done;
}
