// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/arena/figures.c: statistics, the check and what it finds, the end.
// CALLERS     ctest, on every preset.
#include "arena_fixture.h"

static void the_figures_add_up(void **state)
{
    (void)state;
    static _Alignas(16) unsigned char memory[512];
    static struct cairn_arena_region region;
    unsigned char *const small = arena_take(40);
    unsigned char *const mapped = arena_take(3 * PAGE);
    assert_int_equal(cairn_arena_add(ARENA, &region, memory, sizeof memory, CAIRN_MEMORY_FAST, 0), 0);
    const struct cairn_arena_stats now = arena_stats();
    assert_int_equal(now.regions, 2);
    assert_int_equal(now.used_blocks, 2); // the table too
    assert_int_equal(now.mapped_blocks, 1);
    assert_int_equal(now.mapped, 3 * PAGE);
    assert_in_range(now.system, arena_raised() + sizeof memory + 3 * PAGE - 6 * G, arena_raised() + sizeof memory + 3 * PAGE);
    assert_true(now.used >= 40 && now.used + now.free < arena_raised() + sizeof memory);
    assert_true(now.largest_free <= now.free && now.top <= now.free && now.top != 0);
    cairn_arena_free(ARENA, small);
    cairn_arena_free(ARENA, mapped);
    assert_int_equal(cairn_arena_remove(ARENA, &region), 0);
}

static void the_check_names_a_table_that_is_not_whole(void **state)
{
    (void)state;
    struct cairn_fault fault;
    unsigned char *const first = arena_take(THRESHOLD);
    unsigned char *const second = arena_take(THRESHOLD);
    struct cairn_arena_map *const maps = ARENA->maps;
    const struct cairn_arena_map kept[2] = {maps[0], maps[1]};
    const size_t mapped = ARENA->mapped;
    const uint16_t room = ARENA->map_room;
    for (uint32_t i = 0; i < 7; i++) {
        switch (i) {
        case 0: maps[0].size += 16; break;
        case 1: maps[1].address += 16; break;
        case 2: maps[0] = kept[1], maps[1] = kept[0]; break;
        case 3: ARENA->mapped++; break;
        case 4: maps[0].size = 0; break;
        case 5: ARENA->map_room = 1; break;
        default: maps[0].size += PAGE; break; // into the next one
        }
        assert_int_equal(cairn_arena_check(ARENA, &fault), CAIRN_ECORRUPT);
        assert_int_equal(fault.rule, CAIRN_RULE_A1);
        assert_ptr_equal(fault.address, maps);
        assert_int_equal(cairn_arena_check(ARENA, NULL), CAIRN_ECORRUPT);
        maps[0] = kept[0];
        maps[1] = kept[1];
        ARENA->mapped = mapped;
        ARENA->map_room = room;
        arena_sound();
    }
    cairn_arena_free(ARENA, first);
    cairn_arena_free(ARENA, second);
}

struct seen {
    size_t used, free, mapped;
    uint32_t blocks;
    uint32_t stop_at; // the number of the block at which it stops; 0: none
    const void *last;
};

static int see(void *context, const struct cairn_block *block)
{
    struct seen *const seen = context;
    seen->last = block->address;
    if (++seen->blocks == seen->stop_at) {
        return 7;
    }
    *(arena_is_page(block->address) ? &seen->mapped : block->used ? &seen->used : &seen->free) += block->size;
    return 0;
}

static void a_walk_shows_each_block_once(void **state)
{
    (void)state;
    static _Alignas(16) unsigned char memory[512];
    static struct cairn_arena_region region;
    assert_int_equal(cairn_arena_walk(NULL, see, NULL), 0);
    assert_int_equal(cairn_arena_walk(ARENA, NULL, NULL), 0);
    struct seen seen = {0};
    assert_int_equal(cairn_arena_walk(ARENA, see, &seen), 0); // nothing is asked for yet
    assert_int_equal(seen.blocks, 0);

    unsigned char *const small = arena_take(40);
    unsigned char *const mapped = arena_take(2 * PAGE);
    unsigned char *const more = arena_take(3 * PAGE);
    assert_int_equal(cairn_arena_add(ARENA, &region, memory, sizeof memory, CAIRN_MEMORY_FAST, 0), 0);
    const struct cairn_arena_stats now = arena_stats();
    assert_int_equal(cairn_arena_walk(ARENA, see, &seen), 0);
    assert_int_equal(seen.used, now.used);
    assert_int_equal(seen.free, now.free);
    assert_int_equal(seen.mapped, now.mapped);
    assert_int_equal(seen.blocks, now.used_blocks + now.free_blocks + now.mapped_blocks);
    assert_int_equal(arena_fixture.depth, 0);

    for (uint32_t stop = 1; stop <= seen.blocks; stop++) {
        struct seen some = {.stop_at = stop};
        assert_int_equal(cairn_arena_walk(ARENA, see, &some), 7);
        assert_int_equal(some.blocks, stop);
        assert_int_equal(arena_fixture.depth, 0);
    }
    assert_ptr_equal(seen.last, (uintptr_t)mapped > (uintptr_t)more ? mapped : more);

    arena_fixture.unmaps = 1;
    cairn_arena_free(ARENA, mapped); // the port keeps its pages
    seen = (struct seen){0};
    assert_int_equal(cairn_arena_walk(ARENA, see, &seen), 0);
    assert_int_equal(seen.mapped, 3 * PAGE);
    cairn_arena_free(ARENA, more);
    cairn_arena_free(ARENA, small);
    assert_int_equal(cairn_arena_remove(ARENA, &region), 0);
}

static void the_check_looks_into_every_heap(void **state)
{
    (void)state;
    static _Alignas(16) unsigned char memory[512];
    static struct cairn_arena_region region;
    struct cairn_fault fault;
    void *const block = arena_take(8);
    assert_int_equal(cairn_arena_add(ARENA, &region, memory, sizeof memory, 0, 0), 0);
    region.heap.control->used++;
    assert_int_equal(cairn_arena_check(ARENA, &fault), CAIRN_ECORRUPT);
    assert_int_equal(fault.rule, CAIRN_RULE_T8);
    region.heap.control->used--;
    ARENA->first.heap.control->blocks++;
    assert_int_equal(cairn_arena_check(ARENA, &fault), CAIRN_ECORRUPT);
    assert_int_equal(fault.rule, CAIRN_RULE_T8);
    ARENA->first.heap.control->blocks--;
    assert_int_equal(cairn_arena_check(ARENA, &fault), 0);
    assert_int_equal(fault.rule, CAIRN_RULE_NONE);
    cairn_arena_free(ARENA, block);
}

static void the_end_gives_everything_back_whatever_is_live(void **state)
{
    (void)state;
    (void)arena_take(100);
    (void)arena_take(THRESHOLD);
    (void)arena_take(2 * THRESHOLD);
    assert_int_equal(cairn_arena_deinit(ARENA), 0);
    assert_int_equal(arena_raised(), 0);
    assert_int_equal(arena_used_pages(), 0);
    assert_null(cairn_arena_alloc(ARENA, 8));
    assert_int_equal(cairn_arena_deinit(ARENA), CAIRN_EINVAL);
    assert_int_equal(arena_fixture.depth, 0);
}

static void an_end_that_failed_keeps_the_table_of_what_is_left(void **state)
{
    (void)state;
    arena_fixture.port.brk = NULL;
    arena_fixture.port.room = NULL;
    arena_fixture.config.threshold = PAGE;
    arena_make();
    void *const wall = baremetal_map(arena_fixture.port.context, 10 * PAGE, PAGE); // no room for a roomy region
    unsigned char *const block = arena_take(PAGE);
    assert_int_equal(arena_stats().mapped_blocks, 1);
    assert_true(arena_is_page(ARENA->maps)); // in a region that was mapped
    arena_fixture.unmaps = 1;
    assert_int_equal(cairn_arena_deinit(ARENA), CAIRN_EBUSY);
    arena_sound();
    assert_true(arena_is_filled(block, PAGE, PAGE));
    assert_int_equal(cairn_arena_usable_size(ARENA, block), PAGE);
    assert_int_equal(cairn_arena_deinit(ARENA), 0);
    assert_int_equal(arena_used_pages(), 10);
    assert_int_equal(baremetal_unmap(arena_fixture.port.context, wall, 10 * PAGE), 0);
}

static void trim_counts_what_the_table_gives_back(void **state)
{
    (void)state;
    unsigned char *const mapped = arena_take(THRESHOLD); // the table is the only block of the break
    cairn_arena_free(ARENA, mapped);
    void *const first = arena_take(G);
    assert_true(cairn_arena_extend_(ARENA, TRIM));
    assert_int_not_equal(cairn_arena_lower_(ARENA, TRIM - 3 * G), 0); // with the table's place it is long enough to be trimmed
    cairn_arena_free(ARENA, first);
    const size_t raised = arena_raised();
    const size_t given = cairn_arena_trim(ARENA, CAIRN_ARENA_NEVER);
    assert_null(ARENA->maps);
    assert_int_equal(raised - arena_raised(), given);
}

static void pages_that_the_port_keeps_are_still_the_systems(void **state)
{
    (void)state;
    unsigned char *const mapped = arena_take(3 * PAGE);
    const size_t system = arena_stats().system;
    arena_fixture.unmaps = 1;
    cairn_arena_free(ARENA, mapped);
    assert_int_equal(arena_stats().system, system);
    assert_int_equal(arena_stats().mapped, 0);
    assert_int_equal(cairn_arena_trim(ARENA, CAIRN_ARENA_NEVER), 3 * PAGE);
    assert_int_equal(arena_stats().system, system - 3 * PAGE);
}

static void a_region_that_was_mapped_is_the_systems_to_its_last_page(void **state)
{
    (void)state;
    arena_fixture.port.brk = NULL;
    arena_fixture.port.room = NULL;
    arena_make();
    unsigned char *const block = arena_take(100);
    const size_t system = arena_stats().system;
    assert_int_equal(system, arena_used_pages() * PAGE);
    cairn_arena_free(ARENA, block);
    assert_int_equal(cairn_arena_trim(ARENA, 0), system);
    assert_int_equal(arena_stats().system, 0);
}

static void a_break_that_others_use_stays(void **state)
{
    (void)state;
    (void)arena_take(100);
    const size_t raised = arena_raised();
    assert_non_null(baremetal_brk(arena_fixture.port.context, 32));
    assert_int_equal(cairn_arena_deinit(ARENA), 0);
    assert_int_equal(arena_raised(), raised + 32);
}

static void what_others_have_in_the_middle_of_the_break_stays(void **state)
{
    (void)state;
    for (size_t size = 29; size <= 32; size += 3) {
        (void)arena_take(100);
        unsigned char *const theirs = baremetal_brk(arena_fixture.port.context, (ptrdiff_t)size);
        memset(theirs, 0x77, size);
        assert_true((unsigned char *)cairn_arena_alloc(ARENA, 400) > theirs);
        assert_int_equal(cairn_arena_deinit(ARENA), 0);
        assert_int_equal(arena_raised(), theirs + size - arena_span);
        for (size_t at = 0; at < size; at++) {
            assert_int_equal(theirs[at], 0x77);
        }
        arena_make(); // behind it
    }
    assert_int_equal(cairn_arena_deinit(ARENA), 0);
}

static void nothing_answers_with_zeros(void **state)
{
    struct cairn_arena_stats stats;
    struct cairn_arena none = {0};
    (void)state;
    memset(&stats, 0xFF, sizeof stats);
    cairn_arena_stats(NULL, &stats);
    assert_int_equal(stats.system, 0);
    assert_int_equal(stats.failures, 0);
    cairn_arena_stats(ARENA, NULL);
    assert_int_equal(cairn_arena_trim(NULL, 0), 0);
    assert_int_equal(cairn_arena_trim(&none, 0), 0);
    assert_int_equal(cairn_arena_check(NULL, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_deinit(NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_deinit(&none), CAIRN_EINVAL);
    assert_int_equal(cairn_arena_trim(ARENA, 0), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_UNIT(the_figures_add_up),
        ARENA_UNIT(the_check_names_a_table_that_is_not_whole),
        ARENA_UNIT(a_walk_shows_each_block_once),
        ARENA_UNIT(the_check_looks_into_every_heap),
        ARENA_UNIT(the_end_gives_everything_back_whatever_is_live),
        ARENA_UNIT(an_end_that_failed_keeps_the_table_of_what_is_left),
        ARENA_UNIT(trim_counts_what_the_table_gives_back),
        ARENA_UNIT(pages_that_the_port_keeps_are_still_the_systems),
        ARENA_UNIT(a_region_that_was_mapped_is_the_systems_to_its_last_page),
        ARENA_UNIT(a_break_that_others_use_stays),
        ARENA_UNIT(what_others_have_in_the_middle_of_the_break_stays),
        ARENA_UNIT(nothing_answers_with_zeros),
    };
    return cmocka_run_group_tests_name("figures", tests, NULL, NULL);
}
