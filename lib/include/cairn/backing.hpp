// SPDX-License-Identifier: MIT
//
// What the C++ parts ask of the memory behind them, of a heap or an arena in the same words; and how they fail.
//
// VITALS
//   alignment     as asked for, and at least CAIRN_GRANULE. Up to a granule it costs nothing
//   sizes         a request of 0 bytes takes a granule: C++ wants a pointer of its own for it
//   language      C++11, with or without exceptions and RTTI
//   time, threads, ISR  as the heap's or the arena's
#ifndef CAIRN_BACKING_HPP
#define CAIRN_BACKING_HPP

#include "cairn/arena.h"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace cairn {
namespace backing {

// Allocate `size` bytes at a multiple of `alignment`, a power of two. Returns nullptr iff there is no room.
inline void *take(cairn_heap &heap, std::size_t size, std::size_t alignment) noexcept
{
    const std::size_t least = size == 0 ? 1 : size;
    return alignment <= CAIRN_GRANULE ? cairn_heap_alloc(&heap, least) : cairn_heap_aligned_alloc(&heap, alignment, least);
}

inline void *take(cairn_arena &arena, std::size_t size, std::size_t alignment) noexcept
{
    const std::size_t least = size == 0 ? 1 : size;
    return alignment <= CAIRN_GRANULE ? cairn_arena_alloc(&arena, least) : cairn_arena_aligned_alloc(&arena, alignment, least);
}

// Give a block back. nullptr: nothing. What is no used block is refused and reported (heap.h).
inline void give(cairn_heap &heap, void *block) noexcept
{
    cairn_heap_free(&heap, block);
}

inline void give(cairn_arena &arena, void *block) noexcept
{
    cairn_arena_free(&arena, block);
}

// Bytes that the block holds; 0 iff it is no used block.
inline std::size_t held(cairn_heap &heap, const void *block) noexcept
{
    return cairn_heap_usable_size(&heap, block);
}

inline std::size_t held(cairn_arena &arena, const void *block) noexcept
{
    return cairn_arena_usable_size(&arena, block);
}

// There is no room, or a count of objects whose bytes no std::size_t holds. Where exceptions are off the program ends in std::abort.
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
[[noreturn]] inline void fail_no_room()
{
    throw std::bad_alloc();
}

[[noreturn]] inline void fail_too_many()
{
    throw std::bad_array_new_length();
}
#else
[[noreturn]] inline void fail_no_room()
{
    std::abort();
}

[[noreturn]] inline void fail_too_many()
{
    std::abort();
}
#endif

} // namespace backing
} // namespace cairn

#endif
