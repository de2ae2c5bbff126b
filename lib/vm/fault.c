// SPDX-License-Identifier: MIT
//
// A fault: a page that is not there is brought in, or the access is refused.
//
// OWNS: nothing beyond frame.h and table.h. What happens is in the order of the textbook: is the address valid? is the access allowed? is a frame free? else one is
//     made free, writing back what was in it; the page is read, or zeroed; the table is updated; the access is made again.
// INVARIANTS: until the page is in its frame, nothing has changed but that another page may have left.
// COST: O(mappings), the tables, a transfer or two; a range: O(mappings^2), and what faults in it. CALLERS: lib/vm.
#include "vm/bring.h"

// The page is none of a mapping that is the space's alone, or the access is not allowed there.
static CAIRN_NOINLINE int refuse(struct cairn_space *space, struct cairn_mapping *mapping, cairn_vaddr_t address, uint32_t access, pte_t *pte)
{
    const struct cairn_sharing *const sharing = space->vm->sharing;
    return sharing != NULL ? sharing->resolve(space, mapping, address, access, pte) : mapping == NULL ? CAIRN_EFAULT : CAIRN_EACCES;
}

// In the order of the textbook.
CAIRN_INLINE int resolve(struct cairn_space *space, cairn_vaddr_t address, uint32_t access, pte_t *pte)
{
    struct cairn_vm *const vm = space->vm;
    const cairn_vaddr_t page = address >> page_shift(vm);
    struct cairn_mapping *const mapping = mapping_of(space, page); // a page of a mapping is one that the tables have (V8)
    if (CAIRN_UNLIKELY(mapping == NULL) || CAIRN_UNLIKELY((~mapping->plain & access) != 0)) {
        return refuse(space, mapping, address, access, pte);
    }
    if (CAIRN_UNLIKELY(space->suspended)) {
        return CAIRN_EBUSY;
    }
    return own_page(vm, space, page, mapping->plain, pte);
}

CAIRN_NOINLINE int cairn_fault_tell_(struct cairn_space *space, cairn_vaddr_t address, uint32_t access, int error)
{
    const struct cairn_vm_fault fault = {address, access & PTE_ACCESS, error};
    return space->handler == NULL ? error : space->handler(space->context, space, &fault);
}

CAIRN_NOINLINE int cairn_fault_access_(struct cairn_space *space, cairn_vaddr_t address, uint32_t access, pte_t *pte)
{
    for (bool was_told = false;; was_told = true) {
        int error = resolve(space, address, access, pte);
        if (CAIRN_LIKELY(error >= 0) || was_told) {
            return error;
        }
        error = cairn_fault_tell_(space, address, access, error);
        if (error != 0) {
            return error;
        }
    }
}

CAIRN_NOINLINE int cairn_fault_range_(struct cairn_space *space, cairn_vaddr_t address, uint32_t access, size_t size)
{
    const struct cairn_vm *const vm = space->vm;
    for (size_t run; size != 0; size -= run, address += (cairn_vaddr_t)run) {
        const cairn_vaddr_t page = address >> page_shift(vm);
        const struct cairn_mapping *const mapping = cairn_mapping_of_(space, page);
        cairn_vaddr_t pages = 1;
        if (mapping != NULL && (~mapping->protection & access) == 0) {
            pages = mapping->first + mapping->pages - page;
        } else {
            pte_t pte;
            const int error = cairn_fault_access_(space, address, access, &pte);
            if (error < 0) {
                return error;
            }
        }
        const cairn_vaddr_t left = (pages << page_shift(vm)) - (address & vm->offset_mask); // also where what is mapped ends where all addresses do
        run = left < size ? (size_t)left : size;
    }
    return 0;
}
