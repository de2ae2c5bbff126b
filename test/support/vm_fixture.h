// SPDX-License-Identifier: MIT
//
// The vm that a test works on: a few frames, two spaces, a store in RAM that can be made to fail.
//
// OWNS        8 frames' worth of memory (4 in use), 24 slots, memory for tables; two spaces, a mapping each; what the handler was told.
// PICTURE     set-up: pages of 128 bytes, tables of 4 and 4 bits (256 pages), TLB of 8; `space` is current; pages 1 to 16 of it are mapped, read and write
//             -> the test -> tear-down: check(), every space ends, no frame, slot or table is left
// INVARIANTS  1. Whatever failed on the way, nothing has leaked in the end.
// COST        8 KB of RAM.
// CALLERS     test/unit/test_vm_*.c, on the host and on targets.
#ifndef CAIRN_TEST_VM_FIXTURE_H
#define CAIRN_TEST_VM_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cairn/access.h"

#include <string.h>

#define PAGE 128u
#define FRAMES 4u
#define FRAMES_MOST 8u
#define SLOTS 24u
#define PAGES 16u // mapped, from page 1 on
#define RW (CAIRN_READ | CAIRN_WRITE)
#define VM (&vm_fixture.vm)
#define SPACE (&vm_fixture.space)
#define OTHER (&vm_fixture.other)
#define MAP (&vm_fixture.map)
#define EXTRA (&vm_fixture.extra)

struct vm_fixture {
    struct cairn_vm vm;
    struct cairn_vm_config config;
    struct cairn_port_store store;
    struct cairn_space space, other;
    struct cairn_mapping map, extra;
    uint32_t calls;    // of the store's read and write
    uint32_t fail_at;  // the number of the call that fails; 0: none
    uint32_t fail_for; // so many from there; 0: one
    uint32_t reads, writes, trims;
    uint32_t withheld;   // a list of nodes that tables are not to have
    uint32_t table_size; // what the vm has in truth; 0: nothing is withheld
    // What vm_handler was told, and what it answers.
    struct cairn_vm_fault fault;
    struct cairn_space *fault_space;
    uint32_t faults;
    int answer;
    void (*act)(void); // what it does first; NULL: nothing
};

extern struct vm_fixture vm_fixture;
extern unsigned char vm_frames[FRAMES_MOST * PAGE];
extern unsigned char vm_memory[4096];
extern unsigned char vm_slots[SLOTS * PAGE];

// cmocka's fixtures.
int vm_setup(void **state);
int vm_teardown(void **state);

// Make the vm and its space again, with vm_fixture.config as the test has changed it; the store is as it was.
void vm_make(void);
// The same with write-through, and the mapping.
void vm_write_through(void);
// End all spaces; nothing may be left. Returns 0 or -1.
int vm_end(void);

// check() passes; it names this rule.
void vm_sound(void);
void vm_broken(uint32_t rule);
// While a place holds another value, this rule is broken.
#define VM_BREAKS(type, place, value, rule) \
    do { \
        type *const its = &(place); \
        type const whole = *its; \
        *its = (type)(value); \
        vm_broken(rule); \
        *its = whole; \
        vm_sound(); \
    } while (0)
// A number of all that the vm, its memory, frames and store hold: equal where nothing has changed. The heap's count of failures is no part of it.
uint32_t vm_image(void);
struct cairn_vm_figures vm_figures(void);
struct cairn_space_figures vm_space_figures(const struct cairn_space *space);

// Store or load a word of the current space; must succeed.
void vm_put(cairn_vaddr_t address, uint32_t value);
uint32_t vm_get(cairn_vaddr_t address);
cairn_vaddr_t vm_page(uint32_t page); // its address

// Give the pages contents of their own; are they still there? Both go round the TLB.
void vm_write_pages(struct cairn_space *space, uint32_t first, uint32_t count, uint32_t seed);
void vm_expect_pages(struct cairn_space *space, uint32_t first, uint32_t count, uint32_t seed);

// The store's calls from the next on: the nth (1 ...) fails, for so many calls.
void vm_fail(uint32_t nth, uint32_t calls);
// Leave room for so many nodes of page tables, and no more; give it back.
void vm_starve(uint32_t nodes);
void vm_feed(void);

// A space's handler that notes what it is told.
int vm_handler(void *context, struct cairn_space *space, const struct cairn_vm_fault *fault);
// It was told once, and this; forgets it.
void vm_expect_fault(cairn_vaddr_t address, uint32_t access, int error);

// The slot that holds the page's last clean contents; NULL: none does.
const unsigned char *vm_slot(const struct cairn_space *space, uint32_t page);
// Is the page in a frame? Is it dirty there?
bool vm_is_resident(const struct cairn_space *space, uint32_t page);
bool vm_is_dirty(const struct cairn_space *space, uint32_t page);

// Nodes of page tables that are in use.
uint32_t vm_tables(void);

#define VM_UNIT(test) cmocka_unit_test_setup_teardown(test, vm_setup, vm_teardown)

#endif
