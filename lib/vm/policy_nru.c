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

struct nru {
    uint16_t frames;
    uint16_t hand;
    uint32_t bits[]; // held, used
};

CAIRN_INLINE uint32_t *used_of(struct nru *nru)
{
    return nru->bits + set_words(nru->frames);
}

static size_t nru_bytes(uint32_t frames)
{
    return sizeof(struct nru) + 2 * set_words(frames) * sizeof(uint32_t);
}

static void nru_init(void *state, uint32_t frames)
{
    struct nru *const nru = state;
    memset(nru, 0, nru_bytes(frames));
    nru->frames = (uint16_t)frames;
}

static void nru_insert(void *state, uint32_t frame, uint32_t page)
{
    struct nru *const nru = state;
    (void)page;
    set_add(nru->bits, frame);
    set_add(used_of(nru), frame);
}

static void nru_touch(void *state, uint32_t frame)
{
    set_add(used_of(state), frame);
}

static void nru_take_out(void *state, uint32_t frame, bool evicted)
{
    struct nru *const nru = state;
    set_drop(nru->bits, frame);
    set_drop(used_of(nru), frame);
    if (!evicted) {
        return;
    }
    nru->hand = (uint16_t)frame_after(frame, nru->frames);

}

static uint32_t nru_victim(void *state, uint32_t page, const struct cairn_policy_view *view)
{
    struct nru *const nru = state;
    uint32_t best = CAIRN_FRAME_NONE;
    uint32_t lowest = 4;
    uint32_t at = nru->hand;
    (void)page;
    for (uint32_t left = nru->frames; left != 0 && lowest != 0; left--) {
        if (set_has(nru->bits, at)) {
            const uint32_t seen = view->look(view->context, at);
            const uint32_t class = (set_has(used_of(nru), at) ? 2u : 0u) + ((seen & CAIRN_FRAME_DIRTY) != 0 ? 1u : 0u);
            if (class < lowest && (seen & CAIRN_FRAME_PINNED) == 0) {
                lowest = class;
                best = at;
            }
        }
        at = frame_after(at, nru->frames);
    }
    if (lowest >= 2) {
        memset(used_of(nru), 0, set_words(nru->frames) * sizeof(uint32_t));
    }
    return best;
}

const struct cairn_policy cairn_policy_nru = {"nru", nru_bytes, nru_init, nru_insert, nru_touch, nru_take_out, nru_victim};
