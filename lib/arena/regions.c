// SPDX-License-Identifier: MIT
//
// The regions of an arena: making it, adding and removing, and which one an address is in.
//
// OWNS: the list of regions.
// INVARIANTS: the break is first in the list, whether it is in use or not; regions that were added follow in their order, those that the arena mapped
//     itself stand last.
// COST: O(regions). CALLERS: the user; the other files of the arena.
#include "arena/arena_core.h"
#include "heap/core.h"

_Static_assert(sizeof(void *) != 4 || sizeof(struct cairn_arena) == 76, "arena.h promises that");

void cairn_arena_report_(void *context, const struct cairn_report *report)
{
    const struct cairn_arena_config *const config = ((const struct cairn_arena *)context)->config;
    if (config->report != NULL) {
        config->report(config->context, report);
        return;
    }
    if (config->system != NULL && config->system->panic != NULL) {
        config->system->panic(config->system->context, report->what == CAIRN_WRONG_LINK ? "cairn: a broken link" : "cairn: a bad pointer");
    }
    CAIRN_TRAP();
}

// -------------------------------------------------------------------------------------- the hooks of a region's heap, which are the arena's

static uint32_t region_lock(const struct cairn_heap *heap)
{
    return arena_lock(heap->context);
}

static void region_unlock(const struct cairn_heap *heap, uint32_t key)
{
    arena_unlock(heap->context, key);
}

static void *region_attempt(struct cairn_heap *heap, size_t alignment, size_t size, heap_once once)
{
    return once(heap, alignment, size);
}

static bool region_failed(struct cairn_heap *heap, size_t size)
{
    (void)heap;
    (void)size;
    return false;
}

static void region_gone(const struct cairn_heap *heap, const void *address)
{
    (void)heap;
    (void)address;
}

static void region_event(const struct cairn_heap *heap, const struct cairn_heap_event *event)
{
    (void)heap;
    (void)event;
}

// All calls are made with the lock held, and so alloc and free take none. A realloc leaves it while it copies.
static const struct cairn_hooked region_hooked = {
    .lock = region_lock,
    .unlock = region_unlock,
    .attempt = region_attempt,
    .alloc = cairn_heap_alloc_,
    .free = cairn_heap_free_,
    .free_at = cairn_heap_free_at_,
    .failed = region_failed,
    .gone = region_gone,
    .event = region_event,
    .report = cairn_hooked_report_,
    .find = cairn_heap_find_,
    .quick = plain_quick,
};

CAIRN_NOINLINE int cairn_arena_heap_(struct cairn_arena *arena, struct cairn_arena_region *region, void *memory, size_t size, size_t max_size)
{
    static const struct cairn_heap_hooks hooks = {.hooked = &region_hooked, .report = cairn_arena_report_};
    const struct cairn_heap_config config = {
        .fit = arena->config->fit, .search = arena->config->search, .max_size = max_size, .hooks = &hooks, .context = arena};
    return cairn_heap_init(&region->heap, memory, size, &config);
}

static bool is_whole(const struct cairn_port_region *port)
{
    return (port->brk != NULL) == (port->room != NULL) && (port->map != NULL) == (port->unmap != NULL) &&
           (port->remap == NULL || port->map != NULL) &&
           (port->map == NULL || (port->page >= 16 && (port->page & (port->page - 1)) == 0));
}

CAIRN_NOINLINE void cairn_arena_set_threshold_(struct cairn_arena *arena, size_t threshold)
{
    CAIRN_PUT(arena->quick, threshold);
    const size_t trim = arena_trim(arena) >> GRANULE_SHIFT;
    arena->long_lists = trim > GRANULES_MAX ? 0 : 2 * bin_bit(bin_of((uint32_t)trim)) - 1;
}

int cairn_arena_init(struct cairn_arena *arena, const struct cairn_arena_config *config)
{
    if (arena == NULL || config == NULL || (uint32_t)config->fit > CAIRN_FIT_BOUNDED || (config->attributes & MEMORY_OWN) != 0 ||
        (config->port != NULL && !is_whole(config->port)) ||
        (config->system != NULL && (config->system->lock == NULL) != (config->system->unlock == NULL))) {
        return CAIRN_EINVAL;
    }
    *arena = (struct cairn_arena){.config = config, .first.attributes = config->attributes | MEMORY_OWN};
    cairn_arena_set_threshold_(arena, first_threshold(arena));
    return 0;
}

CAIRN_NOINLINE struct cairn_arena_region *cairn_arena_find_(struct cairn_arena *arena, const void *address)
{
    for (struct cairn_arena_region *region = &arena->first; region != NULL; region = region->next) {
        if (region->heap.control != NULL && is_inside(&region->heap, address)) {
            return region;
        }
    }
    return NULL;
}

const struct cairn_arena_region *cairn_arena_region_of(struct cairn_arena *arena, const void *address)
{
    if (!is_arena(arena)) {
        return NULL;
    }
    const uint32_t key = arena_lock(arena);
    const struct cairn_arena_region *const region = cairn_arena_find_(arena, address);
    arena_unlock(arena, key);
    return region;
}

// Is the handle a region's already (CAIRN_EBUSY), or some of the memory (CAIRN_EINVAL)? 0: neither. Lock held.
static int look_for(const struct cairn_arena *arena, const struct cairn_arena_region *region, const void *memory, size_t size)
{
    for (const struct cairn_arena_region *other = &arena->first; other != NULL; other = other->next) {
        const unsigned char *const start = (const unsigned char *)other->heap.control;
        if (other == region) {
            return CAIRN_EBUSY;
        }
        if (start != NULL && ((uintptr_t)start - (uintptr_t)memory < size ||
                              (uintptr_t)memory - (uintptr_t)start < (size_t)(other->heap.base - start) + bytes_of(other->heap.control->granules))) {
            return CAIRN_EINVAL;
        }
    }
    return 0;
}

int cairn_arena_add(struct cairn_arena *arena, struct cairn_arena_region *region, void *memory, size_t size, uint32_t attributes,
                    size_t smallest)
{
    if (!is_arena(arena) || region == NULL || (attributes & MEMORY_OWN) != 0) {
        return CAIRN_EINVAL;
    }
    uint32_t key = arena_lock(arena);
    int error = look_for(arena, region, memory, size);
    arena_unlock(arena, key);
    if (error == 0) {
        *region = (struct cairn_arena_region){.attributes = attributes, .smallest = smallest};
        error = cairn_arena_heap_(arena, region, memory, size, size);
    }
    if (error != 0) {
        return error;
    }
    key = arena_lock(arena);
    struct cairn_arena_region *before = &arena->first;
    while (before->next != NULL && (before->next->attributes & MEMORY_OWN) == 0) {
        before = before->next;
    }
    region->next = before->next;
    before->next = region;
    arena_unlock(arena, key);
    return 0;
}

int cairn_arena_remove(struct cairn_arena *arena, struct cairn_arena_region *region)
{
    if (!is_arena(arena) || region == NULL) {
        return CAIRN_EINVAL;
    }
    const uint32_t key = arena_lock(arena);
    struct cairn_arena_region *before = &arena->first;
    while (before->next != NULL && before->next != region) {
        before = before->next;
    }
    const bool is_added = before->next != NULL && (region->attributes & MEMORY_OWN) == 0; // not one that the arena mapped
    int error = !is_added ? CAIRN_ENOENT : region->heap.control->used != 0 ? CAIRN_EBUSY : 0;
    if (error == 0) {
        before->next = region->next;
        cairn_heap_deinit(&region->heap);
    }
    arena_unlock(arena, key);
    return error;
}
