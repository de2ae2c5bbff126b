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

CAIRN_NOINLINE uint32_t cairn_image_word_(const unsigned char *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

CAIRN_NOINLINE void cairn_image_set_word_(unsigned char *at, uint32_t word)
{
    for (uint32_t i = 0; i < 4; i++) {
        at[i] = (unsigned char)(word >> 8 * i);
    }
}

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
static bool get_number(struct walk *walk, uint64_t *number)
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

static unsigned char *put_number(unsigned char *at, uint64_t number)
{
    for (; number >= 0x80; number >>= 7) {
        *at++ = (unsigned char)(number | 0x80);
    }
    *at++ = (unsigned char)number;
    return at;
}

int cairn_image_walk_(const struct cairn_image *image, struct walk *walk)
{
    const unsigned char *const page = image->buffer;
    const uint32_t end = cairn_image_word_(page + AT_END);
    uint32_t start = INDEX_HEADER;
    if (cairn_image_word_(page + AT_MAGIC) != IMAGE_INDEX) {
        start = cairn_image_word_(page + AT_HEAD);
        start = start <= image->page - RECORD_HEADER ? start + RECORD_HEADER : NO_SLOT;
    }
    if (start > end || end > image->page) {
        return CAIRN_ECORRUPT;
    }
    *walk = (struct walk){.at = page + start, .end = page + end};
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
        entry->sum = cairn_image_word_(walk->at);
        walk->at += 4;
        walk->slot = entry->slot + 1;
    }
    return 1;
}

CAIRN_NOINLINE uint32_t cairn_image_encode_(const struct cairn_image *image, uint32_t at, uint32_t *end)
{
    uint64_t from = 0;
    uint32_t behind = 0;
    uint32_t count = 0;
    unsigned char *to = image->buffer + at;
    for (; count < image->count; count++) {
        const struct cairn_image_entry *const entry = &image->entries[count];
        const uint32_t slot = entry_slot(entry);
        unsigned char bytes[ENTRY_MOST];
        unsigned char *last = put_number(bytes, entry->key - from);
        if (slot < SLOTS_FIRST) {
            last = put_number(last, slot);
        } else {
            const uint32_t step = slot - behind;
            last = put_number(last, SLOTS_FIRST + (step << 1 ^ (0u - (step >> 31))));
            cairn_image_set_word_(last, entry->sum);
            last += 4;
        }
        const size_t size = (size_t)(last - bytes);
        if ((size_t)(image->buffer + image->page - to) < size) {
            break;
        }
        memcpy(to, bytes, size);
        to += size;
        from = entry->key + 1;
        behind = slot < SLOTS_FIRST ? behind : slot + 1;
    }
    *end = (uint32_t)(to - image->buffer);
    memset(to, 0, image->page - *end);
    return count;
}

// --------------------------------------------------------------------------------------------------------------------------- pages

int cairn_image_load_(struct cairn_image *image, uint32_t slot)
{
    unsigned char *const page = image->buffer;
    image->loaded = NO_SLOT;
    const int error = image->store->read(image->store->context, image->first + slot, page);
    if (error != 0) {
        return error;
    }
    return cairn_checksum_(0, page + AT_MAGIC, image->page - AT_MAGIC) == cairn_image_word_(page + AT_SUM) ? 0 : CAIRN_ECORRUPT;
}

CAIRN_NOINLINE int cairn_image_load_page_(struct cairn_image *image, uint32_t number)
{
    const struct cairn_image_page *const its = &image->pages[number];
    if (image->loaded == its->slot) {
        return 0;
    }
    const int error = cairn_image_load_(image, its->slot);
    if (error != 0) {
        return error;
    }
    if (cairn_image_word_(image->buffer + AT_SUM) != its->sum) {
        return CAIRN_ECORRUPT;
    }
    image->loaded = its->slot;
    return 0;
}

// Take the entry if its key is new; for want of room the last one goes, and keys like it are not looked for any more.
static void gather_entry(struct gather *gather, const struct cairn_image_entry *entry)
{
    struct cairn_image_entry *const to = gather->entries + cairn_image_place_(gather->entries, gather->count, entry->key);
    struct cairn_image_entry *const end = gather->entries + gather->count;
    if (to != end && to->key == entry->key) {
        return;
    }
    const bool full = gather->count == gather->most;
    memmove(to + 1, to, (size_t)((unsigned char *)(end - full) - (unsigned char *)to));
    *to = *entry;
    gather->count += !full;
    if (gather->count == gather->most) {
        gather->below = gather->entries[gather->most - 1].key;
    }
}

CAIRN_NOINLINE int cairn_image_gather_(struct cairn_image *image, struct gather *gather, uint32_t end)
{
    for (uint32_t number = end; number-- > image->from && gather->first < gather->below;) {
        const struct cairn_image_page *const its = &image->pages[number];
        struct walk walk;
        if (its->high < gather->first || its->low >= gather->below || its->low > its->high) {
            continue;
        }
        int got = cairn_image_load_page_(image, number);
        if (got == 0) {
            got = cairn_image_walk_(image, &walk);
        }
        if (got == 0) {
            do {
                got = cairn_image_walk_next_(image, &walk);
                if (got > 0 && walk.entry.key >= gather->first && walk.entry.key < gather->below) {
                    gather_entry(gather, &walk.entry);
                }
            } while (got > 0 && walk.entry.key < gather->below);
        }
        if (got < 0) {
            return got;
        }
    }
    return 0;
}

CAIRN_NOINLINE int cairn_image_read_ahead_(struct cairn_image *image, uint64_t first, uint32_t end)
{
    struct gather gather = {first, CAIRN_IMAGE_NO_KEY, image->entries, 0, image->batch};
    image->low = CAIRN_IMAGE_NO_KEY;
    image->high = 0;
    image->count = 0;
    const int error = cairn_image_gather_(image, &gather, end);
    if (error != 0) {
        return error;
    }
    image->low = first;
    image->high = gather.count == gather.most ? gather.below : CAIRN_IMAGE_NO_KEY - 1;
    for (uint32_t i = 0; i < gather.count; i++) {
        if (entry_is_there(&image->entries[i])) {
            image->entries[image->count] = image->entries[i];
            image->entries[image->count++].slot |= SETTLED;
        }
    }
    return 0;
}
