// SPDX-License-Identifier: MIT
//
// A vm of a few frames beside flat arrays: whatever is done to both must leave the same bytes.
//
// OWNS        the vm, its spaces and mappings, what they must hold, a store in memory that can be made to fail.
// PICTURE     space i, page p <-> truth[i].bytes[p * page], truth[i].protection[p] (0: not mapped)
// INVARIANTS  1. A page that is not mapped is zeros in the truth.
// CALLERS     test_vm_random.c, test_vm_store.c.
#ifndef CAIRN_TEST_VM_MODEL_H
#define CAIRN_TEST_VM_MODEL_H

#include "cairn/access.h"

#define MODEL_SPACES 3u
#define MODEL_PAGES 24u // of a space, number 0 included
#define MODEL_PAGE_MOST 1024u
#define MODEL_SLOTS 80u
#define MODEL_MAPS 5u

struct model_truth {
    uint8_t bytes[MODEL_PAGES * MODEL_PAGE_MOST];
    uint8_t protection[MODEL_PAGES];
    struct cairn_mapping maps[MODEL_MAPS];
    bool suspended;
};

struct vm_model {
    struct cairn_vm vm;
    struct cairn_space spaces[MODEL_SPACES];
    struct model_truth truth[MODEL_SPACES];
    struct cairn_port_store store;
    uint8_t slots[MODEL_SLOTS][MODEL_PAGE_MOST];
    uint32_t page;
    uint32_t calls;   // of the store
    uint32_t fail_at; // the number of the call that fails; 0: none
    uint32_t fail_for; // so many from there
    uint32_t failed;  // how many did
    cairn_vaddr_t far; // page p of a space lies at p * page, but for the upper half, which is this much higher
    uint32_t seed;
    uint64_t operations;
};

struct vm_model_config {
    const struct cairn_policy *policy;
    uint8_t page_shift;
    uint8_t levels;
    uint16_t tlb;
    uint32_t frames;
    uint32_t slots;
    bool write_through;
    bool prefetch;
    bool far;
};

// Returns false where the vm refuses the configuration.
bool vm_model_start(struct vm_model *model, const struct vm_model_config *config, uint32_t seed);
// One random operation on both, compared. Returns NULL, or what is wrong.
const char *vm_model_step(struct vm_model *model);
// Compare every byte of every space; check the vm.
const char *vm_model_compare(struct vm_model *model);
// End all spaces; nothing may be left.
const char *vm_model_end(struct vm_model *model);

#endif
