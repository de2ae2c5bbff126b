// SPDX-License-Identifier: MIT
//
// A trace of accesses to pages, in memory.
//
// OWNS        struct page_trace: its accesses, and the pages that they name.
// PICTURE     # page 1024        bytes of a page, before the first access; other lines with # are remarks
//             r 1f               an access that reads page 0x1f
//             w 20               one that writes
//             Or packed: page_pack.h.
// COST        4 bytes an access.
// CALLERS     cairn-pages; the tests of policies.
#ifndef CAIRN_PORT_PAGE_TRACE_H
#define CAIRN_PORT_PAGE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_TRACE_WRITE 0x80000000u

struct page_trace {
    char name[256];         // of the file, without folder, ending and `.p1024`, but for other sizes of page
    uint32_t page_bytes;    // 0: the trace does not say
    uint32_t *accesses;     // number of the page in `pages`, and PAGE_TRACE_WRITE
    uint32_t access_count;
    uint32_t *pages;        // page numbers in the order of their first access
    uint32_t page_count;
};

// Load `path` ("-": standard input). Complains (tool.h) with the number of the line and returns false iff it cannot be read, is malformed, has no
// access, or memory is out; then there is nothing to unload.
bool page_trace_load(struct page_trace *trace, const char *path);
void page_trace_unload(struct page_trace *trace);

#endif
