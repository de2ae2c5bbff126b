// SPDX-License-Identifier: MIT
//
// The part of the kernel's published interface that heap_cairn.c uses, and the program of docs/porting/freertos.md, so that they can be compiled, and the
// first tested, without the kernel.
//
// OWNS        names, types and defaults only; kernel.c stands in for the scheduler. The build gives the configuration (CMakeLists.txt), or a FreeRTOSConfig.h.
// CALLERS     heap_cairn.c and its tests, as FreeRTOS.h.
#ifndef CAIRN_TEST_FREERTOS_H
#define CAIRN_TEST_FREERTOS_H

#include <stddef.h>
#include <stdint.h>

#if __has_include("FreeRTOSConfig.h")
#include "FreeRTOSConfig.h"
#endif
#include "kernel.h"

typedef long BaseType_t;
typedef unsigned long UBaseType_t;
typedef uint32_t TickType_t;
#define pdPASS ((BaseType_t)1)

// A configuration with nothing in it (BARE) must compile too: these are the kernel's defaults then.
#ifdef BARE
#define configASSERT(condition)
#define configUSE_MALLOC_FAILED_HOOK 0
#define traceMALLOC(address, size)
#define traceFREE(address, size)
#else
#ifndef configASSERT
#define configASSERT(condition) kernel_assert((condition) ? 1 : 0)
#endif
#ifndef configUSE_MALLOC_FAILED_HOOK
#define configUSE_MALLOC_FAILED_HOOK 1
#endif
#define traceMALLOC(address, size) kernel_trace(address, size, 1)
#define traceFREE(address, size) kernel_trace(address, size, 0)
#endif

#ifdef KERNEL_REPORTS
#define configCAIRN_REPORT(report) kernel_report(report)
#endif

#ifndef configSUPPORT_DYNAMIC_ALLOCATION
#define configSUPPORT_DYNAMIC_ALLOCATION 1
#endif
#ifndef configAPPLICATION_ALLOCATED_HEAP
#define configAPPLICATION_ALLOCATED_HEAP 0
#endif
#ifndef portBYTE_ALIGNMENT
#define portBYTE_ALIGNMENT 8
#endif
#define portMEMORY_BARRIER()
#define PRIVILEGED_DATA
#define PRIVILEGED_FUNCTION

typedef struct HeapRegion {
    uint8_t *pucStartAddress;
    size_t xSizeInBytes;
} HeapRegion_t;

typedef struct xHeapStats {
    size_t xAvailableHeapSpaceInBytes;
    size_t xSizeOfLargestFreeBlockInBytes;
    size_t xSizeOfSmallestFreeBlockInBytes;
    size_t xNumberOfFreeBlocks;
    size_t xMinimumEverFreeBytesRemaining;
    size_t xNumberOfSuccessfulAllocations;
    size_t xNumberOfSuccessfulFrees;
} HeapStats_t;

void *pvPortMalloc(size_t size);
void *pvPortCalloc(size_t count, size_t size);
void vPortFree(void *block);
size_t xPortGetFreeHeapSize(void);
size_t xPortGetMinimumEverFreeHeapSize(void);
void xPortResetHeapMinimumEverFreeHeapSize(void);
void vPortGetHeapStats(HeapStats_t *stats);
void vPortInitialiseBlocks(void);
void vPortHeapResetState(void);
void vPortDefineHeapRegions(const HeapRegion_t *const regions);

#if configUSE_MALLOC_FAILED_HOOK == 1
void vApplicationMallocFailedHook(void);
#endif

#endif
