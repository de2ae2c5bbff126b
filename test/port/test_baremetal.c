// SPDX-License-Identifier: MIT
//
// OWNS        the proof of port/baremetal: the contract on the host and on boards, first fit, and on boards the lock and the linker's span.
// CALLERS     ctest, on every preset.
#include "contract.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "port/baremetal/memory.h"

#include <string.h>

#if CAIRN_TEST_BOARD
#include "port/baremetal/linker.h"
#include "port/baremetal/lock.h"
#endif

#define PAGE 64u
#define COUNT 40u

static unsigned char span[1024];
static _Alignas(256) unsigned char pages[COUNT * PAGE];
static unsigned char *at;
static uint32_t used[2];
static const struct baremetal_memory memory = {span, span + sizeof span, &at, pages, used, COUNT, PAGE};
static const struct cairn_port_region port = BAREMETAL_REGION(&memory, PAGE);

static int setup(void **state)
{
    (void)state;
    at = NULL;
    memset(used, 0, sizeof used);
    return 0;
}

static void the_contract_holds(void **state)
{
    (void)state;
    assert_null(contract_break(&port, true));
    assert_null(contract_maps(&port));
    assert_int_equal(used[0] | used[1], 0);
    static const struct cairn_port_region alone = BAREMETAL_BREAK(&memory);
    assert_null(contract_break(&alone, true));
    assert_null(contract_maps(&alone));
}

static void the_break_reaches_both_ends_and_no_farther(void **state)
{
    (void)state;
    assert_int_equal(port.room(port.context), sizeof span);
    assert_ptr_equal(port.brk(port.context, sizeof span), span);
    assert_int_equal(port.room(port.context), 0);
    assert_null(port.brk(port.context, 1));
    assert_ptr_equal(port.brk(port.context, -(ptrdiff_t)sizeof span), span + sizeof span);
    assert_null(port.brk(port.context, -1));
    assert_int_equal(port.room(port.context), sizeof span);
}

static unsigned char *map(size_t n, size_t alignment)
{
    return port.map(port.context, n * PAGE, alignment);
}

static void the_first_hole_that_fits_is_taken_and_holes_are_one(void **state)
{
    (void)state;
    unsigned char *const a = map(4, PAGE);
    unsigned char *const b = map(3, PAGE);
    unsigned char *const c = map(5, PAGE);
    assert_ptr_equal(a, pages);
    assert_ptr_equal(b, pages + 4 * PAGE);
    assert_ptr_equal(c, pages + 7 * PAGE);
    assert_int_equal(port.unmap(port.context, b, 3 * PAGE), 0);
    assert_ptr_equal(map(4, PAGE), c + 5 * PAGE);
    assert_ptr_equal(map(2, PAGE), b);
    assert_int_equal(port.unmap(port.context, a, 4 * PAGE), 0);
    assert_int_equal(port.unmap(port.context, b, 2 * PAGE), 0);
    assert_ptr_equal(map(7, PAGE), a); // what was three holes
    assert_null(map(COUNT - 16 + 1, PAGE));
    assert_ptr_equal(map(COUNT - 16, PAGE), pages + 16 * PAGE);
    assert_null(map(1, PAGE));
}

static void alignment_skips_pages_and_the_end_is_the_end(void **state)
{
    (void)state;
    assert_ptr_equal(map(1, PAGE), pages);
    assert_ptr_equal(map(2, 4 * PAGE), pages + 4 * PAGE);
    assert_ptr_equal(map(3, PAGE), pages + PAGE);
    assert_null(map(COUNT + 1, PAGE));
    assert_null(map(SIZE_MAX / PAGE, PAGE));
    const size_t half = (size_t)1 << (sizeof(size_t) * 8 - 1);
    assert_null(port.map(port.context, PAGE, half));
    assert_null(port.map(port.context, half, PAGE));
}

static void what_is_no_whole_page_of_the_description_is_not_mapped(void **state)
{
    (void)state;
    static const struct cairn_port_region halves = BAREMETAL_REGION(&memory, PAGE / 2);
    assert_null(halves.map(halves.context, PAGE / 2, PAGE / 2));
    assert_null(halves.map(halves.context, 3 * (PAGE / 2), PAGE / 2));
    assert_null(halves.map(halves.context, 0, PAGE / 2));
    assert_int_equal(used[0] | used[1], 0);
    assert_ptr_equal(halves.map(halves.context, PAGE, PAGE / 2), pages);
    assert_ptr_equal(halves.map(halves.context, PAGE, PAGE / 2), pages + PAGE);
}

static void what_was_not_given_out_is_not_taken_back(void **state)
{
    (void)state;
    unsigned char *const a = map(4, PAGE);
    const uint32_t before = used[0];
    assert_int_equal(port.unmap(port.context, a + 1, PAGE), CAIRN_EINVAL);
    assert_int_equal(port.unmap(port.context, a, PAGE + 1), CAIRN_EINVAL);
    assert_int_equal(port.unmap(port.context, a, 0), CAIRN_EINVAL);
    assert_int_equal(port.unmap(port.context, a, 5 * PAGE), CAIRN_EINVAL);
    assert_int_equal(port.unmap(port.context, a + 4 * PAGE, PAGE), CAIRN_EINVAL);
    assert_int_equal(port.unmap(port.context, a - PAGE, PAGE), CAIRN_EINVAL);
    assert_int_equal(port.unmap(port.context, span, PAGE), CAIRN_EINVAL);
    assert_int_equal(port.unmap(port.context, NULL, PAGE), CAIRN_EINVAL);
    assert_int_equal(port.unmap(port.context, a, SIZE_MAX & ~(size_t)(PAGE - 1)), CAIRN_EINVAL);
    assert_int_equal(used[0], before);
}

#if CAIRN_TEST_BOARD
static void the_linkers_span_keeps_the_contract(void **state)
{
    (void)state;
    assert_null(contract_break(&baremetal_linker_region, true));
    assert_int_not_equal(baremetal_linker_region.room(baremetal_linker_region.context), 0);
}

static bool is_open(void)
{
#if defined(__riscv)
    unsigned long status;
    __asm__ volatile(".option arch, +zicsr\n\tcsrr %0, mstatus" : "=r"(status));
    return (status & 8u) != 0;
#elif BAREMETAL_LOCK_PRIORITY != 0
    uint32_t priority;
    uint32_t mask;
    __asm__ volatile("mrs %0, basepri\n\tmrs %1, primask" : "=r"(priority), "=r"(mask));
    assert_int_equal(mask, 0); // what is more urgent stays on
    return priority == 0;
#else
    uint32_t mask;
    __asm__ volatile("mrs %0, primask" : "=r"(mask));
    return mask == 0;
#endif
}

static void the_lock_holds_interrupts_off_and_nests(void **state)
{
    (void)state;
    static const struct cairn_port_system system = {.lock = baremetal_lock, .unlock = baremetal_unlock};
    assert_null(contract_system(&system));
    const bool before = is_open();
    baremetal_unlock(NULL, baremetal_lock(NULL));
    assert_int_equal(is_open(), before);
#if defined(__riscv)
    __asm__ volatile(".option arch, +zicsr\n\tcsrsi mstatus, 8"); // no source is enabled
#endif
    const uint32_t outer = baremetal_lock(NULL);
    assert_false(is_open());
    const uint32_t inner = baremetal_lock(NULL);
    baremetal_unlock(NULL, inner);
    assert_false(is_open());
    baremetal_unlock(NULL, outer);
    assert_true(is_open());
}

#if BAREMETAL_LOCK_PRIORITY != 0
static volatile uint32_t basepri_in_handler[2];

void svc_handler(void);

// An interrupt that has masked more than the lock does.
void svc_handler(void)
{
    uint32_t now;
    __asm__ volatile("msr basepri, %0" : : "r"(BAREMETAL_LOCK_PRIORITY / 2));
    const uint32_t key = baremetal_lock(NULL);
    __asm__ volatile("mrs %0, basepri" : "=r"(now));
    basepri_in_handler[0] = now;
    baremetal_unlock(NULL, key);
    __asm__ volatile("mrs %0, basepri" : "=r"(now));
    basepri_in_handler[1] = now;
    __asm__ volatile("msr basepri, %0" : : "r"(0));
}

static void a_stricter_mask_stays_as_strict(void **state)
{
    (void)state;
    __asm__ volatile("svc 0" : : : "memory");
    assert_int_equal(basepri_in_handler[0], BAREMETAL_LOCK_PRIORITY / 2);
    assert_int_equal(basepri_in_handler[1], BAREMETAL_LOCK_PRIORITY / 2);
}
#endif
#endif

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_contract_holds, setup),
        cmocka_unit_test_setup(the_break_reaches_both_ends_and_no_farther, setup),
        cmocka_unit_test_setup(the_first_hole_that_fits_is_taken_and_holes_are_one, setup),
        cmocka_unit_test_setup(alignment_skips_pages_and_the_end_is_the_end, setup),
        cmocka_unit_test_setup(what_is_no_whole_page_of_the_description_is_not_mapped, setup),
        cmocka_unit_test_setup(what_was_not_given_out_is_not_taken_back, setup),
#if CAIRN_TEST_BOARD
        cmocka_unit_test(the_linkers_span_keeps_the_contract),
        cmocka_unit_test(the_lock_holds_interrupts_off_and_nests),
#if BAREMETAL_LOCK_PRIORITY != 0
        cmocka_unit_test(a_stricter_mask_stays_as_strict),
#endif
#endif
    };
    return cmocka_run_group_tests_name("baremetal", tests, NULL, NULL);
}
