// SPDX-License-Identifier: MIT
//
// A port with nothing in it: copy it, and fill in what the platform has. cairn/port.h holds each entry's contract; test/port proves it.
//
// OWNS: nothing yet. CALLERS: an arena's configuration.
#include "port.h"

// Another core, another thread, an interrupt: whoever could call at the same time is kept out between these two. Remove both from the struct where there
// is nobody.
static uint32_t lock(void *context)
{
    (void)context;
    return 0; // what unlock needs to put things back as they were
}

static void unlock(void *context, uint32_t key)
{
    (void)context;
    (void)key;
}

static uint32_t cycles(void *context)
{
    (void)context;
    return 0; // a counter that runs on
}

static void panic(void *context, const char *why)
{
    (void)context;
    (void)why; // say it where somebody sees it
    for (;;) {
    }
}

// The break: one span that grows and shrinks at its end.
static void *brk(void *context, ptrdiff_t delta)
{
    (void)context;
    (void)delta;
    return NULL; // it cannot be moved
}

static size_t room(void *context)
{
    (void)context;
    return 0;
}

// Maps: separate spans of whole pages.
static void *map(void *context, size_t size, size_t alignment)
{
    (void)context;
    (void)size;
    (void)alignment;
    return NULL; // there are none
}

static int unmap(void *context, void *address, size_t size)
{
    (void)context;
    (void)address;
    (void)size;
    return CAIRN_EINVAL; // it was not mapped here
}

// A longer map that keeps its bytes, where pages can be moved; else leave it out.
static void *remap(void *context, void *address, size_t size, size_t new_size)
{
    (void)context;
    (void)address;
    (void)size;
    (void)new_size;
    return NULL;
}

const struct cairn_port_system template_system = {.lock = lock, .unlock = unlock, .cycles = cycles, .panic = panic};

const struct cairn_port_region template_region = {.brk = brk, .room = room, .map = map, .unmap = unmap, .remap = remap, .page = 4096};
