// SPDX-License-Identifier: MIT
//
// The heap that a unit test works on.
//
// OWNS        one region of 2 KB, one copy of it, one heap; what the hooks were told.
// PICTURE     set-up: a heap with all defaults and a report hook -> the test -> tear-down: check(), nothing live, no report left unread
// INVARIANTS  1. A report that a test does not expect fails it.
//             2. After every test the heap passes check() and is one free block, unless the test says why not (damaged, leaks).
// COST        4.5 KB of RAM.
// CALLERS     test/unit, on the host and on targets. Tests name what they need from heap/core.h themselves.
#ifndef CAIRN_TEST_FIXTURE_H
#define CAIRN_TEST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cairn/heap.h"
#include "hardening.h"
#include "heap/core.h"
#include "heap/layout.h"

#include <stdio.h>
#include <string.h>

#define G ((size_t)CAIRN_GRANULE)
#define FIXTURE_REGION 2048u
#define HEAP (&fixture.heap)
#define CONTROL (fixture.heap.control)
#define TAGS (fixture.heap.tags)

struct fixture {
    struct cairn_heap heap;
    struct cairn_heap_hooks hooks;
    struct cairn_heap_config config;
    size_t size;
    unsigned reports;          // not yet read
    struct cairn_report report; // the last
    bool damaged;              // tear-down: no check
    bool leaks;                // tear-down: blocks may be live
};

extern struct fixture fixture;
extern unsigned char fixture_region[FIXTURE_REGION];
extern unsigned char fixture_copy[FIXTURE_REGION];

// cmocka's fixtures.
int fixture_setup(void **state);
int fixture_teardown(void **state);

// Make the heap again, in the first `size` bytes, with fixture.config as the test has changed it. Its hooks stay the fixture's.
void fixture_make(size_t size);
void fixture_make_fit(enum cairn_fit fit, uint16_t search);

// Reports: exactly one since the last call, of this kind and address; none.
void fixture_expect(enum cairn_wrong what, const void *address);
void fixture_expect_none(void);
void fixture_forget(void);

// The image: keep a copy; nothing has changed since but `failures` more failures (and, for a bounded fit, the lengths asked for).
void fixture_save(void);
void fixture_unchanged(uint32_t failures);

// A pointer to the start of granule `number`; a block's number.
void *at(uint32_t number);
uint32_t number_of(const void *address);
// Of the block that starts at granule `number`: the border where it ends, by which lists know it if it is free; its links; its hint.
uint32_t end_of(uint32_t number);
struct block_links *links_of(uint32_t number);
uint32_t *hint_for(uint32_t number);
// Bytes of n granules, less one where a granule has more than one: rounds up to n.
size_t granules(uint32_t n);

// Allocate n granules, which must succeed, filled with a byte of its own.
unsigned char *take_granules(uint32_t n);
void fill(void *block, size_t size, unsigned seed);
void assert_filled(const void *block, size_t size, unsigned seed);

// check() passes, and the statistics are these.
void assert_sound(void);
void assert_blocks(uint32_t used_blocks, uint32_t free_blocks);
void assert_largest(uint32_t n);
struct cairn_heap_stats stats(void);

// check() names this rule, with an address in the region.
void assert_names(enum cairn_rule rule);

// Fill the heap with blocks of n granules, as many as there is room for; returns how many. Frees all that walk finds.
uint32_t fill_up(uint32_t n);
void free_all(void);

#define UNIT(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

#endif
