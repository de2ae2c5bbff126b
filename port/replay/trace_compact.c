// SPDX-License-Identifier: MIT
//
// Traces in the compact form: about a byte and a half an operation.
//
// OWNS        nothing. PICTURE: trace_format.h.
// INVARIANTS  1. A varint has no more bits than its field: 34 for kind and payload, 32 elsewhere. Longer ones are faults.
// COST        O(bytes).
// CALLERS     trace_read.c.
#include "trace_format.h"

// Returns 1; 0 where the file ends before its first byte; CAIRN_ECORRUPT.
static int take_varint(struct trace_reader *reader, unsigned bits, uint64_t *value)
{
    uint64_t sum = 0;
    for (unsigned shift = 0;; shift += 7) {
        const uint32_t place = reader_place(reader);
        const int byte = reader_take(reader);
        if (byte == READER_END) {
            return shift == 0 ? 0 : reader_fault(reader, place, "the file ends inside a number");
        }
        const uint64_t part = (uint64_t)byte & 0x7F;
        if (shift >= bits || (shift + 7 > bits && part >> (bits - shift) != 0)) {
            return reader_fault(reader, place, "the number is too large");
        }
        sum |= part << shift;
        if ((byte & 0x80) == 0) {
            *value = sum;
            return 1;
        }
    }
}

// A field that must be there.
static int take_field(struct trace_reader *reader, uint32_t *field)
{
    uint64_t value = 0;
    const int result = take_varint(reader, 32, &value);
    if (result == 0) {
        return reader_fault(reader, reader_place(reader), "the file ends inside an operation or the header");
    }
    *field = (uint32_t)value;
    return result < 0 ? result : 0;
}

int compact_header(struct trace_reader *reader)
{
    for (unsigned i = 0; i < COMPACT_MAGIC_BYTES; i++) {
        if (reader_take(reader) != COMPACT_MAGIC[i]) {
            return reader_fault(reader, i, "not a trace: it begins with neither a number nor \"" COMPACT_MAGIC "\"");
        }
    }
    const int version = reader_take(reader);
    if (version == READER_END) {
        return reader_fault(reader, COMPACT_MAGIC_BYTES, "the file ends inside the header");
    }
    if (version != (int)COMPACT_VERSION) {
        return reader_fault_number(reader, COMPACT_MAGIC_BYTES, "version ", (uint32_t)version, " of the compact format is not known");
    }
    uint32_t *const fields[4] = {&reader->header.peak, &reader->header.ids, &reader->header.ops, &reader->header.weight};
    for (unsigned field = 0; field < 4; field++) {
        if (take_field(reader, fields[field]) != 0) {
            return CAIRN_ECORRUPT;
        }
    }
    return 0;
}

static int aligned_next(struct trace_reader *reader, struct trace_op *op)
{
    const uint32_t place = reader_place(reader);
    uint32_t log2 = 0;
    if (take_field(reader, &log2) != 0) {
        return CAIRN_ECORRUPT;
    }
    if (log2 > 31) {
        return reader_fault_number(reader, place, "alignment 2^", log2, " is out of range");
    }
    op->act = TRACE_ALIGNED;
    op->alignment = (uint32_t)1 << log2;
    op->id = reader->next++;
    return take_field(reader, &op->size) != 0 ? CAIRN_ECORRUPT : 1;
}

int compact_next(struct trace_reader *reader, struct trace_op *op)
{
    for (;;) {
        const uint32_t place = reader_place(reader);
        uint64_t word = 0;
        const int result = take_varint(reader, 34, &word);
        if (result <= 0) {
            return result;
        }
        const uint32_t payload = (uint32_t)(word >> 2);
        switch (word & 3) {
        case COMPACT_ALLOC:
            op->act = TRACE_ALLOC;
            op->id = reader->next++;
            op->size = payload;
            return 1;
        case COMPACT_FREE:
            op->act = TRACE_FREE;
            op->id = reader->next - 1 - payload;
            return 1;
        case COMPACT_REALLOC:
            op->act = TRACE_REALLOC;
            op->id = reader->next - 1 - payload;
            return take_field(reader, &op->size) != 0 ? CAIRN_ECORRUPT : 1;
        default: break;
        }
        if (payload == COMPACT_ALIGNED) {
            return aligned_next(reader, op);
        }
        if (payload != COMPACT_NEXT) {
            return reader_fault_number(reader, place, "unknown operation (", payload, ")");
        }
        if (take_field(reader, &reader->next) != 0) {
            return CAIRN_ECORRUPT;
        }
    }
}
