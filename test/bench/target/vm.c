// SPDX-License-Identifier: MIT
//
// Instructions of an access through the software MMU, by what it meets: a hit, the victim set, a table, a fault.
//
//   vm [POLICY]    prints name,calls,average,maximum, where pages are replaced by that policy; default clock. load_hit, store_hit, cursor: an access in a loop over an array, what the same loop over plain memory takes
//         subtracted, plus the access itself. minor, major: without the zeroing or the transfer of the page. space_bytes and the like: bytes, not
//         instructions
//
// OWNS        a vm of 32 frames of 1 KB, two levels of tables, a TLB of 16; a store whose transfers are a return.
// INVARIANTS  1. Counted as all calls are: the BLX, the body, the return (counter.h).
//             2. Page 0 of the mapping is there from the start; the first pages of its table, and frames, are free when the others come. A fault that makes a table
//                is one of a space that ends before these.
//             3. A miss or a hit in the victim set counts where its page is still there, which not every policy keeps.
// COST        some million instructions.
// CALLERS     test/bench/run.sh; start-up.
#include "base/bulk.h"
#include "board.h"
#include "cairn/access.h"
#include "counter.h"
#include "print.h"
#include "semihost.h"
#include "tally.h"

#include <string.h>

#define PAGE 1024u
#define FRAMES 32u
#define SLOTS 256u
#define PAGES 128u
#define LEAF 64u // pages of a table
#define BASE 0x00100000u

enum row { LOAD, STORE, CURSOR, VICTIM, MISS, MISS_STORE, MINOR, MINOR_TABLE, MINOR_EVICT, MAJOR, MAJOR_DIRTY, SWITCH, UNPIN, ROWS };

static const char *const names[ROWS] = {
    "load_hit", "store_hit", "cursor", "victim_hit", "tlb_miss", "tlb_miss_store", "minor", "minor_with_table", "minor_evicting", "major", "major_evicting_dirty",
    "switch", "unpin",
};

static _Alignas(1024) uint8_t frames[FRAMES * PAGE];
static _Alignas(8) uint8_t memory[16384];
static struct cairn_vm vm;
static struct cairn_space space, other, third;
static struct cairn_mapping mapping, mapping_of_other, mapping_of_third;
static struct tally tallies[ROWS];

static int no_read(void *context, uint32_t slot, void *page)
{
    (void)context;
    (void)slot;
    (void)page;
    return 0;
}

static int no_write(void *context, uint32_t slot, const void *page)
{
    (void)context;
    (void)slot;
    (void)page;
    return 0;
}

static const struct cairn_policy *const policies[] = {&cairn_policy_clock,    &cairn_policy_fifo,   &cairn_policy_lru,     &cairn_policy_nru,
                                                      &cairn_policy_lfu,      &cairn_policy_random, &cairn_policy_2q,      &cairn_policy_clockpro,
                                                      &cairn_policy_s3fifo,   &cairn_policy_wsclock, &cairn_policy_adaptive};

static const struct cairn_port_store store = {.read = no_read, .write = no_write, .page = PAGE, .slots = SLOTS};

// ------------------------------------------------------------------------------------------------------------------ loops

static __attribute__((noinline)) uint32_t loads(struct cairn_vm *through, uint32_t address, uint32_t count)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t value;
        if (cairn_vm_load32(through, address + 4 * i, &value) != 0) {
            return 0;
        }
        sum += value;
    }
    return sum;
}

// Over plain memory, by the same address, of which the compiler knows as little.
static inline volatile uint32_t *plain(uintptr_t delta, uint32_t address)
{
    __asm__("" : "+r"(address));
    return (volatile uint32_t *)(delta + address);
}

static __attribute__((noinline)) uint32_t plain_loads(uintptr_t delta, uint32_t address, uint32_t count)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += *plain(delta, address + 4 * i);
    }
    return sum;
}

static __attribute__((noinline)) uint32_t stores(struct cairn_vm *through, uint32_t address, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (cairn_vm_store32(through, address + 4 * i, i) != 0) {
            return 0;
        }
    }
    return count;
}

static __attribute__((noinline)) uint32_t plain_stores(uintptr_t delta, uint32_t address, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        *plain(delta, address + 4 * i) = i;
    }
    return count;
}

static __attribute__((noinline)) uint32_t cursor_loads(struct cairn_cursor *cursor, uint32_t address, uint32_t count)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t value;
        if (cairn_cursor_load32(cursor, address + 4 * i, &value) != 0) {
            return 0;
        }
        sum += value;
    }
    return sum;
}

// What an access in the first loop takes beyond one in the second, plus one: both over the words of one page, that is there.
static void compare(enum row row, counter_function through, void *at, counter_function without_vm)
{
    uint32_t with, without;
    const uint32_t count = PAGE / 4;
    for (int round = 0; round < 8; round++) {
        (void)counter_call(&with, through, (uintptr_t)at, BASE, count, 0);
        (void)counter_call(&without, without_vm, (uintptr_t)frames - BASE, BASE, count, 0);
    }
    tallies[row].calls = count;
    tallies[row].sum = with - without + count;
    tallies[row].max = (with - without + count + count - 1) / count;
}

// ----------------------------------------------------------------------------------------------------------------- accesses

static __attribute__((noinline)) int load(struct cairn_vm *through, uint32_t address, uint32_t *value)
{
    return cairn_vm_load_(through, address, value, 4);
}

static __attribute__((noinline)) int store_word(struct cairn_vm *through, uint32_t address, uint32_t *value)
{
    return cairn_vm_store_(through, address, value, 4);
}

static uint32_t zero_cost;

static uint32_t count_access(counter_function function, uint32_t page)
{
    uint32_t instructions;
    uint32_t value = page;
    (void)counter_call(&instructions, function, (uintptr_t)&vm, BASE + page * PAGE, (uintptr_t)&value, 0);
    return instructions - 1; // the wrapper's own jump
}

static void note(enum row row, uint32_t instructions)
{
    tally_add(&tallies[row], instructions);
}

static const struct cairn_policy *policy_of(const char *name)
{
    for (uint32_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        if (strcmp(policies[i]->name, name) == 0) {
            return policies[i];
        }
    }
    return NULL;
}

static bool begin(const struct cairn_policy *policy)
{
    const struct cairn_vm_config config = {.page_shift = 10,
                                           .levels = 2,
                                           .bits = {7, 6},
                                           .tlb = 16,
                                           .frames = frames,
                                           .frame_count = FRAMES,
                                           .memory = memory,
                                           .size = sizeof memory,
                                           .policy = policy,
                                           .store = &store};
    return cairn_vm_init(&vm, &config) == 0 && cairn_space_init(&space, &vm) == 0 && cairn_space_init(&other, &vm) == 0 &&
           cairn_space_map(&space, &mapping, BASE, PAGES * PAGE, CAIRN_READ | CAIRN_WRITE) == 0 &&
           cairn_space_map(&other, &mapping_of_other, BASE, PAGES * PAGE, CAIRN_READ | CAIRN_WRITE) == 0;
}

static void hits(void)
{
    struct cairn_cursor cursor;
    (void)stores(&vm, BASE, PAGE / 4);
    compare(LOAD, (counter_function)loads, &vm, (counter_function)plain_loads);
    compare(STORE, (counter_function)stores, &vm, (counter_function)plain_stores);
    cairn_cursor_init(&cursor, &space, CAIRN_READ);
    (void)cursor_loads(&cursor, BASE, 1);
    compare(CURSOR, (counter_function)cursor_loads, &cursor, (counter_function)plain_loads);
    cairn_cursor_deinit(&cursor);
}

// The first page of each table of a space that has none yet.
static bool first_faults(void)
{
    if (cairn_space_init(&third, &vm) != 0 || cairn_space_map(&third, &mapping_of_third, BASE, PAGES * PAGE, CAIRN_READ | CAIRN_WRITE) != 0) {
        return false;
    }
    cairn_space_switch(&vm, &third);
    for (uint32_t page = 0; page < PAGES; page += LEAF) {
        const uint32_t tables = vm.figures.tables;
        const uint32_t taken = count_access((counter_function)(page % (2 * LEAF) == 0 ? load : store_word), page) - zero_cost;
        if (vm.figures.tables != tables + 1) {
            return false;
        }
        note(MINOR_TABLE, taken);
    }
    return cairn_space_deinit(&third) == 0;
}

// Pages come in, then others in the frames of those. Page 64 makes a table, too.
static void faults(void)
{
    for (uint32_t page = 1; page < PAGES; page++) {
        const bool evicts = vm.figures.frames_free == 0;
        const uint32_t taken = count_access((counter_function)(page % 2 == 0 ? load : store_word), page) - zero_cost;
        if (!evicts) {
            note(MINOR, taken);
        } else if (page > 3 * FRAMES) {
            note(MINOR_EVICT, taken);
        }
    }
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t page = 1; page < PAGES; page += 2) { // those that were stored to live in slots
            const uint32_t writes = vm.figures.writes;
            const uint32_t major = vm.figures.major;
            const uint32_t taken = count_access((counter_function)(round % 2 == 0 ? load : store_word), page);
            if (vm.figures.major != major) {
                note(vm.figures.writes != writes ? MAJOR_DIRTY : MAJOR, taken);
            }
        }
    }
}

// Counts an access in its row if it was no fault.
static void note_if_there(enum row row, counter_function function, uint32_t page)
{
    const uint32_t before = vm.figures.major + vm.figures.minor;
    const uint32_t taken = count_access(function, page);
    if (vm.figures.major + vm.figures.minor == before) {
        note(row, taken);
    }
}

// Pages that are there, but not in the TLB; then those that it has just lost.
static void misses(void)
{
    for (uint32_t round = 0; round < 16; round++) {
        cairn_vm_flush(&vm);
        for (uint32_t page = 1; page < 15; page++) {
            (void)count_access((counter_function)store_word, page);
        }
        cairn_vm_flush(&vm);
        for (uint32_t page = 1; page < 15; page++) {
            note_if_there(page % 2 == 0 ? MISS : MISS_STORE, (counter_function)(page % 2 == 0 ? load : store_word), page);
        }
        (void)count_access((counter_function)load, 2 + 16);
        note_if_there(VICTIM, (counter_function)load, 2);
    }
}

static void calls(void)
{
    uint32_t instructions;
    void *at;
    size_t run;
    for (uint32_t i = 0; i < 16; i++) {
        (void)counter_call(&instructions, (counter_function)cairn_space_switch, (uintptr_t)&vm, (uintptr_t)(i % 2 == 0 ? &other : &space), 0, 0);
        note(SWITCH, instructions);
    }
    for (uint32_t i = 0; i < 8; i++) {
        if (cairn_space_pin(&space, BASE + PAGE, CAIRN_READ, &at, &run) != 0) {
            return;
        }
        (void)counter_call(&instructions, (counter_function)cairn_space_unpin, (uintptr_t)&space, BASE + PAGE, 0, 0);
        note(UNPIN, instructions);
    }
}

static void print_bytes(struct line *line, const char *name, size_t bytes)
{
    const struct tally tally = {.calls = 1, .sum = bytes, .max = (uint32_t)bytes};
    line_tally(line, name, &tally);
}

int main(int argc, char **argv)
{
    struct line line = {0};
    const struct cairn_policy *const policy = policy_of(argc > 1 ? argv[1] : "clock");

    counter_init();
    (void)counter_call(&zero_cost, (counter_function)cairn_bulk_zero_, (uintptr_t)frames, PAGE, 0, 0);
    if (!counter_is_exact() || policy == NULL || !begin(policy)) {
        semihost_print("vm: no exact clock (-icount), no such policy, or no vm\n");
        return 1;
    }
    const uint32_t before = vm.figures.table_bytes;
    if (!first_faults()) {
        semihost_print("vm: no table was made\n");
        return 1;
    }
    cairn_space_switch(&vm, &space);
    hits();
    faults();
    misses();
    calls();
    uint32_t rule;
    if (cairn_vm_check(&vm, &rule) != 0) {
        semihost_print("vm: broken\n");
        return 1;
    }
    for (int row = 0; row < ROWS; row++) {
        if (tallies[row].calls != 0) {
            line_tally(&line, names[row], &tallies[row]);
        }
    }
    print_bytes(&line, "bytes.frame", sizeof(struct cairn_frame));
    print_bytes(&line, "bytes.frame_policy", vm.policy->bytes(FRAMES) / FRAMES);
    print_bytes(&line, "bytes.space", sizeof space);
    print_bytes(&line, "bytes.tlb_entry", sizeof(struct cairn_tlb_entry));
    print_bytes(&line, "bytes.tables_128_pages", vm.figures.table_bytes - before);
    return 0;
}
