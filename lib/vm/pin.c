// SPDX-License-Identifier: MIT
//
// Pages that stay: pins, and cursors, which hold one.
// OWNS: the pins of frames. INVARIANTS: V7 a page that is pinned is resident.
// COST: as an access. CALLERS: the user.
#include "cairn/access.h"
#include "vm/frame.h"

#include <string.h>

CAIRN_NOINLINE int cairn_space_pin(struct cairn_space *space, cairn_vaddr_t address, uint32_t access, void **memory, size_t *run)
{
    struct cairn_vm *const vm = space->vm;
    pte_t pte;
    if ((access & ~(CAIRN_READ | CAIRN_WRITE | CAIRN_EXEC)) != 0 || access == 0) {
        return CAIRN_EINVAL;
    }
    int error = cairn_fault_access_(space, address, space->user ? access | CAIRN_USER : access, &pte);
    if (error == 0 && CAIRN_UNLIKELY(vm->sharing != NULL)) {
        error = vm->sharing->own(space, address, &pte);
    }
    if (error < 0) {
        return error;
    }
    const size_t offset = (size_t)(address & vm->offset_mask);
    *run = page_size(vm) - offset;
    if (error == FOUND_DIRECT) { // it stays anyway; what shows it is to stay too
        cairn_mapping_of_(space, address >> page_shift(vm))->pins++;
        *memory = vm->sharing->direct(space, address);
        return 0;
    }
    const uint32_t frame = pte_number(pte);
    if (vm->table[frame].pins == UINT8_MAX ||
        (CAIRN_UNLIKELY(vm->table[frame].space != space) && !vm->sharing->count_pin(space, address >> page_shift(vm), 1))) {
        return CAIRN_EOVERFLOW;
    }
    frame_pin(&vm->table[frame]);
    frame_note(&vm->table[frame], access);
    if (vm->reference != NULL) {
        vm->reference(vm->context, space, address, (access & CAIRN_WRITE) != 0);
    }
    *memory = frame_memory(vm, frame) + offset;
    return 0;
}

CAIRN_NOINLINE int cairn_space_unpin(struct cairn_space *space, cairn_vaddr_t address)
{
    struct cairn_vm *const vm = space->vm;
    const cairn_vaddr_t page = address >> page_shift(vm);
    const pte_t *const pte = !table_covers(vm, address) ? NULL : cairn_table_walk_(space, page);
    if (pte == NULL || !pte_is_present(*pte) || vm->table[pte_number(*pte)].pins == 0) {
        struct cairn_mapping *const mapping = cairn_mapping_of_(space, page);
        if (mapping == NULL || mapping->memory == NULL || mapping->pins == 0) {
            return CAIRN_EINVAL;
        }
        mapping->pins--;
        return 0;
    }
    if (CAIRN_UNLIKELY(vm->sharing != NULL) && !vm->sharing->count_pin(space, page, UINT32_MAX)) {
        return CAIRN_EINVAL;
    }
    frame_unpin(&vm->table[pte_number(*pte)]);
    if (CAIRN_UNLIKELY(vm->write_through)) {
        frame_stored(vm, pte_number(*pte));
    }
    return 0;
}

// ------------------------------------------------------------------------------------------------------------------ cursors

void cairn_cursor_init(struct cairn_cursor *cursor, struct cairn_space *space, uint32_t access)
{
    *cursor = (struct cairn_cursor){.tag = CAIRN_TAG_NONE, .offset_mask = space->vm->offset_mask, .space = space, .access = access};
}

void cairn_cursor_deinit(struct cairn_cursor *cursor)
{
    if (cursor->tag != CAIRN_TAG_NONE) {
        (void)!cairn_space_unpin(cursor->space, cursor->tag);
        cursor->tag = CAIRN_TAG_NONE;
    }
}

// Have the page of the address at hand. Returns 0 or an error: then it has none.
static int move(struct cairn_cursor *cursor, cairn_vaddr_t address, uint32_t access)
{
    void *memory;
    size_t run;
    const cairn_vaddr_t tag = address & ~cursor->offset_mask;
    if ((access & ~cursor->access) != 0) {
        return CAIRN_EACCES;
    }
    if (cursor->tag == tag) {
        return 0;
    }
    cairn_cursor_deinit(cursor);
    const int error = cairn_space_pin(cursor->space, address, cursor->access, &memory, &run);
    if (error == 0) {
        cursor->addend = (uintptr_t)memory - (uintptr_t)address;
        cursor->tag = tag;
        if (!is_for_words(cursor->addend)) { // memory in place: each access comes here
            cairn_cursor_deinit(cursor);
        }
    }
    return error;
}

int cairn_cursor_load_(struct cairn_cursor *cursor, cairn_vaddr_t address, void *value, size_t size)
{
    const int error = move(cursor, address, CAIRN_READ);
    if (error != 0) {
        return error;
    }
    if ((address & cursor->offset_mask) + size > cursor->offset_mask + 1) {
        return cairn_crossing_load_(cursor->space, address, value, size);
    }
    memcpy(value, (const void *)(cursor->addend + (uintptr_t)address), size);
    return 0;
}

int cairn_cursor_store_(struct cairn_cursor *cursor, cairn_vaddr_t address, const void *value, size_t size)
{
    const int error = move(cursor, address, CAIRN_WRITE);
    if (error != 0) {
        return error;
    }
    if ((address & cursor->offset_mask) + size > cursor->offset_mask + 1) {
        return cairn_crossing_store_(cursor->space, address, value, size);
    }
    memcpy((void *)(cursor->addend + (uintptr_t)address), value, size);
    return 0;
}
