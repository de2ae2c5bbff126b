// SPDX-License-Identifier: MIT
//
// OWNS        what lib/inner promises of failures: a store that fails at any call, frames that run out, bytes of the heap that somebody has forged. Whatever
//             happens, a call that returns an error has changed nothing, and no page stays pinned.
// PICTURE     a heap of 9 blocks, with holes -> its pages leave -> the call, in which the nth transfer fails -> as before, byte for byte -> n + 1, until it succeeds
//             a child of the space -> a word of its heap is forged -> all calls -> the vm is whole, the parent's heap too
// CALLERS     ctest, on every preset.
#include "space_fixture.h"

#include "prng.h"
#include "scale.h"

#define BLOCKS 9u

static cairn_vaddr_t block[BLOCKS], got;

static int setup(void **state)
{
    const struct cairn_space_heap_config config = {.max = 24 * 1024, .threshold = 16 * PAGE, .step = 4 * PAGE};
    if (space_setup(state) != 0 || cairn_space_heap_init(SPACE, &config) != 0) {
        return -1;
    }
    for (uint32_t i = 0; i < BLOCKS; i++) {
        block[i] = space_get(SPACE, 100 + 90 * i);
        space_write(SPACE, block[i], 100 + 90 * i, i);
    }
    space_drop(SPACE, block[1]);
    space_drop(SPACE, block[3]);
    space_drop(SPACE, block[6]);
    block[1] = space_get(SPACE, 20 * PAGE);
    block[3] = space_get(SPACE, 20 * PAGE); // below it
    space_write(SPACE, block[1], 300, 1);
    space_whole(SPACE);
    return 0;
}

// ------------------------------------------------------------------------------------------------------------- the calls

static int call_free(struct cairn_space *space)
{
    return cairn_space_free(space, block[4]);
}

static int call_malloc(struct cairn_space *space)
{
    return cairn_space_malloc(space, 60, &got);
}

static int call_malloc_more(struct cairn_space *space)
{
    return cairn_space_malloc(space, 15 * PAGE, &got); // the break moves
}

static int call_calloc(struct cairn_space *space)
{
    return cairn_space_calloc(space, 10, 44, &got);
}

static int call_memalign(struct cairn_space *space)
{
    return cairn_space_memalign(space, 64, 200, &got);
}

static int call_realloc_within(struct cairn_space *space)
{
    got = block[2];
    return cairn_space_realloc(space, &got, 40);
}

static int call_realloc(struct cairn_space *space)
{
    got = block[5];
    return cairn_space_realloc(space, &got, 13 * PAGE); // moves, and the break too
}

static int call_realloc_to_mapped(struct cairn_space *space)
{
    got = block[7];
    return cairn_space_realloc(space, &got, 17 * PAGE);
}

static int call_realloc_mapped(struct cairn_space *space)
{
    got = block[1];
    return cairn_space_realloc(space, &got, 40 * PAGE);
}

static int call_free_mapped(struct cairn_space *space)
{
    return cairn_space_free(space, block[3]);
}

static int call_size(struct cairn_space *space)
{
    uint64_t size;
    return cairn_space_usable_size(space, block[8], &size);
}

static int call_stats(struct cairn_space *space)
{
    struct cairn_space_heap_stats stats;
    return cairn_space_heap_stats(space, &stats);
}

static int call_trim(struct cairn_space *space)
{
    return cairn_space_malloc_trim(space, 0);
}

static int (*const calls[])(struct cairn_space *space) = {
    call_free,    call_malloc,           call_malloc_more,    call_calloc,      call_memalign, call_realloc_within,
    call_realloc, call_realloc_to_mapped, call_realloc_mapped, call_free_mapped, call_size,     call_stats,          call_trim,
};
#define CALLS (sizeof calls / sizeof *calls)

// -------------------------------------------------------------------------------------------------------------------- failures

// Each call, with its first, second .. transfer failing, until it succeeds. Returns how many failed.
static uint32_t with_failures(uint32_t *fail_at, const uint32_t *made, bool fails_on, uint32_t frames)
{
    uint32_t failed = 0;
    for (size_t i = 0; i < CALLS; i++) {
        int error = -1;
        for (uint32_t nth = 0; error != 0; nth++) {
            space_leave_frames(FRAMES);
            const struct space_shape before = space_shape(SPACE);
            space_send_away(SPACE);
            space_leave_frames(frames);
            if (frames < FRAMES) { // whoever takes one has to write
                assert_int_equal(cairn_space_fill(OTHER, 0x8000, (uint8_t)nth, FRAMES * PAGE), 0);
            }
            *fail_at = *made + nth;
            sf.store.fails_on = fails_on;
            error = calls[i](SPACE);
            *fail_at = FAULTY_NEVER;
            space_leave_frames(FRAMES);
            failed += error != 0;
            if (error != 0 && calls[i] != call_trim) {
                space_unchanged(SPACE, &before);
            }
            space_whole(SPACE);
            assert_true(nth < 200);
        }
    }
    return failed;
}

static void a_read_that_fails_anywhere_changes_nothing(void **state)
{
    (void)state;
    assert_true(with_failures(&sf.store.fail_read, &sf.store.reads, false, FRAMES) >= 3 * CALLS);
    assert_true(space_holds(SPACE, block[0], 100, 0) && space_holds(SPACE, block[8], 820, 8));
}

static void a_write_that_fails_and_all_after_it_changes_nothing(void **state)
{
    struct cairn_mapping map;
    (void)state;
    assert_int_equal(cairn_space_map(OTHER, &map, 0x8000, FRAMES * PAGE, RW), 0);
    assert_true(with_failures(&sf.store.fail_write, &sf.store.writes, true, 16) >= 2 * CALLS);
    assert_int_equal(cairn_space_unmap(OTHER, &map), 0);
    assert_true(space_holds(SPACE, block[0], 100, 0) && space_holds(SPACE, block[8], 820, 8));
}

static void frames_that_run_out_anywhere_change_nothing(void **state)
{
    uint32_t failed = 0;
    uint32_t most = 0;
    (void)state;
    for (size_t i = 0; i < CALLS; i++) {
        int error = -1;
        for (uint32_t frames = 1; error != 0; frames++) {
            space_leave_frames(FRAMES);
            const struct space_shape before = space_shape(SPACE);
            const cairn_vaddr_t end = SPACE->break_end;
            space_leave_frames(frames);
            error = calls[i](SPACE);
            space_leave_frames(FRAMES);
            failed += error != 0;
            if (error != 0 && calls[i] != call_trim) {
                assert_int_equal(error, CAIRN_ENOMEM);
                space_unchanged(SPACE, &before);
                assert_int_equal(SPACE->break_end, end);
            }
            space_whole(SPACE);
            most = frames > most ? frames : most;
            assert_true(frames < 20);
        }
    }
    assert_true(failed >= CALLS - 4); // some need one only
    print_message("pages of %u bytes, frames that a call needs: %u\n", PAGE, (unsigned)most);
    assert_true(space_holds(SPACE, block[0], 100, 0) && space_holds(SPACE, block[8], 820, 8));
}

// The links of what was free at the heap's end lie within the block that is made of it, and are written over before the call fails.
static void what_a_block_was_made_of_is_as_it_was(void **state)
{
    const struct cairn_space_heap_config config = {.max = 60 * 1024, .threshold = 60 * PAGE, .step = 8 * PAGE};
    (void)state;
    for (uint32_t run = 0; run < 2 * 40; run += fx_scale(9, 1, 1)) {
        const uint32_t call = run % 2;
        const uint32_t top = 1 + run / 2;
        struct cairn_space_heap_stats stats;
        assert_int_equal(cairn_space_brk(OTHER, BREAK), 0);
        assert_int_equal(cairn_space_set_break(OTHER, BREAK), 0);
        assert_int_equal(cairn_space_heap_init(OTHER, &config), 0);
        cairn_vaddr_t moved = space_get(OTHER, 6 * PAGE);
        space_write(OTHER, moved, 6 * PAGE, 1);
        do {
            assert_int_equal(cairn_space_heap_stats(OTHER, &stats), 0);
            if (stats.free != top * CAIRN_GRANULE) {
                (void)space_get(OTHER, stats.free > top * CAIRN_GRANULE ? stats.free - top * CAIRN_GRANULE : stats.free + 1);
            }
        } while (stats.free != top * CAIRN_GRANULE);
        int error = -1;
        for (uint32_t nth = 0; error != 0; nth++) {
            const struct space_shape before = space_shape(OTHER);
            space_send_away(OTHER);
            sf.store.fail_read = sf.store.reads + nth;
            error = call == 0 ? cairn_space_calloc(OTHER, 9, PAGE, &got) : cairn_space_realloc(OTHER, &moved, 9 * PAGE);
            sf.store.fail_read = FAULTY_NEVER;
            if (error != 0) {
                space_unchanged(OTHER, &before);
            }
            space_whole(OTHER);
        }
        assert_true(space_holds(OTHER, moved, 6 * PAGE, 1));
    }
}

static void a_heap_that_cannot_be_made_is_none(void **state)
{
    (void)state;
    int error = -1;
    for (uint32_t frames = 1; error != 0; frames++) {
        space_leave_frames(frames);
        error = cairn_space_malloc(OTHER, 10, &got);
        assert_true(error == 0 || (error == CAIRN_ENOMEM && OTHER->heap == 0 && OTHER->break_end == BREAK && OTHER->mappings == NULL));
        assert_true(frames != 1 || error != 0);
        space_leave_frames(FRAMES);
        space_sound();
    }
    space_whole(OTHER);
    const struct cairn_space_heap_config tiny = {.max = 100};
    assert_int_equal(cairn_space_brk(OTHER, BREAK), 0);
    assert_int_equal(cairn_space_set_break(OTHER, BREAK), 0);
    assert_int_equal(cairn_space_heap_init(OTHER, &tiny), CAIRN_ENOMEM);
    for (uint32_t max = 1; max < 2 * PAGE; max++) { // what fits is a heap
        const struct cairn_space_heap_config config = {.max = max, .step = 1, .threshold = 1};
        error = cairn_space_heap_init(OTHER, &config);
        assert_true(error == 0 || (error == CAIRN_ENOMEM && max < 180 && OTHER->heap == 0));
        space_whole(OTHER);
        assert_int_equal(cairn_space_brk(OTHER, BREAK), 0);
        assert_int_equal(cairn_space_set_break(OTHER, BREAK), 0);
    }
}

// ---------------------------------------------------------------------------------------------------------------------- forgery

// All calls on a child of the space whose heap somebody has written to. Returns how many failed.
static uint32_t on_forged(uint32_t words, const uint32_t *at, const uint32_t *value)
{
    uint32_t failed = 0;
    for (size_t i = 0; i < CALLS; i++) {
        struct cairn_space child;
        assert_int_equal(cairn_space_fork(&child, SPACE), 0);
        for (uint32_t k = 0; k < words; k++) {
            assert_int_equal(cairn_space_write(&child, child.heap + at[k], &value[k], 4), 0);
        }
        failed += calls[i](&child) != 0;
        space_sound();
        assert_int_equal(cairn_space_deinit(&child), 0);
    }
    return failed;
}

static void each_word_of_the_control_is_distrusted(void **state)
{
    static const uint32_t values[] = {0, 1, 2, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, 0x07FFFFFE, 0x07FFFFFF, 0x00FF00FF, 31, 0x2000};
    uint32_t failed = 0;
    (void)state;
    for (uint32_t at = 0; at < 16 + 44 + 4 * 16; at += 4) {
        for (size_t i = 0; i < sizeof values / sizeof *values; i += fx_scale(6, 2, 1)) {
            failed += on_forged(1, &at, &values[i]);
        }
    }
    assert_true(failed > 500 / fx_scale(6, 2, 1));
    space_whole(SPACE);
}

static void bytes_that_are_forged_do_no_harm(void **state)
{
    struct prng prng;
    uint32_t failed = 0;
    (void)state;
    prng_seed(&prng, 5);
    for (uint32_t i = 0; i < fx_scale(10, 200, 20000); i++) {
        uint32_t at[3], value[3];
        const uint32_t words = 1 + prng_below(&prng, 3);
        const uint32_t size = (uint32_t)(SPACE->break_end - SPACE->heap);
        for (uint32_t k = 0; k < words; k++) {
            const uint32_t range = prng_below(&prng, 4) == 0 ? size : prng_below(&prng, 2) == 0 ? 240 : 1000; // head, control, tags
            uint32_t old;
            at[k] = prng_below(&prng, range / 4) * 4;
            assert_int_equal(cairn_space_read(SPACE, &old, SPACE->heap + at[k], 4), 0);
            value[k] = prng_below(&prng, 2) == 0 ? old ^ 1u << prng_below(&prng, 32) : prng_below(&prng, 2) == 0 ? prng_next(&prng) : prng_below(&prng, 3100);
        }
        failed += on_forged(words, at, value);
    }
    assert_true(failed != 0);
    space_whole(SPACE);
    assert_true(space_holds(SPACE, block[0], 100, 0) && space_holds(SPACE, block[8], 820, 8));
}

// What the control must be, in this heap: anything else is refused by its own name.
static void a_control_that_is_none_is_an_error(void **state)
{
    static const struct {
        uint32_t at, value;
    } wrong[] = {{0, 0x30485343}, {16, 0x314E5243}, {16 + 4, 0}, {16 + 4, 0x07FFFFFF}, {16 + 8, 5}, {16 + 8, 0x07FFFFFF}, {16 + 8, 0xFFFFFFFF}, {16 + 12, 0x00000008},
                 {16 + 12, 0x00000000}, {16 + 12, 0x00010004}, {16 + 12, 0x01000004}, {16 + 12, 0x10000004}, {16 + 12, 0x02000004}};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint32_t old;
        assert_int_equal(cairn_space_read(SPACE, &old, SPACE->heap + wrong[i].at, 4), 0);
        assert_int_equal(cairn_space_write(SPACE, SPACE->heap + wrong[i].at, &wrong[i].value, 4), 0);
        SPACE_REFUSES(CAIRN_ECORRUPT, SPACE, cairn_space_malloc(SPACE, 8, &got));
        if (wrong[i].at != 0) {
            SPACE_REFUSES(CAIRN_ECORRUPT, SPACE, cairn_space_free(SPACE, block[0]));
        }
        assert_int_equal(cairn_space_write(SPACE, SPACE->heap + wrong[i].at, &old, 4), 0);
    }
    const uint32_t all = 0x07FFFFFE; // granules and limit agree: more than the break has
    uint32_t old[2];
    assert_int_equal(cairn_space_read(SPACE, old, SPACE->heap + 20, 8), 0);
    assert_int_equal(cairn_space_write(SPACE, SPACE->heap + 24, &all, 4), 0);
    SPACE_REFUSES(CAIRN_ECORRUPT, SPACE, cairn_space_free(SPACE, block[0]));
    assert_int_equal(cairn_space_write(SPACE, SPACE->heap + 24, &old[1], 4), 0);
    assert_int_equal(cairn_space_write(SPACE, SPACE->heap + 20, &old[1], 4), 0);
    SPACE_REFUSES(CAIRN_ECORRUPT, SPACE, cairn_space_free(SPACE, block[0]));
    assert_int_equal(cairn_space_write(SPACE, SPACE->heap + 20, &old[0], 4), 0);
    space_whole(SPACE);
}

static void move_bytes(cairn_vaddr_t to, cairn_vaddr_t from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const cairn_vaddr_t at = (cairn_vaddr_t)(to > from ? size - 1 - i : i);
        unsigned char byte;
        assert_int_equal(cairn_space_read(SPACE, &byte, from + at, 1), 0);
        assert_int_equal(cairn_space_write(SPACE, to + at, &byte, 1), 0);
    }
}

// A checkpoint that somebody made may say so: all of the heap is there, and its words lie where no word may.
static void a_heap_that_does_not_begin_at_a_multiple_of_16_is_an_error(void **state)
{
    (void)state;
    const cairn_vaddr_t heap = SPACE->heap;
    const size_t size = (size_t)(SPACE->break_end - heap);
    assert_int_equal(cairn_space_sbrk(SPACE, 16, NULL), 0);
    for (cairn_vaddr_t by = 2; by < 16; by *= 2) {
        move_bytes(heap + by, heap, size);
        SPACE->heap = heap + by;
        assert_int_equal(cairn_space_malloc(SPACE, 8, &got), CAIRN_ECORRUPT);
        assert_int_equal(cairn_space_free(SPACE, block[0] + by), CAIRN_ECORRUPT);
        assert_int_equal(cairn_space_malloc_trim(SPACE, 0), CAIRN_ECORRUPT);
        move_bytes(heap, heap + by, size);
    }
    SPACE->heap = heap;
    assert_int_equal(cairn_space_sbrk(SPACE, -16, NULL), 0);
    space_whole(SPACE);
}

// The links of a free block say what its list does not.
static void a_link_that_is_broken_is_an_error(void **state)
{
    (void)state;
    cairn_vaddr_t b[6];
    for (uint32_t i = 0; i < 6; i++) {
        b[i] = space_get(OTHER, 3 * CAIRN_GRANULE);
    }
    for (uint32_t i = 0; i < 6; i += 2) {
        space_drop(OTHER, b[i]);
    }
    for (uint32_t word = 0; word < 2; word++) {
        const cairn_vaddr_t links = b[2] + 2 * CAIRN_GRANULE + 4 * word; // of the one in the middle
        uint32_t old;
        assert_int_equal(cairn_space_read(OTHER, &old, links, 4), 0);
        for (uint32_t forged = 0; forged < 5; forged++) {
            const uint32_t values[] = {0, old + 1, old - 1, 0xFFFFFFF0, old ^ 8};
            assert_int_equal(cairn_space_write(OTHER, links, &values[forged], 4), 0);
            if (values[forged] != old && (values[forged] != 0 || word != 0)) { // a next of 0 reads as the list's end
                SPACE_REFUSES(CAIRN_ECORRUPT, OTHER, cairn_space_free(OTHER, b[1]));
                SPACE_REFUSES(CAIRN_ECORRUPT, OTHER, cairn_space_free(OTHER, b[3]));
            }
            assert_int_equal(cairn_space_write(OTHER, links, &old, 4), 0);
        }
    }
    space_whole(OTHER);
    space_drop(OTHER, b[1]);
    space_drop(OTHER, b[3]);
    space_whole(OTHER);
}

// Every list has blocks that are none, and each is too short: more than an operation looks at.
static void lists_without_end_are_an_error(void **state)
{
    (void)state;
    got = space_get(SPACE, 15 * PAGE);
    struct cairn_space child;
    assert_int_equal(cairn_space_fork(&child, SPACE), 0);
    uint32_t base, limit;
    assert_int_equal(cairn_space_read(SPACE, &limit, SPACE->heap + 16 + 8, 4), 0);
    space_image(SPACE, sf_image);
    struct cairn_heap heap;
    assert_int_equal(cairn_heap_attach(&heap, sf_image, (size_t)(SPACE->break_end - SPACE->heap - 16), NULL), 0);
    base = (uint32_t)(heap.base - sf_image) + 16;
    const uint32_t first = (uint32_t)(got - SPACE->heap - base) / CAIRN_GRANULE + 2;
    const uint32_t all = 0x00FFFFFF; // lists 8 to 31
    assert_int_equal(cairn_space_write(&child, child.heap + 16 + 40, &all, 4), 0);
    const uint32_t lists = 12; // that such a heap has, at least
    for (uint32_t list = 0; list < lists - 8 + 20; list++) {
        const uint32_t head = first + 8 * list;
        for (uint32_t i = 0; i < 4; i++) {
            const uint32_t links[2] = {head + 2 * i + 2, 0};
            const uint32_t hint = 0;
            const cairn_vaddr_t end = child.heap + base + (head + 2 * i) * CAIRN_GRANULE;
            if (end <= got + 15 * PAGE) {
                assert_int_equal(cairn_space_write(&child, end - CAIRN_GRANULE, links, 8), 0);
                assert_int_equal(cairn_space_write(&child, end - 2 * CAIRN_GRANULE, &hint, 4), 0);
            }
        }
        if (list < 4) {
            assert_int_equal(cairn_space_write(&child, child.heap + 16 + 44 + 4 * (8 + list), &head, 4), 0);
        }
    }
    assert_int_equal(cairn_space_malloc(&child, 8 * CAIRN_GRANULE, &got), CAIRN_ECORRUPT);
    space_sound();
    assert_int_equal(cairn_space_deinit(&child), 0);
    space_whole(SPACE);
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, setup, space_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(a_read_that_fails_anywhere_changes_nothing),
        UNIT(a_write_that_fails_and_all_after_it_changes_nothing),
        UNIT(frames_that_run_out_anywhere_change_nothing),
        UNIT(what_a_block_was_made_of_is_as_it_was),
        UNIT(a_heap_that_cannot_be_made_is_none),
        UNIT(each_word_of_the_control_is_distrusted),
        UNIT(bytes_that_are_forged_do_no_harm),
        UNIT(a_control_that_is_none_is_an_error),
        UNIT(a_heap_that_does_not_begin_at_a_multiple_of_16_is_an_error),
        UNIT(a_link_that_is_broken_is_an_error),
        UNIT(lists_without_end_are_an_error),
    };
    return cmocka_run_group_tests_name("space_heap", tests, NULL, NULL);
}
