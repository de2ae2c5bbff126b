// SPDX-License-Identifier: MIT
//
// Spaces: making and ending them, their mappings, which one is current.
//
// OWNS: the list of spaces, and of each its mappings.
// INVARIANTS: V8 mappings are in the order of their addresses, do not overlap, and lie in pages 1 to the last of the space.
// COST: O(mappings); unmap O(pages in use). CALLERS: the user.
#include "vm/frame.h"
#include "vm/tlb.h"

#include "base/bulk.h"

#define SPACES_MAX 255u

// Where the space's pointer to the mapping is; NULL: it is not one of its, or not one of the caller's.
static struct cairn_mapping **place_of(struct cairn_space *space, const struct cairn_mapping *mapping)
{
    struct cairn_mapping **at = &space->mappings;
    while (*at != NULL && *at != mapping) {
        at = &(*at)->next;
    }
    return *at == NULL || ((*at)->flags & MAP_NODE) != 0 ? NULL : at;
}

CAIRN_NOINLINE struct cairn_mapping *cairn_mapping_of_(const struct cairn_space *space, cairn_vaddr_t page)
{
    return mapping_search(space, page);
}

int cairn_space_map(struct cairn_space *space, struct cairn_mapping *mapping, cairn_vaddr_t address, cairn_vaddr_t size, uint32_t protection)
{
    if (space == NULL || mapping == NULL || space->vm == NULL || !is_protection(protection)) {
        return CAIRN_EINVAL;
    }
    const struct cairn_vm *const vm = space->vm;
    if (!range_is_good(vm, address, size)) {
        return CAIRN_EINVAL;
    }
    const cairn_vaddr_t first = address >> vm->page_shift;
    const cairn_vaddr_t pages = size >> vm->page_shift;
    struct cairn_mapping **place = &space->mappings;
    for (struct cairn_mapping *other = space->mappings; other != NULL; other = other->next) {
        if (other == mapping || (other->first < first + pages && first < other->first + other->pages)) {
            return CAIRN_EBUSY;
        }
        place = other->first < first ? &other->next : place;
    }
    cairn_bulk_zero_(mapping, sizeof *mapping);
    mapping->next = *place;
    mapping->first = first;
    mapping->pages = pages;
    mapping->protection = protection;
    mapping->plain = plain_of(protection);
    mapping->space = space;
    *place = mapping;
    space->figures.virtual_pages += pages;
    return 0;
}

// Forget the page, wherever it lives.
CAIRN_NOINLINE void cairn_page_drop_(struct cairn_space *space, cairn_vaddr_t page)
{
    struct cairn_vm *const vm = space->vm;
    const pte_t pte = *cairn_table_walk_(space, page);
    cairn_tlb_drop_(vm, space, page, false);
    if (pte_is_swapped(pte)) {
        cairn_slot_free_(vm, pte_number(pte));
        space->figures.swapped--;
    } else if (CAIRN_UNLIKELY(!pte_is_present(pte)) || CAIRN_UNLIKELY(vm->table[pte_number(pte)].space != space)) {
        vm->sharing->drop(space, pte);
    } else {
        const uint32_t frame = pte_number(pte);
        vm->policy->remove(vm->policy_state, frame, false);
        cairn_slot_free_(vm, vm->table[frame].slot);
        cairn_frame_free_(vm, frame);
        space->figures.resident--;
    }
    cairn_table_set_(space, page, 0);
}

// Is any page of the range pinned?
CAIRN_NOINLINE bool cairn_pages_pinned_(const struct cairn_space *space, cairn_vaddr_t page, cairn_vaddr_t end)
{
    for (page = cairn_table_next_(space, page, end); page < end; page = cairn_table_next_(space, page + 1, end)) {
        const pte_t pte = *cairn_table_walk_(space, page);
        if (pte_is_present(pte) && space->vm->table[pte_number(pte)].pins != 0 && space->vm->table[pte_number(pte)].space == space) {
            return true;
        }
    }
    return false;
}

// The mapping that `at` leads to. pre: no page of it is pinned.
static CAIRN_NOINLINE void unmap(struct cairn_space *space, struct cairn_mapping **at)
{
    struct cairn_mapping *const mapping = *at;
    const cairn_vaddr_t end = mapping->first + mapping->pages;
    for (cairn_vaddr_t page = cairn_table_next_(space, mapping->first, end); page < end; page = cairn_table_next_(space, page + 1, end)) {
        cairn_page_drop_(space, page);
    }
    *at = mapping->next;
    mapping->next = NULL;
    space->figures.virtual_pages -= mapping->pages;
    if (CAIRN_UNLIKELY(space->vm->sharing != NULL)) {
        space->vm->sharing->forget(mapping);
    }
}

int cairn_space_unmap(struct cairn_space *space, struct cairn_mapping *mapping)
{
    struct cairn_mapping **const at = space == NULL || space->vm == NULL || mapping == NULL ? NULL : place_of(space, mapping);
    if (at == NULL) {
        return CAIRN_ENOENT;
    }
    if (cairn_pages_pinned_(space, mapping->first, mapping->first + mapping->pages)) {
        return CAIRN_EBUSY;
    }
    unmap(space, at);
    return 0;
}

CAIRN_NOINLINE void cairn_mapping_protect_(struct cairn_space *space, struct cairn_mapping *mapping, uint32_t protection)
{
    const cairn_vaddr_t end = mapping->first + mapping->pages;
    mapping->protection = protection;
    if (mapping->plain != 0 || space->vm->sharing == NULL) {
        mapping->plain = plain_of(protection);
    }
    for (cairn_vaddr_t page = cairn_table_next_(space, mapping->first, end); page < end; page = cairn_table_next_(space, page + 1, end)) {
        pte_t *const pte = cairn_table_walk_(space, page);
        *pte &= ~PTE_ACCESS; // the next access to it takes the long way
        cairn_tlb_drop_(space->vm, space, page, false);
    }
}

int cairn_space_protect(struct cairn_space *space, struct cairn_mapping *mapping, uint32_t protection)
{
    if (space == NULL || space->vm == NULL || mapping == NULL || !is_protection(protection)) {
        return CAIRN_EINVAL;
    }
    if (place_of(space, mapping) == NULL) {
        return CAIRN_ENOENT;
    }
    cairn_mapping_protect_(space, mapping, protection);
    return 0;
}

// -------------------------------------------------------------------------------------------------------------------- spaces

// The lowest number that no space has; 0: all are taken, or the space is one of them.
static uint16_t free_number(const struct cairn_vm *vm, const struct cairn_space *space)
{
    for (uint16_t number = 1; number <= SPACES_MAX; number++) {
        const struct cairn_space *other = vm->spaces;
        while (other != NULL && other != space && other->number != number) {
            other = other->next;
        }
        if (other == NULL) {
            return number;
        }
    }
    return 0;
}

CAIRN_NOINLINE int cairn_space_init(struct cairn_space *space, struct cairn_vm *vm)
{
    if (space == NULL || vm == NULL || vm->table == NULL) {
        return CAIRN_EINVAL;
    }
    const uint16_t number = free_number(vm, space);
    if (number == 0) {
        return CAIRN_EBUSY;
    }
    uint32_t *const root = cairn_table_root_(vm);
    if (root == NULL) {
        return CAIRN_ENOMEM;
    }
    cairn_bulk_zero_(space, sizeof *space);
    space->vm = vm;
    space->next = vm->spaces;
    space->root = root;
    space->number = number;
    space->quick_root = vm->write_through || vm->reference != NULL || vm->policy->touch != NULL ? NULL : root;
    tlb_assign(vm, space);
    vm->spaces = space;
    return 0;
}

CAIRN_NOINLINE int cairn_space_deinit(struct cairn_space *space)
{
    if (space == NULL || space->vm == NULL) {
        return CAIRN_EINVAL;
    }
    struct cairn_vm *const vm = space->vm;
    if (CAIRN_UNLIKELY(vm->sharing != NULL)) {
        const int error = vm->sharing->end(space);
        if (error != 0) {
            return error;
        }
    }
    if (cairn_pages_pinned_(space, 0, (vm->limit >> vm->page_shift) + 1)) {
        return CAIRN_EBUSY;
    }
    while (space->mappings != NULL) {
        unmap(space, &space->mappings);
    }
    if (vm->current == space) {
        cairn_space_switch(vm, NULL);
    }
    cairn_table_free_(vm, space->root, 0);
    struct cairn_space **at = &vm->spaces;
    while (*at != space) {
        at = &(*at)->next;
    }
    *at = space->next;
    *space = (struct cairn_space){0};
    return 0;
}

CAIRN_NOINLINE void cairn_space_switch(struct cairn_vm *vm, struct cairn_space *space)
{
    vm->current = space;
    if (space == NULL) {
        vm->asid = ASID_NONE; // everything misses
        vm->quick_root = NULL;
        return;
    }
    if (CAIRN_UNLIKELY(space->generation != vm->generation)) {
        cairn_tlb_assign_(vm, space);
    }
    vm->asid = space->asid;
    vm->quick_root = space->quick_root;
    vm->mode = space->user ? CAIRN_USER : 0;
}

void cairn_space_figures(const struct cairn_space *space, struct cairn_space_figures *figures)
{
    *figures = space->figures;
    figures->reads = figures->major + figures->prefetches;
    figures->since_tick = figures->major - figures->since_tick;
}
