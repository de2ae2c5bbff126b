// SPDX-License-Identifier: MIT
//
// The arena over the bare-metal span, and what it adds to the heap's own calls.
//
// OWNS        one arena whose break is the region. In all modes but `grows`: a heap of the same size behind it, which makes each call too.
// PICTURE     grows             region [ the break moves as an arena's does, a step at a time ............ )      counted: the arena's call
//             heap              region [ the break, moved to its end before the first call ) [ the heap )         counted: the heap's call
//             extra[_primask]   the same; only the arena has the lock                                             counted: LEAD and the arena's call less the heap's
//             heap_primask      the same; both have the lock, the heap's hooks and the arena's system are one     counted: the heap's call
//             both_primask      the same; both have the lock                            counted: LEAD and the arena's call less the heap's
// INVARIANTS  1. Both heaps are the same to the bit, so they take the same way: a block stands as far from its heap's first granule as its twin does, or
//                the program stops.
// COST        as peer.h says; all but `grows` take the region twice.
// CALLERS     main.c; one thread.
#include <string.h>

#include "cairn/arena.h"
#include "counter.h"
#include "peer.h"
#include "port/baremetal/lock.h"
#include "port/baremetal/memory.h"
#include "semihost.h"

#define LEAD 10000u // measure.py takes it off again: the arena's call may be the shorter one

enum mode { MODE_GROWS, MODE_HEAP, MODE_EXTRA, MODE_EXTRA_PRIMASK, MODE_HEAP_PRIMASK, MODE_BOTH_PRIMASK, MODES };

static const struct cairn_port_system primask = {.lock = baremetal_lock, .unlock = baremetal_unlock};
static const struct cairn_heap_hooks hooks = {.hooked = CAIRN_HOOKED, .lock = baremetal_lock, .unlock = baremetal_unlock};

static enum mode mode;
static struct cairn_arena arena;
static struct cairn_arena_config config;
static struct cairn_heap twin;
static unsigned char *at;
static struct baremetal_memory memory = {.at = &at};
static const struct cairn_port_region port = BAREMETAL_BREAK(&memory);

static void stop(const char *why)
{
    semihost_print("bench: ");
    semihost_print(why);
    semihost_print("\n");
    semihost_exit(1);
}

void peer_prepare(struct area *area)
{
    (void)area;
}

// Move the break to the end: one block as long as can be had, and free it. Nothing is trimmed.
static bool take_whole(size_t size)
{
    void *block = NULL;

    while (block == NULL && size > CAIRN_GRANULE) {
        size -= CAIRN_GRANULE;
        block = cairn_arena_alloc(&arena, size);
    }
    cairn_arena_free(&arena, block);
    arena.failures = 0;
    return block != NULL;
}

static bool start_twin(uint32_t search, unsigned char *region, size_t size)
{
    const bool locked = mode == MODE_HEAP_PRIMASK || mode == MODE_BOTH_PRIMASK;
    const struct cairn_heap_config its = {.search = (uint16_t)search, .hooks = locked ? &hooks : NULL};
    struct cairn_heap_stats one;
    struct cairn_heap_stats other;

    if (size > (size_t)(cairn_heap_area_end - region) || cairn_heap_init(&twin, region, size, &its) != 0 || !take_whole(size))
        return false;
    cairn_heap_stats(&arena.first.heap, &one);
    cairn_heap_stats(&twin, &other);
    return one.largest_free == other.largest_free && one.free == other.free && one.overhead == other.overhead;
}

bool peer_start(const char *fit, uint32_t search, unsigned char *region, size_t size)
{
    static const char *const names[MODES] = {"grows", "heap", "extra", "extra_primask", "heap_primask", "both_primask"};

    for (mode = MODE_GROWS; mode < MODES && strcmp(fit, names[mode]) != 0; mode++)
        ;
    if (mode == MODES || size <= sizeof arena)
        return false;
    size = (size - sizeof arena) & ~(size_t)(CAIRN_GRANULE - 1);
    at = NULL;
    memory.start = region;
    memory.end = region + size;
    config = (struct cairn_arena_config){
        .port = &port, .search = (uint16_t)search, .threshold = CAIRN_ARENA_NEVER, .trim = mode == MODE_GROWS ? 0 : CAIRN_ARENA_NEVER};
    config.system = mode >= MODE_EXTRA_PRIMASK ? &primask : NULL;
    return cairn_arena_init(&arena, &config) == 0 && (mode == MODE_GROWS || start_twin(search, region + ((size + 15) & ~(size_t)15), size));
}

static uint32_t offset_of(const struct cairn_heap *heap, const void *block)
{
    return block == NULL ? UINT32_MAX : (uint32_t)((const unsigned char *)block - heap->base);
}

static void *twin_of(const void *block)
{
    return block == NULL ? NULL : (void *)(twin.base + offset_of(&arena.first.heap, block));
}

// What the arena's call took, beyond the heap's.
static void settle(uint32_t *count, uint32_t heaps)
{
    const uint32_t all = *count + LEAD;

    if (mode == MODE_HEAP || mode == MODE_HEAP_PRIMASK) {
        *count = heaps;
        return;
    }
    if (all < heaps)
        stop("the arena's call is shorter than the heap's");
    *count = all - heaps;
}

static void compare(const void *block, uintptr_t its)
{
    if (offset_of(&arena.first.heap, block) != offset_of(&twin, (const void *)its))
        stop("the heap took another way than the arena's");
}

void *peer_alloc(uint32_t *count, uint32_t alignment, size_t size)
{
    uint32_t ignored;
    uint32_t heaps;
    uint32_t *const mine = count != NULL ? count : &ignored;

    if (alignment > CAIRN_GRANULE)
        stop("no trace has aligned blocks");
    void *const block = (void *)counter_call(mine, (counter_function)cairn_arena_alloc, (uintptr_t)&arena, size, 0, 0);
    if (mode != MODE_GROWS) {
        compare(block, counter_call(&heaps, (counter_function)cairn_heap_alloc, (uintptr_t)&twin, size, 0, 0));
        settle(mine, heaps);
    }
    return block;
}

void *peer_realloc(uint32_t *count, void *block, size_t size)
{
    uint32_t ignored;
    uint32_t heaps;
    uint32_t *const mine = count != NULL ? count : &ignored;
    void *const its = twin_of(block);
    void *const to = (void *)counter_call(mine, (counter_function)cairn_arena_realloc, (uintptr_t)&arena, (uintptr_t)block, size, 0);

    if (mode != MODE_GROWS) {
        compare(to, counter_call(&heaps, (counter_function)cairn_heap_realloc, (uintptr_t)&twin, (uintptr_t)its, size, 0));
        settle(mine, heaps);
    }
    return to;
}

void peer_free(uint32_t *count, void *block)
{
    uint32_t ignored;
    uint32_t heaps;
    uint32_t *const mine = count != NULL ? count : &ignored;
    void *const its = twin_of(block);

    (void)counter_call(mine, (counter_function)cairn_arena_free, (uintptr_t)&arena, (uintptr_t)block, 0, 0);
    if (mode != MODE_GROWS) {
        (void)counter_call(&heaps, (counter_function)cairn_heap_free, (uintptr_t)&twin, (uintptr_t)its, 0, 0);
        settle(mine, heaps);
    }
}
