// SPDX-License-Identifier: MIT
//
// Loops larger than memory: most pages stay whatever comes, the others pass through the rest. Where a program goes round N pages with F frames, LRU keeps none until it
// is asked for again; the best that can be done is to keep the same F - 1 (Smith, Goodman, "A study of instruction cache organizations and replacement policies", 1983).
//
// OWNS        two rings of frames, and two bits a frame: 4 1/4 bytes.
// PICTURE     new page -> | passing: a queue, an eighth of the frames | -> gone
//                                      | takes the place of a kept page that was not used for a whole turn of the hand
//             | kept: a ring, `first` is where the hand is |              the hand moves on by one each TURN pages that leave from `passing`
// INVARIANTS  1. A frame is in `kept` iff its bit in the first set says so. The bit in the second: used since the hand passed.
// STREAM      every access that is shown; once in a turn of the hand is enough.
// COST        touch, insert and remove O(1); victim O(1) but for frames that are pinned.
// CALLERS     policy_adaptive.c.
#include "vm/policy_loop.h"

#include "vm/policy_parts.h"

#define TURN 4u
#define PASSING 8u

struct loop {
    uint16_t frames;
    uint16_t left; // pages to leave until the hand moves
    struct ring passing;
    struct ring kept;
    struct ring_link links[]; // then the sets
};

CAIRN_INLINE uint32_t *kept_of(struct loop *loop)
{
    return (uint32_t *)(loop->links + loop->frames);
}

CAIRN_INLINE uint32_t *used_of(struct loop *loop)
{
    return kept_of(loop) + set_words(loop->frames);
}

CAIRN_INLINE uint32_t passing_most(const struct loop *loop)
{
    return (loop->frames + PASSING - 1) / PASSING;
}

static size_t loop_bytes(uint32_t frames)
{
    return sizeof(struct loop) + frames * sizeof(struct ring_link) + 2 * set_words(frames) * sizeof(uint32_t);
}

static void loop_init(void *state, uint32_t frames)
{
    struct loop *const loop = state;
    memset(loop, 0, loop_bytes(frames));
    loop->frames = (uint16_t)frames;
    loop->left = TURN;
    loop->passing = loop->kept = ring_empty();
}

static void keep(struct loop *loop, uint32_t frame)
{
    cairn_ring_unlink_(&loop->passing, loop->links, frame);
    cairn_ring_append_(&loop->kept, loop->links, frame);
    set_add(kept_of(loop), frame);
    set_drop(used_of(loop), frame);
}

static void loop_insert(void *state, uint32_t frame, uint32_t page)
{
    struct loop *const loop = state;
    (void)page;
    set_drop(kept_of(loop), frame);
    cairn_ring_append_(&loop->passing, loop->links, frame);
    if (loop->passing.count > passing_most(loop) && loop->passing.count + (uint32_t)loop->kept.count < loop->frames) {
        keep(loop, loop->passing.first);
    }
}

static void loop_touch(void *state, uint32_t frame)
{
    set_add(used_of(state), frame);
}

static void loop_take_out(void *state, uint32_t frame, bool evicted)
{
    struct loop *const loop = state;
    const bool is_kept = set_has(kept_of(loop), frame);
    cairn_ring_unlink_(is_kept ? &loop->kept : &loop->passing, loop->links, frame);
    if (evicted && is_kept && loop->passing.count != 0) {
        loop->left = TURN;
        keep(loop, loop->passing.first);
    } else if (evicted && loop->left != 0) {
        loop->left--;
    }
}

static uint32_t loop_victim(void *state, uint32_t page, const struct cairn_policy_view *view)
{
    struct loop *const loop = state;
    (void)page;
    if (loop->left == 0 && loop->kept.count != 0) {
        const uint32_t frame = loop->kept.first;
        if (!set_has(used_of(loop), frame) && !frame_is_pinned(view, frame)) {
            return frame;
        }
        set_drop(used_of(loop), frame);
        cairn_ring_renew_(&loop->kept, loop->links, frame);
        loop->left = TURN;
    }
    const uint32_t frame = cairn_ring_oldest_(&loop->passing, loop->links, view);
    return frame != CAIRN_FRAME_NONE ? frame : cairn_ring_oldest_(&loop->kept, loop->links, view);
}

const struct cairn_policy cairn_policy_loop_ = {"loop", loop_bytes, loop_init, loop_insert, loop_touch, loop_take_out, loop_victim};
