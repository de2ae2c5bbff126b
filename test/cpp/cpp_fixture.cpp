// SPDX-License-Identifier: MIT
//
// OWNS        the regions, the heaps and arenas in them, the record of reports.
// CALLERS     test/cpp.
#include "cpp_fixture.hpp"

namespace {

constexpr std::size_t REGION = 32 * 1024;

struct one_heap {
    alignas(64) unsigned char region[REGION];
    cairn_heap heap;
};

struct one_arena {
    alignas(64) unsigned char region[REGION];
    cairn_arena_config config;
    cairn_arena arena;
    cairn_arena_region added;
};

one_heap heaps[2];
one_arena arenas[2];
unsigned reports;
cairn_report last_report;
cairn_heap_hooks hooks;

void make(one_heap &its)
{
    cairn_heap_config config = {};
    config.hooks = &hooks;
    assert_int_equal(cairn_heap_init(&its.heap, its.region, sizeof its.region, &config), 0);
}

void make(one_arena &its)
{
    its.config = cairn_arena_config();
    its.config.report = note_report;
    assert_int_equal(cairn_arena_init(&its.arena, &its.config), 0);
    assert_int_equal(cairn_arena_add(&its.arena, &its.added, its.region, sizeof its.region, 0, 0), 0);
}

bool is_sound(one_heap &its)
{
    return cairn_heap_check(&its.heap, nullptr) == 0 && used_bytes(&its.heap) == 0;
}

bool is_sound(one_arena &its)
{
    return cairn_arena_check(&its.arena, nullptr) == 0 && used_bytes(&its.arena) == 0;
}

} // namespace

template <>
cairn_heap *memory<cairn_heap>()
{
    return &heaps[0].heap;
}

template <>
cairn_arena *memory<cairn_arena>()
{
    return &arenas[0].arena;
}

template <>
cairn_heap *other_memory<cairn_heap>()
{
    return &heaps[1].heap;
}

template <>
cairn_arena *other_memory<cairn_arena>()
{
    return &arenas[1].arena;
}

bool is_in(const cairn_heap *heap, const void *address)
{
    const one_heap &its = heap == &heaps[0].heap ? heaps[0] : heaps[1];
    return reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(its.region) < sizeof its.region;
}

bool is_in(cairn_arena *arena, const void *address)
{
    return cairn_arena_region_of(arena, address) != nullptr;
}

std::size_t used_bytes(cairn_heap *heap)
{
    struct cairn_heap_stats stats;
    cairn_heap_stats(heap, &stats);
    return stats.used;
}

std::size_t used_bytes(cairn_arena *arena)
{
    struct cairn_arena_stats stats;
    cairn_arena_stats(arena, &stats);
    return stats.used + stats.mapped;
}

std::uint32_t failures(cairn_heap *heap)
{
    struct cairn_heap_stats stats;
    cairn_heap_stats(heap, &stats);
    return stats.failures;
}

std::uint32_t failures(cairn_arena *arena)
{
    struct cairn_arena_stats stats;
    cairn_arena_stats(arena, &stats);
    return stats.failures;
}

bool is_aligned(const void *address, std::size_t alignment)
{
    return reinterpret_cast<std::uintptr_t>(address) % alignment == 0;
}

void note_report(void *, const cairn_report *report)
{
    reports++;
    last_report = *report;
}

bool has_reports()
{
    return reports != 0;
}

void expect_report(cairn_wrong what, const void *address)
{
    assert_int_equal(reports, 1);
    assert_int_equal(last_report.what, what);
    assert_ptr_equal(last_report.address, address);
    reports = 0;
}

int cpp_setup(void **)
{
    reports = 0;
    hooks.hooked = CAIRN_HOOKED;
    hooks.report = note_report;
    for (one_heap &its : heaps) {
        make(its);
    }
    for (one_arena &its : arenas) {
        make(its);
    }
    return 0;
}

int cpp_teardown(void **)
{
    if (reports != 0) {
        print_error("a report of kind %d was not expected\n", static_cast<int>(last_report.what));
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        if (!is_sound(heaps[i]) || !is_sound(arenas[i])) {
            print_error("%u bytes live in heap %d, %u in its arena, or a rule is broken\n", static_cast<unsigned>(used_bytes(&heaps[i].heap)), i,
                        static_cast<unsigned>(used_bytes(&arenas[i].arena)));
            return -1;
        }
    }
    return 0;
}
