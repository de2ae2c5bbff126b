// SPDX-License-Identifier: MIT
//
// OWNS        nothing (workload.h).
// CALLERS     main.c.
#include "workload.h"

#include "peer.h"
#include "semihost.h"

// ---------------------------------------------------------------------------------------------------- calls, counted or not

static void *call_aligned(void *context, size_t alignment, size_t size)
{
    struct tally *const tally = ((const struct workload *)context)->tally;
    uint32_t instructions;
    void *const block = peer_alloc(tally != NULL ? &instructions : NULL, (uint32_t)alignment, size);

    if (tally != NULL)
        tally_add(&tally[CALL_MALLOC], instructions);
    return block;
}

static void *call_alloc(void *context, size_t size)
{
    return call_aligned(context, 1, size);
}

static void *call_realloc(void *context, void *old, size_t size)
{
    struct tally *const tally = ((const struct workload *)context)->tally;
    uint32_t instructions;
    void *const block = peer_realloc(tally != NULL ? &instructions : NULL, old, size);

    if (tally != NULL)
        tally_add(&tally[CALL_REALLOC], instructions);
    return block;
}

static void call_free(void *context, void *block)
{
    struct tally *const tally = ((const struct workload *)context)->tally;
    uint32_t instructions;

    peer_free(tally != NULL ? &instructions : NULL, block);
    if (tally != NULL)
        tally_add(&tally[CALL_FREE], instructions);
}

// ---------------------------------------------------------------------------------------------------- reading

static size_t file_read(void *context, void *bytes, size_t size)
{
    return semihost_read(*(const int *)context, bytes, size);
}

static const char *ops_read(struct workload *workload, struct area *area, struct trace_reader *reader)
{
    struct trace_op *op;
    int got;

    workload->ops = (struct trace_op *)(void *)area->next;
    for (;;) {
        op = area_take(area, sizeof *op);
        if (op == NULL)
            return "the trace does not fit in memory: ";
        got = trace_next(reader, op);
        if (got != 1)
            break;
        workload->count++;
    }
    return got == 0 ? NULL : "malformed (cairn-replay says where): ";
}

const char *workload_load(struct workload *workload, struct area *area, const char *path)
{
    struct trace_reader *const reader = area_take(area, sizeof *reader);
    struct replay replay;
    int file = semihost_open(path, SEMIHOST_READ);

    _Static_assert(sizeof(struct trace_op) == 16, "area_take rounds to 16: operations lie side by side");
    if (file < 0)
        return "cannot open ";
    if (trace_open(reader, file_read, &file) != 0)
        return "not a trace: ";
    workload->ids = reader->header.ids;
    void *const table = area_take(area, trace_table_size(workload->ids));
    workload->slots = area_take(area, (workload->ids + 1) * sizeof *workload->slots);
    if (table == NULL || workload->slots == NULL || trace_set_table(reader, table, workload->ids) != 0)
        return "too many ids: ";
    const char *const wrong = ops_read(workload, area, reader);
    semihost_close(file);
    if (wrong != NULL)
        return wrong;
    replay_begin(&replay, NULL, NULL, workload->slots, workload->ids);
    for (uint32_t i = 0; i < workload->count; i++)
        (void)replay_step(&replay, &workload->ops[i]);
    workload->peak = replay.peak;
    return NULL;
}

// ---------------------------------------------------------------------------------------------------- running

bool workload_run(struct workload *workload, bool to_the_end)
{
    static const struct replay_calls calls = {call_alloc, call_aligned, call_realloc, call_free};
    struct replay replay;
    bool good = true;

    replay_begin(&replay, &calls, workload, workload->slots, workload->ids);
    for (uint32_t i = 0; i < workload->count && (good || to_the_end); i++)
        good = replay_step(&replay, &workload->ops[i]) && good;
    workload->failed = replay.failed;
    workload->broken += replay.broken;
    return good;
}
