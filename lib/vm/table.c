// SPDX-License-Identifier: MIT
//
// Page tables: making and freeing nodes, and what else lies among them.
// OWNS: the nodes; table.h has the picture. A node comes from the list of those of its size that were freed, or from what was never used.
// INVARIANTS: V1.
// COST: O(levels); cairn_table_set_ to 0 looks at each entry of a node once at worst. CALLERS: lib/vm.
#include "vm/table.h"

CAIRN_INLINE uint32_t entry_of(const struct cairn_vm *vm, const uint32_t *node)
{
#if UINTPTR_MAX > 0xFFFFFFFF
    return (uint32_t)(size_t)((const unsigned char *)node - vm->table_base) + 4;
#else
    (void)vm;
    return (uint32_t)(uintptr_t)node;
#endif
}

CAIRN_NOINLINE uint32_t *cairn_table_leaf_(const struct cairn_vm *vm, uint32_t *root, cairn_vaddr_t page)
{
    uint32_t *node = root;
    for (uint32_t level = 0; level + 1 < table_levels(vm); level++) {
        const uint32_t entry = node[table_index(vm, level, page)];
        if (entry == 0) {
            return NULL;
        }
        node = table_below(vm, entry);
    }
    return node;
}

CAIRN_NOINLINE pte_t *cairn_table_walk_(const struct cairn_space *space, cairn_vaddr_t page)
{
    uint32_t *const leaf = table_leaf(space->vm, space->root, page);
    return leaf == NULL ? NULL : table_pte(space->vm, leaf, page);
}

// As cairn_table_take_.
CAIRN_INLINE void *take(struct cairn_vm *vm, uint32_t list, uint32_t bytes)
{
    uint32_t *const first = &vm->free_node[list];
    uint32_t *node;
    if (*first != 0) {
        node = table_below(vm, *first);
        *first = node[0];
        node[0] = 0;
    } else if (bytes <= vm->table_size - vm->table_used) {
        node = (uint32_t *)(void *)(vm->table_base + vm->table_used);
        vm->table_used += bytes;
    } else {
        return NULL;
    }
    return node;
}

CAIRN_NOINLINE void *cairn_table_take_(struct cairn_vm *vm, uint32_t list, uint32_t bytes)
{
    return take(vm, list, bytes);
}

CAIRN_NOINLINE void cairn_table_give_(struct cairn_vm *vm, uint32_t list, void *memory)
{
    uint32_t *const node = memory;
    node[0] = vm->free_node[list];
    vm->free_node[list] = entry_of(vm, node);
}

CAIRN_INLINE uint32_t *node_new(struct cairn_vm *vm, uint32_t level)
{
    const uint32_t bytes = table_bytes(vm, level);
    uint32_t *const node = CAIRN_SPEED ? take(vm, vm->node_list[level], bytes) : cairn_table_take_(vm, vm->node_list[level], bytes);
    if (node != NULL) {
        vm->figures.tables++;
        vm->figures.table_bytes += bytes;
    }
    return node;
}

static CAIRN_NOINLINE uint32_t *node_make(struct cairn_vm *vm, uint32_t level)
{
    return node_new(vm, level);
}

CAIRN_NOINLINE void cairn_table_free_(struct cairn_vm *vm, uint32_t *node, uint32_t level)
{
    cairn_table_give_(vm, vm->node_list[level], node);
    vm->figures.tables--;
    vm->figures.table_bytes -= table_bytes(vm, level);
}

CAIRN_NOINLINE uint32_t *cairn_table_root_(struct cairn_vm *vm)
{
    return node_make(vm, 0);
}

// The nodes on the way to a page: path[0] is the root. Returns how many there are.
static uint32_t path_to(const struct cairn_space *space, cairn_vaddr_t page, uint32_t *path[CAIRN_LEVELS_MAX])
{
    const struct cairn_vm *const vm = space->vm;
    uint32_t level = 0;
    path[0] = space->root;
    while (level + 1 < table_levels(vm)) {
        const uint32_t entry = path[level][table_index(vm, level, page)];
        if (entry == 0) {
            break;
        }
        path[++level] = table_below(vm, entry);
    }
    return level + 1;
}

// Has the node no entry? Where pages go one after the other, upwards, the next is the first that is looked at.
static bool is_empty(const uint32_t *node, uint32_t from, uint32_t mask)
{
    uint32_t at = from;
    do {
        if (node[at] != 0) {
            return false;
        }
        at = (at + 1) & mask;
    } while (at != from);
    return true;
}

// Free the nodes of the path that have no entry, from the last upwards.
static void prune(struct cairn_space *space, cairn_vaddr_t page, uint32_t *path[CAIRN_LEVELS_MAX], uint32_t count)
{
    const struct cairn_vm *const vm = space->vm;
    for (; count > 1 && is_empty(path[count - 1], table_index(vm, count - 1, page), table_mask(vm, count - 1)); count--) {
        path[count - 2][table_index(vm, count - 2, page)] = 0;
        cairn_table_free_(space->vm, path[count - 1], count - 1);
    }
}

CAIRN_NOINLINE uint32_t *cairn_table_make_(struct cairn_space *space, cairn_vaddr_t page)
{
    struct cairn_vm *const vm = space->vm;
    uint32_t *path[CAIRN_LEVELS_MAX];
    if (CAIRN_SPEED && table_levels(vm) == 2) { // as most are
        uint32_t *const entry = &space->root[table_index(vm, 0, page)];
        uint32_t *const node = *entry != 0 ? table_below(vm, *entry) : node_new(vm, 1);
        if (node != NULL) {
            *entry = entry_of(vm, node);
        }
        return node;
    }
    uint32_t count = path_to(space, page, path);
    for (; count < table_levels(vm); count++) {
        uint32_t *const node = node_make(vm, count);
        if (node == NULL) {
            prune(space, page, path, count);
            return NULL;
        }
        path[count] = node;
        path[count - 1][table_index(vm, count - 1, page)] = entry_of(vm, node);
    }
    return path[count - 1];
}

CAIRN_NOINLINE void cairn_table_set_(struct cairn_space *space, cairn_vaddr_t page, pte_t pte)
{
    const struct cairn_vm *const vm = space->vm;
    uint32_t *path[CAIRN_LEVELS_MAX];
    if (CAIRN_UNLIKELY(space->root == NULL)) {
        table_record(vm, page)->pte = pte;
        return;
    }
    const uint32_t count = path_to(space, page, path);
    if (count != table_levels(vm)) {
        return; // pre: there is a table
    }
    path[count - 1][table_index(vm, count - 1, page)] = pte;
    if (pte == 0) {
        prune(space, page, path, count);
    }
}

CAIRN_NOINLINE cairn_vaddr_t cairn_table_next_(const struct cairn_space *space, cairn_vaddr_t page, cairn_vaddr_t end)
{
    const struct cairn_vm *const vm = space->vm;
    while (page < end) {
        uint32_t *path[CAIRN_LEVELS_MAX];
        const uint32_t level = path_to(space, page, path) - 1;
        const cairn_vaddr_t span = (cairn_vaddr_t)1 << table_shift(vm, level); // what an entry of that node is for
        const uint32_t *const node = path[level];
        uint32_t at = table_index(vm, level, page);
        if (node[at] != 0) {
            return page;
        }
        page &= ~(span - 1);
        do {
            page += span;
            if (page >= end || page == 0) { // the last
                return end;
            }
            at++;
        } while (at <= table_mask(vm, level) && node[at] == 0);
    }
    return end;
}
