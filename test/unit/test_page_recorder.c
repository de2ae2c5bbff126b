// SPDX-License-Identifier: MIT
//
// The recorder of pages: what is told to it, and by a vm, is in the trace, or counts as lost.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cairn/access.h"
#include "cairn/page_recorder.h"

#define SHIFT 7u
#define PAGE (1u << SHIFT)

static struct cairn_page_recorder recorder;
static struct cairn_space space = {.number = 1};
static struct cairn_space other = {.number = 2};
static char buffer[64];

// What was written.
static struct {
    char text[512];
    size_t used;
    unsigned calls;
    int answer;
} out;

static int write_text(void *context, const char *text, size_t size)
{
    assert_ptr_equal(context, &out);
    out.calls++;
    if (out.answer != 0) {
        return out.answer;
    }
    assert_true(size > 0 && text[size - 1] == '\n');
    assert_true(out.used + size < sizeof out.text);
    memcpy(out.text + out.used, text, size);
    out.used += size;
    out.text[out.used] = '\0';
    return 0;
}

static int begin_of(const struct cairn_space *which, size_t size)
{
    memset(&out, 0, sizeof out);
    return cairn_page_recorder_init(&recorder, which, SHIFT, "test", buffer, size, write_text, &out);
}

static void begin(size_t size)
{
    assert_int_equal(begin_of(&space, size), 0);
}

static void refer(cairn_vaddr_t page, bool write)
{
    cairn_page_recorder_reference(&recorder, &space, page << SHIFT | 5, write);
}

static void expect(const char *text)
{
    assert_int_equal(cairn_page_recorder_flush(&recorder), 0);
    assert_string_equal(out.text, text);
}

#define HEAD "# page 128\n# source test\n"

static void a_trace_without_references_is_its_head(void **state)
{
    (void)state;
    begin(sizeof buffer);
    assert_int_equal(out.calls, 0);
    expect(HEAD);
    assert_int_equal(cairn_page_recorder_flush(&recorder), 0);
    assert_int_equal(out.calls, 1); // nothing new is not written
}

static void references_of_one_kind_to_one_page_are_one_record(void **state)
{
    (void)state;
    begin(sizeof buffer);
    refer(1, false);
    refer(1, false);
    refer(2, true);
    refer(2, true);
    refer(1, false);
    expect(HEAD "r 1\nw 2\nr 1\n");
    refer(1, false); // also behind a flush
    expect(HEAD "r 1\nw 2\nr 1\n");
    assert_int_equal(recorder.records, 3);
    assert_int_equal(recorder.lost, 0);
}

static void a_write_after_a_read_is_a_record(void **state)
{
    (void)state;
    begin(sizeof buffer);
    refer(1, false);
    refer(1, true);
    refer(1, false);
    expect(HEAD "r 1\nw 1\nr 1\n");
}

static void pages_are_hexadecimal(void **state)
{
    (void)state;
    begin(sizeof buffer);
    refer(0, false);
    refer(0xF, false);
    refer(0x10, false);
    refer(0x1ABCDEF, true);
    expect(HEAD "r 0\nr f\nr 10\nw 1abcdef\n");
}

static void whole_lines_are_written_where_the_buffer_is_full(void **state)
{
    (void)state;
    char text[512] = HEAD;
    begin(CAIRN_PAGE_RECORDER_LEAST);
    for (uint32_t at = 0; at < 64; at++) {
        refer(16 + at % 10, (at & 4) != 0);
        const char line[] = {(at & 4) != 0 ? 'w' : 'r', ' ', '1', (char)('0' + at % 10), '\n', '\0'};
        strcat(text, line);
    }
    assert_true(out.calls > 10);
    expect(text);
    assert_int_equal(recorder.records, 64);
    assert_int_equal(recorder.lost, 0);
}

static void what_has_no_room_is_lost_and_the_trace_says_so(void **state)
{
    (void)state;
    begin(CAIRN_PAGE_RECORDER_LEAST);
    out.answer = CAIRN_EBUSY;
    refer(1, false); // 25 bytes are used, and 11 may be needed
    refer(2, false);
    refer(2, false); // of a record that was lost: it was not the last
    assert_int_equal(recorder.lost, 3);
    assert_int_equal(cairn_page_recorder_flush(&recorder), CAIRN_EBUSY);
    out.answer = 0;
    refer(2, false);
    refer(3, false);
    expect(HEAD "# lost 3\nr 2\nr 3\n");
    assert_int_equal(recorder.lost, 3);
    assert_int_equal(recorder.records, 2);
}

static void other_spaces_are_not_recorded(void **state)
{
    (void)state;
    begin(sizeof buffer);
    refer(1, false);
    cairn_page_recorder_reference(&recorder, &other, 2 << SHIFT, true);
    refer(1, false);
    expect(HEAD "r 1\n");
}

static void of_all_spaces_pages_have_the_number_of_theirs(void **state)
{
    (void)state;
    assert_int_equal(begin_of(NULL, sizeof buffer), 0);
    refer(1, false);
    cairn_page_recorder_reference(&recorder, &other, 1 << SHIFT, false);
    expect(HEAD "r 1000001\nr 2000001\n");
}

static void pages_without_a_number_below_2_32_are_lost(void **state)
{
    (void)state;
#if CAIRN_VADDR_BITS == 64
    begin(sizeof buffer);
    refer(UINT32_MAX, false);
    refer((cairn_vaddr_t)1 << 32, false);
    refer(1, false);
    expect(HEAD "r ffffffff\n# lost 1\nr 1\n");
    assert_int_equal(recorder.lost, 1);
#endif
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    assert_int_equal(begin_of(&space, CAIRN_PAGE_RECORDER_LEAST - 1), CAIRN_EINVAL);
    assert_int_equal(cairn_page_recorder_init(NULL, &space, SHIFT, "", buffer, 64, write_text, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_page_recorder_init(&recorder, &space, 6, "", buffer, 64, write_text, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_page_recorder_init(&recorder, &space, 13, "", buffer, 64, write_text, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_page_recorder_init(&recorder, &space, SHIFT, NULL, buffer, 64, write_text, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_page_recorder_init(&recorder, &space, SHIFT, "", NULL, 64, write_text, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_page_recorder_init(&recorder, &space, SHIFT, "", buffer, 64, NULL, NULL), CAIRN_EINVAL);
    // The head is 22 bytes and the text.
    assert_int_equal(cairn_page_recorder_init(&recorder, &space, 12, "0123456789a", buffer, 32, write_text, NULL), CAIRN_EINVAL);
    assert_int_equal(cairn_page_recorder_init(&recorder, &space, 12, "0123456789a", buffer, 33, write_text, NULL), 0);
    assert_int_equal(recorder.used, 33);
}

static void a_vm_feeds_it(void **state)
{
    static _Alignas(PAGE) unsigned char frames[4 * PAGE];
    static _Alignas(8) unsigned char memory[1600];
    struct cairn_vm vm;
    struct cairn_space its;
    struct cairn_mapping mapping;
    const struct cairn_vm_config config = {.page_shift = SHIFT,
                                           .levels = 1,
                                           .bits = {4},
                                           .tlb = 4,
                                           .frames = frames,
                                           .frame_count = 4,
                                           .memory = memory,
                                           .size = sizeof memory,
                                           .reference = cairn_page_recorder_reference,
                                           .context = &recorder};
    uint32_t word;
    (void)state;
    assert_int_equal(cairn_vm_init(&vm, &config), 0);
    assert_int_equal(cairn_space_init(&its, &vm), 0);
    assert_int_equal(begin_of(&its, sizeof buffer), 0);
    assert_int_equal(cairn_space_map(&its, &mapping, PAGE, 3 * PAGE, CAIRN_READ | CAIRN_WRITE), 0);
    cairn_space_switch(&vm, &its);
    assert_int_equal(cairn_vm_load32(&vm, PAGE, &word), 0);
    assert_int_equal(cairn_vm_load32(&vm, PAGE + 4, &word), 0);         // the TLB has it
    assert_int_equal(cairn_vm_store32(&vm, PAGE + 4, word), 0);         // not for a store
    assert_int_equal(cairn_space_fill(&its, PAGE, 7, 3 * PAGE), 0);     // each page
    assert_int_equal(cairn_vm_load32(&vm, 5 * PAGE, &word), CAIRN_EFAULT);
    struct cairn_cursor cursor;
    cairn_cursor_init(&cursor, &its, CAIRN_READ); // pins are references too
    assert_int_equal(cairn_cursor_load32(&cursor, 2 * PAGE, &word), 0);
    assert_int_equal(cairn_cursor_load32(&cursor, 2 * PAGE + 4, &word), 0);
    cairn_cursor_deinit(&cursor);
    expect(HEAD "r 1\nw 1\nw 2\nw 3\nr 2\n");
    assert_int_equal(cairn_space_deinit(&its), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trace_without_references_is_its_head),
        cmocka_unit_test(references_of_one_kind_to_one_page_are_one_record),
        cmocka_unit_test(a_write_after_a_read_is_a_record),
        cmocka_unit_test(pages_are_hexadecimal),
        cmocka_unit_test(whole_lines_are_written_where_the_buffer_is_full),
        cmocka_unit_test(what_has_no_room_is_lost_and_the_trace_says_so),
        cmocka_unit_test(other_spaces_are_not_recorded),
        cmocka_unit_test(of_all_spaces_pages_have_the_number_of_theirs),
        cmocka_unit_test(pages_without_a_number_below_2_32_are_lost),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(a_vm_feeds_it),
    };
    return cmocka_run_group_tests_name("page_recorder", tests, NULL, NULL);
}
