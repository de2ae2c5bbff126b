// SPDX-License-Identifier: MIT
//
// Page frames and the slots behind them.
//
// OWNS: the frame table, the list of free frames, the bits of the slots in use.
// PICTURE: frame n of memory <-> table[n]: { space, page, slot, pins, next }     space NULL: free, in the list
//          slot: where the contents are, as they were when the page was last clean; SLOT_NONE: nowhere, and then the page is dirty or all zeros
// INVARIANTS: V3 a frame that is not free holds a page whose pte is present and names it. V4 a slot in use is named by one pte or one frame.
// COST: O(1), but slot_take: a word of bits for each 32 slots at worst. CALLERS: lib/vm.
#ifndef CAIRN_VM_FRAME_H
#define CAIRN_VM_FRAME_H

#include "vm/table.h"

#define SLOT_NONE UINT32_MAX

CAIRN_INLINE unsigned char *frame_memory(const struct cairn_vm *vm, uint32_t frame)
{
    return vm->frames + ((size_t)frame << vm->page_shift);
}

// A page's number for the policy.
CAIRN_INLINE uint32_t page_key(const struct cairn_space *space, cairn_vaddr_t page)
{
    return (uint32_t)space->number << 24 ^ (uint32_t)page;
}

CAIRN_INLINE uint32_t page_size(const struct cairn_vm *vm)
{
    return (uint32_t)1 << vm->page_shift;
}

// A slot that is in use from now on; SLOT_NONE: there is none.
uint32_t cairn_slot_take_(struct cairn_vm *vm);
void cairn_slot_free_(struct cairn_vm *vm, uint32_t slot);

// A frame that holds nothing, in no list, for the page with this key: a free one, or that of a page that leaves. Returns 0 or an error; then nothing is lost.
CAIRN_MUST_CHECK int cairn_frame_take_(struct cairn_vm *vm, uint32_t key, uint32_t *frame);
void cairn_frame_free_(struct cairn_vm *vm, uint32_t frame);

// Write a dirty page out; it stays. Returns 0 or an error: then nothing has changed.
CAIRN_MUST_CHECK int cairn_frame_clean_(struct cairn_vm *vm, uint32_t frame);
// Send the frame's page away; it is written if it must be. Returns 0 or an error: then it stays.
CAIRN_MUST_CHECK int cairn_frame_evict_(struct cairn_vm *vm, uint32_t frame);

// fault.c. Bring the page of an address in, for an access. Returns 0, and its frame; or an error, without asking the space's handler: then nothing has changed.
CAIRN_MUST_CHECK int cairn_fault_resolve_(struct cairn_space *space, cairn_vaddr_t address, uint32_t access, uint32_t *frame);
// The same, asking the handler.
CAIRN_MUST_CHECK int cairn_fault_access_(struct cairn_space *space, cairn_vaddr_t address, uint32_t access, uint32_t *frame);
// A fault that is none of a page: tells the handler. Returns what the access is to return; 0: once more.
CAIRN_MUST_CHECK int cairn_fault_tell_(struct cairn_space *space, cairn_vaddr_t address, uint32_t access, int error);

// access.c. The page in the frame was stored to.
void cairn_page_stored_(struct cairn_vm *vm, uint32_t frame, pte_t *pte);
// A word of up to 8 bytes over the end of a page: all of it, or an error and nothing of it.
CAIRN_MUST_CHECK int cairn_crossing_load_(struct cairn_space *space, cairn_vaddr_t address, void *value, size_t size);
CAIRN_MUST_CHECK int cairn_crossing_store_(struct cairn_space *space, cairn_vaddr_t address, const void *value, size_t size);

// space.c. The mapping that has the page; NULL for none.
struct cairn_mapping *cairn_mapping_of_(const struct cairn_space *space, cairn_vaddr_t page);

#endif
