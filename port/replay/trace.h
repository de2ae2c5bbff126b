// SPDX-License-Identifier: MIT
//
// Allocation traces: what a program asked of its heap, operation by operation. Reading and writing, as text and compact.
//
// OWNS        the two formats; test/traces/README.md describes them.
// PICTURE     bytes --read--> struct trace_reader --trace_next--> struct trace_op, one at a time
//             struct trace_op --struct trace_writer--> write --> bytes
// INVARIANTS  1. Every operation that trace_next hands out is sound: its id is in range, an allocated id is new, a freed or reallocated
//                one is live, an alignment is a power of two. Callers need no checks of their own.
//             2. What is not sound ends the reading with CAIRN_ECORRUPT and an explanation that says where and what. The bytes may be anything.
//             3. What one format says the other can say: converting there and back gives the same header and operations.
// COST        O(1) memory: the reader, and two bits an id in a table of the caller's. No heap, no recursion; 100 bytes of stack.
// CALLERS     the host's tools, programs on a board; one thread.
#ifndef CAIRN_PORT_TRACE_H
#define CAIRN_PORT_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cairn/types.h>

enum trace_act { TRACE_ALLOC = 1, TRACE_FREE, TRACE_REALLOC, TRACE_ALIGNED };

struct trace_op {
    uint32_t act; // an enum trace_act
    uint32_t id;
    uint32_t size;      // bytes as they stand in the trace, 0 included; not for TRACE_FREE
    uint32_t alignment; // TRACE_ALIGNED only
};

// Zero means "not known", but for the weight, which nobody uses.
struct trace_header {
    uint32_t peak; // bytes; course traces have something else here
    uint32_t ids;
    uint32_t ops;
    uint32_t weight;
};

// Reads up to `size` bytes; fewer means the end.
typedef size_t (*trace_read_function)(void *context, void *bytes, size_t size);
// Takes `size` bytes. Returns false iff they could not be written.
typedef bool (*trace_write_function)(void *context, const void *bytes, size_t size);

// ---------------------------------------------------------------------------------------------------------------------- reading

#define TRACE_BUFFER_BYTES 512u

// Enough for any explanation with its 0.
#define TRACE_EXPLANATION_MAX 96u

struct trace_reader {
    struct trace_header header;
    bool is_compact;
    uint32_t ops;  // read so far
    uint32_t ids;  // one more than the largest id so far
    uint32_t line; // text: where the next byte stands, from 1
    uint32_t next; // compact: the id that the next allocation gets

    // What is wrong: `before`, then the number and `after` if there is an `after`. NULL before: nothing.
    struct {
        const char *before;
        const char *after;
        uint32_t number;
        uint32_t place; // line, or byte
    } fault;

    unsigned char *states; // two bits an id
    uint32_t capacity;     // ids in it

    trace_read_function read;
    void *context;
    uint32_t offset; // of buffer[0] in the file
    uint32_t at;     // next byte in the buffer
    uint32_t filled;
    bool is_done; // read() has said so
    unsigned char buffer[TRACE_BUFFER_BYTES];
};

// Begin: read the header, and see which format it is. Returns 0; CAIRN_ECORRUPT iff it is neither.
CAIRN_MUST_CHECK int trace_open(struct trace_reader *reader, trace_read_function read, void *context);

// Bytes of table for so many ids.
static inline size_t trace_table_size(uint32_t ids)
{
    return ((size_t)ids + 3) / 4;
}

// Hand over the table of ids, before the first trace_next; its old contents do not matter. An id that does not fit is an error, so
// take header.ids where it is known and the most you can afford where not.
// Returns 0; CAIRN_ECORRUPT iff the header says more ids than `capacity`.
CAIRN_MUST_CHECK int trace_set_table(struct trace_reader *reader, void *table, uint32_t capacity);

// Read the next operation. Returns 1 with an operation, 0 at the end of a whole trace, CAIRN_ECORRUPT where it is malformed (and again
// at every further call).
CAIRN_MUST_CHECK int trace_next(struct trace_reader *reader, struct trace_op *op);

// Say what is wrong: "line 7: id 3 was never allocated". Empty where nothing is. Returns text.
const char *trace_explain(const struct trace_reader *reader, char text[TRACE_EXPLANATION_MAX]);

// ---------------------------------------------------------------------------------------------------------------------- writing

struct trace_writer {
    bool is_compact;
    uint32_t next; // compact: the id that the next allocation gets
    trace_write_function write;
    void *context;
};

// Begin with the header. pre: the operations that follow are sound (invariant 1). Returns 0; CAIRN_ENOMEM iff write() failed.
CAIRN_MUST_CHECK int trace_create(struct trace_writer *writer, bool is_compact, const struct trace_header *header, trace_write_function write,
                                  void *context);
CAIRN_MUST_CHECK int trace_put(struct trace_writer *writer, const struct trace_op *op);

#endif
