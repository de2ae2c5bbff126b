// SPDX-License-Identifier: MIT
//
// The TLB: keeping it true.
// OWNS: tlb.h says what. INVARIANTS: V6. COST: O(1); a flush O(entries). CALLERS: lib/vm.
#include "vm/frame.h"

// Without tags an entry is nothing, whatever else is in it.
CAIRN_INLINE void clear(struct cairn_tlb_entry *entry)
{
    entry->read_tag = entry->write_tag = CAIRN_TAG_NONE;
}

CAIRN_NOINLINE void cairn_vm_flush(struct cairn_vm *vm)
{
    for (uint32_t i = 0; i <= vm->tlb_mask; i++) {
        clear(&vm->tlb[i]);
    }
    for (uint32_t i = 0; i < CAIRN_VICTIMS; i++) {
        clear(&vm->victim[i]);
    }
}

CAIRN_NOINLINE void cairn_tlb_assign_(struct cairn_vm *vm, struct cairn_space *space)
{
    if (!has_asid(vm)) {
        cairn_vm_flush(vm);
        vm->generation += 2; // never GENERATION_OTHERS, however often
        vm->asid_next = 0;
        if (vm->current != NULL && vm->current != space) { // it goes on, and its ASID is somebody else's now
            take_asid(vm, vm->current);
            vm->asid = vm->current->asid;
        }
    }
    take_asid(vm, space);
}

// Does the entry belong to the page, or to any page where mask leaves only the ASID?
CAIRN_INLINE bool is_of(const struct cairn_tlb_entry *entry, cairn_vaddr_t tag, cairn_vaddr_t mask)
{
    return entry->read_tag != CAIRN_TAG_NONE && ((entry->read_tag ^ tag) & mask) == 0;
}

CAIRN_NOINLINE void cairn_space_flush(struct cairn_space *space)
{
    struct cairn_vm *const vm = space->vm;
    if (space->generation != vm->generation) {
        return;
    }
    for (uint32_t i = 0; i <= vm->tlb_mask; i++) {
        if (is_of(&vm->tlb[i], space->asid, vm->offset_mask)) {
            clear(&vm->tlb[i]);
        }
    }
    for (uint32_t i = 0; i < CAIRN_VICTIMS; i++) {
        if (is_of(&vm->victim[i], space->asid, vm->offset_mask)) {
            clear(&vm->victim[i]);
        }
    }
}

CAIRN_SHARED void forget(struct cairn_tlb_entry *entry, cairn_vaddr_t tag, bool writes)
{
    if (entry->read_tag == tag) {
        entry->write_tag = CAIRN_TAG_NONE;
        entry->read_tag = writes ? tag : CAIRN_TAG_NONE;
    }
}

CAIRN_SHARED void forget_page(struct cairn_vm *vm, const struct cairn_space *space, cairn_vaddr_t page, bool writes)
{
    const cairn_vaddr_t tag = tlb_tag(vm, space->asid, page);
    forget(tlb_at(vm, page), tag, writes);
    forget(tlb_victim(vm, page), tag, writes);
}

CAIRN_NOINLINE void cairn_tlb_drop_(struct cairn_vm *vm, struct cairn_space *space, cairn_vaddr_t page, bool writes)
{
    if (CAIRN_LIKELY(space->generation == vm->generation)) {
        forget_page(vm, space, page, writes);
    } else if (vm->sharing != NULL) {
        vm->sharing->unmap(space, page, !writes);
    }
}

CAIRN_NOINLINE void cairn_tlb_forget_(struct cairn_vm *vm, const struct cairn_space *space, cairn_vaddr_t page, bool writes)
{
    if (space->generation == vm->generation) {
        forget_page(vm, space, page, writes);
    }
}

void cairn_space_flush_page(struct cairn_space *space, cairn_vaddr_t address)
{
    cairn_tlb_forget_(space->vm, space, address >> space->vm->page_shift, false);
}

CAIRN_NOINLINE void cairn_tlb_forget_frame_(struct cairn_vm *vm, const unsigned char *memory)
{
    for (uint32_t i = 0; i <= vm->tlb_mask + CAIRN_VICTIMS; i++) {
        struct cairn_tlb_entry *const entry = i <= vm->tlb_mask ? &vm->tlb[i] : &vm->victim[i - vm->tlb_mask - 1];
        if (entry->read_tag != CAIRN_TAG_NONE && entry->addend + (uintptr_t)(entry->read_tag & ~vm->offset_mask) == (uintptr_t)memory) {
            clear(entry);
        }
    }
}
