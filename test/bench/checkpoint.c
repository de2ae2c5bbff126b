// SPDX-License-Identifier: MIT
//
// What a checkpoint writes beside the pages that were stored to.
//
//   checkpoint    prints page bytes,pages of the space,pages stored to,saves,slots written beside them in all saves,in percent of the pages stored to
//
// OWNS        a space of 1024 pages over 64 frames, its store, and a store for checkpoints; all made anew for each size of page.
// PICTURE     so many pages are stored to, all different, and the space is kept; again, until the chain of the index was gone round twice
// INVARIANTS  1. Counted as test_checkpoint_figures counts, which holds the limit: by cairn_checkpoint_stats.
// COST        some thousand saves, seconds.
// CALLERS     checkpoints.py. Not a timing: the same on every machine.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cairn/access.h"
#include "cairn/checkpoint.h"
#include "cairn/store.h"
#include "prng.h"

#define PAGE_MOST 1024u
#define PAGES 1024u
#define FRAMES 64u
#define SLOTS (2 * PAGES + 256)

static unsigned char slots[SLOTS * PAGE_MOST], swapped[PAGES * PAGE_MOST];
static _Alignas(PAGE_MOST) unsigned char frames[FRAMES * PAGE_MOST];
static _Alignas(8) unsigned char memory[65536], index_memory[65536];
static struct cairn_store_ram ram, swap;
static struct cairn_vm vm;
static struct cairn_space space;
static struct cairn_checkpoint checkpoint;
static struct prng prng;

static bool begin(uint32_t page, uint8_t shift)
{
    const struct cairn_vm_config config = {.page_shift = shift,
                                           .levels = 2,
                                           .bits = {6, 6},
                                           .frames = frames,
                                           .frame_count = FRAMES,
                                           .memory = memory,
                                           .size = sizeof memory,
                                           .store = &swap.store};
    const struct cairn_map map = {.address = page, .size = PAGES * page, .protection = CAIRN_READ | CAIRN_WRITE, .flags = CAIRN_MAP_FIXED};
    const struct cairn_image_config image = {.store = &ram.store};
    prng_seed(&prng, 1);
    memset(slots, 0, sizeof slots);
    if (cairn_store_ram_init(&ram, slots, SLOTS * page, page, SLOTS) != 0 || cairn_store_ram_init(&swap, swapped, PAGES * page, page, PAGES) != 0 ||
        cairn_vm_init(&vm, &config) != 0 || cairn_space_init(&space, &vm) != 0 || cairn_space_map_range(&space, &map, NULL) != 0) {
        return false;
    }
    cairn_space_switch(&vm, &space);
    return cairn_checkpoint_init(&checkpoint, &image, index_memory, sizeof index_memory) == 0;
}

// Store to so many pages and keep the space. Returns the slots that were written beside them.
static uint32_t save(uint32_t page, uint32_t count)
{
    static bool is_stored[PAGES];
    struct cairn_checkpoint_stats stats;
    memset(is_stored, 0, sizeof is_stored);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = prng_below(&prng, PAGES);
        while (is_stored[at]) {
            at = prng_below(&prng, PAGES);
        }
        is_stored[at] = true;
        if (cairn_vm_store32(&vm, page + at * page + 4 * prng_below(&prng, page / 4), prng_below(&prng, UINT32_MAX)) != 0) {
            exit(1);
        }
    }
    if (cairn_checkpoint_save(&checkpoint, &space, NULL, 0) != 0) {
        exit(1);
    }
    cairn_checkpoint_stats(&checkpoint, &stats);
    if (stats.dropped != 0 || stats.written < count) {
        exit(1);
    }
    return stats.written - count;
}

int main(void)
{
    static const uint32_t counts[] = {1, 8, 16, 64, 128, 512};
    for (uint8_t shift = 10; shift >= 7; shift--) {
        const uint32_t page = 1u << shift;
        if (!begin(page, shift)) {
            return 1;
        }
        (void)save(page, PAGES);
        for (uint32_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            const uint32_t rounds = 66;
            uint32_t beside = 0;
            for (uint32_t round = 0; round < rounds; round++) {
                beside += save(page, counts[i]);
            }
            printf("%u,%u,%u,%u,%u,%.2f\n", (unsigned)page, PAGES, (unsigned)counts[i], (unsigned)rounds, (unsigned)beside, 100.0 * beside / rounds / counts[i]);
        }
        if (cairn_space_deinit(&space) != 0) {
            return 1;
        }
    }
    return 0;
}
