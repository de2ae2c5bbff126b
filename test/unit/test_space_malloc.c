// SPDX-License-Identifier: MIT
//
// OWNS        what cairn/space_heap.h promises: every call, and its errors.
// CALLERS     ctest, on every preset: lib/inner.
#include "space_fixture.h"

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

// Blocks of a page and more are mapped.
static void small_threshold(struct cairn_space *space)
{
    const struct cairn_space_heap_config config = {.max = 32 * 1024, .threshold = 8 * PAGE, .step = 4 * PAGE};
    assert_int_equal(cairn_space_heap_init(space, &config), 0);
}

static void large_blocks_are_mapped_and_really_returned(void **state)
{
    (void)state;
    small_threshold(SPACE);
    const cairn_vaddr_t pages = SPACE->figures.virtual_pages;
    const uint32_t resident = SPACE->figures.resident;
    a = space_get(SPACE, 8 * PAGE);
    b = space_get(SPACE, 20 * PAGE + 1);
    assert_true(a > SPACE->break_end && a % PAGE == 0 && b > SPACE->break_end);
    assert_int_equal(SPACE->figures.virtual_pages, pages + 8 + 21);
    assert_int_equal(SPACE->figures.resident, resident); // nothing was touched
    assert_int_equal(mapped(SPACE), 29 * PAGE);
    assert_int_equal(space_size(SPACE, b), 21 * PAGE);
    assert_true(space_is_zeros(SPACE, a, 8 * PAGE));
    space_write(SPACE, a, 8 * PAGE, 1);
    space_write(SPACE, b, 20 * PAGE + 1, 2);
    assert_true(space_holds(SPACE, a, 8 * PAGE, 1));
    space_drop(SPACE, a);
    assert_int_equal(SPACE->figures.virtual_pages, pages + 21);
    uint8_t byte;
    assert_int_equal(cairn_space_read(SPACE, &byte, a, 1), CAIRN_EFAULT);
    assert_true(space_holds(SPACE, b, 20 * PAGE + 1, 2));
    space_drop(SPACE, b);
    assert_int_equal(SPACE->figures.virtual_pages, pages);
    space_whole(SPACE);
}

static void the_threshold_is_a_block_that_is_mapped(void **state)
{
    (void)state;
    small_threshold(SPACE);
    a = space_get(SPACE, 8 * PAGE - 1);
    assert_true(a < SPACE->break_end);
    b = space_get(SPACE, 8 * PAGE);
    assert_true(b > SPACE->break_end);
    space_whole(SPACE);
    assert_int_equal(cairn_space_heap_init(OTHER, NULL), 0); // 128 KB, of a space that has no more
    const cairn_vaddr_t end = OTHER->break_end;
    a = space_get(OTHER, 20000);
    assert_true(a < OTHER->break_end && OTHER->break_end > end);
    space_whole(OTHER);
}

// Neighbours that are alike, and yet two blocks; and one in three parts.
static void mapped_blocks_never_become_one_and_go_as_a_whole(void **state)
{
    (void)state;
    small_threshold(SPACE);
    const cairn_vaddr_t pages = SPACE->figures.virtual_pages;
    a = space_get(SPACE, 8 * PAGE);
    b = space_get(SPACE, 8 * PAGE);
    c = space_get(SPACE, 8 * PAGE);
    assert_int_equal(a, b + 8 * PAGE);
    assert_int_equal(b, c + 8 * PAGE);
    space_drop(SPACE, b);
    assert_int_equal(space_size(SPACE, a), 8 * PAGE);
    assert_int_equal(space_size(SPACE, c), 8 * PAGE);
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_free(SPACE, b));
    assert_int_equal(cairn_space_protect_range(SPACE, a + 2 * PAGE, 3 * PAGE, CAIRN_READ), 0);
    assert_int_equal(space_size(SPACE, a), 8 * PAGE);
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_free(SPACE, a + 2 * PAGE)); // a part of it
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_free(SPACE, a + 5 * PAGE));
    space_drop(SPACE, a);
    space_drop(SPACE, c);
    assert_int_equal(SPACE->figures.virtual_pages, pages);
    space_sound();
}

static void nothing_is_no_block_and_what_is_missing_is_refused(void **state)
{
    struct cairn_space_heap_stats stats;
    uint64_t size;
    (void)state;
    a = 5;
    assert_int_equal(cairn_space_malloc(SPACE, 0, &a), 0);
    assert_int_equal(a, 0);
    assert_int_equal(SPACE->heap, 0);
    assert_int_equal(cairn_space_free(SPACE, 0), 0);
    assert_int_equal(cairn_space_malloc_trim(SPACE, 0), 0);
    assert_int_equal(cairn_space_heap_stats(SPACE, &stats), 0);
    assert_int_equal(stats.size + stats.used + stats.mapped, 0);
    a = 5;
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_malloc(NULL, 1, &a));
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_malloc(SPACE, 1, NULL));
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_calloc(NULL, 1, 1, &a));
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_calloc(NULL, UINT64_MAX, 2, &a));
    SPACE_REFUSES(CAIRN_ENOMEM, SPACE, cairn_space_calloc(SPACE, UINT64_MAX, 2, &a));
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_memalign(SPACE, 0, 1, &a));
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_memalign(SPACE, 24, 1, &a));
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_realloc(NULL, &a, 1));
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_realloc(SPACE, NULL, 1));
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_realloc(SPACE, &a, 1)); // no such block
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_free(SPACE, 8));
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_free(NULL, 8));
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_usable_size(SPACE, 8, &size));
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_usable_size(SPACE, 8, NULL));
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_malloc_trim(NULL, 0));
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_heap_stats(SPACE, NULL));
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_heap_init(NULL, NULL));
    OTHER->break_start = OTHER->break_end = 0;
    SPACE_REFUSES(CAIRN_EINVAL, OTHER, cairn_space_malloc(OTHER, 1, &a));
    SPACE_REFUSES(CAIRN_EINVAL, OTHER, cairn_space_heap_init(OTHER, NULL));
    assert_int_equal(a, 5);
    a = space_get(SPACE, 8);
    SPACE_REFUSES(CAIRN_EBUSY, SPACE, cairn_space_heap_init(SPACE, NULL));
}

static void a_size_that_the_space_has_not_is_refused(void **state)
{
    static const uint64_t sizes[] = {PAGES * PAGE - PAGE + 1, PAGES *PAGE, (uint64_t)80 << 30, (uint64_t)1 << 32, UINT64_MAX - PAGE, UINT64_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        SPACE_REFUSES(CAIRN_ENOMEM, SPACE, cairn_space_malloc(SPACE, sizes[i], &a));
        assert_int_equal(SPACE->heap, 0);
    }
    b = space_get(SPACE, 40);
    c = space_get(SPACE, 400);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        SPACE_REFUSES(CAIRN_ENOMEM, SPACE, cairn_space_malloc(SPACE, sizes[i], &a));
        SPACE_REFUSES(CAIRN_ENOMEM, SPACE, cairn_space_realloc(SPACE, &b, sizes[i]));
        SPACE_REFUSES(CAIRN_ENOMEM, SPACE, cairn_space_memalign(SPACE, 16, sizes[i], &a));
        SPACE_REFUSES(CAIRN_ENOMEM, SPACE, cairn_space_calloc(SPACE, sizes[i], 1, &a));
    }
    SPACE_REFUSES(CAIRN_ENOMEM, SPACE, cairn_space_malloc(SPACE, (PAGES - 5) * PAGE, &a)); // the break is in it
    SPACE_REFUSES(CAIRN_ENOMEM, SPACE, cairn_space_memalign(SPACE, (uint64_t)1 << 63, 8, &a));
    a = c;
    SPACE_REFUSES(CAIRN_ENOMEM, SPACE, cairn_space_realloc(SPACE, &a, (uint64_t)80 << 30));
    assert_int_equal(a, c);
}

static void only_the_start_of_a_used_block_is_one(void **state)
{
    uint64_t size;
    (void)state;
    small_threshold(SPACE);
    a = space_get(SPACE, 40);
    b = space_get(SPACE, 2 * PAGE);
    c = space_get(SPACE, 10 * PAGE);
    struct cairn_mapping map;
    assert_int_equal(cairn_space_map(OTHER, &map, 0x8000, PAGE, RW), 0);
    space_drop(SPACE, a);
    for (cairn_vaddr_t wrong = SPACE->heap - 8; wrong < SPACE->break_end + 2 * PAGE; wrong += wrong < b ? 1 : 7) {
        if (wrong != b) {
            SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_free(SPACE, wrong));
            cairn_vaddr_t block = wrong;
            assert_int_equal(cairn_space_realloc(SPACE, &block, 8), CAIRN_EINVAL);
            assert_int_equal(cairn_space_usable_size(SPACE, wrong, &size), CAIRN_EINVAL);
        }
    }
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_free(SPACE, c + 1));
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_free(SPACE, c + PAGE));
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_free(SPACE, PAGES * PAGE));
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_free(SPACE, (cairn_vaddr_t)0 - 8));
    SPACE_REFUSES(CAIRN_EINVAL, OTHER, cairn_space_free(OTHER, 0x8000)); // mapped, but no block
    SPACE_REFUSES(CAIRN_EINVAL, OTHER, cairn_space_free(OTHER, b));      // another space's
    space_drop(SPACE, b);
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_free(SPACE, b));
    space_drop(SPACE, c);
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_free(SPACE, c));
    assert_int_equal(cairn_space_unmap(OTHER, &map), 0);
    space_whole(SPACE);
}

static void the_heap_is_made_for_the_room_that_there_is(void **state)
{
    struct cairn_mapping map;
    (void)state;
    assert_int_equal(cairn_space_map(OTHER, &map, BREAK + 10 * PAGE, PAGE, RW), 0);
    a = space_get(OTHER, 200);
    assert_true(a < OTHER->break_end);
    space_whole(OTHER);
    for (uint32_t i = 0; i < 10; i++) { // above the mapping, when the heap is full
        b = space_get(OTHER, 200);
        space_whole(OTHER);
    }
    assert_true(b > BREAK + 10 * PAGE);
    assert_int_equal(cairn_space_unmap(OTHER, &map), 0);
}

static void a_block_with_a_hole_ends_there(void **state)
{
    (void)state;
    small_threshold(SPACE);
    a = space_get(SPACE, 20 * PAGE);
    assert_int_equal(cairn_space_unmap_range(SPACE, a + 5 * PAGE, PAGE), 0);
    assert_int_equal(space_size(SPACE, a), 5 * PAGE);
    space_drop(SPACE, a);
    assert_int_equal(mapped(SPACE), 14 * PAGE); // whose it is knows who made the hole
    assert_int_equal(cairn_space_unmap_range(SPACE, a, 20 * PAGE), 0);
    assert_int_equal(mapped(SPACE), 0);
}

static void calloc_gives_zeros_and_touches_no_page_for_them(void **state)
{
    (void)state;
    const struct cairn_space_heap_config config = {.max = 32 * 1024, .threshold = 64 * PAGE, .step = 80 * PAGE};
    assert_int_equal(cairn_space_heap_init(SPACE, &config), 0);
    a = space_get(SPACE, 10 * PAGE);
    b = space_get(SPACE, 8);
    space_write(SPACE, a, 10 * PAGE, 1);
    space_drop(SPACE, a);
    assert_int_equal(cairn_space_calloc(SPACE, 10, PAGE, &c), 0);
    assert_int_equal(c, a);
    assert_true(space_is_zeros(SPACE, c, 10 * PAGE));
    const uint32_t resident = SPACE->figures.resident;
    assert_int_equal(cairn_space_calloc(SPACE, 1, 40 * PAGE, &c), 0);
    assert_true(SPACE->figures.resident <= resident + 2); // a pair of tags at its end, the links of what is left
    assert_int_equal(cairn_space_calloc(SPACE, 1, 70 * PAGE, &a), 0);
    assert_true(a > SPACE->break_end && SPACE->figures.resident <= resident + 2);
    space_whole(SPACE);
    assert_true(space_is_zeros(SPACE, c, 40 * PAGE) && space_is_zeros(SPACE, a, 70 * PAGE));
    SPACE_REFUSES(CAIRN_ENOMEM, SPACE, cairn_space_calloc(SPACE, (uint64_t)1 << 33, (uint64_t)1 << 31, &c)); // the product is 0
    SPACE_REFUSES(CAIRN_ENOMEM, SPACE, cairn_space_calloc(SPACE, ((uint64_t)1 << 33) + 1, (uint64_t)1 << 31, &c));
    assert_int_equal(cairn_space_calloc(SPACE, 0, 5, &c), 0);
    assert_int_equal(c, 0);
}

// A page that nobody touched is zeros, but not where the program has mapped something else over its break.
static void calloc_clears_what_an_object_shows(void **state)
{
    struct cairn_object object;
    const struct cairn_object_config config = {.size = 4 * PAGE};
    (void)state;
    const struct cairn_space_heap_config heap = {.max = 32 * 1024, .step = 80 * PAGE};
    assert_int_equal(cairn_space_heap_init(SPACE, &heap), 0);
    a = space_get(SPACE, 60 * PAGE);
    space_drop(SPACE, a);
    assert_int_equal(cairn_object_init(&object, VM, &config), 0);
    struct cairn_map map = {.address = 0x8000, .size = 4 * PAGE, .protection = RW, .flags = CAIRN_MAP_FIXED | CAIRN_MAP_SHARED, .object = &object};
    assert_int_equal(cairn_space_map_range(OTHER, &map, NULL), 0);
    space_write(OTHER, 0x8000, 4 * PAGE, 1);
    map.address = (a + 20 * PAGE) / PAGE * PAGE;
    map.flags = CAIRN_MAP_REPLACE | CAIRN_MAP_SHARED;
    assert_int_equal(cairn_space_map_range(SPACE, &map, NULL), 0);
    assert_int_equal(cairn_space_calloc(SPACE, 60, PAGE, &b), 0);
    assert_int_equal(a, b);
    assert_true(space_is_zeros(SPACE, b, 60 * PAGE));
    assert_true(space_is_zeros(OTHER, 0x8000, 4 * PAGE));
    assert_int_equal(cairn_space_unmap_range(OTHER, 0x8000, 4 * PAGE), 0);
    assert_int_equal(cairn_space_unmap_range(SPACE, map.address, map.size), 0);
    assert_int_equal(cairn_object_deinit(&object), 0);
}

static void realloc_keeps_what_is_in_the_block(void **state)
{
    (void)state;
    small_threshold(SPACE);
    a = 0;
    assert_int_equal(cairn_space_realloc(SPACE, &a, 100), 0); // none yet
    space_write(SPACE, a, 100, 1);
    b = a;
    assert_int_equal(cairn_space_realloc(SPACE, &a, 300), 0); // what is behind is free
    assert_int_equal(a, b);
    assert_true(space_holds(SPACE, a, 100, 1));
    c = space_get(SPACE, 8);
    assert_int_equal(cairn_space_realloc(SPACE, &a, 50), 0);
    assert_int_equal(a, b);
    assert_int_equal(space_size(SPACE, a), (50 + CAIRN_GRANULE - 1) / CAIRN_GRANULE * CAIRN_GRANULE);
    assert_true(space_holds(SPACE, a, 50, 1));
    space_whole(SPACE);
    assert_int_equal(cairn_space_realloc(SPACE, &a, 7 * PAGE), 0); // moves
    assert_true(a != b && a < SPACE->break_end);
    assert_true(space_holds(SPACE, a, 50, 1));
    space_whole(SPACE);
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_free(SPACE, b));
    space_write(SPACE, a, 7 * PAGE, 2);
    b = a;
    assert_int_equal(cairn_space_realloc(SPACE, &a, 9 * PAGE), 0); // to a mapping
    assert_true(a > SPACE->break_end);
    assert_true(space_holds(SPACE, a, 7 * PAGE, 2));
    SPACE_REFUSES(CAIRN_EINVAL, SPACE, cairn_space_free(SPACE, b));
    assert_int_equal(cairn_space_realloc(SPACE, &a, 0), 0);
    assert_int_equal(a, 0);
    assert_int_equal(mapped(SPACE), 0);
    space_drop(SPACE, c);
    space_whole(SPACE);
}

// What is left of its new place becomes one with its old one: a link that the first half of the move has changed is as it was in the end.
static void a_block_that_moves_to_what_is_before_it_leaves_the_lists_whole(void **state)
{
    (void)state;
    const uint32_t g = CAIRN_GRANULE;
    a = space_get(SPACE, 44 * g);
    b = space_get(SPACE, 7 * g);
    (void)space_get(SPACE, g);
    c = space_get(SPACE, 7 * g);
    (void)space_get(SPACE, g);
    space_drop(SPACE, c);
    space_drop(SPACE, a);
    space_write(SPACE, b, 7 * g, 1);
    assert_int_equal(cairn_space_realloc(SPACE, &b, 37 * g), 0);
    assert_int_equal(b, a);
    assert_true(space_holds(SPACE, b, 7 * g, 1));
    space_whole(SPACE);
    assert_int_equal(space_get(SPACE, 7 * g), c);
}

static uint64_t free_bytes(struct cairn_space *space)
{
    struct cairn_space_heap_stats stats;
    assert_int_equal(cairn_space_heap_stats(space, &stats), 0);
    return stats.free;
}

// Leave so many granules free, at the heap's end. pre: nothing else is free.
static void leave_top(struct cairn_space *space, uint32_t granules)
{
    while (free_bytes(space) != granules * CAIRN_GRANULE) {
        const uint64_t left = free_bytes(space);
        (void)space_get(space, left > granules * CAIRN_GRANULE ? left - granules * CAIRN_GRANULE : left + 1);
    }
}

static void the_last_block_grows_with_the_break_where_it_is(void **state)
{
    (void)state;
    small_threshold(SPACE);
    a = space_get(SPACE, 8);
    b = space_get(SPACE, free_bytes(SPACE));
    assert_int_equal(free_bytes(SPACE), 0);
    space_write(SPACE, b, 8, 1);
    const cairn_vaddr_t end = SPACE->break_end;
    const uint64_t size = space_size(SPACE, b);
    c = b;
    assert_int_equal(cairn_space_realloc(SPACE, &c, size + 6 * PAGE), 0);
    assert_int_equal(c, b);
    assert_int_equal(SPACE->break_end, end + 6 * PAGE);
    assert_true(space_holds(SPACE, b, 8, 1));
    space_whole(SPACE);
}

static void the_heap_grows_to_its_limit_and_no_further(void **state)
{
    const struct cairn_space_heap_config config = {.max = 16 * 1024, .threshold = 60 * PAGE, .step = 40 * PAGE};
    (void)state;
    assert_int_equal(cairn_space_heap_init(SPACE, &config), 0);
    do {
        a = space_get(SPACE, 1000);
        space_whole(SPACE);
        assert_true(SPACE->break_end - SPACE->break_start <= 16 * 1024);
    } while (a < SPACE->break_end);
    assert_true(SPACE->break_end - SPACE->break_start > 15 * 1024);
    assert_true(free_bytes(SPACE) < 1000);
}

// The search sees 4 blocks of a list. Where the heap's top is the fifth, it grows until it is in another.
static void a_top_that_the_search_does_not_see_is_found_when_it_has_grown(void **state)
{
    const struct cairn_space_heap_config config = {.max = 60 * 1024, .threshold = 60 * PAGE, .step = 8 * PAGE};
    const uint32_t step = 1;
    (void)state;
    for (uint32_t n = 34; n < 64; n++) { // up to 40 it would do, were it seen
        cairn_vaddr_t hole[5];
        assert_int_equal(cairn_space_brk(OTHER, BREAK), 0);
        assert_int_equal(cairn_space_set_break(OTHER, BREAK), 0);
        assert_int_equal(cairn_space_heap_init(OTHER, &config), 0);
        for (uint32_t i = 0; i < 5; i++) {
            hole[i] = space_get(OTHER, 33 * CAIRN_GRANULE);
            (void)space_get(OTHER, 1);
        }
        leave_top(OTHER, 40);
        for (uint32_t i = 0; i < 5; i++) {
            space_drop(OTHER, hole[i]);
        }
        assert_int_equal(cairn_space_write(OTHER, OTHER->heap + 8, &step, 4), 0);
        a = space_get(OTHER, n * CAIRN_GRANULE);
        assert_true(a < OTHER->break_end);
        space_whole(OTHER);
    }
}

static void a_mapped_block_shrinks_and_grows_by_pages(void **state)
{
    struct cairn_space_heap_stats stats;
    (void)state;
    small_threshold(SPACE);
    a = space_get(SPACE, 20 * PAGE);
    space_write(SPACE, a, 20 * PAGE, 1);
    b = a;
    assert_int_equal(cairn_space_realloc(SPACE, &a, 12 * PAGE - 5), 0);
    assert_int_equal(a, b);
    assert_int_equal(mapped(SPACE), 12 * PAGE);
    assert_int_equal(cairn_space_realloc(SPACE, &a, 12 * PAGE), 0);
    assert_int_equal(mapped(SPACE), 12 * PAGE);
    const struct cairn_mapping *const mapping = SPACE->mappings->next; // the break's is the first
    assert_int_equal(cairn_space_realloc(SPACE, &a, 15 * PAGE), 0); // the pages behind it are free
    assert_int_equal(a, b);
    assert_true(SPACE->mappings->next == mapping && mapping->next == NULL); // and it is one mapping
    assert_int_equal(cairn_space_heap_stats(SPACE, &stats), 0);
    assert_int_equal(stats.mapped_blocks, 1);
    assert_true(space_holds(SPACE, a, 12 * PAGE, 1) && space_is_zeros(SPACE, a + 12 * PAGE, 3 * PAGE));
    assert_int_equal(cairn_space_realloc(SPACE, &a, 30 * PAGE), 0); // it ends with the space: moves
    assert_true(a != b);
    assert_true(space_holds(SPACE, a, 12 * PAGE, 1));
    assert_int_equal(mapped(SPACE), 30 * PAGE);
    assert_int_equal(cairn_space_realloc(SPACE, &a, 8), 0); // it stays mapped
    assert_int_equal(space_size(SPACE, a), PAGE);
    space_drop(SPACE, a);
    assert_int_equal(mapped(SPACE), 0);
    space_whole(SPACE);
}

static void a_block_that_moves_leaves_untouched_what_was(void **state)
{
    (void)state;
    small_threshold(SPACE);
    a = space_get(SPACE, 200 * PAGE);
    const uint32_t resident = SPACE->figures.resident;
    const uint32_t words[] = {0, 77 * PAGE, 199 * PAGE};
    for (size_t i = 0; i < 3; i++) {
        space_write(SPACE, a + words[i], 4, (uint32_t)i + 1);
    }
    assert_int_equal(SPACE->figures.resident, resident + 3);
    b = a;
    assert_int_equal(cairn_space_realloc(SPACE, &a, 300 * PAGE), 0);
    assert_true(a != b);
    assert_int_equal(SPACE->figures.resident, resident + 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(space_holds(SPACE, a + words[i], 4, (uint32_t)i + 1));
    }
    space_drop(SPACE, a);
    space_whole(SPACE);
}

// Pages below a stack are kept for it.
static void a_mapped_block_does_not_grow_into_a_stack(void **state)
{
    (void)state;
    small_threshold(SPACE);
    const struct cairn_map stack = {
        .address = 900 * PAGE, .size = 2 * PAGE, .protection = RW, .flags = CAIRN_MAP_FIXED | CAIRN_MAP_GROWS_DOWN, .grow = 10 * PAGE};
    const struct cairn_map rest = {.address = 902 * PAGE, .size = (PAGES - 902) * PAGE, .protection = RW, .flags = CAIRN_MAP_FIXED};
    assert_int_equal(cairn_space_map_range(SPACE, &stack, NULL), 0);
    assert_int_equal(cairn_space_map_range(SPACE, &rest, NULL), 0);
    a = space_get(SPACE, 10 * PAGE);
    assert_int_equal(a, (900 - 11 - 10) * PAGE);
    b = a;
    assert_int_equal(cairn_space_realloc(SPACE, &a, 11 * PAGE), 0);
    assert_true(a < b);
    space_write(SPACE, 890 * PAGE, 4, 1); // as far as it may
    space_sound();
}

static void memalign_gives_multiples(void **state)
{
    (void)state;
    small_threshold(SPACE);
    for (uint64_t alignment = 1; alignment <= 32 * PAGE; alignment *= 2) {
        for (uint64_t size = 1; size <= 9 * PAGE; size = size * 3 + 1) {
            assert_int_equal(cairn_space_memalign(SPACE, alignment, size, &a), 0);
            assert_true(a % alignment == 0 && a % CAIRN_GRANULE == 0);
            assert_int_equal(a > SPACE->break_end, alignment > PAGE || size >= 8 * PAGE);
            space_write(SPACE, a, (size_t)size, 7);
            b = space_get(SPACE, 24);
            assert_true(space_holds(SPACE, a, (size_t)size, 7));
            space_whole(SPACE);
            space_drop(SPACE, a);
            if (size % 2 == 0) {
                space_drop(SPACE, b);
            }
        }
    }
    space_whole(SPACE);
}

static void others_may_move_the_break_in_between(void **state)
{
    cairn_vaddr_t theirs[6];
    (void)state;
    small_threshold(SPACE);
    for (uint32_t i = 0; i < 6; i++) {
        a = space_get(SPACE, 6 * PAGE);
        space_write(SPACE, a, 6 * PAGE, i);
        assert_int_equal(cairn_space_sbrk(SPACE, 100 + 57 * (ptrdiff_t)i, &theirs[i]), 0);
        space_write(SPACE, theirs[i], 100 + 57 * i, 50 + i);
        b = space_get(SPACE, 7 * PAGE); // the heap goes on behind
        assert_true(b >= theirs[i] + 100 + 57 * i);
        space_write(SPACE, b, 7 * PAGE, i);
        space_drop(SPACE, a);
        space_whole(SPACE);
        assert_true(space_holds(SPACE, b, 7 * PAGE, i));
    }
    for (uint32_t i = 0; i < 6; i++) {
        assert_true(space_holds(SPACE, theirs[i], 100 + 57 * i, 50 + i));
    }
}

static void a_break_that_others_have_lowered_is_no_heap(void **state)
{
    (void)state;
    small_threshold(SPACE);
    a = space_get(SPACE, 5 * PAGE);
    assert_int_equal(cairn_space_brk(SPACE, SPACE->break_end - PAGE), 0);
    SPACE_REFUSES(CAIRN_ECORRUPT, SPACE, cairn_space_malloc(SPACE, 8, &b));
    SPACE_REFUSES(CAIRN_ECORRUPT, SPACE, cairn_space_free(SPACE, a));
    assert_int_equal(cairn_space_brk(SPACE, SPACE->heap + 100), 0);
    assert_int_equal(cairn_space_malloc(SPACE, 8, &b), CAIRN_ECORRUPT);
    assert_int_equal(cairn_space_brk(SPACE, SPACE->heap + 8), 0); // its head goes on
    assert_int_equal(cairn_space_malloc(SPACE, 8, &b), CAIRN_ECORRUPT);
    assert_int_equal(cairn_space_brk(SPACE, BREAK), 0);
    assert_int_equal(cairn_space_malloc(SPACE, 8, &b), CAIRN_EFAULT);
    assert_int_equal(cairn_space_set_break(SPACE, BREAK), 0); // begins anew
    assert_int_equal(SPACE->heap, 0);
    a = space_get(SPACE, 8);
    space_whole(SPACE);
}

static void trim_gives_the_top_back_and_pages_in_free_blocks(void **state)
{
    (void)state;
    small_threshold(SPACE);
    cairn_vaddr_t blocks[8];
    for (uint32_t i = 0; i < 8; i++) {
        blocks[i] = space_get(SPACE, 6 * PAGE);
        space_write(SPACE, blocks[i], 6 * PAGE, i);
    }
    const cairn_vaddr_t end = SPACE->break_end;
    space_drop(SPACE, blocks[7]);
    space_drop(SPACE, blocks[6]);
    assert_int_equal(cairn_space_malloc_trim(SPACE, 3 * PAGE), 0);
    assert_true(SPACE->break_end <= end - 9 * PAGE + CAIRN_GRANULE);
    space_whole(SPACE);
    assert_int_equal(cairn_space_malloc_trim(SPACE, 0), 0);
    assert_int_equal(SPACE->break_end, blocks[5] + 6 * PAGE);
    space_whole(SPACE);
    space_drop(SPACE, blocks[1]);
    space_drop(SPACE, blocks[2]); // 12 pages in one
    const uint32_t there = SPACE->figures.resident + SPACE->figures.swapped;
    assert_int_equal(cairn_space_malloc_trim(SPACE, 0), 0);
    assert_true(SPACE->figures.resident + SPACE->figures.swapped <= there - 10);
    space_whole(SPACE);
    for (uint32_t i = 0; i < 6; i++) {
        assert_true(i == 1 || i == 2 || space_holds(SPACE, blocks[i], 6 * PAGE, i));
    }
    a = space_get(SPACE, 7 * PAGE);
    space_whole(SPACE);
    space_drop(SPACE, a);
    for (uint32_t i = 0; i < 6; i++) {
        if (i != 1 && i != 2) {
            space_drop(SPACE, blocks[i]);
        }
    }
    assert_int_equal(cairn_space_malloc_trim(SPACE, 0), 0); // a granule stays
    space_whole(SPACE);
    space_drop(SPACE, space_get(SPACE, 7 * PAGE));
    assert_int_equal(cairn_space_sbrk(SPACE, 100, NULL), 0);
    SPACE_REFUSES(0, SPACE, cairn_space_malloc_trim(SPACE, 0)); // the end is somebody else's
    void *memory;
    size_t run;
    a = space_get(SPACE, 4 * PAGE);
    space_write(SPACE, a, 4 * PAGE, 1);
    assert_int_equal(cairn_space_pin(SPACE, a + 2 * PAGE, RW, &memory, &run), 0);
    sf.hoarded = 1;
    space_drop(SPACE, a);
    assert_int_equal(cairn_space_malloc_trim(SPACE, 0), 0); // a page that is pinned stays
    assert_int_equal(cairn_space_unpin(SPACE, a + 2 * PAGE), 0);
    sf.hoarded = 0;
}

static void a_fork_copies_the_heap_and_both_go_on(void **state)
{
    struct cairn_space child;
    (void)state;
    small_threshold(SPACE);
    a = space_get(SPACE, 300);
    b = space_get(SPACE, 10 * PAGE);
    space_write(SPACE, a, 300, 1);
    space_write(SPACE, b, 10 * PAGE, 2);
    assert_int_equal(cairn_space_fork(&child, SPACE), 0);
    assert_int_equal(child.heap, SPACE->heap);
    space_whole(&child);
    space_drop(&child, a);
    space_drop(&child, b);
    c = space_get(&child, 200);
    assert_int_equal(c, a);
    space_write(&child, c, 200, 3);
    space_whole(&child);
    space_whole(SPACE);
    assert_true(space_holds(SPACE, a, 300, 1) && space_holds(SPACE, b, 10 * PAGE, 2));
    space_drop(SPACE, a);
    space_whole(SPACE);
    assert_true(space_holds(&child, c, 200, 3));
    assert_int_equal(cairn_space_deinit(&child), 0);
    space_drop(SPACE, b);
    space_whole(SPACE);
}

static void what_is_promised_strictly_is_kept(void **state)
{
    (void)state;
    assert_int_equal(cairn_vm_commit(VM, CAIRN_COMMIT_STRICT, 100 * PAGE), 0);
    const struct cairn_space_heap_config large = {.max = 100 * 1024, .threshold = 8 * PAGE, .step = 4 * PAGE};
    const struct cairn_space_heap_config small = {.max = 16 * 1024, .threshold = 8 * PAGE, .step = 50 * PAGE};
    assert_int_equal(cairn_space_heap_init(SPACE, &large), 0);
    assert_true(VM->committed >= 192 / CAIRN_GRANULE && VM->committed <= 192 / CAIRN_GRANULE + 4); // 3 KB of tags
    SPACE_REFUSES(CAIRN_ENOMEM, SPACE, cairn_space_malloc(SPACE, 90 * PAGE, &a));
    assert_int_equal(cairn_space_heap_init(OTHER, &small), 0);
    b = space_get(OTHER, 60 * PAGE); // mapped
    for (uint32_t i = 0;; i++) { // the step is more than there is: what is needed does
        const int error = cairn_space_malloc(OTHER, 3 * PAGE, &c);
        space_whole(OTHER);
        assert_true(VM->committed <= 100);
        assert_true(i != 0 || (error == 0 && c < OTHER->break_end));
        if (error != 0) {
            assert_int_equal(error, CAIRN_ENOMEM);
            assert_true(i >= 1);
            break;
        }
    }
    space_drop(OTHER, b);
    c = space_get(OTHER, 3 * PAGE);
    space_whole(OTHER);
}

static void a_page_that_cannot_be_pinned_or_written_stops_the_call(void **state)
{
    void *memory;
    size_t run;
    (void)state;
    small_threshold(SPACE);
    a = space_get(SPACE, 200);
    b = space_get(SPACE, 12 * PAGE);
    c = SPACE->heap & ~(cairn_vaddr_t)(PAGE - 1);
    for (uint32_t i = 0; i < UINT8_MAX; i++) {
        assert_int_equal(cairn_space_pin(SPACE, c, RW, &memory, &run), 0);
    }
    sf.hoarded = UINT8_MAX;
    SPACE_REFUSES(CAIRN_EOVERFLOW, SPACE, cairn_space_free(SPACE, a));
    SPACE_REFUSES(CAIRN_EOVERFLOW, SPACE, cairn_space_malloc(SPACE, 200, &b));
    SPACE_REFUSES(CAIRN_EOVERFLOW, SPACE, cairn_space_malloc(SPACE, 7 * PAGE, &b)); // the break goes back
    for (uint32_t i = 0; i < UINT8_MAX; i++) {
        assert_int_equal(cairn_space_unpin(SPACE, c), 0);
    }
    sf.hoarded = 0;
    assert_int_equal(cairn_space_protect_range(SPACE, c, PAGE, CAIRN_READ), 0);
    SPACE_REFUSES(CAIRN_EACCES, SPACE, cairn_space_free(SPACE, a));
    SPACE_REFUSES(CAIRN_EACCES, SPACE, cairn_space_malloc(SPACE, 7 * PAGE, &a));
    assert_int_equal(cairn_space_protect_range(SPACE, c, PAGE, 0), 0);
    assert_int_equal(cairn_space_free(SPACE, a), CAIRN_EACCES);
    assert_int_equal(cairn_space_protect_range(SPACE, c, PAGE, RW), 0);
    c = SPACE->break_end - PAGE; // the links of what is free at its end
    assert_int_equal(cairn_space_protect_range(SPACE, c, PAGE, 0), 0);
    assert_int_equal(cairn_space_malloc(SPACE, 8, &a), CAIRN_EACCES);
    assert_int_equal(cairn_space_protect_range(SPACE, c, PAGE, RW), 0);
    space_whole(SPACE);
    assert_int_equal(cairn_space_pin(SPACE, b + PAGE, RW, &memory, &run), 0);
    sf.hoarded = 1;
    SPACE_REFUSES(CAIRN_EBUSY, SPACE, cairn_space_free(SPACE, b));
    cairn_vaddr_t block = b;
    SPACE_REFUSES(CAIRN_EBUSY, SPACE, cairn_space_realloc(SPACE, &block, 1));
    SPACE_REFUSES(CAIRN_EBUSY, SPACE, cairn_space_realloc(SPACE, &block, 0));
    assert_int_equal(block, b);
    SPACE_REFUSES(CAIRN_EBUSY, SPACE, cairn_space_realloc(SPACE, &block, 20 * PAGE)); // it would have to move
    assert_int_equal(cairn_space_unpin(SPACE, b + PAGE), 0);
    sf.hoarded = 0;
    assert_int_equal(cairn_space_suspend(SPACE), 0);
    assert_int_equal(cairn_space_free(SPACE, a), CAIRN_EBUSY);
    cairn_space_resume(SPACE);
    space_drop(SPACE, a);
    space_drop(SPACE, b);
    space_whole(SPACE);
}

// What may not be read is not, be it in a frame.
static void tags_that_may_not_be_read_are_not(void **state)
{
    uint32_t refused = 0;
    (void)state;
    small_threshold(SPACE);
    for (uint32_t i = 0; i < 8; i++) {
        a = space_get(SPACE, 7 * PAGE);
    }
    for (cairn_vaddr_t page = BREAK + PAGE; page < a - 7 * PAGE; page += PAGE) {
        uint64_t size = 0;
        assert_int_equal(cairn_space_protect_range(SPACE, page, PAGE, 0), 0);
        const int error = cairn_space_usable_size(SPACE, a, &size);
        assert_true(error == CAIRN_EACCES || (error == 0 && size == 7 * PAGE));
        refused += error != 0;
        assert_int_equal(cairn_space_protect_range(SPACE, page, PAGE, RW), 0);
    }
    assert_true(refused >= 1);
    space_whole(SPACE);
}

static void blocks_of_a_user_are_the_users(void **state)
{
    (void)state;
    SPACE->user = true;
    small_threshold(SPACE);
    a = space_get(SPACE, 100);
    b = space_get(SPACE, 10 * PAGE);
    space_write(SPACE, a, 100, 1);
    space_write(SPACE, b, 10 * PAGE, 1);
    assert_int_equal(cairn_space_realloc(SPACE, &b, 20 * PAGE), 0);
    space_whole(SPACE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SPACE_UNIT(small_blocks_come_from_the_break),
        SPACE_UNIT(large_blocks_are_mapped_and_really_returned),
        SPACE_UNIT(the_threshold_is_a_block_that_is_mapped),
        SPACE_UNIT(mapped_blocks_never_become_one_and_go_as_a_whole),
        SPACE_UNIT(nothing_is_no_block_and_what_is_missing_is_refused),
        SPACE_UNIT(a_size_that_the_space_has_not_is_refused),
        SPACE_UNIT(only_the_start_of_a_used_block_is_one),
        SPACE_UNIT(the_heap_is_made_for_the_room_that_there_is),
        SPACE_UNIT(a_block_with_a_hole_ends_there),
        SPACE_UNIT(calloc_gives_zeros_and_touches_no_page_for_them),
        SPACE_UNIT(calloc_clears_what_an_object_shows),
        SPACE_UNIT(realloc_keeps_what_is_in_the_block),
        SPACE_UNIT(a_block_that_moves_to_what_is_before_it_leaves_the_lists_whole),
        SPACE_UNIT(the_last_block_grows_with_the_break_where_it_is),
        SPACE_UNIT(the_heap_grows_to_its_limit_and_no_further),
        SPACE_UNIT(a_top_that_the_search_does_not_see_is_found_when_it_has_grown),
        SPACE_UNIT(a_mapped_block_shrinks_and_grows_by_pages),
        SPACE_UNIT(a_block_that_moves_leaves_untouched_what_was),
        SPACE_UNIT(a_mapped_block_does_not_grow_into_a_stack),
        SPACE_UNIT(memalign_gives_multiples),
        SPACE_UNIT(others_may_move_the_break_in_between),
        SPACE_UNIT(a_break_that_others_have_lowered_is_no_heap),
        SPACE_UNIT(trim_gives_the_top_back_and_pages_in_free_blocks),
        SPACE_UNIT(a_fork_copies_the_heap_and_both_go_on),
        SPACE_UNIT(what_is_promised_strictly_is_kept),
        SPACE_UNIT(a_page_that_cannot_be_pinned_or_written_stops_the_call),
        SPACE_UNIT(tags_that_may_not_be_read_are_not),
        SPACE_UNIT(blocks_of_a_user_are_the_users),
    };
    return cmocka_run_group_tests_name("space_malloc", tests, NULL, NULL);
}
