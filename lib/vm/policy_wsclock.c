// SPDX-License-Identifier: MIT
//
// WSClock (Carr, Hennessy, "WSClock: a simple and effective algorithm for virtual memory management", SOSP 1981): a hand goes round the frames and notes when it
// found them used; a page that was not used for longer than a window is outside the working set. Clean pages outside leave first, as the hand meets them.
//
// OWNS        three bytes a frame, and the hand.
// PICTURE     flags | H  HU -  HU |   H held, U an access was seen since the hand passed
//             noted | 17 18 .  12 |   when the hand, or the insertion, found it used: low 16 bits of the time
//
//     Time is the number of pages that came in, so that the same window serves a stream of all accesses and one of TLB fills. The window is half as many as there are
//     frames: in that time a clock that passes over nothing goes half round.
//
//     In order: the first page outside the window that is clean; the one longest not used, of those outside; the one longest not used of the clean ones; of all.
// STREAM      every access that is shown; once in a turn of the hand is enough.
// COST        touch, insert and remove O(1); victim a turn at most.
// CALLERS     the vm's.
#include "vm/policy_parts.h"

#define HELD 1u
#define USED 2u

struct wsclock {
    uint16_t frames;
    uint16_t hand;
    uint32_t time;
    uint16_t noted[]; // then the flags, a byte each
};

CAIRN_INLINE uint8_t *flags_of(struct wsclock *ws)
{
    return (uint8_t *)(ws->noted + ws->frames);
}

static size_t wsclock_bytes(uint32_t frames)
{
    return sizeof(struct wsclock) + round_to(3 * (size_t)frames, 4);
}

static void wsclock_init(void *state, uint32_t frames)
{
    struct wsclock *const ws = state;
    memset(ws, 0, wsclock_bytes(frames));
    ws->frames = (uint16_t)frames;
}

static void wsclock_insert(void *state, uint32_t frame, uint32_t page)
{
    struct wsclock *const ws = state;
    (void)page;
    ws->time++;
    ws->noted[frame] = (uint16_t)ws->time;
    flags_of(ws)[frame] = HELD; // and noted is its time: it needs no look of the hand
}

static void wsclock_touch(void *state, uint32_t frame)
{
    flags_of(state)[frame] |= USED;
}

static void wsclock_take_out(void *state, uint32_t frame, bool evicted)
{
    struct wsclock *const ws = state;
    flags_of(ws)[frame] = 0;
    if (evicted) {
        ws->hand = (uint16_t)frame_after(frame, ws->frames);
    }
}

// How good a victim the page is: larger is better, 0 for none.
static uint32_t rank(const struct wsclock *ws, uint32_t age, uint32_t seen)
{
    const bool is_clean = (seen & CAIRN_FRAME_DIRTY) == 0;
    if ((seen & CAIRN_FRAME_PINNED) != 0) {
        return 0;
    }
    if (age > ws->frames / 2u) {
        return is_clean ? UINT32_MAX : 0x20000u + age;
    }
    return (is_clean ? 0x10000u : 1u) + age;
}

static uint32_t wsclock_victim(void *state, uint32_t page, const struct cairn_policy_view *view)
{
    struct wsclock *const ws = state;
    uint8_t *const flags = flags_of(ws);
    uint32_t best = CAIRN_FRAME_NONE;
    uint32_t highest = 0;
    uint32_t at = ws->hand;
    (void)page;
    for (uint32_t left = ws->frames; left != 0 && highest != UINT32_MAX; left--) {
        if ((flags[at] & USED) != 0) {
            flags[at] = HELD;
            ws->noted[at] = (uint16_t)ws->time;
        }
        if ((flags[at] & HELD) != 0) {
            const uint32_t its = rank(ws, (uint16_t)(ws->time - ws->noted[at]), *frame_flags(view, at));
            if (its > highest) {
                highest = its;
                best = at;
            }
        }
        at = frame_after(at, ws->frames);
    }
    return best;
}

const struct cairn_policy cairn_policy_wsclock = {"wsclock", wsclock_bytes, wsclock_init, wsclock_insert, wsclock_touch, wsclock_take_out, wsclock_victim};
