// SPDX-License-Identifier: MIT
//
// The heap over time, as a picture: what is sampled, and the call that draws it.
//
// OWNS        struct map: cells and curves.
// PICTURE     address ^  row 399  . . . # #      a cell: what lies in a slice of addresses at a moment: mostly free, or
//                     |  row 0    c c c c c      blocks of one lifetime, the one with the most bytes
//                     +--------------------> time, in operations
// COST        a walk of the heap a column; one byte a cell.
// CALLERS     cairn-replay (map.c samples, map_svg.c draws).
#ifndef CAIRN_PORT_MAP_H
#define CAIRN_PORT_MAP_H

#include "region.h"

#define MAP_COLUMNS 525u
#define MAP_ROWS 400u

// How long a block lives, in operations between its allocation and its free.
enum map_class { MAP_TO_100 = 0, MAP_TO_1000, MAP_TO_10000, MAP_TO_100000, MAP_LONGER, MAP_NEVER_FREED, MAP_CLASSES };

// A cell's value: 0 free, 1 control and tags, else 2 + 2 * class + (is it full?).
enum map_cell { MAP_FREE = 0, MAP_CONTROL = 1, MAP_USED = 2, MAP_CELLS = MAP_USED + 2 * MAP_CLASSES };

// A moment: a column of the picture.
struct map_sample {
    uint32_t op;
    size_t live; // bytes requested
    size_t free;
    size_t largest_free;
};

struct map {
    const struct trace *trace;
    const char *fit;
    uint16_t search;
    size_t region;
    size_t size; // bytes of address shown: the region without the handle
    size_t control_size;
    uint32_t failed;
    uint32_t fragmentation; // largest seen while at least an eighth of the heap was free, in thousandths
    uint32_t columns;
    struct map_sample samples[MAP_COLUMNS];
    unsigned char cells[MAP_ROWS][MAP_COLUMNS]; // row 0: the lowest addresses
};

// Replay the whole trace in `region` bytes and draw it to `path`. Complains and returns false iff that fails; failed operations are drawn.
bool map_draw(struct runner *runner, size_t region, const char *path);

// map_svg.c: write the picture. Returns false with errno set iff it cannot be written.
bool map_write_svg(const struct map *map, const char *path);

#endif
