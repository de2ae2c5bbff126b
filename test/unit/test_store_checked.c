// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/vm/store_checked.c, over a store in RAM in which calls fail, get lost and go astray.
// CALLERS     ctest, on every preset.
#include "cairn/store.h"
#include "faulty_store.h"
#include "test/port/store_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 64u
#define SLOTS 12u

static unsigned char memory[SLOTS * PAGE];
static unsigned char pages[2 * PAGE];
static unsigned char sealed[PAGE];
static uint32_t sums[SLOTS];
static struct cairn_store_ram ram;
static struct faulty_store faulty;
static struct cairn_store_checked checked;

enum { SUMS = 1, SEALS = 2 };

static void start(int how)
{
    const struct cairn_store_checked_config config = {
        .under = &faulty.store, .sums = (how & SUMS) != 0 ? sums : NULL, .sealed = (how & SEALS) != 0 ? sealed : NULL};
    assert_int_equal(cairn_store_checked_init(&checked, &config), 0);
}

static void make(int how)
{
    memset(memory, 0xA5, sizeof memory);
    assert_int_equal(cairn_store_ram_init(&ram, memory, sizeof memory, PAGE, SLOTS), 0);
    faulty_store_init(&faulty, &ram.store);
    start(how);
}

static int put(uint32_t slot, int value)
{
    memset(pages, value, PAGE);
    return checked.store.write(checked.store.context, slot, pages);
}

static int get(uint32_t slot)
{
    memset(pages, 0, sizeof pages);
    return checked.store.read(checked.store.context, slot, pages);
}

static void the_contract_holds(void **state)
{
    (void)state;
    for (int how = SUMS; how <= (SUMS | SEALS); how++) {
        make(how);
        assert_int_equal(checked.store.page, (how & SEALS) != 0 ? PAGE - CAIRN_STORE_SEAL : PAGE);
        assert_null(contract_store(&checked.store, pages));
        assert_int_equal(faulty.syncs, 1);
        assert_true(faulty.trims > SLOTS);
    }
}

static void every_bit_that_changes_is_found(void **state)
{
    (void)state;
    for (int how = SUMS; how <= (SUMS | SEALS); how++) {
        make(how);
        assert_int_equal(put(5, 0x33), 0);
        for (uint32_t bit = 0; bit < PAGE * 8; bit++) {
            memory[5 * PAGE + bit / 8] ^= (unsigned char)(1u << bit % 8);
            assert_int_equal(get(5), CAIRN_ECORRUPT);
            memory[5 * PAGE + bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        assert_int_equal(get(5), 0);
        assert_int_equal(pages[checked.store.page - 1], 0x33);
    }
}

static void a_page_of_another_slot_is_found(void **state)
{
    (void)state;
    for (int how = SUMS; how <= (SUMS | SEALS); how++) {
        make(how);
        assert_int_equal(put(2, 1), 0);
        assert_int_equal(put(3, 2), 0);
        faulty.wanders = 1;
        assert_int_equal(put(2, 3), 0); // it went to 3
        faulty.wanders = 0;
        assert_int_equal(get(3), CAIRN_ECORRUPT);
        assert_int_equal(get(2), how == SEALS ? 0 : CAIRN_ECORRUPT); // an older page of the same slot
    }
}

static void a_write_that_never_arrived_is_found(void **state)
{
    (void)state;
    for (int how = SUMS; how <= (SUMS | SEALS); how++) {
        make(how);
        assert_int_equal(put(2, 1), 0);
        faulty.loses = true;
        assert_int_equal(put(2, 2), 0);
        assert_int_equal(get(2), how == SEALS ? 0 : CAIRN_ECORRUPT);
    }
    make(SUMS | SEALS);
    assert_int_equal(put(2, 1), 0);
    faulty.loses = true;
    assert_int_equal(put(2, 1), 0);
    assert_int_equal(get(2), CAIRN_ECORRUPT); // the same bytes, and not the same write
}

static void seals_survive_a_restart(void **state)
{
    (void)state;
    make(SEALS);
    assert_int_equal(put(1, 7), 0);
    start(SEALS);
    assert_int_equal(get(1), 0);
    assert_int_equal(pages[0], 7);
    assert_int_equal(get(0), CAIRN_ECORRUPT); // nobody wrote it
    memcpy(memory, memory + PAGE, PAGE);
    assert_int_equal(get(0), CAIRN_ECORRUPT); // slot 1's
    memory[PAGE] ^= 1;
    start(SUMS | SEALS);
    assert_int_equal(get(1), CAIRN_ECORRUPT);
}

static void a_slot_without_a_sum_is_not_checked(void **state)
{
    (void)state;
    make(SUMS);
    assert_int_equal(get(4), 0);
    assert_int_equal(put(4, 1), 0);
    checked.store.trim(checked.store.context, 4);
    memory[4 * PAGE] ^= 1;
    assert_int_equal(get(4), 0);
}

static void errors_pass_through_and_change_nothing(void **state)
{
    (void)state;
    for (int how = SUMS; how <= (SUMS | SEALS); how++) {
        make(how);
        assert_int_equal(put(4, 1), 0);
        faulty.fail_write = 1;
        assert_int_equal(put(4, 2), FAULTY_ERROR);
        assert_int_equal(get(4), 0);
        assert_int_equal(pages[0], 1);
        faulty.fail_read = 1;
        assert_int_equal(get(4), FAULTY_ERROR);
        faulty.fail_sync = 0;
        assert_int_equal(checked.store.sync(checked.store.context), FAULTY_ERROR);
        assert_int_equal(checked.store.sync(checked.store.context), 0);
        assert_int_equal(get(SLOTS), CAIRN_EINVAL);
        assert_int_equal(put(UINT32_MAX, 0), CAIRN_EINVAL);
        checked.store.trim(checked.store.context, SLOTS);
    }
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    make(SUMS);
    struct cairn_store_checked_config config = {.under = &faulty.store};
    assert_int_equal(cairn_store_checked_init(&checked, &config), CAIRN_EINVAL);
    assert_int_equal(cairn_store_checked_init(&checked, NULL), CAIRN_EINVAL);
    config.sums = sums;
    assert_int_equal(cairn_store_checked_init(NULL, &config), CAIRN_EINVAL);
    config.under = NULL;
    assert_int_equal(cairn_store_checked_init(&checked, &config), CAIRN_EINVAL);
    struct cairn_port_store tiny = ram.store; // no trim, no sync
    config = (struct cairn_store_checked_config){.under = &tiny, .sealed = sealed};
    tiny.page = CAIRN_STORE_SEAL;
    assert_int_equal(cairn_store_checked_init(&checked, &config), CAIRN_EINVAL);
    tiny.page = PAGE;
    assert_int_equal(cairn_store_checked_init(&checked, &config), 0);
    assert_null(checked.store.sync);
    assert_null(contract_store(&checked.store, pages));
}

// In ROM, say.
static void a_store_that_is_only_read_stays_so(void **state)
{
    (void)state;
    make(SEALS);
    assert_int_equal(put(3, 7), 0);
    struct cairn_port_store rom = *checked.under;
    const struct cairn_store_checked_config config = {.under = &rom, .sealed = sealed};
    rom.write = NULL;
    assert_int_equal(cairn_store_checked_init(&checked, &config), 0);
    assert_null(checked.store.write);
    assert_int_equal(checked.store.read(checked.store.context, 3, pages), 0);
    assert_int_equal(checked.store.read(checked.store.context, 4, pages), CAIRN_ECORRUPT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_contract_holds),
        cmocka_unit_test(every_bit_that_changes_is_found),
        cmocka_unit_test(a_page_of_another_slot_is_found),
        cmocka_unit_test(a_write_that_never_arrived_is_found),
        cmocka_unit_test(seals_survive_a_restart),
        cmocka_unit_test(a_slot_without_a_sum_is_not_checked),
        cmocka_unit_test(errors_pass_through_and_change_nothing),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(a_store_that_is_only_read_stays_so),
    };
    return cmocka_run_group_tests_name("store_checked", tests, NULL, NULL);
}
