// SPDX-License-Identifier: MIT
//
// OWNS        random operations, of all that vm.h, access.h and object.h have, on spaces that share pages and on flat arrays: every policy, page size, depth
//             of tables; stores that fail; slots and tables that run out.
//             ARGS: [OPERATIONS [SEED]]
// CALLERS     ctest, on every preset.
#include "share_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define OFTEN 200u // operations at the start that are each followed by a check
#define SELDOM 256u

static struct share_model model;
static uint32_t operations = 5000;
static uint32_t first_seed = 1;

static void run(const struct share_config *config, uint32_t seed)
{
    const char *wrong = share_model_start(&model, config, seed) ? NULL : "start";
    uint32_t i = 0;
    for (; wrong == NULL && i < operations; i++) {
        wrong = share_model_step(&model);
        if (wrong == NULL && (i < OFTEN || i % SELDOM == SELDOM - 1)) {
            wrong = share_model_compare(&model);
        }
    }
    if (wrong == NULL) {
        model.what = "the end";
        wrong = share_model_compare(&model);
        wrong = wrong == NULL ? share_model_end(&model) : wrong;
    }
    if (wrong != NULL) {
        fail_msg("%s: %s: %s (%d), seed %lu, operation %lu", config->policy->name, model.what, wrong, model.error, (unsigned long)seed, (unsigned long)i);
    }
}

static const struct cairn_policy *const policies[] = {
    &cairn_policy_fifo, &cairn_policy_lru,      &cairn_policy_clock,  &cairn_policy_nru,     &cairn_policy_lfu,      &cairn_policy_random,
    &cairn_policy_2q,   &cairn_policy_clockpro, &cairn_policy_s3fifo, &cairn_policy_wsclock, &cairn_policy_adaptive,
};
#define POLICIES (uint32_t)(sizeof policies / sizeof policies[0])

static void every_policy(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < POLICIES; i++) {
        run(&(struct share_config){
                .policy = policies[i], .page_shift = 7, .levels = 2, .tlb = 8, .frames = 12, .slots = SHARE_SLOTS, .tables = 32768},
            first_seed + i);
    }
}

static void every_shape(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 16; i++) {
        run(&(struct share_config){.policy = policies[i % 3],
                                   .page_shift = (uint8_t)(7 + i % 3),
                                   .levels = (uint8_t)(1 + i % CAIRN_LEVELS_MAX),
                                   .tlb = (uint16_t)(4u << i % 4),
                                   .frames = 3 + i % 10,
                                   .slots = SHARE_SLOTS,
                                   .tables = 32768,
                                   .write_through = i % 5 == 4,
                                   .prefetch = i % 4 == 3,
                                   .user = i % 3 == 2,
                                   .told = i % 7 == 5},
            first_seed + 100 + i);
    }
}

static void stores_that_fail(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 12; i++) {
        run(&(struct share_config){.policy = policies[(i + 5) % POLICIES],
                                   .page_shift = 7,
                                   .levels = (uint8_t)(1 + i % CAIRN_LEVELS_MAX),
                                   .tlb = 8,
                                   .frames = 4 + i % 8,
                                   .slots = SHARE_SLOTS,
                                   .tables = 32768,
                                   .write_through = i % 3 == 2,
                                   .prefetch = i % 4 == 1,
                                   .user = i % 5 == 1,
                                   .fail_every = 3 + 4 * i},
            first_seed + 200 + i);
    }
}

static void slots_and_tables_that_run_out(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 16; i++) {
        run(&(struct share_config){.policy = policies[i % POLICIES],
                                   .page_shift = 7,
                                   .levels = (uint8_t)(1 + i % CAIRN_LEVELS_MAX),
                                   .tlb = 8,
                                   .frames = 5 + i % 8,
                                   .slots = i % 2 == 0 ? SHARE_SLOTS : 6 * (i / 2),
                                   .tables = i % 3 == 0 ? 32768 : 900 + 250 * i,
                                   .write_through = i % 3 == 2,
                                   .prefetch = i % 4 == 1,
                                   .user = i % 5 == 1,
                                   .fail_every = i % 4 == 2 ? 20 : 0},
            first_seed + 300 + i);
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_policy),
        cmocka_unit_test(every_shape),
        cmocka_unit_test(stores_that_fail),
        cmocka_unit_test(slots_and_tables_that_run_out),
    };
    if (argc > 1) {
        operations = (uint32_t)strtoul(argv[1], NULL, 10);
    }
    if (argc > 2) {
        first_seed = (uint32_t)strtoul(argv[2], NULL, 10);
    }
    print_message("seed %lu, %lu operations a run\n", (unsigned long)first_seed, (unsigned long)operations);
    return cmocka_run_group_tests_name("share_random", tests, NULL, NULL);
}
