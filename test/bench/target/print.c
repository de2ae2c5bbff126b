// SPDX-License-Identifier: MIT
//
// OWNS        nothing (print.h).
// INVARIANTS  1. A line that is too long is cut, never written past its end.
// CALLERS     the bench programs; one thread.
#include "print.h"

#include "semihost.h"

static void put(struct line *line, char byte)
{
    if (line->used < sizeof line->text)
        line->text[line->used++] = byte;
}

void line_text(struct line *line, const char *text)
{
    while (*text != '\0')
        put(line, *text++);
}

void line_number(struct line *line, uint32_t number)
{
    char digits[10];
    int count = 0;

    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (count > 0)
        put(line, digits[--count]);
}

void line_average(struct line *line, uint64_t sum, uint32_t count)
{
    const uint64_t tenths = count == 0 ? 0 : (sum * 10 + count / 2) / count;

    line_number(line, (uint32_t)(tenths / 10));
    put(line, '.');
    put(line, (char)('0' + tenths % 10));
}

void line_end(struct line *line)
{
    if (line->used == sizeof line->text)
        line->used--;
    put(line, '\n');
    const int out = semihost_open(":tt", SEMIHOST_WRITE);
    semihost_write(out, line->text, line->used);
    line->used = 0;
}

void line_tally(struct line *line, const char *name, const struct tally *tally)
{
    line_text(line, name);
    line_text(line, ",");
    line_number(line, tally->calls);
    line_text(line, ",");
    line_average(line, tally->sum, tally->calls);
    line_text(line, ",");
    line_number(line, tally->max);
    line_end(line);
}
