// SPDX-License-Identifier: MIT
//
// Machines, and a store whose power can be cut, through which a space goes from one to the other.
//
// OWNS        two vms, each with two spaces, three objects, a file and a swap; a power store, and a checkpoint in it; what a space with its objects was.
// PICTURE     set-up: HERE is a machine of few frames, with a space; nothing is mapped -> the test -> tear-down: check(), all has ended, nothing is left
//             A snapshot is read past the library: tables, frames, slots, files.
// INVARIANTS  1. Whatever failed on the way, nothing has leaked in the end. 2. The power store is never used out of range.
// COST        200 KB of RAM. CALLERS: test/unit/test_checkpoint*.c.
#ifndef CAIRN_TEST_CHECKPOINT_FIXTURE_H
#define CAIRN_TEST_CHECKPOINT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cairn/access.h"
#include "cairn/checkpoint.h"
#include "cairn/store.h"
#include "power_store.h"
#include "prng.h"
#include "scale.h"

#include <string.h>

#define PAGE 128u
#define FRAMES 12u
#define FRAMES_MOST 64u
#define SWAP 160u
#define PAGES 64u  // of a space that tests map, from page 1 on
#define OBJECTS 3u // 0: of memory; 1: of a file; 2: shared memory
#define OBJECT_PAGES 8u
#define MAPS_MOST 48u
#define KEPT_SLOTS 320u
#define RW (CAIRN_READ | CAIRN_WRITE)
#define KEY 77u

struct machine {
    struct cairn_vm vm;
    struct cairn_vm_config config;
    struct cairn_space space, other;
    struct cairn_object objects[OBJECTS];
    struct cairn_store_ram swap, file;
    struct cairn_port_store wrapped; // the swap, whose calls can fail
    uint32_t calls, fail_at;         // the call that fails, from 1; 0: none
    bool fail_on;                    // and all behind it
    _Alignas(PAGE) unsigned char frames[FRAMES_MOST * PAGE];
    _Alignas(8) unsigned char memory[16384];
    unsigned char slots[SWAP * PAGE];
    unsigned char bytes[OBJECT_PAGES * PAGE]; // the file
};

extern struct machine machines[2];
#define HERE (&machines[0])
#define THERE (&machines[1])

extern struct power_store kept;             // where the checkpoint is
extern unsigned char kept_bytes[KEPT_SLOTS * (2 * PAGE + 1)];
extern struct cairn_image_config kept_config;
extern struct cairn_checkpoint checkpoint;
extern const unsigned char in_place[4 * PAGE]; // memory that is executed where it is

struct map_kept {
    uint64_t first, pages, grow, offset;
    uint32_t protection, flags, object; // object: its number from 1; 0: none
};

struct snapshot {
    struct map_kept maps[MAPS_MOST];
    uint32_t map_count;
    uint64_t break_start, break_end, heap;
    unsigned char pages[PAGES + 1][PAGE];              // what each page of the space holds; zeros where it is not mapped
    unsigned char objects[OBJECTS][OBJECT_PAGES][PAGE];
    bool there[OBJECTS];
};

// The machine, new: so many frames, tables of other shapes for each `kind` (0, 1, 2), and a space.
void machine_make(struct machine *machine, uint32_t frames, uint32_t kind);
// All of it ends; nothing may be left.
void machine_end(struct machine *machine);
void machine_sound(const struct machine *machine);
// Its objects, those that are: for save and restore. Returns how many.
uint32_t machine_objects(struct machine *machine, struct cairn_object *list[OBJECTS]);
// Object 0, 1 or 2.
void machine_object(struct machine *machine, uint32_t number);
// Map pages at a page, FIXED; object: number from 1, 0: none. Returns what the call does.
int machine_map(struct machine *machine, uint32_t page, uint32_t pages, uint32_t protection, uint32_t flags, uint32_t object, uint32_t offset);
// Some of everything.
void machine_furnish(struct machine *machine);
// A page of the space's becomes this byte, and its number.
void machine_write(struct machine *machine, struct cairn_space *space, uint32_t page, uint32_t seed);

// What it is now.
void snapshot_take(struct machine *machine, const struct cairn_space *space, struct snapshot *snapshot);
bool snapshot_is(const struct snapshot *a, const struct snapshot *b);

// The checkpoint, taken up anew. Returns what that answers.
int kept_open(void);
int kept_save(struct machine *machine, struct cairn_space *space);
// In a new machine of this many frames and this kind. Returns what that answers; the machine is to be ended.
int kept_restore(struct machine *machine, uint32_t frames, uint32_t kind);
// What is in the checkpoint is this: restores it there, in a machine of some kind, and looks.
bool kept_is(const struct snapshot *snapshot, uint32_t kind);

int checkpoint_setup(void **state);
int checkpoint_teardown(void **state);
#define CHECKPOINT_UNIT(test) cmocka_unit_test_setup_teardown(test, checkpoint_setup, checkpoint_teardown)

#endif
