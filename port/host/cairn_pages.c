// SPDX-License-Identifier: MIT
//
// cairn-pages: runs traces of page accesses through cairn's policies of replacement, and through OPT.
//
// OWNS        the command line and the CSV on standard output.
// CALLERS     the user, test/bench.
#include "page_run.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page_pack.h"
#include "pages_plot.h"
#include "tool.h"

#define FRAMES_MOST 65534u
#define FRAMES_LEAST 4u // of a fraction
#define SIZES_MAX 64u
#define HELPED (-1)

static const char usage[] =
    "usage: cairn-pages [options] TRACE...\n"
    "\n"
    "Runs traces of page accesses through policies of replacement and prints a line of CSV for each trace, size and policy.\n"
    "\n"
    "  --policy NAMES   fifo lru clock nru lfu random 2q clockpro s3fifo wsclock adaptive opt, with commas between; or all, the default\n"
    "  --frames SIZES   numbers of frames, or fractions of the trace's pages as 1/8 (then 4 at least), with commas between; default 1/16,1/8,1/4,1/2\n"
    "  --tlb ENTRIES    a policy sees only what a vm of the library shows it, with a TLB of so many entries, a power of two from 4 to 1024; default: every access\n"
    "  --prefetch       bring in pages ahead of streams of faults\n"
    "  --plot FILE.svg  draw faults per access over frames; one trace only\n"
    "  --pack FILE.ctp  write the trace in few bytes, and run nothing; one trace only\n"
    "  --quiet          no progress on standard error\n"
    "  --help           print this\n"
    "\n"
    "  faults           accesses to a page that was not there\n"
    "  writebacks       dirty pages that left\n"
    "  prefetches       pages brought in ahead; useful: those of them that were asked for\n"
    "  opt_faults       faults of OPT, which knows the future and does not prefetch; x_opt: faults / opt_faults\n"
    "\n"
    "A trace is text: `# page BYTES`, then `r PAGE` or `w PAGE` a line, in hexadecimal; or packed.\n"
    "Status: 0; 1 if a trace is malformed or cannot be read, or a file cannot be written; 2 for a wrong command line.\n";

static const struct cairn_policy *const policies[] = {
    &cairn_policy_fifo, &cairn_policy_lru,      &cairn_policy_clock,  &cairn_policy_nru,     &cairn_policy_lfu,      &cairn_policy_random,
    &cairn_policy_2q,   &cairn_policy_clockpro, &cairn_policy_s3fifo, &cairn_policy_wsclock, &cairn_policy_adaptive,
};
#define POLICIES (sizeof policies / sizeof policies[0])
#define OPT POLICIES

struct settings {
    bool chosen[POLICIES + 1];
    char *sizes;
    uint32_t tlb;
    bool is_prefetching;
    const char *plot;
    const char *pack;
};

static int wrong(const char *what, const char *text)
{
    tool_complain("%s: %s (--help tells more)", what, text);
    return TOOL_USAGE;
}

static bool choose(struct settings *settings, const char *name)
{
    const bool is_all = strcmp(name, "all") == 0;
    bool is_known = is_all;
    for (unsigned i = 0; i <= POLICIES; i++) {
        const bool is_it = is_all || strcmp(name, i == OPT ? "opt" : policies[i]->name) == 0;
        settings->chosen[i] = settings->chosen[i] || is_it;
        is_known = is_known || is_it;
    }
    return is_known;
}

// Returns NULL, or the name that is not known.
static const char *choose_all(struct settings *settings, char *names)
{
    for (char *name = names;;) {
        char *const comma = strchr(name, ',');
        if (comma != NULL) {
            *comma = '\0';
        }
        if (!choose(settings, name)) {
            return name;
        }
        if (comma == NULL) {
            return NULL;
        }
        name = comma + 1;
    }
}

// A number of frames of a trace with so many pages. 0: the text is none.
static uint32_t size_read(const char *text, uint32_t pages)
{
    uint64_t over;
    uint64_t under;
    const char *const slash = strchr(text, '/');
    if (slash == NULL) {
        return tool_number(text, 1, FRAMES_MOST, &over) ? (uint32_t)over : 0;
    }
    char first[16];
    const int length = snprintf(first, sizeof first, "%.*s", (int)(slash - text), text);
    if (length >= (int)sizeof first || !tool_number(first, 1, 65536, &over) || !tool_number(slash + 1, over, 65536, &under)) {
        return 0;
    }
    const uint64_t frames = pages * over / under;
    return frames < FRAMES_LEAST ? FRAMES_LEAST : frames > FRAMES_MOST ? FRAMES_MOST : (uint32_t)frames;
}

// The sizes for a trace. Returns how many; 0: the text is none.
static unsigned sizes_read(const char *text, uint32_t pages, uint32_t *sizes)
{
    unsigned count = 0;
    for (const char *at = text;; at += strcspn(at, ",") + 1) {
        char word[32];
        const size_t length = strcspn(at, ",");
        if (count == SIZES_MAX || length >= sizeof word) {
            return 0;
        }
        snprintf(word, sizeof word, "%.*s", (int)length, at);
        sizes[count] = size_read(word, pages);
        if (sizes[count++] == 0) {
            return 0;
        }
        if (at[length] == '\0') {
            return count;
        }
    }
}

static int settings_check(const struct settings *settings, char *const *traces, int count)
{
    const char *const output = settings->plot != NULL ? settings->plot : settings->pack;
    if (count == 0) {
        return wrong("no trace", "name at least one file");
    }
    if (output != NULL && count != 1) {
        return wrong("--plot and --pack", "one trace only");
    }
    if (settings->plot != NULL && settings->pack != NULL) {
        return wrong("--plot and --pack", "one of them only");
    }
    if (output != NULL && tool_is_same_file(output, traces[0])) {
        return wrong("this would be written over the trace", output);
    }
    return TOOL_OK;
}

// Returns TOOL_OK, TOOL_USAGE, or HELPED where --help has printed.
static int settings_read(struct settings *settings, int argc, char **argv)
{
    static const struct option options[] = {
        {"policy", required_argument, NULL, 'p'}, {"frames", required_argument, NULL, 'f'}, {"tlb", required_argument, NULL, 't'},
        {"prefetch", no_argument, NULL, 'a'},     {"plot", required_argument, NULL, 's'},   {"quiet", no_argument, NULL, 'q'},
        {"pack", required_argument, NULL, 'k'},   {"help", no_argument, NULL, 'h'},         {0},
    };
    static char default_sizes[] = "1/16,1/8,1/4,1/2";
    uint32_t sizes[SIZES_MAX];
    bool is_chosen = false;
    const char *unknown;
    *settings = (struct settings){.sizes = default_sizes};
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        uint64_t number = 0;
        switch (option) {
        case 'p':
            is_chosen = true;
            unknown = choose_all(settings, optarg);
            if (unknown != NULL) {
                return wrong("--policy does not know", *unknown == '\0' ? "an empty name" : unknown);
            }
            break;
        case 'f':
            settings->sizes = optarg;
            if (sizes_read(optarg, 1, sizes) == 0) {
                return wrong("--frames takes up to 64 numbers from 1 to 65534, or fractions, not", optarg);
            }
            break;
        case 't':
            if (!tool_number(optarg, 4, 1024, &number) || (number & (number - 1)) != 0) {
                return wrong("--tlb is a power of two from 4 to 1024, not", optarg);
            }
            settings->tlb = (uint32_t)number;
            break;
        case 'a': settings->is_prefetching = true; break;
        case 's': settings->plot = optarg; break;
        case 'k': settings->pack = optarg; break;
        case 'q': tool_progress_silence(); break;
        case 'h': fputs(usage, stdout); return HELPED;
        default: fputs("Try cairn-pages --help.\n", stderr); return TOOL_USAGE;
        }
    }
    if (!is_chosen) {
        (void)choose(settings, "all");
    }
    return settings_check(settings, argv + optind, argc - optind);
}

static void row_print(const struct page_run *run, const char *policy, uint32_t opt_faults)
{
    tool_progress_end();
    tool_print_field(run->trace->name);
    printf(",%lu,%lu,%lu,%s,%lu,%lu,%lu,%lu,%lu,%.4f\n", (unsigned long)run->trace->page_bytes, (unsigned long)run->frames,
           (unsigned long)run->tlb, policy, (unsigned long)run->faults, (unsigned long)run->writebacks, (unsigned long)run->prefetches,
           (unsigned long)run->useful, (unsigned long)opt_faults, (double)run->faults / (double)opt_faults);
    fflush(stdout);
}

// All chosen policies with so many frames. Returns a tool_status.
static int size_run(const struct settings *settings, const struct page_trace *trace, uint32_t frames, struct pages_plot *plot)
{
    struct page_run run = {.trace = trace, .frames = frames};
    const uint32_t opt_faults = page_opt(trace, frames, &run.writebacks);
    if (opt_faults == UINT32_MAX) {
        tool_complain("%s: out of memory", trace->name);
        return TOOL_FAILED;
    }
    run.faults = opt_faults;
    pages_plot_add(plot, "opt", frames, opt_faults);
    if (settings->chosen[OPT]) {
        row_print(&run, "opt", opt_faults);
    }
    run.tlb = settings->tlb;
    run.is_prefetching = settings->is_prefetching;
    for (unsigned i = 0; i < POLICIES; i++) {
        if (settings->chosen[i]) {
            run.policy = policies[i];
            tool_progress("%s, %lu frames, %s", trace->name, (unsigned long)frames, run.policy->name);
            if (!page_run(&run)) {
                return TOOL_FAILED;
            }
            pages_plot_add(plot, run.policy->name, frames, run.faults);
            row_print(&run, run.policy->name, opt_faults);
        }
    }
    return TOOL_OK;
}

static int trace_pack(const char *from, const char *to)
{
    struct page_trace trace;
    if (!page_trace_load(&trace, from)) {
        return TOOL_FAILED;
    }
    FILE *const file = fopen(to, "wb");
    bool is_packed = file != NULL && page_pack(&trace, file);
    if (file != NULL) {
        is_packed = fclose(file) == 0 && is_packed;
    }
    if (!is_packed) {
        tool_complain("%s: %s", to, strerror(errno));
    }
    page_trace_unload(&trace);
    return is_packed ? TOOL_OK : TOOL_FAILED;
}

static int trace_run(const struct settings *settings, const char *path)
{
    struct page_trace trace;
    struct pages_plot plot = {0};
    uint32_t sizes[SIZES_MAX];
    int status = TOOL_OK;
    if (!page_trace_load(&trace, path)) {
        return TOOL_FAILED;
    }
    const unsigned count = sizes_read(settings->sizes, trace.page_count, sizes);
    for (unsigned i = 0; i < count && status == TOOL_OK; i++) {
        status = size_run(settings, &trace, sizes[i], &plot);
    }
    if (status == TOOL_OK && settings->plot != NULL && !pages_plot_draw(&plot, &trace, settings->tlb, settings->is_prefetching, settings->plot)) {
        status = TOOL_FAILED;
    }
    page_trace_unload(&trace);
    return status;
}

int main(int argc, char **argv)
{
    struct settings settings;
    int status = TOOL_OK;
    tool_name = "cairn-pages";
    const int result = settings_read(&settings, argc, argv);
    if (result != TOOL_OK) {
        return result == HELPED ? tool_end(TOOL_OK) : result;
    }
    if ((settings.pack != NULL && !tool_can_write(settings.pack)) || (settings.plot != NULL && !tool_can_write(settings.plot))) {
        return TOOL_FAILED;
    }
    if (settings.pack != NULL) {
        return trace_pack(argv[optind], settings.pack);
    }
    printf("trace,page_bytes,frames,tlb,policy,faults,writebacks,prefetches,useful,opt_faults,x_opt\n");
    for (int at = optind; at < argc; at++) {
        if (trace_run(&settings, argv[at]) != TOOL_OK) {
            status = TOOL_FAILED;
        }
    }
    return tool_end(status);
}
