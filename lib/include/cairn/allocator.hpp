// SPDX-License-Identifier: MIT
//
// An allocator for the standard containers, over a heap or an arena.
//
//     std::vector<int, cairn::allocator<int>> numbers(&arena);
//     std::list<int, cairn::allocator<int, cairn_heap>> others(&heap);
//
// VITALS
//   object        one pointer; no default constructor, since there is no memory that it could mean. So a string's substr does not compile, its
//                 constructor from a part of another with an allocator does
//   alignment     that of T, over-aligned types too
//   propagation   moves and swaps take the memory along. A copy stays where it is: a container that is assigned to keeps its own memory, one that
//                 is constructed shares that of the original
//   failure       std::bad_alloc; std::abort where exceptions are off
//   language      C++11, with or without exceptions and RTTI
//   time, threads, ISR  as the heap's or the arena's
#ifndef CAIRN_ALLOCATOR_HPP
#define CAIRN_ALLOCATOR_HPP

#include "cairn/backing.hpp"

#include <cstdint>
#include <type_traits>

namespace cairn {

// Backing: cairn_heap or cairn_arena. It is the user's, and must live as long as a block of it does.
template <class T, class Backing = cairn_arena>
class allocator {
public:
    using value_type = T;
    using propagate_on_container_copy_assignment = std::false_type;
    using propagate_on_container_move_assignment = std::true_type;
    using propagate_on_container_swap = std::true_type;
    using is_always_equal = std::false_type;

    // pre: not nullptr. Implicit, so that a container's constructor takes the pointer itself.
    allocator(Backing *memory) noexcept : its_backing(memory) {}

    template <class U>
    allocator(const allocator<U, Backing> &other) noexcept : its_backing(other.backing())
    {
    }

    // Allocate room for `count` objects. Throws std::bad_array_new_length iff their bytes overflow, std::bad_alloc iff there is no room.
    T *allocate(std::size_t count)
    {
        if (count > SIZE_MAX / sizeof(T)) {
            backing::fail_too_many();
        }
        void *const block = backing::take(*its_backing, count * sizeof(T), alignof(T));
        if (block == nullptr) {
            backing::fail_no_room();
        }
        return static_cast<T *>(block);
    }

    // Give the room back. Anything but the start of a used block is refused and reported; the count is not looked at.
    void deallocate(T *objects, std::size_t) noexcept
    {
        backing::give(*its_backing, objects);
    }

    Backing *backing() const noexcept
    {
        return its_backing;
    }

private:
    Backing *its_backing;
};

// Equal: each can give back what the other allocated.
template <class T, class U, class Backing>
bool operator==(const allocator<T, Backing> &a, const allocator<U, Backing> &b) noexcept
{
    return a.backing() == b.backing();
}

template <class T, class U, class Backing>
bool operator!=(const allocator<T, Backing> &a, const allocator<U, Backing> &b) noexcept
{
    return a.backing() != b.backing();
}

} // namespace cairn

#endif
