// SPDX-License-Identifier: MIT
//
// Page tables: a tree of nodes, made on demand and freed when empty.
//
// OWNS: the nodes, and the memory that they come from.
// PICTURE: page number | index, level 0 | index, level 1 | ..    a node: entry[2^bits]
//          an inner entry: the node below, its address, or where that is longer than an entry 4 and its distance from vm->table_base; 0: none. A leaf's entry: a pte
// INVARIANTS: V1 no node but the root is empty: there is an entry that is not 0. One that is free is all zeros but for its first entry, the link; and so is what
//     was never used: making a node zeroes nothing, however long it is.
// COST: walk O(levels), 6 loads a level at most. No recursion.
// CALLERS: lib/vm.
#ifndef CAIRN_VM_TABLE_H
#define CAIRN_VM_TABLE_H

#include "vm/pte.h"

#include "base/compiler.h"

#include <string.h>

CAIRN_INLINE uint32_t *table_below(const struct cairn_vm *vm, uint32_t entry)
{
#if UINTPTR_MAX > 0xFFFFFFFF
    return (uint32_t *)(void *)(vm->table_base + (entry - 4));
#else
    (void)vm;
    return (uint32_t *)(uintptr_t)entry;
#endif
}

// What is fixed at build time, or else the vm's.
CAIRN_INLINE uint32_t table_levels(const struct cairn_vm *vm)
{
    return CAIRN_TABLE_LEVELS != 0 ? CAIRN_TABLE_LEVELS : vm->levels;
}

CAIRN_INLINE uint32_t table_shift(const struct cairn_vm *vm, uint32_t level)
{
    return CAIRN_TABLE_LEVELS != 0 ? (CAIRN_TABLE_LEVELS - 1u - level) * CAIRN_TABLE_BITS : vm->shift[level];
}

CAIRN_INLINE uint32_t table_mask(const struct cairn_vm *vm, uint32_t level)
{
    return CAIRN_TABLE_LEVELS != 0 ? (1u << (level == 0 ? CAIRN_TABLE_TOP_BITS : CAIRN_TABLE_BITS)) - 1 : vm->mask[level];
}

#define TABLE_FIXED_BITS (CAIRN_PAGE_SHIFT + CAIRN_TABLE_TOP_BITS + (CAIRN_TABLE_LEVELS - 1) * CAIRN_TABLE_BITS) // of an address, where they are fixed

// Is the address one of a space's?
CAIRN_INLINE bool table_covers(const struct cairn_vm *vm, cairn_vaddr_t address)
{
    if (CAIRN_TABLE_LEVELS == 0) {
        return address <= vm->limit;
    }
    return TABLE_FIXED_BITS == CAIRN_VADDR_BITS || address >> TABLE_FIXED_BITS % CAIRN_VADDR_BITS == 0;
}

CAIRN_INLINE uint32_t table_index(const struct cairn_vm *vm, uint32_t level, cairn_vaddr_t page)
{
    return (uint32_t)(page >> table_shift(vm, level)) & table_mask(vm, level);
}

// Bytes of a node.
CAIRN_INLINE uint32_t table_bytes(const struct cairn_vm *vm, uint32_t level)
{
    return (uint32_t)sizeof(uint32_t) * (table_mask(vm, level) + 1);
}

// table.c. The node that has the pte of a page, in the tables below `root`; NULL where there is none. pre: the page is one of the space's.
uint32_t *cairn_table_leaf_(const struct cairn_vm *vm, uint32_t *root, cairn_vaddr_t page);

// The same, laid out where the build favours speed: for a shape that is fixed, or two levels of a vm's own.
CAIRN_INLINE uint32_t *table_leaf(const struct cairn_vm *vm, uint32_t *root, cairn_vaddr_t page)
{
    uint32_t *node = root;
    if (!CAIRN_SPEED || (CAIRN_TABLE_LEVELS == 0 && CAIRN_UNLIKELY(vm->levels != 2))) {
        return cairn_table_leaf_(vm, root, page);
    }
    for (uint32_t level = 0; level + 1 < (CAIRN_TABLE_LEVELS != 0 ? CAIRN_TABLE_LEVELS + 0u : 2u); level++) {
        const uint32_t entry = node[CAIRN_TABLE_LEVELS != 0 ? table_index(vm, level, page) : (uint32_t)(page >> vm->shift[0])]; // of the root: nothing is above
        if (entry == 0) {
            return NULL;
        }
        node = table_below(vm, entry);
    }
    return node;
}

// The index of a page in its leaf.
CAIRN_INLINE uint32_t table_last_index(const struct cairn_vm *vm, cairn_vaddr_t page)
{
    return (uint32_t)page & (CAIRN_TABLE_LEVELS != 0 ? table_mask(vm, table_levels(vm) - 1) : vm->last_mask);
}

// What is known of a page that several spaces have: its pte, and how many ptes of spaces name it. It is as a node, and its number says where.
struct record {
    pte_t pte;
    uint32_t owners;
};

CAIRN_INLINE struct record *table_record(const struct cairn_vm *vm, cairn_vaddr_t number)
{
    return (struct record *)(void *)((uint32_t *)(void *)vm->table_base + number);
}

// Where the pte of a page is in its leaf.
CAIRN_INLINE pte_t *table_pte(const struct cairn_vm *vm, uint32_t *leaf, cairn_vaddr_t page)
{
    return &leaf[table_last_index(vm, page)];
}

// The pte of a page; NULL where there is no table for it. pre: the page is one of the space's.
pte_t *cairn_table_walk_(const struct cairn_space *space, cairn_vaddr_t page);

// The leaf of a page that is to get a pte: makes the tables that are missing. NULL: no memory for one, and nothing has changed.
uint32_t *cairn_table_make_(struct cairn_space *space, cairn_vaddr_t page);

// Write the pte of a page, for which there is a table; frees what becomes empty, for which the tables on the way are looked through where pte is 0, so that no pointer to a pte of this space is good behind it where pte is 0.
void cairn_table_set_(struct cairn_space *space, cairn_vaddr_t page, pte_t pte);

// The first page at or behind `page` that has a pte, and below `end`; `end` if there is none. O(tables looked at).
cairn_vaddr_t cairn_table_next_(const struct cairn_space *space, cairn_vaddr_t page, cairn_vaddr_t end);

// pre: the node is of this level, and empty.
void cairn_table_free_(struct cairn_vm *vm, uint32_t *node, uint32_t level);

// Memory for something of so many bytes, a multiple of 8, at a multiple of 8: what was given back to that list, as it was but for its first word, which is 0; or zeros, never used. NULL: there is none.
void *cairn_table_take_(struct cairn_vm *vm, uint32_t list, uint32_t bytes);
void cairn_table_give_(struct cairn_vm *vm, uint32_t list, void *memory);
#define TABLE_LIST_RECORDS CAIRN_LEVELS_MAX
#define TABLE_LIST_MAPPINGS (CAIRN_LEVELS_MAX + 1)

// A root without entries; NULL: no memory.
uint32_t *cairn_table_root_(struct cairn_vm *vm);

#endif
