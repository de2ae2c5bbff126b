// SPDX-License-Identifier: MIT
//
// OWNS        the picture's layout and its colours: Okabe and Ito's (2008), which colour-blind readers tell apart, with a mark of its own for each curve.
// PICTURE     title
//             figures
//             +--------------------+  curve names, highest first, moved apart where they would overlap
//             |                    |  faults per access, logarithmic, over frames, logarithmic
//             +--------------------+
// CALLERS     cairn-pages.
#include "pages_plot.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

#define PAGE_WIDTH 1100
#define PAGE_HEIGHT 680
#define LEFT 96
#define TOP 96
#define WIDTH 840
#define HEIGHT 500
#define RIGHT (LEFT + WIDTH)
#define BOTTOM (TOP + HEIGHT)
#define LABEL_GAP 18
#define NAME_MOST 60 // bytes of a name that are shown
#define INK "#22252b"
#define INK_SOFT "#6a707c"
#define GRID "#e1e4e9"

struct look {
    const char *policy;
    const char *colour;
    double width;
    const char *dash;
    char mark;
};

static const struct look looks[] = {
    {"opt", "#000000", 2.6, "", 'o'},          {"adaptive", "#d55e00", 3.2, "", 'O'},   {"s3fifo", "#0072b2", 1.8, "", 's'},
    {"clockpro", "#009e73", 1.8, "", 'd'},     {"2q", "#cc79a7", 1.8, "", 't'},         {"lru", "#56b4e9", 1.8, "", 'o'},
    {"wsclock", "#e69f00", 1.8, "", 's'},      {"lfu", "#8a6d00", 1.8, "7 3", 'd'},     {"clock", "#5a5fb0", 1.8, "7 3", 't'},
    {"nru", "#7a8a2e", 1.8, "7 3", 'o'},       {"fifo", "#8d939e", 1.8, "2 3", 's'},    {"random", "#b9837c", 1.8, "2 3", 'd'},
};

struct scale {
    double low;
    double high;
};

static const struct look *look_of(const char *policy)
{
    for (unsigned i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        if (strcmp(looks[i].policy, policy) == 0) {
            return &looks[i];
        }
    }
    return &looks[0];
}

void pages_plot_add(struct pages_plot *plot, const char *policy, uint32_t frames, uint32_t faults)
{
    unsigned at = 0;
    while (at < plot->count && strcmp(plot->curves[at].policy, policy) != 0) {
        at++;
    }
    if (at == PLOT_CURVES) {
        return;
    }
    struct pages_curve *const curve = &plot->curves[at];
    plot->count = at == plot->count ? at + 1 : plot->count;
    curve->policy = policy;
    unsigned place = curve->count;
    if (place == PLOT_POINTS) {
        return;
    }
    for (; place > 0 && curve->frames[place - 1] > frames; place--) {
        curve->frames[place] = curve->frames[place - 1];
        curve->faults[place] = curve->faults[place - 1];
    }
    curve->frames[place] = frames;
    curve->faults[place] = faults;
    curve->count++;
}

// ------------------------------------------------------------------------------------------------------------------------- axes

static double along(const struct scale *scale, double value)
{
    return scale->high <= scale->low ? 0.5 : log(value / scale->low) / log(scale->high / scale->low);
}

static double x_of(const struct scale *frames, double value)
{
    return LEFT + 24 + (WIDTH - 48) * along(frames, value);
}

static double y_of(const struct scale *ratios, double value)
{
    return BOTTOM - HEIGHT * along(ratios, value);
}

static double ratio_of(const struct page_trace *trace, uint32_t faults)
{
    return (faults == 0 ? 0.5 : (double)faults) / (double)trace->access_count;
}

static void scales_find(const struct pages_plot *plot, const struct page_trace *trace, struct scale *frames, struct scale *ratios)
{
    *frames = *ratios = (struct scale){HUGE_VAL, 0};
    for (unsigned c = 0; c < plot->count; c++) {
        const struct pages_curve *const curve = &plot->curves[c];
        for (unsigned i = 0; i < curve->count; i++) {
            const double ratio = ratio_of(trace, curve->faults[i]);
            frames->low = fmin(frames->low, curve->frames[i]);
            frames->high = fmax(frames->high, curve->frames[i]);
            ratios->low = fmin(ratios->low, ratio);
            ratios->high = fmax(ratios->high, ratio);
        }
    }
    ratios->low /= 1.15;
    ratios->high = fmin(1, ratios->high * 1.15);
}

static void number_print(char *text, size_t size, double ratio)
{
    if (ratio >= 0.001) {
        snprintf(text, size, "%.*f %%", ratio >= 0.1 ? 0 : ratio >= 0.01 ? 0 : 1, ratio * 100);
    } else {
        snprintf(text, size, "%g %%", ratio * 100);
    }
}

static void ratio_axis(FILE *svg, const struct scale *ratios)
{
    const bool is_wide = ratios->high / ratios->low > 30;
    for (double decade = 1e-7; decade < 1.5; decade *= 10) {
        for (int digit = 1; digit <= 9; digit++) {
            const double value = decade * digit;
            const bool is_named = digit == 1 || (!is_wide && ratios->high / ratios->low < 4) || digit == 2 || digit == 5;
            if (value < ratios->low || value > ratios->high * 1.0001) {
                continue;
            }
            const double y = y_of(ratios, value);
            fprintf(svg, "<path d=\"M%d %.1fH%d\" stroke=\"%s\" stroke-width=\"%s\"/>\n", LEFT, y, RIGHT, GRID, digit == 1 ? "1.4" : "0.7");
            if (is_named) {
                char text[32];
                number_print(text, sizeof text, value);
                fprintf(svg, "<text x=\"%d\" y=\"%.1f\" class=\"number end\">%s</text>\n", LEFT - 10, y + 4, text);
            }
        }
    }
    fprintf(svg, "<text transform=\"translate(26 %d) rotate(-90)\" class=\"axis middle\">faults per access</text>\n", TOP + HEIGHT / 2);
}

static void frame_axis(FILE *svg, const struct pages_plot *plot, const struct page_trace *trace, const struct scale *frames)
{
    double last = -1e9;
    const struct pages_curve *const curve = &plot->curves[0];
    for (unsigned i = 0; i < curve->count; i++) {
        const double x = x_of(frames, curve->frames[i]);
        fprintf(svg, "<path d=\"M%.1f %dV%d\" stroke=\"%s\" stroke-width=\"0.7\"/>\n", x, TOP, BOTTOM, GRID);
        if (x - last >= 34) {
            fprintf(svg, "<text x=\"%.1f\" y=\"%d\" class=\"number middle\">%lu</text>\n", x, BOTTOM + 20, (unsigned long)curve->frames[i]);
            last = x;
        }
    }
    fprintf(svg, "<text x=\"%d\" y=\"%d\" class=\"axis middle\">frames", LEFT + WIDTH / 2, BOTTOM + 48);
    if (trace->page_bytes != 0) {
        fprintf(svg, " of %lu bytes", (unsigned long)trace->page_bytes);
    }
    fputs("</text>\n", svg);
}

// ------------------------------------------------------------------------------------------------------------------------ curves

static void mark(FILE *svg, const struct look *look, double x, double y)
{
    const double size = look->mark == 'O' ? 5 : 3.4;
    switch (look->mark) {
    case 's': fprintf(svg, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"", x - size, y - size, 2 * size, 2 * size); break;
    case 'd': fprintf(svg, "<path d=\"M%.1f %.1fl%.1f %.1fl%.1f %.1fl%.1f %.1fz\"", x, y - 4.6, 4.6, 4.6, -4.6, 4.6, -4.6, -4.6); break;
    case 't': fprintf(svg, "<path d=\"M%.1f %.1fl%.1f %.1fh%.1fz\"", x, y - 4.6, 4.6, 8.0, -9.2); break;
    default: fprintf(svg, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"", x, y, size); break;
    }
    fprintf(svg, " fill=\"%s\" stroke=\"#fff\" stroke-width=\"1\"/>\n", look->colour);
}

static void curve_draw(FILE *svg, const struct pages_curve *curve, const struct page_trace *trace, const struct scale *frames, const struct scale *ratios)
{
    const struct look *const look = look_of(curve->policy);
    fputs("<path d=\"", svg);
    for (unsigned i = 0; i < curve->count; i++) {
        fprintf(svg, "%c%.1f %.1f", i == 0 ? 'M' : 'L', x_of(frames, curve->frames[i]), y_of(ratios, ratio_of(trace, curve->faults[i])));
    }
    fprintf(svg, "\" fill=\"none\" stroke=\"%s\" stroke-width=\"%.1f\" stroke-dasharray=\"%s\" stroke-linejoin=\"round\"/>\n", look->colour, look->width, look->dash);
    for (unsigned i = 0; i < curve->count; i++) {
        mark(svg, look, x_of(frames, curve->frames[i]), y_of(ratios, ratio_of(trace, curve->faults[i])));
    }
}

// Curves in the order of their last points, highest first.
static void order_find(const struct pages_plot *plot, unsigned *order)
{
    for (unsigned c = 0; c < plot->count; c++) {
        const struct pages_curve *const curve = &plot->curves[c];
        unsigned at = c;
        for (; at > 0; at--) {
            const struct pages_curve *const above = &plot->curves[order[at - 1]];
            if (above->faults[above->count - 1] >= curve->faults[curve->count - 1]) {
                break;
            }
            order[at] = order[at - 1];
        }
        order[at] = c;
    }
}

// Each name beside its curve's end; upwards and downwards until none overlaps another.
static void names_draw(FILE *svg, const struct pages_plot *plot, const struct page_trace *trace, const struct scale *frames, const struct scale *ratios)
{
    unsigned order[PLOT_CURVES];
    double at[PLOT_CURVES];
    order_find(plot, order);
    for (unsigned i = 0; i < plot->count; i++) {
        const struct pages_curve *const curve = &plot->curves[order[i]];
        const double wish = y_of(ratios, ratio_of(trace, curve->faults[curve->count - 1]));
        at[i] = i == 0 ? fmax(wish, TOP + 8) : fmax(wish, at[i - 1] + LABEL_GAP);
    }
    double floor = BOTTOM - 4;
    for (unsigned i = plot->count; i-- > 0; floor = at[i] - LABEL_GAP) {
        at[i] = fmin(at[i], floor);
    }
    for (unsigned i = 0; i < plot->count; i++) {
        const struct pages_curve *const curve = &plot->curves[order[i]];
        const struct look *const look = look_of(curve->policy);
        const double end = x_of(frames, curve->frames[curve->count - 1]);
        fprintf(svg, "<path d=\"M%.1f %.1fL%d %.1fH%d\" stroke=\"%s\" stroke-width=\"0.8\" stroke-opacity=\".6\" fill=\"none\"/>\n", end,
                y_of(ratios, ratio_of(trace, curve->faults[curve->count - 1])), RIGHT + 8, at[i], RIGHT + 16, look->colour);
        mark(svg, look, RIGHT + 24, at[i]);
        fprintf(svg, "<text x=\"%d\" y=\"%.1f\" class=\"name\"%s fill=\"%s\">%s</text>\n", RIGHT + 36, at[i] + 4.5,
                look->mark == 'O' || strcmp(look->policy, "opt") == 0 ? " font-weight=\"700\"" : "", look->colour,
                strcmp(curve->policy, "opt") == 0 ? "OPT" : curve->policy);
    }
}

// A trace's name may hold anything that a file's name may, and may be longer than the picture is wide.
static void escaped(FILE *svg, const char *text)
{
    for (const char *const end = text + NAME_MOST; *text != '\0' && text != end; text++) {
        const unsigned char byte = (unsigned char)*text;
        if (byte < 0x20 || byte >= 0x7F || byte == '<' || byte == '>' || byte == '&' || byte == '"') {
            fprintf(svg, "&#%u;", byte < 0x20 || byte >= 0x7F ? '?' : byte);
        } else {
            fputc(byte, svg);
        }
    }
}

bool pages_plot_draw(const struct pages_plot *plot, const struct page_trace *trace, uint32_t tlb, bool is_prefetching, const char *path)
{
    struct scale frames;
    struct scale ratios;
    FILE *const svg = fopen(path, "w");
    if (svg == NULL) {
        tool_complain("%s: %s", path, strerror(errno));
        return false;
    }
    scales_find(plot, trace, &frames, &ratios);
    fprintf(svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n<style>text{font-family:'DejaVu Sans',Helvetica,Arial,sans-serif}"
            ".title{font-size:24px;font-weight:700;fill:" INK "}.figures,.axis{font-size:14px;fill:" INK_SOFT "}.number{font-size:12px;fill:" INK_SOFT "}"
            ".name{font-size:14px}.end{text-anchor:end}.middle{text-anchor:middle}</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
            PAGE_WIDTH, PAGE_HEIGHT, PAGE_WIDTH, PAGE_HEIGHT);
    fprintf(svg, "<text x=\"%d\" y=\"44\" class=\"title\">", LEFT);
    escaped(svg, trace->name);
    fprintf(svg, "</text>\n<text x=\"%d\" y=\"70\" class=\"figures\">%lu accesses to %lu pages  ·  ", LEFT, (unsigned long)trace->access_count,
            (unsigned long)trace->page_count);
    if (tlb != 0) {
        fprintf(svg, "policies see what fills a TLB of %lu", (unsigned long)tlb);
    } else {
        fputs("policies see every access", svg);
    }
    fprintf(svg, "%s</text>\n", is_prefetching ? "  ·  streams are prefetched, not by OPT" : "");
    ratio_axis(svg, &ratios);
    frame_axis(svg, plot, trace, &frames);
    for (unsigned turn = 0; turn < 2; turn++) { // OPT and adaptive are drawn last
        for (unsigned c = 0; c < plot->count; c++) {
            if ((look_of(plot->curves[c].policy)->width > 2) == (turn != 0)) {
                curve_draw(svg, &plot->curves[c], trace, &frames, &ratios);
            }
        }
    }
    names_draw(svg, plot, trace, &frames, &ratios);
    fputs("</svg>\n", svg);
    const bool is_written = ferror(svg) == 0;
    if (fclose(svg) != 0 || !is_written) {
        tool_complain("%s: %s", path, strerror(errno));
        return false;
    }
    return true;
}
