// SPDX-License-Identifier: MIT
//
// Page table entries: what is known of one page, in one word.
//
// OWNS: the meaning of the word.
// PICTURE: bits 0 to 3   what an access may do at once: CAIRN_READ, WRITE, EXEC, USER
//          bit 4         present: the number is a frame      bit 5  swapped: not present, the number is a slot
//          bit 6         shared: it is one page of several spaces, and the number is that of its record (share.h)
//          bit 7         of one that is shared: the page is in the space's last checkpoint
//          bits 7 to 9   of a page of an object that a shared mapping shows: its pins by that one
//          bits 10 on    number
//          0 altogether: nothing is known; the page is zeros, if a mapping has it
// INVARIANTS: V2 a word is 0, or exactly one of present, swapped and shared is set. It allows no more than the mapping; less, so that the first access takes the long way.
// COST: an instruction or two. CALLERS: lib/vm.
#ifndef CAIRN_VM_PTE_H
#define CAIRN_VM_PTE_H

#include "base/bits.h"
#include "cairn/vm.h"

typedef uint32_t pte_t;

#define PTE_ACCESS 15u // CAIRN_READ | CAIRN_WRITE | CAIRN_EXEC | CAIRN_USER
#define PTE_PRESENT 0x10u
#define PTE_SWAPPED 0x20u
#define PTE_SHARED 0x40u
#define PTE_SAVED 0x80u
#define PTE_PIN 0x80u
#define PTE_PINS 0x380u
#define PTE_SHIFT 10
#define PTE_NUMBERS ((uint32_t)1 << (32 - PTE_SHIFT)) // slots that can be named

CAIRN_INLINE uint32_t page_shift(const struct cairn_vm *vm)
{
    return CAIRN_PAGE_SHIFT != 0 ? CAIRN_PAGE_SHIFT : vm->page_shift;
}

CAIRN_INLINE uint32_t pte_number(pte_t pte)
{
    return pte >> PTE_SHIFT;
}

CAIRN_INLINE bool pte_is_present(pte_t pte)
{
    return (pte & PTE_PRESENT) != 0;
}

CAIRN_INLINE bool pte_is_swapped(pte_t pte)
{
    return (pte & PTE_SWAPPED) != 0;
}

CAIRN_INLINE bool pte_is_shared(pte_t pte)
{
    return (pte & PTE_SHARED) != 0;
}

// Does the page allow all that the access does, and is it present?
CAIRN_INLINE bool pte_allows(pte_t pte, uint32_t access)
{
    return (~pte & (access | PTE_PRESENT)) == 0;
}

#endif
