// SPDX-License-Identifier: MIT
//
// Attacks cairn_heap_bound where M and n are too large to play every game: a program of fills and frees, climbed uphill.
//
//   attack [--seconds S] [--seed N] [--unit U] [M n ...]      M and n in units of U granules, in pairs; U is 1, and then 8
//
// PICTURE: a gene: fill with blocks of 2^k, or keep what covers one granule of each window of 2^j and free the rest, or free a class, or free
//     at random. It starts from Robson's own program (1971): fill with 1, keep one per window of 2, fill with 2, keep one per window of 4 ...
//     The heap has M granules at first, and one more each time that a request fails; a failure with the bound's granules breaks the bound.
//     The score is how little is left of the longest free block while there is still credit for the largest request.
// OWNS: the climb.
#include "heap/core.h"
#include "heap/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GENES 64u
#define BLOCKS 512u

struct gene {
    uint8_t act; // 0 fill, 1 thin out, 2 free a class, 3 free at random
    uint8_t class;
    uint16_t value;
};

struct program {
    uint32_t count;
    struct gene genes[GENES];
};

struct block {
    unsigned char *address;
    uint32_t first, length;
};

struct arena {
    struct cairn_heap heap;
    unsigned char *region;
    size_t size;
    uint32_t most, classes, bound; // M, log2 n, units
    uint32_t granules;             // units now
    uint32_t unit;                 // granules that the smallest request takes
    struct block blocks[BLOCKS];
    uint32_t count, live, worst; // worst: the score
    bool failed;
};

static uint64_t next_random(uint64_t *seed)
{
    uint64_t x = *seed += 0x9E3779B97F4A7C15ull;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ x >> 27) * 0x94D049BB133111EBull;
    return x ^ x >> 31;
}

static void take(struct arena *arena, uint32_t class)
{
    const uint32_t length = 1u << class;
    unsigned char *const address = cairn_heap_alloc(&arena->heap, (size_t)length * 8 * arena->unit);
    if (address == NULL) {
        arena->failed = true;
        return;
    }
    const uint32_t first = (uint32_t)((size_t)(address - arena->heap.base) / 8) / arena->unit + 1;
    arena->blocks[arena->count++] = (struct block){address, first, length};
    arena->live += length;
}

// After a gene: how near is the largest request to failing?
static void rate(struct arena *arena)
{
    struct cairn_heap_stats stats;
    cairn_heap_stats(&arena->heap, &stats);
    const uint32_t largest = (uint32_t)(stats.largest_free / 8) / arena->unit;
    if (arena->live + (1u << arena->classes) <= arena->most && arena->granules - largest > arena->worst) {
        arena->worst = arena->granules - largest;
    }
}

static void drop(struct arena *arena, uint32_t i)
{
    cairn_heap_free(&arena->heap, arena->blocks[i].address);
    arena->live -= arena->blocks[i].length;
    arena->blocks[i] = arena->blocks[--arena->count];
}

static bool is_dropped(const struct block *block, const struct gene *gene, uint64_t *seed)
{
    const uint32_t window = 1u << gene->class;
    switch (gene->act) {
    case 1: // the block covers granule `value` of no window
        return ((gene->value - block->first) & (window - 1)) >= block->length;
    case 2:
        return block->length == window;
    default:
        return (next_random(seed) & 0xFF) < gene->value;
    }
}

static void run_gene(struct arena *arena, const struct gene *gene)
{
    uint64_t seed = gene->value * 77u + gene->class;
    if (gene->act == 0) {
        for (uint32_t n = 0; n <= gene->value && arena->live + (1u << gene->class) <= arena->most && !arena->failed; n++) {
            take(arena, gene->class);
        }
        return;
    }
    for (uint32_t i = arena->count; i-- != 0;) {
        if (is_dropped(&arena->blocks[i], gene, &seed)) {
            drop(arena, i);
        }
    }
}

static uint32_t score(struct arena *arena, const struct program *program)
{
    const struct cairn_heap_config config = {.fit = CAIRN_FIT_BOUNDED};
    const uint32_t granules = arena->granules * arena->unit;
    arena->size = front_bytes(granules, false) + (size_t)granules * 8;
    if (cairn_heap_init(&arena->heap, arena->region, arena->size, &config) != 0 || arena->heap.control->granules != granules) {
        exit(2);
    }
    arena->count = arena->live = arena->worst = 0;
    arena->failed = false;
    for (uint32_t i = 0; i < program->count && !arena->failed; i++) {
        run_gene(arena, &program->genes[i]);
        rate(arena);
    }
    return arena->failed ? UINT32_MAX : arena->worst;
}

static struct gene random_gene(const struct arena *arena, uint64_t *seed)
{
    struct gene gene = {(uint8_t)(next_random(seed) % 4), (uint8_t)(next_random(seed) % (arena->classes + 1)), (uint16_t)(next_random(seed) % 256)};
    if (gene.act == 0 && next_random(seed) % 2 == 0) {
        gene.value = 1000;
    }
    return gene;
}

static void mutate(struct program *program, const struct arena *arena, uint64_t *seed)
{
    for (uint64_t n = 1 + next_random(seed) % 3; n != 0; n--) {
        const uint32_t at = (uint32_t)(next_random(seed) % (program->count + 1));
        const uint64_t how = next_random(seed) % 4;
        if (how == 0 && program->count < GENES) {
            memmove(&program->genes[at + 1], &program->genes[at], (program->count - at) * sizeof program->genes[0]);
            program->genes[at] = random_gene(arena, seed);
            program->count++;
        } else if (at < program->count && how == 1 && program->count > 1) {
            program->count--;
            memmove(&program->genes[at], &program->genes[at + 1], (program->count - at) * sizeof program->genes[0]);
        } else if (at < program->count && how == 2) {
            program->genes[at] = random_gene(arena, seed);
        } else if (at < program->count) {
            program->genes[at].value = (uint16_t)(next_random(seed) % 256);
        }
    }
}

static struct program robson(const struct arena *arena, uint64_t *seed)
{
    struct program program = {0};
    for (uint32_t k = 0; k <= arena->classes; k++) {
        if (k != 0) {
            program.genes[program.count++] = (struct gene){1, (uint8_t)k, (uint16_t)(next_random(seed) % 256)};
        }
        program.genes[program.count++] = (struct gene){0, (uint8_t)k, 1000};
    }
    return program;
}

// The smallest heap, up to one granule above the bound, in which the program does not fail; its score there.
static uint32_t outgrow(struct arena *arena, const struct program *program)
{
    uint32_t its;
    while ((its = score(arena, program)) == UINT32_MAX && arena->granules <= arena->bound) {
        arena->granules++;
    }
    return its;
}

static double seconds_now(void)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// Climb for some seconds. Leaves in arena->granules the smallest heap that was not broken, in *best the last program that broke one.
static uint64_t climb(struct arena *arena, double seconds, uint64_t *seed, uint32_t *plain, struct program *best)
{
    struct program here = robson(arena, seed);
    const double until = seconds_now() + seconds;
    uint32_t stale = 0;
    uint64_t tries = 0;
    arena->granules = arena->most;
    uint32_t here_score = outgrow(arena, &here);
    *plain = arena->granules;
    *best = here;
    do {
        for (uint32_t i = 0; i < 200 && arena->granules <= arena->bound; i++, tries++) {
            struct program trial = here;
            mutate(&trial, arena, seed);
            uint32_t its = score(arena, &trial);
            if (its == UINT32_MAX) {
                *best = here = trial;
                here_score = outgrow(arena, &trial);
                stale = 0;
            } else if (its >= here_score || next_random(seed) % 256 == 0) {
                stale = its > here_score ? 0 : stale;
                here = trial;
                here_score = its;
            }
            if (++stale > 10000) {
                here = next_random(seed) % 2 == 0 ? *best : robson(arena, seed);
                here_score = score(arena, &here);
                stale = 0;
            }
        }
    } while (arena->granules <= arena->bound && seconds_now() < until);
    return tries;
}

static bool attack(uint32_t most, uint32_t largest, uint32_t unit, double seconds, uint64_t *seed)
{
    static struct arena arena;
    struct program best;
    uint32_t plain;
    arena.most = most;
    arena.unit = unit;
    for (arena.classes = 0; (1u << arena.classes) < largest; arena.classes++) {
    }
    arena.bound = most * (1 + arena.classes);
    arena.size = front_bytes((arena.bound + 1) * unit, false) + (size_t)(arena.bound + 1) * unit * 8;
    arena.region = aligned_alloc(64, (arena.size + 63) / 64 * 64);
    if (arena.region == NULL || most > BLOCKS) {
        return false;
    }
    const uint64_t tries = climb(&arena, seconds, seed, &plain, &best);
    free(arena.region);
    const bool broken = arena.granules > arena.bound;
    if (broken) {
        printf("BROKEN: M %u, n %u, %u granules, by\n", most, largest, arena.bound);
    }
    for (uint32_t i = 0; i < best.count && (broken || getenv("CAIRN_SHOW") != NULL); i++) {
        printf("  act %u class %u value %u\n", best.genes[i].act, best.genes[i].class, best.genes[i].value);
    }
    printf("unit %u: M %3u n %3u bound %4u, Robson's program needs %4u, the climb %4u, %.3f of the bound, %llu programs\n", unit, most, largest, arena.bound,
           plain, arena.granules, (double)arena.granules / arena.bound, (unsigned long long)tries);
    fflush(stdout);
    return !broken;
}

int main(int argc, char **argv)
{
    static const uint32_t pairs[][2] = {{16, 2}, {16, 4}, {16, 8}, {32, 4}, {32, 8}, {64, 4}, {64, 8}, {64, 16}, {128, 16}, {256, 32}};
    double seconds = 10;
    uint64_t seed = 1;
    uint32_t unit = 0;
    bool right = true;
    int i = 1;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        if (strcmp(argv[i], "--seconds") == 0) {
            seconds = strtod(argv[i + 1], NULL);
        } else if (strcmp(argv[i], "--unit") == 0) {
            unit = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        } else {
            seed = strtoull(argv[i + 1], NULL, 10);
        }
    }
    const size_t count = sizeof pairs / sizeof pairs[0];
    printf("seed %llu\n", (unsigned long long)seed);
    for (size_t p = 0; i == argc && p < count; p++) {
        right &= attack(pairs[p][0], pairs[p][1], unit == 0 ? 1 : unit, seconds / (double)count / (unit == 0 ? 2 : 1), &seed);
        right &= unit != 0 || attack(pairs[p][0], pairs[p][1], 8, seconds / (double)count / 2, &seed);
    }
    for (; i + 1 < argc; i += 2) {
        right &= attack((uint32_t)strtoul(argv[i], NULL, 10), (uint32_t)strtoul(argv[i + 1], NULL, 10), unit == 0 ? 1 : unit, seconds, &seed);
    }
    return right ? 0 : 1;
}
