// SPDX-License-Identifier: MIT
//
// The reader: bytes through a buffer, the states of the ids, and what is checked in both formats.
//
// OWNS        the reader's buffer and table.
// PICTURE     table: 2 bits an id: 0 new, 1 live, 2 freed
// COST        O(1) an operation and one read() for each TRACE_BUFFER_BYTES.
// CALLERS     as trace.h says.
#include "trace_format.h"

#include <stdio.h>
#include <string.h>

enum id_state { ID_NEW = 0, ID_LIVE, ID_FREED };

// ------------------------------------------------------------------------------------------------------------------------ bytes

int reader_peek(struct trace_reader *reader)
{
    if (reader->at == reader->filled) {
        if (reader->is_done) {
            return READER_END;
        }
        reader->offset += reader->filled;
        reader->at = 0;
        const size_t got = reader->read(reader->context, reader->buffer, sizeof reader->buffer);
        reader->filled = (uint32_t)(got < sizeof reader->buffer ? got : sizeof reader->buffer);
        reader->is_done = got < sizeof reader->buffer;
        if (reader->filled == 0) {
            return READER_END;
        }
    }
    return reader->buffer[reader->at];
}

int reader_take(struct trace_reader *reader)
{
    const int byte = reader_peek(reader);
    if (byte != READER_END) {
        reader->at++;
        reader->line += byte == '\n';
    }
    return byte;
}

// ----------------------------------------------------------------------------------------------------------------------- faults

int reader_fault_number(struct trace_reader *reader, uint32_t place, const char *before, uint32_t number, const char *after)
{
    if (reader->fault.before == NULL) {
        reader->fault.before = before;
        reader->fault.after = after;
        reader->fault.number = number;
        reader->fault.place = place;
    }
    return CAIRN_ECORRUPT;
}

int reader_fault(struct trace_reader *reader, uint32_t place, const char *what)
{
    return reader_fault_number(reader, place, what, 0, NULL);
}

const char *trace_explain(const struct trace_reader *reader, char text[TRACE_EXPLANATION_MAX])
{
    text[0] = '\0';
    if (reader->fault.before == NULL) {
        return text;
    }
    const char *const place = reader->is_compact ? "byte" : "line";
    if (reader->fault.after == NULL) {
        snprintf(text, TRACE_EXPLANATION_MAX, "%s %lu: %s", place, (unsigned long)reader->fault.place, reader->fault.before);
    } else {
        snprintf(text, TRACE_EXPLANATION_MAX, "%s %lu: %s%lu%s", place, (unsigned long)reader->fault.place, reader->fault.before,
                 (unsigned long)reader->fault.number, reader->fault.after);
    }
    return text;
}

// -------------------------------------------------------------------------------------------------------------------------- ids

static enum id_state id_state(const struct trace_reader *reader, uint32_t id)
{
    return (enum id_state)(reader->states[id / 4] >> id % 4 * 2 & 3u);
}

static void id_set(struct trace_reader *reader, uint32_t id, enum id_state state)
{
    const uint32_t shift = id % 4 * 2;
    reader->states[id / 4] = (unsigned char)((reader->states[id / 4] & ~(3u << shift)) | (uint32_t)state << shift);
}

// Is the operation sound? Takes it into the table if so.
static int op_check(struct trace_reader *reader, const struct trace_op *op, uint32_t place)
{
    const uint32_t id = op->id;
    if (reader->header.ops != 0 && reader->ops == reader->header.ops) {
        return reader_fault_number(reader, place, "more operations than the ", reader->header.ops, " that the header says");
    }
    if (reader->header.ids != 0 && id >= reader->header.ids) {
        return reader_fault_number(reader, place, "id ", id, " is out of range: the header says fewer ids");
    }
    if (id >= reader->capacity) {
        return reader_fault_number(reader, place, "id ", id, " is out of range: there is no room for so many");
    }
    const enum id_state state = id_state(reader, id);
    if (op->act == TRACE_ALLOC || op->act == TRACE_ALIGNED) {
        if (state != ID_NEW) {
            return reader_fault_number(reader, place, "id ", id, state == ID_LIVE ? " is already live" : " was freed and is used again");
        }
        id_set(reader, id, ID_LIVE);
        reader->ids = id >= reader->ids ? id + 1 : reader->ids;
    } else {
        if (state != ID_LIVE) {
            return reader_fault_number(reader, place, "id ", id, state == ID_NEW ? " was never allocated" : " was freed already");
        }
        if (op->act == TRACE_FREE) {
            id_set(reader, id, ID_FREED);
        }
    }
    reader->ops++;
    return 1;
}

static int end_check(struct trace_reader *reader)
{
    const uint32_t place = reader_place(reader);
    if (reader->header.ops != 0 && reader->ops != reader->header.ops) {
        return reader_fault_number(reader, place, "the trace ends before the ", reader->header.ops, " operations that the header says");
    }
    if (reader->header.ids != 0 && reader->ids != reader->header.ids) {
        return reader_fault_number(reader, place, "fewer ids than the ", reader->header.ids, " that the header says");
    }
    return 0;
}

// -------------------------------------------------------------------------------------------------------------------- the calls

int trace_open(struct trace_reader *reader, trace_read_function read, void *context)
{
    memset(reader, 0, sizeof *reader);
    reader->read = read;
    reader->context = context;
    reader->line = 1;
    reader->is_compact = reader_peek(reader) == COMPACT_MAGIC[0];
    return reader->is_compact ? compact_header(reader) : text_header(reader);
}

int trace_set_table(struct trace_reader *reader, void *table, uint32_t capacity)
{
    reader->states = table;
    reader->capacity = capacity;
    memset(table, 0, trace_table_size(capacity));
    if (reader->header.ids > capacity) {
        return reader_fault_number(reader, reader->is_compact ? reader_place(reader) : 2, "the header says ", reader->header.ids,
                                   " ids, more than there is room for");
    }
    return 0;
}

int trace_next(struct trace_reader *reader, struct trace_op *op)
{
    uint32_t place = 0;
    *op = (struct trace_op){0};
    if (reader->fault.before != NULL) {
        return CAIRN_ECORRUPT;
    }
    int result;
    if (reader->is_compact) {
        place = reader_place(reader);
        result = compact_next(reader, op);
    } else {
        result = text_next(reader, op);
        place = reader->line; // the operation's line end is not taken yet
    }
    if (result == 0) {
        return end_check(reader);
    }
    return result < 0 ? result : op_check(reader, op, place);
}
