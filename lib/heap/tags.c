// SPDX-License-Identifier: MIT
//
// The tags' longer functions, one copy of each.
// OWNS: nothing; tags.h says what they do and how. CALLERS: lib/heap, lock held.
#include "heap/tags.h"

uint32_t cairn_tags_state_(const struct tag_word *tags, uint32_t granule)
{
    return tag_state(tags, granule);
}

void cairn_tags_write_(uint32_t *plane, uint32_t granule, bool bit)
{
    plane_write(plane, granule, bit);
}

uint32_t cairn_tags_length_(const struct tag_word *tags, uint32_t granule)
{
    return block_length(tags, granule);
}

uint32_t cairn_tags_before_(const struct tag_word *tags, uint32_t granule)
{
    return length_before(tags, granule);
}

void cairn_tags_mark_(struct tag_word *tags, uint32_t start, uint32_t end, bool free)
{
    tags_mark(tags, start, end, free);
}
