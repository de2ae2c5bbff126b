// SPDX-License-Identifier: MIT
//
// OWNS        the proof of port/host/page_run.c and page_opt.c, and that no policy collapses under the stream of a TLB.
// PICTURE     traces are made here: programs in small, with loops, scans, hot pages, and noise
// CALLERS     ctest, on the host.
#include "page_run.h"
#include "prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ACCESSES 12000u
#define PAGES 96u
#define KINDS 6u

static const struct cairn_policy *const policies[] = {
    &cairn_policy_fifo, &cairn_policy_lru,      &cairn_policy_clock,  &cairn_policy_nru,     &cairn_policy_lfu,      &cairn_policy_random,
    &cairn_policy_2q,   &cairn_policy_clockpro, &cairn_policy_s3fifo, &cairn_policy_wsclock, &cairn_policy_adaptive,
};
#define POLICIES (sizeof policies / sizeof policies[0])

static uint32_t accesses[ACCESSES];
static uint32_t pages[PAGES];
static struct page_trace trace;

static uint32_t page_at(uint32_t kind, uint32_t at, struct prng *prng)
{
    const uint32_t hot = prng_below(prng, 8);
    switch (kind) {
    case 0: return at / 4 % PAGES;                                             // a loop, four accesses a page
    case 1: return at % 3 == 0 ? 8 + at / 24 % (PAGES - 8) : hot;              // a scan beside hot pages
    case 2: return prng_below(prng, 1 + prng_below(prng, PAGES));              // skewed
    case 3: return at / 3000 * 20 + prng_below(prng, 24);                      // phases
    case 4: return at % 2 == 0 ? at / 8 % 48 : 48 + at / 8 % 48;               // two streams
    default: return at % 2 == 0 ? at / 2 / 48 % 48 : 48 + at / 2 % 48;         // a matrix is transposed: rows are read, columns written
    }
}

static void trace_make(uint32_t kind, uint32_t seed)
{
    struct prng prng;
    prng_seed(&prng, seed);
    trace = (struct page_trace){.name = "made", .page_bytes = 1024, .accesses = accesses, .access_count = ACCESSES, .pages = pages, .page_count = PAGES};
    for (uint32_t page = 0; page < PAGES; page++) {
        pages[page] = 0x4000 + page;
    }
    for (uint32_t at = 0; at < ACCESSES; at++) {
        accesses[at] = page_at(kind, at, &prng) | (prng_below(&prng, 4) == 0 ? PAGE_TRACE_WRITE : 0);
    }
}

static uint32_t faults_of(const struct cairn_policy *policy, uint32_t frames, uint32_t tlb)
{
    struct page_run run = {.trace = &trace, .policy = policy, .frames = frames, .tlb = tlb};
    assert_true(page_run(&run));
    assert_int_equal(run.prefetches + run.useful, 0);
    assert_true(tlb != 0 || run.seen == ACCESSES);
    assert_true(run.writebacks <= run.faults);
    return run.faults;
}

static void nobody_beats_opt(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        trace_make(kind, kind + 1);
        for (uint32_t frames = 1; frames <= PAGES; frames = frames * 2 + 1) {
            uint32_t writebacks;
            const uint32_t least = page_opt(&trace, frames, &writebacks);
            for (uint32_t i = 0; i < POLICIES; i++) {
                assert_in_range(faults_of(policies[i], frames, 0), least, ACCESSES);
                assert_in_range(faults_of(policies[i], frames, 16), least, ACCESSES);
            }
        }
    }
}

// OPT by looking ahead at each fault.
static uint32_t opt_slowly(uint32_t frames)
{
    uint32_t held[PAGES];
    uint32_t count = 0;
    uint32_t faults = 0;
    for (uint32_t at = 0; at < 1500; at++) {
        const uint32_t page = accesses[at] & ~PAGE_TRACE_WRITE;
        uint32_t place = 0;
        while (place < count && held[place] != page) {
            place++;
        }
        if (place < count) {
            continue;
        }
        faults++;
        if (count == frames) {
            uint32_t furthest = 0;
            for (uint32_t i = 0; i < count; i++) {
                uint32_t next = at + 1;
                while (next < 1500 && (accesses[next] & ~PAGE_TRACE_WRITE) != held[i]) {
                    next++;
                }
                if (next > furthest) {
                    furthest = next;
                    place = i;
                }
            }
        } else {
            count++;
        }
        held[place] = page;
    }
    return faults;
}

static void opt_is_optimal(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        trace_make(kind, kind + 7);
        trace.access_count = 1500;
        for (uint32_t frames = 1; frames < 40; frames = frames * 2 + 1) {
            uint32_t writebacks;
            assert_int_equal(page_opt(&trace, frames, &writebacks), opt_slowly(frames));
        }
    }
}

// What a policy is not shown it cannot know; but none may fall to pieces, as SIEVE does: about twice what FIFO has, which sees nothing.
static void a_tlb_in_front_makes_none_collapse(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        trace_make(kind, kind + 3);
        for (uint32_t frames = 6; frames < PAGES; frames *= 2) {
            const uint32_t blind = faults_of(&cairn_policy_fifo, frames, 0);
            for (uint32_t tlb = 4; tlb <= 64; tlb *= 4) {
                for (uint32_t i = 0; i < POLICIES; i++) {
                    assert_in_range(faults_of(policies[i], frames, tlb), 1, 2 * blind + 120);
                }
            }
        }
    }
}

static void adaptive_is_near_the_best(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        trace_make(kind, kind + 11);
        for (uint32_t frames = 12; frames < PAGES; frames *= 2) {
            uint32_t least = ACCESSES;
            for (uint32_t i = 0; i + 1 < POLICIES; i++) {
                const uint32_t faults = faults_of(policies[i], frames, 0);
                least = faults < least ? faults : least;
            }
            assert_in_range(faults_of(&cairn_policy_adaptive, frames, 0), 1, least + least / 8 + 4 * frames);
        }
    }
}

static void prefetching_helps_streams_and_harms_little(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        trace_make(kind, kind + 5);
        for (uint32_t i = 0; i < POLICIES; i++) {
            struct page_run run = {.trace = &trace, .policy = policies[i], .frames = 32, .is_prefetching = true};
            assert_true(page_run(&run));
            const uint32_t without = faults_of(policies[i], 32, 0);
            assert_true(run.useful <= run.prefetches);
            assert_in_range(run.faults, 0, without + without / 20 + 16);
            const bool is_s3fifo = policies[i] == &cairn_policy_s3fifo; // pages soon leave its small queue, asked for or not
            if (kind == 0 || (kind == 4 && !is_s3fifo)) {
                assert_in_range(run.faults, 0, without / 2);
            }
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_beats_opt),
        cmocka_unit_test(opt_is_optimal),
        cmocka_unit_test(a_tlb_in_front_makes_none_collapse),
        cmocka_unit_test(adaptive_is_near_the_best),
        cmocka_unit_test(prefetching_helps_streams_and_harms_little),
    };
    return cmocka_run_group_tests_name("page_run", tests, NULL, NULL);
}
