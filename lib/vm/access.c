// SPDX-License-Identifier: MIT
//
// Accesses: what a miss in the TLB does, bytes in any number, pins, cursors.
//
// OWNS: nothing; fills the TLB.
// INVARIANTS: V5 a page that was stored to is dirty, before the store. An access that fails has stored nothing; one that crosses into another page has both first.
// COST: a miss on a resident page O(levels). CALLERS: the user; access.h.
#include "cairn/access.h"
#include "vm/frame.h"
#include "vm/tlb.h"

#include <string.h>

CAIRN_INLINE uint32_t access_of(const struct cairn_space *space, uint32_t access)
{
    return space->user ? access | CAIRN_USER : access;
}

// The page's frame, for an access, noted as one. Returns 0 or an error. *at: its pte.
static int reach(struct cairn_space *space, cairn_vaddr_t address, uint32_t access, uint32_t *frame, pte_t **at)
{
    struct cairn_vm *const vm = space->vm;
    const cairn_vaddr_t page = address >> vm->page_shift;
    pte_t *pte = CAIRN_LIKELY(address <= vm->limit) ? table_walk(space, page) : NULL;
    if (pte == NULL || !pte_allows(*pte, access) || space->suspended) {
        const int error = cairn_fault_access_(space, address, access, frame);
        if (error != 0) {
            return error;
        }
        pte = table_walk(space, page);
    } else {
        vm->policy->touch(vm->policy_state, pte_number(*pte));
    }
    *frame = pte_number(*pte);
    *pte |= (access & CAIRN_WRITE) != 0 ? PTE_ACCESSED | PTE_DIRTY : PTE_ACCESSED;
    *at = pte;
    if (vm->reference != NULL) {
        vm->reference(vm->context, space, address, (access & CAIRN_WRITE) != 0);
    }
    return 0;
}

// Have the TLB hold the page of an address of the current space, for an access. NULL: *error says why not.
static const struct cairn_tlb_entry *miss(struct cairn_vm *vm, cairn_vaddr_t address, uint32_t access, int *error)
{
    struct cairn_space *const space = vm->current;
    const cairn_vaddr_t page = address >> vm->page_shift;
    uint32_t frame;
    pte_t *pte;
    if (space == NULL) {
        *error = CAIRN_EFAULT;
        return NULL;
    }
    cairn_vaddr_t tag = tlb_tag(vm, space->asid, page);
    struct cairn_tlb_entry *entry = tlb_at(vm, page);
    vm->figures.tlb_misses++;
    if (entry->read_tag != tag) {
        struct cairn_tlb_entry *const back = cairn_tlb_recall_(vm, page, tag);
        if (back != NULL && ((access & CAIRN_WRITE) == 0 || back->write_tag == tag)) {
            *error = 0;
            return back;
        }
    }
    *error = reach(space, address, access_of(space, access), &frame, &pte);
    if (*error != 0) {
        return NULL;
    }
    if (CAIRN_UNLIKELY(space->generation != vm->generation)) { // the handler ran other spaces
        cairn_tlb_assign_(vm, space);
    }
    tag = tlb_tag(vm, space->asid, page);
    if (entry->read_tag != tag) {
        entry = cairn_tlb_place_(vm, page);
    }
    entry->frame = frame;
    entry->addend = (uintptr_t)frame_memory(vm, frame) - (uintptr_t)(page << vm->page_shift);
    entry->read_tag = tag;
    entry->write_tag = (*pte & (PTE_DIRTY | CAIRN_WRITE)) == (PTE_DIRTY | CAIRN_WRITE) && !vm->write_through ? tag : CAIRN_TAG_NONE;
    return entry;
}

void cairn_page_stored_(struct cairn_vm *vm, uint32_t frame, pte_t *pte)
{
    if (vm->write_through && vm->table[frame].pins == 0 && (*pte & PTE_DIRTY) != 0) {
        (void)!cairn_frame_clean_(vm, frame); // where it fails, the page stays dirty, and is written when it leaves
    }
}

// ------------------------------------------------------------------------------------------------------------------- bytes

// Where the bytes at an address are, and how many of at most `most` are there in one piece; good until the next call. Returns 0 or an error.
static int span(struct cairn_space *space, cairn_vaddr_t address, uint32_t access, size_t most, unsigned char **memory, uint32_t *run)
{
    const struct cairn_vm *const vm = space->vm;
    const uint32_t offset = (uint32_t)(address & vm->offset_mask);
    uint32_t frame;
    pte_t *pte;
    const int error = reach(space, address, access_of(space, access), &frame, &pte);
    if (error != 0) {
        return error;
    }
    const uint32_t left = page_size(vm) - offset;
    *memory = frame_memory(vm, frame) + offset;
    *run = left < most ? left : (uint32_t)most;
    return 0;
}

static void stored(struct cairn_space *space, cairn_vaddr_t address)
{
    pte_t *const pte = table_walk(space, address >> space->vm->page_shift);
    cairn_page_stored_(space->vm, pte_number(*pte), pte);
}

int cairn_space_read(struct cairn_space *space, void *to, cairn_vaddr_t from, size_t size)
{
    unsigned char *bytes = to;
    unsigned char *memory;
    uint32_t run;
    for (; size != 0; size -= run, bytes += run, from += run) {
        const int error = span(space, from, CAIRN_READ, size, &memory, &run);
        if (error != 0) {
            return error;
        }
        memcpy(bytes, memory, run);
    }
    return 0;
}

int cairn_space_write(struct cairn_space *space, cairn_vaddr_t to, const void *from, size_t size)
{
    const unsigned char *bytes = from;
    unsigned char *memory;
    uint32_t run;
    for (; size != 0; size -= run, bytes += run, to += run) {
        const int error = span(space, to, CAIRN_WRITE, size, &memory, &run);
        if (error != 0) {
            return error;
        }
        memcpy(memory, bytes, run);
        stored(space, to);
    }
    return 0;
}

int cairn_space_fill(struct cairn_space *space, cairn_vaddr_t to, uint8_t byte, size_t size)
{
    unsigned char *memory;
    uint32_t run;
    for (; size != 0; size -= run, to += run) {
        const int error = span(space, to, CAIRN_WRITE, size, &memory, &run);
        if (error != 0) {
            return error;
        }
        memset(memory, byte, run);
        stored(space, to);
    }
    return 0;
}

int cairn_space_copy(struct cairn_space *to_space, cairn_vaddr_t to, struct cairn_space *from_space, cairn_vaddr_t from, size_t size)
{
    unsigned char *memory;
    uint32_t run;
    if (to_space == from_space && to > from && to - from < size) {
        return CAIRN_EINVAL;
    }
    for (; size != 0; size -= run, to += run, from += run) {
        void *source;
        size_t there;
        int error = cairn_space_pin(from_space, from, CAIRN_READ, &source, &there);
        if (error != 0) {
            return error;
        }
        error = span(to_space, to, CAIRN_WRITE, there < size ? there : size, &memory, &run);
        if (error == 0) {
            memmove(memory, source, run);
            stored(to_space, to);
        }
        (void)!cairn_space_unpin(from_space, from);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

int cairn_space_compare(struct cairn_space *space, cairn_vaddr_t address, const void *with, size_t size, int *order)
{
    const unsigned char *bytes = with;
    unsigned char *memory;
    uint32_t run;
    *order = 0;
    for (; size != 0; size -= run, bytes += run, address += run) {
        const int error = span(space, address, CAIRN_READ, size, &memory, &run);
        if (error != 0) {
            return error;
        }
        for (size_t i = 0; i < run; i++) {
            if (memory[i] != bytes[i]) {
                *order = memory[i] < bytes[i] ? -1 : 1;
                return 0;
            }
        }
    }
    return 0;
}

int cairn_space_string(struct cairn_space *space, cairn_vaddr_t address, size_t most, size_t *length)
{
    unsigned char *memory;
    uint32_t run;
    for (size_t done = 0; done < most; done += run) {
        const int error = span(space, address + (cairn_vaddr_t)done, CAIRN_READ, most - done, &memory, &run);
        if (error != 0) {
            return error;
        }
        for (size_t i = 0; i < run; i++) {
            if (memory[i] == 0) {
                *length = done + i;
                return 0;
            }
        }
    }
    *length = most;
    return 0;
}

// ------------------------------------------------------------------------------------------------- words, where the TLB misses

CAIRN_INLINE bool crosses(const struct cairn_vm *vm, cairn_vaddr_t address, size_t size)
{
    return (address & vm->offset_mask) + size > page_size(vm);
}

int cairn_crossing_load_(struct cairn_space *space, cairn_vaddr_t address, void *value, size_t size)
{
    unsigned char bytes[8];
    const int error = cairn_space_read(space, bytes, address, size);
    if (error == 0) {
        memcpy(value, bytes, size);
    }
    return error;
}

int cairn_vm_load_(struct cairn_vm *vm, cairn_vaddr_t address, void *value, size_t size)
{
    int error = CAIRN_EFAULT;
    if (CAIRN_UNLIKELY(crosses(vm, address, size)) && vm->current != NULL) {
        return cairn_crossing_load_(vm->current, address, value, size);
    }
    const struct cairn_tlb_entry *const entry = miss(vm, address, CAIRN_READ, &error);
    if (entry != NULL) {
        memcpy(value, (const void *)(entry->addend + (uintptr_t)address), size);
    }
    return error;
}

// Both pages first.
int cairn_crossing_store_(struct cairn_space *space, cairn_vaddr_t address, const void *value, size_t size)
{
    void *memory;
    size_t run;
    int error = cairn_space_pin(space, address, CAIRN_WRITE, &memory, &run);
    if (error != 0) {
        return error;
    }
    error = cairn_space_write(space, address + (cairn_vaddr_t)run, (const unsigned char *)value + run, size - run);
    if (error == 0) {
        memcpy(memory, value, run);
    }
    (void)!cairn_space_unpin(space, address);
    return error;
}

int cairn_vm_store_(struct cairn_vm *vm, cairn_vaddr_t address, const void *value, size_t size)
{
    int error = CAIRN_EFAULT;
    if (CAIRN_UNLIKELY(crosses(vm, address, size)) && vm->current != NULL) {
        return cairn_crossing_store_(vm->current, address, value, size);
    }
    struct cairn_space *const space = vm->current; // the handler may leave another
    const struct cairn_tlb_entry *const entry = miss(vm, address, CAIRN_WRITE, &error);
    if (entry != NULL) {
        memcpy((void *)(entry->addend + (uintptr_t)address), value, size);
        if (vm->write_through) {
            stored(space, address);
        }
    }
    return error;
}
