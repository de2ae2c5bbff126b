// SPDX-License-Identifier: MIT
//
// What an image keeps, in the store and in RAM. What the bytes of its pages are: docs/LAYOUT.md.
//
// OWNS: the offsets of a page of index and of a record; the list of these pages; which slots are free.
//
// PICTURE:  store   | root 0 | root 1 | pages, pages of index and records, in any order |
//           pages   a root record <- change <- change <- change: each is a page of index itself, and has others linked behind it, the newest first
//                   \__ base ___/   \_______ the chain _______/
//           in RAM  from          committed            used       the oldest first
//                   | base | chain | of what was begun | ...
//           entries by key: put, and not yet in a page of index; where nothing was begun, read ahead
//     An entry of a newer page covers one of an older one. A change's record stands in the slot that the record before it names. A root record begins a
//     list: from is behind what was committed then, and all before it is forgotten when it is committed.
//
// INVARIANTS: 1. A slot that is held is not written, but for the two of the records: the next change's, and the root that does not count.
//             2. Held is each slot that a record in the store may name: of the committed image, and of records that were written with an unknown outcome.
//             3. Wanted is each slot of what is to be committed, that and no other. Free is what is neither.
//             4. A record is written when all that it names is synced; it counts by its sum, its number, and the sum of the record before it.
//             5. Keys of one page of index ascend. The keys of entries ascend.
//             6. An entry that was put is settled when what it covers was found, and is no longer wanted.
//             7. What is read from the store is checked each time before it is used: no number of it leads out of the image or of the memory.
//   Why the records of changes are not in fixed slots: one page less a commit, and a slot that is written at every commit wears out.
//             8. A slot that a record is to be written to holds a whole page, or one that is no part of a record.
//             9. Where there are traces of a change behind the last record that counts, the next record is a root.
//   Why 2: a record whose sync failed may count after a cut. What it names must be there then.
//   Why 8: else what a cut left of a record could be made whole by a second one, of the record that is written there then, if they are alike in the rest; and what
//   it names has been written over meanwhile.
//   Why 9: the change may have counted once, and been damaged. One like it in its place would make those behind it count again, and what they name has been written over.
//
// COST: as cairn/image.h says. CALLERS: lib/vm, under the lock of the image's user.
#ifndef CAIRN_VM_IMAGE_LAYOUT_H
#define CAIRN_VM_IMAGE_LAYOUT_H

#include "cairn/image.h"

#include "base/bits.h"
#include "base/checksum.h"

// Of the layout's version 1: "CIX1", "CIC1", "CIR1".
#define IMAGE_INDEX 0x31584943u
#define IMAGE_CHANGE 0x31434943u
#define IMAGE_ROOT 0x31524943u

// Offsets of a page of index; from AT_LINKS on of a record.
enum {
    AT_SUM = 0,         // of all that is behind it, but for AT_HEADER_SUM: a CRC over bytes and their own CRC does not depend on them
    AT_MAGIC = 4,
    AT_GENERATION = 8,
    AT_LINK = 12,       // slot of the page of index before it, of the same record; NO_SLOT: none
    AT_LINK_SUM = 16,   // and its sum
    AT_END = 20,        // of the entries
    INDEX_HEADER = 24,
    AT_LINKS = 24,      // pages that are linked
    AT_BEFORE = 28,     // sum of the record before it; of a root 0
    AT_NEXT = 32,       // slot of the next change's record
    AT_PAGE = 36,       // bytes of a page
    AT_KEYS = 40,       // that have a page, in all of the image
    AT_HEAD = 44,       // bytes of the head, which stand before the entries
    AT_HEADER_SUM = 48, // of what is between AT_SUM and this
    RECORD_HEADER = CAIRN_IMAGE_RECORD
};

#define NO_SLOT UINT32_MAX
#define SLOT_DROPPED 0u // what an entry says instead of a slot: no page is in a root's
#define SLOT_ZEROS 1u
#define SLOTS_FIRST 2u
#define SLOTS_MOST (1u << 24) // all that is counted in RAM is less than 2^32 bytes then
#define SETTLED (1u << 31) // 6
#define TORN_NEXT 4u
#define TORN_CHANGE 8u // there are traces of a change in the next one's slot; until a root is written: 9

_Static_assert(sizeof(struct cairn_image_entry) == 16 && sizeof(struct cairn_image_page) == 24, "the public header says so");

// The entries of a page of index, one by one.
struct walk {
    const unsigned char *at, *end;
    uint64_t from; // least key that can come
    uint32_t slot; // behind the last one that came
    struct cairn_image_entry entry;
};

// What is done with each entry of the pages whose key is from `first` on and below `below`, the newest page first.
struct sweep {
    uint64_t first, below;
    void (*take)(struct cairn_image *image, struct sweep *sweep, const struct cairn_image_entry *entry);
    struct cairn_image_entry *entries; // cairn_image_gather_: the first ones, by key; newer ones may be there already
    uint32_t count, most;
};

// A word of the page in the buffer, which is aligned: one load, or one store, on a little-endian machine.
CAIRN_INLINE uint32_t page_word(const struct cairn_image *image, uint32_t at)
{
    const unsigned char *const from = CAIRN_ALIGNED(image->buffer + at, 4);
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

CAIRN_INLINE void page_set_word(const struct cairn_image *image, uint32_t at, uint32_t word)
{
    unsigned char *const to = CAIRN_ALIGNED(image->buffer + at, 4);
    to[0] = (unsigned char)word;
    to[1] = (unsigned char)(word >> 8);
    to[2] = (unsigned char)(word >> 16);
    to[3] = (unsigned char)(word >> 24);
}

CAIRN_INLINE uint32_t entry_slot(const struct cairn_image_entry *entry)
{
    return entry->slot & ~SETTLED;
}

CAIRN_INLINE bool entry_is_page(const struct cairn_image_entry *entry)
{
    return entry_slot(entry) >= SLOTS_FIRST;
}

CAIRN_INLINE bool entry_is_there(const struct cairn_image_entry *entry)
{
    return entry_slot(entry) != SLOT_DROPPED;
}

CAIRN_INLINE bool bit_is_set(const uint32_t *bits, uint32_t slot)
{
    return (bits[slot / 32] >> slot % 32 & 1) != 0;
}

CAIRN_INLINE void bit_set(uint32_t *bits, uint32_t slot)
{
    bits[slot / 32] |= 1u << slot % 32;
}

CAIRN_INLINE uint32_t words_of(const struct cairn_image *image)
{
    return (image->slots + 31) / 32;
}

// First page of what was begun and is not yet committed: all that are to be linked.
CAIRN_INLINE uint32_t begun_at(const struct cairn_image *image)
{
    return image->from != 0 ? image->from : image->committed;
}

// image_index.c

// The sum of the page in the buffer; of the first bytes of its header only.
uint32_t cairn_image_sum_(const struct cairn_image *image, uint32_t end);
// Place of the first entry whose key is not below this; `count` where there is none.
uint32_t cairn_image_place_(const struct cairn_image_entry *entries, uint32_t count, uint64_t key);
// Begin with the page in the buffer. Returns 0; CAIRN_ECORRUPT iff it says that its entries are outside of it.
int cairn_image_walk_(const struct cairn_image *image, struct walk *walk);
// Take the next entry. Returns 1, and its key is in bounds, and its slot; 0 at the end; CAIRN_ECORRUPT.
int cairn_image_walk_next_(const struct cairn_image *image, struct walk *walk);
// Read a slot into the buffer, and see that it is whole. Returns 0; CAIRN_ECORRUPT; what the store's read answered.
int cairn_image_load_(struct cairn_image *image, uint32_t slot);
// The page of index of this number, into the buffer. As load.
int cairn_image_load_page_(struct cairn_image *image, uint32_t number);
// Go through the pages image->from .. end - 1. Returns 0; as load.
int cairn_image_sweep_(struct cairn_image *image, struct sweep *sweep, uint32_t end);
// For sweep->take: keep the entry if its key is new.
void cairn_image_gather_(struct cairn_image *image, struct sweep *sweep, const struct cairn_image_entry *entry);
// What is read ahead begins with this key, and has no entry of what was dropped. Returns 0; as load: then nothing is.
int cairn_image_read_ahead_(struct cairn_image *image, uint64_t first, uint32_t end);
// Put entries into the buffer, from `at` on, as many as have room. Returns how many; *end is where they end.
uint32_t cairn_image_encode_(const struct cairn_image *image, uint32_t at, uint32_t *end);

// image_slots.c

// Take a free slot; later: or one that is free when what was begun is committed. Returns its number; NO_SLOT iff there is none.
uint32_t cairn_image_take_(struct cairn_image *image, bool later);
// It is not wanted any more; it is free now, or when what holds it is gone.
void cairn_image_release_(struct cairn_image *image, uint32_t slot);
// `to` becomes as `from`; slots that are in it now and not in `from` are trimmed.
void cairn_image_settle_(const struct cairn_image *image, uint32_t *to, const uint32_t *from);
// None but the roots' is wanted.
void cairn_image_want_none_(struct cairn_image *image);
// Find out what is wanted, by all that was committed. Returns 0; CAIRN_ECORRUPT iff two want a slot, or the keys are not as many as there were; as load.
int cairn_image_want_committed_(struct cairn_image *image);

// image.c

// Nothing is begun, and nothing read ahead.
void cairn_image_end_(struct cairn_image *image);

// image_commit.c

// Make room for one entry. Returns 0 or as put does.
int cairn_image_make_room_(struct cairn_image *image);
// Write the index anew, behind all its pages that there are; the last of it is in the entries then. Returns 0; or as put, and nothing has changed.
// pre: nothing was changed since begin.
int cairn_image_write_anew_(struct cairn_image *image);

// image_mount.c

// Find out what is in the store. Returns 0 or as cairn_image_init does.
int cairn_image_mount_(struct cairn_image *image);

#endif
