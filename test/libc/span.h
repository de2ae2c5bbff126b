// SPDX-License-Identifier: MIT
//
// The memory that malloc may have, for a program that is to be run in less and less of it.
// OWNS: nothing; span.c has the break. CALLERS: main, before the first malloc.
#ifndef CAIRN_TEST_SPAN_H
#define CAIRN_TEST_SPAN_H

#include <stddef.h>

// sbrk ends so many bytes behind the start of the heap area. Before this is called: at the area's end.
void span_set(size_t bytes);

// Bytes that sbrk has given out.
size_t span_taken(void);

#endif
