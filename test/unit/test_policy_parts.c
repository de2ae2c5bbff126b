// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/vm/policy_parts.h: rings and histories against arrays.
// CALLERS     ctest, on every preset.
#include "prng.h"
#include "vm/policy_parts.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NODES 12u
#define CAPACITY 7u
#define PAGES 20u

static void a_ring_is_in_order(void **state)
{
    struct ring_link links[NODES];
    struct ring ring = ring_empty();
    uint32_t order[NODES];
    uint32_t count = 0;
    struct prng prng;
    (void)state;
    prng_seed(&prng, 1);
    for (uint32_t step = 0; step < 3000; step++) {
        const uint32_t node = prng_below(&prng, NODES);
        uint32_t at = 0;
        while (at < count && order[at] != node) {
            at++;
        }
        const bool is_in = at < count;
        const bool is_renewed = prng_below(&prng, 2) == 0;
        if (!is_in) {
            cairn_ring_append_(&ring, links, node);
        } else {
            memmove(&order[at], &order[at + 1], (count - at - 1) * sizeof order[0]);
            count--;
            if (is_renewed) {
                cairn_ring_renew_(&ring, links, node);
            } else {
                cairn_ring_unlink_(&ring, links, node);
            }
        }
        if (!is_in || is_renewed) {
            order[count++] = node;
        }
        assert_int_equal(ring.count, count);
        uint32_t walk = ring.first;
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(walk, order[i]);
            assert_int_equal(links[links[walk].next].previous, walk);
            walk = links[walk].next;
        }
        assert_int_equal(walk, ring.first);
        assert_true(count != 0 || ring.first == NO_LINK);
    }
}

// The last CAPACITY pages that were added; one that was taken leaves a hole.
static void a_history_holds_the_last_and_no_more(void **state)
{
    static uint32_t memory[64];
    struct history *const history = (struct history *)memory;
    uint32_t slots[CAPACITY];
    uint32_t next = 0;
    struct prng prng;
    (void)state;
    assert_in_range(history_bytes(CAPACITY), 4, sizeof memory);
    cairn_history_init_(history, CAPACITY);
    memset(slots, 0xFF, sizeof slots);
    prng_seed(&prng, 2);
    for (uint32_t step = 0; step < 5000; step++) {
        const uint32_t page = prng_below(&prng, PAGES) << (step % 3 * 12);
        uint32_t held = 0;
        uint32_t youngest = CAPACITY; // of this page: chains begin with the youngest
        for (uint32_t i = 0; i < CAPACITY; i++) {
            const uint32_t slot = (next + i) % CAPACITY;
            held += slots[slot] != UINT32_MAX ? 1 : 0;
            youngest = slots[slot] == page ? slot : youngest;
        }
        assert_int_equal(history->count, held);
        if (prng_below(&prng, 2) == 0) {
            assert_int_equal(cairn_history_take_(history, page), youngest != CAPACITY);
            if (youngest != CAPACITY) {
                slots[youngest] = UINT32_MAX;
            }
        } else {
            cairn_history_add_(history, page);
            slots[next] = page;
            next = (next + 1) % CAPACITY;
        }
    }
}

static void sets_end_where_they_end(void **state)
{
    uint32_t set[2] = {0, 0};
    (void)state;
    assert_int_equal(set_words(1), 1);
    assert_int_equal(set_words(32), 1);
    assert_int_equal(set_words(33), 2);
    set_add(set, 31);
    set_add(set, 32);
    assert_true(set_has(set, 31) && set_has(set, 32) && !set_has(set, 30) && !set_has(set, 33));
    set_drop(set, 31);
    assert_int_equal(set[0], 0);
    assert_int_equal(set[1], 1);
    assert_int_equal(frame_after(4, 5), 0);
    assert_int_equal(frame_after(3, 5), 4);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_is_in_order),
        cmocka_unit_test(a_history_holds_the_last_and_no_more),
        cmocka_unit_test(sets_end_where_they_end),
    };
    return cmocka_run_group_tests_name("policy_parts", tests, NULL, NULL);
}
