// SPDX-License-Identifier: MIT
//
// A trace of pages run through a policy, or through OPT.
//
// OWNS        struct page_run: what is run, and what was counted.
// COST        OPT: O(log frames) an access. A policy: what it costs.
// CALLERS     cairn-pages; the tests of policies.
#ifndef CAIRN_PORT_PAGE_RUN_H
#define CAIRN_PORT_PAGE_RUN_H

#include "cairn/policy.h"

#include "page_trace.h"

struct page_run {
    // What is run. The policy sees every access; or, with a TLB of so many entries, what a vm of the library shows it.
    const struct page_trace *trace;
    const struct cairn_policy *policy;
    uint32_t frames;
    uint32_t tlb; // entries, a power of two from 4 to 1024; 0: none
    bool is_prefetching;

    // What was counted.
    uint32_t faults;     // accesses to a page that was not there
    uint32_t writebacks; // dirty pages that left
    uint32_t prefetches; // pages that were brought in before they were asked for
    uint32_t useful;     // of these: asked for before they left
    uint32_t seen;       // accesses that the policy was shown
};

// Returns false iff memory is out, or the policy named a frame that it must not.
bool page_run(struct page_run *run);

// Faults of OPT, which knows the future (Belady, "A study of replacement algorithms for a virtual-storage computer", 1966). UINT32_MAX: memory is out.
// *writebacks: dirty pages that left.
uint32_t page_opt(const struct page_trace *trace, uint32_t frames, uint32_t *writebacks);

#endif
