// SPDX-License-Identifier: MIT
//
// The recorder: writes what the firmware does to a heap as a trace that cairn-replay reads.
//
// VITALS
//   memory   12 bytes a slot, from the caller; a slot for each block that is live at one time, and a quarter more to stay fast
//   time     O(1) on average for each event, O(slots) at worst; runs in the heap's lock
//   threads  its heap's lock is its lock
//
// A trace is text: four header lines (peak bytes, ids, operations, weight), then an operation a line: `a ID BYTES`, `m ID ALIGN BYTES`,
// `r ID BYTES`, `f ID`. Ids start at 0 and are never used again. What is written first is a header of zeros, which the replay tools read
// as "not known"; cairn_recorder_header gives one of the same length to write over it. Calls that failed are not written, nor is
// the alignment that a realloc asked for. A resize in place is written as a realloc, which may move where a bounded fit replays it.
#ifndef CAIRN_RECORDER_H
#define CAIRN_RECORDER_H

#include "cairn/heap.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cairn_recorder_slot {
    uint32_t granule; // of the block, from the heap's base; 0: the slot is free
    uint32_t id;
    uint32_t size; // bytes requested
};

// Bytes of a header, the same for each, without and with its final NUL.
#define CAIRN_RECORDER_HEADER_BYTES 35u
#define CAIRN_RECORDER_HEADER_MAX (CAIRN_RECORDER_HEADER_BYTES + 1u)

struct cairn_recorder {
    const struct cairn_heap *heap;
    struct cairn_recorder_slot *slots;
    uint32_t slot_count;
    uint32_t used; // slots
    uint32_t ids;  // given so far
    uint32_t ops;  // lines written
    uint32_t lost; // events not written: no slot was free, or the block is not known: allocated before the recording began, or lost
    uint32_t live; // bytes requested, in the blocks that have a slot
    uint32_t peak; // the most that `live` was
    void (*write)(void *context, const char *text, size_t size);
    void *context;
};

// Begin a trace of `heap`, whose events are still to be sent here; the handle may still be waiting for its cairn_heap_init.
// slot_count: at least 1. `write` gets the header of zeros now, and each line as it is made; it may not call the heap.
// Returns 0; CAIRN_EINVAL iff an argument is NULL or 0, `context` aside.
CAIRN_MUST_CHECK int cairn_recorder_init(struct cairn_recorder *recorder, const struct cairn_heap *heap, struct cairn_recorder_slot *slots,
                                         uint32_t slot_count, void (*write)(void *context, const char *text, size_t size), void *context);

// Record one event. Has the type of the event hook, with the recorder as its context: { .event = cairn_recorder_event }. Or call it
// from an event hook of your own.
void cairn_recorder_event(void *recorder, const struct cairn_heap_event *event);

// Write the header that belongs to what was recorded so far. Returns its length without the NUL: CAIRN_RECORDER_HEADER_BYTES.
size_t cairn_recorder_header(const struct cairn_recorder *recorder, char text[CAIRN_RECORDER_HEADER_MAX]);

#ifdef __cplusplus
}
#endif

#endif
