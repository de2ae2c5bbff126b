// SPDX-License-Identifier: MIT
//
// The heap in the break: made at the first request, grown, trimmed.
//
// OWNS: where the break is, as far as the arena moved it.
//
// PICTURE: break     | control, tags for heap_max | granules ............. |          the break, as the arena left it
//          others    | .......................... | granules | theirs, used, never touched | granules .. |
//                                                                                          bottom
//
// INVARIANTS: the heap ends where the arena left the break, to the byte; what the port answers is compared with what was asked before it is
//     believed; what came of a failed step is given back.
// COST: two calls of the port at most three times. CALLERS: blocks.c, change.c, lock held.
#include "arena/arena_core.h"
#include "heap/layout.h"

#define HEAP_MAX_UNKNOWN ((size_t)64 * 1024 * 1024)

static unsigned char *heap_end(const struct cairn_heap *heap)
{
    return heap->base + bytes_of(heap->control->granules);
}

// Move the break from `where` up by `size`. False where it did not move, or was not there.
static bool raise_break(const struct cairn_port_region *port, const unsigned char *where, size_t size)
{
    if (size > PTRDIFF_MAX || size > UINTPTR_MAX - (uintptr_t)where) {
        return false;
    }
    const unsigned char *const was = port->brk(port->context, (ptrdiff_t)size);
    if (was != NULL && was != where) {
        (void)port->brk(port->context, -(ptrdiff_t)size);
    }
    return was == where;
}

// The most bytes that the heap can take in all, of so much room.
static size_t most_of(const struct cairn_arena *arena, size_t room)
{
    const size_t most = arena->config->heap_max != 0 ? arena->config->heap_max : HEAP_MAX_UNKNOWN;
    size_t size = room == SIZE_MAX || (arena->config->heap_max != 0 && most < room) ? most : room;
    return (size < HEAP_MOST ? size : HEAP_MOST) & ~(size_t)(CAIRN_GRANULE - 1);
}

// The next multiple of the arena's step above a size; the size itself where there is none.
static size_t with_step(const struct cairn_arena *arena, size_t size)
{
    const size_t step = arena_step(arena);
    const size_t more = (size - size % step + step) & ~(size_t)(CAIRN_GRANULE - 1);
    return more >= size ? more : size;
}

// Make the heap, with room for a request of `need` bytes.
static bool start_heap(struct cairn_arena *arena, size_t need)
{
    const struct cairn_port_region *const port = arena->config->port;
    unsigned char *const where = port->brk(port->context, 0);
    if (where == NULL) {
        return false;
    }
    const size_t lead = lead_of(where);
    const size_t room = port->room(port->context);
    size_t front;
    const size_t limit = granules_in(room <= lead ? 0 : most_of(arena, room == SIZE_MAX ? room : room - lead), false, &front);
    const size_t most = front + bytes_of((uint32_t)limit);
    if (limit == 0 || need > most - front) {
        return false;
    }
    size_t size = with_step(arena, front + need);
    if (size > most || !raise_break(port, where, lead + size)) {
        size = round_to(front + need, CAIRN_GRANULE);
        if (!raise_break(port, where, lead + size)) {
            return false;
        }
    }
    if (cairn_arena_heap_(arena, &arena->first, where + lead, size, most) != 0) {
        (void)port->brk(port->context, -(ptrdiff_t)(lead + size));
        return false;
    }
    arena->bottom = where;
    return true;
}

// Grow the heap by `size` bytes behind a gap, which others took; whole granules both.
static bool grow_heap(struct cairn_arena *arena, unsigned char *where, size_t lead, size_t size)
{
    struct cairn_heap *const heap = &arena->first.heap;
    const size_t gap = (size_t)(where + lead - heap_end(heap));
    const size_t left = bytes_of(heap->control->limit - heap->control->granules);
    if (gap > left || size > left - gap || !raise_break(arena->config->port, where, lead + size)) {
        return false;
    }
    const size_t total = (size_t)(heap_end(heap) - (unsigned char *)heap->control) + gap + size;
    if (cairn_heap_grow_past_(heap, gap, total) != 0) {
        (void)arena->config->port->brk(arena->config->port->context, -(ptrdiff_t)(lead + size));
        return false;
    }
    if (gap != 0) {
        arena->bottom = where;
    }
    return true;
}

bool cairn_arena_extend_(struct cairn_arena *arena, size_t need)
{
    struct cairn_heap *const heap = &arena->first.heap;
    if (!has_break(arena) || need > PTRDIFF_MAX) {
        return false;
    }
    if (heap->control == NULL) {
        return start_heap(arena, need);
    }
    const struct cairn_port_region *const port = arena->config->port;
    unsigned char *const where = port->brk(port->context, 0);
    if (where == NULL || where < heap_end(heap)) {
        return false;
    }
    const size_t lead = where == heap_end(heap) ? 0 : lead_of(where);
    const size_t top = where == heap_end(heap) ? cairn_heap_top_(heap) : 0;
    const size_t size = top >= need ? 0 : round_to(need - top, CAIRN_GRANULE);
    return size == 0 || grow_heap(arena, where, lead, with_step(arena, size)) || grow_heap(arena, where, lead, size);
}

size_t cairn_arena_lower_(struct cairn_arena *arena, size_t keep)
{
    struct cairn_heap *const heap = &arena->first.heap;
    const struct cairn_port_region *const port = arena->config->port;
    if (!has_break(arena) || heap->control == NULL) {
        return 0;
    }
    unsigned char *const end = heap_end(heap);
    const size_t top = cairn_heap_top_(heap);
    size_t size = top <= keep ? 0 : (top - keep) & ~(size_t)(CAIRN_GRANULE - 1);
    if (size == bytes_of(heap->control->granules)) {
        size -= CAIRN_GRANULE; // a heap has one
    }
    if (size == 0 || port->brk(port->context, 0) != end) {
        return 0;
    }
    const size_t total = (size_t)(end - (unsigned char *)heap->control);
    if (cairn_heap_shrink_(heap, total - size) != 0) {
        return 0;
    }
    const unsigned char *const was = port->brk(port->context, -(ptrdiff_t)size);
    if (was == end) {
        return size;
    }
    if (was != NULL) {
        (void)port->brk(port->context, (ptrdiff_t)size);
    }
    if (cairn_heap_grow_past_(heap, 0, total) != 0) {
        CAIRN_TRAP(); // it was so long before
    }
    return 0;
}

CAIRN_NOINLINE void cairn_arena_leave_(struct cairn_arena *arena)
{
    const struct cairn_heap *const heap = &arena->first.heap;
    const struct cairn_port_region *const port = arena->config->port;
    if (heap->control != NULL && port->brk(port->context, 0) == heap_end(heap)) {
        (void)port->brk(port->context, arena->bottom - heap_end(heap));
    }
}
