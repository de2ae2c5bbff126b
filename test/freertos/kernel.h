// SPDX-License-Identifier: MIT
//
// What a kernel would have seen of heap_cairn.c: how often it suspended the scheduler, what it traced, asserted, reported.
//
// OWNS        one struct of counters.
// INVARIANTS  1. The scheduler is resumed as often as it was suspended, never twice in a row, and no section nests in another.
//             2. Traces, asserts and reports come from inside a section, the failed hook from outside. The sum of what was traced is what is in use.
// CALLERS     test/freertos.
#ifndef CAIRN_TEST_FREERTOS_KERNEL_H
#define CAIRN_TEST_FREERTOS_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

struct cairn_report;

struct kernel {
    int depth;            // sections open now
    unsigned sections;    // that were entered
    unsigned asserts;     // that failed
    unsigned failed;      // calls of the failed hook
    unsigned wrong;       // breaches of the invariants
    unsigned reports;
    int what;             // of the last report, its address and its block
    const void *address;
    const void *block;
    size_t in_use;        // bytes, by the traces
    unsigned allocations; // traced, those that failed aside
    unsigned frees;
    unsigned failures;    // traced as NULL
    void (*on_resume)(void); // what another task does as soon as it can
};

extern struct kernel kernel;

void kernel_assert(int holds);
void kernel_trace(const void *address, size_t size, int is_malloc);
void kernel_report(const struct cairn_report *report);

// Sections, failed asserts and calls of the failed hook since the last call were so many.
void kernel_expect(unsigned sections, unsigned asserts, unsigned failed);

// Allocate, which must succeed, and free, in one section each.
unsigned char *kernel_take(size_t size);
void kernel_give(void *block);

// Begin anew, the heap as well. End: nothing is open, no invariant was broken, the heap passes its check and agrees with the traces.
int kernel_setup(void **state);
int kernel_teardown(void **state);

#define KERNEL_TEST(test) cmocka_unit_test_setup_teardown(test, kernel_setup, kernel_teardown)

#endif
