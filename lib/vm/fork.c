// SPDX-License-Identifier: MIT
//
// Fork: a space becomes two, and their pages stay common until one of them is written.
//
// OWNS: nothing beyond share.h. The space's own pages become the pool's, with two owners; those of the pool get one more; an object's are found again at the next access.
// PICTURE: parent | pte --> frame |        parent | pte --> record { frame, 2 } <-- pte | child        the next fork makes that 3: a record never stands behind a record
// INVARIANTS: V9, V10. A page with pins stays where it is: the child gets a copy.
// COST: O(pages in use), some 22 instructions for each. The parent gets another ASID, so that what it could store to at once is not found any more.
// CALLERS: the user.
#include "vm/share.h"

#include "vm/bring.h"

// A copy of a page of the parent's that is pinned. Returns 0, and the child's pte; or an error.
static CAIRN_NOINLINE int copy_pinned(struct cairn_space *child, cairn_vaddr_t page, pte_t own, pte_t *pte)
{
    struct cairn_vm *const vm = child->vm;
    uint32_t frame;
    const int error = cairn_frame_copy_(vm, page_key(child, page), pte_number(own), &frame);
    if (error == 0) {
        frame_enter(vm, child, page, frame, SLOT_NONE, FRAME_DIRTY);
        *pte = frame << PTE_SHIFT | PTE_PRESENT | (own & PTE_ACCESS);
    }
    return error;
}

// What several pages of a leaf have in common.
struct fork {
    struct cairn_vm *vm;
    struct cairn_space *parent, *child;
    uint32_t *from, *to; // the leaf of both; to: NULL until there is one
};

// Share a page that fork_run leaves. pre: there is a leaf for the child's. Returns 0 or an error.
static CAIRN_NOINLINE int fork_page(const struct fork *fork, cairn_vaddr_t page, uint32_t at)
{
    struct cairn_vm *const vm = fork->vm;
    const pte_t own = fork->from[at];
    if (pte_is_present(own) && vm->table[pte_number(own)].pins != 0) {
        return copy_pinned(fork->child, page, own, &fork->to[at]);
    }
    const pte_t pte = pte_is_shared(own) ? own : cairn_pool_take_(fork->parent, own);
    if (pte == 0) {
        return CAIRN_ENOMEM;
    }
    fork->from[at] = fork->to[at] = pte;
    table_record(vm, pte_number(pte))->owners++;
    fork->child->figures.shared++;
    return 0;
}

// Share pages as long as they are in frames, the parent's own, not pinned, and there are records: of those that were freed, or (is_new) of what was never used.
// Returns the entry that is none such, or `end`.
CAIRN_INLINE uint32_t fork_run(const struct fork *fork, uint32_t at, uint32_t end, bool is_new)
{
    struct cairn_vm *const vm = fork->vm;
    struct cairn_space *const parent = fork->parent;
    struct cairn_space *const pool = vm->pool;
    struct cairn_frame *const table = vm->table;
    const uint32_t first = vm->table_used / 4;
    const bool has_numbers = !is_new || first + 2 * (end - at) <= PTE_NUMBERS; // else one by one
    const uint32_t room = !is_new ? end - at : has_numbers ? (vm->table_size - vm->table_used) / sizeof(struct record) : 0;
    const uint32_t *const last = &fork->from[room < end - at ? at + room : end];
    const ptrdiff_t to = fork->to - fork->from;
    uint32_t *from = &fork->from[at];
    struct record *record = table_record(vm, first);
    uint32_t list = vm->free_node[TABLE_LIST_RECORDS];
    pte_t pte = first << PTE_SHIFT | PTE_SHARED;
    uint32_t count = 0;
    for (; from != last; from++) {
        const pte_t own = *from;
        if (CAIRN_UNLIKELY(!pte_is_present(own))) {
            if (own == 0) {
                continue;
            }
            break;
        }
        struct cairn_frame *frame = &table[pte_number(own)];
        CAIRN_FORGET(frame); // one register for it
        if (frame->space != parent || (frame->flags & (FRAME_PINNED | FRAME_AHEAD)) != 0 || (!is_new && list == 0)) {
            break;
        }
        if (!is_new) {
            record = (struct record *)(void *)table_below(vm, list);
            list = record->pte;
            pte = (uint32_t)((uint32_t *)(void *)record - (uint32_t *)(void *)vm->table_base) << PTE_SHIFT | PTE_SHARED;
            count++;
        }
        frame->space = pool;
        frame->page = pte_number(pte);
        from[to] = pte;
        *from = pte;
        record->pte = own & ~PTE_ACCESS;
        record->owners = 2;
        record += is_new;
        pte += is_new ? 2u << PTE_SHIFT : 0;
    }
    if (is_new) {
        count = (uint32_t)(record - table_record(vm, first));
        vm->table_used += count * (uint32_t)sizeof *record;
    } else {
        vm->free_node[TABLE_LIST_RECORDS] = list;
    }
    vm->figures.shared += count;
    pool->figures.resident += count;
    parent->figures.resident -= count;
    parent->figures.shared += count;
    fork->child->figures.shared += count;
    return (uint32_t)(from - fork->from);
}

static CAIRN_NOINLINE uint32_t fork_listed(const struct fork *fork, uint32_t at, uint32_t end)
{
    return fork_run(fork, at, end, false);
}

static CAIRN_NOINLINE uint32_t fork_new(const struct fork *fork, uint32_t at, uint32_t end)
{
    return fork_run(fork, at, end, true);
}

// Share what a leaf of the parent's has, from an entry on, below another one. Returns 0 or an error: then some are.
static int fork_leaf(struct fork *fork, cairn_vaddr_t page, uint32_t at, uint32_t end)
{
    const struct cairn_vm *const vm = fork->vm;
    const cairn_vaddr_t first = page - at;
    while (at < end) {
        const pte_t own = fork->from[at];
        if (own == 0 || (pte_is_present(own) && !frame_is_of(vm, own, fork->parent))) {
            at++; // nothing, or an object's, which the child finds there
            continue;
        }
        fork->to = fork->to != NULL ? fork->to : cairn_table_make_(fork->child, first + at);
        if (fork->to == NULL) {
            return CAIRN_ENOMEM;
        }
        const uint32_t next = vm->free_node[TABLE_LIST_RECORDS] != 0 ? fork_listed(fork, at, end) : fork_new(fork, at, end);
        const int error = next == at ? fork_page(fork, first + at, at) : 0;
        if (error != 0) {
            cairn_table_set_(fork->child, first + at, 0); // frees what was made for it
            return error;
        }
        at = next == at ? at + 1 : next;
    }
    return 0;
}

// Share the pages of a mapping. Returns 0 or an error: then some are.
static int fork_pages(struct cairn_space *child, struct cairn_space *parent, const struct cairn_mapping *mapping)
{
    const struct cairn_vm *const vm = parent->vm;
    const cairn_vaddr_t end = mapping_end(mapping);
    const uint32_t entries = table_mask(vm, table_levels(vm) - 1) + 1;
    struct fork fork = {.vm = parent->vm, .parent = parent, .child = child};
    int error = 0;
    for (cairn_vaddr_t page = mapping->first; error == 0 && page < end;) {
        page = cairn_table_next_(parent, page, end);
        if (page >= end) {
            break;
        }
        const uint32_t at = table_last_index(vm, page);
        const uint32_t count = end - page < entries - at ? (uint32_t)(end - page) : entries - at;
        fork.from = table_leaf(vm, parent->root, page);
        fork.to = table_leaf(vm, child->root, page);
        error = fork_leaf(&fork, page, at, at + count);
        page += count;
    }
    return error;
}

// place: behind the child's last mapping, of those that the parent has before this one.
static int fork_mapping(struct cairn_space *child, struct cairn_space *parent, struct cairn_mapping *mapping, struct cairn_mapping **place)
{
    struct cairn_vm *const vm = parent->vm;
    const bool is_charged = (mapping->flags & MAP_CHARGED) != 0;
    struct cairn_mapping *const copy = cairn_table_take_(vm, TABLE_LIST_MAPPINGS, NODE_BYTES);
    if (copy == NULL) {
        return CAIRN_ENOMEM;
    }
    if (is_charged && !cairn_commit_take_(vm, mapping->pages)) {
        cairn_table_give_(vm, TABLE_LIST_MAPPINGS, copy);
        return CAIRN_ENOMEM;
    }
    const bool is_touched = (mapping->flags & MAP_UNTOUCHED) == 0;
    if (is_touched) {
        mapping_common(mapping); // its faults are share.c's from now on
    }
    *copy = *mapping;
    copy->flags = (copy->flags | MAP_NODE) & ~CAIRN_MAP_LOCKED;
    copy->pins = 0;
    copy->sibling = NULL;
    mapping_enter(child, copy, place);
    return is_touched ? fork_pages(child, parent, mapping) : 0;
}

int cairn_space_fork(struct cairn_space *child, struct cairn_space *parent)
{
    if (child == NULL || parent == NULL || parent->vm == NULL || child == parent) {
        return CAIRN_EINVAL;
    }
    struct cairn_vm *const vm = parent->vm;
    int error = vm->sharing != NULL ? 0 : cairn_sharing_start_(vm);
    if (error == 0) {
        error = cairn_space_init(child, vm);
    }
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
    child->heap = parent->heap;
    struct cairn_mapping **place = &child->mappings;
    for (struct cairn_mapping *mapping = parent->mappings; error == 0 && mapping != NULL; mapping = mapping->next) {
        error = fork_mapping(child, parent, mapping, place);
        place = error == 0 ? &(*place)->next : place;
    }
    tlb_assign(vm, parent); // what it could store to at once it may not any more: with another ASID it is not found
    if (vm->current == parent) {
        vm->asid = parent->asid;
    }
    if (error != 0) {
        (void)!cairn_space_deinit(child); // nothing of it is pinned
    }
    return error;
}
