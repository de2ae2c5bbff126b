// SPDX-License-Identifier: MIT
//
// FreeRTOS: the kernel's heap API over cairn, in the place of heap_4.c or heap_5.c.
//
// OWNS        ucHeap, where there is one; 6 words of RAM; and the front of each region.
// PICTURE     state.first -> [ struct region | control, tags, granules of its heap ]      ucHeap, or the first that was defined
//                                 next   -> [ struct region | ... ]                        in the order in which they were added
// INVARIANTS  1. Every call but vPortFreeFromISR suspends the scheduler once, and resumes it; a realloc that copies does so twice, and copies in
//                between.
//             2. state.free is the sum of what is free in all regions; the counters differ by the blocks in use.
//             3. Regions do not overlap, and stay until vPortHeapResetState.
//             4. state.least is what would have been the least free had all regions been there from the start.
//             5. Each block, used or free, begins at a multiple of UNIT and is a multiple of it long: what is free can be had, and no
//                request takes more for its alignment.
//             6. What an interrupt frees is counted once, when its mark is taken up; free_from_isr.h.
// COST        alloc and free O(regions) and the heap's O(1); an alloc that would fail O(free blocks), unless configCAIRN_SEARCH is set;
//             vPortGetHeapStats and xPortCheckHeap O(heap); wiping in proportion to the block.
// CALLERS     the kernel, tasks, and main() before the scheduler starts. Not interrupts, but for vPortFreeFromISR.
#include <stdint.h>
#include <string.h>

// As in each file of the kernel: with an MPU this one calls it directly.
#define MPU_WRAPPERS_INCLUDED_FROM_API_FILE
#include "FreeRTOS.h"
#include "task.h"
#undef MPU_WRAPPERS_INCLUDED_FROM_API_FILE

#include "free_from_isr.h"
#include "heap_cairn.h"

#if configSUPPORT_DYNAMIC_ALLOCATION == 0
#error "configSUPPORT_DYNAMIC_ALLOCATION: set it to 1, or leave heap_cairn.c out"
#endif
#ifndef configHEAP_CLEAR_MEMORY_ON_FREE
#define configHEAP_CLEAR_MEMORY_ON_FREE 0
#endif
#ifndef configCAIRN_AS_HEAP_5
#define configCAIRN_AS_HEAP_5 0
#endif
#ifndef configCAIRN_FIT
#define configCAIRN_FIT CAIRN_FIT_BEST
#endif
#ifdef configCAIRN_SEARCH
#define LOOKS_AT_ALL false
#else
#define configCAIRN_SEARCH CAIRN_SEARCH_DEFAULT
#define LOOKS_AT_ALL (configCAIRN_FIT != CAIRN_FIT_BOUNDED) // before a request fails
#endif
#ifndef configCAIRN_REPORT
#define configCAIRN_REPORT(report) configASSERT((report) == NULL)
#endif

struct region {
    struct cairn_heap heap;
    struct region *next;
    size_t size; // bytes from here on
};

struct heap_state {
    struct region *first; // NULL: no memory yet
    size_t free;
    size_t least;
    size_t allocations;
    size_t frees;
    bool is_broken; // the last request met a broken link
};

_Static_assert((portBYTE_ALIGNMENT & (portBYTE_ALIGNMENT - 1)) == 0, "portBYTE_ALIGNMENT is a power of two");

// Invariant 5: the kernel's alignment, where that is more than a granule.
#define UNIT ((size_t)(portBYTE_ALIGNMENT > CAIRN_GRANULE ? portBYTE_ALIGNMENT : CAIRN_GRANULE))

// The size in whole units. One that is too large for that stays as it is: no heap is so long. Where a unit is a granule, the heap rounds.
static size_t whole_units(size_t size)
{
    const size_t rounded = (size + UNIT - 1) & ~(UNIT - 1);
    return UNIT == CAIRN_GRANULE || rounded < size ? size : rounded;
}

PRIVILEGED_DATA static struct heap_state state;

// ------------------------------------------------------------------------------------------------------------------ regions

static void report(void *context, const struct cairn_report *found)
{
    (void)context;
    (void)found; // configASSERT may be empty
    state.is_broken = true;
    configCAIRN_REPORT(found);
}

// No lock: whoever calls holds it.
static const struct cairn_heap_hooks hooks = {.hooked = CAIRN_HOOKED, .report = report, .event = MARKS_EVENT};
static const struct cairn_heap_config config = {
    .fit = configCAIRN_FIT, .search = configCAIRN_SEARCH, .wipe = configHEAP_CLEAR_MEMORY_ON_FREE == 1, .hooks = &hooks};

// The region that holds the address; NULL for none.
static struct region *region_of(const void *address)
{
    struct region *region = state.first;
    while (region != NULL && (uintptr_t)address - (uintptr_t)region >= region->size) {
        region = region->next;
    }
    return region;
}

// Suspend the scheduler, and free some of what interrupts have marked.
static void enter(void)
{
    vTaskSuspendAll();
    for (struct region *region = state.first; FREES_FROM_ISR && region != NULL; region = region->next) {
        marks_take_up(&region->heap);
    }
}

static bool is_apart(const unsigned char *memory, size_t size)
{
    for (const struct region *region = state.first; region != NULL; region = region->next) {
        if ((uintptr_t)region - (uintptr_t)memory < size || (uintptr_t)memory - (uintptr_t)region < region->size) {
            return false;
        }
    }
    return true;
}

// Make a heap of `size` bytes of memory, with invariant 5. Returns false where it is too small. The first attempt tells where the first
// granule is, and the second moves it: what stands in front of it is as long, since both are made for up to `size` bytes.
static bool make_heap(struct cairn_heap *heap, unsigned char *memory, size_t size)
{
    struct cairn_heap_config exact = config;
    struct cairn_heap_stats stats;
    if (UNIT == CAIRN_GRANULE) {
        return cairn_heap_init(heap, memory, size, &config) == 0;
    }
    exact.max_size = size;
    if (cairn_heap_init(heap, memory, size, &exact) != 0) {
        return false;
    }
    cairn_heap_stats(heap, &stats);
    const size_t front = (size_t)(heap->base - memory);
    const size_t skip = (0u - (uintptr_t)heap->base) & (UNIT - 1);
    const size_t rest = (stats.free - skip) & (UNIT - 1);
    return stats.free >= skip + UNIT && cairn_heap_init(heap, memory + skip, front + stats.free - skip - rest, &exact) == 0;
}

// Make a heap of the memory, behind the other regions. False, and nothing has changed: it is none, too small, or partly in a region already.
static bool add_region(unsigned char *memory, size_t size)
{
    const size_t skip = (0u - (uintptr_t)memory) & (_Alignof(struct region) - 1);
    const size_t marks = marks_size(size);
    const size_t front = skip + sizeof(struct region) + marks;
    struct cairn_heap heap;
    struct cairn_heap_stats stats;
    struct region **link = &state.first;
    if (memory == NULL || size < front || !is_apart(memory, size) || !make_heap(&heap, memory + front, size - front)) {
        return false;
    }
    struct region *const region = (struct region *)(void *)(memory + skip);
    *region = (struct region){.heap = heap, .size = size - skip};
    if (!marks_init(region + 1, marks, &region->heap)) {
        return false;
    }
    while (*link != NULL) {
        link = &(*link)->next;
    }
    portMEMORY_BARRIER(); // an interrupt may look at the list
    *link = region;
    cairn_heap_stats(&region->heap, &stats);
    state.free += stats.free;
    state.least += stats.free;
    return true;
}

#if configCAIRN_AS_HEAP_5 == 1

static void begin(void)
{
}

#else

#if configAPPLICATION_ALLOCATED_HEAP == 1
extern uint8_t ucHeap[configTOTAL_HEAP_SIZE];
#else
PRIVILEGED_DATA static _Alignas(CAIRN_GRANULE) uint8_t ucHeap[configTOTAL_HEAP_SIZE];
#endif

// Before the first use: ucHeap is the first region.
static void begin(void)
{
    if (state.first == NULL) {
        (void)add_region(ucHeap, configTOTAL_HEAP_SIZE);
    }
}

#endif

void vPortDefineHeapRegions(const HeapRegion_t *const regions)
{
    size_t count = 0;
    vTaskSuspendAll();
    begin();
    for (const HeapRegion_t *region = regions; region != NULL && region->xSizeInBytes != 0; region++) {
        const bool is_added = add_region(region->pucStartAddress, region->xSizeInBytes);
        configASSERT(is_added); // no address, too small, or it overlaps another region
        count += is_added;
    }
    configASSERT(count != 0);
    (void)count;
    (void)xTaskResumeAll();
}

void vPortInitialiseBlocks(void)
{
}

void vPortHeapResetState(void)
{
    state = (struct heap_state){0};
}

// ------------------------------------------------------------------------------------------------------------------- blocks
// All of these are called with the scheduler suspended.

static size_t size_of(const struct region *region, const void *block)
{
    return region == NULL || marks_has(&region->heap, block) ? 0 : cairn_heap_usable_size_(&region->heap, block);
}

// Report a pointer that is no used block.
static void refuse(struct region *region, void *address)
{
    if (CAIRN_HARDEN >= 1 && region != NULL) {
        cairn_heap_free_(&region->heap, address); // which reports it, with the block that it is in
    } else {
        const struct cairn_report found = {CAIRN_WRONG_POINTER, address, NULL, 0, NULL, NULL};
        report(NULL, &found);
    }
}

// Count and trace a block that was handed out for `wanted` bytes.
static void count_taken(const struct region *region, void *block, size_t wanted)
{
    const size_t rounded = (wanted + UNIT - 1) & ~(UNIT - 1);
    const size_t size = configCAIRN_FIT == CAIRN_FIT_BOUNDED ? size_of(region, block) : rounded; // which a bounded fit may exceed
    state.free -= size;
    if (state.free < state.least) {
        state.least = state.free;
    }
    state.allocations++;
    traceMALLOC(block, size);
}

// Count and trace a block of `size` bytes that goes back.
static void count_released(void *block, size_t size)
{
    state.free += size;
    state.frees++;
    traceFREE(block, size);
    (void)block;
}

#if configCAIRN_FREE_FROM_ISR == 1
static void marks_freed(const void *block, size_t size)
{
    count_released((void *)(uintptr_t)block, size);
}
#endif

// Allocate in the first region that has room, as far as its search sees.
static void *take_seen(size_t alignment, size_t size)
{
    for (struct region *region = state.first; region != NULL; region = region->next) {
        void *const block = alignment > UNIT ? cairn_heap_aligned_alloc_(&region->heap, alignment, size)
                                             : cairn_heap_alloc_(&region->heap, size);
        if (block != NULL) {
            count_taken(region, block, size);
            return block;
        }
    }
    return NULL;
}

static void look_at(uint16_t search)
{
    for (struct region *region = state.first; region != NULL; region = region->next) {
        const int error = cairn_heap_set_fit(&region->heap, configCAIRN_FIT, search);
        (void)error; // it is a heap, and the fit is one
    }
}

// Free all that interrupts have marked. Returns whether there was anything.
static bool take_up_all(void)
{
    bool any = false;
    for (struct region *region = state.first; FREES_FROM_ISR && region != NULL; region = region->next) {
        any |= marks_drain(&region->heap);
    }
    return any;
}

// Allocate in the first region that has room.
static void *take(size_t alignment, size_t wanted)
{
    const size_t size = whole_units(wanted);
    state.is_broken = false;
    void *block = take_seen(alignment, size);
    if (FREES_FROM_ISR && block == NULL && size != 0 && take_up_all()) {
        block = take_seen(alignment, size);
    }
    if (LOOKS_AT_ALL && block == NULL && size != 0 && !state.is_broken) {
        look_at(CAIRN_SEARCH_ALL);
        block = take_seen(alignment, size);
        look_at(configCAIRN_SEARCH);
    }
    return block;
}

#if configUSE_MALLOC_FAILED_HOOK == 1
static void tell_if_failed(const void *block)
{
    if (block == NULL) {
        vApplicationMallocFailedHook();
    }
}
#else
static void tell_if_failed(const void *block)
{
    (void)block;
}
#endif

static void *allocate(size_t alignment, size_t size)
{
    enter();
    begin();
    configASSERT(state.first != NULL); // vPortDefineHeapRegions was not called, or configTOTAL_HEAP_SIZE is too small
    void *const block = take(alignment, size);
    if (block == NULL) {
        traceMALLOC(block, 0);
    }
    (void)xTaskResumeAll();
    tell_if_failed(block);
    return block;
}

void *pvPortMalloc(size_t size)
{
    return allocate(UNIT, size);
}

void *pvPortAlignedAlloc(size_t alignment, size_t size)
{
    const bool is_power = alignment != 0 && (alignment & (alignment - 1)) == 0;
    return allocate(alignment, is_power ? size : 0);
}

void *pvPortCalloc(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    void *const block = pvPortMalloc(count * size);
    if (block != NULL) {
        memset(block, 0, count * size);
    }
    return block;
}

void vPortFree(void *block)
{
    if (block == NULL) {
        return;
    }
    enter();
    struct region *const region = region_of(block);
    const size_t size = size_of(region, block);
    if (size == 0) {
        refuse(region, block);
    } else {
        cairn_heap_free_(&region->heap, block);
        if (!FREES_FROM_ISR || cairn_heap_usable_size_(&region->heap, block) == 0) { // else an interrupt came between: it is refused
            count_released(block, size);
        }
    }
    (void)xTaskResumeAll();
}

#if configCAIRN_FREE_FROM_ISR == 1
void vPortFreeFromISR(void *block)
{
    const struct region *const region = region_of(block);
    if (state.first == NULL) {
        configASSERT(block == NULL);
        return;
    }
    marks_set(region != NULL ? &region->heap : &state.first->heap, block); // which refuses what is outside
}
#endif

// ------------------------------------------------------------------------------------------------------------------ realloc

// Change the block without copying it elsewhere; slide: let it slide to the left, its bytes with it. Returns its address, NULL where it cannot be.
static void *change_here(struct region *region, void *block, size_t old_size, size_t size, bool slide)
{
    void *to = block;
    if (slide) {
        to = cairn_heap_aligned_realloc(&region->heap, block, UNIT, size);
    } else if (cairn_heap_resize_(&region->heap, block, size) != 0) {
        to = NULL;
    }
    if (to != NULL) {
        count_released(block, old_size);
        count_taken(region, to, size);
    }
    return to;
}

// Find the place of a block that is to be `size` bytes: here, elsewhere, or as far to the left as is free. Returns it, and whether the bytes
// must be copied there; NULL for none.
static void *place(struct region *region, void *block, size_t old_size, size_t size, bool *is_elsewhere)
{
    const bool gives_back = configCAIRN_FIT == CAIRN_FIT_BOUNDED && old_size > UNIT && size <= old_size / 2; // by moving: docs/BOUNDS.md
    void *to = gives_back ? NULL : change_here(region, block, old_size, size, false);
    *is_elsewhere = false;
    if (to == NULL) {
        to = take(UNIT, size);
        *is_elsewhere = to != NULL;
    }
    if (to == NULL) {
        to = change_here(region, block, old_size, size, true);
    }
    if (to == NULL) {
        traceMALLOC(to, 0);
    }
    return to;
}

void *pvPortRealloc(void *block, size_t size)
{
    void *to = NULL;
    bool is_elsewhere = false;
    if (block == NULL) {
        return pvPortMalloc(size);
    }
    if (size == 0) {
        vPortFree(block);
        return NULL;
    }
    enter();
    struct region *const region = region_of(block);
    const size_t old_size = size_of(region, block);
    if (old_size == 0) {
        refuse(region, block);
    } else {
        to = place(region, block, old_size, whole_units(size), &is_elsewhere);
    }
    (void)xTaskResumeAll();
    if (is_elsewhere) {
        memcpy(to, block, old_size < size ? old_size : size);
        vPortFree(block);
    }
    if (old_size != 0) {
        tell_if_failed(to);
    }
    return to;
}

// --------------------------------------------------------------------------------------------------------------- looking in

size_t xPortGetFreeHeapSize(void)
{
    return state.free;
}

size_t xPortGetMinimumEverFreeHeapSize(void)
{
    return state.least;
}

void xPortResetHeapMinimumEverFreeHeapSize(void)
{
    vTaskSuspendAll();
    state.least = state.free;
    (void)xTaskResumeAll();
}

size_t xPortGetBlockSize(const void *block)
{
    vTaskSuspendAll();
    const size_t size = size_of(region_of(block), block);
    (void)xTaskResumeAll();
    return size;
}

static int see_block(void *context, const struct cairn_block *block)
{
    HeapStats_t *const stats = context;
    if (!block->used) {
        stats->xNumberOfFreeBlocks++;
        if (block->size > stats->xSizeOfLargestFreeBlockInBytes) {
            stats->xSizeOfLargestFreeBlockInBytes = block->size;
        }
        if (block->size < stats->xSizeOfSmallestFreeBlockInBytes) {
            stats->xSizeOfSmallestFreeBlockInBytes = block->size;
        }
    }
    return 0;
}

void vPortGetHeapStats(HeapStats_t *stats)
{
    *stats = (HeapStats_t){.xSizeOfSmallestFreeBlockInBytes = SIZE_MAX};
    enter();
    for (struct region *region = state.first; region != NULL; region = region->next) {
        (void)cairn_heap_walk(&region->heap, see_block, stats);
    }
    stats->xAvailableHeapSpaceInBytes = state.free;
    stats->xMinimumEverFreeBytesRemaining = state.least;
    stats->xNumberOfSuccessfulAllocations = state.allocations;
    stats->xNumberOfSuccessfulFrees = state.frees;
    (void)xTaskResumeAll();
}

int xPortCheckHeap(struct cairn_fault *fault)
{
    int error = 0;
    if (fault != NULL) {
        *fault = (struct cairn_fault){CAIRN_RULE_NONE, NULL};
    }
    vTaskSuspendAll();
    for (struct region *region = state.first; error == 0 && region != NULL; region = region->next) {
        error = cairn_heap_check(&region->heap, fault);
    }
    (void)xTaskResumeAll();
    return error;
}
