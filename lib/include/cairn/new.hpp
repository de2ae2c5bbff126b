// SPDX-License-Identifier: MIT
//
// Replaces operator new and delete of the whole program, in all their forms, by an arena or a heap.
// Include it in exactly ONE source file (two do not link), behind a macro that names the memory:
//
//     #define CAIRN_NEW_ARENA (&arena)     an expression for a cairn_arena *
//     #define CAIRN_NEW_HEAP (&heap)       or one for a cairn_heap *
//
// The expression is evaluated in each call. Constructors of global objects may call operator new before main(): where there are such, let it be
// a call that makes the arena when it is first needed (docs/porting/cpp.md).
//
// VITALS
//   alignment     of the plain forms: __STDCPP_DEFAULT_NEW_ALIGNMENT__, 8 on most 32-bit cores. CAIRN_GRANULE 16 makes it cost nothing where that
//                 is 16. The aligned forms: as asked for
//   sizes         a request of 0 bytes gets a block of its own
//   failure       the new-handler is called until there is room or it gives up. Without one: nullptr from the nothrow forms, std::bad_alloc from
//                 the others; std::abort where exceptions are off
//   delete        all forms take what any form of new gave. Anything else is refused and reported (heap.h); sizes are not looked at
//   language      C++17, with or without exceptions and RTTI
//   time, threads, ISR  as the heap's or the arena's
#ifndef CAIRN_NEW_HPP
#define CAIRN_NEW_HPP

#include "cairn/backing.hpp"

#if !defined(__cpp_aligned_new)
#error "cairn/new.hpp: it replaces the aligned forms too; compile the file that includes it as C++17"
#endif
#if defined(CAIRN_NEW_ARENA) == defined(CAIRN_NEW_HEAP)
#error "cairn/new.hpp: define CAIRN_NEW_ARENA or CAIRN_NEW_HEAP, a pointer to what operator new takes its memory from"
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CAIRN_NEW_LIFTS_POISON
extern "C" void __asan_unpoison_memory_region(void const volatile *address, std::size_t size);
#endif
#endif

namespace cairn {
namespace program {

#if defined(CAIRN_NEW_ARENA)
static cairn_arena &memory()
{
    return *(CAIRN_NEW_ARENA);
}
#else
static cairn_heap &memory()
{
    return *(CAIRN_NEW_HEAP);
}
#endif

// nullptr iff there is no room and no new-handler. What the new-handler throws goes through.
static void *take(std::size_t size, std::size_t alignment)
{
    void *block = backing::take(memory(), size, alignment);
    while (block == nullptr) {
        const std::new_handler handler = std::get_new_handler();
        if (handler == nullptr) {
            return nullptr;
        }
        handler();
        block = backing::take(memory(), size, alignment);
    }
    return block;
}

static void *take_or_fail(std::size_t size, std::size_t alignment)
{
    void *const block = take(size, alignment);
    if (block == nullptr) {
        backing::fail_no_room();
    }
    return block;
}

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
static void *take_or_null(std::size_t size, std::size_t alignment) noexcept
{
    try {
        return take(size, alignment);
    } catch (...) {
        return nullptr;
    }
}
#else
static void *take_or_null(std::size_t size, std::size_t alignment) noexcept
{
    return take(size, alignment);
}
#endif

// With clang's address sanitizer nobody may read the count that the compiler keeps in front of an array, until operator delete lifts that: the
// next owner of the bytes may.
#if defined(CAIRN_NEW_LIFTS_POISON)
static void lift_poison(void *block) noexcept
{
    __asan_unpoison_memory_region(block, backing::held(memory(), block));
}
#else
static void lift_poison(void *) noexcept {}
#endif

static void give(void *block) noexcept
{
    if (block != nullptr) {
        lift_poison(block);
        backing::give(memory(), block);
    }
}

} // namespace program
} // namespace cairn

// --------------------------------------------------------------------------------------------------------------------- new

void *operator new(std::size_t size)
{
    return cairn::program::take_or_fail(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}

void *operator new[](std::size_t size)
{
    return cairn::program::take_or_fail(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}

void *operator new(std::size_t size, const std::nothrow_t &) noexcept
{
    return cairn::program::take_or_null(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}

void *operator new[](std::size_t size, const std::nothrow_t &) noexcept
{
    return cairn::program::take_or_null(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}

void *operator new(std::size_t size, std::align_val_t alignment)
{
    return cairn::program::take_or_fail(size, static_cast<std::size_t>(alignment));
}

void *operator new[](std::size_t size, std::align_val_t alignment)
{
    return cairn::program::take_or_fail(size, static_cast<std::size_t>(alignment));
}

void *operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t &) noexcept
{
    return cairn::program::take_or_null(size, static_cast<std::size_t>(alignment));
}

void *operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t &) noexcept
{
    return cairn::program::take_or_null(size, static_cast<std::size_t>(alignment));
}

// ------------------------------------------------------------------------------------------------------------------ delete

void operator delete(void *block) noexcept
{
    cairn::program::give(block);
}

void operator delete[](void *block) noexcept
{
    cairn::program::give(block);
}

void operator delete(void *block, std::size_t) noexcept
{
    cairn::program::give(block);
}

void operator delete[](void *block, std::size_t) noexcept
{
    cairn::program::give(block);
}

void operator delete(void *block, const std::nothrow_t &) noexcept
{
    cairn::program::give(block);
}

void operator delete[](void *block, const std::nothrow_t &) noexcept
{
    cairn::program::give(block);
}

void operator delete(void *block, std::align_val_t) noexcept
{
    cairn::program::give(block);
}

void operator delete[](void *block, std::align_val_t) noexcept
{
    cairn::program::give(block);
}

void operator delete(void *block, std::size_t, std::align_val_t) noexcept
{
    cairn::program::give(block);
}

void operator delete[](void *block, std::size_t, std::align_val_t) noexcept
{
    cairn::program::give(block);
}

void operator delete(void *block, std::align_val_t, const std::nothrow_t &) noexcept
{
    cairn::program::give(block);
}

void operator delete[](void *block, std::align_val_t, const std::nothrow_t &) noexcept
{
    cairn::program::give(block);
}

#endif
