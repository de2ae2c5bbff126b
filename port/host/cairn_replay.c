// SPDX-License-Identifier: MIT
//
// cairn-replay: replays allocation traces through the heap, looks for the smallest region, draws the heap over time.
//
// OWNS        the command line and the table on standard output.
// CALLERS     a person, the tests, the benchmarks.
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "map.h"
#include "region.h"
#include "tool.h"

static const char usage[] =
    "usage: cairn-replay [OPTION...] TRACE...\n"
    "Replays allocation traces (text or compact) through cairn's heap and prints a line of CSV for each.\n"
    "\n"
    "  --fit FIT        first, best, worst or bounded; default best\n"
    "  --search K       look at K blocks of a list at most, 1 to 65534; 0: at all of them; default 4\n"
    "  --region BYTES   the heap's memory, everything counted; default: twice the trace's peak, 1024 at least, 1073741824 at most\n"
    "  --min-region     look for the smallest region in which the whole trace replays, to 64 bytes\n"
    "  --map FILE.svg   draw the heap over time; one trace only\n"
    "  --quiet          no progress on standard error\n"
    "  --help           print this\n"
    "\n"
    "  peak_bytes       the largest sum of requested bytes live at one time\n"
    "  region_bytes     the heap with its control and tags, and 24 bytes for its handle on a 32-bit machine\n"
    "  ratio            region_bytes / peak_bytes\n"
    "  failed           operations that failed; later ones on the same block are left out\n"
    "\n"
    "Status: 0; 1 if an operation failed, or a trace is malformed or cannot be read, or the picture cannot be written; 2 for a wrong command line.\n";

static const char *const fit_names[] = {
    [CAIRN_FIT_BEST] = "best", [CAIRN_FIT_FIRST] = "first", [CAIRN_FIT_WORST] = "worst", [CAIRN_FIT_BOUNDED] = "bounded"};

#define HELPED (-1)
#define REGION_LEAST 1024u // of the default: a heap's control does not fit twice the peak of a few bytes

struct settings {
    enum cairn_fit fit;
    uint16_t search; // as given: 0 means all
    size_t region;   // 0: the default
    bool is_min_region;
    const char *map;
};

static int wrong(const char *what, const char *text)
{
    tool_complain("%s: %s (--help tells more)", what, text);
    return TOOL_USAGE;
}

static bool fit_by_name(const char *name, enum cairn_fit *fit)
{
    for (unsigned at = 0; at < sizeof fit_names / sizeof fit_names[0]; at++) {
        if (strcmp(name, fit_names[at]) == 0) {
            *fit = (enum cairn_fit)at;
            return true;
        }
    }
    return false;
}

// Returns TOOL_OK, TOOL_USAGE, or HELPED where --help has printed.
static int settings_read(struct settings *settings, int argc, char **argv)
{
    static const struct option options[] = {
        {"fit", required_argument, NULL, 'f'},   {"search", required_argument, NULL, 's'}, {"region", required_argument, NULL, 'r'},
        {"min-region", no_argument, NULL, 'm'},  {"map", required_argument, NULL, 'p'},    {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},        {0},
    };
    *settings = (struct settings){.search = CAIRN_SEARCH_DEFAULT};
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        uint64_t number = 0;
        switch (option) {
        case 'f':
            if (!fit_by_name(optarg, &settings->fit)) {
                return wrong("--fit is first, best, worst or bounded, not", optarg);
            }
            break;
        case 's':
            if (!tool_number(optarg, 0, CAIRN_SEARCH_ALL - 1, &number)) {
                return wrong("--search is a number from 0 to 65534, not", optarg);
            }
            settings->search = (uint16_t)number;
            break;
        case 'r':
            if (!tool_number(optarg, 1, REGION_MAX, &number)) {
                return wrong("--region is a number of bytes up to 1073741824, not", optarg);
            }
            settings->region = (size_t)number;
            break;
        case 'm': settings->is_min_region = true; break;
        case 'p': settings->map = optarg; break;
        case 'q': tool_progress_silence(); break;
        case 'h': fputs(usage, stdout); return HELPED;
        default: fputs("Try cairn-replay --help.\n", stderr); return TOOL_USAGE;
        }
    }
    if (optind == argc) {
        return wrong("no trace", "name at least one file");
    }
    if (settings->region != 0 && settings->is_min_region) {
        return wrong("--region and --min-region", "one of them only");
    }
    if (settings->map != NULL && argc - optind != 1) {
        return wrong("--map", "draws one trace only");
    }
    if (settings->map != NULL && tool_is_same_file(settings->map, argv[optind])) {
        return wrong("this would be written over the trace", settings->map);
    }
    return TOOL_OK;
}

static size_t region_default(const struct trace *trace)
{
    return trace->peak > REGION_MAX / 2 ? REGION_MAX : trace->peak > REGION_LEAST / 2 ? trace->peak * 2 : REGION_LEAST;
}

// Replay a loaded trace and print its row. *ratio = region / peak. Returns a tool_status.
static int replay_trace(const struct settings *settings, const struct trace *trace, double *ratio)
{
    struct runner runner;
    if (!runner_begin(&runner, trace, settings->fit, settings->search == 0 ? (uint16_t)CAIRN_SEARCH_ALL : settings->search)) {
        tool_complain("%s: out of memory", trace->name);
        return TOOL_FAILED;
    }
    size_t region = settings->region != 0 ? settings->region : region_default(trace);
    if (settings->is_min_region) {
        region = runner_min_region(&runner);
        if (region == 0) {
            tool_complain("%s: no region of up to %zu bytes is enough", trace->name, REGION_MAX);
            runner_end(&runner);
            return TOOL_FAILED;
        }
    }
    bool is_good = true;
    if (settings->map != NULL) {
        is_good = map_draw(&runner, region, settings->map);
    } else {
        (void)runner_run(&runner, region, true, NULL, NULL);
    }
    if (!runner.is_made) {
        tool_complain("%s: no heap can be made in a region of %zu bytes", trace->name, region);
    }
    is_good = is_good && runner.is_made && runner.replay.failed == 0 && runner.replay.broken == 0;
    if (runner.replay.broken != 0) {
        tool_complain("%s: %lu stamps were damaged: the heap handed out memory twice", trace->name, (unsigned long)runner.replay.broken);
    }
    *ratio = trace->peak == 0 ? 0 : (double)region / (double)trace->peak;
    tool_progress_end();
    tool_print_field(trace->name);
    printf(",%s,%lu,%lu,%zu,%zu,%.4f,%lu\n", fit_names[settings->fit], (unsigned long)settings->search,
           (unsigned long)trace->op_count, trace->peak, region, *ratio, (unsigned long)runner.replay.failed);
    fflush(stdout);
    runner_end(&runner);
    return is_good ? TOOL_OK : TOOL_FAILED;
}

int main(int argc, char **argv)
{
    struct settings settings;
    int status = TOOL_OK;
    int measured = 0;
    double logarithms = 0;

    tool_name = "cairn-replay";
    const int result = settings_read(&settings, argc, argv);
    if (result != TOOL_OK) {
        return result == HELPED ? tool_end(TOOL_OK) : result;
    }
    if (settings.map != NULL && !tool_can_write(settings.map)) {
        return TOOL_FAILED;
    }
    printf("trace,fit,search,ops,peak_bytes,region_bytes,ratio,failed\n");
    for (int at = optind; at < argc; at++) {
        struct trace trace;
        double ratio = 0;
        if (!trace_load(&trace, argv[at])) {
            status = TOOL_FAILED;
            continue;
        }
        if (replay_trace(&settings, &trace, &ratio) != TOOL_OK) {
            status = TOOL_FAILED;
        }
        if (ratio > 0) {
            logarithms += log(ratio);
            measured++;
        }
        trace_unload(&trace);
    }
    if (measured > 1) {
        printf("# geometric mean of %d ratios: %.4f\n", measured, exp(logarithms / measured));
    }
    return tool_end(status);
}
