// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/heap/layout.h: where each part of the image lies.
// CALLERS     ctest, on every preset.
#include "fixture.h"

static void the_parts_follow_each_other(void **state)
{
    (void)state;
    for (uint32_t limit = 1; limit < 3000; limit++) {
        assert_int_equal(control_bytes(limit), sizeof(struct heap_control) + 4 * bin_count(limit));
        assert_int_equal(tags_bytes(limit), 8 * tag_pairs(limit));
        assert_int_equal(front_bytes(limit, false) % G, 0);
        assert_in_range(front_bytes(limit, false), control_bytes(limit) + tags_bytes(limit),
                        control_bytes(limit) + tags_bytes(limit) + G - 1);
        assert_in_range(front_bytes(limit, true), control_bytes(limit), control_bytes(limit) + G - 1);
    }
}

static void the_lead_reaches_the_next_granule(void **state)
{
    (void)state;
    for (uintptr_t i = 0; i < 3 * G; i++) {
        const uintptr_t region = 0x10000 + i;
        assert_true(lead_of((const void *)region) < G);
        assert_int_equal((region + lead_of((const void *)region)) % G, 0);
    }
}

static void as_many_granules_as_there_is_room_for(void **state)
{
    (void)state;
    for (int outside = 0; outside < 2; outside++) {
        for (size_t room = 0; room < 12000; room += room < 400 ? 1 : 7) {
            size_t front;
            const size_t n = granules_in(room, outside != 0, &front);
            assert_true(n == 0 || front == front_bytes((uint32_t)n, outside != 0));
            assert_true(n == 0 || front + n * G <= room);
            assert_true(front_bytes((uint32_t)n + 1, outside != 0) + (n + 1) * G > room);
        }
    }
}

static void more_than_the_layout_can_number_is_said(void **state)
{
    size_t front;
    (void)state;
    assert_true(granules_in(SIZE_MAX, true, &front) > GRANULES_MAX);
    assert_true(granules_in(SIZE_MAX, false, &front) > GRANULES_MAX);
    assert_true(granules_in(SIZE_MAX / 16 * G, false, &front) > GRANULES_MAX);
    const size_t most = front_bytes(GRANULES_MAX, false) + bytes_of(GRANULES_MAX);
    assert_int_equal(granules_in(most, false, &front), GRANULES_MAX);
    assert_int_equal(front, front_bytes(GRANULES_MAX, false));
    assert_true(granules_in(most + 8 * G, false, &front) > GRANULES_MAX);
}

static void sizes_round_up_to_granules(void **state)
{
    (void)state;
    assert_true(granules_for(0) > GRANULES_MAX);
    assert_true(granules_for(SIZE_MAX) > GRANULES_MAX);
    for (size_t size = 1; size < 1000; size++) {
        assert_int_equal(granules_for(size), (size + G - 1) / G);
        assert_int_equal(bytes_of((uint32_t)granules_for(size)) % G, 0);
    }
}

static void only_a_first_byte_has_a_number(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= CONTROL->granules; i++) {
        const unsigned char *const first = at(i);
        assert_int_equal(border_number(HEAP->base, first), i - 1);
        for (size_t k = 1; k < G; k++) {
            assert_true(border_number(HEAP->base, first + k) > GRANULES_MAX);
        }
    }
    assert_true(border_number(HEAP->base, NULL) >= CONTROL->granules);
    assert_true(border_number(HEAP->base, fixture_region) >= CONTROL->granules);
}

static void the_handle_points_into_the_region(void **state)
{
    (void)state;
    assert_ptr_equal((void *)CONTROL, (void *)fixture_region);
    assert_ptr_equal((void *)TAGS, (void *)(fixture_region + control_bytes(CONTROL->limit)));
    assert_ptr_equal(at(1), (void *)(fixture_region + front_bytes(CONTROL->limit, false)));
    assert_true((unsigned char *)at(fence_of(CONTROL)) <= fixture_region + FIXTURE_REGION);
    assert_true((unsigned char *)at(fence_of(CONTROL) + LIMIT_SLACK + 1) > fixture_region + FIXTURE_REGION);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(the_parts_follow_each_other),
        UNIT(the_lead_reaches_the_next_granule),
        UNIT(as_many_granules_as_there_is_room_for),
        UNIT(more_than_the_layout_can_number_is_said),
        UNIT(sizes_round_up_to_granules),
        UNIT(only_a_first_byte_has_a_number),
        UNIT(the_handle_points_into_the_region),
    };
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
