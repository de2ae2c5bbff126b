// SPDX-License-Identifier: MIT
//
// Not recently used (as in Tanenbaum, "Modern Operating Systems"): a page of the lowest class leaves: neither used nor dirty, dirty, used, both. Where
// all that may leave were used, it is forgotten of all: the interval is as long as the program makes it, however many accesses are seen.
//
// OWNS        the place where the last victim was. Which frames were used since that was forgotten is in the view.
// STREAM      every access that is shown; once between two times of forgetting is enough.
// COST        touch nothing, insert and remove O(1); victim looks at every frame at most, from behind the last victim.
// CALLERS     the vm's.
#include "vm/policy_parts.h"

struct nru {
    uint16_t frames;
    uint16_t at;
};

static size_t nru_bytes(uint32_t frames)
{
    (void)frames;
    return sizeof(struct nru);
}

static void nru_init(void *state, uint32_t frames)
{
    *(struct nru *)state = (struct nru){(uint16_t)frames, 0};
}

static void nru_insert(void *state, uint32_t frame, uint32_t page)
{
    (void)state;
    (void)frame;
    (void)page;
}

static void nru_take_out(void *state, uint32_t frame, bool evicted)
{
    struct nru *const nru = state;
    if (evicted) {
        nru->at = (uint16_t)frame_after(frame, nru->frames);
    }
}

static uint32_t nru_victim(void *state, uint32_t page, const struct cairn_policy_view *view)
{
    struct nru *const nru = state;
    uint32_t best = CAIRN_FRAME_NONE;
    uint32_t lowest = 4;
    uint32_t at = nru->at;
    (void)page;
    for (uint32_t left = nru->frames; left != 0 && lowest != 0; left--) {
        const uint8_t flags = *frame_flags(view, at);
        const uint32_t class = ((flags & CAIRN_FRAME_USED) != 0 ? 2u : 0u) + ((flags & CAIRN_FRAME_DIRTY) != 0 ? 1u : 0u);
        if (class < lowest && (flags & CAIRN_FRAME_PINNED) == 0) {
            lowest = class;
            best = at;
        }
        at = frame_after(at, nru->frames);
    }
    for (uint32_t frame = 0; lowest >= 2 && frame < nru->frames; frame++) {
        *frame_flags(view, frame) &= (uint8_t)~CAIRN_FRAME_USED;
    }
    return best;
}

const struct cairn_policy cairn_policy_nru = {"nru", nru_bytes, nru_init, nru_insert, NULL, nru_take_out, nru_victim};
