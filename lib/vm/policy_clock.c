// SPDX-License-Identifier: MIT
//
// CLOCK (Corbato, "A paging experiment with the Multics system", 1968): a hand goes round the frames; a frame that was used since the hand came by
// is passed over once.
//
// OWNS        the hand. Which frames hold a page that may leave, and which were used, is in the view.
// INVARIANTS  1. The hand is behind the last victim.
// STREAM      every access that is shown; it is enough that each is shown once between two turns of the hand.
// COST        touch, insert and remove nothing; victim two turns at most.
// CALLERS     the vm's.
#include "vm/policy_parts.h"

struct hand {
    uint16_t frames;
    uint16_t at;
};

static size_t clock_bytes(uint32_t frames)
{
    (void)frames;
    return sizeof(struct hand);
}

static void clock_init(void *state, uint32_t frames)
{
    *(struct hand *)state = (struct hand){(uint16_t)frames, 0};
}

static void clock_insert(void *state, uint32_t frame, uint32_t page)
{
    (void)state;
    (void)frame;
    (void)page;
}

static void clock_take_out(void *state, uint32_t frame, bool evicted)
{
    (void)state;
    (void)frame;
    (void)evicted;
}

static uint32_t clock_victim(void *state, uint32_t page, const struct cairn_policy_view *view)
{
    struct hand *const hand = state;
    uint32_t at = hand->at;
    (void)page;
    for (uint32_t left = 2u * hand->frames; left != 0; left--) {
        const uint32_t frame = at;
        uint8_t *const flags = frame_flags(view, frame);
        at = frame_after(at, hand->frames);
        if ((*flags & (CAIRN_FRAME_USED | CAIRN_FRAME_PINNED)) == 0) {
            hand->at = (uint16_t)at;
            return frame;
        }
        *flags &= (uint8_t)~CAIRN_FRAME_USED;
    }
    return CAIRN_FRAME_NONE;
}

const struct cairn_policy cairn_policy_clock = {"clock", clock_bytes, clock_init, clock_insert, NULL, clock_take_out, clock_victim};
