// SPDX-License-Identifier: MIT
//
// Checkpoints: a space, with its objects, its break and its heap, written to a store as it is, and made again from there: on the same machine or on another one.
//
// VITALS
//   what is kept  mappings, pages, the break and the heap; of objects the pages, key and rights; all as at one moment. Memory that is executed in place becomes pages.
//                 Not: pins and locks, segments, the handler, `user`, whose they are. What the program knows outside of the space it has to keep in it
//   layout        docs/LAYOUT.md: the same bytes on every machine, versioned; all that is read is checked. Pages are of the size of the vm's, which is that of the slots
//   a checkpoint  is an image (image.h): it changes as a whole. After a cut of power at any moment there is all of the old one or all of the new one
//   what is written   pages that were stored to since the last one, and the index: for 64 pages of 1 KB 1.6 %, for 128 0.8 %; on average, as the index is written
//                 anew now and then, of 1024 pages 1.9 % and 1.0 %. The first one of a space, and one after it was kept elsewhere, writes all of its pages
//   what that costs   the program nothing: no access is slower. A page that has a pin for writing counts as stored to, since who has the pin may do so at any time
//   RAM           cairn_checkpoint_size: an image's, and 3 pages. Of the vm's memory for tables a bit for each of its slots, once
//   time          save: O(pages in use), what is written, and a read of the index for each page / 8 pages. restore: O(pages)
//   errors        0 or a negative error; those of stores pass through
//   threads, ISR  as vm.h. While a call of these runs nobody else may use the vm
//   stack         no recursion, no page on it; less than 600 bytes, and what the ports take
#ifndef CAIRN_CHECKPOINT_H
#define CAIRN_CHECKPOINT_H

#include "cairn/image.h"
#include "cairn/object.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAIRN_CHECKPOINT_OBJECTS 125u // at most

// Read-only for the caller, and where it is.
struct cairn_checkpoint {
    struct cairn_image image;
    unsigned char *page, *other; // a page each
    struct cairn_checkpoint_job *jobs;
    uint32_t job_count;
    uint32_t put, dropped;
};

// The config is an image's; chain 0: 32.

// Bytes of memory that it takes, to be aligned to 8. Returns 0 iff cairn_checkpoint_init would refuse the config.
size_t cairn_checkpoint_size(const struct cairn_image_config *config);

// Take up the newest checkpoint that is whole in these slots of a store, if there is one; the store is not changed. Returns 0; fails as cairn_image_init.
// It holds nothing: to end it, do not use it any more.
CAIRN_MUST_CHECK int cairn_checkpoint_init(struct cairn_checkpoint *checkpoint, const struct cairn_image_config *config, void *memory, size_t size);

// Keep the space, and these objects, as they are now. Each object that a mapping of the space shows must be among them; others may be. Objects with a store are
// kept too, all of their pages: another machine does not have it. What was written to it round this object is not looked for.
// Returns 0. Else the checkpoint is the old one, whole, and the call may be made again; only if it failed in writing the record, which is the last thing it writes,
// a restart may find the new one. Fails with CAIRN_EINVAL iff an argument is NULL, of another vm or of another page size, an object is missing, there twice, or there are
// more than CAIRN_CHECKPOINT_OBJECTS; CAIRN_ENOMEM iff no slot is free, or the index has no room, or the vm has no memory for tables; CAIRN_ECORRUPT iff the old one
// is damaged, and pages of it were to stay; CAIRN_EOVERFLOW as cairn_image_begin; what a store answers.
CAIRN_MUST_CHECK int cairn_checkpoint_save(struct cairn_checkpoint *checkpoint, struct cairn_space *space, struct cairn_object *const objects[], uint32_t count);

// Make it again in a space that has no mapping. objects: as many as were kept, in that order. One that is not initialized (its pages.vm is NULL; a struct of zeros) is
// made, without a store, and has key and rights; it is the caller's to end. Others must be of the size that was kept, and get the contents; their rights stay.
// Mappings are in the vm's memory, and promise as they did. Pages are brought into frames as far as there are, and written to the vm's store, or an object's where that
// does not hold them already. What comes next is incremental: a checkpoint of the space, with these objects, to the same store.
// Returns 0. Before anything has changed, fails with CAIRN_ENOENT iff there is no checkpoint; CAIRN_EINVAL iff an argument is NULL, of another vm or page size, an object is
// there twice, their number or size is another, or an address is none of this vm's; CAIRN_ECORRUPT iff what is there is not what a checkpoint may have; CAIRN_EACCES
// iff an object that was there does not allow what a mapping does; CAIRN_EBUSY iff the space has a mapping, a key is taken, such an object has a page that is pinned, or
// there are 255 spaces and objects; CAIRN_ENOMEM iff the vm has no memory for mappings, or promised too much; what the store answers.
// Later fails with CAIRN_ECORRUPT iff a page is damaged; CAIRN_EACCES iff an object's store, which is only read, has something else; CAIRN_ENOMEM iff there are too few frames and slots, or no memory for tables; what a store answers. Then the
// space is empty, what it made is ended, and objects that were there have some of the contents.
CAIRN_MUST_CHECK int cairn_checkpoint_restore(struct cairn_checkpoint *checkpoint, struct cairn_space *space, struct cairn_object *const objects[], uint32_t count);

// What is kept. Its pages may be damaged all the same.
struct cairn_checkpoint_info {
    uint32_t generation; // of it: 1 is the first in this store
    uint32_t pages;      // pages of zeros that were stored to among them
    uint32_t objects, mappings;
};
// Returns 0; fails with CAIRN_EINVAL iff an argument is NULL; CAIRN_ENOENT iff there is none; CAIRN_ECORRUPT iff it is none of this layout; what the store answers.
CAIRN_MUST_CHECK int cairn_checkpoint_read_info(struct cairn_checkpoint *checkpoint, struct cairn_checkpoint_info *info);

struct cairn_checkpoint_stats {
    uint32_t put, dropped; // pages that the last save wrote, those of zeros and of the directory too; that it had no more
    uint32_t written;      // slots that it wrote, the index too
    uint32_t used, free;   // slots
};
// Read the figures. O(slots).
CAIRN_SAME_NAME(void cairn_checkpoint_stats(const struct cairn_checkpoint *checkpoint, struct cairn_checkpoint_stats *stats);)

#ifdef __cplusplus
}
#endif

#endif
