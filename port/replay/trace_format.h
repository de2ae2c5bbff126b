// SPDX-License-Identifier: MIT
//
// What the files of the trace reader owe each other.
//
// OWNS        the numbers of the compact format (normative text: test/traces/README.md).
// PICTURE     file      = "cairntr" version peak ids ops weight operation...
//             operation = varint, whose two low bits are the kind, and the others (the payload):
//                 0 allocate    payload = bytes                              id = next, next += 1
//                 1 free        payload = newest - id modulo 2^32            newest = next - 1
//                 2 reallocate  payload = newest - id modulo 2^32, then a varint: bytes
//                 3 other       payload 0: aligned, varint log2 of the alignment, varint bytes; id = next, next += 1
//                               payload 1: varint: next is this from now on
//             varint    = seven bits a byte, the lowest first; bit 7 says that more follow
// CALLERS     trace_*.c.
#ifndef CAIRN_PORT_TRACE_FORMAT_H
#define CAIRN_PORT_TRACE_FORMAT_H

#include "trace.h"

#define COMPACT_MAGIC "cairntr"
#define COMPACT_MAGIC_BYTES 7u
#define COMPACT_VERSION 1u

enum compact_kind { COMPACT_ALLOC = 0, COMPACT_FREE, COMPACT_REALLOC, COMPACT_OTHER };
enum compact_other { COMPACT_ALIGNED = 0, COMPACT_NEXT = 1 };

#define READER_END (-1)

// trace_read.c: the next byte, or READER_END; take: and step over it.
int reader_peek(struct trace_reader *reader);
int reader_take(struct trace_reader *reader);

// Where the next byte stands: a line of a text, an offset in a compact trace.
static inline uint32_t reader_place(const struct trace_reader *reader)
{
    return reader->is_compact ? reader->offset + reader->at : reader->line;
}

// Note a fault at `place`, the first one only. Return CAIRN_ECORRUPT.
int reader_fault(struct trace_reader *reader, uint32_t place, const char *what);
int reader_fault_number(struct trace_reader *reader, uint32_t place, const char *before, uint32_t number, const char *after);

// trace_text.c, trace_compact.c: the header; one operation, unchecked: 1, 0 at the end, or CAIRN_ECORRUPT.
int text_header(struct trace_reader *reader);
int text_next(struct trace_reader *reader, struct trace_op *op);
int compact_header(struct trace_reader *reader);
int compact_next(struct trace_reader *reader, struct trace_op *op);

#endif
