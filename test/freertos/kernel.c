// SPDX-License-Identifier: MIT
//
// A kernel with one task: counts what heap_cairn.c asks of it.
// OWNS: struct kernel. CALLERS: heap_cairn.c through FreeRTOS.h and task.h; the tests.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "FreeRTOS.h"
#include "heap_cairn.h"
#include "task.h"

struct kernel kernel;

void vTaskSuspendAll(void)
{
    kernel.wrong += kernel.depth != 0;
    kernel.depth++;
    kernel.sections++;
}

BaseType_t xTaskResumeAll(void)
{
    void (*const other_task)(void) = kernel.on_resume;
    kernel.wrong += kernel.depth != 1;
    kernel.depth--;
    if (other_task != NULL) {
        kernel.on_resume = NULL;
        other_task();
    }
    return 0;
}

void kernel_assert(int holds)
{
    kernel.wrong += kernel.depth != 1;
    kernel.asserts += holds == 0;
}

void kernel_trace(const void *address, size_t size, int is_malloc)
{
    kernel.wrong += kernel.depth != 1 || (address == NULL) != (size == 0);
    if (address == NULL) {
        kernel.failures++;
    } else if (is_malloc != 0) {
        kernel.allocations++;
        kernel.in_use += size;
    } else {
        kernel.wrong += kernel.in_use < size;
        kernel.frees++;
        kernel.in_use -= size;
    }
}

void kernel_report(const struct cairn_report *report)
{
    kernel.wrong += kernel.depth != 1;
    kernel.reports++;
    kernel.what = (int)report->what;
    kernel.address = report->address;
    kernel.block = report->block;
}

void vApplicationMallocFailedHook(void)
{
    kernel.wrong += kernel.depth != 0;
    kernel.failed++;
}

void kernel_expect(unsigned sections, unsigned asserts, unsigned failed)
{
    assert_int_equal(kernel.sections, sections);
    assert_int_equal(kernel.asserts, asserts);
    assert_int_equal(kernel.failed, failed);
    kernel.sections = kernel.asserts = kernel.failed = 0;
}

unsigned char *kernel_take(size_t size)
{
    unsigned char *const block = pvPortMalloc(size);
    assert_non_null(block);
    kernel_expect(1, 0, 0);
    return block;
}

void kernel_give(void *block)
{
    vPortFree(block);
    kernel_expect(1, 0, 0);
}

int kernel_setup(void **state)
{
    (void)state;
    vPortHeapResetState();
    kernel = (struct kernel){0};
    return 0;
}

int kernel_teardown(void **state)
{
    HeapStats_t stats;
    (void)state;
    vPortGetHeapStats(&stats);
    const bool is_whole = xPortCheckHeap(NULL) == 0 && kernel.depth == 0 && kernel.wrong == 0;
    const bool is_counted = stats.xNumberOfSuccessfulAllocations == kernel.allocations && stats.xNumberOfSuccessfulFrees == kernel.frees &&
                            stats.xAvailableHeapSpaceInBytes == xPortGetFreeHeapSize();
    if (!is_whole || !is_counted) {
        print_error("heap or counters: wrong %u, depth %d\n", kernel.wrong, kernel.depth);
    }
    return is_whole && is_counted ? 0 : -1;
}
