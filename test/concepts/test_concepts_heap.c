// SPDX-License-Identifier: MIT
//
// OWNS        concepts of allocation, a test each, which carries its name: what is lost inside blocks and between them, and what is done about it.
// CALLERS     ctest, on the host and one board.
#include "concepts.h"
#include "hardening.h"

#include "cairn/heap.h"
#include "cairn/pool.h"

static _Alignas(16) unsigned char region[4096];
static struct cairn_heap heap;
static uint32_t reports;

static void report(void *context, const struct cairn_report *what)
{
    (void)context;
    (void)what;
    reports++;
}

static const struct cairn_heap_hooks hooks = {.hooked = CAIRN_HOOKED, .report = report};

static void begin(enum cairn_fit fit)
{
    const struct cairn_heap_config config = {.fit = fit, .search = CAIRN_SEARCH_ALL, .hooks = &hooks};
    reports = 0;
    assert_int_equal(cairn_heap_init(&heap, region, sizeof region, &config), 0);
}

static struct cairn_heap_stats stats(void)
{
    struct cairn_heap_stats now;
    assert_int_equal(cairn_heap_check(&heap, NULL), 0);
    cairn_heap_stats(&heap, &now);
    return now;
}

static void *take(size_t size)
{
    void *const block = cairn_heap_alloc(&heap, size);
    assert_non_null(block);
    return block;
}

// Fill the heap with blocks of a size. Returns how many.
static uint32_t fill(void **blocks, uint32_t most, size_t size)
{
    uint32_t count = 0;
    while (count < most && (blocks[count] = cairn_heap_alloc(&heap, size)) != NULL) {
        count++;
    }
    assert_true(count < most);
    return count;
}

// A block is whole granules: what a request does not use of the last one is lost while it is there.
static void concept_internal_fragmentation(void **state)
{
    (void)state;
    begin(CAIRN_FIT_BEST);
    void *const block = take(13);
    assert_int_equal(stats().used, 16);
    assert_int_equal(cairn_heap_usable_size(&heap, block), 16);
    cairn_heap_free(&heap, block);
    (void)take(16);
    assert_int_equal(stats().used, 16); // whole granules, and no header
    start_with(4); // with pages it is the rest of the last page
    map(ONE, 1, 1, RW);
    put(AT(1), 1);
    assert_int_equal(figures_of(ONE).resident, 1);
    finish();
}

// Enough is free, but not in one piece: the request fails.
static void concept_external_fragmentation(void **state)
{
    static void *blocks[256];
    (void)state;
    begin(CAIRN_FIT_BEST);
    const uint32_t count = fill(blocks, 256, 32);
    for (uint32_t i = 0; i < count; i += 2) {
        cairn_heap_free(&heap, blocks[i]);
    }
    assert_true(stats().free >= count / 2 * 32);
    assert_true(stats().largest_free < 64);
    assert_true(stats().fragmentation > 900); // of 1000
    assert_null(cairn_heap_alloc(&heap, 64));
}

// Paging needs none: pages that follow each other need not lie so. In RAM of which every second frame is free a range of all of these is used, and nothing is moved.
// A heap cannot move a block, whose address others know; its answer is that free neighbours are one, so that a hole goes as its blocks go, and classes of sizes that
// cannot fragment each other: pools.
static void concept_compaction(void **state)
{
    static void *blocks[256];
    const void *places[8];
    (void)state;
    start_with(8);
    map(ONE, 1, 8, RW);
    for (uint32_t page = 1; page <= 8; page++) {
        put(AT(page), page);
        places[page - 1] = place_of(ONE, AT(page));
    }
    for (uint32_t page = 2; page <= 8; page += 2) {
        assert_int_equal(cairn_space_unmap_range(ONE, AT(page), PAGE), 0);
    }
    map(ONE, 20, 4, RW); // four in a row
    for (uint32_t page = 20; page < 24; page++) {
        put(AT(page), page);
    }
    assert_int_equal(figures().frames_free, 0);
    assert_int_equal(figures().evictions, 0);
    bool is_scattered = false;
    for (uint32_t page = 20; page < 23; page++) {
        const ptrdiff_t apart = (const char *)place_of(ONE, AT(page + 1)) - (const char *)place_of(ONE, AT(page));
        is_scattered = is_scattered || (apart != (ptrdiff_t)PAGE);
    }
    assert_true(is_scattered);
    for (uint32_t page = 1; page < 8; page += 2) {
        assert_ptr_equal(place_of(ONE, AT(page)), places[page - 1]); // nobody was moved
    }
    finish();
    begin(CAIRN_FIT_BEST);
    const uint32_t count = fill(blocks, 256, 32);
    for (uint32_t i = 0; i < count; i += 2) {
        cairn_heap_free(&heap, blocks[i]);
    }
    assert_null(cairn_heap_alloc(&heap, 96));
    cairn_heap_free(&heap, blocks[11]); // one between two holes
    assert_ptr_equal(take(96), blocks[10]);
}

// Of a block that is longer than the request the rest stays free.
static void concept_splitting(void **state)
{
    (void)state;
    begin(CAIRN_FIT_BEST);
    const size_t all = stats().free;
    assert_int_equal(stats().free_blocks, 1);
    unsigned char *const first = take(64);
    assert_int_equal(stats().free, all - 64);
    assert_int_equal(stats().free_blocks, 1);
    unsigned char *const second = take(64);
    assert_true(second == first + 64 || second + 64 == first);
}

// A block that becomes free is one with its free neighbours.
static void concept_coalescing(void **state)
{
    unsigned char *blocks[5];
    (void)state;
    begin(CAIRN_FIT_BEST);
    const size_t all = stats().free;
    for (uint32_t i = 0; i < 5; i++) {
        blocks[i] = take(64);
    }
    cairn_heap_free(&heap, blocks[1]);
    cairn_heap_free(&heap, blocks[3]);
    assert_int_equal(stats().free_blocks, 3);
    cairn_heap_free(&heap, blocks[2]); // both
    assert_int_equal(stats().free_blocks, 2);
    assert_ptr_equal(take(192), blocks[1]);
    cairn_heap_free(&heap, blocks[1]);
    cairn_heap_free(&heap, blocks[0]);
    cairn_heap_free(&heap, blocks[4]);
    assert_int_equal(stats().free_blocks, 1);
    assert_int_equal(stats().largest_free, all);
}

// Where a block begins and ends is on record at both of its ends (Knuth 1973), here beside the memory: so free needs no length, finds both neighbours at once,
// however long they are, and knows an address at which no block begins.
static void concept_boundary_tag(void **state)
{
    (void)state;
    begin(CAIRN_FIT_BEST);
    unsigned char *const before = take(400);
    unsigned char *const block = take(32);
    unsigned char *const after = take(1008);
    (void)take(8);
    assert_int_equal(cairn_heap_usable_size(&heap, before), 400);
    assert_int_equal(cairn_heap_usable_size(&heap, after), 1008);
    if (IS_HARDENED) {
        cairn_heap_free(&heap, before + CAIRN_GRANULE); // within it
        assert_int_equal(reports, 1);
    }
    cairn_heap_free(&heap, before);
    cairn_heap_free(&heap, after);
    if (IS_HARDENED) {
        cairn_heap_free(&heap, after); // twice
        assert_int_equal(reports, 2);
    }
    cairn_heap_free(&heap, block);
    assert_ptr_equal(take(1440), before < after ? before : after);
}

// What was freed is listed, and handed out again: memory that was never used is left alone.
static void concept_free_list(void **state)
{
    void *blocks[6];
    (void)state;
    begin(CAIRN_FIT_BEST);
    for (uint32_t i = 0; i < 6; i++) {
        blocks[i] = take(40);
    }
    const size_t top = cairn_heap_top(&heap);
    cairn_heap_free(&heap, blocks[1]);
    cairn_heap_free(&heap, blocks[3]);
    void *const first = take(40);
    void *const second = take(40);
    assert_true((first == blocks[1] && second == blocks[3]) || (first == blocks[3] && second == blocks[1]));
    assert_int_equal(cairn_heap_top(&heap), top);
}

// Holes of 160, 96 and 128 bytes, in this order of addresses, each list of one; what a request of 72 is cut from.
static void *place_chosen(enum cairn_fit fit, void **holes)
{
    static const size_t sizes[] = {160, 96, 128};
    begin(fit);
    for (uint32_t i = 0; i < 3; i++) {
        holes[i] = take(sizes[i]);
        (void)take(8);
    }
    void *rest;
    while ((rest = cairn_heap_alloc(&heap, 8)) != NULL) {
    }
    for (uint32_t i = 0; i < 3; i++) {
        cairn_heap_free(&heap, holes[i]);
    }
    return take(72);
}

// Which hole a request is cut from is the caller's choice: the shortest that is long enough, or the longest.
static void concept_placement_policy(void **state)
{
    void *holes[3];
    (void)state;
    const void *const best = place_chosen(CAIRN_FIT_BEST, holes);
    assert_ptr_equal(best, holes[1]);
    const void *const worst = place_chosen(CAIRN_FIT_WORST, holes);
    assert_ptr_equal(worst, holes[0]);
    const void *const first = place_chosen(CAIRN_FIT_FIRST, holes);
    assert_true(first == holes[0] || first == holes[1] || first == holes[2]);
}

// Blocks of one size: any free one fits, and so nothing is ever too scattered.
static void concept_memory_pool(void **state)
{
    static unsigned char memory[1024];
    void *blocks[64];
    struct cairn_pool pool;
    uint32_t count = 0;
    (void)state;
    assert_int_equal(cairn_pool_init(&pool, memory, sizeof memory, 32, NULL), 0);
    while (count < 64 && (blocks[count] = cairn_pool_alloc(&pool)) != NULL) {
        count++;
    }
    assert_in_range(count, 30, 31);
    for (uint32_t i = 0; i < count; i += 2) {
        cairn_pool_free(&pool, blocks[i]);
    }
    for (uint32_t i = 0; i < count; i += 2) {
        void *const block = cairn_pool_alloc(&pool);
        assert_non_null(block);
        assert_true(cairn_pool_owns(&pool, block));
    }
    assert_null(cairn_pool_alloc(&pool));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(concept_internal_fragmentation),
        cmocka_unit_test(concept_external_fragmentation),
        cmocka_unit_test(concept_compaction),
        cmocka_unit_test(concept_splitting),
        cmocka_unit_test(concept_coalescing),
        cmocka_unit_test(concept_boundary_tag),
        cmocka_unit_test(concept_free_list),
        cmocka_unit_test(concept_placement_policy),
        cmocka_unit_test(concept_memory_pool),
    };
    return cmocka_run_group_tests_name("concepts_heap", tests, NULL, NULL);
}
