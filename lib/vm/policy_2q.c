// SPDX-License-Identifier: MIT
//
// 2Q (Johnson, Shasha, "2Q: a low overhead high performance buffer management replacement algorithm", 1994), the full version.
//
// OWNS        two rings of frames, the pages they hold, and a history. 8 bytes and a bit a frame, half a history's slot: 12 bytes and a bit in all.
// PICTURE     new page -> | young: a queue, a quarter of the frames | -> history of half as many pages as frames
//             page of the history -> | old: least recently used first | -> gone
// STREAM      every access that is shown. An access to a young page makes no difference: it comes soon after the first, and says little.
// COST        touch, insert and remove O(1); victim O(1) but for frames that are pinned.
// CALLERS     the vm's.
#include "vm/policy_parts.h"

struct twoq {
    uint16_t frames;
    uint16_t young_most;
    struct ring young;
    struct ring old;
    uint32_t pages[]; // then the links, the set of old frames, the history
};

CAIRN_INLINE struct ring_link *links_of(struct twoq *q)
{
    return (struct ring_link *)(q->pages + q->frames);
}

CAIRN_INLINE uint32_t *is_old_of(struct twoq *q)
{
    return (uint32_t *)(links_of(q) + q->frames);
}

CAIRN_INLINE struct history *history_of(struct twoq *q)
{
    return (struct history *)(is_old_of(q) + set_words(q->frames));
}

CAIRN_INLINE uint32_t remembered(uint32_t frames)
{
    return history_capacity(frames / 2);
}

_Static_assert(sizeof(struct ring_link) == sizeof(uint32_t) && sizeof(struct history) == 8, "all stands aligned to 4");

static size_t twoq_bytes(uint32_t frames)
{
    return sizeof(struct twoq) + frames * (sizeof(uint32_t) + sizeof(struct ring_link)) + set_words(frames) * sizeof(uint32_t) +
           history_bytes(remembered(frames));
}

static void twoq_init(void *state, uint32_t frames)
{
    struct twoq *const q = state;
    memset(q, 0, twoq_bytes(frames));
    q->frames = (uint16_t)frames;
    q->young_most = (uint16_t)(frames < 4 ? 1 : frames / 4);
    q->young = q->old = ring_empty();
    cairn_history_init_(history_of(q), remembered(frames));
}

static void twoq_insert(void *state, uint32_t frame, uint32_t page)
{
    struct twoq *const q = state;
    q->pages[frame] = page;
    if (cairn_history_take_(history_of(q), page)) {
        set_add(is_old_of(q), frame);
        cairn_ring_append_(&q->old, links_of(q), frame);
    } else {
        set_drop(is_old_of(q), frame);
        cairn_ring_append_(&q->young, links_of(q), frame);
    }
}

static void twoq_touch(void *state, uint32_t frame)
{
    struct twoq *const q = state;
    if (set_has(is_old_of(q), frame)) {
        cairn_ring_renew_(&q->old, links_of(q), frame);
    }
}

static void twoq_take_out(void *state, uint32_t frame, bool evicted)
{
    struct twoq *const q = state;
    if (set_has(is_old_of(q), frame)) {
        cairn_ring_unlink_(&q->old, links_of(q), frame);
        return;
    }
    cairn_ring_unlink_(&q->young, links_of(q), frame);
    if (evicted) {
        cairn_history_add_(history_of(q), q->pages[frame]);
    }
}

static uint32_t twoq_victim(void *state, uint32_t page, const struct cairn_policy_view *view)
{
    struct twoq *const q = state;
    const bool is_young_first = q->young.count > q->young_most || q->old.count == 0;
    (void)page;
    const uint32_t frame = cairn_ring_oldest_(is_young_first ? &q->young : &q->old, links_of(q), view);
    return frame != CAIRN_FRAME_NONE ? frame : cairn_ring_oldest_(is_young_first ? &q->old : &q->young, links_of(q), view);
}

const struct cairn_policy cairn_policy_2q = {"2q", twoq_bytes, twoq_init, twoq_insert, twoq_touch, twoq_take_out, twoq_victim};
