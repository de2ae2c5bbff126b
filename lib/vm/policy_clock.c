// SPDX-License-Identifier: MIT
//
// CLOCK (Corbato, "A paging experiment with the Multics system", 1968): a hand goes round the frames; a frame that was used since the hand came by
// is passed over once.
//
// OWNS        two bits a frame, and the hand.
// PICTURE     held | 1 1 0 1 1 |   the frame has a page
//             used | 0 1 0 1 1 |   an access was seen since the hand passed; a page that has just come has been used
//                    ^ hand
// INVARIANTS  1. A frame that is not held is not used.
//             2. The hand stands on the victim until that is removed; then behind it.
// STREAM      every access that is shown; it is enough that each is shown once between two turns of the hand.
// COST        touch, insert and remove O(1); victim two turns at most.
// CALLERS     the vm's.
#include "vm/policy_parts.h"

static size_t clock_bytes(uint32_t frames)
{
    return hand_bytes(frames);
}

static void clock_init(void *state, uint32_t frames)
{
    hand_init(state, frames);
}

static void clock_insert(void *state, uint32_t frame, uint32_t page)
{
    (void)page;
    hand_insert(state, frame);
}

static void clock_touch(void *state, uint32_t frame)
{
    set_add(hand_used(state), frame);
}

static void clock_take_out(void *state, uint32_t frame, bool evicted)
{
    struct hand *const hand = state;
    hand_drop(hand, frame);
    if (evicted && frame == hand->at) {
        hand->at = (uint16_t)frame_after(frame, hand->frames);
    }
}

static uint32_t clock_victim(void *state, uint32_t page, const struct cairn_policy_view *view)
{
    struct hand *const hand = state;
    uint32_t *const used = hand_used(hand);
    uint32_t at = hand->at;
    (void)page;
    for (uint32_t left = 2u * hand->frames; left != 0; left--) {
        if (set_has(hand->held, at)) {
            if (!set_has(used, at) && !frame_is_pinned(view, at)) {
                hand->at = (uint16_t)at;
                return at;
            }
            set_drop(used, at);
        }
        at = frame_after(at, hand->frames);
    }
    return CAIRN_FRAME_NONE;
}

const struct cairn_policy cairn_policy_clock = {"clock", clock_bytes, clock_init, clock_insert, clock_touch, clock_take_out, clock_victim};
