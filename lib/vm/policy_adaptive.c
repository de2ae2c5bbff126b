// SPDX-License-Identifier: MIT
//
// Adaptive: five policies are tried on every access that is seen, each with as many frames as there are, but with page numbers in place of pages; what is in memory is
// made equal, page by page, to what the best of them would have there (Subramanian, Smaragdakis, Loh, "Adaptive caches: effective shaping of cache behavior to workloads",
// MICRO 2006). They differ in what they are good at: S3-FIFO for pages asked for once, LFU for hot pages, LRU for nearness in time, CLOCK-Pro
// for pages that come back after long, and the one for loops.
//
// OWNS        a ring of the frames in the order of use, the pages they hold, and a shadow for each expert: its state, the pages that it would hold, and an index of
//             them. 88 to 98 bytes a frame: with pages of 1 KB one part in 11 of what they take. Where that is too much, S3-FIFO is nearly as good.
// PICTURE     frames   page of each, links      | shadow 0 | shadow 1 | ... | shadow 4
//             shadow   page of each of its frames | chains | buckets | the expert's state
//
//     A shadow's misses are counted, and lose an eighth each time that all together have missed twice as often as there are frames: what was more than some times
//     that ago is forgotten. The leader is the one with the fewest; the leader of before, where they are equal.
//
//     Victim: of the pages that the leader does not hold the least recently used; it holds no more than there are frames. Where it holds them all, the one that it
//     would give up.
//
// INVARIANTS  1. A shadow's frame is used and in its index, or in its list of free ones, through the chains; or above `used`, and was never used.
//             2. Each page that comes in is in every shadow just then; a page that is given back is in none.
//             3. An expert has a touch, and looks at no frame's use: a shadow has no view to ask.
// STREAM      every access that is shown, and the better the more are. The shadows see the accesses that the frames see: with a TLB the fills.
// COST        touch O(1), five look-ups and five touches, unless an expert misses, which then finds a victim; insert the same; victim O(frames).
// CALLERS     the vm's.
#include "vm/policy_parts.h"

#include "vm/policy_loop.h"

#define EXPERTS 5u
#define MISS 256u // a miss, in the unit in which misses are counted: so that an eighth of a few is something

static const struct cairn_policy *const experts[EXPERTS] = {&cairn_policy_s3fifo, &cairn_policy_lfu, &cairn_policy_lru, &cairn_policy_clockpro, &cairn_policy_loop_};

struct shadow {
    uint16_t frames;
    uint16_t used; // frames that were ever used
    uint16_t free; // the first of the list
    uint16_t bits; // log2 of the buckets
    uint32_t misses;
    uint32_t pages[]; // then the chains, the buckets, the expert's state
};

struct adaptive {
    uint16_t frames;
    uint16_t leader;
    uint32_t misses; // of all shadows, since they were made smaller
    struct ring ring;
    uint32_t pages[]; // then the links, the shadows
};

// ----------------------------------------------------------------------------------------------------------------------- a shadow

CAIRN_INLINE size_t index_bytes(uint32_t frames)
{
    return round_to((frames + ((size_t)1 << hash_bits(frames))) * sizeof(uint16_t), 4);
}

CAIRN_INLINE uint16_t *chains_of(struct shadow *shadow)
{
    return (uint16_t *)(shadow->pages + shadow->frames);
}

CAIRN_INLINE uint16_t *bucket_of(struct shadow *shadow, uint32_t page)
{
    return chains_of(shadow) + shadow->frames + hash_of(page, shadow->bits);
}

CAIRN_INLINE void *expert_state(struct shadow *shadow)
{
    return (unsigned char *)(shadow->pages + shadow->frames) + index_bytes(shadow->frames);
}

CAIRN_INLINE size_t shadow_bytes(const struct cairn_policy *expert, uint32_t frames)
{
    return sizeof(struct shadow) + frames * sizeof(uint32_t) + index_bytes(frames) + expert->bytes(frames);
}

static void shadow_init(struct shadow *shadow, const struct cairn_policy *expert, uint32_t frames)
{
    *shadow = (struct shadow){.frames = (uint16_t)frames, .free = NO_LINK, .bits = (uint16_t)hash_bits(frames)};
    memset(chains_of(shadow) + frames, 0xFF, sizeof(uint16_t) << shadow->bits);
    expert->init(expert_state(shadow), frames);
}

// The shadow's frame that holds the page, or NO_LINK.
static uint32_t shadow_find(struct shadow *shadow, uint32_t page)
{
    const uint16_t *const chains = chains_of(shadow);
    uint32_t at = *bucket_of(shadow, page);
    while (at != NO_LINK && shadow->pages[at] != page) {
        at = chains[at];
    }
    return at;
}

static void shadow_remove(struct shadow *shadow, const struct cairn_policy *expert, uint32_t at, bool evicted)
{
    uint16_t *const chains = chains_of(shadow);
    uint16_t *link = bucket_of(shadow, shadow->pages[at]);
    while (*link != at) {
        link = &chains[*link];
    }
    *link = chains[at];
    chains[at] = shadow->free;
    shadow->free = (uint16_t)at;
    expert->remove(expert_state(shadow), at, evicted);
}

static const uint8_t no_flags = 0; // no expert clears any
static const struct cairn_policy_view all_may_leave = {(uint8_t *)&no_flags, 0};

static uint32_t shadow_frame(struct shadow *shadow, const struct cairn_policy *expert, uint32_t page)
{
    if (shadow->free == NO_LINK && shadow->used < shadow->frames) {
        return shadow->used++;
    }
    if (shadow->free == NO_LINK) {
        shadow_remove(shadow, expert, expert->victim(expert_state(shadow), page, &all_may_leave), true);
    }
    const uint32_t at = shadow->free;
    shadow->free = chains_of(shadow)[at];
    return at;
}

// Returns whether the page was missed.
static bool shadow_access(struct shadow *shadow, const struct cairn_policy *expert, uint32_t page)
{
    uint32_t at = shadow_find(shadow, page);
    if (at != NO_LINK) {
        expert->touch(expert_state(shadow), at);
        return false;
    }
    at = shadow_frame(shadow, expert, page);
    uint16_t *const bucket = bucket_of(shadow, page);
    chains_of(shadow)[at] = *bucket;
    *bucket = (uint16_t)at;
    shadow->pages[at] = page;
    shadow->misses += MISS;
    expert->insert(expert_state(shadow), at, page);
    return true;
}

// ---------------------------------------------------------------------------------------------------------------------- all shadows

CAIRN_INLINE struct ring_link *links_of(struct adaptive *adaptive)
{
    return (struct ring_link *)(adaptive->pages + adaptive->frames);
}

static struct shadow *shadow_of(struct adaptive *adaptive, uint32_t number)
{
    unsigned char *at = (unsigned char *)(links_of(adaptive) + adaptive->frames);
    for (uint32_t i = 0; i < number; i++) {
        at += shadow_bytes(experts[i], adaptive->frames);
    }
    return (struct shadow *)(uintptr_t)at;
}

// Some shadow has missed: who leads now?
static void choose_leader(struct adaptive *adaptive)
{
    const bool is_aging = adaptive->misses >= 2u * adaptive->frames;
    uint32_t fewest = shadow_of(adaptive, adaptive->leader)->misses;
    for (uint32_t i = 0; i < EXPERTS; i++) {
        struct shadow *const shadow = shadow_of(adaptive, i);
        if (shadow->misses < fewest) {
            fewest = shadow->misses;
            adaptive->leader = (uint16_t)i;
        }
        if (is_aging) {
            shadow->misses -= shadow->misses / 8;
        }
    }
    adaptive->misses = is_aging ? 0 : adaptive->misses;
}

static void show(struct adaptive *adaptive, uint32_t page)
{
    const uint32_t before = adaptive->misses;
    unsigned char *at = (unsigned char *)shadow_of(adaptive, 0);
    for (uint32_t i = 0; i < EXPERTS; i++) {
        adaptive->misses += shadow_access((struct shadow *)(uintptr_t)at, experts[i], page) ? 1 : 0;
        at += shadow_bytes(experts[i], adaptive->frames);
    }
    if (adaptive->misses != before) {
        choose_leader(adaptive);
    }
}

// ------------------------------------------------------------------------------------------------------------------------ the calls

static size_t adaptive_bytes(uint32_t frames)
{
    size_t size = sizeof(struct adaptive) + frames * (sizeof(uint32_t) + sizeof(struct ring_link));
    for (uint32_t i = 0; i < EXPERTS; i++) {
        size += shadow_bytes(experts[i], frames);
    }
    return size;
}

static void adaptive_init(void *state, uint32_t frames)
{
    struct adaptive *const adaptive = state;
    *adaptive = (struct adaptive){.frames = (uint16_t)frames, .ring = ring_empty()};
    for (uint32_t i = 0; i < EXPERTS; i++) {
        shadow_init(shadow_of(adaptive, i), experts[i], frames);
    }
}

static void adaptive_insert(void *state, uint32_t frame, uint32_t page)
{
    struct adaptive *const adaptive = state;
    adaptive->pages[frame] = page;
    cairn_ring_append_(&adaptive->ring, links_of(adaptive), frame);
    show(adaptive, page);
}

static void adaptive_touch(void *state, uint32_t frame)
{
    struct adaptive *const adaptive = state;
    cairn_ring_renew_(&adaptive->ring, links_of(adaptive), frame);
    show(adaptive, adaptive->pages[frame]);
}

static void adaptive_take_out(void *state, uint32_t frame, bool evicted)
{
    struct adaptive *const adaptive = state;
    cairn_ring_unlink_(&adaptive->ring, links_of(adaptive), frame);
    for (uint32_t i = 0; i < EXPERTS && !evicted; i++) {
        struct shadow *const shadow = shadow_of(adaptive, i);
        const uint32_t at = shadow_find(shadow, adaptive->pages[frame]);
        if (at != NO_LINK) {
            shadow_remove(shadow, experts[i], at, false);
        }
    }
}

static uint32_t adaptive_victim(void *state, uint32_t page, const struct cairn_policy_view *view)
{
    struct adaptive *const adaptive = state;
    const struct ring_link *const links = links_of(adaptive);
    struct shadow *const shadow = shadow_of(adaptive, adaptive->leader);
    uint32_t frame = adaptive->ring.first;
    for (uint32_t left = adaptive->ring.count; left != 0; left--) {
        if (shadow_find(shadow, adaptive->pages[frame]) == NO_LINK && !frame_is_pinned(view, frame)) {
            return frame;
        }
        frame = links[frame].next;
    }
    const struct cairn_policy *const leader = experts[adaptive->leader];
    const uint32_t given_up = leader->victim(expert_state(shadow), page, &all_may_leave);
    for (uint32_t left = adaptive->ring.count; left != 0 && given_up != CAIRN_FRAME_NONE; left--) {
        if (adaptive->pages[frame] == shadow->pages[given_up] && !frame_is_pinned(view, frame)) {
            return frame;
        }
        frame = links[frame].next;
    }
    return cairn_ring_oldest_(&adaptive->ring, links, view);
}

const struct cairn_policy cairn_policy_adaptive = {"adaptive",     adaptive_bytes,    adaptive_init,  adaptive_insert,
                                                   adaptive_touch, adaptive_take_out, adaptive_victim};
