// SPDX-License-Identifier: MIT
//
// The heap's core over a space's memory: its operations, each a transaction.
//
// OWNS: the head and the image in the break. The moves are those of lib/heap, over the floor of space_floor.h.
// PICTURE: open -> moves -> commit -> what may still fail (zeros, a copy, the break) -> close, or undo and close
// INVARIANTS: best fit, a search of 4, no hooks, no wiping. T1 to T9 of docs/LAYOUT.md, if the space's program has left them alone.
// COST: O(1) words of the image; trim O(blocks). CALLERS: space_malloc.c.
#include "inner/space_floor.h"

#include "heap/change.h"
#include "heap/fence.h"
#include "inner/inner_core.h"
#include "inner/operation.h"

CAIRN_NOINLINE int cairn_inner_head_(struct cairn_space *space, struct space_heap_head *head)
{
    const int error = cairn_space_read(space, head, space->heap, sizeof *head);
    return error != 0 ? error : head->magic == SPACE_HEAP_MAGIC ? 0 : CAIRN_ECORRUPT;
}

// The block of n granules, which was taken, is counted, and will be written to before the operation ends.
static void give(struct operation *op, uint32_t from, uint32_t n)
{
    struct space_floor *const floor = &op->floor;
    const uint32_t at = floor->base + (from << GRANULE_SHIFT);
    heap_count_taken(op->heap.control, n);
    for (uint32_t i = 0; i < floor->count; i++) {
        floor->cells[i].at |= floor->cells[i].at >= at && floor->cells[i].at - at < bytes_of(n) ? CELL_GIVEN : 0;
    }
}

// The block at an address. Returns 0, and where it begins; or an error.
static int block_at(struct operation *op, cairn_vaddr_t address, uint32_t *from)
{
    const cairn_vaddr_t offset = address - address_of(&op->floor, 0);
    const bool is_border = (offset & (CAIRN_GRANULE - 1)) == 0 && offset >> GRANULE_SHIFT < op->heap.control->granules;
    *from = is_border ? used_block(&op->heap, (size_t)(offset >> GRANULE_SHIFT)) : NO_BORDER;
    return op->floor.error != 0 ? op->floor.error : *from == NO_BORDER ? CAIRN_EINVAL : 0;
}

// -------------------------------------------------------------------------------------------------------------------- the break

// Zeros, where there may be anything else: pages of the space's own that nobody touched are zeros. Returns 0 or an error.
static int clear_range(struct cairn_space *space, cairn_vaddr_t address, size_t size)
{
    const struct cairn_vm *const vm = space->vm;
    size_t run;
    for (; size != 0; size -= run, address += (cairn_vaddr_t)run) {
        const cairn_vaddr_t page = address >> page_shift(vm);
        const struct cairn_mapping *const mapping = cairn_mapping_of_(space, page);
        const size_t left = page_size(vm) - (size_t)(address & vm->offset_mask);
        run = left < size ? left : size;
        if (mapping == NULL || mapping->object != NULL || cairn_table_next_(space, page, page + 1) == page) {
            const int error = cairn_space_fill(space, address, 0, run);
            if (error != 0) {
                return error;
            }
        }
    }
    return 0;
}

// Move the break, so that the heap's end can be `to`. The tags for what is new have no border: where one was it was taken away (T1), and what nobody touched is zeros.
// Returns 0 or an error.
static int break_to(struct operation *op, uint32_t to)
{
    struct space_floor *const floor = &op->floor;
    struct cairn_space *const space = floor->space;
    const cairn_vaddr_t end = address_of(floor, to);
    if (end < floor->image || end - 1 > space->vm->limit) {
        return CAIRN_ENOMEM;
    }
    const int error = cairn_space_brk(space, end);
    floor->end = error == 0 ? (uint32_t)(end - floor->image) : floor->end;
    return error;
}

// Have a free block of n granules at the heap's end; what others have done with the break is no part of it. Returns 0 or an error.
static CAIRN_NOINLINE int grow(struct operation *op, size_t n)
{
    struct space_floor *const floor = &op->floor;
    const struct heap_control *const control = op->heap.control;
    const uint32_t end = control->granules;
    const size_t skipped = (size_t)((floor->end - floor->base) >> GRANULE_SHIFT) - end + ((floor->end & (CAIRN_GRANULE - 1)) != 0);
    const size_t top = skipped == 0 && ends_free(op->heap.tags, end) ? cairn_tags_before_(op->heap.tags, end) : 0;
    const size_t need = n > top ? n - top : 1; // what was free joins what is new, and is the first of its list, where a search sees it
    struct space_heap_head head;
    int error = cairn_inner_head_(floor->space, &head);
    if (error != 0 || floor->error != 0) {
        return error != 0 ? error : floor->error;
    }
    const size_t from = end + skipped;
    if (from >= control->limit || need > control->limit - from) {
        return CAIRN_ENOMEM;
    }
    if (top > 1) {
        (void)hint_at(op->heap.base, end); // what is made of the top may be written over it
    }
    const uint32_t page = page_size(floor->space->vm);
    const size_t step = ((size_t)head.step << page_shift(floor->space->vm)) >> GRANULE_SHIFT;
    size_t more = step > need ? step : need;
    more = more > control->limit - from ? control->limit - from : more;
    more += (size_t)((0u - address_of(floor, (uint32_t)(from + more))) & (page - 1)) >> GRANULE_SHIFT; // to the page's end
    more = more > control->limit - from ? control->limit - from : more;
    error = break_to(op, (uint32_t)(from + more));
    if (error == CAIRN_ENOMEM && more != need) {
        more = need;
        error = break_to(op, (uint32_t)(from + more));
    }
    if (error == 0) {
        fence_raise(&op->heap, op->heap.control, end, (uint32_t)from, (uint32_t)(from + more));
    }
    return error;
}

// ------------------------------------------------------------------------------------------------------------------- operations

int cairn_inner_init_(struct cairn_space *space, const struct space_heap_head *head, size_t max)
{
    struct operation op;
    struct space_floor *const floor = &op.floor;
    const cairn_vaddr_t at = (space->break_end + 15) & ~(cairn_vaddr_t)15;
    const uint32_t page = page_size(space->vm);
    const size_t lost = (size_t)(at - space->break_end) + sizeof *head;
    size_t front;
    max = max > IMAGE_MAX ? IMAGE_MAX : max;
    const size_t limit = max <= lost ? 0 : granules_in(max - lost, false, &front);
    if (limit == 0) {
        return CAIRN_ENOMEM;
    }
    operation_start(&op, space, at, (uint32_t)limit);
    cairn_bulk_zero_(floor->control, sizeof floor->control);
    cairn_bulk_zero_(floor->control_was, sizeof floor->control_was);
    struct heap_control *const control = op.heap.control;
    const size_t last = (size_t)((0u - address_of(floor, 0)) & (page - 1)) >> GRANULE_SHIFT; // a block ends with the page where the front does
    control->granules = (uint32_t)(last == 0 ? page >> GRANULE_SHIFT : last);
    control->granules = control->granules > limit ? (uint32_t)limit : control->granules;
    control->magic = HEAP_MAGIC;
    control->limit = (uint32_t)limit;
    control->flags = HEAP_FLAGS;
    control_set_fit(control, CAIRN_FIT_BEST, CAIRN_SEARCH_DEFAULT);
    control->blocks = 1;
    const cairn_vaddr_t end = address_of(floor, control->granules);
    if (end < at || end - 1 > space->vm->limit) {
        return CAIRN_ENOMEM;
    }
    int error = cairn_space_brk(space, end);
    if (error != 0) {
        return error;
    }
    floor->end = (uint32_t)(end - floor->image);
    error = cairn_space_write(space, at, head, sizeof *head);
    TAG_AT(op.heap.tags, 0).border = tag_bit(0);
    cairn_tags_mark_(op.heap.tags, control->granules, fence_of(control), TAG_USED);
    cairn_heap_insert_(&op.heap, 0, control->granules);
    error = operation_close(&op, error != 0 ? error : operation_commit(&op));
    if (error == 0) {
        space->heap = at;
    }
    return error;
}

// Take n granules at a multiple of the alignment; the heap grows where it must. Returns 0, and where they begin; or an error. pre: nothing else was done.
static int take_or_grow(struct operation *op, size_t n, size_t alignment, uint32_t *from)
{
    *from = take_aligned(&op->heap, n, alignment);
    if (*from == NO_BORDER && op->floor.error == 0) {
        operation_again(op);
        const int error = grow(op, n + ((alignment - 1) >> GRANULE_SHIFT));
        if (error != 0) {
            return error;
        }
        *from = take_aligned(&op->heap, n, alignment);
    }
    return op->floor.error != 0 ? op->floor.error : *from == NO_BORDER ? CAIRN_ENOMEM : 0;
}

static int allocate_in(struct operation *op, struct cairn_space *space, size_t size, size_t alignment, bool zeros, cairn_vaddr_t *address)
{
    uint32_t from;
    int error = operation_open(op, space);
    if (error != 0) {
        return error;
    }
    error = take_or_grow(op, granules_for(size), alignment, &from);
    if (error == 0) {
        give(op, from, (uint32_t)granules_for(size));
        error = operation_commit(op);
    }
    const cairn_vaddr_t at = address_of(&op->floor, from);
    if (error == 0 && zeros) {
        error = clear_range(space, at, size);
    }
    if (error == 0) {
        *address = at;
    }
    return operation_close(op, error);
}

int cairn_inner_alloc_(struct cairn_space *space, size_t size, size_t alignment, bool zeros, cairn_vaddr_t *address)
{
    struct operation op;
    return allocate_in(&op, space, size, alignment, zeros, address);
}

// Release the counted block.
static void drop(struct operation *op, uint32_t from)
{
    const uint32_t length = cairn_tags_after_(op->heap.tags, from);
    heap_count_released(op->heap.control, length);
    cairn_heap_release_(&op->heap, from, from + length);
}

static int free_in(struct operation *op, struct cairn_space *space, cairn_vaddr_t address)
{
    uint32_t from;
    int error = operation_open(op, space);
    error = error == 0 ? block_at(op, address, &from) : error;
    if (error != 0) {
        return error;
    }
    drop(op, from);
    return operation_finish(op);
}

int cairn_inner_free_(struct cairn_space *space, cairn_vaddr_t address)
{
    struct operation op;
    return free_in(&op, space, address);
}

int cairn_inner_size_(struct cairn_space *space, cairn_vaddr_t address, size_t *size)
{
    struct operation op;
    uint32_t from;
    int error = operation_open(&op, space);
    error = error == 0 ? block_at(&op, address, &from) : error;
    if (error == 0) {
        *size = bytes_of(cairn_tags_after_(op.heap.tags, from));
    }
    return error;
}

// The block at `from` goes to `to`, which was taken. Returns 0 or an error; it is still to be closed.
static int move(struct operation *op, uint32_t from, uint32_t to, uint32_t n)
{
    struct space_floor *const floor = &op->floor;
    const uint32_t length = cairn_tags_after_(op->heap.tags, from);
    give(op, to, n);
    int error = operation_commit(op);
    if (error != 0) {
        return error;
    }
    error = cairn_space_copy(floor->space, address_of(floor, to), floor->space, address_of(floor, from), bytes_of(length < n ? length : n));
    if (error != 0) {
        return error;
    }
    drop(op, from);
    return operation_commit(op);
}

static int change_in(struct operation *op, struct cairn_space *space, cairn_vaddr_t *address, size_t size)
{
    uint32_t from, to;
    int error = operation_open(op, space);
    error = error == 0 ? block_at(op, *address, &from) : error;
    if (error != 0) {
        return error;
    }
    const size_t n = granules_for(size);
    if (resize(&op->heap, from, (uint32_t)n)) {
        return operation_finish(op);
    }
    to = cairn_heap_take_(&op->heap, n);
    if (to == NO_BORDER && op->floor.error == 0) {
        operation_again(op);
        const uint32_t length = cairn_tags_after_(op->heap.tags, from);
        const bool is_last = from + length == op->heap.control->granules || // its end is where the heap grows
                             (ends_free(op->heap.tags, op->heap.control->granules) &&
                              from + length + cairn_tags_before_(op->heap.tags, op->heap.control->granules) == op->heap.control->granules);
        error = grow(op, is_last ? n - length : n);
        if (error == 0 && resize(&op->heap, from, (uint32_t)n)) {
            return operation_finish(op);
        }
        to = error == 0 ? cairn_heap_take_(&op->heap, n) : NO_BORDER;
    }
    error = error != 0 ? error : op->floor.error != 0 ? op->floor.error : to == NO_BORDER ? CAIRN_ENOMEM : move(op, from, to, (uint32_t)n);
    error = operation_close(op, error);
    if (error == 0) {
        *address = address_of(&op->floor, to);
    }
    return error;
}

int cairn_inner_realloc_(struct cairn_space *space, cairn_vaddr_t *address, size_t size)
{
    struct operation op;
    return change_in(&op, space, address, size);
}

// --------------------------------------------------------------------------------------------------------------------- trim

// Give back the break's end, but for `pad` bytes. Returns 0 or an error: then nothing of that.
static int trim_top(struct operation *op, struct cairn_space *space, size_t pad)
{
    int error = operation_open(op, space);
    if (error != 0) {
        return error;
    }
    const uint32_t end = op->heap.control->granules;
    const uint32_t length = cairn_tags_before_(op->heap.tags, end);
    const size_t kept = (pad >> GRANULE_SHIFT) + (end == length); // a granule at least
    if (op->floor.error != 0 || !ends_free(op->heap.tags, end) || kept >= length || address_of(&op->floor, end) != space->break_end) {
        return op->floor.error;
    }
    const uint32_t to = end - length + (uint32_t)kept;
    error = fence_lower(&op->heap, to);
    error = op->floor.error != 0 ? op->floor.error : error;
    error = error == 0 ? operation_commit(op) : error;
    error = error == 0 ? cairn_space_brk(space, address_of(&op->floor, to)) : error;
    return operation_close(op, error);
}

// Forget the pages that are wholly within a free block, but for its words.
static int trim_block(struct operation *op, uint32_t from, uint32_t to)
{
    struct cairn_space *const space = op->floor.space;
    const cairn_vaddr_t mask = space->vm->offset_mask;
    const cairn_vaddr_t first = (address_of(&op->floor, from) + mask) & ~mask;
    const cairn_vaddr_t end = address_of(&op->floor, to - 2) & ~mask;
    const int error = to - from < 3 || end <= first ? 0 : cairn_space_advise(space, first, end - first, CAIRN_ADVISE_FREE);
    return error == CAIRN_EBUSY ? 0 : error; // pinned pages stay
}

int cairn_inner_trim_(struct cairn_space *space, size_t pad)
{
    struct operation op;
    int error = trim_top(&op, space, pad);
    error = error == 0 ? operation_open(&op, space) : error;
    if (error != 0) {
        return error;
    }
    for (uint32_t from = 0; error == 0 && from < op.heap.control->granules;) {
        floor_forget(&op.floor); // nothing changes
        const uint32_t to = from + cairn_tags_after_(op.heap.tags, from);
        const bool is_free = is_free_end(op.heap.tags, to);
        error = op.floor.error;
        if (error == 0 && is_free) {
            error = trim_block(&op, from, to);
        }
        from = to;
    }
    return error;
}

int cairn_inner_stats_(struct cairn_space *space, struct cairn_space_heap_stats *stats)
{
    struct operation op;
    const int error = operation_open(&op, space);
    if (error == 0) {
        const struct heap_control *const control = op.heap.control;
        stats->size = bytes_of(control->granules);
        stats->used = bytes_of(control->used);
        stats->free = stats->size - stats->used;
        stats->peak = bytes_of(control->peak);
        stats->free_blocks = control->free_blocks;
        stats->used_blocks = control->blocks - control->free_blocks;
    }
    return error;
}
