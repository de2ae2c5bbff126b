// SPDX-License-Identifier: MIT
//
// A pool: blocks of one size out of one region that the caller hands in.
//
// VITALS
//   alignment     every block is a multiple of CAIRN_GRANULE (8), or of what the configuration says
//   a block       its size rounded up to the alignment, and one bit
//   sizes         any block size; 1 to CAIRN_POOL_BLOCKS (1024) blocks
//   time          alloc and free O(1), for `sh test/bench/run.sh --only pools` to count; an alloc that fails looks at each word of 32 bits
//   threads, ISR  alloc, free, owns and stats may run in any thread and interrupt at the same time, without a lock. Interrupts stay enabled
//                 where the core has exclusive loads and stores (Armv7-M, Armv8-M), or the compiler atomic words (hosts, RISC-V with A);
//                 Armv6-M masks them for a few instructions at a time. Armv7-M, Armv6-M: by the contexts of one core.
//   stack, RAM    no recursion, no static data; all state is in the region and in the caller's struct cairn_pool
#ifndef CAIRN_POOL_H
#define CAIRN_POOL_H

#include "cairn/report.h"

#ifdef __cplusplus
extern "C" {
#endif

// The most blocks that one pool has.
#define CAIRN_POOL_BLOCKS 1024u

// Zero means the default, in every field.
struct cairn_pool_config {
    size_t alignment; // of each block: a power of two; 0: CAIRN_GRANULE
    // A free was refused. NULL: the program stops (a trap instruction). May return: then the call does nothing. Runs where free was called.
    void (*report)(void *context, const struct cairn_report *report);
    void *context; // passed to report
};

// The pool. Read-only for the caller, and where it is: others may hold its address. Zeroed it is no pool: every call on it fails.
struct cairn_pool {
    uint32_t summary; // bit 31 - w: word w has a bit
    uint32_t *words;  // bit 31 - i of word w: block 32 w + i was handed out, and is free again; NULL: not a pool
    unsigned char *base;
    size_t stride;     // bytes from a block to the next
    uintptr_t inverse; // of the odd part of the stride, modulo 2^N
    uintptr_t bias;    // -base * inverse
    uint32_t shift;    // zeros at the end of the stride
    uint32_t fresh;    // blocks that were ever handed out: those below
    uint32_t count;
    uint32_t failures;
    size_t block_size;
    void (*report)(void *context, const struct cairn_report *report);
    void *context;
};

// Make a pool of as many blocks as fit in `size` bytes at `region` (any alignment). NULL config: all defaults. Old contents do not matter.
// Returns 0; fails with CAIRN_EINVAL iff pool or region is NULL, block_size is 0, or alignment is not a power of two; CAIRN_ENOMEM iff
// there is no room for one block; CAIRN_EOVERFLOW iff region + size wraps around the address space, or more than CAIRN_POOL_BLOCKS fit. On
// failure nothing is written. Nobody else may have the pool yet. O(1).
CAIRN_MUST_CHECK int cairn_pool_init(struct cairn_pool *pool, void *region, size_t size, size_t block_size,
                                     const struct cairn_pool_config *config);

// Forget the pool: every call on it fails. The region is the caller's again. Nobody else may have the pool any more.
void cairn_pool_deinit(struct cairn_pool *pool);

// Bytes of region that are enough for so many blocks, wherever it lies, and for more only where that is free of cost. alignment 0:
// CAIRN_GRANULE. Returns 0 iff cairn_pool_init would refuse: a size or count of 0, an alignment that is no power of two, more than
// CAIRN_POOL_BLOCKS, or more bytes than a size_t counts.
size_t cairn_pool_size(size_t block_size, size_t count, size_t alignment);

// Take a block, not zeroed: of those that were freed one of the lowest 32 blocks that have any; one that was never handed out only if no
// other is free. Returns NULL iff pool is NULL or no pool, or each block was seen in use at one moment of the call. Any context. O(1).
void *cairn_pool_alloc(struct cairn_pool *pool);

// Give a block back. NULL: nothing. Anything that is not the start of a used block of this pool is reported and refused (a stale pointer whose
// block has since been handed out again is not found). Any context. O(1).
void cairn_pool_free(struct cairn_pool *pool, void *block);

// Is this the start of a used block of the pool: would free take it? Any context. O(1).
bool cairn_pool_owns(const struct cairn_pool *pool, const void *address);

struct cairn_pool_stats {
    size_t block_size; // bytes, as in init
    size_t stride;     // bytes from a block to the next
    uint32_t count;    // blocks
    uint32_t used;     // blocks in use; while others call: word by word, each at its moment
    uint32_t peak;     // largest `used` so far, exact where no calls overlap; else an alloc that did not see a block just freed may have added to it
    uint32_t failures; // allocations that returned NULL
};

// Read the figures. Zeros for no pool. Any context. Counts the bits of each word: O(1), 32 words at most.
CAIRN_SAME_NAME(void cairn_pool_stats(const struct cairn_pool *pool, struct cairn_pool_stats *stats);)

// The rules of a pool that nobody is calling.
enum cairn_pool_rule {
    CAIRN_POOL_RULE_NONE = 0,
    CAIRN_POOL_RULE_P1, // the handle's constants agree with each other
    CAIRN_POOL_RULE_P2, // no more blocks were handed out than there are
    CAIRN_POOL_RULE_P3, // only blocks that were handed out have a bit
    CAIRN_POOL_RULE_P4, // a word that has a bit has its own in the summary, which has none for a word that is not there
};

struct cairn_pool_fault {
    enum cairn_pool_rule rule;
    const void *address; // the block, or the field of the handle, that breaks it
};

// Check every rule. Read-only. fault may be NULL. Returns 0, or CAIRN_ECORRUPT with the first rule found broken, CAIRN_EINVAL for no pool.
// Nobody else may call at the same time: between its two steps a call of another breaks P4. O(blocks / 32).
CAIRN_MUST_CHECK int cairn_pool_check(const struct cairn_pool *pool, struct cairn_pool_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
