// SPDX-License-Identifier: MIT
//
// OWNS        vm_objects.h says what.
#include "vm_objects.h"

struct vm_objects vm_objects;
uint32_t vm_file[FILE_PAGES * PAGE / 4];

// ------------------------------------------------------------------------------------------------------------------- the file

static bool fails(void)
{
    vm_objects.calls++;
    return vm_objects.fail_at != 0 && vm_objects.calls - vm_objects.fail_at < (vm_objects.fail_for == 0 ? 1 : vm_objects.fail_for);
}

static int file_read(void *context, uint32_t slot, void *page)
{
    (void)context;
    vm_objects.reads++;
    if (fails()) {
        memset(page, 0xEE, PAGE);
        return vm_objects.error != 0 ? vm_objects.error : CAIRN_ECORRUPT;
    }
    memcpy(page, &vm_file[slot * PAGE / 4], PAGE);
    return 0;
}

static int file_write(void *context, uint32_t slot, const void *page)
{
    (void)context;
    vm_objects.writes++;
    if (fails()) {
        return vm_objects.error != 0 ? vm_objects.error : CAIRN_EIO;
    }
    memcpy(&vm_file[slot * PAGE / 4], page, PAGE);
    return 0;
}

static int file_sync(void *context)
{
    (void)context;
    vm_objects.syncs++;
    return !fails() ? 0 : vm_objects.error != 0 ? vm_objects.error : CAIRN_EIO;
}

void vm_file_fail(uint32_t nth)
{
    vm_objects.fail_at = nth == 0 ? 0 : vm_objects.calls + nth;
}

// ----------------------------------------------------------------------------------------------------------- set-up, tear-down

int vm_objects_setup(void **state)
{
    if (vm_setup(state) != 0 || cairn_space_unmap(SPACE, MAP) != 0 || cairn_space_init(OTHER, VM) != 0) {
        return -1;
    }
    memset(&vm_objects, 0, sizeof vm_objects);
    vm_objects.file = (struct cairn_port_store){.read = file_read, .write = file_write, .sync = file_sync, .page = PAGE, .slots = FILE_PAGES};
    for (uint32_t at = 0; at < FILE_PAGES * PAGE / 4; at++) {
        vm_file[at] = FILE_WORD(at / (PAGE / 4), at % (PAGE / 4));
    }
    return 0;
}

// The objects of a vm are among its spaces.
static bool is_object(const struct cairn_space *space)
{
    return space == &OBJECT->pages || space == &SECOND->pages;
}

int vm_objects_teardown(void **state)
{
    struct cairn_object *const objects[] = {OBJECT, SECOND};
    vm_feed();
    for (struct cairn_space *space = VM->spaces; space != NULL;) {
        if (is_object(space)) {
            space = space->next;
        } else if (cairn_space_deinit(space) != 0) {
            print_error("a space does not end\n");
            return -1;
        } else {
            space = VM->spaces;
        }
    }
    vm_file_fail(0);
    for (uint32_t i = 0; i < 2; i++) {
        if (objects[i]->pages.vm != NULL && cairn_object_deinit(objects[i]) != 0) {
            print_error("an object does not end\n");
            return -1;
        }
    }
    if (VM->committed != 0 || vm_figures().shared != 0) {
        print_error("%u pages are promised still, %u shared\n", (unsigned)VM->committed, (unsigned)vm_figures().shared);
        return -1;
    }
    return vm_teardown(state);
}

// --------------------------------------------------------------------------------------------------------------------- to make

void vm_object_of_file(uint32_t pages)
{
    const struct cairn_object_config config = {.size = pages * PAGE, .store = &vm_objects.file};
    assert_int_equal(cairn_object_init(OBJECT, VM, &config), 0);
    vm_sound();
}

void vm_object_of_zeros(uint32_t pages)
{
    const struct cairn_object_config config = {.size = pages * PAGE};
    assert_int_equal(cairn_object_init(SECOND, VM, &config), 0);
    vm_sound();
}

int vm_show(struct cairn_space *space, uint32_t page, uint32_t pages, uint32_t protection, uint32_t flags, struct cairn_object *object, uint32_t offset)
{
    const struct cairn_map map = {.address = vm_page(page),
                                  .size = vm_page(pages),
                                  .protection = protection,
                                  .flags = flags | ((flags & CAIRN_MAP_REPLACE) != 0 ? 0 : CAIRN_MAP_FIXED),
                                  .object = object,
                                  .offset = vm_page(offset)};
    return cairn_space_map_range(space, &map, NULL);
}

int vm_map(struct cairn_space *space, uint32_t page, uint32_t pages, uint32_t protection, uint32_t flags)
{
    return vm_show(space, page, pages, protection, flags, NULL, 0);
}

int vm_unmap(struct cairn_space *space, uint32_t page, uint32_t pages)
{
    return cairn_space_unmap_range(space, vm_page(page), vm_page(pages));
}

int vm_protect(struct cairn_space *space, uint32_t page, uint32_t pages, uint32_t protection)
{
    return cairn_space_protect_range(space, vm_page(page), vm_page(pages), protection);
}

// --------------------------------------------------------------------------------------------------------------------- to look

void vm_expect_maps(const struct cairn_space *space, const uint32_t *maps)
{
    const struct cairn_mapping *mapping = space->mappings;
    for (; *maps != 0; maps += 3, mapping = mapping->next) {
        assert_non_null(mapping);
        assert_int_equal(mapping->first, maps[0]);
        assert_int_equal(mapping->pages, maps[1]);
        assert_int_equal(mapping->protection, maps[2]);
    }
    assert_null(mapping);
    vm_sound();
}

static void add(uint32_t *sum, uint64_t value)
{
    *sum = (*sum ^ (uint32_t)value ^ (uint32_t)(value >> 32)) * 16777619u; // FNV-1a, by the word
}

static void add_space(uint32_t *sum, const struct cairn_space *space)
{
    for (const struct cairn_mapping *mapping = space->mappings; mapping != NULL; mapping = mapping->next) {
        add(sum, mapping->first);
        add(sum, mapping->pages);
        add(sum, mapping->protection);
        add(sum, mapping->flags);
        add(sum, mapping->grow);
        add(sum, (uintptr_t)mapping->object);
        add(sum, mapping->offset);
        add(sum, mapping->pins);
        add(sum, (uintptr_t)mapping->memory);
    }
    add(sum, space->figures.virtual_pages);
    add(sum, space->figures.resident);
    add(sum, space->figures.swapped);
    add(sum, space->figures.shared);
    add(sum, space->figures.copies);
    add(sum, space->break_end);
}

uint32_t vm_shape(void)
{
    uint32_t sum = 2166136261u;
    add_space(&sum, SPACE);
    add_space(&sum, OTHER);
    add_space(&sum, &OBJECT->pages);
    add_space(&sum, &SECOND->pages);
    add(&sum, VM->committed);
    add(&sum, VM->figures.frames_free);
    add(&sum, VM->figures.tables);
    add(&sum, VM->figures.shared);
    for (uint32_t frame = 0; frame < VM->frame_count; frame++) {
        add(&sum, (uintptr_t)VM->table[frame].space);
        add(&sum, VM->table[frame].page);
        add(&sum, VM->table[frame].pins);
    }
    return sum;
}

uint32_t vm_look(struct cairn_space *space, cairn_vaddr_t address)
{
    uint32_t value = 0xABADCAFE;
    assert_int_equal(cairn_space_read(space, &value, address, sizeof value), 0);
    return value;
}

void vm_set(struct cairn_space *space, cairn_vaddr_t address, uint32_t value)
{
    assert_int_equal(cairn_space_write(space, address, &value, sizeof value), 0);
}
