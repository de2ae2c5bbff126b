// SPDX-License-Identifier: MIT
//
// Mapped blocks, and the regions that the arena maps for itself where the break cannot grow.
//
// OWNS: the table of mapped blocks, a block of the arena's own regions.
//
// PICTURE: maps ->[ address, size ][ address, size ][ address, size ][ - ]      map_count 3, map_room 4
//
// INVARIANTS: A1. A place in the table is there before a page is asked for. What the port would not take back stays in the table as a spare, for
//     another request, or for the next trim.
// COST: find O(log n), insert and remove O(n) words moved; a region O(log of its size) tries of the port's map; trim, walk and
//     check O(n). CALLERS: blocks.c, change.c, figures.c, lock held.
#include "arena/arena_core.h"

#include <string.h>

#define ROOM_FIRST 4u
#define SPARE ((size_t)1) // in a size, which is whole pages: the block was freed, and the port would not take it back
#define ROOMY 8u          // thresholds that a region takes which the arena maps for itself, if it and the heap in it can be so long
#define SHARE 8u          // it takes a part of so many of what the arena's own heaps have, if that is more
#define REGION_FRONT 512u // more than the control and the rounding of such a region

struct mapped_region {
    struct cairn_arena_region region; // first, so that one's address is the other's
    size_t size;                      // bytes of the map that it stands in
};

// The first entry that is not below the address.
static uint32_t lower_bound(const struct cairn_arena *arena, const void *address)
{
    uint32_t low = 0;
    uint32_t high = arena->map_count;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if ((uintptr_t)arena->maps[middle].address < (uintptr_t)address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

CAIRN_NOINLINE struct cairn_arena_map *cairn_map_find_(const struct cairn_arena *arena, const void *address)
{
    const uint32_t at = lower_bound(arena, address);
    const bool found = at < arena->map_count && arena->maps[at].address == address && (arena->maps[at].size & SPARE) == 0;
    return found ? &arena->maps[at] : NULL;
}

static void drop_table(struct cairn_arena *arena)
{
    struct cairn_arena_region *const region = cairn_arena_find_(arena, arena->maps);
    if (region != NULL) {
        cairn_heap_free_(&region->heap, arena->maps);
    }
    arena->maps = NULL;
    arena->map_room = 0;
    cairn_arena_set_near_(arena);
}

// Make sure that one more entry fits. The table moves by alloc, copy, free: it is small, and an arena has no locked realloc.
static bool has_place(struct cairn_arena *arena)
{
    if (arena->map_count < arena->map_room) {
        return true;
    }
    const uint32_t room = arena->map_room == 0 ? ROOM_FIRST : 2u * arena->map_room;
    const size_t bytes = room * sizeof(struct cairn_arena_map);
    struct cairn_arena_map *const maps = room > UINT16_MAX ? NULL : cairn_arena_alloc_(arena, bytes);
    if (maps == NULL) {
        return false;
    }
    if (arena->map_room != 0) {
        memcpy(maps, arena->maps, arena->map_count * sizeof *maps);
    }
    drop_table(arena);
    arena->maps = maps;
    arena->map_room = (uint16_t)room;
    cairn_arena_set_near_(arena);
    return true;
}

// Can pages be at that address? NULL is no lie.
static bool is_believed(const unsigned char *address, size_t alignment, size_t size)
{
    return ((uintptr_t)address & (alignment - 1)) == 0 && (uintptr_t)address <= UINTPTR_MAX - size;
}

// Pages from the port, or NULL. What is not aligned as asked for is not believed.
static unsigned char *pages(const struct cairn_arena *arena, size_t alignment, size_t size)
{
    const struct cairn_port_region *const port = arena->config->port;
    const size_t least = alignment > port->page ? alignment : port->page;
    unsigned char *const address = port->map(port->context, size, least);
    if (!is_believed(address, least, size)) {
        (void)port->unmap(port->context, address, size);
        return NULL;
    }
    return address;
}

static void remove_entry(struct cairn_arena *arena, struct cairn_arena_map *map)
{
    arena->map_count--;
    memmove(map, map + 1, (size_t)(&arena->maps[arena->map_count] - map) * sizeof *map);
}

// Pages that the port would not take back, if some are so long and aligned so.
static void *take_spare(struct cairn_arena *arena, size_t alignment, size_t size)
{
    for (uint32_t at = 0; at < arena->map_count; at++) {
        struct cairn_arena_map *const map = &arena->maps[at];
        if ((map->size & SPARE) != 0 && map->size >= size && ((uintptr_t)map->address & (alignment - 1)) == 0) {
            map->size &= ~SPARE;
            arena->mapped += map->size;
            return map->address;
        }
    }
    return NULL;
}

CAIRN_NOINLINE void *cairn_map_alloc_(struct cairn_arena *arena, size_t alignment, size_t size, bool *fresh)
{
    *fresh = false;
    if (!has_maps(arena) || !has_place(arena)) {
        return NULL;
    }
    const size_t least = alignment > CAIRN_GRANULE ? alignment : CAIRN_GRANULE;
    const size_t whole = round_to(size, arena->config->port->page);
    void *const spare = whole < size ? NULL : take_spare(arena, least, whole);
    unsigned char *const address = whole < size || spare != NULL ? NULL : pages(arena, least, whole);
    if (address == NULL) {
        return spare;
    }
    const uint32_t at = lower_bound(arena, address);
    memmove(&arena->maps[at + 1], &arena->maps[at], (arena->map_count - at) * sizeof *arena->maps);
    arena->maps[at] = (struct cairn_arena_map){address, whole};
    arena->map_count++;
    arena->mapped += whole;
    *fresh = true;
    return address;
}

CAIRN_NOINLINE void cairn_map_free_(struct cairn_arena *arena, struct cairn_arena_map *map)
{
    const struct cairn_port_region *const port = arena->config->port;
    arena->mapped -= map->size;
    if (port->unmap(port->context, map->address, map->size) == 0) {
        remove_entry(arena, map);
    } else {
        map->size |= SPARE;
    }
}

CAIRN_NOINLINE void cairn_map_explain_(const struct cairn_arena *arena, struct cairn_report *report)
{
    const uint32_t at = lower_bound(arena, (const unsigned char *)report->address + 1);
    const struct cairn_arena_map *const map = at == 0 ? NULL : &arena->maps[at - 1];
    if (map != NULL && (uintptr_t)report->address - (uintptr_t)map->address < (map->size & ~SPARE)) {
        report->what = (map->size & SPARE) != 0 ? CAIRN_WRONG_DOUBLE_FREE : CAIRN_WRONG_INTERIOR;
        report->block = map->address;
        report->block_size = map->size & ~SPARE;
    }
}

// The same entry, at another place: those between move by one.
static void move_entry(struct cairn_arena *arena, uint32_t from, struct cairn_arena_map entry)
{
    const uint32_t bound = lower_bound(arena, entry.address);
    const uint32_t to = bound > from ? bound - 1 : bound; // without itself
    struct cairn_arena_map *const maps = arena->maps;
    if (to > from) {
        memmove(&maps[from], &maps[from + 1], (to - from) * sizeof *maps);
    } else {
        memmove(&maps[to + 1], &maps[to], (from - to) * sizeof *maps);
    }
    maps[to] = entry;
}

CAIRN_NOINLINE void *cairn_map_grow_(struct cairn_arena *arena, struct cairn_arena_map *map, size_t size)
{
    const struct cairn_port_region *const port = arena->config->port;
    const size_t whole = round_to(size, port->page);
    if (port->remap == NULL || whole < size) {
        return NULL;
    }
    unsigned char *const address = whole == map->size ? map->address : port->remap(port->context, map->address, map->size, whole);
    if (!is_believed(address, port->page, whole)) {
        return NULL; // the block is where it was, as far as anybody knows
    }
    if (address != NULL) {
        arena->mapped += whole - map->size;
        move_entry(arena, (uint32_t)(map - arena->maps), (struct cairn_arena_map){address, whole});
    }
    return address;
}

CAIRN_NOINLINE void cairn_map_shrink_(struct cairn_arena *arena, struct cairn_arena_map *map, size_t size)
{
    const struct cairn_port_region *const port = arena->config->port;
    const size_t whole = round_to(size, port->page);
    if (whole < map->size && port->unmap(port->context, map->address + whole, map->size - whole) == 0) {
        arena->mapped -= map->size - whole;
        map->size = whole;
    }
}

// A part of what the arena's own heaps have: regions of such sizes stay few, however much there is.
static size_t share(const struct cairn_arena *arena)
{
    size_t all = 0;
    for (const struct cairn_arena_region *region = &arena->first; region != NULL; region = region->next) {
        if (region->heap.control != NULL && (region->attributes & MEMORY_OWN) != 0) {
            all += bytes_of(region->heap.control->granules);
        }
    }
    return all / SHARE < HEAP_MOST ? all / SHARE : HEAP_MOST;
}

CAIRN_NOINLINE bool cairn_map_region_(struct cairn_arena *arena, size_t need)
{
    if (!has_maps(arena) || need > SIZE_MAX / 4) {
        return false;
    }
    const size_t page = arena->config->port->page;
    const size_t threshold = arena_threshold(arena);
    const size_t roomy = threshold < HEAP_MOST / ROOMY ? ROOMY * threshold : 0;
    const size_t least = need + need / 16 + sizeof(struct mapped_region) + REGION_FRONT; // tags take 1/32 of it
    const size_t part = share(arena);
    struct mapped_region *own = NULL;
    size_t size = 0;
    for (size_t want = part > roomy ? part : roomy, last = 0; own == NULL && last != least; want /= 4) { // regions stay few where less is left, too
        last = want > least ? want : least;
        size = round_to(last, page);
        own = (struct mapped_region *)(void *)pages(arena, page, size);
    }
    if (own == NULL) {
        return false;
    }
    *own = (struct mapped_region){.region.attributes = arena->first.attributes, .size = size};
    if (cairn_arena_heap_(arena, &own->region, own + 1, size - sizeof *own, size - sizeof *own) != 0) {
        (void)arena->config->port->unmap(arena->config->port->context, own, size);
        return false;
    }
    struct cairn_arena_region *last = &arena->first;
    while (last->next != NULL) {
        last = last->next;
    }
    last->next = &own->region;
    return true;
}

size_t cairn_map_region_size_(const struct cairn_arena_region *region)
{
    return ((const struct mapped_region *)(const void *)region)->size;
}

// Give back a region that is empty, or whose blocks do not count any more. Returns its bytes; 0 where the port keeps it.
static size_t drop_region(struct cairn_arena *arena, struct cairn_arena_region *before)
{
    struct cairn_arena_region *const region = before->next;
    const size_t size = cairn_map_region_size_(region);
    before->next = region->next;
    if (arena->config->port->unmap(arena->config->port->context, region, size) != 0) {
        before->next = region;
        return 0;
    }
    return size;
}

size_t cairn_map_trim_(struct cairn_arena *arena, bool all)
{
    const struct cairn_port_region *const port = arena->config->port;
    size_t given = 0;
    for (uint32_t at = arena->map_count; at-- != 0;) {
        struct cairn_arena_map *const map = &arena->maps[at];
        const bool spare = (map->size & SPARE) != 0;
        const size_t size = map->size & ~SPARE;
        if ((spare || all) && port->unmap(port->context, map->address, size) == 0) {
            arena->mapped -= spare ? 0 : size;
            given += size;
            remove_entry(arena, map);
        }
    }
    if (arena->map_count == 0) {
        drop_table(arena);
    }
    for (struct cairn_arena_region *before = &arena->first; before->next != NULL;) {
        struct cairn_arena_region *const region = before->next;
        const bool own = (region->attributes & MEMORY_OWN) != 0;
        const bool idle = region->heap.control->used == 0 || (all && !is_inside(&region->heap, arena->maps)); // the table is still of use
        const size_t size = own && idle ? drop_region(arena, before) : 0;
        given += size;
        before = size == 0 ? region : before;
    }
    return given;
}

CAIRN_NOINLINE uint32_t cairn_map_spares_(const struct cairn_arena *arena, size_t *bytes)
{
    uint32_t spares = 0;
    *bytes = 0;
    for (uint32_t at = 0; at < arena->map_count; at++) {
        const size_t size = arena->maps[at].size;
        if ((size & SPARE) != 0) {
            spares++;
            *bytes += size & ~SPARE;
        }
    }
    return spares;
}

CAIRN_NOINLINE int cairn_map_walk_(const struct cairn_arena *arena, int (*visit)(void *context, const struct cairn_block *block), void *context)
{
    int stop = 0;
    for (uint32_t at = 0; at < arena->map_count && stop == 0; at++) {
        const struct cairn_block block = {arena->maps[at].address, arena->maps[at].size, true};
        stop = (block.size & SPARE) != 0 ? 0 : visit(context, &block);
    }
    return stop;
}

CAIRN_NOINLINE bool cairn_map_is_whole_(const struct cairn_arena *arena)
{
    size_t mapped = 0;
    for (uint32_t at = 0; at < arena->map_count; at++) {
        const struct cairn_arena_map map = arena->maps[at];
        const size_t size = map.size & ~SPARE;
        if (size == 0 || ((size | (uintptr_t)map.address) & (arena->config->port->page - 1)) != 0 ||
            (at != 0 && (uintptr_t)map.address < (uintptr_t)arena->maps[at - 1].address + (arena->maps[at - 1].size & ~SPARE))) {
            return false;
        }
        mapped += (map.size & SPARE) != 0 ? 0 : size;
    }
    return mapped == arena->mapped && arena->map_count <= arena->map_room;
}
