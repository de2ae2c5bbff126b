// SPDX-License-Identifier: MIT
//
// The software MMU: address spaces larger than RAM, with protection and demand paging, on cores that have no MMU.
//
// VITALS
//   pages         128 bytes to 4 KB, a power of two; a page is resident in a frame, or lives in a slot of a store, or nowhere yet (it is zeros then)
//   tables        1 to 4 levels, made on demand, freed when empty; 4 bytes for each page that was touched
//   addresses     CAIRN_VADDR_BITS, 32 or 64. Page 0 of a space is never mapped.
//   RAM           16 bytes a frame and the policy's, 16 bytes a TLB entry (32-bit); a space: under 128 bytes, and its tables. All from the caller
//   time          a hit in the TLB is inline (access.h); all else is bounded but for the transfers, and for the mappings of a space, which are a list
//   errors        every access returns 0 or an error, and an access that fails has stored nothing
//   threads, ISR  none of its own: one thread, or a lock around it. Not from interrupts.
#ifndef CAIRN_VM_H
#define CAIRN_VM_H

#include "cairn/policy.h"
#include "cairn/port.h"

#ifdef __cplusplus
extern "C" {
#endif

#if CAIRN_VADDR_BITS == 64
typedef uint64_t cairn_vaddr_t;
#else
typedef uint32_t cairn_vaddr_t;
#endif

// What an access does, what a mapping allows.
#define CAIRN_READ 1u
#define CAIRN_WRITE 2u
#define CAIRN_EXEC 4u
#define CAIRN_USER 8u

#define CAIRN_LEVELS_MAX 4u
#define CAIRN_FRAMES_MAX 65534u

struct cairn_vm;
struct cairn_space;
struct cairn_object;
struct cairn_sharing;

// What is read ahead. A program that never names it does not link it.
struct cairn_prefetch;
extern const struct cairn_prefetch cairn_prefetch_streams; // faults that go in a stream are seen, and what comes next is brought in; 136 bytes

// An access that could not be made.
struct cairn_vm_fault {
    cairn_vaddr_t address;
    uint32_t access; // CAIRN_READ ...
    int error;       // CAIRN_EFAULT: no mapping; CAIRN_EACCES: not allowed there; CAIRN_EBUSY: suspended; CAIRN_ENOMEM: no frame, slot or table memory; or
                     // the store's
};

// Zero means the default, but for frames and memory.
struct cairn_vm_config {
    uint8_t page_shift; // log2 of the bytes of a page, 7 to 12; 0: 10
    uint8_t levels;     // of page tables, 1 to 4; 0: 2 of equal bits, or 3 where those were more than 12; of 64-bit addresses 4 of 10. Or as
                        // CAIRN_TABLE_LEVELS says
    uint8_t bits[CAIRN_LEVELS_MAX]; // of the address for each level, from the top, 1 to 12. With page_shift at most CAIRN_VADDR_BITS; what is above is
                                    // no address
    uint16_t tlb;     // entries, a power of two from 4 to 1024; 0: 16
    void *frames;     // page frames, aligned to a page
    uint32_t frame_count;
    void *memory;     // for all else: frame table, TLB, policy, slots, page tables; aligned to 8
    size_t size;
    const struct cairn_policy *policy;     // NULL: cairn_policy_clock
    const struct cairn_port_store *store;  // where pages go that leave; its slots are of a page. NULL: nowhere, a dirty page stays
    bool write_through;                    // each store is written to the store at once: a page that leaves is clean. What cannot be written stays dirty, and is
                                           // written later: the access does not fail
    const struct cairn_prefetch *prefetch; // what is read ahead, from the store and those of objects: &cairn_prefetch_streams, or NULL: nothing
    // Each page reference that the library sees, for a trace (tlb fills, copies). It may not use the vm. NULL: none.
    void (*reference)(void *context, const struct cairn_space *space, cairn_vaddr_t address, bool write);
    // More pages are in use than frames are there: `wanted` pages in the last tick, and most accesses that missed had to wait for the store. NULL: none.
    void (*thrashing)(void *context, struct cairn_vm *vm, uint32_t wanted);
    void *context;
};

struct cairn_tlb_entry {
    uint32_t unused;         // 16 bytes where pointers have 4: an index is a shift
    uintptr_t addend;        // address of a byte less its virtual address
    cairn_vaddr_t read_tag;  // page and ASID for which a load is allowed, CAIRN_TAG_NONE for none
    cairn_vaddr_t write_tag; // the same for a store: only when the page is dirty already
};
#define CAIRN_TAG_NONE (~(cairn_vaddr_t)0)

struct cairn_frame {
    struct cairn_space *space; // whose page it holds; NULL: free
    cairn_vaddr_t page;        // its number
    uint32_t slot;             // that holds its last clean contents
    uint8_t pins;
    uint8_t flags;
    uint16_t next; // free list
};

struct cairn_vm_figures {
    uint32_t frames_free;
    uint32_t minor, major; // faults: without and with a transfer in
    uint32_t reads, writes; // transfers; reads are major + prefetches, and are made up when the figures are asked for
    uint32_t tlb_hits; // where CAIRN_VM_COUNT_HITS is 1
    uint32_t tlb_misses, victim_hits;
    uint32_t evictions;
    uint32_t prefetches, useful; // pages read ahead; those that were asked for then
    uint32_t slots_used;
    uint32_t shared;              // pages that several spaces have, and have not written since (object.h)
    uint32_t tables, table_bytes; // nodes of page tables in use, and what they take: 4 bytes for each entry
    cairn_vaddr_t virtual_pages;  // of all spaces; these three, too, are made up when asked for
    uint32_t resident, swapped;   // pages in frames, in slots and in no frame: of spaces, objects, and what spaces have in common
};

#define CAIRN_VICTIMS 4u // entries of the set behind the TLB

// Read-only for the caller. The front is what access.h reads.
struct cairn_vm {
    struct cairn_tlb_entry victim[CAIRN_VICTIMS]; // first: an index is all of its address
    struct cairn_tlb_entry *tlb;
    cairn_vaddr_t asid; // of the current space, where it lies in a tag
    cairn_vaddr_t offset_mask;
    uint32_t tlb_mask;
    uint32_t page_shift;
    uint32_t mode;              // CAIRN_USER where the current space's accesses are a user's
    uint32_t *quick_root;       // the current space's
    void (*touch)(void *policy_state, uint32_t frame); // the policy's
    void *policy_state;
    unsigned char *table_base;  // memory of the page tables; where pointers are longer than an entry, what it counts from
    struct cairn_space *current;
    struct cairn_space *spaces;
    uint8_t *frames;
    struct cairn_frame *table;
    uint32_t frame_count;
    uint8_t levels;
    uint8_t shift[CAIRN_LEVELS_MAX]; // of a page's number, from the top
    uint16_t mask[CAIRN_LEVELS_MAX];
    uint16_t free_frame;
    bool write_through;
    uint16_t last_mask; // of the last level
    uint32_t asid_next;
    uint32_t generation;
    cairn_vaddr_t limit; // last address that there is
    uint32_t table_used;                   // bytes that were ever a node's
    uint32_t table_size;
    uint32_t free_node[CAIRN_LEVELS_MAX + 2]; // lists, each entry as in a table: of tables; of shared pages; of mappings
    uint8_t node_list[CAIRN_LEVELS_MAX];  // of the nodes of a level: neighbours with equal nodes have one
    const struct cairn_policy *policy;
    const struct cairn_port_store *store;
    const struct cairn_prefetch *prefetch; // NULL: none
    struct stream_table *streams;
    const struct cairn_sharing *sharing; // NULL: nothing was ever shared here (object.h)
    struct cairn_space *pool;            // whose the shared pages are
    struct cairn_object *objects;
    uint32_t commit_mode;                // CAIRN_COMMIT_...
    cairn_vaddr_t committed, commit_limit; // pages
    uint32_t gone;                // the page that left last, for the policy, and 1 more; 0: none
    uint32_t *slots; // bit: in use
    uint32_t slot_cursor;
    uint32_t clean_cursor;
    void (*reference)(void *context, const struct cairn_space *space, cairn_vaddr_t address, bool write);
    void (*thrashing)(void *context, struct cairn_vm *vm, uint32_t wanted);
    void *context;
    struct cairn_vm_figures figures;
    uint32_t tick_major;
    uint32_t tick_misses;
};

// A range of a space, in memory of the caller's for as long as it is mapped. What is behind `plain` is object.h's.
struct cairn_mapping {
    struct cairn_mapping *next;
    cairn_vaddr_t first; // page
    cairn_vaddr_t pages;
    uint32_t protection;
    uint32_t plain;               // what a fault allows by itself; 0: object.h's faults
    uint32_t flags;               // CAIRN_MAP_...
    cairn_vaddr_t grow;           // pages by which it may still grow down
    struct cairn_space *space;
    struct cairn_object *object;  // what it shows; NULL: pages of its own
    cairn_vaddr_t offset;         // page of the object that is its first
    struct cairn_mapping *sibling; // the next one of the object; without: the caller's mapping that it was a part of, if any
    uint32_t pins;                // of pages of the object, or of the memory in place, through it
    const unsigned char *memory;  // that is executed in place
};

// segment:offset is base + offset, if offset is below the limit; in one that grows down, if it is at or above it.
struct cairn_segment {
    cairn_vaddr_t base;
    cairn_vaddr_t limit;
    uint32_t protection;
    bool grows_down; // offsets limit to the end of the address space, counted from base, wrapping: a stack
};

// Of a space; of an object's pages, with &object->pages (object.h): a fault on one of them, and what it read, count for it and for who faulted; what was written and
// read ahead for it alone.
// The TLB's counters are the vm's: a difference between two switches is the space's.
struct cairn_space_figures {
    cairn_vaddr_t virtual_pages;
    uint32_t resident, swapped; // of its own
    uint32_t shared; // that it has from others: an object's in a frame, or as they were when spaces forked
    uint32_t minor, major;
    uint32_t reads, writes;      // transfers; of pages that are its own
    uint32_t prefetches, useful; // pages read ahead; those that were asked for then
    uint32_t copies; // that were made because it wrote to a page of several
    uint32_t working_set; // pages that were seen in use in the last tick; one that it shares counts for it, whoever used it
    uint32_t since_tick;  // major faults since the last tick: asked for before each, its page-fault frequency. (Kept is the number at that tick.)
};

struct cairn_space {
    struct cairn_vm *vm;
    struct cairn_space *next;
    uint32_t *root;                // its topmost table
    uint32_t *quick_root;          // the same, where a miss may be served without a word to anybody; else NULL
    struct cairn_mapping *mappings; // by address
    const struct cairn_segment *segments;
    uint32_t segment_count;
    // An access failed. Return 0 to have it tried once more, or the error that it is to return. NULL: its own error. It may map, and run other spaces, but not end
    // what the access has a page of already: the mapping of a word's first bytes, or of a copy's source, and the object that it shows.
    int (*handler)(void *context, struct cairn_space *space, const struct cairn_vm_fault *fault);
    void *context;
    cairn_vaddr_t asid; // as in a tag
    uint32_t generation; // of asid
    const struct cairn_port_store *backing; // what an object's pages are read from and written to; NULL: zeros at first, and the vm's store
    uint32_t backing_slot;                  // of its first page
    cairn_vaddr_t break_start, break_end;   // addresses; object.h
    uint16_t number;     // in page numbers for the policy
    bool suspended;
    bool user; // accesses are a user's, and need CAIRN_USER. The caller's to set, before it is switched to; where it was used before, with cairn_space_flush
    struct cairn_space_figures figures;
    cairn_vaddr_t heap;         // its address; space_heap.h. 0: none
    uint32_t saved, saved_sum; // the last checkpoint of it: its generation, 0: none or not known, and what tells it from others; checkpoint.h
};

// ------------------------------------------------------------------------------------------------------------------ the machine

// Bytes of `memory` that a vm needs for a configuration, with `table_bytes` for page tables: 4 bytes for each entry. A table that is freed is for
// others of that size: most in use at a time, size by size, is what is needed. 0 iff the configuration is not valid.
size_t cairn_vm_size(const struct cairn_vm_config *config, size_t table_bytes);

// Returns 0; fails with CAIRN_EINVAL iff an argument is out of range, or the store's pages are of another size or only read; CAIRN_ENOMEM iff size is less
// than cairn_vm_size says for no tables. With one frame, what needs two pages at once fails with CAIRN_ENOMEM: a word or a copy across pages, a copy-on-write.
// O(frames + size): all memory for tables is zeroed here, so that no fault has to.
CAIRN_MUST_CHECK int cairn_vm_init(struct cairn_vm *vm, const struct cairn_vm_config *config);

// Make an empty space. Returns 0; CAIRN_EINVAL iff an argument is NULL; CAIRN_ENOMEM iff there is no memory for its topmost table, CAIRN_EBUSY iff there are 255,
// or it is one of the vm's already.
CAIRN_MUST_CHECK int cairn_space_init(struct cairn_space *space, struct cairn_vm *vm);

// Unmap all of it, give everything back. The current space becomes none. CAIRN_EBUSY iff a page is pinned.
CAIRN_MUST_CHECK int cairn_space_deinit(struct cairn_space *space);

// Make it the current one, which loads and stores go to; NULL: none. Nothing is flushed.
void cairn_space_switch(struct cairn_vm *vm, struct cairn_space *space);

// ------------------------------------------------------------------------------------------------------------------- mappings

// Map `size` bytes at `address`, both multiples of a page: zeros at first touch. Returns 0; CAIRN_EINVAL iff an argument is out of range, misaligned, names page
// 0 or reaches over the end of the space; CAIRN_EBUSY iff some of it is mapped. O(mappings); no page table is made.
CAIRN_MUST_CHECK int cairn_space_map(struct cairn_space *space, struct cairn_mapping *mapping, cairn_vaddr_t address, cairn_vaddr_t size, uint32_t protection);

// Forget what is there: of a mapping that a range has split (object.h), the part that is still in it. CAIRN_ENOENT iff the mapping is not one that
// cairn_space_map made of the space, those of object.h among them; CAIRN_EBUSY iff a page is pinned, or locked: then nothing has changed. O(pages in use).
CAIRN_MUST_CHECK int cairn_space_unmap(struct cairn_space *space, struct cairn_mapping *mapping);

// Change what is allowed in the whole mapping. CAIRN_ENOENT, CAIRN_EINVAL as above. Pins that are held keep what they have.
CAIRN_MUST_CHECK int cairn_space_protect(struct cairn_space *space, struct cairn_mapping *mapping, uint32_t protection);

// ------------------------------------------------------------------------------------------------------------------- segments

// Use a table of segments, kept by the caller. NULL, 0: none.
void cairn_space_set_segments(struct cairn_space *space, const struct cairn_segment *segments, uint32_t count);

// The linear address of segment:offset for an access to `size` bytes. Returns 0; CAIRN_EFAULT iff there is no such segment or the bytes are beyond its limit;
// CAIRN_EACCES iff the segment does not allow it. Reaches the space's handler, as any fault, with the offset for an address.
CAIRN_MUST_CHECK int cairn_segment_translate(struct cairn_space *space, uint32_t segment, cairn_vaddr_t offset, size_t size, uint32_t access,
                                             cairn_vaddr_t *address);

// ----------------------------------------------------------------------------------------------------- bytes; access.h has the words

// Copy from a space into memory, and the other way; between spaces; fill with a byte. Any address, any length. Returns 0; CAIRN_EFAULT or CAIRN_EACCES iff a page
// of the range is not mapped, or its mapping does not allow it, and the handler did not mend that: write, fill and copy look at all pages first, and have stored
// nothing in the space then; or the error of the first page that cannot be had (CAIRN_EBUSY, CAIRN_ENOMEM, CAIRN_EIO, a store's). In that case, and in any case of
// read, all before that page is done, and nothing behind.
CAIRN_MUST_CHECK int cairn_space_read(struct cairn_space *space, void *to, cairn_vaddr_t from, size_t size);
CAIRN_MUST_CHECK int cairn_space_write(struct cairn_space *space, cairn_vaddr_t to, const void *from, size_t size);
CAIRN_MUST_CHECK int cairn_space_fill(struct cairn_space *space, cairn_vaddr_t to, uint8_t byte, size_t size);
// Ranges of one space that overlap are copied as memmove does where `to` is below `from`; above, CAIRN_EINVAL.
CAIRN_MUST_CHECK int cairn_space_copy(struct cairn_space *to_space, cairn_vaddr_t to, struct cairn_space *from_space, cairn_vaddr_t from, size_t size);
// *order: below, above or 0, as memcmp says of the space's bytes and those in memory.
CAIRN_MUST_CHECK int cairn_space_compare(struct cairn_space *space, cairn_vaddr_t address, const void *with, size_t size, int *order);
// *length: bytes before the first 0, `most` if there is none among so many.
CAIRN_MUST_CHECK int cairn_space_string(struct cairn_space *space, cairn_vaddr_t address, size_t most, size_t *length);

// Keep the page at `address` where it is, for an access, and hand out where that is. *run: bytes from there to the end of the page. Pins count; a page that was
// pinned for writing counts as written. CAIRN_EOVERFLOW iff it has 255 already, or, of an object, 7 by this space.
CAIRN_MUST_CHECK int cairn_space_pin(struct cairn_space *space, cairn_vaddr_t address, uint32_t access, void **memory, size_t *run);
// CAIRN_EINVAL iff it is not pinned by this space; of memory in place, nothing of the mapping. Give back only what pin took: a cursor's pin is the cursor's, which
// would use the page on when it has left.
CAIRN_MUST_CHECK int cairn_space_unpin(struct cairn_space *space, cairn_vaddr_t address);

// -------------------------------------------------------------------------------------------------------------------- upkeep

// Write up to `pages` dirty pages, so that they can leave at once later. Returns how many were written, or the store's error.
CAIRN_MUST_CHECK int cairn_vm_clean(struct cairn_vm *vm, uint32_t pages);

// What will be used, what not: bring the page in now; let it leave first (it is written if it must be). As an access in their errors; the first with CAIRN_EACCES
// where nothing is allowed. What is common since a fork, or memory that is executed in place, is left alone by the second.
CAIRN_MUST_CHECK int cairn_space_will_need(struct cairn_space *space, cairn_vaddr_t address);
CAIRN_MUST_CHECK int cairn_space_dont_need(struct cairn_space *space, cairn_vaddr_t address);

// To be called at regular times: takes each space's working set (the pages that were seen in use since the last call; Denning 1968), and says so where
// together they are more than there are frames and most misses are faults. Returns the pages wanted by all. O(frames), and where pages are
// shared O(pages in use).
uint32_t cairn_vm_tick(struct cairn_vm *vm);

// Load control: write out all that the space has in frames and let nothing of it in, until it is resumed: accesses fail with CAIRN_EBUSY. What it shares leaves
// too: a page of an object where no space that runs shows it; one that is common since a fork where no other space has it, or all that share pages are suspended.
// Fails, and it goes on, where a page is pinned through it or locked (CAIRN_EBUSY), or cannot be written. O(pages in use), and for each that is shared
// O(spaces, or mappings of the object).
CAIRN_MUST_CHECK int cairn_space_suspend(struct cairn_space *space);
void cairn_space_resume(struct cairn_space *space);

// Forget translations: of a page, of a space, of all. None is ever needed for what the library does itself.
void cairn_space_flush_page(struct cairn_space *space, cairn_vaddr_t address);
void cairn_space_flush(struct cairn_space *space);
void cairn_vm_flush(struct cairn_vm *vm);

CAIRN_SAME_NAME(void cairn_vm_figures(const struct cairn_vm *vm, struct cairn_vm_figures *figures);)
CAIRN_SAME_NAME(void cairn_space_figures(const struct cairn_space *space, struct cairn_space_figures *figures);)

// Check every rule (docs/VM.md). Read-only. Returns 0, or CAIRN_ECORRUPT and in *rule the number of the first that is broken: V1 ...
CAIRN_MUST_CHECK int cairn_vm_check(const struct cairn_vm *vm, uint32_t *rule);

// What access.h calls when the TLB misses. size: 1, 2, 4 or 8; any address.
CAIRN_MUST_CHECK int cairn_vm_load_(struct cairn_vm *vm, cairn_vaddr_t address, void *value, size_t size);
CAIRN_MUST_CHECK int cairn_vm_store_(struct cairn_vm *vm, cairn_vaddr_t address, const void *value, size_t size);

#ifdef __cplusplus
}
#endif

#endif
