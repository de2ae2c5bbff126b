// SPDX-License-Identifier: MIT
//
// The writer of both formats.
//
// OWNS        nothing. PICTURE: trace_format.h, trace_text.c.
// COST        O(1) an operation, one write() each; 64 bytes of stack.
// CALLERS     as trace.h says.
#include "trace_format.h"

#include <stdio.h>
#include <string.h>

static unsigned char *put_varint(unsigned char *to, uint64_t value)
{
    while (value >= 0x80) {
        *to++ = (unsigned char)(value | 0x80);
        value >>= 7;
    }
    *to++ = (unsigned char)value;
    return to;
}

static int send(const struct trace_writer *writer, const void *bytes, size_t size)
{
    return writer->write(writer->context, bytes, size) ? 0 : CAIRN_ENOMEM;
}

int trace_create(struct trace_writer *writer, bool is_compact, const struct trace_header *header, trace_write_function write, void *context)
{
    *writer = (struct trace_writer){is_compact, 0, write, context};
    if (!is_compact) {
        char text[48];
        const int size = snprintf(text, sizeof text, "%lu\n%lu\n%lu\n%lu\n", (unsigned long)header->peak, (unsigned long)header->ids,
                                  (unsigned long)header->ops, (unsigned long)header->weight);
        return send(writer, text, (size_t)size);
    }
    unsigned char bytes[COMPACT_MAGIC_BYTES + 1 + 4 * 5];
    memcpy(bytes, COMPACT_MAGIC, COMPACT_MAGIC_BYTES);
    bytes[COMPACT_MAGIC_BYTES] = COMPACT_VERSION;
    unsigned char *to = bytes + COMPACT_MAGIC_BYTES + 1;
    to = put_varint(to, header->peak);
    to = put_varint(to, header->ids);
    to = put_varint(to, header->ops);
    to = put_varint(to, header->weight);
    return send(writer, bytes, (size_t)(to - bytes));
}

static unsigned char *put_kind(unsigned char *to, enum compact_kind kind, uint32_t payload)
{
    return put_varint(to, (uint64_t)payload << 2 | (uint64_t)kind);
}

static int put_compact(struct trace_writer *writer, const struct trace_op *op)
{
    unsigned char bytes[32];
    unsigned char *to = bytes;
    const bool is_new = op->act == TRACE_ALLOC || op->act == TRACE_ALIGNED;
    if (is_new && op->id != writer->next) {
        to = put_varint(put_kind(to, COMPACT_OTHER, COMPACT_NEXT), op->id);
        writer->next = op->id;
    }
    const uint32_t distance = writer->next - 1 - op->id;
    switch (op->act) {
    case TRACE_ALLOC: to = put_kind(to, COMPACT_ALLOC, op->size); break;
    case TRACE_FREE: to = put_kind(to, COMPACT_FREE, distance); break;
    case TRACE_REALLOC: to = put_varint(put_kind(to, COMPACT_REALLOC, distance), op->size); break;
    default: {
        uint32_t log2 = 0;
        while ((uint32_t)1 << log2 < op->alignment && log2 < 31) {
            log2++;
        }
        to = put_kind(to, COMPACT_OTHER, COMPACT_ALIGNED);
        to = put_varint(put_varint(to, log2), op->size);
        break;
    }
    }
    writer->next += is_new;
    return send(writer, bytes, (size_t)(to - bytes));
}

int trace_put(struct trace_writer *writer, const struct trace_op *op)
{
    if (writer->is_compact) {
        return put_compact(writer, op);
    }
    char text[48];
    const unsigned long id = op->id;
    const unsigned long bytes = op->size;
    int size;
    switch (op->act) {
    case TRACE_ALLOC: size = snprintf(text, sizeof text, "a %lu %lu\n", id, bytes); break;
    case TRACE_FREE: size = snprintf(text, sizeof text, "f %lu\n", id); break;
    case TRACE_REALLOC: size = snprintf(text, sizeof text, "r %lu %lu\n", id, bytes); break;
    default: size = snprintf(text, sizeof text, "m %lu %lu %lu\n", id, (unsigned long)op->alignment, bytes); break;
    }
    return send(writer, text, (size_t)size);
}
