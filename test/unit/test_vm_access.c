// SPDX-License-Identifier: MIT
//
// OWNS        what lib/vm/access.c promises: bytes and words at any address; an access that fails has stored nothing.
// CALLERS     ctest, on every preset.
#include "vm_fixture.h"

static unsigned char buffer[3 * PAGE];

static uint32_t seed;

static unsigned char *noise(void)
{
    for (uint32_t i = 0; i < sizeof buffer; i++) {
        seed = seed * 1664525u + 1013904223u;
        buffer[i] = (unsigned char)(seed >> 24);
    }
    return buffer;
}

static void words_of_every_size_at_every_place_of_a_page(void **state)
{
    (void)state;
    for (cairn_vaddr_t at = vm_page(2) - 9; at < vm_page(2) + 9; at++) {
        uint8_t u8;
        uint16_t u16;
        uint32_t u32;
        uint64_t u64;
        const uint64_t value = 0x0123456789ABCDEFu * (at | 1);
        assert_int_equal(cairn_vm_store64(VM, at, value), 0);
        assert_int_equal(cairn_vm_load64(VM, at, &u64), 0);
        assert_true(u64 == value);
        assert_int_equal(cairn_space_read(SPACE, &u64, at, 8), 0);
        assert_true(u64 == value);
        assert_int_equal(cairn_vm_store32(VM, at, (uint32_t)(value >> 8)), 0);
        assert_int_equal(cairn_vm_load32(VM, at, &u32), 0);
        assert_int_equal(u32, (uint32_t)(value >> 8));
        assert_int_equal(cairn_vm_store16(VM, at, (uint16_t)(value >> 16)), 0);
        assert_int_equal(cairn_vm_load16(VM, at, &u16), 0);
        assert_int_equal(u16, (uint16_t)(value >> 16));
        assert_int_equal(cairn_vm_store8(VM, at, (uint8_t)(value >> 24)), 0);
        assert_int_equal(cairn_vm_load8(VM, at, &u8), 0);
        assert_int_equal(u8, (uint8_t)(value >> 24));
    }
}

static void assert_unreachable(cairn_vaddr_t address, size_t size, int error)
{
    uint64_t value = 0x5555555555555555u;
    uint64_t its = value;
    int order = 7;
    size_t length = 99;
    switch (size) {
    case 1: assert_int_equal(cairn_vm_load8(VM, address, (uint8_t *)&its), error); break;
    case 2: assert_int_equal(cairn_vm_load16(VM, address, (uint16_t *)(void *)&its), error); break;
    case 4: assert_int_equal(cairn_vm_load32(VM, address, (uint32_t *)(void *)&its), error); break;
    default: assert_int_equal(cairn_vm_load64(VM, address, &its), error); break;
    }
    assert_true(its == value);
    switch (size) {
    case 1: assert_int_equal(cairn_vm_store8(VM, address, 1), error); break;
    case 2: assert_int_equal(cairn_vm_store16(VM, address, 1), error); break;
    case 4: assert_int_equal(cairn_vm_store32(VM, address, 1), error); break;
    default: assert_int_equal(cairn_vm_store64(VM, address, 1), error); break;
    }
    if (size == 1) {
        assert_int_equal(cairn_space_read(SPACE, &its, address, size), error);
        assert_int_equal(cairn_space_write(SPACE, address, &its, size), error);
        assert_int_equal(cairn_space_fill(SPACE, address, 1, size), error);
        assert_int_equal(cairn_space_copy(SPACE, address, SPACE, vm_page(1), size), error);
        assert_int_equal(cairn_space_copy(SPACE, vm_page(1), SPACE, address, size), error);
        assert_int_equal(cairn_space_compare(SPACE, address, &its, size, &order), error);
        assert_int_equal(cairn_space_string(SPACE, address, size, &length), error);
        assert_int_equal(length, 99);
    }
}

static void at_the_ends_of_what_is_mapped_nothing_is_stored(void **state)
{
    const cairn_vaddr_t end = vm_page(PAGES + 1);
    (void)state;
    vm_write_pages(SPACE, 1, 1, 3);
    vm_write_pages(SPACE, PAGES, 1, 3);
    for (uint32_t size = 1; size <= 8; size *= 2) {
        for (uint32_t i = 1; i < size; i++) {
            assert_unreachable(vm_page(1) - i, size, CAIRN_EFAULT);
            assert_unreachable(end - i, size, CAIRN_EFAULT);
        }
        assert_unreachable(0, size, CAIRN_EFAULT);
        assert_unreachable(vm_page(1) - size, size, CAIRN_EFAULT);
        assert_unreachable(end, size, CAIRN_EFAULT);
        assert_unreachable(VM->limit + 1 - size, size, CAIRN_EFAULT);
        assert_unreachable(VM->limit, size, CAIRN_EFAULT);
        assert_unreachable(VM->limit + 1, size, CAIRN_EFAULT);
        assert_unreachable(~(cairn_vaddr_t)0, size, CAIRN_EFAULT);
        assert_unreachable(~(cairn_vaddr_t)0 - 7, size, CAIRN_EFAULT);
        assert_unreachable(VM->limit + 1 + vm_page(1), size, CAIRN_EFAULT); // its low bits are page 1's
    }
    vm_expect_pages(SPACE, 1, 1, 3);
    vm_expect_pages(SPACE, PAGES, 1, 3);
}

// What the widest space has at its end: the next address is 0.
static void the_last_byte_of_all_addresses_can_be_reached(void **state)
{
    uint64_t u64 = 0;
    (void)state;
    assert_int_equal(vm_end(), 0);
    if (CAIRN_TABLE_LEVELS == 0) {
        vm_fixture.config.levels = 4;
        memcpy(vm_fixture.config.bits, CAIRN_VADDR_BITS == 64 ? (uint8_t[]){2, 2, 2, 2} : (uint8_t[]){6, 6, 6, 7}, 4);
    }
    vm_make();
    const cairn_vaddr_t last = VM->limit & ~(cairn_vaddr_t)(PAGE - 1);
    assert_int_equal(cairn_space_map(SPACE, MAP, last, PAGE, RW), 0);
    assert_int_equal(cairn_vm_store64(VM, VM->limit - 7, 0x8877665544332211u), 0);
    assert_int_equal(cairn_vm_load64(VM, VM->limit - 7, &u64), 0);
    assert_true(u64 == 0x8877665544332211u);
    assert_int_equal(cairn_vm_load64(VM, VM->limit - 6, &u64), CAIRN_EFAULT);
    assert_int_equal(cairn_vm_store64(VM, VM->limit - 3, 0), CAIRN_EFAULT);
    assert_int_equal(cairn_space_read(SPACE, buffer, last, PAGE), 0);
    assert_int_equal(cairn_space_read(SPACE, buffer, last, PAGE + 1), CAIRN_EFAULT);
    assert_int_equal(cairn_space_fill(SPACE, last + 1, 0, SIZE_MAX), CAIRN_EFAULT);
}

static void bytes_of_any_length_come_back(void **state)
{
    unsigned char back[3 * PAGE];
    int order;
    (void)state;
    for (uint32_t size = 0; size <= 2 * PAGE + 3; size += size < 10 ? 1 : 41) {
        for (uint32_t offset = 0; offset < PAGE; offset += offset < 4 ? 1 : 31) {
            const cairn_vaddr_t at = vm_page(1 + size % 5) + offset;
            assert_int_equal(cairn_space_write(SPACE, at, noise(), size), 0);
            assert_int_equal(cairn_space_read(SPACE, back, at, size), 0);
            assert_memory_equal(back, buffer, size);
            assert_int_equal(cairn_space_compare(SPACE, at, buffer, size, &order), 0);
            assert_int_equal(order, 0);
            assert_int_equal(cairn_space_copy(SPACE, at - offset % 7, SPACE, at, size), 0);
            assert_int_equal(cairn_space_compare(SPACE, at - offset % 7, buffer, size, &order), 0);
            assert_int_equal(order, 0);
            assert_int_equal(cairn_space_copy(SPACE, vm_page(10) + 5, SPACE, at - offset % 7, size), 0);
            assert_int_equal(cairn_space_compare(SPACE, vm_page(10) + 5, buffer, size, &order), 0);
            assert_int_equal(order, 0);
            assert_int_equal(cairn_space_fill(SPACE, at, 0xC3, size), 0);
            memset(buffer, 0xC3, sizeof buffer);
            assert_int_equal(cairn_space_compare(SPACE, at, buffer, size, &order), 0);
            assert_int_equal(order, 0);
        }
    }
    vm_sound();
}

static void of_no_bytes_every_address_will_do(void **state)
{
    int order = 5;
    size_t length = 5;
    (void)state;
    assert_int_equal(cairn_space_read(SPACE, NULL, 0, 0), 0);
    assert_int_equal(cairn_space_write(SPACE, ~(cairn_vaddr_t)0, NULL, 0), 0);
    assert_int_equal(cairn_space_fill(SPACE, 0, 1, 0), 0);
    assert_int_equal(cairn_space_copy(SPACE, 0, SPACE, 0, 0), 0);
    assert_int_equal(cairn_space_compare(SPACE, 0, NULL, 0, &order), 0);
    assert_int_equal(order, 0);
    assert_int_equal(cairn_space_string(SPACE, 0, 0, &length), 0);
    assert_int_equal(length, 0);
    assert_int_equal(vm_figures().minor, 0);
}

static void a_copy_upwards_into_itself_is_refused(void **state)
{
    (void)state;
    vm_write_pages(SPACE, 1, 4, 9);
    assert_int_equal(cairn_space_copy(SPACE, vm_page(1) + 1, SPACE, vm_page(1), 2), CAIRN_EINVAL);
    assert_int_equal(cairn_space_copy(SPACE, vm_page(2), SPACE, vm_page(1), PAGE + 1), CAIRN_EINVAL);
    vm_expect_pages(SPACE, 1, 4, 9);
    assert_int_equal(cairn_space_copy(SPACE, vm_page(1), SPACE, vm_page(1), 2 * PAGE), 0); // onto itself
    vm_expect_pages(SPACE, 1, 4, 9);
    assert_int_equal(cairn_space_init(OTHER, VM), 0);
    assert_int_equal(cairn_space_map(OTHER, EXTRA, vm_page(1), 4 * PAGE, RW), 0);
    assert_int_equal(cairn_space_copy(OTHER, vm_page(1), SPACE, vm_page(1), 4 * PAGE), 0); // spaces do not overlap
    vm_expect_pages(OTHER, 1, 4, 9);
    assert_int_equal(cairn_space_fill(SPACE, vm_page(1), 0, 4 * PAGE), 0);
    assert_int_equal(cairn_space_copy(SPACE, vm_page(1), OTHER, vm_page(1), 4 * PAGE), 0);
    vm_expect_pages(SPACE, 1, 4, 9);
}

static void compare_says_which_is_larger_at_the_first_difference(void **state)
{
    int order = 0;
    (void)state;
    assert_int_equal(cairn_space_write(SPACE, vm_page(2) - 100, noise(), 200), 0);
    buffer[150]++;
    buffer[160]--;
    assert_int_equal(cairn_space_compare(SPACE, vm_page(2) - 100, buffer, 150, &order), 0);
    assert_int_equal(order, 0);
    assert_int_equal(cairn_space_compare(SPACE, vm_page(2) - 100, buffer, 200, &order), 0);
    assert_true(buffer[150] != 0 ? order < 0 : order > 0);
    buffer[150]--;
    assert_int_equal(cairn_space_compare(SPACE, vm_page(2) - 100, buffer, 200, &order), 0);
    assert_true(buffer[160] != 0xFF ? order > 0 : order < 0);
    assert_int_equal(cairn_space_fill(SPACE, vm_page(5), 0x80, 1), 0);
    assert_int_equal(cairn_space_compare(SPACE, vm_page(5), "\x7F", 1, &order), 0);
    assert_true(order > 0); // as unsigned bytes
}

static void a_string_ends_at_its_zero_or_at_the_most(void **state)
{
    size_t length;
    (void)state;
    assert_int_equal(cairn_space_fill(SPACE, vm_page(1), 'a', PAGES * PAGE), 0);
    assert_int_equal(cairn_space_fill(SPACE, vm_page(3) + 7, 0, 2), 0);
    assert_int_equal(cairn_space_string(SPACE, vm_page(2) - 5, 999, &length), 0);
    assert_int_equal(length, 5 + PAGE + 7);
    assert_int_equal(cairn_space_string(SPACE, vm_page(2) - 5, 5 + PAGE + 7, &length), 0);
    assert_int_equal(length, 5 + PAGE + 7);
    assert_int_equal(cairn_space_string(SPACE, vm_page(2) - 5, 20, &length), 0);
    assert_int_equal(length, 20);
    assert_int_equal(cairn_space_string(SPACE, vm_page(3) + 7, 20, &length), 0);
    assert_int_equal(length, 0);
    assert_int_equal(cairn_space_string(SPACE, vm_page(PAGES), PAGE, &length), 0);
    assert_int_equal(length, PAGE);
    length = 77;
    assert_int_equal(cairn_space_string(SPACE, vm_page(PAGES), PAGE + 1, &length), CAIRN_EFAULT);
    assert_int_equal(length, 77);
}

// From the last word before a page that may not be stored to, and over all of it.
static void assert_nothing_stored(cairn_vaddr_t page, int error)
{
    const cairn_vaddr_t from = page - 4;
    const uint32_t faults = vm_fixture.faults;
    const size_t size = PAGE + 4;
    vm_put(from, 7);
    assert_int_equal(cairn_space_write(SPACE, from, noise(), size), error);
    assert_int_equal(cairn_space_fill(SPACE, from, 1, size), error);
    assert_int_equal(cairn_space_copy(SPACE, from, SPACE, vm_page(1), size), error);
    assert_int_equal(cairn_vm_store64(VM, from, 1), error);
    assert_int_equal(vm_get(from), 7);
    assert_int_equal(vm_fixture.faults, faults + 4);
    assert_true(vm_fixture.fault.address == page);
}

static void nothing_is_stored_where_a_page_may_not_be(void **state)
{
    (void)state;
    SPACE->handler = vm_handler;
    assert_int_equal(cairn_space_map(SPACE, EXTRA, vm_page(PAGES + 1), PAGE, CAIRN_READ), 0);
    assert_nothing_stored(vm_page(PAGES + 1), CAIRN_EACCES);
    assert_int_equal(vm_get(vm_page(PAGES + 1)), 0);
    assert_int_equal(cairn_space_protect(SPACE, EXTRA, CAIRN_READ | CAIRN_WRITE), 0);
    assert_nothing_stored(vm_page(PAGES + 2), CAIRN_EFAULT);
    vm_put(vm_page(1), 1);
    assert_int_equal(cairn_space_copy(SPACE, vm_page(1), SPACE, vm_page(PAGES + 2) - 4, 8), CAIRN_EFAULT); // read from where nothing is
    assert_int_equal(vm_get(vm_page(1)), 1);
}

// With every page dirty, so that each page that comes sends one away: the nth call of the store fails, and all from there. Whatever came of it, the
// bytes are those before, or those that were stored: whole pages of a long access, all of a word.
static int access_number(uint32_t i)
{
    uint64_t u64 = 0;
    int order;
    size_t length;
    switch (i) {
    case 0: return cairn_vm_load64(VM, vm_page(2) - 4, &u64);
    case 1: return cairn_vm_load8(VM, vm_page(1), (uint8_t *)&u64);
    case 2: return cairn_space_read(SPACE, buffer, vm_page(1), 3 * PAGE);
    case 3: return cairn_space_compare(SPACE, vm_page(1), buffer, 1, &order);
    case 4: return cairn_space_string(SPACE, vm_page(1), 2 * PAGE, &length);
    case 5: return cairn_vm_store64(VM, vm_page(2) - 4, 0x4141414141414141u);
    case 6: return cairn_vm_store8(VM, vm_page(1), 0x41);
    case 7: return cairn_space_fill(SPACE, vm_page(1), 0x41, 3 * PAGE);
    case 8: return cairn_space_copy(SPACE, vm_page(1), SPACE, vm_page(11), 3 * PAGE);
    default: memset(buffer, 0x41, sizeof buffer); return cairn_space_write(SPACE, vm_page(1) + 1, buffer, 2 * PAGE);
    }
}

static void a_store_that_fails_at_any_call_loses_nothing(void **state)
{
    static unsigned char before[3 * PAGE];
    (void)state;
    for (uint32_t i = 0; i < 10; i++) {
        int error = -1;
        uint32_t nth = 1;
        for (; error != 0; nth++) {
            assert_in_range(nth, 1, 20);
            vm_write_pages(SPACE, 1, 3, i);
            assert_int_equal(cairn_space_read(SPACE, before, vm_page(1), sizeof before), 0);
            assert_int_equal(cairn_space_fill(SPACE, vm_page(11), 0x41, 3 * PAGE), 0);
            vm_write_pages(SPACE, 4, FRAMES, i); // all that is in frames is dirty
            vm_fail(nth, 99);
            error = access_number(i);
            vm_fail(0, 0);
            vm_sound();
            assert_true(error == 0 || error == CAIRN_EIO || error == CAIRN_ECORRUPT);
            assert_int_equal(cairn_space_read(SPACE, buffer, vm_page(1), sizeof buffer), 0);
            uint32_t changed = 0;
            for (uint32_t at = 0; at < sizeof buffer; at++) {
                assert_true(buffer[at] == before[at] || (i >= 5 && buffer[at] == 0x41));
                changed += buffer[at] != before[at];
            }
            assert_true(error == 0 || i > 6 || changed == 0);
            assert_true(i >= 5 || changed == 0);
            vm_expect_pages(SPACE, 4, FRAMES, i);
        }
        assert_true(nth > 2);
    }
}

static void each_store_is_written_through(void **state)
{
    (void)state;
    vm_write_through();
    assert_int_equal(vm_get(vm_page(1)), 0);
    for (uint32_t i = 0; i < 8; i++) {
        vm_put(vm_page(1) + 4 * i, 100 + i);
        assert_false(vm_is_dirty(SPACE, 1));
        uint32_t word;
        memcpy(&word, vm_slot(SPACE, 1) + 4 * i, 4);
        assert_int_equal(word, 100 + i);
        assert_int_equal(vm_fixture.writes, i + 1);
    }
    assert_int_equal(cairn_vm_store64(VM, vm_page(2) - 3, 0x5151515151515151u), 0);
    assert_int_equal(vm_slot(SPACE, 1)[PAGE - 1], 0x51);
    assert_int_equal(vm_slot(SPACE, 2)[4], 0x51);
    assert_int_equal(cairn_space_fill(SPACE, vm_page(3), 0x22, 2 * PAGE), 0);
    assert_int_equal(vm_slot(SPACE, 4)[PAGE - 1], 0x22);
    assert_int_equal(cairn_space_copy(SPACE, vm_page(3), SPACE, vm_page(1), 32), 0);
    assert_memory_equal(vm_slot(SPACE, 3), vm_slot(SPACE, 1), 32);
    assert_int_equal(cairn_space_copy(SPACE, vm_page(4), SPACE, vm_page(4) + 64, 8), 0); // within a page
    assert_int_equal(cairn_space_write(SPACE, vm_page(4), "abc", 3), 0);
    assert_int_equal(cairn_space_copy(SPACE, vm_page(4) + 3, SPACE, vm_page(4), 3), 0);
    assert_memory_equal(vm_slot(SPACE, 4), "abcabc", 6);
    vm_sound();
    const uint32_t writes = vm_fixture.writes;
    assert_int_equal(cairn_space_suspend(SPACE), 0); // all is clean
    assert_int_equal(vm_fixture.writes, writes);
    cairn_space_resume(SPACE);
}

static void what_cannot_be_written_through_is_written_when_it_leaves(void **state)
{
    (void)state;
    vm_write_through();
    vm_fail(1, 2);
    vm_put(vm_page(1), 1);
    assert_true(vm_is_dirty(SPACE, 1));
    assert_int_equal(cairn_space_write(SPACE, vm_page(1) + 4, "abcd", 4), 0);
    assert_true(vm_is_dirty(SPACE, 1));
    assert_null(vm_slot(SPACE, 1));
    vm_write_pages(SPACE, 2, FRAMES, 1);
    assert_int_equal(vm_get(vm_page(1)), 1);
}

static void references(void *context, const struct cairn_space *space, cairn_vaddr_t address, bool write)
{
    assert_ptr_equal(context, &vm_fixture);
    assert_ptr_equal(space, SPACE);
    vm_fixture.faults += write ? 100 : 1;
    vm_fixture.fault.address = address;
}

static void what_the_tlb_does_not_know_is_referred_to(void **state)
{
    (void)state;
    assert_int_equal(vm_end(), 0);
    vm_fixture.config.reference = references;
    vm_fixture.config.context = &vm_fixture;
    vm_make();
    assert_int_equal(cairn_space_map(SPACE, MAP, vm_page(1), PAGE, RW), 0);
    assert_int_equal(vm_get(vm_page(1) + 8), 0);
    assert_true(vm_fixture.fault.address == vm_page(1) + 8);
    assert_int_equal(vm_get(vm_page(1)), 0);
    assert_int_equal(vm_fixture.faults, 1);
    vm_put(vm_page(1), 1);
    vm_put(vm_page(1), 2);
    assert_int_equal(vm_fixture.faults, 101);
    assert_int_equal(cairn_space_fill(SPACE, vm_page(1), 1, 9), 0);
    assert_int_equal(vm_fixture.faults, 201);
    vm_fixture.faults = 0;
}

// Where the library was built for one kind of page, table and TLB, no other is made.
static void what_is_fixed_at_build_time_is_the_only_one(void **state)
{
    static struct cairn_vm other;
    struct cairn_vm_config config = vm_fixture.config;
    (void)state;
    config.levels = 3;
    config.bits[2] = 1;
    assert_int_equal(cairn_vm_size(&config, 100) == 0, CAIRN_TABLE_LEVELS != 0);
    config = vm_fixture.config;
    config.bits[0] = 3;
    assert_int_equal(cairn_vm_size(&config, 100) == 0, CAIRN_TABLE_LEVELS != 0);
    config = vm_fixture.config;
    config.store = NULL;
    config.page_shift = 8;
    assert_int_equal(cairn_vm_size(&config, 100) == 0, CAIRN_PAGE_SHIFT != 0);
    config = vm_fixture.config;
    config.tlb = 16;
    assert_int_equal(cairn_vm_size(&config, 100) == 0, CAIRN_TLB_SHIFT != 0);
    config = vm_fixture.config;
    config.tlb = 0;
    config.levels = config.page_shift = 0;
    config.store = NULL;
    assert_int_not_equal(cairn_vm_size(&config, 100), 0);
    if (CAIRN_TABLE_LEVELS != 0) {
        config.levels = 4;
        assert_int_equal(cairn_vm_init(&other, &config), CAIRN_EINVAL);
    }
}

static void hits_are_counted_where_that_is_asked_for(void **state)
{
    uint8_t byte = 0;
    (void)state;
    vm_put(vm_page(1), 5);
    assert_int_equal(vm_figures().tlb_hits, 0);
    for (uint32_t i = 0; i < 10; i++) {
        vm_put(vm_page(1), i);
        assert_int_equal(vm_get(vm_page(1)), i);
        assert_int_equal(cairn_vm_load8(VM, vm_page(1), &byte), 0);
        assert_int_equal(byte, *(const unsigned char *)&i);
    }
    assert_int_equal(vm_figures().tlb_hits, CAIRN_VM_COUNT_HITS != 0 ? 30 : 0);
    assert_int_equal(vm_figures().tlb_misses, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        VM_UNIT(what_is_fixed_at_build_time_is_the_only_one),
        VM_UNIT(hits_are_counted_where_that_is_asked_for),
        VM_UNIT(words_of_every_size_at_every_place_of_a_page),
        VM_UNIT(at_the_ends_of_what_is_mapped_nothing_is_stored),
        VM_UNIT(the_last_byte_of_all_addresses_can_be_reached),
        VM_UNIT(bytes_of_any_length_come_back),
        VM_UNIT(of_no_bytes_every_address_will_do),
        VM_UNIT(a_copy_upwards_into_itself_is_refused),
        VM_UNIT(compare_says_which_is_larger_at_the_first_difference),
        VM_UNIT(a_string_ends_at_its_zero_or_at_the_most),
        VM_UNIT(nothing_is_stored_where_a_page_may_not_be),
        VM_UNIT(a_store_that_fails_at_any_call_loses_nothing),
        VM_UNIT(each_store_is_written_through),
        VM_UNIT(what_cannot_be_written_through_is_written_when_it_leaves),
        VM_UNIT(what_the_tlb_does_not_know_is_referred_to),
    };
    return cmocka_run_group_tests_name("vm_access", tests, NULL, NULL);
}
