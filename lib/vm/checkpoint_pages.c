// SPDX-License-Identifier: MIT
//
// The pages that a checkpoint is to have, one by one; which of them it has already.
//
// OWNS: the marks of what was saved. checkpoint_layout.h has the PICTURE and the INVARIANTS.
// COST: a walk O(pages in use), and of an object with a store, and memory in place, all of their pages. CALLERS: checkpoint_save.c, checkpoint_restore.c.
#include "vm/checkpoint_layout.h"

#include <string.h>

// Of the whole index: the sum of a record says of the pages before it no more than theirs do.
static uint32_t sum_of(const struct cairn_image *image)
{
    uint32_t sum = 0;
    for (uint32_t number = 0; number < image->committed; number++) {
        sum = cairn_checksum_(sum, &image->pages[number].sum, sizeof image->pages[number].sum);
    }
    return sum;
}

CAIRN_NOINLINE int cairn_checkpoint_begin_(struct checkpoint_work *work, struct cairn_checkpoint *checkpoint, struct cairn_space *space,
                                           struct cairn_object *const objects[], uint32_t count)
{
    if (checkpoint == NULL || space == NULL || space->vm == NULL || space->root == NULL || space->generation == GENERATION_OTHERS ||
        checkpoint->image.page != page_size(space->vm) || count > CAIRN_CHECKPOINT_OBJECTS || (objects == NULL && count != 0)) {
        return CAIRN_EINVAL;
    }
    *work = (struct checkpoint_work){.checkpoint = checkpoint, .vm = space->vm, .space = space, .objects = objects, .count = count, .sum = sum_of(&checkpoint->image)};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t other = 0;
        while (other < i && objects[other] != objects[i]) {
            other++;
        }
        if (objects[i] == NULL || other != i || (objects[i]->pages.vm != NULL && objects[i]->pages.vm != space->vm)) {
            return CAIRN_EINVAL;
        }
    }
    return 0;
}

CAIRN_NOINLINE int cairn_checkpoint_mark_slots_(struct cairn_vm *vm)
{
    const int error = cairn_sharing_start_(vm);
    struct pool *const pool = pool_of(vm);
    if (error != 0 || pool->saved != NULL) {
        return error;
    }
    const uint32_t bytes = (vm->store->slots / 64 + 1) * 8;
    if (bytes > vm->table_size - vm->table_used) {
        return CAIRN_ENOMEM;
    }
    pool->saved = (uint32_t *)(void *)(vm->table_base + vm->table_used);
    vm->table_used += bytes;
    memset(pool->saved, 0, bytes);
    return 0;
}

// ----------------------------------------------------------------------------------------------------------------------- the walk

// Where a page is that has a pte. Returns false where it is none of its own, or of zeros that nobody stored to: as if it had no pte.
static bool locate(struct checkpoint_walk *walk, const struct cairn_space *pages, pte_t *pte)
{
    const struct cairn_vm *const vm = walk->work->vm;
    const bool is_shared = pte_is_shared(*pte);
    const pte_t its = is_shared ? table_record(vm, pte_number(*pte))->pte : *pte;
    walk->pte = pte;
    walk->number = pte_number(its);
    walk->place = PLACE_SLOT;
    if (!pte_is_present(its)) {
        return its != 0;
    }
    const struct cairn_frame *const frame = &vm->table[walk->number];
    walk->place = PLACE_FRAME;
    return (frame->slot != SLOT_NONE || (frame->flags & FRAME_UNWRITTEN) != 0) && (is_shared || frame->space == pages);
}

// The first one from walk->page on, below `end`.
static bool find_pte(struct checkpoint_walk *walk, struct cairn_space *pages, cairn_vaddr_t end)
{
    while (walk->page < end && (walk->page = cairn_table_next_(pages, walk->page, end)) < end) {
        if (locate(walk, pages, cairn_table_walk_(pages, walk->page))) {
            return true;
        }
        walk->page++;
    }
    return false;
}

static bool find_of_space(struct checkpoint_walk *walk)
{
    const struct cairn_mapping *mapping = walk->mapping != NULL && walk->mapping->first <= walk->page ? walk->mapping : walk->work->space->mappings;
    for (; mapping != NULL; mapping = mapping->next) {
        walk->page = walk->page < mapping->first ? mapping->first : walk->page;
        walk->mapping = mapping;
        walk->place = PLACE_MEMORY;
        if (mapping->memory != NULL ? walk->page < mapping_end(mapping) : find_pte(walk, walk->work->space, mapping_end(mapping))) {
            return true;
        }
    }
    return false;
}

static bool find_of_object(struct checkpoint_walk *walk)
{
    struct cairn_object *const object = walk->work->objects[walk->part - PART_OBJECTS];
    if (object->pages.backing == NULL) {
        return find_pte(walk, &object->pages, object->count);
    }
    pte_t *const pte = walk->page < object->count ? cairn_table_walk_(&object->pages, walk->page) : NULL;
    walk->place = PLACE_STORE;
    if (pte != NULL && *pte != 0) {
        (void)locate(walk, &object->pages, pte);
    }
    return walk->page < object->count;
}

CAIRN_NOINLINE bool cairn_checkpoint_find_(struct checkpoint_walk *walk)
{
    const struct checkpoint_work *const work = walk->work;
    for (; walk->part < PART_OBJECTS + work->count; walk->part++, walk->page = 0) {
        if (walk->part == PART_DIRECTORY) {
            walk->place = PLACE_DIRECTORY;
            if (walk->page < directory_pages(page_size(work->vm), (uint64_t)work->count + work->mappings)) {
                return true;
            }
        } else if (walk->part == PART_SPACE ? find_of_space(walk) : find_of_object(walk)) {
            return true;
        }
    }
    return false;
}

// ---------------------------------------------------------------------------------------------------------------------- one of them

CAIRN_NOINLINE int cairn_checkpoint_bytes_(const struct checkpoint_walk *walk, const unsigned char **bytes)
{
    const struct cairn_vm *const vm = walk->work->vm;
    unsigned char *const page = walk->work->checkpoint->page;
    const struct cairn_port_store *store = vm->store;
    uint32_t slot = walk->number;
    *bytes = page;
    switch (walk->place) {
    case PLACE_DIRECTORY: cairn_checkpoint_directory_(walk->work, (uint32_t)walk->page, page); return 0;
    case PLACE_FRAME: *bytes = frame_memory(vm, walk->number); return 0;
    case PLACE_MEMORY: *bytes = walk->mapping->memory + ((size_t)(walk->page - walk->mapping->first) << page_shift(vm)); return 0;
    case PLACE_STORE: {
        const struct cairn_space *const pages = pages_of(walk->work, walk->part);
        store = pages->backing;
        slot = pages->backing_slot + (uint32_t)walk->page;
        break;
    }
    case PLACE_SLOT: break;
    }
    return store->read(store->context, slot, page);
}

CAIRN_NOINLINE bool cairn_checkpoint_is_saved_(const struct checkpoint_walk *walk)
{
    const struct cairn_vm *const vm = walk->work->vm;
    if (walk->place == PLACE_STORE || (pte_is_shared(*walk->pte) && (*walk->pte & PTE_SAVED) != 0)) {
        return true;
    }
    return walk->place == PLACE_FRAME ? frame_is_saved(vm, walk->number) : slot_is_saved(vm, walk->number);
}

// Nobody has a pin on the frame, but for locks of its mapping.
static bool is_free(const struct checkpoint_walk *walk)
{
    const uint32_t pins = walk->work->vm->table[walk->number].pins;
    return pins == 0 || (walk->part == PART_SPACE && pins <= mapping_locks(walk->mapping));
}

static void mark(const struct checkpoint_walk *walk)
{
    struct cairn_vm *const vm = walk->work->vm;
    if (walk->place == PLACE_FRAME && !pte_is_shared(*walk->pte)) {
        struct cairn_frame *const frame = &vm->table[walk->number];
        const uint32_t was = frame->flags;
        frame_set_saved(frame, is_free(walk));
        if (((was ^ frame->flags) & FRAME_DIRTY) != 0) {
            cairn_tlb_drop_(vm, frame->space, frame->page, true); // 4
        }
    } else if (walk->place == PLACE_FRAME || walk->place == PLACE_SLOT) {
        if (pte_is_shared(*walk->pte)) {
            *walk->pte |= PTE_SAVED;
        } else {
            slot_set_saved(vm, walk->number, true);
        }
    }
}

CAIRN_NOINLINE void cairn_checkpoint_name_(struct checkpoint_work *work)
{
    work->sum = sum_of(&work->checkpoint->image);
    for (uint32_t part = PART_SPACE; part < PART_OBJECTS + work->count; part++) {
        pages_of(work, part)->saved = work->checkpoint->image.generation;
        pages_of(work, part)->saved_sum = work->sum + part;
    }
}

CAIRN_NOINLINE void cairn_checkpoint_mark_(struct checkpoint_work *work)
{
    for (struct checkpoint_walk walk = {.work = work, .part = PART_SPACE}; cairn_checkpoint_find_(&walk); walk.page++) {
        mark(&walk);
    }
    cairn_checkpoint_name_(work);
}
