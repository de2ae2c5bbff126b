// SPDX-License-Identifier: MIT
//
// The work: fill an array, sort it, check it, make an index of it, look words up. Plain loops over words that are somewhere.
//
// Who includes it says before where the words are:
//     struct words                                                      an array of words, or a place in one
//     uint32_t get(struct words *words, uint32_t at)                    words[at]
//     void set(struct words *words, uint32_t at, uint32_t word)         words[at] = word
//     void words_open(struct words *words, enum part part, bool sets)   to get words only, or to set them too; and words_close
//
// OWNS        the index: for each page of the array its first word, for each page of those their first, and so on, until one page holds them all:
//
//                 level 2            |0 ....................... 3|
//                 level 1            |0 .... 127|128 .... 255| ..          offsets in the index
//                 level 0, the array |0 .... 127|128 .... 255|256 ..       a word above is the first of a page here
//
// COST        sort: quicksort, the longer side waits, at most 16 of them. A look-up: 16 words by halving the array; one page a level by the index.
// CALLERS     way_*.c, each once.
#include "platform.h"
#include "way.h"

#include <stdbool.h>

#define NOWHERE UINT32_MAX
#define NODE 128u   // words of a page
#define SHORT 16u   // words that are sorted by insertion
#define LEVELS 3u

static uint32_t level_first[LEVELS]; // where a level begins: 0 in the array; in the index
static uint32_t level_words[LEVELS];

// ------------------------------------------------------------------------------------------------------------------------- sort

struct range {
    uint32_t first;
    uint32_t last;
};

static void insertion_sort(struct words *words, struct range range)
{
    for (uint32_t at = range.first + 1; at <= range.last; at++) {
        const uint32_t word = get(words, at);
        uint32_t hole = at;
        while (hole > range.first) {
            const uint32_t before = get(words, hole - 1);
            if (before <= word) {
                break;
            }
            set(words, hole, before);
            hole--;
        }
        if (hole != at) {
            set(words, hole, word);
        }
    }
}

// The middle one of three.
static uint32_t median(uint32_t a, uint32_t b, uint32_t c)
{
    const uint32_t least = a < b ? a : b;
    const uint32_t most = a < b ? b : a;
    return c < least ? least : c > most ? most : c;
}

// Small ones to the left, large ones to the right (Hoare, "Quicksort", 1962). Returns the last of the left.
static uint32_t partition(struct words *low, struct words *high, struct range range)
{
    const uint32_t first = get(low, range.first);
    const uint32_t last = get(high, range.last);
    const uint32_t pivot = median(first, get(low, range.first + (range.last - range.first) / 2), last);
    uint32_t left = range.first - 1;
    uint32_t right = range.last + 1;
    for (;;) {
        uint32_t small;
        uint32_t large;
        do {
            large = get(low, ++left);
        } while (large < pivot);
        do {
            small = get(high, --right);
        } while (small > pivot);
        if (left >= right) {
            return right;
        }
        set(low, left, small);
        set(high, right, large);
    }
}

static void sort(struct words *low, struct words *high)
{
    struct range waiting[17];
    uint32_t count = 0;
    struct range range = {0, WORDS - 1};
    for (;;) {
        while (range.last - range.first >= SHORT) {
            const uint32_t middle = partition(low, high, range);
            const bool left_is_longer = middle - range.first > range.last - middle - 1;
            const struct range left = {range.first, middle};
            const struct range right = {middle + 1, range.last};
            if (range.last - range.first >= 512) {
                platform_lap();
            }
            waiting[count++] = left_is_longer ? left : right;
            range = left_is_longer ? right : left;
        }
        insertion_sort(low, range);
        if (count == 0) {
            return;
        }
        range = waiting[--count];
    }
}

// ------------------------------------------------------------------------------------------------------------------------ index

static void index_make(struct words *array, struct words *tree)
{
    level_first[0] = 0;
    level_words[0] = WORDS;
    for (uint32_t level = 1; level < LEVELS; level++) {
        struct words *const below = level == 1 ? array : tree;
        level_first[level] = level == 1 ? 0 : (level_first[level - 1] + level_words[level - 1] + NODE - 1) & ~(NODE - 1);
        level_words[level] = level_words[level - 1] / NODE;
        for (uint32_t at = 0; at < level_words[level]; at++) {
            set(tree, level_first[level] + at, get(below, level_first[level - 1] + at * NODE));
        }
    }
}

// The last of words[first .. end - 1], in order, that is not above the key; `first` if there is none.
static uint32_t last_below(struct words *words, uint32_t first, uint32_t end, uint32_t key)
{
    while (end - first > 1) {
        const uint32_t middle = first + (end - first) / 2;
        if (get(words, middle) <= key) {
            first = middle;
        } else {
            end = middle;
        }
    }
    return first;
}

static uint32_t find_by_halving(struct words *array, uint32_t key)
{
    const uint32_t at = last_below(array, 0, WORDS, key);
    return get(array, at) == key ? at : NOWHERE;
}

static uint32_t find_by_index(struct words *array, struct words *tree, uint32_t key)
{
    uint32_t node = 0;
    for (uint32_t level = LEVELS; level-- != 0;) {
        struct words *const words = level == 0 ? array : tree;
        const uint32_t first = level_first[level] + node * NODE;
        const uint32_t left = level_words[level] - node * NODE;
        node = last_below(words, first, first + (left < NODE ? left : NODE), key) - level_first[level];
    }
    return get(array, node) == key ? node : NOWHERE;
}

// ------------------------------------------------------------------------------------------------------------------------ steps

static uint32_t step_fill(void)
{
    struct words array;
    words_open(&array, PART_ARRAY, true);
    for (uint32_t at = 0; at < WORDS; at++) {
        set(&array, at, word_of(at));
    }
    words_close(&array);
    return 0;
}

static uint32_t step_sort(void)
{
    struct words low;
    struct words high;
    words_open(&low, PART_ARRAY, true);
    words_open(&high, PART_ARRAY, true);
    sort(&low, &high);
    words_close(&low);
    words_close(&high);
    return 0;
}

// In order, and of the same sum as what was filled in.
static uint32_t step_check(void)
{
    struct words array;
    uint32_t wrong = 0;
    uint32_t before = 0;
    uint32_t sum = 0;
    words_open(&array, PART_ARRAY, false);
    for (uint32_t at = 0; at < WORDS; at++) {
        const uint32_t word = get(&array, at);
        wrong += word < before;
        before = word;
        sum += word - word_of(at);
    }
    words_close(&array);
    return wrong + (sum != 0);
}

static uint32_t step_index(void)
{
    struct words array;
    struct words tree;
    words_open(&array, PART_ARRAY, false);
    words_open(&tree, PART_INDEX, true);
    index_make(&array, &tree);
    words_close(&array);
    words_close(&tree);
    return 0;
}

// Was the word of a number found, or not found, as it must be?
static bool is_right(struct words *array, uint32_t number, uint32_t at)
{
    return number < WORDS ? at != NOWHERE && get(array, at) == word_of(number) : at == NOWHERE;
}

// The number of the key of a look-up: every second is not there.
static uint32_t number_of(uint32_t look_up)
{
    return look_up % 2 == 0 ? word_of(look_up) % WORDS : WORDS + look_up;
}

static uint32_t step_binary(void)
{
    struct words array;
    uint32_t wrong = 0;
    words_open(&array, PART_ARRAY, false);
    for (uint32_t look_up = 0; look_up < LOOK_UPS; look_up++) {
        const uint32_t number = number_of(look_up);
        wrong += !is_right(&array, number, find_by_halving(&array, word_of(number)));
    }
    words_close(&array);
    return wrong;
}

static uint32_t step_tree(void)
{
    struct words array;
    struct words tree;
    uint32_t wrong = 0;
    words_open(&array, PART_ARRAY, false);
    words_open(&tree, PART_INDEX, false);
    for (uint32_t look_up = 0; look_up < LOOK_UPS; look_up++) {
        const uint32_t number = number_of(look_up);
        wrong += !is_right(&array, number, find_by_index(&array, &tree, word_of(number)));
    }
    words_close(&array);
    words_close(&tree);
    return wrong;
}

#define WORK_STEPS {step_fill, step_sort, step_check, step_index, step_binary, step_tree}
