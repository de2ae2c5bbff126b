// SPDX-License-Identifier: MIT
//
// Traces as text: the malloclab format, and `m` for aligned allocations.
//
// OWNS        nothing.
// PICTURE     peak\n ids\n ops\n weight\n   then lines: a ID BYTES | m ID ALIGN BYTES | r ID BYTES | f ID
// INVARIANTS  1. A line ends in \n, \r\n or the end of the file; between two words stand blanks or tabs; empty lines do not count.
//             2. The end of a line is taken with the next line: a fault's place is the line it stands in.
// COST        O(bytes).
// CALLERS     trace_read.c.
#include "trace_format.h"

static bool is_blank(int byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static bool is_digit(int byte)
{
    return byte >= '0' && byte <= '9';
}

static void skip_blanks(struct trace_reader *reader)
{
    while (is_blank(reader_peek(reader))) {
        (void)reader_take(reader);
    }
}

static void skip_empty_lines(struct trace_reader *reader)
{
    while (is_blank(reader_peek(reader)) || reader_peek(reader) == '\n') {
        (void)reader_take(reader);
    }
}

// What a fault says of a number: that there is none, and that there is something else.
struct number_name {
    const char *missing;
    const char *wrong;
};
#define NUMBER(name) {name " is missing", name " is not a decimal number"}

static const struct number_name the_id = NUMBER("the id");
static const struct number_name the_size = NUMBER("the size");
static const struct number_name the_alignment = NUMBER("the alignment");

// Does the line, or the file, end here?
static bool is_line_end(int byte)
{
    return byte == '\n' || byte == READER_END;
}

// A decimal number below 2^32, after blanks. Returns 0 or CAIRN_ECORRUPT.
static int take_number(struct trace_reader *reader, uint32_t *number, const struct number_name *name)
{
    skip_blanks(reader);
    if (is_line_end(reader_peek(reader))) {
        return reader_fault(reader, reader->line, name->missing);
    }
    uint32_t value = 0;
    do {
        if (!is_digit(reader_peek(reader))) {
            return reader_fault(reader, reader->line, name->wrong);
        }
        const uint32_t digit = (uint32_t)(reader_take(reader) - '0');
        if (value > UINT32_MAX / 10 || value * 10 > UINT32_MAX - digit) {
            return reader_fault(reader, reader->line, "the number is too large (4294967295 is the most)");
        }
        value = value * 10 + digit;
    } while (!is_blank(reader_peek(reader)) && !is_line_end(reader_peek(reader)));
    *number = value;
    return 0;
}

// Nothing but blanks up to the end of the line.
static int end_line(struct trace_reader *reader)
{
    skip_blanks(reader);
    if (!is_line_end(reader_peek(reader))) {
        return reader_fault(reader, reader->line, "there is more on the line than belongs there");
    }
    return 0;
}

int text_header(struct trace_reader *reader)
{
    uint32_t *const fields[4] = {&reader->header.peak, &reader->header.ids, &reader->header.ops, &reader->header.weight};
    static const struct number_name names[4] = {
        NUMBER("not a trace: the header's first number (peak bytes)"),
        NUMBER("the header's second number (ids)"),
        NUMBER("the header's third number (operations)"),
        NUMBER("the header's fourth number (weight)"),
    };
    for (unsigned field = 0; field < 4; field++) {
        skip_empty_lines(reader);
        if (take_number(reader, fields[field], &names[field]) != 0 || end_line(reader) != 0) {
            return CAIRN_ECORRUPT;
        }
    }
    return 0;
}

static bool is_power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

int text_next(struct trace_reader *reader, struct trace_op *op)
{
    skip_empty_lines(reader);
    const int letter = reader_take(reader);
    switch (letter) {
    case READER_END: return 0;
    case 'a': op->act = TRACE_ALLOC; break;
    case 'f': op->act = TRACE_FREE; break;
    case 'r': op->act = TRACE_REALLOC; break;
    case 'm': op->act = TRACE_ALIGNED; break;
    default: return reader_fault_number(reader, reader->line, "unknown operation (byte ", (uint32_t)letter, "); a, f, r and m are known");
    }
    if (!is_blank(reader_peek(reader)) && !is_line_end(reader_peek(reader))) {
        return reader_fault(reader, reader->line, "unknown operation: more than one letter");
    }
    if (take_number(reader, &op->id, &the_id) != 0) {
        return CAIRN_ECORRUPT;
    }
    if (op->act == TRACE_ALIGNED) {
        if (take_number(reader, &op->alignment, &the_alignment) != 0) {
            return CAIRN_ECORRUPT;
        }
        if (!is_power_of_two(op->alignment)) {
            return reader_fault_number(reader, reader->line, "alignment ", op->alignment, " is not a power of two");
        }
    }
    if (op->act != TRACE_FREE && take_number(reader, &op->size, &the_size) != 0) {
        return CAIRN_ECORRUPT;
    }
    return end_line(reader) != 0 ? CAIRN_ECORRUPT : 1;
}
