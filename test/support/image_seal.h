// SPDX-License-Identifier: MIT
//
// Makes changed pages of an image's index look right again, so that what is wrong in them is not found by its sum.
//
// OWNS        nothing. PICTURE: docs/LAYOUT.md; the numbers are repeated here, so that a mistake in the library's is found.
// COST        O(slots * slots). CALLERS: test/unit/test_image_hostile.c, test/fuzz/fuzz_image.c.
#ifndef CAIRN_TEST_IMAGE_SEAL_H
#define CAIRN_TEST_IMAGE_SEAL_H

#include "base/checksum.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint32_t seal_word(const unsigned char *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline void seal_set_word(unsigned char *at, uint32_t word)
{
    for (uint32_t i = 0; i < 4; i++) {
        at[i] = (unsigned char)(word >> 8 * i);
    }
}

// Is it a page of index (1), or a record (2)? 0: neither.
static inline uint32_t seal_kind(const unsigned char *page)
{
    if (page[4] != 'C' || page[5] != 'I' || page[7] != '1') {
        return 0;
    }
    return page[6] == 'X' ? 1 : page[6] == 'C' || page[6] == 'R' ? 2 : 0;
}

// Put the sums of a page of index, or of a record, right: the header sum of this is no part of its sum.
static inline void seal_page(unsigned char *its, uint32_t page)
{
    if (seal_kind(its) == 2) {
        const uint32_t header = cairn_checksum_(0, its + 4, 44);
        seal_set_word(its + 48, header);
        seal_set_word(its, cairn_checksum_(header, its + 52, page - 52));
    } else {
        seal_set_word(its, cairn_checksum_(0, its + 4, page - 4));
    }
}

// Put the sums of each page of index right, and those of other pages that stand in it.
static inline void seal_all(unsigned char *slots, uint32_t page, uint32_t count)
{
    for (uint32_t round = 0; round < 8; round++) { // as long as a chain may be
        for (uint32_t slot = 0; slot < count; slot++) {
            unsigned char *const its = slots + (size_t)slot * page;
            const uint32_t kind = seal_kind(its);
            if (kind == 0) {
                continue;
            }
            const uint32_t link = seal_word(its + 12);
            if (link < count) {
                seal_set_word(its + 16, seal_word(slots + (size_t)link * page));
            }
            for (uint32_t other = 0; other < count && its[6] == 'C'; other++) {
                const unsigned char *const before = slots + (size_t)other * page;
                if (seal_kind(before) == 2 && seal_word(before + 32) == slot && seal_word(before + 8) + 1 == seal_word(its + 8)) {
                    seal_set_word(its + 28, seal_word(before));
                }
            }
            seal_page(its, page);
        }
    }
}

#endif
