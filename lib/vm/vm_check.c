// SPDX-License-Identifier: MIT
//
// The checker of a vm: every rule, by its number.
//
// OWNS: nothing; read-only.
// INVARIANTS: V1 no node is empty, and those that are free are   V2 a pte is nothing, present, swapped or shared   V3 frames and present ptes name each other   V4 a slot in use has one
//     owner   V5 the free list holds what is free   V6 the TLB says what the tables say   V7 what is pinned is resident   V8 mappings are in order, and have
//     every page that has a pte; the figures agree, and what is promised   V9 what a mapping shows is its object's   V10 a shared page has as many owners as it says
// COST: O(tables + pages in use * (levels + mappings) + TLB * spaces + slots); for each pte that is shared, a look at all of them before it, or at all. CALLERS: the user, tests.
#include "cairn/access.h"
#include "vm/share.h"

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

// V1: a node that is free is zeros behind its link.
static bool free_nodes_are_good(const struct cairn_vm *vm)
{
    for (uint32_t level = 0; level < table_levels(vm); level++) {
        uint32_t most = vm->table_used / table_bytes(vm, level);
        for (uint32_t entry = vm->free_node[vm->node_list[level]]; entry != 0; entry = table_below(vm, entry)[0]) {
            uint32_t at = table_mask(vm, level);
            while (at != 0 && table_below(vm, entry)[at] == 0) {
                at--;
            }
            if (at != 0 || most-- == 0) {
                return false;
            }
        }
    }
    return true;
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

// What is counted over all spaces.
struct totals {
    struct slots slots;
    struct cairn_space_figures pool;
    uint32_t bytes;         // of nodes
    cairn_vaddr_t promised; // pages
    cairn_vaddr_t pins;     // of objects' pages: as mappings count them, less those that ptes count
};

CAIRN_INLINE bool record_is_there(const struct cairn_vm *vm, cairn_vaddr_t number)
{
    return vm->pool != NULL && (uint64_t)number * 4 + sizeof(struct record) <= vm->table_used;
}

// V4 for a page that is in a slot, or whose frame says so; slot: SLOT_NONE, SLOT_BACKED for none.
static uint32_t check_slot(const struct cairn_vm *vm, uint32_t slot, struct slots *slots)
{
    if (slot == SLOT_NONE || slot == SLOT_BACKED) {
        return 0;
    }
    slots_add(slots, slot);
    return slot_is_used(vm, slot) ? 0 : 4;
}

// V2, V3, V4 for a page of the owner's own: a space's, an object's, the pool's. allowed: the most that its pte may allow. Counts what it holds.
static uint32_t check_own(const struct cairn_space *owner, cairn_vaddr_t page, pte_t pte, uint32_t allowed, struct cairn_space_figures *seen, struct slots *slots)
{
    const struct cairn_vm *const vm = owner->vm;
    if (pte_is_swapped(pte)) {
        seen->swapped++;
        return check_slot(vm, pte_number(pte), slots);
    }
    const uint32_t frame = pte_number(pte);
    if (frame >= vm->frame_count || vm->table[frame].space != owner || vm->table[frame].page != page) {
        return 3;
    }
    if ((pte & PTE_ACCESS & ~((vm->table[frame].flags & FRAME_AHEAD) != 0 ? 0 : allowed)) != 0) {
        return 2;
    }
    seen->resident++;
    return check_slot(vm, vm->table[frame].slot, slots);
}

// V9 for a page of an object's, in a mapping.
static uint32_t check_shown(const struct cairn_mapping *mapping, cairn_vaddr_t page, pte_t pte, struct cairn_space_figures *seen, struct totals *totals)
{
    const struct cairn_vm *const vm = mapping->space->vm;
    const struct cairn_frame *const frame = &vm->table[pte_number(pte)];
    const uint32_t allowed = mapping_is_shared(mapping) ? mapping->protection : mapping->protection & ~CAIRN_WRITE;
    seen->shared++;
    totals->pins -= (pte & PTE_PINS) / PTE_PIN;
    return mapping->object == NULL || frame->space != &mapping->object->pages || frame->page != page - mapping->first + mapping->offset ||
                   (pte & PTE_ACCESS & ~allowed) != 0
               ? 9
               : 0;
}

// V10 for a page of the pool's, at one of the ptes that name it: all are counted at the first of them.
static uint32_t check_pool(const struct cairn_space *space, cairn_vaddr_t page, pte_t pte, struct totals *totals)
{
    const struct cairn_vm *const vm = space->vm;
    const cairn_vaddr_t end = (vm->limit >> vm->page_shift) + 1;
    const struct record *const record = table_record(vm, pte_number(pte));
    uint32_t owners = 0;
    if (!record_is_there(vm, pte_number(pte))) {
        return 10;
    }
    for (const struct cairn_space *other = vm->spaces; other != NULL; other = other->next) {
        for (cairn_vaddr_t there = cairn_table_next_(other, 0, end); there < end; there = cairn_table_next_(other, there + 1, end)) {
            const bool is_here = other == space && there == page;
            if (((*cairn_table_walk_(other, there) ^ pte) & ~(PTE_ACCESS | PTE_SAVED)) != 0) {
                continue;
            }
            if (owners == 0 && !is_here) {
                return 0; // counted there
            }
            owners++;
        }
    }
    totals->pool.virtual_pages++;
    if (owners != record->owners) {
        return 10;
    }
    const uint32_t rule = record->pte == 0 ? 0 : check_own(vm->pool, pte_number(pte), record->pte, 0, &totals->pool, &totals->slots);
    return rule == 0 && pte_is_present(record->pte) && vm->table[pte_number(record->pte)].pins != 0 ? 10 : rule;
}

// All rules for one page that has a pte.
static uint32_t check_page(const struct cairn_space *space, cairn_vaddr_t page, struct cairn_space_figures *seen, struct totals *totals)
{
    const struct cairn_vm *const vm = space->vm;
    const pte_t pte = *cairn_table_walk_(space, page);
    const bool is_shown = pte_is_present(pte) && pte_number(pte) < vm->frame_count && !frame_is_of(vm, pte, space);
    const pte_t may_have = pte_is_shared(pte) ? PTE_SAVED : is_shown ? PTE_PINS : 0;
    if ((uint32_t)pte_is_present(pte) + pte_is_swapped(pte) + pte_is_shared(pte) != 1 || (pte & (PTE_SAVED | PTE_PINS) & ~may_have) != 0) {
        return 2;
    }
    if (space->generation == GENERATION_OTHERS) { // an object's
        const struct cairn_object *const object = (const struct cairn_object *)(const void *)space;
        const bool is_its = page < object->count && !pte_is_shared(pte) && (space->backing == NULL || pte_is_present(pte));
        return is_its ? check_own(space, page, pte, 0, seen, &totals->slots) : 9;
    }
    const struct cairn_mapping *const mapping = cairn_mapping_of_(space, page);
    if (mapping == NULL || (mapping->flags & MAP_UNTOUCHED) != 0) {
        return 8;
    }
    if (mapping_locks(mapping) != 0 && (!pte_is_present(pte) || pte_number(pte) >= vm->frame_count || vm->table[pte_number(pte)].pins == 0)) {
        return 7;
    }
    if (pte_is_shared(pte)) {
        seen->shared++;
        return check_pool(space, page, pte, totals);
    }
    if (pte_is_present(pte) && pte_number(pte) < vm->frame_count && vm->table[pte_number(pte)].space != space && mapping->object != NULL) {
        return check_shown(mapping, page, pte, seen, totals);
    }
    return check_own(space, page, pte, mapping->protection, seen, &totals->slots);
}

// V7, V9 for an object: its list has the mappings that show it, and no other; they account for the pins of its pages.
static uint32_t check_object(const struct cairn_object *object)
{
    const struct cairn_space *const pages = &object->pages;
    uint32_t mappings = 0;
    cairn_vaddr_t pins = 0;
    for (const struct cairn_space *space = pages->vm->spaces; space != NULL; space = space->next) {
        for (const struct cairn_mapping *mapping = space->mappings; mapping != NULL; mapping = mapping->next) {
            mappings += mapping->object == object;
        }
    }
    for (const struct cairn_mapping *mapping = object->mappings; mapping != NULL; mapping = mapping->sibling) {
        if (mappings-- == 0 || mapping->object != object) {
            return 9;
        }
        pins += mapping->pins + (mapping_is_shared(mapping) && mapping_locks(mapping) != 0 ? mapping->pages : 0);
    }
    for (uint32_t frame = 0; frame < pages->vm->frame_count; frame++) {
        pins -= pages->vm->table[frame].space == pages ? pages->vm->table[frame].pins : 0;
    }
    return mappings != 0 ? 9 : pins != 0 ? 7 : 0;
}

// V8, V9 for the mappings of a space: in order, and each in the list of its object.
static uint32_t check_mappings(const struct cairn_space *space, cairn_vaddr_t *pages, struct totals *totals)
{
    const cairn_vaddr_t end = (space->vm->limit >> space->vm->page_shift) + 1;
    cairn_vaddr_t behind = 1;
    for (const struct cairn_mapping *mapping = space->mappings; mapping != NULL; mapping = mapping->next) {
        if (mapping->first < behind || mapping->first >= end || mapping->pages == 0 || mapping->pages > end - mapping->first || mapping->space != space ||
            (mapping->memory != NULL && (mapping->flags & MAP_UNTOUCHED) == 0)) {
            return 8;
        }
        behind = mapping->first + mapping->pages;
        *pages += mapping->pages;
        totals->promised += (mapping->flags & MAP_CHARGED) != 0 ? mapping->pages : 0;
        totals->pins += mapping->memory == NULL ? mapping->pins : 0;
        const struct cairn_mapping *its = mapping->object == NULL ? mapping : mapping->object->mappings;
        while (its != NULL && its != mapping && its->object == mapping->object) {
            its = its->sibling;
        }
        if (its != mapping || (mapping->object != NULL && (mapping->offset > mapping->object->count || mapping->pages > mapping->object->count - mapping->offset))) {
            return 9;
        }
    }
    return 0;
}

static uint32_t check_space(const struct cairn_space *space, struct totals *totals)
{
    const struct cairn_vm *const vm = space->vm;
    const cairn_vaddr_t end = (vm->limit >> vm->page_shift) + 1;
    struct cairn_space_figures seen = {0};
    uint32_t rule = check_mappings(space, &seen.virtual_pages, totals);
    if (rule == 0 && space->generation == GENERATION_OTHERS) {
        const struct cairn_object *const object = (const struct cairn_object *)(const void *)space;
        totals->promised += object->charged ? object->count : 0;
        rule = check_object(object);
    }
    if (rule != 0) {
        return rule;
    }
    if (!nodes_are_good(space, &totals->bytes)) {
        return 1;
    }
    for (cairn_vaddr_t page = cairn_table_next_(space, 0, end); page < end; page = cairn_table_next_(space, page + 1, end)) {
        rule = check_page(space, page, &seen, totals);
        if (rule != 0) {
            return rule;
        }
    }
    return seen.resident == space->figures.resident && seen.swapped == space->figures.swapped && seen.shared == space->figures.shared &&
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
        const bool is_pool = its->space == vm->pool;
        if (!is_pool && its->page > vm->limit >> vm->page_shift) {
            return 3;
        }
        const pte_t *const pte = !is_pool ? cairn_table_walk_(its->space, its->page) : record_is_there(vm, its->page) ? &table_record(vm, its->page)->pte : NULL;
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
    if (page > vm->limit >> vm->page_shift) {
        return false;
    }
    const uintptr_t there = entry->addend + (uintptr_t)(page << vm->page_shift);
    const struct cairn_mapping *const mapping = cairn_mapping_of_(space, page);
    if (mapping != NULL && mapping->memory != NULL) {
        return entry->write_tag == CAIRN_TAG_NONE && there == (uintptr_t)mapping->memory + ((uintptr_t)(page - mapping->first) << vm->page_shift);
    }
    const pte_t *const named = cairn_table_walk_(space, page);
    if (named != NULL && pte_is_shared(*named)) {
        const pte_t pte = table_record(vm, pte_number(*named))->pte;
        return entry->write_tag == CAIRN_TAG_NONE && pte_is_present(pte) && there == (uintptr_t)frame_memory(vm, pte_number(pte));
    }
    if (named == NULL || !pte_allows(*named, CAIRN_READ) || there != (uintptr_t)frame_memory(vm, pte_number(*named))) {
        return false;
    }
    return entry->write_tag == CAIRN_TAG_NONE || (entry->write_tag == entry->read_tag && pte_allows(*named, CAIRN_WRITE) &&
                                                      (vm->table[pte_number(*named)].flags & FRAME_DIRTY) != 0);
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
    struct slots used = {0};
    struct totals totals = {0};
    uint32_t broken = check_frames(vm);
    for (const struct cairn_space *space = vm->spaces; broken == 0 && space != NULL; space = space->next) {
        broken = check_space(space, &totals);
    }
    for (uint32_t slot = 0; vm->store != NULL && slot < vm->store->slots; slot++) {
        if (slot_is_used(vm, slot)) {
            slots_add(&used, slot);
        }
    }
    if (broken == 0 && (totals.bytes != vm->figures.table_bytes || totals.bytes > vm->table_used || vm->table_used > vm->table_size || !free_nodes_are_good(vm))) {
        broken = 1;
    }
    const struct slots *const named = &totals.slots;
    if (broken == 0 && (named->count != used.count || named->sum != used.sum || named->squares != used.squares || used.count != vm->figures.slots_used)) {
        broken = 4;
    }
    const struct cairn_space_figures *const pool = &totals.pool;
    if (broken == 0 && vm->pool != NULL &&
        (pool->resident != vm->pool->figures.resident || pool->swapped != vm->pool->figures.swapped || pool->virtual_pages != vm->figures.shared)) {
        broken = 10;
    }
    if (broken == 0 && totals.promised != vm->committed) {
        broken = 8;
    }
    if (broken == 0 && totals.pins != 0) {
        broken = 7;
    }
    if (broken == 0) {
        broken = check_tlb(vm);
    }
    if (rule != NULL) {
        *rule = broken;
    }
    return broken == 0 ? 0 : CAIRN_ECORRUPT;
}

// What the tables say of a page: its pte; of one that is the pool's, that, with what the mapping lets be read.
static pte_t pte_of(const struct cairn_space *space, cairn_vaddr_t page)
{
    const pte_t *const named = cairn_table_walk_(space, page);
    if (named == NULL || !pte_is_shared(*named)) {
        return named == NULL ? 0 : *named;
    }
    return table_record(space->vm, pte_number(*named))->pte | (cairn_mapping_of_(space, page)->protection & ~CAIRN_WRITE);
}

void cairn_vm_crosscheck_(const struct cairn_space *space, cairn_vaddr_t address, size_t size, uint32_t access, uintptr_t there)
{
    const struct cairn_vm *const vm = space == NULL ? NULL : space->vm;
    const bool is_mapped = vm != NULL && table_covers(vm, address);
    const cairn_vaddr_t page = is_mapped ? address >> vm->page_shift : 0;
    const struct cairn_mapping *const mapping = is_mapped ? cairn_mapping_of_(space, page) : NULL;
    uint32_t due = access;
    uint32_t flags = 0;
    if (access != 0) { // a pin keeps what it has; a tick takes the rest away from the TLB
        due |= space != NULL && space->user ? CAIRN_USER : 0;
        flags = FRAME_ACCESSED | (access & CAIRN_WRITE);
    }
    if (mapping == NULL || (address & vm->offset_mask) + size > page_size(vm)) {
        CAIRN_TRAP();
    } else if (mapping->memory != NULL) { // where it is
        if ((due & ~mapping->protection) != 0 || there != (uintptr_t)mapping->memory + (uintptr_t)(address - (mapping->first << vm->page_shift))) {
            CAIRN_TRAP();
        }
    } else {
        const pte_t pte = pte_of(space, page);
        const uint32_t frame = pte_number(pte);
        if (!pte_allows(pte, due) || (~vm->table[frame].flags & flags) != 0 || (access == 0 && vm->table[frame].pins == 0) ||
            there != (uintptr_t)frame_memory(vm, frame) + (uintptr_t)(address & vm->offset_mask)) {
            CAIRN_TRAP();
        }
    }
}
