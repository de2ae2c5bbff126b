// SPDX-License-Identifier: MIT
//
// Build-time options of cairn, all of them. Each has a meaning, its values, its default and its cost.
// Set one with -D, or put them all in a header of your own and name it: -DCAIRN_CONFIG_FILE='"my_cairn.h"'.
#ifndef CAIRN_CONFIG_H
#define CAIRN_CONFIG_H

#ifdef CAIRN_CONFIG_FILE
#include CAIRN_CONFIG_FILE
#endif

// Bytes of a granule: every block starts at a multiple of it and takes a multiple of it.
//   8   (default) what the AAPCS needs, and RV32 for all but long double.
//   16  where max_align_t is 16, as on RISC-V, and the heap stands behind malloc. Halves the tags (1/64 of the region in place of 1/32),
//       and rounds each request up to 16.
#ifndef CAIRN_GRANULE
#define CAIRN_GRANULE 8
#endif

// How far the heap distrusts what it is given and what it finds.
//   0  nothing is checked: a bad pointer or a broken link is undefined behaviour.
//   1  (default) exact free: a pointer that is not the start of a used block is refused and reported.
//      Verified unlink: a free block's links are believed only if both neighbours and the tags agree.
//      Its cost in bytes and instructions is in docs/BENCHMARKS.md.
//   2, 3  reserved for the higher rungs; today they check what 1 does.
#ifndef CAIRN_HARDEN
#define CAIRN_HARDEN 1
#endif

#if CAIRN_GRANULE != 8 && CAIRN_GRANULE != 16
#error "CAIRN_GRANULE: set it to 8 or 16"
#endif
#if CAIRN_HARDEN < 0 || CAIRN_HARDEN > 3
#error "CAIRN_HARDEN: set it to 0, 1, 2 or 3"
#endif

#endif
