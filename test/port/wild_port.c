// SPDX-License-Identifier: MIT
//
// OWNS        wild_port.h says what.
// CALLERS     test_arena_random.c.
#include "wild_port.h"

#include <string.h>

struct wild_port wild_port;
static _Alignas(64) unsigned char span[WILD_SPAN];
static _Alignas(WILD_PAGE) unsigned char pages[WILD_PAGES * WILD_PAGE];
static const struct baremetal_memory memory = {span, span + WILD_SPAN, &wild_port.at, pages, wild_port.used, WILD_PAGES, WILD_PAGE};
#define CONTEXT ((void *)(uintptr_t)&memory)

static bool chance(uint32_t of_256)
{
    return prng_below(&wild_port.prng, 256) < of_256;
}

static bool fails(void)
{
    assert_int_equal(wild_port.depth, 1);
    const bool now = chance(wild_port.fail);
    wild_port.failed += now;
    return now;
}

void wild_take(size_t size)
{
    unsigned char *const theirs = wild_port.their_count == WILD_THEIRS ? NULL : baremetal_brk(CONTEXT, (ptrdiff_t)size);
    if (theirs != NULL) {
        memset(theirs, 0x77, size);
        wild_port.theirs[wild_port.their_count].address = theirs;
        wild_port.theirs[wild_port.their_count].size = size;
        wild_port.their_count++;
    }
}

void wild_give(void)
{
    const uint32_t last = wild_port.their_count - 1;
    if (wild_port.their_count != 0 && wild_port.theirs[last].address + wild_port.theirs[last].size == wild_port.at) {
        assert_non_null(baremetal_brk(CONTEXT, -(ptrdiff_t)wild_port.theirs[last].size));
        wild_port.their_count--;
    }
}

// Others are faster than a call that moves the break down, and write only when it is back where they had it: not before the next call, which moves it there.
static void *lower_raced(void *context, ptrdiff_t delta)
{
    const uint32_t before = wild_port.their_count;
    wild_take(1 + prng_below(&wild_port.prng, 40));
    wild_port.unwritten = wild_port.their_count != before;
    unsigned char *const was = baremetal_brk(context, delta);
    memset(was + delta, 0xA5, (size_t)-delta);
    return was;
}

static void *raise_again(void *context, ptrdiff_t delta)
{
    void *const was = baremetal_brk(context, delta);
    wild_port.unwritten = false;
    assert_true(delta > 0 && was != NULL);
    memset(wild_port.theirs[wild_port.their_count - 1].address, 0x77, wild_port.theirs[wild_port.their_count - 1].size);
    assert_ptr_equal(wild_port.theirs[wild_port.their_count - 1].address + wild_port.theirs[wild_port.their_count - 1].size, wild_port.at);
    return was;
}

static void *brk(void *context, ptrdiff_t delta)
{
    if (wild_port.unwritten) {
        return raise_again(context, delta);
    }
    if (delta != 0 && fails()) {
        return NULL;
    }
    if (chance(wild_port.meddle)) {
        wild_port.meddled++;
        if (delta < 0) {
            return lower_raced(context, delta);
        }
        wild_take(1 + prng_below(&wild_port.prng, 40));
    }
    unsigned char *const was = baremetal_brk(context, delta);
    if (was != NULL && delta < 0) {
        memset(was + delta, 0xA5, (size_t)-delta);
    }
    return was;
}

static void *map(void *context, size_t size, size_t alignment)
{
    assert_true(size != 0 && size % WILD_PAGE == 0 && alignment >= WILD_PAGE && (alignment & (alignment - 1)) == 0);
    return fails() ? NULL : baremetal_map(context, size, alignment);
}

static int unmap(void *context, void *address, size_t size)
{
    if (fails()) {
        return CAIRN_ENOMEM;
    }
    assert_int_equal(baremetal_unmap(context, address, size), 0); // whole pages that were mapped
    memset(address, 0xA5, size);
    return 0;
}

// Where it is if there is room, else where there is.
static void *remap(void *context, void *address, size_t size, size_t new_size)
{
    assert_true(new_size > size && size % WILD_PAGE == 0 && new_size % WILD_PAGE == 0);
    unsigned char *const to = fails() ? NULL : baremetal_map(context, new_size, WILD_PAGE);
    if (to != NULL) {
        memcpy(to, address, size);
        assert_int_equal(baremetal_unmap(context, address, size), 0);
        memset(address, 0xA5, size);
    }
    return to;
}

struct cairn_port_region wild_begin(uint32_t seed)
{
    memset(&wild_port, 0, sizeof wild_port);
    memset(span, 0xA5, sizeof span);
    memset(pages, 0xA5, sizeof pages);
    prng_seed(&wild_port.prng, seed);
    return (struct cairn_port_region){
        .context = CONTEXT, .brk = brk, .room = baremetal_room, .map = map, .unmap = unmap, .remap = remap, .page = WILD_PAGE};
}

// ------------------------------------------------------------------------------------------------------------------ looking

bool wild_is_theirs(const void *address)
{
    bool found = false;
    for (uint32_t i = 0; i < wild_port.their_count; i++) {
        found = found || (uintptr_t)address - (uintptr_t)wild_port.theirs[i].address < wild_port.theirs[i].size;
    }
    return found;
}

bool wild_is_untouched(void)
{
    for (uint32_t i = 0; i < wild_port.their_count; i++) {
        for (size_t at = 0; at < wild_port.theirs[i].size; at++) {
            if (wild_port.theirs[i].address[at] != 0x77) {
                return false;
            }
        }
    }
    return true;
}

size_t wild_theirs(void)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < wild_port.their_count; i++) {
        bytes += wild_port.theirs[i].size;
    }
    return bytes;
}

size_t wild_held(void)
{
    size_t bytes = WILD_SPAN - baremetal_room(CONTEXT);
    for (uint32_t page = 0; page < WILD_PAGES; page++) {
        bytes += (wild_port.used[page / 32] >> page % 32 & 1) * (size_t)WILD_PAGE;
    }
    return bytes;
}

bool wild_is_page(const void *address)
{
    return (uintptr_t)address - (uintptr_t)pages < sizeof pages;
}

// ------------------------------------------------------------------------------------------------------------------ the lock

// Before the lock is had, another thread may have it.
static uint32_t lock(void *context)
{
    struct wild_port *const its = context;
    void (*const other)(void) = its->other;
    assert_int_equal(its->depth, 0);
    if (other != NULL && chance(100)) {
        its->other = NULL; // one at a time
        other();
        its->other = other;
    }
    its->depth++;
    return 0xC0FFEE;
}

static void unlock(void *context, uint32_t key)
{
    struct wild_port *const its = context;
    assert_int_equal(key, 0xC0FFEE);
    assert_int_equal(--its->depth, 0);
}

const struct cairn_port_system wild_system = {.context = &wild_port, .lock = lock, .unlock = unlock};
