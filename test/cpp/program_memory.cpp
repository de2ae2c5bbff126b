// SPDX-License-Identifier: MIT
//
// OWNS        256 KB for operator new, and what is made of them.
// CALLERS     operator new and delete of the program.
#include "program_memory.hpp"

#ifdef PROGRAM_ON_HEAP
#define CAIRN_NEW_HEAP program_memory()
#else
#define CAIRN_NEW_ARENA program_memory()
#endif
#include <cairn/new.hpp>

void note_report(void *context, const cairn_report *report); // the test's

alignas(64) static unsigned char region[256 * 1024];

#ifdef PROGRAM_ON_HEAP

static cairn_heap heap;
static cairn_heap_hooks hooks;

program_backing *program_memory()
{
    if (heap.control == nullptr) {
        cairn_heap_config config = {};
        hooks.hooked = CAIRN_HOOKED;
        hooks.report = note_report;
        config.hooks = &hooks;
        if (cairn_heap_init(&heap, region, sizeof region, &config) != 0) {
            std::abort();
        }
    }
    return &heap;
}

#else

static cairn_arena arena;
static cairn_arena_config config;
static cairn_arena_region added;

program_backing *program_memory()
{
    if (arena.config == nullptr) {
        config.report = note_report;
        if (cairn_arena_init(&arena, &config) != 0 || cairn_arena_add(&arena, &added, region, sizeof region, 0, 0) != 0) {
            std::abort();
        }
    }
    return &arena;
}

#endif
