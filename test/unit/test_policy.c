// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/vm/policy_*.c: FIFO, LRU and CLOCK against naive models, and what every policy owes the one who asks it.
// CALLERS     ctest, on every preset.
#include "cairn/policy.h"
#include "prng.h"
#include "vm/policy_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define FRAMES_MOST 20u
#define STATE_WORDS 600u
#define NOTHING UINT32_MAX
#define CANARY 0x5AFEC0DEu

static const struct cairn_policy *const policies[] = {
    &cairn_policy_fifo, &cairn_policy_lru,    &cairn_policy_clock,   &cairn_policy_nru,      &cairn_policy_lfu,   &cairn_policy_random,
    &cairn_policy_2q,   &cairn_policy_s3fifo, &cairn_policy_wsclock, &cairn_policy_clockpro, &cairn_policy_loop_, &cairn_policy_adaptive,
};
#define POLICIES (sizeof policies / sizeof policies[0])

// Frames, what is in them, and a policy.
static struct memory {
    const struct cairn_policy *policy;
    uint32_t *state;
    uint32_t frames;
    uint32_t page[FRAMES_MOST];
    uint8_t flags[FRAMES_MOST]; // CAIRN_FRAME_...
    uint32_t faults;
} memory;
static uint32_t places[2][STATE_WORDS];

static const struct cairn_policy_view view = {memory.flags, 1};

static void make(const struct cairn_policy *policy, uint32_t frames)
{
    memset(places, 0xA5, sizeof places);
    memset(&memory, 0, sizeof memory);
    memory.policy = policy;
    memory.state = places[0];
    memory.frames = frames;
    memset(memory.page, 0xFF, sizeof memory.page);
    memset(memory.flags, CAIRN_FRAME_PINNED, sizeof memory.flags);
    const size_t bytes = policy->bytes(frames);
    assert_int_equal(bytes % 4, 0);
    assert_in_range(bytes, 4, sizeof places[0] - 4);
    places[0][bytes / 4] = CANARY;
    policy->init(memory.state, frames);
}

static void assert_in_bounds(void)
{
    assert_int_equal(memory.state[memory.policy->bytes(memory.frames) / 4], CANARY);
}

static uint32_t frame_of(uint32_t page)
{
    uint32_t frame = 0;
    while (frame < memory.frames && memory.page[frame] != page) {
        frame++;
    }
    return frame;
}

static uint32_t victim(uint32_t page)
{
    const uint32_t frame = memory.policy->victim(memory.state, page, &view);
    uint32_t free = 0;
    for (uint32_t i = 0; i < memory.frames; i++) {
        free += memory.page[i] != NOTHING && (memory.flags[i] & CAIRN_FRAME_PINNED) == 0 ? 1 : 0;
    }
    if (free == 0) {
        assert_int_equal(frame, CAIRN_FRAME_NONE);
    } else {
        assert_in_range(frame, 0, memory.frames - 1);
        assert_int_not_equal(memory.page[frame], NOTHING);
        assert_int_equal(memory.flags[frame] & CAIRN_FRAME_PINNED, 0);
    }
    return frame;
}

static void drop(uint32_t frame, bool evicted)
{
    memory.policy->remove(memory.state, frame, evicted);
    memory.page[frame] = NOTHING;
    memory.flags[frame] = CAIRN_FRAME_PINNED;
}

// Returns whether it was a fault.
static bool access_page(uint32_t page)
{
    uint32_t frame = frame_of(page);
    if (frame < memory.frames) {
        memory.flags[frame] |= CAIRN_FRAME_USED;
        if (memory.policy->touch != NULL) {
            memory.policy->touch(memory.state, frame);
        }
        return false;
    }
    memory.faults++;
    frame = frame_of(NOTHING);
    if (frame == memory.frames) {
        frame = victim(page);
        if (frame == CAIRN_FRAME_NONE) {
            return true;
        }
        drop(frame, true);
    }
    memory.page[frame] = page;
    memory.flags[frame] = CAIRN_FRAME_USED;
    memory.policy->insert(memory.state, frame, page);
    return true;
}

// Numbers small and large, some often: what a program with hot pages and a scan asks for.
static uint32_t some_page(struct prng *prng, uint32_t step)
{
    switch (prng_below(prng, 4)) {
    case 0: return 0xFFFFFFF0u + prng_below(prng, 6);
    case 1: return 100 + step % 40;
    default: return prng_below(prng, 30);
    }
}

// ------------------------------------------------------------------------------------------------------------------------- models

enum model { FIFO, LRU, CLOCK };

static struct naive {
    uint32_t page[FRAMES_MOST];
    uint32_t time[FRAMES_MOST]; // of insertion or of the last access; for CLOCK: was it used?
    uint32_t now;
    uint32_t hand;
} naive;

static uint32_t naive_victim(enum model model, uint32_t frames)
{
    uint32_t oldest = 0;
    if (model == CLOCK) {
        for (; naive.time[naive.hand] != 0; naive.hand = (naive.hand + 1) % frames) {
            naive.time[naive.hand] = 0;
        }
        oldest = naive.hand;
        naive.hand = (naive.hand + 1) % frames;
        return oldest;
    }
    for (uint32_t i = 1; i < frames; i++) {
        oldest = naive.time[i] < naive.time[oldest] ? i : oldest;
    }
    return oldest;
}

static bool naive_access(enum model model, uint32_t frames, uint32_t page)
{
    naive.now++;
    uint32_t at = 0;
    while (at < frames && naive.page[at] != page) {
        at++;
    }
    const bool is_fault = at == frames;
    if (is_fault) {
        for (at = 0; at < frames && naive.page[at] != NOTHING; at++) {
        }
        at = at < frames ? at : naive_victim(model, frames);
        naive.page[at] = page;
    }
    if (is_fault || model != FIFO) {
        naive.time[at] = naive.now;
    }
    return is_fault;
}

static void fifo_lru_and_clock_are_their_models(void **state)
{
    static const struct cairn_policy *const exact[] = {[FIFO] = &cairn_policy_fifo, [LRU] = &cairn_policy_lru, [CLOCK] = &cairn_policy_clock};
    (void)state;
    for (uint32_t model = FIFO; model <= CLOCK; model++) {
        for (uint32_t frames = 1; frames <= 17; frames += 4) {
            struct prng prng;
            prng_seed(&prng, frames);
            make(exact[model], frames);
            memset(&naive, 0, sizeof naive);
            memset(naive.page, 0xFF, sizeof naive.page);
            for (uint32_t step = 0; step < 600; step++) {
                const uint32_t page = some_page(&prng, step);
                assert_int_equal(access_page(page), naive_access((enum model)model, frames, page));
            }
            assert_in_bounds();
        }
    }
}

static uint32_t faults_of(const struct cairn_policy *policy, uint32_t frames, const uint8_t *pages, uint32_t count)
{
    make(policy, frames);
    for (uint32_t i = 0; i < count; i++) {
        access_page(pages[i]);
    }
    return memory.faults;
}

static void fifo_has_the_anomaly_and_lru_has_not(void **state)
{
    static const uint8_t pages[] = {1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5};
    (void)state;
    assert_int_equal(faults_of(&cairn_policy_fifo, 3, pages, sizeof pages), 9);
    assert_int_equal(faults_of(&cairn_policy_fifo, 4, pages, sizeof pages), 10);
    assert_int_equal(faults_of(&cairn_policy_lru, 3, pages, sizeof pages), 10);
    assert_int_equal(faults_of(&cairn_policy_lru, 4, pages, sizeof pages), 8);
}

// ------------------------------------------------------------------------------------------------------------------ every policy

// One step of a life with pins, dirt, and pages given back.
static void live(struct prng *prng, uint32_t step)
{
    const uint32_t frame = prng_below(prng, memory.frames);
    if (memory.page[frame] != NOTHING && prng_below(prng, 3) == 0) {
        memory.flags[frame] = (uint8_t)prng_below(prng, 8);
    }
    if (memory.page[frame] != NOTHING && prng_below(prng, 12) == 0) {
        drop(frame, prng_below(prng, 4) == 0);
    }
    if (prng_below(prng, 8) == 0 && frame_of(NOTHING) == memory.frames) {
        (void)victim(step); // and does not come
    }
    access_page(some_page(prng, step));
}

static void a_victim_is_there_and_not_pinned(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < POLICIES; i++) {
        for (uint32_t frames = 1; frames <= FRAMES_MOST; frames += frames < 6 ? 1 : 7) {
            struct prng prng;
            prng_seed(&prng, frames);
            make(policies[i], frames);
            for (uint32_t step = 0; step < 1500; step++) {
                live(&prng, step);
            }
            assert_in_bounds();
        }
    }
}

static void each_frame_may_be_the_only_one_left(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < POLICIES; i++) {
        make(policies[i], 9);
        for (uint32_t step = 0; step < 200; step++) {
            access_page(step % 7 < 3 ? step % 7 : step);
            for (uint32_t frame = 0; frame < 9 && memory.page[8] != NOTHING; frame++) {
                for (uint32_t other = 0; other < 9; other++) {
                    memory.flags[other] = (uint8_t)(other == frame ? 0 : CAIRN_FRAME_PINNED);
                }
                assert_int_equal(victim(1000), frame);
                memory.flags[frame] = CAIRN_FRAME_PINNED;
                assert_int_equal(victim(1000), CAIRN_FRAME_NONE);
            }
            for (uint32_t frame = 0; frame < 9; frame++) {
                memory.flags[frame] = memory.page[frame] == NOTHING ? CAIRN_FRAME_PINNED : 0;
            }
        }
    }
}

static void a_state_may_be_moved(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < POLICIES; i++) {
        uint32_t faults[2];
        for (uint32_t is_moved = 0; is_moved < 2; is_moved++) {
            struct prng prng;
            prng_seed(&prng, 5);
            make(policies[i], 12);
            for (uint32_t step = 0; step < 400; step++) {
                live(&prng, step);
                if (is_moved != 0) {
                    uint32_t *const to = memory.state == places[0] ? places[1] : places[0];
                    memcpy(to, memory.state, policies[i]->bytes(12));
                    memset(memory.state, 0x5A, policies[i]->bytes(12));
                    memory.state = to;
                }
            }
            faults[is_moved] = memory.faults;
        }
        assert_int_equal(faults[0], faults[1]);
    }
}

static void no_policy_faults_while_all_fits(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < POLICIES; i++) {
        make(policies[i], 16);
        for (uint32_t step = 0; step < 400; step++) {
            access_page(step * 7 % 16);
        }
        assert_int_equal(memory.faults, 16);
    }
}

static void sizes_are_what_is_said(void **state)
{
    static const uint32_t most[POLICIES] = {4, 4, 1, 1, 1, 1, 13, 17, 3, 21, 5, 100}; // bytes a frame, of many
    (void)state;
    for (uint32_t i = 0; i < POLICIES; i++) {
        for (uint32_t frames = 1; frames <= 65534; frames = frames * 2 + 1) {
            assert_int_equal(policies[i]->bytes(frames) % 4, 0);
            assert_in_range(policies[i]->bytes(frames), 4, most[i] * (size_t)frames + 192);
        }
        assert_in_range(policies[i]->bytes(65534), 4, most[i] * (size_t)65534 + 192);
    }
}

// ------------------------------------------------------------------------------------------------------------- what each is for

static void clean_pages_leave_before_dirty_ones(void **state)
{
    static const struct cairn_policy *const choosy[] = {&cairn_policy_nru, &cairn_policy_wsclock};
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        make(choosy[i], 8);
        for (uint32_t page = 0; page < 8; page++) {
            access_page(page);
            memory.flags[page] = page == 2 ? 0 : CAIRN_FRAME_DIRTY;
        }
        assert_int_equal(victim(100), 2);
    }
}

static void a_loop_is_followed(void **state)
{
    static const struct cairn_policy *const able[] = {&cairn_policy_loop_, &cairn_policy_adaptive};
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        make(able[i], 16);
        for (uint32_t step = 0; step < 3200; step++) {
            access_page(step % 20);
        }
        assert_in_range(memory.faults, 20, 3200 / 2); // LRU: all
    }
}

// A hot set that only its first access shows, as behind a TLB; a scan goes by. Who forgets the hot set for the scan is lost.
static void hot_pages_behind_a_tlb_are_not_lost(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < POLICIES; i++) {
        make(policies[i], 16);
        uint32_t lost = 0;
        for (uint32_t round = 0; round < 200; round++) {
            for (uint32_t page = 0; page < 6; page++) {
                lost += access_page(page) ? 1 : 0;
            }
            for (uint32_t page = 0; page < 4; page++) {
                access_page(1000 + round * 4 + page);
            }
        }
        const bool is_blind = policies[i] == &cairn_policy_fifo || policies[i] == &cairn_policy_random;
        assert_in_range(lost, 6, is_blind ? 1200 * 3 / 4 : 60);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(fifo_lru_and_clock_are_their_models),
        cmocka_unit_test(fifo_has_the_anomaly_and_lru_has_not),
        cmocka_unit_test(a_victim_is_there_and_not_pinned),
        cmocka_unit_test(each_frame_may_be_the_only_one_left),
        cmocka_unit_test(a_state_may_be_moved),
        cmocka_unit_test(no_policy_faults_while_all_fits),
        cmocka_unit_test(sizes_are_what_is_said),
        cmocka_unit_test(clean_pages_leave_before_dirty_ones),
        cmocka_unit_test(a_loop_is_followed),
        cmocka_unit_test(hot_pages_behind_a_tlb_are_not_lost),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
