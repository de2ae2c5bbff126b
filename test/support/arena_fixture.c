// SPDX-License-Identifier: MIT
//
// OWNS        the memory behind the port, and the record of what was asked and reported.
// CALLERS     test/unit, test/port.
#include "arena_fixture.h"

struct arena_fixture arena_fixture;
_Alignas(64) unsigned char arena_span[SPAN];
_Alignas(PAGE) unsigned char arena_pages[PAGES * PAGE];

static const struct baremetal_memory memory = {.start = arena_span,
                                               .end = arena_span + SPAN,
                                               .at = &arena_fixture.at,
                                               .pages = arena_pages,
                                               .used = arena_fixture.used,
                                               .count = PAGES,
                                               .page = PAGE};

static bool fails(void)
{
    arena_fixture.calls++;
    return arena_fixture.fail_at != 0 &&
           (arena_fixture.calls == arena_fixture.fail_at || (arena_fixture.fail_all && arena_fixture.calls > arena_fixture.fail_at));
}

// What went back is overwritten: who still looks at it finds something else.
static void *faulty_brk(void *context, ptrdiff_t delta)
{
    unsigned char *const was = delta != 0 && fails() ? NULL : baremetal_brk(context, delta);
    if (was != NULL && delta < 0) {
        memset(was + delta, 0xA5, (size_t)-delta);
    }
    return was;
}

static void *faulty_map(void *context, size_t size, size_t alignment)
{
    return fails() ? NULL : baremetal_map(context, size, alignment);
}

static int faulty_unmap(void *context, void *address, size_t size)
{
    if (arena_fixture.unmaps != 0) {
        arena_fixture.unmaps--;
        return CAIRN_EBUSY;
    }
    const int error = fails() ? CAIRN_EBUSY : baremetal_unmap(context, address, size);
    if (error == 0) {
        memset(address, 0xA5, size);
    }
    return error;
}

// A lock that nobody waits for: it fails the test if it is taken twice, or not given back.
static uint32_t lock(void *context)
{
    struct arena_fixture *const its = context;
    assert_int_equal(its->depth++, 0);
    its->locked++;
    return 77;
}

static void unlock(void *context, uint32_t key)
{
    struct arena_fixture *const its = context;
    assert_int_equal(key, 77);
    assert_int_equal(--its->depth, 0);
}

static void note_report(void *context, const struct cairn_report *report)
{
    struct arena_fixture *const its = context;
    its->reports++;
    its->report = *report;
}

void arena_make(void)
{
    assert_int_equal(cairn_arena_init(ARENA, &arena_fixture.config), 0);
}

int arena_setup(void **state)
{
    (void)state;
    memset(&arena_fixture, 0, sizeof arena_fixture);
    memset(arena_span, 0xA5, sizeof arena_span);
    memset(arena_pages, 0xA5, sizeof arena_pages);
    arena_fixture.port = (struct cairn_port_region){.context = (void *)(uintptr_t)&memory, .brk = faulty_brk, .room = baremetal_room,
                                                    .map = faulty_map, .unmap = faulty_unmap, .page = PAGE};
    arena_fixture.system = (struct cairn_port_system){.context = &arena_fixture, .lock = lock, .unlock = unlock};
    arena_fixture.config = (struct cairn_arena_config){.system = &arena_fixture.system, .port = &arena_fixture.port, .threshold = THRESHOLD,
                                                       .step = STEP, .trim = TRIM, .report = note_report, .context = &arena_fixture};
    arena_make();
    return 0;
}

int arena_teardown(void **state)
{
    (void)state;
    struct cairn_fault fault;
    if (arena_fixture.reports != 0) {
        print_error("a report of kind %d was not expected\n", (int)arena_fixture.report.what);
        return -1;
    }
    if (ARENA->config == NULL) {
        return 0;
    }
    arena_fixture.fail_at = 0;
    if (cairn_arena_check(ARENA, &fault) != 0) {
        print_error("rule %d broken\n", (int)fault.rule);
        return -1;
    }
    const struct cairn_arena_stats now = arena_stats();
    if (!arena_fixture.leaks && (now.mapped_blocks != 0 || now.used_blocks != (ARENA->maps != NULL))) {
        print_error("%u blocks live, %u mapped\n", (unsigned)now.used_blocks, (unsigned)now.mapped_blocks);
        return -1;
    }
    if (cairn_arena_deinit(ARENA) != 0 || arena_raised() != 0 || arena_used_pages() != 0 || arena_fixture.depth != 0) {
        print_error("%u bytes of the break and %u pages did not go back\n", (unsigned)arena_raised(), (unsigned)arena_used_pages());
        return -1;
    }
    return 0;
}

void arena_expect(enum cairn_wrong what, const void *address)
{
    assert_int_equal(arena_fixture.reports, 1);
    assert_int_equal(arena_fixture.report.what, what);
    assert_ptr_equal(arena_fixture.report.address, address);
    arena_fixture.reports = 0;
}

void arena_sound(void)
{
    assert_int_equal(cairn_arena_check(ARENA, NULL), 0);
}

struct cairn_arena_stats arena_stats(void)
{
    struct cairn_arena_stats stats;
    cairn_arena_stats(ARENA, &stats);
    return stats;
}

void arena_fill(void *block, size_t size, unsigned seed)
{
    unsigned char *const bytes = block;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)(seed + i * 7);
    }
}

bool arena_is_filled(const void *block, size_t size, unsigned seed)
{
    const unsigned char *const bytes = block;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != (unsigned char)(seed + i * 7)) {
            return false;
        }
    }
    return true;
}

unsigned char *arena_take(size_t size)
{
    unsigned char *const block = cairn_arena_alloc(ARENA, size);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % G, 0);
    arena_fill(block, size, (unsigned)size);
    return block;
}

size_t arena_raised(void)
{
    return arena_fixture.at == NULL ? 0 : (size_t)(arena_fixture.at - arena_span);
}

uint32_t arena_used_pages(void)
{
    uint32_t count = 0;
    for (uint32_t page = 0; page < PAGES; page++) {
        count += arena_fixture.used[0] >> page & 1;
    }
    return count;
}

bool arena_is_page(const void *address)
{
    return (uintptr_t)address - (uintptr_t)arena_pages < sizeof arena_pages;
}
