// SPDX-License-Identifier: MIT
//
// Two threads allocate, reallocate and free, while SysTick takes turns between them at any instruction.
//
//   preempt ROUNDS SEED    returns 0 where every block kept its bytes, no call was refused, and the heap is whole at the end
//
// OWNS        the proof that the lock of port/libc holds, with each library's hooks and without. UNLOCKED=1 takes it out: then the program must not
//             return 0 (lock.c).
// PICTURE     a thread: SLOTS blocks, each full of one byte, which the other thread's blocks never have; its length and byte in the slot
// INVARIANTS  1. The end is found by the main thread alone; what the second one finds it leaves in a word.
// CALLERS     test/check/libc.sh, under -icount, which makes every run the same.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "lock.h"
#include "port/libc/libc.h"
#include "semihost.h"
#include "switch.h"

void *aligned_alloc(size_t alignment, size_t size);

enum { SLOTS = 24, SIZE_MOST = 300 };
enum damage { DAMAGE_BYTES = 1, DAMAGE_REFUSED = 2, DAMAGE_MEMORY = 4 };

struct slot {
    unsigned char *block;
    size_t size;
    unsigned char fill;
};

struct thread {
    struct slot slots[SLOTS];
    uint32_t random;
    uint32_t rounds;
    unsigned char first; // of its fill bytes
};

static struct thread threads[2];
static volatile uint32_t damage;
static volatile bool is_stopping;
static volatile bool has_stopped;

// In the lock, so no other call of this kind is under way; without it, one may be.
void cairn_libc_report(const struct cairn_report *report)
{
    (void)report;
    damage |= DAMAGE_REFUSED;
}

static uint32_t draw(struct thread *thread, uint32_t below)
{
    thread->random = thread->random * 1664525u + 1013904223u; // Numerical Recipes
    return (uint32_t)((uint64_t)(thread->random >> 8) * below >> 24);
}

static void look_at(const struct slot *slot, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (slot->block[i] != slot->fill) {
            damage |= DAMAGE_BYTES;
        }
    }
}

static void fill(struct thread *thread, struct slot *slot, unsigned char *block, size_t size)
{
    if (block == NULL) {
        damage |= DAMAGE_MEMORY;
        size = 0;
    } else {
        slot->fill = (unsigned char)(thread->first + draw(thread, 100));
        memset(block, slot->fill, size);
    }
    slot->block = block;
    slot->size = size;
}

static void turn(struct thread *thread)
{
    struct slot *const slot = &thread->slots[draw(thread, SLOTS)];
    const size_t size = 1 + draw(thread, SIZE_MOST);
    const uint32_t what = draw(thread, 8);
    if (slot->block == NULL) {
        unsigned char *const block = what == 0 ? aligned_alloc(64, size) : what == 1 ? calloc(1, size) : malloc(size);
        fill(thread, slot, block, size);
        return;
    }
    look_at(slot, slot->size);
    if (what < 3) {
        unsigned char *const block = realloc(slot->block, size);
        if (block == NULL) {
            damage |= DAMAGE_MEMORY;
            return;
        }
        slot->block = block;
        look_at(slot, size < slot->size ? size : slot->size);
        fill(thread, slot, block, size);
        return;
    }
    free(slot->block);
    slot->block = NULL;
}

static void finish(struct thread *thread)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (thread->slots[i].block != NULL) {
            look_at(&thread->slots[i], thread->slots[i].size);
            free(thread->slots[i].block);
        }
    }
}

static void second(void)
{
    while (!is_stopping) {
        turn(&threads[1]);
        threads[1].rounds++;
    }
    finish(&threads[1]);
    has_stopped = true;
    for (;;) {
    }
}

int main(int argc, char **argv)
{
    const uint32_t rounds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000;
    const uint32_t seed = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;
    threads[0] = (struct thread){.random = seed, .first = 10};
    threads[1] = (struct thread){.random = seed + 1, .first = 130};

    free(malloc(SLOTS * SIZE_MOST)); // the heap is there, so that what fails without the lock is not its making alone
    switch_start(second, 200, 12, seed);
    while (threads[0].rounds < rounds && (damage == 0 || !UNLOCKED)) {
        turn(&threads[0]);
        threads[0].rounds++;
    }
    is_stopping = true;
    finish(&threads[0]);
    while (!has_stopped && (damage == 0 || !UNLOCKED)) {
    }
    switch_stop();
    if (damage != 0) {
        semihost_print_word("preempt: damage ", damage);
        semihost_print("\n");
        semihost_exit(3);
    }
    struct cairn_heap_stats stats;
    struct cairn_fault fault;
    cairn_heap_stats(cairn_libc_heap(), &stats);
    const int broken = cairn_heap_check(cairn_libc_heap(), &fault);
    if (broken != 0 || stats.used_blocks != 0 || threads[1].rounds == 0 || switch_count() < rounds / 4 || (HOOKED && lock_waits() == 0)) {
        semihost_print_word("preempt: check ", (uint32_t)broken);
        semihost_print_word(" blocks ", stats.used_blocks);
        semihost_print_word(" rounds ", threads[1].rounds);
        semihost_print_word(" switches ", switch_count());
        semihost_print_word(" waits ", lock_waits());
        semihost_print("\n");
        semihost_exit(4);
    }
    printf("%lu and %lu rounds, %lu waits, %lu switches\n", (unsigned long)threads[0].rounds, (unsigned long)threads[1].rounds,
           (unsigned long)lock_waits(), (unsigned long)switch_count());
    return 0;
}
