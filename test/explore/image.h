// SPDX-License-Identifier: MIT
//
// A small heap's image taken apart and put together: what its tags and lists say, read naively, as a number; and back.
//
// OWNS: struct shape, struct image.
// PICTURE: blocks   one digit a granule, base 3: 0 inside a block, 1 a used start, 2 a free start; granule 1 is the lowest
//          order    which permutation of the addresses each list is, mixed radix, lists by number
//          A shape is all that is free to differ between two heaps of a length: two images with one shape are one state.
//
// INVARIANTS: image_read looks at every tag, link, hint, list head and counter that means something, recomputes what it must be from the
//     border bits alone, and shares no code with lib; image_build fills all that means nothing (words between the
//     first and the last record of a block, bytes of free blocks, what is behind the fence) with noise, so that nobody can rest on it.
// COST: some 100 ns each. CALLERS: test/explore, test/bound.
#ifndef IMAGE_H
#define IMAGE_H

#include "heap/layout.h"

#define IMAGE_GRANULES 40u // the most: 3^40 < 2^64
#define IMAGE_BYTES 1024u
#define IMAGE_LISTS 16u

struct shape {
    uint64_t blocks;
    uint64_t order;
};

// What an image looks like from outside, worked out by image_read.
struct view {
    uint64_t start;  // bit g: a block starts at granule g; 1 to granules + 1
    uint64_t free;   // bit g: a free block starts at granule g
    uint32_t used;   // granules
    uint32_t blocks; // used blocks
};

// A heap of so many granules that can grow by `slack`, with granule 1 at `phase` granules behind a multiple of 64 bytes.
struct image {
    _Alignas(64) unsigned char bytes[IMAGE_BYTES];
    struct cairn_heap heap;
    uint32_t granules;
    uint32_t offset; // of the region
    uint32_t size;   // bytes of the region
    uint32_t end;    // of what has meaning in bytes, the room to grow included
};

// Make an empty heap. Returns false iff it does not fit or the library refuses.
bool image_init(struct image *image, uint32_t granules, uint32_t slack, uint32_t phase, const struct cairn_heap_hooks *hooks, void *context);

// Copy what `from` holds into `to`, made by the same image_init but for the hooks.
void image_copy(struct image *to, const struct image *from);

// Give an image that image_init made the shape. Used granules hold image_pattern, the rest noise. Peak and classes are at
// their largest, so that no operation moves them.
void image_build(struct image *image, struct shape shape);

// The eight bytes that a used granule of a built image holds.
uint64_t image_pattern(uint32_t granule);

// Read the shape. Returns NULL, or the rule that is broken, in words. view may be NULL.
const char *image_read(const struct image *image, struct shape *shape, struct view *view);

// The list that blocks of this length are in.
uint32_t image_list(uint32_t length);

// End of the block that starts at granule g.
static inline uint32_t view_end(const struct view *view, uint32_t g)
{
    return (uint32_t)__builtin_ctzll(view->start & (~(uint64_t)1 << g));
}

static inline bool is_free_in(const struct view *view, uint32_t g)
{
    return (view->free >> g & 1) != 0;
}

static inline bool is_used_in(const struct view *view, uint32_t g)
{
    return ((view->start & ~view->free) >> g & 1) != 0;
}

static inline void *image_granule(const struct image *image, uint32_t g)
{
    return image->heap.base + (size_t)(g - 1) * CAIRN_GRANULE;
}

#endif
