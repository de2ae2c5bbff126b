// SPDX-License-Identifier: MIT
//
// The port over a POSIX system.
// OWNS: posix.h says what. CALLERS: through the port's structs, but for posix_start.
#define _GNU_SOURCE // sbrk, MAP_ANONYMOUS, mremap
#include "posix.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#if defined(__has_include)
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define IS_ALONE (__libc_single_threaded != 0)
#endif
#endif
#ifndef IS_ALONE
#define IS_ALONE false // nobody knows
#endif

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

// No section ends in another number of threads than it began with: none starts one.
static uint32_t lock(void *context)
{
    if (IS_ALONE) {
        return 0;
    }
    (void)pthread_mutex_lock(context);
    return POSIX_LOCKED;
}

static void unlock(void *context, uint32_t key)
{
    if (key == POSIX_LOCKED) {
        (void)pthread_mutex_unlock(context);
    }
}

static uint32_t cycles(void *context)
{
    struct timespec now;
    (void)context;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)now.tv_sec * 1000000000u + (uint32_t)now.tv_nsec;
}

static void panic(void *context, const char *why)
{
    (void)context;
    if (write(STDERR_FILENO, why, strlen(why)) >= 0) {
        (void)!write(STDERR_FILENO, "\n", 1);
    }
    abort();
}

static void *move_break(void *context, ptrdiff_t delta)
{
    (void)context;
    void *const was = sbrk(delta);
    return was == (void *)-1 ? NULL : was;
}

// SIZE_MAX: there is none.
static size_t limit_of(bool is_data) // else of address space
{
    struct rlimit limit;
    if (getrlimit(is_data ? RLIMIT_DATA : RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || (size_t)limit.rlim_cur != limit.rlim_cur) {
        return SIZE_MAX;
    }
    return (size_t)limit.rlim_cur;
}

// The break counts as data, and as address space.
static size_t room(void *context)
{
    (void)context;
    const size_t data = limit_of(true);
    const size_t all = limit_of(false);
    return data < all ? data : all; // at most
}

#define SIZE_MOST ((size_t)PTRDIFF_MAX) // with more, the difference of two pointers into it is not what it says

static void *map(void *context, size_t size, size_t alignment)
{
    (void)context;
    const size_t spare = alignment > posix_region.page ? alignment - posix_region.page : 0;
    if (size > SIZE_MOST - spare) {
        return NULL;
    }
    unsigned char *const all = mmap(NULL, size + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) {
        return NULL;
    }
    const size_t skip = (size_t)(0u - (uintptr_t)all) & (alignment - 1);
    if (skip != 0) {
        (void)munmap(all, skip);
    }
    if (spare != skip) {
        (void)munmap(all + skip + size, spare - skip);
    }
    return all + skip;
}

static int unmap(void *context, void *address, size_t size)
{
    (void)context;
    return munmap(address, size) == 0 ? 0 : CAIRN_ENOMEM; // the system has no room to split the mapping
}

#if defined(__linux__)
static void *remap(void *context, void *address, size_t size, size_t new_size)
{
    (void)context;
    void *const to = new_size > SIZE_MOST ? MAP_FAILED : mremap(address, size, new_size, MREMAP_MAYMOVE);
    return to == MAP_FAILED ? NULL : to;
}
#define REMAP remap
#else
#define REMAP NULL
#endif

const struct cairn_port_system posix_system = {.context = &mutex, .lock = lock, .unlock = unlock, .cycles = cycles, .panic = panic};

struct cairn_port_region posix_region = {.brk = move_break, .room = room, .map = map, .unmap = unmap, .remap = REMAP, .page = 4096, .zeroed = true};

void posix_start(void)
{
    const long page = sysconf(_SC_PAGESIZE);
    if (page > 0) {
        posix_region.page = (size_t)page;
    }
}
