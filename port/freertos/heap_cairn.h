// SPDX-License-Identifier: MIT
//
// What heap_cairn.c has beyond the kernel's own heap API (portable.h), and its options.
//
// OWNS        nothing. Include FreeRTOS.h before it.
// CALLERS     tasks, and main() before the scheduler starts. Not interrupts, but for vPortFreeFromISR: the scheduler is suspended, as in heap_4 and heap_5.
//
// Options, for FreeRTOSConfig.h:
//   configCAIRN_AS_HEAP_5     0 (default): memory is ucHeap, configTOTAL_HEAP_SIZE bytes, as in heap_4; vPortDefineHeapRegions adds to it.
//                             1: there is no ucHeap; memory is what vPortDefineHeapRegions names, as in heap_5.
//   configCAIRN_FIT           one of enum cairn_fit (cairn/heap.h); default CAIRN_FIT_BEST.
//   configCAIRN_SEARCH        not set: a request looks at CAIRN_SEARCH_DEFAULT free blocks of a list (cairn/heap.h), and before it fails at
//                             all: none fails that a free block is long enough for, as in heap_4. Set: it looks at so many and no more;
//                             the time of one that fails does not grow either, but it may fail where a block is behind others.
//   configCAIRN_FREE_FROM_ISR 0 (default). 1: there is vPortFreeFromISR; lib/deferred is part of the build. Takes 1/62 of each region and 72 bytes more, 16
//                             instructions of a malloc, 140 of a free.
//   configCAIRN_REPORT( px )  what to do about a bad pointer or a broken link, *px a struct cairn_report. Runs with the scheduler suspended.
//                             Default: configASSERT fails. When it returns, the call does nothing (what was reported says more).
#ifndef CAIRN_PORT_FREERTOS_HEAP_CAIRN_H
#define CAIRN_PORT_FREERTOS_HEAP_CAIRN_H

#include "cairn/heap.h"

#ifndef configCAIRN_FREE_FROM_ISR
#define configCAIRN_FREE_FROM_ISR 0
#endif

#ifdef __cplusplus
extern "C" {
#endif

// Change a block's size; the first min(old, new) bytes stay. NULL: allocate. Size 0: free, returns NULL. Returns NULL, and the block is as it was, iff
// there is no place for it, and then the failed hook is called, or `block` is no block. The scheduler runs while bytes are copied, unless the only
// place left is one that the block slides to. Counts as a free and an allocation.
void *pvPortRealloc(void *block, size_t size);

// Allocate at a multiple of `alignment`. Returns NULL, and calls the failed hook, iff it is not a power of two, size is 0, or there is no room. Free the
// block with vPortFree; pvPortRealloc keeps the alignment only where the block stays.
void *pvPortAlignedAlloc(size_t alignment, size_t size);

#if configCAIRN_FREE_FROM_ISR == 1
// Free a block, from an interrupt of any priority, or from anywhere else: it is marked, in O(regions), and freed by the next calls of the heap, up to
// CAIRN_DEFERRED_BLOCKS (cairn/deferred.h) by each and for each region. A request that would fail frees all that is marked first. NULL does nothing. What is no used
// block, or is marked already, is reported by the next call, as vPortFree would. From this call on the block is none: xPortGetBlockSize gives 0.
void vPortFreeFromISR(void *block);
#endif

// Bytes that the block holds, at least those asked for. 0 iff it is NULL or not the start of a used block: neither is reported.
size_t xPortGetBlockSize(const void *block);

// Check every rule of every region, with the scheduler suspended for all of it: O(heap). Returns as cairn_heap_check; fault may be NULL. A heap
// that is not there yet holds all rules.
CAIRN_MUST_CHECK int xPortCheckHeap(struct cairn_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
