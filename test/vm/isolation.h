// SPDX-License-Identifier: MIT
//
// Spaces that nobody may harm, beside a few whose handles somebody uses as he likes: every call of vm.h, access.h, object.h and exec.h, with any address, size and
// value. What these read is never another's, and nothing of another's changes, nor of the host's.
//
// OWNS        the vm, its spaces, objects and stores; what the others must hold. Who uses the handles draws numbers: from a seed (test_isolation), from bytes from
//             outside (fuzz_vm).
// PICTURE     victim    pages of its own, a stack, a break, memory by a key: all SECRET, bytes that nobody else has. Some that others have too, which may be merged
//             parent    whose child one of the family is at times: common pages, until one writes
//             family    three spaces: the ones that the calls are made with
//             file      a file that all may read, and nobody may write
// INVARIANTS  1. No byte that the family reads is SECRET. What surrounds frames, memory, stores and what calls return is SECRET too, so are frames before they are
//                used, and pages that could not be read.
//             2. victim, parent, file and all that is around stay as they were.
//             3. A pin hands out a frame's bytes, or those of memory in place, within the page.
//             4. The rules of the vm hold.
// CALLERS     test_isolation.c, test/fuzz/fuzz_vm.c. isolation_world.c makes and looks, isolation_calls.c draws, isolation_bytes.c and
//             isolation_maps.c are the calls.
#ifndef CAIRN_TEST_ISOLATION_H
#define CAIRN_TEST_ISOLATION_H

#include "cairn/access.h"
#include "cairn/exec.h"
#include "cairn/store.h"

#define ISO_SHIFT 7u
#define ISO_PAGE 128u
#define ISO_PAGES 64u // of a space
#define ISO_FAMILY 3u
#define ISO_OBJECTS 3u
#define ISO_MAPS 4u
#define ISO_PINS 4u
#define ISO_FRAMES_MOST 16u
#define ISO_SLOTS 200u // enough for all
#define ISO_FILE_PAGES 4u
#define ISO_SECRET 0xC5
#define ISO_KEY_SECRET 1u // of the victim, for nobody else
#define ISO_KEY_SHOWN 2u  // that others may read
#define ISO_KEYS 5u       // of the family: the next three
#define ISO_GUARD 64u
#define ISO_CALLS 32u // kinds, at most

struct iso_config {
    const struct cairn_policy *policy;
    uint8_t levels;
    uint16_t tlb;
    uint32_t frames, slots;
    uint32_t tables; // bytes of memory for tables and mappings
    bool write_through, prefetch;
    uint32_t fail_every; // of so many transfers one fails; 0: none
};

struct iso_pin {
    bool held;
    uint32_t space;
    cairn_vaddr_t page;
    unsigned char *memory;
    size_t run;
};

// Bytes, and what is around.
struct iso_buffer {
    unsigned char before[ISO_GUARD];
    unsigned char bytes[(ISO_PAGES + 1) * ISO_PAGE]; // more than a space has
    unsigned char after[ISO_GUARD];
};

// What calls return.
struct iso_answers {
    unsigned char before[ISO_GUARD];
    void *place;
    unsigned char between[3][ISO_GUARD];
    size_t size;
    cairn_vaddr_t address;
    uint64_t word;
    struct cairn_space_figures figures;
    int order;
    unsigned char after[ISO_GUARD];
};

struct iso {
    uint32_t (*draw)(void *context, uint32_t below);
    void *context;
    struct iso_config config;
    struct cairn_vm vm;
    struct cairn_space victim, parent;
    struct cairn_mapping victim_map, parent_map;
    struct cairn_object secret, shown, file;
    unsigned char *pinned; // a page of the victim's
    uint32_t shape;        // of what the victim and the parent have mapped
    struct cairn_space family[ISO_FAMILY];
    bool lives[ISO_FAMILY];
    struct cairn_object objects[ISO_OBJECTS];
    uint32_t keys[ISO_OBJECTS]; // 0: none
    struct cairn_mapping maps[ISO_MAPS];
    uint32_t map_of[ISO_MAPS]; // space, from 1; 0: free
    struct iso_pin pins[ISO_PINS];
    struct cairn_cursor cursor;
    bool has_cursor;
    uint32_t cursor_of;
    struct cairn_segment segments[3];
    struct cairn_port_store store, file_store, own_store;
    struct cairn_store_ram image_store;
    struct iso_buffer buffer;
    struct iso_answers answers;
    uint32_t seen[16]; // cairn_vm_merge's
    uint32_t transfers;
    bool reliable; // no transfer fails
    uint32_t looks; // at pages of others
    uint32_t made[ISO_CALLS], done[ISO_CALLS]; // calls; those that returned 0
    uint32_t who; // of the family
    const char *what;
    int error; // that the last call returned
};

// Make all of it. Returns NULL, or what is wrong.
const char *iso_start(struct iso *iso, const struct iso_config *config, uint32_t (*draw)(void *context, uint32_t below), void *context);
// One call with a handle of the family. Returns NULL, or what is wrong.
const char *iso_call(struct iso *iso);
// Look at everybody else.
const char *iso_look(struct iso *iso);
// End everything; nothing may be left.
const char *iso_end(struct iso *iso);
// The name of a call; NULL: there are no more.
const char *iso_name(uint32_t call);

// ---- for the calls

static inline uint32_t iso_below(struct iso *iso, uint32_t below)
{
    return iso->draw(iso->context, below);
}

// Any address and size, any page and whole pages: mostly some of a space, now and then anything.
cairn_vaddr_t iso_address(struct iso *iso);
cairn_vaddr_t iso_size(struct iso *iso);
cairn_vaddr_t iso_page(struct iso *iso);
cairn_vaddr_t iso_pages(struct iso *iso);
uint32_t iso_protection(struct iso *iso);
// A byte that is not SECRET.
unsigned char iso_byte(struct iso *iso);
// Is one of them SECRET?
bool iso_leaks(const void *bytes, size_t size);
// Keep what the call returned. Returns NULL, if that is 0 or an error of cairn's.
const char *iso_answered(struct iso *iso, int error);
// A pin is held no longer, if it was. Returns false where nobody had it.
bool iso_forget_pin(struct iso *iso, uint32_t i, cairn_vaddr_t page);
// Are the bytes somewhere where a pin may lead to? In memory in place?
bool iso_is_place(const struct iso *iso, const void *place, size_t size);
bool iso_is_rom(const void *place);
// A word of another's, and the byte that it is full of. Returns whose it is.
struct cairn_space *iso_other(struct iso *iso, cairn_vaddr_t *at, unsigned char *byte);
// Of the family's spaces: maps a page where one is missing, now and then.
int iso_handler(void *context, struct cairn_space *space, const struct cairn_vm_fault *fault);
// The image of a program, and memory in place.
extern unsigned char iso_image[3 * ISO_PAGE];
extern struct iso_rom {
    unsigned char before[ISO_GUARD];
    unsigned char bytes[4 * ISO_PAGE];
    unsigned char after[ISO_GUARD];
} iso_rom;

// ---- the calls, each with a space of the family that lives

// isolation_bytes.c
const char *iso_load(struct iso *iso, uint32_t i);
const char *iso_store(struct iso *iso, uint32_t i);
const char *iso_read(struct iso *iso, uint32_t i);
const char *iso_write(struct iso *iso, uint32_t i);
const char *iso_fill(struct iso *iso, uint32_t i);
const char *iso_copy(struct iso *iso, uint32_t i);
const char *iso_compare(struct iso *iso, uint32_t i);
const char *iso_string(struct iso *iso, uint32_t i);
const char *iso_pin(struct iso *iso, uint32_t i);
const char *iso_unpin(struct iso *iso, uint32_t i);
const char *iso_cursor(struct iso *iso, uint32_t i);
const char *iso_segment(struct iso *iso, uint32_t i);
// isolation_maps.c
const char *iso_map(struct iso *iso, uint32_t i);
const char *iso_unmap(struct iso *iso, uint32_t i);
const char *iso_protect(struct iso *iso, uint32_t i);
const char *iso_map_range(struct iso *iso, uint32_t i);
const char *iso_unmap_range(struct iso *iso, uint32_t i);
const char *iso_protect_range(struct iso *iso, uint32_t i);
const char *iso_advise(struct iso *iso, uint32_t i);
const char *iso_sync(struct iso *iso, uint32_t i);
const char *iso_lock(struct iso *iso, uint32_t i);
const char *iso_unlock(struct iso *iso, uint32_t i);
const char *iso_break(struct iso *iso, uint32_t i);
const char *iso_create(struct iso *iso, uint32_t i);
const char *iso_attach(struct iso *iso, uint32_t i);
const char *iso_detach(struct iso *iso, uint32_t i);
const char *iso_object(struct iso *iso, uint32_t i);
const char *iso_fork(struct iso *iso, uint32_t i);
const char *iso_begin(struct iso *iso, uint32_t i); // it ends, and begins anew
const char *iso_exec(struct iso *iso, uint32_t i);
const char *iso_suspend(struct iso *iso, uint32_t i);
const char *iso_upkeep(struct iso *iso, uint32_t i);

#endif
