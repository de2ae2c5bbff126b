// SPDX-License-Identifier: MIT
//
// A program of somebody else's: does it see the settings that its library was built with? C11 and C++11.
//
//   consumer VERSION GRANULE HARDEN     what is expected; prints "consumer: ok" and returns 0, or prints what is not so
//
// CALLERS  package.sh; with CONSUMER_SINGLE it is a user of the two files.
#ifdef CONSUMER_SINGLE
#include "cairn.h"
#else
#include <cairn/heap.h>
#include <cairn/recorder.h>
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char region[2048];
static int reports;
static int failures;

static void expect(const char *what, long found, long expected)
{
    if (found != expected) {
        printf("consumer: %s is %ld, expected %ld\n", what, found, expected);
        failures++;
    }
}

static void count_report(void *context, const struct cairn_report *report)
{
    (void)context;
    expect("what is reported", report->what, CAIRN_WRONG_DOUBLE_FREE);
    reports++;
}

// What the library does, not what its headers say.
static void use_library(long granule, long harden)
{
    struct cairn_heap_hooks hooks;
    struct cairn_heap_config config;
    struct cairn_heap heap;
    memset(&hooks, 0, sizeof hooks);
    memset(&config, 0, sizeof config);
    hooks.hooked = CAIRN_HOOKED;
    hooks.report = count_report;
    config.hooks = &hooks;
    if (cairn_heap_init(&heap, region, sizeof region, &config) != 0) {
        expect("cairn_heap_init", 1, 0);
        return;
    }
    void *const block = cairn_heap_alloc(&heap, 1);
    expect("the smallest block", (long)cairn_heap_usable_size(&heap, block), granule);
    cairn_heap_free(&heap, block);
    if (harden >= 1) {
        cairn_heap_free(&heap, block);
        expect("reports of a double free", reports, 1);
    }
    expect("cairn_heap_check", cairn_heap_check(&heap, NULL), 0);
}

int main(int argc, char **argv)
{
    char version[32];
    if (argc != 4) {
        printf("usage: consumer VERSION GRANULE HARDEN\n");
        return 2;
    }
    const long granule = strtol(argv[2], NULL, 10);
    const long harden = strtol(argv[3], NULL, 10);
    snprintf(version, sizeof version, "%d.%d.%d", CAIRN_VERSION_MAJOR, CAIRN_VERSION_MINOR, CAIRN_VERSION_PATCH);
    if (strcmp(version, argv[1]) != 0) {
        printf("consumer: the headers are of version %s, the package of %s\n", version, argv[1]);
        failures++;
    }
    expect("CAIRN_GRANULE", CAIRN_GRANULE, granule);
    expect("CAIRN_HARDEN", CAIRN_HARDEN, harden);
    use_library(granule, harden);
    if (failures == 0) {
        printf("consumer: ok\n");
    }
    return failures != 0;
}
