// SPDX-License-Identifier: MIT
//
// Instructions of what memory objects, fork and ranges take.
//
//   share    prints name,calls,average,maximum. fork_1, fork_N: of a space with one page, with PAGES pages; fork_page: for each page, the difference. copy: a store to
//            a page that another space has, too, without the copy; last_sharer: to one that nobody else has any more. shared_miss: a load from such a page that
//            misses in the TLB. map_1, map_most: a page, and all that fits; unmap the same. malloc, free: of 8 to 600 bytes in the space, its pages resident, the
//            break where it is; malloc_mapped, free_mapped: of 200 KB
//
// OWNS        a vm of 80 frames of 1 KB, two levels of tables, a TLB of 16.
// INVARIANTS  1. As vm.c.
// COST        some hundred thousand instructions.
// CALLERS     test/bench/run.sh; start-up.
#include "base/bulk.h"
#include "board.h"
#include "cairn/access.h"
#include "cairn/space_heap.h"
#include "counter.h"
#include "print.h"
#include "semihost.h"
#include "tally.h"

#define PAGE 1024u
#define FRAMES 80u
#define PAGES 48u
#define BASE 0x00100000u
#define MOST 0x00600000u // bytes of the longest range

enum row { FORK_1, FORK_N, FORK_PAGE, COPY, LAST, SHARED_MISS, MAP_1, MAP_MOST, UNMAP_1, UNMAP_MOST, MALLOC, FREE, MALLOC_MAPPED, FREE_MAPPED, ROWS };

static const char *const names[ROWS] = {"fork_1", "fork_48",    "fork_page", "copy",   "last_sharer", "shared_miss",   "map_1",
                                        "map_most", "unmap_1", "unmap_most", "malloc", "free",        "malloc_mapped", "free_mapped"};

static _Alignas(1024) uint8_t frames[FRAMES * PAGE];
static _Alignas(8) uint8_t memory[32768];
static struct cairn_vm vm;
static struct cairn_space space, child;
static struct tally tallies[ROWS];
static uint32_t copy_cost;

static __attribute__((noinline)) int load(struct cairn_vm *through, uint32_t address, uint32_t *value)
{
    return cairn_vm_load_(through, address, value, 4);
}

static __attribute__((noinline)) int store_word(struct cairn_vm *through, uint32_t address, uint32_t *value)
{
    return cairn_vm_store_(through, address, value, 4);
}

static uint32_t count_access(counter_function function, uint32_t page)
{
    uint32_t instructions;
    uint32_t value = page;
    (void)counter_call(&instructions, function, (uintptr_t)&vm, BASE + page * PAGE, (uintptr_t)&value, 0);
    return instructions - 1; // the wrapper's own jump
}

static bool begin(uint32_t pages)
{
    const struct cairn_vm_config config = {
        .page_shift = 10, .levels = 2, .bits = {7, 6}, .tlb = 16, .frames = frames, .frame_count = FRAMES, .memory = memory, .size = sizeof memory};
    const struct cairn_map map = {.address = BASE, .size = pages * PAGE, .protection = CAIRN_READ | CAIRN_WRITE, .flags = CAIRN_MAP_FIXED};
    if (cairn_vm_init(&vm, &config) != 0 || cairn_space_init(&space, &vm) != 0 || cairn_space_map_range(&space, &map, NULL) != 0) {
        return false;
    }
    cairn_space_switch(&vm, &space);
    for (uint32_t page = 0; page < pages; page++) {
        (void)count_access((counter_function)store_word, page);
    }
    return true;
}

static uint32_t count_fork(uint32_t pages)
{
    uint32_t instructions;
    if (!begin(pages) || counter_call(&instructions, (counter_function)cairn_space_fork, (uintptr_t)&child, (uintptr_t)&space, 0, 0) != 0) {
        return 0;
    }
    return instructions;
}

static void forks(void)
{
    const uint32_t one = count_fork(1);
    const uint32_t all = count_fork(PAGES);
    tally_add(&tallies[FORK_1], one);
    tally_add(&tallies[FORK_N], all);
    tally_add(&tallies[FORK_PAGE], (all - one + PAGES - 2) / (PAGES - 1));
    for (uint32_t page = 0; page < 16; page++) {
        tally_add(&tallies[SHARED_MISS], count_access((counter_function)load, page));
    }
    for (uint32_t page = 0; page < 16; page++) {
        tally_add(&tallies[COPY], count_access((counter_function)store_word, page) - copy_cost);
    }
    cairn_space_switch(&vm, &child);
    for (uint32_t page = 0; page < 16; page++) {
        tally_add(&tallies[LAST], count_access((counter_function)store_word, page));
    }
}

static bool ranges(void)
{
    static const enum row map_rows[] = {MAP_1, MAP_MOST};
    static const enum row unmap_rows[] = {UNMAP_1, UNMAP_MOST};
    uint32_t instructions;
    if (!begin(1)) {
        return false;
    }
    for (uint32_t i = 0; i < 8; i++) {
        struct cairn_map map = {.size = i % 2 == 0 ? PAGE : MOST, .protection = CAIRN_READ | CAIRN_WRITE};
        cairn_vaddr_t address = 0;
        if (counter_call(&instructions, (counter_function)cairn_space_map_range, (uintptr_t)&space, (uintptr_t)&map, (uintptr_t)&address, 0) != 0) {
            return false;
        }
        tally_add(&tallies[map_rows[i % 2]], instructions);
        if (counter_call(&instructions, (counter_function)cairn_space_unmap_range, (uintptr_t)&space, address, map.size, 0) != 0) {
            return false;
        }
        tally_add(&tallies[unmap_rows[i % 2]], instructions);
    }
    return true;
}

static __attribute__((noinline)) int allocate(struct cairn_space *of, uint32_t size, cairn_vaddr_t *address)
{
    return cairn_space_malloc(of, size, address);
}

static bool count_malloc(uint32_t size, enum row row, cairn_vaddr_t *address)
{
    uint32_t instructions;
    if (counter_call(&instructions, (counter_function)allocate, (uintptr_t)&space, size, (uintptr_t)address, 0) != 0) {
        return false;
    }
    tally_add(&tallies[row], instructions);
    return true;
}

static bool count_free(cairn_vaddr_t address, enum row row)
{
    uint32_t instructions;
    if (counter_call(&instructions, (counter_function)cairn_space_free, (uintptr_t)&space, address, 0, 0) != 0) {
        return false;
    }
    tally_add(&tallies[row], instructions);
    return true;
}

static bool blocks(void)
{
    const struct cairn_space_heap_config config = {.max = 64 * 1024, .step = 32 * 1024};
    cairn_vaddr_t address[32];
    if (!begin(1) || cairn_space_set_break(&space, BASE + MOST) != 0 || cairn_space_heap_init(&space, &config) != 0 ||
        cairn_space_malloc(&space, 2000, &address[0]) != 0) {
        return false;
    }
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t i = 0; i < 32; i++) {
            if (!count_malloc(8 + i * 97 % 593, MALLOC, &address[i])) {
                return false;
            }
        }
        for (uint32_t i = 0; i < 32; i++) {
            if (!count_free(address[i * 7 % 32], FREE)) {
                return false;
            }
        }
        if (!count_malloc(200 * 1024, MALLOC_MAPPED, &address[0]) || !count_free(address[0], FREE_MAPPED)) {
            return false;
        }
    }
    return true;
}

int main(void)
{
    struct line line = {0};
    uint32_t rule;
    counter_init();
    (void)counter_call(&copy_cost, (counter_function)cairn_bulk_copy_, (uintptr_t)frames, (uintptr_t)(frames + PAGE), PAGE, 0);
    if (!counter_is_exact() || !ranges() || !blocks()) {
        semihost_print("share: no exact clock (-icount), or no vm\n");
        return 1;
    }
    forks();
    if (cairn_vm_check(&vm, &rule) != 0) {
        semihost_print("share: broken\n");
        return 1;
    }
    for (int row = 0; row < ROWS; row++) {
        line_tally(&line, names[row], &tallies[row]);
    }
    return 0;
}
