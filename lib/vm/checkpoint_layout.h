// SPDX-License-Identifier: MIT
//
// What a checkpoint is, as an image has it; and a walk through the pages that it is to have. What the bytes are: docs/LAYOUT.md.
//
// OWNS: the numbers of the layout; which pages of a space are in its last checkpoint.
// PICTURE: key    part << 57 | page      part 0: the directory, 1: the space's own pages, 2 and on: the objects'
//          head   counts, break, heap    directory: records of objects, then of mappings, by address; so many to a page as it has room for
//          unchanged <=> in the last checkpoint <=> SAVED and not DIRTY. share.h says where SAVED is: of a page in a frame, in a slot, and in common with other spaces.
//
//              frame           stored to         checkpoint            leaves                     comes back
//              SAVED  ------>  DIRTY  ------>  SAVED STALE  ------>  slot, its bit set  ------>  (slot, its bit)
//                                 \____________________________->  slot, its bit not set
// INVARIANTS: 1. SAVED is set when a checkpoint has been committed, and only then, or when one was restored. 2. What writes a page to its slot says whether the slot has
//     what the checkpoint has. 3. The marks count for the checkpoint that `saved` and `saved_sum` of the space, or the object, name; else all of its pages are written.
//     4. A page that can be stored to without a fault stays dirty. 5. Of the bytes in a store none is used before it was checked.
// COST: as cairn/checkpoint.h says. CALLERS: lib/vm/checkpoint*.c.
#ifndef CAIRN_VM_CHECKPOINT_LAYOUT_H
#define CAIRN_VM_CHECKPOINT_LAYOUT_H

#include "cairn/checkpoint.h"
#include "vm/image_layout.h"
#include "vm/share.h"

#define CHECKPOINT_MAGIC 0x31504B43u // "CKP1"
#define PART_SHIFT 57
#define KEY_PAGE (((uint64_t)1 << PART_SHIFT) - 1)
#define PART_DIRECTORY 0u
#define PART_SPACE 1u
#define PART_OBJECTS 2u

enum { // offsets of the head
    HEAD_MAGIC = 0,
    HEAD_SHIFT = 4,
    HEAD_OBJECTS = 6,
    HEAD_MAPPINGS = 8,
    HEAD_BREAK = 16, // where it begins, where it is
    HEAD_HEAP = 32,
    HEAD_BYTES = 40
};

enum { // of a record
    RECORD_PAGES = 8,
    RECORD_FLAGS = 38,
    OF_OBJECT_KEY = 0,
    OF_OBJECT_PROTECTION = 36,
    OF_OBJECT_OTHERS = 37,
    OF_MAPPING_FIRST = 0,
    OF_MAPPING_GROW = 16,
    OF_MAPPING_OFFSET = 24,
    OF_MAPPING_OBJECT = 32, // its number, from 1; 0: none
    OF_MAPPING_PROTECTION = 36,
    RECORD_BYTES = 40
};

#define KEPT_OWNED 1u   // an object: has an owner, the space
#define KEPT_FOREIGN 2u // has another one
#define KEPT_REMOVED 4u
#define KEPT_SHARED 1u // a mapping: CAIRN_MAP_SHARED
#define KEPT_GROWS 2u  // CAIRN_MAP_GROWS_DOWN
#define KEPT_COUNTED 4u
#define KEPT_CHARGED 8u
#define KEPT_BLOCK 16u // MAP_BLOCK, MAP_FIRST
#define KEPT_FIRST 32u

_Static_assert(HEAD_BYTES + CAIRN_IMAGE_RECORD <= 128, "the head fits the smallest page");

// Keys, one after the other, of which all are to be done the same.
struct cairn_checkpoint_job {
    uint64_t key;
    uint32_t count;
    uint32_t put; // 0: they are dropped
};

// What a call works on.
struct checkpoint_work {
    struct cairn_checkpoint *checkpoint;
    struct cairn_vm *vm;
    struct cairn_space *space;
    struct cairn_object *const *objects;
    uint32_t count;
    uint32_t mappings;
    uint32_t sum; // of the checkpoint that is there: tells it from all others
    bool anew;
};

enum checkpoint_place { PLACE_DIRECTORY, PLACE_FRAME, PLACE_SLOT, PLACE_STORE, PLACE_MEMORY };

// A page that a checkpoint is to have. Before it is found: where to look from.
struct checkpoint_walk {
    const struct checkpoint_work *work;
    uint32_t part;
    cairn_vaddr_t page;
    const struct cairn_mapping *mapping; // of the space, that the page is in
    enum checkpoint_place place;
    uint32_t number; // frame or slot
    pte_t *pte;      // of the space, or the object
};

CAIRN_INLINE uint64_t key_of(uint32_t part, uint64_t page)
{
    return (uint64_t)part << PART_SHIFT | page;
}

CAIRN_INLINE uint32_t records_of_page(uint32_t page)
{
    return page / RECORD_BYTES;
}

// Pages of the directory.
CAIRN_INLINE uint64_t directory_pages(uint32_t page, uint64_t records)
{
    return (records + records_of_page(page) - 1) / records_of_page(page);
}

// The pages of a part, which is not the directory.
CAIRN_INLINE struct cairn_space *pages_of(const struct checkpoint_work *work, uint32_t part)
{
    return part == PART_SPACE ? work->space : &work->objects[part - PART_OBJECTS]->pages;
}

// 3
CAIRN_INLINE bool part_is_known(const struct checkpoint_work *work, uint32_t part)
{
    const struct cairn_space *const pages = pages_of(work, part);
    return pages->saved != 0 && pages->saved == work->checkpoint->image.generation && pages->saved_sum == work->sum + part;
}

// checkpoint_pages.c

// Are the arguments of a call good? Fills `work`. Returns 0 or CAIRN_EINVAL.
CAIRN_MUST_CHECK int cairn_checkpoint_begin_(struct checkpoint_work *work, struct cairn_checkpoint *checkpoint, struct cairn_space *space,
                                             struct cairn_object *const objects[], uint32_t count);
// The vm can say of its slots whether a checkpoint has them. Returns 0 or CAIRN_ENOMEM.
CAIRN_MUST_CHECK int cairn_checkpoint_mark_slots_(struct cairn_vm *vm);
// Find the first page from this one on. Returns false where there is none.
bool cairn_checkpoint_find_(struct checkpoint_walk *walk);
// Where the bytes of the page are that was found, good until the next call: in checkpoint->page, or where they are anyway. Returns 0 or an error.
CAIRN_MUST_CHECK int cairn_checkpoint_bytes_(const struct checkpoint_walk *walk, const unsigned char **bytes);
// Is the page that was found in the checkpoint? pre: its part is known, and it is in a frame, a slot or a store.
bool cairn_checkpoint_is_saved_(const struct checkpoint_walk *walk);
// All that the checkpoint is to have is in it now, and 1.
void cairn_checkpoint_mark_(struct checkpoint_work *work);
// The space and its objects are what the checkpoint has, where their marks say so: 3.
void cairn_checkpoint_name_(struct checkpoint_work *work);

// checkpoint_meta.c

// A number of so many bytes, the low ones first.
uint64_t cairn_checkpoint_get_(const unsigned char *at, uint32_t bytes);
void cairn_checkpoint_put_(unsigned char *at, uint64_t number, uint32_t bytes);
void cairn_checkpoint_head_(const struct checkpoint_work *work, unsigned char *head);
// A page of the directory.
void cairn_checkpoint_directory_(const struct checkpoint_work *work, uint32_t page, unsigned char *bytes);
// Read the head. Returns 0; CAIRN_ENOENT iff there is no checkpoint; CAIRN_ECORRUPT; what the store answers.
CAIRN_MUST_CHECK int cairn_checkpoint_read_head_(struct cairn_checkpoint *checkpoint, unsigned char *head);
// The record of an object, or behind them of a mapping, by its number. Returns 0, and it is in checkpoint->page; CAIRN_ECORRUPT; what the store answers.
CAIRN_MUST_CHECK int cairn_checkpoint_record_(struct cairn_checkpoint *checkpoint, uint32_t number, const unsigned char **record);

#endif
