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

#include "heap/core.h"

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

// Of the first blocks of a range list, the shortest that is long enough; where none is, some other. The head, if it is as good; 0 where a
// link is broken: reported. spare: by how much the head is longer than n, wrapped around where it is shorter; then by how much what is
// returned is.
CAIRN_INLINE uint32_t best_behind(const struct cairn_heap *heap, const struct heap_control *control, uint32_t head, uint32_t next, uint32_t n,
                                  uint32_t *spare)
{
    uint32_t found = head;
    uint32_t block = head;
    uint32_t left = control->search;
    while (next != 0 && --left != 0) {
        if (HARDENED && CAIRN_UNLIKELY(next > control->granules)) {
            *spare = 0;
            return report_link(heap, block);
        }
        block = next;
        struct block_links *const links = links_at(heap->base, block);
        const uint32_t its = *hint_of(links) - n;
        next = links->next;
        CAIRN_FORGET(next);
        if (its < *spare) {
            found = block;
            *spare = its;
        }
    }
    return found;
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
    CAIRN_FORGET(border);
    if (rest > TAG_BORDERS) {
        tag_record(tags, border, border + rest);
    }
    if (n > TAG_BORDERS) {
        tag_record(tags, border - n, border);
    }
}

// Take n granules off the front of the free block that ends at `to`, of list `bin`, its head if `head`. Returns their address; NULL where a link is broken.
CAIRN_INLINE void *quick_cut(struct cairn_heap *heap, struct heap_control *control, uint32_t to, uint32_t bin, uint32_t n, bool head)
{
    const struct tag_word *const tag = tag_of(heap->tags, to);
    if (HARDENED && CAIRN_UNLIKELY(((tag->border & tag->free) >> (to & TAG_MASK) & 1) == 0)) {
        return quick_broken(heap, to);
    }
    const uint32_t length = pair_length_before(heap->tags, tag, to);
    const uint32_t rest = length - n;
    CAIRN_FORGET(to);
    if (HARDENED && CAIRN_UNLIKELY(length < n)) {
        return quick_broken(heap, to);
    }
    if (bin >= BIN_EXACT && rest >> (bin - BIN_EXACT + 3) != 0) { // it keeps its list and its place
        if (HARDENED && !head && length >> (bin - BIN_EXACT + 3) != 1) {
            return quick_broken(heap, to);
        }
        *hint_at(heap->base, to) = rest;
    } else if (head) {
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
            uint32_t none = 0;
            CAIRN_FORGET(none);
            *back = none;
        }
        CAIRN_FORGET(bin);
        *head_of(control, bin) = links.next;
        if (rest != 0) {
            bin_insert(heap, to, rest);
        }
    } else if (!cairn_heap_refile_(heap, to, length, rest)) {
        return quick_failed(control);
    }
    CAIRN_FORGET(to);
    heap_count_taken(control, n);
    if (rest == 0) {
        tag_of(heap->tags, to)->free &= ~tag_bit(to);
        control->free_blocks -= head;
    } else {
        control->blocks++;
        quick_tags(heap->tags, to - rest, n, rest);
    }
    return border_address(heap->base, to - length);
}

// The same for a block that links led to. to: 0 where one was broken, reported.
static CAIRN_NOINLINE void *quick_cut_inner(struct cairn_heap *heap, uint32_t to, uint32_t bin, uint32_t n)
{
    if (to == 0) {
        return quick_failed(heap->control);
    }
    return quick_cut(heap, heap->control, to, bin, n, false);
}

// Best fit.
CAIRN_INLINE void *quick_best(struct cairn_heap *heap, struct heap_control *control, uint32_t n)
{
    uint32_t bin = bin_of(n);
    for (uint32_t map = control->map << bin; map != 0; map = control->map << bin << 1, bin++) {
        bin += bits_leading(map);
        const uint32_t head = *head_of(control, bin);
        if (bin >= BIN_EXACT) {
            struct block_links *const links = links_at(heap->base, head);
            uint32_t spare = *hint_of(links) - n;
            uint32_t found = head;
            if (links->next != 0) {
                found = best_behind(heap, control, head, links->next, n, &spare);
            }
            CAIRN_FORGET(control);
            if ((int32_t)spare < 0) {
                continue;
            }
            if (CAIRN_UNLIKELY(found != head)) {
                return quick_cut_inner(heap, found, bin, n);
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

// As cairn_heap_refile_, for a block that was free and stays it.
static CAIRN_NOINLINE bool quick_refile(struct cairn_heap *heap, uint32_t to, uint32_t was, uint32_t length)
{
    const uint32_t bin = bin_of(was);
    if (length >= BIN_EXACT && bin == bin_of(length)) {
        *hint_at(heap->base, to) = length;
        return true;
    }
    if (!bin_remove(heap, to, bin) && HARDENED) {
        return report_link(heap, to) != 0;
    }
    bin_insert(heap, to, length);
    return true;
}

// Make the used block between two borders free. tag: the pair of `to`; free_before: is what ends at `from` free?
CAIRN_INLINE void quick_release(struct cairn_heap *heap, struct tag_word *tag, uint32_t from, uint32_t to, bool free_before)
{
    struct heap_control *const control = heap->control;
    const uint32_t own_from = from;
    const uint32_t at = to & TAG_MASK;
    uint32_t ahead = tag->border >> at >> 1;
    uint32_t free = tag->free >> at >> 1;
    uint32_t after = 1;
    heap_count_released(control, to - from);
    if (ahead == 0) {
        ahead = tag[1].border;
        free = tag[1].free;
        after = TAG_BORDERS - at;
    }
    if (ahead != 0) {
        free = free >> bits_lowest(ahead) & 1;
        after += bits_lowest(ahead);
    } else {
        after = free;
        free = ends_free(heap->tags, to + after);
    }
    if (free_before) {
        from = cairn_heap_join_(heap, from);
    }
    if (free != 0 && CAIRN_LIKELY(quick_refile(heap, to + after, after, to + after - from))) {
        tag->border &= ~tag_bit(to);
        control->blocks--;
        CAIRN_FORGET(from);
        tag_record(heap->tags, from, to + after);
        return;
    }
    tag->free |= tag_bit(to);
    control->free_blocks++;
    if (from != own_from) {
        tag_record(heap->tags, from, to);
    }
    bin_insert(heap, to, to - from);
}

// Free the block that begins at `from`. Returns false, and nothing has changed, where no used block does. pre: from is below the last border.
CAIRN_INLINE bool quick_free(struct cairn_heap *heap, uint32_t from)
{
    const struct tag_word *const tag = tag_of(heap->tags, from);
    const uint32_t at = from & TAG_MASK;
    const uint32_t borders = tag->border >> at;
    uint32_t ahead = borders >> 1;
    uint32_t to = from + 1;
    if (CAIRN_UNLIKELY((borders & 1) == 0)) {
        return false;
    }
    const bool free_before = (tag->free >> at & 1) != 0;
    if (ahead == 0) {
        ahead = tag[1].border;
        to = (from | TAG_MASK) + 1;
    }
    to = ahead != 0 ? to + bits_lowest(ahead) : from + tag[1].free;
    struct tag_word *const its = tag_of(heap->tags, to);
    if (CAIRN_UNLIKELY((its->free >> (to & TAG_MASK) & 1) != 0)) {
        return false;
    }
    CAIRN_FORGET(to);
    quick_release(heap, its, from, to, free_before);
    return true;
}

#endif
