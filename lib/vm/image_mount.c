// SPDX-License-Identifier: MIT
//
// Finding out what image is in a store: after a reset, or in a store that was something else before.
//
// OWNS: nothing. The PICTURE and the INVARIANTS are in image_layout.h. Nothing is changed.
// COST: reads the two roots, each page of index, the slot of the next record; and as want_committed. 150 bytes of stack.
// CALLERS: image.c.
#include "vm/image_layout.h"

#include <string.h>

// What a root record says of itself in every version, also where its page is of another size.
static bool is_like_root(const struct cairn_image *image)
{
    return ((page_word(image, AT_MAGIC) ^ IMAGE_ROOT) & 0xFFFFFF) == 0 &&
           page_word(image, AT_HEADER_SUM) == cairn_image_sum_(image, AT_HEADER_SUM);
}

static bool is_record(const struct cairn_image *image, uint32_t magic)
{
    return page_word(image, AT_MAGIC) == magic && page_word(image, AT_PAGE) == image->page;
}

// Read the roots. Returns 0, and image->root is the newer, image->generation its number, 0 where none counts; CAIRN_ECORRUPT iff none counts, and one is
// foreign.
static int find_root(struct cairn_image *image)
{
    bool foreign = false;
    for (uint32_t slot = 0; slot < SLOTS_FIRST; slot++) {
        const int error = cairn_image_load_(image, slot);
        if (error != 0 && error != CAIRN_ECORRUPT) {
            return error;
        }
        image->torn |= (uint32_t)(error != 0) << slot;
        if (!is_like_root(image)) {
            continue;
        }
        foreign |= !is_record(image, IMAGE_ROOT);
        const uint32_t generation = page_word(image, AT_GENERATION);
        if (error == 0 && is_record(image, IMAGE_ROOT) && generation > image->generation) {
            image->generation = generation;
            image->root = slot;
        }
    }
    return foreign && image->generation == 0 ? CAIRN_ECORRUPT : 0;
}

static bool is_slot(const struct cairn_image *image, uint32_t slot)
{
    return slot >= SLOTS_FIRST && slot < image->slots;
}

// The page of index in the buffer gets this number in the list. Returns 0; CAIRN_ECORRUPT iff its entries are not such.
static int note_page(struct cairn_image *image, uint32_t number, uint32_t slot)
{
    struct cairn_image_page *const its = &image->pages[number];
    struct walk walk;
    int got = cairn_image_walk_(image, &walk);
    *its = (struct cairn_image_page){1, 0, slot, page_word(image, AT_SUM)};
    while (got == 0 && (got = cairn_image_walk_next_(image, &walk)) > 0) {
        its->low = its->low > its->high ? walk.entry.key : its->low;
        its->high = walk.entry.key;
        got = 0;
    }
    return got;
}

// The pages of index that a record links, the newest first; they get the numbers before this one.
static int take_links(struct cairn_image *image, uint32_t links, uint32_t generation)
{
    uint32_t number = image->used - 1;
    uint32_t slot = page_word(image, AT_LINK);
    uint32_t sum = page_word(image, AT_LINK_SUM);
    for (; links != 0; links--) {
        if (!is_slot(image, slot)) {
            return CAIRN_ECORRUPT;
        }
        int error = cairn_image_load_(image, slot);
        if (error == 0 && (page_word(image, AT_SUM) != sum || page_word(image, AT_MAGIC) != IMAGE_INDEX ||
                           page_word(image, AT_GENERATION) != generation)) {
            error = CAIRN_ECORRUPT;
        }
        if (error == 0) {
            error = note_page(image, --number, slot);
        }
        if (error != 0) {
            return error;
        }
        slot = page_word(image, AT_LINK);
        sum = page_word(image, AT_LINK_SUM);
    }
    return slot == NO_SLOT ? 0 : CAIRN_ECORRUPT;
}

// The record in the buffer is the newest.
static int take_record(struct cairn_image *image, uint32_t slot)
{
    const uint32_t links = page_word(image, AT_LINKS);
    image->generation = page_word(image, AT_GENERATION);
    image->next = page_word(image, AT_NEXT);
    image->keys_committed = page_word(image, AT_KEYS);
    image->head = page_word(image, AT_HEAD);
    if (links > image->slots || !is_slot(image, image->next)) {
        return CAIRN_ECORRUPT;
    }
    if (image->room - image->used <= links) {
        return CAIRN_ENOMEM;
    }
    image->used += links + 1;
    image->committed = image->used;
    const int error = note_page(image, image->used - 1, slot);
    return error != 0 ? error : take_links(image, links, image->generation);
}

// Is there a change after the last record? Returns 1, and it is in the buffer; 0; what the store's read answered.
static int find_change(struct cairn_image *image)
{
    page_set_word(image, AT_MAGIC, IMAGE_CHANGE); // a store that finds its slot damaged need not say what is in it: 9
    const int error = cairn_image_load_(image, image->next);
    if (error != 0) {
        image->torn |= TORN_NEXT;
        if (page_word(image, AT_MAGIC) == IMAGE_CHANGE || page_word(image, AT_GENERATION) == image->generation + 1) {
            image->torn |= TORN_CHANGE;
        }
        return error == CAIRN_ECORRUPT ? 0 : error;
    }
    return is_record(image, IMAGE_CHANGE) && page_word(image, AT_GENERATION) == image->generation + 1 &&
           page_word(image, AT_BEFORE) == image->pages[image->committed - 1].sum;
}

CAIRN_NOINLINE int cairn_image_mount_(struct cairn_image *image)
{
    int error = image->store->sync != NULL ? image->store->sync(image->store->context) : 0; // what is read now must still be there after a cut
    if (error == 0) {
        error = find_root(image);
    }
    if (error == 0 && image->generation != 0) {
        error = cairn_image_load_(image, image->root);
        error = error == 0 ? take_record(image, image->root) : error;
        image->base = image->used;
        int found = 0;
        while (error == 0 && (found = find_change(image)) > 0) {
            error = take_record(image, image->next);
        }
        error = error == 0 ? found : error;
    }
    if (error == 0) {
        error = cairn_image_want_committed_(image);
    }
    memcpy(image->held, image->wanted, words_of(image) * sizeof *image->held);
    return error;
}
