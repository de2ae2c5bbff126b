// SPDX-License-Identifier: MIT
//
// Objects: making and ending them, writing them back; and shared memory, which is an object with a key.
//
// OWNS: an object's pages; share.h has the picture.
// INVARIANTS: V9. An object is ended only when no mapping shows it.
// COST: O(pages in use); a key O(spaces and objects). CALLERS: the user.
#include "vm/share.h"

#include <string.h>

static bool store_fits(const struct cairn_vm *vm, const struct cairn_port_store *store, uint32_t slot, cairn_vaddr_t pages)
{
    return store->page == page_size(vm) && slot <= store->slots && pages <= store->slots - slot;
}

CAIRN_NOINLINE int cairn_object_init(struct cairn_object *object, struct cairn_vm *vm, const struct cairn_object_config *config)
{
    if (object == NULL || vm == NULL || vm->table == NULL || config == NULL || config->size == 0 || (config->size & vm->offset_mask) != 0 ||
        config->size - 1 > vm->limit) {
        return CAIRN_EINVAL;
    }
    const cairn_vaddr_t pages = config->size >> vm->page_shift;
    if (config->store != NULL && !store_fits(vm, config->store, config->slot, pages)) {
        return CAIRN_EINVAL;
    }
    int error = cairn_sharing_start_(vm);
    const bool is_charged = config->store == NULL;
    const bool is_read_only = config->read_only || (!is_charged && config->store->write == NULL);
    if (error != 0 || (is_charged && !cairn_commit_take_(vm, pages))) {
        return CAIRN_ENOMEM;
    }
    error = cairn_space_init(&object->pages, vm);
    if (error != 0) {
        cairn_commit_give_(vm, is_charged ? pages : 0);
        return error;
    }
    memset((unsigned char *)object + sizeof object->pages, 0, sizeof *object - sizeof object->pages);
    object->pages.generation = GENERATION_OTHERS;
    object->pages.quick_root = NULL;
    object->pages.backing = config->store;
    object->pages.backing_slot = config->slot;
    object->count = pages;
    object->charged = is_charged;
    object->protection = PTE_ACCESS & ~(is_read_only ? CAIRN_WRITE : 0);
    object->others = object->protection;
    return 0;
}

// Write what is dirty of its pages from one on, below another.
static int write_back(struct cairn_object *object, cairn_vaddr_t page, cairn_vaddr_t end)
{
    struct cairn_space *const pages = &object->pages;
    struct cairn_vm *const vm = pages->vm;
    if (pages->backing == NULL) {
        return 0;
    }
    for (page = cairn_table_next_(pages, page, end); page < end; page = cairn_table_next_(pages, page + 1, end)) {
        const uint32_t frame = pte_number(*cairn_table_walk_(pages, page));
        struct cairn_frame *const its = &vm->table[frame];
        const uint32_t was = its->flags;
        if ((was & FRAME_UNWRITTEN) == 0) {
            continue;
        }
        const int error = cairn_frame_clean_(vm, frame);
        if (error != 0) {
            return error;
        }
        its->flags |= its->pins != 0 ? was & FRAME_DIRTY : 0; // who has a pin may store to it still
    }
    return pages->backing->sync == NULL ? 0 : pages->backing->sync(pages->backing->context);
}

CAIRN_NOINLINE int cairn_object_write_(struct cairn_object *object, cairn_vaddr_t page, cairn_vaddr_t pages)
{
    const int error = write_back(object, page, page + pages);
    return error > 0 ? CAIRN_EIO : error;
}

CAIRN_NOINLINE int cairn_object_sync(struct cairn_object *object)
{
    return object == NULL || object->pages.vm == NULL ? CAIRN_EINVAL : cairn_object_write_(object, 0, object->count);
}

CAIRN_NOINLINE int cairn_object_deinit(struct cairn_object *object)
{
    int error = cairn_object_sync(object);
    if (error != 0) {
        return error;
    }
    if (object->mappings != NULL) {
        return CAIRN_EBUSY;
    }
    struct cairn_space *const pages = &object->pages;
    struct cairn_vm *const vm = pages->vm;
    for (cairn_vaddr_t page = cairn_table_next_(pages, 0, object->count); page < object->count; page = cairn_table_next_(pages, page + 1, object->count)) {
        const pte_t pte = *cairn_table_walk_(pages, page);
        if (pte_is_present(pte) && pages->backing != NULL) {
            vm->table[pte_number(pte)].slot = SLOT_NONE;
        }
        cairn_page_drop_(pages, page);
    }
    cairn_commit_give_(vm, object->charged ? object->count : 0);
    return cairn_space_deinit(pages);
}

// --------------------------------------------------------------------------------------------------------------- shared memory

// NULL: none has the key.
static struct cairn_object *object_of(const struct cairn_vm *vm, uint32_t key)
{
    for (struct cairn_space *space = vm->spaces; space != NULL; space = space->next) {
        struct cairn_object *const object = (struct cairn_object *)(void *)space;
        if (space->generation == GENERATION_OTHERS && object->key == key) {
            return object;
        }
    }
    return NULL;
}

int cairn_shared_create(struct cairn_object *object, struct cairn_space *owner, uint32_t key, cairn_vaddr_t size, uint32_t protection, uint32_t others)
{
    const struct cairn_object_config config = {.size = size};
    if (owner == NULL || owner->vm == NULL || key == 0 || !is_protection(protection) || !is_protection(others)) {
        return CAIRN_EINVAL;
    }
    if (object_of(owner->vm, key) != NULL) {
        return CAIRN_EBUSY;
    }
    const int error = cairn_object_init(object, owner->vm, &config);
    if (error == 0) {
        object->key = key;
        object->owner = owner;
        object->protection = protection;
        object->others = others;
    }
    return error;
}

int cairn_shared_attach(struct cairn_space *space, uint32_t key, uint32_t protection, cairn_vaddr_t *address)
{
    if (space == NULL || space->vm == NULL || key == 0 || address == NULL) {
        return CAIRN_EINVAL;
    }
    struct cairn_object *const object = object_of(space->vm, key);
    if (object == NULL) {
        return CAIRN_ENOENT;
    }
    const struct cairn_map map = {.address = *address,
                                  .size = object->count << space->vm->page_shift,
                                  .protection = protection,
                                  .flags = CAIRN_MAP_SHARED | (*address != 0 ? CAIRN_MAP_FIXED : 0),
                                  .object = object};
    return cairn_space_map_range(space, &map, address);
}

// Is it a part of what was attached at an address?
static bool is_attached(const struct cairn_mapping *mapping, const struct cairn_object *object, cairn_vaddr_t address)
{
    return mapping->object == object && mapping_is_shared(mapping) && (mapping->first - mapping->offset) << mapping->space->vm->page_shift == address;
}

int cairn_shared_detach(struct cairn_space *space, cairn_vaddr_t address)
{
    struct cairn_mapping *mapping = space == NULL || space->vm == NULL ? NULL : cairn_mapping_of_(space, address >> space->vm->page_shift);
    const struct cairn_object *const object = mapping == NULL ? NULL : mapping->object;
    if (object == NULL || object->owner == NULL || !is_attached(mapping, object, address) || mapping->first << space->vm->page_shift != address) {
        return CAIRN_EINVAL;
    }
    for (const struct cairn_mapping *its = mapping; its != NULL; its = its->next) {
        if (is_attached(its, object, address) && its->pins != 0) {
            return CAIRN_EBUSY;
        }
    }
    while (mapping != NULL) { // the object may end with the last
        struct cairn_mapping *const next = mapping->next;
        if (is_attached(mapping, object, address)) {
            const uint32_t shift = space->vm->page_shift;
            (void)!cairn_space_unmap_range(space, mapping->first << shift, mapping->pages << shift); // all of it, and no page has a pin
        }
        mapping = next;
    }
    return 0;
}

int cairn_shared_remove(struct cairn_vm *vm, uint32_t key)
{
    struct cairn_object *const object = vm == NULL || key == 0 ? NULL : object_of(vm, key);
    if (object == NULL) {
        return CAIRN_ENOENT;
    }
    object->key = 0;
    if (object->mappings == NULL) {
        return cairn_object_deinit(object);
    }
    object->removed = true;
    return 0;
}
