// SPDX-License-Identifier: MIT
//
// The two calls of the scheduler that heap_cairn.c makes.
// OWNS: nothing; kernel.c defines them. CALLERS: heap_cairn.c, as task.h.
#ifndef CAIRN_TEST_TASK_H
#define CAIRN_TEST_TASK_H

#include "FreeRTOS.h"

void vTaskSuspendAll(void);
BaseType_t xTaskResumeAll(void);

#endif
