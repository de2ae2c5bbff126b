// SPDX-License-Identifier: MIT
//
// What the random tests are told: PROGRAM [SEED [COUNT]], or CAIRN_SEED=SEED; CAIRN_TIER=full makes the count larger.
//
// OWNS        nothing. CALLERS: test_random.c, test_damage.c, test_heap_threads.c.
#ifndef MODEL_ARGUMENTS_H
#define MODEL_ARGUMENTS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Read seed and count, which hold their defaults. full: how many times as many the full tier does, where the count is not given.
static inline void read_arguments(int argc, char **argv, uint32_t full, uint32_t *seed, uint32_t *count)
{
#if defined(__unix__) || defined(__APPLE__) // a board has no environment
    const char *const given = getenv("CAIRN_SEED");
    const char *const tier = getenv("CAIRN_TIER");
    if (given != NULL) {
        *seed = (uint32_t)strtoul(given, NULL, 10);
    }
    if (tier != NULL && strcmp(tier, "full") == 0) {
        *count *= full;
    }
#else
    (void)full;
#endif
    if (argc > 1) {
        *seed = (uint32_t)strtoul(argv[1], NULL, 10);
    }
    if (argc > 2) {
        *count = (uint32_t)strtoul(argv[2], NULL, 10);
    }
}

#endif
