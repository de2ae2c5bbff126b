// SPDX-License-Identifier: MIT
//
// The two calls of the scheduler that heap_cairn.c makes, which kernel.c defines; and those that the program of docs/porting/freertos.md makes.
// OWNS: nothing. CALLERS: heap_cairn.c, as task.h.
#ifndef CAIRN_TEST_TASK_H
#define CAIRN_TEST_TASK_H

#include "FreeRTOS.h"

void vTaskSuspendAll(void);
BaseType_t xTaskResumeAll(void);

typedef struct tskTaskControlBlock *TaskHandle_t;
typedef void (*TaskFunction_t)(void *parameters);

BaseType_t xTaskCreate(TaskFunction_t code, const char *name, uint16_t stack_words, void *parameters, UBaseType_t priority, TaskHandle_t *created);
void vTaskDelete(TaskHandle_t task);
void vTaskDelay(TickType_t ticks);
void vTaskStartScheduler(void);

#endif
