// SPDX-License-Identifier: MIT
//
// A store in a file, or in a block device.
//
// OWNS        nothing: the file is the caller's, open for reading and writing, and stays open while the store is used.
// PICTURE     file | slot 0 | slot 1 | ... |      a page each; what is behind the end of the file was never written, and reads as zeros
// COST        read and write: a system call each, more where the system transfers less than it was asked to.
// CALLERS     a vm, through struct cairn_port_store; under its lock.
#ifndef CAIRN_PORT_FILE_STORE_H
#define CAIRN_PORT_FILE_STORE_H

#include "cairn/port.h"

struct posix_file_store {
    struct cairn_port_store store;
    int file;
};

// Errors of the system are passed through, as -errno, but for "no space left", which is CAIRN_ENOMEM. A write that the system breaks off in the middle leaves
// the slot partly written: wrap the store (cairn_store_checked_init), and that is found. trim gives the space back where the system can.
// Returns 0; fails with CAIRN_EINVAL iff store is NULL, file is negative, or page or slots is 0; CAIRN_EOVERFLOW iff the last slot is farther than a file reaches.
int posix_file_store_init(struct posix_file_store *store, int file, uint32_t page, uint32_t slots);

#endif
