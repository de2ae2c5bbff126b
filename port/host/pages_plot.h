// SPDX-License-Identifier: MIT
//
// Miss ratios over frames, as a picture.
//
// OWNS        struct pages_plot: the points.
// CALLERS     cairn-pages.
#ifndef CAIRN_PORT_PAGES_PLOT_H
#define CAIRN_PORT_PAGES_PLOT_H

#include "page_trace.h"

#define PLOT_CURVES 12u
#define PLOT_POINTS 64u

struct pages_curve {
    const char *policy;
    unsigned count;
    uint32_t frames[PLOT_POINTS];
    uint32_t faults[PLOT_POINTS];
};

struct pages_plot {
    unsigned count;
    struct pages_curve curves[PLOT_CURVES];
};

// Points of a policy stand in the order of their frames; more than there is room for are left out.
void pages_plot_add(struct pages_plot *plot, const char *policy, uint32_t frames, uint32_t faults);
// Draw it. Complains and returns false iff the file cannot be written.
bool pages_plot_draw(const struct pages_plot *plot, const struct page_trace *trace, uint32_t tlb, bool is_prefetching, const char *path);

#endif
