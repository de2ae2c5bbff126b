// SPDX-License-Identifier: MIT
//
// The short paths of alloc and free, for builds that favour speed: what heap.c does in general, laid out for the common case.
//
// OWNS: nothing beyond what tags.h and bins.h own.
//
// PICTURE: a pair of tag words covers 32 granules. Most blocks lie inside one pair; then the start and the edge word, loaded
//     once, shifted so that bit 0 is the block, answer all there is to ask, and one store commits it:
//
//         start >> at   1 0 0 1 ...   length: the next 1            edge >> at   . . 0 e   the neighbour behind: is it free?
//
// INVARIANTS: those of heap.c. Whatever is not common is handed on before anything was written.
// COST: docs/BENCHMARKS.md. CALLERS: heap.c, lock held.
#ifndef CAIRN_HEAP_FAST_H
#define CAIRN_HEAP_FAST_H

#include "heap/fit.h"

// Replace the head of list `bin` by `block`, which has the same place in it. pre: next is proved.
CAIRN_INLINE void list_lead(unsigned char *base, struct heap_control *control, uint32_t bin, uint32_t block, uint32_t next)
{
    control->heads[bin] = block;
    if (next != 0) {
        links_at(base, next)->prev = block;
    }
}

// Put a free block at the head of its list, whose bin is known.
CAIRN_INLINE void list_push(unsigned char *base, struct heap_control *control, uint32_t bin, uint32_t block)
{
    const uint32_t head = control->heads[bin];
    struct block_links *const links = links_at(base, block);
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
    uint32_t left = control->search;
    uint32_t spare = (uint32_t)1 << 31; // of the best so far; a block that is too short has more
    uint32_t found = 0;
    for (uint32_t block = head;;) {
        const uint32_t its = hint_at(base, block)->next - n;
        if (its < spare) {
            found = block;
            spare = its;
        }
        block = links_at(base, block)->next;
        if (block == 0 || --left == 0) {
            return found;
        }
        if (HARDENED && CAIRN_UNLIKELY(block >= control->granules)) { // a range list's block is never the last granule
            return report_link(heap, block);
        }
    }
}

// Take n granules off the front of `block`, the head of list `bin`. Returns false, nothing changed, where that needs the general way.
CAIRN_INLINE bool fast_cut(struct cairn_heap *heap, struct heap_control *control, uint32_t block, uint32_t bin, uint32_t n)
{
    unsigned char *const base = heap->base;
    struct tag_word *const tag = &heap->tags[block >> CAIRN_TAG_SHIFT];
    const uint32_t at = block & TAG_MASK;
    const struct block_links links = *links_at(base, block);
    if (CAIRN_UNLIKELY(at + n >= TAG_GRANULES || links.prev != 0)) {
        return false;
    }
    const uint32_t length = block_length(heap->tags, block);
    if (HARDENED && CAIRN_UNLIKELY(length < n)) {
        return false;
    }
    if (HARDENED && links.next != 0 &&
        CAIRN_UNLIKELY(!is_free_block(heap, control, links.next) || links_at(base, links.next)->prev != block)) {
        return false;
    }
    const uint32_t cut = (uint32_t)2 << (at + n - 1);
    const uint32_t edges = (uint32_t)1 << at | cut >> 1;
    const uint32_t rest = length - n;
    uint32_t lead = links.next;
    if (rest == 0) {
        tag->edge &= ~edges;
        control->free_blocks--;
    } else {
        const uint32_t end = block + n;
        uint32_t rest_bin = rest;
        tag->start |= cut;
        tag->edge = (tag->edge & ~edges) | cut;
        if (rest >= BIN_EXACT) {
            record_span(heap->tags, end, block + length, true);
            rest_bin = bin_of(rest);
            hint_at(base, end)->next = rest;
            if (rest_bin == bin) { // it takes over the block's place
                links_at(base, end)->next = links.next;
                links_at(base, end)->prev = 0;
                list_lead(base, control, bin, end, links.next);
                return true;
            }
        } else if (TAG_GRANULES < BIN_EXACT) {
            record_span(heap->tags, end, block + length, true);
        }
        list_push(base, control, rest_bin, end);
    }
    list_lead(base, control, bin, lead, 0);
    if (lead != 0) {
        links_at(base, lead)->prev = 0;
    } else {
        control->map &= ~((uint32_t)1 << bin);
    }
    return true;
}

// Free the used block whose tags are tag->start and tag->edge at bit `at`, both of its edges in that pair, and neither the first nor the
// last there. `unlink` takes a neighbour out of its list and returns its length, or 0 where it must be left.
CAIRN_INLINE void fast_release(struct cairn_heap *heap, struct heap_control *control, uint32_t block, uint32_t length,
                               uint32_t (*unlink)(struct cairn_heap *, uint32_t))
{
    struct tag_word *const tag = &heap->tags[block >> CAIRN_TAG_SHIFT];
    const uint32_t at = block & TAG_MASK;
    const uint32_t edge = tag->edge >> (at - 1);
    uint32_t start = block;
    uint32_t end = block + length;
    uint32_t edges = (uint32_t)1 << at | (uint32_t)1 << (at + length - 1);
    uint32_t starts = 0; // that vanish
    if ((edge >> length >> 1 & 1) != 0) {
        const uint32_t after = unlink(heap, end);
        if (after != 0) {
            starts = (uint32_t)2 << (at + length - 1);
            end += after;
        }
    }
    if ((edge & 1) != 0) {
        const uint32_t before = length_before(heap->tags, block);
        if (unlink(heap, block - before) != 0) {
            starts |= (uint32_t)1 << at;
            start -= before;
        }
    }
    tag->edge |= edges;
    control->free_blocks++;
    const uint32_t whole = end - start;
    uint32_t bin = whole;
    if (whole >= BIN_EXACT) {
        bin = bin_of(whole);
        hint_at(heap->base, start)->next = whole;
    }
    if (starts != 0) {
        tag->start &= ~starts;
        record_span(heap->tags, start, end, true);
    }
    list_push(heap->base, control, bin, start);
}

#endif
