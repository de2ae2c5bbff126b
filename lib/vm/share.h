// SPDX-License-Identifier: MIT
//
// Pages that are shared: those of objects, and those that spaces have had in common since one was the other's copy.
//
// OWNS: the pool, the records of its pages; the nodes of mappings.
// PICTURE: space, private mapping      pte --shared--> record { pte, owners } --present--> frame          the page is the pool's; a record is freed with its last owner
//          space, mapping of an object pte ----------present----------------------------> frame <-- pte of the object. A space's own pages hide an object's
//          A frame's `space` is who owns the page: a space, an object (its `pages`), or the pool.
// INVARIANTS: V9 a pte of a space that names a frame which is not its own is in a mapping of an object, whose page it is, and does not allow a store that is private; an
//     object's pages are within it; its list has each mapping that shows it. V10 a record has as many owners as ptes name it, and at least one; a frame of the pool has
//     no pins, and its record names it.
// COST: O(mappings of an object) where its page leaves; O(TLB) where one of the pool does. CALLERS: object.h's files.
#ifndef CAIRN_VM_SHARE_H
#define CAIRN_VM_SHARE_H

#include "cairn/object.h"
#include "vm/frame.h"

#include "base/bulk.h"

#define SLOT_BACKED (UINT32_MAX - 1) // of a frame: its contents are in its object's store

#define NODE_BYTES ((uint32_t)(sizeof(struct cairn_mapping) + 7) & ~7u) // of a mapping in the vm's memory

#define MAP_CHARGED 0x100u // its pages are counted as promised
#define MAP_UNTOUCHED 0x400u // there is no pte
#define MAP_COMMON 0x800u  // there may be ptes of the pool: its faults are share.c's
#define MAP_COUNTED 0x1000u // was made by cairn_space_map_range: what it promises counts
#define MAP_BLOCK 0x2000u  // of a block that cairn_space_malloc gave out, or a part of one
#define MAP_FIRST 0x4000u  // the block begins with it: it continues no mapping

// What a vm has in which something is shared. Its pages have no tables: their numbers are those of records.
struct pool {
    struct cairn_space pages;
    struct cairn_port_store store;         // what the vm has in place of its own
    const struct cairn_port_store *under;  // its own; NULL: none
    uint32_t merge_cursor;                 // a frame
    uint32_t *saved;                       // bit: what the slot holds is in the last checkpoint of the page's owner; NULL: there was none yet
};

CAIRN_INLINE struct pool *pool_of(const struct cairn_vm *vm)
{
    return (struct pool *)(void *)vm->pool;
}

CAIRN_INLINE bool frame_is_of(const struct cairn_vm *vm, pte_t pte, const struct cairn_space *space)
{
    return vm->table[pte_number(pte)].space == space;
}

// What a checkpoint has: of a frame, FRAME_SAVED; of a slot, its bit; of a page that spaces have in common, moreover the PTE_SAVED of each of them. Whose last checkpoint
// that is, is in the owner's `saved`, without which none of it means anything.
CAIRN_INLINE bool slot_is_saved(const struct cairn_vm *vm, uint32_t slot)
{
    const uint32_t *const saved = pool_of(vm)->saved;
    return saved != NULL && (saved[slot / 32] >> slot % 32 & 1) != 0;
}

CAIRN_INLINE void slot_set_saved(const struct cairn_vm *vm, uint32_t slot, bool is_saved)
{
    uint32_t *const saved = pool_of(vm)->saved;
    if (saved != NULL) {
        saved[slot / 32] = (saved[slot / 32] & ~(1u << slot % 32)) | (uint32_t)is_saved << slot % 32;
    }
}

// pre: its object, if it has a store, is known to be as in the checkpoint where it is not in frames.
CAIRN_INLINE bool frame_is_saved(const struct cairn_vm *vm, uint32_t frame)
{
    const struct cairn_frame *const its = &vm->table[frame];
    if ((its->flags & FRAME_DIRTY) != 0) {
        return false;
    }
    return (its->flags & FRAME_SAVED) != 0 || its->slot == SLOT_BACKED || (its->slot != SLOT_NONE && (its->flags & FRAME_STALE) == 0 && slot_is_saved(vm, its->slot));
}

// The page is in the checkpoint; is_free: nobody can store to it at once.
CAIRN_INLINE void frame_set_saved(struct cairn_frame *frame, bool is_free)
{
    const uint32_t flags = frame->flags | FRAME_SAVED;
    frame->flags = (uint8_t)((flags & FRAME_DIRTY) != 0 && is_free ? (flags & ~FRAME_DIRTY) | FRAME_STALE : flags);
}

// Whose faults are a mapping's? Only pages of a space's own, of which there are some, are fault.c's.
CAIRN_INLINE void mapping_set_plain(struct cairn_mapping *mapping)
{
    const bool is_plain = mapping->object == NULL && mapping->memory == NULL && mapping->protection != 0 && (mapping->flags & (MAP_UNTOUCHED | MAP_COMMON)) == 0;
    mapping->plain = is_plain ? mapping->protection | PTE_PRESENT : 0;
}

// There may be ptes of the pool in it from now on.
CAIRN_INLINE void mapping_common(struct cairn_mapping *mapping)
{
    mapping->flags |= MAP_COMMON;
    mapping_set_plain(mapping);
}

CAIRN_INLINE cairn_vaddr_t mapping_end(const struct cairn_mapping *mapping)
{
    return mapping->first + mapping->pages;
}

CAIRN_INLINE bool mapping_is_shared(const struct cairn_mapping *mapping)
{
    return (mapping->flags & CAIRN_MAP_SHARED) != 0;
}

// May a mapping of the space's show an object with such a protection? What is written privately is not the object's.
CAIRN_INLINE bool object_allows(const struct cairn_object *object, const struct cairn_space *space, uint32_t flags, uint32_t protection)
{
    const uint32_t allowed = object->owner == NULL || object->owner == space ? object->protection : object->others;
    const uint32_t wanted = (flags & CAIRN_MAP_SHARED) != 0 ? protection : protection & ~CAIRN_WRITE;
    return (wanted & ~allowed & (CAIRN_READ | CAIRN_WRITE | CAIRN_EXEC)) == 0;
}

// Pins that each page of it has because it is locked.
CAIRN_INLINE uint32_t mapping_locks(const struct cairn_mapping *mapping)
{
    return (mapping->flags & CAIRN_MAP_LOCKED) != 0;
}

// A record goes with its last owner. pre: it has none.
CAIRN_INLINE void record_free(struct cairn_vm *vm, struct record *record)
{
    vm->figures.shared--;
    cairn_table_give_(vm, TABLE_LIST_RECORDS, record);
}

// share_load.c; frame.h says what for.
uint32_t cairn_share_used_(const struct cairn_space *space);
bool cairn_share_is_held_(const struct cairn_space *space);
CAIRN_MUST_CHECK int cairn_share_leave_(struct cairn_space *space, cairn_vaddr_t page);

// Have a pool. Returns 0 or CAIRN_ENOMEM.
CAIRN_MUST_CHECK int cairn_sharing_start_(struct cairn_vm *vm);
extern const struct cairn_sharing cairn_sharing_;

// Have a page of an object in a frame. Returns 0 or an error.
CAIRN_MUST_CHECK int cairn_object_page_(struct cairn_object *object, cairn_vaddr_t page, uint32_t *frame);

// The page is the pool's from now on, and the space one of its owners: a page that has a pte of the space's own. Returns the pte of owners; 0: no memory for a record.
CAIRN_MUST_CHECK pte_t cairn_pool_take_(struct cairn_space *space, pte_t own);

// Have a page of the pool, which has none, in a frame. Returns 0 or an error.
CAIRN_MUST_CHECK int cairn_pool_page_(struct cairn_vm *vm, uint32_t number, uint32_t *frame);

// The page of the pool has no owner any more.
void cairn_pool_end_(struct cairn_vm *vm, struct record *record);

// A frame for a copy of what is in another one, which is copied; not entered yet. Returns 0 or an error.
CAIRN_MUST_CHECK int cairn_frame_copy_(struct cairn_vm *vm, uint32_t key, uint32_t from, uint32_t *frame);

// A node for a mapping, all zeros; NULL: no memory. It goes back by cairn_table_give_.
CAIRN_INLINE struct cairn_mapping *mapping_node(struct cairn_vm *vm)
{
    struct cairn_mapping *const node = cairn_table_take_(vm, TABLE_LIST_MAPPINGS, NODE_BYTES);
    if (node != NULL) {
        cairn_bulk_zero_(node, sizeof *node);
    }
    return node;
}

// mapping.c. Promise pages, take it back. Returns false where that is too many.
bool cairn_commit_take_(struct cairn_vm *vm, cairn_vaddr_t pages);
void cairn_commit_give_(struct cairn_vm *vm, cairn_vaddr_t pages);
// Do mappings with this count as promised?
CAIRN_INLINE bool is_charged(const void *memory, uint32_t flags, uint32_t protection)
{
    return memory == NULL && (flags & (MAP_COUNTED | CAIRN_MAP_SHARED)) == MAP_COUNTED && (protection & CAIRN_WRITE) != 0;
}
// cairn_space_map_range, for a mapping with marks that the caller of that has no say in: MAP_BLOCK, MAP_FIRST.
CAIRN_MUST_CHECK int cairn_mapping_make_(struct cairn_space *space, const struct cairn_map *map, uint32_t marks, cairn_vaddr_t *address);
// Put a mapping into its space's list, at its place, and its object's.
CAIRN_INLINE void mapping_enter(struct cairn_space *space, struct cairn_mapping *mapping, struct cairn_mapping **place)
{
    mapping->next = *place;
    *place = mapping;
    mapping->space = space;
    space->figures.virtual_pages += mapping->pages;
    if (mapping->object != NULL) {
        mapping->sibling = mapping->object->mappings;
        mapping->object->mappings = mapping;
    }
}
// The same, for one whose range is free, wherever its place is.
void cairn_mapping_link_(struct cairn_space *space, struct cairn_mapping *mapping);
// Have mappings begin and end where the range does. Returns 0; CAIRN_EFAULT: some of it is not mapped; CAIRN_ENOMEM; CAIRN_EBUSY.
CAIRN_MUST_CHECK int cairn_mapping_cut_(struct cairn_space *space, cairn_vaddr_t page, cairn_vaddr_t end);
// Make one of neighbours that are alike.
void cairn_mapping_merge_(struct cairn_space *space);
// advise.c. Let the pages of a mapping that is locked go.
void cairn_mapping_unlock_(struct cairn_mapping *mapping);
// object.c. Write what is dirty of so many pages of an object's, and have its store make it safe. Returns 0 or its error.
CAIRN_MUST_CHECK int cairn_object_write_(struct cairn_object *object, cairn_vaddr_t page, cairn_vaddr_t pages);

// Is all of it mapped?
bool cairn_mapping_covers_(const struct cairn_space *space, cairn_vaddr_t page, cairn_vaddr_t end);

#endif
