// SPDX-License-Identifier: MIT
//
// Page frames and the slots behind them.
//
// OWNS: the frame table, the list of free frames, the bits of the slots in use; what a vm asks of share.c and prefetch.c, where it has them.
// PICTURE: frame n of memory <-> table[n]: { space, page, slot, pins, flags, next }     space NULL: free, in the list
//          slot: where the contents are, as they were when the page was last clean; SLOT_NONE: nowhere, and then the page is dirty or all zeros
// INVARIANTS: V3 a frame that is not free holds a page whose pte, its owner's, is present and names it. V4 a slot in use is named by one pte or one frame.
// COST: O(1), but slot_take: a word of bits for each 32 slots at worst. CALLERS: lib/vm.
#ifndef CAIRN_VM_FRAME_H
#define CAIRN_VM_FRAME_H

#include "vm/tlb.h"

#define SLOT_NONE UINT32_MAX

#define FRAME_PINNED CAIRN_FRAME_PINNED // it has pins, or is free
#define FRAME_DIRTY 2u                  // was stored to: the slot, if any, is old, and so is the checkpoint
#define FRAME_USED CAIRN_FRAME_USED     // since the policy cleared it
#define FRAME_ACCESSED 8u               // since the last tick
#define FRAME_AHEAD 16u                 // was brought in by prefetch.c, and not asked for yet: its pte allows nothing
#define FRAME_STALE 32u                 // was not stored to since a checkpoint, but the slot, if any, is old
#define FRAME_SAVED 128u                // where not dirty: is in its owner's last checkpoint (share.h)
#define FRAME_UNWRITTEN (FRAME_DIRTY | FRAME_STALE)
#define MAP_NODE 0x200u // of a mapping: it lies in the vm's memory (object.h)
#define ACCESS_NONE PTE_PRESENT // to have the page, and no more
#define FOUND_DIRECT 1          // in place of 0: the page is in memory of the caller's, and has no frame

CAIRN_INLINE unsigned char *frame_memory(const struct cairn_vm *vm, uint32_t frame)
{
    return vm->frames + ((size_t)frame << page_shift(vm));
}

// Are words in memory where they are aligned at their virtual addresses? addend: of the page. In a frame they are; memory of the caller's may begin anywhere.
// 32-bit machines load eight bytes as two words.
CAIRN_INLINE bool is_for_words(uintptr_t addend)
{
    return addend % sizeof(uintptr_t) == 0;
}

// A page's number for the policy.
CAIRN_INLINE uint32_t page_key(const struct cairn_space *space, cairn_vaddr_t page)
{
    return (uint32_t)space->number << 24 ^ (uint32_t)page;
}

CAIRN_INLINE uint32_t page_size(const struct cairn_vm *vm)
{
    return (uint32_t)1 << page_shift(vm);
}

// share.c. What a vm in which pages are shared does otherwise.
struct cairn_sharing {
    // As fault.c does for mappings that are a space's alone: is the address valid, is the access allowed; then the page. mapping: that of the page, or NULL.
    // Returns 0 and its pte, or an error.
    int (*resolve)(struct cairn_space *space, struct cairn_mapping *mapping, cairn_vaddr_t address, uint32_t access, pte_t *pte);
    // A page of an object's or the pool's: nobody may store to it at once any more; or (all) nobody may name it any more, it leaves. Of a space's: nothing.
    void (*unmap)(struct cairn_space *owner, cairn_vaddr_t page, bool all);
    // A space names a page no more that is another's. pte: what it had.
    void (*drop)(struct cairn_space *space, pte_t pte);
    // A page is to be pinned: it becomes the space's own, or is an object's that is mapped shared. Returns 0 and its pte, or an error.
    int (*own)(struct cairn_space *space, cairn_vaddr_t address, pte_t *pte);
    // A page in a frame is to have a pin more (1) or less (-1) through the space. Returns false where the space has none on it, but for locks.
    bool (*count_pin)(struct cairn_space *space, cairn_vaddr_t page, uint32_t change);
    // A mapping is the space's no more; all of them are to be so. Returns 0 or CAIRN_EBUSY.
    void (*forget)(struct cairn_mapping *mapping);
    int (*end)(struct cairn_space *space);
    // Pages in frames that are not the space's own, which it has, and which were used. Is one of them pinned through it, or locked? The one that it has here leaves its
    // frame where no space that runs has it: returns 0 or an error. share_load.c
    uint32_t (*used)(const struct cairn_space *space);
    bool (*is_held)(const struct cairn_space *space);
    int (*leave)(struct cairn_space *space, cairn_vaddr_t page);
    // Where the byte is at an address for which resolve returned FOUND_DIRECT.
    unsigned char *(*direct)(const struct cairn_space *space, cairn_vaddr_t address);
};

// A slot that is in use from now on; SLOT_NONE: there is none.
uint32_t cairn_slot_take_(struct cairn_vm *vm);
void cairn_slot_free_(struct cairn_vm *vm, uint32_t slot);

// A frame that holds nothing, in no list, for the page with this key: a free one, or that of a page that leaves. Returns 0 or an error; then nothing is lost.
CAIRN_MUST_CHECK int cairn_frame_take_(struct cairn_vm *vm, uint32_t key, uint32_t *frame);
void cairn_frame_free_(struct cairn_vm *vm, uint32_t frame);

// Take the first free frame out of the list.
CAIRN_INLINE void frame_unlist(struct cairn_vm *vm, uint32_t frame)
{
    vm->free_frame = vm->table[frame].next;
    vm->figures.frames_free--;
}

// Write a dirty page out; it stays. Returns 0 or an error: then nothing has changed.
CAIRN_MUST_CHECK int cairn_frame_clean_(struct cairn_vm *vm, uint32_t frame);
// Send the frame's page away; it is written if it must be. Returns 0 or an error: then it stays.
CAIRN_MUST_CHECK int cairn_frame_evict_(struct cairn_vm *vm, uint32_t frame);

// Note an access to the page in a frame. Returns the frame's flags.
CAIRN_INLINE uint32_t frame_note(struct cairn_frame *frame, uint32_t access)
{
    const uint32_t flags = frame->flags | (access & CAIRN_WRITE) | FRAME_ACCESSED | FRAME_USED;
    frame->flags = (uint8_t)flags;
    return flags;
}
_Static_assert(CAIRN_WRITE == FRAME_DIRTY && CAIRN_FRAME_DIRTY == FRAME_UNWRITTEN, "what is stored to is dirty; what a policy is told");

// pre: it has less than 255.
CAIRN_INLINE void frame_pin(struct cairn_frame *frame)
{
    frame->pins++;
    frame->flags |= FRAME_PINNED;
}

// pre: it has one.
CAIRN_INLINE void frame_unpin(struct cairn_frame *frame)
{
    if (--frame->pins == 0) {
        frame->flags &= (uint8_t)~FRAME_PINNED;
    }
}

// Tell the policy of an access to the page in a frame.
CAIRN_INLINE void frame_touch(const struct cairn_vm *vm, uint32_t frame)
{
    if (vm->touch != NULL) {
        vm->touch(vm->policy_state, frame);
    }
}

// The page in a frame was stored to, and goes to the store at once if nobody may store to it meanwhile. pre: vm->write_through.
CAIRN_INLINE void frame_stored(struct cairn_vm *vm, uint32_t frame)
{
    if ((vm->table[frame].flags & (FRAME_PINNED | FRAME_DIRTY)) == FRAME_DIRTY) {
        (void)!cairn_frame_clean_(vm, frame); // where it fails, the page stays dirty, and is written when it leaves
    }
}

// fault.c. Bring the page of an address in, for an access; asks the space's handler where that cannot be. Returns 0, and its pte; or an error: then nothing has
// changed; or FOUND_DIRECT. A page that was there is noted as touched.
CAIRN_MUST_CHECK int cairn_fault_access_(struct cairn_space *space, cairn_vaddr_t address, uint32_t access, pte_t *pte);

// The same for those of a range's pages that are in no mapping which allows the access; the others are not looked for. Returns 0 or an error.
CAIRN_MUST_CHECK int cairn_fault_range_(struct cairn_space *space, cairn_vaddr_t address, uint32_t access, size_t size);
// A fault that is none of a page: tells the handler. Returns what the access is to return; 0: once more.
CAIRN_MUST_CHECK int cairn_fault_tell_(struct cairn_space *space, cairn_vaddr_t address, uint32_t access, int error);

// space.c. Are these pages of a space?
CAIRN_INLINE bool range_is_good(const struct cairn_vm *vm, cairn_vaddr_t address, cairn_vaddr_t size)
{
    return ((address | size) & vm->offset_mask) == 0 && address != 0 && size != 0 && address <= vm->limit && size - 1 <= vm->limit - address;
}

CAIRN_INLINE bool is_protection(uint32_t protection)
{
    return (protection & ~PTE_ACCESS) == 0 && (protection & (CAIRN_WRITE | CAIRN_READ)) != CAIRN_WRITE;
}

// What a fault allows by itself in a mapping that is a space's alone: not even to bring the page in, where it is a guard.
CAIRN_INLINE uint32_t plain_of(uint32_t protection)
{
    return protection != 0 ? protection | PTE_PRESENT : PTE_SWAPPED;
}

// Forget a page that has a pte, wherever it lives. Is any page of a range pinned?
void cairn_page_drop_(struct cairn_space *space, cairn_vaddr_t page);
bool cairn_pages_pinned_(const struct cairn_space *space, cairn_vaddr_t page, cairn_vaddr_t end);
// Allow other accesses in a mapping of the space's.
void cairn_mapping_protect_(struct cairn_space *space, struct cairn_mapping *mapping, uint32_t protection);

// prefetch.c.
struct cairn_prefetch {
    size_t bytes; // of state, aligned to 4
    void (*init)(void *state, uint32_t frames);
    // The page, which lived in a slot or was brought in ahead, was asked for, and is in this frame now: bring in what follows.
    void (*asked)(struct cairn_space *space, cairn_vaddr_t page, uint32_t frame);
    // The page in the frame is leaving.
    void (*left)(struct cairn_vm *vm, const struct cairn_frame *frame);
};

// access.c. A word of up to 8 bytes over the end of a page: all of it, or an error and nothing of it.
CAIRN_MUST_CHECK int cairn_crossing_load_(struct cairn_space *space, cairn_vaddr_t address, void *value, size_t size);
CAIRN_MUST_CHECK int cairn_crossing_store_(struct cairn_space *space, cairn_vaddr_t address, const void *value, size_t size);

// space.c. The mapping that has the page; NULL for none. O(mappings).
struct cairn_mapping *cairn_mapping_of_(const struct cairn_space *space, cairn_vaddr_t page);

CAIRN_INLINE struct cairn_mapping *mapping_search(const struct cairn_space *space, cairn_vaddr_t page)
{
    struct cairn_mapping *mapping = space->mappings;
    while (mapping != NULL && page - mapping->first >= mapping->pages) {
        mapping = mapping->next;
    }
    return mapping;
}

// The same, laid out where the build favours speed: for faults.
CAIRN_INLINE struct cairn_mapping *mapping_of(const struct cairn_space *space, cairn_vaddr_t page)
{
    return CAIRN_SPEED ? mapping_search(space, page) : cairn_mapping_of_(space, page);
}

#endif
