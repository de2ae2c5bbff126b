// SPDX-License-Identifier: MIT
//
// A trace of pages in few bytes: `.ctp`.
//
// OWNS        the format.
// PICTURE     "CTP1" | bytes of a page, accesses, pages, checksum: 4 bytes each, lowest first | bits: the pages, then the accesses, from an arithmetic coder
//
//     A page: its number less that of the page before. An access: is it what came after the same 48 accesses the last time? after the same 20, 11, 6, 4, 2, 1?
//     Else: how many other accesses were younger, when it was made the last time. Each answer is coded with the probability that it had in its place so far
//     (prediction by partial matching: Cleary, Witten, 1984; the coder: Rissanen, Langdon, 1979).
//
// INVARIANTS  1. What is read is what was written: the checksum is of the pages and accesses (FNV-1a).
// COST        14 MB while a trace is packed or unpacked; about a second a million accesses.
// CALLERS     page_trace.c, cairn-pages.
#ifndef CAIRN_PORT_PAGE_PACK_H
#define CAIRN_PORT_PAGE_PACK_H

#include <stdio.h>

#include "page_trace.h"

#define PAGE_PACK_MAGIC "CTP1"

// Write the trace. Returns false with errno set iff that fails; EOVERFLOW: it has more than 2^20 pages or 2^28 accesses, or two pages 2^31 apart.
bool page_pack(const struct page_trace *trace, FILE *file);
// Read what follows the magic. Returns NULL, or what is wrong; then the caller unloads what there is of the trace.
const char *page_unpack(struct page_trace *trace, FILE *file);

#endif
