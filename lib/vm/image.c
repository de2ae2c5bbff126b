// SPDX-License-Identifier: MIT
//
// The calls of an image, but for commit.
//
// OWNS: the handle; how its memory is cut up. The PICTURE and the INVARIANTS are in image_layout.h.
// PICTURE: memory | entries, 16 bytes each | pages of index, 24 bytes each | held | wanted, a bit a slot | a page |
// COST: as cairn/image.h says.
// CALLERS: the user; what checkpoints.
#include "base/bulk.h"
#include "vm/image_layout.h"

#include <string.h>

CAIRN_NOINLINE void cairn_image_end_(struct cairn_image *image)
{
    image->open = false;
    image->count = 0;
    image->low = CAIRN_IMAGE_NO_KEY;
    image->high = 0;
    image->from = 0;
    image->used = image->committed;
    image->keys = image->keys_committed;
    image->next_wanted = NO_SLOT;
}

// The config's, in the handle. Returns the bytes of memory that it takes; 0: the config is not valid.
static size_t cut(struct cairn_image *image, const struct cairn_image_config *config)
{
    if (config == NULL || config->store == NULL || config->store->page < CAIRN_IMAGE_PAGE_LEAST || config->store->page > CAIRN_IMAGE_PAGE_MOST ||
        config->first >= config->store->slots) {
        return 0;
    }
    const uint32_t most = config->store->slots - config->first;
    *image = (struct cairn_image){.store = config->store, .first = config->first, .page = config->store->page, .root = 1, .loaded = NO_SLOT, .next = NO_SLOT};
    image->slots = config->slots != 0 ? config->slots : most;
    image->chain = config->chain != 0 ? config->chain : 16;
    image->batch = image->page / 8;
    if (image->slots > most || image->slots < 5 || image->slots > SLOTS_MOST || image->chain > SLOTS_MOST || config->index > SLOTS_MOST) {
        return 0;
    }
    image->room = config->index != 0 ? config->index : 3 * (image->slots / image->batch + 1) + image->chain + 3;
    return image->batch * sizeof *image->entries + image->room * sizeof *image->pages + words_of(image) * 2 * sizeof *image->held + image->page;
}

CAIRN_NOINLINE size_t cairn_image_size(const struct cairn_image_config *config)
{
    struct cairn_image image;
    return cut(&image, config);
}

CAIRN_NOINLINE int cairn_image_init(struct cairn_image *image, const struct cairn_image_config *config, void *memory, size_t size)
{
    if (image == NULL || memory == NULL || (uintptr_t)memory % 8 != 0) {
        return CAIRN_EINVAL;
    }
    const size_t needed = cut(image, config);
    if (needed == 0 || size < needed) {
        return needed == 0 ? CAIRN_EINVAL : CAIRN_ENOMEM;
    }
    image->entries = memory;
    image->pages = (struct cairn_image_page *)(image->entries + image->batch);
    image->held = (uint32_t *)(image->pages + image->room);
    image->wanted = image->held + words_of(image);
    image->buffer = (unsigned char *)(image->wanted + words_of(image));
    const int error = cairn_image_mount_(image);
    cairn_image_end_(image);
    return error;
}

CAIRN_NOINLINE void cairn_image_abort(struct cairn_image *image)
{
    if (!image->open) {
        return;
    }
    cairn_image_settle_(image, image->wanted, image->held); // unsure: more than is wanted; begin finds out
    cairn_image_end_(image);
}

// 8, after a mount: what a cut may have left of a record is no part of one any more. Returns 0 or as the store.
static int clear_torn(struct cairn_image *image)
{
    const struct cairn_port_store *const store = image->store;
    int error = 0;
    memset(image->buffer, 0xC3, image->page);
    image->loaded = NO_SLOT;
    if ((image->torn & TORN_NEXT) != 0) {
        error = store->write(store->context, image->first + image->next, image->buffer);
    }
    if (error == 0 && (image->torn >> (image->root ^ 1) & 1) != 0) {
        error = store->write(store->context, image->first + (image->root ^ 1), image->buffer);
    }
    if (error == 0 && store->sync != NULL) {
        error = store->sync(store->context);
    }
    image->torn &= error == 0 ? TORN_CHANGE : image->torn;
    return error;
}

CAIRN_NOINLINE int cairn_image_begin(struct cairn_image *image, bool anew)
{
    if (image->open) {
        return CAIRN_EBUSY;
    }
    if (image->store->write == NULL) {
        return CAIRN_EACCES;
    }
    if (image->generation == UINT32_MAX) {
        return CAIRN_EOVERFLOW;
    }
    int error = (image->torn & ~TORN_CHANGE) != 0 ? clear_torn(image) : 0;
    if (error != 0) {
        return error;
    }
    error = image->unsure && !anew ? cairn_image_want_committed_(image) : 0;
    if (error != 0) {
        return error;
    }
    cairn_image_end_(image);
    image->open = true;
    image->written = 0;
    if (anew) {
        cairn_image_want_none_(image);
        image->from = image->committed;
        image->keys = 0;
    }
    image->next_wanted = cairn_image_take_(image, false); // before any page: so pages can be dropped where no slot is free
    if (!anew && image->committed != 0 && (image->unsure_root || (image->torn & TORN_CHANGE) != 0 || image->committed - image->base >= image->chain)) {
        error = cairn_image_write_anew_(image);
        if (error == CAIRN_ENOMEM && !image->unsure_root) {
            error = 0; // the chain gets longer
        }
        if (error != 0) {
            cairn_image_abort(image);
        }
    }
    return error;
}

// --------------------------------------------------------------------------------------------------------------------------- looking

// The first page of a key from `first` to `last`. Returns 0; CAIRN_ENOENT; as load.
static int find(struct cairn_image *image, uint64_t first, uint64_t last, struct cairn_image_entry *found)
{
    last -= last == CAIRN_IMAGE_NO_KEY;
    while (first <= last) {
        struct sweep sweep = {first, last + 1, cairn_image_gather_, found, 0, 1};
        int error = 0;
        if (!image->open && (first < image->low || first > image->high)) {
            error = cairn_image_read_ahead_(image, first, image->used);
        }
        const uint32_t place = cairn_image_place_(image->entries, image->count, first);
        if (place < image->count && image->entries[place].key <= last) {
            cairn_image_gather_(image, &sweep, &image->entries[place]);
        }
        if (image->open) {
            error = cairn_image_sweep_(image, &sweep, image->used);
        }
        if (error != 0 || (sweep.count != 0 && entry_is_there(found))) {
            return error;
        }
        first = 1 + (sweep.count != 0 ? found->key : image->open ? last : image->high);
    }
    return CAIRN_ENOENT;
}

CAIRN_NOINLINE int cairn_image_get(struct cairn_image *image, uint64_t key, void *page)
{
    struct cairn_image_entry found;
    int error = find(image, key, key, &found);
    if (error != 0) {
        return error;
    }
    if (!entry_is_page(&found)) {
        memset(page, 0, image->page);
        return 0;
    }
    error = image->store->read(image->store->context, image->first + entry_slot(&found), page);
    return error == 0 && cairn_checksum_(0, page, image->page) != found.sum ? CAIRN_ECORRUPT : error;
}

CAIRN_NOINLINE int cairn_image_next(struct cairn_image *image, uint64_t *key)
{
    struct cairn_image_entry found;
    const int error = find(image, *key, CAIRN_IMAGE_NO_KEY - 1, &found);
    if (error == 0) {
        *key = found.key;
    }
    return error;
}

CAIRN_NOINLINE int cairn_image_head(struct cairn_image *image, void *head, size_t size)
{
    const size_t bytes = size < image->head ? size : image->head;
    const int error = bytes != 0 ? cairn_image_load_page_(image, image->committed - 1) : 0;
    if (error != 0) {
        return error;
    }
    memcpy(head, image->buffer + RECORD_HEADER, bytes);
    return (int)image->head;
}

// -------------------------------------------------------------------------------------------------------------------------- changing

// What is said of a key from now on. There is room.
static void set_entry(struct cairn_image *image, uint32_t place, const struct cairn_image_entry *new)
{
    struct cairn_image_entry *const entry = &image->entries[place];
    uint32_t settled = 0;
    if (place < image->count && entry->key == new->key) {
        settled = entry->slot & SETTLED;
        if (settled != 0) {
            image->keys += (uint32_t)entry_is_there(new) - (uint32_t)entry_is_there(entry);
        }
        if (entry_slot(entry) != new->slot) {
            cairn_image_release_(image, entry_slot(entry));
        }
    } else {
        memmove(entry + 1, entry, (image->count - place) * sizeof *entry);
        image->count++;
    }
    *entry = *new;
    entry->slot |= settled;
}

// Make room for an entry of this key. Returns 0, and its place; or as put.
static CAIRN_NOINLINE int make_place(struct cairn_image *image, uint64_t key, uint32_t *place)
{
    if (!image->open || key == CAIRN_IMAGE_NO_KEY) {
        return CAIRN_EINVAL;
    }
    const int error = image->count == image->batch ? cairn_image_make_room_(image) : 0;
    *place = cairn_image_place_(image->entries, image->count, key);
    return error;
}

CAIRN_NOINLINE int cairn_image_put(struct cairn_image *image, uint64_t key, const void *page)
{
    struct cairn_image_entry entry = {key, SLOT_ZEROS, 0};
    uint32_t place;
    int error = make_place(image, key, &place);
    if (error != 0) {
        return error;
    }
    if (!cairn_bulk_is_zeros_(page, image->page)) {
        const struct cairn_image_entry *const old = &image->entries[place];
        const bool is_own = place < image->count && old->key == key && entry_is_page(old) && !bit_is_set(image->held, entry_slot(old)); // 1
        entry.slot = is_own ? entry_slot(old) : cairn_image_take_(image, false);
        if (entry.slot == NO_SLOT) {
            return CAIRN_ENOMEM;
        }
        error = image->store->write(image->store->context, image->first + entry.slot, page);
        if (error != 0) {
            if (!is_own) {
                cairn_image_release_(image, entry.slot);
            }
            return error;
        }
        image->written++;
        entry.sum = cairn_checksum_(0, page, image->page);
    }
    set_entry(image, place, &entry);
    return 0;
}

CAIRN_NOINLINE int cairn_image_drop(struct cairn_image *image, uint64_t key)
{
    const struct cairn_image_entry entry = {key, SLOT_DROPPED, 0};
    uint32_t place;
    const int error = make_place(image, key, &place);
    if (error == 0) {
        set_entry(image, place, &entry);
    }
    return error;
}

int cairn_image_drop_range(struct cairn_image *image, uint64_t first, uint64_t last)
{
    struct cairn_image_entry found;
    int error = image->open ? 0 : CAIRN_EINVAL;
    while (error == 0 && (error = find(image, first, last, &found)) == 0) {
        error = cairn_image_drop(image, found.key);
        first = found.key + 1;
    }
    return error == CAIRN_ENOENT ? 0 : error;
}

CAIRN_NOINLINE void cairn_image_stats(const struct cairn_image *image, struct cairn_image_stats *stats)
{
    uint32_t held = 0;
    for (uint32_t slot = 0; slot < image->slots; slot++) {
        held += bit_is_set(image->held, slot);
    }
    const uint32_t index = SLOTS_FIRST + (image->committed != 0 ? image->committed - 1 : 0) + (image->next != NO_SLOT); // one of them is a root
    *stats = (struct cairn_image_stats){.generation = image->generation,
                                        .keys = image->keys_committed,
                                        .data = held - index,
                                        .index = index,
                                        .free = image->slots - held,
                                        .written = image->written_committed};
}
