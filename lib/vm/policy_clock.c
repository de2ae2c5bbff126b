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

struct clock {
    uint16_t frames;
    uint16_t hand;
    uint32_t bits[]; // held, used
};

CAIRN_INLINE uint32_t *used_of(struct clock *clock)
{
    return clock->bits + set_words(clock->frames);
}

static size_t clock_bytes(uint32_t frames)
{
    return sizeof(struct clock) + 2 * set_words(frames) * sizeof(uint32_t);
}

static void clock_init(void *state, uint32_t frames)
{
    struct clock *const clock = state;
    memset(clock, 0, clock_bytes(frames));
    clock->frames = (uint16_t)frames;
}

static void clock_insert(void *state, uint32_t frame, uint32_t page)
{
    struct clock *const clock = state;
    (void)page;
    set_add(clock->bits, frame);
    set_add(used_of(clock), frame);
}

static void clock_touch(void *state, uint32_t frame)
{
    set_add(used_of(state), frame);
}

static void clock_take_out(void *state, uint32_t frame, bool evicted)
{
    struct clock *const clock = state;
    set_drop(clock->bits, frame);
    set_drop(used_of(clock), frame);
    if (evicted && frame == clock->hand) {
        clock->hand = (uint16_t)frame_after(frame, clock->frames);
    }
}

static uint32_t clock_victim(void *state, uint32_t page, const struct cairn_policy_view *view)
{
    struct clock *const clock = state;
    uint32_t *const used = used_of(clock);
    uint32_t hand = clock->hand;
    (void)page;
    for (uint32_t left = 2u * clock->frames; left != 0; left--) {
        if (set_has(clock->bits, hand)) {
            if (!set_has(used, hand) && !frame_is_pinned(view, hand)) {
                clock->hand = (uint16_t)hand;
                return hand;
            }
            set_drop(used, hand);
        }
        hand = frame_after(hand, clock->frames);
    }
    return CAIRN_FRAME_NONE;
}

const struct cairn_policy cairn_policy_clock = {"clock", clock_bytes, clock_init, clock_insert, clock_touch, clock_take_out, clock_victim};
