// SPDX-License-Identifier: MIT
//
// Prefetch: pages of a stream of faults come in before they are asked for.
//
// OWNS: FRAME_AHEAD: the page was brought in ahead, and not asked for yet. stream.h says which pages, and how many.
// INVARIANTS: only a page that lives in a slot is brought in; the page that was asked for stays meanwhile. What goes wrong here goes wrong for nobody: the page is
//     not there, that is all.
// COST: a transfer or two for each page. CALLERS: fault.c, pageout.c, through the vm: a program that does not name cairn_prefetch_streams does not link this file.
#include "vm/frame.h"
#include "vm/stream.h"

// Bring in a page that lives in a slot. Returns false where none can be.
static bool bring_ahead(struct cairn_space *space, cairn_vaddr_t page)
{
    struct cairn_vm *const vm = space->vm;
    const bool full = vm->free_frame == CAIRN_FRAME_NONE;
    uint32_t frame;
    if (cairn_frame_take_(vm, page_key(space, page), &frame) != 0) {
        return false;
    }
    pte_t *const pte = table_walk(space, page); // taking a frame may have freed tables, but not this one
    if (vm->store->read(vm->store->context, pte_number(*pte), frame_memory(vm, frame)) != 0) {
        cairn_frame_free_(vm, frame);
        return false;
    }
    vm->table[frame] = (struct cairn_frame){.space = space, .page = page, .slot = pte_number(*pte), .flags = FRAME_AHEAD | FRAME_USED};
    *pte = frame << PTE_SHIFT | PTE_PRESENT; // the first access takes the long way
    space->figures.resident++;
    space->figures.swapped--;
    space->figures.prefetches++;
    vm->figures.prefetches++;
    vm->policy->insert(vm->policy_state, frame, page_key(space, page));
    if (full && vm->gone != 0) {
        cairn_stream_gone_(vm->streams, vm->gone - 1);
    }
    return true;
}

static void stream_asked(struct cairn_space *space, cairn_vaddr_t page, uint32_t frame)
{
    struct cairn_vm *const vm = space->vm;
    const bool was_ahead = (vm->table[frame].flags & FRAME_AHEAD) != 0;
    struct stream_advice advice;
    vm->table[frame].flags &= (uint8_t)~FRAME_AHEAD;
    vm->figures.useful += was_ahead;
    cairn_stream_fault_(vm->streams, page_key(space, page), was_ahead, &advice);
    if (advice.count == 0 || vm->table[frame].pins == UINT8_MAX) {
        return;
    }
    frame_pin(&vm->table[frame]);
    for (uint32_t i = 0; i < advice.count; i++) {
        const cairn_vaddr_t ahead = page_key(space, advice.first + i * advice.stride); // a key, back to a page
        const bool is_mapped = ahead <= vm->limit >> page_shift(vm) && mapping_of(space, ahead) != NULL;
        const pte_t *const pte = is_mapped ? table_walk(space, ahead) : NULL;
        if (pte != NULL && pte_is_swapped(*pte) && !bring_ahead(space, ahead)) {
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
