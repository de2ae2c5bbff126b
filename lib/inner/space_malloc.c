// SPDX-License-Identifier: MIT
//
// malloc inside a space: which blocks the heap in the break has, which are mapped; and those.
//
// OWNS: MAP_BLOCK, MAP_FIRST: a mapped block is a mapping with both, and those that follow it without a gap and have only the first: parts that were split off.
// PICTURE: | program | break: heap -> |      free      | block | block | stack |        an address in the break is the heap's, any other is looked for among the mappings
// INVARIANTS: two mapped blocks are never one mapping: a first part continues no other.
// COST: O(mappings); of a block that moves, O(pages that were touched). CALLERS: the user.
#include "inner/inner_core.h"

#define THRESHOLD ((uint64_t)128 * 1024)
#define STEP ((uint64_t)64 * 1024)
#define HEAP_MAX ((uint64_t)1 << 30)

// Pages that hold so many bytes; saturates.
static uint32_t pages_of(const struct cairn_vm *vm, uint64_t bytes)
{
    const uint64_t pages = (bytes >> vm->page_shift) + ((bytes & vm->offset_mask) != 0);
    return pages > UINT32_MAX ? UINT32_MAX : (uint32_t)pages;
}

// Does the space have so many bytes?
static bool is_possible(const struct cairn_space *space, uint64_t size)
{
    return size == 0 || size - 1 <= space->vm->limit - (space->vm->offset_mask + 1);
}

// Bytes that are free above the break.
static uint64_t room_above(const struct cairn_space *space)
{
    uint64_t end = space->vm->limit;
    for (const struct cairn_mapping *mapping = space->mappings; mapping != NULL; mapping = mapping->next) {
        const uint64_t first = (uint64_t)mapping->first << space->vm->page_shift;
        if (first >= space->break_end) {
            end = first;
            break;
        }
    }
    return end < space->break_end ? 0 : end - space->break_end;
}

int cairn_space_heap_init(struct cairn_space *space, const struct cairn_space_heap_config *config)
{
    static const struct cairn_space_heap_config defaults;
    config = config == NULL ? &defaults : config;
    if (space == NULL || space->vm == NULL || space->break_start == 0) {
        return CAIRN_EINVAL;
    }
    if (space->heap != 0) {
        return CAIRN_EBUSY;
    }
    const struct cairn_vm *const vm = space->vm;
    const uint64_t room = room_above(space);
    uint64_t max = config->max;
    if (max == 0) {
        const uint64_t capacity = ((uint64_t)vm->frame_count + (vm->store == NULL ? 0 : vm->store->slots)) << vm->page_shift;
        max = room / 2 < capacity ? room / 2 : capacity;
    }
    max = max > room ? room : max;
    max = max > HEAP_MAX ? HEAP_MAX : max;
    const uint64_t step = config->step != 0 ? config->step : STEP < max / 8 ? STEP : max / 8;
    const struct space_heap_head head = {.magic = SPACE_HEAP_MAGIC,
                                         .threshold = pages_of(vm, config->threshold == 0 ? THRESHOLD : config->threshold),
                                         .step = pages_of(vm, step)};
    return cairn_inner_init_(space, &head, (size_t)max);
}

// ---------------------------------------------------------------------------------------------------------------- mapped blocks

static bool is_in_break(const struct cairn_space *space, cairn_vaddr_t address)
{
    return address >= space->heap && address < space->break_end;
}

// The first part of the mapped block at an address; NULL: there is none.
static struct cairn_mapping *block_of(const struct cairn_space *space, cairn_vaddr_t address)
{
    struct cairn_mapping *const mapping = cairn_mapping_of_(space, address >> space->vm->page_shift);
    return mapping == NULL || (mapping->flags & MAP_FIRST) == 0 || mapping->first << space->vm->page_shift != address ? NULL : mapping;
}

// Its last part.
static const struct cairn_mapping *block_last(const struct cairn_mapping *block)
{
    while (block->next != NULL && block->next->first == mapping_end(block) && (block->next->flags & (MAP_BLOCK | MAP_FIRST)) == MAP_BLOCK) {
        block = block->next;
    }
    return block;
}

// The page behind it.
static cairn_vaddr_t block_end(const struct cairn_mapping *block)
{
    return mapping_end(block_last(block));
}

// May it have pages behind its last one? Those below a stack that may grow are the stack's.
static bool is_room_behind(const struct cairn_mapping *block, cairn_vaddr_t pages)
{
    const struct cairn_mapping *const next = block_last(block)->next;
    return next == NULL || next->first - block_end(block) > pages + next->grow || (next->grow == 0 && next->first - block_end(block) == pages);
}

// Map pages for a block, whose first is MAP_FIRST; or (FIXED) for the rest of one.
static int map_pages(struct cairn_space *space, cairn_vaddr_t pages, cairn_vaddr_t alignment, uint32_t flags, uint32_t first, cairn_vaddr_t *address)
{
    const struct cairn_map map = {.address = *address,
                                  .size = pages << space->vm->page_shift,
                                  .alignment = alignment,
                                  .protection = CAIRN_READ | CAIRN_WRITE | (space->user ? CAIRN_USER : 0),
                                  .flags = flags};
    return cairn_mapping_make_(space, &map, MAP_BLOCK | first, address);
}

static int unmap_pages(struct cairn_space *space, cairn_vaddr_t first, cairn_vaddr_t end)
{
    return cairn_space_unmap_range(space, first << space->vm->page_shift, (end - first) << space->vm->page_shift);
}

// Pages for a size that the space has.
static cairn_vaddr_t pages_for(const struct cairn_space *space, uint64_t size)
{
    return (cairn_vaddr_t)((size - 1) >> space->vm->page_shift) + 1;
}

static int map_block(struct cairn_space *space, uint64_t size, uint64_t alignment, cairn_vaddr_t *address)
{
    const cairn_vaddr_t page = space->vm->offset_mask + 1;
    cairn_vaddr_t at = 0;
    if (alignment > space->vm->limit) {
        return CAIRN_ENOMEM;
    }
    const int error = map_pages(space, pages_for(space, size), alignment > page ? (cairn_vaddr_t)alignment : 0, 0, MAP_FIRST, &at);
    *address = error == 0 ? at : *address;
    return error;
}

// Copy the pages of a range that were touched to one that was not. Returns 0 or an error.
static int copy_touched(struct cairn_space *space, cairn_vaddr_t to, cairn_vaddr_t first, cairn_vaddr_t end)
{
    const uint32_t shift = space->vm->page_shift;
    int error = 0;
    for (cairn_vaddr_t page = cairn_table_next_(space, first, end); error == 0 && page < end; page = cairn_table_next_(space, page + 1, end)) {
        error = cairn_space_copy(space, to + ((page - first) << shift), space, page << shift, (size_t)1 << shift);
    }
    return error;
}

// Change a mapped block's size.
static int change_block(struct cairn_space *space, struct cairn_mapping *block, cairn_vaddr_t *address, uint64_t size)
{
    const uint32_t shift = space->vm->page_shift;
    const cairn_vaddr_t first = block->first;
    const cairn_vaddr_t end = block_end(block);
    const cairn_vaddr_t pages = pages_for(space, size);
    cairn_vaddr_t at = end << shift; // behind the last page of all it is no address
    if (pages <= end - first) {
        return pages == end - first ? 0 : unmap_pages(space, first + pages, end);
    }
    if (is_room_behind(block, pages - (end - first)) && map_pages(space, pages - (end - first), 0, CAIRN_MAP_FIXED, 0, &at) == 0) {
        return 0;
    }
    int error = map_block(space, size, 0, &at);
    if (error != 0) {
        return error;
    }
    error = copy_touched(space, at, first, end);
    error = error == 0 ? unmap_pages(space, first, end) : error;
    if (error != 0) {
        (void)!unmap_pages(space, at >> shift, (at >> shift) + pages); // nobody has pinned it
        return error;
    }
    *address = at;
    return 0;
}

// --------------------------------------------------------------------------------------------------------------------- the calls

static int allocate(struct cairn_space *space, uint64_t alignment, uint64_t size, bool zeros, cairn_vaddr_t *address)
{
    struct space_heap_head head;
    if (space == NULL || space->vm == NULL || address == NULL || space->break_start == 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) {
        return CAIRN_EINVAL;
    }
    if (size == 0) {
        *address = 0;
        return 0;
    }
    if (!is_possible(space, size)) {
        return CAIRN_ENOMEM;
    }
    int error = space->heap == 0 ? cairn_space_heap_init(space, NULL) : 0;
    error = error == 0 ? cairn_inner_head_(space, &head) : error;
    if (error != 0) {
        return error;
    }
    error = CAIRN_ENOMEM;
    if (size >> space->vm->page_shift < head.threshold && size < HEAP_MAX && alignment <= page_size(space->vm)) {
        error = cairn_inner_alloc_(space, (size_t)size, (size_t)alignment, zeros, address);
    }
    return error == CAIRN_ENOMEM ? map_block(space, size, alignment, address) : error;
}

int cairn_space_malloc(struct cairn_space *space, uint64_t size, cairn_vaddr_t *address)
{
    return allocate(space, 1, size, false, address);
}

int cairn_space_calloc(struct cairn_space *space, uint64_t count, uint64_t size, cairn_vaddr_t *address)
{
    if (size != 0 && count > UINT64_MAX / size) {
        return space == NULL || address == NULL ? CAIRN_EINVAL : CAIRN_ENOMEM;
    }
    return allocate(space, 1, count * size, true, address);
}

int cairn_space_memalign(struct cairn_space *space, uint64_t alignment, uint64_t size, cairn_vaddr_t *address)
{
    return allocate(space, alignment, size, false, address);
}

int cairn_space_free(struct cairn_space *space, cairn_vaddr_t address)
{
    if (space == NULL || space->vm == NULL) {
        return CAIRN_EINVAL;
    }
    if (address == 0) {
        return 0;
    }
    if (space->heap != 0 && is_in_break(space, address)) {
        return cairn_inner_free_(space, address);
    }
    const struct cairn_mapping *const block = block_of(space, address);
    return block == NULL ? CAIRN_EINVAL : unmap_pages(space, block->first, block_end(block));
}

// A block of the heap goes to a mapping of its own.
static int change_to_mapped(struct cairn_space *space, cairn_vaddr_t *address, uint64_t size)
{
    size_t its;
    cairn_vaddr_t at;
    int error = cairn_inner_size_(space, *address, &its);
    error = error == 0 ? map_block(space, size, 1, &at) : error;
    if (error != 0) {
        return error;
    }
    error = cairn_space_copy(space, at, space, *address, size < its ? (size_t)size : its);
    error = error == 0 ? cairn_inner_free_(space, *address) : error;
    if (error != 0) {
        (void)!unmap_pages(space, at >> space->vm->page_shift, (at >> space->vm->page_shift) + pages_for(space, size));
        return error;
    }
    *address = at;
    return 0;
}

int cairn_space_realloc(struct cairn_space *space, cairn_vaddr_t *address, uint64_t size)
{
    struct space_heap_head head;
    if (space == NULL || space->vm == NULL || address == NULL) {
        return CAIRN_EINVAL;
    }
    if (*address == 0) {
        return cairn_space_malloc(space, size, address);
    }
    if (size == 0) {
        const int error = cairn_space_free(space, *address);
        *address = error == 0 ? 0 : *address;
        return error;
    }
    if (space->heap == 0 || !is_in_break(space, *address)) {
        struct cairn_mapping *const block = block_of(space, *address);
        return block == NULL ? CAIRN_EINVAL : !is_possible(space, size) ? CAIRN_ENOMEM : change_block(space, block, address, size);
    }
    int error = cairn_inner_head_(space, &head);
    if (error != 0) {
        return error;
    }
    error = CAIRN_ENOMEM;
    if (is_possible(space, size) && size >> space->vm->page_shift < head.threshold && size < HEAP_MAX) {
        error = cairn_inner_realloc_(space, address, (size_t)size);
    }
    if (error != CAIRN_ENOMEM) {
        return error;
    }
    size_t its;
    error = cairn_inner_size_(space, *address, &its);
    return error != 0 ? error : !is_possible(space, size) ? CAIRN_ENOMEM : change_to_mapped(space, address, size);
}

int cairn_space_usable_size(struct cairn_space *space, cairn_vaddr_t address, uint64_t *size)
{
    if (space == NULL || space->vm == NULL || size == NULL) {
        return CAIRN_EINVAL;
    }
    if (space->heap != 0 && is_in_break(space, address)) {
        size_t its;
        const int error = cairn_inner_size_(space, address, &its);
        *size = error == 0 ? its : *size;
        return error;
    }
    const struct cairn_mapping *const block = block_of(space, address);
    if (block == NULL) {
        return CAIRN_EINVAL;
    }
    *size = (uint64_t)(block_end(block) - block->first) << space->vm->page_shift;
    return 0;
}

int cairn_space_malloc_trim(struct cairn_space *space, uint64_t pad)
{
    if (space == NULL || space->vm == NULL) {
        return CAIRN_EINVAL;
    }
    return space->heap == 0 ? 0 : cairn_inner_trim_(space, pad > HEAP_MAX ? (size_t)HEAP_MAX : (size_t)pad);
}

int cairn_space_heap_stats(struct cairn_space *space, struct cairn_space_heap_stats *stats)
{
    if (space == NULL || space->vm == NULL || stats == NULL) {
        return CAIRN_EINVAL;
    }
    struct cairn_space_heap_stats found = {0};
    const int error = space->heap == 0 ? 0 : cairn_inner_stats_(space, &found);
    if (error != 0) {
        return error;
    }
    for (const struct cairn_mapping *mapping = space->mappings; mapping != NULL; mapping = mapping->next) {
        if ((mapping->flags & MAP_BLOCK) != 0) {
            found.mapped += (uint64_t)mapping->pages << space->vm->page_shift;
            found.mapped_blocks += (mapping->flags & MAP_FIRST) != 0;
        }
    }
    *stats = found;
    return 0;
}
