// SPDX-License-Identifier: MIT
//
// OWNS        concepts of replacement, a test each, which carries its name: every policy, by what only it does. Strings of references are those of textbooks where
//             there are some.
// PICTURE     a memory of a few frames that asks a policy of the library who is to leave: cairn/policy.h and nothing else
// CALLERS     ctest, on the host and one board; OPT, which must know the future, is a tool's, on the host.
#include "cairn/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define FRAMES_MOST 16u
#define NOBODY 0u

static struct {
    const struct cairn_policy *policy;
    uint32_t frames;
    uint32_t pages[FRAMES_MOST];
    uint8_t flags[FRAMES_MOST];
    uint32_t state[1024];
    uint32_t faults;
    uint32_t left; // the page that left last
} ram;

static const struct cairn_policy_view view = {ram.flags, 1};

static void begin(const struct cairn_policy *policy, uint32_t frames)
{
    memset(&ram, 0, sizeof ram);
    ram.policy = policy;
    ram.frames = frames;
    memset(ram.flags, CAIRN_FRAME_PINNED, sizeof ram.flags); // no page yet
    assert_true(policy->bytes(frames) <= sizeof ram.state);
    policy->init(ram.state, frames);
}

static uint32_t frame_of(uint32_t page)
{
    uint32_t frame = 0;
    while (frame < ram.frames && ram.pages[frame] != page) {
        frame++;
    }
    return frame;
}

static bool is_there(uint32_t page)
{
    return frame_of(page) < ram.frames;
}

// A reference to a page. Pages have numbers from 1.
static void use(uint32_t page, bool write)
{
    uint32_t frame = frame_of(page);
    if (frame < ram.frames) {
        ram.flags[frame] |= (uint8_t)(CAIRN_FRAME_USED | (write ? CAIRN_FRAME_DIRTY : 0));
        if (ram.policy->touch != NULL) {
            ram.policy->touch(ram.state, frame);
        }
        return;
    }
    ram.faults++;
    frame = frame_of(NOBODY);
    if (frame == ram.frames) {
        frame = ram.policy->victim(ram.state, page, &view);
        assert_true(frame < ram.frames && (ram.flags[frame] & CAIRN_FRAME_PINNED) == 0);
        ram.left = ram.pages[frame];
        ram.policy->remove(ram.state, frame, true);
    }
    ram.pages[frame] = page;
    ram.flags[frame] = CAIRN_FRAME_USED | (write ? CAIRN_FRAME_DIRTY : 0);
    ram.policy->insert(ram.state, frame, page);
}

static void use_all(const uint8_t *pages, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        use(pages[i], false);
    }
}
#define USE(...) use_all((const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[]){__VA_ARGS__})

// Pages that are used once each.
static void scan(uint32_t first, uint32_t count)
{
    for (uint32_t page = first; page < first + count; page++) {
        use(page, false);
    }
}

// So many rounds over so many pages.
static uint32_t faults_of_loop(const struct cairn_policy *policy, uint32_t frames, uint32_t pages, uint32_t rounds)
{
    begin(policy, frames);
    for (uint32_t round = 0; round < rounds; round++) {
        scan(1, pages);
    }
    return ram.faults;
}

// Belady's string, of his anomaly.
static uint32_t faults_of_belady(const struct cairn_policy *policy, uint32_t frames)
{
    begin(policy, frames);
    USE(1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5);
    return ram.faults;
}

// Silberschatz, Galvin, Gagne: 9 faults are the fewest, in three frames.
static const uint8_t silberschatz[] = {8, 1, 2, 3, 1, 4, 1, 5, 3, 4, 1, 4, 3, 2, 3, 1, 2, 8, 1, 2}; // page 0 is 1, 7 is 8

static uint32_t faults_of_silberschatz(const struct cairn_policy *policy)
{
    begin(policy, 3);
    use_all(silberschatz, sizeof silberschatz);
    return ram.faults;
}

// ---------------------------------------------------------------------------------------------------------------- the policies

// Who came first leaves first, used or not: and so more frames may fault more (Belady, Nelson, Shedler 1969).
static void concept_fifo(void **state)
{
    (void)state;
    assert_int_equal(faults_of_belady(&cairn_policy_fifo, 3), 9);
    assert_int_equal(faults_of_belady(&cairn_policy_fifo, 4), 10);
    assert_int_equal(faults_of_silberschatz(&cairn_policy_fifo), 15);
    begin(&cairn_policy_fifo, 3);
    USE(1, 2, 3, 1, 1, 1, 4);
    assert_int_equal(ram.left, 1);
}

// Who was not used for the longest time leaves. It has no anomaly.
static void concept_lru(void **state)
{
    (void)state;
    assert_int_equal(faults_of_belady(&cairn_policy_lru, 3), 10);
    assert_int_equal(faults_of_belady(&cairn_policy_lru, 4), 8);
    assert_int_equal(faults_of_silberschatz(&cairn_policy_lru), 12);
    begin(&cairn_policy_lru, 3);
    USE(1, 2, 3, 1, 4);
    assert_int_equal(ram.left, 2);
}

// FIFO with a second chance for who was used since the hand passed.
static void concept_clock(void **state)
{
    (void)state;
    begin(&cairn_policy_clock, 3);
    USE(1, 2, 3, 4); // all were used: the hand goes round once, and takes the first
    assert_int_equal(ram.left, 1);
    USE(2, 5); // FIFO's would be 2
    assert_int_equal(ram.left, 3);
    USE(6); // its chance is over
    assert_int_equal(ram.left, 2);
}

// Four classes: not used comes before used, then clean before dirty.
static void concept_nru(void **state)
{
    static const uint8_t classes[] = {CAIRN_FRAME_USED | CAIRN_FRAME_DIRTY, CAIRN_FRAME_USED, CAIRN_FRAME_DIRTY, 0};
    (void)state;
    begin(&cairn_policy_nru, 4);
    USE(1, 2, 3, 4);
    for (uint32_t stays = 4; stays > 0; stays--) {
        for (uint32_t frame = 0; frame < 4; frame++) {
            ram.flags[frame] = (uint8_t)(classes[frame] | (frame < stays ? 0 : CAIRN_FRAME_PINNED));
        }
        assert_int_equal(ram.policy->victim(ram.state, 5, &view), stays - 1);
    }
    begin(&cairn_policy_nru, 4);
    USE(1, 2, 3, 4, 5); // all were used: the first leaves, and of the others that is forgotten
    USE(2, 6);          // but 2 was used since
    assert_int_equal(ram.left, 3);
}

// Who was used in more intervals than others stays through a scan, which LRU forgets it in; but not for ever.
static void concept_lfu_with_ageing(void **state)
{
    (void)state;
    begin(&cairn_policy_lfu, 4);
    for (uint32_t i = 0; i < 20; i++) {
        use(1, false);
        use(100 + i, false);
    }
    scan(200, 8);
    assert_true(is_there(1)); // frequently used
    scan(300, 100);
    assert_false(is_there(1)); // long ago
    begin(&cairn_policy_lru, 4);
    for (uint32_t i = 0; i < 20; i++) {
        use(1, false);
        use(100 + i, false);
    }
    scan(200, 8);
    assert_false(is_there(1));
}

// Anybody leaves, each about as often, whatever is used: also who was used just before. And a loop a little longer than memory has hits, which LRU has none of.
static void concept_random(void **state)
{
    uint32_t left[4] = {0, 0, 0, 0};
    uint32_t just_used = 0;
    (void)state;
    begin(&cairn_policy_random, 4);
    for (uint32_t page = 2; page <= 405; page++) {
        use(1, false);
        use(page, false);
        left[frame_of(page)] += page > 5;
        just_used += ram.left == 1;
    }
    for (uint32_t frame = 0; frame < 4; frame++) {
        assert_in_range(left[frame], 60, 140);
    }
    assert_in_range(just_used, 60, 140);
    assert_int_equal(faults_of_loop(&cairn_policy_lru, 8, 9, 50), 450);
    assert_in_range(faults_of_loop(&cairn_policy_random, 8, 9, 50), 50, 350);
}

// Who comes back soon after it left is kept from then on; what is seen once passes through a queue (Johnson, Shasha 1994).
static void concept_2q(void **state)
{
    (void)state;
    begin(&cairn_policy_2q, 8);
    USE(1, 1, 1); // in the queue uses count once
    scan(100, 8);
    assert_false(is_there(1));
    use(1, false); // it is remembered
    scan(200, 30);
    assert_true(is_there(1));
    begin(&cairn_policy_2q, 8);
    scan(1, 9);
    scan(1, 6); // each has just left: these are kept, and two in the queue
    USE(1, 7);  // of those that are kept the least recently used leaves, not who was kept first
    assert_int_equal(ram.left, 2);
}

// Pages are hot or cold by how soon they come back, and memory is kept for the hot: most of a loop longer than memory hits (Jiang, Chen, Zhang 2005).
static void concept_clock_pro(void **state)
{
    (void)state;
    assert_int_equal(faults_of_loop(&cairn_policy_clock, 8, 10, 50), 500);
    assert_true(faults_of_loop(&cairn_policy_clockpro, 8, 10, 50) < 300);
    begin(&cairn_policy_clockpro, 8);
    USE(1, 2, 3, 4, 1, 5, 6, 7, 8, 1); // it came back while it was there: it is hot without having left
    scan(100, 20);
    assert_true(is_there(1));
}

// Three queues: who is used while in the small one goes to the main one at once; who is not leaves soon, and goes there if it is back soon; who is used in the main
// one goes round again (Yang et al. 2023).
static void concept_s3_fifo(void **state)
{
    (void)state;
    begin(&cairn_policy_s3fifo, 10);
    USE(1, 1, 1);
    scan(100, 30);
    assert_true(is_there(1));
    begin(&cairn_policy_lru, 10);
    USE(1, 1, 1);
    scan(100, 30);
    assert_false(is_there(1));
    begin(&cairn_policy_s3fifo, 10);
    scan(1, 11);
    assert_int_equal(ram.left, 1);
    use(1, false); // it is remembered, and goes to the main one
    scan(100, 30);
    assert_true(is_there(1));
    begin(&cairn_policy_s3fifo, 10);
    for (uint32_t times = 0; times < 3; times++) {
        scan(1, 10);
    }
    use(11, false); // the main one has all but two then, and is the one that is too long
    assert_int_equal(ram.left, 1);
    USE(2, 12); // a FIFO's would be 2
    assert_int_equal(ram.left, 3);
    use(13, false); // the small one's
    assert_int_equal(ram.left, 11);
    assert_int_equal(faults_of_loop(&cairn_policy_s3fifo, 8, 16, 20), 320); // who is back after memory and history forgot him is new
}

// A hand, as CLOCK's, that takes who was not used within a window, and is clean: the working set stays, and what would have to be written (Carr, Hennessy 1981).
static void concept_wsclock(void **state)
{
    (void)state;
    begin(&cairn_policy_wsclock, 8);
    use(1, true); // the oldest, and dirty
    USE(2, 3, 4, 5, 6, 7, 8, 2);
    use(9, false);
    assert_int_equal(ram.left, 3); // not 1; not 2, which was just used
    use(10, false);
    assert_int_equal(ram.left, 4);
    assert_true(is_there(1) && is_there(2));
}

// It does as whichever of its policies does better: a loop is not LRU's, a stack is.
static void concept_adaptive(void **state)
{
    (void)state;
    assert_int_equal(faults_of_loop(&cairn_policy_lru, 8, 10, 100), 1000);
    assert_true(faults_of_loop(&cairn_policy_adaptive, 8, 10, 100) < 600);
    assert_true(faults_of_loop(&cairn_policy_adaptive, 8, 16, 100) < 1200); // every other one, but Random, has 1600
    uint32_t faults[2];
    for (uint32_t i = 0; i < 2; i++) {
        begin(i == 0 ? &cairn_policy_lru : &cairn_policy_adaptive, 8);
        for (uint32_t n = 0; n < 600; n++) {
            scan(1 + n / 3, 7); // a window that moves: who is good at loops has thrice the faults
        }
        faults[i] = ram.faults;
    }
    assert_true(faults[1] <= faults[0] + faults[0] / 4 + 2);
}

#if CONCEPTS_HAVE_OPT
#include "page_run.h"

// Who is not used for the longest time to come leaves (Belady 1966): nobody has fewer faults.
static void concept_opt(void **state)
{
    static uint32_t accesses[sizeof silberschatz], pages[9];
    uint32_t writebacks;
    (void)state;
    for (uint32_t i = 0; i < sizeof silberschatz; i++) {
        accesses[i] = silberschatz[i];
    }
    const struct page_trace trace = {.page_bytes = 1024, .accesses = accesses, .access_count = sizeof silberschatz, .pages = pages, .page_count = 9};
    assert_int_equal(page_opt(&trace, 3, &writebacks), 9);
    static const struct cairn_policy *const all[] = {&cairn_policy_fifo, &cairn_policy_lru,      &cairn_policy_clock,  &cairn_policy_nru,
                                                     &cairn_policy_lfu,  &cairn_policy_random,   &cairn_policy_2q,     &cairn_policy_clockpro,
                                                     &cairn_policy_s3fifo, &cairn_policy_wsclock, &cairn_policy_adaptive};
    for (uint32_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_true(faults_of_silberschatz(all[i]) >= 9);
    }
}
#endif

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(concept_fifo),
        cmocka_unit_test(concept_lru),
        cmocka_unit_test(concept_clock),
        cmocka_unit_test(concept_nru),
        cmocka_unit_test(concept_lfu_with_ageing),
        cmocka_unit_test(concept_random),
        cmocka_unit_test(concept_2q),
        cmocka_unit_test(concept_clock_pro),
        cmocka_unit_test(concept_s3_fifo),
        cmocka_unit_test(concept_wsclock),
        cmocka_unit_test(concept_adaptive),
#if CONCEPTS_HAVE_OPT
        cmocka_unit_test(concept_opt),
#endif
    };
    return cmocka_run_group_tests_name("concepts_replacement", tests, NULL, NULL);
}
