// SPDX-License-Identifier: MIT
//
// OWNS        the shape of a stream of operations, as ops.py writes it.
// PICTURE     magic | operations | slots | peak | { kind << 28 | log2 alignment << 23 | slot, size } ...
// CALLERS     the bench programs; one thread.
#ifndef CAIRN_BENCH_OPS_H
#define CAIRN_BENCH_OPS_H

#include <stdint.h>

#define OPS_MAGIC 0x31504F43u
#define OP_SLOT_MASK 0x7FFFFFu

enum op_kind { OP_ALLOC = 1, OP_FREE, OP_REALLOC, OP_KINDS };

struct op {
    uint32_t what;
    uint32_t size;
};

struct ops {
    uint32_t magic;
    uint32_t count;
    uint32_t slots;
    uint32_t peak;
    struct op op[];
};

static inline enum op_kind op_kind(const struct op *op)
{
    return (enum op_kind)(op->what >> 28);
}

static inline uint32_t op_slot(const struct op *op)
{
    return op->what & OP_SLOT_MASK;
}

static inline uint32_t op_alignment(const struct op *op)
{
    return (uint32_t)1 << (op->what >> 23 & 31);
}

#endif
