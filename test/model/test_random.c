// SPDX-License-Identifier: MIT
//
// Random operations against the naive model, for every fit, search limit, place of the tags, and with wiping.
//
// OWNS        the region and the tags; the plan: a new heap every few hundred operations, each of another kind.
// PICTURE     test_random [SEED [OPERATIONS]]   or CAIRN_SEED=SEED; CAIRN_TIER=full: a hundred times as many operations
// CALLERS     ctest, on every preset. A failure prints the seed and the operation; the same seed fails again.
#include "arguments.h"
#include "model.h"

#include "heap/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if defined(__unix__) || defined(__APPLE__)
#define HOSTED 1
#define OPERATIONS 100000u
#define DEEP_EVERY 1u
#define REGION_ALIGNMENT 4096 // more than any alignment that is asked for: the same blocks fit in every program
#else
#define HOSTED 0
#define OPERATIONS 20000u
#define DEEP_EVERY 4u
#define REGION_ALIGNMENT 64
#endif
#define TAGS_BYTES (MODEL_GRANULES * 2 + 256)

static _Alignas(REGION_ALIGNMENT) unsigned char region[MODEL_REGION + 64];
static uint32_t tags[TAGS_BYTES / 4];
static struct model model;
static uint32_t seed = 1;
static uint32_t operations = OPERATIONS;
static uint32_t images = 2166136261u; // a hash of every heap's bytes at its end (Fowler, Noll, Vo)

static void note_report(void *context, const struct cairn_report *report)
{
    struct model *const its = context;
    its->report = *report;
    its->reports++;
}

// Make a heap of the kind `number`, in a region of random size and place.
static void make_heap(enum cairn_fit fit, uint32_t number)
{
    static const uint16_t searches[] = {CAIRN_SEARCH_ALL, 0, 1, 4};
    struct prng *const prng = &model.prng;
    unsigned char *const start = region + prng_below(prng, 48);
    const size_t size = 300 + prng_below(prng, MODEL_REGION - 300);
    const bool outside = (number >> 2 & 1) != 0;
    model.hooks.hooked = CAIRN_HOOKED;
    model.hooks.report = note_report;
    model.config = (struct cairn_heap_config){.fit = fit,
                                              .search = searches[number & 3],
                                              .wipe = (number >> 3 & 1) != 0,
                                              .hooks = (number >> 1 & 1) == (number >> 4 & 1) ? &model.hooks : NULL, // without: the short paths
                                              .context = &model};
    if (outside) {
        model.config.tags = tags;
        model.config.tags_size = sizeof tags;
        if (cairn_heap_tags_size(size) > sizeof tags) { // tiny tag words take more
            model.config.tags = NULL;
        }
    }
    model.config.max_size = size;
    memset(region, model.config.wipe ? 0 : 0xA5, sizeof region);
    memset(tags, 0x5A, sizeof tags);
    size_t now = prng_below(prng, 2) == 0 ? size : prng_below(prng, (uint32_t)size);
    while (cairn_heap_init(&model.heap, start, now, &model.config) != 0) {
        now = now + 50 < size ? now + 50 : size;
    }
    model_begin(&model, start);
    model.limit = model.heap.control->limit;
}

static void run(enum cairn_fit fit)
{
    prng_seed(&model.prng, seed * 8 + (uint32_t)fit);
    for (uint32_t done = 0, number = 0; done < operations; number++) {
        make_heap(fit, number);
        const uint32_t length = 50 + prng_below(&model.prng, 400);
        for (uint32_t i = 0; i < length; i++, done++) {
            model_step(&model);
            model_prove(&model, done % DEEP_EVERY == 0);
        }
        for (size_t i = 0; i < sizeof region; i++) {
            images = (images ^ region[i]) * 16777619u;
        }
        model_end(&model);
    }
}

static void best_fit_does_as_the_model(void **state)
{
    (void)state;
    run(CAIRN_FIT_BEST);
}

static void first_fit_does_as_the_model(void **state)
{
    (void)state;
    run(CAIRN_FIT_FIRST);
}

static void worst_fit_does_as_the_model(void **state)
{
    (void)state;
    run(CAIRN_FIT_WORST);
}

static void bounded_fit_does_as_the_model(void **state)
{
    (void)state;
    run(CAIRN_FIT_BOUNDED);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(best_fit_does_as_the_model),
        cmocka_unit_test(first_fit_does_as_the_model),
        cmocka_unit_test(worst_fit_does_as_the_model),
        cmocka_unit_test(bounded_fit_does_as_the_model),
    };
    read_arguments(argc, argv, 100, &seed, &operations);
    printf("seed %lu, %lu operations for each fit\n", (unsigned long)seed, (unsigned long)operations);
    fflush(stdout);
    const int failed = cmocka_run_group_tests_name("random", tests, NULL, NULL);
    printf("images %08lx\n", (unsigned long)images);
    return failed;
}
