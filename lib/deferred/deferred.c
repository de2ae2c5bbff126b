// SPDX-License-Identifier: MIT
//
// Deferred frees: marks that interrupts set, and the heap's calls take up.
//
// OWNS: the marks and their summary.
//
// PICTURE:  summary  1 0 ..            bit 31 - w of word s: word 32 s + w has a mark
//           bits     |..1....| |.......| ..    bit 31 - i of word w: a used block begins at border 32 w + i, and is to be freed
//
//     A pass looks at every word of summary, in portions, and frees what is marked. The heap's calls take the long way meanwhile, because its
//     `quick` is 0; when a pass has found nothing, quick is set again.
//
// INVARIANTS: 1. Who marks sets the bit, then its summary bit, then `again`, then quick to 0.
//             2. Who clears a summary bit then looks at the word, and sets the bit again if it has one.
//             3. A pass begins by clearing `again`. At its end quick is set, then `again` is looked at, and if it is set, quick is cleared.
//             So a mark is found: by the pass under way, or `again` is set when that ends, or quick is cleared behind it.
//             4. A mark is only a request. Where it leads is proved by the tags when it is taken up, like any pointer that comes in. No block is freed or
//                moved by hand whose mark stays: it is looked for before, and again behind it.
// COST: free O(1). A portion: up to 16 words of summary and CAIRN_DEFERRED_BLOCKS frees.
// CALLERS: free: any context. All else: lock held, or through the heap's calls.
#include "base/atomic.h"
#include "cairn/deferred.h"
#include "heap/core.h"
#include "heap/layout.h"

#include <string.h>

#define TOP 0x80000000u
#define LOOKS 16u

_Static_assert(sizeof(void *) != 4 || offsetof(struct cairn_deferred, summary) == 12, "the front is four words");

CAIRN_INLINE uint32_t words_for_bits(uint32_t limit)
{
    return (limit + 31) / 32;
}

static const struct cairn_hooked deferring;

// pre: it was made, and has not ended.
CAIRN_INLINE struct cairn_heap *heap_of(const struct cairn_deferred *deferred)
{
    return (struct cairn_heap *)((uintptr_t)deferred->quick - offsetof(struct cairn_heap, quick));
}

// The one that is the heap's hooks; NULL: the heap has none.
CAIRN_INLINE struct cairn_deferred *deferred_of(const struct cairn_heap *heap)
{
    const struct cairn_heap_hooks *const hooks = heap->hooks;
    if (hooks == NULL || hooks->hooked != &deferring) {
        return NULL;
    }
    return (struct cairn_deferred *)((uintptr_t)hooks - offsetof(struct cairn_deferred, hooks));
}

size_t cairn_deferred_size(size_t max_size)
{
    size_t front;
    size_t granules = granules_in(max_size, true, &front); // without tags: never fewer
    if (granules > GRANULES_MAX) {
        granules = granules_in(max_size, false, &front) > GRANULES_MAX ? 0 : GRANULES_MAX;
    }
    const uint32_t words = words_for_bits((uint32_t)granules);
    return ((size_t)words + words_for_bits(words)) * sizeof(uint32_t);
}

int cairn_deferred_init(struct cairn_deferred *deferred, struct cairn_heap *heap, void *bits, size_t size)
{
    if (deferred == NULL || !is_heap(heap) || bits == NULL || ((uintptr_t)bits & 3) != 0 ||
        (heap->hooks != NULL && heap->hooks->hooked != &cairn_hooked)) {
        return CAIRN_EINVAL;
    }
    const uint32_t limit = heap->control->limit;
    const uint32_t words = words_for_bits(limit);
    const size_t bytes = ((size_t)words + words_for_bits(words)) * sizeof(uint32_t);
    if (size < bytes) {
        return CAIRN_ENOMEM;
    }
    memset(bits, 0, bytes);
    *deferred = (struct cairn_deferred){.base = heap->base, .limit = limit, .quick = &heap->quick, .idle = 1, .before = heap->hooks};
    deferred->bits = bits;
    deferred->summary = deferred->bits + words;
    if (heap->hooks != NULL) {
        deferred->hooks = *heap->hooks;
    }
    deferred->hooks.hooked = &deferring;
    heap->hooks = &deferred->hooks;
    return 0;
}

// ----------------------------------------------------------------------------------------------------------- in an interrupt

// Let the heap's next call look. pre: sign is not 0.
CAIRN_INLINE void wake(struct cairn_deferred *deferred, uint32_t sign)
{
    atomic_note(&deferred->again, sign); // seen before the next one
    atomic_put(deferred->quick, 0);
}

// Not marked: it is reported when the heap is entered.
static CAIRN_NOINLINE void refuse_mark(struct cairn_deferred *deferred, void *block)
{
    if (block != NULL && deferred->quick != NULL) { // NULL: not made yet, or ended
        CAIRN_PUT(deferred->refused, block);
        atomic_add(&deferred->refusals, 1);
        wake(deferred, TOP);
    }
}

// The same as what follows, for a word that somebody else changes at the same time, or has marked already.
static CAIRN_NOINLINE void mark(struct cairn_deferred *deferred, uint32_t border)
{
    const uint32_t bit = bits_rotate(TOP, border);
    uint32_t *const word = &deferred->bits[border / 32];
    uint32_t old;
    do {
        old = atomic_open(word);
        if ((old & bit) != 0) {
            refuse_mark(deferred, border_address(deferred->base, border));
            return;
        }
    } while (!atomic_close(word, old, old | bit));
    atomic_set(&deferred->summary[border / 1024], bits_rotate(TOP, border / 32));
    wake(deferred, TOP);
}

// What free needs: the front of the struct.
struct front {
    unsigned char *base;
    size_t limit;
    uint32_t *bits;
    uint32_t *summary;
};

CAIRN_INLINE struct front front_of(const struct cairn_deferred *deferred)
{
#if ATOMIC_LOADS_FOUR
    uintptr_t words[4];
    atomic_hint_four(deferred, words);
    return (struct front){(unsigned char *)words[0], (size_t)words[1], (uint32_t *)words[2], (uint32_t *)words[3]};
#else
    return (struct front){deferred->base, deferred->limit, deferred->bits, deferred->summary};
#endif
}

void cairn_deferred_free(struct cairn_deferred *deferred, void *block)
{
    const struct front front = front_of(deferred);
    const size_t number = border_number(front.base, block);
    if (CAIRN_UNLIKELY(number >= front.limit)) {
        refuse_mark(deferred, block);
        return;
    }
    const uint32_t w = (uint32_t)number / 32;
    const uint32_t bit = bits_rotate(TOP, (uint32_t)number);
    const uint32_t old = atomic_open(&front.bits[w]);
    const uint32_t now = old | bit;
    if (CAIRN_UNLIKELY(now == old) || CAIRN_UNLIKELY(!atomic_close(&front.bits[w], old, now))) {
        mark(deferred, (uint32_t)number);
        return;
    }
    const uint32_t had = atomic_open(&front.summary[w / 32]);
    if (CAIRN_UNLIKELY(!atomic_close(&front.summary[w / 32], had, had | bits_rotate(TOP, w)))) {
        atomic_set(&front.summary[w / 32], bits_rotate(TOP, w));
    }
    wake(deferred, now);
}

// --------------------------------------------------------------------------------------------------- in the heap's calls

// Is what begins there, if anything does, to be freed already?
CAIRN_SHARED bool is_marked(const struct cairn_deferred *deferred, const void *block)
{
    const size_t number = border_number(deferred->base, block);
    return number < deferred->limit && (atomic_look(&deferred->bits[number / 32]) & bits_rotate(TOP, (uint32_t)number)) != 0;
}

// Is the block there to be freed already? Reports it.
CAIRN_SHARED bool is_claimed(const struct cairn_heap *heap, const void *address)
{
    if (!is_marked(deferred_of(heap), address) || used_block_at(heap, address) == NO_BORDER) {
        return false;
    }
    cairn_heap_report_(heap, CAIRN_WRONG_DOUBLE_FREE, address);
    return true;
}

// Where the used block at `address` begins, that is not to be freed already.
static uint32_t deferred_find(const struct cairn_heap *heap, const void *address)
{
    return is_claimed(heap, address) ? NO_BORDER : cairn_heap_find_(heap, address);
}

// May blocks be marked?
static bool has_marks(const struct cairn_deferred *deferred)
{
    return deferred->idle == 0 || atomic_look(&deferred->again) != 0;
}

// What free refused since the last look. The address is that of the last one.
static void report_refused(struct cairn_deferred *deferred)
{
    const uint32_t refusals = atomic_look(&deferred->refusals);
    if (refusals != 0) {
        void *const block = CAIRN_LOOK(deferred->refused);
        atomic_add(&deferred->refusals, 0u - refusals);
        const size_t number = border_number(deferred->base, block);
        cairn_heap_report_(heap_of(deferred), number < deferred->limit ? CAIRN_WRONG_DOUBLE_FREE : CAIRN_WRONG_POINTER, block);
    }
}

// Take a mark out of word w. Returns its border; NO_BORDER: there is none, and the summary says so.
static uint32_t take_mark(struct cairn_deferred *deferred, uint32_t w)
{
    for (;;) {
        const uint32_t old = atomic_open(&deferred->bits[w]);
        const uint32_t place = old == 0 ? 0 : bits_leading(old);
        if (old == 0) {
            atomic_clear(&deferred->summary[w / 32], bits_rotate(TOP, w));
            if (atomic_look(&deferred->bits[w]) != 0) {
                atomic_set(&deferred->summary[w / 32], bits_rotate(TOP, w));
            }
            return NO_BORDER;
        }
        if (atomic_close(&deferred->bits[w], old, old & ~(TOP >> place))) {
            return 32 * w + place;
        }
    }
}

// What was there is free now, or has moved: a mark that came meanwhile would free what is put there next.
static void deferred_gone(const struct cairn_heap *heap, const void *address)
{
    const struct cairn_deferred *const deferred = deferred_of(heap);
    if (is_marked(deferred, address)) {
        const uint32_t from = (uint32_t)border_number(deferred->base, address);
        atomic_clear(&deferred->bits[from / 32], bits_rotate(TOP, from));
        cairn_heap_report_(heap, CAIRN_WRONG_DOUBLE_FREE, address);
    }
}

// Free the block there, that is not to be freed already. Returns false where it was refused: reported, if it is not NULL.
static bool deferred_free_at(struct cairn_heap *heap, const void *address)
{
    if (is_claimed(heap, address) || !cairn_heap_free_at_(heap, address)) {
        return false;
    }
    deferred_gone(heap, address);
    return true;
}

// The same, and tell. Returns how many blocks that were.
CAIRN_SHARED uint32_t free_and_tell(struct cairn_heap *heap, void *block)
{
    const size_t size = heap->hooks->event != NULL ? cairn_heap_usable_size_(heap, block) : 0;
    if (!deferred_free_at(heap, block)) {
        return 0;
    }
    if (heap->hooks->event != NULL) {
        const struct cairn_heap_event event = {CAIRN_ACT_FREE, block, NULL, size, 0};
        cairn_hooked_event_(heap, &event);
    }
    return 1;
}

// Nothing is marked: the short way is open again, where there is one. pre: the pass is over.
static void open_quick(struct cairn_deferred *deferred)
{
    struct cairn_heap *const heap = heap_of(deferred);
    atomic_put(&heap->quick, deferred->before == NULL ? plain_quick(heap) : cairn_hooked.quick(heap));
    atomic_fence();
    if (atomic_look(&deferred->again) != 0) {
        atomic_put(&heap->quick, 0);
    }
}

// Free a few blocks that are marked.
static void drain(struct cairn_deferred *deferred)
{
    struct cairn_heap *const heap = heap_of(deferred);
    const uint32_t words = words_for_bits(words_for_bits(deferred->limit));
    uint32_t marks = CAIRN_DEFERRED_BLOCKS;
    if (atomic_look(&deferred->again) != 0) {
        atomic_put(&deferred->again, 0);
        atomic_fence();
        deferred->idle = 0;
        deferred->cursor = 0;
        report_refused(deferred);
    }
    if (deferred->idle != 0) {
        if (CAIRN_SPEED && deferred->hooks.lock == NULL) { // it is shut: by one who was held up in marking what a pass has found meanwhile
            open_quick(deferred);
        }
        return;
    }
    for (uint32_t looks = LOOKS; looks != 0 && marks != 0 && deferred->cursor < words; looks--) {
        const uint32_t summary = atomic_look(&deferred->summary[deferred->cursor]);
        if (summary == 0) {
            deferred->cursor++;
            continue;
        }
        const uint32_t border = take_mark(deferred, 32 * deferred->cursor + bits_leading(summary));
        if (border != NO_BORDER) {
            marks--;
            void *const block = border_address(heap->base, border);
            deferred->freed += free_and_tell(heap, block);
        }
    }
    if (deferred->cursor == words) {
        deferred->idle = 1;
        open_quick(deferred);
    }
}

// ------------------------------------------------------------------------------------------------------- the heap's hooks, meanwhile

static uint32_t deferred_lock(const struct cairn_heap *heap)
{
    struct cairn_deferred *const deferred = deferred_of(heap);
    uint32_t key = 0;
    if (heap->hooks->lock == NULL) {
        drain(deferred);
    } else {
        key = heap->hooks->lock(heap->context);
        if (has_marks(deferred)) {
            drain(deferred);
        }
    }
    return key;
}

// What is marked is freed first, a few blocks with each try.
static bool deferred_failed(struct cairn_heap *heap, size_t size)
{
    return size != 0 && (has_marks(deferred_of(heap)) || (heap->hooks->failed != NULL && heap->hooks->failed(heap->context, heap, size)));
}

static void *deferred_alloc(struct cairn_heap *heap, size_t size)
{
    return alloc_hooked(heap, size, deferred_lock, deferred_failed);
}

static void deferred_free(struct cairn_heap *heap, void *block)
{
    const uint32_t key = deferred_lock(heap);
    (void)free_and_tell(heap, block);
    cairn_hooked_unlock_(heap, key);
}

// The next call looks for marks, and sets it.
static uint32_t deferred_quick(const struct cairn_heap *heap)
{
    atomic_put(&deferred_of(heap)->again, 1);
    return 0;
}

static const struct cairn_hooked deferring = {
    .lock = deferred_lock,
    .unlock = cairn_hooked_unlock_,
    .attempt = cairn_hooked_attempt_,
    .alloc = deferred_alloc,
    .free = deferred_free,
    .free_at = deferred_free_at,
    .failed = deferred_failed,
    .gone = deferred_gone,
    .event = cairn_hooked_event_,
    .report = cairn_hooked_report_,
    .find = deferred_find,
    .quick = deferred_quick,
};

// ---------------------------------------------------------------------------------------------------------------------------- ending

// Does the heap still take up what is marked here? It may have ended before.
static bool is_theirs(const struct cairn_deferred *deferred)
{
    return deferred->quick != NULL && deferred_of(heap_of(deferred)) == deferred;
}

uint32_t cairn_deferred_drain(struct cairn_deferred *deferred)
{
    if (deferred == NULL) {
        return 0;
    }
    if (is_theirs(deferred)) {
        do {
            heap_unlock(heap_of(deferred), heap_lock(heap_of(deferred))); // which frees a few
        } while (has_marks(deferred));
    }
    return deferred->freed;
}

void cairn_deferred_deinit(struct cairn_deferred *deferred)
{
    if (deferred != NULL) {
        (void)cairn_deferred_drain(deferred);
        if (is_theirs(deferred)) {
            heap_of(deferred)->hooks = deferred->before;
            heap_set_quick(heap_of(deferred));
        }
        *deferred = (struct cairn_deferred){0};
    }
}
