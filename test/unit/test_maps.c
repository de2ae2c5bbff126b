// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/arena/maps.c: the table of mapped blocks, spares, regions that the arena maps for itself.
// CALLERS     ctest, on every preset.
#include "arena_fixture.h"

static void blocks_are_found_in_any_order(void **state)
{
    (void)state;
    unsigned char *blocks[PAGES];
    arena_fixture.config.threshold = PAGE;
    arena_make();
    for (uint32_t i = 0; i < PAGES; i++) { // the table grows to 16 places
        blocks[i] = arena_take(PAGE);
        assert_true(arena_is_page(blocks[i]));
        arena_sound();
    }
    assert_int_equal(arena_stats().mapped_blocks, PAGES);
    for (uint32_t i = 0; i < PAGES; i++) {
        assert_int_equal(cairn_arena_usable_size(ARENA, blocks[i]), PAGE);
        assert_true(arena_is_filled(blocks[i], PAGE, PAGE));
    }
    for (uint32_t i = 0; i < PAGES; i++) {
        cairn_arena_free(ARENA, blocks[i * 7 % PAGES]);
        arena_sound();
        assert_int_equal(arena_used_pages(), PAGES - 1 - i);
    }
}

static void a_table_that_cannot_grow_sends_the_request_to_the_heap(void **state)
{
    (void)state;
    arena_fixture.fail_at = 1; // the break, which would hold the table
    unsigned char *const block = arena_take(THRESHOLD);
    assert_true(arena_is_page(block));
    assert_int_equal(arena_stats().mapped_blocks, 1); // its table is in a region that was mapped
    arena_sound();
    cairn_arena_free(ARENA, block);
    assert_true(cairn_arena_trim(ARENA, 0) != 0); // the table goes first, then the region that it was in
    assert_int_equal(arena_used_pages(), 0);
}

static void pages_that_the_port_will_not_take_back_are_spares(void **state)
{
    (void)state;
    unsigned char *const block = arena_take(4 * PAGE);
    arena_fixture.unmaps = 1;
    cairn_arena_free(ARENA, block);
    assert_int_equal(arena_used_pages(), 4);
    assert_int_equal(arena_stats().mapped, 0);
    assert_int_equal(arena_stats().mapped_blocks, 0);
    arena_sound();
    cairn_arena_free(ARENA, block);
    arena_expect(CAIRN_WRONG_DOUBLE_FREE, block);
    cairn_arena_free(ARENA, block + 2 * G);
    arena_expect(CAIRN_WRONG_DOUBLE_FREE, block + 2 * G);
    assert_int_equal(cairn_arena_usable_size(ARENA, block), 0);
    unsigned char *const longer = arena_take(5 * PAGE);
    assert_true(longer != block);
    unsigned char *const again = arena_take(3 * PAGE);
    assert_ptr_equal(again, block);
    assert_int_equal(cairn_arena_usable_size(ARENA, again), 4 * PAGE);
    arena_fixture.unmaps = 1;
    cairn_arena_free(ARENA, again);
    assert_int_equal(cairn_arena_trim(ARENA, SIZE_MAX), 4 * PAGE);
    assert_int_equal(arena_used_pages(), 5);
    cairn_arena_free(ARENA, longer);
}

static void a_spare_is_aligned_as_asked_for(void **state)
{
    (void)state;
    unsigned char *const odd = arena_take(PAGE * 2 + 1);
    unsigned char *const block = arena_take(3 * PAGE);
    arena_fixture.unmaps = 2;
    cairn_arena_free(ARENA, odd);
    cairn_arena_free(ARENA, block);
    for (size_t alignment = PAGE; alignment <= 8 * PAGE; alignment *= 2) {
        unsigned char *const aligned = cairn_arena_aligned_alloc(ARENA, alignment, 2 * PAGE);
        assert_non_null(aligned);
        assert_int_equal((uintptr_t)aligned % alignment, 0);
        cairn_arena_free(ARENA, aligned);
        arena_sound();
    }
    assert_true(cairn_arena_trim(ARENA, SIZE_MAX) == 0 || arena_used_pages() == 0);
}

static void *skewed_map(void *context, size_t size, size_t alignment)
{
    unsigned char *const address = baremetal_map(context, size, alignment);
    return address == NULL ? NULL : address + G;
}

static void an_address_that_is_not_aligned_is_not_believed(void **state)
{
    (void)state;
    arena_fixture.port.map = skewed_map;
    unsigned char *const block = arena_take(THRESHOLD);
    assert_false(arena_is_page(block));
    assert_int_equal(arena_stats().mapped_blocks, 0);
    cairn_arena_free(ARENA, block);
    memset(arena_fixture.used, 0, sizeof arena_fixture.used); // such a port cannot take it back either
}

static uint32_t given_back;

static void *highest_map(void *context, size_t size, size_t alignment)
{
    (void)context;
    (void)size;
    return (void *)(0 - (uintptr_t)alignment);
}

static int note_unmap(void *context, void *address, size_t size)
{
    (void)context;
    (void)size;
    assert_ptr_equal(address, (void *)(0 - (uintptr_t)PAGE));
    given_back++;
    return 0;
}

static void pages_beyond_the_last_address_are_not_believed(void **state)
{
    (void)state;
    arena_fixture.port.map = highest_map;
    arena_fixture.port.unmap = note_unmap;
    given_back = 0;
    unsigned char *const block = arena_take(THRESHOLD); // of two pages there is one
    assert_false(arena_is_page(block));
    assert_int_equal(given_back, 1);
    assert_int_equal(arena_stats().mapped, 0);
    cairn_arena_free(ARENA, block);
}

static void an_address_behind_all_blocks_is_in_none(void **state)
{
    (void)state;
    unsigned char *const block = arena_take(THRESHOLD);
    cairn_arena_free(ARENA, block + THRESHOLD);
    arena_expect(CAIRN_WRONG_POINTER, block + THRESHOLD);
    assert_null(arena_fixture.report.block);
    cairn_arena_free(ARENA, block + THRESHOLD - G);
    arena_expect(CAIRN_WRONG_INTERIOR, block + THRESHOLD - G);
    assert_ptr_equal(arena_fixture.report.block, block);
    assert_int_equal(arena_fixture.report.block_size, THRESHOLD);
    cairn_arena_free(ARENA, block);
}

static void regions_are_mapped_one_behind_the_other(void **state)
{
    (void)state;
    unsigned char *blocks[32];
    uint32_t count = 0;
    arena_fixture.port.brk = NULL;
    arena_fixture.port.room = NULL;
    arena_fixture.config.threshold = CAIRN_ARENA_NEVER; // no region is larger than its request needs
    arena_make();
    while (arena_stats().regions < 3) {
        assert_true(count < 32);
        blocks[count] = arena_take(300);
        assert_true(arena_is_page(blocks[count]));
        count++;
        arena_sound();
    }
    for (uint32_t i = 0; i < count; i++) {
        assert_true(arena_is_filled(blocks[i], 300, 300));
        cairn_arena_free(ARENA, blocks[i]);
    }
    arena_fixture.unmaps = 2;
    assert_int_equal(cairn_arena_deinit(ARENA), CAIRN_EBUSY); // two stay, one went
    assert_int_equal(arena_stats().regions, 2);
    assert_true(cairn_arena_trim(ARENA, 0) != 0);
    assert_int_equal(arena_used_pages(), 0);
}

static void a_region_is_mapped_no_larger_than_there_is_room(void **state)
{
    (void)state;
    arena_fixture.port.brk = NULL;
    arena_fixture.port.room = NULL;
    arena_make();
    unsigned char *const first = arena_take(100); // 8 thresholds are as large as all pages
    assert_int_equal(arena_used_pages(), PAGES);
    assert_null(cairn_arena_alloc(ARENA, PAGES * PAGE));
    cairn_arena_free(ARENA, first);
    assert_int_equal(cairn_arena_trim(ARENA, 0), PAGES * PAGE);
    void *const wall = baremetal_map(arena_fixture.port.context, 8 * PAGE, PAGE);
    unsigned char *const second = arena_take(100);
    assert_in_range(arena_used_pages(), 8 + 2, 8 + 4);
    arena_sound();
    assert_int_equal(baremetal_unmap(arena_fixture.port.context, wall, 8 * PAGE), 0);
    cairn_arena_free(ARENA, second);
}

static void a_region_that_the_port_will_not_take_back_stays_in_use(void **state)
{
    (void)state;
    arena_fixture.port.brk = NULL;
    arena_fixture.port.room = NULL;
    arena_make();
    cairn_arena_free(ARENA, arena_take(100));
    arena_fixture.unmaps = 1;
    assert_int_equal(cairn_arena_trim(ARENA, 0), 0);
    arena_sound();
    cairn_arena_free(ARENA, arena_take(100));
    assert_int_equal(arena_stats().regions, 1);
    arena_fixture.unmaps = 1;
    assert_int_equal(cairn_arena_deinit(ARENA), CAIRN_EBUSY);
    cairn_arena_free(ARENA, arena_take(100));
    assert_int_equal(cairn_arena_deinit(ARENA), 0);
}

static unsigned remaps;
static bool remap_fails;

// To the first place that is long enough, which may be before or behind where it was.
static void *moving_remap(void *context, void *address, size_t size, size_t new_size)
{
    remaps++;
    unsigned char *const to = remap_fails ? NULL : baremetal_map(context, new_size, PAGE);
    if (to != NULL) {
        memcpy(to, address, size);
        assert_int_equal(baremetal_unmap(context, address, size), 0);
    }
    return to;
}

static void the_port_moves_the_pages_of_a_block_that_grows(void **state)
{
    (void)state;
    unsigned char *blocks[4];
    arena_fixture.port.remap = moving_remap;
    remaps = 0;
    remap_fails = false;
    for (size_t i = 0; i < 4; i++) {
        blocks[i] = arena_take(2 * PAGE);
        arena_fill(blocks[i], 2 * PAGE, (unsigned)i);
    }
    blocks[0] = cairn_arena_realloc(ARENA, blocks[0], 3 * PAGE); // from the first place to the last
    arena_sound();
    assert_true(blocks[0] > blocks[3]);
    blocks[2] = cairn_arena_realloc(ARENA, blocks[2], 4 * PAGE);
    arena_sound();
    cairn_arena_free(ARENA, blocks[1]);
    blocks[3] = cairn_arena_realloc(ARENA, blocks[3], 3 * PAGE + 1); // to before the others
    arena_sound();
    assert_true(blocks[3] < blocks[0] && blocks[3] < blocks[2]);
    assert_int_equal(remaps, 3);
    assert_int_equal(arena_stats().mapped, 11 * PAGE);
    remap_fails = true;
    unsigned char *const copied = cairn_arena_realloc(ARENA, blocks[0], 3 * PAGE + 1);
    assert_int_equal(remaps, 4);
    assert_true(arena_is_filled(copied, 2 * PAGE, 0) && arena_is_filled(blocks[2], 2 * PAGE, 2) && arena_is_filled(blocks[3], 2 * PAGE, 3));
    assert_null(cairn_arena_realloc(ARENA, copied, SIZE_MAX - PAGE / 2));
    assert_int_equal(remaps, 4);
    arena_sound();
    cairn_arena_free(ARENA, copied);
    cairn_arena_free(ARENA, blocks[2]);
    cairn_arena_free(ARENA, blocks[3]);
}

// Moves nothing, and says that it did: to no page, or to one behind the last address.
static void *lying_remap(void *context, void *address, size_t size, size_t new_size)
{
    (void)context;
    (void)size;
    (void)new_size;
    return ++remaps % 2 == 0 ? (unsigned char *)address + G : (void *)(0 - (uintptr_t)PAGE);
}

static void a_remap_to_where_no_map_can_be_is_not_believed(void **state)
{
    (void)state;
    arena_fixture.port.remap = lying_remap;
    remaps = 0;
    unsigned char *block = arena_take(2 * PAGE);
    for (size_t pages = 3; pages < 5; pages++) {
        block = cairn_arena_realloc(ARENA, block, pages * PAGE);
        assert_int_equal(remaps, pages - 2);
        assert_true(arena_is_page(block) && (uintptr_t)block % PAGE == 0);
        assert_true(arena_is_filled(block, 2 * PAGE, 2 * PAGE));
        assert_int_equal(arena_stats().mapped, pages * PAGE);
        arena_sound();
    }
    cairn_arena_free(ARENA, block);
}

static void blocks_that_come_and_go_are_kept_up_to_a_size(void **state)
{
    (void)state;
    arena_fixture.config.trim = 0;
    arena_fixture.config.threshold_max = 3 * PAGE;
    arena_make();
    unsigned char *block = arena_take(2 * PAGE + 1);
    assert_true(arena_is_page(block));
    cairn_arena_free(ARENA, block); // 3 pages: they go back, those that follow do not
    assert_int_equal(arena_used_pages(), 0);
    for (unsigned i = 0; i < 2; i++) {
        block = arena_take(3 * PAGE);
        assert_false(arena_is_page(block));
        const size_t raised = arena_raised();
        cairn_arena_free(ARENA, block);
        assert_true(arena_stats().top >= 2 * STEP && arena_stats().top < 2 * (3 * PAGE + 1)); // less than twice the threshold
        assert_int_equal(arena_raised(), raised);
        arena_sound();
    }
    for (unsigned i = 0; i < 2; i++) { // one byte more than the limit
        block = arena_take(3 * PAGE + 1);
        assert_true(arena_is_page(block));
        cairn_arena_free(ARENA, block);
        assert_int_equal(arena_used_pages(), 0);
    }
}

static void a_threshold_that_rose_is_as_at_first_behind_a_pool(void **state)
{
    (void)state;
    static _Alignas(16) unsigned char memory[256];
    struct cairn_arena_pool front;
    arena_fixture.config.threshold_max = 4 * PAGE;
    arena_make();
    cairn_arena_free(ARENA, arena_take(2 * PAGE));
    for (unsigned i = 0; i < 3; i++) { // the pool is not there yet, there, gone
        unsigned char *const block = arena_take(2 * PAGE);
        assert_int_equal(arena_is_page(block), i != 0);
        cairn_arena_free(ARENA, block); // raises it again, but where there is a pool
        if (i == 0) {
            assert_int_equal(cairn_arena_add_pool(ARENA, &front, memory, sizeof memory, 16, 0), 0);
        } else if (i == 1) {
            assert_int_equal(cairn_arena_remove_pool(ARENA, &front), 0);
        }
    }
    unsigned char *const block = arena_take(2 * PAGE);
    assert_false(arena_is_page(block));
    cairn_arena_free(ARENA, block);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_UNIT(blocks_are_found_in_any_order),
        ARENA_UNIT(a_table_that_cannot_grow_sends_the_request_to_the_heap),
        ARENA_UNIT(pages_that_the_port_will_not_take_back_are_spares),
        ARENA_UNIT(a_spare_is_aligned_as_asked_for),
        ARENA_UNIT(an_address_that_is_not_aligned_is_not_believed),
        ARENA_UNIT(pages_beyond_the_last_address_are_not_believed),
        ARENA_UNIT(an_address_behind_all_blocks_is_in_none),
        ARENA_UNIT(regions_are_mapped_one_behind_the_other),
        ARENA_UNIT(a_region_is_mapped_no_larger_than_there_is_room),
        ARENA_UNIT(a_region_that_the_port_will_not_take_back_stays_in_use),
        ARENA_UNIT(the_port_moves_the_pages_of_a_block_that_grows),
        ARENA_UNIT(a_remap_to_where_no_map_can_be_is_not_believed),
        ARENA_UNIT(blocks_that_come_and_go_are_kept_up_to_a_size),
        ARENA_UNIT(a_threshold_that_rose_is_as_at_first_behind_a_pool),
    };
    return cmocka_run_group_tests_name("maps", tests, NULL, NULL);
}
