// SPDX-License-Identifier: MIT
//
// Maxima with many free blocks.
//
// OWNS        nothing (holes.h).
// PICTURE     table  0    1    2    3    4    5  ...  2N-1
//             block [hole][stay][hole][stay][hole][stay] .. [ the rest of the region ]
//             holes_resize: small blocks stay, and before all that are small ones side by side
// COST        O(holes) calls.
// CALLERS     main.c.
#include "holes.h"

#include <stddef.h>

#include "peer.h"

#define SAMPLES 16u
#define SMALL 24u // the most that a realloc which moves has to copy

const char *const holes_names[HOLES_CASES] = {"none", "exact", "rest", "alone", "between", "grows", "moves"};

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

static bool counted_realloc(struct tally *tally, enum holes_case what, unsigned char **block, uint32_t size)
{
    uint32_t count;
    unsigned char *const moved = peer_realloc(&count, *block, size);

    tally_add(&tally[what], count);
    if (moved != NULL)
        *block = moved;
    return moved != NULL;
}

static bool make(unsigned char **table, uint32_t holes, uint32_t size, uint32_t stays)
{
    for (uint32_t i = 0; i < 2 * holes; i++) {
        table[i] = peer_alloc(NULL, 1, i % 2 == 0 ? size : stays);
        if (table[i] == NULL)
            return false;
    }
    return true;
}

bool holes_run(unsigned char **table, uint32_t holes, uint32_t size, struct tally *tally)
{
    bool done = make(table, holes, size, size);

    for (uint32_t i = 0; i < 2 * holes && done; i += 2)
        counted_free(tally, HOLES_FREE_ALONE, table[i]);
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

bool holes_resize(unsigned char **table, uint32_t holes, uint32_t size, struct tally *tally)
{
    unsigned char *small[6 * SAMPLES];
    bool done = true;

    for (uint32_t i = 0; i < 6 * SAMPLES && done; i++) {
        small[i] = peer_alloc(NULL, 1, SMALL - 8);
        done = small[i] != NULL;
    }
    done = done && make(table, holes, size, SMALL);
    for (uint32_t i = 0; i < 2 * holes && done; i += 2)
        peer_free(NULL, table[i]);
    // By a granule of the hole behind, then by all that is left of it, in the middle and at the end of memory.
    for (uint32_t i = 0; i < SAMPLES / 2 && done; i++) {
        unsigned char **const both[2] = {&table[(holes | 1) + 4 * i], &table[2 * holes - 3 - 4 * i]};
        for (int which = 0; which < 2 && done; which++) {
            done = counted_realloc(tally, HOLES_REALLOC_GROWS, both[which], SMALL + 8);
            done = done && counted_realloc(tally, HOLES_REALLOC_GROWS, both[which], SMALL + size);
        }
    }
    // Every second one, so that its neighbours stay; to lengths that no hole has, and to that of the holes. The longer one first: as in holes_run.
    for (uint32_t i = 0; i < 3 * SAMPLES && done; i += 3) {
        done = counted_realloc(tally, HOLES_REALLOC_MOVES, &small[2 * i], size + 8);
        done = done && counted_realloc(tally, HOLES_REALLOC_MOVES, &small[2 * i + 2], 4 * size);
        done = done && counted_realloc(tally, HOLES_REALLOC_MOVES, &small[2 * i + 4], size);
    }
    // From between two holes: all three together are too short.
    for (uint32_t i = 0; i < SAMPLES && done; i++)
        done = counted_realloc(tally, HOLES_REALLOC_MOVES, &table[4 * i + 1], 4 * size);
    return done;
}
