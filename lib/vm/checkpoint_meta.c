// SPDX-License-Identifier: MIT
//
// The head and the directory of a checkpoint, to bytes and from them.
//
// OWNS: the order of the bytes. checkpoint_layout.h has the PICTURE and the INVARIANTS.
// COST: a page of the directory O(mappings). CALLERS: checkpoint_pages.c, checkpoint_save.c, checkpoint_restore.c.
#include "vm/checkpoint_layout.h"

#include <string.h>

CAIRN_NOINLINE uint64_t cairn_checkpoint_get_(const unsigned char *at, uint32_t bytes)
{
    uint64_t number = 0;
    while (bytes-- != 0) {
        number = number << 8 | at[bytes];
    }
    return number;
}

CAIRN_NOINLINE void cairn_checkpoint_put_(unsigned char *at, uint64_t number, uint32_t bytes)
{
    for (; bytes != 0; bytes--, number >>= 8) {
        *at++ = (unsigned char)number;
    }
}

CAIRN_NOINLINE void cairn_checkpoint_head_(const struct checkpoint_work *work, unsigned char *head)
{
    const struct cairn_space *const space = work->space;
    memset(head, 0, HEAD_BYTES);
    cairn_checkpoint_put_(head + HEAD_MAGIC, CHECKPOINT_MAGIC, 4);
    cairn_checkpoint_put_(head + HEAD_SHIFT, page_shift(work->vm), 1);
    cairn_checkpoint_put_(head + HEAD_OBJECTS, work->count, 2);
    cairn_checkpoint_put_(head + HEAD_MAPPINGS, work->mappings, 4);
    cairn_checkpoint_put_(head + HEAD_BREAK, space->break_start, 8);
    cairn_checkpoint_put_(head + HEAD_BREAK + 8, space->break_end, 8);
    cairn_checkpoint_put_(head + HEAD_HEAP, space->heap, 8);
}

static void put_object(const struct checkpoint_work *work, const struct cairn_object *object, unsigned char *record)
{
    const uint32_t owner = object->owner == NULL ? 0 : object->owner == work->space ? KEPT_OWNED : KEPT_FOREIGN;
    cairn_checkpoint_put_(record + OF_OBJECT_KEY, object->key, 4);
    cairn_checkpoint_put_(record + RECORD_PAGES, object->count, 8);
    cairn_checkpoint_put_(record + OF_OBJECT_PROTECTION, object->protection, 1);
    cairn_checkpoint_put_(record + OF_OBJECT_OTHERS, object->others, 1);
    cairn_checkpoint_put_(record + RECORD_FLAGS, owner | (object->removed ? KEPT_REMOVED : 0), 2);
}

static void put_mapping(const struct checkpoint_work *work, const struct cairn_mapping *mapping, unsigned char *record)
{
    uint32_t object = 0;
    while (mapping->object != NULL && work->objects[object++] != mapping->object) { // pre: it is one of them
    }
    const uint32_t flags = ((mapping->flags & CAIRN_MAP_SHARED) != 0 ? KEPT_SHARED : 0) | ((mapping->flags & CAIRN_MAP_GROWS_DOWN) != 0 ? KEPT_GROWS : 0) |
                           ((mapping->flags & MAP_COUNTED) != 0 ? KEPT_COUNTED : 0) | ((mapping->flags & MAP_CHARGED) != 0 ? KEPT_CHARGED : 0) |
                           ((mapping->flags & MAP_BLOCK) != 0 ? KEPT_BLOCK : 0) | ((mapping->flags & MAP_FIRST) != 0 ? KEPT_FIRST : 0);
    cairn_checkpoint_put_(record + OF_MAPPING_FIRST, mapping->first, 8);
    cairn_checkpoint_put_(record + RECORD_PAGES, mapping->pages, 8);
    cairn_checkpoint_put_(record + OF_MAPPING_GROW, mapping->grow, 8);
    cairn_checkpoint_put_(record + OF_MAPPING_OFFSET, mapping->object == NULL ? 0 : mapping->offset, 8);
    cairn_checkpoint_put_(record + OF_MAPPING_OBJECT, object, 4);
    cairn_checkpoint_put_(record + OF_MAPPING_PROTECTION, mapping->protection, 1);
    cairn_checkpoint_put_(record + RECORD_FLAGS, flags, 2);
}

CAIRN_NOINLINE void cairn_checkpoint_directory_(const struct checkpoint_work *work, uint32_t page, unsigned char *bytes)
{
    const uint32_t first = page * records_of_page(page_size(work->vm));
    const uint32_t end = first + records_of_page(page_size(work->vm));
    uint32_t number = work->count;
    memset(bytes, 0, page_size(work->vm));
    for (uint32_t i = first; i < end && i < work->count; i++) {
        put_object(work, work->objects[i], bytes + (i - first) * RECORD_BYTES);
    }
    for (const struct cairn_mapping *mapping = work->space->mappings; mapping != NULL && number < end; mapping = mapping->next, number++) {
        if (number >= first) {
            put_mapping(work, mapping, bytes + (number - first) * RECORD_BYTES);
        }
    }
}

CAIRN_NOINLINE int cairn_checkpoint_read_head_(struct cairn_checkpoint *checkpoint, unsigned char *head)
{
    struct cairn_image *const image = &checkpoint->image;
    if (image->generation == 0) {
        return CAIRN_ENOENT;
    }
    const int bytes = cairn_image_head(image, head, HEAD_BYTES);
    if (bytes != HEAD_BYTES) {
        return bytes < 0 ? bytes : CAIRN_ECORRUPT;
    }
    const bool is_good = cairn_checkpoint_get_(head + HEAD_MAGIC, 4) == CHECKPOINT_MAGIC && head[HEAD_SHIFT] < 32 &&
                         1u << head[HEAD_SHIFT] == image->page && head[HEAD_SHIFT + 1] == 0 &&
                         cairn_checkpoint_get_(head + HEAD_OBJECTS, 2) <= CAIRN_CHECKPOINT_OBJECTS && cairn_checkpoint_get_(head + HEAD_MAPPINGS + 4, 4) == 0;
    return is_good ? 0 : CAIRN_ECORRUPT;
}

CAIRN_NOINLINE int cairn_checkpoint_record_(struct cairn_checkpoint *checkpoint, uint32_t number, const unsigned char **record)
{
    const uint32_t each = records_of_page(checkpoint->image.page);
    int error = 0;
    if (number % each == 0) {
        error = cairn_image_get(&checkpoint->image, key_of(PART_DIRECTORY, number / each), checkpoint->page);
    }
    *record = checkpoint->page + number % each * RECORD_BYTES;
    return error == CAIRN_ENOENT ? CAIRN_ECORRUPT : error;
}
