// SPDX-License-Identifier: MIT
//
// Not recently used (as in Tanenbaum, "Modern Operating Systems"): a page of the lowest class leaves: neither used nor dirty, dirty, used, both. Where
// all that may leave were used, it is forgotten of all: the interval is as long as the program makes it, however many accesses are seen.
//
// OWNS        two bits a frame, and the hand.
// PICTURE     held | 1 1 0 1 1 |   the frame has a page
//             used | 0 1 0 1 1 |   an access was seen since they were forgotten
// STREAM      every access that is shown; once between two times of forgetting is enough.
// COST        touch, insert and remove O(1); victim looks at every frame at most, from behind the last victim.
// CALLERS     the vm's.
#include "vm/policy_parts.h"

static size_t nru_bytes(uint32_t frames)
{
    return hand_bytes(frames);
}

static void nru_init(void *state, uint32_t frames)
{
    hand_init(state, frames);
}

static void nru_insert(void *state, uint32_t frame, uint32_t page)
{
    (void)page;
    hand_insert(state, frame);
}

static void nru_touch(void *state, uint32_t frame)
{
    set_add(hand_used(state), frame);
}

static void nru_take_out(void *state, uint32_t frame, bool evicted)
{
    struct hand *const hand = state;
    hand_drop(hand, frame);
    if (evicted) {
        hand->at = (uint16_t)frame_after(frame, hand->frames);
    }
}

static uint32_t nru_victim(void *state, uint32_t page, const struct cairn_policy_view *view)
{
    struct hand *const hand = state;
    uint32_t best = CAIRN_FRAME_NONE;
    uint32_t lowest = 4;
    uint32_t at = hand->at;
    (void)page;
    for (uint32_t left = hand->frames; left != 0 && lowest != 0; left--) {
        if (set_has(hand->held, at)) {
            const uint32_t seen = view->look(view->context, at);
            const uint32_t class = (set_has(hand_used(hand), at) ? 2u : 0u) + ((seen & CAIRN_FRAME_DIRTY) != 0 ? 1u : 0u);
            if (class < lowest && (seen & CAIRN_FRAME_PINNED) == 0) {
                lowest = class;
                best = at;
            }
        }
        at = frame_after(at, hand->frames);
    }
    if (lowest >= 2) {
        memset(hand_used(hand), 0, set_words(hand->frames) * sizeof(uint32_t));
    }
    return best;
}

const struct cairn_policy cairn_policy_nru = {"nru", nru_bytes, nru_init, nru_insert, nru_touch, nru_take_out, nru_victim};
