// SPDX-License-Identifier: MIT
//
// One word of 32 bits, changed as a whole while interrupts and other threads change it too.
//
// OWNS: nothing. Compiler extensions and instructions of the cores.
// PICTURE:  old = atomic_open(word)  ->  now = any function of old  ->  atomic_close(word, old, now)  ->  stored, or not: begin again
// INVARIANTS: 1. close stores `now` iff the word still held `old`, or, with exclusive loads, iff nobody has interrupted or written since open.
//                It may refuse without such a reason, but not for ever.
//             2. A call that opened a word may leave it without closing it. One word is open at a time.
//             3. close that stores is an acquire and a release, between the contexts that the core below names.
// COST: open 1 and close 1 to 2 instructions with exclusives; where interrupts are masked: for 5 to 7 instructions, in close.
// CALLERS: lib/pool, lib/deferred, any context; masking needs a privileged one.
//
//   Armv8-M                          LDAEX, STLEX: contexts of all cores that share the memory's monitor
//   Armv7-M                          LDREX, STREX: thread and interrupts of one core. An interrupt clears the monitor.
//   where the compiler's are inline  hosts, RISC-V with A: threads on all cores
//   Armv6-M, RISC-V without A        interrupts masked (PRIMASK, mstatus.MIE): thread and interrupts of one core
#ifndef CAIRN_BASE_ATOMIC_H
#define CAIRN_BASE_ATOMIC_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

#if defined(__ARM_ARCH) && defined(__ARM_ARCH_PROFILE)
#if __ARM_ARCH_PROFILE == 'M' && __ARM_ARCH >= 7
#define ATOMIC_EXCLUSIVE 1
#elif __ARM_ARCH_PROFILE == 'M'
#define ATOMIC_PRIMASK 1
#endif
#elif defined(__riscv) && !defined(__riscv_atomic)
#define ATOMIC_MSTATUS 1
#endif

#if defined(ATOMIC_EXCLUSIVE)

#if __ARM_ARCH >= 8
#define ATOMIC_LOAD "ldaex"
#define ATOMIC_STORE "stlex"
#else
#define ATOMIC_LOAD "ldrex"
#define ATOMIC_STORE "strex"
#endif

CAIRN_INLINE uint32_t atomic_open(const uint32_t *word)
{
    uint32_t old;
    __asm__ volatile(ATOMIC_LOAD " %0, %1" : "=r"(old) : "Q"(*word));
    return old;
}

CAIRN_INLINE bool atomic_close(uint32_t *word, uint32_t old, uint32_t now)
{
    uint32_t refused;
    (void)old;
    __asm__ volatile(ATOMIC_STORE " %0, %2, %1" : "=&r"(refused), "+Q"(*word) : "r"(now) : "memory");
    return refused == 0;
}

#elif defined(ATOMIC_PRIMASK) || defined(ATOMIC_MSTATUS)

CAIRN_INLINE uint32_t atomic_open(const uint32_t *word)
{
    return *(const volatile uint32_t *)word;
}

CAIRN_INLINE uint32_t atomic_mask(void)
{
    uint32_t key;
#if defined(ATOMIC_PRIMASK)
    __asm__ volatile("mrs %0, primask\n\tcpsid i" : "=r"(key) : : "memory");
#else
    __asm__ volatile(".insn i 0x73, 7, %0, x8, 0x300" : "=r"(key) : : "memory"); // CSRRCI key, mstatus, 8: named, it would need -march=.._zicsr
#endif
    return key;
}

CAIRN_INLINE void atomic_unmask(uint32_t key)
{
#if defined(ATOMIC_PRIMASK)
    __asm__ volatile("msr primask, %0" : : "r"(key) : "memory");
#else
    __asm__ volatile(".insn i 0x73, 2, x0, %0, 0x300" : : "r"(key & 8) : "memory"); // CSRS mstatus, key
#endif
}

CAIRN_INLINE bool atomic_close(uint32_t *word, uint32_t old, uint32_t now)
{
    const uint32_t key = atomic_mask();
    const bool same = *word == old;
    if (same) {
        *word = now;
    }
    atomic_unmask(key);
    return same;
}

#elif defined(__GNUC__) && __GCC_ATOMIC_INT_LOCK_FREE == 2

CAIRN_INLINE uint32_t atomic_open(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

CAIRN_INLINE bool atomic_close(uint32_t *word, uint32_t old, uint32_t now)
{
    return __atomic_compare_exchange_n(word, &old, now, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

#else
#error "base/atomic.h: this core has no atomic words that cairn knows: leave lib/pool and lib/deferred out of the build, or name the core here"
#endif

// Read a word that others change.
CAIRN_INLINE uint32_t atomic_look(const uint32_t *word)
{
#if defined(ATOMIC_EXCLUSIVE) || defined(ATOMIC_PRIMASK) || defined(ATOMIC_MSTATUS)
    return *(const volatile uint32_t *)word;
#else
    return __atomic_load_n(word, __ATOMIC_RELAXED);
#endif
}

// The same for a word that only leads to others, which are opened: where one core's contexts share it, the compiler may load it with its neighbour.
CAIRN_INLINE uint32_t atomic_hint(const uint32_t *word)
{
#if defined(ATOMIC_EXCLUSIVE)
    return *word;
#else
    return atomic_look(word);
#endif
}

// Four words side by side, by one instruction where the core has one for it: the first a hint, the others such as do not change.
#if defined(ATOMIC_EXCLUSIVE) && defined(__thumb2__)
#define ATOMIC_LOADS_FOUR 1
CAIRN_INLINE void atomic_hint_four(const void *from, uintptr_t words[4])
{
    register uintptr_t first __asm__("r2");
    register uintptr_t second __asm__("r3");
    register uintptr_t third __asm__("r4");
    register uintptr_t fourth __asm__("r5");
    __asm__ volatile("ldmia %4, {%0, %1, %2, %3}" : "=r"(first), "=r"(second), "=r"(third), "=r"(fourth) : "r"(from) : "memory");
    words[0] = first;
    words[1] = second;
    words[2] = third;
    words[3] = fourth;
}
#else
#define ATOMIC_LOADS_FOUR 0
#endif

// Write a word that others change; what was written before it is seen before it.
CAIRN_INLINE void atomic_put(uint32_t *word, uint32_t now)
{
#if defined(ATOMIC_EXCLUSIVE) && __ARM_ARCH >= 8
    __asm__ volatile("stl %1, %0" : "=Q"(*word) : "r"(now) : "memory");
#elif defined(ATOMIC_EXCLUSIVE) || defined(ATOMIC_PRIMASK) || defined(ATOMIC_MSTATUS)
    __asm__ volatile("" : : : "memory"); // one core
    *(volatile uint32_t *)word = now;
#else
    __atomic_store_n(word, now, __ATOMIC_RELEASE);
#endif
}

// The same where a put follows, before which it is seen.
CAIRN_INLINE void atomic_note(uint32_t *word, uint32_t now)
{
#if defined(ATOMIC_EXCLUSIVE) || defined(ATOMIC_PRIMASK) || defined(ATOMIC_MSTATUS)
    *(volatile uint32_t *)word = now;
#else
    __atomic_store_n(word, now, __ATOMIC_RELAXED);
#endif
}

// What was written before is seen by who sees what is written behind, and what is read behind was not read before.
CAIRN_INLINE void atomic_fence(void)
{
#if defined(ATOMIC_PRIMASK) || defined(ATOMIC_MSTATUS) || (defined(ATOMIC_EXCLUSIVE) && __ARM_ARCH < 8)
    __asm__ volatile("" : : : "memory"); // one core
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

// Set bits, clear bits, add: until nobody else comes between.
CAIRN_INLINE void atomic_set(uint32_t *word, uint32_t bits)
{
    uint32_t old;
    do {
        old = atomic_open(word);
    } while (!atomic_close(word, old, old | bits));
}

CAIRN_INLINE void atomic_clear(uint32_t *word, uint32_t bits)
{
    uint32_t old;
    do {
        old = atomic_open(word);
    } while (!atomic_close(word, old, old & ~bits));
}

CAIRN_INLINE void atomic_add(uint32_t *word, uint32_t number)
{
    uint32_t old;
    do {
        old = atomic_open(word);
    } while (!atomic_close(word, old, old + number));
}

#endif
