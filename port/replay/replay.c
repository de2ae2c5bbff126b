// SPDX-License-Identifier: MIT
//
// OWNS        as replay.h says.
// INVARIANTS  1. Byte i of a stamp depends on i modulo 4 only: in a block of fewer than eight bytes the two stamps overlap, and agree.
// COST        two words written and read a block.
// CALLERS     as replay.h says.
#include "replay.h"

#include <string.h>

// ----------------------------------------------------------------------------------------------------------------------- stamps

// Knuth's multiplicative hash: neighbours differ in every byte.
static uint32_t stamp_of(uint32_t id)
{
    return (id + 1) * 2654435761u;
}

// The stamp as it stands at byte `at` of a block.
static uint32_t stamp_turned(uint32_t stamp, uint32_t at)
{
    const unsigned turn = at % 4 * 8;
    return turn == 0 ? stamp : stamp >> turn | stamp << (32 - turn);
}

// Bytes of a stamp at either end of a block.
static uint32_t stamp_bytes(uint32_t size)
{
    return size < 4 ? size : 4;
}

static void stamp_write(unsigned char *block, uint32_t size, uint32_t stamp)
{
    const uint32_t bytes = stamp_bytes(size);
    const uint32_t last = stamp_turned(stamp, size - bytes);
    memcpy(block, &stamp, bytes);
    memcpy(block + size - bytes, &last, bytes);
}

static bool is_stamp(const unsigned char *at, uint32_t stamp, uint32_t bytes)
{
    return memcmp(at, &stamp, bytes) == 0;
}

static bool is_stamped(const unsigned char *block, uint32_t size, uint32_t stamp)
{
    const uint32_t bytes = stamp_bytes(size);
    return is_stamp(block, stamp, bytes) && is_stamp(block + size - bytes, stamp_turned(stamp, size - bytes), bytes);
}

// ------------------------------------------------------------------------------------------------------------------- operations

static void count(struct replay *replay, uint32_t old_size, uint32_t size)
{
    replay->live = replay->live - old_size + size;
    replay->peak = replay->live > replay->peak ? replay->live : replay->peak;
    replay->blocks += (size != 0) - (uint32_t)(old_size != 0);
    replay->peak_blocks = replay->blocks > replay->peak_blocks ? replay->blocks : replay->peak_blocks;
}

static bool do_alloc(struct replay *replay, const struct trace_op *op, struct replay_slot *slot)
{
    const uint32_t size = op->size == 0 ? 1 : op->size;
    if (replay->calls != NULL) {
        void *const block = op->act == TRACE_ALIGNED ? replay->calls->aligned_alloc(replay->context, op->alignment, size)
                                                     : replay->calls->alloc(replay->context, size);
        if (block == NULL) {
            replay->failed++;
            return false;
        }
        slot->block = block;
        stamp_write(block, size, stamp_of(op->id));
    }
    slot->size = size;
    count(replay, 0, size);
    return true;
}

static bool do_realloc(struct replay *replay, const struct trace_op *op, struct replay_slot *slot)
{
    const uint32_t size = op->size == 0 ? 1 : op->size;
    const uint32_t kept = size < slot->size ? size : slot->size;
    const uint32_t old_size = slot->size;
    const uint32_t stamp = stamp_of(op->id);
    bool is_whole = true;
    if (replay->calls != NULL) {
        is_whole = is_stamped(slot->block, old_size, stamp);
        unsigned char *const block = replay->calls->realloc(replay->context, slot->block, size);
        if (block == NULL) {
            slot->size = 0; // the block stays allocated: nobody will free it
            replay->failed++;
            replay->broken += !is_whole;
            return false;
        }
        is_whole = is_whole && is_stamp(block, stamp, stamp_bytes(kept)) && (size < old_size || is_stamped(block, old_size, stamp));
        slot->block = block;
        stamp_write(block, size, stamp);
    }
    slot->size = size;
    count(replay, old_size, size);
    replay->broken += !is_whole;
    return is_whole;
}

static bool do_free(struct replay *replay, const struct trace_op *op, struct replay_slot *slot)
{
    bool is_whole = true;
    if (replay->calls != NULL) {
        is_whole = is_stamped(slot->block, slot->size, stamp_of(op->id));
        replay->calls->free(replay->context, slot->block);
    }
    count(replay, slot->size, 0);
    slot->size = 0;
    replay->broken += !is_whole;
    return is_whole;
}

void replay_begin(struct replay *replay, const struct replay_calls *calls, void *context, struct replay_slot *slots, uint32_t slot_count)
{
    *replay = (struct replay){.calls = calls, .context = context, .slots = slots};
    memset(slots, 0, slot_count * sizeof *slots);
}

bool replay_step(struct replay *replay, const struct trace_op *op)
{
    struct replay_slot *const slot = &replay->slots[op->id];
    replay->ops++;
    if (op->act == TRACE_ALLOC || op->act == TRACE_ALIGNED) {
        return do_alloc(replay, op, slot);
    }
    if (slot->size == 0) {
        replay->skipped++;
        return true;
    }
    return op->act == TRACE_FREE ? do_free(replay, op, slot) : do_realloc(replay, op, slot);
}

// ------------------------------------------------------------------------------------------------------------------ cairn's heap

static void *heap_alloc(void *context, size_t size)
{
    return cairn_heap_alloc(context, size);
}

static void *heap_aligned_alloc(void *context, size_t alignment, size_t size)
{
    return cairn_heap_aligned_alloc(context, alignment, size);
}

static void *heap_realloc(void *context, void *block, size_t size)
{
    return cairn_heap_realloc(context, block, size);
}

static void heap_free(void *context, void *block)
{
    cairn_heap_free(context, block);
}

const struct replay_calls replay_heap_calls = {heap_alloc, heap_aligned_alloc, heap_realloc, heap_free};
