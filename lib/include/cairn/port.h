// SPDX-License-Identifier: MIT
//
// The port: what cairn asks of the machine, or of the system, that it runs on. Each struct is filled in by whoever knows the platform
// (port/posix, port/baremetal, port/template) and kept, in flash say, for as long as anything uses it.
//
// VITALS
//   calls         context pointer first; an entry that is NULL is not there, and its comment says what that means
//   errors        an entry that may fail says so; every other must succeed. What brk, map and remap answer is checked before it is believed.
//   proof         test/port runs the contract below against any port, and arenas over one in which each call is made to fail
#ifndef CAIRN_PORT_H
#define CAIRN_PORT_H

#include "cairn/types.h"

#ifdef __cplusplus
extern "C" {
#endif

// The system: who else runs here, what time it is, how to end.
struct cairn_port_system {
    void *context;

    // Enter the section in which what is shared is nobody else's. Returns a key (an interrupt mask, say) for unlock. Sections nest where the
    // port says so; cairn nests none. May wait. Context: any that the port admits. Must not fail. NULL: nobody else is there.
    uint32_t (*lock)(void *context);
    // Leave it. pre: `key` is what the lock call of the same section returned. Must not fail. NULL exactly if lock is.
    void (*unlock)(void *context, uint32_t key);

    // Ticks of a clock that runs on, wrapping at 2^32. Context: any. Must not fail. NULL: there is no clock.
    uint32_t (*cycles)(void *context);

    // Something is wrong beyond repair; `why` is a constant string. Must not return. Context: any. NULL: the program traps.
    void (*panic)(void *context, const char *why);
};

// Memory from the platform: one span that grows and shrinks at its end (the break), and separate spans (maps). All entries are called
// under the lock of whoever uses the port. All sizes are in bytes.
struct cairn_port_region {
    void *context;

    // Move the break by `delta`, up or down. Returns where it was; with a delta of 0 that is where it is. Others may move the same break
    // between two calls, but for one pair: it is moved down only right after a call with a delta of 0 found it where cairn had left it, and who moves it
    // up between these two may find other bytes in what he got. Where others can come in there (threads with an sbrk of their own), the port's lock is
    // to keep them out. What is above the old break may hold anything. Returns NULL, and nothing has changed, iff it cannot be moved there.
    // NULL: there is no break.
    void *(*brk)(void *context, ptrdiff_t delta);
    // At most how far the break can still be moved up, as far as is known now: 0 if it cannot, SIZE_MAX if nobody knows.
    // Must not fail. NULL exactly if brk is.
    size_t (*room)(void *context);

    // Get `size` bytes at a multiple of `alignment`. pre: size is a multiple of `page` and not 0, alignment a power of two, at least
    // `page`. Returns their address; NULL iff there are none. NULL: there are no maps.
    void *(*map)(void *context, size_t size, size_t alignment);
    // Give back `size` bytes at `address`. pre: both are multiples of `page`, and they are some or all pages of one map. Returns 0; or a
    // negative error, and nothing has changed: the pages are still mapped. NULL exactly if map is.
    int (*unmap)(void *context, void *address, size_t size);
    // Make a map longer, where it is or elsewhere: its bytes come along, and what is new is as map gives it. pre: the whole of one map, sizes
    // are multiples of `page`, new_size is the larger. Returns its address; NULL, and nothing has changed, iff that cannot be done. NULL: a map is
    // made longer by a new one and a copy. An address that no map can have counts as NULL.
    void *(*remap)(void *context, void *address, size_t size, size_t new_size);

    size_t page; // bytes, a power of two, at least 16: what map and unmap count in. 0 only where there are no maps.
    bool zeroed; // map returns zeros
};

// A store: numbered slots of one page each, for what is swapped out (and for mapped objects). Called under the lock of whoever uses it, and may
// not use that itself. A transfer may block.
struct cairn_port_store {
    void *context;

    // Read slot `slot` into `page`. A slot that was never written, or was trimmed, reads as anything. Returns 0; a negative error iff the bytes that were
    // written last cannot be had: then `page` holds anything. CAIRN_ECORRUPT: they were read, and are not what was written.
    int (*read)(void *context, uint32_t slot, void *page);
    // Write `page` to the slot. Returns 0; a negative error, and the slot still holds what it held, iff it cannot be. It may be refused for want of room
    // (CAIRN_ENOMEM), where slots share it. NULL: it is only read. An object of it is read-only then (object.h), an image in it can be read
    // (image.h), and a checked store over it is as it is (store.h); nobody else takes such a store.
    int (*write)(void *context, uint32_t slot, const void *page);
    // What the slot holds is not wanted any more. Must not fail. NULL: nothing is gained by it.
    void (*trim)(void *context, uint32_t slot);
    // Return only when all that was written before is safe from a cut of power. Returns 0 or a negative error. NULL: it always is, or never.
    int (*sync)(void *context);

    uint32_t page;  // bytes of a slot
    uint32_t slots; // numbers 0 to slots - 1
};

// NOR flash: blocks that are erased as a whole, to bytes of 0xFF; programming turns ones into zeros and never back. Called under the lock of whoever uses
// it. May block. Where a chip's sectors are small a block may be several, which the port erases together.
struct cairn_port_flash {
    void *context;

    // Read bytes of one block. pre: offset + size <= erase_size. Returns 0 or a negative error; CAIRN_ECORRUPT: they were read, and cannot be relied on
    // (an uncorrectable code word, as a cut of power leaves it).
    int (*read)(void *context, uint32_t block, uint32_t offset, void *bytes, size_t size);
    // Program bytes of one block; return when they are safe from a cut of power. pre: offset and size are multiples of program_size and inside the block; the
    // bytes were not programmed since the block was erased. Returns 0 or a negative error: then each of its bits is as before or as asked for.
    int (*program)(void *context, uint32_t block, uint32_t offset, const void *bytes, size_t size);
    // Erase a block; return when that is done. Returns 0 or a negative error: then its bytes may be anything.
    int (*erase)(void *context, uint32_t block);
    // Is the block known not to be usable? Must not fail. NULL: none is.
    bool (*is_bad)(void *context, uint32_t block);
    // The block failed: remember that, for is_bad, as long as can be. Must not fail. NULL: it is found again each time.
    void (*mark_bad)(void *context, uint32_t block);

    uint32_t erase_size;   // bytes of a block, a multiple of program_size
    uint32_t program_size; // bytes that are programmed at once: a power of two, at most 64
    uint32_t blocks;       // numbers 0 to blocks - 1
};

#ifdef __cplusplus
}
#endif

#endif
