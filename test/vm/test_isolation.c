// SPDX-License-Identifier: MIT
//
// OWNS        the proof of isolation: no sequence of calls with one space's handle reads or writes another's memory, or the host's. Random sequences of every call,
//             with any address, size and value; isolation.h says among whom.
//             ARGS: [OPERATIONS [SEED]]
// CALLERS     ctest, on every preset.
#include "isolation.h"
#include "prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct iso iso;
static struct prng prng;
static uint32_t operations = 2000;
static uint32_t first_seed = 1;
static uint32_t done[ISO_CALLS], made[ISO_CALLS];

static uint32_t draw(void *context, uint32_t below)
{
    return prng_below(context, below);
}

static void run(const struct iso_config *config, uint32_t seed)
{
    prng_seed(&prng, seed);
    const char *wrong = iso_start(&iso, config, draw, &prng);
    uint32_t i = 0;
    for (; wrong == NULL && i < operations; i++) {
        wrong = iso_call(&iso);
        wrong = wrong == NULL && (i < operations / 20 || i % 16 == 0) ? iso_look(&iso) : wrong;
    }
    wrong = wrong == NULL ? iso_look(&iso) : wrong;
    wrong = wrong == NULL ? iso_end(&iso) : wrong;
    if (wrong != NULL) {
        fail_msg("%s: %s: %s (%d), seed %lu, operation %lu", config->policy->name, iso.what, wrong, iso.error, (unsigned long)seed, (unsigned long)i);
    }
    for (uint32_t call = 0; call < ISO_CALLS; call++) {
        made[call] += iso.made[call];
        done[call] += iso.done[call];
    }
}

static const struct cairn_policy *const policies[] = {
    &cairn_policy_fifo, &cairn_policy_lru,      &cairn_policy_clock,  &cairn_policy_nru,     &cairn_policy_lfu,      &cairn_policy_random,
    &cairn_policy_2q,   &cairn_policy_clockpro, &cairn_policy_s3fifo, &cairn_policy_wsclock, &cairn_policy_adaptive,
};
#define POLICIES (uint32_t)(sizeof policies / sizeof policies[0])

static void isolation_of_spaces_whatever_is_called(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 12; i++) {
        run(&(struct iso_config){.policy = policies[i % POLICIES],
                                 .levels = (uint8_t)(1 + i % CAIRN_LEVELS_MAX),
                                 .tlb = (uint16_t)(4u << i % 3),
                                 .frames = 6 + i % 11,
                                 .slots = ISO_SLOTS,
                                 .tables = 16384,
                                 .write_through = i % 4 == 3,
                                 .prefetch = i % 3 == 2},
            first_seed + i);
    }
}

static void isolation_of_spaces_where_transfers_fail_and_memory_runs_out(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 12; i++) {
        run(&(struct iso_config){.policy = policies[(i + 5) % POLICIES],
                                 .levels = (uint8_t)(1 + i % CAIRN_LEVELS_MAX),
                                 .tlb = 8,
                                 .frames = 5 + i % 8,
                                 .slots = i % 2 == 0 ? ISO_SLOTS : 30 + i,
                                 .tables = 3500 + i * 300,
                                 .write_through = i % 4 == 1,
                                 .prefetch = i % 3 == 1,
                                 .fail_every = i % 3 == 0 ? 0 : 3 + 2 * i},
            first_seed + 100 + i);
    }
}

static void each_call_was_made_and_succeeded(void **state)
{
    (void)state;
    uint32_t calls = 0;
    for (uint32_t call = 0; iso_name(call) != NULL; call++) {
        if (done[call] == 0 || made[call] == done[call]) {
            fail_msg("%s: %lu of %lu calls returned 0", iso_name(call), (unsigned long)done[call], (unsigned long)made[call]);
        }
        calls += made[call];
    }
    print_message("%lu calls\n", (unsigned long)calls);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(isolation_of_spaces_whatever_is_called),
        cmocka_unit_test(isolation_of_spaces_where_transfers_fail_and_memory_runs_out),
        cmocka_unit_test(each_call_was_made_and_succeeded),
    };
    if (argc > 1) {
        operations = (uint32_t)strtoul(argv[1], NULL, 10);
    }
    if (argc > 2) {
        first_seed = (uint32_t)strtoul(argv[2], NULL, 10);
    }
    print_message("seed %lu, %lu operations a run\n", (unsigned long)first_seed, (unsigned long)operations);
    return cmocka_run_group_tests_name("isolation", tests, NULL, NULL);
}
