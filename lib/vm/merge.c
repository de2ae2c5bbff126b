// SPDX-License-Identifier: MIT
//
// Merging: pages that are equal become one, until one of them is written.
//
// OWNS: the pool's cursor. Frames are looked at in turn; the caller's table says which frame was last seen with such contents (Waldspurger, "Memory Resource
//     Management in VMware ESX Server", 2002: a hash is a hint, the comparison decides).
// PICTURE: frame -> hash -> seen[hash] = the frame and 1 more; if that holds the same bytes: one record, one frame. A page of zeros is forgotten: it is zeros anyway.
// INVARIANTS: V9, V10. Only a page that is a space's own, or the pool's, whose mapping is not an object's; and has no pin.
// COST: O(bytes of a page) for each frame that is looked at. CALLERS: the user.
#include "vm/share.h"

#include "base/checksum.h"

// May the page in the frame be merged?
static bool is_candidate(const struct cairn_vm *vm, uint32_t frame)
{
    const struct cairn_frame *const its = &vm->table[frame];
    if (its->space == NULL || (its->flags & (FRAME_PINNED | FRAME_AHEAD)) != 0) {
        return false;
    }
    if (its->space == vm->pool) {
        return true;
    }
    return its->space->generation != GENERATION_OTHERS && cairn_mapping_of_(its->space, its->page)->object == NULL;
}

// PTE_SAVED, where the page in the frame, which is a space's own, is in its checkpoint.
static pte_t saved_of(const struct cairn_vm *vm, uint32_t frame)
{
    return frame_is_saved(vm, frame) ? PTE_SAVED : 0;
}

// The page in the frame is the pool's from now on. Returns the pte of its owners; 0: no memory.
static pte_t to_pool(struct cairn_vm *vm, uint32_t frame)
{
    const struct cairn_frame *const its = &vm->table[frame];
    struct cairn_space *const space = its->space;
    const cairn_vaddr_t page = its->page;
    if (space == vm->pool) {
        return (uint32_t)page << PTE_SHIFT | PTE_SHARED;
    }
    pte_t *const at = cairn_table_walk_(space, page);
    const pte_t saved = saved_of(vm, frame);
    const pte_t pte = cairn_pool_take_(space, *at);
    if (pte != 0) {
        *at = pte | saved;
        cairn_tlb_forget_(vm, space, page, false);
        mapping_common(cairn_mapping_of_(space, page));
    }
    return pte;
}

// The page in `frame`, which is a space's own, is the one in `same` from now on. Returns true iff its frame is free.
static bool merge(struct cairn_vm *vm, uint32_t frame, uint32_t same)
{
    struct cairn_space *const space = vm->table[frame].space;
    const cairn_vaddr_t page = vm->table[frame].page;
    if (space == vm->pool) {
        return false; // who its owners are nobody knows
    }
    const pte_t pte = to_pool(vm, same);
    if (pte == 0) {
        return false;
    }
    struct cairn_mapping *const mapping = cairn_mapping_of_(space, page);
    const pte_t saved = saved_of(vm, frame);
    vm->table[same].flags &= (uint8_t)~FRAME_SAVED; // what its first owner's checkpoint has need not be what this one's has
    if (vm->table[same].slot != SLOT_NONE) {
        slot_set_saved(vm, vm->table[same].slot, false);
    }
    cairn_page_drop_(space, page);
    uint32_t *const leaf = cairn_table_make_(space, page); // of what was just given back
    if (leaf == NULL) {
        return false;
    }
    *table_pte(vm, leaf, page) = pte | saved;
    table_record(vm, pte_number(pte))->owners++;
    space->figures.shared++;
    mapping_common(mapping);
    return true;
}

int cairn_vm_merge(struct cairn_vm *vm, uint32_t frames, uint32_t *seen, uint32_t count)
{
    int freed = 0;
    if (vm == NULL || seen == NULL || !is_power_of_two(count)) {
        return CAIRN_EINVAL;
    }
    const int error = cairn_sharing_start_(vm);
    if (error != 0) {
        return error;
    }
    uint32_t *const cursor = &pool_of(vm)->merge_cursor;
    const uint32_t size = page_size(vm);
    for (uint32_t looks = frames < vm->frame_count ? frames : vm->frame_count; looks != 0; looks--) {
        const uint32_t frame = *cursor;
        *cursor = frame + 1 == vm->frame_count ? 0 : frame + 1;
        if (!is_candidate(vm, frame)) {
            continue;
        }
        const unsigned char *const bytes = frame_memory(vm, frame);
        if (vm->table[frame].space != vm->pool && cairn_bulk_is_zeros_(bytes, size)) {
            cairn_page_drop_(vm->table[frame].space, vm->table[frame].page);
            freed++;
            continue;
        }
        uint32_t *const last = &seen[cairn_checksum_(0, bytes, size) & (count - 1)];
        const uint32_t same = *last - 1;
        if (same < vm->frame_count && same != frame && is_candidate(vm, same) && cairn_bulk_is_equal_(bytes, frame_memory(vm, same), size) && merge(vm, frame, same)) {
            freed++;
        } else {
            *last = frame + 1;
        }
    }
    return freed;
}
