// SPDX-License-Identifier: MIT
//
// Compiler extensions, all of them.
// OWNS: nothing. COST: none. CALLERS: any file of lib.
#ifndef CAIRN_BASE_COMPILER_H
#define CAIRN_BASE_COMPILER_H

// Does the build favour speed over size? Then the short paths of the heap are laid out in each caller.
#if defined(__OPTIMIZE_SIZE__)
#define CAIRN_SPEED 0
#else
#define CAIRN_SPEED 1
#endif

#if defined(__GNUC__)
#define CAIRN_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define CAIRN_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#ifdef __OPTIMIZE__
#define CAIRN_INLINE static inline __attribute__((always_inline))
#else
#define CAIRN_INLINE static inline // at -O0 each one laid out would add its variables to the caller's frame: 1,360 bytes for one call
#endif
#if CAIRN_SPEED
#define CAIRN_SHARED CAIRN_INLINE // in each caller for speed, one copy for size
#define CAIRN_APART static CAIRN_NOINLINE // the long way of a function: apart for speed, in it for size
#else
#define CAIRN_SHARED static __attribute__((noinline, unused))
#define CAIRN_APART CAIRN_INLINE
#endif
#define CAIRN_NOINLINE __attribute__((noinline)) // also of what other files call: in the pair of files it would be laid out in each caller
#define CAIRN_COLD __attribute__((noinline, cold))
#define CAIRN_MAY_ALIAS __attribute__((may_alias))
#define CAIRN_TRAP() __builtin_trap()
#define CAIRN_FORGET(value) __asm__("" : "+r"(value)) // what was computed from it is computed again: cheaper than a spill
#define CAIRN_LOOSE __attribute__((aligned(1), may_alias)) // of a typedef: it stands at any address, on any type's bytes
#define CAIRN_ALIGNED(pointer, bytes) __builtin_assume_aligned(pointer, bytes)
#if defined(__clang__) && __GCC_ATOMIC_INT_LOCK_FREE != 2 // Armv6-M, RISC-V without A: clang would call a library for it
#define CAIRN_LOOK(word) (*(const volatile __typeof__(word) *)&(word))
#define CAIRN_PUT(word, value) (*(volatile __typeof__(word) *)&(word) = (value))
#else
#define CAIRN_LOOK(word) __atomic_load_n(&(word), __ATOMIC_RELAXED) // at a word that others may change
#define CAIRN_PUT(word, value) __atomic_store_n(&(word), value, __ATOMIC_RELAXED) // into a word that others may look at
#endif
#if defined(__thumb2__)
#define CAIRN_POP_RETURN() __asm__ volatile("" : : : "lr") // the way back is popped with the registers that are saved: no BX of its own
#else
#define CAIRN_POP_RETURN() ((void)0)
#endif
#else
#define CAIRN_POP_RETURN() ((void)0)
#define CAIRN_LIKELY(condition) (condition)
#define CAIRN_UNLIKELY(condition) (condition)
#define CAIRN_INLINE static inline
#define CAIRN_SHARED static inline
#define CAIRN_APART static
#define CAIRN_NOINLINE
#define CAIRN_COLD
#define CAIRN_MAY_ALIAS
#define CAIRN_ALIGNED(pointer, bytes) (pointer)
#define CAIRN_LOOK(word) (word)
#define CAIRN_PUT(word, value) ((word) = (value))
#define CAIRN_FORGET(value) ((void)0)
#define CAIRN_TRAP()                                                                                                             \
    do {                                                                                                                         \
    } while (1)
#endif

// Does the core load and store words at any address? Then copies are made by words, else by bytes.
#if defined(__GNUC__) && (defined(__ARM_FEATURE_UNALIGNED) || defined(__x86_64__) || defined(__i386__))
#define CAIRN_UNALIGNED 1
#else
#define CAIRN_UNALIGNED 0
#endif

#endif
