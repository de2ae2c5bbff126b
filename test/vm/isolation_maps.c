// SPDX-License-Identifier: MIT
//
// OWNS        of isolation.h, the calls on mappings, objects and spaces, and upkeep.
#include "isolation.h"

#include "elf_image.h"

#include <string.h>

// ------------------------------------------------------------------------------------------------------------- of the caller's

static struct cairn_mapping *free_map(struct iso *iso)
{
    for (uint32_t m = 0; m < ISO_MAPS; m++) {
        bool is_free = true;
        for (uint32_t i = 0; i < ISO_FAMILY; i++) {
            for (const struct cairn_mapping *its = iso->lives[i] ? iso->family[i].mappings : NULL; its != NULL; its = its->next) {
                // A node that was split from it names it.
                is_free = is_free && its != &iso->maps[m] && (its->object != NULL || its->sibling != &iso->maps[m]);
            }
        }
        if (is_free) {
            return &iso->maps[m];
        }
    }
    return NULL;
}

const char *iso_map(struct iso *iso, uint32_t i)
{
    struct cairn_mapping *const map = free_map(iso);
    const cairn_vaddr_t address = iso_page(iso);
    const cairn_vaddr_t size = iso_pages(iso);
    return map == NULL ? NULL : iso_answered(iso, cairn_space_map(&iso->family[i], map, address, size, iso_protection(iso)));
}

// One of the caller's, one of the space's whoever made it, or another's: those are none of the space's.
static struct cairn_mapping *any_map(struct iso *iso, uint32_t i)
{
    struct cairn_mapping *const others[] = {&iso->victim_map, &iso->parent_map, iso->victim.mappings, iso->parent.mappings};
    const uint32_t which = iso_below(iso, ISO_MAPS + 8);
    struct cairn_mapping *its = iso->family[i].mappings;
    if (which < ISO_MAPS) {
        return &iso->maps[which];
    }
    for (uint32_t skip = iso_below(iso, 8); skip != 0 && its != NULL && its->next != NULL; skip--) {
        its = its->next;
    }
    return which < ISO_MAPS + 4 || its == NULL ? others[which % 4] : its;
}

static bool is_others(const struct iso *iso, const struct cairn_mapping *map)
{
    return map == &iso->victim_map || map == &iso->parent_map || map == iso->victim.mappings || map == iso->parent.mappings;
}

const char *iso_unmap(struct iso *iso, uint32_t i)
{
    struct cairn_mapping *const map = any_map(iso, i);
    const int error = cairn_space_unmap(&iso->family[i], map);
    return is_others(iso, map) && error == 0 ? "another's mapping" : iso_answered(iso, error);
}

const char *iso_protect(struct iso *iso, uint32_t i)
{
    struct cairn_mapping *const map = any_map(iso, i);
    const int error = cairn_space_protect(&iso->family[i], map, iso_protection(iso));
    return is_others(iso, map) && error == 0 ? "another's mapping" : iso_answered(iso, error);
}

// ---------------------------------------------------------------------------------------------------------------------- ranges

const char *iso_map_range(struct iso *iso, uint32_t i)
{
    const uint32_t what = iso_below(iso, 10);
    struct cairn_map map = {.address = iso_page(iso)};
    map.size = iso_pages(iso);
    map.protection = iso_protection(iso);
    map.flags = iso_below(iso, 16) == 0 ? iso_below(iso, 65536) : iso_below(iso, 16);
    if (what < 3) {
        map.object = &iso->file;
    } else if (what < 6) {
        struct cairn_object *const own = &iso->objects[iso_below(iso, ISO_OBJECTS)];
        map.object = own->pages.vm != NULL ? own : NULL;
    } else if (what < 7) {
        const cairn_vaddr_t skipped = iso_below(iso, 4) * ISO_PAGE;
        map.memory = iso_rom.bytes + skipped;
        map.size = ISO_PAGE + iso_below(iso, 4) * ISO_PAGE;
        map.size = map.size + skipped > sizeof iso_rom.bytes ? ISO_PAGE : map.size;
    }
    map.offset = map.object != NULL ? (iso_below(iso, 12) == 0 ? iso_page(iso) : iso_below(iso, 3) * ISO_PAGE) : 0;
    map.alignment = iso_below(iso, 12) == 0 ? iso_address(iso) : 0;
    map.grow = (map.flags & CAIRN_MAP_GROWS_DOWN) != 0 ? iso_pages(iso) : 0;
    return iso_answered(iso, cairn_space_map_range(&iso->family[i], &map, &iso->answers.address));
}

const char *iso_unmap_range(struct iso *iso, uint32_t i)
{
    const cairn_vaddr_t page = iso_page(iso);
    return iso_answered(iso, cairn_space_unmap_range(&iso->family[i], page, iso_pages(iso)));
}

const char *iso_protect_range(struct iso *iso, uint32_t i)
{
    const cairn_vaddr_t page = iso_page(iso);
    const cairn_vaddr_t size = iso_pages(iso);
    return iso_answered(iso, cairn_space_protect_range(&iso->family[i], page, size, iso_protection(iso)));
}

const char *iso_advise(struct iso *iso, uint32_t i)
{
    const cairn_vaddr_t page = iso_page(iso);
    const cairn_vaddr_t size = iso_pages(iso);
    const uint32_t advice = iso_below(iso, 5);
    if (advice > 2) {
        return iso_answered(iso, advice == 3 ? cairn_space_will_need(&iso->family[i], page) : cairn_space_dont_need(&iso->family[i], page));
    }
    return iso_answered(iso, cairn_space_advise(&iso->family[i], page, size, (enum cairn_advice)advice));
}

const char *iso_sync(struct iso *iso, uint32_t i)
{
    const cairn_vaddr_t page = iso_page(iso);
    return iso_answered(iso, cairn_space_sync(&iso->family[i], page, iso_pages(iso)));
}

// Few pages: the others need frames too.
const char *iso_lock(struct iso *iso, uint32_t i)
{
    const cairn_vaddr_t page = iso_page(iso);
    return iso_answered(iso, cairn_space_lock(&iso->family[i], page, (1 + iso_below(iso, 2)) * ISO_PAGE));
}

const char *iso_unlock(struct iso *iso, uint32_t i)
{
    const cairn_vaddr_t page = iso_page(iso);
    return iso_answered(iso, cairn_space_unlock(&iso->family[i], page, iso_pages(iso)));
}

const char *iso_break(struct iso *iso, uint32_t i)
{
    const cairn_vaddr_t address = iso_address(iso);
    switch (iso_below(iso, 4)) {
    case 0: return iso_answered(iso, cairn_space_set_break(&iso->family[i], address & ~(cairn_vaddr_t)(ISO_PAGE - 1)));
    case 1: return iso_answered(iso, cairn_space_sbrk(&iso->family[i], (ptrdiff_t)(int32_t)(uint32_t)address - 2048, &iso->answers.address));
    default: return iso_answered(iso, cairn_space_brk(&iso->family[i], address));
    }
}

// --------------------------------------------------------------------------------------------------------------------- objects

const char *iso_create(struct iso *iso, uint32_t i)
{
    const uint32_t o = iso_below(iso, ISO_OBJECTS);
    const uint32_t key = iso_below(iso, ISO_KEYS + 1);
    if (iso->objects[o].pages.vm != NULL) {
        if (iso->keys[o] == 0) {
            return NULL;
        }
        const int error = cairn_shared_remove(&iso->vm, iso->keys[o]); // a key that it made
        iso->keys[o] = 0;
        return iso_answered(iso, error);
    }
    const cairn_vaddr_t size = iso_pages(iso);
    const uint32_t protection = iso_protection(iso);
    const int error = cairn_shared_create(&iso->objects[o], &iso->family[i], key, size, protection, iso_protection(iso));
    if (error != 0) {
        iso->objects[o].pages.vm = NULL;
    } else {
        iso->keys[o] = key;
    }
    return key <= ISO_KEY_SHOWN && error == 0 ? "a key that is another's" : iso_answered(iso, error);
}

const char *iso_attach(struct iso *iso, uint32_t i)
{
    const uint32_t key = iso_below(iso, ISO_KEYS + 1);
    const uint32_t protection = iso_protection(iso);
    iso->answers.address = iso_below(iso, 2) == 0 ? 0 : iso_page(iso);
    const int error = cairn_shared_attach(&iso->family[i], key, protection, &iso->answers.address);
    if (error == 0 && ((key == ISO_KEY_SECRET && (protection & 7) != 0) || (key == ISO_KEY_SHOWN && (protection & CAIRN_WRITE) != 0))) {
        return "it has what it may not";
    }
    return iso_answered(iso, error);
}

const char *iso_detach(struct iso *iso, uint32_t i)
{
    return iso_answered(iso, cairn_shared_detach(&iso->family[i], iso_page(iso)));
}

const char *iso_object(struct iso *iso, uint32_t i)
{
    struct cairn_object *const object = &iso->objects[iso_below(iso, ISO_OBJECTS)];
    const uint32_t what = iso_below(iso, 4);
    (void)i;
    if (object->pages.vm != NULL) {
        return what == 0 ? iso_answered(iso, cairn_object_deinit(object)) : iso_answered(iso, cairn_object_sync(object));
    }
    struct cairn_object_config config = {.size = what == 1 ? iso_size(iso) : (1 + iso_below(iso, 4)) * ISO_PAGE};
    config.store = what == 0 ? NULL : what == 1 ? &iso->own_store : &iso->image_store.store;
    config.slot = iso_below(iso, 8) == 0 ? (uint32_t)iso_size(iso) : 0;
    config.read_only = iso_below(iso, 2) == 0;
    const int error = cairn_object_init(object, &iso->vm, &config);
    if (error != 0) {
        object->pages.vm = NULL;
    } else {
        iso->keys[object - iso->objects] = 0;
    }
    return iso_answered(iso, error);
}

// ---------------------------------------------------------------------------------------------------------------------- spaces

const char *iso_fork(struct iso *iso, uint32_t i)
{
    const uint32_t child = iso_below(iso, ISO_FAMILY);
    if (iso->lives[child]) {
        return NULL;
    }
    const int error = cairn_space_fork(&iso->family[child], &iso->family[i]);
    iso->lives[child] = error == 0;
    return iso_answered(iso, error);
}

// It ends; and begins anew, empty or a child of the parent, or stays away for now.
const char *iso_begin(struct iso *iso, uint32_t i)
{
    const uint32_t how = iso_below(iso, 4);
    int error = cairn_space_deinit(&iso->family[i]);
    if (error != 0) {
        return iso_answered(iso, error);
    }
    iso->lives[i] = false;
    iso->has_cursor = iso->has_cursor && iso->cursor_of != i; // it had no page
    if (iso->vm.current == NULL && cairn_vm_load32(&iso->vm, ISO_PAGE, &(uint32_t){0}) == 0) {
        return "a load from no space";
    }
    if (how != 0) {
        error = how == 1 ? cairn_space_init(&iso->family[i], &iso->vm) : cairn_space_fork(&iso->family[i], &iso->parent);
        iso->lives[i] = error == 0;
    }
    return iso_answered(iso, error);
}

const char *iso_exec(struct iso *iso, uint32_t i)
{
    static const char *const arguments[] = {"one", "two", NULL};
    static struct cairn_exec program;
    struct cairn_object *const object = &iso->objects[iso_below(iso, ISO_OBJECTS)];
    if (object->pages.vm == NULL) {
        return NULL;
    }
    if (iso_below(iso, 3) == 0) {
        elf_image_make(iso_image, CAIRN_ELF_ARM);
    }
    for (uint32_t changes = iso_below(iso, 6); changes > 3; changes--) {
        const uint32_t at = iso_below(iso, sizeof iso_image);
        iso_image[at] = iso_byte(iso);
    }
    for (unsigned char *byte = iso_image; byte < iso_image + sizeof iso_image; byte++) {
        *byte = *byte == ISO_SECRET ? 0 : *byte;
    }
    struct cairn_exec_config config = {.image = object, .size = iso_below(iso, 8) == 0 ? iso_below(iso, 65536) : IMAGE_SIZE};
    config.arguments = iso_below(iso, 2) == 0 ? arguments : NULL;
    config.stack = iso_below(iso, 2) == 0 ? 4 * ISO_PAGE : (uint32_t)iso_pages(iso);
    return iso_answered(iso, cairn_space_exec(&iso->family[i], &config, &program));
}

const char *iso_suspend(struct iso *iso, uint32_t i)
{
    if (iso_below(iso, 3) != 0) {
        cairn_space_resume(&iso->family[i]);
        return iso_answered(iso, 0);
    }
    return iso_answered(iso, cairn_space_suspend(&iso->family[i]));
}

// What belongs to no space.
const char *iso_upkeep(struct iso *iso, uint32_t i)
{
    struct cairn_vm *const vm = &iso->vm;
    switch (iso_below(iso, 7)) {
    case 0: (void)cairn_vm_tick(vm); break;
    case 1: cairn_vm_flush(vm); break;
    case 2: cairn_space_flush(&iso->family[i]); break;
    case 3: cairn_space_figures(&iso->family[i], &iso->answers.figures); break;
    case 4: {
        const cairn_vaddr_t limit = iso_size(iso);
        return iso_answered(iso, cairn_vm_commit(vm, (enum cairn_commit)iso_below(iso, 4), limit));
    }
    case 5: {
        const int cleaned = cairn_vm_clean(vm, iso_below(iso, 6));
        return iso_answered(iso, cleaned > 0 ? 0 : cleaned);
    }
    default: {
        const int merged = cairn_vm_merge(vm, iso_below(iso, 20), iso->seen, 16);
        return iso_answered(iso, merged > 0 ? 0 : merged);
    }
    }
    return iso_answered(iso, 0);
}
