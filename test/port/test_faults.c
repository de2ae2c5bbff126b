// SPDX-License-Identifier: MIT
//
// OWNS        the proof that no failure of a port damages an arena: a life of an arena in which the nth call of the port fails, for every n, alone or with
//             all behind it; and lives in which calls fail at random.
// PICTURE     test_faults [SEED [LIVES]]
// CALLERS     ctest, on every preset.
#include "arena_fixture.h"

#include "model/arguments.h"
#include "prng.h"

#define BLOCKS 12u
#define OPERATIONS 120u

struct life {
    struct prng prng;
    unsigned char *blocks[BLOCKS];
    size_t sizes[BLOCKS];
    uint32_t refused; // requests that failed
};

// Mostly small, some that are mapped.
static size_t some_size(struct prng *prng)
{
    const uint32_t kind = prng_below(prng, 8);
    return 1 + prng_below(prng, kind == 0 ? 4 * THRESHOLD : kind < 3 ? THRESHOLD : 80);
}

static void change(struct life *life, uint32_t slot)
{
    const size_t size = some_size(&life->prng);
    const size_t old_size = life->sizes[slot];
    unsigned char *const old = life->blocks[slot];
    unsigned char *const to = cairn_arena_realloc(ARENA, old, size);
    if (to == NULL) {
        life->refused++;
        assert_true(old == NULL || size > old_size); // shrinking never fails
        assert_true(old == NULL || arena_is_filled(old, old_size, slot));
        return;
    }
    assert_true(old == NULL || arena_is_filled(to, size < old_size ? size : old_size, slot));
    arena_fill(to, size, slot);
    life->blocks[slot] = to;
    life->sizes[slot] = size;
}

static void make(struct life *life, uint32_t slot)
{
    const size_t size = some_size(&life->prng);
    const size_t alignment = (size_t)1 << prng_below(&life->prng, 10);
    unsigned char *const block = prng_below(&life->prng, 4) == 0 ? cairn_arena_aligned_alloc(ARENA, alignment, size) : cairn_arena_alloc(ARENA, size);
    if (block == NULL) {
        life->refused++;
        return;
    }
    arena_fill(block, size, slot);
    life->blocks[slot] = block;
    life->sizes[slot] = size;
}

static void end_block(struct life *life, uint32_t slot)
{
    assert_true(life->blocks[slot] == NULL || arena_is_filled(life->blocks[slot], life->sizes[slot], slot));
    cairn_arena_free(ARENA, life->blocks[slot]);
    life->blocks[slot] = NULL;
}

// Live for so many operations; each leaves an arena that passes the check.
static uint32_t live(uint32_t seed, uint32_t operations)
{
    struct life life = {0};
    prng_seed(&life.prng, seed);
    for (uint32_t i = 0; i < operations; i++) {
        const uint32_t slot = prng_below(&life.prng, BLOCKS);
        const uint32_t kind = prng_below(&life.prng, 16);
        if (kind == 0) {
            (void)cairn_arena_trim(ARENA, prng_below(&life.prng, 600));
        } else if (life.blocks[slot] == NULL) {
            make(&life, slot);
        } else if (kind < 7) {
            change(&life, slot);
        } else {
            end_block(&life, slot);
        }
        arena_sound();
        assert_int_equal(arena_fixture.reports, 0);
    }
    for (uint32_t slot = 0; slot < BLOCKS; slot++) {
        end_block(&life, slot);
    }
    return life.refused;
}

// A new arena, a new port.
static void begin(uint32_t fail_at, bool all)
{
    assert_int_equal(arena_setup(NULL), 0);
    arena_fixture.fail_at = fail_at;
    arena_fixture.fail_all = all;
}

static uint32_t first_seed = 1;
static uint32_t lives = 60;

static void every_call_of_the_port_fails_once(void **state)
{
    (void)state;
    for (uint32_t seed = first_seed; seed < first_seed + 3; seed++) {
        begin(0, false);
        (void)live(seed, OPERATIONS);
        const uint32_t calls = arena_fixture.calls;
        assert_int_equal(arena_teardown(NULL), 0);
        print_message("seed %u: %u calls of the port\n", (unsigned)seed, (unsigned)calls);
        assert_true(calls >= 10);
        for (uint32_t n = 1; n <= calls; n++) {
            for (uint32_t all = 0; all < 2; all++) {
                begin(n, all != 0);
                (void)live(seed, OPERATIONS);
                assert_int_equal(arena_teardown(NULL), 0); // nothing has leaked
            }
        }
    }
    begin(0, false);
}

static void calls_fail_at_random(void **state)
{
    (void)state;
    uint32_t refused = 0;
    print_message("seed %u, %u lives\n", (unsigned)first_seed, (unsigned)lives);
    for (uint32_t seed = first_seed; seed < first_seed + lives; seed++) {
        begin(1 + seed % 40, seed % 3 == 0);
        refused += live(seed, 150);
        assert_int_equal(arena_teardown(NULL), 0);
    }
    assert_true(lives < 10 || refused != 0);
    begin(0, false);
}

int main(int argc, char **argv)
{
    read_arguments(argc, argv, 50, &first_seed, &lives);
    static const struct CMUnitTest tests[] = {
        ARENA_UNIT(every_call_of_the_port_fails_once),
        ARENA_UNIT(calls_fail_at_random),
    };
    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
