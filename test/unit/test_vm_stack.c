// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/vm/stack.c: what a program finds, as it looks for it; what does not fit; that nothing else is written.
// CALLERS     ctest, on every preset.
#include "vm_fixture.h"

#include "cairn/elf.h"

#define LOWEST 0x100u // pages 2 to 15
#define TOP 0x7F9u    // of no alignment
#define FIXED 84u     // as the header says
#define MARK 0xEEu

static const char *const arguments[] = {
    "prog", "", "-x", "a longer argument, which lies across the end of a page of 128 bytes and takes as many as it needs for that", NULL};
static const char *const environment[] = {"HOME=/", "A=", NULL};
static const char *const none[] = {NULL};
static const unsigned char random_bytes[16] = {0xD0, 1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 11, 12, 13, 14, 0xDF};
static struct cairn_elf elf;
static struct cairn_stack_config config;
static uint32_t sp;

static int setup(void **state)
{
    if (vm_setup(state) != 0) {
        return -1;
    }
    elf = (struct cairn_elf){.entry = 0x12345679, .headers = 5, .phdr = 0x10034};
    config = (struct cairn_stack_config){
        .top = TOP, .lowest = LOWEST, .page = PAGE, .elf = &elf, .arguments = arguments, .environment = environment, .random = random_bytes};
    sp = 0xA5A5;
    assert_int_equal(cairn_space_fill(SPACE, PAGE, MARK, PAGES * PAGE), 0);
    return 0;
}

static uint32_t word(uint32_t address)
{
    unsigned char bytes[4];
    assert_int_equal(cairn_space_read(SPACE, bytes, address, 4), 0);
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void expect_bytes(uint32_t address, const void *bytes, size_t size)
{
    int order = 1;
    assert_in_range(address, sp, config.top - size);
    assert_int_equal(cairn_space_compare(SPACE, address, bytes, size, &order), 0);
    assert_int_equal(order, 0);
}

// The strings at *at, whose bytes begin at *string. Both go on behind them.
static uint32_t expect_strings(uint32_t *at, uint32_t *string, const char *const *strings)
{
    uint32_t count = 0;
    for (; strings != NULL && strings[count] != NULL; count++) {
        const size_t size = strlen(strings[count]) + 1;
        assert_int_equal(word(*at), *string);
        expect_bytes(*string, strings[count], size);
        *string += (uint32_t)size;
        *at += 4;
    }
    assert_int_equal(word(*at), 0);
    *at += 4;
    return count;
}

static uint32_t bytes_of(const char *const *strings)
{
    uint32_t bytes = 0;
    for (; strings != NULL && *strings != NULL; strings++) {
        bytes += (uint32_t)strlen(*strings) + 1;
    }
    return bytes;
}

static uint32_t count_of(const char *const *strings)
{
    uint32_t count = 0;
    while (strings != NULL && strings[count] != NULL) {
        count++;
    }
    return count;
}

static uint32_t expected_sp(void)
{
    return (config.top - FIXED - 4 * (count_of(config.arguments) + count_of(config.environment)) - bytes_of(config.arguments) - bytes_of(config.environment)) & ~15u;
}

// All that a program reads, and that nothing below sp or above top has changed.
static void expect_stack(void)
{
    const uint32_t strings = bytes_of(config.arguments) + bytes_of(config.environment);
    uint32_t at = sp + 4, string = config.top - strings;
    assert_int_equal(sp, expected_sp());
    assert_int_equal(word(sp), expect_strings(&at, &string, config.arguments));
    expect_strings(&at, &string, config.environment);
    assert_int_equal(string, config.top);
    const uint32_t random = config.top - strings - 16;
    const uint32_t pairs[] = {3, elf.phdr, 4, 32, 5, elf.phdr == 0 ? 0 : elf.headers, 6, config.page, 9, elf.entry, config.random == NULL ? 1 : 25, random, 0, 0};
    for (uint32_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++, at += 4) {
        assert_int_equal(word(at), pairs[i]);
    }
    assert_in_range(at, sp, random);
    if (config.random != NULL) {
        expect_bytes(random, random_bytes, 16);
    }
    for (uint32_t address = PAGE; address < (PAGES + 1) * PAGE; address++) {
        if (address == sp) {
            address = config.top;
        }
        uint8_t byte = 0;
        assert_int_equal(cairn_vm_load8(VM, address, &byte), 0);
        assert_int_equal(byte, MARK);
    }
}

static void a_program_finds_what_it_was_given(void **state)
{
    (void)state;
    assert_int_equal(cairn_stack_build(SPACE, &config, &sp), 0);
    expect_stack();
    assert_int_equal(word(sp), 4);
}

// Byte for byte, so that nothing depends on how it is read.
static void the_smallest_stack_is_these_bytes(void **state)
{
    (void)state;
    static const unsigned char expected[] = {
        1, 0, 0, 0, 0x7E, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,                                                  // argc, argv, 0, 0
        3, 0, 0, 0, 0x34, 0, 1, 0, 4, 0, 0, 0, 32, 0, 0, 0, 5, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 128, 0, 0, 0, // AT_PHDR, PHENT, PHNUM, PAGESZ
        9, 0, 0, 0, 0x79, 0x56, 0x34, 0x12, 25, 0, 0, 0, 0x6E, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,              // AT_ENTRY, AT_RANDOM, AT_NULL
    };
    static const char *const one[] = {"a", NULL};
    static unsigned char found[sizeof expected];
    config.arguments = one;
    config.environment = NULL;
    config.top = 0x380;
    assert_int_equal(cairn_stack_build(SPACE, &config, &sp), 0);
    assert_int_equal(sp, 0x320); // 0x380 - 2 - 84 - 4 = 0x326
    assert_int_equal(cairn_space_read(SPACE, found, sp, sizeof found), 0);
    assert_memory_equal(found, expected, sizeof expected);
    expect_stack();
}

static void what_is_not_given_is_not_there(void **state)
{
    (void)state;
    for (uint32_t which = 0; which < 16; which++) {
        config.arguments = (which & 1) != 0 ? NULL : none;
        config.environment = (which & 2) != 0 ? NULL : environment;
        config.random = (which & 4) != 0 ? NULL : random_bytes;
        elf.phdr = (which & 8) != 0 ? 0 : 0x10034;
        assert_int_equal(cairn_space_fill(SPACE, PAGE, MARK, PAGES * PAGE), 0);
        assert_int_equal(cairn_stack_build(SPACE, &config, &sp), 0);
        expect_stack();
    }
}

static void it_is_aligned_for_any_top_and_length(void **state)
{
    (void)state;
    static char text[20];
    static const char *const lengths[] = {"p", text, NULL};
    config.arguments = lengths;
    config.environment = lengths;
    for (uint32_t i = 0; i < 32; i++) {
        memset(text, 'x', i % 17);
        text[i % 17] = 0;
        config.top = TOP - i * 3;
        config.lowest = expected_sp(); // not a byte more than it needs
        assert_int_equal(cairn_space_fill(SPACE, PAGE, MARK, PAGES * PAGE), 0);
        assert_int_equal(cairn_stack_build(SPACE, &config, &sp), 0);
        assert_int_equal(sp % 16, 0);
        expect_stack();
    }
}

static void what_does_not_fit_is_not_begun(void **state)
{
    (void)state;
    const uint32_t lowest = expected_sp();
    const uint32_t image = vm_image();
    for (config.lowest = config.top + 16; config.lowest > lowest; config.lowest--) {
        assert_int_equal(cairn_stack_build(SPACE, &config, &sp), CAIRN_ENOMEM);
    }
    assert_true(vm_image() == image); // not a page was looked at
    assert_int_equal(sp, 0xA5A5);
    assert_int_equal(cairn_stack_build(SPACE, &config, &sp), 0);
    assert_int_equal(sp, lowest);
    expect_stack();
}

static void the_ends_of_all_addresses_are_no_trap(void **state)
{
    (void)state;
    const uint32_t need = config.top - expected_sp();
    const uint32_t image = vm_image();
    config.lowest = 0;
    for (config.top = 0; config.top < need - 15; config.top++) {
        assert_int_equal(cairn_stack_build(SPACE, &config, &sp), CAIRN_ENOMEM);
    }
    config.lowest = config.top = UINT32_MAX;
    assert_int_equal(cairn_stack_build(SPACE, &config, &sp), CAIRN_ENOMEM);
    config.lowest = UINT32_MAX - FIXED;
    assert_int_equal(cairn_stack_build(SPACE, &config, &sp), CAIRN_ENOMEM);
    config.lowest = UINT32_MAX;
    config.top = 0;
    assert_int_equal(cairn_stack_build(SPACE, &config, &sp), CAIRN_ENOMEM);
    assert_true(vm_image() == image);
    config.lowest = 0;
    config.top = UINT32_MAX; // fits, and is not mapped
    assert_int_equal(cairn_stack_build(SPACE, &config, &sp), CAIRN_EFAULT);
    assert_int_equal(sp, 0xA5A5);
}

// Where memory is watched, a byte more would be found.
static void no_string_is_read_further_than_it_fits(void **state)
{
    (void)state;
    static char text[FIXED + 100];
    const char *const endless[] = {text, NULL};
    memset(text, 'x', sizeof text); // no end in it
    config.lowest = config.top - (uint32_t)sizeof text;
    config.environment = endless;
    config.arguments = NULL;
    assert_int_equal(cairn_stack_build(SPACE, &config, &sp), CAIRN_ENOMEM);
    config.arguments = endless;
    config.environment = NULL;
    assert_int_equal(cairn_stack_build(SPACE, &config, &sp), CAIRN_ENOMEM);
    const char *const many[] = {"12345678", text + 9 + 4, NULL}; // what the first has left
    config.arguments = many;
    assert_int_equal(cairn_stack_build(SPACE, &config, &sp), CAIRN_ENOMEM);
    text[sizeof text - 1] = 0; // an end, and no room for its address, for the rest
    assert_int_equal(cairn_stack_build(SPACE, &config, &sp), CAIRN_ENOMEM);
}

static void errors_of_pages_pass_through(void **state)
{
    (void)state;
    config.top = (PAGES + 1) * PAGE + 1; // one byte is not mapped
    assert_int_equal(cairn_stack_build(SPACE, &config, &sp), CAIRN_EFAULT);
    config.top = TOP;
    assert_int_equal(cairn_space_protect(SPACE, MAP, CAIRN_READ), 0);
    assert_int_equal(cairn_stack_build(SPACE, &config, &sp), CAIRN_EACCES);
    assert_int_equal(cairn_space_protect(SPACE, MAP, RW), 0);
    uint32_t nth = 0;
    for (int error = -1; error != 0; vm_fail(0, 0)) { // each transfer in turn, and those behind it
        assert_int_equal(cairn_space_fill(SPACE, PAGE, MARK, PAGES * PAGE), 0);
        assert_int_equal(cairn_space_fill(SPACE, PAGE, MARK, FRAMES * PAGE), 0); // none of the stack's is in a frame
        vm_fail(++nth, 100);
        error = cairn_stack_build(SPACE, &config, &sp);
        assert_true(error == 0 || error == CAIRN_EIO || error == CAIRN_ECORRUPT || error == CAIRN_ENOMEM);
        assert_true((sp == 0xA5A5) == (error != 0));
        vm_sound();
    }
    assert_true(nth > 2);
}

static void words_are_written_in_pieces(void **state)
{
    (void)state;
    vm_write_through();
    config.arguments = config.environment = NULL;
    assert_int_equal(cairn_stack_build(SPACE, &config, &sp), 0);
    assert_in_range(vm_fixture.writes, 3, 5); // 17 words: 3 pieces, one of them in two pages perhaps, and the random bytes
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    static struct cairn_space nowhere;
    assert_int_equal(cairn_stack_build(NULL, &config, &sp), CAIRN_EINVAL);
    assert_int_equal(cairn_stack_build(&nowhere, &config, &sp), CAIRN_EINVAL);
    assert_int_equal(cairn_stack_build(SPACE, NULL, &sp), CAIRN_EINVAL);
    assert_int_equal(cairn_stack_build(SPACE, &config, NULL), CAIRN_EINVAL);
    config.elf = NULL;
    assert_int_equal(cairn_stack_build(SPACE, &config, &sp), CAIRN_EINVAL);
    assert_int_equal(sp, 0xA5A5);
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, setup, vm_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        UNIT(a_program_finds_what_it_was_given),
        UNIT(the_smallest_stack_is_these_bytes),
        UNIT(what_is_not_given_is_not_there),
        UNIT(it_is_aligned_for_any_top_and_length),
        UNIT(what_does_not_fit_is_not_begun),
        UNIT(the_ends_of_all_addresses_are_no_trap),
        UNIT(no_string_is_read_further_than_it_fits),
        UNIT(errors_of_pages_pass_through),
        UNIT(words_are_written_in_pieces),
        UNIT(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests_name("vm_stack", tests, NULL, NULL);
}
