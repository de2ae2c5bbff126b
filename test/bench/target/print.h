// SPDX-License-Identifier: MIT
//
// OWNS        a line of text on the caller's stack, and its way to the host: the same code whichever C library is linked.
// COST        one trap a line.
// CALLERS     the bench programs; one thread.
#ifndef CAIRN_BENCH_PRINT_H
#define CAIRN_BENCH_PRINT_H

#include <stdint.h>

#include "tally.h"

struct line {
    uint32_t used;
    char text[200];
};

void line_text(struct line *line, const char *text);
void line_number(struct line *line, uint32_t number);

// One digit behind the point, rounded; 0.0 of nothing.
void line_average(struct line *line, uint64_t sum, uint32_t count);

// The whole line name,calls,average,maximum.
void line_tally(struct line *line, const char *name, const struct tally *tally);

// Adds a newline, writes the line to standard output, and empties it.
void line_end(struct line *line);

#endif
