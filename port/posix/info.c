// SPDX-License-Identifier: MIT
//
// What glibc has beside malloc(3): figures, and settings.
//
// OWNS        nothing; the arena has the figures, its configuration the settings.
// INVARIANTS  1. Nothing here allocates, or prints through a stream that may.
//             2. A setting is taken before the first request, or not at all: nothing that the arena keeps depends on one that changed behind its back.
// COST        the figures: O(regions + mapped blocks), trim O(memory), with the lock.
// CALLERS     programs that malloc.c is loaded into; mallinfo(3), malloc_stats(3), malloc_trim(3) and mallopt(3) say what each call does.
#define _GNU_SOURCE
#include "posix.h"
#include "preload.h"

#if defined(__GLIBC__) // other C libraries have none of it
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#if !__GLIBC_PREREQ(2, 33)
struct mallinfo2 {
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};
EXPORT struct mallinfo2 mallinfo2(void);
#endif

EXPORT struct mallinfo2 mallinfo2(void)
{
    struct cairn_arena_stats stats;
    cairn_arena_stats(preload_arena(), &stats);
    return (struct mallinfo2){
        .arena = stats.used + stats.free,
        .ordblks = stats.free_blocks,
        .hblks = stats.mapped_blocks,
        .hblkhd = stats.mapped,
        .uordblks = stats.used,
        .fordblks = stats.free,
        .keepcost = stats.top,
    };
}

static int at_most(size_t figure)
{
    return figure < INT_MAX ? (int)figure : INT_MAX;
}

EXPORT struct mallinfo mallinfo(void)
{
    const struct mallinfo2 figures = mallinfo2();
    return (struct mallinfo){
        .arena = at_most(figures.arena),
        .ordblks = at_most(figures.ordblks),
        .hblks = at_most(figures.hblks),
        .hblkhd = at_most(figures.hblkhd),
        .uordblks = at_most(figures.uordblks),
        .fordblks = at_most(figures.fordblks),
        .keepcost = at_most(figures.keepcost),
    };
}

EXPORT void malloc_stats(void)
{
    const struct mallinfo2 figures = mallinfo2();
    const size_t values[] = {figures.arena, figures.uordblks, figures.fordblks, figures.keepcost, figures.ordblks, figures.hblks, figures.hblkhd};
    static const char names[][20] = {"bytes in the heap ", "     in use       ", "     free         ", "     at its end   ",
                                     "free blocks       ", "mapped blocks     ", "mapped bytes      "};
    char text[512];
    size_t at = append(text, 0, "cairn:\n");
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        at = append(text, append_number(text, append(text, at, names[i]), values[i]), "\n");
    }
    if (write(STDERR_FILENO, text, at) < 0) {
        // there is nobody to tell
    }
}

// The whole pages of a free block, but for what the heap has at its end (LAYOUT: two granules). context: has any page gone?
static int discard(void *context, const struct cairn_block *block)
{
    const uintptr_t page = posix_region.page;
    const uintptr_t from = ((uintptr_t)block->address + page - 1) & ~(page - 1);
    const uintptr_t to = ((uintptr_t)block->address + block->size - 2 * CAIRN_GRANULE) & ~(page - 1);
    if (!block->used && from < to && madvise((void *)from, to - from, MADV_DONTNEED) == 0) {
        *(bool *)context = true;
    }
    return 0;
}

EXPORT int malloc_trim(size_t keep)
{
    bool is_less = cairn_arena_trim(preload_arena(), keep) != 0;
    (void)cairn_arena_walk(preload_arena(), discard, &is_less);
    return is_less;
}

// Negative values are larger than any size.
EXPORT int mallopt(int what, int value)
{
    struct cairn_arena_config *const config = preload_config();
    const size_t size = value == 0 ? 1 : (size_t)value; // 0 would be the arena's own choice
    if (config == NULL) {
        return 0;
    }
    switch (what) {
    case M_MMAP_THRESHOLD:
        config->threshold = size;
        break;
    case M_TRIM_THRESHOLD:
        config->trim = size;
        break;
    case M_TOP_PAD:
        if (value < 0) {
            return 0;
        }
        config->step = size;
        break;
    default:
        return 0;
    }
    config->threshold_max = 0; // whoever sets one of them wants what he set
    return 1;
}

// Of a whole number, decimal; what is larger than an int is larger than any size.
static void take(const char *name, int what)
{
    const char *text = secure_getenv(name);
    long long value = 0;
    if (text == NULL || *text == 0) {
        return;
    }
    for (; *text >= '0' && *text <= '9' && value <= INT_MAX; text++) {
        value = value * 10 + (*text - '0');
    }
    if (value > INT_MAX) {
        (void)mallopt(what, what == M_TOP_PAD ? INT_MAX : -1);
    } else if (*text == 0) {
        (void)mallopt(what, (int)value);
    }
}

void preload_read_settings(void)
{
    // Not constant: it is read in every program, and among the constants it would bring their pages, and those of the tables for unwinding, into memory.
    static struct setting {
        char name[24];
        int what;
    } settings[] = {{"MALLOC_MMAP_THRESHOLD_", M_MMAP_THRESHOLD}, {"MALLOC_TRIM_THRESHOLD_", M_TRIM_THRESHOLD}, {"MALLOC_TOP_PAD_", M_TOP_PAD}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        take(settings[i].name, settings[i].what);
    }
}
#else
void preload_read_settings(void)
{
}
#endif
