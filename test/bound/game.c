// SPDX-License-Identifier: MIT
//
// OWNS: the search, breadth first: what it finds first is a shortest game.
#include "game.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOVE_FREE 0x100u  // + granule
#define MOVE_ALIGN 0x200u // + length << 4 + log2 of granules of alignment

static uint32_t log2_up(uint32_t n)
{
    uint32_t log = 0;
    while ((1u << log) < n) {
        log++;
    }
    return log;
}

static bool is_same(const struct position *a, const struct position *b)
{
    return a->shape.blocks == b->shape.blocks && a->shape.order == b->shape.order && a->charges == b->charges;
}

// Returns false iff the limit is reached.
static bool add(struct game *game, const struct position *position)
{
    uint64_t at = (position->shape.blocks * 0x9E3779B97F4A7C15ull ^ position->shape.order) * 0xBF58476D1CE4E5B9ull;
    at = (at ^ at >> 31 ^ position->charges) * 0x94D049BB133111EBull;
    for (at ^= at >> 29;; at++) {
        const uint32_t there = game->slots[at & game->mask];
        if (there != 0 && !is_same(&game->all[there], position)) {
            continue;
        }
        if (there == 0) {
            if (game->positions + 1 >= game->limit) {
                return false;
            }
            game->slots[at & game->mask] = (uint32_t)++game->positions;
            game->all[game->positions] = *position;
        }
        return true;
    }
}

struct table {
    struct image from, at;
    struct view view;
    uint32_t charge[IMAGE_GRANULES + 2]; // log2, of the used block that starts there
    uint32_t live;                       // sum of charges
    const struct position *position;
    uint32_t index;
};

// Take the position apart.
static bool open_position(struct game *game, struct table *table, uint32_t index)
{
    const struct position *const position = &game->all[index];
    struct shape shape;
    image_build(&table->from, position->shape);
    table->from.heap.control->fit = CAIRN_FIT_BOUNDED;
    table->index = index;
    table->position = position;
    table->live = 0;
    if (image_read(&table->from, &shape, &table->view) != NULL) {
        return false;
    }
    uint64_t charges = position->charges;
    for (uint32_t g = 1; g <= table->from.granules; g++) {
        if (is_used_in(&table->view, g)) {
            const uint32_t length = view_end(&table->view, g) - g;
            table->charge[g] = game->aligned ? (uint32_t)(charges % 8) : log2_up(length);
            table->live += 1u << table->charge[g];
            charges /= 8;
        }
    }
    return true;
}

// The library did `move`, by which the block at `block` is charged 2^log (used) or gone. Note the position.
static bool close_position(struct game *game, struct table *table, uint32_t move, uint32_t block, uint32_t log)
{
    struct position position = {.parent = table->index, .move = move};
    struct view view;
    if (image_read(&table->at, &position.shape, &view) != NULL) {
        fprintf(stderr, "the heap broke a rule\n");
        return false;
    }
    if (game->aligned) {
        uint64_t digit = 1;
        for (uint32_t g = 1; g <= table->at.granules; g++) {
            if (is_used_in(&view, g)) {
                position.charges += digit * (g == block ? log : table->charge[g]);
                digit *= 8;
            }
        }
    }
    if (!add(game, &position)) {
        game->finished = false;
    }
    return true;
}

// Ask for n granules at a multiple of 2^align granules.
static bool ask(struct game *game, struct table *table, uint32_t n, uint32_t align)
{
    const uint32_t log = log2_up(n + (1u << align) - 1);
    if ((1u << log) > game->largest || table->live + (1u << log) > game->most) {
        return true;
    }
    image_copy(&table->at, &table->from);
    void *const block = align == 0 ? cairn_heap_alloc(&table->at.heap, n * 8) : cairn_heap_aligned_alloc(&table->at.heap, (size_t)8 << align, n * 8);
    const uint32_t move = align == 0 ? n : MOVE_ALIGN | n << 4 | align;
    if (block == NULL) {
        game->lost = true;
        game->losing_move = move;
        game->all[0].parent = table->index;
        return true;
    }
    return close_position(game, table, move, (uint32_t)(((unsigned char *)block - table->at.heap.base) / 8) + 1, log);
}

static bool play_from(struct game *game, struct table *table, uint32_t index)
{
    if (!open_position(game, table, index)) {
        return false;
    }
    bool right = true;
    for (uint32_t n = 1; n <= game->largest && right; n *= 2) {
        right = ask(game, table, n, 0);
    }
    // A length between two powers of two is charged like the larger, and less of it is skipped: only sums that make one are tried.
    for (uint32_t align = 1; game->aligned && align <= 3 && right; align++) {
        for (uint32_t n = 1; n + (1u << align) - 1 <= game->largest && right; n++) {
            right = ask(game, table, n, align);
        }
    }
    for (uint32_t g = 1; g <= table->from.granules && right; g++) {
        if (is_used_in(&table->view, g)) {
            image_copy(&table->at, &table->from);
            cairn_heap_free(&table->at.heap, image_granule(&table->at, g));
            right = close_position(game, table, MOVE_FREE | g, 0, 0);
        }
    }
    return right;
}

bool game_play(struct game *game, uint32_t granules)
{
    static struct table table;
    struct position first = {.parent = 0};
    game->positions = 0;
    game->finished = true;
    game->lost = false;
    for (game->mask = 1; game->mask < game->limit + game->limit / 2; game->mask *= 2) {
    }
    game->all = calloc((size_t)game->limit + 1, sizeof *game->all);
    game->slots = calloc((size_t)game->mask, sizeof *game->slots);
    game->mask--;
    if (game->all == NULL || game->slots == NULL || !image_init(&table.from, granules, 0, 1, NULL, NULL) ||
        !image_init(&table.at, granules, 0, 1, NULL, NULL) || image_read(&table.from, &first.shape, NULL) != NULL) {
        return false;
    }
    add(game, &first);
    for (uint32_t index = 1; index <= game->positions && !game->lost && game->finished; index++) {
        if (!play_from(game, &table, index)) {
            return false;
        }
    }
    return true;
}

static void move_print(uint32_t move)
{
    if ((move & MOVE_ALIGN) != 0) {
        printf(" a%u@%u", (move & 0xFF) >> 4, 1u << (move & 15));
    } else if ((move & MOVE_FREE) != 0) {
        printf(" f#%u", move & 0xFF);
    } else {
        printf(" a%u", move);
    }
}

void game_print(const struct game *game)
{
    uint32_t path[256];
    uint32_t count = 0;
    for (uint32_t index = game->all[0].parent; index > 1 && count < 256; index = game->all[index].parent) {
        path[count++] = game->all[index].move;
    }
    while (count != 0) {
        move_print(path[--count]);
    }
    move_print(game->losing_move);
    printf(" fails\n");
}

void game_end(struct game *game)
{
    free(game->all);
    free(game->slots);
}
