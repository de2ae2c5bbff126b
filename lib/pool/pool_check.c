// SPDX-License-Identifier: MIT
//
// Looking in without changing: owns, statistics, the report of a bad pointer, the checker.
//
// OWNS: nothing; read-only.
// INVARIANTS: P1 to P4, each returned by its own name.
// COST: owns O(1), the others O(words). No recursion.
// CALLERS: the user; owns, statistics and report in any context, the checker when nobody else is calling.
#include "pool/bitmap.h"

bool cairn_pool_owns(const struct cairn_pool *pool, const void *address)
{
    if (!is_pool(pool) || address == NULL) {
        return false;
    }
    const uintptr_t number = block_number(pool, address);
    return number < atomic_look(&pool->fresh) &&
           (atomic_look(&pool->words[number >> CAIRN_POOL_SHIFT]) & place_bit((uint32_t)number)) == 0;
}

// -------------------------------------------------------------------------------------------------------------- statistics

// Bits set, summed side by side in ever wider fields.
static uint32_t bits_set(uint32_t word)
{
    word -= word >> 1 & 0x55555555u;
    word = (word & 0x33333333u) + (word >> 2 & 0x33333333u);
    return ((word + (word >> 4)) & 0x0F0F0F0Fu) * 0x01010101u >> 24;
}

void cairn_pool_stats(const struct cairn_pool *pool, struct cairn_pool_stats *stats)
{
    uint32_t again = 0;
    if (stats == NULL) {
        return;
    }
    *stats = (struct cairn_pool_stats){.count = 0};
    if (!is_pool(pool)) {
        return;
    }
    for (uint32_t w = 0; w < words_for(pool->count); w++) {
        again += bits_set(atomic_look(&pool->words[w]));
    }
    const uint32_t fresh = atomic_look(&pool->fresh); // after the words: what they count is below it
    *stats = (struct cairn_pool_stats){.block_size = pool->block_size,
                                       .stride = pool->stride,
                                       .count = pool->count,
                                       .used = fresh - again,
                                       .peak = fresh,
                                       .failures = atomic_look(&pool->failures)};
}

// ------------------------------------------------------------------------------------------------------------------ report

CAIRN_COLD void cairn_pool_report_(const struct cairn_pool *pool, const void *address)
{
    struct cairn_report report = {CAIRN_WRONG_POINTER, address, NULL, 0, NULL, NULL};
    const size_t number = (size_t)((uintptr_t)address - (uintptr_t)pool->base) / pool->stride;
    if (number < pool->count) {
        unsigned char *const block = block_address(pool, (uint32_t)number);
        // A start that was refused was no used block; whether it is now does not matter.
        report.what = address != block && cairn_pool_owns(pool, block) ? CAIRN_WRONG_INTERIOR : CAIRN_WRONG_DOUBLE_FREE;
        report.block = block;
        report.block_size = pool->stride;
        report.before = number != 0 ? block - pool->stride : NULL;
        report.after = number + 1 < pool->count ? block + pool->stride : NULL;
    }
    if (pool->report == NULL) {
        CAIRN_TRAP();
    } else {
        pool->report(pool->context, &report);
    }
}

// ----------------------------------------------------------------------------------------------------------------- checker

static int broken(struct cairn_pool_fault *fault, enum cairn_pool_rule rule, const void *address)
{
    if (fault != NULL) {
        *fault = (struct cairn_pool_fault){rule, address};
    }
    return CAIRN_ECORRUPT;
}

// P1. The words lie directly in front of the blocks, but for what aligns these.
static bool is_constant_part_whole(const struct cairn_pool *pool)
{
    const uint32_t bits = sizeof pool->stride * 8;
    if (pool->count - 1 >= POOL_MOST || pool->block_size == 0 || pool->block_size > pool->stride || pool->shift >= bits) {
        return false;
    }
    const uintptr_t words = (uintptr_t)pool->words;
    const uintptr_t base = (uintptr_t)pool->base;
    const uintptr_t odd = (uintptr_t)pool->stride >> pool->shift;
    return odd << pool->shift == pool->stride && (odd & 1) != 0 && odd * pool->inverse == 1 && pool->bias == 0 - base * pool->inverse &&
           words % sizeof(uint32_t) == 0 && words < base && (base - words) / sizeof(uint32_t) >= words_for(pool->count) &&
           (UINTPTR_MAX - base) / pool->stride >= pool->count;
}

int cairn_pool_check(const struct cairn_pool *pool, struct cairn_pool_fault *fault)
{
    if (fault != NULL) {
        *fault = (struct cairn_pool_fault){CAIRN_POOL_RULE_NONE, NULL};
    }
    if (!is_pool(pool)) {
        return CAIRN_EINVAL;
    }
    if (!is_constant_part_whole(pool)) {
        return broken(fault, CAIRN_POOL_RULE_P1, pool);
    }
    if (pool->fresh > pool->count) {
        return broken(fault, CAIRN_POOL_RULE_P2, &pool->fresh);
    }
    uint32_t summary = 0;
    uint32_t there = 0;
    for (uint32_t w = 0; w < words_for(pool->count); w++) {
        for (uint32_t place = 0; place < 32; place++) {
            const uint32_t number = (w << CAIRN_POOL_SHIFT) + place;
            if ((pool->words[w] & POOL_TOP >> place) != 0 && (place >= POOL_PLACES || number >= pool->fresh)) {
                return broken(fault, CAIRN_POOL_RULE_P3, &pool->words[w]);
            }
        }
        summary |= pool->words[w] != 0 ? bit_from_top(w) : 0;
        there |= bit_from_top(w);
    }
    if ((summary & ~pool->summary) != 0 || (pool->summary & ~there) != 0) {
        return broken(fault, CAIRN_POOL_RULE_P4, &pool->summary);
    }
    return 0;
}
