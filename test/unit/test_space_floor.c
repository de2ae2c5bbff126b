// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/inner/space_floor.h: that an operation has cells enough, and what it does when it has not.
// PICTURE     space_heap.c once more, as a part of this file: its operations are looked into
// CALLERS     ctest, on every preset.
#include "space_fixture.h"

#include "prng.h"
#include "scale.h"

#include "inner/space_heap.c"

#define BLOCKS 200u

static cairn_vaddr_t blocks[BLOCKS];
static struct prng prng;
static struct operation op;

// One call on a random block. Returns its error.
static int step(void)
{
    cairn_vaddr_t *const block = &blocks[prng_below(&prng, BLOCKS)];
    const size_t size = 1 + prng_below(&prng, prng_below(&prng, 4) == 0 ? 1500 : 150);
    int error = 0;
    if (*block == 0) {
        error = allocate_in(&op, SPACE, size, (size_t)1 << prng_below(&prng, 8), prng_below(&prng, 2) == 0, block);
    } else if (prng_below(&prng, 3) == 0) {
        error = change_in(&op, SPACE, block, size);
    } else {
        error = free_in(&op, SPACE, *block);
        *block = error == 0 ? 0 : *block;
    }
    return error;
}

static void no_operation_needs_more_cells_than_there_are(void **state)
{
    const struct cairn_space_heap_config config = {.max = 60 * 1024, .step = PAGE};
    (void)state;
    memset(blocks, 0, sizeof blocks);
    prng_seed(&prng, 1);
    assert_int_equal(cairn_space_heap_init(SPACE, &config), 0);
    uint32_t needed = 0;
    for (uint32_t i = 0; i < fx_scale(3000, 20000, 1000000); i++) {
        const int error = step();
        assert_true(error == 0 || error == CAIRN_ENOMEM);
        needed = op.floor.count > needed ? op.floor.count : needed;
        if (i % 1024 == 0) {
            space_whole(SPACE);
            assert_int_equal(cairn_space_malloc_trim(SPACE, prng_below(&prng, 300)), 0);
        }
    }
    print_message("cells that an operation needed: %u of %u\n", (unsigned)needed, FLOOR_CELLS);
    assert_true(needed <= FLOOR_CELLS);
    space_whole(SPACE);
}

// Links that lead on and on: a search stops where there are no more cells.
static void when_cells_run_out_it_is_an_error(void **state)
{
    (void)state;
    blocks[0] = space_get(SPACE, 4000);
    assert_int_equal(operation_open(&op, SPACE), 0);
    for (uint32_t i = 0; i < FLOOR_CELLS; i++) {
        (void)*links_at(op.heap.base, 100 + i);
        assert_int_equal(op.floor.error, 0);
        assert_int_equal(op.floor.count, i + 1);
    }
    (void)*links_at(op.heap.base, 100); // is there already
    assert_int_equal(op.floor.error, 0);
    const struct block_links none = *links_at(op.heap.base, 99);
    assert_int_equal(none.next | none.prev, 0);
    assert_int_equal(op.floor.error, CAIRN_ECORRUPT);
    assert_int_equal(op.floor.count, FLOOR_CELLS);
    links_at(op.heap.base, 101)->next = 5; // goes nowhere
    assert_int_equal(operation_finish(&op), CAIRN_ECORRUPT);
    space_whole(SPACE);
}

// What is not in the image is not read: nor before it, nor behind the break.
static void an_offset_outside_is_an_error(void **state)
{
    static const uint32_t borders[] = {0, 0x20000000, 0x1FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x08000000, 20000};
    (void)state;
    blocks[0] = space_get(SPACE, 4000);
    for (size_t i = 0; i < sizeof borders / sizeof *borders; i++) {
        assert_int_equal(operation_open(&op, SPACE), 0);
        (void)*links_at(op.heap.base, borders[i]);
        assert_int_equal(op.floor.error, CAIRN_ECORRUPT);
        assert_int_equal(operation_open(&op, SPACE), 0);
        (void)*hint_at(op.heap.base, borders[i] == 0 ? 1 : borders[i]);
        assert_int_equal(op.floor.error, CAIRN_ECORRUPT);
        assert_int_equal(operation_open(&op, SPACE), 0);
        (void)*tag_of(op.heap.tags, borders[i] == 0 ? op.heap.control->limit + 64 : borders[i]);
        assert_int_equal(op.floor.error, CAIRN_ECORRUPT);
        assert_int_equal(op.floor.count, 0);
        assert_int_equal(cairn_bin_of_(0xFFFFFFFF - borders[i] / 2) < 32, 1);
    }
}

// A length that does not stay between the heap's ends is none.
static void a_length_that_cannot_be_is_an_error(void **state)
{
    (void)state;
    blocks[0] = space_get(SPACE, 4000);
    assert_int_equal(operation_open(&op, SPACE), 0);
    assert_int_equal(cairn_tags_after_(op.heap.tags, 0), granules_for(4000));
    TAG_AT(op.heap.tags, 1).free = 0x7FFFFFFF;
    assert_int_equal(cairn_tags_after_(op.heap.tags, 0), 1);
    assert_int_equal(op.floor.error, CAIRN_ECORRUPT);
    assert_int_equal(operation_finish(&op), CAIRN_ECORRUPT);
    assert_int_equal(operation_open(&op, SPACE), 0);
    const uint32_t to = (uint32_t)granules_for(4000);
    assert_int_equal(cairn_tags_before_(op.heap.tags, to), to);
    TAG_AT(op.heap.tags, (to >> CAIRN_TAG_SHIFT) - 1).free = to + 1;
    assert_int_equal(cairn_tags_before_(op.heap.tags, to), 1);
    assert_int_equal(op.floor.error, CAIRN_ECORRUPT);
    assert_int_equal(operation_open(&op, SPACE), 0);
    assert_int_equal(cairn_tags_after_(op.heap.tags, op.heap.control->granules + 1), 1); // behind the fence
    assert_int_equal(op.floor.error, CAIRN_ECORRUPT);
    space_whole(SPACE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SPACE_UNIT(no_operation_needs_more_cells_than_there_are),
        SPACE_UNIT(when_cells_run_out_it_is_an_error),
        SPACE_UNIT(an_offset_outside_is_an_error),
        SPACE_UNIT(a_length_that_cannot_be_is_an_error),
    };
    return cmocka_run_group_tests_name("space_floor", tests, NULL, NULL);
}
