// SPDX-License-Identifier: MIT
//
// Segments: base, limit, protection, in front of the pages.
// OWNS: nothing; the table is the caller's. COST: O(1). CALLERS: the user.
#include "vm/frame.h"

void cairn_space_set_segments(struct cairn_space *space, const struct cairn_segment *segments, uint32_t count)
{
    space->segments = count == 0 ? NULL : segments;
    space->segment_count = segments == NULL ? 0 : count;
}

// Are the bytes inside the segment?
static bool is_inside(const struct cairn_segment *segment, cairn_vaddr_t offset, size_t size)
{
    const cairn_vaddr_t last = offset + (cairn_vaddr_t)size - 1;
    if (size == 0 || last < offset || (cairn_vaddr_t)size != size) {
        return false; // nothing, or beyond the end of all addresses
    }
    return segment->grows_down ? offset >= segment->limit : last < segment->limit;
}

static int translate(const struct cairn_space *space, uint32_t number, cairn_vaddr_t offset, size_t size, uint32_t access, cairn_vaddr_t *address)
{
    if (number >= space->segment_count || !is_inside(&space->segments[number], offset, size)) {
        return CAIRN_EFAULT;
    }
    const struct cairn_segment *const segment = &space->segments[number];
    if ((~segment->protection & access) != 0) {
        return CAIRN_EACCES;
    }
    *address = segment->base + offset;
    return 0;
}

int cairn_segment_translate(struct cairn_space *space, uint32_t segment, cairn_vaddr_t offset, size_t size, uint32_t access, cairn_vaddr_t *address)
{
    if (space == NULL || address == NULL) {
        return CAIRN_EINVAL;
    }
    access |= space->user ? CAIRN_USER : 0;
    int error = translate(space, segment, offset, size, access, address);
    if (error != 0) {
        error = cairn_fault_tell_(space, offset, access, error);
        if (error == 0) {
            error = translate(space, segment, offset, size, access, address);
        }
    }
    return error;
}
