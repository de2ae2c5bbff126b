// SPDX-License-Identifier: MIT
//
// Replacement: which page leaves when a frame is needed.
//
// VITALS
//   a policy      a constant struct of functions; its state is in memory of the caller's, of a size that the policy says
//   what it sees  insert, when a page comes into a frame; touch, when an access to it was seen; remove, when it leaves. In a vm an access is seen when the
//                 TLB is filled for its page: a page that stays in the TLB is not seen again until its entry was taken. A simulator may show every access.
//   frames        numbers from 0; at most 65534 of them
//   pages         numbers that are one page's at a time; a policy may remember those that have left. Two pages of one number do no harm but to the choice.
//   time          touch and insert O(1); victim O(frames) at worst, but for `random` and what its comment says
//   threads, ISR  none of its own: the vm's
#ifndef CAIRN_POLICY_H
#define CAIRN_POLICY_H

#include "cairn/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAIRN_FRAME_NONE 0xFFFFu

// What the one who asks for a victim knows of a frame.
#define CAIRN_FRAME_PINNED 1u // must stay, or holds no page
#define CAIRN_FRAME_DIRTY 0x22u // any of these: must be written before it can leave
#define CAIRN_FRAME_USED 4u   // an access to its page was seen since a policy cleared this; set where the page has just come

struct cairn_policy_view {
    uint8_t *flags; // CAIRN_FRAME_... of frame 0; a policy may clear CAIRN_FRAME_USED
    size_t stride;  // bytes from a frame's to the next one's
};

struct cairn_policy {
    const char *name;

    // Bytes of state for so many frames, a multiple of 4; and making it, in memory aligned to 4. pre: 1 <= frames <= 65534.
    size_t (*bytes)(uint32_t frames);
    void (*init)(void *state, uint32_t frames);

    // A page came into the frame, which held none. Counts as one access.
    void (*insert)(void *state, uint32_t frame, uint32_t page);
    // An access to the page in the frame was seen. NULL: the policy need not be told, it looks at CAIRN_FRAME_USED.
    void (*touch)(void *state, uint32_t frame);
    // The page left the frame. evicted: it may be missed: the policy chose it by victim, or whoever uses it sent it away; else it was given back for good.
    void (*remove)(void *state, uint32_t frame, bool evicted);
    // The frame whose page is to leave, so that `page` can come: never one that is pinned; CAIRN_FRAME_NONE where every page is. Changes nothing that a second
    // call, or a call of remove for another frame, could not stand.
    uint32_t (*victim)(void *state, uint32_t page, const struct cairn_policy_view *view);
};

// The policies. Bytes: of state, for each of 64 frames and more. Told: at each miss of the TLB too, which takes longer then (docs/VM.md,
// What it costs); the others look at CAIRN_FRAME_USED.
//
//              bytes   told
//   fifo           4   no     the page that came first. A yardstick
//   lru            4   yes    the page whose last access is the longest ago
//   clock          0   no     LRU at next to no cost: a hand passes over what was used (Corbato 1968). Where RAM and time are short
//   nru            0   no     as clock, and clean pages leave before dirty ones (Tanenbaum, "Modern Operating Systems")
//   lfu            1   yes    the page of the fewest uses, which age: a hot set that stays
//   random       1/8   no     any page (Marsaglia's xorshift, 2003): loops larger than memory are not its worst case
//   2q            12   yes    pages asked for once pass by (Johnson, Shasha 1994): scans
//   clockpro   20-21   yes    pages that come back soon stay (Jiang, Chen, Zhang 2005): scans, loops
//   s3fifo     16-17   yes    pages asked for once pass by, in queues (Yang et al. 2023): the best of those that are not adaptive, on the recorded traces
//   wsclock        3   yes    what is outside the working set leaves, clean pages first (Carr, Hennessy 1981)
//   adaptive   88-98   yes    as whichever of five does best just now (Subramanian, Smaragdakis, Loh 2006): the fewest faults, where a fault is dear
extern const struct cairn_policy cairn_policy_fifo;
extern const struct cairn_policy cairn_policy_lru;
extern const struct cairn_policy cairn_policy_clock;
extern const struct cairn_policy cairn_policy_nru;
extern const struct cairn_policy cairn_policy_lfu;
extern const struct cairn_policy cairn_policy_random;
extern const struct cairn_policy cairn_policy_2q;
extern const struct cairn_policy cairn_policy_clockpro;
extern const struct cairn_policy cairn_policy_s3fifo;
extern const struct cairn_policy cairn_policy_wsclock;
extern const struct cairn_policy cairn_policy_adaptive;

#ifdef __cplusplus
}
#endif

#endif
