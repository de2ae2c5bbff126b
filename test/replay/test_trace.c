// SPDX-License-Identifier: MIT
//
// The trace reader and writer: what is sound comes through both formats unchanged, what is not is named with its place.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "bytes.h"
#include "prng.h"

#define IDS 64u

static unsigned char table[IDS / 4];

// Read to the end or the first fault. Returns the operations; *text: the explanation, empty if there is none.
static uint32_t read_all(const void *data, size_t size, uint32_t capacity, struct trace_op *ops, uint32_t room, char text[TRACE_EXPLANATION_MAX])
{
    struct bytes bytes = {.data = (unsigned char *)(uintptr_t)data, .size = size};
    struct trace_reader reader;
    struct trace_op op;
    uint32_t count = 0;
    int result = trace_open(&reader, bytes_read, &bytes);
    if (result == 0) {
        result = trace_set_table(&reader, table, capacity);
    }
    while (result == 0 && (result = trace_next(&reader, &op)) > 0) {
        if (count < room) {
            ops[count] = op;
        }
        count++;
        result = 0;
    }
    trace_explain(&reader, text);
    assert_int_equal(text[0] != '\0', result == CAIRN_ECORRUPT);
    if (result < 0) {
        assert_int_equal(trace_next(&reader, &op), CAIRN_ECORRUPT); // and stays so
    }
    return count;
}

static void expect_text(const char *trace, const char *explanation)
{
    char text[TRACE_EXPLANATION_MAX];
    (void)read_all(trace, strlen(trace), IDS, NULL, 0, text);
    assert_string_equal(text, explanation);
}

static void expect_compact(const char *bytes, size_t size, const char *explanation)
{
    unsigned char trace[64] = "cairntr\1";
    char text[TRACE_EXPLANATION_MAX];
    memcpy(trace + 8, bytes, size);
    (void)read_all(trace, 8 + size, IDS, NULL, 0, text);
    assert_string_equal(text, explanation);
}
#define EXPECT_COMPACT(bytes, explanation) expect_compact(bytes, sizeof bytes - 1, explanation)

static void good_text_is_read(void **state)
{
    (void)state;
    struct trace_op ops[8];
    char text[TRACE_EXPLANATION_MAX];
    const char trace[] = "100\r\n3\n5\n1\n\na 0 10\r\n  m\t1  64 20 \nr 0 4294967295\n\nf 0\na 2 0";
    assert_int_equal(read_all(trace, sizeof trace - 1, IDS, ops, 8, text), 5);
    assert_string_equal(text, "");
    assert_int_equal(ops[0].act, TRACE_ALLOC);
    assert_int_equal(ops[0].size, 10);
    assert_int_equal(ops[1].act, TRACE_ALIGNED);
    assert_int_equal(ops[1].alignment, 64);
    assert_int_equal(ops[1].size, 20);
    assert_int_equal(ops[2].act, TRACE_REALLOC);
    assert_int_equal(ops[2].size, UINT32_MAX);
    assert_int_equal(ops[3].act, TRACE_FREE);
    assert_int_equal(ops[4].id, 2);
    assert_int_equal(ops[4].size, 0);
}

static void zeros_in_the_header_mean_not_known(void **state)
{
    (void)state;
    expect_text("0\n0\n0\n1\n", "");
    expect_text("0\n0\n0\n1\na 0 1\na 9 1\n", "");
    expect_text("0000000000\n0000000000\n0000000000\n1\na 0 1\n", "");
}

static void bad_headers_are_named(void **state)
{
    (void)state;
    expect_text("", "line 1: not a trace: the header's first number (peak bytes) is missing");
    expect_text("hello\n", "line 1: not a trace: the header's first number (peak bytes) is not a decimal number");
    expect_text("1\n", "line 2: the header's second number (ids) is missing");
    expect_text("1\n2\na 0 1\n", "line 3: the header's third number (operations) is not a decimal number");
    expect_text("1\n2\n3\nx\n", "line 4: the header's fourth number (weight) is not a decimal number");
    expect_text("1 2\n3\n4\n", "line 1: there is more on the line than belongs there");
    expect_text("1\n-2\n", "line 2: the header's second number (ids) is not a decimal number");
    expect_text("1\n4294967296\n", "line 2: the number is too large (4294967295 is the most)");
    expect_text("1\n65\n0\n1\n", "line 2: the header says 65 ids, more than there is room for");
}

static void bad_lines_are_named(void **state)
{
    (void)state;
#define HEAD "0\n0\n0\n1\n"
    expect_text(HEAD "x 0 1\n", "line 5: unknown operation (byte 120); a, f, r and m are known");
    expect_text(HEAD "a 0 1\n\n\xff\n", "line 7: unknown operation (byte 255); a, f, r and m are known");
    expect_text(HEAD "alloc 0 1\n", "line 5: unknown operation: more than one letter");
    expect_text(HEAD "a0 1\n", "line 5: unknown operation: more than one letter");
    expect_text(HEAD "a\n0 1\n", "line 5: the id is missing");
    expect_text(HEAD "a", "line 5: the id is missing");
    expect_text(HEAD "f x\n", "line 5: the id is not a decimal number");
    expect_text(HEAD "f -1\n", "line 5: the id is not a decimal number");
    expect_text(HEAD "a 0\n", "line 5: the size is missing");
    expect_text(HEAD "a 0 1\nr 0\n", "line 6: the size is missing");
    expect_text(HEAD "m 0\n", "line 5: the alignment is missing");
    expect_text(HEAD "m 0 8\n", "line 5: the size is missing");
    expect_text(HEAD "m 0 0 8\n", "line 5: alignment 0 is not a power of two");
    expect_text(HEAD "m 0 24 8\n", "line 5: alignment 24 is not a power of two");
    expect_text(HEAD "a 0 4294967296\n", "line 5: the number is too large (4294967295 is the most)");
    expect_text(HEAD "a 0 99999999999999999999\n", "line 5: the number is too large (4294967295 is the most)");
    expect_text(HEAD "a 0 1 2\n", "line 5: there is more on the line than belongs there");
    for (unsigned i = 0; i < 6; i++) {
        static const char *const sizes[] = {"-5", "+5", "1x", "0x10", "1.5", "5,"};
        char line[32];
        snprintf(line, sizeof line, HEAD "a 0 %s\n", sizes[i]);
        expect_text(line, "line 5: the size is not a decimal number");
    }
    expect_text(HEAD "m 0 -8 8\n", "line 5: the alignment is not a decimal number");
    expect_text(HEAD "a 0 1\nf 0 1\n", "line 6: there is more on the line than belongs there");
}

static void ids_out_of_order_are_named(void **state)
{
    (void)state;
    expect_text(HEAD "a 64 1\n", "line 5: id 64 is out of range: there is no room for so many");
    expect_text(HEAD "f 4294967295\n", "line 5: id 4294967295 is out of range: there is no room for so many");
    expect_text("0\n2\n0\n1\na 2 1\n", "line 5: id 2 is out of range: the header says fewer ids");
    expect_text(HEAD "a 0 1\na 0 1\n", "line 6: id 0 is already live");
    expect_text(HEAD "a 0 1\nm 0 8 1\n", "line 6: id 0 is already live");
    expect_text(HEAD "a 0 1\nf 0\na 0 1\n", "line 7: id 0 was freed and is used again");
    expect_text(HEAD "f 7\n", "line 5: id 7 was never allocated");
    expect_text(HEAD "r 7 1\n", "line 5: id 7 was never allocated");
    expect_text(HEAD "a 0 1\nf 0\nf 0\n", "line 7: id 0 was freed already");
    expect_text(HEAD "a 0 1\nf 0\nr 0 5\n", "line 7: id 0 was freed already");
}

static void a_header_that_does_not_fit_is_named(void **state)
{
    (void)state;
    expect_text("0\n0\n1\n1\na 0 1\na 1 1\n", "line 6: more operations than the 1 that the header says");
    expect_text("0\n0\n3\n1\na 0 1\na 1 1\n", "line 7: the trace ends before the 3 operations that the header says");
    expect_text("0\n3\n0\n1\na 0 1\na 1 1\n", "line 7: fewer ids than the 3 that the header says");
}

static void bad_compact_bytes_are_named(void **state)
{
    (void)state;
    char text[TRACE_EXPLANATION_MAX];
    (void)read_all("cairn 1\n", 8, IDS, NULL, 0, text);
    assert_string_equal(text, "byte 5: not a trace: it begins with neither a number nor \"cairntr\"");
    (void)read_all("cai", 3, IDS, NULL, 0, text);
    assert_string_equal(text, "byte 3: not a trace: it begins with neither a number nor \"cairntr\"");
    (void)read_all("cairntr\2", 8, IDS, NULL, 0, text);
    assert_string_equal(text, "byte 7: version 2 of the compact format is not known");
    (void)read_all("cairntr", 7, IDS, NULL, 0, text);
    assert_string_equal(text, "byte 7: the file ends inside the header");
    EXPECT_COMPACT("", "byte 8: the file ends inside an operation or the header");
    EXPECT_COMPACT("\0\0\0", "byte 11: the file ends inside an operation or the header");
    EXPECT_COMPACT("\0\0\0\1", "");
    EXPECT_COMPACT("\x80", "byte 9: the file ends inside a number");
    EXPECT_COMPACT("\xff\xff\xff\xff\x10", "byte 12: the number is too large");
    EXPECT_COMPACT("\xff\xff\xff\xff\x8f\0", "byte 13: the number is too large");
    EXPECT_COMPACT("\0\101\0\1", "byte 12: the header says 65 ids, more than there is room for");
    EXPECT_COMPACT("\0\0\0\1\x80", "byte 13: the file ends inside a number");
    EXPECT_COMPACT("\0\0\0\1\xff\xff\xff\xff\x40", "byte 16: the number is too large");
    EXPECT_COMPACT("\0\0\0\1\1", "byte 12: id 4294967295 is out of range: there is no room for so many");
    EXPECT_COMPACT("\0\0\0\1\4\1\1", "byte 14: id 0 was freed already");
    EXPECT_COMPACT("\0\0\0\1\4\2", "byte 14: the file ends inside an operation or the header");
    EXPECT_COMPACT("\0\0\0\1\13", "byte 12: unknown operation (2)");
    EXPECT_COMPACT("\0\0\0\1\3\40\1", "byte 13: alignment 2^32 is out of range");
    EXPECT_COMPACT("\0\0\0\1\3\3", "byte 14: the file ends inside an operation or the header");
    EXPECT_COMPACT("\0\0\0\1\7", "byte 13: the file ends inside an operation or the header");
    EXPECT_COMPACT("\0\0\1\1\4\4", "byte 13: more operations than the 1 that the header says");
    EXPECT_COMPACT("\0\0\2\1\4", "byte 13: the trace ends before the 2 operations that the header says");
}

// Sound operations by chance, ids in any order. Returns how many.
static uint32_t make_ops(struct prng *prng, struct trace_op *ops, uint32_t room)
{
    static const uint32_t sizes[] = {0, 1, 31, 32, 4096, 1u << 20, 1u << 30, UINT32_MAX};
    unsigned char states[IDS] = {0};
    uint32_t count = 0;
    for (uint32_t turn = 0; turn < 4 * room && count < room; turn++) {
        const uint32_t id = prng_below(prng, 3) == 0 ? prng_below(prng, IDS) : count % IDS;
        struct trace_op *const op = &ops[count];
        *op = (struct trace_op){.id = id, .size = sizes[prng_below(prng, 8)]};
        if (states[id] == 0) {
            op->act = prng_below(prng, 4) == 0 ? TRACE_ALIGNED : TRACE_ALLOC;
            op->alignment = op->act == TRACE_ALIGNED ? (uint32_t)1 << prng_below(prng, 32) : 0;
            states[id] = 1;
        } else if (states[id] == 1) {
            op->act = prng_below(prng, 2) == 0 ? TRACE_REALLOC : TRACE_FREE;
            op->size = op->act == TRACE_FREE ? 0 : op->size;
            states[id] = op->act == TRACE_FREE ? 2 : 1;
        } else {
            continue;
        }
        count++;
    }
    return count;
}

static void both_formats_give_back_what_was_written(void **state)
{
    (void)state;
    static struct trace_op ops[100];
    static struct trace_op back[100];
    static unsigned char data[4000];
    char text[TRACE_EXPLANATION_MAX];
    for (uint32_t seed = 1; seed <= 50; seed++) {
        struct prng prng;
        prng_seed(&prng, seed);
        const uint32_t count = make_ops(&prng, ops, 100);
        for (int is_compact = 0; is_compact < 2; is_compact++) {
            struct bytes bytes = {.data = data, .room = sizeof data};
            struct trace_writer writer;
            const struct trace_header header = {UINT32_MAX, 0, count, 7};
            assert_int_equal(trace_create(&writer, is_compact != 0, &header, bytes_write, &bytes), 0);
            for (uint32_t at = 0; at < count; at++) {
                assert_int_equal(trace_put(&writer, &ops[at]), 0);
            }
            assert_int_equal(read_all(data, bytes.size, IDS, back, 100, text), count);
            assert_string_equal(text, "");
            assert_memory_equal(ops, back, count * sizeof *ops);
        }
    }
}

static void damaged_bytes_never_give_unsound_operations(void **state)
{
    (void)state;
    static unsigned char data[300];
    static struct trace_op ops[400];
    char text[TRACE_EXPLANATION_MAX];
    for (uint32_t seed = 1; seed <= 3000; seed++) {
        struct prng prng;
        prng_seed(&prng, seed);
        const size_t size = 12 + prng_below(&prng, 280);
        memcpy(data, seed % 2 == 0 ? "cairntr\1\0\0\0\0" : "0\n0\n0\n1\n\n\n\n\n", 12);
        for (size_t at = 12; at < size; at++) {
            data[at] = (unsigned char)(seed % 2 == 0 ? prng_next(&prng) >> 9 : (uint32_t)"afrm0123 \n"[prng_below(&prng, 10)]);
        }
        const uint32_t count = read_all(data, size, IDS, ops, 400, text);
        unsigned char states[IDS] = {0};
        for (uint32_t at = 0; at < count; at++) {
            const bool is_new = ops[at].act == TRACE_ALLOC || ops[at].act == TRACE_ALIGNED;
            assert_true(ops[at].id < IDS);
            assert_int_equal(states[ops[at].id], is_new ? 0 : 1);
            states[ops[at].id] = ops[at].act == TRACE_FREE ? 2 : 1;
        }
    }
}

static void a_writer_that_cannot_write_says_so(void **state)
{
    (void)state;
    unsigned char data[20];
    struct bytes bytes = {.data = data, .room = sizeof data};
    struct trace_writer writer;
    const struct trace_header header = {0};
    const struct trace_op op = {TRACE_ALLOC, 0, 1000000000, 0};
    assert_int_equal(trace_create(&writer, false, &header, bytes_write, &bytes), 0);
    assert_int_equal(trace_put(&writer, &op), CAIRN_ENOMEM);
    bytes.room = bytes.size + 2;
    assert_int_equal(trace_create(&writer, true, &header, bytes_write, &bytes), CAIRN_ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_text_is_read),
        cmocka_unit_test(zeros_in_the_header_mean_not_known),
        cmocka_unit_test(bad_headers_are_named),
        cmocka_unit_test(bad_lines_are_named),
        cmocka_unit_test(ids_out_of_order_are_named),
        cmocka_unit_test(a_header_that_does_not_fit_is_named),
        cmocka_unit_test(bad_compact_bytes_are_named),
        cmocka_unit_test(both_formats_give_back_what_was_written),
        cmocka_unit_test(damaged_bytes_never_give_unsound_operations),
        cmocka_unit_test(a_writer_that_cannot_write_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
