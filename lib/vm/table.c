// SPDX-License-Identifier: MIT
//
// Page tables: making and freeing nodes.
// OWNS: the nodes; table.h has the picture. INVARIANTS: V1.
// COST: O(levels), and the zeroing of a node that is made. CALLERS: lib/vm.
#include "vm/table.h"

#include <string.h>

static struct table_node *node_make(struct cairn_vm *vm, uint32_t level)
{
    const size_t bytes = sizeof(struct table_node) + sizeof(uint32_t) * ((size_t)vm->mask[level] + 1);
    struct table_node *const node = cairn_heap_alloc_(&vm->tables, bytes);
    if (node != NULL) {
        memset(node, 0, bytes);
    }
    return node;
}

CAIRN_INLINE uint32_t entry_of(const struct cairn_vm *vm, const struct table_node *node)
{
    return (uint32_t)(size_t)((const unsigned char *)node - vm->table_base);
}

CAIRN_NOINLINE struct table_node *cairn_table_root_(struct cairn_vm *vm)
{
    return node_make(vm, 0);
}

// The nodes on the way to a page: path[0] is the root. Returns how many there are.
static uint32_t path_to(const struct cairn_space *space, cairn_vaddr_t page, struct table_node *path[CAIRN_LEVELS_MAX])
{
    const struct cairn_vm *const vm = space->vm;
    uint32_t level = 0;
    path[0] = space->root;
    while (level + 1 < vm->levels) {
        const uint32_t entry = path[level]->entry[table_index(vm, level, page)];
        if (entry == 0) {
            break;
        }
        path[++level] = table_below(vm, entry);
    }
    return level + 1;
}

// Free the nodes of the path that have no entry, from the last upwards.
static void prune(struct cairn_space *space, cairn_vaddr_t page, struct table_node *path[CAIRN_LEVELS_MAX], uint32_t count)
{
    for (; count > 1 && path[count - 1]->live == 0; count--) {
        path[count - 2]->entry[table_index(space->vm, count - 2, page)] = 0;
        path[count - 2]->live--;
        cairn_heap_free_(&space->vm->tables, path[count - 1]);
    }
}

CAIRN_NOINLINE struct table_node *cairn_table_make_(struct cairn_space *space, cairn_vaddr_t page)
{
    struct cairn_vm *const vm = space->vm;
    struct table_node *path[CAIRN_LEVELS_MAX];
    uint32_t count = path_to(space, page, path);
    for (; count < vm->levels; count++) {
        struct table_node *const node = node_make(vm, count);
        if (node == NULL) {
            prune(space, page, path, count);
            return NULL;
        }
        path[count] = node;
        path[count - 1]->entry[table_index(vm, count - 1, page)] = entry_of(vm, node);
        path[count - 1]->live++;
    }
    return path[count - 1];
}

CAIRN_NOINLINE void cairn_table_set_(struct cairn_space *space, cairn_vaddr_t page, pte_t pte)
{
    const struct cairn_vm *const vm = space->vm;
    struct table_node *path[CAIRN_LEVELS_MAX];
    const uint32_t count = path_to(space, page, path);
    if (count != vm->levels) {
        return; // pre: there is a table
    }
    pte_t *const at = &path[count - 1]->entry[table_index(vm, count - 1, page)];
    path[count - 1]->live += (uint32_t)(pte != 0) - (*at != 0);
    *at = pte;
    prune(space, page, path, count);
}

CAIRN_NOINLINE cairn_vaddr_t cairn_table_next_(const struct cairn_space *space, cairn_vaddr_t page, cairn_vaddr_t end)
{
    const struct cairn_vm *const vm = space->vm;
    while (page < end) {
        struct table_node *path[CAIRN_LEVELS_MAX];
        const uint32_t level = path_to(space, page, path) - 1;
        if (level + 1 == vm->levels && path[level]->entry[table_index(vm, level, page)] != 0) {
            return page;
        }
        const cairn_vaddr_t span = (cairn_vaddr_t)1 << vm->shift[level]; // what an entry of that node is for
        const cairn_vaddr_t next = (page & ~(span - 1)) + span;
        if (next <= page) { // the last
            return end;
        }
        page = next;
    }
    return end;
}
