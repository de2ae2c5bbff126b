// SPDX-License-Identifier: MIT
//
// Load, where pages are shared: what of others' a space uses, and what leaves with it.
//
// OWNS: nothing; load.c says what for. A frame says whether it was used, not by whom: each space that has it at hand is taken to be one.
// COST: O(pages in use of the space); where a page of the pool leaves, O(spaces) for it; of an object, O(its mappings). CALLERS: load.c, through vm->sharing.
#include "vm/share.h"

// The frame that a pte of the space's names, and which is not its own; CAIRN_FRAME_NONE: there is none.
static uint32_t frame_of_others(const struct cairn_space *space, pte_t pte)
{
    const struct cairn_vm *const vm = space->vm;
    if (pte_is_shared(pte)) {
        pte = table_record(vm, pte_number(pte))->pte;
    }
    return pte_is_present(pte) && !frame_is_of(vm, pte, space) ? pte_number(pte) : CAIRN_FRAME_NONE;
}

uint32_t cairn_share_used_(const struct cairn_space *space)
{
    const struct cairn_vm *const vm = space->vm;
    const cairn_vaddr_t end = (vm->limit >> page_shift(vm)) + 1;
    uint32_t used = 0;
    for (cairn_vaddr_t page = cairn_table_next_(space, 0, end); page < end; page = cairn_table_next_(space, page + 1, end)) {
        const uint32_t frame = frame_of_others(space, *cairn_table_walk_(space, page));
        used += frame != CAIRN_FRAME_NONE && (vm->table[frame].flags & FRAME_ACCESSED) != 0;
    }
    return used;
}

bool cairn_share_is_held_(const struct cairn_space *space)
{
    for (const struct cairn_mapping *mapping = space->mappings; mapping != NULL; mapping = mapping->next) {
        if (mapping->pins != 0 || (mapping->object != NULL && mapping_locks(mapping) != 0)) {
            return true;
        }
    }
    return false;
}

// Has a space that runs a page of the pool? Which one, nobody knows.
static bool common_is_wanted(const struct cairn_vm *vm)
{
    for (const struct cairn_space *space = vm->spaces; space != NULL; space = space->next) {
        if (space->generation != GENERATION_OTHERS && !space->suspended && space->figures.shared != 0) {
            return true;
        }
    }
    return false;
}

// Does a space that runs show the object's page?
static bool object_is_wanted(const struct cairn_object *object, cairn_vaddr_t page)
{
    for (const struct cairn_mapping *mapping = object->mappings; mapping != NULL; mapping = mapping->sibling) {
        if (!mapping->space->suspended && page - mapping->offset < mapping->pages) {
            return true;
        }
    }
    return false;
}

int cairn_share_leave_(struct cairn_space *space, cairn_vaddr_t page)
{
    struct cairn_vm *const vm = space->vm;
    const pte_t pte = *cairn_table_walk_(space, page);
    const uint32_t frame = frame_of_others(space, pte);
    if (frame == CAIRN_FRAME_NONE || vm->table[frame].pins != 0) {
        return 0;
    }
    const bool is_wanted = pte_is_shared(pte) ? table_record(vm, pte_number(pte))->owners != 1 && common_is_wanted(vm)
                                              : object_is_wanted((const struct cairn_object *)(const void *)vm->table[frame].space, vm->table[frame].page);
    return is_wanted ? 0 : cairn_frame_evict_(vm, frame);
}
