// SPDX-License-Identifier: MIT
//
// malloc and its family over an arena, for a shared library that stands in for the C library's: LD_PRELOAD=libcairn-malloc.so program.
//
// OWNS        one arena for the whole process, over the break and mmap, and what it is made from.
// INVARIANTS  1. Every pointer is aligned for max_align_t: the library is built with a granule of 16.
//             2. Any thread may call, and fork: the lock is held across it, so that the child's arena is whole. What others do before and behind a fork may
//                allocate: fork calls first what was registered last, and behind it what was registered first, so this is registered before all others.
//                Only the lock of the C library's list of streams is taken before it, because who holds that may be waiting for memory.
//             3. free leaves errno as it was.
//             4. A bad pointer ends the program, with a line that says what and where, by SIGABRT; who catches that may allocate.
// COST        a lock where there is more than one thread; below the threshold no system call but to move the break.
// CALLERS     every program that it is loaded into; malloc(3) says what each call does.
#define _GNU_SOURCE
#include "posix.h"
#include "preload.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#if CAIRN_GRANULE < 16
#error "port/posix/malloc.c: build it with CAIRN_GRANULE=16"
#endif

#define HEAP_MAX ((size_t)512 * 1024 * 1024) // tags for so much: 8 MB of address space, of memory only what is used
#define STEP ((size_t)128 * 1024)
#define SEARCH 16u // DECISIONS: memory is worth more here than instructions
#define THRESHOLD_MAX (sizeof(long) < 8 ? (size_t)512 * 1024 : (size_t)32 * 1024 * 1024) // as glibc has it

static struct cairn_arena arena;

// A report comes in the lock, where more than one thread may be.
static void leave_lock(void)
{
    pthread_mutex_t *const mutex = posix_system.context;
    (void)pthread_mutex_trylock(mutex);
    (void)pthread_mutex_unlock(mutex);
}

// Nothing here allocates.
static void stop(void *context, const struct cairn_report *report)
{
    static const char names[][27] = {"", "a pointer that is no block", "a pointer into a block", "a block freed twice", "a free block overwritten"};
    char line[160];
    (void)context;
    size_t at = append(line, 0, "cairn: ");
    at = append(line, at, names[report->what]);
    at = append_address(line, at, (uintptr_t)report->address);
    if (report->block != NULL) {
        at = append_address(line, append(line, at, ", the block is"), (uintptr_t)report->block);
    }
    at = append(line, at, "\n");
    if (write(STDERR_FILENO, line, at) < 0) {
        // there is nobody to tell
    }
    leave_lock();
    abort();
}

static struct cairn_arena_config config = {
    .system = &posix_system, .port = &posix_region, .step = STEP, .threshold_max = THRESHOLD_MAX, .heap_max = HEAP_MAX, .search = SEARCH, .report = stop};

static uint32_t fork_key; // written in the lock, if there is one; as the next
static bool fork_holds_streams;

// The lock of glibc's list of streams, which its fork takes behind all handlers, once more: it counts.
#if defined(__GLIBC__)
extern void _IO_list_lock(void) __attribute__((weak));
extern void _IO_list_unlock(void) __attribute__((weak));
#define HAS_STREAMS (_IO_list_lock != NULL && _IO_list_unlock != NULL)
#else
#define HAS_STREAMS false
#define _IO_list_lock() ((void)0)
#define _IO_list_unlock() ((void)0)
#endif

static void before_fork(void)
{
    uint32_t key = posix_system.lock(posix_system.context);
    const bool holds = key == POSIX_LOCKED && HAS_STREAMS; // there are other threads
    if (holds) {
        posix_system.unlock(posix_system.context, key);
        _IO_list_lock();
        key = posix_system.lock(posix_system.context);
    }
    fork_key = key;
    fork_holds_streams = holds;
}

// fork has made the list of streams new in the child.
static void after_fork_in_child(void)
{
    posix_system.unlock(posix_system.context, fork_key);
}

static void after_fork(void)
{
    const bool holds = fork_holds_streams; // behind the lock it may be another fork's
    posix_system.unlock(posix_system.context, fork_key);
    if (holds) {
        _IO_list_unlock();
    }
}

// When the library is loaded, before anything else starts (the linker's initfirst); a request may still come earlier.
static __attribute__((constructor, cold)) void watch_forks(void)
{
    static bool is_done;
    if (!is_done) {
        is_done = true;
        (void)pthread_atfork(before_fork, after_fork, after_fork_in_child);
    }
}

static __attribute__((noinline, cold)) void make_arena(void)
{
    posix_start();
    preload_read_settings();
    if (cairn_arena_init(&arena, &config) != 0) {
        abort();
    }
    watch_forks();
}

// The first call comes before there is a second thread.
static struct cairn_arena *the_arena(void)
{
    if (__builtin_expect(arena.config == NULL, 0)) {
        make_arena();
    }
    return &arena;
}

struct cairn_arena *preload_arena(void)
{
    return the_arena();
}

struct cairn_arena_config *preload_config(void)
{
    return arena.config == NULL ? &config : NULL;
}

// There is no memory. True: what was free but kept went back to the system, and a request may be tried again. Once: one that fails may have got what goes back.
static __attribute__((noinline, cold)) bool give_back(void)
{
    return cairn_arena_trim(&arena, 0) != 0;
}

static bool is_lost(const void *block)
{
    return __builtin_expect(block == NULL, 0) && give_back();
}

static void *or_errno(void *block)
{
    if (__builtin_expect(block == NULL, 0)) {
        errno = ENOMEM;
    }
    return block;
}

EXPORT void *malloc(size_t size)
{
    const size_t least = size == 0 ? 1 : size;
    void *const block = cairn_arena_alloc(the_arena(), least);
    return or_errno(is_lost(block) ? cairn_arena_alloc(&arena, least) : block);
}

EXPORT void free(void *block)
{
    const int kept = errno;
    cairn_arena_free(the_arena(), block);
    errno = kept;
}

// C23. The size is not needed: the tags know it. Older headers do not declare them.
EXPORT void free_sized(void *block, size_t size);
EXPORT void free_aligned_sized(void *block, size_t alignment, size_t size);

EXPORT void free_sized(void *block, size_t size)
{
    (void)size;
    free(block);
}

EXPORT void free_aligned_sized(void *block, size_t alignment, size_t size)
{
    (void)alignment;
    (void)size;
    free(block);
}

EXPORT void *calloc(size_t count, size_t size)
{
    const bool empty = count == 0 || size == 0;
    void *const block = cairn_arena_calloc(the_arena(), empty ? 1 : count, empty ? 1 : size);
    return or_errno(is_lost(block) ? cairn_arena_calloc(&arena, empty ? 1 : count, empty ? 1 : size) : block);
}

EXPORT void *realloc(void *block, size_t size)
{
    if (block == NULL) {
        return malloc(size);
    }
    if (size == 0) {
        free(block);
        return NULL;
    }
    void *const changed = cairn_arena_realloc(the_arena(), block, size);
    return or_errno(is_lost(changed) ? cairn_arena_realloc(&arena, block, size) : changed);
}

EXPORT void *reallocarray(void *block, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, count * size);
}

static void *aligned(size_t alignment, size_t size)
{
    const size_t least = size == 0 ? 1 : size;
    void *const block = cairn_arena_aligned_alloc(the_arena(), alignment, least);
    return is_lost(block) ? cairn_arena_aligned_alloc(&arena, alignment, least) : block;
}

EXPORT void *memalign(size_t alignment, size_t size)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        errno = EINVAL;
        return NULL;
    }
    return or_errno(aligned(alignment, size));
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

EXPORT int posix_memalign(void **block, size_t alignment, size_t size)
{
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) {
        return EINVAL;
    }
    void *const found = aligned(alignment, size);
    if (found == NULL) {
        return ENOMEM;
    }
    *block = found;
    return 0;
}

// Of the system, which is asked when the arena is made.
static size_t page_size(void)
{
    (void)the_arena();
    return posix_region.page;
}

EXPORT void *valloc(size_t size)
{
    return memalign(page_size(), size);
}

EXPORT void *pvalloc(size_t size)
{
    const size_t page = page_size();
    const size_t whole = (size + page - 1) & ~(page - 1);
    return whole < size ? or_errno(NULL) : memalign(page, whole);
}

EXPORT size_t malloc_usable_size(void *block)
{
    return cairn_arena_usable_size(the_arena(), block);
}
