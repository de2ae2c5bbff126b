// SPDX-License-Identifier: MIT
//
// A store that keeps its pages compressed, in memory.
//
// VITALS
//   a store       a struct that the caller owns; its `store` is what a vm is given. It stays where it is while anybody uses that.
//   pages         128 to 4096 bytes, a multiple of 4; at most 65,534 slots
//   memory        the caller's, aligned to 4: 16 bytes a slot, a page and 272 bytes to work in; the rest is the area, in chunks of 32 bytes, with 2
//                 beside each
//   a page takes  of the area: none, if it is one word repeated (zeros, say) or the same as another's; else what it is compressed to, or a page, in
//                 whole chunks
//   time          O(page) a call, and nothing is ever moved; a write looks at the objects that have the same hash, one on average
//   threads, ISR  none of its own: the lock of whoever uses the store
//   stack         no recursion, no page on it; less than 300 bytes, and what the store under it takes
#ifndef CAIRN_COMPRESSED_H
#define CAIRN_COMPRESSED_H

#include "cairn/port.h"

#ifdef __cplusplus
extern "C" {
#endif

// Zero means the default, or none.
struct cairn_store_compressed_config {
    void *memory; // aligned to 4
    size_t size;
    uint32_t page;  // bytes
    uint32_t slots; // that are numbered: more than the area would hold if no page could be compressed
    uint32_t accept; // bytes that a page may be compressed to, less than a page; 0: three quarters of it. What is left is kept as it is
    uint32_t chunk; // bytes of a chunk of the area, 16 to 256, a power of two; 0: 32
    const struct cairn_port_store *under; // for pages that cannot be compressed, or that the area has no room for: same page, at least as many slots
};

// Three things of the same number: a slot, an object (what is kept of a page, for one slot or for several), a hash. Read-only for the caller.
struct cairn_store_compressed_entry {
    uint16_t slot;   // the slot's: its object
    uint16_t head;   // the hash's: its first object
    uint32_t sum;    // the object's: of its bytes in the area; or the word that is repeated, where there are none
    uint16_t first;  // its first chunk
    uint16_t length; // its bytes in the area
    uint16_t count;  // slots that have it
    uint16_t next;   // the next of the same hash; or of those that are free
};

// Read-only for the caller, and where it is.
struct cairn_store_compressed {
    struct cairn_port_store store;
    const struct cairn_port_store *under;
    struct cairn_store_compressed_entry *entries;
    uint16_t *links;     // chunk -> the next of the same object; or of those that are free
    unsigned char *work; // a page, and what encoding takes
    unsigned char *area;
    uint32_t accept;
    uint32_t chunk; // bytes
    uint32_t chunks, chunks_free;
    uint16_t chunk_free, object_free; // the first
    uint32_t refused;
};

// Bytes of memory for an area of `area` bytes. Returns 0 iff cairn_store_compressed_init would refuse the config, whatever the memory.
size_t cairn_store_compressed_size(const struct cairn_store_compressed_config *config, size_t area);

// Make an empty store: no slot holds anything. A page is kept in the first of these ways that does: one word repeated; the same as another slot's;
// compressed to `accept` bytes; in the store under it, where there is one; as it is. What is in the store under it is not compared. A page for which
// the area
// has no room goes to the store under it, or is refused with CAIRN_ENOMEM; its slot holds what it held. Errors of the store under it pass through.
// Reading finds bytes of the area that have changed, but for one chance in 2^32: CAIRN_ECORRUPT. A slot that holds nothing reads as zeros.
// Returns 0; fails with CAIRN_EINVAL iff a pointer is NULL, memory is not aligned, or a size is not as the config says; CAIRN_ENOMEM iff there is no room
// for a chunk. O(size / chunk + slots). Memory for more than 65,534 chunks is not used.
CAIRN_MUST_CHECK int cairn_store_compressed_init(struct cairn_store_compressed *compressed, const struct cairn_store_compressed_config *config);

struct cairn_store_compressed_stats {
    uint32_t used;       // slots that hold something; each is one of the next five
    uint32_t filled;     // one word repeated
    uint32_t duplicates; // the same as a slot that is counted elsewhere
    uint32_t compressed;
    uint32_t raw;   // in the area, as they are
    uint32_t under; // in the store under it
    uint32_t encoded;    // bytes that the compressed pages were compressed to
    uint32_t capacity;   // bytes of the area
    uint32_t held;       // of these, in use: whole chunks. (used - under) * page / held is what the area is worth
    uint32_t cost;       // bytes of the memory that are not the area
    uint32_t refused;    // writes for which there was no room
};

// Read the figures. O(slots).
CAIRN_SAME_NAME(void cairn_store_compressed_stats(const struct cairn_store_compressed *compressed, struct cairn_store_compressed_stats *stats);)

#ifdef __cplusplus
}
#endif

#endif
