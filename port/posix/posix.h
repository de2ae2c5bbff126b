// SPDX-License-Identifier: MIT
//
// The port over a POSIX system: sbrk, mmap, munmap, a mutex.
//
// OWNS        the mutex. The break is the process's, and others may move it too.
// COST        brk, map, unmap: a system call each, two more where the alignment is larger than a page.
// CALLERS     an arena's configuration; any thread.
#ifndef CAIRN_PORT_POSIX_H
#define CAIRN_PORT_POSIX_H

#include "cairn/port.h"

// One lock for all that names this struct. It does not nest. While the process has one thread it costs a look; the key is POSIX_LOCKED where the mutex was
// taken.
#define POSIX_LOCKED 1u
extern const struct cairn_port_system posix_system;

// Its page size is read from the system once, by posix_start.
extern struct cairn_port_region posix_region;

// Ask the system for its page size. Call it before the first use; again does no harm.
void posix_start(void);

#endif
