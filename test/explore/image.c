// SPDX-License-Identifier: MIT
//
// OWNS: the meaning of a shape. image.h has the picture.
#include "image.h"
#include "heap/core.h"

#include <string.h>

#define PAIR ((uint32_t)1 << CAIRN_TAG_SHIFT) // granules of a pair of tag words

_Static_assert(CAIRN_GRANULE == 8 && CAIRN_TAG_SHIFT < 5, "written for tiny pairs and small granules");

static uint64_t power3(uint32_t n)
{
    static const uint64_t table[IMAGE_GRANULES + 1] = {
#define P1(x) (x), (x) * 3, (x) * 9, (x) * 27
#define P4(x) P1(x), P1((x) * 81), P1((x) * 6561)
        P4(1ull), P4(531441ull), P4(282429536481ull), P1(150094635296999121ull),
    };
    return table[n];
}

uint64_t image_pattern(uint32_t granule)
{
    return 0x9E3779B97F4A7C15ull * (granule + 1) ^ 0x5555555555555555ull;
}

uint32_t image_list(uint32_t length)
{
    uint32_t list = length;
    if (length >= 8) {
        for (list = 8; length >= 16; length /= 2) {
            list++;
        }
    }
    return list;
}

bool image_init(struct image *image, uint32_t granules, uint32_t slack, uint32_t phase, const struct cairn_heap_hooks *hooks, void *context)
{
    const uint32_t limit = granules + slack;
    const uint32_t front = (uint32_t)front_bytes(limit, false);
    image->granules = granules;
    image->offset = (phase * CAIRN_GRANULE - front) & 63;
    image->size = front + granules * CAIRN_GRANULE;
    image->end = image->offset + image->size + slack * CAIRN_GRANULE;
    if (granules > IMAGE_GRANULES || image->end > IMAGE_BYTES) {
        return false;
    }
    memset(image->bytes, 0, IMAGE_BYTES);
    const struct cairn_heap_config config = {.max_size = image->size + slack * CAIRN_GRANULE, .hooks = hooks, .context = context};
    return cairn_heap_init(&image->heap, image->bytes + image->offset, image->size, &config) == 0 &&
           image->heap.control->granules == granules && image->heap.control->limit == limit;
}

void image_copy(struct image *to, const struct image *from)
{
    memcpy(to->bytes, from->bytes, from->end);
    heap_set_quick(&to->heap); // a move of the end may have changed it
}

// ------------------------------------------------------------------------------------------------------------------- build

static uint64_t noise(uint64_t *seed)
{
    uint64_t x = *seed += 0x9E3779B97F4A7C15ull;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ull;
    return x ^ x >> 31;
}

static uint32_t bit_of(uint32_t border)
{
    return 0x80000000u >> border % PAIR;
}

// A border where a block ends, free or not. The first border of a pair clears what noise there is.
static void put_border(struct tag_word *tags, uint32_t border, bool free)
{
    struct tag_word *const pair = &tags[border / PAIR];
    if (pair->border == 0) {
        pair->free = 0;
    }
    pair->border |= bit_of(border);
    pair->free |= free ? bit_of(border) : 0;
}

// Tags of the block of granules start to end - 1, over noise.
static void build_block(struct image *image, uint32_t start, uint32_t end, bool free)
{
    struct tag_word *const tags = image->heap.tags;
    const uint32_t first = (start - 1) / PAIR + 1;
    const uint32_t behind = (end - 1) / PAIR;
    put_border(tags, end - 1, free);
    if (first < behind) {
        tags[first].free = end - start;
        tags[behind - 1].free = end - start;
    }
}

// Link the blocks of one list in the order that `code` numbers. members: bit g for each that ends with granule g.
static uint64_t build_list(struct image *image, uint32_t list, uint64_t members, uint64_t code)
{
    struct heap_control *const control = image->heap.control;
    uint32_t last = 0;
    for (uint32_t left = (uint32_t)__builtin_popcountll(members); left != 0; left--) {
        uint64_t rest = members;
        for (uint64_t digit = code % left; digit != 0; digit--) {
            rest &= rest - 1;
        }
        const uint32_t g = (uint32_t)__builtin_ctzll(rest);
        code /= left;
        members &= ~((uint64_t)1 << g);
        const uint32_t prev = last;
        memcpy((unsigned char *)image_granule(image, g) + 4, &prev, 4);
        if (last == 0) {
            control->heads[list] = g;
            control->map |= 0x80000000u >> list;
        } else {
            memcpy(image_granule(image, last), &g, 4);
        }
        last = g;
    }
    const uint32_t none = 0;
    memcpy(image_granule(image, last), &none, 4);
    return code;
}

void image_build(struct image *image, struct shape shape)
{
    struct heap_control *const control = image->heap.control;
    struct tag_word *const tags = image->heap.tags;
    const uint32_t granules = image->granules;
    const uint32_t pairs = (control->limit + 1) / PAIR + 1;
    uint64_t seed = shape.blocks ^ shape.order << 32;
    uint64_t members[IMAGE_LISTS] = {0};
    uint32_t starts[IMAGE_GRANULES + 2];
    uint32_t digits[IMAGE_GRANULES + 2];
    uint32_t count = 0;
    for (uint32_t pair = 0; pair < pairs; pair++) {
        tags[pair] = (struct tag_word){0, (uint32_t)noise(&seed)};
    }
    for (uint32_t g = 1; g <= granules; g++, shape.blocks /= 3) {
        if (shape.blocks % 3 != 0) {
            starts[count] = g;
            digits[count++] = (uint32_t)(shape.blocks % 3);
        }
    }
    starts[count] = granules + 1;
    control->used = control->blocks = control->free_blocks = control->failures = control->map = 0;
    control->peak = control->limit;
    control->classes = UINT32_MAX;
    memset(control->heads, 0, bin_count(control->limit) * sizeof control->heads[0]);
    put_border(tags, 0, false);
    put_border(tags, granules + 1, false);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t length = starts[i + 1] - starts[i];
        const bool free = digits[i] == 2;
        build_block(image, starts[i], starts[i + 1], free);
        control->used += free ? 0 : length;
        control->blocks++;
        control->free_blocks += free;
        for (uint32_t g = starts[i]; g < starts[i + 1]; g++) {
            const uint64_t word = free ? noise(&seed) : image_pattern(g);
            memcpy(image_granule(image, g), &word, 8);
        }
        if (free) {
            members[image_list(length)] |= (uint64_t)1 << (starts[i + 1] - 1);
            if (length >= 8) {
                memcpy(image_granule(image, starts[i + 1] - 2), &length, 4);
            }
        }
    }
    for (uint32_t list = 1; list < IMAGE_LISTS; list++) {
        if (members[list] != 0) {
            shape.order = build_list(image, list, members[list], shape.order);
        }
    }
}

// -------------------------------------------------------------------------------------------------------------------- read

// The links and heads of one list whose members are known. Adds its permutation to *order, in units of *radix.
static const char *read_list(const struct image *image, uint32_t list, uint64_t members, uint64_t *order, uint64_t *radix)
{
    const struct heap_control *const control = image->heap.control;
    if (((control->map & 0x80000000u >> list) != 0) != (members != 0)) {
        return "T7: a list's bit";
    }
    uint32_t at = control->heads[list];
    uint32_t prev = 0;
    uint32_t left = members == 0 ? 0 : (members & (members - 1)) == 0 ? 1 : (uint32_t)__builtin_popcountll(members);
    for (; left != 0; left--) {
        uint32_t links[2];
        if (at > image->granules || (members >> at & 1) == 0) {
            return "T6: a list has a block that is not one of its own, or twice";
        }
        memcpy(links, image_granule(image, at), 8);
        if (links[1] != prev) {
            return "T6: a link backwards";
        }
        if (left > 1) {
            *order += *radix * (uint64_t)__builtin_popcountll(members & (((uint64_t)1 << at) - 1));
            *radix *= left;
        }
        members &= ~((uint64_t)1 << at);
        prev = at;
        at = links[0];
    }
    return at == 0 ? NULL : "T6: a list goes on behind its last block";
}

// The records of the block of granules start to end - 1.
static const char *read_records(const struct image *image, uint32_t start, uint32_t end)
{
    const struct tag_word *const tags = image->heap.tags;
    const uint32_t first = (start - 1) / PAIR + 1;
    const uint32_t behind = (end - 1) / PAIR;
    if (first < behind && (tags[first].free != end - start || tags[behind - 1].free != end - start)) {
        return "T4: a record";
    }
    return NULL;
}

static const char *read_blocks(const struct image *image, struct shape *shape, struct view *view, uint64_t members[IMAGE_LISTS])
{
    const struct tag_word *const tags = image->heap.tags;
    const uint32_t fence = image->granules + 1;
    bool free_before = false;
    for (uint32_t start = 1; start != fence;) {
        const uint32_t end = view_end(view, start);
        const bool free = (tags[(end - 1) / PAIR].free & bit_of(end - 1)) != 0;
        const char *const wrong = read_records(image, start, end);
        if (wrong != NULL) {
            return wrong;
        }
        if (free && free_before) {
            return "T3: two free neighbours";
        }
        if (free) {
            view->free |= (uint64_t)1 << start;
            members[image_list(end - start)] |= (uint64_t)1 << (end - 1);
            if (end - start >= 8 && memcmp(image_granule(image, end - 2), &(uint32_t){end - start}, 4) != 0) {
                return "T6: a hint";
            }
        } else {
            view->used += end - start;
            view->blocks++;
        }
        shape->blocks += power3(start - 1) * (free ? 2 : 1);
        free_before = free;
        start = end;
    }
    return NULL;
}

const char *image_read(const struct image *image, struct shape *shape, struct view *view)
{
    const struct heap_control *const control = image->heap.control;
    const struct tag_word *const tags = image->heap.tags;
    const uint32_t fence = image->granules + 1;
    struct view scratch;
    uint64_t members[IMAGE_LISTS] = {0};
    if (view == NULL) {
        view = &scratch;
    }
    *view = (struct view){0};
    *shape = (struct shape){0};
    if (control->granules != image->granules) {
        return "T9: the number of granules";
    }
    uint64_t borders = 0;
    for (uint32_t pair = 0; pair <= fence / PAIR; pair++) {
        if (tags[pair].border << PAIR != 0) {
            return "T2: a border behind the pair";
        }
        if (tags[pair].border != 0 && (tags[pair].free & ~tags[pair].border) != 0) {
            return "T5: free where nothing ends";
        }
        for (uint32_t border = pair * PAIR; border < (pair + 1) * PAIR; border++) {
            borders |= (uint64_t)((tags[pair].border & bit_of(border)) != 0) << border;
        }
    }
    if ((borders & 1) == 0 || borders >> image->granules != 3 || (tags[0].free & bit_of(0)) != 0 || (tags[fence / PAIR].free & bit_of(fence)) != 0) {
        return "T1: an end";
    }
    view->start = (borders & (((uint64_t)1 << fence) - 1)) << 1;
    const char *wrong = read_blocks(image, shape, view, members);
    uint64_t radix = 1;
    const uint32_t lists = image_list(control->limit) + 1;
    for (uint32_t list = 1; wrong == NULL && list < lists; list++) {
        wrong = read_list(image, list, members[list], &shape->order, &radix);
    }
    if (wrong == NULL && ((control->map & 0x7FFFFFFFu >> (lists - 1)) != 0 || control->map >> 31 != 0)) {
        wrong = "T7: a bit without a list";
    }
    if (wrong == NULL && (control->used != view->used || control->free_blocks != (uint32_t)__builtin_popcountll(view->free) ||
                          control->blocks != view->blocks + control->free_blocks)) {
        wrong = "T8: a counter";
    }
    return wrong;
}
