// SPDX-License-Identifier: MIT
//
// Build-time options of cairn, all of them. Each has a meaning, its values, its default and its cost.
// Set one with -D, or put them all in a header of your own and name it: -DCAIRN_CONFIG_FILE='"my_cairn.h"'.
#ifndef CAIRN_CONFIG_H
#define CAIRN_CONFIG_H

#include <stdint.h>

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

// Bits of an address of the software MMU (vm.h): 32, or 64. Default: as many as a pointer has.
#ifndef CAIRN_VADDR_BITS
#if UINTPTR_MAX > 0xFFFFFFFF
#define CAIRN_VADDR_BITS 64
#else
#define CAIRN_VADDR_BITS 32
#endif
#endif

// The page and the TLB of the software MMU, where a program has one kind only: log2 of a page's bytes (7 to 12), log2 of the TLB's entries (2 to 10).
//   0  (default) each vm has its own. A hit takes four instructions more.
#ifndef CAIRN_PAGE_SHIFT
#define CAIRN_PAGE_SHIFT 0
#endif
#ifndef CAIRN_TLB_SHIFT
#define CAIRN_TLB_SHIFT 0
#endif

// The page tables of the software MMU, where all of a program's vms have the same: levels (1 to 4), log2 of the entries of the topmost table and of each other
// (1 to 12). CAIRN_PAGE_SHIFT is set then too.
//   0  (default) each vm has its own. A miss takes 20 instructions more.
#ifndef CAIRN_TABLE_LEVELS
#define CAIRN_TABLE_LEVELS 0
#endif
#ifndef CAIRN_TABLE_TOP_BITS
#define CAIRN_TABLE_TOP_BITS 0
#endif
#ifndef CAIRN_TABLE_BITS
#define CAIRN_TABLE_BITS 0
#endif

// Are hits in the software MMU's TLB counted? Misses always are.
//   0  (default) no.
//   1  yes: each hit takes three instructions more. A setting of the program, not of the library that it is linked with.
#ifndef CAIRN_VM_COUNT_HITS
#define CAIRN_VM_COUNT_HITS 0
#endif

// Is each hit in the software MMU's TLB, or in a cursor's page, checked against the page table before it is used?
//   0  (default) no.
//   1  yes: where they disagree, the program stops (a trap instruction). Each hit takes a walk through the tables: for tests.
#ifndef CAIRN_VM_CROSSCHECK
#define CAIRN_VM_CROSSCHECK 0
#endif

#if CAIRN_VADDR_BITS != 32 && CAIRN_VADDR_BITS != 64
#error "CAIRN_VADDR_BITS: set it to 32 or 64"
#endif
#if CAIRN_PAGE_SHIFT != 0 && (CAIRN_PAGE_SHIFT < 7 || CAIRN_PAGE_SHIFT > 12)
#error "CAIRN_PAGE_SHIFT: set it to 0, or 7 to 12"
#endif
#if CAIRN_TLB_SHIFT != 0 && (CAIRN_TLB_SHIFT < 2 || CAIRN_TLB_SHIFT > 10)
#error "CAIRN_TLB_SHIFT: set it to 0, or 2 to 10"
#endif
#if CAIRN_TABLE_LEVELS < 0 || CAIRN_TABLE_LEVELS > 4 || (CAIRN_TABLE_LEVELS != 0 && CAIRN_PAGE_SHIFT == 0)
#error "CAIRN_TABLE_LEVELS: set it to 0, or to 1 to 4 with CAIRN_PAGE_SHIFT"
#endif
#if CAIRN_TABLE_LEVELS != 0 && (CAIRN_TABLE_TOP_BITS < 1 || CAIRN_TABLE_TOP_BITS > 12)
#error "CAIRN_TABLE_TOP_BITS: set it to 1 to 12"
#endif
#if CAIRN_TABLE_LEVELS > 1 && (CAIRN_TABLE_BITS < 1 || CAIRN_TABLE_BITS > 12)
#error "CAIRN_TABLE_BITS: set it to 1 to 12"
#endif
#if CAIRN_TABLE_LEVELS != 0 && CAIRN_PAGE_SHIFT + CAIRN_TABLE_TOP_BITS + (CAIRN_TABLE_LEVELS - 1) * CAIRN_TABLE_BITS > CAIRN_VADDR_BITS
#error "CAIRN_TABLE_LEVELS: tables for more bits than an address has"
#endif
#if CAIRN_VM_COUNT_HITS != 0 && CAIRN_VM_COUNT_HITS != 1
#error "CAIRN_VM_COUNT_HITS: set it to 0 or 1"
#endif
#if CAIRN_VM_CROSSCHECK != 0 && CAIRN_VM_CROSSCHECK != 1
#error "CAIRN_VM_CROSSCHECK: set it to 0 or 1"
#endif
#if CAIRN_GRANULE != 8 && CAIRN_GRANULE != 16
#error "CAIRN_GRANULE: set it to 8 or 16"
#endif
#if CAIRN_HARDEN < 0 || CAIRN_HARDEN > 3
#error "CAIRN_HARDEN: set it to 0, 1, 2 or 3"
#endif

#endif
