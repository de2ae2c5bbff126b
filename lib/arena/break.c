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
//     believed; what came of a failed step is given back, and the break goes down only from where the arena left it.
// COST: nine calls of the port at most, and as many again up to twice where others move the break meanwhile. CALLERS: blocks.c, change.c, maps.c,
//     figures.c, lock held.
#include "arena/arena_core.h"
#include "heap/layout.h"

#define HEAP_MAX_UNKNOWN ((size_t)64 * 1024 * 1024)
#define BREAK_TRIES 3u // places where the break is met, where others move it meanwhile

static unsigned char *heap_end(const struct cairn_heap *heap)
{
    return heap->base + bytes_of(heap->control->granules);
}

CAIRN_NOINLINE void cairn_arena_set_near_(struct cairn_arena *arena)
{
    const struct cairn_heap *const heap = &arena->first.heap;
    arena->near = heap->control == NULL || is_inside(heap, arena->maps) ? 0 : heap->quick;
}

// Move the break down from `from` by `size`. False, and it stays, where others have moved it: what is on top is theirs. Those who come between the two
// calls lose bytes; they get the addresses back.
static bool lower_break(const struct cairn_port_region *port, const unsigned char *from, size_t size)
{
    const unsigned char *const was = port->brk(port->context, 0) == from ? port->brk(port->context, -(ptrdiff_t)size) : NULL;
    if (was != NULL && was != from) {
        (void)port->brk(port->context, (ptrdiff_t)size);
    }
    return was == from;
}

// Move the break from `where` up by `size`. False where it did not move, or was not there: then it is moved back, or, if others were faster again, the
// memory is lost below what is theirs.
static bool raise_break(const struct cairn_port_region *port, const unsigned char *where, size_t size)
{
    if (size > PTRDIFF_MAX || size > UINTPTR_MAX - (uintptr_t)where) {
        return false;
    }
    const unsigned char *const was = port->brk(port->context, (ptrdiff_t)size);
    if (was != NULL && was != where) {
        (void)lower_break(port, was + size, size);
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

// Is the break still there? Where it is not, a try that failed is worth another.
static bool is_at(const struct cairn_arena *arena, const unsigned char *where)
{
    return arena->config->port->brk(arena->config->port->context, 0) == where;
}

// Make the heap at the break, with room for a request of `need` bytes.
static bool start_heap(struct cairn_arena *arena, unsigned char *where, size_t need)
{
    const struct cairn_port_region *const port = arena->config->port;
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
        if (!is_at(arena, where) || !raise_break(port, where, lead + size)) {
            return false;
        }
    }
    if (cairn_arena_heap_(arena, &arena->first, where + lead, size, most) != 0) {
        (void)lower_break(port, where + lead + size, lead + size);
        return false;
    }
    arena->bottom = where;
    cairn_arena_set_near_(arena);
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
        (void)lower_break(arena->config->port, where + lead + size, lead + size);
        return false;
    }
    if (gap != 0) {
        arena->bottom = where;
    }
    cairn_arena_set_near_(arena);
    return true;
}

// Make `need` bytes free in the heap where the break is.
static bool extend_at(struct cairn_arena *arena, unsigned char *where, size_t need)
{
    const struct cairn_heap *const heap = &arena->first.heap;
    const size_t lead = where == heap_end(heap) ? 0 : lead_of(where);
    const size_t top = where == heap_end(heap) ? cairn_heap_top_(heap) : 0;
    const size_t size = top >= need ? 0 : round_to(need - top, CAIRN_GRANULE);
    return size == 0 || grow_heap(arena, where, lead, with_step(arena, size)) || (is_at(arena, where) && grow_heap(arena, where, lead, size));
}

bool cairn_arena_extend_(struct cairn_arena *arena, size_t need)
{
    const struct cairn_heap *const heap = &arena->first.heap;
    if (!has_break(arena) || need > PTRDIFF_MAX) {
        return false;
    }
    for (uint32_t left = BREAK_TRIES; left != 0; left--) {
        unsigned char *const where = arena->config->port->brk(arena->config->port->context, 0);
        if (where == NULL || (heap->control != NULL && where < heap_end(heap))) {
            return false;
        }
        if (heap->control == NULL ? start_heap(arena, where, need) : extend_at(arena, where, need)) {
            return true;
        }
        if (is_at(arena, where)) {
            return false;
        }
    }
    return false;
}

size_t cairn_arena_lower_(struct cairn_arena *arena, size_t keep)
{
    struct cairn_heap *const heap = &arena->first.heap;
    if (!has_break(arena) || heap->control == NULL) {
        return 0;
    }
    unsigned char *const end = heap_end(heap);
    const size_t top = cairn_heap_top_(heap);
    size_t size = top <= keep ? 0 : (top - keep) & ~(size_t)(CAIRN_GRANULE - 1);
    if (size == bytes_of(heap->control->granules)) {
        size -= CAIRN_GRANULE; // a heap has one
    }
    if (size == 0 || !is_at(arena, end)) {
        return 0;
    }
    const size_t total = (size_t)(end - (unsigned char *)heap->control);
    if (cairn_heap_shrink_(heap, total - size) != 0) {
        return 0;
    }
    if (!lower_break(arena->config->port, end, size)) {
        if (cairn_heap_grow_past_(heap, 0, total) != 0) {
            CAIRN_TRAP(); // it was so long before
        }
        size = 0;
    }
    cairn_arena_set_near_(arena);
    return size;
}

CAIRN_NOINLINE void cairn_arena_leave_(struct cairn_arena *arena)
{
    const struct cairn_heap *const heap = &arena->first.heap;
    if (heap->control != NULL) {
        (void)lower_break(arena->config->port, heap_end(heap), (size_t)(heap_end(heap) - arena->bottom));
    }
}
