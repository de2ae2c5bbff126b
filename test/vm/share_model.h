// SPDX-License-Identifier: MIT
//
// A vm of a few frames whose spaces share pages in every way that there is, beside flat arrays: whatever is done to both must leave the same bytes, and return
// the same errors.
//
// OWNS        the vm, its spaces, objects and mappings, and what they must hold; the stores, which can be made to fail.
// PICTURE     space i, page p <-> truth[i].page[p], which says what is mapped there, and so where its bytes are: in truth[i].bytes, an object's, or `direct`.
//             A space has SHARE_PAGES pages and no more, so that a page of it is a page of the model.
// INVARIANTS  1. A page of kind PAGE_OWN, or of a private mapping that has `own`, has its bytes in truth[i].bytes; all others have none there.
//             2. Where a call fails for want of something, the space's handler has said at which page; all before it is done, and nothing behind.
//             3. The stores are written here only by the vm, and a store's bytes are an object's wherever its page is in no frame.
// CALLERS     test_share_random.c. share_bytes.c, share_maps.c, share_ranges.c, share_spaces.c and share_exec.c are the operations.
#ifndef CAIRN_TEST_SHARE_MODEL_H
#define CAIRN_TEST_SHARE_MODEL_H

#include "cairn/access.h"
#include "cairn/elf.h"
#include "cairn/object.h"
#include "prng.h"

#define SHARE_SPACES 5u
#define SHARE_PAGES 64u // of a space, number 0 included
#define SHARE_PAGE_MOST 512u
#define SHARE_SLOTS 360u // enough for all pages
#define SHARE_OBJECTS 4u
#define SHARE_IMAGE SHARE_OBJECTS // number of one more, which is there from the start, where there is memory enough, and is shown by exec only
#define SHARE_OBJECT_PAGES 8u
#define SHARE_MAPS 4u // of the caller's
#define SHARE_PINS 6u
#define SHARE_FRAMES_MOST 16u

enum share_kind { PAGE_NONE, PAGE_OWN, PAGE_OBJECT, PAGE_DIRECT };

struct share_page {
    uint8_t kind;
    uint8_t protection;
    uint8_t object; // PAGE_OBJECT: which
    uint8_t at;     // page of the object, or of the memory that is mapped
    uint8_t grow;   // first page of a stack: by how many pages it may grow
    uint8_t pins;   // through this space
    bool shared, own, counted, charged, locked; // counted: what it promises counts
    uint16_t map;   // number of the caller's mapping; 0: none
};

struct share_truth {
    struct share_page page[SHARE_PAGES];
    uint8_t bytes[SHARE_PAGES * SHARE_PAGE_MOST];
    bool exists, suspended, user;
    cairn_vaddr_t break_start, break_end;
};

struct share_object {
    struct cairn_object object;
    struct cairn_port_store store; // context: this
    struct share_model *model;
    uint8_t bytes[SHARE_OBJECT_PAGES * SHARE_PAGE_MOST];
    uint8_t stored[(SHARE_OBJECT_PAGES + 4) * SHARE_PAGE_MOST]; // its store's slots, between two that are nobody's
    bool exists, has_store, is_keyed, removed, is_synced; // is_synced: nothing was written to its store since that was made safe
    uint32_t first; // slot of its first page
    uint32_t key, pages, owner; // owner: a space; SHARE_SPACES: none
    uint32_t protection, others;
};

struct share_pin {
    bool held;
    uint32_t space, page, access;
    uint8_t *memory; // of the page's first byte
};

struct share_map {
    struct cairn_mapping mapping;
    uint16_t number;
    uint32_t space;
};

struct share_config {
    const struct cairn_policy *policy;
    uint8_t page_shift;
    uint8_t levels;
    uint16_t tlb;
    uint32_t frames, slots;
    uint32_t tables; // bytes of memory for tables and what is shared
    bool write_through, prefetch, user, told; // told: somebody wants to know of each reference
    uint32_t fail_every; // of so many transfers one fails; 0: none
};

struct share_model {
    struct share_config config;
    struct cairn_vm vm;
    struct cairn_space spaces[SHARE_SPACES];
    struct share_truth truth[SHARE_SPACES];
    struct share_object objects[SHARE_OBJECTS + 1];
    struct cairn_elf_segment segments[2]; // of the image
    struct share_map maps[SHARE_MAPS];
    struct share_pin pins[SHARE_PINS];
    uint8_t slots[(SHARE_SLOTS + 2) * SHARE_PAGE_MOST]; // first and last: nobody's
    uint8_t direct[SHARE_OBJECT_PAGES * SHARE_PAGE_MOST];
    uint32_t seen[16]; // cairn_vm_merge's
    struct cairn_port_store store;
    struct prng prng, fails;
    uint32_t page, shift;
    uint32_t failed; // transfers
    uint32_t failed_before; // of them, before the operation
    uint32_t references;
    uint32_t faults; // that the handler was told of in this operation
    const struct cairn_space *fault_space;
    cairn_vaddr_t fault_address;
    uint32_t fault_access;
    uint32_t pinned; // frames, before the operation
    uint32_t commit_mode;
    cairn_vaddr_t commit_limit;
    uint16_t numbers;
    const char *what; // the operation
    int error;        // what it returned
};

// ------------------------------------------------------------------------------------------------------------------- share_model.c

// Returns false where the vm refuses the configuration.
bool share_model_start(struct share_model *model, const struct share_config *config, uint32_t seed);
// One random operation on both. Returns NULL, or what is wrong; model->what says what was done.
const char *share_model_step(struct share_model *model);
// Compare every byte without touching any; check the vm, and what nobody may touch.
const char *share_model_compare(struct share_model *model);
// End everything; nothing may be left.
const char *share_model_end(struct share_model *model);

// A random number below n.
static inline uint32_t share_below(struct share_model *model, uint32_t n)
{
    return prng_below(&model->prng, n);
}

// A store of so many slots for an object that is to be; they hold anything.
void share_store(struct share_model *model, struct share_object *its, uint32_t slots);

// Is what nobody may touch as it was: beside frames, memory, stores?
bool share_is_untouched(const struct share_model *model);

// Errors that are due, as a set.
#define DUE(error) ((uint64_t)1 << -(error) % 64)
// Is what the operation returned in the set? What runs out, and transfers that failed, are allowed by themselves.
bool share_is_due(const struct share_model *model, uint64_t due);
// May frames, tables or slots run out in an operation that keeps so many pages more in frames?
bool share_may_run_out(const struct share_model *model, uint32_t more);

// Where the page's bytes are.
uint8_t *share_bytes_at(struct share_model *model, uint32_t i, uint32_t page);
// What an access to a page is to return, but for what runs out. Has a stack grow.
int share_reach(struct share_model *model, uint32_t i, uint32_t page, uint32_t access);
// The page becomes the space's own, where its mapping is private.
void share_own_it(struct share_model *model, uint32_t i, uint32_t page);
// A call failed, after which pages may be the space's own or not: ask which.
void share_relearn(struct share_model *model, uint32_t i, uint32_t first, uint32_t end);
// A call that goes from page to page came to this address, and returned model->error in the end. Returns 1: it went on; 0: it ended here, rightly; -1: wrongly.
int share_follow(struct share_model *model, uint32_t i, cairn_vaddr_t address, uint32_t access);
// Where the vm has the bytes of a page now; nothing is touched.
const uint8_t *share_peek(const struct share_model *model, uint32_t i, uint32_t page);
// May so many pages be promised? What is promised.
bool share_may_promise(const struct share_model *model, uint32_t pages);
bool share_may_promise_for(const struct share_model *model, uint32_t freed, uint32_t pages); // in place of some that are promised
uint32_t share_promised(const struct share_model *model);
// Forget what is mapped of pages; end objects that are mapped nowhere now.
void share_forget(struct share_model *model, uint32_t i, uint32_t first, uint32_t end);
const char *share_objects_end(struct share_model *model);

// Some range of a space; now and then none that is one. Returns 0, and its pages; or CAIRN_EINVAL.
int share_range(struct share_model *model, cairn_vaddr_t *address, cairn_vaddr_t *size, uint32_t *first, uint32_t *end);
// Is none of it mapped? Map it: the first page is as `page` says, the others go on from there. Are such pages counted as promised?
bool share_is_free(const struct share_model *model, uint32_t i, uint32_t first, uint32_t end);
void share_fill(struct share_model *model, uint32_t i, uint32_t first, uint32_t pages, const struct share_page *page);
bool share_is_charged(uint32_t kind, bool shared, uint32_t protection);
// Is all of it mapped?
bool share_is_mapped(const struct share_model *model, uint32_t i, uint32_t first, uint32_t end);
// Is one of the pages pinned by its space, beside locks? Might a mapping that reaches out of the range be, which a split is refused for?
bool share_is_pinned(const struct share_model *model, uint32_t i, uint32_t first, uint32_t end);
bool share_is_held(const struct share_model *model, uint32_t i, uint32_t first, uint32_t end);
// The protection that an object allows a mapping of the space's.
bool share_is_allowed(const struct share_model *model, uint32_t i, uint32_t object, bool shared, uint32_t protection);
uint32_t share_any_protection(struct share_model *model);
// cairn_space_unmap_range, or what comes to the same, was asked for: what is due; what it does.
uint64_t share_unmap_due(const struct share_model *model, uint32_t i, uint32_t first, uint32_t end);

// --------------------------------------------------------------------------------------------------------------------- operations

// share_bytes.c
const char *share_word(struct share_model *model, uint32_t i);
const char *share_walk(struct share_model *model, uint32_t i);
const char *share_cursor(struct share_model *model, uint32_t i);
const char *share_bytes(struct share_model *model, uint32_t i);
const char *share_copy(struct share_model *model, uint32_t i);
const char *share_pin(struct share_model *model, uint32_t i);
const char *share_poke(struct share_model *model);
const char *share_segment(struct share_model *model, uint32_t i);
// share_maps.c
const char *share_map(struct share_model *model, uint32_t i);
const char *share_attach(struct share_model *model, uint32_t i, uint32_t key, uint32_t o);
const char *share_map_callers(struct share_model *model, uint32_t i);
const char *share_unmap(struct share_model *model, uint32_t i);
// share_ranges.c
const char *share_protect(struct share_model *model, uint32_t i);
const char *share_advise(struct share_model *model, uint32_t i);
const char *share_lock(struct share_model *model, uint32_t i);
const char *share_break(struct share_model *model, uint32_t i);
// share_spaces.c
const char *share_fork(struct share_model *model, uint32_t i);
const char *share_fork_to(struct share_model *model, uint32_t j); // a space that does not exist
const char *share_space(struct share_model *model, uint32_t i);
const char *share_object(struct share_model *model, uint32_t i);
const char *share_memory(struct share_model *model, uint32_t i);
const char *share_sync(struct share_model *model, uint32_t i);
const char *share_upkeep(struct share_model *model, uint32_t i);
// share_exec.c
bool share_exec_begin(struct share_model *model); // makes the image
const char *share_exec(struct share_model *model, uint32_t i);

#endif
