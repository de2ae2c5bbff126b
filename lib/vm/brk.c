// SPDX-License-Identifier: MIT
//
// The break of a space: the end of its data, which moves.
//
// OWNS: break_start, break_end of a space; its mapping is one like any other.
// INVARIANTS: from the start to the break, rounded up to a page, one mapping that can be read and written.
// COST: O(mappings), O(pages in use) that are given back. CALLERS: the user.
#include "vm/share.h"

// The page behind the last one that is needed for a break.
static cairn_vaddr_t pages_to(const struct cairn_vm *vm, cairn_vaddr_t address)
{
    return (address >> vm->page_shift) + ((address & vm->offset_mask) != 0);
}

int cairn_space_set_break(struct cairn_space *space, cairn_vaddr_t start)
{
    if (space == NULL || space->vm == NULL || start == 0 || (start & space->vm->offset_mask) != 0 || start > space->vm->limit) {
        return CAIRN_EINVAL;
    }
    space->break_start = space->break_end = start;
    space->heap = 0;
    return 0;
}

CAIRN_NOINLINE int cairn_space_brk(struct cairn_space *space, cairn_vaddr_t address)
{
    if (space == NULL || space->vm == NULL || space->break_start == 0 || address < space->break_start) {
        return CAIRN_EINVAL;
    }
    const struct cairn_vm *const vm = space->vm;
    if (address > vm->limit) {
        return CAIRN_ENOMEM;
    }
    const cairn_vaddr_t now = pages_to(vm, space->break_end);
    const cairn_vaddr_t then = pages_to(vm, address);
    int error = 0;
    if (address > space->break_end && (space->break_end & vm->offset_mask) != 0) { // the rest of the page may hold what was there once
        error = cairn_space_fill(space, space->break_end, 0, (size_t)((now << vm->page_shift) - space->break_end));
    }
    if (error == 0 && then > now) {
        const struct cairn_map map = {.address = now << vm->page_shift,
                                      .size = (then - now) << vm->page_shift,
                                      .protection = CAIRN_READ | CAIRN_WRITE | (space->user ? CAIRN_USER : 0),
                                      .flags = CAIRN_MAP_FIXED};
        error = cairn_space_map_range(space, &map, NULL);
        error = error == CAIRN_EBUSY ? CAIRN_ENOMEM : error;
    } else if (then < now) {
        error = cairn_space_unmap_range(space, then << vm->page_shift, (now - then) << vm->page_shift);
    }
    if (error == 0) {
        space->break_end = address;
    }
    return error;
}

int cairn_space_sbrk(struct cairn_space *space, ptrdiff_t delta, cairn_vaddr_t *old)
{
    if (space == NULL || space->vm == NULL || space->break_start == 0) {
        return CAIRN_EINVAL;
    }
    const cairn_vaddr_t was = space->break_end;
    const size_t size = delta < 0 ? (size_t)0 - (size_t)delta : (size_t)delta; // which may be more than an address has
    if (delta < 0 ? size > was - space->break_start : size > space->vm->limit - was) {
        return delta < 0 ? CAIRN_EINVAL : CAIRN_ENOMEM;
    }
    const int error = cairn_space_brk(space, was + (cairn_vaddr_t)delta);
    if (error == 0 && old != NULL) {
        *old = was;
    }
    return error;
}
