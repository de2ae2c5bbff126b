// SPDX-License-Identifier: MIT
//
// Fork: a space becomes two, and their pages stay common until one of them is written.
//
// OWNS: nothing beyond share.h. The space's own pages become the pool's, with two owners; those of the pool get one more; an object's are found again at the next access.
// PICTURE: parent | pte --> frame |        parent | pte --> record { frame, 2 } <-- pte | child        the next fork makes that 3: a record never stands behind a record
// INVARIANTS: V9, V10. A page with pins stays where it is: the child gets a copy.
// COST: O(pages in use), a flush of the parent's translations. CALLERS: the user.
#include "vm/share.h"

#include "vm/bring.h"

// The child's pte for a page of the parent's; 0: none. Returns 0 or an error.
static CAIRN_NOINLINE int copy_pinned(struct cairn_space *child, cairn_vaddr_t page, pte_t own, pte_t *pte)
{
    struct cairn_vm *const vm = child->vm;
    uint32_t frame;
    const int error = cairn_frame_copy_(vm, page_key(child, page), pte_number(own), &frame);
    if (error == 0) {
        frame_enter(child, page, frame, SLOT_NONE, FRAME_DIRTY);
        *pte = frame << PTE_SHIFT | PTE_PRESENT | (own & PTE_ACCESS);
    }
    return error;
}

// Share what a leaf of the parent's has, from an entry on, below another one.
static int fork_leaf(struct cairn_space *child, struct cairn_space *parent, cairn_vaddr_t page, uint32_t *leaf, uint32_t at, uint32_t end)
{
    struct cairn_vm *const vm = parent->vm;
    uint32_t *to = NULL;
    for (; at < end; at++, page++) {
        const pte_t own = leaf[at];
        if (own == 0 || (pte_is_present(own) && !frame_is_of(vm, own, parent))) {
            continue;
        }
        pte_t pte = own;
        int error = 0;
        to = to != NULL ? to : cairn_table_make_(child, page);
        if (to == NULL) {
            return CAIRN_ENOMEM;
        }
        if (pte_is_present(own) && vm->table[pte_number(own)].pins != 0) {
            error = copy_pinned(child, page, own, &pte);
        } else {
            pte = pte_is_shared(own) ? own : cairn_pool_take_(parent, own);
            error = pte == 0 ? CAIRN_ENOMEM : 0;
        }
        if (error != 0) {
            cairn_table_set_(child, page, 0); // frees what was made for it
            return error;
        }
        to[at] = pte;
        if (pte_is_shared(pte)) {
            leaf[at] = pte;
            table_record(vm, pte_number(pte))->owners++;
            child->figures.shared++;
        }
    }
    return 0;
}

// Share the pages of a mapping. Returns 0 or an error: then some are.
static int fork_pages(struct cairn_space *child, struct cairn_space *parent, const struct cairn_mapping *mapping)
{
    const struct cairn_vm *const vm = parent->vm;
    const cairn_vaddr_t end = mapping_end(mapping);
    const uint32_t entries = table_mask(vm, table_levels(vm) - 1) + 1;
    int error = 0;
    for (cairn_vaddr_t page = cairn_table_next_(parent, mapping->first, end); error == 0 && page < end; page = cairn_table_next_(parent, page, end)) {
        const uint32_t at = table_index(vm, table_levels(vm) - 1, page);
        const uint32_t count = end - page < entries - at ? (uint32_t)(end - page) : entries - at;
        error = fork_leaf(child, parent, page, table_leaf(vm, parent->root, page), at, at + count);
        page += count;
    }
    return error;
}

static int fork_mapping(struct cairn_space *child, struct cairn_space *parent, struct cairn_mapping *mapping)
{
    struct cairn_vm *const vm = parent->vm;
    const bool is_charged = (mapping->flags & MAP_CHARGED) != 0;
    struct cairn_mapping *const copy = cairn_table_take_(vm, TABLE_LIST_MAPPINGS, sizeof *copy);
    if (copy == NULL) {
        return CAIRN_ENOMEM;
    }
    if (is_charged && !cairn_commit_take_(vm, mapping->pages)) {
        cairn_table_give_(vm, TABLE_LIST_MAPPINGS, copy);
        return CAIRN_ENOMEM;
    }
    if (mapping->object == NULL && mapping->memory == NULL) {
        mapping_make_common(mapping);
    }
    *copy = *mapping;
    copy->flags = (mapping->flags | MAP_NODE) & ~CAIRN_MAP_LOCKED;
    copy->pins = 0;
    cairn_mapping_link_(child, copy);
    return fork_pages(child, parent, mapping);
}

int cairn_space_fork(struct cairn_space *child, struct cairn_space *parent)
{
    if (child == NULL || parent == NULL || parent->vm == NULL || child == parent) {
        return CAIRN_EINVAL;
    }
    struct cairn_vm *const vm = parent->vm;
    int error = cairn_sharing_start_(vm);
    error = error == 0 ? cairn_space_init(child, vm) : error;
    if (error != 0) {
        return error;
    }
    child->segments = parent->segments;
    child->segment_count = parent->segment_count;
    child->handler = parent->handler;
    child->context = parent->context;
    child->user = parent->user;
    child->break_start = parent->break_start;
    child->break_end = parent->break_end;
    for (struct cairn_mapping *mapping = parent->mappings; error == 0 && mapping != NULL; mapping = mapping->next) {
        error = fork_mapping(child, parent, mapping);
    }
    cairn_space_flush(parent); // what it could store to at once it may not any more
    if (error != 0) {
        (void)!cairn_space_deinit(child); // nothing of it is pinned
    }
    return error;
}
