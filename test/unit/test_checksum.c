// SPDX-License-Identifier: MIT
//
// OWNS        the proof of lib/base/checksum.c: the published check value, and the sum a bit at a time.
// CALLERS     ctest, on every preset.
#include "base/checksum.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint32_t by_bits(const unsigned char *bytes, size_t size)
{
    uint32_t sum = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; i++) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            sum = (sum & 1) != 0 ? sum >> 1 ^ 0x82F63B78u : sum >> 1;
        }
    }
    return ~sum;
}

static void the_published_sum_of_nine_digits(void **state)
{
    (void)state;
    assert_int_equal(cairn_checksum_(0, "123456789", 9), 0xE3069283u);
    assert_int_equal(cairn_checksum_(0, "", 0), 0);
}

static void every_byte_and_every_cut_give_the_sum_by_bits(void **state)
{
    (void)state;
    unsigned char bytes[256];
    for (uint32_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)(i * 7);
    }
    const uint32_t whole = by_bits(bytes, sizeof bytes);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        assert_int_equal(cairn_checksum_(0, bytes, cut), by_bits(bytes, cut));
        assert_int_equal(cairn_checksum_(cairn_checksum_(0, bytes, cut), bytes + cut, sizeof bytes - cut), whole);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_sum_of_nine_digits),
        cmocka_unit_test(every_byte_and_every_cut_give_the_sum_by_bits),
    };
    return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
