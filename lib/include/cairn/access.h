// SPDX-License-Identifier: MIT
//
// Loads and stores through the software MMU: inline where the TLB has the page, a call where it has not. In the current space of a vm.
//
// VITALS
//   time          a hit: about ten instructions, the access included, where page and TLB are fixed at build time (CAIRN_PAGE_SHIFT, CAIRN_TLB_SHIFT)
//   one compare   finds page, ASID, protection, alignment and the page's end at once. What is not aligned, or crosses into the next page, takes the call
//   errors        0, or as vm.h says; a value that could not be loaded is left alone
#ifndef CAIRN_ACCESS_H
#define CAIRN_ACCESS_H

#include "cairn/vm.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CAIRN_HIT(condition) __builtin_expect(!!(condition), 1)
typedef uint8_t __attribute__((may_alias)) cairn_u8;
typedef uint16_t __attribute__((may_alias)) cairn_u16;
typedef uint32_t __attribute__((may_alias)) cairn_u32;
typedef uint64_t __attribute__((may_alias)) cairn_u64;
#else
#define CAIRN_HIT(condition) (condition)
typedef uint8_t cairn_u8;
typedef uint16_t cairn_u16;
typedef uint32_t cairn_u32;
typedef uint64_t cairn_u64;
#endif

// The TLB's entry for an address.
static inline const struct cairn_tlb_entry *cairn_tlb_at(const struct cairn_vm *vm, cairn_vaddr_t address)
{
#if CAIRN_PAGE_SHIFT != 0 && CAIRN_TLB_SHIFT != 0
    return &vm->tlb[(uint32_t)(address >> CAIRN_PAGE_SHIFT) & ((1u << CAIRN_TLB_SHIFT) - 1)];
#else
    return &vm->tlb[(uint32_t)(address >> vm->page_shift) & vm->tlb_mask];
#endif
}

// The tag that an entry must have for an aligned access to `size` bytes: bits below the page are 0 then, but for the ASID.
static inline cairn_vaddr_t cairn_tag_of(const struct cairn_vm *vm, cairn_vaddr_t address, uint32_t size)
{
#if CAIRN_PAGE_SHIFT != 0
    return (address & ~(((cairn_vaddr_t)1 << CAIRN_PAGE_SHIFT) - size)) | vm->asid;
#else
    return (address & ~(vm->offset_mask + 1 - size)) | vm->asid;
#endif
}

// Stop unless the page table says, too, that the bytes at an address are there. access: what a hit in the TLB is used for; 0: it is a cursor's.
void cairn_vm_crosscheck_(const struct cairn_space *space, cairn_vaddr_t address, size_t size, uint32_t access, uintptr_t there);

static inline void cairn_crosscheck(const struct cairn_space *space, cairn_vaddr_t address, size_t size, uint32_t access, uintptr_t there)
{
#if CAIRN_VM_CROSSCHECK
    cairn_vm_crosscheck_(space, address, size, access, there);
#else
    (void)space, (void)address, (void)size, (void)access, (void)there;
#endif
}

static inline void cairn_count_hit(struct cairn_vm *vm)
{
#if CAIRN_VM_COUNT_HITS
    vm->figures.tlb_hits++;
#else
    (void)vm;
#endif
}

#define CAIRN_ACCESS(bits)                                                                                                       \
    CAIRN_MUST_CHECK static inline int cairn_vm_load##bits(struct cairn_vm *vm, cairn_vaddr_t address, uint##bits##_t *value)    \
    {                                                                                                                            \
        const struct cairn_tlb_entry *const entry = cairn_tlb_at(vm, address);                                                   \
        if (CAIRN_HIT(entry->read_tag == cairn_tag_of(vm, address, bits / 8))) {                                                 \
            cairn_crosscheck(vm->current, address, bits / 8, CAIRN_READ, entry->addend + (uintptr_t)address);                    \
            cairn_count_hit(vm);                                                                                                 \
            *value = *(const cairn_u##bits *)(entry->addend + (uintptr_t)address);                                               \
            return 0;                                                                                                            \
        }                                                                                                                        \
        return cairn_vm_load_(vm, address, value, bits / 8);                                                                     \
    }                                                                                                                            \
    CAIRN_MUST_CHECK static inline int cairn_vm_store##bits(struct cairn_vm *vm, cairn_vaddr_t address, uint##bits##_t value)    \
    {                                                                                                                            \
        const struct cairn_tlb_entry *const entry = cairn_tlb_at(vm, address);                                                   \
        if (CAIRN_HIT(entry->write_tag == cairn_tag_of(vm, address, bits / 8))) {                                                \
            cairn_crosscheck(vm->current, address, bits / 8, CAIRN_WRITE, entry->addend + (uintptr_t)address);                   \
            cairn_count_hit(vm);                                                                                                 \
            *(cairn_u##bits *)(entry->addend + (uintptr_t)address) = value;                                                      \
            return 0;                                                                                                            \
        }                                                                                                                        \
        const uint##bits##_t word = value; /* a place in memory only here: the hit keeps its register */                         \
        return cairn_vm_store_(vm, address, &word, bits / 8);                                                                    \
    }

CAIRN_ACCESS(8)
CAIRN_ACCESS(16)
CAIRN_ACCESS(32)
CAIRN_ACCESS(64)
#undef CAIRN_ACCESS

// A place in a space that keeps its page at hand, pinned: for loops over arrays.
struct cairn_cursor {
    cairn_vaddr_t tag; // address of the page's first byte; CAIRN_TAG_NONE: it has no page
    uintptr_t addend;  // address of a byte less its virtual address
    cairn_vaddr_t offset_mask;
    struct cairn_space *space;
    uint32_t access;
};

// Start in a space, for loads (CAIRN_READ), or loads and stores (CAIRN_READ | CAIRN_WRITE). No page is taken yet.
void cairn_cursor_init(struct cairn_cursor *cursor, struct cairn_space *space, uint32_t access);
// Let go of its page.
void cairn_cursor_deinit(struct cairn_cursor *cursor);
// What is called where the page is not at hand, or the address is not aligned.
CAIRN_MUST_CHECK int cairn_cursor_load_(struct cairn_cursor *cursor, cairn_vaddr_t address, void *value, size_t size);
CAIRN_MUST_CHECK int cairn_cursor_store_(struct cairn_cursor *cursor, cairn_vaddr_t address, const void *value, size_t size);

// Is an aligned access to `size` bytes in the page at hand?
static inline bool cairn_cursor_has(const struct cairn_cursor *cursor, cairn_vaddr_t address, uint32_t size)
{
#if CAIRN_PAGE_SHIFT != 0
    return cursor->tag == (address & ~(((cairn_vaddr_t)1 << CAIRN_PAGE_SHIFT) - size));
#else
    return cursor->tag == (address & ~(cursor->offset_mask + 1 - size));
#endif
}

#define CAIRN_CURSOR(bits)                                                                                                       \
    CAIRN_MUST_CHECK static inline int cairn_cursor_load##bits(struct cairn_cursor *cursor, cairn_vaddr_t address, uint##bits##_t *value) \
    {                                                                                                                            \
        if (CAIRN_HIT(cairn_cursor_has(cursor, address, bits / 8))) {                                                            \
            cairn_crosscheck(cursor->space, address, bits / 8, 0, cursor->addend + (uintptr_t)address);                          \
            *value = *(const cairn_u##bits *)(cursor->addend + (uintptr_t)address);                                              \
            return 0;                                                                                                            \
        }                                                                                                                        \
        return cairn_cursor_load_(cursor, address, value, bits / 8);                                                             \
    }                                                                                                                            \
    CAIRN_MUST_CHECK static inline int cairn_cursor_store##bits(struct cairn_cursor *cursor, cairn_vaddr_t address, uint##bits##_t value) \
    {                                                                                                                            \
        if (CAIRN_HIT(cairn_cursor_has(cursor, address, bits / 8)) && (cursor->access & CAIRN_WRITE) != 0) {                     \
            cairn_crosscheck(cursor->space, address, bits / 8, 0, cursor->addend + (uintptr_t)address);                          \
            *(cairn_u##bits *)(cursor->addend + (uintptr_t)address) = value;                                                     \
            return 0;                                                                                                            \
        }                                                                                                                        \
        return cairn_cursor_store_(cursor, address, &value, bits / 8);                                                           \
    }

CAIRN_CURSOR(8)
CAIRN_CURSOR(16)
CAIRN_CURSOR(32)
CAIRN_CURSOR(64)
#undef CAIRN_CURSOR

#ifdef __cplusplus
}
#endif

#endif
