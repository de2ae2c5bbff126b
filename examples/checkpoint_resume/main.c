// SPDX-License-Identifier: MIT
//
// A computation is frozen on one machine and goes on on another. What it knows is in a space; the space is kept in a store, here a memory card; a machine that finds a
// checkpoint on the card goes on from there. Runs as it is on the host and on every board.
//
//   checkpoint_resume                  three machines of its own, one after the other, that differ in frames and tables
//   checkpoint_resume CARD [STEPS]     one machine, and the card in a file: begins, or goes on, for so many steps; then it freezes. Run the next one on another core
#include <cairn/checkpoint.h>
#include <cairn/store.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform.h"
#include "sort.h"

#define PAGE 256u
#define FRAMES_MOST 24u
#define SWAP_PAGES 96u
#define CARD_PAGES 224u

static _Alignas(PAGE) unsigned char frames[FRAMES_MOST * PAGE]; // 6 KB, for 16 KB of words
static _Alignas(8) unsigned char memory[4096], index_memory[4096];
static unsigned char swapped[SWAP_PAGES * PAGE], card_bytes[CARD_PAGES * PAGE];

static struct cairn_store_ram swap_store, card;
static struct cairn_vm vm;
static struct cairn_space space;
static struct cairn_checkpoint checkpoint;
static bool must_resume; // the card is a file with something in it: what is no checkpoint is not written over

// A machine comes up, as it does after a reset: nothing of what was in its RAM counts.
static int come_up(uint32_t frame_count, uint8_t top_bits)
{
    const struct cairn_vm_config config = {.page_shift = 8,
                                           .levels = 2,
                                           .bits = {top_bits, (uint8_t)(10 - top_bits)},
                                           .frames = frames,
                                           .frame_count = frame_count,
                                           .memory = memory,
                                           .size = sizeof memory,
                                           .store = &swap_store.store};
    const struct cairn_image_config its = {.store = &card.store};
    memset(frames, 0xA5, sizeof frames);
    memset(memory, 0xA5, sizeof memory);
    memset(swapped, 0xA5, sizeof swapped);
    int error = cairn_store_ram_init(&swap_store, swapped, sizeof swapped, PAGE, SWAP_PAGES);
    error = error == 0 ? cairn_store_ram_init(&card, card_bytes, sizeof card_bytes, PAGE, CARD_PAGES) : error;
    error = error == 0 ? cairn_vm_init(&vm, &config) : error;
    error = error == 0 ? cairn_space_init(&space, &vm) : error;
    error = error == 0 ? cairn_checkpoint_init(&checkpoint, &its, index_memory, sizeof index_memory) : error;
    cairn_space_switch(&vm, &space);
    return error;
}

static int map(cairn_vaddr_t address, cairn_vaddr_t size)
{
    const struct cairn_map range = {.address = address, .size = size, .protection = CAIRN_READ | CAIRN_WRITE, .flags = CAIRN_MAP_FIXED};
    return cairn_space_map_range(&space, &range, NULL);
}

// Go on from what is on the card, or begin where there is nothing. Returns 0 or an error.
static int begin_or_resume(void)
{
    int error = cairn_checkpoint_restore(&checkpoint, &space, NULL, 0);
    if (error == CAIRN_ENOENT && !must_resume) {
        error = map(SORT_STATE, PAGE);
        error = error == 0 ? map(SORT_RANGES, 4 * PAGE) : error;
        error = error == 0 ? map(SORT_WORDS, 4 * SORT_COUNT) : error;
        error = error == 0 ? sort_begin(&vm) : error;
        printf("begins");
    } else if (error != 0) {
        printf("cannot go on");
    } else {
        uint32_t steps = 0;
        error = sort_steps(&vm, &steps);
        printf("goes on after %" PRIu32 " steps", steps);
    }
    return error;
}

static int freeze(void)
{
    struct cairn_checkpoint_stats stats;
    uint32_t steps = 0;
    int error = sort_steps(&vm, &steps);
    error = error == 0 ? cairn_checkpoint_save(&checkpoint, &space, NULL, 0) : error;
    cairn_checkpoint_stats(&checkpoint, &stats);
    printf(", is frozen after %" PRIu32 ": %" PRIu32 " pages written, %" PRIu32 " of index", steps, stats.put, stats.written - stats.put);
    return error;
}

// One machine's part. *ended: it came to the end. Returns 0 or an error.
static int work(uint32_t steps, bool *ended, uint32_t *result)
{
    uint32_t rule;
    bool is_sorted = false;
    int error = begin_or_resume();
    const int more = error == 0 ? sort_run(&vm, steps) : error;
    *ended = more == 0;
    if (more > 0) {
        error = freeze();
    } else if (more == 0) {
        error = sort_result(&vm, &is_sorted, result);
        printf(", ends: the words are %s, result %08" PRIx32, is_sorted ? "in order" : "in disorder", *result);
        error = error == 0 && !is_sorted ? CAIRN_ECORRUPT : error;
    } else {
        error = more;
    }
    printf("; check: %s%s%s\n", cairn_vm_check(&vm, &rule) == 0 ? "good" : "broken", error != 0 ? "; " : "", error != 0 ? cairn_error_name(error) : "");
    const int left = cairn_space_deinit(&space);
    return error == 0 ? left : error;
}

static int from_card(const char *path, uint32_t steps)
{
    uint32_t result;
    bool ended;
    must_resume = platform_load(path, card_bytes, sizeof card_bytes) != 0;
    const int error = come_up(FRAMES_MOST, 5);
    if (error != 0) {
        printf("the card cannot be used, %s: %s\n", cairn_error_name(error), path);
        return 1;
    }
    printf("this machine: ");
    if (work(steps, &ended, &result) != 0) {
        printf("the card is left as it is: %s\n", path);
        return 1;
    }
    if (!platform_save(path, card_bytes, sizeof card_bytes)) {
        printf("the card cannot be written: %s\n", path);
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        uint32_t frames;
        uint8_t top_bits;
        uint32_t steps;
    } machines[] = {{"one that is not stopped: ", 24, 5, UINT32_MAX},
                    {"first machine: ", 24, 5, 300},
                    {"the same, later: ", 24, 5, 150},
                    {"second, 9 frames: ", 9, 3, 400},
                    {"third, 16 frames: ", 16, 7, UINT32_MAX}};
    uint32_t results[sizeof machines / sizeof *machines] = {0};
    bool ended = false;
    if (argc > 1) {
        char *end = NULL;
        const uint32_t steps = argc > 2 ? (uint32_t)strtoul(argv[2], &end, 10) : UINT32_MAX;
        if (argc > 3 || (end != NULL && (end == argv[2] || *end != '\0'))) {
            printf("usage: checkpoint_resume [CARD [STEPS]]\n");
            return 2;
        }
        return from_card(argv[1], steps);
    }
    for (uint32_t i = 0; i < sizeof machines / sizeof *machines; i++) {
        printf("%s", machines[i].name);
        if (come_up(machines[i].frames, machines[i].top_bits) != 0 || work(machines[i].steps, &ended, &results[i]) != 0)
            return 1;
    }
    printf("the last one's result is %s\n", ended && results[4] == results[0] ? "that of the one that was not stopped" : "wrong");
    return !ended || results[4] != results[0];
}
