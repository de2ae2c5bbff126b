// SPDX-License-Identifier: MIT
//
// What the files of the arena owe each other.
//
// OWNS: the shape of the table of mapped blocks.
//
// PICTURE: arena -> first (the break) -> region -> region -> NULL          maps: [ address, size ][ address, size ] .. by address
//          a region that the arena mapped itself:  map ->| struct cairn_arena_region | its heap ..................... |
//
// INVARIANTS: A1 the table is sorted by address, its sizes are whole pages, and `mapped` is their sum. The heap in the break ends just where the arena
//     left the break. The lock of a region's heap is the arena's: every call is made by who holds it,
//     and a realloc leaves it while it copies.
// COST: none of its own: each call is that of the file that it stands under. What is inline is O(1).
// CALLERS: lib/arena.
#ifndef CAIRN_ARENA_CORE_H
#define CAIRN_ARENA_CORE_H

#include "cairn/arena.h"
#include "heap/bins.h"

#define MEMORY_OWN 0x80000000u // attribute of what the arena got from the port: the break, and regions that it mapped
#define ANY_MEMORY ((struct cairn_arena_want){0, 0})

#define HEAP_MOST bytes_of(GRANULES_MAX) // what any heap can span, with what is in front of it

struct cairn_arena_map {
    unsigned char *address;
    size_t size; // bytes, whole pages
};

CAIRN_INLINE bool is_arena(const struct cairn_arena *arena)
{
    return arena != NULL && arena->config != NULL;
}

// As it is configured.
CAIRN_INLINE size_t first_threshold(const struct cairn_arena *arena)
{
    return arena->config->threshold == 0 ? CAIRN_ARENA_THRESHOLD : arena->config->threshold;
}

// As it is now. A moment later it may be higher: a block may be on either side of it.
CAIRN_INLINE size_t arena_threshold(const struct cairn_arena *arena)
{
    const size_t quick = CAIRN_LOOK(arena->quick);
    return quick != 0 ? quick : first_threshold(arena);
}

CAIRN_INLINE size_t arena_step(const struct cairn_arena *arena)
{
    return arena->config->step == 0 ? CAIRN_ARENA_STEP : arena->config->step;
}

// Bytes free at the break that are worth giving back.
CAIRN_INLINE size_t arena_trim(const struct cairn_arena *arena)
{
    const size_t step = arena_step(arena);
    const size_t half = arena->config->threshold_max != 0 && arena_threshold(arena) > step ? arena_threshold(arena) : step;
    return arena->config->trim != 0 ? arena->config->trim : half > SIZE_MAX / 2 ? SIZE_MAX : 2 * half;
}

CAIRN_INLINE uint32_t arena_lock(const struct cairn_arena *arena)
{
    const struct cairn_port_system *const system = arena->config->system;
    return system != NULL && system->lock != NULL ? system->lock(system->context) : 0;
}

CAIRN_INLINE void arena_unlock(const struct cairn_arena *arena, uint32_t key)
{
    const struct cairn_port_system *const system = arena->config->system;
    if (system != NULL && system->unlock != NULL) {
        system->unlock(system->context, key);
    }
}

CAIRN_INLINE bool has_break(const struct cairn_arena *arena)
{
    return arena->config->port != NULL && arena->config->port->brk != NULL;
}

CAIRN_INLINE bool has_maps(const struct cairn_arena *arena)
{
    return arena->config->port != NULL && arena->config->port->map != NULL;
}

// Is the address inside the heap's granules? pre: the heap is one.
CAIRN_INLINE bool is_inside(const struct cairn_heap *heap, const void *address)
{
    return (uintptr_t)address - (uintptr_t)heap->base < bytes_of(heap->control->granules);
}

// Is the block beyond the short way, or the table of maps? Lock held.
CAIRN_INLINE bool is_far(const struct cairn_arena *arena, const void *block)
{
    if (CAIRN_LIKELY(border_number(arena->first.heap.base, block) < arena->near)) {
        return false;
    }
    CAIRN_FORGET(block); // the number is computed anew: kept, it would cost the short way an instruction
    return border_number(arena->first.heap.base, block) >= arena->first.heap.quick || block == arena->maps;
}

CAIRN_INLINE bool meets(uint32_t attributes, struct cairn_arena_want want)
{
    return (attributes & want.with) == want.with && (attributes & want.without) == 0;
}

// regions.c. The threshold is to be so many bytes; 0: a pool is in front.
void cairn_arena_set_threshold_(struct cairn_arena *arena, size_t threshold);
// Make the heap of a region, with the arena's fit and reports. Returns as cairn_heap_init.
CAIRN_MUST_CHECK int cairn_arena_heap_(struct cairn_arena *arena, struct cairn_arena_region *region, void *memory, size_t size, size_t max_size);
void cairn_arena_report_(void *context, const struct cairn_report *report);
// The region that holds the address; NULL for none.
struct cairn_arena_region *cairn_arena_find_(struct cairn_arena *arena, const void *address);

// pools.c. A block of a pool whose sizes the request is of, or NULL.
void *cairn_arena_pool_alloc_(struct cairn_arena *arena, size_t size);
// The pool that holds the address; NULL for none.
struct cairn_pool *cairn_arena_pool_of_(const struct cairn_arena *arena, const void *address);

// break.c. Set `near`, after the heap in the break, or where the table of maps is, has changed.
void cairn_arena_set_near_(struct cairn_arena *arena);
// Make at least `need` bytes free in one piece at the break, what is free there counted. False: nothing has changed.
bool cairn_arena_extend_(struct cairn_arena *arena, size_t need);
// Give back what is free there but for `keep` bytes. Returns the bytes that went.
size_t cairn_arena_lower_(struct cairn_arena *arena, size_t keep);
// Give back what is the arena's at its end, whatever is in it, if it is still where the arena left it.
void cairn_arena_leave_(struct cairn_arena *arena);

// maps.c. All are called with the lock held.
void *cairn_map_alloc_(struct cairn_arena *arena, size_t alignment, size_t size, bool *fresh); // fresh: just as the port mapped it
struct cairn_arena_map *cairn_map_find_(const struct cairn_arena *arena, const void *address); // NULL for none
void cairn_map_free_(struct cairn_arena *arena, struct cairn_arena_map *map);
// Say in the report what is wrong with its address, if a mapped block holds it.
void cairn_map_explain_(const struct cairn_arena *arena, struct cairn_report *report);
// Make a mapped block longer, where the port moves pages. Returns its address, NULL where it cannot.
void *cairn_map_grow_(struct cairn_arena *arena, struct cairn_arena_map *map, size_t size);
void cairn_map_shrink_(struct cairn_arena *arena, struct cairn_arena_map *map, size_t size);
// Give back spares and empty regions; all: everything that is mapped. Returns the bytes that went.
size_t cairn_map_trim_(struct cairn_arena *arena, bool all);
uint32_t cairn_map_spares_(const struct cairn_arena *arena, size_t *bytes);
int cairn_map_walk_(const struct cairn_arena *arena, int (*visit)(void *context, const struct cairn_block *block), void *context); // spares are none
bool cairn_map_is_whole_(const struct cairn_arena *arena); // A1
// A region of the arena's own, mapped for a request of so many bytes. False: nothing has changed.
bool cairn_map_region_(struct cairn_arena *arena, size_t need);
size_t cairn_map_region_size_(const struct cairn_arena_region *region); // bytes of the map that such a region stands in

// blocks.c. Lock held. Allocate for the arena itself: neither mapped nor in a region that was added.
void *cairn_arena_alloc_(struct cairn_arena *arena, size_t size);
// Allocate where the wish can be met, a map from the threshold on. fresh: just as the port mapped it.
void *cairn_arena_try_(struct cairn_arena *arena, struct cairn_arena_want want, size_t alignment, size_t size, bool *fresh);
// Free a block that is no pool's. NULL is none; any other address that is no used block is refused, and reported; so is the table of maps.
void cairn_arena_free_(struct cairn_arena *arena, void *block);
// Report an address outside every heap that is no mapped block.
void cairn_arena_refuse_(struct cairn_arena *arena, const void *address);
// Bytes in one piece that surely hold the request, as the break's heap sees it; SIZE_MAX: there cannot be so many.
size_t cairn_arena_needed_(const struct cairn_arena *arena, size_t alignment, size_t size);

#endif
