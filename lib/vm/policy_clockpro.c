// SPDX-License-Identifier: MIT
//
// CLOCK-Pro (Jiang, Chen, Zhang, "CLOCK-Pro: an effective improvement of the CLOCK replacement", USENIX ATC 2005): pages with a short time between accesses are hot,
// the others cold and leave first; a cold page that comes back while its test lasts becomes hot.
//
// OWNS        a ring of the frames and of pages that have left during their test (ghosts), with three hands. 9 bytes a frame, and 11 to 12 bytes a ghost, for as many
//             ghosts as frames: 20 to 21 bytes a frame.
// PICTURE     nodes  0 ... frames - 1 | frames ... frames + ghosts - 1        a frame's node has its number
//             ring   -> hot* -> cold -> ghost -> cold -> hot -> ...           the head, where pages come in, is behind the hand of the hot
//             hands  hot: makes cold what was not used, and ends the tests that it passes; cold: finds the victim; test: ends tests where ghosts are too many
//
//     The number of cold frames that it aims at grows by one where a test was passed, and shrinks by one where a test ends in vain.
//
// INVARIANTS  1. A node in the ring is HOT, COLD or a ghost; `hot` and `cold` count the frames, `ghosts` the ghosts. A free ghost's node is in a list through `next`.
//             2. A ghost is in test. A hot frame is not.
//             3. Every hand is on a node of the ring, or NO_LINK where that is empty.
// STREAM      every access that is shown; once between two turns of a hand is enough.
// COST        touch O(1): a bit; insert and victim move hands, each over a node at most twice in a call: O(frames), on average O(1).
// CALLERS     the vm's.
#include "vm/policy_parts.h"

#define HOT 1u
#define USED 2u
#define TEST 4u

struct clockpro {
    uint16_t frames;
    uint16_t ghost_most;
    uint16_t hot;
    uint16_t cold;
    uint16_t ghosts;
    uint16_t cold_aim;
    uint16_t hand_hot;
    uint16_t hand_cold;
    uint16_t hand_test;
    uint16_t free_ghost;
    uint32_t bits;    // log2 of the buckets
    uint32_t pages[]; // of each node; then the links, the ghosts' chains, the buckets, the frames' flags
};

CAIRN_INLINE uint32_t ghosts_for(uint32_t frames)
{
    return frames < 0xFFFEu - frames ? frames : 0xFFFEu - frames;
}

CAIRN_INLINE uint32_t nodes_of(const struct clockpro *pro)
{
    return (uint32_t)pro->frames + pro->ghost_most;
}

CAIRN_INLINE struct ring_link *links_of(struct clockpro *pro)
{
    return (struct ring_link *)(pro->pages + nodes_of(pro));
}

CAIRN_INLINE uint16_t *chain_of(struct clockpro *pro, uint32_t ghost)
{
    return (uint16_t *)(links_of(pro) + nodes_of(pro)) + (ghost - pro->frames);
}

CAIRN_INLINE uint16_t *buckets_of(struct clockpro *pro)
{
    return chain_of(pro, nodes_of(pro));
}

CAIRN_INLINE uint8_t *flags_of(struct clockpro *pro)
{
    return (uint8_t *)(buckets_of(pro) + ((size_t)1 << pro->bits));
}

CAIRN_INLINE bool is_ghost(const struct clockpro *pro, uint32_t node)
{
    return node >= pro->frames;
}

static size_t clockpro_bytes(uint32_t frames)
{
    const size_t ghosts = ghosts_for(frames);
    const size_t chains = ghosts + ((size_t)1 << hash_bits((uint32_t)ghosts));
    return sizeof(struct clockpro) + (frames + ghosts) * (sizeof(uint32_t) + sizeof(struct ring_link)) +
           round_to(chains * sizeof(uint16_t) + frames, 4);
}

static void clockpro_init(void *state, uint32_t frames)
{
    struct clockpro *const pro = state;
    memset(pro, 0, clockpro_bytes(frames));
    pro->frames = (uint16_t)frames;
    pro->ghost_most = (uint16_t)ghosts_for(frames);
    pro->cold_aim = 1;
    pro->hand_hot = pro->hand_cold = pro->hand_test = NO_LINK;
    pro->bits = hash_bits(pro->ghost_most);
    memset(buckets_of(pro), 0xFF, sizeof(uint16_t) << pro->bits);
    pro->free_ghost = NO_LINK;
    for (uint32_t ghost = nodes_of(pro); ghost-- > frames;) {
        links_of(pro)[ghost].next = pro->free_ghost;
        pro->free_ghost = (uint16_t)ghost;
    }
}

// ------------------------------------------------------------------------------------------------------------------------- the ring

// At the head: behind the hand of the hot.
static void link_node(struct clockpro *pro, uint32_t node)
{
    struct ring ring = {pro->hand_hot, 0};
    cairn_ring_append_(&ring, links_of(pro), node);
    if (pro->hand_hot == NO_LINK) {
        pro->hand_hot = pro->hand_cold = pro->hand_test = (uint16_t)node;
    }
}

static void pass(const struct ring_link *links, uint16_t *hand, uint32_t node)
{
    if (*hand == node) {
        *hand = links[node].next == node ? (uint16_t)NO_LINK : links[node].next;
    }
}

static void unlink_node(struct clockpro *pro, uint32_t node)
{
    struct ring_link *const links = links_of(pro);
    pass(links, &pro->hand_hot, node);
    pass(links, &pro->hand_cold, node);
    pass(links, &pro->hand_test, node);
    struct ring ring = {(uint16_t)node, 1};
    cairn_ring_unlink_(&ring, links, node);
}

static uint16_t *bucket_of(struct clockpro *pro, uint32_t page)
{
    return &buckets_of(pro)[hash_of(page, pro->bits)];
}

static void ghost_remove(struct clockpro *pro, uint32_t ghost)
{
    uint16_t *link = bucket_of(pro, pro->pages[ghost]);
    while (*link != ghost) {
        link = chain_of(pro, *link);
    }
    *link = *chain_of(pro, ghost);
    unlink_node(pro, ghost);
    links_of(pro)[ghost].next = pro->free_ghost;
    pro->free_ghost = (uint16_t)ghost;
    pro->ghosts--;
}

static uint32_t ghost_find(struct clockpro *pro, uint32_t page)
{
    uint32_t ghost = *bucket_of(pro, page);
    while (ghost != NO_LINK && pro->pages[ghost] != page) {
        ghost = *chain_of(pro, ghost);
    }
    return ghost;
}

// ------------------------------------------------------------------------------------------------------------------------ the hands

static void aim_lower(struct clockpro *pro)
{
    if (pro->cold_aim > 1) {
        pro->cold_aim--;
    }
}

static void aim_higher(struct clockpro *pro)
{
    if (pro->cold_aim + 1u < pro->frames) {
        pro->cold_aim++;
    }
}

// A test ends in vain. A ghost is forgotten.
static void end_test(struct clockpro *pro, uint32_t node)
{
    if (is_ghost(pro, node)) {
        ghost_remove(pro, node);
        aim_lower(pro);
    } else if ((flags_of(pro)[node] & (TEST | USED)) == TEST) {
        flags_of(pro)[node] &= (uint8_t)~TEST;
        aim_lower(pro);
    }
}

// Make a hot page cold: the first that was not used. pre: there is one that is hot. Worst case: two turns.
static void turn_hot(struct clockpro *pro)
{
    uint8_t *const flags = flags_of(pro);
    for (bool is_done = false; !is_done;) {
        const uint32_t node = pro->hand_hot;
        pro->hand_hot = links_of(pro)[node].next;
        if (is_ghost(pro, node) || (flags[node] & HOT) == 0) {
            end_test(pro, node);
        } else if ((flags[node] & USED) != 0) {
            flags[node] = HOT;
        } else {
            flags[node] = 0;
            pro->hot--;
            pro->cold++;
            is_done = true;
        }
    }
}

static void limit_hot(struct clockpro *pro)
{
    while (pro->hot != 0 && pro->hot + (uint32_t)pro->cold_aim > pro->frames) {
        turn_hot(pro);
    }
}

// Make room for a ghost. pre: there is one.
static void turn_test(struct clockpro *pro)
{
    for (const uint16_t before = pro->ghosts; pro->ghosts == before;) {
        const uint32_t node = pro->hand_test;
        pro->hand_test = links_of(pro)[node].next;
        end_test(pro, node);
    }
}

// The hand of the cold stands on a cold frame that was used: hot if it was in test, else it is tested.
static void promote(struct clockpro *pro, uint32_t frame)
{
    uint8_t *const flags = &flags_of(pro)[frame];
    if ((*flags & TEST) != 0) {
        *flags = HOT;
        pro->cold--;
        pro->hot++;
        aim_higher(pro);
    } else {
        *flags = TEST;
    }
    if (pro->hot + pro->cold > 1) {
        unlink_node(pro, frame);
        link_node(pro, frame);
    }
    limit_hot(pro);
}

// -------------------------------------------------------------------------------------------------------------------------- the calls

static void clockpro_insert(void *state, uint32_t frame, uint32_t page)
{
    struct clockpro *const pro = state;
    const uint32_t ghost = ghost_find(pro, page);
    pro->pages[frame] = page;
    if (ghost == NO_LINK) {
        flags_of(pro)[frame] = TEST;
        pro->cold++;
        link_node(pro, frame);
        return;
    }
    ghost_remove(pro, ghost);
    aim_higher(pro);
    flags_of(pro)[frame] = HOT;
    pro->hot++;
    link_node(pro, frame);
    limit_hot(pro);
}

static void clockpro_touch(void *state, uint32_t frame)
{
    flags_of(state)[frame] |= USED;
}

// The ghost takes the frame's place in the ring.
static void leave_ghost(struct clockpro *pro, uint32_t frame)
{
    struct ring_link *const links = links_of(pro);
    const uint32_t ghost = pro->free_ghost;
    uint16_t *const bucket = bucket_of(pro, pro->pages[frame]);
    pro->free_ghost = links[ghost].next;
    struct ring ring = {links[frame].next, 1};
    cairn_ring_append_(&ring, links, ghost);
    pro->pages[ghost] = pro->pages[frame];
    *chain_of(pro, ghost) = *bucket;
    *bucket = (uint16_t)ghost;
    pro->ghosts++;
}

static void clockpro_take_out(void *state, uint32_t frame, bool evicted)
{
    struct clockpro *const pro = state;
    const uint32_t flags = flags_of(pro)[frame];
    if (evicted && (flags & (TEST | HOT)) == TEST) {
        if (pro->ghosts == pro->ghost_most && pro->ghosts != 0) {
            turn_test(pro);
        }
        if (pro->ghost_most != 0 && (flags_of(pro)[frame] & TEST) != 0) {
            leave_ghost(pro, frame);
        }
    }
    unlink_node(pro, frame);
    if ((flags & HOT) != 0) {
        pro->hot--;
    } else {
        pro->cold--;
    }
}

static uint32_t clockpro_victim(void *state, uint32_t page, const struct cairn_policy_view *view)
{
    struct clockpro *const pro = state;
    uint8_t *const flags = flags_of(pro);
    (void)page;
    if (pro->cold == 0 && pro->hot != 0) {
        turn_hot(pro);
    }
    for (uint32_t left = 3u * (pro->hot + (uint32_t)pro->cold + pro->ghosts); left != 0; left--) {
        const uint32_t node = pro->hand_cold;
        if (!is_ghost(pro, node) && (flags[node] & HOT) == 0) {
            if ((flags[node] & USED) == 0 && !frame_is_pinned(view, node)) {
                return node;
            }
            if ((flags[node] & USED) != 0) {
                pro->hand_cold = links_of(pro)[node].next;
                promote(pro, node);
                continue;
            }
        }
        pro->hand_cold = links_of(pro)[node].next;
    }
    for (uint32_t frame = pro->hand_hot, left = pro->hot + (uint32_t)pro->cold + pro->ghosts; left != 0; left--) { // the cold ones are pinned
        if (!is_ghost(pro, frame) && !frame_is_pinned(view, frame)) {
            return frame;
        }
        frame = links_of(pro)[frame].next;
    }
    return CAIRN_FRAME_NONE;
}

const struct cairn_policy cairn_policy_clockpro = {"clockpro",     clockpro_bytes,    clockpro_init,  clockpro_insert,
                                                   clockpro_touch, clockpro_take_out, clockpro_victim};
