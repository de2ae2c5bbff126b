// SPDX-License-Identifier: MIT
//
// Streams of misses: which pages to bring in ahead, and how many.
//
// OWNS        a table of the last streams, 12 bytes each.
// PICTURE     miss 10: unknown, remembered; miss 11: stride 1, the gate is shut; miss 12: confirmed, the gate opens: bring in 13
//             13 is asked for: bring in 14 15; all of these are asked for: 16 17 18 19 ...; one left unasked: half as many
// INVARIANTS  1. A stream without two confirmed steps brings in nothing.
//             2. window is at most the limit, an eighth of the frames.
// COST        O(STREAMS) a miss; 12 bytes a stream and 8.
// CALLERS     pageout; cairn-pages.
#ifndef CAIRN_VM_STREAM_H
#define CAIRN_VM_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#define STREAMS 8u

struct stream {
    uint32_t last;   // page of the stream that was asked for last
    uint32_t ahead;  // pages brought in beyond it, in strides
    int16_t stride;  // 0: only one page was seen
    uint8_t steps;   // confirmed in a row
    uint8_t window;  // pages to stay ahead
};

struct stream_table {
    uint16_t limit; // of a window
    uint16_t clock; // the next to be replaced
    struct stream streams[STREAMS];
};

struct stream_advice {
    uint32_t first;
    uint32_t stride; // modulo 2^32
    uint32_t count;
};

void stream_init(struct stream_table *table, uint32_t frames);
// A page was asked for that was not there, or (was_ahead) the first time since it was brought in ahead.
void stream_miss(struct stream_table *table, uint32_t page, bool was_ahead, struct stream_advice *advice);
// A page was brought in ahead; one left before it was asked for.
void stream_issued(struct stream_table *table, uint32_t page);
void stream_wasted(struct stream_table *table, uint32_t page);

#endif
