// SPDX-License-Identifier: MIT
//
// The game of an application against a heap of the bounded fit: it may hold M granules, in requests of 1 to n granules, and wins when a
// request that it may make fails.
//
// OWNS: struct game.
// PICTURE: a position: the heap's shape (image.h) and what each used block is charged, log2, one digit base 8 a block, by address
// COST: some 40 bytes and 2 microseconds a position. CALLERS: bound.c.
#ifndef GAME_H
#define GAME_H

#include "image.h"

struct position {
    struct shape shape;
    uint64_t charges;
    uint32_t parent; // index of the position that led here
    uint32_t move;   // how: see move_print
};

struct game {
    uint32_t most;    // M
    uint32_t largest; // n, a power of two
    bool aligned;     // may ask for alignments, charged length + alignment - 1
    uint64_t limit;   // positions at most
    // Found:
    uint64_t positions;
    bool finished; // false: the limit was reached first
    bool lost;     // a request failed
    struct position *all;
    uint32_t *slots;
    uint64_t mask;
    uint32_t losing_move;
};

// Play every game in a heap of so many granules. Returns false iff there is no memory or the image breaks a rule.
bool game_play(struct game *game, uint32_t granules);

// Print the shortest game that makes a request fail. pre: game->lost.
void game_print(const struct game *game);
void game_end(struct game *game);

#endif
