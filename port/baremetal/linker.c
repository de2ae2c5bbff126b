// SPDX-License-Identifier: MIT
//
// The span that the linker script leaves for the heap.
// OWNS: where the break is in it. CALLERS: linker.h says who.
#include "linker.h"

extern unsigned char cairn_heap_area_start[];
extern unsigned char cairn_heap_area_end[];

static unsigned char *at;

static const struct baremetal_memory memory = {.start = cairn_heap_area_start, .end = cairn_heap_area_end, .at = &at};

const struct cairn_port_region baremetal_linker_region = BAREMETAL_BREAK(&memory);
