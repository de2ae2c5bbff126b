// SPDX-License-Identifier: MIT
//
// Prefetch: pages of a stream of faults come in before they are asked for.
//
// OWNS: FRAME_AHEAD: the page was brought in ahead, and not asked for yet. stream.h says which pages, and how many.
// INVARIANTS: only a page that lives in a slot is brought in, of the vm's store or an object's; the page that was asked for stays meanwhile. What goes wrong here goes wrong for nobody: the page is
//     not there, that is all.
// COST: a transfer or two for each page. CALLERS: fault.c, pageout.c, through the vm: a program that does not name cairn_prefetch_streams does not link this file.
#include "vm/share.h"
#include "vm/stream.h"

// Does the page live in a slot? pre: it is one of a space's, or an object's.
static bool is_in_slot(const struct cairn_space *space, cairn_vaddr_t page)
{
    const pte_t *const pte = cairn_table_walk_(space, page);
    return space->backing != NULL ? pte == NULL || !pte_is_present(*pte) : pte != NULL && pte_is_swapped(*pte);
}

// Read it. Returns 0 and the slot to be remembered, or an error.
static int read_slot(const struct cairn_space *space, cairn_vaddr_t page, const pte_t *pte, uint32_t frame, uint32_t *slot)
{
    const struct cairn_vm *const vm = space->vm;
    const bool is_backed = space->backing != NULL;
    const struct cairn_port_store *const store = is_backed ? space->backing : vm->store;
    *slot = is_backed ? SLOT_BACKED : pte_number(*pte);
    return store->read(store->context, is_backed ? space->backing_slot + (uint32_t)page : *slot, frame_memory(vm, frame));
}

// Bring in a page that lives in a slot. Returns false where none can be.
static bool bring_ahead(struct cairn_space *space, cairn_vaddr_t page)
{
    struct cairn_vm *const vm = space->vm;
    const bool full = vm->free_frame == CAIRN_FRAME_NONE;
    uint32_t frame;
    uint32_t slot;
    if (cairn_frame_take_(vm, page_key(space, page), &frame) != 0) {
        return false;
    }
    uint32_t *leaf = table_leaf(vm, space->root, page);
    leaf = leaf != NULL ? leaf : cairn_table_make_(space, page);
    pte_t *const pte = leaf == NULL ? NULL : table_pte(vm, leaf, page);
    if (pte == NULL || read_slot(space, page, pte, frame, &slot) != 0) {
        if (pte != NULL) {
            cairn_table_set_(space, page, *pte); // frees what was made for it
        }
        cairn_frame_free_(vm, frame);
        return false;
    }
    space->figures.swapped -= pte_is_swapped(*pte);
    vm->table[frame] = (struct cairn_frame){.space = space, .page = page, .slot = slot, .flags = FRAME_AHEAD | FRAME_USED};
    *pte = frame << PTE_SHIFT | PTE_PRESENT; // the first access takes the long way
    space->figures.resident++;
    space->figures.prefetches++;
    vm->figures.prefetches++;
    vm->policy->insert(vm->policy_state, frame, page_key(space, page));
    if (full && vm->gone != 0) {
        cairn_stream_gone_(vm->streams, vm->gone - 1);
    }
    return true;
}

// Is it a page of the object's, or of a mapping of the space's?
static bool has_page(const struct cairn_space *space, cairn_vaddr_t page)
{
    if (space->generation == GENERATION_OTHERS) {
        return page < ((const struct cairn_object *)(const void *)space)->count;
    }
    return page <= space->vm->limit >> page_shift(space->vm) && cairn_mapping_of_(space, page) != NULL;
}

static void stream_asked(struct cairn_space *space, cairn_vaddr_t page, uint32_t frame)
{
    struct cairn_vm *const vm = space->vm;
    const bool was_ahead = (vm->table[frame].flags & FRAME_AHEAD) != 0;
    const uint32_t key = page_key(space, page);
    struct stream_advice advice;
    vm->table[frame].flags &= (uint8_t)~FRAME_AHEAD;
    vm->figures.useful += was_ahead;
    space->figures.useful += was_ahead;
    cairn_stream_fault_(vm->streams, key, was_ahead, &advice);
    if (advice.count == 0 || vm->table[frame].pins == UINT8_MAX) {
        return;
    }
    frame_pin(&vm->table[frame]);
    cairn_vaddr_t ahead = page + (cairn_vaddr_t)(int32_t)(advice.first - key); // a key has 32 bits of a page
    for (uint32_t i = 0; i < advice.count; i++, ahead += (cairn_vaddr_t)(int32_t)advice.stride) {
        if (has_page(space, ahead) && is_in_slot(space, ahead) && !bring_ahead(space, ahead)) {
            break;
        }
    }
    frame_unpin(&vm->table[frame]);
}

static void stream_left(struct cairn_vm *vm, const struct cairn_frame *frame)
{
    const uint32_t key = page_key(frame->space, frame->page);
    vm->gone = key + 1;
    if ((frame->flags & FRAME_AHEAD) != 0) {
        cairn_stream_waste_(vm->streams, key);
    }
}

static void stream_init(void *state, uint32_t frames)
{
    cairn_stream_init_(state, frames);
}

const struct cairn_prefetch cairn_prefetch_streams = {sizeof(struct stream_table), stream_init, stream_asked, stream_left};
