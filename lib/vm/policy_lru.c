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

static size_t lru_bytes(uint32_t frames)
{
    return sizeof(struct lru) + frames * sizeof(struct ring_link);
}

static void lru_init(void *state, uint32_t frames)
{
    struct lru *const lru = state;
    (void)frames;
    lru->ring = ring_empty();
}

static void lru_insert(void *state, uint32_t frame, uint32_t page)
{
    struct lru *const lru = state;
    (void)page;
    cairn_ring_append_(&lru->ring, lru->links, frame);
}

static void lru_touch(void *state, uint32_t frame)
{
    struct lru *const lru = state;
    cairn_ring_renew_(&lru->ring, lru->links, frame);
}

static void lru_take_out(void *state, uint32_t frame, bool evicted)
{
    struct lru *const lru = state;
    (void)evicted;
    cairn_ring_unlink_(&lru->ring, lru->links, frame);
}

static uint32_t lru_victim(void *state, uint32_t page, const struct cairn_policy_view *view)
{
    const struct lru *const lru = state;
    (void)page;
    return cairn_ring_oldest_(&lru->ring, lru->links, view);
}

const struct cairn_policy cairn_policy_lru = {"lru", lru_bytes, lru_init, lru_insert, lru_touch, lru_take_out, lru_victim};
