// SPDX-License-Identifier: MIT
//
// What the fuzz targets share: bytes that run out, and the end of a run that found something.
//
// OWNS: struct input. CALLERS: fuzz_*.c.
#ifndef INPUT_H
#define INPUT_H

#include "heap/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct input {
    const uint8_t *at;
    size_t left;
};

// The next byte; 0 behind the end.
static inline uint8_t input_byte(struct input *input)
{
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->at++;
}

static inline uint32_t input_half(struct input *input)
{
    const uint32_t low = input_byte(input);
    return low | (uint32_t)input_byte(input) << 8;
}

// Stop, so that the fuzzer keeps the input.
#define MUST(condition)                                                                \
    do {                                                                               \
        if (!(condition)) {                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);    \
            abort();                                                                   \
        }                                                                              \
    } while (0)

// Use a heap whose check passes, whatever made it: free, allocate, change, look. Nothing may be reported, and the check must go on
// passing. reports: the counter that the report hook raises.
void exercise(struct cairn_heap *heap, struct input *input, const uint32_t *reports);

// A new heap, by the input, in memory from malloc that ends where the region ends.
struct ground {
    struct cairn_heap heap;
    unsigned char *memory;
    unsigned char *region;
    void *tags;
    size_t size, max_size; // of the region, now and at most
    bool damaged;
    uint32_t reports;
    struct cairn_report report;
};

// Returns false iff the library refused; there is nothing to free then.
bool ground_init(struct ground *ground, struct input *input);
void ground_deinit(struct ground *ground);

#endif
