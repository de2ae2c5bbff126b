// SPDX-License-Identifier: MIT
//
// OWNS        the region, its copy and the record of reports.
// CALLERS     test/unit.
#include "fixture.h"

struct fixture fixture;
_Alignas(64) unsigned char fixture_region[FIXTURE_REGION];
_Alignas(64) unsigned char fixture_copy[FIXTURE_REGION];

static void note_report(void *context, const struct cairn_report *report)
{
    struct fixture *const its = context;
    its->reports++;
    its->report = *report;
}

void fixture_make(size_t size)
{
    fixture.size = size;
    assert_int_equal(cairn_heap_init(HEAP, fixture_region, size, &fixture.config), 0);
    assert_sound();
}

void fixture_make_fit(enum cairn_fit fit, uint16_t search)
{
    fixture.config.fit = fit;
    fixture.config.search = search;
    fixture_make(FIXTURE_REGION);
}

int fixture_setup(void **state)
{
    (void)state;
    memset(&fixture, 0, sizeof fixture);
    memset(fixture_region, 0xA5, sizeof fixture_region);
    fixture.hooks.hooked = CAIRN_HOOKED;
    fixture.hooks.report = note_report;
    fixture.config.hooks = &fixture.hooks;
    fixture.config.context = &fixture;
    fixture_make(FIXTURE_REGION);
    return 0;
}

int fixture_teardown(void **state)
{
    (void)state;
    if (fixture.reports != 0) {
        print_error("a report of kind %d was not expected\n", (int)fixture.report.what);
        return -1;
    }
    if (CONTROL == NULL || fixture.damaged) {
        return 0;
    }
    struct cairn_fault fault;
    if (cairn_heap_check(HEAP, &fault) != 0) {
        print_error("T%d broken\n", (int)fault.rule);
        return -1;
    }
    const struct cairn_heap_stats now = stats();
    if (!fixture.leaks && (now.used != 0 || now.used_blocks != 0 || now.free_blocks != 1)) {
        print_error("%u blocks live, %u free\n", (unsigned)now.used_blocks, (unsigned)now.free_blocks);
        return -1;
    }
    return 0;
}

// ---------------------------------------------------------------------------------------------------------- reports

void fixture_expect(enum cairn_wrong what, const void *address)
{
    assert_int_equal(fixture.reports, 1);
    assert_int_equal(fixture.report.what, what);
    assert_ptr_equal(fixture.report.address, address);
    fixture.reports = 0;
}

void fixture_expect_none(void)
{
    assert_int_equal(fixture.reports, 0);
}

void fixture_forget(void)
{
    fixture.reports = 0;
}

// ------------------------------------------------------------------------------------------------------------ image

void fixture_save(void)
{
    memcpy(fixture_copy, fixture_region, sizeof fixture_copy);
}

void fixture_unchanged(uint32_t failures)
{
    if (CONTROL != NULL) {
        unsigned char *const counter = fixture_copy + ((unsigned char *)&CONTROL->failures - fixture_region);
        uint32_t expected;
        memcpy(&expected, counter, sizeof expected);
        expected += failures;
        memcpy(counter, &expected, sizeof expected);
        memcpy(fixture_copy + ((unsigned char *)&CONTROL->classes - fixture_region), &CONTROL->classes, sizeof CONTROL->classes);
    }
    assert_memory_equal(fixture_region, fixture_copy, sizeof fixture_region);
}

// ----------------------------------------------------------------------------------------------------------- blocks

void *at(uint32_t number)
{
    return (void *)((uintptr_t)fixture.heap.base + ((uintptr_t)number - 1) * G); // number 0: what is in front, which no border has
}

uint32_t number_of(const void *address)
{
    return (uint32_t)border_number(fixture.heap.base, address) + 1;
}

uint32_t end_of(uint32_t number)
{
    return number - 1 + cairn_tags_after_(TAGS, number - 1);
}

struct block_links *links_of(uint32_t number)
{
    return links_at(fixture.heap.base, end_of(number));
}

uint32_t *hint_for(uint32_t number)
{
    return hint_at(fixture.heap.base, end_of(number));
}

size_t granules(uint32_t n)
{
    return n * G - 1;
}

void fill(void *block, size_t size, unsigned seed)
{
    unsigned char *const bytes = block;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)(seed * 31 + i * 7);
    }
}

void assert_filled(const void *block, size_t size, unsigned seed)
{
    const unsigned char *const bytes = block;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != (unsigned char)(seed * 31 + i * 7)) {
            fail_msg("byte %u of a block is not what was written", (unsigned)i);
        }
    }
}

unsigned char *take_granules(uint32_t n)
{
    unsigned char *const block = cairn_heap_alloc(HEAP, granules(n));
    assert_non_null(block);
    fill(block, granules(n), number_of(block));
    return block;
}

struct cairn_heap_stats stats(void)
{
    struct cairn_heap_stats now;
    cairn_heap_stats(HEAP, &now);
    return now;
}

void assert_sound(void)
{
    struct cairn_fault fault;
    const int error = cairn_heap_check(HEAP, &fault);
    if (error != 0) {
        fail_msg("check: %d, T%d at granule %ld", error, (int)fault.rule,
                 (long)(((intptr_t)fault.address - (intptr_t)fixture.heap.base) / (intptr_t)G));
    }
}

void assert_blocks(uint32_t used_blocks, uint32_t free_blocks)
{
    const struct cairn_heap_stats now = stats();
    assert_sound();
    assert_int_equal(now.used_blocks, used_blocks);
    assert_int_equal(now.free_blocks, free_blocks);
}

void assert_largest(uint32_t n)
{
    assert_int_equal(stats().largest_free, n * G);
}

void assert_names(enum cairn_rule rule)
{
    struct cairn_fault fault;
    assert_int_equal(cairn_heap_check(HEAP, &fault), CAIRN_ECORRUPT);
    assert_int_equal(fault.rule, rule);
    assert_in_range((uintptr_t)fault.address, (uintptr_t)fixture_region, (uintptr_t)fixture_region + FIXTURE_REGION);
}

uint32_t fill_up(uint32_t n)
{
    uint32_t count = 0;
    while (cairn_heap_alloc(HEAP, granules(n)) != NULL) {
        count++;
    }
    return count;
}

static int find_used(void *context, const struct cairn_block *block)
{
    void **const found = context;
    *found = block->address;
    return block->used;
}

void free_all(void)
{
    void *block;
    while (cairn_heap_walk(HEAP, find_used, &block) != 0) {
        cairn_heap_free(HEAP, block);
    }
}
