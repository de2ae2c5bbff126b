// SPDX-License-Identifier: MIT
//
// The tags' longer functions, one copy of each.
// OWNS: nothing; tags.h says what they do and how. COST: a call more than there. CALLERS: lib/heap, lock held.
#include "heap/tags.h"

CAIRN_NOINLINE uint32_t cairn_tags_after_(const struct tag_word *tags, uint32_t border)
{
    return length_after(tags, border);
}

CAIRN_NOINLINE uint32_t cairn_tags_before_(const struct tag_word *tags, uint32_t border)
{
    return length_before(tags, border);
}

CAIRN_NOINLINE void cairn_tags_mark_(struct tag_word *tags, uint32_t from, uint32_t to, uint32_t state)
{
    tag_mark(tags, from, to, state);
}

CAIRN_NOINLINE void cairn_tags_clear_(struct tag_word *tags, uint32_t border)
{
    tag_clear(tags, border);
}
