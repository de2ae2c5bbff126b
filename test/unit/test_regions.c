// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/arena/regions.c: the arena is made, regions come and go, each request finds memory of its kind.
// CALLERS     ctest, on every preset.
#include "arena_fixture.h"

#define REGION 512u

static _Alignas(16) unsigned char memory[3][REGION];
static struct cairn_arena_region regions[3];

static void add(uint32_t number, uint32_t attributes, size_t smallest)
{
    assert_int_equal(cairn_arena_add(ARENA, &regions[number], memory[number], REGION, attributes, smallest), 0);
}

static bool is_in(const void *address, uint32_t number)
{
    return cairn_arena_region_of(ARENA, address) == &regions[number] && (uintptr_t)address - (uintptr_t)memory[number] < REGION;
}

static void *where(uint32_t with, uint32_t without)
{
    const struct cairn_arena_want want = {with, without};
    void *const block = cairn_arena_alloc_where(ARENA, &want, 1, 0, 24);
    cairn_arena_free(ARENA, block);
    return block;
}

static void a_request_gets_memory_of_its_kind(void **state)
{
    (void)state;
    add(0, CAIRN_MEMORY_FAST, 0);
    add(1, CAIRN_MEMORY_DMA | CAIRN_MEMORY_USER(3), 0);
    add(2, CAIRN_MEMORY_EXTERNAL | CAIRN_MEMORY_NO_ISR | CAIRN_MEMORY_DMA, 0);
    assert_true(is_in(where(CAIRN_MEMORY_FAST, 0), 0));
    assert_true(is_in(where(CAIRN_MEMORY_DMA, 0), 1));
    assert_true(is_in(where(CAIRN_MEMORY_USER(3), 0), 1));
    assert_true(is_in(where(CAIRN_MEMORY_DMA, CAIRN_MEMORY_USER(3)), 2));
    assert_true(is_in(where(CAIRN_MEMORY_DMA | CAIRN_MEMORY_EXTERNAL, 0), 2));
    assert_null(where(CAIRN_MEMORY_FAST | CAIRN_MEMORY_DMA, 0));
    assert_null(where(CAIRN_MEMORY_EXTERNAL, CAIRN_MEMORY_NO_ISR));
    assert_null(where(CAIRN_MEMORY_RETAINED, 0));
    assert_true(is_in(where(0, 0), 0)); // nothing was taken from the break: any region will do
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(cairn_arena_remove(ARENA, &regions[i]), 0);
    }
}

static void wishes_are_tried_in_their_order(void **state)
{
    (void)state;
    static const struct cairn_arena_want wishes[] = {{CAIRN_MEMORY_FAST, 0}, {CAIRN_MEMORY_DMA, 0}, {0, 0}};
    void *blocks[3 * REGION / 64];
    uint32_t count = 0;
    uint32_t in[4] = {0};
    add(1, CAIRN_MEMORY_DMA, 0);
    add(0, CAIRN_MEMORY_FAST, 0);
    for (; count < 24; count++) {
        blocks[count] = cairn_arena_alloc_where(ARENA, wishes, 3, 16, 64);
        assert_non_null(blocks[count]);
        assert_int_equal((uintptr_t)blocks[count] % 16, 0);
        const uint32_t number = is_in(blocks[count], 0) ? 0 : is_in(blocks[count], 1) ? 1 : 2;
        in[number]++;
        assert_true(number == 2 || in[number + 1] == 0); // the next one only when this is full
    }
    assert_true(in[0] >= 4 && in[1] >= 4 && in[2] >= 4);
    while (count != 0) {
        cairn_arena_free(ARENA, blocks[--count]);
    }
    assert_null(cairn_arena_alloc_where(ARENA, NULL, 1, 0, 8));
    assert_null(cairn_arena_alloc_where(ARENA, wishes, 0, 0, 8));
    assert_null(cairn_arena_alloc_where(ARENA, wishes, 3, 3, 8));
    assert_null(cairn_arena_alloc_where(ARENA, wishes, 3, 0, 0));
}

static void small_blocks_stay_out_of_a_big_region(void **state)
{
    (void)state;
    arena_fixture.config.port = NULL;
    arena_make();
    add(0, 0, 100);
    add(1, 0, 0);
    void *const big = cairn_arena_alloc(ARENA, 100);
    void *const small = cairn_arena_alloc(ARENA, 99);
    assert_true(is_in(big, 0));
    assert_true(is_in(small, 1));
    void *blocks[REGION / 32];
    uint32_t count = 0;
    do {
        blocks[count] = cairn_arena_alloc(ARENA, 32);
    } while (is_in(blocks[count++], 1));
    assert_true(is_in(blocks[count - 1], 0)); // only when there is nothing else
    while (count != 0) {
        cairn_arena_free(ARENA, blocks[--count]);
    }
    cairn_arena_free(ARENA, big);
    cairn_arena_free(ARENA, small);
}

static void a_region_in_use_is_not_removed(void **state)
{
    (void)state;
    add(0, CAIRN_MEMORY_FAST, 0);
    add(1, CAIRN_MEMORY_FAST, 0);
    const struct cairn_arena_want fast = {CAIRN_MEMORY_FAST, 0};
    unsigned char *const block = cairn_arena_alloc_where(ARENA, &fast, 1, 0, 40);
    arena_fill(block, 40, 1);
    assert_int_equal(cairn_arena_remove(ARENA, &regions[0]), CAIRN_EBUSY);
    assert_true(is_in(block, 0) && arena_is_filled(block, 40, 1));
    assert_int_equal(cairn_arena_remove(ARENA, &regions[2]), CAIRN_ENOENT);
    assert_int_equal(cairn_arena_remove(ARENA, &ARENA->first), CAIRN_ENOENT);
    cairn_arena_free(ARENA, block);
    assert_int_equal(cairn_arena_remove(ARENA, &regions[0]), 0);
    assert_int_equal(cairn_arena_remove(ARENA, &regions[0]), CAIRN_ENOENT);
    assert_null(regions[0].heap.control);
    assert_true(is_in(where(CAIRN_MEMORY_FAST, 0), 1));
    add(0, CAIRN_MEMORY_FAST, 0); // and back, behind the other
    assert_true(is_in(where(CAIRN_MEMORY_FAST, 0), 1));
}

static void realloc_leaves_a_full_region_for_one_of_its_kind(void **state)
{
    (void)state;
    add(0, CAIRN_MEMORY_DMA, 0);
    add(1, 0, 0);
    add(2, CAIRN_MEMORY_DMA, 0);
    const struct cairn_arena_want dma = {CAIRN_MEMORY_DMA, 0};
    unsigned char *block = cairn_arena_alloc_where(ARENA, &dma, 1, 0, 200);
    unsigned char *const wall = cairn_arena_alloc_where(ARENA, &dma, 1, 0, 100);
    assert_true(is_in(block, 0) && is_in(wall, 0));
    arena_fill(block, 200, 5);
    block = cairn_arena_realloc(ARENA, block, 300);
    assert_true(is_in(block, 2) && arena_is_filled(block, 200, 5));
    assert_null(cairn_arena_realloc(ARENA, block, REGION));
    assert_true(arena_is_filled(block, 200, 5));
    cairn_arena_free(ARENA, wall);
    cairn_arena_free(ARENA, block);
}

static void the_table_of_maps_stays_out_of_the_callers_regions(void **state)
{
    (void)state;
    add(0, 0, 0); // the break is not in use yet: this one is looked at first
    unsigned char *const mapped = arena_take(THRESHOLD);
    assert_true(arena_is_page(mapped));
    assert_int_equal(cairn_arena_remove(ARENA, &regions[0]), 0);
    memset(memory[0], 0xA5, REGION);
    arena_sound();
    cairn_arena_free(ARENA, mapped);
    arena_fixture.fail_at = 1; // nor where there is no other
    arena_fixture.fail_all = true;
    assert_true(cairn_arena_trim(ARENA, 0) == 0);
    add(0, 0, 0);
    unsigned char *const block = cairn_arena_alloc(ARENA, REGION / 4);
    assert_non_null(block);
    cairn_arena_free(ARENA, block);
    assert_int_equal(cairn_arena_remove(ARENA, &regions[0]), 0);
}

static bool any_number(void *context, struct cairn_arena *arena, size_t size)
{
    (void)context;
    (void)arena;
    (void)size;
    fail();
    return false;
}

static void no_wish_is_no_lack_of_memory(void **state)
{
    (void)state;
    arena_fixture.config.failed = any_number;
    assert_null(cairn_arena_alloc_where(ARENA, &ANY_MEMORY, 0, 0, 8));
    assert_int_equal(arena_stats().failures, 0);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    struct cairn_arena none = {0};
    assert_int_equal(cairn_arena_add(ARENA, NULL, memory[0], REGION, 0, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_add(ARENA, &regions[0], NULL, REGION, 0, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_add(ARENA, &regions[0], memory[0], 8, 0, 0), CAIRN_ENOMEM);
    assert_int_equal(cairn_arena_add(ARENA, &regions[0], memory[0], REGION, 0x80000000u, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_add(NULL, &regions[0], memory[0], REGION, 0, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_add(&none, &regions[0], memory[0], REGION, 0, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_remove(NULL, &regions[0]), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_remove(ARENA, NULL), CAIRN_EINVAL);
    assert_null(cairn_arena_region_of(NULL, memory[0]));
    assert_null(cairn_arena_region_of(ARENA, memory[0]));
    assert_int_equal(arena_stats().regions, 0);
}

// Neither the list nor what is live in it is touched.
static void a_region_that_is_there_is_not_added_again(void **state)
{
    (void)state;
    static _Alignas(16) unsigned char wide[3 * REGION];
    add(0, CAIRN_MEMORY_FAST, 0);
    struct cairn_arena_want fast = {CAIRN_MEMORY_FAST, 0};
    void *const block = cairn_arena_alloc_where(ARENA, &fast, 1, 0, 40);
    assert_non_null(block);
    assert_int_equal(cairn_arena_add(ARENA, &regions[0], memory[0], REGION, 0, 0), CAIRN_EBUSY);
    assert_int_equal(cairn_arena_add(ARENA, &regions[0], memory[1], REGION, 0, 0), CAIRN_EBUSY);
    assert_int_equal(cairn_arena_add(ARENA, &regions[1], memory[0], REGION, 0, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_add(ARENA, &regions[1], memory[0] + REGION - 32, 16, 0, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_add(ARENA, &regions[1], wide + REGION, REGION, 0, 0), 0);
    static struct cairn_arena_region other;
    assert_int_equal(cairn_arena_add(ARENA, &other, wide, REGION + 64, 0, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_add(ARENA, &other, wide, 3 * REGION, 0, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_add(ARENA, &other, wide + 2 * REGION - 64, REGION, 0, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_add(ARENA, &other, wide, REGION, 0, 0), 0);
    assert_int_equal(cairn_arena_check(ARENA, NULL), 0);
    assert_true(cairn_arena_region_of(ARENA, block) == &regions[0] && cairn_arena_usable_size(ARENA, block) >= 40);
    cairn_arena_free(ARENA, block);
    assert_int_equal(cairn_arena_remove(ARENA, &regions[0]), 0);
    assert_int_equal(cairn_arena_remove(ARENA, &regions[1]), 0);
    assert_int_equal(cairn_arena_remove(ARENA, &other), 0);
}

static void *never(void *context, void *address, size_t size, size_t new_size)
{
    (void)context;
    (void)address;
    (void)size;
    (void)new_size;
    return NULL;
}

static void a_port_that_is_not_whole_is_refused(void **state)
{
    struct cairn_arena arena;
    struct cairn_arena_config config = arena_fixture.config;
    struct cairn_port_region port = arena_fixture.port;
    (void)state;
    config.port = &port;
    assert_int_equal(cairn_arena_init(NULL, &config), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_init(&arena, NULL), CAIRN_EINVAL);
    port.room = NULL;
    assert_int_equal(cairn_arena_init(&arena, &config), CAIRN_EINVAL);
    port = arena_fixture.port;
    port.unmap = NULL;
    assert_int_equal(cairn_arena_init(&arena, &config), CAIRN_EINVAL);
    port = arena_fixture.port;
    port.remap = never;
    port.map = NULL;
    port.unmap = NULL;
    assert_int_equal(cairn_arena_init(&arena, &config), CAIRN_EINVAL);
    static const size_t pages[] = {0, 1, 8, 24, 4095};
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        port = arena_fixture.port;
        port.page = pages[i];
        assert_int_equal(cairn_arena_init(&arena, &config), CAIRN_EINVAL);
    }
    port = arena_fixture.port;
    config.fit = (enum cairn_fit)4;
    assert_int_equal(cairn_arena_init(&arena, &config), CAIRN_EINVAL);
    config.fit = CAIRN_FIT_BEST;
    config.attributes = CAIRN_MEMORY_FAST | 0x80000000u;
    assert_int_equal(cairn_arena_init(&arena, &config), CAIRN_EINVAL);
    config.attributes = 0;
    struct cairn_port_system system = arena_fixture.system;
    system.unlock = NULL;
    config.system = &system;
    assert_int_equal(cairn_arena_init(&arena, &config), CAIRN_EINVAL);
    config.system = NULL;
    assert_int_equal(cairn_arena_init(&arena, &config), 0);
    assert_int_equal(cairn_arena_deinit(&arena), 0);
}

static void regions_stand_before_those_that_the_arena_maps(void **state)
{
    (void)state;
    arena_fixture.port.brk = NULL;
    arena_fixture.port.room = NULL;
    arena_make();
    unsigned char *const mapped = arena_take(8);
    const struct cairn_arena_region *const its = cairn_arena_region_of(ARENA, mapped);
    assert_non_null(its);
    add(0, 0, 0);
    add(1, 0, 0);
    assert_ptr_equal(ARENA->first.next, &regions[0]);
    assert_ptr_equal(regions[0].next, &regions[1]);
    assert_ptr_equal(regions[1].next, its);
    assert_null(its->next);
    void *const block = cairn_arena_alloc(ARENA, 8);
    assert_true(is_in(block, 0));
    cairn_arena_free(ARENA, block);
    struct cairn_arena_region *const own = regions[1].next;
    assert_int_equal(cairn_arena_remove(ARENA, own), CAIRN_ENOENT);
    cairn_arena_free(ARENA, mapped);
    assert_int_equal(cairn_arena_remove(ARENA, own), CAIRN_ENOENT); // it would be lost to the port
    assert_int_equal(cairn_arena_remove(ARENA, &regions[0]), 0);
    assert_int_equal(cairn_arena_remove(ARENA, &regions[1]), 0);
}

static void a_step_of_half_of_all_addresses_never_trims(void **state)
{
    (void)state;
    arena_fixture.config.step = SIZE_MAX / 2 + 1;
    arena_fixture.config.trim = 0;
    arena_fixture.config.threshold = CAIRN_ARENA_NEVER;
    arena_make();
    assert_int_equal(ARENA->long_lists, 0);
    unsigned char *const block = arena_take(SPAN / 2);
    const size_t raised = arena_raised();
    cairn_arena_free(ARENA, block);
    assert_int_equal(arena_raised(), raised);
}

static jmp_buf stopped;
static const char *reason;

static void stop(void *context, const char *why)
{
    assert_ptr_equal(context, &arena_fixture);
    reason = why;
    longjmp(stopped, 1);
}

static void without_a_report_hook_the_port_panics(void **state)
{
    (void)state;
    static unsigned char elsewhere[16];
    arena_fixture.config.report = NULL;
    arena_fixture.system.panic = stop;
    unsigned char *const block = arena_take(8);
    unsigned char *const bad[] = {elsewhere, block + 1}; // refused by the arena; by a heap, if it looks
    for (volatile size_t i = 0; i < (IS_HARDENED ? 2 : 1); i++) {
        reason = "";
        if (setjmp(stopped) == 0) {
            cairn_arena_free(ARENA, bad[i]);
            fail();
        }
        assert_string_equal(reason, "cairn: a bad pointer");
        arena_fixture.depth = 0; // it did not come back to unlock
    }
    cairn_arena_free(ARENA, block);
}

static void a_broken_link_has_a_panic_of_its_own(void **state)
{
    (void)state;
    NEEDS_HARDENING;
    unsigned char kept[4][32];
    unsigned char *holes[4];
    unsigned char *walls[4];
    arena_fixture.config.report = NULL;
    arena_fixture.system.panic = stop;
    for (size_t i = 0; i < 4; i++) {
        holes[i] = arena_take(32);
        walls[i] = arena_take(8);
    }
    for (size_t i = 0; i < 4; i++) {
        cairn_arena_free(ARENA, holes[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        memcpy(kept[i], holes[i], 32);
        memset(holes[i], 0xFF, 32); // written after the free
    }
    reason = "";
    if (setjmp(stopped) == 0) {
        (void)cairn_arena_alloc(ARENA, 32);
        fail();
    }
    assert_string_equal(reason, "cairn: a broken link");
    arena_fixture.depth = 0;
    for (size_t i = 0; i < 4; i++) {
        memcpy(holes[i], kept[i], 32);
    }
    for (size_t i = 0; i < 4; i++) {
        cairn_arena_free(ARENA, walls[i]);
    }
}

static void a_system_without_a_lock_has_none_taken(void **state)
{
    (void)state;
    arena_fixture.system.lock = NULL;
    arena_fixture.system.unlock = NULL;
    unsigned char *const block = cairn_arena_realloc(ARENA, arena_take(40), 2 * THRESHOLD);
    assert_true(arena_is_filled(block, 40, 40));
    cairn_arena_free(ARENA, block);
    assert_int_equal(arena_fixture.locked, 0);
}

static void every_call_takes_the_lock_and_gives_it_back(void **state)
{
    (void)state;
    struct cairn_fault fault;
    const uint32_t before = arena_fixture.locked;
    void *block = cairn_arena_alloc(ARENA, 40);
    block = cairn_arena_realloc(ARENA, block, 80);
    block = cairn_arena_realloc(ARENA, block, 2 * THRESHOLD);
    block = cairn_arena_realloc(ARENA, block, THRESHOLD);
    assert_int_not_equal(cairn_arena_usable_size(ARENA, block), 0);
    cairn_arena_free(ARENA, block);
    assert_int_equal(cairn_arena_check(ARENA, &fault), 0);
    (void)arena_stats();
    (void)cairn_arena_trim(ARENA, 0);
    add(0, 0, 0);
    assert_int_equal(cairn_arena_remove(ARENA, &regions[0]), 0);
    assert_true(arena_fixture.locked >= before + 11);
    assert_int_equal(arena_fixture.depth, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_UNIT(a_request_gets_memory_of_its_kind),
        ARENA_UNIT(wishes_are_tried_in_their_order),
        ARENA_UNIT(small_blocks_stay_out_of_a_big_region),
        ARENA_UNIT(a_region_in_use_is_not_removed),
        ARENA_UNIT(realloc_leaves_a_full_region_for_one_of_its_kind),
        ARENA_UNIT(the_table_of_maps_stays_out_of_the_callers_regions),
        ARENA_UNIT(no_wish_is_no_lack_of_memory),
        ARENA_UNIT(bad_arguments_are_refused),
        ARENA_UNIT(a_region_that_is_there_is_not_added_again),
        ARENA_UNIT(a_port_that_is_not_whole_is_refused),
        ARENA_UNIT(regions_stand_before_those_that_the_arena_maps),
        ARENA_UNIT(a_step_of_half_of_all_addresses_never_trims),
        ARENA_UNIT(without_a_report_hook_the_port_panics),
        ARENA_UNIT(a_broken_link_has_a_panic_of_its_own),
        ARENA_UNIT(a_system_without_a_lock_has_none_taken),
        ARENA_UNIT(every_call_takes_the_lock_and_gives_it_back),
    };
    return cmocka_run_group_tests_name("regions", tests, NULL, NULL);
}
