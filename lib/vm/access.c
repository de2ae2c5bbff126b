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

#include "base/bulk.h"

#include <string.h>

#define DIRTY_BIT 1
_Static_assert(FRAME_DIRTY == 1u << DIRTY_BIT && CAIRN_TAG_NONE == ~(cairn_vaddr_t)0, "a tag or'ed with a bit");

CAIRN_INLINE uint32_t access_of(const struct cairn_space *space, uint32_t access)
{
    return space->user ? access | CAIRN_USER : access;
}

// Bring the page in, for an access, and note it. Returns 0, its pte and what is known of its frame; or an error; or FOUND_DIRECT, and nothing else.
CAIRN_SHARED int reach(struct cairn_vm *vm, struct cairn_space *space, cairn_vaddr_t address, uint32_t access, pte_t *pte, uint32_t *flags)
{
    const int error = cairn_fault_access_(space, address, access_of(space, access), pte);
    if (CAIRN_LIKELY(error == 0)) {
        *flags = frame_note(&vm->table[pte_number(*pte)], access);
        if (CAIRN_UNLIKELY(space->quick_root == NULL) && vm->reference != NULL) {
            vm->reference(vm->context, space, address, (access & CAIRN_WRITE) != 0);
        }
    }
    return error;
}

// Write an entry; what it was goes to the victim's place. By the word: the compiler's own copy of 16 bytes takes registers that hold what is needed later.
CAIRN_INLINE void entry_exchange(struct cairn_tlb_entry *entry, struct cairn_tlb_entry *victim, uintptr_t addend, cairn_vaddr_t read_tag, cairn_vaddr_t write_tag)
{
    victim->addend = entry->addend;
    victim->read_tag = entry->read_tag;
    victim->write_tag = entry->write_tag;
    entry->addend = addend;
    entry->read_tag = read_tag;
    entry->write_tag = write_tag;
}

// The tag that stores must have: the page's where it is dirty and may be written, else CAIRN_TAG_NONE, all ones. Two instructions, which a condition is not.
CAIRN_INLINE cairn_vaddr_t write_tag_of(cairn_vaddr_t tag, uint32_t dirty)
{
    return tag | ~((cairn_vaddr_t)0 - (dirty >> DIRTY_BIT & 1));
}

// Put the page, which has just been reached, into its entry of the TLB; what was there goes to the victim set, be it nothing or the page itself: to look at it
// would cost more than what is lost. Returns the addend.
CAIRN_SHARED uintptr_t enter(struct cairn_vm *vm, struct cairn_tlb_entry *victim, cairn_vaddr_t page, cairn_vaddr_t tag, uint32_t frame, uint32_t dirty)
{
    struct cairn_tlb_entry *const entry = tlb_at(vm, page);
    CAIRN_FORGET(page);
    const uintptr_t addend = (uintptr_t)frame_memory(vm, frame) - (uintptr_t)(page << page_shift(vm));
    entry_exchange(entry, victim, addend, tag, write_tag_of(tag, dirty));
    return addend;
}

// The page goes back from the victim set into the TLB, for what was there. Returns the addend.
CAIRN_INLINE uintptr_t enter_again(struct cairn_vm *vm, struct cairn_tlb_entry *victim, cairn_vaddr_t page)
{
    struct cairn_tlb_entry *const entry = tlb_at(vm, page);
    const uintptr_t addend = victim->addend;
    entry_exchange(entry, victim, addend, victim->read_tag, victim->write_tag);
    vm->figures.victim_hits++;
    return addend;
}

// ------------------------------------------------------------------------------------------------- words, where the TLB misses

// What the short path below does not do: a fault, an access that is not aligned, somebody who wants to know. Returns 0 and the addend, or an error.
CAIRN_SHARED int miss_slow(struct cairn_vm *vm, cairn_vaddr_t address, uint32_t access, uintptr_t *addend)
{
    struct cairn_space *const space = vm->current;
    const cairn_vaddr_t page = address >> page_shift(vm);
    pte_t pte;
    uint32_t flags;
    if (space == NULL) {
        return CAIRN_EFAULT;
    }
    const int error = reach(vm, space, address, access, &pte, &flags);
    if (error < 0) {
        return error;
    }
    if (CAIRN_UNLIKELY(space->generation != vm->generation)) { // the handler ran other spaces
        cairn_tlb_assign_(vm, space);
    }
    const cairn_vaddr_t tag = tlb_tag(vm, space->asid, page);
    cairn_vaddr_t write_tag = CAIRN_TAG_NONE;
    if (CAIRN_LIKELY(error == 0)) {
        *addend = (uintptr_t)frame_memory(vm, pte_number(pte)) - (uintptr_t)(page << page_shift(vm));
        if ((flags & pte & FRAME_DIRTY) != 0 && !(CAIRN_UNLIKELY(space->quick_root == NULL) && vm->write_through)) {
            write_tag = tag;
        }
    } else {
        *addend = (uintptr_t)vm->sharing->direct(space, address) - (uintptr_t)address;
        if (!is_for_words(*addend)) {
            return 0; // whoever finds it in the TLB loads a word at once
        }
    }
    entry_exchange(tlb_at(vm, page), tlb_victim(vm, page), *addend, tag, write_tag);
    return 0;
}

// Have the TLB hold the page of an address of the current space, for an access. Returns false where that takes the long way.
CAIRN_SHARED bool miss(struct cairn_vm *vm, cairn_vaddr_t address, uint32_t access, uintptr_t *addend)
{
    cairn_vaddr_t page = address >> page_shift(vm);
    CAIRN_FORGET(page); // shifted back where it is needed: a part of another instruction
    const cairn_vaddr_t tag = tlb_tag(vm, vm->asid, page);
    struct cairn_tlb_entry *victim = tlb_victim(vm, page);
    CAIRN_FORGET(victim);
    vm->figures.tlb_misses++;
    if (((access & CAIRN_WRITE) != 0 ? victim->write_tag : victim->read_tag) == tag) {
        *addend = enter_again(vm, victim, page);
        return true;
    }
    if (CAIRN_UNLIKELY(vm->quick_root == NULL) || CAIRN_UNLIKELY(!table_covers(vm, address))) {
        return false;
    }
    uint32_t *const leaf = table_leaf(vm, vm->quick_root, page);
    if (CAIRN_UNLIKELY(leaf == NULL)) {
        return false;
    }
    const pte_t pte = *table_pte(vm, leaf, page);
    if (CAIRN_UNLIKELY(!pte_allows(pte, access | vm->mode))) {
        return false;
    }
    const uint32_t flags = frame_note(&vm->table[pte_number(pte)], access);
    *addend = enter(vm, victim, page, tag, pte_number(pte), (access & CAIRN_WRITE) != 0 ? FRAME_DIRTY : flags & pte);
    return true;
}

// ------------------------------------------------------------------------------------------------------------------- bytes

// Where the bytes at an address are, and how many of at most `most` are there in one piece; good until the next call. Returns 0 or an error.
static int span(struct cairn_space *space, cairn_vaddr_t address, uint32_t access, size_t most, unsigned char **memory, uint32_t *run)
{
    const struct cairn_vm *const vm = space->vm;
    const uint32_t offset = (uint32_t)(address & vm->offset_mask);
    pte_t pte;
    uint32_t flags;
    const int error = reach(space->vm, space, address, access, &pte, &flags);
    if (error < 0) {
        return error;
    }
    const uint32_t left = page_size(vm) - offset;
    *memory = error == 0 ? frame_memory(vm, pte_number(pte)) + offset : vm->sharing->direct(space, address);
    *run = left < most ? left : (uint32_t)most;
    return 0;
}

// Keep the page, which span has found, where it is. Returns what to release: NULL for memory that stays anyway, in no frame or with as many pins as can be.
CAIRN_SHARED struct cairn_frame *hold(struct cairn_vm *vm, const unsigned char *memory)
{
    const size_t number = (size_t)((uintptr_t)memory - (uintptr_t)vm->frames) >> page_shift(vm);
    if (number >= vm->frame_count || vm->table[number].pins == UINT8_MAX) {
        return NULL;
    }
    frame_pin(&vm->table[number]);
    return &vm->table[number];
}

static void release(struct cairn_frame *frame)
{
    if (frame != NULL) {
        frame_unpin(frame);
    }
}

// The page at the address was stored to.
CAIRN_SHARED void stored(struct cairn_space *space, cairn_vaddr_t address)
{
    if (CAIRN_UNLIKELY(space->vm->write_through)) {
        frame_stored(space->vm, pte_number(*cairn_table_walk_(space, address >> page_shift(space->vm))));
    }
}

CAIRN_NOINLINE int cairn_space_read(struct cairn_space *space, void *to, cairn_vaddr_t from, size_t size)
{
    unsigned char *bytes = to;
    unsigned char *memory;
    uint32_t run;
    for (; size != 0; size -= run, bytes += run, from += run) {
        const int error = span(space, from, CAIRN_READ, size, &memory, &run);
        if (error != 0) {
            return error;
        }
        cairn_bulk_copy_(bytes, memory, run);
    }
    return 0;
}

CAIRN_NOINLINE int cairn_space_write(struct cairn_space *space, cairn_vaddr_t to, const void *from, size_t size)
{
    const unsigned char *bytes = from;
    unsigned char *memory;
    uint32_t run;
    int error = cairn_fault_range_(space, to, access_of(space, CAIRN_WRITE), size);
    if (error != 0) {
        return error;
    }
    for (; size != 0; size -= run, bytes += run, to += run) {
        error = span(space, to, CAIRN_WRITE, size, &memory, &run);
        if (error != 0) {
            return error;
        }
        cairn_bulk_copy_(memory, bytes, run);
        stored(space, to);
    }
    return 0;
}

CAIRN_NOINLINE int cairn_space_fill(struct cairn_space *space, cairn_vaddr_t to, uint8_t byte, size_t size)
{
    unsigned char *memory;
    uint32_t run;
    int error = cairn_fault_range_(space, to, access_of(space, CAIRN_WRITE), size);
    if (error != 0) {
        return error;
    }
    for (; size != 0; size -= run, to += run) {
        error = span(space, to, CAIRN_WRITE, size, &memory, &run);
        if (error != 0) {
            return error;
        }
        if (byte == 0) {
            cairn_bulk_zero_(memory, run);
        } else {
            memset(memory, byte, run);
        }
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
    int error = cairn_fault_range_(from_space, from, access_of(from_space, CAIRN_READ), size);
    error = error == 0 ? cairn_fault_range_(to_space, to, access_of(to_space, CAIRN_WRITE), size) : error;
    if (error != 0) {
        return error;
    }
    for (; size != 0; size -= run, to += run, from += run) {
        unsigned char *source;
        uint32_t there;
        error = span(from_space, from, CAIRN_READ, size, &source, &there);
        if (error != 0) {
            return error;
        }
        struct cairn_frame *const frame = hold(from_space->vm, source);
        error = span(to_space, to, CAIRN_WRITE, there, &memory, &run);
        if (error == 0) {
            memmove(memory, source, run);
        }
        release(frame);
        if (error == 0) {
            stored(to_space, to);
        }
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

// A word of another size, as the last thing of an access. Returns 0.
static CAIRN_NOINLINE int copy_other(void *to, const void *from, size_t size)
{
    memcpy(to, from, size);
    return 0;
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
    if (CAIRN_UNLIKELY(size != 4)) {
        return copy_other(value, (const void *)(addend + (uintptr_t)address), size);
    }
    *(cairn_u32 *)value = *(const cairn_u32 *)(addend + (uintptr_t)address);
    return 0;
}

// Both pages first; the first stays while the second comes.
CAIRN_NOINLINE int cairn_crossing_store_(struct cairn_space *space, cairn_vaddr_t address, const void *value, size_t size)
{
    unsigned char *first;
    unsigned char *second;
    uint32_t left, rest;
    int error = span(space, address, CAIRN_WRITE, size, &first, &left);
    if (error != 0) {
        return error;
    }
    struct cairn_frame *const frame = hold(space->vm, first);
    error = span(space, address + left, CAIRN_WRITE, size - left, &second, &rest);
    release(frame);
    if (error == 0) {
        memcpy(first, value, left);
        memcpy(second, (const unsigned char *)value + left, rest);
        stored(space, address + left);
    }
    stored(space, address);
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
    if (CAIRN_UNLIKELY(size != 4)) {
        return copy_other((void *)(addend + (uintptr_t)address), value, size);
    }
    *(cairn_u32 *)(addend + (uintptr_t)address) = *(const cairn_u32 *)value;
    return 0;
}
