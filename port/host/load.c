// SPDX-License-Identifier: MIT
//
// OWNS        the file while it is read or written.
// INVARIANTS  1. The table of ids is sized by the file: an allocation takes a byte at least. A header may ask for more, as that of a file
//                that was cut does, but not for more than IDS_MAX.
// CALLERS     as load.h says.
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

// ------------------------------------------------------------------------------------------------------------------------- bytes

struct bytes {
    unsigned char *data;
    size_t size;
    size_t at;
};

static size_t bytes_read(void *context, void *to, size_t size)
{
    struct bytes *const bytes = context;
    const size_t left = bytes->size - bytes->at;
    const size_t count = size < left ? size : left;
    memcpy(to, bytes->data + bytes->at, count);
    bytes->at += count;
    return count;
}

// The rest of a file. Returns false with errno set iff it cannot be read.
static bool bytes_load(struct bytes *bytes, FILE *file)
{
    size_t room = 1u << 16;
    *bytes = (struct bytes){.data = malloc(room)};
    while (bytes->data != NULL) {
        bytes->size += fread(bytes->data + bytes->size, 1, room - bytes->size, file);
        if (bytes->size < room) {
            return ferror(file) == 0;
        }
        unsigned char *const more = room < UINT32_MAX / 2 ? realloc(bytes->data, room * 2) : NULL;
        if (more == NULL) {
            break;
        }
        bytes->data = more;
        room *= 2;
    }
    errno = ENOMEM;
    return false;
}

// -------------------------------------------------------------------------------------------------------------------- operations

static bool ops_append(struct trace *trace, uint32_t *room, const struct trace_op *op)
{
    if (trace->op_count == *room) {
        const uint32_t more = *room == 0 ? 4096 : *room * 2;
        struct trace_op *const ops = realloc(trace->ops, more * sizeof *ops);
        if (ops == NULL) {
            return false;
        }
        trace->ops = ops;
        *room = more;
    }
    trace->ops[trace->op_count++] = *op;
    return true;
}

#define IDS_MAX ((uint32_t)1 << 22)

static uint32_t ids_capacity(const struct trace_reader *reader, size_t file_size)
{
    const uint32_t asked = reader->header.ids < IDS_MAX ? reader->header.ids : IDS_MAX;
    return asked > file_size ? asked : (uint32_t)file_size;
}

// Returns false with fault.before set, or without it where memory is out.
static bool ops_read(struct trace *trace, struct trace_reader *reader, size_t file_size)
{
    const uint32_t capacity = ids_capacity(reader, file_size);
    void *const table = malloc(trace_table_size(capacity) + 1);
    struct trace_op op;
    uint32_t room = 0;
    int result = -1;
    if (table != NULL && trace_set_table(reader, table, capacity) == 0) {
        while ((result = trace_next(reader, &op)) > 0) {
            if (!ops_append(trace, &room, &op)) {
                result = -1;
                break;
            }
        }
    }
    free(table);
    trace->header = reader->header;
    trace->is_compact = reader->is_compact;
    trace->id_count = reader->ids;
    return result == 0;
}

// What follows from the operations. Returns false iff memory is out.
static bool ops_measure(struct trace *trace)
{
    struct replay_slot *const slots = malloc((trace->id_count + (size_t)1) * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    struct replay replay;
    replay_begin(&replay, NULL, NULL, slots, trace->id_count);
    for (uint32_t at = 0; at < trace->op_count; at++) {
        (void)replay_step(&replay, &trace->ops[at]);
    }
    trace->peak = replay.peak;
    trace->peak_blocks = replay.peak_blocks;
    free(slots);
    return true;
}

static bool bytes_decode(struct trace *trace, struct bytes *bytes, const char *path)
{
    struct trace_reader reader;
    char text[TRACE_EXPLANATION_MAX];
    const bool is_read = trace_open(&reader, bytes_read, bytes) == 0 && ops_read(trace, &reader, bytes->size);
    if (is_read && ops_measure(trace)) {
        return true;
    }
    tool_complain("%s: %s", path, reader.fault.before != NULL ? trace_explain(&reader, text) : "out of memory");
    trace_unload(trace);
    return false;
}

// --------------------------------------------------------------------------------------------------------------------- the calls

bool trace_load(struct trace *trace, const char *path)
{
    memset(trace, 0, sizeof *trace);
    const bool is_input = strcmp(path, "-") == 0;
    tool_base_name(is_input ? "input" : path, trace->name, sizeof trace->name);
    FILE *const file = is_input ? stdin : fopen(path, "rb");
    struct bytes bytes = {0};
    bool is_loaded = file != NULL && bytes_load(&bytes, file);
    if (!is_loaded) {
        tool_complain("%s: %s", path, strerror(errno));
    }
    if (file != NULL && !is_input) {
        fclose(file);
    }
    is_loaded = is_loaded && bytes_decode(trace, &bytes, path);
    free(bytes.data);
    return is_loaded;
}

void trace_unload(struct trace *trace)
{
    free(trace->ops);
    trace->ops = NULL;
    trace->op_count = 0;
}

static bool file_write(void *context, const void *bytes, size_t size)
{
    return fwrite(bytes, 1, size, context) == size;
}

bool trace_store(const struct trace *trace, const char *path, bool is_compact)
{
    const bool is_output = strcmp(path, "-") == 0;
    FILE *const file = is_output ? stdout : fopen(path, "wb");
    struct trace_writer writer;
    bool is_stored = file != NULL && trace_create(&writer, is_compact, &trace->header, file_write, file) == 0;
    for (uint32_t at = 0; is_stored && at < trace->op_count; at++) {
        is_stored = trace_put(&writer, &trace->ops[at]) == 0;
    }
    if (file != NULL) {
        is_stored = (is_output ? fflush(file) : fclose(file)) == 0 && is_stored;
    }
    if (!is_stored) {
        tool_complain("%s: %s", path, strerror(errno));
    }
    return is_stored;
}
