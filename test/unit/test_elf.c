// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/vm/elf.c and elf_reason.c: each reason by an image of its own, and every answer against an oracle (elf_image.h): for every byte
//             and bit changed, every length, every read that fails, random changes.
// CALLERS     ctest, on every preset. `test_elf SEED ROUNDS` on the host.
#include "cairn/elf.h"
#include "elf_image.h"
#include "prng.h"
#include "test/model/arguments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define READ_ERROR (-77)

static unsigned char image[IMAGE_LARGE];
static struct cairn_elf_config config;
static struct cairn_elf elf;
static uint32_t reads, fail_at; // 0: none fails, else the number of the read, from 1
static uint32_t seed = 1, rounds = 2000;

static int image_read(void *context, uint32_t offset, void *bytes, size_t size)
{
    assert_ptr_equal(context, &config);
    assert_true(size <= config.size && offset <= config.size - size);
    if (++reads == fail_at) {
        memset(bytes, 0x55, size);
        return READ_ERROR;
    }
    memcpy(bytes, image + offset, size);
    return 0;
}

static void start(uint32_t machine)
{
    elf_image_make(image, machine);
    config = (struct cairn_elf_config){.read = image_read, .context = &config, .size = IMAGE_SIZE, .page = IMAGE_PAGE, .limit = IMAGE_LIMIT};
    fail_at = 0;
}

static int answer(void)
{
    memset(&elf, 0xA5, sizeof elf);
    reads = 0;
    return cairn_elf_read(&elf, &config);
}

// Read it, and ask the oracle. Returns what the reader returned.
static int judged(void)
{
    const int error = answer();
    const char *const wrong = elf_image_wrong(image, &config, &elf, error);
    if (wrong != NULL) {
        fail_msg("%s; reason: %s, of header %u", wrong, cairn_elf_reason_name((uint32_t)elf.reason), (unsigned)elf.refused);
    }
    return error;
}

static void expect_refused(enum cairn_elf_reason reason, uint32_t header)
{
    const int error = judged();
    if (elf.reason != reason) {
        fail_msg("\"%s\" in place of \"%s\"", cairn_elf_reason_name((uint32_t)elf.reason), cairn_elf_reason_name((uint32_t)reason));
    }
    assert_int_equal(error, reason < CAIRN_ELF_CLASS ? CAIRN_ECORRUPT : CAIRN_ENOTSUP);
    assert_int_equal(elf.refused, header);
}

static void expect_good(void)
{
    assert_int_equal(judged(), 0);
}

// -------------------------------------------------------------------------------------------------------------- what is accepted

static void a_good_image_is_read(void **state)
{
    (void)state;
    start(CAIRN_ELF_ARM);
    expect_good();
    assert_int_equal(reads, 1 + IMAGE_HEADERS); // each header once
    assert_int_equal(elf.entry, 0x10F5);
    assert_int_equal(elf.machine, CAIRN_ELF_ARM);
    assert_int_equal(elf.flags, 0x05000200);
    assert_int_equal(elf.headers, IMAGE_HEADERS);
    assert_int_equal(elf.phdr, 0x1034);
    assert_int_equal(elf.end, 0x1220);
    assert_false(elf.stack_exec);
    assert_int_equal(elf.segment_count, 2);
    static const struct cairn_elf_segment text = {0x1000, 0x100, 0, 0x100, CAIRN_READ | CAIRN_EXEC};
    static const struct cairn_elf_segment data = {0x1190, 0x90, 0x110, 0x20, CAIRN_READ | CAIRN_WRITE};
    assert_memory_equal(&elf.segments[0], &text, sizeof text);
    assert_memory_equal(&elf.segments[1], &data, sizeof data);
    start(CAIRN_ELF_RISCV);
    expect_good();
    assert_int_equal(elf.entry, 0x10F6);
    assert_int_equal(elf.machine, CAIRN_ELF_RISCV);
}

struct change {
    uint32_t offset, width, value;
};

static void change(const struct change *to)
{
    elf_image_put(image, to->offset, to->width, to->value);
}

static void what_is_allowed_is_accepted(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {7, 1, 3},                                          // OSABI GNU
        {8, 4, 0xFFFFFFFF},                                 // ABI version and padding
        {E_ENTRY, 4, 0x1000},                               // the first byte of text, ARM state
        {E_ENTRY, 4, 0x10FF},                               // the last half of an instruction, Thumb
        {E_FLAGS, 4, 0xFFFFFFFF},                           // not judged
        {IMAGE_FIELD(IMAGE_TEXT, P_FLAGS), 4, 7},           // writable code
        {IMAGE_FIELD(IMAGE_TEXT, P_FLAGS), 4, 0xFFFFFFF9},  // bits of others
        {IMAGE_FIELD(IMAGE_DATA, P_FLAGS), 4, 0},           // nothing allowed
        {IMAGE_FIELD(IMAGE_DATA, P_FLAGS), 4, 2},           // written, so read
        {IMAGE_FIELD(IMAGE_DATA, P_FILESZ), 4, 0},          // zeros only
        {IMAGE_FIELD(IMAGE_DATA, P_MEMSZ), 4, 0x20},        // no zeros
        {IMAGE_FIELD(IMAGE_DATA, P_MEMSZ), 4, 0x8000 - 0x1190}, // up to the limit
        {IMAGE_FIELD(IMAGE_TLS, P_FILESZ), 4, 5},           // no memory, no thread-local data
        {IMAGE_FIELD(IMAGE_EMPTY, P_VADDR), 4, 0xFFFFFFFF}, // nothing is nowhere
        {IMAGE_FIELD(IMAGE_STACK, P_TYPE), 4, 0x6FFFFFFF},
        {IMAGE_FIELD(IMAGE_STACK, P_FLAGS), 4, 7},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        start(CAIRN_ELF_ARM);
        change(&changes[i]);
        expect_good();
    }
    assert_true(elf.stack_exec);
}

static void a_segment_begins_at_the_first_page_or_within_a_word(void **state)
{
    (void)state;
    start(CAIRN_ELF_ARM);
    elf_image_put(image, IMAGE_FIELD(IMAGE_TEXT, P_VADDR), 4, IMAGE_PAGE);
    elf_image_put(image, E_ENTRY, 4, IMAGE_PAGE);
    expect_good();
    start(CAIRN_ELF_ARM);
    elf_image_put(image, IMAGE_FIELD(IMAGE_TEXT, P_VADDR), 4, 0x1002);
    elf_image_put(image, IMAGE_FIELD(IMAGE_TEXT, P_OFFSET), 4, 2);
    elf_image_put(image, IMAGE_FIELD(IMAGE_TEXT, P_FILESZ), 4, 0xFE);
    elf_image_put(image, IMAGE_FIELD(IMAGE_TEXT, P_MEMSZ), 4, 0xFE);
    elf_image_put(image, E_ENTRY, 4, 0x1003);
    expect_good();
    elf_image_put(image, E_ENTRY, 4, 0x1001);
    expect_refused(CAIRN_ELF_ENTRY, 0);
}

static void bytes_of_no_file_need_no_offset(void **state)
{
    (void)state;
    start(CAIRN_ELF_ARM);
    elf_image_put(image, IMAGE_FIELD(IMAGE_DATA, P_FILESZ), 4, 0);
    elf_image_put(image, IMAGE_FIELD(IMAGE_DATA, P_OFFSET), 4, 0xFFFFFFFF);
    expect_good();
    assert_true(cairn_elf_is_mappable(&elf.segments[1], IMAGE_PAGE));
}

static void the_headers_are_somewhere_or_nowhere(void **state)
{
    (void)state;
    start(CAIRN_ELF_ARM);
    elf_image_put(image, IMAGE_FIELD(IMAGE_TEXT, P_FILESZ), 4, 52 + 32 * IMAGE_HEADERS);
    expect_good();
    assert_int_equal(elf.phdr, 0x1034);
    elf_image_put(image, IMAGE_FIELD(IMAGE_TEXT, P_FILESZ), 4, 52 + 32 * IMAGE_HEADERS - 1);
    expect_good();
    assert_int_equal(elf.phdr, 0);
    elf_image_put(image, IMAGE_FIELD(IMAGE_TEXT, P_OFFSET), 4, 52); // they and nothing else are text
    elf_image_put(image, IMAGE_FIELD(IMAGE_TEXT, P_VADDR), 4, 0x1034);
    elf_image_put(image, IMAGE_FIELD(IMAGE_TEXT, P_FILESZ), 4, 32 * IMAGE_HEADERS);
    expect_good();
    assert_int_equal(elf.phdr, 0x1034);
    start(CAIRN_ELF_ARM); // text from behind their first byte on
    elf_image_put(image, IMAGE_FIELD(IMAGE_TEXT, P_OFFSET), 4, 0x80);
    elf_image_put(image, IMAGE_FIELD(IMAGE_TEXT, P_FILESZ), 4, 0xB0);
    expect_good();
    assert_int_equal(elf.phdr, 0);
}

static void the_config_says_what_more_is_allowed(void **state)
{
    (void)state;
    start(CAIRN_ELF_ARM);
    elf_image_put(image, IMAGE_FIELD(IMAGE_DATA, P_OFFSET), 4, 0x10C);
    expect_refused(CAIRN_ELF_ALIGN, IMAGE_DATA);
    config.copies = true;
    expect_good();
    assert_true(cairn_elf_is_mappable(&elf.segments[0], IMAGE_PAGE));
    assert_false(cairn_elf_is_mappable(&elf.segments[1], IMAGE_PAGE));
    assert_true(cairn_elf_is_mappable(&elf.segments[1], 4)); // on a smaller page
    config.copies = false;
    config.page = 4;
    expect_good();
    start(CAIRN_ELF_ARM);
    elf_image_put(image, IMAGE_FIELD(IMAGE_TLS, P_MEMSZ), 4, 1);
    expect_refused(CAIRN_ELF_TLS, IMAGE_TLS);
    config.tls = true;
    expect_good();
    start(CAIRN_ELF_RISCV);
    config.machine = CAIRN_ELF_RISCV;
    expect_good();
    config.machine = CAIRN_ELF_ARM;
    expect_refused(CAIRN_ELF_MACHINE, 0);
    start(CAIRN_ELF_ARM);
    config.limit = 0xFFFFFF80;
    elf_image_put(image, IMAGE_FIELD(IMAGE_DATA, P_MEMSZ), 4, 0xFFFFFF80 - 0x1190);
    expect_good();
    config.size = UINT32_MAX; // a large image: no sum wraps
    elf_image_put(image, IMAGE_FIELD(IMAGE_DATA, P_OFFSET), 4, 0xFFFFFF10);
    elf_image_put(image, IMAGE_FIELD(IMAGE_DATA, P_FILESZ), 4, 0xEF);
    expect_good();
    elf_image_put(image, IMAGE_FIELD(IMAGE_DATA, P_FILESZ), 4, 0xF0);
    expect_refused(CAIRN_ELF_OFFSET, IMAGE_DATA);
}

// --------------------------------------------------------------------------------------------------------------- what is refused

struct refusal {
    enum cairn_elf_reason reason;
    uint32_t header;
    struct change change;
};

#define TEXT(field) IMAGE_FIELD(IMAGE_TEXT, field)
#define DATA(field) IMAGE_FIELD(IMAGE_DATA, field)

static const struct refusal refusals[] = {
    {CAIRN_ELF_MAGIC, 0, {0, 1, 0x7E}},
    {CAIRN_ELF_MAGIC, 0, {3, 1, 'f'}},
    {CAIRN_ELF_CLASS, 0, {4, 1, 2}},
    {CAIRN_ELF_DATA, 0, {5, 1, 2}},
    {CAIRN_ELF_VERSION, 0, {6, 1, 0}},
    {CAIRN_ELF_VERSION, 0, {E_VERSION, 4, 0x01000000}},
    {CAIRN_ELF_OSABI, 0, {7, 1, 65}}, // FDPIC
    {CAIRN_ELF_OSABI, 0, {7, 1, 1}},
    {CAIRN_ELF_TYPE, 0, {E_TYPE, 2, 3}}, // ET_DYN
    {CAIRN_ELF_TYPE, 0, {E_TYPE, 2, 0x0102}},
    {CAIRN_ELF_MACHINE, 0, {E_MACHINE, 2, 3}},
    {CAIRN_ELF_MACHINE, 0, {E_MACHINE, 2, 0}},
    {CAIRN_ELF_EHSIZE, 0, {E_EHSIZE, 2, 64}},
    {CAIRN_ELF_PHENTSIZE, 0, {E_PHENTSIZE, 2, 56}},
    {CAIRN_ELF_PHNUM, 0, {E_PHNUM, 2, 33}},
    {CAIRN_ELF_PHNUM, 0, {E_PHNUM, 2, 0xFFFF}}, // PN_XNUM
    {CAIRN_ELF_PHOFF, 0, {E_PHNUM, 2, 8}},      // over the end by 4 bytes
    {CAIRN_ELF_PHOFF, 0, {E_PHOFF, 4, 48}},
    {CAIRN_ELF_PHOFF, 0, {E_PHOFF, 4, 0}},
    {CAIRN_ELF_PHOFF, 0, {E_PHOFF, 4, 54}},
    {CAIRN_ELF_PHOFF, 0, {E_PHOFF, 4, 116}},
    {CAIRN_ELF_PHOFF, 0, {E_PHOFF, 4, 0xFFFFFFF0}}, // and wraps
    {CAIRN_ELF_FILESZ, IMAGE_DATA, {DATA(P_MEMSZ), 4, 0x1F}},
    {CAIRN_ELF_FILESZ, IMAGE_DATA, {DATA(P_MEMSZ), 4, 0}},
    {CAIRN_ELF_OFFSET, IMAGE_DATA, {DATA(P_FILESZ), 4, 0x21}},
    {CAIRN_ELF_OFFSET, IMAGE_DATA, {DATA(P_OFFSET), 4, 0x190}},
    {CAIRN_ELF_OFFSET, IMAGE_DATA, {DATA(P_OFFSET), 4, 0xFFFFFFF0}}, // and wraps
    {CAIRN_ELF_MEMSZ, IMAGE_DATA, {DATA(P_MEMSZ), 4, 0xFFFFEE71}},   // one byte beyond
    {CAIRN_ELF_MEMSZ, IMAGE_DATA, {DATA(P_MEMSZ), 4, 0xFFFFFFFF}},
    {CAIRN_ELF_LIMIT, IMAGE_DATA, {DATA(P_MEMSZ), 4, 0xFFFFEE70}}, // up to 2^32
    {CAIRN_ELF_LIMIT, IMAGE_DATA, {DATA(P_MEMSZ), 4, 0x6E71}},
    {CAIRN_ELF_LIMIT, IMAGE_DATA, {DATA(P_VADDR), 4, 0x8010}},
    {CAIRN_ELF_VADDR, IMAGE_DATA, {DATA(P_VADDR), 4, 0x10FF}},
    {CAIRN_ELF_VADDR, IMAGE_DATA, {DATA(P_VADDR), 4, 0x0F90}}, // below text
    {CAIRN_ELF_SHARED, IMAGE_DATA, {TEXT(P_MEMSZ), 4, 0x181}},
    {CAIRN_ELF_ZERO, IMAGE_TEXT, {TEXT(P_VADDR), 4, 0}},
    {CAIRN_ELF_ZERO, IMAGE_TEXT, {TEXT(P_VADDR), 4, 0x7F}},
    {CAIRN_ELF_ALIGN, IMAGE_TEXT, {TEXT(P_VADDR), 4, 0x1001}},
    {CAIRN_ELF_DYNAMIC, 0, {IMAGE_FIELD(0, P_TYPE), 4, 2}},
    {CAIRN_ELF_INTERP, IMAGE_STACK, {IMAGE_FIELD(IMAGE_STACK, P_TYPE), 4, 3}},
    {CAIRN_ELF_TLS, IMAGE_TLS, {IMAGE_FIELD(IMAGE_TLS, P_MEMSZ), 4, 4}},
    {CAIRN_ELF_FILESZ, IMAGE_EMPTY, {IMAGE_FIELD(IMAGE_EMPTY, P_FILESZ), 4, 1}},
    {CAIRN_ELF_VADDR, IMAGE_EMPTY, {IMAGE_FIELD(IMAGE_EMPTY, P_MEMSZ), 4, 1}},
    {CAIRN_ELF_ENTRY, 0, {E_ENTRY, 4, 0x10F2}}, // an ARM instruction in the middle of a word
    {CAIRN_ELF_ENTRY, 0, {E_ENTRY, 4, 0xFFF}},
    {CAIRN_ELF_ENTRY, 0, {E_ENTRY, 4, 0x1101}},
    {CAIRN_ELF_ENTRY, 0, {E_ENTRY, 4, 0x1190}}, // data
    {CAIRN_ELF_ENTRY, 0, {E_ENTRY, 4, 0}},
    {CAIRN_ELF_ENTRY, 0, {TEXT(P_FLAGS), 4, 4}},
    {CAIRN_ELF_ENTRY, 0, {E_PHNUM, 2, 0}},
    {CAIRN_ELF_ENTRY, 0, {TEXT(P_TYPE), 4, 0}},
};

static bool is_reached[CAIRN_ELF_READ + 1];

static void each_field_is_refused_by_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const struct refusal *const refusal = &refusals[i];
        start(CAIRN_ELF_ARM);
        if (refusal->reason == CAIRN_ELF_VADDR && refusal->header == IMAGE_EMPTY) {
            elf_image_put(image, IMAGE_FIELD(IMAGE_EMPTY, P_VADDR), 4, 0x1000);
        }
        change(&refusal->change);
        expect_refused(refusal->reason, refusal->header);
        is_reached[refusal->reason] = true;
    }
    start(CAIRN_ELF_RISCV);
    elf_image_put(image, E_ENTRY, 4, 0x10F5);
    expect_refused(CAIRN_ELF_ENTRY, 0);
}

static void make_large(uint32_t headers, uint32_t loads)
{
    start(CAIRN_ELF_ARM);
    elf_image_make_large(image, headers, loads);
    config.size = IMAGE_LARGE;
}

static void the_largest_image_and_the_next_larger_one(void **state)
{
    (void)state;
    make_large(CAIRN_ELF_HEADERS, CAIRN_ELF_SEGMENTS);
    expect_good();
    assert_int_equal(elf.segment_count, CAIRN_ELF_SEGMENTS);
    assert_int_equal(elf.end, 0x1000 + CAIRN_ELF_SEGMENTS * IMAGE_PAGE);
    elf_image_put(image, E_ENTRY, 4, 0x1000 + (CAIRN_ELF_SEGMENTS - 1) * IMAGE_PAGE);
    expect_good(); // in the last
    elf_image_put(image, E_ENTRY, 4, 0x1000 + CAIRN_ELF_SEGMENTS * IMAGE_PAGE);
    expect_refused(CAIRN_ELF_ENTRY, 0); // behind it
    make_large(CAIRN_ELF_HEADERS, CAIRN_ELF_SEGMENTS + 1);
    expect_refused(CAIRN_ELF_MANY, CAIRN_ELF_SEGMENTS);
    is_reached[CAIRN_ELF_MANY] = true;
    make_large(CAIRN_ELF_HEADERS + 1, 1);
    expect_refused(CAIRN_ELF_PHNUM, 0);
}

// ------------------------------------------------------------------------------------------------------------------ all of them

static void every_byte_and_bit_is_judged_as_the_oracle_does(void **state)
{
    (void)state;
    uint32_t good = 0;
    for (uint32_t machine = CAIRN_ELF_ARM;; machine = CAIRN_ELF_RISCV) {
        for (uint32_t i = 0; i < 52 + 32 * IMAGE_HEADERS; i++) {
            start(machine);
            const unsigned char was = image[i];
            for (uint32_t how = 0; how < 10; how++) {
                image[i] = (unsigned char)(how == 8 ? 0 : how == 9 ? 0xFF : was ^ 1u << how);
                good += judged() == 0;
            }
        }
        if (machine == CAIRN_ELF_RISCV) {
            break;
        }
    }
    assert_in_range(good, 1000, 4000); // most of 4880 are of fields that nobody looks at: paddr, align, types of others
}

static void every_length_but_the_whole_is_refused(void **state)
{
    (void)state;
    start(CAIRN_ELF_ARM);
    for (config.size = 0; config.size < IMAGE_SIZE; config.size++) {
        expect_refused(config.size < 52 ? CAIRN_ELF_SHORT : config.size < 52 + 32 * IMAGE_HEADERS ? CAIRN_ELF_PHOFF : CAIRN_ELF_OFFSET,
                       config.size < 52 + 32 * IMAGE_HEADERS ? 0 : config.size < 256 ? IMAGE_TEXT : IMAGE_DATA);
    }
    expect_good();
    is_reached[CAIRN_ELF_SHORT] = true;
}

static void every_read_that_fails_ends_it(void **state)
{
    (void)state;
    start(CAIRN_ELF_ARM);
    for (fail_at = 1; fail_at <= 1 + IMAGE_HEADERS; fail_at++) {
        assert_int_equal(answer(), READ_ERROR);
        assert_int_equal(reads, fail_at);
        assert_int_equal(elf.reason, CAIRN_ELF_READ);
        assert_int_equal(elf.refused, fail_at < 2 ? 0 : fail_at - 2);
        assert_int_equal(elf.segment_count, 0);
        assert_int_equal(elf.headers, 0);
    }
    expect_good();
    is_reached[CAIRN_ELF_READ] = true;
}

static void random_changes_are_judged_as_the_oracle_does(void **state)
{
    (void)state;
    static const uint32_t values[] = {0, 1, 2, 3, 4, 7, 0x20, 52, 0x7F, 0x80, 0x81, 0x90, 0x100, 0x110, 0x130, 0xFFF, 0x1000, 0x1100, 0x1190, 0x1220, 0x7FFF, 0x8000,
                                      0x7FFFFFFF, 0x80000000, 0xFFFFEE70, 0xFFFFFF00, 0xFFFFFF90, 0xFFFFFFFF};
    struct prng prng;
    prng_seed(&prng, seed);
    print_message("seed %u, %u rounds\n", (unsigned)seed, (unsigned)rounds);
    uint32_t good = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        start(prng_below(&prng, 2) == 0 ? CAIRN_ELF_ARM : CAIRN_ELF_RISCV);
        config.copies = prng_below(&prng, 2) != 0;
        config.tls = prng_below(&prng, 2) != 0;
        config.page = 1u << prng_below(&prng, 9);
        config.limit = prng_below(&prng, 4) == 0 ? 0xFFFFFF00 : 0x8000;
        for (uint32_t changes = prng_below(&prng, 5); changes != 0; changes--) {
            const uint32_t at = prng_below(&prng, 16) == 0 ? 24 + 4 * prng_below(&prng, 6)
                                                           : IMAGE_FIELD(prng_below(&prng, IMAGE_HEADERS), 4 * prng_below(&prng, 8));
            const uint32_t value = values[prng_below(&prng, sizeof values / sizeof values[0])];
            elf_image_put(image, at, 4, prng_below(&prng, 2) == 0 ? value : elf_image_get(image, at, 4) + value);
        }
        good += judged() == 0;
    }
    assert_in_range(good, rounds / 8, rounds - rounds / 8);
}

// ---------------------------------------------------------------------------------------------------------------- names, arguments

static void each_reason_was_reached_and_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (uint32_t reason = CAIRN_ELF_GOOD; reason <= CAIRN_ELF_READ; reason++) {
        if (reason != CAIRN_ELF_GOOD && !is_reached[reason]) {
            fail_msg("nothing is refused for \"%s\"", cairn_elf_reason_name(reason));
        }
        assert_true(strlen(cairn_elf_reason_name(reason)) > 3);
        assert_string_not_equal(cairn_elf_reason_name(reason), "unknown");
        for (uint32_t other = CAIRN_ELF_GOOD; other < reason; other++) {
            assert_string_not_equal(cairn_elf_reason_name(reason), cairn_elf_reason_name(other));
        }
    }
    assert_string_equal(cairn_elf_reason_name(CAIRN_ELF_READ + 1), "unknown");
    assert_string_equal(cairn_elf_reason_name(UINT32_MAX), "unknown");
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    start(CAIRN_ELF_ARM);
    assert_int_equal(cairn_elf_read(NULL, &config), CAIRN_EINVAL);
    assert_int_equal(cairn_elf_read(&elf, NULL), CAIRN_EINVAL);
    static const uint32_t pages[][2] = {{0, 0x8000}, {0, 0}, {128, 0}, {128, 0x8001}, {128, 0x8040}, {96, 0x9000}, {0xFFFFFFFF, 0x8000}};
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        config.page = pages[i][0];
        config.limit = pages[i][1];
        assert_int_equal(answer(), CAIRN_EINVAL);
        assert_int_equal(reads, 0);
        assert_int_equal(((unsigned char *)&elf)[0], 0xA5); // not changed
    }
    start(CAIRN_ELF_ARM);
    config.read = NULL;
    assert_int_equal(answer(), CAIRN_EINVAL);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_image_is_read),
        cmocka_unit_test(what_is_allowed_is_accepted),
        cmocka_unit_test(a_segment_begins_at_the_first_page_or_within_a_word),
        cmocka_unit_test(bytes_of_no_file_need_no_offset),
        cmocka_unit_test(the_headers_are_somewhere_or_nowhere),
        cmocka_unit_test(the_config_says_what_more_is_allowed),
        cmocka_unit_test(each_field_is_refused_by_its_reason),
        cmocka_unit_test(the_largest_image_and_the_next_larger_one),
        cmocka_unit_test(every_byte_and_bit_is_judged_as_the_oracle_does),
        cmocka_unit_test(every_length_but_the_whole_is_refused),
        cmocka_unit_test(every_read_that_fails_ends_it),
        cmocka_unit_test(random_changes_are_judged_as_the_oracle_does),
        cmocka_unit_test(each_reason_was_reached_and_has_a_name_of_its_own),
        cmocka_unit_test(bad_arguments_are_refused),
    };
    read_arguments(argc, argv, 100, &seed, &rounds);
    return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}
