// SPDX-License-Identifier: MIT
//
// The pictures in characters: the heap at a moment, and how long the calls took. At most 79 columns.
//
// OWNS        nothing that outlives a call.
// COST        a row: a walk of the heap.
// CALLERS     main.c.
#ifndef CAIRN_EXAMPLE_PICTURE_H
#define CAIRN_EXAMPLE_PICTURE_H

#include "platform.h"

// The head of the rows: scale and legend.
void picture_head(size_t size);
// The heap now, as a row of cells from the lowest address to the highest. Returns its fragmentation, in thousandths.
uint32_t picture_row(struct cairn_heap *heap, size_t size, uint32_t op, size_t live);

// The table of the tallies and their histogram.
void picture_tallies(const struct tally *tallies);

#endif
