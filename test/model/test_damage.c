// SPDX-License-Identifier: MIT
//
// Random operations on heaps whose free blocks somebody writes to: links and hints get any value, most of them numbers of other free blocks.
//
// OWNS        the region; the caller's blocks and what is written in them.
// PICTURE     test_damage [SEED [LIVES]]   or CAIRN_SEED=SEED; CAIRN_TIER=full: fifty times as many lives
// INVARIANTS  whatever was damaged, and whatever the heap reports: every block of the caller's keeps its bytes and its size, no bad pointer is
//             taken, and the counters agree with a walk. An undamaged heap passes the whole check.
// CALLERS     ctest, on the host. A failure prints the seed of the life; the same seed fails again.
#include "arguments.h"
#include "heap/core.h"
#include "prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BLOCKS 64u
#define STEPS 400u
#define REGION 8192u

struct owned {
    unsigned char *bytes; // NULL: none
    size_t size;
    unsigned char filled;
};

struct life {
    struct prng prng;
    struct cairn_heap heap;
    struct owned block[BLOCKS];
    size_t size; // of the region now
    unsigned damaged;
    unsigned reports;
};

static unsigned char region[REGION];
static struct life life;
static uint32_t seed = 1;
static uint32_t lives = 500;
static uint32_t life_seed;

// What a walk sees.
static struct view {
    uint32_t used, blocks, free_blocks;
    uint32_t ends[REGION / CAIRN_GRANULE]; // of the free blocks
} view;

static uint32_t below(uint32_t limit)
{
    return prng_below(&life.prng, limit);
}

static void count_report(void *context, const struct cairn_report *report)
{
    (void)context;
    (void)report;
    life.reports++;
}

static int look(void *context, const struct cairn_block *block)
{
    (void)context;
    view.blocks++;
    if (block->used) {
        view.used += (uint32_t)(block->size / CAIRN_GRANULE);
    } else {
        const unsigned char *const end = (unsigned char *)block->address + block->size;
        view.ends[view.free_blocks++] = (uint32_t)((size_t)(end - life.heap.base) / CAIRN_GRANULE);
    }
    return 0;
}

static void walk(void)
{
    view.used = view.blocks = view.free_blocks = 0;
    assert_int_equal(cairn_heap_walk(&life.heap, look, NULL), 0);
}

static bool is_filled(const unsigned char *bytes, size_t size, unsigned char with)
{
    size_t same = 0;
    while (same < size && bytes[same] == with) {
        same++;
    }
    return same == size;
}

static void prove(void)
{
    const struct heap_control *const control = life.heap.control;
    for (uint32_t i = 0; i < BLOCKS; i++) {
        const struct owned *const block = &life.block[i];
        if (block->bytes != NULL) {
            assert_true(is_filled(block->bytes, block->size, block->filled));
            assert_true(cairn_heap_usable_size(&life.heap, block->bytes) >= block->size);
        }
    }
    walk();
    assert_int_equal(control->used, view.used);
    assert_int_equal(control->blocks, view.blocks);
    assert_int_equal(control->free_blocks, view.free_blocks);
    assert_true(control->peak >= control->used);
    assert_true(life.damaged != 0 || (life.reports == 0 && cairn_heap_check(&life.heap, NULL) == 0));
}

// ---------------------------------------------------------------------------------------------------------- what is done

static uint32_t any_word(void)
{
    switch (below(7)) {
    case 0: return 0;
    case 1: return below(life.heap.control->granules + 3);
    case 2: return 0u - below(4);
    case 3: return 0x80000000u + below(8) - 4;
    case 4: return prng_next(&life.prng);
    default: return view.ends[below(view.free_blocks)];
    }
}

static void damage(void)
{
    walk();
    if (view.free_blocks == 0) {
        return;
    }
    const uint32_t to = view.ends[below(view.free_blocks)];
    const uint32_t word = any_word();
    struct block_links *const links = links_at(life.heap.base, to);
    switch (below(length_before(life.heap.tags, to) >= BIN_EXACT ? 3 : 2)) {
    case 0: links->next = word; break;
    case 1: links->prev = word; break;
    default: *hint_at(life.heap.base, to) = word;
    }
    life.damaged++;
}

static void own(struct owned *block, void *bytes, size_t size)
{
    block->bytes = bytes;
    block->size = size;
    block->filled = (unsigned char)below(256);
    if (bytes != NULL) {
        memset(bytes, block->filled, size);
    }
}

static void change(struct owned *block, size_t size)
{
    const size_t alignment = below(3) != 0 ? 1 : (size_t)1 << below(10);
    const size_t kept = size < block->size ? size : block->size;
    unsigned char *const bytes = cairn_heap_aligned_realloc(&life.heap, block->bytes, alignment, size);
    if (bytes != NULL) {
        assert_int_equal((uintptr_t)bytes & (alignment - 1), 0);
        assert_true(is_filled(bytes, kept, block->filled));
        own(block, bytes, size);
    }
}

// A pointer into the region, or near it, that is no block of the caller's.
static void try_bad_pointer(void)
{
    unsigned char *const address = life.heap.base + below(REGION) - 500;
    for (uint32_t i = 0; i < BLOCKS; i++) {
        if (life.block[i].bytes == address) {
            return;
        }
    }
    const unsigned reports = life.reports;
    const unsigned damaged = life.damaged;
    cairn_heap_free(&life.heap, address);
    assert_null(cairn_heap_realloc(&life.heap, address, 8));
    assert_int_not_equal(cairn_heap_resize(&life.heap, address, 8), 0);
    assert_int_equal(cairn_heap_usable_size(&life.heap, address), 0);
    assert_int_equal(life.reports, reports + 3);
    life.reports = damaged != 0 ? life.reports : reports; // undamaged: reports of broken links are still to be none
}

static void move_end(void)
{
    const size_t size = life.size + below(200) - 100;
    if (size <= REGION - 8 && (size >= life.size ? cairn_heap_grow(&life.heap, size) : cairn_heap_shrink(&life.heap, size)) == 0) {
        life.size = size;
    }
}

static void step(void)
{
    struct owned *const block = &life.block[below(BLOCKS)];
    const size_t size = 1 + below(below(3) != 0 ? 40 : 400);
    const uint32_t kind = below(12);
    if (kind == 0) {
        move_end();
    } else if (kind == 1) {
        try_bad_pointer();
    } else if (kind == 2) {
        assert_int_equal(cairn_heap_set_fit(&life.heap, (enum cairn_fit)below(4), below(3) == 0 ? CAIRN_SEARCH_ALL : (uint16_t)below(5)), 0);
    } else if (block->bytes == NULL) {
        own(block, below(4) == 0 ? cairn_heap_aligned_alloc(&life.heap, (size_t)1 << below(9), size) : cairn_heap_alloc(&life.heap, size), size);
    } else if (kind < 6) {
        change(block, size);
    } else if (kind == 6) {
        if (cairn_heap_resize(&life.heap, block->bytes, size) == 0) {
            own(block, block->bytes, size);
        }
    } else {
        cairn_heap_free(&life.heap, block->bytes);
        block->bytes = NULL;
    }
}

// -------------------------------------------------------------------------------------------------------------- the lives

static void live(uint32_t number, unsigned most)
{
    static const struct cairn_heap_hooks hooks = {.hooked = CAIRN_HOOKED, .report = count_report};
    memset(&life, 0, sizeof life);
    prng_seed(&life.prng, number);
    life.size = 600 + below(4000);
    const struct cairn_heap_config config = {.fit = (enum cairn_fit)below(4), .max_size = REGION - 8, .wipe = below(6) == 0, .hooks = &hooks};
    assert_int_equal(cairn_heap_init(&life.heap, region + below(8), life.size, &config), 0);
    const bool quick = !config.wipe && below(2) != 0; // the short paths, with reports all the same
    for (uint32_t i = 0; i < STEPS; i++) {
        if (i > 60 && life.damaged < most && below(8) == 0) {
            damage();
        }
        life.heap.quick = quick ? life.heap.control->granules : 0;
        step();
        prove();
    }
}

static void run(unsigned most)
{
    for (uint32_t i = 0; i < lives; i++) {
        life_seed = seed + i;
        live(life_seed, most);
    }
}

// After a failure, cmocka calls this: the seed that fails again.
static int tell(void **state)
{
    (void)state;
    printf("last life: seed %lu\n", (unsigned long)life_seed);
    return 0;
}

static void an_undamaged_heap_reports_nothing(void **state)
{
    (void)state;
    run(0);
}

static void one_damaged_word_costs_no_used_byte(void **state)
{
    (void)state;
    run(1);
}

static void two_damaged_words_cost_no_used_byte(void **state)
{
    (void)state;
    run(2);
}

static void many_damaged_words_cost_no_used_byte(void **state)
{
    (void)state;
    run(20);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(an_undamaged_heap_reports_nothing, tell),
        cmocka_unit_test_teardown(one_damaged_word_costs_no_used_byte, tell),
        cmocka_unit_test_teardown(two_damaged_words_cost_no_used_byte, tell),
        cmocka_unit_test_teardown(many_damaged_words_cost_no_used_byte, tell),
    };
    read_arguments(argc, argv, 50, &seed, &lives);
    printf("seed %lu, %lu lives\n", (unsigned long)seed, (unsigned long)lives);
    fflush(stdout);
    return HARDENED ? cmocka_run_group_tests_name("damage", tests, NULL, NULL) : 0;
}
