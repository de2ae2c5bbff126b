// SPDX-License-Identifier: MIT
//
// S3-FIFO (Yang, Zhang, Qiu, Yue, Vinayak, "FIFO queues are all you need for cache eviction", SOSP 2023), with counts of two bits.
//
// OWNS        two rings of frames, their counts and pages, and a history. 9 bytes a frame and a history's slot: 16 to 17 bytes.
// PICTURE     new page -> | small: a tenth of the frames | -> history of as many pages as frames
//                                      | seen more than once since it came
//             page of the history -> | main | -> gone, or to the end again with one less in its count
// INVARIANTS  1. A count is 0 to 3 in its low bits; MAIN tells which ring the frame is in.
// STREAM      every access that is shown.
// COST        touch O(1): a count; insert and remove O(1); victim moves each frame four times at most.
// CALLERS     the vm's.
#include "vm/policy_parts.h"

#define COUNT 3u
#define MAIN 4u

struct s3fifo {
    uint16_t frames;
    uint16_t small_most;
    struct ring small;
    struct ring main;
    uint32_t pages[]; // then the links, the counts, the history
};

CAIRN_INLINE struct ring_link *links_of(struct s3fifo *s3)
{
    return (struct ring_link *)(s3->pages + s3->frames);
}

CAIRN_INLINE uint8_t *counts_of(struct s3fifo *s3)
{
    return (uint8_t *)(links_of(s3) + s3->frames);
}

CAIRN_INLINE struct history *history_of(struct s3fifo *s3)
{
    return (struct history *)(uintptr_t)(counts_of(s3) + round_to(s3->frames, 4));
}

static size_t s3fifo_bytes(uint32_t frames)
{
    return sizeof(struct s3fifo) + frames * (sizeof(uint32_t) + sizeof(struct ring_link)) + round_to(frames, 4) +
           history_bytes(history_capacity(frames));
}

static void s3fifo_init(void *state, uint32_t frames)
{
    struct s3fifo *const s3 = state;
    memset(s3, 0, s3fifo_bytes(frames));
    s3->frames = (uint16_t)frames;
    s3->small_most = (uint16_t)(frames < 10 ? 1 : frames / 10);
    s3->small = s3->main = ring_empty();
    cairn_history_init_(history_of(s3), history_capacity(frames));
}

static void s3fifo_insert(void *state, uint32_t frame, uint32_t page)
{
    struct s3fifo *const s3 = state;
    const bool is_known = cairn_history_take_(history_of(s3), page);
    s3->pages[frame] = page;
    counts_of(s3)[frame] = is_known ? MAIN : 0;
    cairn_ring_append_(is_known ? &s3->main : &s3->small, links_of(s3), frame);
}

static void s3fifo_touch(void *state, uint32_t frame)
{
    uint8_t *const counts = counts_of(state);
    if ((counts[frame] & COUNT) != COUNT) {
        counts[frame]++;
    }
}

static void s3fifo_take_out(void *state, uint32_t frame, bool evicted)
{
    struct s3fifo *const s3 = state;
    if ((counts_of(s3)[frame] & MAIN) != 0) {
        cairn_ring_unlink_(&s3->main, links_of(s3), frame);
        return;
    }
    cairn_ring_unlink_(&s3->small, links_of(s3), frame);
    if (evicted) {
        cairn_history_add_(history_of(s3), s3->pages[frame]);
    }
}

// One step: the oldest of its queue is moved on, or returned as the victim.
static uint32_t step(struct s3fifo *s3, const struct cairn_policy_view *view)
{
    struct ring_link *const links = links_of(s3);
    const bool is_small = s3->small.count > s3->small_most || s3->main.count == 0;
    const uint32_t frame = is_small ? s3->small.first : s3->main.first;
    uint8_t *const count = &counts_of(s3)[frame];
    if (is_small) {
        if ((*count & COUNT) > 1) {
            cairn_ring_unlink_(&s3->small, links, frame);
            cairn_ring_append_(&s3->main, links, frame);
            *count = MAIN;
            return CAIRN_FRAME_NONE;
        }
        if (!frame_is_pinned(view, frame)) {
            return frame;
        }
        cairn_ring_renew_(&s3->small, links, frame);
        return CAIRN_FRAME_NONE;
    }
    if ((*count & COUNT) == 0 && !frame_is_pinned(view, frame)) {
        return frame;
    }
    *count = (uint8_t)(*count - ((*count & COUNT) != 0 ? 1 : 0));
    cairn_ring_renew_(&s3->main, links, frame);
    return CAIRN_FRAME_NONE;
}

static uint32_t s3fifo_victim(void *state, uint32_t page, const struct cairn_policy_view *view)
{
    struct s3fifo *const s3 = state;
    const uint32_t held = (uint32_t)s3->small.count + s3->main.count;
    uint32_t frame = CAIRN_FRAME_NONE;
    (void)page;
    for (uint32_t left = 5 * held; left != 0 && frame == CAIRN_FRAME_NONE; left--) {
        frame = step(s3, view);
    }
    if (frame == CAIRN_FRAME_NONE) { // all that its queue has is pinned
        frame = cairn_ring_oldest_(&s3->main, links_of(s3), view);
    }
    return frame != CAIRN_FRAME_NONE ? frame : cairn_ring_oldest_(&s3->small, links_of(s3), view);
}

const struct cairn_policy cairn_policy_s3fifo = {"s3fifo", s3fifo_bytes, s3fifo_init, s3fifo_insert, s3fifo_touch, s3fifo_take_out, s3fifo_victim};
