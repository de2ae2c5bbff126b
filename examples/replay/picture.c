// SPDX-License-Identifier: MIT
//
// OWNS        as picture.h says.
// CALLERS     main.c.
#include "picture.h"

#include <stdio.h>
#include <string.h>

#define CELLS 48u
#define BAR_MOST 14u

// --------------------------------------------------------------------------------------------------------------- heap in a row

struct row {
    uintptr_t start;
    size_t size;
    size_t used[CELLS]; // bytes
};

static size_t cell_start(const struct row *row, size_t cell)
{
    return (size_t)((uint64_t)row->size * cell / CELLS);
}

static int row_visit(void *context, const struct cairn_block *block)
{
    struct row *const row = context;
    if (!block->used) {
        return 0;
    }
    const size_t start = (size_t)((uintptr_t)block->address - row->start);
    const size_t end = start + block->size;
    for (size_t cell = (size_t)((uint64_t)start * CELLS / row->size); cell < CELLS && cell_start(row, cell) < end; cell++) {
        const size_t low = cell_start(row, cell) > start ? cell_start(row, cell) : start;
        const size_t high = cell_start(row, cell + 1) < end ? cell_start(row, cell + 1) : end;
        row->used[cell] += high > low ? high - low : 0;
    }
    return 0;
}

// The bytes from the region's start: control and tags count as used.
static void row_fill(struct row *row, struct cairn_heap *heap, size_t size)
{
    memset(row, 0, sizeof *row);
    row->start = (uintptr_t)heap->control;
    row->size = size;
    const struct cairn_block front = {(void *)row->start, (size_t)((uintptr_t)heap->base - row->start), true};
    (void)row_visit(row, &front);
    (void)cairn_heap_walk(heap, row_visit, row);
}

static char cell_character(const struct row *row, size_t cell)
{
    const size_t size = cell_start(row, cell + 1) - cell_start(row, cell);
    const size_t used = row->used[cell];
    return used * 16 >= size * 15 ? '#' : used * 2 >= size ? '+' : used * 16 > size ? '-' : '.';
}

void picture_head(size_t size)
{
    printf("\nThe heap while it runs, low addresses left; a cell is %lu bytes.\n", (unsigned long)(size / CELLS));
    printf("  # full   + more than half   - less   . free\n\n");
    printf("  %7s  %-*s %8s  %6s\n", "op", (int)CELLS, "heap", "live", "frag");
}

uint32_t picture_row(struct cairn_heap *heap, size_t size, uint32_t op, size_t live)
{
    struct row row;
    char cells[CELLS + 1];
    struct cairn_heap_stats stats;
    row_fill(&row, heap, size);
    for (size_t cell = 0; cell < CELLS; cell++) {
        cells[cell] = cell_character(&row, cell);
    }
    cells[CELLS] = '\0';
    cairn_heap_stats(heap, &stats);
    printf("  %7lu  %s %8lu  %3lu.%lu%%\n", (unsigned long)op, cells, (unsigned long)live, (unsigned long)stats.fragmentation / 10,
           (unsigned long)stats.fragmentation % 10);
    return stats.fragmentation;
}

// -------------------------------------------------------------------------------------------------------------------- histogram

static void tally_line(const struct tally *tally)
{
    const uint64_t tenths = tally->calls == 0 ? 0 : (tally->sum * 10 + tally->calls / 2) / tally->calls;
    printf("  %-10s %10lu %10lu.%lu %10lu\n", tally->name, (unsigned long)tally->calls, (unsigned long)(tenths / 10), (unsigned long)(tenths % 10),
           (unsigned long)tally->longest);
}

// A share of the calls, and a bar: the longest of its column is full, any call at all is at least a dot.
static void bar_print(const struct tally *tally, uint32_t bar, bool is_last)
{
    char text[BAR_MOST + 1];
    uint64_t most = 1;
    for (uint32_t at = 0; at <= TALLY_BARS; at++) {
        most = tally->bars[at] > most ? tally->bars[at] : most;
    }
    const uint64_t calls = tally->bars[bar];
    if (calls == 0) {
        printf("%*s", is_last ? 0 : 8 + (int)BAR_MOST, "");
        return;
    }
    const uint64_t length = (calls * BAR_MOST + most / 2) / most;
    memset(text, '#', (size_t)length);
    strcpy(text + length, length == 0 ? "." : "");
    const unsigned long tenths = (unsigned long)((calls * 1000 + tally->calls / 2) / tally->calls);
    printf("  %3lu.%lu %-*s", tenths / 10, tenths % 10, is_last ? 0 : (int)BAR_MOST, text);
}

static bool is_bar_empty(const struct tally *tallies, uint32_t bar)
{
    return tallies[TALLY_MALLOC].bars[bar] == 0 && tallies[TALLY_FREE].bars[bar] == 0 && tallies[TALLY_REALLOC].bars[bar] == 0;
}

void picture_tallies(const struct tally *tallies)
{
    uint32_t first = 0;
    uint32_t last = TALLY_BARS;
    while (first < TALLY_BARS && is_bar_empty(tallies, first)) {
        first++;
    }
    while (last > first && is_bar_empty(tallies, last)) {
        last--;
    }
    printf("\nInstructions a call (of the call, the body and the return; not cycles)\n\n");
    printf("  %-10s %10s %12s %10s\n", "", "calls", "average", "longest");
    for (unsigned kind = 0; kind < TALLIES; kind++) {
        tally_line(&tallies[kind]);
    }
    printf("\n  %-7s", "");
    for (unsigned kind = 0; kind < TALLIES; kind++) {
        char title[32];
        snprintf(title, sizeof title, "%s, %%", tallies[kind].name);
        printf("  %-*s", kind + 1 == TALLIES ? 0 : 6 + (int)BAR_MOST, title);
    }
    printf("\n");
    for (uint32_t bar = first; bar <= last; bar++) {
        char range[16];
        if (bar == TALLY_BARS) {
            snprintf(range, sizeof range, "%u..", (unsigned)(TALLY_BARS * TALLY_WIDTH));
        } else {
            snprintf(range, sizeof range, "%lu-%lu", (unsigned long)(bar * TALLY_WIDTH), (unsigned long)(bar * TALLY_WIDTH + TALLY_WIDTH - 1));
        }
        printf("  %7s", range);
        for (unsigned kind = 0; kind < TALLIES; kind++) {
            bar_print(&tallies[kind], bar, kind + 1 == TALLIES);
        }
        printf("\n");
    }
}
