// SPDX-License-Identifier: MIT
//
// Traces in memory, for tests.
//
// OWNS        struct bytes: where a trace is read from or written to.
// CALLERS     the tests of this folder.
#ifndef CAIRN_TEST_BYTES_H
#define CAIRN_TEST_BYTES_H

#include <string.h>

#include "trace.h"

struct bytes {
    unsigned char *data;
    size_t size; // filled
    size_t room;
    size_t at;   // read so far
};

static inline size_t bytes_read(void *context, void *to, size_t size)
{
    struct bytes *const bytes = context;
    const size_t left = bytes->size - bytes->at;
    const size_t count = size < left ? size : left;
    memcpy(to, bytes->data + bytes->at, count);
    bytes->at += count;
    return count;
}

static inline bool bytes_write(void *context, const void *from, size_t size)
{
    struct bytes *const bytes = context;
    if (size > bytes->room - bytes->size) {
        return false;
    }
    memcpy(bytes->data + bytes->size, from, size);
    bytes->size += size;
    return true;
}

#endif
