// SPDX-License-Identifier: MIT
//
// The break between two symbols of the linker script: cairn_heap_area_start and cairn_heap_area_end.
// OWNS: one word of RAM, the break. CALLERS: an arena's configuration, `_sbrk` of the C library (port/libc).
#ifndef CAIRN_PORT_BAREMETAL_LINKER_H
#define CAIRN_PORT_BAREMETAL_LINKER_H

#include "memory.h"

extern const struct cairn_port_region baremetal_linker_region;

#endif
