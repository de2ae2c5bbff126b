// SPDX-License-Identifier: MIT
//
// A page comes into a frame.
//
// OWNS: nothing beyond frame.h and table.h.
// INVARIANTS: until the page is in its frame, nothing has changed but that another page may have left.
// COST: the tables, a transfer or two. CALLERS: fault.c, share.c, in each of which it is laid out.
#ifndef CAIRN_VM_BRING_H
#define CAIRN_VM_BRING_H

#include "vm/frame.h"

#include "base/bulk.h"

// Fill the frame with the page's contents. Returns 0 or the store's error.
CAIRN_INLINE int fill(struct cairn_vm *vm, struct cairn_space *space, cairn_vaddr_t page, uint32_t frame, pte_t pte)
{
    (void)page;
    if (!pte_is_swapped(pte)) {
        cairn_bulk_zero_(frame_memory(vm, frame), page_size(vm));
        space->figures.minor++;
        vm->figures.minor++;
        return 0;
    }
    const int error = vm->store->read(vm->store->context, pte_number(pte), frame_memory(vm, frame));
    if (error != 0) {
        return error < 0 ? error : CAIRN_EIO;
    }
    space->figures.major++;
    space->figures.swapped--;
    vm->figures.major++;
    return 0;
}

// The frame holds the page from now on.
CAIRN_INLINE void frame_enter(struct cairn_vm *vm, struct cairn_space *space, cairn_vaddr_t page, uint32_t frame, uint32_t slot, uint32_t flags)
{
    vm->table[frame] = (struct cairn_frame){.space = space, .page = page, .slot = slot, .flags = (uint8_t)(flags | FRAME_ACCESSED | FRAME_USED)};
    space->figures.resident++;
    vm->policy->insert(vm->policy_state, frame, page_key(space, page));
}

// The page has none, or lives in a slot: give it a frame. leaf: that of its pte, or NULL. fill_frame: as fill above. Returns 0, and its pte; or an error.
CAIRN_INLINE int bring_in(struct cairn_vm *vm, struct cairn_space *space, cairn_vaddr_t page, uint32_t *leaf, uint32_t protection, pte_t *now,
                          int (*fill_frame)(struct cairn_vm *, struct cairn_space *, cairn_vaddr_t, uint32_t, pte_t))
{
    uint32_t frame = vm->free_frame;
    int error;
    if (CAIRN_LIKELY(frame != CAIRN_FRAME_NONE)) {
        frame_unlist(vm, frame);
    } else {
        uint32_t taken;
        error = cairn_frame_take_(vm, page_key(space, page), &taken);
        if (error != 0) {
            return error;
        }
        frame = taken; // a place of its own: `frame` stays in a register
        leaf = table_leaf(vm, space->root, page); // taking a frame may have freed tables
    }
    if (CAIRN_UNLIKELY(leaf == NULL)) {
        leaf = cairn_table_make_(space, page);
        if (leaf == NULL) {
            cairn_frame_free_(vm, frame);
            return CAIRN_ENOMEM;
        }
    }
    pte_t *pte = table_pte(vm, leaf, page);
    CAIRN_FORGET(pte); // kept as it is; else the leaf and the page's place in it are
    pte_t was = *pte;
    error = fill_frame(vm, space, page, frame, was);
    if (CAIRN_UNLIKELY(error != 0)) {
        cairn_table_set_(space, page, was); // frees what was made for it
        cairn_frame_free_(vm, frame);
        return error;
    }
    CAIRN_FORGET(frame);
    CAIRN_FORGET(was);
    *now = frame << PTE_SHIFT | PTE_PRESENT | protection;
    *pte = *now;
    frame_enter(vm, space, page, frame, was == 0 ? SLOT_NONE : pte_number(was), 0);
    if (CAIRN_UNLIKELY(vm->prefetch != NULL) && was != 0) {
        vm->prefetch->asked(space, page, frame);
    }
    return 0;
}

// A page of the space's own, or one that becomes it, for an access that `protection` allows. Returns 0, and its pte; or an error.
CAIRN_INLINE int own_page(struct cairn_vm *vm, struct cairn_space *space, cairn_vaddr_t page, uint32_t protection, pte_t *pte)
{
    uint32_t *const leaf = table_leaf(vm, space->root, page);
    pte_t *const at = leaf == NULL ? NULL : table_pte(vm, leaf, page);
    if (at != NULL && pte_is_present(*at)) {
        *pte = *at | protection; // a page that was brought in ahead has none yet
        *at = *pte;
        frame_touch(vm, pte_number(*pte));
        if (CAIRN_UNLIKELY((vm->table[pte_number(*pte)].flags & FRAME_AHEAD) != 0)) {
            vm->prefetch->asked(space, page, pte_number(*pte));
        }
        return 0;
    }
    return bring_in(vm, space, page, leaf, protection, pte, fill);
}

#endif
