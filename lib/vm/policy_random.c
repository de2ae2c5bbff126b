// SPDX-License-Identifier: MIT
//
// Random: any page leaves. No loop is its worst case, and nothing of it must be kept up at an access.
//
// OWNS        a bit a frame, and the state of a generator (Marsaglia, "Xorshift RNGs", 2003) that starts from a constant: a run repeats.
// STREAM      none.
// COST        touch nothing; insert and remove O(1); victim O(1) where most frames hold a page that is not pinned, else a look at each frame after the one drawn.
// CALLERS     the vm's.
#include "vm/policy_parts.h"

struct random {
    uint32_t frames;
    uint32_t seed;
    uint32_t held[];
};

static size_t random_bytes(uint32_t frames)
{
    return sizeof(struct random) + set_words(frames) * sizeof(uint32_t);
}

static void random_init(void *state, uint32_t frames)
{
    struct random *const random = state;
    memset(random, 0, random_bytes(frames));
    random->frames = frames;
    random->seed = 2463534242u;
}

static void random_insert(void *state, uint32_t frame, uint32_t page)
{
    struct random *const random = state;
    (void)page;
    set_add(random->held, frame);
}

static void random_take_out(void *state, uint32_t frame, bool evicted)
{
    struct random *const random = state;
    (void)evicted;
    set_drop(random->held, frame);
}

static uint32_t draw(struct random *random)
{
    random->seed ^= random->seed << 13;
    random->seed ^= random->seed >> 17;
    random->seed ^= random->seed << 5;
    return (random->seed >> 16) * random->frames >> 16;
}

static uint32_t random_victim(void *state, uint32_t page, const struct cairn_policy_view *view)
{
    struct random *const random = state;
    uint32_t at = draw(random);
    (void)page;
    for (uint32_t left = random->frames; left != 0; left--) {
        if (set_has(random->held, at) && !frame_is_pinned(view, at)) {
            return at;
        }
        at = frame_after(at, random->frames);
    }
    return CAIRN_FRAME_NONE;
}

const struct cairn_policy cairn_policy_random = {"random", random_bytes, random_init, random_insert, NULL, random_take_out, random_victim};
