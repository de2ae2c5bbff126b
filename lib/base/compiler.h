// SPDX-License-Identifier: MIT
//
// Compiler extensions, all of them.
// OWNS: nothing. COST: none. CALLERS: any file of lib.
#ifndef CAIRN_BASE_COMPILER_H
#define CAIRN_BASE_COMPILER_H

#if defined(__GNUC__)
#define CAIRN_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define CAIRN_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define CAIRN_INLINE static inline __attribute__((always_inline))
#define CAIRN_NOINLINE __attribute__((noinline))
#define CAIRN_COLD __attribute__((noinline, cold))
#define CAIRN_MAY_ALIAS __attribute__((may_alias))
#define CAIRN_TRAP() __builtin_trap()
#if defined(__OPTIMIZE_SIZE__)
#define CAIRN_FAST static // one copy that all share
#else
#define CAIRN_FAST CAIRN_INLINE // a copy in each caller
#endif
#else
#define CAIRN_FAST static
#define CAIRN_LIKELY(condition) (condition)
#define CAIRN_UNLIKELY(condition) (condition)
#define CAIRN_INLINE static inline
#define CAIRN_NOINLINE
#define CAIRN_COLD
#define CAIRN_MAY_ALIAS
#define CAIRN_TRAP()                                                                                                             \
    do {                                                                                                                         \
    } while (1)
#endif

#endif
