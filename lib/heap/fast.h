// SPDX-License-Identifier: MIT
//
// The short paths of alloc and free, for builds that favour speed: what heap.c does in general, for best and bounded fit, laid out in
// each caller, with a search that knows its fit.
//
// OWNS: nothing beyond what tags.h and bins.h own.
//
// PICTURE: three steps, each of which reads what it needs anew, because that is cheaper than a spill:
//
//         find the block in its list  ->  prove it and its neighbours there, write the list  ->  write the tags
//
//     A rest that belongs to the same list takes over the block's place. Where the used block ends in the pair of tag words that it starts
//     in, its tags are one read and one write of each word; else fast_tags_far does it.
//
// INVARIANTS: those of heap.c. What is broken is handed on, before anything was written, to the general way, which reports it.
// COST: docs/BENCHMARKS.md. CALLERS: alloc.c, lock held.
#ifndef CAIRN_HEAP_FAST_H
#define CAIRN_HEAP_FAST_H

#include "heap/fit.h"

// Put a free block of `length` granules at the head of its list.
CAIRN_INLINE void fast_push(unsigned char *base, struct heap_control *control, uint32_t block, uint32_t length)
{
    struct block_links *const links = links_at(base, block);
    uint32_t bin = length;
    if (length >= BIN_EXACT) {
        bin = bin_of(length);
        links[CAIRN_GRANULE / sizeof *links].next = length;
    }
    const uint32_t head = control->heads[bin];
    links->next = head;
    links->prev = 0;
    control->heads[bin] = block;
    if (head != 0) {
        links_at(base, head)->prev = block;
    } else {
        control->map |= (uint32_t)1 << bin;
    }
}

// The shortest of the first blocks of a range list that has at least n granules; 0 if none has. The head needs no proof; what a link leads
// to is only a candidate.
CAIRN_INLINE uint32_t fast_search(const struct cairn_heap *heap, const struct heap_control *control, uint32_t head, uint32_t n)
{
    const unsigned char *const base = heap->base;
    const struct block_links *links = links_at(base, head);
    uint32_t spare = links[CAIRN_GRANULE / sizeof *links].next - n; // of the best so far; a block that is too short has 2^31 or more
    uint32_t found = head;
    uint32_t block = links->next;
    for (uint32_t left = control->search; block != 0 && --left != 0;) {
        if (HARDENED && CAIRN_UNLIKELY(block >= control->granules)) { // a range list's block is never the last granule
            return report_link(heap, (uint32_t)granule_number(base, links));
        }
        links = links_at(base, block);
        const uint32_t its = links[CAIRN_GRANULE / sizeof *links].next - n;
        if (its < spare) {
            found = block;
            spare = its;
        }
        block = links->next;
    }
    return (int32_t)spare < 0 ? 0 : found;
}

// Is what the free block `block` links to a free block that links back?
CAIRN_INLINE bool fast_agrees(const struct cairn_heap *heap, const struct heap_control *control, uint32_t block, uint32_t next)
{
    return !HARDENED || (is_free_block(heap, control, next) && links_at(heap->base, next)->prev == block && next != block);
}

// The tags of a cut, where the used block does not end in the pair it starts in.
static CAIRN_NOINLINE void fast_tags_far(struct tag_word *tags, uint32_t block, uint32_t n, uint32_t rest)
{
    struct tag_word *const first = &tags[block >> CAIRN_TAG_SHIFT];
    struct tag_word *last = &tags[(block + n) >> CAIRN_TAG_SHIFT];
    const uint32_t cut = tag_bit(block + n);
    first->edge &= ~tag_bit(block);
    if (rest != 0) {
        last->start |= cut;
        last->edge |= cut;
    }
    if (last - first > 1) {
        const uint32_t record = record_make(n, false); // its highest bit is an edge too, where the block ends with that pair
        first[1].edge = record;
        last[-1].edge = record;
    }
    if (cut != 1) {
        last->edge &= ~(cut >> 1);
    } else {
        last[-1].edge &= ~RECORD_FREE;
    }
}

// Take the head of list n, an exact list, whole. Returns 0, nothing changed, where that needs another way.
CAIRN_INLINE uint32_t fast_exact(struct cairn_heap *heap, struct heap_control *control, uint32_t n)
{
    const uint32_t block = control->heads[n];
    if (block == 0) {
        return 0;
    }
    struct tag_word *const tag = &heap->tags[block >> CAIRN_TAG_SHIFT];
    const uint32_t at = block & TAG_MASK;
    const uint32_t behind = (uint32_t)1 << n;
    if (CAIRN_UNLIKELY((tag->start >> at & (2 * behind - 1)) != behind + 1)) { // starts at block and n on, none in between
        return 0;
    }
    const struct block_links links = *links_at(heap->base, block);
    if (HARDENED && CAIRN_UNLIKELY(links.prev != 0)) {
        return 0;
    }
    if (links.next == 0) {
        control->map &= ~behind;
    } else {
        if (CAIRN_UNLIKELY(!fast_agrees(heap, control, block, links.next))) {
            return 0;
        }
        links_at(heap->base, links.next)->prev = 0;
    }
    control->heads[n] = links.next;
    control->free_blocks--;
    tag->edge &= ~((behind >> 1 | 1) << at);
    return block;
}

// The tags of a cut in which the used block ends in the pair it starts in: one read and one write of each word.
CAIRN_INLINE void fast_tags(struct tag_word *tags, uint32_t block, uint32_t n, uint32_t rest)
{
    struct tag_word *const tag = &tags[block >> CAIRN_TAG_SHIFT];
    const uint32_t first = tag_bit(block);
    uint32_t cut = first << n;
    const uint32_t edge = tag->edge & ~(first | cut >> 1);
    if (rest == 0) {
        cut = 0;
    }
    tag->start |= cut;
    tag->edge = edge | cut;
}

// Take n granules off the front of `block`, of list `bin`. Returns false, nothing changed, where that needs the general way.
CAIRN_INLINE bool fast_cut(struct cairn_heap *heap, struct heap_control *control, uint32_t block, uint32_t bin, uint32_t n)
{
    const uint32_t length = block_length(heap->tags, block);
    if (HARDENED && CAIRN_UNLIKELY(length < n)) {
        return false;
    }
    CAIRN_FORGET(block);
    const struct block_links links = *links_at(heap->base, block);
    uint32_t *from = &control->heads[bin]; // the link that leads to the block
    if (CAIRN_UNLIKELY(links.prev != 0)) {
        if (HARDENED && !(links.prev != block && is_free_block(heap, control, links.prev) && is_free_start(heap->tags, block))) {
            return false;
        }
        from = &links_at(heap->base, links.prev)->next;
    }
    if (HARDENED && CAIRN_UNLIKELY(*from != block)) {
        return false;
    }
    if (links.next != 0 && CAIRN_UNLIKELY(!fast_agrees(heap, control, block, links.next))) {
        return false;
    }
    CAIRN_FORGET(block);
    const uint32_t rest = length - n;
    uint32_t lead = links.next;
    uint32_t back = links.prev;
    if (bin >= BIN_EXACT && rest >= BIN_EXACT && bin_of(rest) == bin) { // the rest takes over the block's place in the list
        lead = back = block + n;
        struct block_links *const place = links_at(heap->base, lead);
        *place = links;
        place[CAIRN_GRANULE / sizeof *place].next = rest;
    } else if (rest == 0) {
        control->free_blocks--;
    } else {
        fast_push(heap->base, control, block + n, rest);
    }
    *from = lead;
    if (links.next != 0) {
        links_at(heap->base, links.next)->prev = back;
    } else if (control->heads[bin] == 0) {
        control->map &= ~((uint32_t)1 << bin);
    }
    CAIRN_FORGET(block);
    if ((block & TAG_MASK) + n >= TAG_GRANULES) {
        fast_tags_far(heap->tags, block, n, rest);
    } else {
        fast_tags(heap->tags, block, n, rest);
    }
    if (rest > TAG_GRANULES) {
        record_span(heap->tags, block + n, block + length, true);
    }
    return true;
}

// Take the free block, `length` granules long, out of its list. Returns length, or 0 where a link is broken, reported, and nothing is changed.
static CAIRN_NOINLINE uint32_t fast_unlink(struct cairn_heap *heap, uint32_t block, uint32_t length)
{
    struct heap_control *const control = heap->control;
    const struct block_links links = *links_at(heap->base, block);
    const uint32_t bin = bin_of(length);
    if (links.prev != 0) {
        if (CAIRN_UNLIKELY(!(links.prev != block && is_free_block(heap, control, links.prev) &&
                             links_at(heap->base, links.prev)->next == block))) {
            return report_link(heap, block);
        }
    } else if (CAIRN_UNLIKELY(control->heads[bin] != block)) {
        return report_link(heap, block);
    }
    if (links.next != 0) {
        if (CAIRN_UNLIKELY(!fast_agrees(heap, control, block, links.next))) {
            return report_link(heap, block);
        }
        links_at(heap->base, links.next)->prev = links.prev;
    }
    control->free_blocks--;
    if (links.prev != 0) {
        links_at(heap->base, links.prev)->next = links.next;
    } else {
        control->heads[bin] = links.next;
        if (links.next == 0) {
            control->map &= ~((uint32_t)1 << bin);
        }
    }
    return length;
}

// Free the used block, counted off already.
CAIRN_INLINE void fast_release(struct cairn_heap *heap, struct heap_control *control, uint32_t block, uint32_t length)
{
    struct tag_word *const tags = heap->tags;
    uint32_t end = block + length;
    if (is_free_edge(tags, end)) {
        const uint32_t after = fast_unlink(heap, end, block_length(tags, end));
        if (after != 0) {
            start_clear(tags, end);
            end += after;
        }
    }
    CAIRN_FORGET(block);
    if (is_free_edge(tags, block - 1)) {
        const uint32_t before = fast_unlink(heap, block - length_before(tags, block), length_before(tags, block));
        if (before != 0) {
            start_clear(tags, block);
            block -= before;
        }
    }
    CAIRN_FORGET(block);
    control->free_blocks++;
    tags_mark(tags, block, end, true);
    fast_push(heap->base, control, block, end - block);
}

#endif
