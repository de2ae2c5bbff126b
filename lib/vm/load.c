// SPDX-License-Identifier: MIT
//
// Load: working sets, thrashing, suspending a space, and what the program says of its own future.
//
// OWNS: the accessed bits between two ticks.
// PICTURE: tick: of each resident page, was it seen in use since the last one? Those are the space's working set (Denning, "The working set model for program
//          behavior", 1968). The TLB is flushed, so that pages in use are seen again.
// COST: tick O(frames), and where pages are shared O(pages in use); suspend O(pages in use). CALLERS: the user.
#include "vm/frame.h"
#include "vm/tlb.h"

uint32_t cairn_vm_tick(struct cairn_vm *vm)
{
    uint32_t wanted = 0;
    for (struct cairn_space *space = vm->spaces; space != NULL; space = space->next) {
        const bool has_others = vm->sharing != NULL && space->generation != GENERATION_OTHERS && !space->suspended;
        space->figures.working_set = has_others ? vm->sharing->used(space) : 0;
        space->figures.since_tick = space->figures.major;
    }
    for (uint32_t frame = 0; frame < vm->frame_count; frame++) {
        struct cairn_frame *const its = &vm->table[frame];
        if (its->space != NULL && (its->flags & FRAME_ACCESSED) != 0) {
            its->flags &= (uint8_t)~FRAME_ACCESSED;
            its->space->figures.working_set++;
            wanted++;
        }
    }
    // A page that came in and left again in between is wanted too.
    const uint32_t major = vm->figures.major - vm->tick_major;
    const uint32_t misses = vm->figures.tlb_misses - vm->tick_misses;
    const bool full = vm->free_frame == CAIRN_FRAME_NONE;
    const bool thrashes = full && major >= vm->frame_count && major > misses / 2;
    if (thrashes || (full && wanted >= vm->frame_count - vm->frame_count / 8)) {
        wanted = vm->frame_count + (major < vm->frame_count ? 0 : major - vm->frame_count);
    }
    vm->tick_major = vm->figures.major;
    vm->tick_misses = vm->figures.tlb_misses;
    cairn_vm_flush(vm);
    if (vm->thrashing != NULL && thrashes) {
        vm->thrashing(vm->context, vm, wanted);
    }
    return wanted;
}

int cairn_space_suspend(struct cairn_space *space)
{
    struct cairn_vm *const vm = space->vm;
    const cairn_vaddr_t end = (vm->limit >> vm->page_shift) + 1;
    for (uint32_t frame = 0; frame < vm->frame_count; frame++) {
        if (vm->table[frame].space == space && vm->table[frame].pins != 0) {
            return CAIRN_EBUSY;
        }
    }
    if (vm->sharing != NULL && vm->sharing->is_held(space)) {
        return CAIRN_EBUSY;
    }
    const bool was_suspended = space->suspended;
    cairn_space_flush(space); // before its ptes allow less, even where it fails half-way
    space->suspended = true;
    for (cairn_vaddr_t page = cairn_table_next_(space, 0, end); page < end; page = cairn_table_next_(space, page + 1, end)) {
        pte_t *const pte = cairn_table_walk_(space, page);
        int error = 0;
        if (pte_is_present(*pte) && vm->table[pte_number(*pte)].space == space) {
            error = cairn_frame_evict_(vm, pte_number(*pte));
        } else {
            *pte &= ~PTE_ACCESS;
            error = vm->sharing != NULL ? vm->sharing->leave(space, page) : 0;
        }
        if (error != 0) {
            space->suspended = was_suspended;
            return error;
        }
    }
    return 0;
}

void cairn_space_resume(struct cairn_space *space)
{
    space->suspended = false;
}

CAIRN_NOINLINE int cairn_space_will_need(struct cairn_space *space, cairn_vaddr_t address)
{
    pte_t pte;
    const int error = cairn_fault_access_(space, address, ACCESS_NONE, &pte);
    return error == FOUND_DIRECT ? 0 : error;
}

CAIRN_NOINLINE int cairn_space_dont_need(struct cairn_space *space, cairn_vaddr_t address)
{
    const struct cairn_vm *const vm = space->vm;
    const cairn_vaddr_t page = address >> vm->page_shift;
    if (!table_covers(vm, address) || cairn_mapping_of_(space, page) == NULL) {
        return CAIRN_EFAULT;
    }
    const pte_t *const pte = cairn_table_walk_(space, page);
    if (pte == NULL || !pte_is_present(*pte)) {
        return 0;
    }
    return vm->table[pte_number(*pte)].pins != 0 ? CAIRN_EBUSY : cairn_frame_evict_(space->vm, pte_number(*pte));
}
