// SPDX-License-Identifier: MIT
//
// Memory objects in the spaces of a vm: files and shared memory mapped, private copies that cost nothing until they are written, fork, and the break.
//
// VITALS
//   a mapping     a range of a space: pages of its own, or pages of an object, shared with all that map it, or privately: copied at the first write
//   memory        a mapping takes a node of sizeof(struct cairn_mapping) of the vm's memory, and lies there; a page that spaces share since a fork takes 8 bytes;
//                 a vm in which anything is shared some 150 bytes once. An object is the caller's. What was freed is for others of its kind only
//   addresses     multiples of a page, sizes too, but where it says otherwise
//   time          map, unmap and protect O(mappings), and O(pages in use) in the range; none depends on how long a range is
//   errors        0 or a negative error; on an error nothing has changed, but where it says otherwise
//   threads, ISR  as vm.h
#ifndef CAIRN_OBJECT_H
#define CAIRN_OBJECT_H

#include "cairn/vm.h"

#ifdef __cplusplus
extern "C" {
#endif

// --------------------------------------------------------------------------------------------------------------------- objects

// Pages with contents, which mappings show. Read-only for the caller, and where it is, until it is deinitialized.
struct cairn_object {
    struct cairn_space pages; // its pages, as a space of its own that nobody can switch to
    struct cairn_mapping *mappings;
    cairn_vaddr_t count; // of pages
    uint32_t key;        // of shared memory; 0: none
    const struct cairn_space *owner;
    uint32_t protection, others; // the most that a mapping of the owner's, or of another space's, may allow; CAIRN_USER is not looked at
    bool removed;                // ends with its last mapping
    bool charged;
};

// Zero means the default.
struct cairn_object_config {
    cairn_vaddr_t size;                   // bytes, a multiple of a page
    const struct cairn_port_store *store; // where its pages are, a page a slot: a file. NULL: nowhere at first; it is zeros, and its pages live in the vm's store
    uint32_t slot;                        // of the store that is its first page
    bool read_only;                       // no shared mapping may write; private ones may. So it is, too, where the store cannot be written (its write is NULL)
};

// Make an object. Returns 0; fails with CAIRN_EINVAL iff an argument is NULL, size is 0, not a multiple of a page or more than a space has, or the store's slots are
// not of a page or do not reach; CAIRN_ENOMEM iff there is no memory for its topmost table, or the vm has promised all that it can (cairn_vm_commit); CAIRN_EBUSY
// iff there are 255 spaces and objects, or it is one of the vm's already.
CAIRN_MUST_CHECK int cairn_object_init(struct cairn_object *object, struct cairn_vm *vm, const struct cairn_object_config *config);
// Write back what must be, and end it. Fails with CAIRN_EBUSY iff it is mapped, or as its store; then it is still there.
CAIRN_MUST_CHECK int cairn_object_deinit(struct cairn_object *object);
// Write all its dirty pages to its store, and have that make them safe. Nothing to do for one without. A page that is pinned is written, and stays dirty: who has the
// pin may store to it still. Returns 0 or the store's error: then some may be written.
CAIRN_MUST_CHECK int cairn_object_sync(struct cairn_object *object);

// -------------------------------------------------------------------------------------------------------------------- mappings

#define CAIRN_MAP_SHARED 1u     // writes are the object's; without: the mapping's own, on pages that are copied then
#define CAIRN_MAP_FIXED 2u      // at `address` exactly, or CAIRN_EBUSY
#define CAIRN_MAP_REPLACE 4u    // at `address` exactly; what is there is unmapped first, and counts as promised until it is gone
#define CAIRN_MAP_GROWS_DOWN 8u // a stack: an access that it allows, at most `grow` bytes below it, makes it so much longer; a page below it stays free
#define CAIRN_MAP_LOCKED 16u    // its pages stay in frames; cairn_space_lock sets it

// Zero means the default, but for size.
struct cairn_map {
    cairn_vaddr_t address;       // FIXED, REPLACE: where. Else where it would best be: there if that can be, else anywhere
    cairn_vaddr_t size;          // bytes, a multiple of a page
    cairn_vaddr_t alignment;     // of the address that is chosen: a power of two; 0: a page
    uint32_t protection;         // CAIRN_READ ...; 0: a guard, which no access may touch
    uint32_t flags;              // CAIRN_MAP_...
    struct cairn_object *object; // NULL: pages of its own, zeros at first
    cairn_vaddr_t offset;        // bytes, a multiple of a page: what of the object the mapping shows
    const void *memory;          // in place of an object: memory of the caller's, such as flash, that is read and executed where it is. No CAIRN_WRITE
    cairn_vaddr_t grow;          // bytes, a multiple of a page
};

// Map a range. Returns 0, and its address in *address (NULL: not wanted). Fails with CAIRN_EINVAL iff an argument is out of range or misaligned, names page 0
// or reaches over the end of the space or of the object; CAIRN_EACCES iff the object does not allow it; CAIRN_EBUSY iff FIXED and some of it is mapped, or REPLACE
// and a page there is pinned; CAIRN_ENOMEM iff there is no such range, no memory for a mapping, or the vm has promised all that it can.
// A range is chosen from above, so that the break has room. O(mappings).
CAIRN_MUST_CHECK int cairn_space_map_range(struct cairn_space *space, const struct cairn_map *map, cairn_vaddr_t *address);

// Unmap what is mapped of a range; mappings that reach out of it are split, and it is no error where nothing is mapped. Locked pages are let go.
// Fails with CAIRN_EINVAL as above; CAIRN_EBUSY iff a page is pinned, be it any page of a mapping that shares an object; CAIRN_ENOMEM iff a mapping must be split and
// there is no memory for it.
CAIRN_MUST_CHECK int cairn_space_unmap_range(struct cairn_space *space, cairn_vaddr_t address, cairn_vaddr_t size);

// Allow other accesses in a range. Fails with CAIRN_EINVAL, CAIRN_ENOMEM as above, and iff that promises too much; CAIRN_EFAULT iff some of it is not mapped;
// CAIRN_EACCES iff the object, or memory in place, does not allow that; CAIRN_EBUSY iff a mapping that shares an object must be split and has a page that is pinned.
// Pins that are held keep what they have.
CAIRN_MUST_CHECK int cairn_space_protect_range(struct cairn_space *space, cairn_vaddr_t address, cairn_vaddr_t size, uint32_t protection);

enum cairn_advice {
    CAIRN_ADVISE_WILL_NEED, // bring its pages in, as far as frames are free
    CAIRN_ADVISE_DONT_NEED, // its pages may leave first; they are written if they must be
    CAIRN_ADVISE_FREE       // forget what the range's own pages hold: zeros again, or the object's. Not where they are shared
};
// Fails with CAIRN_EINVAL as above, and iff the advice is none; CAIRN_EFAULT iff some of it is not mapped; CAIRN_EBUSY iff a page to go is pinned; as an access. Some
// pages may have been treated then.
CAIRN_MUST_CHECK int cairn_space_advise(struct cairn_space *space, cairn_vaddr_t address, cairn_vaddr_t size, enum cairn_advice advice);

// Write what was stored to shared mappings of objects in the range, and have their stores make it safe. When it returns 0, it is. CAIRN_EFAULT as above, or the store's
// error: then some may be written. After a cut of power each page is old or new, as its store keeps a slot that was being written: the store in flash
// keeps all of it; of one that tears it a seal says so (store.h). Of several pages some may be old and some new: write what says that all are there, a count, and sync
// again.
CAIRN_MUST_CHECK int cairn_space_sync(struct cairn_space *space, cairn_vaddr_t address, cairn_vaddr_t size);

// Bring the pages of a range in, and keep them in frames. Fails as an access, with CAIRN_ENOMEM where frames or memory do not reach, CAIRN_EBUSY iff some of it is
// locked already, CAIRN_EOVERFLOW iff a page has 255 pins, or as protect: then none is locked that was not. Private pages of an object are copied for it. A stack that is locked grows no more.
CAIRN_MUST_CHECK int cairn_space_lock(struct cairn_space *space, cairn_vaddr_t address, cairn_vaddr_t size);
// Let them leave again. Pages that are not locked do no harm. CAIRN_EFAULT, CAIRN_ENOMEM, CAIRN_EBUSY as protect.
CAIRN_MUST_CHECK int cairn_space_unlock(struct cairn_space *space, cairn_vaddr_t address, cairn_vaddr_t size);

// ----------------------------------------------------------------------------------------------------------------- what is promised

enum cairn_commit {
    CAIRN_COMMIT_UNLIMITED, // any range, while there are addresses
    CAIRN_COMMIT_HEURISTIC, // none that alone is more than the vm's frames and slots
    CAIRN_COMMIT_STRICT     // all together no more than `limit` bytes: what was mapped can be written
};
// How much the vm's spaces may map that needs memory of the vm's: private pages that may be written, and objects without a store. What could be written once counts
// until it is unmapped. limit: bytes, of which whole pages count, for STRICT; 0: its frames, but one, and slots. What is mapped already stays. cairn_space_map is not
// counted. A stack that would grow beyond it does not: CAIRN_EFAULT. Fails with CAIRN_EINVAL iff mode is none.
CAIRN_MUST_CHECK int cairn_vm_commit(struct cairn_vm *vm, enum cairn_commit mode, cairn_vaddr_t limit);

// --------------------------------------------------------------------------------------------------------------- shared memory

// Shared memory by key: an object that other spaces find. protection: of the space that creates it, while that is; others: of the others, its children among
// them; but what a child has mapped since the fork stays as it is.
// Fails as cairn_object_init, with CAIRN_EINVAL iff key is 0, CAIRN_EBUSY iff the key is taken.
CAIRN_MUST_CHECK int cairn_shared_create(struct cairn_object *object, struct cairn_space *owner, uint32_t key, cairn_vaddr_t size, uint32_t protection, uint32_t others);
// Map all of it, at *address, or anywhere where that is 0; *address says where. Fails with CAIRN_ENOENT iff no object has the key; as cairn_space_map_range.
CAIRN_MUST_CHECK int cairn_shared_attach(struct cairn_space *space, uint32_t key, uint32_t protection, cairn_vaddr_t *address);
// Unmap what is left of it there. Fails with CAIRN_EINVAL iff no shared memory is mapped at that address; CAIRN_EBUSY iff a page is pinned.
CAIRN_MUST_CHECK int cairn_shared_detach(struct cairn_space *space, cairn_vaddr_t address);
// The key names it no more, and it ends with its last mapping: then it is the caller's again (object->pages.vm is NULL). CAIRN_ENOENT as above.
CAIRN_MUST_CHECK int cairn_shared_remove(struct cairn_vm *vm, uint32_t key);

// ------------------------------------------------------------------------------------------------------------------------ fork

// Make `child` a copy of a space: the same mappings, the same contents. Pages are shared until one of them writes, or pins; pages that are pinned are copied at once.
// The handler, segments and user are copied. The child's mappings are in the vm's memory. Fails with CAIRN_EINVAL iff an argument is NULL; CAIRN_ENOMEM iff there is
// no memory for tables, mappings or shared pages, no frame for a copy, or the vm has promised all that it can; CAIRN_EBUSY as cairn_space_init; or the store's error.
// O(pages in use).
CAIRN_MUST_CHECK int cairn_space_fork(struct cairn_space *child, struct cairn_space *parent);

// Merge pages that are equal: looks at up to `frames` more of the vm's frames, and compares each with those in `seen`, a table of `count` words of the caller's, a
// power of two, all zeros at the start and otherwise left alone. Pages that are merged are shared until one is written; pages of zeros are forgotten. Returns how many
// frames became free. Pages of objects, and pinned ones, are left. CAIRN_EINVAL iff count is not a power of two.
CAIRN_MUST_CHECK int cairn_vm_merge(struct cairn_vm *vm, uint32_t frames, uint32_t *seen, uint32_t count);

// ------------------------------------------------------------------------------------------------------------------- the break

// Where the break begins: an address of a page; nothing is mapped there. Fails with CAIRN_EINVAL iff it is none of the space's.
CAIRN_MUST_CHECK int cairn_space_set_break(struct cairn_space *space, cairn_vaddr_t start);
// Have the break at `address`, which need not be a multiple of a page: what is below it can be read and written, and is zeros where it is new. Fails with CAIRN_EINVAL
// iff it is below the start; CAIRN_ENOMEM iff another mapping is in the way, or as cairn_space_map_range; as an access to the rest of its page, which may be zeros
// then; as cairn_space_unmap_range: then it is where it was.
CAIRN_MUST_CHECK int cairn_space_brk(struct cairn_space *space, cairn_vaddr_t address);
// Move the break by `delta` bytes; *old (NULL: not wanted) is where it was. As cairn_space_brk.
CAIRN_MUST_CHECK int cairn_space_sbrk(struct cairn_space *space, ptrdiff_t delta, cairn_vaddr_t *old);

#ifdef __cplusplus
}
#endif

#endif
