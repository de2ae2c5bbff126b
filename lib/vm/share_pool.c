// SPDX-License-Identifier: MIT
//
// The pool: pages that spaces have had in common since one was the other's copy; and the store of a vm that has a pool.
//
// OWNS: records, the pool's pages, the place of the vm's own store.
// PICTURE: pageout -> the pool's store -> the vm's own, by its slot; the store of the object whose page it is (SLOT_BACKED)
// INVARIANTS: V10. COST: O(1), and what the stores take. CALLERS: share.c, fork.c, merge.c, and who has something to share; pageout.c through vm->store.
#include "vm/share.h"

#include "vm/bring.h"

CAIRN_NOINLINE pte_t cairn_pool_take_(struct cairn_space *space, pte_t own)
{
    struct cairn_vm *const vm = space->vm;
    struct record *const record = cairn_table_take_(vm, TABLE_LIST_RECORDS, sizeof *record);
    const uint32_t number = (uint32_t)(((uintptr_t)record - (uintptr_t)vm->table_base) / sizeof(uint32_t));
    if (CAIRN_UNLIKELY(record == NULL)) {
        return 0;
    }
    if (CAIRN_UNLIKELY(number >= PTE_NUMBERS)) {
        cairn_table_give_(vm, TABLE_LIST_RECORDS, record);
        return 0;
    }
    record->pte = own & ~PTE_ACCESS;
    record->owners = 1;
    if (pte_is_present(own)) {
        struct cairn_frame *const frame = &vm->table[pte_number(own)];
        frame->space = vm->pool;
        frame->page = number;
        frame->flags &= (uint8_t)~FRAME_AHEAD;
        vm->pool->figures.resident++;
        space->figures.resident--;
    } else {
        vm->pool->figures.swapped++;
        space->figures.swapped--;
    }
    space->figures.shared++;
    vm->figures.shared++;
    return number << PTE_SHIFT | PTE_SHARED;
}

CAIRN_NOINLINE int cairn_pool_page_(struct cairn_vm *vm, uint32_t number, uint32_t *frame)
{
    struct record *const record = table_record(vm, number);
    int error = cairn_frame_take_(vm, page_key(vm->pool, number), frame);
    if (error != 0) {
        return error;
    }
    const pte_t was = record->pte;
    error = fill(vm, vm->pool, number, *frame, was);
    if (error != 0) {
        cairn_frame_free_(vm, *frame);
        return error;
    }
    record->pte = *frame << PTE_SHIFT | PTE_PRESENT;
    frame_enter(vm, vm->pool, number, *frame, was == 0 ? SLOT_NONE : pte_number(was), 0);
    return 0;
}

CAIRN_NOINLINE void cairn_pool_end_(struct cairn_vm *vm, struct record *record)
{
    if (pte_is_present(record->pte)) {
        const uint32_t frame = pte_number(record->pte);
        vm->policy->remove(vm->policy_state, frame, false);
        cairn_slot_free_(vm, vm->table[frame].slot);
        cairn_frame_free_(vm, frame);
        vm->pool->figures.resident--;
    } else if (record->pte != 0) {
        cairn_slot_free_(vm, pte_number(record->pte));
        vm->pool->figures.swapped--;
    }
    record_free(vm, record);
}

// ---------------------------------------------------------------------------------------------------------------- the vm's store

static int pool_read(void *context, uint32_t slot, void *page)
{
    const struct pool *const pool = context;
    return pool->under->read(pool->under->context, slot, page);
}

// A page of an object with a store goes there: which one it is, its frame says. What is in the slot now is what a checkpoint has, or not, as the frame was.
static int pool_write(void *context, uint32_t slot, const void *page)
{
    const struct pool *const pool = context;
    const struct cairn_vm *const vm = pool->pages.vm;
    struct cairn_frame *const frame = &vm->table[(size_t)((uintptr_t)page - (uintptr_t)vm->frames) >> page_shift(vm)];
    struct cairn_space *const pages = frame->space;
    const bool is_dirty = (frame->flags & FRAME_DIRTY) != 0;
    int error;
    if (slot != SLOT_BACKED) {
        error = pool->under->write(pool->under->context, slot, page);
    } else {
        error = pages->backing->write(pages->backing->context, pages->backing_slot + (uint32_t)frame->page, page);
        pages->saved = is_dirty ? 0 : pages->saved; // the store is not as it was then
    }
    if (error == 0 && slot != SLOT_BACKED) {
        slot_set_saved(vm, slot, !is_dirty && (frame->flags & FRAME_SAVED) != 0);
    }
    frame->flags &= (uint8_t)~(error == 0 && is_dirty ? FRAME_SAVED : 0);
    return error;
}

static void pool_trim(void *context, uint32_t slot)
{
    const struct pool *const pool = context;
    pool->under->trim(pool->under->context, slot);
}

CAIRN_NOINLINE int cairn_sharing_start_(struct cairn_vm *vm)
{
    if (vm->sharing != NULL) {
        return 0;
    }
    const uint32_t at = vm->table_used;
    if (sizeof(struct pool) + 7 > vm->table_size - at) {
        return CAIRN_ENOMEM;
    }
    struct pool *const pool = (struct pool *)(void *)(vm->table_base + at);
    vm->table_used = at + ((uint32_t)(sizeof *pool + 7) & ~7u);
    cairn_bulk_zero_(pool, sizeof *pool);
    pool->pages.vm = vm;
    pool->pages.generation = GENERATION_OTHERS;
    pool->under = vm->store;
    pool->store = (struct cairn_port_store){.context = pool, .read = pool_read, .write = pool_write, .page = page_size(vm)};
    if (vm->store != NULL) {
        pool->store.slots = vm->store->slots;
        pool->store.trim = vm->store->trim != NULL ? pool_trim : NULL;
    }
    vm->store = &pool->store;
    vm->pool = &pool->pages;
    vm->sharing = &cairn_sharing_;
    return 0;
}
