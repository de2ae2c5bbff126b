// SPDX-License-Identifier: MIT
//
// Mappings: choosing a range, splitting and merging, what is promised.
//
// OWNS: the nodes of mappings, in the vm's memory; the count of pages that are promised.
// PICTURE: list by address   | a 3..7 |    | b 9..12 | c 12..20 |        unmapping 5..14 leaves | a 3..5 |  | c 14..20 |; 4..6 leaves two of a: the second is a node
// INVARIANTS: V8, V9. What can run out is taken before anything changes.
// COST: O(mappings), O(pages in use in the range). CALLERS: the user; object.h's files.
#include "vm/share.h"

#define MAP_FLAGS (CAIRN_MAP_SHARED | CAIRN_MAP_FIXED | CAIRN_MAP_REPLACE | CAIRN_MAP_GROWS_DOWN)
#define MAP_KEPT (CAIRN_MAP_SHARED | CAIRN_MAP_GROWS_DOWN)

// ------------------------------------------------------------------------------------------------------------- what is promised

static cairn_vaddr_t capacity(const struct cairn_vm *vm)
{
    return (cairn_vaddr_t)vm->frame_count - 1 + (vm->store == NULL ? 0 : vm->store->slots);
}

CAIRN_NOINLINE bool cairn_commit_take_(struct cairn_vm *vm, cairn_vaddr_t pages)
{
    const cairn_vaddr_t limit = vm->commit_limit;
    if ((vm->commit_mode == CAIRN_COMMIT_HEURISTIC && pages > capacity(vm)) ||
        (vm->commit_mode == CAIRN_COMMIT_STRICT && pages != 0 && (vm->committed > limit || pages > limit - vm->committed))) {
        return false;
    }
    vm->committed += pages;
    return true;
}

CAIRN_NOINLINE void cairn_commit_give_(struct cairn_vm *vm, cairn_vaddr_t pages)
{
    vm->committed -= pages;
}

int cairn_vm_commit(struct cairn_vm *vm, enum cairn_commit mode, cairn_vaddr_t limit)
{
    if (vm == NULL || (unsigned)mode > CAIRN_COMMIT_STRICT) {
        return CAIRN_EINVAL;
    }
    vm->commit_mode = mode;
    vm->commit_limit = limit == 0 ? capacity(vm) : limit >> vm->page_shift;
    return 0;
}

// ------------------------------------------------------------------------------------------------------------------- the list

CAIRN_NOINLINE void cairn_mapping_link_(struct cairn_space *space, struct cairn_mapping *mapping)
{
    struct cairn_mapping **at = &space->mappings;
    while (*at != NULL && (*at)->first < mapping->first) {
        at = &(*at)->next;
    }
    mapping_enter(space, mapping, at);
}

CAIRN_NOINLINE bool cairn_mapping_covers_(const struct cairn_space *space, cairn_vaddr_t page, cairn_vaddr_t end)
{
    for (const struct cairn_mapping *mapping = space->mappings; mapping != NULL && mapping->first <= page; mapping = mapping->next) {
        if (page < mapping_end(mapping)) {
            page = mapping_end(mapping);
        }
    }
    return page >= end;
}

static struct cairn_mapping *node_take(struct cairn_vm *vm)
{
    return cairn_table_take_(vm, TABLE_LIST_MAPPINGS, NODE_BYTES);
}

// The mapping ends at a page within it; what is behind is the node's.
static void split(struct cairn_mapping *mapping, cairn_vaddr_t page, struct cairn_mapping *node)
{
    const cairn_vaddr_t front = page - mapping->first;
    *node = *mapping;
    node->flags = (node->flags | MAP_NODE) & ~MAP_FIRST;
    node->first = page;
    node->pages -= front;
    node->grow = 0;
    node->offset += mapping->object != NULL ? front : 0;
    if (mapping->memory != NULL) {
        node->memory += front << mapping->space->vm->page_shift;
    }
    node->pins = 0; // pre: none
    mapping->pages = front;
    mapping->next = node;
    if (mapping->object != NULL) {
        mapping->sibling = node;
    } else if ((mapping->flags & MAP_NODE) == 0) {
        node->sibling = mapping;
    }
}

// The mapping that a page is within, and is not the first of; NULL: none.
static struct cairn_mapping *across(const struct cairn_space *space, cairn_vaddr_t page)
{
    struct cairn_mapping *const mapping = cairn_mapping_of_(space, page);
    return mapping == NULL || mapping->first == page ? NULL : mapping;
}

CAIRN_NOINLINE int cairn_mapping_cut_(struct cairn_space *space, cairn_vaddr_t page, cairn_vaddr_t end)
{
    struct cairn_vm *const vm = space->vm;
    struct cairn_mapping *const first = across(space, page);
    struct cairn_mapping *const last = across(space, end);
    struct cairn_mapping *const left = first == NULL ? NULL : node_take(vm);
    struct cairn_mapping *const right = last == NULL ? NULL : node_take(vm);
    const bool is_pinned = (first != NULL && first->pins != 0) || (last != NULL && last->pins != 0);
    if ((first != NULL && left == NULL) || (last != NULL && right == NULL) || is_pinned) {
        if (right != NULL) {
            cairn_table_give_(vm, TABLE_LIST_MAPPINGS, right);
        }
        if (left != NULL) {
            cairn_table_give_(vm, TABLE_LIST_MAPPINGS, left);
        }
        return is_pinned ? CAIRN_EBUSY : CAIRN_ENOMEM;
    }
    if (last != NULL) {
        split(last, end, right);
    }
    if (first != NULL) {
        split(first, page, left);
    }
    return 0;
}

// The mapping in the caller's memory that it is, or was a part of; NULL: none. That one grows by no other.
static const struct cairn_mapping *callers(const struct cairn_mapping *mapping)
{
    return (mapping->flags & MAP_NODE) == 0 ? mapping : mapping->object == NULL ? mapping->sibling : NULL;
}

// Does b go on where a ends, as if it were a part of it?
static bool continues(const struct cairn_mapping *a, const struct cairn_mapping *b)
{
    const cairn_vaddr_t bytes = a->pages << a->space->vm->page_shift;
    return mapping_end(a) == b->first && (b->flags & (MAP_NODE | MAP_FIRST)) == MAP_NODE && ((a->flags ^ b->flags) & ~(MAP_NODE | MAP_UNTOUCHED | MAP_COMMON | MAP_FIRST)) == 0 &&
           callers(a) == callers(b) && a->protection == b->protection && b->grow == 0 && a->object == b->object && (a->object == NULL || a->offset + a->pages == b->offset) &&
           (a->memory == NULL ? b->memory == NULL : a->memory + bytes == b->memory);
}

CAIRN_NOINLINE void cairn_mapping_merge_(struct cairn_space *space)
{
    struct cairn_mapping *mapping = space->mappings;
    while (mapping != NULL && mapping->next != NULL) {
        struct cairn_mapping *const next = mapping->next;
        if (!continues(mapping, next)) {
            mapping = next;
            continue;
        }
        mapping->pages += next->pages;
        mapping->pins += next->pins;
        mapping->flags = (mapping->flags & (next->flags | ~MAP_UNTOUCHED)) | (next->flags & MAP_COMMON);
        mapping_set_plain(mapping);
        mapping->next = next->next;
        next->pages = 0; // nothing of it is given back
        space->vm->sharing->forget(next);
    }
}

// -------------------------------------------------------------------------------------------------------------------- unmapping

// Is a page of the range pinned, beside those that are locked?
static bool is_pinned(const struct cairn_space *space, cairn_vaddr_t page, cairn_vaddr_t end)
{
    const struct cairn_vm *const vm = space->vm;
    for (const struct cairn_mapping *mapping = space->mappings; mapping != NULL && mapping->first < end; mapping = mapping->next) {
        const cairn_vaddr_t last = mapping_end(mapping) < end ? mapping_end(mapping) : end;
        if (last <= page) {
            continue;
        }
        if (mapping->pins != 0) {
            return true;
        }
        if ((mapping->flags & MAP_UNTOUCHED) != 0) {
            continue;
        }
        cairn_vaddr_t its = mapping->first < page ? page : mapping->first;
        for (its = cairn_table_next_(space, its, last); its < last; its = cairn_table_next_(space, its + 1, last)) {
            const pte_t pte = *cairn_table_walk_(space, its);
            if (pte_is_present(pte) && frame_is_of(vm, pte, space) && vm->table[pte_number(pte)].pins > mapping_locks(mapping)) {
                return true;
            }
        }
    }
    return false;
}

// What is mapped of the range goes. pre: no mapping reaches out of it, and nothing is pinned.
static void unmap_whole(struct cairn_space *space, cairn_vaddr_t page, cairn_vaddr_t end)
{
    struct cairn_mapping **at = &space->mappings;
    while (*at != NULL) {
        struct cairn_mapping *const mapping = *at;
        if (mapping->first < page || mapping->first >= end) {
            at = &mapping->next;
            continue;
        }
        cairn_mapping_unlock_(mapping);
        const cairn_vaddr_t last = (mapping->flags & MAP_UNTOUCHED) != 0 ? 0 : mapping_end(mapping);
        for (cairn_vaddr_t its = cairn_table_next_(space, mapping->first, last); its < last; its = cairn_table_next_(space, its + 1, last)) {
            cairn_page_drop_(space, its);
        }
        *at = mapping->next;
        space->figures.virtual_pages -= mapping->pages;
        space->vm->sharing->forget(mapping);
    }
}

CAIRN_NOINLINE int cairn_space_unmap_range(struct cairn_space *space, cairn_vaddr_t address, cairn_vaddr_t size)
{
    if (space == NULL || space->vm == NULL || !range_is_good(space->vm, address, size)) {
        return CAIRN_EINVAL;
    }
    const cairn_vaddr_t page = address >> space->vm->page_shift;
    const cairn_vaddr_t end = page + (size >> space->vm->page_shift);
    int error = cairn_sharing_start_(space->vm);
    if (error == 0) {
        error = is_pinned(space, page, end) ? CAIRN_EBUSY : cairn_mapping_cut_(space, page, end);
    }
    if (error == 0) {
        unmap_whole(space, page, end);
    }
    return error;
}

// ---------------------------------------------------------------------------------------------------------------------- mapping

// The pages below a stack that are kept for it: what it may grow by, and one that stays free.
CAIRN_INLINE cairn_vaddr_t kept_below(cairn_vaddr_t grow)
{
    return grow + (grow != 0);
}

// The first page of the highest range of so many pages that is free, with so many below it, and aligned; 0: none.
static cairn_vaddr_t highest(const struct cairn_space *space, cairn_vaddr_t pages, cairn_vaddr_t below, cairn_vaddr_t alignment)
{
    const cairn_vaddr_t all = (space->vm->limit >> space->vm->page_shift) + 1;
    cairn_vaddr_t found = 0;
    cairn_vaddr_t behind = 1;
    for (const struct cairn_mapping *mapping = space->mappings;; mapping = mapping->next) {
        const cairn_vaddr_t room = mapping == NULL ? all : mapping->first - kept_below(mapping->grow);
        if (room >= behind && room - behind >= pages) {
            const cairn_vaddr_t at = (room - pages) & ~(alignment - 1);
            found = at >= behind && at - behind >= below ? at : found;
        }
        if (mapping == NULL) {
            return found;
        }
        behind = mapping_end(mapping);
    }
}

static bool is_free(const struct cairn_space *space, cairn_vaddr_t page, cairn_vaddr_t pages)
{
    for (const struct cairn_mapping *mapping = space->mappings; mapping != NULL; mapping = mapping->next) {
        if (mapping->first < page + pages && page < mapping_end(mapping)) {
            return false;
        }
    }
    return true;
}

// Is what is asked for good? Returns 0 or an error.
static int check_map(const struct cairn_space *space, const struct cairn_map *map)
{
    const struct cairn_vm *const vm = space->vm;
    const struct cairn_object *const object = map->object;
    const bool is_shared = (map->flags & CAIRN_MAP_SHARED) != 0;
    const bool grows = (map->flags & CAIRN_MAP_GROWS_DOWN) != 0;
    const cairn_vaddr_t page = vm->offset_mask + 1;
    if ((map->flags & ~MAP_FLAGS) != 0 || !is_protection(map->protection) || map->size == 0 || ((map->size | map->offset | map->grow) & vm->offset_mask) != 0 ||
        map->size - 1 > vm->limit || (map->alignment & (map->alignment - 1)) != 0) {
        return CAIRN_EINVAL;
    }
    if ((map->flags & (CAIRN_MAP_FIXED | CAIRN_MAP_REPLACE)) != 0 && (!range_is_good(vm, map->address, map->size) || (map->alignment > page && (map->address & (map->alignment - 1)) != 0))) {
        return CAIRN_EINVAL;
    }
    if ((is_shared && object == NULL) || (map->memory != NULL && (object != NULL || grows || (map->protection & CAIRN_WRITE) != 0)) ||
        (grows && object != NULL) || (!grows && map->grow != 0) || (object == NULL && map->offset != 0)) {
        return CAIRN_EINVAL;
    }
    if (object == NULL) {
        return 0;
    }
    if (object->pages.vm != vm || map->offset >> vm->page_shift > object->count || map->size >> vm->page_shift > object->count - (map->offset >> vm->page_shift)) {
        return CAIRN_EINVAL;
    }
    return object_allows(object, space, map->flags, map->protection) ? 0 : CAIRN_EACCES;
}

// Where the mapping is to be; REPLACE: nothing else is there from now on. Returns 0 or an error.
static int choose(struct cairn_space *space, const struct cairn_map *map, cairn_vaddr_t *first)
{
    const struct cairn_vm *const vm = space->vm;
    const cairn_vaddr_t pages = map->size >> vm->page_shift;
    const cairn_vaddr_t alignment = map->alignment >> vm->page_shift;
    *first = map->address >> vm->page_shift;
    if ((map->flags & CAIRN_MAP_REPLACE) != 0) {
        const bool is_removed = map->object != NULL && map->object->removed;
        if (is_removed) {
            map->object->removed = false; // it is not to end with the mapping that this one is in place of
        }
        const int error = cairn_space_unmap_range(space, map->address, map->size);
        if (is_removed) {
            map->object->removed = true;
        }
        return error;
    }
    const bool is_good = range_is_good(vm, map->address, map->size) && is_free(space, *first, pages);
    if ((map->flags & CAIRN_MAP_FIXED) != 0) {
        return is_good ? 0 : CAIRN_EBUSY;
    }
    if (!is_good || (alignment > 1 && (*first & (alignment - 1)) != 0)) {
        *first = highest(space, pages, kept_below(map->grow >> vm->page_shift), alignment == 0 ? 1 : alignment);
    }
    return *first == 0 ? CAIRN_ENOMEM : 0;
}

CAIRN_NOINLINE int cairn_mapping_make_(struct cairn_space *space, const struct cairn_map *map, uint32_t marks, cairn_vaddr_t *address)
{
    if (space == NULL || space->vm == NULL || map == NULL) {
        return CAIRN_EINVAL;
    }
    struct cairn_vm *const vm = space->vm;
    int error = check_map(space, map);
    if (error == 0) {
        error = cairn_sharing_start_(vm);
    }
    if (error != 0) {
        return error;
    }
    const cairn_vaddr_t pages = map->size >> vm->page_shift;
    const cairn_vaddr_t charge = is_charged(map->memory, map->flags | MAP_COUNTED, map->protection) ? pages : 0;
    struct cairn_mapping *const mapping = mapping_node(vm);
    const bool is_promised = mapping != NULL && cairn_commit_take_(vm, charge);
    cairn_vaddr_t first = 0;
    error = is_promised ? choose(space, map, &first) : CAIRN_ENOMEM;
    if (error != 0) {
        cairn_commit_give_(vm, is_promised ? charge : 0);
        if (mapping != NULL) {
            cairn_table_give_(vm, TABLE_LIST_MAPPINGS, mapping);
        }
        return error;
    }
    mapping->first = first;
    mapping->pages = pages;
    mapping->protection = map->protection;
    mapping->flags = (map->flags & MAP_KEPT) | marks | MAP_NODE | MAP_UNTOUCHED | MAP_COUNTED | (charge != 0 ? MAP_CHARGED : 0);
    mapping->grow = map->grow >> vm->page_shift < first ? map->grow >> vm->page_shift : first - 1;
    mapping->object = map->object;
    mapping->offset = map->offset >> vm->page_shift;
    mapping->memory = map->memory;
    cairn_mapping_link_(space, mapping);
    cairn_mapping_merge_(space);
    if (address != NULL) {
        *address = first << vm->page_shift;
    }
    return 0;
}

CAIRN_NOINLINE int cairn_space_map_range(struct cairn_space *space, const struct cairn_map *map, cairn_vaddr_t *address)
{
    return cairn_mapping_make_(space, map, 0, address);
}

// ------------------------------------------------------------------------------------------------------------------- protection

// May a mapping get this protection? Adds up the pages that it would promise more.
static bool may_protect(const struct cairn_mapping *mapping, uint32_t protection, cairn_vaddr_t pages, cairn_vaddr_t *charge)
{
    const struct cairn_object *const object = mapping->object;
    if (object != NULL && !object_allows(object, mapping->space, mapping->flags, protection)) {
        return false;
    }
    if ((mapping->flags & MAP_CHARGED) == 0 && is_charged(mapping->memory, mapping->flags, protection)) {
        *charge += pages;
    }
    return mapping->memory == NULL || (protection & CAIRN_WRITE) == 0;
}

CAIRN_NOINLINE int cairn_space_protect_range(struct cairn_space *space, cairn_vaddr_t address, cairn_vaddr_t size, uint32_t protection)
{
    if (space == NULL || space->vm == NULL || !range_is_good(space->vm, address, size) || !is_protection(protection)) {
        return CAIRN_EINVAL;
    }
    struct cairn_vm *const vm = space->vm;
    const cairn_vaddr_t page = address >> vm->page_shift;
    const cairn_vaddr_t end = page + (size >> vm->page_shift);
    cairn_vaddr_t charge = 0;
    if (!cairn_mapping_covers_(space, page, end)) {
        return CAIRN_EFAULT;
    }
    for (const struct cairn_mapping *mapping = cairn_mapping_of_(space, page); mapping != NULL && mapping->first < end; mapping = mapping->next) {
        const cairn_vaddr_t from = mapping->first < page ? page : mapping->first;
        const cairn_vaddr_t to = mapping_end(mapping) < end ? mapping_end(mapping) : end;
        if (!may_protect(mapping, protection, to - from, &charge)) {
            return CAIRN_EACCES;
        }
    }
    int error = cairn_sharing_start_(vm);
    if (error != 0 || !cairn_commit_take_(vm, charge)) {
        return CAIRN_ENOMEM;
    }
    error = cairn_mapping_cut_(space, page, end);
    if (error != 0) {
        cairn_commit_give_(vm, charge);
        return error;
    }
    for (struct cairn_mapping *mapping = cairn_mapping_of_(space, page); mapping != NULL && mapping->first < end; mapping = mapping->next) {
        if ((mapping->flags & MAP_CHARGED) == 0 && is_charged(mapping->memory, mapping->flags, protection)) {
            mapping->flags |= MAP_CHARGED;
        }
        cairn_mapping_protect_(space, mapping, protection);
        mapping_set_plain(mapping);
        if (mapping->memory != NULL) {
            cairn_space_flush(space);
        }
    }
    cairn_mapping_merge_(space);
    return 0;
}
