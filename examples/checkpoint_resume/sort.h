// SPDX-License-Identifier: MIT
//
// A computation that can be stopped between any two of its steps: quicksort of words in the current space, with all that it knows in there too.
//
// OWNS        nothing on the machine: the words, the ranges that are still to be sorted, and the count of steps are in the space.
// PICTURE     0x01000 state: steps, ranges | 0x02000 ranges: first, end | 0x10000 words
// COST        a step O(words of its range). CALLERS: main.c.
#ifndef CAIRN_EXAMPLE_SORT_H
#define CAIRN_EXAMPLE_SORT_H

#include <cairn/access.h>

#define SORT_STATE 0x1000u
#define SORT_RANGES 0x2000u
#define SORT_WORDS 0x10000u
#define SORT_COUNT 4096u

// Make the words and the state. Returns 0 or an error.
int sort_begin(struct cairn_vm *vm);
// So many steps, or until there is no range left. Returns 1: there is one; 0; or an error.
int sort_run(struct cairn_vm *vm, uint32_t steps);
// Steps that were made. Returns 0 or an error.
int sort_steps(struct cairn_vm *vm, uint32_t *steps);
// Are the words in order? A number that depends on all of them, and on the steps that it took. Returns 0 or an error.
int sort_result(struct cairn_vm *vm, bool *is_sorted, uint32_t *result);

#endif
