// SPDX-License-Identifier: MIT
//
// What the policies are made of: rings of frames, sets of frames, and histories of pages that have left.
//
// OWNS        the meaning of a link, of a bit, and of a history's slots.
//
// PICTURE     ring      first -> a <-> b <-> c <-> (a)     `first` is the oldest, or what a clock's hand points at; 16-bit links
//             set       a bit for each frame
//             history   slots   | p q . r s | next        the last pages that left, overwritten in order; a page that came back leaves a hole
//                       buckets | 3 - 0 1 | of chains through the slots, by a hash of the page
//
// INVARIANTS  1. A frame is in one ring at most, and a ring's count is the number of its frames; `first` is NO_LINK exactly where it is 0.
//             2. A history holds a page at most as often as it left; no slot is in a chain but of its page's bucket, and once.
//             3. State holds no pointer: it stands in memory aligned to 4, and may be moved.
// COST        O(1); taking a page out of a history walks its chain, one or two slots where pages are spread. A ring: 4 bytes a frame; a set: 1 bit;
//             a history: 8 to 10 bytes a page.
// CALLERS     lib/vm/policy_*.c.
#ifndef CAIRN_VM_POLICY_PARTS_H
#define CAIRN_VM_POLICY_PARTS_H

#include "cairn/policy.h"

#include "base/bits.h"

#include <string.h>

#define NO_LINK 0xFFFFu

_Static_assert(NO_LINK == CAIRN_FRAME_NONE, "an empty ring's first is no frame");

CAIRN_INLINE uint8_t *frame_flags(const struct cairn_policy_view *view, uint32_t frame)
{
    return view->flags + view->stride * frame;
}

CAIRN_INLINE bool frame_is_pinned(const struct cairn_policy_view *view, uint32_t frame)
{
    return (*frame_flags(view, frame) & CAIRN_FRAME_PINNED) != 0;
}

// ------------------------------------------------------------------------------------------------------------------------- rings

struct ring_link {
    uint16_t previous;
    uint16_t next;
};

struct ring {
    uint16_t first;
    uint16_t count;
};

CAIRN_INLINE struct ring ring_empty(void)
{
    return (struct ring){NO_LINK, 0};
}

// Put it before `first`: the youngest of the ring.
void cairn_ring_append_(struct ring *ring, struct ring_link *links, uint32_t at);
void cairn_ring_unlink_(struct ring *ring, struct ring_link *links, uint32_t at);
// Make it the youngest.
void cairn_ring_renew_(struct ring *ring, struct ring_link *links, uint32_t at);
// The oldest frame that is not pinned. Worst case: all are.
uint32_t cairn_ring_oldest_(const struct ring *ring, const struct ring_link *links, const struct cairn_policy_view *view);

// -------------------------------------------------------------------------------------------------------------------------- sets

CAIRN_INLINE uint32_t set_words(uint32_t frames)
{
    return (frames + 31) >> 5;
}

CAIRN_INLINE bool set_has(const uint32_t *set, uint32_t frame)
{
    return (set[frame >> 5] >> (frame & 31) & 1) != 0;
}

CAIRN_INLINE void set_add(uint32_t *set, uint32_t frame)
{
    set[frame >> 5] |= (uint32_t)1 << (frame & 31);
}

CAIRN_INLINE void set_drop(uint32_t *set, uint32_t frame)
{
    set[frame >> 5] &= ~((uint32_t)1 << (frame & 31));
}

// The frame after this one, in a circle.
CAIRN_INLINE uint32_t frame_after(uint32_t frame, uint32_t frames)
{
    return frame + 1 == frames ? 0 : frame + 1;
}

// -------------------------------------------------------------------------------------------------------------------------- hash

// log2 of the buckets for so many entries: half as many buckets as entries to as many.
CAIRN_INLINE uint32_t hash_bits(uint32_t entries)
{
    return entries < 4 ? 1 : bits_highest(entries);
}

// Fibonacci hashing (Knuth, The Art of Computer Programming 3, 1973, section 6.4): neighbours are spread.
CAIRN_INLINE uint32_t hash_of(uint32_t page, uint32_t bits)
{
    return page * 0x9E3779B9u >> (32 - bits);
}

// ----------------------------------------------------------------------------------------------------------------------- history

struct history {
    uint16_t capacity;
    uint16_t next;  // slot to be written next
    uint16_t count; // slots that hold a page
    uint16_t bits;  // log2 of the buckets
};

struct history_slot {
    uint16_t low; // halves of the page, so that a slot is 6 bytes
    uint16_t high;
    uint16_t chain;
};

#define HISTORY_HOLE 0xFFFEu // in chain: the slot is empty

_Static_assert(sizeof(struct history_slot) == 6, "a slot is 6 bytes");

// 16 bits number fewer slots than there may be frames.
CAIRN_INLINE uint32_t history_capacity(uint32_t pages)
{
    return pages == 0 ? 1 : pages > 65000 ? 65000 : pages;
}

CAIRN_INLINE size_t history_bytes(uint32_t capacity)
{
    return sizeof(struct history) + round_to(capacity * sizeof(struct history_slot) + (sizeof(uint16_t) << hash_bits(capacity)), 4);
}

CAIRN_INLINE struct history_slot *history_slots(const struct history *history)
{
    return (struct history_slot *)(uintptr_t)(history + 1);
}

CAIRN_INLINE uint16_t *history_bucket(const struct history *history, uint32_t page)
{
    return (uint16_t *)(history_slots(history) + history->capacity) + hash_of(page, history->bits);
}

CAIRN_INLINE uint32_t slot_page(const struct history_slot *slot)
{
    return (uint32_t)slot->high << 16 | slot->low;
}

void cairn_history_init_(struct history *history, uint32_t capacity);
// Forget the page in this slot, which has one.
void cairn_history_clear_(struct history *history, uint32_t at);
// Remember a page that leaves; the oldest is forgotten.
void cairn_history_add_(struct history *history, uint32_t page);
// Was it remembered? It is no longer.
bool cairn_history_take_(struct history *history, uint32_t page);

#endif
