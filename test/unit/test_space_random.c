// SPDX-License-Identifier: MIT
//
// OWNS        random calls of cairn/space_heap.h against a list of blocks: two spaces and children of theirs that diverge, transfers that fail, frames that run
//             out, others who move the break. After each call that fails all is as it was; every so often each block is compared, and each heap checked as a
//             heap in memory (space_fixture.h).
// CALLERS     ctest, on every preset: test_space_random [SEED [LIVES]]. lib/inner.
#include "space_fixture.h"

#include "prng.h"
#include "scale.h"

#include <stdio.h>

#define BLOCKS 40u
#define SPACES 3u

struct block {
    cairn_vaddr_t address; // 0: none
    uint32_t size, seed;
};

struct owner {
    struct cairn_space *space; // NULL: none
    struct block blocks[BLOCKS];
};

static struct owner owners[SPACES];
static struct cairn_space child;
static struct prng prng;
static uint32_t failed, made;
static uint32_t first = 1, lives, seed_now;

static void compare(const struct owner *owner)
{
    for (uint32_t i = 0; owner->space != NULL && i < BLOCKS; i++) {
        const struct block *const block = &owner->blocks[i];
        if (block->address != 0) {
            assert_true(space_size(owner->space, block->address) >= block->size);
            assert_true(space_holds(owner->space, block->address, block->size, block->seed));
        }
    }
    if (owner->space != NULL) {
        space_whole(owner->space);
    }
}

static uint32_t random_size(void)
{
    const uint32_t kind = prng_below(&prng, 8);
    return 1 + prng_below(&prng, kind == 0 ? 4000 : kind < 3 ? 700 : 120);
}

// A call may fail now and then.
static void disturb(void)
{
    const uint32_t kind = prng_below(&prng, 6);
    sf.store.fail_read = kind == 0 ? sf.store.reads + prng_below(&prng, 6) : FAULTY_NEVER;
    sf.store.fail_write = kind == 1 ? sf.store.writes + prng_below(&prng, 6) : FAULTY_NEVER;
    sf.store.fails_on = kind == 1;
}

static void calm(int error)
{
    sf.store.fail_read = sf.store.fail_write = FAULTY_NEVER;
    assert_true(error == 0 || error == CAIRN_ENOMEM || error == FAULTY_ERROR);
    failed += error != 0;
    made++;
}

static void a_block(struct owner *owner, struct block *block)
{
    struct cairn_space *const space = owner->space;
    const uint32_t size = random_size();
    const uint32_t kind = prng_below(&prng, 4);
    const uint64_t alignment = (uint64_t)1 << prng_below(&prng, 9);
    cairn_vaddr_t address = 0;
    disturb();
    const int error = kind == 0   ? cairn_space_calloc(space, 1, size, &address)
                      : kind == 1 ? cairn_space_memalign(space, alignment, size, &address)
                                  : cairn_space_malloc(space, size, &address);
    calm(error);
    if (error != 0) {
        assert_int_equal(address, 0);
        return;
    }
    assert_true(kind != 0 || space_is_zeros(space, address, size));
    assert_true(kind != 1 || address % alignment == 0);
    *block = (struct block){address, size, prng_next(&prng) & 0xFFFF};
    space_write(space, address, size, block->seed);
}

static void another_size(struct owner *owner, struct block *block)
{
    struct cairn_space *const space = owner->space;
    const uint32_t size = random_size();
    cairn_vaddr_t address = block->address;
    disturb();
    const int error = cairn_space_realloc(space, &address, size);
    calm(error);
    if (error != 0) {
        assert_int_equal(address, block->address);
        return;
    }
    assert_true(space_holds(space, address, size < block->size ? size : block->size, block->seed));
    *block = (struct block){address, size, prng_next(&prng) & 0xFFFF};
    space_write(space, address, size, block->seed);
}

static void no_block(struct owner *owner, struct block *block)
{
    disturb();
    const int error = cairn_space_free(owner->space, block->address);
    calm(error);
    if (error == 0) {
        assert_int_equal(cairn_space_free(owner->space, block->address), CAIRN_EINVAL);
        block->address = 0;
    }
}

static void begin(struct owner *owner, struct cairn_space *space)
{
    memset(owner, 0, sizeof *owner);
    owner->space = space;
}

// The third space is a child of one of the others, and ends again.
static void fork_or_end(void)
{
    struct owner *const third = &owners[2];
    if (third->space != NULL) {
        compare(third);
        assert_int_equal(cairn_space_deinit(third->space), 0);
        third->space = NULL;
        return;
    }
    const struct owner *const parent = &owners[prng_below(&prng, 2)];
    if (cairn_space_fork(&child, parent->space) == 0) {
        *third = *parent;
        third->space = &child;
    }
}

static void step(void)
{
    struct owner *const owner = &owners[prng_below(&prng, SPACES)];
    struct block *const block = &owner->blocks[prng_below(&prng, BLOCKS)];
    const uint32_t what = prng_below(&prng, 200);
    if (what == 0) {
        fork_or_end();
    } else if (owner->space == NULL) {
        return;
    } else if (what == 1) {
        (void)!cairn_space_sbrk(owner->space, (ptrdiff_t)prng_below(&prng, 200), NULL);
    } else if (what < 4) {
        disturb();
        calm(cairn_space_malloc_trim(owner->space, prng_below(&prng, 500)));
    } else if (what < 6) {
        space_send_away(owner->space);
    } else if (what == 6) {
        space_leave_frames(8 + prng_below(&prng, FRAMES - 7));
    } else if (what == 7) {
        assert_true(cairn_space_free(owner->space, prng_below(&prng, PAGES * PAGE / 8) * 8 + 1) == CAIRN_EINVAL);
    } else if (block->address == 0) {
        a_block(owner, block);
    } else if (what < 80) {
        another_size(owner, block);
    } else {
        no_block(owner, block);
    }
}

// From two spaces without a heap to their end: the break only rises, so that none may last for ever.
static void live(uint32_t seed, uint32_t steps)
{
    const struct cairn_space_heap_config config = {.max = 40 * 1024, .threshold = 16 * PAGE, .step = 3 * PAGE};
    seed_now = seed;
    prng_seed(&prng, seed);
    begin(&owners[0], SPACE);
    begin(&owners[1], OTHER);
    begin(&owners[2], NULL);
    assert_int_equal(cairn_space_heap_init(SPACE, &config), 0); // the other has the defaults
    for (uint32_t i = 0; i < steps; i++) {
        step();
        if (i % 128 == 0) {
            space_leave_frames(FRAMES);
            compare(&owners[i / 128 % SPACES]);
        }
    }
    space_leave_frames(FRAMES);
    for (uint32_t i = 0; i < SPACES; i++) {
        compare(&owners[i]);
    }
}

static void random_calls(void **state)
{
    const uint32_t steps = fx_scale(2500, 20000, 20000);
    lives = lives != 0 ? lives : fx_scale(1, FX_LONG ? 65 : 1, FX_LONG ? 650 : 30); // of 13 steps ten are calls
    for (uint32_t seed = first; seed - first < lives; seed++) {
        live(seed, steps);
        assert_int_equal(space_teardown(state), 0);
        assert_int_equal(space_setup(state), 0);
    }
    print_message("%u calls, %u of which failed\n", (unsigned)made, (unsigned)failed);
    assert_true(failed > lives * (steps / 300) && made > lives * (steps / 13 * 10));
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        SPACE_UNIT(random_calls),
    };
    first = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : first;
    lives = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    const int lost = cmocka_run_group_tests_name("space_random", tests, NULL, NULL);
    if (lost != 0) {
        printf("seed %u\n", (unsigned)seed_now);
    }
    return lost;
}
