// SPDX-License-Identifier: MIT
//
// What libcairn-malloc.so must stop, and what each call of the family must do. Knows nothing of cairn: a program like any other.
//
//   misuse double | interior | foreign | mapped | caught      must not come back
//   misuse calls | figures | trim | settings | environment | handlers | streams | limits     returns 0
//
// CALLERS  programs.sh, ctest.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                                                                         \
    do {                                                                                                                         \
        if (!(condition)) {                                                                                                      \
            (void)fprintf(stderr, "misuse: line %d: %s\n", __LINE__, #condition);                                                \
            exit(1);                                                                                                             \
        }                                                                                                                        \
    } while (0)

static void *volatile hidden; // from the compiler, which knows malloc
static volatile size_t huge = SIZE_MAX / 4;

static void misuse(const char *how)
{
    static char elsewhere[64];
    char *const block = malloc(100);
    char *const large = malloc(300000);
    hidden = block;
    if (strcmp(how, "double") == 0) {
        free(hidden);
        free(hidden);
    } else if (strcmp(how, "interior") == 0) {
        hidden = block + 16;
        free(hidden);
    } else if (strcmp(how, "foreign") == 0) {
        hidden = elsewhere;
        free(hidden);
    } else {
        hidden = large + 4096;
        hidden = realloc(hidden, 10);
    }
}

static void *wait_for(void *mutex)
{
    CHECK(pthread_mutex_lock(mutex) == 0 && pthread_mutex_unlock(mutex) == 0);
    return NULL;
}

static void allocate(int signal)
{
    (void)signal;
    hidden = malloc(100);
    free(hidden);
}

// There is another thread, and the signal that is to end the program is caught by what allocates.
static void misuse_caught(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_t thread;
    (void)alarm(30); // it would wait for ever
    CHECK(signal(SIGABRT, allocate) != SIG_ERR);
    CHECK(pthread_mutex_lock(&mutex) == 0 && pthread_create(&thread, NULL, wait_for, &mutex) == 0);
    misuse("double");
}

// C23's, by name: not every C library declares them.
static void sized(void)
{
    void (*free_sized)(void *, size_t);
    void (*free_aligned_sized)(void *, size_t, size_t);
    *(void **)&free_sized = dlsym(RTLD_DEFAULT, "free_sized");
    *(void **)&free_aligned_sized = dlsym(RTLD_DEFAULT, "free_aligned_sized");
    CHECK(free_sized != NULL && free_aligned_sized != NULL);
    const size_t used = mallinfo2().uordblks;
    hidden = malloc(100);
    CHECK(hidden != NULL && mallinfo2().uordblks > used);
    free_sized(hidden, 100);
    hidden = aligned_alloc(64, 128);
    CHECK(hidden != NULL && mallinfo2().uordblks > used);
    free_aligned_sized(hidden, 64, 128);
    free_sized(NULL, 0);
    CHECK(mallinfo2().uordblks == used);
}

static void family(void)
{
    void *block = NULL;
    errno = 0;
    hidden = malloc(0);
    CHECK(hidden != NULL && (uintptr_t)hidden % _Alignof(max_align_t) == 0);
    free(hidden);
    hidden = malloc(huge * 4 - 4096);
    CHECK(hidden == NULL && errno == ENOMEM);
    errno = 0;
    hidden = calloc(huge, 8);
    CHECK(hidden == NULL && errno == ENOMEM);
    errno = 0;
    hidden = reallocarray(NULL, huge, 8);
    CHECK(hidden == NULL && errno == ENOMEM);
    CHECK(posix_memalign(&block, 24, 8) == EINVAL && posix_memalign(&block, 1, 8) == EINVAL);
    CHECK(posix_memalign(&block, 4096, 100) == 0 && (uintptr_t)block % 4096 == 0);
    CHECK(malloc_usable_size(block) >= 100);
    errno = 77;
    free(block);
    CHECK(errno == 77);
    errno = 0;
    hidden = memalign(3, 8);
    CHECK(hidden == NULL && errno == EINVAL);
    hidden = aligned_alloc(256, 512);
    CHECK(hidden != NULL && (uintptr_t)hidden % 256 == 0);
    hidden = realloc(hidden, 100000);
    CHECK(hidden != NULL);
    hidden = realloc(hidden, 0);
    CHECK(hidden == NULL);
    hidden = valloc(10);
    CHECK(hidden != NULL && (uintptr_t)hidden % (uintptr_t)sysconf(_SC_PAGESIZE) == 0);
    free(hidden);
    char *text = strdup("text that the C library allocates");
    CHECK(text != NULL && strlen(text) == 33);
    free(text);
    (void)malloc_trim(0);
}

// The same bytes in mallinfo2, mallinfo and on the standard error; and they are this program's.
static void figures(void)
{
    char text[600] = "";
    int ends[2];
    hidden = malloc(1000);
    void *const small = hidden;
    const struct mallinfo2 before = mallinfo2();
    CHECK(before.arena != 0 && before.arena == before.uordblks + before.fordblks && before.keepcost <= before.fordblks);
    hidden = malloc(300000);
    void *const large = hidden;
    const struct mallinfo2 after = mallinfo2();
    CHECK(after.hblks == before.hblks + 1 && after.hblkhd >= before.hblkhd + 300000);
    CHECK(pipe(ends) == 0);
    const int kept = dup(STDERR_FILENO);
    CHECK(kept >= 0 && dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    malloc_stats();
    CHECK(dup2(kept, STDERR_FILENO) == STDERR_FILENO && close(kept) == 0 && close(ends[1]) == 0);
    CHECK(read(ends[0], text, sizeof text - 1) > 0 && close(ends[0]) == 0);
    const struct mallinfo2 same = mallinfo2();
    CHECK(memcmp(&same, &after, sizeof same) == 0); // none of it allocates
    const char *const in_use = strstr(text, "in use");
    CHECK(strncmp(text, "cairn:\n", 7) == 0 && in_use != NULL && strtoul(in_use + 6, NULL, 10) == after.uordblks);
    free(large);
    free(small);
    CHECK(mallinfo2().uordblks < after.uordblks && mallinfo2().hblks == before.hblks);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    CHECK((size_t)mallinfo().uordblks == mallinfo2().uordblks && (size_t)mallinfo().arena == mallinfo2().arena);
#pragma GCC diagnostic pop
    CHECK(malloc_trim(0) == 1 && mallinfo2().keepcost <= 16);
    CHECK(malloc_trim(0) == 0);
    for (unsigned i = 0; i < 3; i++) { // the first is mapped and goes back, the others are kept
        hidden = malloc(400000);
        CHECK(mallinfo2().hblks == before.hblks + (i == 0));
        free(hidden);
        CHECK(mallinfo2().hblks == before.hblks && (i == 0 || mallinfo2().keepcost >= 400000));
    }
}

// Pages of the process that are in memory.
static long resident(void)
{
    char text[100] = "";
    const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    CHECK(file >= 0 && read(file, text, sizeof text - 1) > 0 && close(file) == 0);
    return strtol(strchr(text, ' '), NULL, 10);
}

// Whole pages inside free blocks go back; what lies between them stays, and the free blocks are as good as before.
static void trim(void)
{
    static unsigned char *large[40];
    static unsigned char *small[40];
    const long page = sysconf(_SC_PAGESIZE);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 40; i++) {
            hidden = malloc(100000);
            large[i] = hidden;
            hidden = malloc(24);
            small[i] = hidden;
            CHECK(large[i] != NULL && small[i] != NULL);
            memset(large[i], (int)i, 100000);
            memset(small[i], (int)i, 24);
        }
        for (unsigned i = 0; i < 40; i++) {
            CHECK(large[i][0] == i && large[i][99999] == i);
            free(large[i]);
        }
        const long before = resident();
        CHECK(malloc_trim(0) == 1);
        CHECK(before - resident() >= 40 * (100000 / page - 3)); // not the two that it shares with others, nor the last, which has links
        for (unsigned i = 0; i < 40; i++) {
            CHECK(small[i][0] == i && small[i][23] == i);
            free(small[i]);
        }
    }
}

// Taken before the first request, refused behind it. pre: nothing has been requested.
static void settings(void)
{
    CHECK(mallopt(M_MMAP_THRESHOLD, 20000) == 1 && mallopt(M_TOP_PAD, 1 << 20) == 1 && mallopt(M_TRIM_THRESHOLD, -1) == 1);
    CHECK(mallopt(M_TOP_PAD, -1) == 0 && mallopt(M_MXFAST, 64) == 0);
    for (unsigned i = 0; i < 2; i++) { // what is set stays
        hidden = malloc(20000);
        CHECK(mallinfo2().hblks == 1);
        free(hidden);
    }
    void *blocks[100];
    size_t most = 0;
    for (unsigned i = 0; i < 100; i++) {
        blocks[i] = malloc(19000);
        most = mallinfo2().keepcost > most ? mallinfo2().keepcost : most;
    }
    CHECK(mallinfo2().hblks == 0 && most > 1 << 19);
    for (unsigned i = 0; i < 100; i++) {
        free(blocks[i]);
    }
    CHECK(mallinfo2().keepcost >= 1900000);
    CHECK(mallopt(M_MMAP_THRESHOLD, 30000) == 0);
}

// The environment has a threshold of 40000, and a pad of 1 MB.
static void environment(void)
{
    void *blocks[8];
    for (unsigned i = 0; i < 8; i++) {
        blocks[i] = malloc(39999);
    }
    CHECK(mallinfo2().hblks == 0 && mallinfo2().keepcost > 500000);
    for (unsigned i = 0; i < 8; i++) {
        free(blocks[i]);
    }
    hidden = malloc(40000);
    CHECK(mallinfo2().hblks == 1);
    free(hidden);
}

static void *churn(void *context)
{
    unsigned random = (unsigned)(uintptr_t)context;
    unsigned char *blocks[64] = {0};
    for (unsigned i = 0; i < 100000; i++) {
        random = random * 1664525u + 1013904223u;
        const unsigned at = random >> 26;
        const size_t size = 1 + (random >> 8 & 2047);
        if (blocks[at] != NULL && blocks[at][0] != (unsigned char)at) {
            return "bytes changed";
        }
        free(blocks[at]);
        blocks[at] = malloc(size);
        if (blocks[at] == NULL) {
            return "no memory";
        }
        memset(blocks[at], (int)at, size);
    }
    for (unsigned at = 0; at < 64; at++) {
        free(blocks[at]);
    }
    return NULL;
}

// All that a child may have, in large blocks and in small ones; then it goes on as if nothing had been.
static void *run_out(void)
{
    static void *blocks[4096];
    unsigned count = 0;
    const struct rlimit limit = {(rlim_t)96 << 20, (rlim_t)96 << 20};
    if (setrlimit(RLIMIT_DATA, &limit) != 0) {
        return "no limit";
    }
    for (size_t size = (size_t)8 << 20; size >= 16; size /= 8) {
        errno = 0;
        while (count < 4096 && (blocks[count] = malloc(size)) != NULL) {
            memset(blocks[count++], 1, 16);
        }
        if (count < 4096 && errno != ENOMEM) {
            return "no error";
        }
    }
    while (count != 0) {
        free(blocks[--count]);
    }
    hidden = malloc((size_t)4 << 20);
    return hidden == NULL ? "what was freed is not there" : churn((void *)(uintptr_t)5);
}

// Children are made while other threads are inside the heap; some of them run out of memory.
static void forks(void)
{
    pthread_t threads[4];
    for (uintptr_t i = 0; i < 4; i++) {
        CHECK(pthread_create(&threads[i], NULL, churn, (void *)(i + 1)) == 0);
    }
    for (unsigned i = 0; i < 50; i++) {
        const pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            _exit((i % 10 == 0 ? run_out() : churn((void *)(uintptr_t)(i + 9))) != NULL);
        }
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        void *wrong = NULL;
        CHECK(pthread_join(threads[i], &wrong) == 0 && wrong == NULL);
    }
}

static unsigned handled;

static void handle(void)
{
    hidden = malloc(100);
    handled += hidden != NULL;
    free(hidden);
}

// Handlers of fork that allocate, registered before the first request, while there is another thread. pre: nothing has been requested.
static void handlers(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_t thread;
    (void)alarm(30); // it would wait for ever
    CHECK(pthread_atfork(handle, handle, handle) == 0);
    CHECK(pthread_mutex_lock(&mutex) == 0 && pthread_create(&thread, NULL, wait_for, &mutex) == 0);
    const pid_t child = fork();
    CHECK(child >= 0 && handled == 2);
    if (child == 0) {
        handle();
        _exit(handled != 3);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(pthread_mutex_unlock(&mutex) == 0 && pthread_join(thread, NULL) == 0);
}

static size_t in_use(void)
{
    char text[64] = "";
    const int file = open("/proc/self/statm", O_RDONLY);
    CHECK(file >= 0 && read(file, text, sizeof text - 1) > 0 && close(file) == 0);
    return strtoul(text, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static void limit_to(bool is_data, size_t bytes) // else address space
{
    struct rlimit limit;
    CHECK(getrlimit(is_data ? RLIMIT_DATA : RLIMIT_AS, &limit) == 0);
    limit.rlim_cur = bytes;
    CHECK(setrlimit(is_data ? RLIMIT_DATA : RLIMIT_AS, &limit) == 0);
}

// Bytes of so many small blocks as there is memory for; they are linked from the first on.
static size_t take_all(void ***blocks)
{
    size_t bytes = 0;
    void **block;
    errno = 0;
    while ((block = malloc(3000)) != NULL) {
        *block = *blocks;
        *blocks = block;
        bytes += 3000;
    }
    CHECK(errno == ENOMEM);
    return bytes;
}

static void free_all(void **blocks)
{
    while (blocks != NULL) {
        void **const next = *blocks;
        free(blocks);
        blocks = next;
    }
}

// What a limit leaves is there for requests: of address space, and of data when it is raised. pre: nothing has been requested.
static void limits(void)
{
    void **blocks = NULL;
    pid_t child = fork();
    int status = -1;
    if (child == 0) {
        limit_to(false, in_use() + ((size_t)10 << 20));
        CHECK(take_all(&blocks) > (size_t)8 << 20);
        free_all(blocks);
        _exit(0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    child = fork();
    if (child == 0) {
        limit_to(true, (size_t)6 << 20);
        CHECK(take_all(&blocks) > (size_t)3 << 20);
        limit_to(true, (size_t)48 << 20);
        CHECK(take_all(&blocks) > (size_t)32 << 20);
        free_all(blocks);
        for (unsigned i = 0; i < 2; i++) { // in small blocks, in a large one, and again
            hidden = malloc((size_t)32 << 20);
            CHECK(hidden != NULL);
            hidden = realloc(hidden, (size_t)40 << 20);
            CHECK(hidden != NULL);
            free(hidden);
            blocks = NULL;
            CHECK(take_all(&blocks) > (size_t)40 << 20);
            free_all(blocks);
        }
        errno = 0;
        hidden = malloc(huge);
        CHECK(hidden == NULL && errno == ENOMEM);
        _exit(0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

static void *flush_all(void *context)
{
    for (;;) {
        CHECK(fflush(NULL) == 0);
    }
    return context;
}

// Allocates while it holds a stream.
static void *read_lines(void *name)
{
    for (;;) {
        char *line = NULL;
        size_t size = 0;
        FILE *const file = fopen(name, "r");
        CHECK(file != NULL);
        while (getline(&line, &size, file) > 0) {
            free(line);
            line = NULL;
            size = 0;
        }
        free(line);
        (void)fclose(file);
    }
    return name;
}

// Forks while one thread waits for streams with their list, and others for memory with a stream.
static void streams(const char *name)
{
    static char copy[4096];
    pthread_t thread;
    (void)alarm(60); // they would wait for each other for ever
    CHECK(strlen(name) < sizeof copy);
    (void)strcpy(copy, name);
    CHECK(pthread_create(&thread, NULL, flush_all, NULL) == 0);
    for (unsigned i = 0; i < 2; i++) {
        CHECK(pthread_create(&thread, NULL, read_lines, copy) == 0);
    }
    for (unsigned i = 0; i < 200; i++) {
        const pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            FILE *const file = fopen(copy, "r");
            _exit(file == NULL || fclose(file) != 0 || fflush(NULL) != 0);
        }
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    _exit(0); // the threads never end
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    if (strcmp(argv[1], "settings") == 0) {
        settings();
    } else if (strcmp(argv[1], "environment") == 0) {
        environment();
    } else if (strcmp(argv[1], "figures") == 0) {
        figures();
    } else if (strcmp(argv[1], "trim") == 0) {
        trim();
    } else if (strcmp(argv[1], "handlers") == 0) {
        handlers();
    } else if (strcmp(argv[1], "streams") == 0) {
        streams(argv[0]);
    } else if (strcmp(argv[1], "limits") == 0) {
        limits();
    } else if (strcmp(argv[1], "calls") == 0) {
        family();
        sized();
        forks();
    } else if (strcmp(argv[1], "caught") == 0) {
        misuse_caught();
    } else {
        misuse(argv[1]); // and not come back
    }
    return 0;
}
