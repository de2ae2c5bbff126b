// SPDX-License-Identifier: MIT
//
// OWNS        random operations on a vm and on flat arrays: every policy, page size, depth of tables and size of TLB.
//             ARGS: [OPERATIONS [SEED]]
// CALLERS     ctest, on every preset.
#include "vm_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct vm_model model;
static uint32_t operations = 20000;
static uint32_t first_seed = 1;

static void run(const struct vm_model_config *config, uint32_t seed, uint32_t fail_every)
{
    assert_true(vm_model_start(&model, config, seed));
    for (uint32_t i = 0; i < operations; i++) {
        if (fail_every != 0 && model.calls >= model.fail_at + model.fail_for) {
            model.fail_at = model.calls + 1 + i % fail_every;
            model.fail_for = 1 + i % 3;
        }
        const char *wrong = vm_model_step(&model);
        if (wrong == NULL && i % 512 == 511) {
            wrong = vm_model_compare(&model);
        }
        if (wrong != NULL) {
            fail_msg("%s: %s, seed %lu, operation %lu", config->policy->name, wrong, (unsigned long)seed, (unsigned long)i);
        }
    }
    const char *wrong = vm_model_compare(&model);
    wrong = wrong == NULL ? vm_model_end(&model) : wrong;
    if (wrong != NULL) {
        fail_msg("%s: %s, seed %lu, at the end", config->policy->name, wrong, (unsigned long)seed);
    }
}

static const struct cairn_policy *const policies[] = {
    &cairn_policy_fifo, &cairn_policy_lru,      &cairn_policy_clock,  &cairn_policy_nru,     &cairn_policy_lfu,      &cairn_policy_random,
    &cairn_policy_2q,   &cairn_policy_clockpro, &cairn_policy_s3fifo, &cairn_policy_wsclock, &cairn_policy_adaptive,
};

static void every_policy(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        run(&(struct vm_model_config){.policy = policies[i], .page_shift = 7, .levels = 2, .tlb = 8, .frames = 6 + 3 * i, .slots = MODEL_SLOTS, .far = true},
            first_seed + i, 0);
    }
}

static void every_shape(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 12; i++) {
        run(&(struct vm_model_config){.policy = policies[i % 3],
                                      .page_shift = (uint8_t)(7 + i % 4),
                                      .levels = (uint8_t)(1 + i % CAIRN_LEVELS_MAX),
                                      .tlb = (uint16_t)(4u << i % 6),
                                      .frames = 3 + 5 * i,
                                      .slots = MODEL_SLOTS,
                                      .write_through = i % 5 == 4,
                                      .prefetch = i % 4 == 3,
                                      .far = i % 2 == 0},
            first_seed + 100 + i, 0);
    }
}

static void a_store_that_fails(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 12; i++) {
        run(&(struct vm_model_config){.policy = policies[i % 11],
                                      .page_shift = 7,
                                      .levels = 2,
                                      .tlb = 8,
                                      .frames = 4 + i,
                                      .slots = MODEL_SLOTS,
                                      .write_through = i % 3 == 2,
                                      .prefetch = i % 4 == 1,
                                      .far = true},
            first_seed + 200 + i, 7 + i);
    }
}

static void a_store_that_is_full_or_missing(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 12; i++) {
        run(&(struct vm_model_config){.policy = policies[i % 11], .page_shift = 7, .levels = 2, .tlb = 8, .frames = 6 + i, .slots = 3 * (i / 3), .far = true},
            first_seed + 300 + i, 0);
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_policy),
        cmocka_unit_test(every_shape),
        cmocka_unit_test(a_store_that_fails),
        cmocka_unit_test(a_store_that_is_full_or_missing),
    };
    if (argc > 1) {
        operations = (uint32_t)strtoul(argv[1], NULL, 10);
    }
    if (argc > 2) {
        first_seed = (uint32_t)strtoul(argv[2], NULL, 10);
    }
    print_message("seed %lu, %lu operations a run\n", (unsigned long)first_seed, (unsigned long)operations);
    return cmocka_run_group_tests_name("vm_random", tests, NULL, NULL);
}
