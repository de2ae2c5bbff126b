// SPDX-License-Identifier: MIT
//
// Tries to break cairn_heap_bound: every game of small M and n in a heap of exactly M (1 + log2 n) granules, and in ever smaller ones until a
// request fails.
//
//   bound [--aligned] [--limit POSITIONS] [M n ...]      M and n in granules, in pairs
//
// PICTURE: a line a pair: the bound, what is needed (the smallest heap in which no game can be lost), the positions that were visited at the bound.
//     A realloc that moves is an alloc and a free; one that stays changes nothing. So it adds no position.
// OWNS: the table. COST: a second a million positions and heap length.
#include "game.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool measure(uint32_t most, uint32_t largest, bool aligned, uint64_t limit)
{
    struct game game = {.most = most, .largest = largest, .aligned = aligned, .limit = limit};
    uint32_t bound = most;
    for (uint32_t n = largest; n > 1; n /= 2) {
        bound += most;
    }
    uint32_t need = most;
    uint64_t at_bound = 0;
    for (uint32_t granules = most; granules <= bound; granules++) {
        if (!game_play(&game, granules)) {
            return false;
        }
        const bool lost = game.lost;
        const bool finished = game.finished;
        at_bound = game.positions;
        if (lost) {
            need = granules + 1;
            if (granules == bound || getenv("CAIRN_SHOW") != NULL) {
                printf("  %u granules:", granules);
                game_print(&game);
            }
        }
        game_end(&game);
        if (!finished && !lost) {
            printf("%s M %2u n %2u bound %3u: not finished at %u granules, %llu positions, need > %u\n", aligned ? "aligned" : "plain  ", most, largest, bound, granules,
                   (unsigned long long)at_bound, need - 1);
            return true;
        }
        if (!lost && need == granules && granules < bound) {
            granules = bound - 1; // the smallest heap that cannot lose; now the bound itself
        }
    }
    printf("%s M %2u n %2u bound %3u need %3u: %llu positions at the bound%s\n", aligned ? "aligned" : "plain  ", most, largest, bound, need,
           (unsigned long long)at_bound, need > bound ? " BROKEN" : "");
    fflush(stdout);
    return need <= bound;
}

// Pairs of a tier. Returns false iff one is broken.
static bool measure_all(bool full)
{
    static const uint8_t plain[][2] = {{2, 2}, {4, 2}, {6, 2}, {8, 2}, {4, 4}, {5, 4}, {6, 4}, {7, 4}, {8, 4}, {8, 8}, {10, 2}, {9, 8}, {9, 4}};
    static const uint8_t aligned[][2] = {{2, 2}, {4, 2}, {6, 2}, {4, 4}, {5, 4}, {6, 4}, {7, 4}, {8, 2}, {8, 8}, {8, 4}};
    const size_t many = full ? sizeof plain / sizeof plain[0] : 10;
    const size_t few = full ? sizeof aligned / sizeof aligned[0] : 7;
    bool right = true;
    for (size_t i = 0; i < many; i++) {
        right &= measure(plain[i][0], plain[i][1], false, full ? 40000000 : 1000000);
    }
    for (size_t i = 0; i < few; i++) {
        right &= measure(aligned[i][0], aligned[i][1], true, full ? 40000000 : 1000000);
    }
    return right;
}

int main(int argc, char **argv)
{
    bool aligned = false;
    uint64_t limit = 20000000;
    bool right = true;
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--aligned") == 0) {
            aligned = true;
        } else if (strcmp(argv[i], "--limit") == 0 && i + 1 < argc) {
            limit = strtoull(argv[++i], NULL, 10);
        }
    }
    if (i == argc) {
        const char *const tier = getenv("CAIRN_TIER");
        return measure_all(tier != NULL && strcmp(tier, "full") == 0) ? 0 : 1;
    }
    for (; i + 1 < argc; i += 2) {
        right &= measure((uint32_t)strtoul(argv[i], NULL, 10), (uint32_t)strtoul(argv[i + 1], NULL, 10), aligned, limit);
    }
    return right ? 0 : 1;
}
