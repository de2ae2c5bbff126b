// SPDX-License-Identifier: MIT
//
// Page tables: a tree of nodes, made on demand and freed when empty.
//
// OWNS: the nodes, which are blocks of the vm's heap of tables.
// PICTURE: page number | index, level 0 | index, level 1 | ..    a node: { live, entry[2^bits] }
//          an inner entry: the node below, in bytes behind vm->table_base, which lies in front of all; 0: none. A leaf's entry: a pte
// INVARIANTS: V1 `live` is the number of a node's entries that are not 0, and no node but the root has none.
// COST: walk O(levels), 6 loads a level at most. No recursion.
// CALLERS: lib/vm.
#ifndef CAIRN_VM_TABLE_H
#define CAIRN_VM_TABLE_H

#include "vm/pte.h"

struct table_node {
    uint32_t live;
    uint32_t entry[];
};

CAIRN_INLINE struct table_node *table_below(const struct cairn_vm *vm, uint32_t entry)
{
    return (struct table_node *)(void *)(vm->table_base + entry);
}

CAIRN_INLINE uint32_t table_index(const struct cairn_vm *vm, uint32_t level, cairn_vaddr_t page)
{
    return (uint32_t)(page >> vm->shift[level]) & vm->mask[level];
}

// The node that has the pte of a page, in the tables below `root`; NULL where there is none. pre: the page is one of the space's.
CAIRN_INLINE struct table_node *table_leaf(const struct cairn_vm *vm, struct table_node *root, cairn_vaddr_t page)
{
    struct table_node *node = root;
    for (uint32_t level = 0; level + 1 < vm->levels; level++) {
        const uint32_t entry = node->entry[table_index(vm, level, page)];
        if (entry == 0) {
            return NULL;
        }
        node = table_below(vm, entry);
    }
    return node;
}

// Where the pte of a page is in its leaf.
CAIRN_INLINE pte_t *table_pte(const struct cairn_vm *vm, struct table_node *leaf, cairn_vaddr_t page)
{
    return &leaf->entry[(uint32_t)page & vm->mask[vm->levels - 1]];
}

// The pte of a page; NULL where there is no table for it. pre: the page is one of the space's.
CAIRN_INLINE pte_t *table_walk(const struct cairn_space *space, cairn_vaddr_t page)
{
    struct table_node *const leaf = table_leaf(space->vm, space->root, page);
    return leaf == NULL ? NULL : table_pte(space->vm, leaf, page);
}

// The leaf of a page that is to get a pte: makes the tables that are missing. NULL: no memory for one, and nothing has changed.
struct table_node *cairn_table_make_(struct cairn_space *space, cairn_vaddr_t page);

// Write the pte of a page, for which there is a table; frees what becomes empty, so that no pointer to a pte of this space is good behind it where pte is 0.
void cairn_table_set_(struct cairn_space *space, cairn_vaddr_t page, pte_t pte);

// The first page at or behind `page` that has a pte, and below `end`; `end` if there is none. O(tables looked at).
cairn_vaddr_t cairn_table_next_(const struct cairn_space *space, cairn_vaddr_t page, cairn_vaddr_t end);

// A root without entries; NULL: no memory.
struct table_node *cairn_table_root_(struct cairn_vm *vm);

#endif
