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
#include "heap/fit.h"
#include "heap/layout.h"
#include "inner/inner_core.h"

#define IMAGE_MAX ((size_t)1 << 30) // bytes of the largest: fewer granules than have numbers
#define HEAP_FLAGS (CAIRN_GRANULE == 16 ? FLAG_GRANULE_16 : 0u)

_Static_assert(FLOOR_CONTROL == sizeof(struct heap_control) / 4 + 32, "there are at most 32 lists");

// An operation: the core's handle, and its floor.
struct operation {
    struct cairn_heap heap;
    cairn_vaddr_t old_break;
    struct space_floor floor;
};

// ------------------------------------------------------------------------------------------------ what the heap's headers call

// A length that no block has is in list 0, where nothing ever is.
static CAIRN_NOINLINE uint32_t cairn_bin_of_(uint32_t length)
{
    return length < BIN_EXACT ? length : length > GRANULES_MAX + 1 ? 0 : BIN_EXACT - 3 + bits_highest(length);
}

static CAIRN_NOINLINE uint32_t cairn_tags_state_(const struct tag_word *tags, uint32_t border)
{
    return tag_state(tags, border);
}

static CAIRN_NOINLINE uint32_t cairn_tags_after_(const struct tag_word *tags, uint32_t border)
{
    struct space_floor *const floor = floor_of(tags);
    const uint32_t fence = fence_of(floor_control(floor));
    const uint32_t length = length_after(tags, border);
    return border < fence && length - 1 < fence - border ? length : floor_broken(floor);
}

static CAIRN_NOINLINE uint32_t cairn_tags_before_(const struct tag_word *tags, uint32_t border)
{
    const uint32_t length = length_before(tags, border);
    return length - 1 < border ? length : floor_broken(floor_of(tags));
}

static CAIRN_NOINLINE void cairn_tags_mark_(struct tag_word *tags, uint32_t from, uint32_t to, uint32_t state)
{
    tag_mark(tags, from, to, state);
}

static CAIRN_NOINLINE void cairn_tags_clear_(struct tag_word *tags, uint32_t border)
{
    tag_clear(tags, border);
}

static CAIRN_COLD void cairn_heap_report_(const struct cairn_heap *heap, enum cairn_wrong what, const void *address)
{
    (void)what;
    (void)address;
    (void)floor_broken(floor_of(heap->base));
}

static uint32_t cairn_heap_unlink_(struct cairn_heap *heap, uint32_t to)
{
    return take_out(heap, to);
}

static void cairn_heap_insert_(struct cairn_heap *heap, uint32_t from, uint32_t to)
{
    put_in(heap, from, to);
}

static CAIRN_NOINLINE uint32_t cairn_heap_take_(struct cairn_heap *heap, size_t length)
{
    const uint32_t to = length > heap->control->granules ? 0 : fit_find(heap, (uint32_t)length);
    return to == 0 || to == NO_BORDER ? NO_BORDER : cairn_heap_cut_(heap, to, (uint32_t)length);
}

static CAIRN_NOINLINE uint32_t cairn_heap_cut_(struct cairn_heap *heap, uint32_t to, uint32_t n)
{
    return cut(heap, to, n);
}

static CAIRN_NOINLINE void cairn_heap_release_(struct cairn_heap *heap, uint32_t from, uint32_t to)
{
    release(heap, from, to);
}

// ------------------------------------------------------------------------------------------------------------- the transaction

static cairn_vaddr_t address_of(const struct space_floor *floor, uint32_t border)
{
    return floor->image + floor->base + ((cairn_vaddr_t)border << GRANULE_SHIFT);
}

// Forget what was read. pre: nothing was committed.
static void operation_again(struct operation *op)
{
    floor_forget(&op->floor);
    cairn_bulk_copy_(op->floor.control, op->floor.control_was, sizeof op->floor.control);
}

static void operation_start(struct operation *op, struct cairn_space *space, cairn_vaddr_t heap, uint32_t limit)
{
    struct space_floor *const floor = &op->floor;
    floor->space = space;
    floor->image = heap + sizeof(struct space_heap_head);
    floor->tags = (uint32_t)control_bytes(limit);
    floor->base = (uint32_t)front_bytes(limit, false);
    floor->error = 0;
    floor_forget(floor);
    floor->control_pinned = false;
    op->old_break = space->break_end;
    op->heap = (struct cairn_heap){.control = (struct heap_control *)(void *)floor->control, .tags = (struct tag_word *)(void *)floor, .base = (unsigned char *)floor};
}

CAIRN_NOINLINE int cairn_inner_head_(struct cairn_space *space, struct space_heap_head *head)
{
    const int error = cairn_space_read(space, head, space->heap, sizeof *head);
    return error != 0 ? error : head->magic == SPACE_HEAP_MAGIC ? 0 : CAIRN_ECORRUPT;
}

// Begin: read the control, and judge it. Returns 0 or an error.
static CAIRN_NOINLINE int operation_open(struct operation *op, struct cairn_space *space)
{
    struct space_floor *const floor = &op->floor;
    const cairn_vaddr_t image = space->heap + sizeof(struct space_heap_head);
    const size_t front = sizeof(struct heap_control);
    const struct heap_control *const control = floor_control(floor);
    cairn_bulk_zero_(floor->control, sizeof floor->control);
    int error = cairn_space_read(space, floor->control, image, front);
    if (error != 0) {
        return error;
    }
    if (control->magic != HEAP_MAGIC || control->limit > GRANULES_MAX || control->granules - 1 >= control->limit || control->fit != CAIRN_FIT_BEST ||
        control->search != CAIRN_SEARCH_DEFAULT || control->flags != HEAP_FLAGS || space->break_end < image) {
        return CAIRN_ECORRUPT;
    }
    const cairn_vaddr_t size = space->break_end - image;
    operation_start(op, space, space->heap, control->limit);
    floor->end = size > 2 * IMAGE_MAX ? (uint32_t)(2 * IMAGE_MAX) : (uint32_t)size;
    if (floor->end < floor->base || (floor->end - floor->base) >> GRANULE_SHIFT < control->granules) {
        return CAIRN_ECORRUPT;
    }
    error = cairn_space_read(space, &floor->control[front / 4], image + front, floor->tags - front);
    cairn_bulk_copy_(floor->control_was, floor->control, sizeof floor->control);
    return error;
}

// Pin the pages of a range of the image, for writing. Returns 0; or an error: then none is.
static int pin_range(const struct space_floor *floor, uint32_t at, uint32_t size)
{
    struct cairn_space *const space = floor->space;
    const cairn_vaddr_t from = floor->image + at;
    for (cairn_vaddr_t page = from; page < from + size; page = (page | space->vm->offset_mask) + 1) {
        void *memory;
        size_t run;
        const int error = cairn_space_pin(space, page, CAIRN_WRITE, &memory, &run);
        if (error != 0) {
            for (cairn_vaddr_t other = from; other < page; other = (other | space->vm->offset_mask) + 1) {
                (void)!cairn_space_unpin(space, other);
            }
            return error;
        }
    }
    return 0;
}

static void unpin_range(const struct space_floor *floor, uint32_t at, uint32_t size)
{
    const cairn_vaddr_t from = floor->image + at;
    for (cairn_vaddr_t page = from; page < from + size; page = (page | floor->space->vm->offset_mask) + 1) {
        (void)!cairn_space_unpin(floor->space, page);
    }
}

// Pin the page of a cell, unless it is pinned for another one. Returns 0 or an error.
static CAIRN_NOINLINE int pin_cell(const struct space_floor *floor, struct floor_cell *cell)
{
    struct cairn_space *const space = floor->space;
    const cairn_vaddr_t mask = space->vm->offset_mask;
    const uint32_t at = cell->at & ~CELL_GIVEN;
    const cairn_vaddr_t address = floor->image + at;
    void *memory;
    size_t run;
    if ((address & mask) + sizeof cell->now > mask + 1) {
        const int error = pin_range(floor, at, sizeof cell->now);
        cell->at |= error == 0 ? CELL_PINNED : 0;
        return error;
    }
    for (const struct floor_cell *other = floor->cells; other != cell; other++) {
        const cairn_vaddr_t its = floor->image + (other->at & ~(CELL_PINNED | CELL_GIVEN));
        if (other->memory != NULL && ((its ^ address) & ~mask) == 0) {
            cell->memory = other->memory + (size_t)(address & mask) - (size_t)(its & mask);
            return 0;
        }
    }
    const int error = cairn_space_pin(space, address, CAIRN_WRITE, &memory, &run);
    if (error == 0) {
        cell->at |= CELL_PINNED;
        cell->memory = memory;
    }
    return error;
}

// Is its page pinned, for it or for another?
static bool cell_is_held(const struct floor_cell *cell)
{
    return cell->memory != NULL || (cell->at & CELL_PINNED) != 0;
}

// Write to the image. pre: its pages are pinned, so that it cannot fail.
static void put(const struct space_floor *floor, uint32_t at, const void *bytes, uint32_t size)
{
    (void)!cairn_space_write(floor->space, floor->image + at, bytes, size);
}

static void put_cell(const struct space_floor *floor, const struct floor_cell *cell, const union floor_words *words)
{
    if (cell->memory != NULL) {
        floor_copy((free_word *)(void *)cell->memory, words->words);
    } else {
        put(floor, cell->at & ~(CELL_PINNED | CELL_GIVEN), words, sizeof *words);
    }
}

// Is it to be written? What a first commit wrote may since have become what it was.
static bool cell_changed(const struct floor_cell *cell)
{
    const free_word changed = (cell->now.words[0] ^ cell->was.words[0]) | (cell->now.words[1] ^ cell->was.words[1]);
    return (cell->at & CELL_GIVEN) == 0 && (changed != 0 || cell_is_held(cell));
}

static bool control_changed(const struct space_floor *floor)
{
    free_word changed = 0;
    for (uint32_t i = 0; i < FLOOR_CONTROL; i++) {
        changed |= floor->control[i] ^ floor->control_was[i];
    }
    return changed != 0;
}

// Write what has changed. It may go on then, and commit once more. Returns 0; or an error: then nothing was written.
static CAIRN_NOINLINE int operation_commit(struct operation *op)
{
    struct space_floor *const floor = &op->floor;
    struct floor_cell *const end = &floor->cells[floor->count];
    const bool control = floor->control_pinned || control_changed(floor);
    int error = floor->error;
    for (struct floor_cell *cell = floor->cells; error == 0 && cell != end; cell++) {
        if (!cell_is_held(cell) && ((cell->at & CELL_GIVEN) != 0 || cell_changed(cell))) {
            error = pin_cell(floor, cell);
        }
    }
    if (error == 0 && control && !floor->control_pinned) {
        error = pin_range(floor, 0, floor->tags);
        floor->control_pinned = error == 0;
    }
    if (error != 0) {
        return error;
    }
    for (const struct floor_cell *cell = floor->cells; cell != end; cell++) {
        if (cell_changed(cell)) {
            put_cell(floor, cell, &cell->now);
        }
    }
    if (control) {
        put(floor, 0, floor->control, floor->tags);
    }
    return 0;
}

// End it: let the pages go; with an error, have all be as it was, and the break too. Returns the error.
static CAIRN_NOINLINE int operation_close(struct operation *op, int error)
{
    struct space_floor *const floor = &op->floor;
    struct cairn_space *const space = floor->space;
    for (uint32_t i = 0; error != 0 && i < floor->count; i++) {
        if (cell_is_held(&floor->cells[i])) {
            put_cell(floor, &floor->cells[i], &floor->cells[i].was);
        }
    }
    for (uint32_t i = 0; i < floor->count; i++) {
        const uint32_t at = floor->cells[i].at;
        if ((at & CELL_PINNED) != 0) {
            unpin_range(floor, at & ~(CELL_PINNED | CELL_GIVEN), sizeof floor->cells[i].was);
        }
    }
    if (floor->control_pinned) {
        if (error != 0) {
            put(floor, 0, floor->control_was, floor->tags);
        }
        unpin_range(floor, 0, floor->tags);
    }
    if (error != 0 && space->break_end > op->old_break) {
        (void)!cairn_space_brk(space, op->old_break); // where that fails, somebody else's part begins behind the heap
    }
    return error;
}

// Commit and end.
static int operation_finish(struct operation *op)
{
    return operation_close(op, operation_commit(op));
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
    for (; size != 0; size -= run, address += run) {
        const cairn_vaddr_t page = address >> page_shift(vm);
        const struct cairn_mapping *const mapping = mapping_of(space, page);
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
    TAG_AT(op.heap.tags, 0).border = 1; // border 0
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
