// SPDX-License-Identifier: MIT
//
// An operation on the heap of a space: a transaction around the moves of the heap's core.
//
// OWNS: which pages a floor has pinned, and what is written to them; the core's functions over this floor.
// PICTURE: open -> moves -> commit -> what may still fail (zeros, a copy, the break) -> close, or undo and close
// INVARIANTS: space_floor.h's. Commit has written all that changed, or nothing; close with an error leaves all as it was.
// COST: as an access for each word that is looked at, and a pin for each page that changes. CALLERS: space_heap.c, in which it is laid out.
#ifndef CAIRN_INNER_OPERATION_H
#define CAIRN_INNER_OPERATION_H

#include "inner/space_floor.h"

#include "heap/change.h"
#include "heap/fit.h"
#include "heap/moves.h"
#include "heap/layout.h"
#include "inner/inner_core.h"

#define IMAGE_MAX ((size_t)1 << 30) // bytes of the largest: fewer granules than have numbers
#define HEAP_HEAD sizeof(struct space_heap_head) // it is at a multiple of them, so that words of the image are aligned
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

static CAIRN_NOINLINE uint32_t tags_state(const struct tag_word *tags, uint32_t border)
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

static CAIRN_NOINLINE bool cairn_heap_refile_(struct cairn_heap *heap, uint32_t to, uint32_t was, uint32_t length)
{
    return refile(heap, to, was, length);
}

static CAIRN_NOINLINE uint32_t cairn_heap_join_(struct cairn_heap *heap, uint32_t from)
{
    return join(heap, from);
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

// Begin: read the control, and judge it. Returns 0 or an error.
static CAIRN_NOINLINE int operation_open(struct operation *op, struct cairn_space *space)
{
    struct space_floor *const floor = &op->floor;
    const cairn_vaddr_t image = space->heap + HEAP_HEAD;
    const size_t front = sizeof(struct heap_control);
    const struct heap_control *const control = floor_control(floor);
    cairn_bulk_zero_(floor->control, sizeof floor->control);
    int error = cairn_space_read(space, floor->control, image, front);
    if (error != 0) {
        return error;
    }
    if (control->magic != HEAP_MAGIC || control->limit > GRANULES_MAX || control->granules - 1 >= control->limit || control->fit != CAIRN_FIT_BEST ||
        control->search != CAIRN_SEARCH_DEFAULT || control->flags != HEAP_FLAGS || space->break_end < image || image % HEAP_HEAD != 0) {
        return CAIRN_ECORRUPT;
    }
    const cairn_vaddr_t size = space->break_end - image;
    operation_start(op, space, space->heap, control->limit);
    floor->end = size > 2 * IMAGE_MAX ? (uint32_t)(2 * IMAGE_MAX) : (uint32_t)size;
    if (floor->end < floor->base || (floor->end - floor->base) >> GRANULE_SHIFT < control->granules) {
        return CAIRN_ECORRUPT;
    }
    error = cairn_space_read(space, &floor->control[front / 4], image + (cairn_vaddr_t)front, floor->tags - front);
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

#endif
