// SPDX-License-Identifier: MIT
//
// OWNS        the comparison of an arena with a naive model: a list of blocks, each with bytes of its own.
// PICTURE     test_arena_random [SEED [LIVES]]     a life: some configuration, some port, a few hundred operations, the end
// INVARIANTS  1. Live blocks do not overlap, hold their bytes, and are aligned and of the kind that was asked for.
//             2. A pointer that is no block is reported, once, and changes nothing.
//             3. A request fails only where the port, or the memory, does. What trim returns went back. A region goes exactly if no block is in it.
//             4. In the end the port has everything, but for what others took.
//             In some lives another thread comes in wherever the lock is free, also in the middle of a realloc.
// CALLERS     ctest, on every preset.
#include "wild_port.h"

#include "arena/arena_core.h"
#include "model/arguments.h"

#include <string.h>

#define BLOCKS 24u
#define REGIONS 3u
#define REGION 1024u
#define OPERATIONS 300u
#define G ((size_t)CAIRN_GRANULE)

struct block {
    unsigned char *address; // NULL: none
    size_t size;
    struct cairn_arena_want want;
    unsigned seed;
    bool busy; // in the hands of another operation
};

static struct prng prng;
static struct cairn_arena arena;
static struct cairn_arena_config config;
static struct cairn_port_region port;
static struct cairn_arena_region regions[REGIONS];
static bool is_added[REGIONS];
static _Alignas(16) unsigned char memory[REGIONS][REGION];
static struct block blocks[BLOCKS];
static struct cairn_report reported;
static uint32_t reports;
static uint32_t takes;   // by others, of the break
static uint32_t refused; // requests that failed
static uint32_t justified;
static unsigned char *freed; // the last that was
static bool has_other;       // another thread may be in the middle of something

static uint32_t below(uint32_t limit)
{
    return prng_below(&prng, limit);
}

static void note(void *context, const struct cairn_report *report)
{
    (void)context;
    reports++;
    reported = *report;
}

// ------------------------------------------------------------------------------------------------------------- the model

static void fill(struct block *block)
{
    block->seed = below(256);
    for (size_t i = 0; i < block->size; i++) {
        block->address[i] = (unsigned char)(block->seed + i * 7);
    }
}

static bool holds(const unsigned char *bytes, size_t size, unsigned seed)
{
    size_t i = 0;
    while (i < size && bytes[i] == (unsigned char)(seed + i * 7)) {
        i++;
    }
    return i == size;
}

// A block that was just handed out, and is in the model.
static void look_at(const struct block *block, size_t alignment)
{
    const size_t usable = cairn_arena_usable_size(&arena, block->address);
    const struct cairn_arena_region *const region = cairn_arena_region_of(&arena, block->address);
    assert_true(usable >= block->size);
    assert_int_equal((uintptr_t)block->address & (alignment - 1), 0);
    assert_true(region != NULL || wild_is_page(block->address));
    assert_true(meets(region != NULL ? region->attributes : config.attributes, block->want));
    assert_false(wild_is_theirs(block->address) || wild_is_theirs(block->address + block->size - 1));
    for (const struct block *other = blocks; other < blocks + BLOCKS; other++) {
        assert_true(other == block || other->address == NULL || other->address >= block->address + block->size ||
                    other->address + other->size <= block->address);
    }
}

// A request failed, and neither the port nor another thread is to blame: then there was no place.
static void justify(struct cairn_arena_want want, size_t alignment, size_t size)
{
    const size_t need = round_to(size + (alignment > G ? alignment - G : 0), G);
    for (struct cairn_arena_region *region = &arena.first; region != NULL; region = region->next) {
        struct cairn_heap unlocked = region->heap;
        struct cairn_heap_stats stats;
        unlocked.hooks = NULL;
        cairn_heap_stats(&unlocked, &stats);
        assert_false(meets(region->attributes, want) && stats.largest_free >= need);
    }
    if (meets(config.attributes, want) && port.map != NULL) {
        assert_null(baremetal_map(port.context, round_to(need + need / 16 + 1024, WILD_PAGE), WILD_PAGE));
    }
    if (meets(config.attributes, want) && port.brk != NULL && arena.first.heap.control != NULL && takes == 0) {
        const struct heap_control *const control = arena.first.heap.control;
        assert_true(bytes_of(control->limit - control->granules) + cairn_heap_top_(&arena.first.heap) < need);
    }
    justified++;
}

static void no_place(struct cairn_arena_want want, size_t alignment, size_t size, uint32_t failed)
{
    refused++;
    if (!has_other && wild_port.failed == failed && wild_port.meddle == 0 && config.fit == CAIRN_FIT_BEST &&
        config.search == CAIRN_SEARCH_ALL) {
        justify(want, alignment, size);
    }
}

// ------------------------------------------------------------------------------------------------------------ operations

static struct block *any_block(void)
{
    struct block *const block = &blocks[below(BLOCKS)];
    return block->busy ? NULL : block;
}

static size_t some_size(void)
{
    const uint32_t kind = below(16);
    return 1 + below(kind == 0 ? 6000 : kind < 3 ? 1500 : kind < 6 ? 300 : 60);
}

static uint32_t some_attributes(void)
{
    static const uint32_t attributes[] = {0, 0, CAIRN_MEMORY_FAST, CAIRN_MEMORY_DMA, CAIRN_MEMORY_FAST | CAIRN_MEMORY_DMA};
    return attributes[below(5)];
}

static void end_block(struct block *block)
{
    unsigned char *const address = block->address;
    if (address != NULL) {
        assert_true(holds(address, block->size, block->seed));
        block->busy = true;
        cairn_arena_free(&arena, address);
        *block = (struct block){0};
        freed = address;
    }
}

static void make(struct block *block)
{
    const uint32_t kind = below(8);
    const uint32_t failed = wild_port.failed;
    struct block made = {.size = some_size(), .busy = true};
    size_t alignment = G;
    block->busy = true;
    if (kind == 0) {
        made.address = cairn_arena_calloc(&arena, 1, made.size);
        for (size_t i = 0; made.address != NULL && i < made.size; i++) {
            assert_int_equal(made.address[i], 0);
        }
    } else if (kind == 1) {
        alignment = (size_t)1 << below(12);
        made.address = cairn_arena_aligned_alloc(&arena, alignment, made.size);
    } else if (kind == 2) {
        made.want.with = some_attributes();
        made.want.without = some_attributes() & ~made.want.with;
        made.address = cairn_arena_alloc_where(&arena, &made.want, 1, 0, made.size);
    } else {
        made.address = cairn_arena_alloc(&arena, made.size);
    }
    if (made.address == NULL) {
        block->busy = false;
        no_place(made.want, alignment, made.size, failed);
        return;
    }
    fill(&made);
    *block = made;
    look_at(block, alignment);
    block->busy = false;
}

static void change(struct block *block)
{
    const size_t size = some_size();
    const struct block old = *block;
    if (old.address == NULL) {
        return;
    }
    block->busy = true;
    unsigned char *const to = cairn_arena_realloc(&arena, old.address, size);
    if (to == NULL) {
        block->busy = false;
        assert_true(size > old.size); // shrinking never fails
        assert_true(holds(old.address, old.size, old.seed));
        refused++;
        return;
    }
    assert_true(holds(to, size < old.size ? size : old.size, old.seed));
    *block = (struct block){.address = to, .size = size, .want = {old.want.with, 0}, .busy = true};
    fill(block);
    look_at(block, G);
    block->busy = false;
}

static bool is_live(const unsigned char *address)
{
    bool found = false;
    for (uint32_t i = 0; i < BLOCKS; i++) {
        found = found || blocks[i].address == address;
    }
    return found;
}

// Something that is no block: inside one, where one was, or anywhere.
static void use_bad_pointer(void)
{
    const struct block *const block = &blocks[below(BLOCKS)];
    const uint32_t offset = below(REGION);
    unsigned char *bad = memory[below(REGIONS)] + offset;
    if (block->address != NULL) {
        bad = block->address + below((uint32_t)block->size);
    } else if (freed != NULL && below(2) != 0) {
        bad = freed;
    }
    if (is_live(bad) || wild_is_theirs(bad) || has_other) {
        return;
    }
    if (cairn_arena_usable_size(&arena, bad) != 0) { // where a gap begins that others made
        assert_true(takes + wild_port.meddled != 0 && cairn_arena_region_of(&arena, bad) == &arena.first);
        return;
    }
    if (below(2) != 0) {
        cairn_arena_free(&arena, bad);
    } else {
        assert_null(cairn_arena_realloc(&arena, bad, 1 + below(100)));
    }
    assert_int_equal(reports, 1);
    assert_ptr_equal(reported.address, bad);
    reports = 0;
}

static void trim(void)
{
    const size_t held = wild_held() - wild_theirs();
    const size_t given = cairn_arena_trim(&arena, below(3) == 0 ? CAIRN_ARENA_NEVER : below(2000));
    if (!has_other) {
        assert_int_equal(held - (wild_held() - wild_theirs()), given);
    }
}

static void add_or_remove(uint32_t number)
{
    if (!is_added[number]) {
        const uint32_t skip = below(20);
        const uint32_t attributes = some_attributes();
        assert_int_equal(cairn_arena_add(&arena, &regions[number], memory[number] + skip, REGION - skip, attributes, below(2) * 40), 0);
        is_added[number] = true;
        return;
    }
    const int error = cairn_arena_remove(&arena, &regions[number]);
    bool is_used = false;
    for (uint32_t i = 0; i < BLOCKS; i++) {
        is_used = is_used || (blocks[i].address != NULL && (uintptr_t)blocks[i].address - (uintptr_t)memory[number] < REGION);
    }
    is_added[number] = error != 0;
    if (!has_other) {
        assert_int_equal(error, is_used ? CAIRN_EBUSY : 0);
    } else {
        assert_true(error == CAIRN_EBUSY || (error == 0 && !is_used));
    }
}

static void operate(bool is_other)
{
    const uint32_t kind = below(64);
    struct block *const block = any_block();
    if (kind == 0) {
        trim();
    } else if (kind < 3 && !is_other) {
        add_or_remove(below(REGIONS));
    } else if (kind < 6) {
        use_bad_pointer();
    } else if (kind < 8 && port.brk != NULL && below(4) == 0 && wild_port.depth == 0) {
        const uint32_t before = wild_port.their_count;
        kind == 6 ? wild_take(1 + below(100)) : wild_give();
        takes += wild_port.their_count > before;
    } else if (block != NULL && block->address == NULL) {
        make(block);
    } else if (block != NULL && kind < 30) {
        change(block);
    } else if (block != NULL) {
        end_block(block);
    }
}

static void other_thread(void)
{
    operate(true);
}

// A request failed: a block less may help.
static bool free_one(void *context, struct cairn_arena *its, size_t size)
{
    struct block *const block = any_block();
    assert_true(context == &config && its == &arena && size != 0);
    if (block == NULL || block->address == NULL || below(2) == 0) {
        return false;
    }
    end_block(block);
    return true;
}

// -------------------------------------------------------------------------------------------------------------- a life

static void configure(uint32_t seed)
{
    static const size_t thresholds[] = {256, 512, 1024, CAIRN_ARENA_NEVER, 40};
    static const size_t steps[] = {8, 64, 256, 1000, 100000};
    static const uint16_t searches[] = {1, 0, 16, CAIRN_SEARCH_ALL, CAIRN_SEARCH_ALL};
    prng_seed(&prng, seed);
    port = wild_begin(below(1u << 28));
    wild_port.fail = below(3) != 0 ? below(100) : 0;
    wild_port.meddle = below(3) == 0 ? below(80) : 0;
    has_other = below(2) != 0;
    wild_port.other = has_other ? other_thread : NULL;
    if (below(6) == 0) {
        port.brk = NULL;
        port.room = NULL;
    }
    if (below(6) == 0) {
        port.map = NULL;
        port.unmap = NULL;
    }
    port.remap = port.map == NULL || below(2) == 0 ? NULL : port.remap;
    config = (struct cairn_arena_config){.system = &wild_system, .port = &port, .report = note, .context = &config};
    config.threshold = thresholds[below(5)];
    config.threshold_max = below(3) == 0 ? below(4000) : 0;
    config.step = steps[below(5)];
    config.trim = below(2) != 0 ? 64 + below(4000) : 0;
    config.heap_max = below(2) != 0 ? 2000 + below(30000) : 0;
    config.attributes = some_attributes();
    config.fit = (enum cairn_fit)(below(2) != 0 ? below(4) : 0);
    config.search = searches[below(5)];
    config.failed = below(3) == 0 ? free_one : NULL;
    memset(blocks, 0, sizeof blocks);
    memset(is_added, 0, sizeof is_added);
    takes = 0;
    reports = 0;
    freed = NULL;
    assert_int_equal(cairn_arena_init(&arena, &config), 0);
}

// The model and the figures agree.
static void compare(void)
{
    struct cairn_arena_stats stats;
    struct cairn_fault fault = {CAIRN_RULE_NONE, NULL};
    uint32_t mapped = 0;
    uint32_t others = arena.maps != NULL;
    void (*const other)(void) = wild_port.other;
    wild_port.other = NULL;
    assert_int_equal(cairn_arena_check(&arena, &fault), 0);
    cairn_arena_stats(&arena, &stats);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        const bool is_mapped = blocks[i].address != NULL && cairn_arena_region_of(&arena, blocks[i].address) == NULL;
        mapped += is_mapped;
        others += blocks[i].address != NULL && !is_mapped;
    }
    assert_int_equal(stats.mapped_blocks, mapped);
    assert_in_range(stats.used_blocks, others, others + takes + wild_port.meddled);
    assert_true(stats.top <= stats.free && stats.largest_free <= stats.free);
    assert_int_equal(reports, 0);
    assert_true(wild_is_untouched());
    wild_port.other = other;
}

static void end_life(void)
{
    wild_port.other = NULL;
    if (below(2) != 0) {
        for (uint32_t i = 0; i < BLOCKS; i++) {
            end_block(&blocks[i]);
        }
        compare();
    }
    if (cairn_arena_deinit(&arena) != 0) { // some of it
        assert_int_equal(cairn_arena_check(&arena, NULL), 0);
        wild_port.fail = 0;
        assert_int_equal(cairn_arena_deinit(&arena), 0);
    }
    assert_true(wild_is_untouched());
    for (uint32_t word = 0; word < WILD_PAGES / 32; word++) {
        assert_int_equal(wild_port.used[word], 0);
    }
    if (wild_port.fail == 0 && takes + wild_port.meddled == 0) {
        assert_int_equal(wild_held(), 0);
    }
}

static uint32_t first_seed = 1;
static uint32_t lives = 200;

static void an_arena_is_as_its_model(void **state)
{
    (void)state;
    refused = 0;
    justified = 0;
    print_message("seed %u, %u lives\n", (unsigned)first_seed, (unsigned)lives);
    for (uint32_t seed = first_seed; seed != first_seed + lives; seed++) {
        configure(seed);
        for (uint32_t i = 0; i < OPERATIONS; i++) {
            operate(false);
            compare();
        }
        end_life();
    }
    print_message("%u requests failed, %u of them with nobody to blame\n", (unsigned)refused, (unsigned)justified);
    assert_true(lives < 50 || (refused != 0 && justified != 0));
}

int main(int argc, char **argv)
{
    read_arguments(argc, argv, 50, &first_seed, &lives);
    static const struct CMUnitTest tests[] = {cmocka_unit_test(an_arena_is_as_its_model)};
    return cmocka_run_group_tests_name("arena_random", tests, NULL, NULL);
}
