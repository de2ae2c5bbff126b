// SPDX-License-Identifier: MIT
//
// A whole trace in memory.
//
// OWNS        struct trace: its operations, and what follows from them.
// COST        16 bytes an operation.
// CALLERS     the host's tools.
#ifndef CAIRN_PORT_LOAD_H
#define CAIRN_PORT_LOAD_H

#include <stdio.h>

#include "replay.h"

struct trace {
    char name[256]; // of the file, without folder and ending
    struct trace_header header; // as it stands in the file
    bool is_compact;
    struct trace_op *ops;
    uint32_t op_count;
    uint32_t id_count;
    size_t peak;          // bytes: the largest sum of requested bytes live at one time
    uint32_t peak_blocks; // live at one time
};

// Load `path` ("-": standard input). Complains (tool.h) and returns false iff it cannot be read, is malformed, or memory is out;
// then there is nothing to unload.
bool trace_load(struct trace *trace, const char *path);
void trace_unload(struct trace *trace);

// Write the trace. Complains and returns false iff that fails.
bool trace_store(const struct trace *trace, const char *path, bool is_compact);

#endif
