// SPDX-License-Identifier: MIT
//
// The standard containers in memory of cairn's, in the three ways there are. Runs as it is on the host and on every board.
#include <cairn/allocator.hpp>
#include <cairn/memory_resource.hpp>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

// 1. operator new of the whole program comes from this arena.
static cairn_arena arena;
#define CAIRN_NEW_ARENA (&arena)
#include <cairn/new.hpp>

static const cairn_arena_config config = {};
static cairn_arena_region added;
alignas(8) static unsigned char ram[16 * 1024];
alignas(8) static unsigned char fast_ram[4 * 1024];

static std::size_t used_blocks()
{
    struct cairn_arena_stats stats;
    cairn_arena_stats(&arena, &stats);
    return stats.used_blocks;
}

static void containers(cairn_heap *fast)
{
    std::map<std::string, int> words;
    for (const char *word : {"a", "stone", "on", "a", "stone", "on", "a", "stone"}) {
        words[word]++;
    }
    for (const auto &word : words) {
        std::printf("%s: %d\n", word.first.c_str(), word.second);
    }
    std::printf("operator new: %u blocks\n", static_cast<unsigned>(used_blocks()));

    // 2. One container in a heap of its own, in memory that is told apart by its type.
    std::vector<int, cairn::allocator<int, cairn_heap>> squares(fast);
    for (int i = 1; i <= 10; i++) {
        squares.push_back(i * i);
    }
    std::printf("allocator: the last of %u squares is %d\n", static_cast<unsigned>(squares.size()), squares.back());

    // 3. The same heap behind std::pmr: the types do not tell which memory it is.
    cairn::memory_resource resource(fast);
    std::pmr::vector<std::pmr::string> lines(&resource);
    lines.emplace_back("a line that is too long to lie in the string itself");
    std::printf("memory_resource: %s\n", lines.front().c_str());
    std::printf("operator new: %u blocks, as before\n", static_cast<unsigned>(used_blocks()));
}

int main()
{
    cairn_heap fast;

    if (cairn_arena_init(&arena, &config) != 0 || cairn_arena_add(&arena, &added, ram, sizeof ram, 0, 0) != 0)
        return 1;
    if (cairn_heap_init(&fast, fast_ram, sizeof fast_ram, nullptr) != 0)
        return 1;
    containers(&fast);
    std::printf("done: %u blocks\n", static_cast<unsigned>(used_blocks()));
    return 0;
}
