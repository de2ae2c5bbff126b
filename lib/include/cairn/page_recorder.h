// SPDX-License-Identifier: MIT
//
// The recorder of pages: writes the page references of a vm as a trace that cairn-pages reads.
//
// VITALS
//   memory   the handle, and a buffer of the caller's: a line takes 4 to 11 bytes
//   time     O(1) for each reference, and what `write` takes where the buffer is full
//   threads  its vm's
//
// A trace is text: `# page BYTES`, `# source TEXT`, then a record a line, in hexadecimal: `r PAGE`, `w PAGE`. References to one page in a row, of one kind, are one
// record. What a vm tells are the references that it sees: an access that the TLB had an entry for is not among them.
#ifndef CAIRN_PAGE_RECORDER_H
#define CAIRN_PAGE_RECORDER_H

#include "cairn/vm.h"

#ifdef __cplusplus
extern "C" {
#endif

// Least bytes of a buffer: for a remark of what was lost, and a record.
#define CAIRN_PAGE_RECORDER_LEAST 32u

struct cairn_page_recorder {
    const struct cairn_space *space;
    uint32_t page_shift;
    char *buffer;
    size_t size;
    size_t used;      // bytes in the buffer that are not written yet
    uint32_t records; // in the trace, or in the buffer
    uint32_t lost;    // records that are not: there was no room for them, or the page has no number below 2^32
    uint32_t gap;     // the last of those, of which nothing is said in the trace yet
    uint32_t page;    // of the last record
    char kind;        // of the last record; 0: there is none
    int (*write)(void *context, const char *text, size_t size);
    void *context;
};

// Begin a trace of the references to one space, with the numbers of its pages; or of all spaces of a vm (NULL), where the number of a space stands in bits 24 on,
// from 1, as for a policy. page_shift: the vm's. source: what the trace is of, in one line, at most as long as `size` allows.
// `write` gets whole lines. It returns 0, or an error where it can take nothing now: then all stays in the buffer and is offered again with the next record, and
// records for which there is no room are lost: the next that is not has the remark `# lost COUNT` before it. It may not access the vm.
// Returns 0; CAIRN_EINVAL iff an argument is NULL (`space` and `context` aside), page_shift not one of vm.h, or the size less than CAIRN_PAGE_RECORDER_LEAST or than
// the two lines at the beginning.
CAIRN_MUST_CHECK int cairn_page_recorder_init(struct cairn_page_recorder *recorder, const struct cairn_space *space, uint32_t page_shift, const char *source,
                                              char *buffer, size_t size, int (*write)(void *context, const char *text, size_t size), void *context);

// Record one reference. Has the type of a vm's callback, with the recorder as its context: { .reference = cairn_page_recorder_reference, .context = &recorder }.
// Or call it from a callback of your own.
void cairn_page_recorder_reference(void *recorder, const struct cairn_space *space, cairn_vaddr_t address, bool write);

// Write what is in the buffer. Returns 0, or the error of `write`: then it is still there.
CAIRN_MUST_CHECK int cairn_page_recorder_flush(struct cairn_page_recorder *recorder);

#ifdef __cplusplus
}
#endif

#endif
