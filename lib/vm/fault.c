// SPDX-License-Identifier: MIT
//
// A fault: a page that is not there is brought in, or the access is refused.
//
// OWNS: nothing beyond frame.h and table.h. What happens is in the order of the textbook: is the address valid? is the access allowed? is a frame free? else one is
//     made free, writing back what was in it; the page is read, or zeroed; the table is updated; the access is made again.
// INVARIANTS: until the page is in its frame, nothing has changed but that another page may have left.
// COST: O(mappings), the tables, a transfer or two. CALLERS: lib/vm.
#include "vm/frame.h"

#include <string.h>

// Fill the frame with the page's contents. Returns 0 or the store's error.
static int fill(struct cairn_space *space, uint32_t frame, pte_t pte)
{
    struct cairn_vm *const vm = space->vm;
    if (!pte_is_swapped(pte)) {
        memset(frame_memory(vm, frame), 0, page_size(vm));
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

// The page has none, or lives in a slot: give it a frame. leaf: that of its pte, or NULL.
CAIRN_INLINE int bring_in(struct cairn_space *space, cairn_vaddr_t page, uint32_t *leaf, uint32_t protection, pte_t *now)
{
    struct cairn_vm *const vm = space->vm;
    uint32_t frame = vm->free_frame;
    int error;
    if (CAIRN_LIKELY(frame != CAIRN_FRAME_NONE)) {
        frame_unlist(vm, frame);
    } else {
        error = cairn_frame_take_(vm, page_key(space, page), &frame);
        if (error != 0) {
            return error;
        }
        leaf = table_leaf(vm, space->root, page); // taking a frame may have freed tables
    }
    if (CAIRN_UNLIKELY(leaf == NULL)) {
        leaf = cairn_table_make_(space, page);
    }
    pte_t *const pte = leaf == NULL ? NULL : table_pte(vm, leaf, page);
    const pte_t was = leaf == NULL ? 0 : *pte;
    error = leaf == NULL ? CAIRN_ENOMEM : fill(space, frame, was);
    if (CAIRN_UNLIKELY(error != 0)) {
        if (leaf != NULL) {
            cairn_table_set_(space, page, was); // frees what was made for it
        }
        cairn_frame_free_(vm, frame);
        return error;
    }
    *now = frame << PTE_SHIFT | PTE_PRESENT | protection;
    *pte = *now;
    vm->table[frame] = (struct cairn_frame){.space = space, .page = page, .slot = was == 0 ? SLOT_NONE : pte_number(was), .flags = FRAME_ACCESSED | FRAME_USED};
    space->figures.resident++;
    vm->policy->insert(vm->policy_state, frame, page_key(space, page));
    if (CAIRN_UNLIKELY(vm->prefetch != NULL) && was != 0) {
        vm->prefetch->asked(space, page, frame);
    }
    return 0;
}

// In the order of the textbook.
CAIRN_INLINE int resolve(struct cairn_space *space, cairn_vaddr_t address, uint32_t access, pte_t *pte)
{
    const struct cairn_vm *const vm = space->vm;
    const cairn_vaddr_t page = address >> page_shift(vm);
    const struct cairn_mapping *const mapping = mapping_of(space, page); // a page of a mapping is one that the tables have (V8)
    if (CAIRN_UNLIKELY(mapping == NULL)) {
        return CAIRN_EFAULT;
    }
    if (CAIRN_UNLIKELY((~mapping->protection & access) != 0)) {
        return CAIRN_EACCES;
    }
    if (CAIRN_UNLIKELY(space->suspended)) {
        return CAIRN_EBUSY;
    }
    uint32_t *const leaf = table_leaf(vm, space->root, page);
    if (leaf != NULL && pte_is_present(*table_pte(vm, leaf, page))) {
        *table_pte(vm, leaf, page) |= mapping->protection; // a page that was brought in ahead has none yet
        *pte = *table_pte(vm, leaf, page);
        frame_touch(vm, pte_number(*pte));
        if (CAIRN_UNLIKELY((vm->table[pte_number(*pte)].flags & FRAME_AHEAD) != 0)) {
            vm->prefetch->asked(space, page, pte_number(*pte));
        }
        return 0;
    }
    return bring_in(space, page, leaf, mapping->protection, pte);
}

CAIRN_NOINLINE int cairn_fault_tell_(struct cairn_space *space, cairn_vaddr_t address, uint32_t access, int error)
{
    const struct cairn_vm_fault fault = {address, access, error};
    return space->handler == NULL ? error : space->handler(space->context, space, &fault);
}

CAIRN_NOINLINE int cairn_fault_access_(struct cairn_space *space, cairn_vaddr_t address, uint32_t access, pte_t *pte)
{
    for (bool was_told = false;; was_told = true) {
        int error = resolve(space, address, access, pte);
        if (CAIRN_LIKELY(error == 0) || was_told) {
            return error;
        }
        error = cairn_fault_tell_(space, address, access, error);
        if (error != 0) {
            return error;
        }
    }
}
