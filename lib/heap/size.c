// SPDX-License-Identifier: MIT
//
// How much of a region is not granules.
// OWNS: nothing. COST: that of granules_in, in layout.h. CALLERS: the user, before a heap is made.
#include "heap/layout.h"

size_t cairn_heap_control_size(size_t max_size)
{
    size_t front;
    const size_t granules = granules_in(max_size, false, &front);
    return granules > GRANULES_MAX ? 0 : control_bytes((uint32_t)granules);
}

size_t cairn_heap_tags_size(size_t max_size)
{
    size_t front;
    const size_t granules = granules_in(max_size, true, &front);
    return granules > GRANULES_MAX ? 0 : tags_bytes((uint32_t)granules);
}
