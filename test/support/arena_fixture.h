// SPDX-License-Identifier: MIT
//
// The arena that a test works on, over a port in two static arrays, each entry of which can be made to fail.
//
// OWNS        a span of 4 KB for the break, 16 pages of 256 bytes for maps, an arena; what was reported, what the port was asked.
// PICTURE     set-up: threshold 512, step 256, trim 1024 -> the test -> tear-down: check(), nothing live, deinit; then the break is back at its start,
//             no page is used, and no report is left unread
// INVARIANTS  1. A report that a test does not expect fails it.
//             2. Whatever failed on the way, nothing has leaked from the port in the end.
// COST        9 KB of RAM.
// CALLERS     test/unit and test/port, on the host and on targets.
#ifndef CAIRN_TEST_ARENA_FIXTURE_H
#define CAIRN_TEST_ARENA_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arena/arena_core.h"
#include "hardening.h"
#include "port/baremetal/memory.h"

#include <stdio.h>
#include <string.h>

#define SPAN 4096u
#define PAGE 256u
#define PAGES 16u
#define STEP 256u
#define THRESHOLD 512u
#define TRIM 1024u
#define ARENA (&arena_fixture.arena)
#define G ((size_t)CAIRN_GRANULE)

struct arena_fixture {
    struct cairn_arena arena;
    struct cairn_arena_config config;
    struct cairn_port_region port;
    struct cairn_port_system system;
    unsigned char *at;   // the break
    uint32_t used[1];    // a bit a page
    uint32_t calls;      // of brk that move it, map and unmap
    uint32_t fail_at;    // the number of the call that fails; 0: none
    bool fail_all;       // from fail_at on
    uint32_t unmaps;     // so many fail
    uint32_t depth;      // of the lock
    uint32_t locked;     // how often
    uint32_t reports;    // not yet read
    struct cairn_report report;
    bool leaks;          // tear-down: blocks may be live
};

extern struct arena_fixture arena_fixture;
extern unsigned char arena_span[SPAN];
extern unsigned char arena_pages[PAGES * PAGE];

// cmocka's fixtures.
int arena_setup(void **state);
int arena_teardown(void **state);

// Make the arena again, with arena_fixture.config as the test has changed it.
void arena_make(void);

// Exactly one report since the last call, of this kind and address.
void arena_expect(enum cairn_wrong what, const void *address);

// check() passes, the statistics.
void arena_sound(void);
struct cairn_arena_stats arena_stats(void);

// Allocate, which must succeed, filled with bytes of its own; are they still there?
unsigned char *arena_take(size_t size);
void arena_fill(void *block, size_t size, unsigned seed);
bool arena_is_filled(const void *block, size_t size, unsigned seed);

// How far the break was moved; pages that are used; is the address in one?
size_t arena_raised(void);
uint32_t arena_used_pages(void);
bool arena_is_page(const void *address);

#define ARENA_UNIT(test) cmocka_unit_test_setup_teardown(test, arena_setup, arena_teardown)

#endif
