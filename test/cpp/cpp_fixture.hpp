// SPDX-License-Identifier: MIT
//
// The memory that a test of the C++ headers works on: heaps and arenas in static arrays. Included after the standard headers: cmocka's
// macros have names that these use.
//
// OWNS        two heaps and two arenas, each in a region of 32 KB, and what was reported.
// PICTURE     set-up: all four are made, empty -> the test -> tear-down: check(), nothing live, no report left unread
// INVARIANTS  1. A report that a test does not expect fails it.
//             2. What a test allocated it has given back, whatever was thrown on the way.
// COST        130 KB of RAM.
// CALLERS     test/cpp, on the host and on targets.
#ifndef CAIRN_TEST_CPP_FIXTURE_HPP
#define CAIRN_TEST_CPP_FIXTURE_HPP

#include <cairn/arena.h>

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>

extern "C" {
#include <cmocka.h>
}

#include "../support/hardening.h"

// The memory that a test on Backing uses, and a second one of its kind.
template <class Backing>
Backing *memory();
template <class Backing>
Backing *other_memory();

// Does the address lie in it?
bool is_in(const cairn_heap *heap, const void *address);
bool is_in(cairn_arena *arena, const void *address);

// Bytes in used blocks.
std::size_t used_bytes(cairn_heap *heap);
std::size_t used_bytes(cairn_arena *arena);

// Allocations that failed.
std::uint32_t failures(cairn_heap *heap);
std::uint32_t failures(cairn_arena *arena);

// Is it a multiple of so many bytes?
bool is_aligned(const void *address, std::size_t alignment);

// Exactly one report since the last call, of this kind and address.
void expect_report(cairn_wrong what, const void *address);

// The report hooks write here.
void note_report(void *context, const cairn_report *report);
bool has_reports();

// cmocka's fixtures.
int cpp_setup(void **state);
int cpp_teardown(void **state);

#define CPP_UNIT(test) cmocka_unit_test_setup_teardown(test, cpp_setup, cpp_teardown)

#endif
