// SPDX-License-Identifier: MIT
//
// The checker: every rule of docs/LAYOUT.md, on an image that may be anything.
//
// OWNS: nothing; read-only. Trusts no byte of the image: a number is compared before it is used.
//
// INVARIANTS: T1 to T9, each returned by its own name. What it does not prove: that the bytes in used blocks are the user's.
// COST: O(1) a tag pair and a block; the whole check walks each list once more. No recursion.
// CALLERS: the user; attach, on bytes from outside.
#include "heap/core.h"
#include "heap/layout.h"

struct tally {
    uint32_t used;
    uint32_t used_blocks;
    uint32_t free_blocks;
};

static int broken(struct cairn_fault *fault, enum cairn_rule rule, const void *address)
{
    if (fault != NULL) {
        *fault = (struct cairn_fault){rule, address};
    }
    return CAIRN_ECORRUPT;
}

// T9: the control's fields.
static int check_control(const struct cairn_heap *heap, struct cairn_fault *fault)
{
    const struct heap_control *const control = heap->control;
    const uint32_t known = FLAGS_KNOWN | (CAIRN_GRANULE - 1u) << LEAD_SHIFT;
    if (control->magic != HEAP_MAGIC || control->limit > GRANULES_MAX || control->granules - 1 >= control->limit ||
        control->fit > (CAIRN_FIT_WORST | FIT_ALL) || control->search == 0 ||
        ((control->fit & FIT_ALL) != 0 && control->search != CAIRN_SEARCH_ALL) || (control->flags & ~known) != 0 ||
        ((control->flags & FLAG_GRANULE_16) != 0) != (CAIRN_GRANULE == 16) ||
        heap->base != (const unsigned char *)control + front_bytes(control->limit, (control->flags & FLAG_TAGS_OUTSIDE) != 0)) {
        return broken(fault, CAIRN_RULE_T9, control);
    }
    return 0;
}

// T1: both ends of the tag array, on which every look sideways rests.
static int check_ends(const struct cairn_heap *heap, struct cairn_fault *fault)
{
    const struct tag_word *const tags = heap->tags;
    const uint32_t end = heap->control->granules;
    const uint32_t fence = fence_of(heap->control);
    if (tag_state(tags, 0) != TAG_USED) {
        return broken(fault, CAIRN_RULE_T1, heap->base);
    }
    const uint32_t behind = tags[fence >> CAIRN_TAG_SHIFT].border & (tag_bit(fence) - 1);
    if (!is_border(tags, end) || tag_state(tags, fence) != TAG_USED || behind != 0) {
        return broken(fault, CAIRN_RULE_T1, border_address(heap->base, end));
    }
    return 0;
}

// T6, T7: a free block's place in its list.
static int check_links(const struct cairn_heap *heap, uint32_t to, uint32_t length, struct cairn_fault *fault)
{
    const struct heap_control *const control = heap->control;
    const void *const address = border_address(heap->base, to - length);
    const uint32_t bin = bin_of(length);
    const struct block_links links = *links_at(heap->base, to);
    if (links.next != 0 && (!is_free_block(heap, links.next) || links_at(heap->base, links.next)->prev != to ||
                            bin_of(length_before(heap->tags, links.next)) != bin)) {
        return broken(fault, CAIRN_RULE_T6, address);
    }
    if (links.prev == 0 ? control->heads[bin] != to
                        : !is_free_block(heap, links.prev) || links_at(heap->base, links.prev)->next != to) {
        return broken(fault, CAIRN_RULE_T6, address);
    }
    if (length >= BIN_EXACT && *hint_at(heap->base, to) != length) {
        return broken(fault, CAIRN_RULE_T6, address);
    }
    if ((control->map & bin_bit(bin)) == 0) {
        return broken(fault, CAIRN_RULE_T7, address);
    }
    return 0;
}

// T2 to T7 for one block. pre: T1; `from` is a border below the last.
static int check_block(const struct cairn_heap *heap, uint32_t from, struct tally *tally, struct cairn_fault *fault)
{
    const struct tag_word *const tags = heap->tags;
    const uint32_t end = heap->control->granules;
    const void *const address = border_address(heap->base, from);
    const uint32_t length = length_after(tags, from);
    if (length == 0 || length > end - from || !is_border(tags, from + length)) {
        return broken(fault, CAIRN_RULE_T2, address);
    }
    const uint32_t to = from + length;
    const bool free = ends_free(tags, to);
    const uint32_t first = (from >> CAIRN_TAG_SHIFT) + 1;
    const uint32_t behind = to >> CAIRN_TAG_SHIFT;
    if (first < behind && (tags[first].free != length || tags[behind - 1].free != length || tags[behind - 1].border != 0)) {
        return broken(fault, CAIRN_RULE_T4, address);
    }
    if (free && ends_free(tags, from)) {
        return broken(fault, CAIRN_RULE_T3, address);
    }
    tally->used += free ? 0 : length;
    tally->used_blocks += !free;
    tally->free_blocks += free;
    return free ? check_links(heap, to, length, fault) : 0;
}

// T4 backwards: a border behind a pair without one. What that pair records must lead to a block that ends here.
static int check_before(const struct cairn_heap *heap, uint32_t to, struct cairn_fault *fault)
{
    const uint32_t length = length_before(heap->tags, to);
    if (length == 0 || length > to || !is_border(heap->tags, to - length) || length_after(heap->tags, to - length) != length) {
        return broken(fault, CAIRN_RULE_T4, border_address(heap->base, to));
    }
    return 0;
}

// All blocks that begin at a border of pair `pair`.
static int check_pair(const struct cairn_heap *heap, uint32_t pair, struct tally *tally, struct cairn_fault *fault)
{
    const uint32_t end = heap->control->granules;
    const struct tag_word *const tag = &heap->tags[pair];
    uint32_t borders = tag->border;
    if (borders << TAG_MASK << 1 != 0) {
        return broken(fault, CAIRN_RULE_T2, border_address(heap->base, pair << CAIRN_TAG_SHIFT));
    }
    if (borders != 0 && (tag->free & ~borders) != 0) {
        return broken(fault, CAIRN_RULE_T5, tag);
    }
    if (borders != 0 && pair != 0 && tag[-1].border == 0) {
        const int error = check_before(heap, (pair << CAIRN_TAG_SHIFT) + bits_leading(borders), fault);
        if (error != 0) {
            return error;
        }
    }
    for (uint32_t from; borders != 0; borders &= ~tag_bit(from)) {
        from = (pair << CAIRN_TAG_SHIFT) + bits_leading(borders);
        const int error = from < end ? check_block(heap, from, tally, fault) : 0;
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

// T6, T7, T8 for the whole: each list holds what its bit says, all lists together hold every free block, the counters agree.
static int check_lists(const struct cairn_heap *heap, const struct tally *tally, struct cairn_fault *fault)
{
    const struct heap_control *const control = heap->control;
    const uint32_t bins = bin_count(control->limit);
    uint32_t listed = 0;
    for (uint32_t bin = 0; bin < 32; bin++) {
        const uint32_t head = bin < bins ? control->heads[bin] : 0;
        if (((control->map & bin_bit(bin)) != 0) != (head != 0)) {
            return broken(fault, CAIRN_RULE_T7, &control->map);
        }
        if (head != 0 && (!is_free_block(heap, head) || links_at(heap->base, head)->prev != 0 ||
                          bin_of(length_before(heap->tags, head)) != bin)) {
            return broken(fault, CAIRN_RULE_T6, &control->heads[bin]);
        }
        for (uint32_t block = head; block != 0 && listed <= tally->free_blocks; block = links_at(heap->base, block)->next) {
            listed++; // the links are mutual, so a list that starts at a block without prev is no circle
        }
    }
    if (listed != tally->free_blocks) {
        return broken(fault, CAIRN_RULE_T6, control->heads);
    }
    if (control->used != tally->used || control->blocks != tally->used_blocks + tally->free_blocks || control->free_blocks != tally->free_blocks ||
        control->peak < control->used || control->peak > control->limit) {
        return broken(fault, CAIRN_RULE_T8, &control->used);
    }
    return 0;
}

// What is to be so before any pair is looked at.
static int check_frame(const struct cairn_heap *heap, struct cairn_fault *fault)
{
    if (fault != NULL) {
        *fault = (struct cairn_fault){CAIRN_RULE_NONE, NULL};
    }
    if (!is_heap(heap)) {
        return CAIRN_EINVAL;
    }
    const int error = check_control(heap, fault);
    return error != 0 ? error : check_ends(heap, fault);
}

int cairn_heap_check_(const struct cairn_heap *heap, struct cairn_fault *fault)
{
    struct tally tally = {0};
    int error = check_frame(heap, fault);
    for (uint32_t pair = 0; error == 0 && pair < tag_pairs(heap->control->granules); pair++) {
        error = check_pair(heap, pair, &tally, fault);
    }
    return error != 0 ? error : check_lists(heap, &tally, fault);
}

int cairn_heap_check(struct cairn_heap *heap, struct cairn_fault *fault)
{
    const uint32_t key = heap_lock(heap);
    const int error = cairn_heap_check_(heap, fault);
    heap_unlock(heap, key);
    return error;
}

int cairn_heap_check_step_(const struct cairn_heap *heap, uint32_t *cursor, uint32_t words, struct cairn_fault *fault)
{
    struct tally tally = {0};
    int error = check_frame(heap, fault);
    if (error == 0 && (cursor == NULL || words == 0)) {
        error = CAIRN_EINVAL;
    }
    if (error == 0) {
        const uint32_t pairs = tag_pairs(heap->control->granules);
        uint32_t pair = *cursor;
        for (; error == 0 && pair < pairs && words != 0; words--) {
            error = check_pair(heap, pair++, &tally, fault);
        }
        *cursor = pair < pairs ? pair : 0;
    }
    return error;
}

int cairn_heap_check_step(struct cairn_heap *heap, uint32_t *cursor, uint32_t words, struct cairn_fault *fault)
{
    const uint32_t key = heap_lock(heap);
    const int error = cairn_heap_check_step_(heap, cursor, words, fault);
    heap_unlock(heap, key);
    return error;
}
