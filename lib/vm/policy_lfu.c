// SPDX-License-Identifier: MIT
//
// Least frequently used, with ageing: the page that was used in the fewest of the last intervals leaves, of equal ones the one the hand meets first. An interval
// is the time in which a part of the frames gets a new page; at the end of each, a count loses an eighth, and grows by GAIN if the page was used. (Frequency
// without ageing keeps what was once hot for ever; see Robinson, Devarakonda, "Data cache management using frequency-based replacement", 1990, for why accesses
// that are close count once.)
//
// OWNS        a byte a frame: PRESENT, USED since the last interval, and a count of 0 to 63.
// STREAM      every access that is shown; once in an interval is enough.
// COST        touch, insert and remove O(1); victim a look at each frame.
// CALLERS     the vm's.
#include "vm/policy_parts.h"

#define PRESENT 0x80u
#define USED 0x40u
#define COUNT 0x3Fu
#define GAIN 8u

struct lfu {
    uint16_t frames;
    uint16_t hand;
    uint32_t left;    // pages to leave until the interval ends
    uint8_t counts[];
};

CAIRN_INLINE uint32_t interval(uint32_t frames)
{
    return (frames + 7) / 8;
}

static size_t lfu_bytes(uint32_t frames)
{
    return sizeof(struct lfu) + round_to(frames, 4);
}

static void lfu_init(void *state, uint32_t frames)
{
    struct lfu *const lfu = state;
    memset(lfu, 0, lfu_bytes(frames));
    lfu->frames = (uint16_t)frames;
    lfu->left = interval(frames);
}

static void lfu_insert(void *state, uint32_t frame, uint32_t page)
{
    struct lfu *const lfu = state;
    (void)page;
    lfu->counts[frame] = PRESENT | USED;
}

static void lfu_touch(void *state, uint32_t frame)
{
    struct lfu *const lfu = state;
    lfu->counts[frame] |= USED;
}

static uint8_t aged(uint8_t count)
{
    uint32_t value = count & COUNT;
    value -= (value + 7) / 8;
    if ((count & USED) != 0) {
        value = value + GAIN > COUNT ? COUNT : value + GAIN;
    }
    return (uint8_t)((count & PRESENT) | value);
}

static void lfu_take_out(void *state, uint32_t frame, bool evicted)
{
    struct lfu *const lfu = state;
    lfu->counts[frame] = 0;
    if (!evicted) {
        return;
    }
    lfu->hand = (uint16_t)frame_after(frame, lfu->frames);
    if (--lfu->left == 0) {
        lfu->left = interval(lfu->frames);
        for (uint32_t i = 0; i < lfu->frames; i++) {
            lfu->counts[i] = aged(lfu->counts[i]);
        }
    }
}

static uint32_t lfu_victim(void *state, uint32_t page, const struct cairn_policy_view *view)
{
    struct lfu *const lfu = state;
    uint32_t best = CAIRN_FRAME_NONE;
    uint32_t fewest = COUNT + GAIN + 1;
    uint32_t at = lfu->hand;
    (void)page;
    for (uint32_t left = lfu->frames; left != 0; left--) {
        const uint32_t count = (lfu->counts[at] & COUNT) + ((lfu->counts[at] & USED) != 0 ? GAIN : 0u);
        if (count < fewest && (lfu->counts[at] & PRESENT) != 0 && !frame_is_pinned(view, at)) {
            fewest = count;
            best = at;
        }
        at = frame_after(at, lfu->frames);
    }
    return best;
}

const struct cairn_policy cairn_policy_lfu = {"lfu", lfu_bytes, lfu_init, lfu_insert, lfu_touch, lfu_take_out, lfu_victim};
