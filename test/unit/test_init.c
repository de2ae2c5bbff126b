// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/heap/init.c: every region and every configuration, good or bad.
// CALLERS     ctest, on every preset.
#include "fixture.h"

static struct cairn_heap_config config;
static uint32_t tags[80];

static int init(void *region, size_t size)
{
    return cairn_heap_init(HEAP, region, size, &config);
}

// The call fails so, and has written neither the handle nor the region.
static void assert_init_fails(void *region, size_t size, int error)
{
    struct cairn_heap kept;
    memset(&fixture.heap, 0x3C, sizeof fixture.heap);
    kept = fixture.heap;
    memcpy(fixture_copy, fixture_region, sizeof fixture_copy);
    assert_int_equal(init(region, size), error);
    assert_memory_equal(&kept, &fixture.heap, sizeof kept);
    assert_memory_equal(fixture_region, fixture_copy, sizeof fixture_copy);
    fixture.heap.control = NULL;
}

static int setup(void **state)
{
    memset(&config, 0, sizeof config);
    return fixture_setup(state);
}

// From no byte on: not enough room, until it is enough, and from there on always; the granules only become more.
static void every_size_is_an_error_or_a_heap(void **state)
{
    size_t smallest = 0;
    uint32_t before = 0;
    (void)state;
    for (size_t size = 0; size <= FIXTURE_REGION; size++) {
        if (smallest == 0 && init(fixture_region, size) != 0) {
            assert_init_fails(fixture_region, size, CAIRN_ENOMEM);
            continue;
        }
        smallest = smallest == 0 ? size : smallest;
        memset(fixture_region + size, 0xC3, FIXTURE_REGION - size);
        assert_int_equal(init(fixture_region, size), 0);
        assert_blocks(0, 1);
        assert_in_range(CONTROL->granules, before, before + 1);
        before = CONTROL->granules;
        assert_int_equal(stats().size + stats().overhead <= size, 1);
        void *const block = cairn_heap_alloc(HEAP, stats().size);
        assert_non_null(block);
        memset(block, 0x5A, stats().size);
        assert_sound();
        cairn_heap_free(HEAP, block);
        for (size_t i = size; i < FIXTURE_REGION; i++) {
            assert_int_equal(fixture_region[i], 0xC3);
        }
    }
    assert_in_range(smallest, 48, 128);
}

static void every_lead_gives_an_aligned_heap(void **state)
{
    (void)state;
    for (size_t lead = 0; lead < 16; lead++) {
        for (size_t size = 1000; size < 1000 + 2 * G; size++) {
            fixture_region[lead == 0 ? 0 : lead - 1] = 0xC3;
            fixture_region[lead + size] = 0xC3;
            assert_int_equal(init(fixture_region + lead, size), 0);
            assert_int_equal((uintptr_t)CONTROL % G, 0);
            assert_int_equal((uintptr_t)at(1) % G, 0);
            assert_int_equal(fill_up(1), CONTROL->granules);
            assert_sound();
            assert_true((unsigned char *)at(fence_of(CONTROL)) <= fixture_region + lead + size);
            free_all();
            assert_blocks(0, 1);
            assert_true(lead == 0 || fixture_region[lead - 1] == 0xC3);
            assert_int_equal(fixture_region[lead + size], 0xC3);
        }
    }
}

static void a_misaligned_region_may_be_too_small(void **state)
{
    (void)state;
    for (size_t lead = 0; lead < 16; lead++) {
        for (size_t size = 0; size < 120; size++) {
            if (init(fixture_region + lead, size) != 0) {
                assert_init_fails(fixture_region + lead, size, CAIRN_ENOMEM);
            } else {
                assert_blocks(0, 1);
            }
        }
    }
    fixture.heap.control = NULL;
}

static void null_arguments_are_refused(void **state)
{
    (void)state;
    assert_init_fails(NULL, FIXTURE_REGION, CAIRN_EINVAL);
    assert_init_fails(NULL, 0, CAIRN_EINVAL);
    assert_int_equal(cairn_heap_init(NULL, fixture_region, FIXTURE_REGION, &config), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_init(NULL, NULL, 0, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_heap_init(HEAP, fixture_region, FIXTURE_REGION, NULL), 0); // all defaults
    assert_int_equal(CONTROL->search, CAIRN_SEARCH_DEFAULT);
    assert_null(HEAP->hooks);
}

static uint32_t lock(void *context)
{
    (void)context;
    return 0;
}

static void unlock(void *context, uint32_t key)
{
    (void)context;
    (void)key;
}

static void a_bad_configuration_is_refused(void **state)
{
    static const struct cairn_heap_hooks without_code = {.report = NULL};
    static const struct cairn_heap_hooks without_unlock = {.hooked = CAIRN_HOOKED, .lock = lock};
    static const struct cairn_heap_hooks without_lock = {.hooked = CAIRN_HOOKED, .unlock = unlock};
    (void)state;
    config.hooks = &without_code;
    assert_init_fails(fixture_region, FIXTURE_REGION, CAIRN_EINVAL);
    config.hooks = &without_unlock;
    assert_init_fails(fixture_region, FIXTURE_REGION, CAIRN_EINVAL);
    config.hooks = &without_lock;
    assert_init_fails(fixture_region, FIXTURE_REGION, CAIRN_EINVAL);
    config.hooks = NULL;
    config.fit = (enum cairn_fit)(CAIRN_FIT_BOUNDED + 1);
    assert_init_fails(fixture_region, FIXTURE_REGION, CAIRN_EINVAL);
    config.fit = (enum cairn_fit)120;
    assert_init_fails(fixture_region, FIXTURE_REGION, CAIRN_EINVAL);
    config.fit = CAIRN_FIT_BEST;
    config.max_size = FIXTURE_REGION - 1;
    assert_init_fails(fixture_region, FIXTURE_REGION, CAIRN_EINVAL);
    config.max_size = 1;
    assert_init_fails(fixture_region, FIXTURE_REGION, CAIRN_EINVAL);
    config.max_size = 0;
    config.tags_size = sizeof tags - 4;
    for (uintptr_t i = 1; i < 4; i++) {
        config.tags = (unsigned char *)tags + i;
        assert_init_fails(fixture_region, FIXTURE_REGION, CAIRN_EINVAL);
    }
}

static void a_region_that_wraps_around_is_refused(void **state)
{
    (void)state;
    for (uintptr_t before = 0; before < 200; before += 7) {
        void *const region = (void *)(UINTPTR_MAX - before);
        for (size_t more = 1; more < 100; more += 11) {
            assert_int_not_equal(init(region, before + more), 0);
        }
        fixture.heap.control = NULL;
    }
    assert_init_fails((void *)(UINTPTR_MAX - 100), 2000, CAIRN_EOVERFLOW);
    assert_init_fails((void *)(UINTPTR_MAX - 4000), 5000, CAIRN_EOVERFLOW);
    assert_init_fails((void *)(UINTPTR_MAX - 4000), SIZE_MAX, CAIRN_EOVERFLOW);
    assert_init_fails(fixture_region, SIZE_MAX, CAIRN_EOVERFLOW);
    assert_init_fails(fixture_region, SIZE_MAX - 7, CAIRN_EOVERFLOW);
    config.max_size = SIZE_MAX;
    assert_init_fails(fixture_region, FIXTURE_REGION, CAIRN_EOVERFLOW);
    config.max_size = SIZE_MAX - (uintptr_t)fixture_region + 1;
    assert_init_fails(fixture_region, FIXTURE_REGION, CAIRN_EOVERFLOW);
}

static void more_than_the_layout_can_number_is_refused(void **state)
{
    const size_t most = front_bytes(GRANULES_MAX, false) + bytes_of(GRANULES_MAX);
    (void)state;
    assert_init_fails(fixture_region, most + 8 * G, CAIRN_EOVERFLOW);
    config.max_size = most + 8 * G;
    assert_init_fails(fixture_region, FIXTURE_REGION, CAIRN_EOVERFLOW);
    config.max_size = most; // can be numbered, but its tags do not fit this region
    assert_init_fails(fixture_region, FIXTURE_REGION,
                      most > UINTPTR_MAX - (uintptr_t)fixture_region ? CAIRN_EOVERFLOW : CAIRN_ENOMEM);
    assert_int_equal(cairn_heap_control_size(most + 8 * G), 0);
    assert_int_equal(cairn_heap_tags_size(most + 8 * G + front_bytes(GRANULES_MAX, false)), 0);
    assert_int_equal(cairn_heap_control_size(SIZE_MAX), 0);
    assert_int_equal(cairn_heap_tags_size(SIZE_MAX), 0);
    assert_int_equal(cairn_heap_tags_size(SIZE_MAX / 4 * 3), 0);
    if (most <= SIZE_MAX / 2) { // granules of 16 bytes number half of a 32-bit address space
        assert_int_equal(cairn_heap_tags_size(SIZE_MAX / 2 + 1), 0);
    }
    assert_int_equal(cairn_heap_control_size(most), control_bytes(GRANULES_MAX));
}

static void the_sizes_told_are_the_sizes_used(void **state)
{
    (void)state;
    for (size_t size = 100; size <= FIXTURE_REGION; size += 13) {
        if (init(fixture_region, size) == 0) {
            assert_int_equal(cairn_heap_control_size(size), control_bytes(CONTROL->limit));
            assert_int_equal(stats().overhead, control_bytes(CONTROL->limit) + tags_bytes(CONTROL->limit));
        }
    }
    assert_int_not_equal(cairn_heap_control_size(0), 0);
    assert_int_not_equal(cairn_heap_tags_size(0), 0);
}

static void tags_may_lie_outside(void **state)
{
    (void)state;
    for (size_t size = 64; size <= FIXTURE_REGION; size += 37) {
        const size_t needed = cairn_heap_tags_size(size);
        if (needed >= sizeof tags) {
            break;
        }
        memset(tags, 0xC3, sizeof tags);
        config.tags = tags;
        config.tags_size = needed - 1;
        assert_init_fails(fixture_region, size, CAIRN_ENOMEM);
        config.tags_size = needed;
        if (init(fixture_region, size) != 0) {
            continue;
        }
        assert_ptr_equal((void *)TAGS, (void *)tags);
        assert_int_equal(fill_up(1), CONTROL->granules);
        assert_sound();
        free_all();
        assert_blocks(0, 1);
        assert_int_equal(((unsigned char *)tags)[needed], 0xC3);
    }
}

// At any place in the region, as it is and as it may become, and across either end.
static void tags_in_the_region_are_refused(void **state)
{
    const size_t needed = cairn_heap_tags_size(FIXTURE_REGION) & ~(size_t)3;
    unsigned char *const region = fixture_region + FIXTURE_REGION / 4; // of a half, or all that is behind
    const size_t size = FIXTURE_REGION / 2;
    (void)state;
    config.tags_size = needed;
    for (int may_grow = 0; may_grow < 2; may_grow++) {
        const size_t most = may_grow != 0 ? FIXTURE_REGION / 4 * 3 : size;
        config.max_size = may_grow != 0 ? most : 0;
        for (size_t at = FIXTURE_REGION / 4 - needed + 4; at < FIXTURE_REGION / 4 + most; at += 4) {
            config.tags = fixture_region + at;
            assert_init_fails(region, size, CAIRN_EINVAL);
        }
        config.tags = region - needed;
        assert_int_equal(init(region, size), 0);
        config.tags = region + most;
        assert_int_equal(may_grow != 0 ? 0 : init(region, size), 0);
    }
    config.tags = (void *)(UINTPTR_MAX - 7); // they wrap around
    config.tags_size = SIZE_MAX;
    assert_init_fails(region, size, CAIRN_EINVAL);
}

static void what_was_in_the_region_does_not_matter(void **state)
{
    static const unsigned char rubbish[] = {0, 0xFF, 0x5A, 0x01};
    (void)state;
    for (size_t i = 0; i < sizeof rubbish; i++) {
        memset(fixture_region, rubbish[i], FIXTURE_REGION);
        assert_int_equal(init(fixture_region, FIXTURE_REGION), 0);
        assert_blocks(0, 1);
        assert_int_equal(stats().failures, 0);
        assert_int_equal(stats().peak, 0);
    }
}

static void a_heap_may_be_made_smaller_than_it_may_become(void **state)
{
    (void)state;
    config.max_size = FIXTURE_REGION;
    for (size_t size = 0; size <= FIXTURE_REGION; size += 3) {
        if (init(fixture_region, size) != 0) {
            assert_init_fails(fixture_region, size, CAIRN_ENOMEM);
        } else {
            assert_blocks(0, 1);
            assert_true((unsigned char *)at(fence_of(CONTROL)) <= fixture_region + size);
        }
    }
    config.tags = tags; // outside, for all that it may become
    config.tags_size = cairn_heap_tags_size(config.max_size);
    assert_true(config.tags_size <= sizeof tags);
    assert_int_equal(init(fixture_region, FIXTURE_REGION / 2), 0);
    config.tags_size--;
    assert_init_fails(fixture_region, FIXTURE_REGION / 2, CAIRN_ENOMEM);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
    static const struct CMUnitTest tests[] = {
        TEST(every_size_is_an_error_or_a_heap),
        TEST(every_lead_gives_an_aligned_heap),
        TEST(a_misaligned_region_may_be_too_small),
        TEST(null_arguments_are_refused),
        TEST(a_bad_configuration_is_refused),
        TEST(a_region_that_wraps_around_is_refused),
        TEST(more_than_the_layout_can_number_is_refused),
        TEST(the_sizes_told_are_the_sizes_used),
        TEST(tags_may_lie_outside),
        TEST(tags_in_the_region_are_refused),
        TEST(what_was_in_the_region_does_not_matter),
        TEST(a_heap_may_be_made_smaller_than_it_may_become),
    };
    return cmocka_run_group_tests_name("init", tests, NULL, NULL);
}
