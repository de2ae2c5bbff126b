// SPDX-License-Identifier: MIT
//
// OWNS, INVARIANTS, COST, CALLERS     as policy_parts.h says.
#include "vm/policy_parts.h"

// ------------------------------------------------------------------------------------------------------------------------- rings

CAIRN_NOINLINE void cairn_ring_append_(struct ring *ring, struct ring_link *links, uint32_t at)
{
    if (ring->first == NO_LINK) {
        links[at] = (struct ring_link){(uint16_t)at, (uint16_t)at};
        ring->first = (uint16_t)at;
    } else {
        const uint16_t first = ring->first;
        const uint16_t last = links[first].previous;
        links[at] = (struct ring_link){last, first};
        links[last].next = (uint16_t)at;
        links[first].previous = (uint16_t)at;
    }
    ring->count++;
}

CAIRN_NOINLINE void cairn_ring_unlink_(struct ring *ring, struct ring_link *links, uint32_t at)
{
    const struct ring_link link = links[at];
    links[link.previous].next = link.next;
    links[link.next].previous = link.previous;
    if (ring->first == at) {
        ring->first = link.next == at ? (uint16_t)NO_LINK : link.next;
    }
    ring->count--;
}

CAIRN_NOINLINE void cairn_ring_renew_(struct ring *ring, struct ring_link *links, uint32_t at)
{
    if (ring->first == at) {
        ring->first = links[at].next;
    } else if (links[ring->first].previous != at) {
        cairn_ring_unlink_(ring, links, at);
        cairn_ring_append_(ring, links, at);
    }
}

CAIRN_NOINLINE uint32_t cairn_ring_oldest_(const struct ring *ring, const struct ring_link *links, const struct cairn_policy_view *view)
{
    uint32_t at = ring->first;
    for (uint32_t left = ring->count; left != 0; left--) {
        if (!frame_is_pinned(view, at)) {
            return at;
        }
        at = links[at].next;
    }
    return CAIRN_FRAME_NONE;
}

// ----------------------------------------------------------------------------------------------------------------------- history

CAIRN_NOINLINE void cairn_history_init_(struct history *history, uint32_t capacity)
{
    *history = (struct history){.capacity = (uint16_t)capacity, .bits = (uint16_t)hash_bits(capacity)};
    struct history_slot *const slots = history_slots(history);
    for (uint32_t i = 0; i < capacity; i++) {
        slots[i].chain = HISTORY_HOLE;
    }
    memset(slots + capacity, 0xFF, sizeof(uint16_t) << history->bits);
}

CAIRN_NOINLINE void cairn_history_clear_(struct history *history, uint32_t at)
{
    struct history_slot *const slots = history_slots(history);
    uint16_t *link = history_bucket(history, slot_page(&slots[at]));
    while (*link != at) {
        link = &slots[*link].chain;
    }
    *link = slots[at].chain;
    slots[at].chain = HISTORY_HOLE;
    history->count--;
}

CAIRN_NOINLINE void cairn_history_add_(struct history *history, uint32_t page)
{
    const uint32_t at = history->next;
    struct history_slot *const slot = history_slots(history) + at;
    if (slot->chain != HISTORY_HOLE) {
        cairn_history_clear_(history, at);
    }
    uint16_t *const bucket = history_bucket(history, page);
    *slot = (struct history_slot){(uint16_t)page, (uint16_t)(page >> 16), *bucket};
    *bucket = (uint16_t)at;
    history->next = (uint16_t)frame_after(at, history->capacity);
    history->count++;
}

CAIRN_NOINLINE bool cairn_history_take_(struct history *history, uint32_t page)
{
    const struct history_slot *const slots = history_slots(history);
    for (uint32_t at = *history_bucket(history, page); at != NO_LINK; at = slots[at].chain) {
        if (slot_page(&slots[at]) == page) {
            cairn_history_clear_(history, at);
            return true;
        }
    }
    return false;
}
