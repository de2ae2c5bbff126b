// SPDX-License-Identifier: MIT
//
// The heap: blocks of memory out of one region that the caller hands in.
//
// VITALS
//   alignment     every pointer is a multiple of CAIRN_GRANULE (8 by default)
//   a block       its size rounded up to 8 bytes, and 1/32 of that for its tags; no header, 8 bytes is the smallest
//   control       a few hundred bytes at the front of the region, growing with the logarithm of max_size
//   sizes         1 byte to the region; a region of at most 2^27 - 2 granules (1 GB)
//   time          alloc, free and in-place resize: O(1) for any search limit but CAIRN_SEARCH_ALL
//   threads, ISR  a heap has no lock of its own: give it lock hooks, or keep it to one context. Heaps share nothing.
//   stack, RAM    no recursion, no static data; all state is in the region and in the caller's struct cairn_heap
//
// Every call on a heap that was made, but deinit, takes the lock hook, if there is one, and has a twin with a trailing underscore which does not: for a caller who
// holds the lock already.
#ifndef CAIRN_HEAP_H
#define CAIRN_HEAP_H

#include "cairn/report.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cairn_heap;
struct cairn_hooked;

// A program that was compiled for another granule than the library must not link: where it is not the default one, the calls that make a
// heap have another name.
#if CAIRN_GRANULE != 8
#define cairn_heap_init cairn_heap_init_granule16
#define cairn_heap_attach cairn_heap_attach_granule16
#endif

// ------------------------------------------------------------------------------------------------------------ configuration

// Which free block a request is cut from.
enum cairn_fit {
    CAIRN_FIT_BEST = 0, // the shortest that is long enough, of at most `search` a list (default)
    CAIRN_FIT_FIRST,    // the first that is long enough, of at most `search` of its own list
    CAIRN_FIT_WORST,    // the longest of at most `search` of the topmost list
    CAIRN_FIT_BOUNDED,  // lengths rounded up to powers of two: cannot fail inside cairn_heap_bound
};

// How many blocks of a list a search looks at.
#define CAIRN_SEARCH_DEFAULT 4u   // within 0.1 % of an exhaustive best fit, on recorded traces
#define CAIRN_SEARCH_ALL 0xFFFFu  // misses nothing; the time then grows with the number of free blocks

// What the firmware did, for the event hook: one for each try of an alloc or realloc, also one that found no place, and for each free and resize that was done.
enum cairn_heap_act { CAIRN_ACT_ALLOC = 1, CAIRN_ACT_FREE, CAIRN_ACT_REALLOC };
struct cairn_heap_event {
    enum cairn_heap_act act;
    const void *before; // the pointer that came in: free, realloc
    void *after;        // the pointer that went out: alloc, realloc; NULL where it failed
    size_t size;        // bytes requested; for free, those that the block held
    size_t alignment;   // 0: none was asked for
};

// The code that calls hooks and writes reports. A program that never names it does not link it.
extern const struct cairn_hooked cairn_hooked;
#define CAIRN_HOOKED (&cairn_hooked)

// Functions that the heap calls, kept by the caller (in flash, say) for as long as the heap lives. Each may be NULL.
// `context` is the one of the configuration. pre: none may call the same heap, but for `failed`, which runs unlocked.
struct cairn_heap_hooks {
    const struct cairn_hooked *hooked; // CAIRN_HOOKED, always
    // Enter and leave the section in which the heap is nobody else's: both or neither. lock returns a key (an interrupt mask, say), unlock gets it.
    uint32_t (*lock)(void *context);
    void (*unlock)(void *context, uint32_t key);
    // An allocation of `size` bytes failed. Runs unlocked, may free. Return true to try again, false to let it fail.
    bool (*failed)(void *context, struct cairn_heap *heap, size_t size);
    // A check found something. NULL: the program stops (a trap instruction). May return: then the call fails.
    void (*report)(void *context, const struct cairn_report *report);
    // Something was done. Runs locked.
    void (*event)(void *context, const struct cairn_heap_event *event);
};

// Zero means the default, in every field.
struct cairn_heap_config {
    enum cairn_fit fit;
    uint16_t search;  // 1 to 65534, or CAIRN_SEARCH_ALL; 0: CAIRN_SEARCH_DEFAULT
    size_t max_size;  // bytes the region may grow to (cairn_heap_grow); 0: its size now
    void *tags;       // where the tags go, aligned to 4, outside the region; NULL: in the region, in front of the granules
    size_t tags_size; // bytes there: at least cairn_heap_tags_size(max_size)
    bool wipe;        // zero what is freed; takes time in proportion to the block, in the lock; cairn_heap_grow zeroes too
    const struct cairn_heap_hooks *hooks;
    void *context; // passed to each hook
};

// The handle: base addresses and hooks, none of which is in the image. Read-only for the caller; one handle to a heap.
struct cairn_heap {
    struct heap_control *control; // the image's front; NULL: not a heap
    struct tag_word *tags;
    unsigned char *base; // address of the first granule
    const struct cairn_heap_hooks *hooks;
    void *context;
    uint32_t quick; // granules, where alloc and free need no hook but `report`, and no wiping; 0 for any other heap
};

// -------------------------------------------------------------------------------------------------------- making and ending

// Make a heap of `size` bytes at `region` (any alignment). NULL config: all defaults. Old contents do not matter.
// Returns 0; fails with CAIRN_EINVAL iff an argument is NULL or out of range, hooks name no code (CAIRN_HOOKED) or only one of lock and unlock, max_size is less
// than size, or the tags_size bytes at tags and the max_size bytes at region overlap, CAIRN_ENOMEM iff the region has no room for the control and one granule or tags_size is too small,
// CAIRN_EOVERFLOW iff region + max_size wraps around the address space or max_size holds more granules than the layout can number. On failure nothing is
// written. Time: O(size / 256), to clear the tags. Takes no lock.
CAIRN_MUST_CHECK int cairn_heap_init(struct cairn_heap *heap, void *region, size_t size, const struct cairn_heap_config *config);

// Take up a heap whose image is already in `region`: after a warm reset, or copied there. Size, fit, search and wipe come from the
// image; hooks, context and the place of the tags from config. Checks the whole image first, whatever its bytes are, and
// changes none of it. `size` is what can be read at region. Returns 0; fails with CAIRN_ECORRUPT iff there is no whole heap of this layout and build
// (cairn_heap_check names the rules) at the region's first multiple of CAIRN_GRANULE, as after a move to an address with another remainder; CAIRN_EINVAL
// iff an argument is NULL or misaligned, or hooks are as in init, or the region of the heap there began elsewhere, or config has a place for
// tags that the image has inside, or the other way round; CAIRN_ENOMEM iff the image is larger than size or tags_size.
CAIRN_MUST_CHECK int cairn_heap_attach(struct cairn_heap *heap, void *region, size_t size, const struct cairn_heap_config *config);

// Forget the heap: its image can no longer be attached to, and every call on the handle fails. The region is the caller's again. Takes no lock.
void cairn_heap_deinit(struct cairn_heap *heap);

// Bytes of control, with the tags in front of the granules (elsewhere: 4 more at most), and of tags, elsewhere (in front: no more), for a heap of max_size.
// 0 iff max_size is more than the layout can number.
size_t cairn_heap_control_size(size_t max_size);
size_t cairn_heap_tags_size(size_t max_size);

// Move the region's end: `size` is its new length in bytes, as in init. grow: CAIRN_ENOMEM iff it exceeds max_size (by less than three
// granules it may, and gets what max_size would). shrink: CAIRN_EBUSY iff a used block stands in what would be cut, CAIRN_ECORRUPT iff the
// links of the free block there are broken (reported). Both: CAIRN_EINVAL iff it is on the wrong side of the size now or leaves no granule.
// Either nothing has changed, or all of it. O(1), and the clearing of tags when it grows: 8 bytes for each 32 granules.
CAIRN_MUST_CHECK int cairn_heap_grow(struct cairn_heap *heap, size_t size);
CAIRN_MUST_CHECK int cairn_heap_shrink(struct cairn_heap *heap, size_t size);

// Grow when the first `gap` bytes behind the old end are somebody else's (who moved the same break, say): they become a used block that is
// never touched, and counts as used. CAIRN_EINVAL also iff the new size has no room for them.
CAIRN_MUST_CHECK int cairn_heap_grow_past(struct cairn_heap *heap, size_t gap, size_t size);

// Bytes that are free at the region's end: what cairn_heap_shrink can cut off. O(1).
size_t cairn_heap_top(struct cairn_heap *heap);

// Change the fit and the search limit from now on. (Bounded keeps its promise only where it was the fit from the start.)
CAIRN_MUST_CHECK int cairn_heap_set_fit(struct cairn_heap *heap, enum cairn_fit fit, uint16_t search);

// ------------------------------------------------------------------------------------------------------------------- blocks

// Allocate `size` bytes, not zeroed. Returns NULL iff size is 0, no free block that the fit looks at is long enough, or a broken link was
// reported. O(1).
void *cairn_heap_alloc(struct cairn_heap *heap, size_t size);

// Allocate count * size bytes of zeros. NULL also iff the product overflows. The zeroing is outside the lock.
void *cairn_heap_calloc(struct cairn_heap *heap, size_t count, size_t size);

// Allocate `size` bytes at a multiple of `alignment`, out of a free block that is long enough for alignment - CAIRN_GRANULE bytes more. NULL also iff
// alignment is not a power of two. What is skipped to reach the alignment stays free.
void *cairn_heap_aligned_alloc(struct cairn_heap *heap, size_t alignment, size_t size);

// Change a block's size; the first min(old, new) bytes stay. In place if it shrinks or the block behind it is free and large
// enough; else slid left, if the free block before it is too short to move into; else moved; else, before it fails, slid left anyway. NULL
// block: allocates. Size 0: frees, returns NULL. Returns NULL, the old block untouched, iff no place was found or `block` was refused. Copies
// outside the lock; until then both places count as used, in the peak too; a block that somebody else frees meanwhile is reported. A bounded fit never
// slides, grows a block in place only inside what it holds, and moves one that shrinks to a smaller power of two, or leaves it where it cannot.
void *cairn_heap_realloc(struct cairn_heap *heap, void *block, size_t size);

// The same, and the result is a multiple of `alignment`, whatever the old one was.
void *cairn_heap_aligned_realloc(struct cairn_heap *heap, void *block, size_t alignment, size_t size);

// Change a block's size where it is. Returns 0; fails with CAIRN_ENOMEM iff there is no room behind it (bounded fit: in what it holds, which stays),
// CAIRN_EINVAL iff size is 0 or `block` was refused. O(1).
CAIRN_MUST_CHECK int cairn_heap_resize(struct cairn_heap *heap, void *block, size_t size);

// Give a block back. NULL: nothing. Anything that is not the start of a used block of this heap is reported and refused (a stale pointer
// whose block has since been handed out again is not found). O(1).
void cairn_heap_free(struct cairn_heap *heap, void *block);

// Bytes that the block holds, at least those asked for. 0 iff `block` is NULL or not the start of a used block (no report). O(1).
size_t cairn_heap_usable_size(struct cairn_heap *heap, const void *block);

// --------------------------------------------------------------------------------------------------------------- looking in

struct cairn_heap_stats {
    size_t size;           // bytes of all granules
    size_t used;           // bytes in used blocks
    size_t free;           // size - used
    size_t peak;           // largest `used` so far
    size_t largest_free;   // a request of so many bytes can be met now: exact unless the topmost list holds more blocks than the search
                           // sees (CAIRN_SEARCH_DEFAULT at most), and then more than half of the longest. Bounded fit: a power of two
    size_t overhead;       // bytes of control and tags
    uint32_t used_blocks;
    uint32_t free_blocks;
    uint32_t failures;     // tries at an allocation that failed since init or cairn_heap_reset_peak, also those that the failed hook had repeated; of 0 bytes none
    uint32_t fragmentation; // 1000 * (1 - largest_free / free), 0 where nothing is free
};

// Read the figures. Zeros for a NULL heap. O(1).
CAIRN_SAME_NAME(void cairn_heap_stats(struct cairn_heap *heap, struct cairn_heap_stats *stats);)

// Start `peak` again from what is used now, and `failures` from 0. A bounded heap has no margin then (cairn_heap_margin), until this is called while nothing is used.
void cairn_heap_reset_peak(struct cairn_heap *heap);

// One block, as walk shows it.
struct cairn_block {
    void *address;
    size_t size; // bytes
    bool used;
};

// Show each block, by rising address, to `visit` until it returns something else than 0; returns that, or 0. Reads the tags only.
// In the lock: visit may not change the heap. O(region).
int cairn_heap_walk(struct cairn_heap *heap, int (*visit)(void *context, const struct cairn_block *block), void *context);

// The rules of the image. docs/LAYOUT.md says each in full.
enum cairn_rule {
    CAIRN_RULE_NONE = 0,
    CAIRN_RULE_T1, // blocks begin at the first border and end at the last; nothing ends behind the fence
    CAIRN_RULE_T2, // a block ends where the next one starts
    CAIRN_RULE_T3, // no two neighbours are both free
    CAIRN_RULE_T4, // tag words without a border: the first and the last in a block record its length
    CAIRN_RULE_T5, // nothing is called free where nothing ends
    CAIRN_RULE_T6, // a free block is in exactly one list, that of its length; links are mutual
    CAIRN_RULE_T7, // a list's bit is set exactly when the list is not empty
    CAIRN_RULE_T8, // the counters agree with the blocks
    CAIRN_RULE_T9, // the control's own fields are in range
    CAIRN_RULE_A1, // an arena: its table of mapped blocks is in order, and whole (arena.h)
    CAIRN_RULE_A2, // an arena: each pool in front of it is whole (arena.h)
};

struct cairn_fault {
    enum cairn_rule rule;
    const void *address; // the block, or the part of the control, that breaks it
};

// Check every rule. Read-only. fault may be NULL. Returns 0, or CAIRN_ECORRUPT with the first rule found broken, CAIRN_EINVAL for no heap.
// In the lock for the whole of it: O(region). The next call is the one for a running system.
CAIRN_MUST_CHECK int cairn_heap_check(struct cairn_heap *heap, struct cairn_fault *fault);

// Check the next `words` tag words (32 granules each), of which *cursor is the first; start with 0. The heap may be used between the calls. Advances
// *cursor, to 0 when the end was reached. Checks T1 to T7 for each block that starts there, links included; that the list of a block is complete
// and T8 are left to the whole check. Returns as cairn_heap_check. O(words).
CAIRN_MUST_CHECK int cairn_heap_check_step(struct cairn_heap *heap, uint32_t *cursor, uint32_t words, struct cairn_fault *fault);

// ------------------------------------------------------------------------------------------------------------------ bounds

// What an application asks of a heap, for cairn_heap_bound. `peak` is the largest sum of requested bytes live at one time; a realloc that
// moves has both blocks live. An aligned request of s bytes at a counts as s + a - CAIRN_GRANULE, in peak and in largest.
struct cairn_demand {
    size_t peak;
    size_t largest;
    size_t smallest; // 0 counts as 1
};

// Bytes of region, everything counted but the handle, in which a heap of CAIRN_FIT_BOUNDED cannot fail for this demand:
// granules = M (1 + log2 n), M the peak of lengths rounded up to powers of two, n the ratio of the largest such length to the smallest
// (Robson 1971, 1974; Ogasawara 1995, "half fit"). docs/BOUNDS.md derives it. Returns 0 iff the demand is empty or inconsistent, or
// the region would be larger than the layout can number.
size_t cairn_heap_bound(const struct cairn_demand *demand);

struct cairn_margin {
    size_t needed;    // bytes of granules that the peak and the sizes seen so far need at most
    size_t available; // bytes of granules there are
    bool safe;        // needed <= available, and no request has failed: none inside what was seen can
};

// Is this heap safe, and by what margin? Speaks of the peak and the sizes seen since init, or since cairn_heap_reset_peak while nothing was used; a request that
// failed is in neither. Returns 0;
// CAIRN_ENOTSUP iff its fit is not bounded (the others have no useful bound), or what was seen does not say: since then a request was aligned to more than a
// granule (what it skipped is in no peak), the peak was reset, or the fit became bounded, while something was used (which may lie scattered), or the
// heap grew past a gap. O(1).
CAIRN_MUST_CHECK int cairn_heap_margin(struct cairn_heap *heap, struct cairn_margin *margin);

// ------------------------------------------------------------------------------------------------------------------- twins

// Each as the call without the underscore, for a caller who holds the lock: no lock, no failed hook, no event. What copies or zeroes does so in the lock.
void *cairn_heap_alloc_(struct cairn_heap *heap, size_t size);
void *cairn_heap_calloc_(struct cairn_heap *heap, size_t count, size_t size);
void *cairn_heap_aligned_alloc_(struct cairn_heap *heap, size_t alignment, size_t size);
void *cairn_heap_realloc_(struct cairn_heap *heap, void *block, size_t size);
void *cairn_heap_aligned_realloc_(struct cairn_heap *heap, void *block, size_t alignment, size_t size);
CAIRN_MUST_CHECK int cairn_heap_resize_(struct cairn_heap *heap, void *block, size_t size);
void cairn_heap_free_(struct cairn_heap *heap, void *block);
size_t cairn_heap_usable_size_(const struct cairn_heap *heap, const void *block);

CAIRN_MUST_CHECK int cairn_heap_grow_(struct cairn_heap *heap, size_t size);
CAIRN_MUST_CHECK int cairn_heap_grow_past_(struct cairn_heap *heap, size_t gap, size_t size);
CAIRN_MUST_CHECK int cairn_heap_shrink_(struct cairn_heap *heap, size_t size);
size_t cairn_heap_top_(const struct cairn_heap *heap);
CAIRN_MUST_CHECK int cairn_heap_set_fit_(struct cairn_heap *heap, enum cairn_fit fit, uint16_t search);

void cairn_heap_stats_(const struct cairn_heap *heap, struct cairn_heap_stats *stats);
void cairn_heap_reset_peak_(struct cairn_heap *heap);
int cairn_heap_walk_(const struct cairn_heap *heap, int (*visit)(void *context, const struct cairn_block *block), void *context);
CAIRN_MUST_CHECK int cairn_heap_check_(const struct cairn_heap *heap, struct cairn_fault *fault);
CAIRN_MUST_CHECK int cairn_heap_check_step_(const struct cairn_heap *heap, uint32_t *cursor, uint32_t words, struct cairn_fault *fault);
CAIRN_MUST_CHECK int cairn_heap_margin_(const struct cairn_heap *heap, struct cairn_margin *margin);

#ifdef __cplusplus
}
#endif

#endif
