// SPDX-License-Identifier: MIT
//
// The arena or the heap that operator new of a test takes its memory from.
//
// OWNS        names only; program_memory.cpp has the memory, and includes cairn/new.hpp.
// INVARIANTS  1. It is made when it is first asked for, which may be before main().
// CALLERS     test_new.cpp, abort_program.cpp. PROGRAM_ON_HEAP: a heap in place of an arena.
#ifndef CAIRN_TEST_PROGRAM_MEMORY_HPP
#define CAIRN_TEST_PROGRAM_MEMORY_HPP

#include <cairn/arena.h>

#ifdef PROGRAM_ON_HEAP
using program_backing = cairn_heap;
#else
using program_backing = cairn_arena;
#endif

program_backing *program_memory();

#endif
