// SPDX-License-Identifier: MIT
//
// The heap's floor in a space: an operation of the heap's core is a transaction on the bytes of pages, which may not be there.
//
// OWNS: struct space_floor: what an operation has read, and what it will write.
// PICTURE: space | break ..  head 16 bytes | control, heads | tags | granules .. |     cells: { where, 8 bytes now, 8 bytes as they were }
//                             image ^        tags ^           base ^      end ^
//          the core's `tags` and `base` are the floor itself; a pair of tags, or a granule's words, is looked for among the cells, else read into a new one
//          open -> the core works on cells and on a copy of the control -> commit: pin each page that is to change; then write; close: unpin, or undo and unpin
// INVARIANTS: until every page that is to change is pinned, nothing in the space has changed. No byte of the image is trusted: an offset is compared before it
//     is used, a length before it is believed; what is wrong sets `error`, and from then on all words are zeros of the floor's own, and nothing is committed.
// COST: a word O(cells) at worst, some 20 instructions in truth; a page that is read or pinned as an access. About 3.1 KB of stack (32-bit).
// CALLERS: operation.h, which has the heap's headers behind this one.
#ifndef CAIRN_INNER_SPACE_FLOOR_H
#define CAIRN_INNER_SPACE_FLOOR_H

#define CAIRN_HEAP_FLOOR_H // stands in for heap/floor.h

#include "heap/control.h"
#include "vm/frame.h"

#include "base/bulk.h"

// What the heap's headers call, and leave to who includes them.
#define cairn_bin_of_ cairn_space_bin_of_
#define cairn_tags_after_ cairn_space_tags_after_
#define cairn_tags_before_ cairn_space_tags_before_
#define cairn_tags_mark_ cairn_space_tags_mark_
#define cairn_tags_clear_ cairn_space_tags_clear_
#define cairn_heap_report_ cairn_space_heap_report_
#define cairn_heap_unlink_ cairn_space_heap_unlink_
#define cairn_heap_insert_ cairn_space_heap_insert_
#define cairn_heap_refile_ cairn_space_heap_refile_
#define cairn_heap_join_ cairn_space_heap_join_
#define cairn_heap_take_ cairn_space_heap_take_
#define cairn_heap_cut_ cairn_space_heap_cut_
#define cairn_heap_release_ cairn_space_heap_release_

static uint32_t cairn_bin_of_(uint32_t length);
static uint32_t tags_state(const struct tag_word *tags, uint32_t border);
static uint32_t cairn_tags_after_(const struct tag_word *tags, uint32_t border);
static uint32_t cairn_tags_before_(const struct tag_word *tags, uint32_t border);
static void cairn_tags_mark_(struct tag_word *tags, uint32_t from, uint32_t to, uint32_t state);
static void cairn_tags_clear_(struct tag_word *tags, uint32_t border);
static void cairn_heap_report_(const struct cairn_heap *heap, enum cairn_wrong what, const void *address);
static uint32_t cairn_heap_unlink_(struct cairn_heap *heap, uint32_t to);
static void cairn_heap_insert_(struct cairn_heap *heap, uint32_t from, uint32_t to);
static bool cairn_heap_refile_(struct cairn_heap *heap, uint32_t to, uint32_t was, uint32_t length);
static uint32_t cairn_heap_join_(struct cairn_heap *heap, uint32_t from);
static uint32_t cairn_heap_take_(struct cairn_heap *heap, size_t length);
static uint32_t cairn_heap_cut_(struct cairn_heap *heap, uint32_t to, uint32_t n);
static void cairn_heap_release_(struct cairn_heap *heap, uint32_t from, uint32_t to);

#define HEAP_SPEED 0
#define HEAP_NEAR 0 // a word is a call
#define FAR_STATE(tags, border) tags_state(tags, border)
#define HARDENED 1   // the bytes are the program's that runs in the space

#define FLOOR_CONTROL 43u // words of a control and its heads, at most

// The most cells that an operation needs, were they all different: an aligned request for which the heap grows. The fence, and what is new joined with what was
// free before it: 25; a search in two lists, 4 blocks of each: 2 * 8; a cut: 15; its length: 2; what is before and behind cut off: 6, and freed: 2 * 21.
#define FLOOR_CELLS 106u
#define FLOOR_LISTS 16u

#define CELL_PINNED 1u // its pages are, for it
#define CELL_GIVEN 2u  // a block was made of it, where its owner's bytes go: it is read and written no more, but for the undoing

union floor_words {
    struct tag_word tag;
    struct block_links links;
    free_word words[2];
};

struct floor_cell {
    uint32_t at; // offset, a multiple of 4; CELL_...
    union floor_words now, was;
    unsigned char *memory; // where it is, when its page is pinned, for it or for another; NULL: not yet, or it lies in two pages
};

struct space_floor {
    struct cairn_space *space;
    cairn_vaddr_t image;      // address of the control
    uint32_t tags, base, end; // offsets from there: of the tags; of the granules; behind the last byte that the break has
    int error;
    uint32_t count;
    bool control_pinned;
    union floor_words none; // where a word would be that is not there
    free_word control[FLOOR_CONTROL], control_was[FLOOR_CONTROL];
    _Alignas(4) uint8_t first[FLOOR_LISTS]; // cells that are looked for together: the number of the newest, and 1 more; 0: none
    uint8_t next[FLOOR_CELLS];
    struct floor_cell cells[FLOOR_CELLS];
};

_Static_assert(FLOOR_CELLS < UINT8_MAX, "a cell's number is a byte");

CAIRN_INLINE struct space_floor *floor_of(const void *handle)
{
    return (struct space_floor *)(uintptr_t)handle;
}

CAIRN_INLINE const struct heap_control *floor_control(const struct space_floor *floor)
{
    return (const struct heap_control *)(const void *)floor->control;
}

// The bytes are not what they must be. Returns 1: a length that does no harm.
static CAIRN_NOINLINE uint32_t floor_broken(struct space_floor *floor)
{
    if (floor->error == 0) {
        floor->error = CAIRN_ECORRUPT;
    }
    return 1;
}

// Forget what was read.
CAIRN_INLINE void floor_forget(struct space_floor *floor)
{
    floor->count = 0;
    cairn_bulk_zero_(floor->first, sizeof floor->first);
}

// 8 bytes, both at a multiple of 4.
CAIRN_INLINE void floor_copy(free_word *to, const free_word *from)
{
    to[0] = from[0];
    to[1] = from[1];
}

// Read 8 bytes: at once where a miss in the TLB would be served so. Returns 0 or an error.
CAIRN_INLINE int floor_read(const struct space_floor *floor, uint32_t at, union floor_words *to)
{
    struct cairn_space *const space = floor->space;
    const struct cairn_vm *const vm = space->vm;
    const cairn_vaddr_t address = floor->image + at;
    const uint32_t offset = (uint32_t)(address & vm->offset_mask);
    if (space->quick_root != NULL && offset + 8 <= page_size(vm) && table_covers(vm, address)) {
        const pte_t *const pte = cairn_table_walk_(space, address >> page_shift(vm));
        if (pte != NULL && pte_allows(*pte, space->user ? CAIRN_READ | CAIRN_USER : CAIRN_READ)) {
            (void)frame_note(&vm->table[pte_number(*pte)], CAIRN_READ);
            floor_copy(to->words, (const free_word *)(const void *)(frame_memory(vm, pte_number(*pte)) + offset));
            return 0;
        }
    }
    return cairn_space_read(space, to, address, 8);
}

// The 8 bytes at an offset, which is within the image if `is_there`.
static CAIRN_NOINLINE union floor_words *floor_words_at(struct space_floor *floor, uint32_t at, bool is_there)
{
    floor->none = (union floor_words){0};
    if (!is_there || floor->error != 0) {
        (void)floor_broken(floor);
        return &floor->none;
    }
    uint8_t *const first = &floor->first[at >> 3 & (FLOOR_LISTS - 1)];
    for (uint32_t number = *first; number != 0; number = floor->next[number - 1]) {
        struct floor_cell *const cell = &floor->cells[number - 1];
        if ((cell->at & ~CELL_PINNED) == at) {
            return &cell->now;
        }
    }
    if (floor->count == FLOOR_CELLS) {
        (void)floor_broken(floor);
        return &floor->none;
    }
    struct floor_cell *const cell = &floor->cells[floor->count];
    floor->error = floor_read(floor, at, &cell->was);
    if (floor->error != 0) {
        return &floor->none;
    }
    cell->at = at;
    cell->now = cell->was;
    cell->memory = NULL;
    floor->next[floor->count++] = *first;
    *first = (uint8_t)floor->count;
    return &cell->now;
}

// ------------------------------------------------------------------------------------------------------------------- the floor

static CAIRN_NOINLINE struct tag_word *floor_pair(const struct tag_word *tags, uint32_t pair)
{
    struct space_floor *const floor = floor_of(tags);
    return &floor_words_at(floor, floor->tags + pair * (uint32_t)sizeof(struct tag_word), pair < tag_pairs(floor_control(floor)->limit))->tag;
}

// The words of the granule that ends `granules` before a border.
static CAIRN_NOINLINE struct block_links *floor_granule(const unsigned char *base, uint32_t to, uint32_t granules)
{
    struct space_floor *const floor = floor_of(base);
    return &floor_words_at(floor, floor->base + ((to - granules) << GRANULE_SHIFT), to >= granules && to <= (floor->end - floor->base) >> GRANULE_SHIFT)->links;
}

#define TAG_AT(tags, pair) (*floor_pair(tags, pair))

CAIRN_INLINE struct tag_word *tag_of(const struct tag_word *tags, uint32_t border)
{
    return floor_pair(tags, border >> CAIRN_TAG_SHIFT);
}

CAIRN_INLINE const struct tag_word *tag_beside(const struct tag_word *tags, const struct tag_word *tag, uint32_t border, int by)
{
    (void)tag;
    return floor_pair(tags, (border >> CAIRN_TAG_SHIFT) + (uint32_t)by);
}

CAIRN_INLINE uintptr_t border_low(const unsigned char *base, uint32_t border)
{
    const struct space_floor *const floor = floor_of(base);
    return (uintptr_t)(floor->image + floor->base) + ((uintptr_t)border << GRANULE_SHIFT);
}

CAIRN_INLINE struct block_links *links_at(const unsigned char *base, uint32_t to)
{
    return floor_granule(base, to, 1);
}

CAIRN_INLINE free_word *hint_at(const unsigned char *base, uint32_t to)
{
    return &floor_granule(base, to, 2)->next;
}

CAIRN_INLINE free_word *hint_beside(const unsigned char *base, uint32_t to, struct block_links *links)
{
    (void)links;
    return hint_at(base, to);
}

#endif
