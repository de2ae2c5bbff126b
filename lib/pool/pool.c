// SPDX-License-Identifier: MIT
//
// The calls that firmware makes: alloc and free.
//
// OWNS: nothing. The common case of each is laid out for speed; where somebody came between, the rest of the work is in a function beside it.
// INVARIANTS: those of bitmap.h.
// COST: O(1). Worst case of an alloc alone: the last bit of a word, whose summary bit is cleared; of a free: the first bit of a word.
// CALLERS: the user, any context.
#include "pool/bitmap.h"

// ------------------------------------------------------------------------------------------------------------------- alloc

// All that alloc does, in any state, whoever comes between.
static CAIRN_NOINLINE void *alloc_other(struct cairn_pool *pool)
{
    uint32_t number = NO_NUMBER;
    if (!is_pool(pool)) {
        return NULL;
    }
    for (uint32_t summary = atomic_look(&pool->summary); summary != 0 && number == NO_NUMBER; summary = atomic_look(&pool->summary)) {
        number = take_from(pool, bits_leading(summary));
    }
    if (number == NO_NUMBER) {
        number = take_fresh(pool);
    }
    for (uint32_t w = 0; w < words_for(pool->count) && number == NO_NUMBER; w++) {
        if (atomic_look(&pool->words[w]) != 0) {
            number = take_from(pool, w);
        }
    }
    if (number == NO_NUMBER) {
        atomic_add(&pool->failures, 1);
        return NULL;
    }
    return block_address(pool, number);
}

static CAIRN_NOINLINE void *alloc_fresh(struct cairn_pool *pool)
{
    const uint32_t number = atomic_open(&pool->fresh);
    if (CAIRN_UNLIKELY(number >= pool->count) || CAIRN_UNLIKELY(!atomic_close(&pool->fresh, number, number + 1))) {
        return alloc_other(pool);
    }
    return block_address(pool, number);
}

// The block is taken, but the bit of its word in the summary is not in order yet.
static CAIRN_NOINLINE void *settle_other(struct cairn_pool *pool, uint32_t number)
{
    settle(pool, number >> CAIRN_POOL_SHIFT);
    return block_address(pool, number);
}

// Take the only block of a word, which may have none.
CAIRN_INLINE void *alloc_last(struct cairn_pool *pool, const struct pool_front *front, uint32_t w, uint32_t old)
{
    uint32_t *const word = &front->words[w];
    if (CAIRN_UNLIKELY(old == 0) || CAIRN_UNLIKELY(!atomic_close(word, old, 0))) {
        return alloc_other(pool);
    }
    const uint32_t number = w << CAIRN_POOL_SHIFT | bits_leading(old);
    const uint32_t full = atomic_open(&pool->summary);
    (void)atomic_close(&pool->summary, full, full & ~(POOL_TOP >> w)); // where it does not, a bit too many is left
    if (CAIRN_UNLIKELY(atomic_look(word) != 0)) {
        return settle_other(pool, number);
    }
    return front->base + number * front->stride;
}

void *cairn_pool_alloc(struct cairn_pool *pool)
{
    CAIRN_FORGET(pool);
    CAIRN_POP_RETURN();
    if (CAIRN_UNLIKELY(pool == NULL)) {
        return NULL;
    }
    const struct pool_front front = pool_front(pool);
    if (CAIRN_UNLIKELY(front.summary == 0)) {
        return alloc_fresh(pool);
    }
    const uint32_t w = bits_leading(front.summary);
    uint32_t *const word = &front.words[w];
    const uint32_t old = atomic_open(word);
    const uint32_t now = old & (old - 1);
    if (now == 0) {
        return alloc_last(pool, &front, w, old);
    }
    if (CAIRN_UNLIKELY(!atomic_close(word, old, now))) {
        return alloc_other(pool);
    }
    return front.base + (w << CAIRN_POOL_SHIFT | bits_leading(old ^ now)) * front.stride;
}

// -------------------------------------------------------------------------------------------------------------------- free

static CAIRN_NOINLINE void refuse(struct cairn_pool *pool, const void *address)
{
    if (POOL_HARDENED && is_pool(pool) && address != NULL) {
        cairn_pool_report_(pool, address);
    }
}

// Free the block of this number, whoever comes between.
static CAIRN_NOINLINE void free_other(struct cairn_pool *pool, uint32_t number)
{
    const uint32_t w = number >> CAIRN_POOL_SHIFT;
    uint32_t old;
    do {
        old = atomic_open(&pool->words[w]);
        if (POOL_HARDENED && (old & place_bit(number)) != 0) {
            refuse(pool, block_address(pool, number));
            return;
        }
    } while (!atomic_close(&pool->words[w], old, old | place_bit(number)));
    if (old == 0) {
        atomic_set(&pool->summary, bit_from_top(w));
    }
}

static CAIRN_NOINLINE void free_summary(struct cairn_pool *pool, uint32_t number)
{
    atomic_set(&pool->summary, bit_from_top(number >> CAIRN_POOL_SHIFT));
}

// Free a block of a word that has no other free one.
CAIRN_INLINE void free_first(struct cairn_pool *pool, uint32_t *word, uint32_t number, uint32_t bit)
{
    if (CAIRN_UNLIKELY(!atomic_close(word, 0, bit))) {
        free_other(pool, number);
        return;
    }
    const uint32_t full = atomic_open(&pool->summary);
    if (CAIRN_UNLIKELY(!atomic_close(&pool->summary, full, full | bit_from_top(number >> CAIRN_POOL_SHIFT)))) {
        free_summary(pool, number);
    }
}

void cairn_pool_free(struct cairn_pool *pool, void *block)
{
    CAIRN_FORGET(pool);
    if (CAIRN_UNLIKELY(pool == NULL) || (!POOL_HARDENED && (block == NULL || pool->words == NULL))) {
        return;
    }
    const uint32_t fresh = atomic_hint(&pool->fresh);
    const uintptr_t found = block_number(pool, block);
    if (POOL_HARDENED && CAIRN_UNLIKELY(found >= fresh)) {
        refuse(pool, block);
        return;
    }
    const uint32_t number = (uint32_t)found;
    const uint32_t w = number >> CAIRN_POOL_SHIFT;
    const uint32_t bit = place_bit(number);
    uint32_t *const word = &pool->words[w];
    const uint32_t old = atomic_open(word);
    if (old == 0) {
        free_first(pool, word, number, bit);
    } else if (POOL_HARDENED && CAIRN_UNLIKELY((old & bit) != 0)) {
        refuse(pool, block);
    } else if (CAIRN_UNLIKELY(!atomic_close(word, old, old | bit))) {
        free_other(pool, number);
    }
}
