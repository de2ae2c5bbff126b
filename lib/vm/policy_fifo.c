// SPDX-License-Identifier: MIT
//
// First in, first out: the page that has been in its frame for longest leaves. Of use as a yardstick.
//
// OWNS        a ring of the frames, oldest first: 4 bytes a frame.
// STREAM      none: an access makes no difference.
// COST        touch nothing; insert and remove O(1); victim O(1) but for frames that are pinned.
// CALLERS     the vm's; nothing of it is shared.
#include "vm/policy_parts.h"

struct fifo {
    struct ring ring;
    struct ring_link links[];
};

static size_t fifo_bytes(uint32_t frames)
{
    return sizeof(struct fifo) + frames * sizeof(struct ring_link);
}

static void fifo_init(void *state, uint32_t frames)
{
    struct fifo *const fifo = state;
    (void)frames;
    fifo->ring = ring_empty();
}

static void fifo_insert(void *state, uint32_t frame, uint32_t page)
{
    struct fifo *const fifo = state;
    (void)page;
    cairn_ring_append_(&fifo->ring, fifo->links, frame);
}

static void fifo_take_out(void *state, uint32_t frame, bool evicted)
{
    struct fifo *const fifo = state;
    (void)evicted;
    cairn_ring_unlink_(&fifo->ring, fifo->links, frame);
}

static uint32_t fifo_victim(void *state, uint32_t page, const struct cairn_policy_view *view)
{
    const struct fifo *const fifo = state;
    (void)page;
    return cairn_ring_oldest_(&fifo->ring, fifo->links, view);
}

const struct cairn_policy cairn_policy_fifo = {"fifo", fifo_bytes, fifo_init, fifo_insert, NULL, fifo_take_out, fifo_victim};
