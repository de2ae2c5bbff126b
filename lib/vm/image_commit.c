// SPDX-License-Identifier: MIT
//
// Changing an image: from what was put to pages of index, to a record.
//
// OWNS: the order of what is written. The PICTURE and the INVARIANTS are in image_layout.h.
// PICTURE: pages as they are put, pages of index as entries fill up | sync | record | sync | what only the old image had is trimmed
// COST: settling entries reads each page of index once whose keys are among theirs. Writing the index anew reads, for each page / 8 keys, those that
//       have keys among them, and writes a page. Less than 250 bytes of stack.
// CALLERS: image.c; the user, for commit.
#include "vm/image_layout.h"

#include <string.h>

// 6, for one entry of the pages.
static void settle_entry(struct cairn_image *image, struct sweep *sweep, const struct cairn_image_entry *covered)
{
    const uint32_t place = cairn_image_place_(image->entries, image->count, covered->key);
    struct cairn_image_entry *const entry = &image->entries[place];
    (void)sweep;
    if (place < image->count && entry->key == covered->key && (entry->slot & SETTLED) == 0) {
        entry->slot |= SETTLED;
        image->keys += (uint32_t)entry_is_there(entry) - (uint32_t)entry_is_there(covered);
        cairn_image_release_(image, covered->slot);
    }
}

// 6: find what the entries cover. Those of dropped keys that cover nothing go.
static int settle_entries(struct cairn_image *image)
{
    const uint32_t count = image->count;
    struct sweep sweep = {.take = settle_entry};
    if (count == 0) {
        return 0;
    }
    sweep.first = image->entries[0].key;
    sweep.below = image->entries[count - 1].key + 1;
    const int error = cairn_image_sweep_(image, &sweep, image->used);
    if (error != 0) {
        return error;
    }
    image->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct cairn_image_entry entry = image->entries[i];
        if (entry.slot != SLOT_DROPPED) { // one that is settled has a bit more
            image->keys += (entry.slot & SETTLED) == 0;
            image->entries[image->count] = entry;
            image->entries[image->count++].slot |= SETTLED;
        }
    }
    return 0;
}

// Give the page in the buffer its number and its sum, and write it. Returns as the store.
static int write_page(struct cairn_image *image, uint32_t magic, uint32_t end, uint32_t slot)
{
    const uint32_t links = image->used - begun_at(image);
    const struct cairn_image_page none = {.slot = NO_SLOT};
    const struct cairn_image_page *const before = links != 0 ? &image->pages[image->used - 1] : &none;
    page_set_word(image, AT_MAGIC, magic);
    page_set_word(image, AT_GENERATION, image->generation + 1);
    page_set_word(image, AT_LINK, before->slot);
    page_set_word(image, AT_LINK_SUM, before->sum);
    page_set_word(image, AT_END, end);
    if (magic != IMAGE_INDEX) {
        page_set_word(image, AT_LINKS, links);
        page_set_word(image, AT_HEADER_SUM, cairn_image_sum_(image, AT_HEADER_SUM));
    }
    page_set_word(image, AT_SUM, cairn_image_sum_(image, image->page));
    image->written++;
    return image->store->write(image->store->context, image->first + slot, image->buffer);
}

// The page in the buffer, with so many of the entries, is the newest; they are in it now.
static void append_page(struct cairn_image *image, uint32_t slot, uint32_t count)
{
    struct cairn_image_page *const its = &image->pages[image->used++];
    *its = (struct cairn_image_page){1, 0, slot, page_word(image, AT_SUM)};
    if (count != 0) {
        its->low = image->entries[0].key;
        its->high = image->entries[count - 1].key;
    }
    image->count -= count;
    memmove(image->entries, image->entries + count, image->count * sizeof *image->entries);
}

// Write entries to a page of index, as many as it has room for, and at least one. Returns 0; CAIRN_ENOMEM; as the store. pre: they are settled.
static int spill(struct cairn_image *image)
{
    uint32_t end;
    if (image->used + 1 >= image->room) { // and a record
        return CAIRN_ENOMEM;
    }
    const uint32_t slot = cairn_image_take_(image, false);
    if (slot == NO_SLOT) {
        return CAIRN_ENOMEM;
    }
    image->loaded = NO_SLOT;
    const uint32_t count = cairn_image_encode_(image, INDEX_HEADER, &end);
    const int error = write_page(image, IMAGE_INDEX, end, slot);
    if (error != 0) {
        cairn_image_release_(image, slot);
        return error;
    }
    append_page(image, slot, count);
    return 0;
}

CAIRN_NOINLINE int cairn_image_make_room_(struct cairn_image *image)
{
    int error = settle_entries(image);
    while (error == 0 && image->count == image->batch) {
        error = spill(image);
    }
    return error;
}

// Write entries to pages of index until the others have room in a record behind a head of this size.
static int spill_beside(struct cairn_image *image, uint32_t head)
{
    uint32_t end;
    int error = 0;
    image->loaded = NO_SLOT;
    while (error == 0 && cairn_image_encode_(image, RECORD_HEADER + head, &end) != image->count) {
        error = spill(image);
    }
    return error;
}

static void release_pages(struct cairn_image *image, uint32_t from, uint32_t end)
{
    for (uint32_t number = from; number < end; number++) {
        cairn_image_release_(image, image->pages[number].slot);
    }
}

CAIRN_NOINLINE int cairn_image_write_anew_(struct cairn_image *image)
{
    const uint32_t end = image->committed;
    uint64_t first = 0;
    int error = cairn_image_read_ahead_(image, first, end);
    while (error == 0 && image->high != CAIRN_IMAGE_NO_KEY - 1) {
        first = image->high + 1;
        if (image->count != 0) { // or all of these keys were dropped
            error = spill(image);
            first = image->count != 0 ? image->entries[0].key : first;
        }
        if (error == 0) {
            error = cairn_image_read_ahead_(image, first, end);
        }
    }
    if (error == 0) {
        error = spill_beside(image, image->head); // now, when the chain can still get longer
    }
    if (error != 0) {
        release_pages(image, end, image->used);
        image->used = end;
        image->count = 0;
        return error;
    }
    release_pages(image, 0, end);
    cairn_image_release_(image, image->next);
    image->from = end;
    return 0;
}

static CAIRN_NOINLINE int sync_store(const struct cairn_image *image)
{
    return image->store->sync != NULL ? image->store->sync(image->store->context) : 0;
}

// 4, 2. head NULL: that of the record before. pre: the entries have room.
static int write_record(struct cairn_image *image, bool is_root, const void *head, uint32_t size)
{
    uint32_t end;
    int error = head == NULL && size != 0 ? cairn_image_load_page_(image, image->committed - 1) : 0;
    image->loaded = NO_SLOT;
    if (error != 0) {
        return error;
    }
    if (head != NULL) {
        memcpy(image->buffer + RECORD_HEADER, head, size);
    }
    cairn_image_encode_(image, RECORD_HEADER + size, &end);
    if (image->next_wanted == NO_SLOT) {
        image->next_wanted = cairn_image_take_(image, true);
    }
    if (image->next_wanted == NO_SLOT || image->used == image->room) {
        return CAIRN_ENOMEM;
    }
    page_set_word(image, AT_BEFORE, is_root ? 0 : image->pages[image->committed - 1].sum);
    page_set_word(image, AT_NEXT, image->next_wanted);
    page_set_word(image, AT_PAGE, image->page);
    page_set_word(image, AT_KEYS, image->keys);
    page_set_word(image, AT_HEAD, size);
    error = sync_store(image);
    if (error != 0) {
        return error;
    }
    image->unsure = true;
    image->unsure_root |= is_root;
    for (uint32_t word = 0; word < words_of(image); word++) {
        image->held[word] |= image->wanted[word];
    }
    error = write_page(image, is_root ? IMAGE_ROOT : IMAGE_CHANGE, end, is_root ? 1 - image->root : image->next);
    return error != 0 ? error : sync_store(image);
}

// The record counts.
static void take_over(struct cairn_image *image, bool is_root, uint32_t head)
{
    append_page(image, is_root ? 1 - image->root : image->next, image->count);
    image->committed = image->used - image->from;
    image->used = image->committed;
    memmove(image->pages, image->pages + image->from, image->used * sizeof *image->pages);
    image->from = 0;
    if (is_root) {
        image->root = 1 - image->root;
        image->base = image->used;
        image->torn &= ~TORN_CHANGE;
    }
    image->next = image->next_wanted;
    image->head = head;
    image->generation++;
    image->keys_committed = image->keys;
    image->written_committed = image->written;
    image->unsure = false;
    image->unsure_root = false;
    cairn_image_settle_(image, image->held, image->wanted);
    cairn_image_end_(image);
}

int cairn_image_commit(struct cairn_image *image, const void *head, size_t size)
{
    if (!image->open || (head != NULL && size > image->page - RECORD_HEADER)) {
        return CAIRN_EINVAL;
    }
    const uint32_t bytes = head != NULL ? (uint32_t)size : image->head;
    const bool is_root = begun_at(image) == image->from;
    int error = settle_entries(image);
    if (error == 0) {
        error = spill_beside(image, bytes);
    }
    if (error == 0) {
        error = write_record(image, is_root, head, bytes);
    }
    if (error == 0) {
        take_over(image, is_root, bytes);
    }
    return error;
}
