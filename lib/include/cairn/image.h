// SPDX-License-Identifier: MIT
//
// Images: numbered pages and a few bytes beside them, kept in a store, that change as a whole. After a cut of power at any moment there is all of the old
// image or all of the new one. What a checkpoint writes.
//
// VITALS
//   keys          64 bits, any number but CAIRN_IMAGE_NO_KEY; a page of zeros takes no slot
//   layout        docs/LAYOUT.md: little-endian on every machine; all that is read is checked, by CRC-32C and by its own rules
//   a commit      writes the pages that were put and one page of index for each page / 8 of them, at least one: for 64 pages of 1 KB 1.6 %, for 128 0.8 %.
//                 After `chain` of these the index is written anew, a page for each page / 8 of the image; with that, on average, in an image of 1024 pages:
//                 64 put 2.3 %, 128 and more 1.1 %; one put, 1.5 pages. In one of 4096: 4.5, 2.1 to 2.3, 2.9. A full image: 0.8 %.
//                 So index is 8 bytes a page, up to 19 where keys and slots are far apart (test_image_figures prints all this)
//   slots         2, and one a page that is not zeros, one for each that is put before the commit that it is in ends, one for each page of index, new
//                 and old
//   RAM           cairn_image_size: 3 pages, 2 bits a slot, 24 bytes for each page of index that there can be: by default 3 * (8 * slots / page + 1) +
//                 chain + 3. 1024 slots of 1 KB take 4.4 KB, 4096 take 6.9 KB: 1.7 bytes a page
//   time          put O(page), and a look at the index for each page / 8. get O(page), and a read of each page of the chain and one more; where next went
//                 before it none: 1024 pages of 1 KB, key by key, take 1.1 reads each, in any order 17
//   errors        those of the store pass through; a call that fails can be made again, and the image is as before
//   threads, ISR  none of its own: the lock of whoever uses the store
//   stack         no recursion, no page on it; less than 400 bytes, and what the port takes
#ifndef CAIRN_IMAGE_H
#define CAIRN_IMAGE_H

#include "cairn/port.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAIRN_IMAGE_NO_KEY UINT64_MAX
#define CAIRN_IMAGE_PAGE_LEAST 64u // bytes of a slot
#define CAIRN_IMAGE_PAGE_MOST 65536u
#define CAIRN_IMAGE_RECORD 52u // bytes of a page that the head cannot have

// Zero means the default.
struct cairn_image_config {
    const struct cairn_port_store *store; // stays while the image is used; a slot is a page
    uint32_t first;                       // slot of the store where the image begins
    uint32_t slots;                       // 5 to 2^24; 0: as many as the store has from `first` on
    uint32_t chain;                       // pages of index with changes until the whole of it is written anew; 0: 16. More: less is written, and more read
    uint32_t index;                       // pages of index there is room for in RAM; 0: as VITALS say. More only where keys are far apart
};

// What the index says of a key, in RAM.
struct cairn_image_entry {
    uint64_t key;
    uint32_t slot; // from `first` on; or 0: there is no page, 1: it is zeros
    uint32_t sum;  // CRC-32C of the page
};

// A page of the index.
struct cairn_image_page {
    uint64_t low, high; // its keys lie between; none: low > high
    uint32_t slot;
    uint32_t sum;
};

// Read-only for the caller, and where it is.
struct cairn_image {
    const struct cairn_port_store *store;
    struct cairn_image_entry *entries; // what is put and not yet in a page of index, by key; or what is read ahead of the index
    struct cairn_image_page *pages;    // of the index, the oldest first; the last record of what was committed is at committed - 1
    uint32_t *held;                    // bit: what is in the store may name the slot
    uint32_t *wanted;                  // bit: what is to be committed names it
    unsigned char *buffer;             // a page
    uint64_t low, high;                // what was read ahead: all keys between
    uint32_t first, slots, page;
    uint32_t chain, room, batch; // room for pages and for entries
    uint32_t count;              // of entries
    uint32_t from, used;         // pages that count now: from .. used - 1
    uint32_t committed, base;    // pages that were committed: 0 .. committed - 1; those of the root record
    uint32_t loaded;             // slot whose page is in the buffer
    uint32_t cursor;             // where a free slot is looked for
    uint32_t generation;
    uint32_t root;              // slot of the root record, 0 or 1
    uint32_t torn;              // records' slots that hold no whole page: bits 0 and 1 the roots', 2 the next one's; 3: and that was a change's
    uint32_t next, next_wanted; // slot of the next record; of the one after it
    uint32_t keys, keys_committed;
    uint32_t head; // bytes
    uint32_t written, written_committed;
    bool open;
    bool unsure;      // a record was written, and what became of it is not known
    bool unsure_root; // and in a root slot
};

// Bytes of memory that an image takes, to be aligned to 8. Returns 0 iff cairn_image_init would refuse the config.
size_t cairn_image_size(const struct cairn_image_config *config);

// Take up the newest image that is whole; where there is none it is empty, of generation 0. The store is not changed.
// Returns 0; fails with CAIRN_EINVAL iff a pointer is NULL, memory is not aligned to 8, or a number is not as the config says or the store has it;
// CAIRN_ENOMEM iff size is too small, or the index has more pages than there is room for; CAIRN_ECORRUPT iff there is an image, and it is damaged, or of
// another layout or page size; what the store's read and sync answer. Pages are not read: what changed in them is found when they are. Reads each page of
// index once, and those with changes once more for each page / 8 of the image's pages.
CAIRN_MUST_CHECK int cairn_image_init(struct cairn_image *image, const struct cairn_image_config *config, void *memory, size_t size);

// ---- changing

// Begin to change the image: what is there stays; anew: it is to have only what is put. Where the chain is as long as may be, the index is written anew now.
// Returns 0; or nothing is begun: fails with CAIRN_EBUSY iff something was; CAIRN_EACCES iff the store is only read; CAIRN_EOVERFLOW after 2^32 - 1 commits; CAIRN_ENOMEM iff the outcome of the
// last commit that failed is not known, and there is no room to write the index anew (take up the image once more then); what the store answers. The first time after init it also makes
// sure that no half of a record is left in the store, from a cut: two writes at most, and a sync. O(slots) where anew.
CAIRN_MUST_CHECK int cairn_image_begin(struct cairn_image *image, bool anew);
// The page of this key is this now. Returns 0; or the image is as before: fails with CAIRN_EINVAL iff it was not begun, or key is CAIRN_IMAGE_NO_KEY;
// CAIRN_ENOMEM iff no slot is free, or the index takes more pages than there is room for; what the store answers.
CAIRN_MUST_CHECK int cairn_image_put(struct cairn_image *image, uint64_t key, const void *page);
// There is no page of this key any more. Returns as put does.
CAIRN_MUST_CHECK int cairn_image_drop(struct cairn_image *image, uint64_t key);
// Nor of any from `first` to `last`. Returns as put does; where it fails, some are dropped. As drop and next for each.
CAIRN_MUST_CHECK int cairn_image_drop_range(struct cairn_image *image, uint64_t first, uint64_t last);
// All that was put and dropped, and these `size` bytes as the head, are the image from now on; head NULL: it stays. Returns 0; fails with CAIRN_EINVAL iff
// it was not begun, or size is more than page - CAIRN_IMAGE_RECORD; CAIRN_ENOMEM iff no slot is free, or no room for the index; what the store answers.
// Then it may be tried again, changed on, or aborted; if what failed was the write or the sync of the record (the last two calls of the store), a restart
// may find the new image, whole, and its slots are kept until a commit succeeds. Two syncs; trims what only the old image had.
CAIRN_MUST_CHECK int cairn_image_commit(struct cairn_image *image, const void *head, size_t size);
// Forget what was put since begin. O(slots).
void cairn_image_abort(struct cairn_image *image);

// ---- reading; between begin and commit what is to be committed is read

// Read the page of a key. Returns 0; fails with CAIRN_ENOENT iff there is none; CAIRN_ECORRUPT iff the page, or the index on the way to it, is not what was
// written: then `page` holds anything; what the store's read answers.
CAIRN_MUST_CHECK int cairn_image_get(struct cairn_image *image, uint64_t key, void *page);
// Find the first key that has a page, from *key on, and put it there. Returns 0; fails with CAIRN_ENOENT iff there is none; as get. Not between begin and
// commit, page / 8 keys are found with one look at the index; where they are got as they are found, that needs none.
CAIRN_MUST_CHECK int cairn_image_next(struct cairn_image *image, uint64_t *key);
// Read the head of what was committed last, at most `size` bytes of it. Returns how many it has; as get.
CAIRN_MUST_CHECK int cairn_image_head(struct cairn_image *image, void *head, size_t size);

struct cairn_image_stats {
    uint32_t generation; // commits; 0: there is no image
    uint32_t keys;       // that have a page, zeros too
    uint32_t data;       // slots that hold a page, also one of a commit of unknown outcome
    uint32_t index;      // slots that hold the index, or are kept for it
    uint32_t free;       // slots that a put or the index can have
    uint32_t written;    // slots that the last commit wrote, with what was put before it
};

// Read the figures, of what was committed last. O(slots).
CAIRN_SAME_NAME(void cairn_image_stats(const struct cairn_image *image, struct cairn_image_stats *stats);)

#ifdef __cplusplus
}
#endif

#endif
