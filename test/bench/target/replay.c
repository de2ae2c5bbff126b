// SPDX-License-Identifier: MIT
//
// OWNS        nothing (replay.h).
// CALLERS     main.c.
#include "replay.h"

#include <string.h>

#include "peer.h"

static unsigned char stamp_of(uint32_t slot)
{
    return (unsigned char)(slot * 7 + 1);
}

static void stamp(struct slot *slot, uint32_t number)
{
    slot->block[slot->size - 1] = stamp_of(number);
    slot->block[0] = stamp_of(number);
}

static bool is_stamped(const struct slot *slot, uint32_t number, uint32_t kept)
{
    return slot->block[0] == stamp_of(number) && (kept < slot->size || slot->block[slot->size - 1] == stamp_of(number));
}

static bool step_alloc(struct slot *slot, uint32_t number, const struct op *op, uint32_t *count)
{
    slot->block = peer_alloc(count, op_alignment(op), op->size);
    slot->size = op->size;
    if (slot->block == NULL)
        return false;
    stamp(slot, number);
    return true;
}

static bool step_realloc(struct run *run, struct slot *slot, uint32_t number, const struct op *op, uint32_t *count)
{
    const uint32_t kept = op->size < slot->size ? op->size : slot->size;

    run->broken += !is_stamped(slot, number, slot->size);
    unsigned char *const block = peer_realloc(count, slot->block, op->size);
    if (block == NULL) {
        peer_free(NULL, slot->block);
        slot->block = NULL;
        return false;
    }
    slot->block = block;
    run->broken += !is_stamped(slot, number, kept);
    slot->size = op->size;
    stamp(slot, number);
    return true;
}

bool replay(struct run *run)
{
    memset(run->slots, 0, run->ops->slots * sizeof *run->slots);
    run->failed = 0;
    for (uint32_t i = 0; i < run->ops->count; i++) {
        const struct op *const op = &run->ops->op[i];
        const enum op_kind kind = op_kind(op);
        const uint32_t number = op_slot(op);
        struct slot *const slot = &run->slots[number];
        uint32_t instructions = 0;
        uint32_t *const count = run->tally != NULL ? &instructions : NULL;
        bool done = true;

        if (kind == OP_ALLOC) {
            done = step_alloc(slot, number, op, count);
        } else if (slot->block == NULL) {
            continue;
        } else if (kind == OP_REALLOC) {
            done = step_realloc(run, slot, number, op, count);
        } else {
            run->broken += !is_stamped(slot, number, slot->size);
            peer_free(count, slot->block);
            slot->block = NULL;
        }
        if (run->tally != NULL)
            tally_add(&run->tally[kind], instructions);
        if (!done) {
            run->failed++;
            if (run->stop_at_failure)
                return false;
        }
    }
    return run->failed == 0;
}
