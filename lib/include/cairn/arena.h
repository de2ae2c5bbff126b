// SPDX-License-Identifier: MIT
//
// The arena: the malloc family over a port. Small requests come from a heap in the break, which grows in steps and is trimmed; large ones are
// mapped, and go back to the system when they are freed. Further regions of memory, each with its attributes, can be added and removed.
//
// VITALS
//   alignment     every pointer is a multiple of CAIRN_GRANULE; that of a mapped block of the port's page
//   a block       below the threshold as in a heap (heap.h); from it on whole pages, and 2 words in a table
//   memory        none before the first request. Then from the port's break: control and tags for all that the break has room for
//   handle        76 bytes on a 32-bit machine, in the caller's memory; it stays where it is: the heaps of its regions and its pools hold its address
//   time          as the heap's, where the break need not move and no page is mapped. Which region a pointer is in: O(regions), then
//                 O(log mapped blocks)
//   threads, ISR  every call takes the port's lock, if it has one, and leaves it while a realloc copies. No call but check and walk keeps it longer
//                 than a heap call, the port's own calls, and a pass over the table of mapped blocks
//   bad pointers  found exactly, in every region and for mapped blocks too, and reported as in heap.h; so is the arena's own table, a block of a
//                 heap. But for the first address of what others took out of the middle of the break, which is a used block to the tags
#ifndef CAIRN_ARENA_H
#define CAIRN_ARENA_H

#include "cairn/heap.h"
#include "cairn/pool.h"
#include "cairn/port.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cairn_arena;

#if CAIRN_GRANULE != 8 // as in heap.h
#define cairn_arena_init cairn_arena_init_granule16
#endif

// What memory is like: bits that a region has and a request asks for. Bits 16 to 30 are the user's; bit 31 is the arena's own.
#define CAIRN_MEMORY_FAST 0x0001u     // tightly coupled, no wait states
#define CAIRN_MEMORY_DMA 0x0002u      // bus masters reach it
#define CAIRN_MEMORY_EXTERNAL 0x0004u // off the chip
#define CAIRN_MEMORY_RETAINED 0x0008u // keeps its bytes in deep sleep
#define CAIRN_MEMORY_NO_ISR 0x0010u   // not to be touched in an interrupt
#define CAIRN_MEMORY_USER(n) (0x00010000u << (n)) // n: 0 to 14

// What a request asks of the memory that it gets: all attributes of `with`, none of `without`. {0, 0}: any.
struct cairn_arena_want {
    uint32_t with;
    uint32_t without;
};

#define CAIRN_ARENA_THRESHOLD ((size_t)128 * 1024) // the classic malloc's
#define CAIRN_ARENA_STEP ((size_t)4096)
#define CAIRN_ARENA_NEVER SIZE_MAX // a threshold that no request reaches, a trim that never happens

// Kept by the caller (in flash, say) for as long as the arena lives. Zero means the default, in every field.
struct cairn_arena_config {
    const struct cairn_port_system *system; // NULL: no lock
    const struct cairn_port_region *port;   // NULL: neither break nor maps, only the regions that are added
    size_t threshold; // requests of so many bytes are mapped, where the port maps; 0: CAIRN_ARENA_THRESHOLD
    size_t threshold_max; // a mapped block of at most so many bytes, freed, raises the threshold above its size, so that the next one is kept when it is freed;
                      // and trim, where that is 0, to twice the threshold. Not while a pool is in front. 0: the threshold stays
    size_t step;      // the break moves by multiples of this, where it can; 0: CAIRN_ARENA_STEP
    size_t trim;      // when a free leaves so many bytes free at the break, all but a step of them goes back; 0: twice the step
    size_t heap_max;  // most bytes that the heap in the break may take, for which its tags are made; 0: what the port has room for, or 64 MB
                      // if it does not know. Control and tags are in it. Either way no more than 2^27 - 2 granules (1 GB), heap.h's limit
    uint32_t attributes; // of the break and of maps; not bit 31
    enum cairn_fit fit;  // of every region's heap, and so the next one: heap.h
    uint16_t search;
    // A bad pointer, or a broken link. NULL: the port's panic, or a trap. Runs locked, but where a pool in front refuses the pointer.
    void (*report)(void *context, const struct cairn_report *report);
    // A request failed. Runs unlocked, may free. Return true to try again. NULL: it fails.
    bool (*failed)(void *context, struct cairn_arena *arena, size_t size);
    void *context; // passed to both
};

// A region, in the caller's memory for as long as it is part of the arena. Read-only for the caller: its heap's calls are the arena's, under the arena's lock.
struct cairn_arena_region {
    struct cairn_heap heap;
    struct cairn_arena_region *next;
    uint32_t attributes;
    size_t smallest;
};

// A pool in front of the arena, as a region: the caller's memory, read-only.
struct cairn_arena_pool {
    struct cairn_pool pool;
    struct cairn_arena_pool *next;
    size_t smallest;
};

// The arena. Read-only for the caller.
struct cairn_arena {
    const struct cairn_arena_config *config; // NULL: not an arena
    struct cairn_arena_region first;         // the break; heap.control is NULL until it is needed
    struct cairn_arena_pool *pools;
    unsigned char *bottom;                   // what of the break is below it is somebody else's, or was there before
    struct cairn_arena_map *maps;            // by address, in the arena's own memory
    uint16_t map_count;
    uint16_t map_room;
    uint32_t failures;
    size_t mapped;
    size_t quick;        // requests of fewer bytes go to the heap in the break at once: the threshold as it is now, 0 where there are pools
    uint32_t long_lists; // of the heap in the break: lists that hold blocks worth giving back
    uint32_t near;       // free takes blocks below this border of the heap in the break there at once: its `quick`, 0 while it holds the table of maps
};

// -------------------------------------------------------------------------------------------------------- making and ending

// Make an arena. Takes no memory yet and calls no port. Returns 0; fails with CAIRN_EINVAL iff arena or config is NULL, fit is out of
// range, attributes has bit 31, or the port is not whole: one of lock and unlock, of brk and room, or of map and unmap without the other, remap
// without map, or maps with a page size that is no power of two of at least 16.
CAIRN_MUST_CHECK int cairn_arena_init(struct cairn_arena *arena, const struct cairn_arena_config *config);

// Give back all that the port gave: maps, and the break, if it is still where the arena left it, down to what others took out of its middle. Blocks
// are gone, whether freed or not; regions that were added are the caller's again. Returns 0; fails with CAIRN_EINVAL for no arena, CAIRN_EBUSY iff the port would not take a map
// back: then that, and the break, are still there, with what the arena needs to know of it, and the call can be repeated.
CAIRN_MUST_CHECK int cairn_arena_deinit(struct cairn_arena *arena);

// Add `size` bytes at `memory` as the last region. `smallest`: requests of fewer bytes go there only when no other region has room. Nothing but
// what is asked for is put there. Returns 0, or what cairn_heap_init fails with; CAIRN_EBUSY iff the region was added already, CAIRN_EINVAL also iff attributes has
// bit 31 or some of the memory is a region's of this arena. pre: neither the region nor any of the memory is part of another one.
CAIRN_MUST_CHECK int cairn_arena_add(struct cairn_arena *arena, struct cairn_arena_region *region, void *memory, size_t size,
                                     uint32_t attributes, size_t smallest);

// Take a region out. Returns 0; fails with CAIRN_EBUSY iff a block in it is live, CAIRN_ENOENT iff it was not added, CAIRN_EINVAL iff arena or
// region is NULL.
CAIRN_MUST_CHECK int cairn_arena_remove(struct cairn_arena *arena, struct cairn_arena_region *region);

// Put a pool in front of the arena, behind those that are there: cairn_arena_alloc and calloc take requests of `smallest` to `block_size` bytes from
// it while it has blocks, without the lock (pool.h); free, realloc and usable size know it. `memory`, `size` and what it fails with: as in
// cairn_pool_init, and CAIRN_EINVAL iff smallest is larger than block_size or some of the memory is that of a pool in front; CAIRN_EBUSY iff this pool is
// there already. pre: nobody else calls the arena meanwhile. Where a pool is for the contexts of one core (pool.h; a pair of Cortex-M0+, say), so is an arena
// with pools in front: its lock keeps the other core out of the heaps only.
CAIRN_MUST_CHECK int cairn_arena_add_pool(struct cairn_arena *arena, struct cairn_arena_pool *front, void *memory, size_t size,
                                          size_t block_size, size_t smallest);

// Take it out. Returns 0; fails with CAIRN_EBUSY iff a block of it is live, CAIRN_ENOENT iff it is not there. pre: as above.
CAIRN_MUST_CHECK int cairn_arena_remove_pool(struct cairn_arena *arena, struct cairn_arena_pool *front);

// The region that holds `address`, whatever it points to there; NULL for a mapped block or a foreign address. O(regions).
const struct cairn_arena_region *cairn_arena_region_of(struct cairn_arena *arena, const void *address);

// ------------------------------------------------------------------------------------------------------------------- blocks

// Allocate `size` bytes, not zeroed. Returns NULL iff size is 0 or there is no room: not in the break, nor in any region, nor from map. A bounded search
// (config.search) does not see room behind so many blocks of its list, all too short; CAIRN_SEARCH_ALL does.
void *cairn_arena_alloc(struct cairn_arena *arena, size_t size);

// Allocate count * size bytes of zeros. NULL also iff the product overflows.
void *cairn_arena_calloc(struct cairn_arena *arena, size_t count, size_t size);

// Allocate at a multiple of `alignment`. NULL also iff it is not a power of two.
void *cairn_arena_aligned_alloc(struct cairn_arena *arena, size_t alignment, size_t size);

// Allocate where the first of `count` wishes, in their order, can be met. alignment 0: that of alloc. NULL also iff wants is NULL or count is 0.
void *cairn_arena_alloc_where(struct cairn_arena *arena, const struct cairn_arena_want *wants, size_t count, size_t alignment, size_t size);

// Change a block's size; it may move, within its region, from the heap to a map or back, or to another region with the same attributes and
// more: what a wish was `without` is not remembered. NULL block: allocate. Size 0: free, returns NULL. Returns NULL where it fails, and the
// block is as it was; shrinking never fails.
void *cairn_arena_realloc(struct cairn_arena *arena, void *block, size_t size);

// Free a block. NULL does nothing. Anything but the start of a used block is refused and reported.
void cairn_arena_free(struct cairn_arena *arena, void *block);

// Bytes that the block holds. 0 iff `block` is NULL or not the start of a used block (no report).
size_t cairn_arena_usable_size(struct cairn_arena *arena, const void *block);

// ------------------------------------------------------------------------------------------------------------------ figures

// Give back what is free at the break but for `keep` bytes, and regions that the arena mapped itself and that are empty. Returns the bytes
// that went back to the port.
size_t cairn_arena_trim(struct cairn_arena *arena, size_t keep);

// All in bytes, but for the counts. `used` and `free` are granules of the break and of all regions; mapped blocks are apart.
struct cairn_arena_stats {
    size_t system;        // from the port, and in regions that were added, with what others took out of the middle of the break; but for the few bytes that
                          // rounding leaves in front of and behind a heap in the break and in a region that was added
    size_t used;          // in used blocks, with the table of maps, and with what others took out of the middle of the break
    size_t free;
    size_t largest_free;  // as in cairn_heap_stats, of all regions
    size_t top;           // free at the break: what trim gives back at most
    size_t mapped;        // in mapped blocks
    size_t pooled;        // in used blocks of pools, which are apart too
    uint32_t mapped_blocks;
    uint32_t pooled_blocks;
    uint32_t used_blocks; // not mapped
    uint32_t free_blocks;
    uint32_t regions;     // with the break, if it is in use
    uint32_t failures;    // tries at a request that found no memory, also those that the failed hook had repeated
};

// Read the figures. Zeros for a NULL arena. O(regions + mapped blocks).
CAIRN_SAME_NAME(void cairn_arena_stats(struct cairn_arena *arena, struct cairn_arena_stats *stats);)

// Show each block to `visit` until it returns something else than 0; returns that, or 0: those of the break's heap and of each region, by rising address in
// each, then the used mapped ones. 0 for a NULL arena. A pool is shown as the block that it lies in. The arena's own table is one too. In the lock: visit may not call the arena.
// O(memory).
int cairn_arena_walk(struct cairn_arena *arena, int (*visit)(void *context, const struct cairn_block *block), void *context);

// Check every rule: each region's heap (heap.h), and the arena's own. Returns 0, or CAIRN_ECORRUPT and in *fault what and where; fault may be
// NULL. CAIRN_RULE_A1: the table of mapped blocks is not in order, its sizes are not whole pages or their sum is not `mapped`. CAIRN_RULE_A2: a pool in front
// is broken; cairn_pool_check says which rule, and needs that nobody calls the pool meanwhile.
CAIRN_MUST_CHECK int cairn_arena_check(struct cairn_arena *arena, struct cairn_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
