// SPDX-License-Identifier: MIT
//
// Streams of faults: which pages to bring in ahead, and how many.
//
// OWNS        a table of the last streams, 12 bytes each, and what is known of how often it was right: 136 bytes.
// PICTURE     fault 10: unknown, remembered; 11: a stride of 1, the gate is shut; 12: confirmed, the gate opens: bring in 13
//             13 is asked for: stay 2 pages ahead, then 4, ...; a page leaves that was not asked for: half as many, and the gate shuts
//
//     The gate opens at the second step in a row that is confirmed. The more of what was brought in was for nothing, the later: at the fourth where it was a quarter,
//     at the 16th for three eighths, at the 64th for a half. For nothing is a page that left before it was asked for; and one that made a
//     page leave that was then asked for first.
//
// INVARIANTS  1. A stream whose gate is shut brings in nothing. A page is never advised twice in a stream that goes on.
//             2. window is at most the limit, an eighth of the frames; with less than eight frames nothing is brought in.
//             3. `ahead` is no more than `window`.
// COST        O(STREAM_COUNT) a fault. Nothing at an access that faults not, but for the first to a page that was brought in.
// CALLERS     who handles faults, under the lock of the vm; cairn-pages.
#ifndef CAIRN_VM_STREAM_H
#define CAIRN_VM_STREAM_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

#define STREAM_COUNT 8u
#define STREAM_GONE 8u

struct stream {
    uint32_t last;  // the page of the stream that was asked for last
    int16_t stride; // 0: one page was seen
    uint8_t steps;  // confirmed in a row, 255 at most
    uint8_t window; // pages to stay ahead
    uint8_t ahead;  // pages advised beyond `last`
    uint8_t unused;
    uint16_t time;  // of its last step
};

struct stream_table {
    uint16_t limit; // of a window
    uint16_t time;
    uint8_t useful; // of the last pages that were brought in: asked for, and not; halved together
    uint8_t wasted;
    uint16_t next; // of `gone`, to be replaced
    uint32_t gone[STREAM_GONE]; // pages that left so that others could be brought in
    struct stream streams[STREAM_COUNT];
};

_Static_assert(sizeof(struct stream) == 12, "a stream is 12 bytes");

// Bring in first, first + stride, ...: count pages, but for those that are there. Modulo 2^32.
struct stream_advice {
    uint32_t first;
    uint32_t stride;
    uint32_t count;
};

void cairn_stream_init_(struct stream_table *table, uint32_t frames);
// A page was asked for that was not there, or (was_ahead) the first time since it was brought in ahead.
void cairn_stream_fault_(struct stream_table *table, uint32_t page, bool was_ahead, struct stream_advice *advice);
// A page that was brought in ahead left before it was asked for.
void cairn_stream_waste_(struct stream_table *table, uint32_t page);
// This page left, so that one could be brought in ahead.
void cairn_stream_gone_(struct stream_table *table, uint32_t page);

#endif
