// SPDX-License-Identifier: MIT
//
// The slots of an image: which are free.
//
// OWNS: the two bits of each slot. The PICTURE and the INVARIANTS are in image_layout.h.
// PICTURE: held wanted     0 0 free     0 1 written since begin     1 1 of the image, and stays     1 0 of the image, and goes with the commit
//     Bits behind the last slot are held for ever, and so are the roots'.
// COST: take O(slots / 32), near O(1) where slots are free; settle and want_none O(slots); want_committed looks at the whole index. 100 bytes of stack.
// CALLERS: image.c, image_commit.c, image_mount.c.
#include "vm/image_layout.h"

#include <string.h>

CAIRN_NOINLINE uint32_t cairn_image_take_(struct cairn_image *image, bool later)
{
    const uint32_t words = words_of(image);
    uint32_t mask = UINT32_MAX << image->cursor % 32;
    for (uint32_t i = 0; i <= words; i++) { // the first word once more, for what is before the cursor
        const uint32_t word = (image->cursor / 32 + i) % words;
        const uint32_t idle = ~((later ? 0 : image->held[word]) | image->wanted[word]) & mask;
        if (idle != 0) {
            const uint32_t slot = word * 32 + bits_lowest(idle);
            bit_set(image->wanted, slot);
            image->cursor = slot;
            return slot;
        }
        mask = UINT32_MAX;
    }
    return NO_SLOT;
}

static void trim(const struct cairn_image *image, uint32_t slot)
{
    if (image->store->trim != NULL) {
        image->store->trim(image->store->context, image->first + slot);
    }
}

CAIRN_NOINLINE void cairn_image_release_(struct cairn_image *image, uint32_t slot)
{
    if (slot >= SLOTS_FIRST && slot != NO_SLOT) {
        image->wanted[slot / 32] &= ~(1u << slot % 32);
        if (!bit_is_set(image->held, slot)) {
            trim(image, slot);
        }
    }
}

CAIRN_NOINLINE void cairn_image_settle_(const struct cairn_image *image, uint32_t *to, const uint32_t *from)
{
    for (uint32_t slot = 0; slot < image->slots; slot++) {
        if (bit_is_set(to, slot) && !bit_is_set(from, slot)) {
            trim(image, slot);
        }
    }
    memcpy(to, from, words_of(image) * sizeof *to);
}

CAIRN_NOINLINE void cairn_image_want_none_(struct cairn_image *image)
{
    memset(image->wanted, 0, words_of(image) * sizeof *image->wanted);
    image->wanted[0] = 3; // the roots
    if (image->slots % 32 != 0) {
        image->wanted[words_of(image) - 1] |= UINT32_MAX << image->slots % 32;
    }
}

// Returns 0; CAIRN_ECORRUPT iff another wants it.
static int want(struct cairn_image *image, uint32_t slot)
{
    if (slot >= SLOTS_FIRST && slot != NO_SLOT) {
        if (bit_is_set(image->wanted, slot)) {
            return CAIRN_ECORRUPT;
        }
        bit_set(image->wanted, slot);
    }
    return 0;
}

CAIRN_NOINLINE int cairn_image_want_committed_(struct cairn_image *image)
{
    uint32_t keys = 0;
    cairn_image_want_none_(image);
    int error = want(image, image->next);
    for (uint32_t number = 0; number < image->committed && error == 0; number++) {
        error = want(image, image->pages[number].slot);
    }
    for (uint64_t first = 0; error == 0 && first < CAIRN_IMAGE_NO_KEY; first = image->high + 1) {
        error = cairn_image_read_ahead_(image, first, image->committed);
        for (uint32_t i = 0; i < image->count && error == 0; i++) {
            error = want(image, entry_slot(&image->entries[i]));
        }
        keys += image->count;
    }
    return error == 0 && keys != image->keys_committed ? CAIRN_ECORRUPT : error;
}
