// SPDX-License-Identifier: MIT
//
// A log of readings in a file that is mapped: a ring of records, and how many there are. Records are appended by plain stores; a commit makes them safe.
//
// PICTURE   page 0: count | pages 1 to 7: 16 records each, number n at n % LOG_RING
//           append, append ... commit:  records -> flash,  count = all of them -> flash
// What a commit has confirmed stays, whenever the power goes: the count is written when the records are safe, and the flash keeps a page old or new. The ring is larger
// than what is kept, so that records without a commit overwrite none of that.
#ifndef EXAMPLE_LOG_H
#define EXAMPLE_LOG_H

#include <cairn/object.h>
#include <cairn/store.h>

#define LOG_PAGE 256u
#define LOG_PAGES 8u
#define LOG_RECORD 16u
#define LOG_RING ((LOG_PAGES - 1) * LOG_PAGE / LOG_RECORD)
#define LOG_BATCH 16u                   // records that may be appended before a commit
#define LOG_KEPT (LOG_RING - LOG_BATCH) // the last so many that were committed are there

struct log_record {
    uint32_t number;
    uint32_t reading;
};

struct log {
    struct cairn_store_flash store;
    struct cairn_vm vm;
    struct cairn_object file;
    struct cairn_space space;
    cairn_vaddr_t at;   // where the file is mapped
    uint32_t committed; // records that are safe
    uint32_t count;     // and those that are appended
};

// Take up what is in the flash; a new one is an empty log. All that it needs in RAM is here and in log.c. Returns 0 or an error, as all of these.
int log_mount(struct log *log);
// CAIRN_ENOMEM: first a commit.
int log_append(struct log *log, uint32_t reading);
int log_commit(struct log *log);
// CAIRN_ENOENT: there is none of this number, or none any more. CAIRN_ECORRUPT: it is not what was appended, which does not happen.
int log_read(struct log *log, uint32_t number, struct log_record *record);

#endif
