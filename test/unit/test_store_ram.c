// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/vm/store_ram.c.
// CALLERS     ctest, on every preset.
#include "cairn/store.h"
#include "test/port/store_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 64u
#define SLOTS 24u

static unsigned char memory[SLOTS * PAGE + 3];
static unsigned char pages[2 * PAGE];
static struct cairn_store_ram ram;

static void the_contract_holds_at_any_alignment(void **state)
{
    (void)state;
    for (uint32_t skew = 0; skew < 3; skew++) {
        memory[SLOTS * PAGE + skew] = 0x77;
        assert_int_equal(cairn_store_ram_init(&ram, memory + skew, SLOTS * PAGE, PAGE, SLOTS), 0);
        assert_null(contract_store(&ram.store, pages));
        assert_int_equal(memory[SLOTS * PAGE + skew], 0x77);
    }
    assert_int_equal(cairn_store_ram_init(&ram, memory, sizeof memory, 7, sizeof memory / 7), 0);
    assert_null(contract_store(&ram.store, pages));
}

static void what_the_memory_holds_is_there(void **state)
{
    (void)state;
    memset(memory, 0x5A, sizeof memory);
    assert_int_equal(cairn_store_ram_init(&ram, memory, sizeof memory, PAGE, SLOTS), 0);
    assert_int_equal(ram.store.read(ram.store.context, SLOTS - 1, pages), 0);
    assert_memory_equal(pages, memory, PAGE);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    assert_int_equal(cairn_store_ram_init(NULL, memory, sizeof memory, PAGE, SLOTS), CAIRN_EINVAL);
    assert_int_equal(cairn_store_ram_init(&ram, NULL, sizeof memory, PAGE, SLOTS), CAIRN_EINVAL);
    assert_int_equal(cairn_store_ram_init(&ram, memory, sizeof memory, 0, SLOTS), CAIRN_EINVAL);
    assert_int_equal(cairn_store_ram_init(&ram, memory, sizeof memory, PAGE, 0), CAIRN_EINVAL);
    assert_int_equal(cairn_store_ram_init(&ram, memory, SLOTS * PAGE - 1, PAGE, SLOTS), CAIRN_ENOMEM);
    assert_int_equal(cairn_store_ram_init(&ram, memory, sizeof memory, UINT32_MAX, UINT32_MAX), CAIRN_ENOMEM);
    assert_int_equal(cairn_store_ram_init(&ram, memory, SLOTS * PAGE, PAGE, SLOTS), 0);
    assert_int_equal(ram.store.read(ram.store.context, SLOTS, pages), CAIRN_EINVAL);
    assert_int_equal(ram.store.write(ram.store.context, UINT32_MAX, pages), CAIRN_EINVAL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_contract_holds_at_any_alignment),
        cmocka_unit_test(what_the_memory_holds_is_there),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests_name("store_ram", tests, NULL, NULL);
}
