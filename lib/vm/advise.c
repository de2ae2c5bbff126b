// SPDX-License-Identifier: MIT
//
// What is said of ranges: what will be used, what is to be safe, what is to stay.
//
// OWNS: CAIRN_MAP_LOCKED: each page of the mapping is in a frame, and has a pin for that.
// INVARIANTS: a lock that fails has locked nothing.
// COST: O(pages of the range), as an access for each. CALLERS: the user.
#include "vm/share.h"

// A range of whole pages that are mapped. Returns 0 or an error.
static int check_range(const struct cairn_space *space, cairn_vaddr_t address, cairn_vaddr_t size, cairn_vaddr_t *page, cairn_vaddr_t *end)
{
    if (space == NULL || space->vm == NULL || !range_is_good(space->vm, address, size)) {
        return CAIRN_EINVAL;
    }
    *page = address >> space->vm->page_shift;
    *end = *page + (size >> space->vm->page_shift);
    return cairn_mapping_covers_(space, *page, *end) ? 0 : CAIRN_EFAULT;
}

static int will_need(struct cairn_space *space, cairn_vaddr_t page, cairn_vaddr_t end)
{
    const struct cairn_vm *const vm = space->vm;
    int error = 0;
    for (; error == 0 && page < end && vm->figures.frames_free != 0; page++) {
        error = cairn_space_will_need(space, page << vm->page_shift);
    }
    return error;
}

static int dont_need(struct cairn_space *space, cairn_vaddr_t page, cairn_vaddr_t end)
{
    int error = 0;
    for (page = cairn_table_next_(space, page, end); error == 0 && page < end; page = cairn_table_next_(space, page + 1, end)) {
        error = cairn_space_dont_need(space, page << space->vm->page_shift);
    }
    return error;
}

// Forget what is the space's own, or the pool's.
static int forget(struct cairn_space *space, cairn_vaddr_t page, cairn_vaddr_t end)
{
    struct cairn_vm *const vm = space->vm;
    for (page = cairn_table_next_(space, page, end); page < end; page = cairn_table_next_(space, page + 1, end)) {
        const pte_t pte = *cairn_table_walk_(space, page);
        const bool is_own = pte_is_present(pte) && frame_is_of(vm, pte, space);
        if (is_own && vm->table[pte_number(pte)].pins != 0) {
            return CAIRN_EBUSY;
        }
        if (is_own || !pte_is_present(pte)) {
            cairn_page_drop_(space, page);
        }
    }
    return 0;
}

int cairn_space_advise(struct cairn_space *space, cairn_vaddr_t address, cairn_vaddr_t size, enum cairn_advice advice)
{
    cairn_vaddr_t page, end;
    const int error = check_range(space, address, size, &page, &end);
    if (error != 0) {
        return error;
    }
    switch (advice) {
    case CAIRN_ADVISE_WILL_NEED: return will_need(space, page, end);
    case CAIRN_ADVISE_DONT_NEED: return dont_need(space, page, end);
    case CAIRN_ADVISE_FREE: return forget(space, page, end);
    }
    return CAIRN_EINVAL;
}

int cairn_space_sync(struct cairn_space *space, cairn_vaddr_t address, cairn_vaddr_t size)
{
    cairn_vaddr_t page, end;
    int error = check_range(space, address, size, &page, &end);
    if (error != 0) {
        return error;
    }
    for (const struct cairn_mapping *mapping = cairn_mapping_of_(space, page); error == 0 && mapping != NULL && mapping->first < end; mapping = mapping->next) {
        if (mapping->object != NULL && mapping_is_shared(mapping)) {
            const cairn_vaddr_t from = mapping->first < page ? page : mapping->first;
            const cairn_vaddr_t to = mapping_end(mapping) < end ? mapping_end(mapping) : end;
            error = cairn_object_write_(mapping->object, from - mapping->first + mapping->offset, to - from);
        }
    }
    return error;
}

// ----------------------------------------------------------------------------------------------------------------------- locks

// Take the pins of the pages of a range, which all have one, and are in frames.
static void release(struct cairn_space *space, cairn_vaddr_t page, cairn_vaddr_t end)
{
    const struct cairn_vm *const vm = space->vm;
    for (page = cairn_table_next_(space, page, end); page < end; page = cairn_table_next_(space, page + 1, end)) {
        const pte_t pte = *cairn_table_walk_(space, page);
        if (pte_is_present(pte)) {
            frame_unpin(&vm->table[pte_number(pte)]);
        }
    }
}

CAIRN_NOINLINE void cairn_mapping_unlock_(struct cairn_mapping *mapping)
{
    if ((mapping->flags & CAIRN_MAP_LOCKED) != 0) {
        mapping->flags &= ~CAIRN_MAP_LOCKED;
        release(mapping->space, mapping->first, mapping_end(mapping));
    }
}

// Bring pages in, and pin them. Returns 0 or an error: then none has its pin.
static int hold(struct cairn_space *space, cairn_vaddr_t page, cairn_vaddr_t end)
{
    struct cairn_vm *const vm = space->vm;
    const cairn_vaddr_t first = page;
    int error = 0;
    for (; page < end; page++) {
        pte_t pte;
        error = cairn_fault_access_(space, page << vm->page_shift, ACCESS_NONE, &pte);
        error = error == 0 ? vm->sharing->own(space, page << vm->page_shift, &pte) : error;
        if (error == 0 && vm->table[pte_number(pte)].pins == UINT8_MAX) {
            error = CAIRN_EOVERFLOW;
        }
        if (error < 0) {
            release(space, first, page);
            return error;
        }
        if (error == 0) { // else it is memory, which stays
            frame_pin(&vm->table[pte_number(pte)]);
        }
    }
    return 0;
}

static bool any_locked(const struct cairn_space *space, cairn_vaddr_t page, cairn_vaddr_t end)
{
    for (const struct cairn_mapping *mapping = cairn_mapping_of_(space, page); mapping != NULL && mapping->first < end; mapping = mapping->next) {
        if ((mapping->flags & CAIRN_MAP_LOCKED) != 0) {
            return true;
        }
    }
    return false;
}

int cairn_space_lock(struct cairn_space *space, cairn_vaddr_t address, cairn_vaddr_t size)
{
    cairn_vaddr_t page, end;
    int error = check_range(space, address, size, &page, &end);
    if (error == 0 && any_locked(space, page, end)) {
        error = CAIRN_EBUSY;
    }
    error = error == 0 ? cairn_sharing_start_(space->vm) : error;
    error = error == 0 ? cairn_mapping_cut_(space, page, end) : error;
    if (error != 0) {
        return error;
    }
    error = hold(space, page, end);
    if (error == 0) { // a handler may have made one mapping of what was cut, or worse
        error = !cairn_mapping_covers_(space, page, end) ? CAIRN_EFAULT : any_locked(space, page, end) ? CAIRN_EBUSY : cairn_mapping_cut_(space, page, end);
        if (error != 0) {
            release(space, page, end);
        }
    }
    for (struct cairn_mapping *mapping = cairn_mapping_of_(space, page); error == 0 && mapping != NULL && mapping->first < end; mapping = mapping->next) {
        mapping->flags |= CAIRN_MAP_LOCKED;
        mapping->grow = 0; // what came later would have no pin
    }
    cairn_mapping_merge_(space);
    return error;
}

int cairn_space_unlock(struct cairn_space *space, cairn_vaddr_t address, cairn_vaddr_t size)
{
    cairn_vaddr_t page, end;
    int error = check_range(space, address, size, &page, &end);
    error = error == 0 ? cairn_sharing_start_(space->vm) : error;
    error = error == 0 ? cairn_mapping_cut_(space, page, end) : error;
    if (error != 0) {
        return error;
    }
    for (struct cairn_mapping *mapping = cairn_mapping_of_(space, page); mapping != NULL && mapping->first < end; mapping = mapping->next) {
        cairn_mapping_unlock_(mapping);
    }
    cairn_mapping_merge_(space);
    return 0;
}
