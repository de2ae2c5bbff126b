// SPDX-License-Identifier: MIT
//
// A std::pmr::memory_resource over a heap or an arena.
//
//     cairn::memory_resource resource(&arena);
//     std::pmr::vector<int> numbers(&resource);
//
// VITALS
//   object        two pointers, one of them to the virtual functions. It must live as long as a container that uses it
//   alignment     as asked for
//   equality      by backing: containers over two resources of one arena move their blocks to each other. Without RTTI a resource is equal to
//                 itself only: then they copy
//   failure       std::bad_alloc; std::abort where exceptions are off
//   language      C++17, with or without exceptions and RTTI
//   time, threads, ISR  as the heap's or the arena's
#ifndef CAIRN_MEMORY_RESOURCE_HPP
#define CAIRN_MEMORY_RESOURCE_HPP

#include "cairn/backing.hpp"

#include <memory_resource>

namespace cairn {

// Backing: cairn_heap or cairn_arena; the constructor's argument tells which.
template <class Backing = cairn_arena>
class memory_resource final : public std::pmr::memory_resource {
public:
    // pre: not nullptr.
    explicit memory_resource(Backing *memory) noexcept : its_backing(memory) {}

    Backing *backing() const noexcept
    {
        return its_backing;
    }

private:
    void *do_allocate(std::size_t size, std::size_t alignment) override
    {
        void *const block = backing::take(*its_backing, size, alignment);
        if (block == nullptr) {
            backing::fail_no_room();
        }
        return block;
    }

    void do_deallocate(void *block, std::size_t, std::size_t) override
    {
        backing::give(*its_backing, block);
    }

    bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override
    {
        const memory_resource *const its = same_kind(other);
        return this == &other || (its != nullptr && its->its_backing == its_backing);
    }

    // The other resource, if it is known to be one over such a backing.
#if defined(__cpp_rtti) || defined(_CPPRTTI)
    static const memory_resource *same_kind(const std::pmr::memory_resource &other) noexcept
    {
        return dynamic_cast<const memory_resource *>(&other);
    }
#else
    static const memory_resource *same_kind(const std::pmr::memory_resource &) noexcept
    {
        return nullptr;
    }
#endif

    Backing *its_backing;
};

} // namespace cairn

#endif
