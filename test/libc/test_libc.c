// SPDX-License-Identifier: MIT
//
// OWNS        the proof of port/libc on boards: the calls of the malloc family, the break shared with others, and the C library on top of it.
// CALLERS     test/check/libc.sh, with newlib, newlib-nano and picolibc.
#define _GNU_SOURCE // getline, asprintf
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "port/libc/libc.h"

void *aligned_alloc(size_t alignment, size_t size);
int posix_memalign(void **block, size_t alignment, size_t size);
void *reallocarray(void *block, size_t count, size_t size);
int malloc_trim(size_t keep);

static uint32_t reports;
static size_t used_before;

void cairn_libc_report(const struct cairn_report *report)
{
    (void)report;
    reports++;
}

static struct cairn_heap_stats look(void)
{
    struct cairn_heap_stats stats;
    cairn_heap_stats(cairn_libc_heap(), &stats);
    return stats;
}

static int setup(void **state)
{
    (void)state;
    free(malloc(1)); // so that there is a heap
    reports = 0;
    used_before = look().used;
    return 0;
}

static int teardown(void **state)
{
    struct cairn_fault fault;
    (void)state;
    assert_int_equal(cairn_heap_check(cairn_libc_heap(), &fault), 0);
    assert_int_equal(look().used, used_before);
    return 0;
}

// ------------------------------------------------------------------------------------------------------------------ the calls

static void a_block_of_0_bytes_is_one_of_its_own(void **state)
{
    (void)state;
    void *const a = malloc(0);
    void *const b = calloc(0, 4);
    assert_non_null(a);
    assert_non_null(b);
    assert_ptr_not_equal(a, b);
    free(a);
    free(b);
    free(NULL);
}

static bool is_aligned(const void *block)
{
    return (uintptr_t)block % _Alignof(max_align_t) == 0;
}

static void any_block_is_aligned_for_any_object(void **state)
{
    void *blocks[40];
    (void)state;
    for (size_t i = 0; i < 40; i++) {
        blocks[i] = i % 2 == 0 ? malloc(i) : calloc(i, 3);
        assert_true(is_aligned(blocks[i]));
    }
    for (size_t i = 0; i < 40; i++) {
        free(blocks[i]);
    }
}

static void alignments_are_what_was_asked(void **state)
{
    (void)state;
    for (size_t alignment = sizeof(void *); alignment <= 4096; alignment *= 2) {
        void *const a = memalign(alignment, 24);
        void *const b = aligned_alloc(alignment, alignment + 1);
        void *c = NULL;
        assert_non_null(a);
        assert_non_null(b);
        assert_int_equal(posix_memalign(&c, alignment, 1), 0);
        assert_int_equal(((uintptr_t)a | (uintptr_t)b | (uintptr_t)c) & (alignment - 1), 0);
        free(a);
        free(b);
        free(c);
    }
}

static void an_alignment_that_is_none_is_refused(void **state)
{
    (void)state;
    int here;
    void *block = &here;
    errno = 77;
    assert_int_equal(posix_memalign(&block, 24, 8), EINVAL);
    assert_int_equal(posix_memalign(&block, 0, 8), EINVAL);
    assert_int_equal(posix_memalign(&block, sizeof(void *) / 2, 8), EINVAL);
    assert_int_equal(posix_memalign(&block, 64, (size_t)PTRDIFF_MAX), ENOMEM);
    assert_int_equal(errno, 77);
    assert_ptr_equal(block, &here);
    assert_null(aligned_alloc(24, 8));
    assert_null(memalign(0, 8));
}

static void what_is_too_much_is_enomem(void **state)
{
    (void)state;
    static const size_t too_much[] = {SIZE_MAX, SIZE_MAX - 8, (size_t)PTRDIFF_MAX, (size_t)PTRDIFF_MAX + 1, (size_t)1 << 29};
    volatile size_t half = SIZE_MAX / 2 + 2; // the compiler must not see that it is too much
    for (size_t i = 0; i < sizeof too_much / sizeof too_much[0]; i++) {
        volatile size_t size = too_much[i];
        char *volatile block = malloc(10);
        strcpy(block, "nine left");
        errno = 0;
        assert_null(malloc(size));
        assert_int_equal(errno, ENOMEM);
        errno = 0;
        assert_null(realloc(block, size));
        assert_int_equal(errno, ENOMEM);
        errno = 0;
        assert_null(memalign(64, size));
        assert_int_equal(errno, ENOMEM);
        assert_string_equal(block, "nine left");
        free(block);
    }
    errno = 0;
    assert_null(calloc(2, half));
    assert_int_equal(errno, ENOMEM);
    errno = 0;
    assert_null(reallocarray(NULL, half, 2));
    assert_int_equal(errno, ENOMEM);
}

static void calloc_is_zero_over_what_was_there(void **state)
{
    (void)state;
    unsigned char *block = malloc(3000);
    memset(block, 0xA5, 3000);
    free(block);
    block = calloc(3, 1000);
    for (size_t i = 0; i < 3000; i++) {
        assert_int_equal(block[i], 0);
    }
    free(block);
}

static void realloc_keeps_the_bytes_up_and_down(void **state)
{
    (void)state;
    unsigned char *block = NULL;
    void *between = NULL;
    static const size_t sizes[] = {1, 40, 7000, 100000, 99990, 64, 65, 300000, 8};
    size_t had = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        block = realloc(block, sizes[i]);
        assert_non_null(block);
        assert_true(malloc_usable_size(block) >= sizes[i]);
        assert_true(is_aligned(block));
        for (size_t k = 0; k < had && k < sizes[i]; k++) {
            assert_int_equal(block[k], (k * 7) & 0xFF);
        }
        for (size_t k = 0; k < sizes[i]; k++) {
            block[k] = (unsigned char)(k * 7);
        }
        had = sizes[i];
        free(between);
        between = malloc(i % 3 == 0 ? 24 : 4000); // sometimes behind it, sometimes not
    }
    free(between);
    free(block);
    assert_int_equal(malloc_usable_size(NULL), 0);
}

static void the_last_block_grows_where_it_is(void **state)
{
    (void)state;
    (void)malloc_trim(0);
    void *const block = malloc(look().largest_free + 10000);
    const size_t before = look().size;
    assert_non_null(block);
    const uintptr_t was = (uintptr_t)block;
    void *const longer = realloc(block, malloc_usable_size(block) + 100000);
    assert_int_equal((uintptr_t)longer, was);
    assert_true(look().size - before < 100000 + 2 * CAIRN_LIBC_STEP + 64);
    free(longer);
}

static void a_bad_pointer_is_reported_and_nothing_happens(void **state)
{
    (void)state;
    static uint64_t foreign[4];
    void *volatile inside = foreign + 1;
    char *const block = malloc(64);
    void *volatile middle = block + 16;
    void *volatile twice = block;
    free(inside);
    assert_int_equal(reports, 1);
    free(middle);
    assert_int_equal(reports, 2);
    assert_null(realloc(middle, 10));
    assert_int_equal(reports, 3);
    free(block);
    assert_int_equal(reports, 3);
    free(twice);
    assert_int_equal(reports, 4);
}

// ------------------------------------------------------------------------------------------------------------------- the break

static void what_others_take_of_the_break_stays_theirs(void **state)
{
    enum { TAKES = 12 };
    unsigned char *theirs[TAKES];
    void *blocks[TAKES];
    (void)state;
    (void)malloc_trim(0); // so that each block has to be got from the break
    for (size_t i = 0; i < TAKES; i++) {
        theirs[i] = sbrk((ptrdiff_t)(100 + 37 * i)); // no multiple of anything
        assert_true(theirs[i] != (void *)-1);
        memset(theirs[i], (int)i + 1, 100 + 37 * i);
        blocks[i] = malloc(5000);
        assert_non_null(blocks[i]);
        memset(blocks[i], 0xEE, 5000);
    }
    const size_t held = look().used;
    for (size_t i = 0; i < TAKES; i++) {
        free(blocks[i]);
    }
    assert_true(held - look().used >= TAKES * 5000);
    unsigned char *const large = malloc(TAKES * 5000);
    memset(large, 0xEE, TAKES * 5000);
    for (size_t i = 0; i < TAKES; i++) {
        for (size_t k = 0; k < 100 + 37 * i; k++) {
            assert_int_equal(theirs[i][k], i + 1);
        }
    }
    free(large);
    assert_true(look().used > used_before); // theirs, for good
    used_before = look().used;
}

// Make the heap end where the break is: what others took before it counts as used from then on.
static void reach_the_break(void)
{
    void *const block = malloc(look().largest_free + 1000);
    assert_non_null(block);
    free(block);
    used_before = look().used;
}

static void trim_gives_the_end_back_to_sbrk(void **state)
{
    (void)state;
    reach_the_break();
    void *const block = malloc(50000);
    free(block);
    unsigned char *const before = sbrk(0);
    assert_int_equal(malloc_trim(0), 1);
    unsigned char *const after = sbrk(0);
    assert_true(before - after >= 50000);
    assert_int_equal(malloc_trim(0), 0);
    assert_int_equal(cairn_heap_top(cairn_libc_heap()), 0);
    void *const again = malloc(50000);
    assert_non_null(again);
    free(again);
    (void)sbrk(8);
    assert_int_equal(malloc_trim(0), 0); // the end is not at the break any more
    reach_the_break();
}

static void all_there_is_can_be_had_and_had_again(void **state)
{
    (void)state;
    size_t counts[2];
    for (size_t round = 0; round < 2; round++) {
        void **chain = NULL;
        size_t count = 0;
        errno = 0;
        for (void **block = malloc(60000); block != NULL; block = malloc(60000)) {
            *block = chain;
            chain = block;
            count++;
        }
        assert_int_equal(errno, ENOMEM);
        assert_true(sbrk(1 << 20) == (void *)-1);
        while (chain != NULL) {
            void **const next = *chain;
            free(chain);
            chain = next;
        }
        counts[round] = count;
    }
    assert_true(counts[0] > 200); // of 16 MB
    assert_int_equal(counts[0], counts[1]);
}

// --------------------------------------------------------------------------------------------------------------- the C library

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void strdup_asprintf_and_qsort_work(void **state)
{
    enum { WORDS = 200 };
    char *words[WORDS];
    (void)state;
    for (unsigned i = 0; i < WORDS; i++) {
        char *text = NULL;
        assert_true(asprintf(&text, "word %03u of %d", i * 77 % WORDS, WORDS) > 0);
        words[i] = strdup(text);
        free(text);
    }
    qsort(words, WORDS, sizeof words[0], compare);
    for (unsigned i = 0; i < WORDS; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "word %03u of %d", i, WORDS);
        assert_string_equal(words[i], text);
        free(words[i]);
    }
}

static void files_are_written_and_read(void **state)
{
    (void)state;
    FILE *file = fopen("build/libc/scratch.txt", "w");
    assert_non_null(file);
    for (unsigned i = 0; i < 100; i++) {
        assert_true(fprintf(file, "line %u: %s\n", i, i % 2 == 0 ? "even" : "odd") > 0);
    }
    assert_int_equal(fclose(file), 0);
    file = fopen("build/libc/scratch.txt", "r");
    assert_non_null(file);
    char *line = NULL;
#if defined(__PICOLIBC__) // which has no getline
    line = malloc(64);
    for (unsigned i = 0; i < 100; i++) {
        assert_non_null(fgets(line, 64, file));
#else
    size_t room = 0;
    for (unsigned i = 0; i < 100; i++) {
        assert_true(__getline(&line, &room, file) > 0);
#endif
        char text[64];
        (void)snprintf(text, sizeof text, "line %u: %s\n", i, i % 2 == 0 ? "even" : "odd");
        assert_string_equal(line, text);
    }
    free(line);
    assert_int_equal(fclose(file), 0);
    used_before = look().used; // newlib keeps a FILE, to use it again
    file = fopen("build/libc/scratch.txt", "r");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_block_of_0_bytes_is_one_of_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(any_block_is_aligned_for_any_object, setup, teardown),
        cmocka_unit_test_setup_teardown(alignments_are_what_was_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(an_alignment_that_is_none_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_too_much_is_enomem, setup, teardown),
        cmocka_unit_test_setup_teardown(calloc_is_zero_over_what_was_there, setup, teardown),
        cmocka_unit_test_setup_teardown(realloc_keeps_the_bytes_up_and_down, setup, teardown),
        cmocka_unit_test_setup_teardown(the_last_block_grows_where_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bad_pointer_is_reported_and_nothing_happens, setup, teardown),
        cmocka_unit_test_setup_teardown(what_others_take_of_the_break_stays_theirs, setup, teardown),
        cmocka_unit_test_setup_teardown(trim_gives_the_end_back_to_sbrk, setup, teardown),
        cmocka_unit_test_setup_teardown(strdup_asprintf_and_qsort_work, setup, teardown),
        cmocka_unit_test_setup_teardown(files_are_written_and_read, setup, teardown),
        cmocka_unit_test_setup_teardown(all_there_is_can_be_had_and_had_again, setup, teardown),
    };
    return cmocka_run_group_tests_name("libc", tests, NULL, NULL);
}
