// SPDX-License-Identifier: MIT
//
// The checker of a vm: every rule, by its number.
//
// OWNS: nothing; read-only.
// INVARIANTS: V1 no node is empty   V2 a pte is nothing, present or swapped   V3 frames and present ptes name each other   V4 a slot in use has one
//     owner   V5 the free list holds what is free   V6 the TLB says what the tables say   V7 what is pinned is resident   V8 mappings are in order, and have
//     every page that has a pte; the figures agree
// COST: O(tables + pages in use * (levels + mappings) + TLB * spaces + slots). CALLERS: the user, tests.
#include "cairn/access.h"
#include "vm/frame.h"
#include "vm/tlb.h"

// V1: a walk through all nodes, of which only the root may have no entry. Adds up their bytes.
static bool nodes_are_good(const struct cairn_space *space, uint32_t *bytes)
{
    const struct cairn_vm *const vm = space->vm;
    uint32_t *path[CAIRN_LEVELS_MAX] = {space->root};
    uint32_t at[CAIRN_LEVELS_MAX] = {0};
    uint32_t live[CAIRN_LEVELS_MAX] = {0};
    uint32_t level = 0;
    for (;;) {
        if (at[level] > table_mask(vm, level)) { // the node's end
            if (level != 0 && live[level] == 0) {
                return false;
            }
            *bytes += table_bytes(vm, level);
            if (level-- == 0) {
                return true;
            }
            continue;
        }
        const uint32_t entry = path[level][at[level]++];
        live[level] += entry != 0;
        if (entry != 0 && level + 1 < table_levels(vm)) {
            path[++level] = table_below(vm, entry);
            at[level] = live[level] = 0;
        }
    }
}

// The slots that pages name, or that are in use: how many, and two sums of their numbers, which differ where one is named twice and another never.
struct slots {
    uint32_t count, sum, squares;
};

CAIRN_INLINE void slots_add(struct slots *slots, uint32_t slot)
{
    slots->count++;
    slots->sum += slot;
    slots->squares += slot * slot;
}

CAIRN_INLINE bool slot_is_used(const struct cairn_vm *vm, uint32_t slot)
{
    return vm->store != NULL && slot < vm->store->slots && (vm->slots[slot / 32] >> slot % 32 & 1) != 0;
}

// V2, V3, V4, V8 for one page. Counts what it holds.
static uint32_t check_page(const struct cairn_space *space, cairn_vaddr_t page, struct cairn_space_figures *seen, struct slots *slots)
{
    const struct cairn_vm *const vm = space->vm;
    const pte_t pte = *table_walk(space, page);
    if (pte_is_present(pte) == pte_is_swapped(pte)) {
        return 2;
    }
    const struct cairn_mapping *const mapping = mapping_of(space, page);
    if (mapping == NULL) {
        return 8;
    }
    if (pte_is_swapped(pte)) {
        seen->swapped++;
        slots_add(slots, pte_number(pte));
        return slot_is_used(vm, pte_number(pte)) ? 0 : 4;
    }
    const uint32_t frame = pte_number(pte);
    if (frame >= vm->frame_count || vm->table[frame].space != space || vm->table[frame].page != page) {
        return 3;
    }
    const uint32_t allowed = (vm->table[frame].flags & FRAME_AHEAD) != 0 ? 0 : mapping->protection;
    if ((pte & PTE_ACCESS & ~allowed) != 0) {
        return 2;
    }
    seen->resident++;
    if (vm->table[frame].slot == SLOT_NONE) {
        return 0;
    }
    slots_add(slots, vm->table[frame].slot);
    return slot_is_used(vm, vm->table[frame].slot) ? 0 : 4;
}

static uint32_t check_space(const struct cairn_space *space, struct slots *slots, uint32_t *bytes)
{
    const struct cairn_vm *const vm = space->vm;
    const cairn_vaddr_t end = (vm->limit >> vm->page_shift) + 1;
    struct cairn_space_figures seen = {0};
    cairn_vaddr_t behind = 1;
    for (const struct cairn_mapping *mapping = space->mappings; mapping != NULL; mapping = mapping->next) {
        if (mapping->first < behind || mapping->first >= end || mapping->pages == 0 || mapping->pages > end - mapping->first) {
            return 8;
        }
        behind = mapping->first + mapping->pages;
        seen.virtual_pages += mapping->pages;
    }
    if (!nodes_are_good(space, bytes)) {
        return 1;
    }
    for (cairn_vaddr_t page = cairn_table_next_(space, 0, end); page < end; page = cairn_table_next_(space, page + 1, end)) {
        const uint32_t rule = check_page(space, page, &seen, slots);
        if (rule != 0) {
            return rule;
        }
    }
    return seen.resident == space->figures.resident && seen.swapped == space->figures.swapped &&
                   seen.virtual_pages == space->figures.virtual_pages
               ? 0
               : 8;
}

// V3, V5, V7: what is free is in the list once, what is not has a page that says so.
static uint32_t check_frames(const struct cairn_vm *vm)
{
    uint32_t listed = 0;
    uint32_t freed = 0;
    for (uint32_t frame = vm->free_frame; frame != CAIRN_FRAME_NONE; frame = vm->table[frame].next) {
        if (frame >= vm->frame_count || vm->table[frame].space != NULL || ++listed > vm->frame_count) {
            return 5;
        }
    }
    for (uint32_t frame = 0; frame < vm->frame_count; frame++) {
        const struct cairn_frame *const its = &vm->table[frame];
        if (its->space == NULL) {
            freed++;
            if (its->pins != 0 || its->flags != FRAME_PINNED) {
                return 7;
            }
            continue;
        }
        if ((its->pins != 0) != ((its->flags & FRAME_PINNED) != 0)) {
            return 7;
        }
        const pte_t *const pte = table_walk(its->space, its->page);
        if (pte == NULL || !pte_is_present(*pte) || pte_number(*pte) != frame) {
            return 3;
        }
    }
    return listed == freed && freed == vm->figures.frames_free ? 0 : 5;
}

// V6 for one entry.
static bool entry_is_true(const struct cairn_vm *vm, const struct cairn_tlb_entry *entry)
{
    if (entry->read_tag == CAIRN_TAG_NONE) {
        return entry->write_tag == CAIRN_TAG_NONE;
    }
    const cairn_vaddr_t page = entry->read_tag >> vm->page_shift;
    const struct cairn_space *space = vm->spaces;
    while (space != NULL && (space->generation != vm->generation || space->asid != (entry->read_tag & vm->offset_mask))) {
        space = space->next;
    }
    if (space == NULL) {
        return true; // of a space that is no more; nobody has its ASID in this generation
    }
    const pte_t *const pte = table_walk(space, page);
    if (pte == NULL || !pte_allows(*pte, CAIRN_READ) ||
        entry->addend + (uintptr_t)(page << vm->page_shift) != (uintptr_t)frame_memory(vm, pte_number(*pte))) {
        return false;
    }
    return entry->write_tag == CAIRN_TAG_NONE || (entry->write_tag == entry->read_tag && pte_allows(*pte, CAIRN_WRITE) &&
                                                      (vm->table[pte_number(*pte)].flags & FRAME_DIRTY) != 0);
}

static uint32_t check_tlb(const struct cairn_vm *vm)
{
    if (vm->asid != (vm->current == NULL ? ASID_NONE : vm->current->asid) || (vm->current != NULL && vm->current->generation != vm->generation)) {
        return 6;
    }
    for (uint32_t i = 0; i <= vm->tlb_mask; i++) {
        const struct cairn_tlb_entry *const entry = &vm->tlb[i];
        if (!entry_is_true(vm, entry) || (entry->read_tag != CAIRN_TAG_NONE && tlb_at(vm, entry->read_tag >> vm->page_shift) != entry)) {
            return 6;
        }
    }
    for (uint32_t i = 0; i < CAIRN_VICTIMS; i++) {
        if (!entry_is_true(vm, &vm->victim[i])) {
            return 6;
        }
    }
    return 0;
}

int cairn_vm_check(const struct cairn_vm *vm, uint32_t *rule)
{
    struct slots named = {0};
    struct slots used = {0};
    uint32_t bytes = 0;
    uint32_t broken = check_frames(vm);
    for (const struct cairn_space *space = vm->spaces; broken == 0 && space != NULL; space = space->next) {
        broken = check_space(space, &named, &bytes);
    }
    for (uint32_t slot = 0; vm->store != NULL && slot < vm->store->slots; slot++) {
        if (slot_is_used(vm, slot)) {
            slots_add(&used, slot);
        }
    }
    if (broken == 0 && (bytes != vm->figures.table_bytes || bytes > vm->table_used || vm->table_used > vm->table_size)) {
        broken = 1;
    }
    if (broken == 0 && (named.count != used.count || named.sum != used.sum || named.squares != used.squares || used.count != vm->figures.slots_used)) {
        broken = 4;
    }
    if (broken == 0) {
        broken = check_tlb(vm);
    }
    if (rule != NULL) {
        *rule = broken;
    }
    return broken == 0 ? 0 : CAIRN_ECORRUPT;
}

void cairn_vm_crosscheck_(const struct cairn_space *space, cairn_vaddr_t address, size_t size, uint32_t access, uintptr_t there)
{
    const struct cairn_vm *const vm = space == NULL ? NULL : space->vm;
    const pte_t *const pte = vm == NULL || !table_covers(vm, address) ? NULL : table_walk(space, address >> vm->page_shift);
    uint32_t due = access | PTE_PRESENT;
    uint32_t flags = 0;
    if (access != 0) { // a pin keeps what it has; a tick takes the rest away from the TLB
        due |= space != NULL && space->user ? CAIRN_USER : 0;
        flags = FRAME_ACCESSED | (access & CAIRN_WRITE);
    }
    if (pte == NULL || !pte_allows(*pte, due) || (~vm->table[pte_number(*pte)].flags & flags) != 0 ||
        (access == 0 && vm->table[pte_number(*pte)].pins == 0) ||
        (address & vm->offset_mask) + size > page_size(vm) ||
        there != (uintptr_t)frame_memory(vm, pte_number(*pte)) + (uintptr_t)(address & vm->offset_mask)) {
        CAIRN_TRAP();
    }
}
