// SPDX-License-Identifier: MIT
//
// OWNS        what cairn/space_heap.h promises: every call, and its errors.
// CALLERS     ctest, on every preset: lib/inner.
#include "space_fixture.h"

#include "vm/share.h"

static cairn_vaddr_t a, b, c;

static uint64_t mapped(struct cairn_space *space)
{
    struct cairn_space_heap_stats stats;
    assert_int_equal(cairn_space_heap_stats(space, &stats), 0);
    return stats.mapped;
}

static void small_blocks_come_from_the_break(void **state)
{
    (void)state;
    a = space_get(SPACE, 1);
    space_whole(SPACE);
    b = space_get(SPACE, 100);
    c = space_get(SPACE, 3000);
    space_whole(SPACE);
    assert_true(a > SPACE->heap && c + 3000 <= SPACE->break_end);
    assert_int_equal(space_size(SPACE, a), CAIRN_GRANULE);
    assert_int_equal(space_size(SPACE, b), (100 + CAIRN_GRANULE - 1) / CAIRN_GRANULE * CAIRN_GRANULE);
    space_write(SPACE, a, CAIRN_GRANULE, 1);
    space_write(SPACE, b, 100, 2);
    space_write(SPACE, c, 3000, 3);
    assert_true(space_holds(SPACE, a, CAIRN_GRANULE, 1) && space_holds(SPACE, b, 100, 2) && space_holds(SPACE, c, 3000, 3));
    space_whole(SPACE);
    space_drop(SPACE, b);
    space_whole(SPACE);
    assert_true(space_get(SPACE, 100) == b);
    space_drop(SPACE, a);
    space_drop(SPACE, b);
    space_drop(SPACE, c);
    space_whole(SPACE);
    assert_int_equal(mapped(SPACE), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SPACE_UNIT(small_blocks_come_from_the_break),
    };
    return cmocka_run_group_tests_name("space_malloc", tests, NULL, NULL);
}
