// SPDX-License-Identifier: MIT
//
// The index of an image: entries in bytes, pages of them, and the list of these pages.
//
// OWNS: the bytes of an entry; what is read ahead. The PICTURE and the INVARIANTS are in image_layout.h.
// PICTURE: entry | key less the least that can come | what | sum, 4 bytes, where there is a slot |     numbers are 7 bits a byte, the low ones first
//     what: 0 no page, 1 zeros, else 2 and how far the slot is from the one behind the last entry's: 0, -1, 1, -2, ... are 0, 1, 2, 3, ...
// COST: a page of index is read and summed once for each time it is looked at, but where it is the one in the buffer. Less than 200 bytes of stack.
// CALLERS: image.c, image_commit.c, image_mount.c, image_slots.c.
#include "vm/image_layout.h"

#include <string.h>

#define ENTRY_MOST 19u // bytes: 10 of a key, 5 of a slot, 4 of a sum

CAIRN_NOINLINE uint32_t cairn_image_place_(const struct cairn_image_entry *entries, uint32_t count, uint64_t key)
{
    uint32_t low = 0;
    while (low < count) {
        const uint32_t middle = (low + count) / 2;
        if (entries[middle].key < key) {
            low = middle + 1;
        } else {
            count = middle;
        }
    }
    return low;
}

// ------------------------------------------------------------------------------------------------------------------------- entries

// A number of at most 64 bits. Returns false iff there is none before `end`.
static CAIRN_NOINLINE bool get_number(struct walk *walk, uint64_t *number)
{
    uint64_t all = 0;
    for (uint32_t shift = 0; shift < 64 && walk->at != walk->end; shift += 7) {
        const uint32_t byte = *walk->at++;
        all |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *number = all;
            return shift != 63 || byte < 2;
        }
    }
    return false;
}

static CAIRN_NOINLINE unsigned char *put_number(unsigned char *at, uint64_t number)
{
    for (; number >= 0x80; number >>= 7) {
        *at++ = (unsigned char)(number | 0x80);
    }
    *at++ = (unsigned char)number;
    return at;
}

CAIRN_NOINLINE int cairn_image_walk_(const struct cairn_image *image, struct walk *walk)
{
    const uint32_t end = page_word(image, AT_END);
    uint32_t start = INDEX_HEADER;
    if (page_word(image, AT_MAGIC) != IMAGE_INDEX) {
        start = page_word(image, AT_HEAD);
        start = start <= image->page ? start + RECORD_HEADER : NO_SLOT;
    }
    if (start > end || end > image->page) {
        return CAIRN_ECORRUPT;
    }
    *walk = (struct walk){.at = image->buffer + start, .end = image->buffer + end};
    return 0;
}

CAIRN_NOINLINE int cairn_image_walk_next_(const struct cairn_image *image, struct walk *walk)
{
    struct cairn_image_entry *const entry = &walk->entry;
    uint64_t step, what;
    if (walk->at == walk->end) {
        return 0;
    }
    if (!get_number(walk, &step) || !get_number(walk, &what) || step >= CAIRN_IMAGE_NO_KEY - walk->from || what > UINT32_MAX) {
        return CAIRN_ECORRUPT;
    }
    entry->key = walk->from + step;
    walk->from = entry->key + 1;
    entry->slot = (uint32_t)what;
    entry->sum = 0;
    if (what >= SLOTS_FIRST) {
        const uint32_t turn = (uint32_t)what - SLOTS_FIRST;
        entry->slot = walk->slot + (turn >> 1 ^ (0u - (turn & 1)));
        if (entry->slot < SLOTS_FIRST || entry->slot >= image->slots || walk->end - walk->at < 4) {
            return CAIRN_ECORRUPT;
        }
        for (uint32_t shift = 0; shift < 32; shift += 8) {
            entry->sum |= (uint32_t)*walk->at++ << shift;
        }
        walk->slot = entry->slot + 1;
    }
    return 1;
}

CAIRN_NOINLINE uint32_t cairn_image_encode_(const struct cairn_image *image, uint32_t at, uint32_t *end)
{
    unsigned char *to = image->buffer + at;
    uint64_t from = 0;
    uint32_t behind = 0;
    uint32_t count = 0;
    for (; count < image->count && image->buffer + image->page - to >= (ptrdiff_t)ENTRY_MOST; count++) {
        const struct cairn_image_entry *const entry = &image->entries[count];
        uint32_t what = entry_slot(entry);
        if (what >= SLOTS_FIRST) {
            const uint32_t step = what - behind;
            behind = what + 1;
            what = SLOTS_FIRST + (step << 1 ^ (0u - (step >> 31)));
        }
        to = put_number(put_number(to, entry->key - from), what);
        from = entry->key + 1;
        for (uint32_t shift = 0; shift < 32 && what >= SLOTS_FIRST; shift += 8) {
            *to++ = (unsigned char)(entry->sum >> shift);
        }
    }
    *end = (uint32_t)(to - image->buffer);
    memset(to, 0, image->page - *end);
    return count;
}

// --------------------------------------------------------------------------------------------------------------------------- pages

CAIRN_NOINLINE uint32_t cairn_image_sum_(const struct cairn_image *image, uint32_t end)
{
    const bool is_record = page_word(image, AT_MAGIC) != IMAGE_INDEX;
    if (!is_record || end <= AT_HEADER_SUM) {
        return cairn_checksum_(0, image->buffer + AT_MAGIC, end - AT_MAGIC);
    }
    const uint32_t header = cairn_checksum_(0, image->buffer + AT_MAGIC, AT_HEADER_SUM - AT_MAGIC);
    return cairn_checksum_(header, image->buffer + RECORD_HEADER, end - RECORD_HEADER);
}

CAIRN_NOINLINE int cairn_image_load_(struct cairn_image *image, uint32_t slot)
{
    image->loaded = NO_SLOT;
    const int error = image->store->read(image->store->context, image->first + slot, image->buffer);
    return error != 0 || cairn_image_sum_(image, image->page) == page_word(image, AT_SUM) ? error : CAIRN_ECORRUPT;
}

CAIRN_NOINLINE int cairn_image_load_page_(struct cairn_image *image, uint32_t number)
{
    const struct cairn_image_page *const its = &image->pages[number];
    if (image->loaded != its->slot) {
        const int error = cairn_image_load_(image, its->slot);
        if (error != 0 || page_word(image, AT_SUM) != its->sum) {
            return error != 0 ? error : CAIRN_ECORRUPT;
        }
        image->loaded = its->slot;
    }
    return 0;
}

CAIRN_NOINLINE int cairn_image_sweep_(struct cairn_image *image, struct sweep *sweep, uint32_t end)
{
    int got = 0;
    for (uint32_t number = end; got == 0 && number-- > image->from;) {
        const struct cairn_image_page *const its = &image->pages[number];
        struct walk walk;
        if (its->high < sweep->first || its->low >= sweep->below || sweep->first >= sweep->below) {
            continue;
        }
        got = cairn_image_load_page_(image, number);
        if (got == 0) {
            got = cairn_image_walk_(image, &walk);
        }
        while (got == 0 && (got = cairn_image_walk_next_(image, &walk)) > 0) {
            if (walk.entry.key >= sweep->first && walk.entry.key < sweep->below) {
                sweep->take(image, sweep, &walk.entry);
            }
            got = 0;
        }
    }
    return got;
}

// For want of room the last one goes, and keys like it are not looked for any more.
CAIRN_NOINLINE void cairn_image_gather_(struct cairn_image *image, struct sweep *sweep, const struct cairn_image_entry *entry)
{
    const uint32_t place = cairn_image_place_(sweep->entries, sweep->count, entry->key);
    struct cairn_image_entry *const to = &sweep->entries[place];
    (void)image;
    if (place < sweep->count && to->key == entry->key) {
        return;
    }
    sweep->count -= sweep->count == sweep->most;
    memmove(to + 1, to, (sweep->count - place) * sizeof *to);
    *to = *entry;
    sweep->count++;
    if (sweep->count == sweep->most) {
        sweep->below = sweep->entries[sweep->most - 1].key;
    }
}

CAIRN_NOINLINE int cairn_image_read_ahead_(struct cairn_image *image, uint64_t first, uint32_t end)
{
    struct sweep sweep = {first, CAIRN_IMAGE_NO_KEY, cairn_image_gather_, image->entries, 0, image->batch};
    image->low = CAIRN_IMAGE_NO_KEY;
    image->high = 0;
    image->count = 0;
    const int error = cairn_image_sweep_(image, &sweep, end);
    if (error != 0) {
        return error;
    }
    image->low = first;
    image->high = sweep.count == sweep.most ? sweep.below : CAIRN_IMAGE_NO_KEY - 1;
    for (uint32_t i = 0; i < sweep.count; i++) {
        if (entry_is_there(&image->entries[i])) {
            image->entries[image->count] = image->entries[i];
            image->entries[image->count++].slot |= SETTLED;
        }
    }
    return 0;
}
