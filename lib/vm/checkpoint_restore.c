// SPDX-License-Identifier: MIT
//
// Checkpoints: restoring.
//
// OWNS: nothing beyond share.h. The bytes are another machine's, or nobody knows whose: all that says how much and where is looked at first.
// PICTURE: head | records of objects: made | records of mappings: nodes, in a list of their own | keys: each in one of them || mappings join the space | pages
//                                                                                    what goes wrong before here is taken back ^
// INVARIANTS: of checkpoint_layout.h, 1 and 5. Mappings are in order, do not overlap, and lie in the space and in their objects, before one joins the space.
// COST: two walks through the image's keys, and a read of each page; O(mappings). CALLERS: the user.
#include "vm/bring.h"
#include "vm/checkpoint_layout.h"

#include <string.h>

struct restore {
    struct checkpoint_work work;
    struct cairn_mapping *mappings; // nodes, by address
    cairn_vaddr_t charge;
    uint32_t made[CAIRN_CHECKPOINT_OBJECTS / 32 + 1]; // bit: the object is made here
    unsigned char head[HEAD_BYTES];
};

// Pages of the space, 0 among them.
CAIRN_INLINE cairn_vaddr_t all_pages(const struct cairn_vm *vm)
{
    return (vm->limit >> vm->page_shift) + 1;
}

// ----------------------------------------------------------------------------------------------------------------------- objects

static bool key_is_taken(const struct cairn_vm *vm, uint32_t key)
{
    const struct cairn_space *space = vm->spaces;
    while (space != NULL && (space->generation != GENERATION_OTHERS || ((const struct cairn_object *)(const void *)space)->key != key)) {
        space = space->next;
    }
    return key != 0 && space != NULL;
}

static bool has_pins(const struct cairn_object *object)
{
    const struct cairn_vm *const vm = object->pages.vm;
    uint32_t frame = 0;
    while (frame < vm->frame_count && (vm->table[frame].space != &object->pages || vm->table[frame].pins == 0)) {
        frame++;
    }
    return frame != vm->frame_count;
}

// Have an object that is as its record says. Returns 0 or an error.
static int take_object(struct restore *restore, uint32_t number, const unsigned char *record)
{
    struct cairn_vm *const vm = restore->work.vm;
    struct cairn_object *const object = restore->work.objects[number];
    const uint64_t pages = cairn_checkpoint_get_(record + RECORD_PAGES, 8);
    const uint32_t key = (uint32_t)cairn_checkpoint_get_(record + OF_OBJECT_KEY, 4);
    const uint32_t flags = (uint32_t)cairn_checkpoint_get_(record + RECORD_FLAGS, 2);
    const uint32_t protection = record[OF_OBJECT_PROTECTION];
    const uint32_t others = record[OF_OBJECT_OTHERS];
    if (pages == 0 || (flags & ~(KEPT_OWNED | KEPT_FOREIGN | KEPT_REMOVED)) != 0 || (flags & (KEPT_OWNED | KEPT_FOREIGN)) == (KEPT_OWNED | KEPT_FOREIGN) ||
        !is_protection(protection) || !is_protection(others)) {
        return CAIRN_ECORRUPT;
    }
    if (object->pages.vm != NULL) {
        return object->count != pages ? CAIRN_EINVAL : has_pins(object) ? CAIRN_EBUSY : 0;
    }
    if (pages > all_pages(vm)) {
        return CAIRN_EINVAL;
    }
    if (key_is_taken(vm, key)) {
        return CAIRN_EBUSY;
    }
    const struct cairn_object_config config = {.size = (cairn_vaddr_t)pages << vm->page_shift};
    const int error = cairn_object_init(object, vm, &config);
    if (error == 0) {
        bit_set(restore->made, number);
        object->key = key;
        object->protection = protection;
        object->others = others;
        object->owner = (flags & KEPT_OWNED) != 0 ? restore->work.space : (flags & KEPT_FOREIGN) != 0 ? vm->pool : NULL;
        object->removed = (flags & KEPT_REMOVED) != 0;
    }
    return error;
}

// What it holds is to come from the checkpoint.
static void clear_object(struct cairn_object *object)
{
    struct cairn_space *const pages = &object->pages;
    struct cairn_vm *const vm = pages->vm;
    for (cairn_vaddr_t page = cairn_table_next_(pages, 0, object->count); page < object->count; page = cairn_table_next_(pages, page + 1, object->count)) {
        const pte_t pte = *cairn_table_walk_(pages, page);
        if (pte_is_present(pte)) {
            if (pages->backing != NULL) {
                vm->table[pte_number(pte)].slot = SLOT_NONE;
            }
            cairn_page_drop_(pages, page);
        } else {
            cairn_slot_free_(vm, pte_number(pte));
            pages->figures.swapped--;
            cairn_table_set_(pages, page, 0);
        }
    }
    pages->saved = 0;
}

// ---------------------------------------------------------------------------------------------------------------------- mappings

static int check_mapping(const struct restore *restore, const unsigned char *record, cairn_vaddr_t behind)
{
    const cairn_vaddr_t all = all_pages(restore->work.vm);
    const uint64_t first = cairn_checkpoint_get_(record + OF_MAPPING_FIRST, 8);
    const uint64_t pages = cairn_checkpoint_get_(record + RECORD_PAGES, 8);
    const uint64_t grow = cairn_checkpoint_get_(record + OF_MAPPING_GROW, 8);
    const uint64_t offset = cairn_checkpoint_get_(record + OF_MAPPING_OFFSET, 8);
    const uint64_t number = cairn_checkpoint_get_(record + OF_MAPPING_OBJECT, 4);
    const uint32_t flags = (uint32_t)cairn_checkpoint_get_(record + RECORD_FLAGS, 2);
    const bool is_shared = (flags & KEPT_SHARED) != 0;
    const bool grows = (flags & KEPT_GROWS) != 0;
    if (first < behind || pages == 0 || grow >= first || record[OF_MAPPING_PROTECTION + 1] != 0 || !is_protection(record[OF_MAPPING_PROTECTION]) ||
        (flags & ~(KEPT_SHARED | KEPT_GROWS | KEPT_COUNTED | KEPT_CHARGED | KEPT_BLOCK | KEPT_FIRST)) != 0 || (!grows && grow != 0) || number > restore->work.count) {
        return CAIRN_ECORRUPT;
    }
    if (number == 0 ? is_shared || offset != 0 : grows) {
        return CAIRN_ECORRUPT;
    }
    if ((flags & (KEPT_BLOCK | KEPT_FIRST)) == KEPT_FIRST || ((flags & KEPT_BLOCK) != 0 && (number != 0 || grows))) {
        return CAIRN_ECORRUPT;
    }
    if ((flags & KEPT_CHARGED) != 0 && (is_shared || (flags & KEPT_COUNTED) == 0)) {
        return CAIRN_ECORRUPT;
    }
    if (first >= all || pages > all - first) {
        return CAIRN_EINVAL;
    }
    if (number != 0) {
        const struct cairn_object *const object = restore->work.objects[number - 1];
        if (offset > object->count || pages > object->count - offset) {
            return CAIRN_ECORRUPT;
        }
        if (!bit_is_set(restore->made, (uint32_t)number - 1) &&
            !object_allows(object, restore->work.space, is_shared ? CAIRN_MAP_SHARED : 0, record[OF_MAPPING_PROTECTION])) {
            return CAIRN_EACCES;
        }
    }
    return 0;
}

// A node for a mapping; *last: the one before it.
static int take_mapping(struct restore *restore, const unsigned char *record, struct cairn_mapping **last)
{
    const int error = check_mapping(restore, record, *last == NULL ? 1 : mapping_end(*last));
    struct cairn_mapping *const mapping = error != 0 ? NULL : mapping_node(restore->work.vm);
    if (mapping == NULL) {
        return error != 0 ? error : CAIRN_ENOMEM;
    }
    const uint32_t flags = (uint32_t)cairn_checkpoint_get_(record + RECORD_FLAGS, 2);
    const uint32_t number = (uint32_t)cairn_checkpoint_get_(record + OF_MAPPING_OBJECT, 4);
    mapping->first = (cairn_vaddr_t)cairn_checkpoint_get_(record + OF_MAPPING_FIRST, 8);
    mapping->pages = (cairn_vaddr_t)cairn_checkpoint_get_(record + RECORD_PAGES, 8);
    mapping->grow = (cairn_vaddr_t)cairn_checkpoint_get_(record + OF_MAPPING_GROW, 8);
    mapping->offset = (cairn_vaddr_t)cairn_checkpoint_get_(record + OF_MAPPING_OFFSET, 8);
    mapping->protection = record[OF_MAPPING_PROTECTION];
    mapping->object = number == 0 ? NULL : restore->work.objects[number - 1];
    mapping->flags = MAP_NODE | MAP_UNTOUCHED | ((flags & KEPT_SHARED) != 0 ? CAIRN_MAP_SHARED : 0) | ((flags & KEPT_GROWS) != 0 ? CAIRN_MAP_GROWS_DOWN : 0) |
                     ((flags & KEPT_COUNTED) != 0 ? MAP_COUNTED : 0) | ((flags & KEPT_CHARGED) != 0 ? MAP_CHARGED : 0) |
                     ((flags & KEPT_BLOCK) != 0 ? MAP_BLOCK : 0) | ((flags & KEPT_FIRST) != 0 ? MAP_FIRST : 0);
    restore->charge += (flags & KEPT_CHARGED) != 0 ? mapping->pages : 0;
    *(*last == NULL ? &restore->mappings : &(*last)->next) = mapping;
    *last = mapping;
    return 0;
}

// --------------------------------------------------------------------------------------------------------------------- looking first

// K1, and in this vm. Returns 0 or an error.
static int check_break(const struct restore *restore)
{
    const struct cairn_vm *const vm = restore->work.vm;
    const uint64_t start = cairn_checkpoint_get_(restore->head + HEAD_BREAK, 8);
    const uint64_t end = cairn_checkpoint_get_(restore->head + HEAD_BREAK + 8, 8);
    if (start > end || (start & vm->offset_mask) != 0 || (start == 0 && end != 0)) {
        return CAIRN_ECORRUPT;
    }
    return end <= vm->limit && cairn_checkpoint_get_(restore->head + HEAD_HEAP, 8) <= vm->limit ? 0 : CAIRN_EINVAL;
}

// Is the key that of a page that can be? *mapping: where to look from, and of a page of the space, where it is.
static bool key_is_good(const struct restore *restore, uint64_t key, struct cairn_mapping **mapping)
{
    const struct checkpoint_work *const work = &restore->work;
    const uint32_t part = (uint32_t)(key >> PART_SHIFT);
    const uint64_t page = key & KEY_PAGE;
    if (part == PART_DIRECTORY) {
        return page < directory_pages(page_size(work->vm), (uint64_t)work->count + work->mappings);
    }
    if (part != PART_SPACE) {
        return part - PART_OBJECTS < work->count && page < work->objects[part - PART_OBJECTS]->count;
    }
    while (*mapping != NULL && page >= mapping_end(*mapping)) {
        *mapping = (*mapping)->next;
    }
    return *mapping != NULL && page >= (*mapping)->first && !mapping_is_shared(*mapping);
}

static int check_keys(const struct restore *restore)
{
    struct cairn_mapping *mapping = restore->mappings;
    uint64_t key = 0;
    int error;
    for (; (error = cairn_image_next(&restore->work.checkpoint->image, &key)) == 0; key++) {
        if (!key_is_good(restore, key, &mapping)) {
            return CAIRN_ECORRUPT;
        }
    }
    return error == CAIRN_ENOENT ? 0 : error;
}

static int check_all(struct restore *restore)
{
    struct checkpoint_work *const work = &restore->work;
    struct cairn_mapping *last = NULL;
    int error = cairn_checkpoint_read_head_(work->checkpoint, restore->head);
    if (error == 0 && cairn_checkpoint_get_(restore->head + HEAD_OBJECTS, 2) != work->count) {
        error = CAIRN_EINVAL;
    }
    error = error == 0 ? check_break(restore) : error;
    work->mappings = (uint32_t)cairn_checkpoint_get_(restore->head + HEAD_MAPPINGS, 4);
    for (uint64_t number = 0; error == 0 && number < (uint64_t)work->count + work->mappings; number++) {
        const unsigned char *record;
        error = number > UINT32_MAX ? CAIRN_ECORRUPT : cairn_checkpoint_record_(work->checkpoint, (uint32_t)number, &record);
        if (error == 0) {
            error = number < work->count ? take_object(restore, (uint32_t)number, record) : take_mapping(restore, record, &last);
        }
    }
    error = error == 0 ? check_keys(restore) : error;
    return error == 0 && !cairn_commit_take_(work->vm, restore->charge) ? CAIRN_ENOMEM : error;
}

// What was made is ended, or goes on as it was kept.
static void settle_objects(const struct restore *restore, bool is_end)
{
    for (uint32_t number = 0; number < restore->work.count; number++) {
        struct cairn_object *const object = restore->work.objects[number];
        if (!bit_is_set(restore->made, number)) {
            continue;
        }
        if (object->mappings == NULL) {
            object->removed = false; // it would never end
        }
        if (is_end) {
            (void)!cairn_object_deinit(object); // it has no store, and no mapping
        }
    }
}

// Nothing has joined the space.
static void give_back(struct restore *restore)
{
    while (restore->mappings != NULL) {
        struct cairn_mapping *const next = restore->mappings->next;
        cairn_table_give_(restore->work.vm, TABLE_LIST_MAPPINGS, restore->mappings);
        restore->mappings = next;
    }
    settle_objects(restore, true);
}

// ------------------------------------------------------------------------------------------------------------------------- pages

// Does the owner's store hold the page as it is? Then it need not be written there, and may be where nothing can.
static bool is_stored(const struct restore *restore, const struct cairn_space *owner, cairn_vaddr_t page, const unsigned char *bytes)
{
    const struct cairn_port_store *const store = owner->backing;
    unsigned char *const there = restore->work.checkpoint->other;
    uint32_t left = page_size(restore->work.vm);
    if (store == NULL || store->read(store->context, owner->backing_slot + (uint32_t)page, there) != 0) {
        return false;
    }
    while (left != 0 && there[left - 1] == bytes[left - 1]) {
        left--;
    }
    return left == 0;
}

// Bring a page in: one of zeros too, if there would be something else without it. Returns 0 or an error: then it is not there.
static int bring_page(const struct restore *restore, struct cairn_space *owner, uint64_t key, bool with_zeros)
{
    struct cairn_vm *const vm = restore->work.vm;
    const cairn_vaddr_t page = (cairn_vaddr_t)(key & KEY_PAGE);
    uint32_t frame;
    int error = cairn_frame_take_(vm, page_key(owner, page), &frame);
    if (error != 0) {
        return error;
    }
    unsigned char *const bytes = frame_memory(vm, frame);
    error = cairn_image_get(&restore->work.checkpoint->image, key, bytes);
    if (error == CAIRN_ENOENT && with_zeros) {
        memset(bytes, 0, page_size(vm));
        error = 0;
    }
    const bool is_wanted = error == 0 && (with_zeros || !cairn_bulk_is_zeros_(bytes, page_size(vm))) && !is_stored(restore, owner, page, bytes);
    const bool is_allowed = owner->backing == NULL || owner->backing->write != NULL;
    uint32_t *const leaf = is_wanted && is_allowed ? cairn_table_make_(owner, page) : NULL;
    if (leaf == NULL) {
        cairn_frame_free_(vm, frame);
        return !is_wanted ? error : is_allowed ? CAIRN_ENOMEM : CAIRN_EACCES;
    }
    *table_pte(vm, leaf, page) = frame << PTE_SHIFT | PTE_PRESENT; // the first access takes the long way
    frame_enter(vm, owner, page, frame, owner->backing != NULL ? SLOT_BACKED : SLOT_NONE, FRAME_STALE | FRAME_SAVED);
    return 0;
}

// All pages of an object with a store, whatever that holds.
static int fill_stored(const struct restore *restore, uint32_t part)
{
    struct cairn_object *const object = restore->work.objects[part - PART_OBJECTS];
    int error = 0;
    for (cairn_vaddr_t page = 0; error == 0 && page < object->count; page++) {
        error = bring_page(restore, &object->pages, key_of(part, page), true);
    }
    return error;
}

// The pages of a part that are kept.
static int fill_part(const struct restore *restore, uint32_t part)
{
    struct cairn_space *const owner = pages_of(&restore->work, part);
    struct cairn_mapping *mapping = part == PART_SPACE ? owner->mappings : NULL;
    uint64_t key = key_of(part, 0);
    int error;
    for (; (error = cairn_image_next(&restore->work.checkpoint->image, &key)) == 0 && key >> PART_SHIFT == part; key++) {
        if (!key_is_good(restore, key, &mapping)) { // it was before
            return CAIRN_ECORRUPT;
        }
        if (part == PART_SPACE) {
            mapping->flags &= ~MAP_UNTOUCHED;
            mapping_set_plain(mapping);
        }
        error = bring_page(restore, owner, key, part == PART_SPACE && mapping->object != NULL); // which it hides
        if (error != 0) {
            return error;
        }
    }
    return error == CAIRN_ENOENT ? 0 : error;
}

static int fill_all(const struct restore *restore)
{
    int error = 0;
    for (uint32_t part = PART_SPACE; error == 0 && part < PART_OBJECTS + restore->work.count; part++) {
        error = part != PART_SPACE && pages_of(&restore->work, part)->backing != NULL ? fill_stored(restore, part) : fill_part(restore, part);
    }
    return error;
}

// The point from which on things have changed.
static void join(struct restore *restore)
{
    struct cairn_space *const space = restore->work.space;
    for (uint32_t number = 0; number < restore->work.count; number++) {
        if (!bit_is_set(restore->made, number)) {
            clear_object(restore->work.objects[number]);
        }
    }
    while (restore->mappings != NULL) {
        struct cairn_mapping *const next = restore->mappings->next;
        cairn_mapping_link_(space, restore->mappings);
        restore->mappings = next;
    }
    space->break_start = (cairn_vaddr_t)cairn_checkpoint_get_(restore->head + HEAD_BREAK, 8);
    space->break_end = (cairn_vaddr_t)cairn_checkpoint_get_(restore->head + HEAD_BREAK + 8, 8);
    space->heap = (cairn_vaddr_t)cairn_checkpoint_get_(restore->head + HEAD_HEAP, 8);
}

// The space is empty again.
static void leave(const struct restore *restore)
{
    struct cairn_space *const space = restore->work.space;
    const struct cairn_vm *const vm = space->vm;
    for (uint32_t number = 0; number < restore->work.count; number++) {
        if (bit_is_set(restore->made, number)) {
            restore->work.objects[number]->removed = false; // it is not to end with its mapping, but below
        }
    }
    (void)!cairn_space_unmap_range(space, (cairn_vaddr_t)1 << vm->page_shift, vm->limit & ~vm->offset_mask); // nothing of it is pinned, or split
    space->break_start = space->break_end = space->heap = 0;
    space->saved = 0;
    settle_objects(restore, true);
}

int cairn_checkpoint_restore(struct cairn_checkpoint *checkpoint, struct cairn_space *space, struct cairn_object *const objects[], uint32_t count)
{
    struct restore restore = {0};
    int error = cairn_checkpoint_begin_(&restore.work, checkpoint, space, objects, count);
    if (error == 0 && space->mappings != NULL) {
        error = CAIRN_EBUSY;
    }
    error = error == 0 ? cairn_checkpoint_mark_slots_(space->vm) : error;
    if (error != 0) {
        return error;
    }
    error = check_all(&restore);
    if (error != 0) {
        give_back(&restore);
        return error > 0 ? CAIRN_EIO : error;
    }
    join(&restore);
    error = fill_all(&restore);
    if (error != 0) {
        leave(&restore);
        return error > 0 ? CAIRN_EIO : error;
    }
    settle_objects(&restore, false);
    cairn_checkpoint_name_(&restore.work);
    return 0;
}
