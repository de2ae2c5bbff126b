// SPDX-License-Identifier: MIT
//
// malloc and its family for newlib, newlib-nano and picolibc: compiled into a program, these files stand in the place of the library's own.
//
// OWNS        the program's one heap behind malloc; which calls there are: malloc.c and stats.c for all three, reent.c for newlib.
// PICTURE     malloc, printf, fopen ... -> malloc.c, reent.c -> grow.c: a cairn_heap -> sbrk -> sbrk.c, or the program's own
// INVARIANTS  L1. What stands beside the heap in RAM is its handle and the break: 28 bytes.
//             L2. None of the library's own malloc is linked: each name of malloc.h that an object of it defines is defined here too. The files are
//                 compiled into the program, not into an archive, which the linker might search too late.
//             L3. Others may move the break between two calls. What they took stands in the heap as a used block that nobody touches.
// COST        a call: the heap's, and the lock's. Where the break must move: the calls of sbrk, and the tags of what is new. Where it cannot, a
//             search of all free blocks of a list, before NULL is returned.
// CALLERS     the program and its C library, in threads and wherever else the lock below admits. An interrupt should call the functions below, not malloc: one that fails
//             sets the errno of the thread that was interrupted.
//
// malloc(0), calloc(0, n) return a block of their own, as those of the three libraries do. realloc(p, 0) frees p and returns NULL with newlib-nano
// and picolibc, and leaves the smallest block with newlib: each as the library's own does. What fails sets errno to ENOMEM, what succeeds leaves it;
// posix_memalign returns ENOMEM.
//
// Each block is aligned for max_align_t. Where that is 16, as on RISC-V, so is CAIRN_GRANULE, or this does not compile.
//
// CAIRN_LIBC_STEP  bytes: the break moves by so many more than are needed, where it can. Default 512.
#ifndef CAIRN_PORT_LIBC_H
#define CAIRN_PORT_LIBC_H

#include "cairn/heap.h"

#ifndef CAIRN_LIBC_STEP
#define CAIRN_LIBC_STEP 512 // a multiple of CAIRN_GRANULE
#endif

// ------------------------------------------------------------------------------------- what a program may define in its own words

// Enter and leave the section in which the heap and the break are nobody else's. They nest: `key` is what the same section's lock returned. Unless
// the program defines them, interrupts are held off (port/baremetal/lock.h). A kernel's mutex, or newlib's __malloc_lock, must be a recursive one.
uint32_t cairn_libc_lock(void);
void cairn_libc_unlock(uint32_t key);

// A bad pointer or a broken link was found. Unless the program defines it, it traps. May return: then the call fails. Runs locked.
void cairn_libc_report(const struct cairn_report *report);

// Returns how many bytes sbrk can still give, asked once, before the heap is made: its tags are for so much memory. Unless the program defines it,
// it is found by moving the break up and down again, some 30 times, which an sbrk of the program's own must then allow. Where threads call that
// sbrk, it takes the lock above.
size_t cairn_libc_room(void);

// --------------------------------------------------------------------------------------------------------- what a program may ask

// Returns the heap, for cairn_heap_stats and cairn_heap_check (heap.h). Its control is NULL before the first malloc.
struct cairn_heap *cairn_libc_heap(void);

// ------------------------------------------------------------------------------------------------- grow.c, for malloc.c and reent.c

// The calls of heap.h over that heap, which grows for them; size 0 counts as 1. NULL iff there is no memory; none sets errno.
void *cairn_libc_alloc(size_t size);
void *cairn_libc_calloc(size_t count, size_t size);
void *cairn_libc_aligned_alloc(size_t alignment, size_t size); // NULL also iff alignment is no power of two
void *cairn_libc_realloc(void *block, size_t size);            // of size 0: as the library's own
void cairn_libc_free(void *block);
size_t cairn_libc_usable_size(void *block);
// Give back what is free at the break but for `keep` bytes. Returns the bytes that went.
size_t cairn_libc_trim(size_t keep);

#endif
