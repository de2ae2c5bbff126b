// SPDX-License-Identifier: MIT
//
// A heap as naive as can be: an array of the blocks that are live, and what must hold of them.
//
// OWNS        struct model: one heap under test and all that is known of it from outside.
// PICTURE     begin[g]: a used block starts at granule g (its number + 1); taken[g]: some used block has granule g; 1 on both ends
// INVARIANTS  1. No two blocks overlap; each lies in the region, aligned, with the bytes that were written.
//             2. walk, the statistics and check() agree with the array after each operation.
//             3. Whether an operation succeeds, and where, is predicted wherever the heap's contract says it.
// COST        O(granules) an operation. No code is shared with lib but the heap's public calls and its base address.
// CALLERS     test_random.c.
#ifndef CAIRN_TEST_MODEL_H
#define CAIRN_TEST_MODEL_H

#include "cairn/heap.h"
#include "prng.h"

#define MODEL_REGION 4096u
#define MODEL_GRANULES (MODEL_REGION / CAIRN_GRANULE)
#define MODEL_BLOCKS 96u

struct model_block {
    unsigned char *address;
    uint32_t granule;
    uint32_t length; // granules
    uint32_t seed;   // of its bytes
};

struct model {
    struct cairn_heap heap;
    struct cairn_heap_config config;
    struct cairn_heap_hooks hooks;
    unsigned char *region;
    size_t front; // bytes from the region to granule 1
    uint32_t granules;
    uint32_t limit;
    struct model_block block[MODEL_BLOCKS];
    uint32_t count;
    uint32_t used;
    uint32_t peak;
    uint32_t failures;
    uint32_t seeds;
    uint32_t cursor; // of check_step
    uint16_t begin[MODEL_GRANULES + 2];
    uint8_t taken[MODEL_GRANULES + 2];
    struct cairn_report report;
    uint32_t reports;
    struct prng prng;
    char what[96]; // the operation under way
    uint64_t operations;
};

// Where an allocation may go.
enum model_answer { MODEL_NO, MODEL_YES, MODEL_MAYBE };

struct model_request {
    uint32_t granules; // rounded up; 0: more than any heap has
    uint32_t span;     // with what an alignment may skip
    size_t alignment;
    uint32_t wanted; // granules that the free block must have
};

_Noreturn void model_fail(const struct model *model, const char *message);
#define MODEL_ASSERT(model, condition) ((condition) ? (void)0 : model_fail(model, #condition))

// Begin with the heap in model->heap, just made, which has nothing.
void model_begin(struct model *model, unsigned char *region);

// What a request comes to for this heap, and whether it must succeed.
struct model_request model_request(const struct model *model, size_t size, size_t alignment);
enum model_answer model_predict(const struct model *model, const struct model_request *request);

// Free granules in a row, up to `granule` (exclusive) and from it on.
uint32_t model_free_before(const struct model *model, uint32_t granule);
uint32_t model_free_from(const struct model *model, uint32_t granule);
uint32_t model_align(const struct model *model, uint32_t granule, size_t alignment);

// A new block came out at `address`: prove it and its place, fill it. Changes a block, which keeps the first `kept` granules. Takes it out.
void model_add(struct model *model, void *address, const struct model_request *request);
void model_change(struct model *model, uint32_t index, uint32_t granule, uint32_t length, uint32_t kept);
void model_remove(struct model *model, uint32_t index);

// Prove that the heap is as the model says. `deep`: bytes, walk and check() too.
void model_prove(struct model *model, bool deep);

// model_random.c: one random operation.
void model_step(struct model *model);
// Free all; what is left must be one free block.
void model_end(struct model *model);

#endif
