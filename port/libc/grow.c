// SPDX-License-Identifier: MIT
//
// The heap behind malloc: made at the first request, grown by sbrk.
//
// OWNS: the handle, and where the break is as far as the heap moved it.
//
// PICTURE: break     | control, tags for all the room | granules ............. |          the break, as the heap left it
//          others    | .............................. | granules | theirs, used, never touched | granules .. |
//
// INVARIANTS: L1, L3 of libc.h. The heap ends where it left the break, to the byte; what sbrk answers is compared with what was asked before it is
//     believed; what came of a failed step is given back, and the break goes down only from where the heap left it.
// COST: libc.h. CALLERS: malloc.c, reent.c.
#include "libc.h"

#include <stddef.h>
#include <string.h>

#include "port/baremetal/lock.h"
#include "sbrk.h"

#define SIZE_MOST ((size_t)PTRDIFF_MAX / 2) // no machine of 32 bits has more for one block
#define ROOM_MOST ((size_t)0x07FFFFFE * CAIRN_GRANULE) // what one heap numbers
#define ROOM_BIT ((size_t)1 << 29)          // the highest of it, with the smallest granule
#define BREAK_TRIES 3u                      // places where the break is met, where others move it meanwhile

_Static_assert(CAIRN_GRANULE % _Alignof(max_align_t) == 0, "port/libc: on this core malloc aligns to 16: build with CAIRN_GRANULE=16");

static struct cairn_heap heap;

static uint32_t hook_lock(void *context)
{
    (void)context;
    return cairn_libc_lock();
}

static void hook_unlock(void *context, uint32_t key)
{
    (void)context;
    cairn_libc_unlock(key);
}

static void hook_report(void *context, const struct cairn_report *report)
{
    (void)context;
    cairn_libc_report(report);
}

static const struct cairn_heap_hooks hooks = {.hooked = CAIRN_HOOKED, .lock = hook_lock, .unlock = hook_unlock, .report = hook_report};

// ------------------------------------------------------------------------------------------------------------- the program's

__attribute__((weak)) uint32_t cairn_libc_lock(void)
{
    return baremetal_lock(NULL);
}

__attribute__((weak)) void cairn_libc_unlock(uint32_t key)
{
    baremetal_unlock(NULL, key);
}

__attribute__((weak)) void cairn_libc_report(const struct cairn_report *report)
{
    (void)report;
    __builtin_trap();
}

// Move the break down from `from` by `size`. False, and it stays, where others have moved it: what is on top is theirs. Those who come between the two
// calls lose bytes; they get the addresses back.
static bool lower_break(const unsigned char *from, size_t size)
{
    const unsigned char *const now = libc_sbrk(0); // NULL: it does not say. Then what the move answers must do.
    const unsigned char *const was = now == NULL || now == from ? libc_sbrk(-(ptrdiff_t)size) : NULL;
    if (was != NULL && was != from) {
        (void)libc_sbrk((ptrdiff_t)size);
    }
    return was == from;
}

// Bit by bit from above: each that sbrk grants on top of those before stays in the sum.
__attribute__((weak)) size_t cairn_libc_room(void)
{
    size_t room = 0;
    for (size_t bit = ROOM_BIT; bit >= CAIRN_GRANULE; bit /= 2) {
        const unsigned char *const was = libc_sbrk((ptrdiff_t)(room + bit));
        if (was != NULL) {
            (void)lower_break(was + room + bit, room + bit);
            room += bit;
        }
    }
    return room;
}

struct cairn_heap *cairn_libc_heap(void)
{
    return &heap;
}

// ----------------------------------------------------------------------------------------------------------------- the break

static size_t round_up(size_t size)
{
    return (size + CAIRN_GRANULE - 1) & ~(size_t)(CAIRN_GRANULE - 1);
}

static size_t lead_of(const unsigned char *where)
{
    return (0u - (uintptr_t)where) & (CAIRN_GRANULE - 1);
}

static unsigned char *heap_end(void)
{
    struct cairn_heap_stats stats;
    cairn_heap_stats(&heap, &stats);
    return heap.base + stats.size;
}

// Move the break from `where` up by `size`. False where it did not move, or was not there: then it is moved back, or, if others were faster again, the
// memory is lost below what is theirs.
static bool raise_break(const unsigned char *where, size_t size)
{
    const unsigned char *const was = libc_sbrk((ptrdiff_t)size);
    if (was != NULL && was != where) {
        (void)lower_break(was + size, size);
    }
    return was == where;
}

// Make the heap at the break, with room for a request of `need` bytes.
static bool start_heap(unsigned char *where, size_t need)
{
    const size_t lead = lead_of(where);
    const size_t all = cairn_libc_room();
    const size_t some = all < ROOM_MOST ? all : ROOM_MOST;
    const size_t room = some <= lead ? 0 : (some - lead) & ~(size_t)(CAIRN_GRANULE - 1);
    const size_t front = round_up(cairn_heap_control_size(room) + cairn_heap_tags_size(room));
    if (room <= front || need > room - front) {
        return false;
    }
    const size_t least = round_up(front + need + 2 * CAIRN_GRANULE);
    size_t size = least < room && room - least > CAIRN_LIBC_STEP ? least + CAIRN_LIBC_STEP : room;
    if (!raise_break(where, lead + size)) {
        size = least < room ? least : room;
        if (libc_sbrk(0) != where || !raise_break(where, lead + size)) {
            return false;
        }
    }
    const struct cairn_heap_config config = {.max_size = room, .hooks = &hooks};
    if (cairn_heap_init(&heap, where + lead, size, &config) != 0) {
        (void)lower_break(where + lead + size, lead + size);
        return false;
    }
    return true;
}

// Grow the heap by `size` bytes behind a gap, which others took; whole granules both.
static bool grow_heap(unsigned char *where, const unsigned char *end, size_t lead, size_t size)
{
    const size_t gap = (size_t)(where + lead - end);
    const size_t before = (size_t)(end - (unsigned char *)heap.control);
    if (!raise_break(where, lead + size)) {
        return false;
    }
    if (cairn_heap_grow_past_(&heap, gap, before + gap + size) != 0) {
        (void)lower_break(where + lead + size, lead + size);
        return false;
    }
    return true;
}

// Make `need` bytes free in the heap where the break is.
static bool extend_at(unsigned char *where, size_t need)
{
    const unsigned char *const end = heap_end();
    const size_t lead = where == end ? 0 : lead_of(where);
    const size_t top = where == end ? cairn_heap_top_(&heap) : 0;
    const size_t size = top >= need ? 0 : need - top;
    return size == 0 || grow_heap(where, end, lead, round_up(size + CAIRN_LIBC_STEP)) ||
           (libc_sbrk(0) == where && grow_heap(where, end, lead, size));
}

// Make `need` bytes free in one piece at the break, what is free there counted. False: nothing has changed. pre: lock held.
static bool extend(size_t need)
{
    for (unsigned left = BREAK_TRIES; left != 0; left--) {
        unsigned char *const where = libc_sbrk(0);
        if (where == NULL || (heap.control != NULL && where < heap_end())) {
            return false;
        }
        if (heap.control == NULL ? start_heap(where, need) : extend_at(where, need)) {
            return true;
        }
        if (libc_sbrk(0) == where) {
            return false;
        }
    }
    return false;
}

// Cut `size` bytes off a heap that ends at the break. False: nothing has changed.
static bool cut_heap(const unsigned char *end, size_t size)
{
    const size_t total = (size_t)(end - (unsigned char *)heap.control);
    if (cairn_heap_shrink_(&heap, total - size) != 0) {
        return false;
    }
    if (lower_break(end, size)) {
        return true;
    }
    if (cairn_heap_grow_past_(&heap, 0, total) != 0) {
        __builtin_trap(); // it was so long before
    }
    return false;
}

size_t cairn_libc_trim(size_t keep)
{
    const uint32_t key = cairn_libc_lock();
    size_t size = 0;
    if (heap.control != NULL) {
        unsigned char *const end = heap_end();
        const size_t top = cairn_heap_top_(&heap);
        size = top <= keep ? 0 : (top - keep) & ~(size_t)(CAIRN_GRANULE - 1);
        size -= size != 0 && heap.base + size == end ? CAIRN_GRANULE : 0; // a heap has one
        if (size == 0 || libc_sbrk(0) != end || !cut_heap(end, size)) {
            size = 0;
        }
    }
    cairn_libc_unlock(key);
    return size;
}

// ----------------------------------------------------------------------------------------------------------------- the calls

static void *take(size_t alignment, size_t size)
{
    return alignment > CAIRN_GRANULE ? cairn_heap_aligned_alloc_(&heap, alignment, size) : cairn_heap_alloc_(&heap, size);
}

// The heap's search looks at a few blocks of a list. Before a request fails, at all of them.
static void search_all(bool all)
{
    const int error = cairn_heap_set_fit(&heap, CAIRN_FIT_BEST, all ? CAIRN_SEARCH_ALL : CAIRN_SEARCH_DEFAULT);
    (void)error; // there is a heap, and the fit is one
}

static __attribute__((noinline)) void *take_more(size_t alignment, size_t size)
{
    const size_t skip = alignment > CAIRN_GRANULE ? alignment - CAIRN_GRANULE : 0;
    void *block = NULL;
    if (extend(round_up(size + skip))) {
        block = take(alignment, size);
    }
    if (block == NULL && heap.control != NULL) {
        search_all(true);
        block = take(alignment, size);
        search_all(false);
    }
    return block;
}

void *cairn_libc_aligned_alloc(size_t alignment, size_t size)
{
    if (size > SIZE_MOST || alignment > SIZE_MOST || alignment == 0 || (alignment & (alignment - 1)) != 0) {
        return NULL;
    }
    const size_t bytes = size == 0 ? 1 : size;
    const uint32_t key = cairn_libc_lock();
    void *block = take(alignment, bytes);
    if (block == NULL) {
        block = take_more(alignment, bytes);
    }
    cairn_libc_unlock(key);
    return block;
}

void *cairn_libc_alloc(size_t size)
{
    return cairn_libc_aligned_alloc(1, size);
}

void *cairn_libc_calloc(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MOST / size) {
        return NULL;
    }
    void *const block = cairn_libc_alloc(count * size);
    if (block != NULL) {
        memset(block, 0, count * size);
    }
    return block;
}

// Make room for a block that grows: behind it, if it is the last one.
static bool extend_for(void *block, size_t size)
{
    const uint32_t key = cairn_libc_lock();
    const size_t old_size = cairn_heap_usable_size_(&heap, block);
    const bool last = (unsigned char *)block + old_size + cairn_heap_top_(&heap) == heap_end();
    const bool done = round_up(size) > old_size && extend(round_up(size) - (last ? old_size : 0));
    cairn_libc_unlock(key);
    return done;
}

void *cairn_libc_realloc(void *block, size_t size)
{
    if (block == NULL) {
        return cairn_libc_alloc(size);
    }
    if (size == 0 && LIBC_REALLOC_0_FREES) {
        cairn_libc_free(block);
        return NULL;
    }
    if (size > SIZE_MOST || cairn_heap_usable_size(&heap, block) == 0) {
        if (size <= SIZE_MOST) {
            cairn_libc_free(block); // which reports it
        }
        return NULL;
    }
    const size_t bytes = size == 0 ? 1 : size;
    void *to = cairn_heap_realloc(&heap, block, bytes);
    if (to == NULL && extend_for(block, bytes)) {
        to = cairn_heap_realloc(&heap, block, bytes);
    }
    if (to == NULL) {
        // Not under the lock, which realloc leaves while it copies: another thread's request may search all as well, or end this one's early.
        search_all(true);
        to = cairn_heap_realloc(&heap, block, bytes);
        search_all(false);
    }
    return to;
}

void cairn_libc_free(void *block)
{
    if (block != NULL) {
        const uint32_t key = cairn_libc_lock();
        if (heap.control != NULL) {
            cairn_heap_free_(&heap, block);
        } else {
            const struct cairn_report report = {CAIRN_WRONG_POINTER, block, NULL, 0, NULL, NULL};
            cairn_libc_report(&report);
        }
        cairn_libc_unlock(key);
    }
}

size_t cairn_libc_usable_size(void *block)
{
    return cairn_heap_usable_size(&heap, block);
}
