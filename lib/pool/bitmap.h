// SPDX-License-Identifier: MIT
//
// Which blocks of a pool are free: a bit for each, and a bit for each word of them.
//
// OWNS: the meaning of summary, words and fresh.
//
// PICTURE:      region ->| words | blocks ............................... |
//               summary  1 0 0 ..                 bit 31 - w: word w has a bit
//               words    |..1....| |.......| ..    bit 31 - i of word w: block 32 w + i was handed out, and is free again
//               blocks   0 1 2 3 4 ... fresh ... count      from fresh on: never handed out, no bit
//
//     A block is used iff it is below fresh and has no bit. So what was never used needs no bit set, and fresh is the peak: a fresh block is
//     taken only where no other was free.
//
//     Number of a block: (address - base) / stride, without dividing. stride = 2^k d, d odd, N bits a pointer. d has an inverse modulo 2^N, and
//     multiplying by it maps the N-bit numbers one to one; x = (address - base) inverse(d), rotated right by k. A multiple q stride gives q.
//     Any other offset gives something that is no q with q stride < 2^N: a bit below 2^k goes to the top, where q has zeros; else two offsets would
//     have one product. So x < fresh holds exactly for the starts of blocks (Granlund, Montgomery, "Division by invariant integers using
//     multiplication", 1994, section 9).
//
// INVARIANTS: P1 to P4 of cairn/pool.h, where nobody is calling, and at all times:
//   1. A block's bit is set by who frees it and cleared by who takes it, each by one atomic change of the word: nobody takes it twice.
//   2. Each clearing of a summary bit is followed, in the same call, by a look at the word, and by setting the bit again if the word has one.
//   3. Who makes a word nonzero that was zero then sets the summary bit.
//
//   No block is lost: let a word be nonzero, and nobody between its steps. The last change from zero was F; F has set the summary bit since.
//   If somebody has cleared it after that, he looked at the word still later (2): he saw what F wrote, or what came after it, and set it again.
//   If he saw zero, somebody emptied the word after F, and F was not the last.
//   A bit too many stays where somebody emptied the word between the two steps of F. It costs the next alloc that comes there a look, and is gone.
//   While a call is between its steps (interrupted, say) a bit may be missing. Then alloc takes a fresh block, and where there is none looks at every
//   word. So NULL says: each block was in use at one moment of the call.
//
// COST: O(1). A step begins again only if somebody else has changed the word meanwhile: lock-free.
// CALLERS: lib/pool, any context.
#ifndef CAIRN_POOL_BITMAP_H
#define CAIRN_POOL_BITMAP_H

#include "cairn/pool.h"

#include "base/atomic.h"
#include "base/bits.h"

// log2 of the blocks that a word covers. Tests build the pool with tiny words to reach every case with few blocks.
#ifndef CAIRN_POOL_SHIFT
#define CAIRN_POOL_SHIFT 5
#endif
#define POOL_PLACES ((uint32_t)1 << CAIRN_POOL_SHIFT)
#define POOL_WORDS 32u
#define POOL_MOST (POOL_WORDS * POOL_PLACES)
#define POOL_TOP 0x80000000u
#define POOL_HARDENED (CAIRN_HARDEN >= 1)
#define NO_NUMBER UINT32_MAX

_Static_assert(CAIRN_POOL_SHIFT >= 1 && CAIRN_POOL_SHIFT <= 5, "a word has 32 bits");
_Static_assert(sizeof(void *) != 4 || (offsetof(struct cairn_pool, words) == 4 && offsetof(struct cairn_pool, base) == 8 &&
                                       offsetof(struct cairn_pool, stride) == 12), "the front is four words");
_Static_assert(POOL_MOST <= CAIRN_POOL_BLOCKS, "a summary has 32 bits");

CAIRN_INLINE bool is_pool(const struct cairn_pool *pool)
{
    return pool != NULL && pool->words != NULL;
}

// The bit at this place, counted from the top, modulo 32.
CAIRN_INLINE uint32_t bit_from_top(uint32_t place)
{
    return bits_rotate(POOL_TOP, place);
}

CAIRN_INLINE uint32_t place_bit(uint32_t number)
{
    return bit_from_top(CAIRN_POOL_SHIFT == 5 ? number : number & (POOL_PLACES - 1));
}

CAIRN_INLINE uint32_t words_for(uint32_t count)
{
    return (count + POOL_PLACES - 1) >> CAIRN_POOL_SHIFT;
}

CAIRN_INLINE void *block_address(const struct cairn_pool *pool, uint32_t number)
{
    return pool->base + number * pool->stride;
}

// Number of the block that starts at the address; no smaller than the number of blocks for any other address.
CAIRN_INLINE uintptr_t block_number(const struct cairn_pool *pool, const void *address)
{
    const uintptr_t product = (uintptr_t)address * pool->inverse + pool->bias;
    const uint32_t bits = sizeof product * 8;
    if (sizeof product == sizeof(uint32_t)) {
        return bits_rotate((uint32_t)product, pool->shift);
    }
    return product >> (pool->shift & (bits - 1)) | product << (-pool->shift & (bits - 1));
}

// What alloc needs to find a block and its address: the handle's front.
struct pool_front {
    uint32_t summary;
    uint32_t *words;
    unsigned char *base;
    size_t stride;
};

CAIRN_INLINE struct pool_front pool_front(const struct cairn_pool *pool)
{
#if ATOMIC_LOADS_FOUR
    uintptr_t words[4];
    atomic_hint_four(pool, words);
    return (struct pool_front){(uint32_t)words[0], (uint32_t *)words[1], (unsigned char *)words[2], (size_t)words[3]};
#else
    return (struct pool_front){atomic_hint(&pool->summary), pool->words, pool->base, pool->stride};
#endif
}

// Word w was seen empty, or made so: clear its bit in the summary, and set it again if a block has come meanwhile.
CAIRN_INLINE void settle(struct cairn_pool *pool, uint32_t w)
{
    atomic_clear(&pool->summary, bit_from_top(w));
    if (CAIRN_UNLIKELY(atomic_look(&pool->words[w]) != 0)) {
        atomic_set(&pool->summary, bit_from_top(w));
    }
}

// Take a block of word w. Returns its number; NO_NUMBER: there was none.
CAIRN_INLINE uint32_t take_from(struct cairn_pool *pool, uint32_t w)
{
    for (;;) {
        const uint32_t old = atomic_open(&pool->words[w]);
        if (old == 0) {
            settle(pool, w);
            return NO_NUMBER;
        }
        const uint32_t place = bits_leading(old);
        const uint32_t now = old & ~(POOL_TOP >> place);
        if (atomic_close(&pool->words[w], old, now)) {
            if (now == 0) {
                settle(pool, w);
            }
            return w << CAIRN_POOL_SHIFT | place;
        }
    }
}

// Take a block that was never handed out. Returns its number; NO_NUMBER: there is none.
CAIRN_INLINE uint32_t take_fresh(struct cairn_pool *pool)
{
    for (;;) {
        const uint32_t number = atomic_open(&pool->fresh);
        if (number >= pool->count) {
            return NO_NUMBER;
        }
        if (CAIRN_LIKELY(atomic_close(&pool->fresh, number, number + 1))) {
            return number;
        }
    }
}

// pool_check.c
void cairn_pool_report_(const struct cairn_pool *pool, const void *address);

#endif
