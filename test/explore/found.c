// SPDX-License-Identifier: MIT
//
// OWNS: nothing beyond found.h.
#define _DEFAULT_SOURCE // MAP_ANONYMOUS, madvise
#include "found.h"

#include <sched.h>
#include <sys/mman.h>

// Zeroed memory in large pages where the machine has them: a look at a slot is a jump into gigabytes.
static void *map_words(uint64_t count)
{
    const size_t bytes = (size_t)count * sizeof(uint64_t);
    if (bytes / sizeof(uint64_t) != count) {
        return NULL;
    }
    void *const words = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (words == MAP_FAILED) {
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    (void)madvise(words, bytes, MADV_HUGEPAGE);
#endif
    return words;
}

bool found_init(struct found *found, uint64_t states)
{
    uint64_t slots = 1024;
    while (slots < states + states / 3) {
        slots *= 2;
    }
    *found = (struct found){.mask = slots - 1, .room = states};
    found->slots = map_words(slots);
    found->queue = map_words(states);
    return found->slots != NULL && found->queue != NULL;
}

void found_deinit(struct found *found)
{
    munmap((void *)found->slots, (size_t)(found->mask + 1) * sizeof(uint64_t));
    munmap((void *)found->queue, (size_t)found->room * sizeof(uint64_t));
}

bool found_add(struct found *found, uint64_t key)
{
    uint64_t at = (key ^ key >> 29) * 0x9E3779B97F4A7C15ull;
    for (at ^= at >> 32;; at++) {
        _Atomic uint64_t *const slot = &found->slots[at & found->mask];
        uint64_t there = atomic_load_explicit(slot, memory_order_relaxed);
        if (there == 0 && atomic_compare_exchange_strong(slot, &there, key)) {
            const uint64_t place = atomic_fetch_add(&found->tail, 1);
            if (place >= found->room) {
                return false;
            }
            atomic_store(&found->queue[place], key);
            return true;
        }
        if (there == key) {
            return true;
        }
    }
}

uint64_t found_take(struct found *found)
{
    uint64_t place = atomic_load(&found->head);
    for (;;) {
        // ended is read before tail: once every state that was found is visited, no more can be.
        const uint64_t ended = atomic_load(&found->ended);
        const uint64_t tail = atomic_load(&found->tail);
        if (place < tail) {
            if (atomic_compare_exchange_strong(&found->head, &place, place + 1)) {
                break;
            }
            continue;
        }
        if (ended == tail) {
            return 0;
        }
        sched_yield();
        place = atomic_load(&found->head);
    }
    uint64_t key;
    while ((key = atomic_load(&found->queue[place])) == 0) {
        sched_yield(); // its finder is between its two writes
    }
    return key;
}
