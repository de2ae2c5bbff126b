// SPDX-License-Identifier: MIT
//
// The short paths of alloc and free, for builds that favour speed: best and bounded fit. What heap.c does in general, laid out in each
// caller, with a search that knows its fit.
//
// OWNS: nothing beyond what tags.h and bins.h own.
// INVARIANTS: those of moves.h.
// COST: docs/BENCHMARKS.md. Each step computes what it needs anew (CAIRN_FORGET), because that is cheaper than a spill.
// CALLERS: alloc.c, lock held. pre: for free, the heap does not wipe; for alloc, it has as many granules as are asked for.
#ifndef CAIRN_HEAP_QUICK_H
#define CAIRN_HEAP_QUICK_H

#include "heap/moves.h"

CAIRN_INLINE void *quick_failed(struct heap_control *control)
{
    control->failures++;
    return NULL;
}

CAIRN_COLD static void *quick_broken(const struct cairn_heap *heap, uint32_t to)
{
    (void)report_link(heap, to);
    return quick_failed(heap->control);
}

// Put the free block that ends at `to` into its list, which is *bin. Returns false, and all but its length is still to be done, where the list's head is none.
CAIRN_INLINE bool quick_push(const struct cairn_heap *heap, struct heap_control *control, uint32_t to, uint32_t length, uint32_t *bin)
{
    struct block_links *const links = links_at(heap->base, to);
    *bin = length;
    if (length >= BIN_EXACT) {
        *bin = bin_of(length);
        CAIRN_FORGET(*bin); // a branch: all of it under conditions is longer
        *hint_of(links) = length;
    }
    return bin_push(heap, control, links, to, *bin);
}

// What is to be done then.
CAIRN_COLD static void quick_restart(const struct cairn_heap *heap, uint32_t to, uint32_t bin)
{
    bin_forget(heap, bin);
    (void)bin_push(heap, heap->control, links_at(heap->base, to), to, bin);
}

// The tags of a cut: a new border, n used granules before it, `rest` free ones behind it.
CAIRN_INLINE void quick_tags(struct tag_word *tags, uint32_t border, uint32_t n, uint32_t rest)
{
    struct tag_word *const tag = tag_of(tags, border);
    const uint32_t borders = tag->border;
    if (borders == 0) {
        tag->free = 0;
    }
    tag->border = borders | tag_bit(border);
    if (rest > TAG_BORDERS) {
        tag_record(tags, border, border + rest);
    }
    if (n > TAG_BORDERS) {
        tag_record(tags, border - n, border);
    }
}

// The end of a cut: count and tag it. Returns the address of the n granules that were cut off the front of the block that ends at `to`.
CAIRN_INLINE void *quick_taken(struct cairn_heap *heap, struct heap_control *control, uint32_t to, uint32_t n, uint32_t rest)
{
    heap_count_taken(control, n);
    if (rest == 0) {
        tag_of(heap->tags, to)->free &= ~tag_bit(to);
        control->free_blocks--;
    } else {
        control->blocks++;
        quick_tags(heap->tags, to - rest, n, rest);
    }
    return border_address(heap->base, to - n - rest);
}

// The same, where the head of the list that the rest belongs to is none.
CAIRN_COLD static void *quick_taken_lost(struct cairn_heap *heap, uint32_t to, uint32_t n, uint32_t rest)
{
    quick_restart(heap, to, bin_of(rest));
    return quick_taken(heap, heap->control, to, n, rest);
}

// Take n granules off the front of the free block that ends at `to`, of list `bin`, its head if `head`. Returns their address; NULL where a link is broken.
CAIRN_INLINE void *quick_cut(struct cairn_heap *heap, struct heap_control *control, uint32_t to, uint32_t bin, uint32_t n, bool head)
{
    const struct tag_word *const tag = tag_of(heap->tags, to);
    if (HARDENED && CAIRN_UNLIKELY(!is_top_bit((tag->border & tag->free) << (to & TAG_MASK)))) {
        return quick_broken(heap, to);
    }
    const uint32_t length = pair_length_before(heap->tags, tag, to);
    uint32_t rest = length - n;
    if (HARDENED && CAIRN_UNLIKELY(length < n)) {
        return quick_broken(heap, to);
    }
    if (bin >= BIN_EXACT && rest >> (bin - BIN_EXACT + 3) != 0) { // it keeps its list and its place
        if (HARDENED && !head && length >> (bin - BIN_EXACT + 3) != 1) {
            return quick_broken(heap, to);
        }
        *hint_at(heap->base, to) = rest;
    } else {
        if (!head) {
            if (!bin_remove(heap, control, to, bin)) {
                return quick_broken(heap, to);
            }
        } else {
            const struct block_links links = *links_at(heap->base, to);
            if (HARDENED && CAIRN_UNLIKELY(links.prev != 0)) {
                return quick_broken(heap, to);
            }
            if (links.next == 0) {
                control->map &= ~bin_bit(bin);
            } else {
                free_word *const back = link_back(heap, to, links.next, 1);
                if (HARDENED && CAIRN_UNLIKELY(back == NULL)) {
                    return quick_broken(heap, to);
                }
                *back = links.prev;
            }
            CAIRN_FORGET(bin);
            CAIRN_FORGET(control);
            *head_of(control, bin) = links.next;
        }
        CAIRN_FORGET(to);
        if (rest != 0 && CAIRN_UNLIKELY(!quick_push(heap, control, to, rest, &bin))) {
            return quick_taken_lost(heap, to, n, rest);
        }
    }
    CAIRN_FORGET(to);
    return quick_taken(heap, control, to, n, rest);
}

// The same for a block that links led to.
static CAIRN_NOINLINE void *quick_cut_inner(struct cairn_heap *heap, uint32_t to, uint32_t bin, uint32_t n)
{
    return quick_cut(heap, heap->control, to, bin, n, false);
}

// Of the first blocks of a range list, from `block` on, one has a link that leads nowhere: find it again. No more steps than the search took, should the link have led
// into a used block, whose bytes may be others by now.
CAIRN_COLD static void *quick_stray(const struct cairn_heap *heap, uint32_t block)
{
    uint32_t next = block;
    for (uint32_t left = heap->control->search; left != 0 && next - 1 < heap->control->granules; left--) {
        block = next;
        next = links_at(heap->base, block)->next;
    }
    return quick_broken(heap, block);
}

// Best fit: of the first blocks of a list, the shortest that is long enough, the head where it is as good.
CAIRN_INLINE void *quick_best(struct cairn_heap *heap, struct heap_control *control, uint32_t n)
{
    uint32_t bin = bin_of(n);
    for (uint32_t map = control->map << bin; map != 0; map = control->map << bin << 1, bin++) {
        bin += bits_leading(map);
        const uint32_t head = *head_of(control, bin);
        if (bin >= BIN_EXACT) {
            struct block_links *links = links_at(heap->base, head);
            uint32_t spare = *hint_of(links) - n; // of the best so far; wrapped around where it is too short
            uint32_t next = links->next;
            if (next != 0) {
                uint32_t found = head;
                for (uint32_t left = control->search; next != 0 && --left != 0;) {
                    if (HARDENED && CAIRN_UNLIKELY(next > control->granules)) {
                        return quick_stray(heap, head);
                    }
                    const uint32_t block = next;
                    links = links_at(heap->base, block);
                    const uint32_t its = *hint_of(links) - n;
                    next = links->next;
                    if (its < spare) {
                        found = block;
                        spare = its;
                    }
                }
                if ((int32_t)spare >= 0 && CAIRN_UNLIKELY(found != head)) {
                    return quick_cut_inner(heap, found, bin, n);
                }
            }
            if ((int32_t)spare < 0) {
                continue;
            }
        }
        return quick_cut(heap, control, head, bin, n, true);
    }
    return quick_failed(control);
}

// Bounded fit: every block of a power of two's list and above is long enough.
CAIRN_INLINE void *quick_bounded(struct cairn_heap *heap, struct heap_control *control, uint32_t n)
{
    control->classes |= n;
    if (n > GRANULES_MAX) {
        return quick_failed(control);
    }
    const uint32_t own = bin_of(n);
    const uint32_t map = control->map << own;
    if (map == 0) {
        return quick_failed(control);
    }
    const uint32_t bin = own + bits_leading(map);
    return quick_cut(heap, control, *head_of(control, bin), bin, n, true);
}

// Where a walk along the borders is, with what lies ahead: bit 31 of both words is the border `at`, if it is one.
struct quick_place {
    struct tag_word *tag;
    uint32_t borders;
    uint32_t free;
    uint32_t at;
};

// Where the border is, and what lies ahead.
CAIRN_INLINE struct quick_place quick_at(struct tag_word *tags, uint32_t border)
{
    struct tag_word *const tag = tag_of(tags, border);
    const struct quick_place place = {tag, tag->border << (border & TAG_MASK), tag->free << (border & TAG_MASK), border};
    return place;
}

// Go on to the next border. pre: the place is a border below the fence.
CAIRN_INLINE void quick_next(struct tag_word *tags, struct quick_place *place)
{
    const uint32_t ahead = place->borders << 1;
    if (ahead != 0) {
        const uint32_t on = bits_leading(ahead);
        place->at += on + 1;
        place->borders = ahead << on;
        place->free = place->free << 1 << on;
        return;
    }
    struct tag_word *const behind = place->tag + 1;
    const uint32_t borders = behind->border;
    if (borders != 0) {
        const uint32_t on = bits_leading(borders);
        place->at = (place->at | TAG_MASK) + 1 + on;
        place->tag = behind;
        place->borders = borders << on;
        place->free = behind->free << on;
        return;
    }
    *place = quick_at(tags, place->at + behind->free);
}

// The tags of a free block that swallows what began at `to`, whose pair is `tag`.
CAIRN_INLINE void quick_swallow(struct cairn_heap *heap, struct heap_control *control, struct tag_word *tag, uint32_t from, uint32_t to, uint32_t end)
{
    tag->border &= ~tag_bit(to);
    control->blocks--;
    tag_record(heap->tags, from, end);
}

// Make the block between `from` and a border free, which is not to be merged with what is before it: merge it with what is behind, put it into a list. joined: it may
// have swallowed what was before it, and its records are to be written.
CAIRN_INLINE void quick_release(struct cairn_heap *heap, uint32_t from, struct quick_place place, bool joined)
{
    struct heap_control *const control = heap->control;
    struct tag_word *const tag = place.tag;
    uint32_t to = place.at;
    quick_next(heap->tags, &place);
    CAIRN_FORGET(from);
    if (is_top_bit(place.free)) {
        uint32_t end = place.at;
        uint32_t bin = end - to;
        if (bin >= BIN_EXACT) {
            if (bits_highest(bin) == bits_highest(end - from)) {
                *hint_at(heap->base, end) = end - from;
                quick_swallow(heap, control, tag, from, to, end);
                return;
            }
            bin = bin_of(bin);
        }
        if (CAIRN_LIKELY(bin_remove(heap, control, end, bin))) {
            CAIRN_FORGET(end);
            quick_swallow(heap, control, tag, from, to, end);
            if (CAIRN_UNLIKELY(!quick_push(heap, control, end, end - from, &bin))) {
                quick_restart(heap, end, bin);
            }
            return;
        }
        (void)report_link(heap, place.at);
    }
    CAIRN_FORGET(to);
    tag->free |= tag_bit(to);
    control->free_blocks++;
    if (joined) {
        tag_record(heap->tags, from, to);
    }
    uint32_t bin;
    if (CAIRN_UNLIKELY(!quick_push(heap, control, to, to - from, &bin))) {
        quick_restart(heap, to, bin);
    }
}

// The same, in one copy.
static CAIRN_NOINLINE void quick_release_apart(struct cairn_heap *heap, uint32_t from, uint32_t to)
{
    quick_release(heap, from, quick_at(heap->tags, to), true);
}

// The same, where what is before it is free.
static CAIRN_NOINLINE void quick_join(struct cairn_heap *heap, uint32_t from, uint32_t to)
{
    struct heap_control *const control = heap->control;
    struct tag_word *const tag = tag_of(heap->tags, from);
    const uint32_t length = pair_length_before(heap->tags, tag, from);
    heap_count_released(control, to - from);
    if (CAIRN_LIKELY(bin_remove(heap, control, from, bin_of(length)))) {
        tag->border &= ~tag_bit(from);
        tag->free &= ~tag_bit(from);
        control->blocks--;
        control->free_blocks--;
        from -= length;
    } else {
        (void)report_link(heap, from);
    }
    quick_release_apart(heap, from, to);
}

// Free the block that begins at `from`. Returns false, and nothing has changed, where no used block does. apart: by one copy of what follows the checks. pre: from
// is below the last border.
CAIRN_INLINE bool quick_free(struct cairn_heap *heap, uint32_t from, bool apart)
{
    struct quick_place place = quick_at(heap->tags, from);
    if (CAIRN_UNLIKELY(!is_top_bit(place.borders))) {
        return false;
    }
    const uint32_t before = place.free; // bit 31: is what ends here free?
    quick_next(heap->tags, &place);
    if (CAIRN_UNLIKELY(is_top_bit(place.free))) {
        return false;
    }
    if (CAIRN_UNLIKELY(is_top_bit(before))) {
        quick_join(heap, from, place.at);
        return true;
    }
    heap_count_released(heap->control, place.at - from);
    if (apart) {
        quick_release_apart(heap, from, place.at);
    } else {
        quick_release(heap, from, place, false);
    }
    return true;
}

#endif
