// SPDX-License-Identifier: MIT
//
// The work of this example, and the ways in which it reaches its words. work.h has the work, once; each way_*.c compiles it with its own accesses.
//
// OWNS        nothing.
// PICTURE     way_plain.c    an array in memory, words[i]: what the others are compared with
//             way_words.c    a space of a vm, by cairn_vm_load32 and cairn_vm_store32
//             way_cursor.c   the same space, by cursors
// CALLERS     main.c runs the steps of a way in their order.
#ifndef CAIRN_EXAMPLE_WAY_H
#define CAIRN_EXAMPLE_WAY_H

#include <stdbool.h>
#include <stdint.h>

#define WORDS 65536u      // in the array: 256 KB
#define INDEX_WORDS 1024u // room for the index: 4 KB
#define LOOK_UPS 2000u    // half of them for keys that are there

enum part { PART_ARRAY, PART_INDEX };

enum { STEP_FILL = 0, STEP_SORT, STEP_CHECK, STEP_INDEX, STEP_BINARY, STEP_TREE, STEPS };

struct way {
    const char *name;
    uint32_t (*step[STEPS])(void); // each returns how much it found wrong
};

extern const struct way way_plain;
extern const struct way way_words;
extern const struct way way_cursor;

// The word that a number becomes, another one for each (the finalizer of MurmurHash3; Appleby, 2011).
static inline uint32_t word_of(uint32_t number)
{
    number = (number ^ number >> 16) * 0x85EBCA6Bu;
    number = (number ^ number >> 13) * 0xC2B2AE35u;
    return number ^ number >> 16;
}

#endif
