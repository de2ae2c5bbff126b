// SPDX-License-Identifier: MIT
//
// OPT: the page leaves whose next access is furthest away.
//
// OWNS        next[]: for each access, when its page is accessed next. The heap of the pages that are there, furthest first.
// INVARIANTS  1. place[p] is where page p is in the heap, or NOWHERE; use[p] is when a page in the heap is accessed next.
//             2. use of a heap's entry is no less than that of the entries below it.
// COST        O(accesses log frames); 12 bytes a page, 4 an access.
// CALLERS     cairn-pages; the tests of policies.
#include "page_run.h"

#include <stdlib.h>

#define NOWHERE UINT32_MAX
#define NEVER UINT32_MAX

struct opt {
    uint32_t *heap; // page numbers
    uint32_t count;
    uint32_t *place;
    uint32_t *use;
    uint32_t *next;
    bool *is_dirty;
};

static void put(struct opt *opt, uint32_t at, uint32_t page)
{
    opt->heap[at] = page;
    opt->place[page] = at;
}

static void rise(struct opt *opt, uint32_t page)
{
    uint32_t at = opt->place[page];
    while (at > 0 && opt->use[opt->heap[(at - 1) / 2]] < opt->use[page]) {
        put(opt, at, opt->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(opt, at, page);
}

static void sink(struct opt *opt, uint32_t page)
{
    uint32_t at = opt->place[page];
    for (uint32_t below = 2 * at + 1; below < opt->count; below = 2 * at + 1) {
        if (below + 1 < opt->count && opt->use[opt->heap[below + 1]] > opt->use[opt->heap[below]]) {
            below++;
        }
        if (opt->use[opt->heap[below]] <= opt->use[page]) {
            break;
        }
        put(opt, at, opt->heap[below]);
        at = below;
    }
    put(opt, at, page);
}

static bool opt_begin(struct opt *opt, const struct page_trace *trace, uint32_t frames)
{
    const size_t pages = trace->page_count;
    *opt = (struct opt){.heap = malloc(frames * sizeof(uint32_t)), .place = malloc(pages * sizeof(uint32_t)), .use = malloc(pages * sizeof(uint32_t)),
                        .next = malloc(trace->access_count * sizeof(uint32_t)), .is_dirty = calloc(pages, sizeof(bool))};
    if (opt->heap == NULL || opt->place == NULL || opt->use == NULL || opt->next == NULL || opt->is_dirty == NULL) {
        return false;
    }
    for (uint32_t page = 0; page < pages; page++) {
        opt->use[page] = NEVER;
        opt->place[page] = NOWHERE;
    }
    for (uint32_t at = trace->access_count; at-- > 0;) {
        const uint32_t page = trace->accesses[at] & ~PAGE_TRACE_WRITE;
        opt->next[at] = opt->use[page];
        opt->use[page] = at;
    }
    return true;
}

static void opt_end(struct opt *opt)
{
    free(opt->heap);
    free(opt->place);
    free(opt->use);
    free(opt->next);
    free(opt->is_dirty);
}

uint32_t page_opt(const struct page_trace *trace, uint32_t frames, uint32_t *writebacks)
{
    struct opt opt;
    uint32_t faults = UINT32_MAX;
    *writebacks = 0;
    if (opt_begin(&opt, trace, frames)) {
        faults = 0;
        for (uint32_t at = 0; at < trace->access_count; at++) {
            const uint32_t page = trace->accesses[at] & ~PAGE_TRACE_WRITE;
            opt.use[page] = opt.next[at];
            if (opt.place[page] == NOWHERE) {
                faults++;
                if (opt.count == frames) {
                    const uint32_t leaves = opt.heap[0];
                    *writebacks += opt.is_dirty[leaves] ? 1 : 0;
                    opt.is_dirty[leaves] = false;
                    opt.place[leaves] = NOWHERE;
                    put(&opt, 0, page);
                    sink(&opt, page);
                } else {
                    put(&opt, opt.count++, page);
                    rise(&opt, page);
                }
            } else {
                rise(&opt, page);
            }
            opt.is_dirty[page] = opt.is_dirty[page] || (trace->accesses[at] & PAGE_TRACE_WRITE) != 0;
        }
    }
    opt_end(&opt);
    return faults;
}
