// SPDX-License-Identifier: MIT
//
// A small machine for the tests of concepts: frames, a store, two spaces, and short words for what is done with them. The public interface only.
//
// OWNS        8 frames' worth of memory, 64 slots that are counted, memory for tables, a file of 8 pages.
// PICTURE     start(config): a vm of pages of 128 bytes, spaces `one` (current) and `two`, with nothing mapped -> the test -> finish(): all ends
//             docs/CONCEPTS.md names each test beside its concept; docs.py compares.
// COST        20 KB of RAM. CALLERS: test_concepts_*.c, on the host and one board.
#ifndef CAIRN_TEST_CONCEPTS_H
#define CAIRN_TEST_CONCEPTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cairn/access.h"
#include "cairn/object.h"

#include <string.h>

#define PAGE 128u
#define FRAMES_MOST 8u
#define SLOTS 64u
#define FILE_PAGES 8u
#define RW (CAIRN_READ | CAIRN_WRITE)
#define AT(page) ((cairn_vaddr_t)(page) * PAGE)
#define FILE_WORD(page) (0xF1000000u + (page)) // the first of a page of the file

struct machine {
    struct cairn_vm vm;
    struct cairn_space one, two;
    struct cairn_mapping map;     // of `one`
    struct cairn_port_store swap; // where pages go
    uint32_t swap_reads, swap_writes;
    struct cairn_object object; // the file
    struct cairn_port_store file;
    uint32_t file_reads, file_writes, file_syncs;
    uint32_t words[FILE_PAGES][PAGE / 4]; // what it holds
};

extern struct machine machine;
#define VM (&machine.vm)
#define ONE (&machine.one)
#define TWO (&machine.two)
#define OBJECT (&machine.object)

// A configuration with so many frames, tables of two levels for 256 pages, and the store; to be changed before start.
struct cairn_vm_config machine_config(uint32_t frames);
void start(const struct cairn_vm_config *config);
// The same without changes.
void start_with(uint32_t frames);
void finish(void);

// Map pages of a space: its own, or the file's.
void map(struct cairn_space *space, uint32_t page, uint32_t pages, uint32_t protection);
void map_file(struct cairn_space *space, uint32_t page, uint32_t pages, uint32_t flags);
// Make the file an object.
void open_file(void);

// A word of the current space.
void put(cairn_vaddr_t address, uint32_t word);
uint32_t get(cairn_vaddr_t address);
// Where the page at an address is in RAM now.
const void *place_of(struct cairn_space *space, cairn_vaddr_t address);
struct cairn_vm_figures figures(void);
struct cairn_space_figures figures_of(const struct cairn_space *space);
// What a load, a store of a word returns.
int load_answers(cairn_vaddr_t address);
int store_answers(cairn_vaddr_t address);

#endif
