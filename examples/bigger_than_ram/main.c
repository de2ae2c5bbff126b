// SPDX-License-Identifier: MIT
//
// Sorts and searches 256 KB of words in 16 KB of RAM, and says what that took.
//
//     bigger_than_ram            faults, transfers, misses: the same on every machine
//     bigger_than_ram count      the instructions too, where they are counted
//
// OWNS        the figures of the steps.
// CALLERS     the user; ctest.
#include <stdio.h>
#include <string.h>

#include "machine.h"
#include "platform.h"
#include "way.h"

struct row {
    uint64_t instructions;
    struct cairn_vm_figures figures; // of the step alone
    uint32_t wrong;
};

static const char *const names[STEPS] = {
    "fill the array",  "sort it (quicksort)",  "read it through", "make an index of it", "2000 look-ups by halving", "2000 look-ups by the index",
};

static struct row plain[STEPS];
static struct row words[STEPS];
static struct row cursor[STEPS];

static void run(const struct way *way, struct row *rows)
{
    for (unsigned step = 0; step < STEPS; step++) {
        struct cairn_vm_figures before;
        struct cairn_vm_figures *const after = &rows[step].figures;
        cairn_vm_figures(&machine.vm, &before);
        platform_start();
        rows[step].wrong = way->step[step]();
        rows[step].instructions = platform_stop();
        cairn_vm_figures(&machine.vm, after);
        after->minor -= before.minor;
        after->major -= before.major;
        after->reads -= before.reads;
        after->writes -= before.writes;
        after->tlb_misses -= before.tlb_misses;
        after->victim_hits -= before.victim_hits;
    }
}

// Returns how much was wrong.
static uint32_t print_figures(const struct way *way, const struct row *rows)
{
    uint32_t rule = 0;
    uint32_t wrong = 0;
    printf("\n%-28s %8s %8s %8s %8s %8s\n", way->name, "TLB", "minor", "major", "pages", "pages");
    printf("%-28s %8s %8s %8s %8s %8s\n", "", "misses", "faults", "faults", "read", "written");
    for (unsigned step = 0; step < STEPS; step++) {
        const struct cairn_vm_figures *const figures = &rows[step].figures;
        printf("  %-26s %8lu %8lu %8lu %8lu %8lu\n", names[step], (unsigned long)figures->tlb_misses, (unsigned long)figures->minor,
               (unsigned long)figures->major, (unsigned long)figures->reads, (unsigned long)figures->writes);
        wrong += rows[step].wrong;
    }
    const int checked = cairn_vm_check(&machine.vm, &rule);
    printf("  %s\n", wrong != 0 ? "WRONG" : checked != 0 ? "THE VM IS BROKEN" : "in order, and all found; the vm's check is good");
    return wrong + (checked != 0);
}

static void print_times(uint64_t instructions, uint64_t by)
{
    const unsigned long tenths = by == 0 ? 0 : (unsigned long)((instructions * 10 + by / 2) / by);
    printf(" %10lu %4lu.%lu", (unsigned long)instructions, tenths / 10, tenths % 10);
}

static void print_instructions(void)
{
    printf("\n%-28s %10s %17s %17s\n", "instructions", "plain", "loads, stores", "cursors");
    printf("%-28s %10s %10s %6s %10s %6s\n", "", "", "", "times", "", "times");
    for (unsigned step = 0; step < STEPS; step++) {
        printf("  %-26s %10lu", names[step], (unsigned long)plain[step].instructions);
        print_times(words[step].instructions, plain[step].instructions);
        print_times(cursor[step].instructions, plain[step].instructions);
        printf("\n");
    }
    printf("  A transfer is a loop over the words of a page here: what a slower store takes comes on top.\n");
}

int main(int argc, char **argv)
{
    const bool is_asked = argc > 1 && strcmp(argv[1], "count") == 0;
    if (argc > 2 || (argc > 1 && !is_asked)) {
        printf("usage: bigger_than_ram [count]\n");
        return 2;
    }
    const bool is_counted = is_asked && platform_begin();
    uint32_t wrong = 0;
    printf("%lu pages of %lu bytes in %lu page frames: %lu KB of words in %lu KB of RAM\n", (unsigned long)WORDS * 4 >> MACHINE_PAGE_SHIFT,
           1ul << MACHINE_PAGE_SHIFT, (unsigned long)MACHINE_FRAMES, (unsigned long)WORDS * 4 / 1024,
           ((unsigned long)MACHINE_FRAMES << MACHINE_PAGE_SHIFT) / 1024);
    machine_start();
    run(&way_plain, plain);
    for (unsigned step = 0; step < STEPS; step++) {
        wrong += plain[step].wrong;
    }
    machine_start();
    run(&way_words, words);
    wrong += print_figures(&way_words, words);
    machine_start();
    run(&way_cursor, cursor);
    wrong += print_figures(&way_cursor, cursor);
    if (is_counted) {
        print_instructions();
    } else if (is_asked) {
        printf("\nInstructions are not counted here: run it in QEMU with -icount shift=8.\n");
    }
    return wrong != 0;
}
