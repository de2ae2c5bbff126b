// SPDX-License-Identifier: MIT
//
// The TLB: which pages of which spaces can be reached at once, and where.
//
// OWNS: the entries, the victim set, the ASIDs.
// PICTURE: tag     page bits of the address | ASID << 3 | 0 0 0      access.h compares it with address & ~(page - size) | ASID
//          tlb[page mod entries], direct-mapped; what it loses goes to victim[page mod CAIRN_VICTIMS], and comes back from there (Jouppi 1990, with one place
//          for each page, because a search costs more here than what it finds)
// INVARIANTS: V6 an entry's page is present in its frame, and its ASID is that of the frame's space in this generation. A write tag only where the
//     page is dirty and may be written. The current space has an ASID of this generation. The last ASID is nobody's, so that CAIRN_TAG_NONE matches no access.
// COST: O(1); a flush of a space O(entries). CALLERS: lib/vm.
#ifndef CAIRN_VM_TLB_H
#define CAIRN_VM_TLB_H

#include "vm/table.h"

#define ASID_SHIFT 3
#define ASID_NONE ((cairn_vaddr_t)1) // in no tag of an entry: what an access has where no space is current

#define GENERATION_OTHERS UINT32_MAX // of what has pages that others map, and no ASID: an object, the pool. Those of ASIDs are even

CAIRN_INLINE cairn_vaddr_t tlb_tag(const struct cairn_vm *vm, cairn_vaddr_t asid, cairn_vaddr_t page)
{
    return page << page_shift(vm) | asid;
}

CAIRN_INLINE struct cairn_tlb_entry *tlb_at(const struct cairn_vm *vm, cairn_vaddr_t page)
{
    return &vm->tlb[(uint32_t)page & (CAIRN_TLB_SHIFT != 0 ? (1u << CAIRN_TLB_SHIFT) - 1 : vm->tlb_mask)];
}

// Is one left in this generation? The last one is nobody's.
CAIRN_INLINE bool has_asid(const struct cairn_vm *vm)
{
    return vm->asid_next << ASID_SHIFT < (vm->offset_mask & ~(cairn_vaddr_t)7);
}

// pre: one is.
CAIRN_INLINE void take_asid(struct cairn_vm *vm, struct cairn_space *space)
{
    space->asid = (cairn_vaddr_t)vm->asid_next++ << ASID_SHIFT;
    space->generation = vm->generation;
}

// An ASID for the space, in this generation, or a new one.
void cairn_tlb_assign_(struct cairn_vm *vm, struct cairn_space *space);
CAIRN_INLINE void tlb_assign(struct cairn_vm *vm, struct cairn_space *space)
{
    if (CAIRN_SPEED && CAIRN_LIKELY(has_asid(vm))) {
        take_asid(vm, space);
    } else {
        cairn_tlb_assign_(vm, space);
    }
}

// Forget the page. Lets go of its write tag only, where `writes`. Of an object's page, or the pool's: in each space that maps it, which maps it no more then, but
// for `writes`.
void cairn_tlb_drop_(struct cairn_vm *vm, struct cairn_space *space, cairn_vaddr_t page, bool writes);
// The same, of a page of a space.
void cairn_tlb_forget_(struct cairn_vm *vm, const struct cairn_space *space, cairn_vaddr_t page, bool writes);
// Forget all pages that are in a frame.
void cairn_tlb_forget_frame_(struct cairn_vm *vm, const unsigned char *memory);

CAIRN_INLINE struct cairn_tlb_entry *tlb_victim(struct cairn_vm *vm, cairn_vaddr_t page)
{
    return &vm->victim[(uint32_t)page & (CAIRN_VICTIMS - 1)];
}

#endif
