// SPDX-License-Identifier: MIT
//
// cairn-trace: converts traces between text and the compact form, and tells about them.
//
// OWNS        nothing. CALLERS: a person, the tests.
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "load.h"
#include "tool.h"

static const char usage[] =
    "usage: cairn-trace [--compact | --text] [--fill] FROM TO    convert\n"
    "       cairn-trace --info TRACE...                          check, and print what is in them\n"
    "\n"
    "  --compact   write the compact form; the default where TO ends in .ctr\n"
    "  --text      write text; the default elsewhere\n"
    "  --fill      write the header anew from the operations: peak, ids, operations\n"
    "  TO, FROM    a file, or - for standard output or input\n"
    "\n"
    "Status: 0; 1 if a trace is malformed or a file cannot be read or written; 2 for a wrong command line.\n";

static int info(char **paths, int count)
{
    int status = TOOL_OK;
    printf("trace,form,ops,ids,peak_bytes,peak_blocks\n");
    for (int at = 0; at < count; at++) {
        struct trace trace;
        if (!trace_load(&trace, paths[at])) {
            status = TOOL_FAILED;
            continue;
        }
        tool_print_field(trace.name);
        printf(",%s,%lu,%lu,%zu,%lu\n", trace.is_compact ? "compact" : "text", (unsigned long)trace.op_count,
               (unsigned long)trace.id_count, trace.peak, (unsigned long)trace.peak_blocks);
        trace_unload(&trace);
    }
    return tool_end(status);
}

static int convert(const char *from, const char *to, int form, bool is_filled)
{
    struct trace trace;
    if (!trace_load(&trace, from)) {
        return TOOL_FAILED;
    }
    if (is_filled) {
        trace.header = (struct trace_header){(uint32_t)trace.peak, trace.id_count, trace.op_count, 1};
    }
    const size_t length = strlen(to);
    const bool is_compact = form != 0 ? form == 'c' : length > 4 && strcmp(to + length - 4, ".ctr") == 0;
    const bool is_stored = trace_store(&trace, to, is_compact);
    trace_unload(&trace);
    return is_stored ? TOOL_OK : TOOL_FAILED;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"compact", no_argument, NULL, 'c'}, {"text", no_argument, NULL, 't'}, {"fill", no_argument, NULL, 'f'},
        {"info", no_argument, NULL, 'i'},    {"help", no_argument, NULL, 'h'}, {0},
    };
    int form = 0;
    bool is_info = false;
    bool is_filled = false;
    tool_name = "cairn-trace";
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (option) {
        case 'c':
        case 't': form = option; break;
        case 'f': is_filled = true; break;
        case 'i': is_info = true; break;
        case 'h': fputs(usage, stdout); return tool_end(TOOL_OK);
        default: fputs(usage, stderr); return TOOL_USAGE;
        }
    }
    const int count = argc - optind;
    if (is_info ? count < 1 || form != 0 || is_filled : count != 2) {
        fputs(usage, stderr);
        return TOOL_USAGE;
    }
    return is_info ? info(argv + optind, count) : convert(argv[optind], argv[optind + 1], form, is_filled);
}
