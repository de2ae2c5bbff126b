// SPDX-License-Identifier: MIT
//
// Least recently used: the page whose last access that was seen is the longest ago leaves.
//
// OWNS        a ring of the frames, least recent first: 4 bytes a frame.
// STREAM      every access that is shown; where a TLB shows only its fills, the order is that of the fills.
// COST        touch, insert and remove O(1), touch being a move in the ring; victim O(1) but for frames that are pinned.
// CALLERS     the vm's.
#include "vm/policy_parts.h"

struct lru {
    struct ring ring;
    struct ring_link links[];
};

static size_t adaptive_bytes(uint32_t frames)
{
    return sizeof(struct lru) + frames * sizeof(struct ring_link);
}

static void adaptive_init(void *state, uint32_t frames)
{
    struct lru *const lru = state;
    (void)frames;
    lru->ring = ring_empty();
}

static void adaptive_insert(void *state, uint32_t frame, uint32_t page)
{
    struct lru *const lru = state;
    (void)page;
    ring_append(&lru->ring, lru->links, frame);
}

static void adaptive_touch(void *state, uint32_t frame)
{
    struct lru *const lru = state;
    ring_renew(&lru->ring, lru->links, frame);
}

static void adaptive_take_out(void *state, uint32_t frame, bool evicted)
{
    struct lru *const lru = state;
    (void)evicted;
    ring_unlink(&lru->ring, lru->links, frame);
}

static uint32_t adaptive_victim(void *state, uint32_t page, const struct cairn_policy_view *view)
{
    const struct lru *const lru = state;
    (void)page;
    return ring_oldest(&lru->ring, lru->links, view);
}

const struct cairn_policy cairn_policy_adaptive = {"adaptive", adaptive_bytes, adaptive_init, adaptive_insert, adaptive_touch, adaptive_take_out, adaptive_victim};
