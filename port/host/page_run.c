// SPDX-License-Identifier: MIT
//
// OWNS        the frames while a trace runs, and what each page is. With a TLB it runs in a vm: page_vm.c.
// INVARIANTS  1. frame_of[page] is the frame of a page that is there, or NONE; page_in[frame] the other way round.
// CALLERS     as page_run.h says.
#include "page_run.h"

#include <stdlib.h>
#include <string.h>

#include "page_vm.h"
#include "tool.h"

#include "vm/stream.h"

#define NONE UINT32_MAX

#define AHEAD 0x80u // beside CAIRN_FRAME_...: brought in, not asked for yet

struct machine {
    struct page_run *run;
    void *state;
    uint32_t *frame_of;
    uint32_t *page_in;
    uint8_t *flags;  // of a frame
    uint32_t *sorted; // pages by their number, for prefetching: which page has this number?
    uint32_t used;   // frames
    struct cairn_policy_view view;
    struct stream_table streams;
};

// ---------------------------------------------------------------------------------------------------------------------- the frames

static bool evict(struct machine *machine, uint32_t number, uint32_t *frame, uint32_t *gone)
{
    struct page_run *const run = machine->run;
    *frame = run->policy->victim(machine->state, number, &machine->view);
    if (*frame >= run->frames || machine->page_in[*frame] == NONE) {
        tool_complain("%s: the policy %s named frame %lu, which holds no page", run->trace->name, run->policy->name, (unsigned long)*frame);
        return false;
    }
    const uint32_t page = machine->page_in[*frame];
    *gone = page;
    run->policy->remove(machine->state, *frame, true);
    run->writebacks += (machine->flags[*frame] & CAIRN_FRAME_DIRTY) != 0;
    if ((machine->flags[*frame] & AHEAD) != 0) {
        cairn_stream_waste_(&machine->streams, run->trace->pages[page]);
    }
    machine->flags[*frame] = CAIRN_FRAME_PINNED;
    machine->frame_of[page] = NONE;
    machine->page_in[*frame] = NONE;
    return true;
}

static bool bring(struct machine *machine, uint32_t page, bool is_ahead)
{
    struct page_run *const run = machine->run;
    const uint32_t number = run->trace->pages[page];
    uint32_t frame = machine->used;
    uint32_t gone = NONE;
    if (frame < run->frames) {
        machine->used++;
    } else if (!evict(machine, number, &frame, &gone)) {
        return false;
    }
    if (is_ahead && gone != NONE) {
        cairn_stream_gone_(&machine->streams, run->trace->pages[gone]);
    }
    machine->frame_of[page] = frame;
    machine->page_in[frame] = page;
    machine->flags[frame] = CAIRN_FRAME_USED;
    run->policy->insert(machine->state, frame, number);
    return true;
}

// ------------------------------------------------------------------------------------------------------------------- prefetching

static const struct page_trace *sorting; // qsort has no context

static int by_number(const void *a, const void *b)
{
    const uint32_t left = sorting->pages[*(const uint32_t *)a];
    const uint32_t right = sorting->pages[*(const uint32_t *)b];
    return left < right ? -1 : left > right;
}

// The page of this number: one that the program never asks for is not part of its memory.
static uint32_t page_of(const struct machine *machine, uint32_t number)
{
    uint32_t low = 0;
    for (uint32_t high = machine->run->trace->page_count; low < high;) {
        const uint32_t middle = low + (high - low) / 2;
        if (machine->run->trace->pages[machine->sorted[middle]] < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == machine->run->trace->page_count || machine->run->trace->pages[machine->sorted[low]] != number) {
        return NONE;
    }
    return machine->sorted[low];
}

// A page was asked for that was not there, or was brought in ahead.
static bool run_ahead(struct machine *machine, uint32_t asked, bool was_there)
{
    struct stream_advice advice;
    cairn_stream_fault_(&machine->streams, machine->run->trace->pages[asked], was_there, &advice);
    uint32_t number = advice.first;
    for (uint32_t left = advice.count; left != 0; left--, number += advice.stride) {
        const uint32_t page = page_of(machine, number);
        if (page != NONE && machine->frame_of[page] == NONE) {
            if (!bring(machine, page, true)) {
                return false;
            }
            machine->flags[machine->frame_of[page]] |= AHEAD;
            machine->run->prefetches++;
            if (machine->frame_of[asked] == NONE) { // it made room for what comes after it: a policy may
                return bring(machine, asked, false);
            }
        }
    }
    return true;
}

static bool access_page(struct machine *machine, uint32_t page, bool is_write)
{
    struct page_run *const run = machine->run;
    bool was_ahead = false;
    run->seen++;
    if (machine->frame_of[page] == NONE) {
        run->faults++;
        if (!bring(machine, page, false) || (run->is_prefetching && !run_ahead(machine, page, false))) {
            return false;
        }
    } else {
        was_ahead = (machine->flags[machine->frame_of[page]] & AHEAD) != 0;
        if (run->policy->touch != NULL) {
            run->policy->touch(machine->state, machine->frame_of[page]);
        }
    }
    machine->flags[machine->frame_of[page]] |= is_write ? CAIRN_FRAME_DIRTY | CAIRN_FRAME_USED : CAIRN_FRAME_USED;
    if (was_ahead) {
        machine->flags[machine->frame_of[page]] &= (uint8_t)~AHEAD;
        run->useful++;
        return run_ahead(machine, page, true);
    }
    return true;
}

// --------------------------------------------------------------------------------------------------------------------- the run

static bool machine_begin(struct machine *machine, struct page_run *run)
{
    const size_t pages = run->trace->page_count;
    *machine = (struct machine){.run = run, .state = malloc(run->policy->bytes(run->frames)), .frame_of = malloc(pages * sizeof(uint32_t)),
                                .page_in = malloc(run->frames * sizeof(uint32_t)), .flags = malloc(run->frames),
                                .sorted = malloc(pages * sizeof(uint32_t))};
    machine->view = (struct cairn_policy_view){machine->flags, 1};
    if (machine->state == NULL || machine->frame_of == NULL || machine->page_in == NULL || machine->flags == NULL || machine->sorted == NULL) {
        tool_complain("%s: out of memory", run->trace->name);
        return false;
    }
    memset(machine->frame_of, 0xFF, pages * sizeof(uint32_t));
    memset(machine->page_in, 0xFF, run->frames * sizeof(uint32_t));
    memset(machine->flags, CAIRN_FRAME_PINNED, run->frames);
    for (uint32_t page = 0; page < pages; page++) {
        machine->sorted[page] = page;
    }
    sorting = run->trace;
    qsort(machine->sorted, pages, sizeof(uint32_t), by_number);
    run->policy->init(machine->state, run->frames);
    cairn_stream_init_(&machine->streams, run->frames);
    run->faults = run->writebacks = run->prefetches = run->useful = run->seen = 0;
    return true;
}

bool page_run(struct page_run *run)
{
    struct machine machine;
    if (run->tlb != 0) {
        return page_vm_run(run);
    }
    bool is_good = machine_begin(&machine, run);
    for (uint32_t at = 0; at < run->trace->access_count && is_good; at++) {
        const uint32_t access = run->trace->accesses[at];
        is_good = access_page(&machine, access & ~PAGE_TRACE_WRITE, (access & PAGE_TRACE_WRITE) != 0);
    }
    free(machine.state);
    free(machine.frame_of);
    free(machine.page_in);
    free(machine.flags);
    free(machine.sorted);
    return is_good;
}
