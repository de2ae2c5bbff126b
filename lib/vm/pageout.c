// SPDX-License-Identifier: MIT
//
// Pageout: frames become free, pages leave for the store.
//
// OWNS: frame.h says what.
// INVARIANTS: V3, V4. A page that cannot be written stays where it is.
// COST: O(1) and one transfer; where a page cannot be written, a look at every frame for one that need not be, then a try at each. CALLERS: lib/vm.
#include "vm/frame.h"
#include "vm/tlb.h"

// ------------------------------------------------------------------------------------------------------------------- slots

CAIRN_NOINLINE uint32_t cairn_slot_take_(struct cairn_vm *vm)
{
    const uint32_t slots = vm->store == NULL ? 0 : vm->store->slots;
    const uint32_t words = slots / 32 + (slots % 32 != 0);
    for (uint32_t looks = words; looks != 0; looks--) {
        const uint32_t word = vm->slot_cursor;
        if (vm->slots[word] != UINT32_MAX) {
            const uint32_t bit = bits_lowest(~vm->slots[word]);
            if (32 * word + bit < slots) {
                vm->slots[word] |= (uint32_t)1 << bit;
                vm->figures.slots_used++;
                return 32 * word + bit;
            }
        }
        vm->slot_cursor = word + 1 == words ? 0 : word + 1;
    }
    return SLOT_NONE;
}

CAIRN_NOINLINE void cairn_slot_free_(struct cairn_vm *vm, uint32_t slot)
{
    if (slot != SLOT_NONE) {
        vm->slots[slot / 32] &= ~((uint32_t)1 << slot % 32);
        vm->figures.slots_used--;
        if (vm->store->trim != NULL) {
            vm->store->trim(vm->store->context, slot);
        }
    }
}

// ------------------------------------------------------------------------------------------------------------------ frames

CAIRN_NOINLINE void cairn_frame_free_(struct cairn_vm *vm, uint32_t frame)
{
    vm->table[frame] = (struct cairn_frame){.slot = SLOT_NONE, .flags = FRAME_PINNED, .next = vm->free_frame};
    vm->free_frame = (uint16_t)frame;
    vm->figures.frames_free++;
}

CAIRN_NOINLINE int cairn_frame_clean_(struct cairn_vm *vm, uint32_t frame)
{
    struct cairn_frame *const its = &vm->table[frame];
    const bool fresh = its->slot == SLOT_NONE;
    const uint32_t slot = fresh ? cairn_slot_take_(vm) : its->slot;
    if (slot == SLOT_NONE) {
        return CAIRN_ENOMEM;
    }
    const int error = vm->store->write(vm->store->context, slot, frame_memory(vm, frame));
    if (error != 0) {
        if (fresh) {
            cairn_slot_free_(vm, slot);
        }
        return error < 0 ? error : CAIRN_EIO;
    }
    its->slot = slot;
    its->flags &= (uint8_t)~FRAME_UNWRITTEN;
    cairn_tlb_drop_(vm, its->space, its->page, true);
    its->space->figures.writes++;
    vm->figures.writes++;
    return 0;
}

// The page leaves its frame, which then holds nothing and is in no list. Returns 0 or an error: then it stays.
static CAIRN_NOINLINE int empty(struct cairn_vm *vm, uint32_t frame)
{
    struct cairn_frame *const its = &vm->table[frame];
    struct cairn_space *const space = its->space;
    const cairn_vaddr_t page = its->page;
    if ((its->flags & FRAME_UNWRITTEN) != 0) {
        const int error = cairn_frame_clean_(vm, frame);
        if (error != 0) {
            return error;
        }
    }
    cairn_tlb_drop_(vm, space, page, false);
    const uint32_t slot = its->slot;
    vm->policy->remove(vm->policy_state, frame, true);
    if (CAIRN_UNLIKELY(vm->prefetch != NULL)) {
        vm->prefetch->left(vm, its);
    }
    if (!CAIRN_SPEED || slot == SLOT_NONE || CAIRN_UNLIKELY(space->root == NULL)) {
        cairn_table_set_(space, page, slot == SLOT_NONE ? 0 : slot << PTE_SHIFT | PTE_SWAPPED);
    } else {
        *table_pte(vm, table_leaf(vm, space->root, page), page) = slot << PTE_SHIFT | PTE_SWAPPED;
    }
    space->figures.resident--;
    space->figures.swapped += slot != SLOT_NONE;
    vm->figures.evictions++;
    return 0;
}

CAIRN_NOINLINE int cairn_frame_evict_(struct cairn_vm *vm, uint32_t frame)
{
    const int error = empty(vm, frame);
    if (error == 0) {
        cairn_frame_free_(vm, frame);
    }
    return error;
}

CAIRN_NOINLINE int cairn_frame_take_(struct cairn_vm *vm, uint32_t key, uint32_t *frame)
{
    const uint32_t frames = vm->frame_count;
    if (vm->free_frame != CAIRN_FRAME_NONE) {
        *frame = vm->free_frame;
        frame_unlist(vm, *frame);
        return 0;
    }
    const struct cairn_policy_view view = {&vm->table->flags, sizeof *vm->table};
    *frame = vm->policy->victim(vm->policy_state, key, &view);
    if (*frame >= frames || (vm->table[*frame].flags & FRAME_PINNED) != 0) {
        return CAIRN_ENOMEM; // every page is pinned
    }
    int error = empty(vm, *frame);
    // It cannot be written: one that need not be, else any that can.
    for (uint32_t looks = 0; CAIRN_UNLIKELY(error != 0) && looks < 2 * frames; looks++) {
        *frame = looks % frames;
        if ((vm->table[*frame].flags & (looks < frames ? FRAME_PINNED | FRAME_UNWRITTEN : FRAME_PINNED)) == 0) {
            error = empty(vm, *frame);
        }
    }
    return error;
}

int cairn_vm_clean(struct cairn_vm *vm, uint32_t pages)
{
    int written = 0;
    for (uint32_t looks = vm->frame_count; looks != 0 && pages != 0; looks--) {
        const uint32_t frame = vm->clean_cursor;
        vm->clean_cursor = frame + 1 == vm->frame_count ? 0 : frame + 1;
        const uint32_t flags = vm->table[frame].flags;
        if ((flags & FRAME_PINNED) == 0 && (flags & FRAME_UNWRITTEN) != 0) {
            const int error = cairn_frame_clean_(vm, frame);
            if (error != 0) {
                return error;
            }
            written++;
            pages--;
        }
    }
    return written;
}
