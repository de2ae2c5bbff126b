// SPDX-License-Identifier: MIT
//
// Accesses: what a miss in the TLB does, words that it does not hold, bytes in any number.
//
// OWNS: nothing; fills the TLB.
// INVARIANTS: V6. A page is dirty before it is stored to. An access that fails has stored nothing; one that crosses into another page has both first.
// COST: a miss on a resident page O(levels). CALLERS: the user; access.h.
#include "cairn/access.h"
#include "vm/frame.h"
#include "vm/tlb.h"

#include <string.h>

CAIRN_INLINE uint32_t access_of(const struct cairn_space *space, uint32_t access)
{
    return space->user ? access | CAIRN_USER : access;
}

// The pte of the page, for an access, noted as one. Returns 0 or an error.
static int reach(struct cairn_space *space, cairn_vaddr_t address, uint32_t access, pte_t *pte)
{
    struct cairn_vm *const vm = space->vm;
    const int error = cairn_fault_access_(space, address, access_of(space, access), pte);
    if (CAIRN_LIKELY(error == 0)) {
        frame_note(&vm->table[pte_number(*pte)], access);
        if (CAIRN_UNLIKELY(vm->reference != NULL)) {
            vm->reference(vm->context, space, address, (access & CAIRN_WRITE) != 0);
        }
    }
    return error;
}

// Put the page, which has just been reached, into the TLB; what was there goes to the victim set. Returns the addend.
CAIRN_INLINE uintptr_t enter(struct cairn_vm *vm, cairn_vaddr_t page, cairn_vaddr_t tag, pte_t pte, uint32_t flags)
{
    struct cairn_tlb_entry *const entry = tlb_at(vm, page);
    const cairn_vaddr_t old = entry->read_tag;
    if (old != CAIRN_TAG_NONE && old != tag) {
        *tlb_victim(vm, page) = *entry;
    }
    const uintptr_t addend = (uintptr_t)frame_memory(vm, pte_number(pte)) - (uintptr_t)(page << page_shift(vm));
    entry->frame = pte_number(pte);
    entry->addend = addend;
    entry->read_tag = tag;
    entry->write_tag = (flags & pte & FRAME_DIRTY) != 0 ? tag : CAIRN_TAG_NONE;
    return addend;
}

// ------------------------------------------------------------------------------------------------- words, where the TLB misses

// What the short path below does not do: a fault, a page that the victim set has, an access that is not aligned, somebody who wants to know. Returns 0 and
// the addend, or an error.
static CAIRN_NOINLINE int miss_slow(struct cairn_vm *vm, cairn_vaddr_t address, uint32_t access, uintptr_t *addend)
{
    struct cairn_space *const space = vm->current;
    const cairn_vaddr_t page = address >> page_shift(vm);
    const cairn_vaddr_t tag = tlb_tag(vm, vm->asid, page);
    struct cairn_tlb_entry *const victim = tlb_victim(vm, page);
    pte_t pte;
    if (space == NULL) {
        return CAIRN_EFAULT;
    }
    if (((access & CAIRN_WRITE) != 0 ? victim->write_tag : victim->read_tag) == tag) {
        struct cairn_tlb_entry *const entry = tlb_at(vm, page);
        const struct cairn_tlb_entry back = *victim;
        *victim = *entry;
        *entry = back;
        *addend = back.addend;
        vm->figures.victim_hits++;
        return 0;
    }
    const int error = reach(space, address, access, &pte);
    if (error == 0) {
        if (CAIRN_UNLIKELY(space->generation != vm->generation)) { // the handler ran other spaces
            cairn_tlb_assign_(vm, space);
        }
        *addend = enter(vm, page, tlb_tag(vm, space->asid, page), pte, vm->write_through ? 0 : vm->table[pte_number(pte)].flags);
    }
    return error;
}

// Have the TLB hold the page of an address of the current space, for an access. Returns false where that takes the long way.
CAIRN_INLINE bool miss(struct cairn_vm *vm, cairn_vaddr_t address, uint32_t access, uintptr_t *addend)
{
    const cairn_vaddr_t page = address >> page_shift(vm);
    const cairn_vaddr_t tag = tlb_tag(vm, vm->asid, page);
    const struct cairn_tlb_entry *const victim = tlb_victim(vm, page);
    vm->figures.tlb_misses++;
    if (CAIRN_UNLIKELY(vm->root == NULL) || CAIRN_UNLIKELY(address > vm->limit) || CAIRN_UNLIKELY(vm->watched) ||
        CAIRN_UNLIKELY(((access & CAIRN_WRITE) != 0 ? victim->write_tag : victim->read_tag) == tag)) {
        return false;
    }
    struct table_node *const leaf = table_leaf(vm, vm->root, page);
    if (CAIRN_UNLIKELY(leaf == NULL)) {
        return false;
    }
    const pte_t pte = *table_pte(vm, leaf, page);
    if (CAIRN_UNLIKELY(!pte_allows(pte, access | vm->mode))) {
        return false;
    }
    struct cairn_frame *const frame = &vm->table[pte_number(pte)];
    const uint32_t flags = frame->flags | (access & CAIRN_WRITE) | FRAME_ACCESSED;
    if (CAIRN_UNLIKELY((flags & FRAME_AHEAD) != 0)) {
        return false;
    }
    vm->policy->touch(vm->policy_state, pte_number(pte));
    frame->flags = (uint8_t)flags;
    *addend = enter(vm, page, tag, pte, flags);
    return true;
}

// ------------------------------------------------------------------------------------------------------------------- bytes

// Where the bytes at an address are, and how many of at most `most` are there in one piece; good until the next call. Returns 0 or an error.
static int span(struct cairn_space *space, cairn_vaddr_t address, uint32_t access, size_t most, unsigned char **memory, uint32_t *run)
{
    const struct cairn_vm *const vm = space->vm;
    const uint32_t offset = (uint32_t)(address & vm->offset_mask);
    pte_t pte;
    const int error = reach(space, address, access, &pte);
    if (error != 0) {
        return error;
    }
    const uint32_t left = page_size(vm) - offset;
    *memory = frame_memory(vm, pte_number(pte)) + offset;
    *run = left < most ? left : (uint32_t)most;
    return 0;
}

// The page at the address was stored to.
CAIRN_INLINE void stored(struct cairn_space *space, cairn_vaddr_t address)
{
    if (CAIRN_UNLIKELY(space->vm->write_through)) {
        frame_stored(space->vm, pte_number(*table_walk(space, address >> page_shift(space->vm))));
    }
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

// ------------------------------------------------------------------------------------------------------------------- words

// Accesses that are aligned do not cross into another page.
CAIRN_INLINE bool is_aligned(cairn_vaddr_t address, size_t size)
{
    return (address & (size - 1)) == 0;
}

CAIRN_INLINE bool crosses(const struct cairn_vm *vm, cairn_vaddr_t address, size_t size)
{
    return (address & vm->offset_mask) + size > page_size(vm);
}

CAIRN_INLINE void copy_word(void *to, const void *from, size_t size)
{
    if (CAIRN_LIKELY(size == 4) && CAIRN_LIKELY((((uintptr_t)from | (uintptr_t)to) & 3) == 0)) {
        *(cairn_u32 *)to = *(const cairn_u32 *)from;
    } else {
        memcpy(to, from, size);
    }
}

CAIRN_NOINLINE int cairn_crossing_load_(struct cairn_space *space, cairn_vaddr_t address, void *value, size_t size)
{
    unsigned char bytes[8];
    const int error = cairn_space_read(space, bytes, address, size);
    if (error == 0) {
        memcpy(value, bytes, size);
    }
    return error;
}

static CAIRN_NOINLINE int load_slow(struct cairn_vm *vm, cairn_vaddr_t address, void *value, size_t size)
{
    if (crosses(vm, address, size) && vm->current != NULL) {
        return cairn_crossing_load_(vm->current, address, value, size);
    }
    uintptr_t addend;
    const int error = miss_slow(vm, address, CAIRN_READ, &addend);
    if (error == 0) {
        copy_word(value, (const void *)(addend + (uintptr_t)address), size);
    }
    return error;
}

int cairn_vm_load_(struct cairn_vm *vm, cairn_vaddr_t address, void *value, size_t size)
{
    uintptr_t addend;
    if (CAIRN_UNLIKELY(!is_aligned(address, size)) || CAIRN_UNLIKELY(!miss(vm, address, CAIRN_READ, &addend))) {
        return load_slow(vm, address, value, size);
    }
    if (CAIRN_LIKELY(size == 4)) {
        *(cairn_u32 *)value = *(const cairn_u32 *)(addend + (uintptr_t)address);
    } else {
        memcpy(value, (const void *)(addend + (uintptr_t)address), size);
    }
    return 0;
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

static CAIRN_NOINLINE int store_slow(struct cairn_vm *vm, cairn_vaddr_t address, const void *value, size_t size)
{
    if (crosses(vm, address, size) && vm->current != NULL) {
        return cairn_crossing_store_(vm->current, address, value, size);
    }
    struct cairn_space *const space = vm->current; // the handler may leave another
    uintptr_t addend;
    const int error = miss_slow(vm, address, CAIRN_WRITE, &addend);
    if (error == 0) {
        copy_word((void *)(addend + (uintptr_t)address), value, size);
        stored(space, address);
    }
    return error;
}

int cairn_vm_store_(struct cairn_vm *vm, cairn_vaddr_t address, const void *value, size_t size)
{
    uintptr_t addend;
    if (CAIRN_UNLIKELY(!is_aligned(address, size)) || CAIRN_UNLIKELY(!miss(vm, address, CAIRN_WRITE, &addend))) {
        return store_slow(vm, address, value, size);
    }
    if (CAIRN_LIKELY(size == 4)) {
        *(cairn_u32 *)(addend + (uintptr_t)address) = *(const cairn_u32 *)value;
    } else {
        memcpy((void *)(addend + (uintptr_t)address), value, size);
    }
    return 0;
}
