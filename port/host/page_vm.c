// SPDX-License-Identifier: MIT
//
// OWNS        a vm of the library, with one space, in which a trace runs: what a policy sees then is what its TLB lets through.
// PICTURE     page p of the trace is page p + 1 of the space, as page 0 of a space is never mapped
// INVARIANTS  1. The first bytes of a page are the number of stores to it: each load looks whether they are.
// CALLERS     page_run.
#include "page_vm.h"

#include <stdlib.h>
#include <string.h>

#include "cairn/access.h"
#include "cairn/store.h"
#include "tool.h"

#define LEVEL_BITS 10u
#define PAGE_BITS 33u // of a page's number, as that of the trace has 32, and 1 is added
#define NODE_BYTES (4u << LEVEL_BITS)

struct paged {
    struct cairn_vm vm;
    struct cairn_space space;
    struct cairn_mapping mapping;
    struct cairn_store_ram ram;
    void *frames, *memory, *slots;
    uint32_t *stores; // to each page
};

static uint32_t shift_of(uint32_t bytes)
{
    uint32_t shift = 0;
    while (shift < 32 && (uint32_t)1 << shift < bytes) {
        shift++;
    }
    return shift < 32 && (uint32_t)1 << shift == bytes ? shift : 0;
}

// Levels for all the pages that a trace can name, or that there are addresses for.
static void set_levels(struct cairn_vm_config *config)
{
    const uint32_t there_are = CAIRN_VADDR_BITS - config->page_shift;
    uint32_t left = there_are < PAGE_BITS ? there_are : PAGE_BITS;
    config->levels = (uint8_t)((left + LEVEL_BITS - 1) / LEVEL_BITS);
    for (uint32_t level = config->levels; level-- != 0;) {
        config->bits[level] = (uint8_t)(left < LEVEL_BITS ? left : LEVEL_BITS);
        left -= config->bits[level];
    }
}

static uint32_t last_page(const struct page_trace *trace)
{
    uint32_t last = 0;
    for (uint32_t i = 0; i < trace->page_count; i++) {
        last = trace->pages[i] > last ? trace->pages[i] : last;
    }
    return last;
}

// Bytes for all tables, at most: of each level a node for each page, or for all that there can be up to the last page.
static size_t table_bytes(const struct page_trace *trace, uint32_t levels)
{
    uint64_t nodes = (uint64_t)last_page(trace) + 2; // pages, then nodes of a level
    size_t bytes = 0;
    for (; levels != 0; levels--) {
        nodes = (nodes >> LEVEL_BITS) + 1;
        bytes += (size_t)(nodes < trace->page_count ? nodes : trace->page_count + 1) * NODE_BYTES;
    }
    return bytes;
}

static bool begin(struct paged *paged, const struct page_run *run)
{
    const struct page_trace *const trace = run->trace;
    const size_t page = trace->page_bytes;
    struct cairn_vm_config config = {.page_shift = (uint8_t)shift_of(trace->page_bytes),
                                     .tlb = (uint16_t)run->tlb,
                                     .frame_count = run->frames,
                                     .policy = run->policy,
                                     .prefetch = run->is_prefetching ? &cairn_prefetch_streams : NULL};
    *paged = (struct paged){0};
    if (config.page_shift < 7 || config.page_shift > 12) {
        return false;
    }
    set_levels(&config);
    paged->slots = calloc(trace->page_count, page);
    paged->stores = calloc(trace->page_count, sizeof *paged->stores);
    paged->frames = aligned_alloc(page, (size_t)run->frames * page);
    if (paged->slots == NULL || paged->stores == NULL || paged->frames == NULL ||
        cairn_store_ram_init(&paged->ram, paged->slots, trace->page_count * page, (uint32_t)page, trace->page_count) != 0) {
        return false;
    }
    config.store = &paged->ram.store;
    config.size = cairn_vm_size(&config, table_bytes(trace, config.levels));
    config.frames = paged->frames;
    config.memory = paged->memory = malloc(config.size);
    const cairn_vaddr_t size = ((cairn_vaddr_t)last_page(trace) + 1) * (cairn_vaddr_t)page;
    return paged->memory != NULL && cairn_vm_init(&paged->vm, &config) == 0 && cairn_space_init(&paged->space, &paged->vm) == 0 &&
           cairn_space_map(&paged->space, &paged->mapping, (cairn_vaddr_t)page, size, CAIRN_READ | CAIRN_WRITE) == 0;
}

static bool access_page(struct paged *paged, const struct page_trace *trace, uint32_t access)
{
    const uint32_t page = access & ~PAGE_TRACE_WRITE;
    const cairn_vaddr_t address = ((cairn_vaddr_t)trace->pages[page] + 1) * trace->page_bytes;
    if ((access & PAGE_TRACE_WRITE) != 0) {
        return cairn_vm_store32(&paged->vm, address, ++paged->stores[page]) == 0;
    }
    uint32_t value;
    return cairn_vm_load32(&paged->vm, address, &value) == 0 && value == paged->stores[page];
}

bool page_vm_run(struct page_run *run)
{
    struct paged paged;
    struct cairn_vm_figures figures = {0};
    uint32_t rule = 0;
    bool is_good = begin(&paged, run);
    if (!is_good) {
        tool_complain("%s: no vm of %lu frames of %lu bytes with a TLB of %lu", run->trace->name, (unsigned long)run->frames,
                      (unsigned long)run->trace->page_bytes, (unsigned long)run->tlb);
    } else {
        cairn_space_switch(&paged.vm, &paged.space);
        for (uint32_t at = 0; at < run->trace->access_count && is_good; at++) {
            is_good = access_page(&paged, run->trace, run->trace->accesses[at]);
        }
        if (!is_good || cairn_vm_check(&paged.vm, &rule) != 0) {
            tool_complain("%s: the vm lost a page, or is broken (V%lu)", run->trace->name, (unsigned long)rule);
            is_good = false;
        }
        cairn_vm_figures(&paged.vm, &figures);
    }
    run->faults = figures.minor + figures.major;
    run->writebacks = figures.writes;
    run->prefetches = figures.prefetches;
    run->useful = figures.useful;
    run->seen = figures.tlb_misses - figures.victim_hits;
    free(paged.slots);
    free(paged.stores);
    free(paged.frames);
    free(paged.memory);
    return is_good;
}
