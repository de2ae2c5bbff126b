// SPDX-License-Identifier: MIT
//
// OWNS        a program that asks each drop-in for too much, one a run, where exceptions are off: it must end in std::abort.
// PICTURE     argv[1]: allocator | length | resource | new | array | aligned -> the call -> abort() -> on the host 0; on a board the fault status
// CALLERS     ctest. A program that comes back returns 1.
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <new>

#include <cairn/allocator.hpp>
#include <cairn/memory_resource.hpp>

#include "program_memory.hpp"

void note_report(void *context, const cairn_report *report);

void note_report(void *, const cairn_report *) {}

#if defined(__arm__)
static void expect_abort() {}
#else
static void leave(int)
{
    std::_Exit(0);
}

static void expect_abort()
{
    std::signal(SIGABRT, leave);
}
#endif

static void *volatile result;

int main(int argc, char **argv)
{
    const char *const which = argc > 1 ? argv[1] : "";
    const volatile std::size_t room = 300 * 1024; // more than there is
    const std::size_t size = room;
    cairn::allocator<long, program_backing> allocator(program_memory());
    cairn::memory_resource resource(program_memory());
    expect_abort();
    if (std::strcmp(which, "allocator") == 0) {
        result = allocator.allocate(size / sizeof(long));
    } else if (std::strcmp(which, "length") == 0) {
        result = allocator.allocate(SIZE_MAX / sizeof(long) + 1 + (size == 0));
    } else if (std::strcmp(which, "resource") == 0) {
        result = resource.allocate(size);
    } else if (std::strcmp(which, "new") == 0) {
        result = ::operator new(size);
    } else if (std::strcmp(which, "array") == 0) {
        result = ::operator new[](size);
    } else if (std::strcmp(which, "aligned") == 0) {
        result = ::operator new(size, std::align_val_t(64));
    }
    return 1;
}
