// SPDX-License-Identifier: MIT
//
// Pages that are shared: faults in mappings that are not a space's alone, and what becomes of ptes when such a page leaves.
//
// OWNS: share.h says what. A fault is in the order of fault.c; then: memory that is mapped where it is; a page of the pool, which is copied for a store unless nobody
//     else has it; the object's, which is copied for a store to a private mapping; the space's own.
// INVARIANTS: V9, V10. A copy is whole before a pte names it. The page that is copied stays meanwhile.
// COST: as a fault; a copy. CALLERS: through vm->sharing.
#include "vm/share.h"

#include "vm/bring.h"

CAIRN_NOINLINE int cairn_frame_copy_(struct cairn_vm *vm, uint32_t key, uint32_t from, uint32_t *frame)
{
    uint8_t *const flags = &vm->table[from].flags;
    const uint8_t was = *flags & FRAME_PINNED;
    *flags |= FRAME_PINNED; // it stays meanwhile
    const int error = cairn_frame_take_(vm, key, frame);
    *flags = (uint8_t)((*flags & ~FRAME_PINNED) | was);
    if (error == 0) {
        cairn_bulk_copy_(frame_memory(vm, *frame), frame_memory(vm, from), page_size(vm));
    }
    return error;
}

// ------------------------------------------------------------------------------------------------------------ owners of the pool

// The pool's page is its only owner's again. at: that one's pte. Returns false where that is 0 now: the page is zeros, and has no frame.
static bool take_over(struct cairn_space *space, cairn_vaddr_t page, pte_t *at)
{
    struct cairn_vm *const vm = space->vm;
    struct record *const record = table_record(vm, pte_number(*at));
    const bool is_saved = (*at & PTE_SAVED) != 0;
    *at = record->pte;
    if (pte_is_present(record->pte)) {
        struct cairn_frame *const frame = &vm->table[pte_number(record->pte)];
        if (is_saved) {
            frame_set_saved(frame, true);
        }
        frame->space = space;
        frame->page = page;
        vm->pool->figures.resident--;
        space->figures.resident++;
    } else if (record->pte != 0) {
        vm->pool->figures.swapped--;
        space->figures.swapped++;
    }
    space->figures.shared--;
    record_free(vm, record);
    return *at != 0;
}

CAIRN_INLINE void drop(struct cairn_space *space, pte_t pte)
{
    space->figures.shared--;
    if (pte_is_shared(pte)) {
        struct record *const record = table_record(space->vm, pte_number(pte));
        if (--record->owners == 0) {
            cairn_pool_end_(space->vm, record);
        }
    }
}

static void share_drop(struct cairn_space *space, pte_t pte)
{
    drop(space, pte);
}

// -------------------------------------------------------------------------------------------------------------------- objects

// An object's page comes from its store.
CAIRN_INLINE int fill_object(struct cairn_vm *vm, struct cairn_space *pages, cairn_vaddr_t page, uint32_t frame, pte_t was)
{
    const struct cairn_port_store *const store = pages->backing;
    if (store == NULL) {
        return fill(vm, pages, page, frame, was);
    }
    const int error = store->read(store->context, pages->backing_slot + (uint32_t)page, frame_memory(vm, frame));
    if (error != 0) {
        return error < 0 ? error : CAIRN_EIO;
    }
    pages->figures.major++;
    vm->figures.major++;
    return 0;
}

CAIRN_NOINLINE int cairn_object_page_(struct cairn_object *object, cairn_vaddr_t page, uint32_t *frame)
{
    struct cairn_space *const pages = &object->pages;
    struct cairn_vm *const vm = pages->vm;
    uint32_t *const leaf = table_leaf(vm, pages->root, page);
    pte_t pte;
    if (leaf != NULL && pte_is_present(*table_pte(vm, leaf, page))) {
        *frame = pte_number(*table_pte(vm, leaf, page));
        frame_touch(vm, *frame);
        if (CAIRN_UNLIKELY((vm->table[*frame].flags & FRAME_AHEAD) != 0)) {
            vm->prefetch->asked(pages, page, *frame);
        }
        return 0;
    }
    const int error = bring_in(vm, pages, page, leaf, 0, &pte, fill_object);
    if (error == 0) {
        *frame = pte_number(pte);
        if (pages->backing != NULL) {
            vm->table[*frame].slot = SLOT_BACKED;
            if (CAIRN_UNLIKELY(vm->prefetch != NULL)) {
                vm->prefetch->asked(pages, page, *frame);
            }
        }
    }
    return error;
}

// --------------------------------------------------------------------------------------------------------------------- faults

// The stack that may grow down to the page, which is in no mapping: near enough, and a page remains free below it. NULL: none.
static struct cairn_mapping *stack_above(const struct cairn_space *space, cairn_vaddr_t page)
{
    cairn_vaddr_t behind = 0; // the last page that is mapped below
    struct cairn_mapping *mapping = space->mappings;
    for (; mapping != NULL && mapping->first < page; mapping = mapping->next) {
        behind = mapping_end(mapping) - 1;
    }
    return mapping == NULL || mapping->first - page > mapping->grow || page < behind + 2 ? NULL : mapping;
}

// It grows down to the page. Returns false where that promises too much.
static bool grow_down(struct cairn_mapping *mapping, cairn_vaddr_t page)
{
    struct cairn_space *const space = mapping->space;
    const cairn_vaddr_t pages = mapping->first - page;
    if ((mapping->flags & MAP_CHARGED) != 0 && !cairn_commit_take_(space->vm, pages)) {
        return false;
    }
    mapping->first = page;
    mapping->pages += pages;
    mapping->grow -= pages;
    space->figures.virtual_pages += pages;
    return true;
}

// A copy of a frame's page becomes the space's own. leaf: of its pte, or NULL; is_common: it has one, which names the pool's page. Returns 0, and its pte; or an error.
CAIRN_SHARED int copy_own(struct cairn_vm *vm, struct cairn_space *space, cairn_vaddr_t page, uint32_t *leaf, uint32_t from, uint32_t protection, bool is_common, pte_t *now)
{
    uint32_t frame = vm->free_frame;
    if (CAIRN_SPEED && CAIRN_LIKELY(frame != CAIRN_FRAME_NONE)) {
        frame_unlist(vm, frame);
        cairn_bulk_copy_(frame_memory(vm, frame), frame_memory(vm, from), page_size(vm));
    } else {
        const int error = cairn_frame_copy_(vm, page_key(space, page), from, &frame);
        if (error != 0) {
            return error;
        }
        leaf = table_leaf(vm, space->root, page); // taking the frame may have freed tables
    }
    if (leaf == NULL) {
        leaf = cairn_table_make_(space, page);
        if (leaf == NULL) {
            cairn_frame_free_(vm, frame);
            return CAIRN_ENOMEM;
        }
    }
    pte_t *const at = table_pte(vm, leaf, page);
    cairn_tlb_forget_(vm, space, page, false);
    if (is_common || *at != 0) {
        drop(space, *at);
    }
    *now = frame << PTE_SHIFT | PTE_PRESENT | protection;
    *at = *now;
    frame_enter(vm, space, page, frame, SLOT_NONE, FRAME_DIRTY);
    space->figures.copies++;
    space->figures.minor++;
    vm->figures.minor++;
    return 0;
}

CAIRN_SHARED int own(struct cairn_vm *vm, struct cairn_space *space, cairn_vaddr_t page, uint32_t protection, pte_t *now)
{
    return own_page(vm, space, page, protection, now);
}

// The page of the pool has no other owner: it is the space's own from now on.
static CAIRN_NOINLINE int take_back(struct cairn_vm *vm, struct cairn_space *space, cairn_vaddr_t page, pte_t *at, uint32_t protection, pte_t *now)
{
    cairn_tlb_forget_(vm, space, page, false);
    if (!take_over(space, page, at)) {
        cairn_table_set_(space, page, 0);
    }
    return own(vm, space, page, protection, now);
}

// is_own: it is to be the space's own.
static int pool_fault(struct cairn_vm *vm, struct cairn_space *space, cairn_vaddr_t page, uint32_t *leaf, uint32_t protection, bool is_own, pte_t *now)
{
    pte_t *const at = table_pte(vm, leaf, page);
    const uint32_t number = pte_number(*at);
    const struct record *const record = table_record(vm, number);
    uint32_t frame = pte_number(record->pte);
    if (is_own && record->owners == 1) {
        return take_back(vm, space, page, at, protection, now);
    }
    if (CAIRN_LIKELY(pte_is_present(record->pte))) {
        frame_touch(vm, frame);
    } else {
        const uint32_t major = vm->figures.major;
        const int error = cairn_pool_page_(vm, number, &frame);
        if (error != 0) {
            return error;
        }
        space->figures.major += vm->figures.major - major;
        leaf = table_leaf(vm, space->root, page);
    }
    if (is_own) {
        return copy_own(vm, space, page, leaf, frame, protection, true, now);
    }
    *now = frame << PTE_SHIFT | PTE_PRESENT | (protection & ~CAIRN_WRITE);
    return 0;
}

static int object_fault(struct cairn_space *space, const struct cairn_mapping *mapping, cairn_vaddr_t page, bool is_own, pte_t *now)
{
    struct cairn_vm *const vm = space->vm;
    const bool is_shared = mapping_is_shared(mapping);
    const uint32_t major = vm->figures.major;
    uint32_t frame;
    const int error = cairn_object_page_(mapping->object, page - mapping->first + mapping->offset, &frame);
    if (error != 0) {
        return error;
    }
    space->figures.major += vm->figures.major - major;
    if (is_own && !is_shared) {
        return copy_own(vm, space, page, table_leaf(vm, space->root, page), frame, mapping->protection, false, now);
    }
    uint32_t *leaf = table_leaf(vm, space->root, page);
    if (leaf == NULL) {
        leaf = cairn_table_make_(space, page);
    }
    if (leaf == NULL) {
        return CAIRN_ENOMEM;
    }
    pte_t *const at = table_pte(vm, leaf, page);
    space->figures.shared += *at == 0;
    space->figures.minor += vm->figures.major == major;
    vm->figures.minor += vm->figures.major == major;
    *now = frame << PTE_SHIFT | PTE_PRESENT | (is_shared ? mapping->protection : mapping->protection & ~CAIRN_WRITE) | (*at & PTE_PINS);
    *at = *now;
    return 0;
}

// is_own: the page is to be pinned, or stored to.
static int find(struct cairn_space *space, const struct cairn_mapping *mapping, cairn_vaddr_t page, bool is_own, pte_t *pte)
{
    struct cairn_vm *const vm = space->vm;
    uint32_t *const leaf = table_leaf(vm, space->root, page);
    const pte_t was = leaf == NULL ? 0 : *table_pte(vm, leaf, page);
    if (pte_is_shared(was)) {
        return pool_fault(vm, space, page, leaf, mapping->protection, is_own, pte);
    }
    if (mapping->object != NULL && (was == 0 || (pte_is_present(was) && !frame_is_of(vm, was, space)))) {
        return object_fault(space, mapping, page, is_own, pte);
    }
    return own(vm, space, page, mapping->protection, pte);
}

static int share_resolve(struct cairn_space *space, struct cairn_mapping *mapping, cairn_vaddr_t address, uint32_t access, pte_t *pte)
{
    const cairn_vaddr_t page = address >> page_shift(space->vm);
    const bool is_below = mapping == NULL;
    if (CAIRN_UNLIKELY(is_below)) {
        mapping = table_covers(space->vm, address) ? stack_above(space, page) : NULL;
        if (mapping == NULL) {
            return CAIRN_EFAULT;
        }
    }
    if (CAIRN_UNLIKELY((~mapping->protection & access & PTE_ACCESS) != 0) || CAIRN_UNLIKELY(mapping->protection == 0)) {
        return CAIRN_EACCES;
    }
    if (CAIRN_UNLIKELY(space->suspended)) {
        return CAIRN_EBUSY;
    }
    if (CAIRN_UNLIKELY(is_below) && !grow_down(mapping, page)) {
        return CAIRN_EFAULT;
    }
    if (CAIRN_UNLIKELY((mapping->flags & MAP_UNTOUCHED) != 0)) {
        if (mapping->memory != NULL) { // which stays untouched: it has no ptes
            return FOUND_DIRECT;
        }
        mapping->flags &= ~MAP_UNTOUCHED;
        mapping_set_plain(mapping);
    }
    return find(space, mapping, page, (access & CAIRN_WRITE) != 0, pte);
}

static int share_own(struct cairn_space *space, cairn_vaddr_t address, pte_t *pte)
{
    const cairn_vaddr_t page = address >> page_shift(space->vm);
    const pte_t *const at = cairn_table_walk_(space, page);
    if (at != NULL && pte_is_present(*at) && frame_is_of(space->vm, *at, space)) {
        return 0;
    }
    return find(space, cairn_mapping_of_(space, page), page, true, pte);
}

// Of an object's page its pte counts them too: those of the mapping's other pages, and of other spaces, are not its own.
static bool share_count_pin(struct cairn_space *space, cairn_vaddr_t page, uint32_t change)
{
    pte_t *const pte = cairn_table_walk_(space, page);
    const struct cairn_frame *const frame = &space->vm->table[pte_number(*pte)];
    struct cairn_mapping *const mapping = cairn_mapping_of_(space, page);
    if (frame->space == space) {
        return change == 1 || frame->pins > mapping_locks(mapping);
    }
    if ((*pte & PTE_PINS) == (change == 1 ? PTE_PINS : 0)) {
        return false;
    }
    *pte += change * PTE_PIN;
    mapping->pins += change;
    return true;
}

static unsigned char *share_direct(const struct cairn_space *space, cairn_vaddr_t address)
{
    const struct cairn_mapping *const mapping = cairn_mapping_of_(space, address >> page_shift(space->vm));
    return (unsigned char *)(uintptr_t)mapping->memory + (size_t)(address - (mapping->first << page_shift(space->vm)));
}

// ------------------------------------------------------------------------------------------------------------- pages that leave

static void share_unmap(struct cairn_space *owner, cairn_vaddr_t page, bool all)
{
    struct cairn_vm *const vm = owner->vm;
    if (owner->generation != GENERATION_OTHERS) {
        return;
    }
    const bool is_pool = owner == vm->pool;
    const uint32_t frame = pte_number(is_pool ? table_record(vm, page)->pte : *cairn_table_walk_(owner, page));
    if (is_pool && all) {
        cairn_tlb_forget_frame_(vm, frame_memory(vm, frame));
    }
    if (is_pool) {
        return; // nobody may store to it as it is
    }
    for (struct cairn_mapping *mapping = ((struct cairn_object *)(void *)owner)->mappings; mapping != NULL; mapping = mapping->sibling) {
        if (page - mapping->offset >= mapping->pages) {
            continue;
        }
        const cairn_vaddr_t there = mapping->first + (page - mapping->offset);
        const pte_t *const at = cairn_table_walk_(mapping->space, there);
        if (at != NULL && pte_is_present(*at) && pte_number(*at) == frame) {
            cairn_tlb_forget_(vm, mapping->space, there, !all);
            if (all) {
                mapping->space->figures.shared--;
                cairn_table_set_(mapping->space, there, 0);
            }
        }
    }
    if (all && owner->backing != NULL) {
        vm->table[frame].slot = SLOT_NONE; // it is where it came from, and its pte need not say so
    }
}

static void share_forget(struct cairn_mapping *mapping)
{
    struct cairn_object *const object = mapping->object;
    struct cairn_vm *const vm = mapping->space->vm;
    if (object != NULL) {
        struct cairn_mapping **at = &object->mappings;
        while (*at != mapping) {
            at = &(*at)->sibling;
        }
        *at = mapping->sibling;
    }
    if ((mapping->flags & MAP_CHARGED) != 0) {
        cairn_commit_give_(vm, mapping->pages);
    }
    if (mapping->memory != NULL) {
        cairn_space_flush(mapping->space);
    }
    if ((mapping->flags & MAP_NODE) != 0) {
        cairn_table_give_(vm, TABLE_LIST_MAPPINGS, mapping);
    } else {
        for (struct cairn_mapping *part = mapping->space->mappings; part != NULL; part = part->next) {
            part->sibling = part->sibling == mapping ? NULL : part->sibling;
        }
    }
    if (object != NULL && object->removed && object->mappings == NULL) {
        (void)!cairn_object_deinit(object); // it has no store: that cannot fail
    }
}

static int share_end(struct cairn_space *space)
{
    const struct cairn_vm *const vm = space->vm;
    const int error = cairn_space_unmap_range(space, (cairn_vaddr_t)1 << page_shift(vm), vm->limit & ~vm->offset_mask);
    for (struct cairn_space *other = vm->spaces; error == 0 && other != NULL; other = other->next) {
        struct cairn_object *const object = (struct cairn_object *)(void *)other;
        if (other->generation == GENERATION_OTHERS && object->owner == space) {
            object->owner = vm->pool; // nobody's: the next space in the same place is another one
        }
    }
    return error;
}

const struct cairn_sharing cairn_sharing_ = {share_resolve, share_unmap, share_drop, share_own, share_count_pin, share_forget,
                                                share_end, cairn_share_used_, cairn_share_is_held_, cairn_share_leave_, share_direct};
