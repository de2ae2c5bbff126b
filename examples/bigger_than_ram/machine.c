// SPDX-License-Identifier: MIT
//
// OWNS        as machine.h says.
// CALLERS     as machine.h says.
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>

#include "platform.h"
#include "way.h"

#define PAGE (1u << MACHINE_PAGE_SHIFT)
#define SLOTS 1024u

struct machine machine;

static _Alignas(PAGE) unsigned char frames[MACHINE_FRAMES * PAGE];
static _Alignas(8) unsigned char memory[8192];

// ------------------------------------------------------------------------------------------------------------------------ store

static volatile uint32_t elsewhere[SLOTS][PAGE / 4]; // volatile: word by word, as from a device

static int store_read(void *context, uint32_t slot, void *page)
{
    uint32_t *const words = page;
    (void)context;
    platform_lap();
    for (unsigned at = 0; at < PAGE / 4; at++) {
        words[at] = elsewhere[slot][at];
    }
    return 0;
}

static int store_write(void *context, uint32_t slot, const void *page)
{
    const uint32_t *const words = page;
    (void)context;
    platform_lap();
    for (unsigned at = 0; at < PAGE / 4; at++) {
        elsewhere[slot][at] = words[at];
    }
    return 0;
}

static const struct cairn_port_store store = {.read = store_read, .write = store_write, .page = PAGE, .slots = SLOTS};

// ---------------------------------------------------------------------------------------------------------------------- machine

void machine_stop(const char *why)
{
    printf("bigger_than_ram: %s\n", why);
    exit(1);
}

void machine_start(void)
{
    const struct cairn_vm_config config = {.page_shift = MACHINE_PAGE_SHIFT,
                                           .levels = 2,
                                           .bits = {6, 6}, // 2 MB of addresses
                                           .tlb = 16,
                                           .frames = frames,
                                           .frame_count = MACHINE_FRAMES,
                                           .memory = memory,
                                           .size = sizeof memory,
                                           .policy = &cairn_policy_clock,
                                           .store = &store};
    if (cairn_vm_init(&machine.vm, &config) != 0 || cairn_space_init(&machine.space, &machine.vm) != 0 ||
        cairn_space_map(&machine.space, &machine.array, MACHINE_ARRAY, 4 * WORDS, CAIRN_READ | CAIRN_WRITE) != 0 ||
        cairn_space_map(&machine.space, &machine.index, MACHINE_INDEX, 4 * INDEX_WORDS, CAIRN_READ | CAIRN_WRITE) != 0) {
        machine_stop("no vm could be made");
    }
    cairn_space_switch(&machine.vm, &machine.space);
}
