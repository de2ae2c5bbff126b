// SPDX-License-Identifier: MIT
//
// The picture of a heap over time, as SVG.
//
// OWNS        the page's layout and its colours.
// PICTURE     title                                         (1200 x 720)
//             figures
//             legend
//             +--------------------------------+  map: address upwards, time to the right; the bytes requested as a line,
//             |                                |       their peak as a dashed one, in the same scale
//             +--------------------------------+
//             +--------------------------------+  free bytes, and those of the largest free block
//             operations
// COST        a run of equal cells in a row is six bytes or so: 100 to 500 KB.
// CALLERS     map.c.
#include "map.h"

#include <errno.h>
#include <math.h>

#define PAGE_WIDTH 1200
#define PAGE_HEIGHT 720
#define LEFT 92
#define WIDTH 1050 // 2 a column
#define MAP_TOP 122
#define MAP_HEIGHT 400 // 1 a row
#define MAP_BOTTOM (MAP_TOP + MAP_HEIGHT)
#define FREE_TOP (MAP_BOTTOM + 40)
#define FREE_HEIGHT 84
#define FREE_BOTTOM (FREE_TOP + FREE_HEIGHT)
#define NAME_MOST 60 // bytes of a name that are shown
#define INK "#22252b"
#define INK_SOFT "#6a707c"
#define PAPER_FREE "#eef0f2"
#define GRID "#c9ced6"

static const char *const class_names[MAP_CLASSES] = {"100", "1,000", "10,000", "100,000 operations", "longer", "never freed"};
// Full and half-full cells of each class.
static const char *const class_colours[MAP_CLASSES][2] = {
    {"#f7e3ae", "#f6bd3b"}, {"#f3c9ab", "#ee7733"}, {"#e6b3c4", "#cc3367"},
    {"#d3b7de", "#8b43a6"}, {"#b5b6da", "#38398c"}, {"#a9cdd0", "#12757f"},
};

static const char *cell_colour(uint32_t cell)
{
    return cell == MAP_CONTROL ? "#8d939e" : class_colours[(cell - MAP_USED) / 2][(cell - MAP_USED) % 2];
}

// 1234567 as 1,234,567, in one of four buffers by turns.
static const char *grouped(uint64_t value)
{
    static char buffers[4][32];
    static unsigned turn;
    char *const end = buffers[turn++ % 4] + 31;
    char *at = end;
    unsigned digits = 0;
    *at = '\0';
    do {
        if (digits != 0 && digits % 3 == 0) {
            *--at = ',';
        }
        *--at = (char)('0' + value % 10);
        digits++;
        value /= 10;
    } while (value != 0);
    return at;
}

static double x_of(const struct map *map, uint64_t op)
{
    return LEFT + (double)WIDTH * (double)op / (map->trace->op_count == 0 ? 1 : map->trace->op_count);
}

static double y_of(const struct map *map, size_t address)
{
    return MAP_BOTTOM - (double)MAP_HEIGHT * (double)address / (double)map->size;
}

// The smallest of 1, 2, 5, 10 ... times `unit` that divides `range` into at most `most` parts; binary: 1, 2, 4 ...
static uint64_t tick_step(uint64_t range, uint64_t unit, unsigned most, bool is_binary)
{
    uint64_t step = unit;
    for (unsigned turn = 0; range / step > most; turn++) {
        step = is_binary || turn % 3 != 1 ? step * 2 : step / 2 * 5;
    }
    return step;
}

// Addresses are shown in KB, those of a tiny heap in bytes and those of a large one in MB.
static uint64_t unit_of(const struct map *map)
{
    return map->size < 4096 ? 1 : map->size < (size_t)16 << 20 ? 1024 : 1024 * 1024;
}

static const char *unit_name(const struct map *map)
{
    return unit_of(map) == 1 ? "bytes" : unit_of(map) == 1024 ? "KB" : "MB";
}

// --------------------------------------------------------------------------------------------------------------------- headings

static void text_at(FILE *svg, double x, double y, const char *style, const char *text)
{
    fprintf(svg, "<text x=\"%.1f\" y=\"%.1f\" %s>%s</text>\n", x, y, style, text);
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

static void heading(FILE *svg, const struct map *map)
{
    fprintf(svg, "<text x=\"%d\" y=\"42\" class=\"title\">", LEFT);
    escaped(svg, map->trace->name);
    // With the failures behind it the line is longer.
    fprintf(svg, "</text>\n<text x=\"%d\" y=\"66\" class=\"figures\"%s>%s operations, %s fit", LEFT, map->failed != 0 ? " style=\"font-size:12px\"" : "",
            grouped(map->trace->op_count), map->fit);
    if (map->search == CAIRN_SEARCH_ALL) {
        fputs(", searching all", svg);
    } else {
        fprintf(svg, ", searching %lu", (unsigned long)map->search);
    }
    fprintf(svg, "  ·  peak %s bytes in a region of %s: <tspan class=\"strong\">ratio %.4f</tspan>", grouped(map->trace->peak),
            grouped(map->region), map->trace->peak == 0 ? 0 : (double)map->region / (double)map->trace->peak);
    fprintf(svg, "  ·  worst fragmentation %.1f %%", map->fragmentation / 10.0);
    if (map->failed != 0) {
        fprintf(svg, "  ·  <tspan class=\"bad\">failed operations: %s</tspan>", grouped(map->failed));
    }
    fputs("</text>\n", svg);
}

static void legend_entry(FILE *svg, double *x, const char *colour, const char *half, const char *text, double width)
{
    if (half != NULL) {
        fprintf(svg, "<rect x=\"%.1f\" y=\"88\" width=\"9\" height=\"12\" fill=\"%s\"/>", *x + 9, half);
    }
    fprintf(svg, "<rect x=\"%.1f\" y=\"88\" width=\"%d\" height=\"12\" fill=\"%s\"/>", *x, half != NULL ? 9 : 18, colour);
    text_at(svg, *x + 24, 98.5, "class=\"label\"", text);
    *x += width;
}

static void legend(FILE *svg)
{
    static const double widths[MAP_CLASSES] = {66, 76, 84, 156, 78, 106};
    double x = LEFT + 134;
    text_at(svg, LEFT, 98.5, "class=\"label strong\"", "a block lives up to");
    for (uint32_t class = 0; class < MAP_CLASSES; class++) {
        legend_entry(svg, &x, class_colours[class][1], class_colours[class][0], class_names[class], widths[class]);
    }
    legend_entry(svg, &x, PAPER_FREE, NULL, "free", 66);
    legend_entry(svg, &x, "#8d939e", NULL, "control and tags", 132);
    fprintf(svg, "<path d=\"M%.1f 94h20\" class=\"halo\"/><path d=\"M%.1f 94h20\" class=\"live\"/>", x, x);
    text_at(svg, x + 26, 98.5, "class=\"label\"", "bytes requested, live");
}

// -------------------------------------------------------------------------------------------------------------------------- axes

static void address_axis(FILE *svg, const struct map *map)
{
    const uint64_t step = tick_step(map->size, unit_of(map), 8, true);
    for (uint64_t address = 0; address <= map->size; address += step) {
        const double y = y_of(map, (size_t)address);
        fprintf(svg, "<path d=\"M%d %.1fh-5\" class=\"tick\"/>", LEFT, y);
        fprintf(svg, "<text x=\"%d\" y=\"%.1f\" class=\"number end\">%s</text>\n", LEFT - 9, y + 4, grouped(address / unit_of(map)));
    }
    fprintf(svg, "<text transform=\"translate(%d %d) rotate(-90)\" class=\"label middle\">address in the region, %s</text>\n", LEFT - 56,
            MAP_TOP + MAP_HEIGHT / 2, unit_name(map));
}

static void time_axis(FILE *svg, const struct map *map)
{
    const uint64_t step = tick_step(map->trace->op_count, 1, 10, false);
    for (uint64_t op = 0; op <= map->trace->op_count; op += step) {
        fprintf(svg, "<path d=\"M%.1f %dv5\" class=\"tick\"/>", x_of(map, op), MAP_BOTTOM);
        fprintf(svg, "<path d=\"M%.1f %dv5\" class=\"tick\"/>", x_of(map, op), FREE_BOTTOM);
        fprintf(svg, "<text x=\"%.1f\" y=\"%d\" class=\"number middle\">%s</text>\n", x_of(map, op), FREE_BOTTOM + 18, grouped(op));
    }
    text_at(svg, LEFT + WIDTH / 2.0, FREE_BOTTOM + 38, "class=\"label middle\"", "time, in operations");
}

// ---------------------------------------------------------------------------------------------------------------------- contents

// All cells of one value: a path of horizontal runs, in units of cells.
static void cells_path(FILE *svg, const struct map *map, uint32_t value)
{
    bool is_open = false;
    uint32_t pen_row = 0;
    uint32_t pen_column = 0;
    for (uint32_t row = 0; row < MAP_ROWS; row++) {
        for (uint32_t column = 0; column < map->columns;) {
            const uint32_t start = column;
            while (column < map->columns && map->cells[row][column] == value) {
                column++;
            }
            if (column == start) {
                column++;
                continue;
            }
            if (!is_open) {
                fprintf(svg, "<path stroke=\"%s\" d=\"M0 0", cell_colour(value));
                is_open = true;
            }
            fprintf(svg, "m%d %dh%lu", (int)start - (int)pen_column, (int)row - (int)pen_row, (unsigned long)(column - start));
            pen_row = row;
            pen_column = column;
        }
    }
    if (is_open) {
        fputs("\"/>\n", svg);
    }
}

static void cells(FILE *svg, const struct map *map)
{
    fprintf(svg, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>\n", LEFT, MAP_TOP, WIDTH, MAP_HEIGHT, PAPER_FREE);
    fprintf(svg,
            "<g transform=\"translate(%d %.2f) scale(%.5f %.5f)\" fill=\"none\" stroke-width=\"1.02\" shape-rendering=\"crispEdges\">\n",
            LEFT, MAP_BOTTOM - 0.5 * MAP_HEIGHT / MAP_ROWS, (double)WIDTH / map->columns, -(double)MAP_HEIGHT / MAP_ROWS);
    for (uint32_t value = MAP_CONTROL; value < MAP_CELLS; value++) {
        cells_path(svg, map, value);
    }
    fputs("</g>\n", svg);
}

// Of no operations there is one moment: it goes on to the right.
static void only_column(FILE *svg, const struct map *map)
{
    if (map->columns == 1) {
        fprintf(svg, "H%d", LEFT + WIDTH);
    }
}

static void live_curve(FILE *svg, const struct map *map)
{
    for (int pass = 0; pass < 2; pass++) {
        fprintf(svg, "<path class=\"%s\" d=\"", pass == 0 ? "halo" : "live");
        for (uint32_t column = 0; column < map->columns; column++) {
            const struct map_sample *const sample = &map->samples[column];
            fprintf(svg, "%c%.1f %.1f", column == 0 ? 'M' : 'L', x_of(map, sample->op), y_of(map, sample->live));
        }
        only_column(svg, map);
        fputs("\"/>\n", svg);
    }
    const double y = y_of(map, map->trace->peak);
    if (y >= MAP_TOP) {
        fprintf(svg, "<path d=\"M%d %.1fh%d\" class=\"halo\"/><path d=\"M%d %.1fh%d\" class=\"peak\"/>\n", LEFT, y, WIDTH, LEFT, y, WIDTH);
        fprintf(svg, "<text x=\"%d\" y=\"%.1f\" class=\"number\">peak</text>\n", LEFT + WIDTH + 7, y + 4);
    }
}

// An area under a curve of bytes, in the lower panel.
static void free_area(FILE *svg, const struct map *map, size_t scale, bool is_largest, const char *colour)
{
    fprintf(svg, "<path fill=\"%s\" d=\"M%d %d", colour, LEFT, FREE_BOTTOM);
    for (uint32_t column = 0; column < map->columns; column++) {
        const struct map_sample *const sample = &map->samples[column];
        const size_t bytes = is_largest ? sample->largest_free : sample->free;
        fprintf(svg, "L%.1f %.1f", x_of(map, sample->op), FREE_BOTTOM - (double)FREE_HEIGHT * (double)bytes / (double)scale);
    }
    only_column(svg, map);
    fprintf(svg, "L%d %dz\"/>\n", LEFT + WIDTH, FREE_BOTTOM);
}

static void free_panel(FILE *svg, const struct map *map)
{
    const size_t scale = map->size;
    fprintf(svg, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>\n", LEFT, FREE_TOP, WIDTH, FREE_HEIGHT, PAPER_FREE);
    free_area(svg, map, scale, false, "#b4c3d6");
    free_area(svg, map, scale, true, "#51779f");
    fprintf(svg, "<path d=\"M%d %dv%d\" class=\"tick\"/>", LEFT, FREE_TOP, FREE_HEIGHT);
    for (uint64_t at = 0, step = tick_step(scale, unit_of(map), 3, true); at <= scale; at += step) {
        const double y = FREE_BOTTOM - (double)FREE_HEIGHT * (double)at / (double)scale;
        fprintf(svg, "<path d=\"M%d %.1fh-5\" class=\"tick\"/>", LEFT, y);
        fprintf(svg, "<text x=\"%d\" y=\"%.1f\" class=\"number end\">%s</text>\n", LEFT - 9, y + 4, grouped(at / unit_of(map)));
    }
    double x = LEFT;
    fprintf(svg, "<rect x=\"%.1f\" y=\"%d\" width=\"12\" height=\"10\" fill=\"#51779f\"/>", x, FREE_TOP - 17);
    text_at(svg, x + 18, FREE_TOP - 8, "class=\"label\"", "largest free block");
    x += 150;
    fprintf(svg, "<rect x=\"%.1f\" y=\"%d\" width=\"12\" height=\"10\" fill=\"#b4c3d6\"/>", x, FREE_TOP - 17);
    text_at(svg, x + 18, FREE_TOP - 8, "class=\"label\"", "the other free blocks");
    text_at(svg, LEFT + WIDTH, FREE_TOP - 8, "class=\"number end\"", "pale above: a slice of addresses that is about half full");
    fprintf(svg, "<text transform=\"translate(%d %d) rotate(-90)\" class=\"label middle\">free, %s</text>\n", LEFT - 56,
            FREE_TOP + FREE_HEIGHT / 2, unit_name(map));
}

bool map_write_svg(const struct map *map, const char *path)
{
    FILE *const svg = fopen(path, "w");
    if (svg == NULL) {
        return false;
    }
    fprintf(svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
            "font-family=\"Inter,'Helvetica Neue',Helvetica,Arial,'DejaVu Sans',sans-serif\">\n<style>\n"
            "text{fill:" INK ";font-size:12px}.title{font-size:26px;font-weight:700}.figures{font-size:14px;fill:" INK_SOFT "}\n"
            ".strong{font-weight:700;fill:" INK "}.bad{font-weight:700;fill:#c0182b}.number{font-size:11px;fill:" INK_SOFT "}\n"
            ".end{text-anchor:end}.middle{text-anchor:middle}.tick{stroke:" INK_SOFT ";stroke-width:1;fill:none}\n"
            ".live,.halo,.peak{fill:none;stroke-linejoin:round}.live{stroke:" INK ";stroke-width:1.4}\n"
            ".halo{stroke:#fff;stroke-width:3.6;stroke-opacity:.75}.peak{stroke:" INK ";stroke-width:1.2;stroke-dasharray:6 4}\n"
            "</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
            PAGE_WIDTH, PAGE_HEIGHT, PAGE_WIDTH, PAGE_HEIGHT);
    heading(svg, map);
    legend(svg);
    cells(svg, map);
    live_curve(svg, map);
    free_panel(svg, map);
    address_axis(svg, map);
    time_axis(svg, map);
    fputs("</svg>\n", svg);
    const bool is_written = ferror(svg) == 0;
    return fclose(svg) == 0 && is_written;
}
