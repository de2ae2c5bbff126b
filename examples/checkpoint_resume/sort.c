// SPDX-License-Identifier: MIT
//
// OWNS        nothing. CALLERS: as sort.h says.
#include "sort.h"

#define STEPS SORT_STATE
#define RANGES (SORT_STATE + 4)
#define SHORT 8u

static cairn_vaddr_t word_at(uint32_t index)
{
    return SORT_WORDS + 4 * index;
}

static int push(struct cairn_vm *vm, uint32_t first, uint32_t end)
{
    uint32_t count;
    int error = cairn_vm_load32(vm, RANGES, &count);
    error = error == 0 ? cairn_vm_store32(vm, SORT_RANGES + 8 * count, first) : error;
    error = error == 0 ? cairn_vm_store32(vm, SORT_RANGES + 8 * count + 4, end) : error;
    return error == 0 ? cairn_vm_store32(vm, RANGES, count + 1) : error;
}

int sort_begin(struct cairn_vm *vm)
{
    uint32_t word = 12345;
    int error = 0;
    for (uint32_t i = 0; error == 0 && i < SORT_COUNT; i++) {
        word = word * 1664525u + 1013904223u;
        error = cairn_vm_store32(vm, word_at(i), word >> 4);
    }
    return error == 0 ? push(vm, 0, SORT_COUNT) : error;
}

// Words by insertion.
static int sort_short(struct cairn_vm *vm, uint32_t first, uint32_t end)
{
    int error = 0;
    for (uint32_t i = first + 1; error == 0 && i < end; i++) {
        uint32_t word, other;
        uint32_t at = i;
        error = cairn_vm_load32(vm, word_at(i), &word);
        while (error == 0 && at > first && (error = cairn_vm_load32(vm, word_at(at - 1), &other)) == 0 && other > word)
            error = cairn_vm_store32(vm, word_at(at--), other);
        error = error == 0 ? cairn_vm_store32(vm, word_at(at), word) : error;
    }
    return error;
}

static int swap(struct cairn_vm *vm, uint32_t a, uint32_t b)
{
    uint32_t x, y;
    int error = cairn_vm_load32(vm, word_at(a), &x);
    error = error == 0 ? cairn_vm_load32(vm, word_at(b), &y) : error;
    error = error == 0 ? cairn_vm_store32(vm, word_at(a), y) : error;
    return error == 0 ? cairn_vm_store32(vm, word_at(b), x) : error;
}

// Lomuto's: what is less than the middle word goes before it.
static int part(struct cairn_vm *vm, uint32_t first, uint32_t end, uint32_t *middle)
{
    uint32_t pivot, word;
    uint32_t to = first;
    int error = swap(vm, first + (end - first) / 2, end - 1);
    error = error == 0 ? cairn_vm_load32(vm, word_at(end - 1), &pivot) : error;
    for (uint32_t i = first; error == 0 && i + 1 < end; i++) {
        error = cairn_vm_load32(vm, word_at(i), &word);
        if (error == 0 && word < pivot)
            error = swap(vm, i, to++);
    }
    *middle = to;
    return error == 0 ? swap(vm, to, end - 1) : error;
}

static int step(struct cairn_vm *vm, uint32_t ranges)
{
    uint32_t first, end, middle;
    int error = cairn_vm_load32(vm, SORT_RANGES + 8 * ranges - 8, &first);
    error = error == 0 ? cairn_vm_load32(vm, SORT_RANGES + 8 * ranges - 4, &end) : error;
    error = error == 0 ? cairn_vm_store32(vm, RANGES, ranges - 1) : error;
    if (error != 0 || end - first <= SHORT)
        return error != 0 ? error : sort_short(vm, first, end);
    error = part(vm, first, end, &middle);
    if (error == 0 && middle - first > end - middle - 1) { // the longer one waits
        error = push(vm, first, middle);
        return error == 0 ? push(vm, middle + 1, end) : error;
    }
    error = error == 0 ? push(vm, middle + 1, end) : error;
    return error == 0 ? push(vm, first, middle) : error;
}

int sort_run(struct cairn_vm *vm, uint32_t steps)
{
    uint32_t ranges, done;
    int error = cairn_vm_load32(vm, RANGES, &ranges);
    for (; error == 0 && ranges != 0 && steps != 0; steps--) {
        error = step(vm, ranges);
        error = error == 0 ? cairn_vm_load32(vm, STEPS, &done) : error;
        error = error == 0 ? cairn_vm_store32(vm, STEPS, done + 1) : error;
        error = error == 0 ? cairn_vm_load32(vm, RANGES, &ranges) : error;
    }
    return error == 0 ? ranges != 0 : error;
}

int sort_steps(struct cairn_vm *vm, uint32_t *steps)
{
    return cairn_vm_load32(vm, STEPS, steps);
}

int sort_result(struct cairn_vm *vm, bool *is_sorted, uint32_t *result)
{
    uint32_t before = 0;
    int error = cairn_vm_load32(vm, STEPS, result);
    *is_sorted = true;
    for (uint32_t i = 0; error == 0 && i < SORT_COUNT; i++) {
        uint32_t word = 0;
        error = cairn_vm_load32(vm, word_at(i), &word);
        *is_sorted = *is_sorted && before <= word;
        *result = (*result ^ word) * 16777619u;
        before = word;
    }
    return error;
}
