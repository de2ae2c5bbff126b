// SPDX-License-Identifier: MIT
//
// Visits every state that a small heap can reach, and tries every operation in each.
//
//   explore [--last N] [--wide W] [--threads T] [--floor STATES] [--out FILE]
//
// PICTURE: for each length 1 .. N: from the empty heap, breadth first; a state is which granules start used and free blocks, and the order of
//     each list. The number of states that the rules T1 to T7 allow is counted apart, by recursion over the rules alone; the
//     search must find exactly so many: fewer means that it missed some, more that the heap left the rules.
//     Heaps longer than W are explored sparingly: moves.h says what is left out.
// OWNS: the threads, the printing. COST: 8 to 30 bytes of memory a state of the longest heap.
#define _POSIX_C_SOURCE 200809L
#include "found.h"
#include "moves.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LONGEST 20u // 3^20 < 2^32
#define THREADS 8u

static uint64_t key_of(struct shape shape)
{
    return shape.order << 32 | shape.blocks;
}

static bool add(void *context, struct shape shape)
{
    return found_add(context, key_of(shape));
}

// States that the rules allow for what is left of a heap. count[l]: free blocks in list l so far; orders: of the lists so far.
static uint64_t legal(uint32_t left, bool after_free, uint32_t count[IMAGE_LISTS], uint64_t orders)
{
    uint64_t sum = left == 0 ? orders : 0;
    for (uint32_t length = 1; length <= left; length++) {
        sum += legal(left - length, false, count, orders);
        if (!after_free) {
            const uint32_t list = image_list(length);
            sum += legal(left - length, true, count, orders * ++count[list]);
            count[list]--;
        }
    }
    return sum;
}

static void draw(const struct view *view, uint32_t granules)
{
    for (uint32_t g = 1; g <= granules; g++) {
        const bool starts = (view->start >> g & 1) != 0;
        putchar(!starts ? '-' : is_free_in(view, g) ? 'f' : 'U');
    }
    putchar('\n');
}

struct job {
    pthread_t thread;
    struct found *found;
    struct worker *worker;
    _Atomic bool *stop;
};

static void *work(void *context)
{
    struct job *const job = context;
    uint64_t key;
    while (!*job->stop && (key = found_take(job->found)) != 0) {
        if (!worker_visit(job->worker, (struct shape){key & 0xFFFFFFFFu, key >> 32})) {
            *job->stop = true;
        }
        found_visited(job->found);
    }
    return NULL;
}

static void complain(const struct worker *worker)
{
    printf("WRONG: %s\n  operation: %s block %u, %u granules, alignment %u, fit %u, search %u\n  before: ", worker->wrong, worker->op.name,
           worker->op.block, worker->op.granules, worker->op.alignment, worker->op.fit, worker->op.search);
    draw(&worker->view, worker->from.granules);
}

struct total {
    uint64_t states;
    uint64_t sparing; // of these
    uint64_t operations;
};

static bool explore(uint32_t granules, bool sparing, uint32_t threads, FILE *out, struct total *total)
{
    uint32_t count[IMAGE_LISTS] = {0};
    const uint64_t expected = legal(granules, false, count, 1);
    struct worker *const workers = aligned_alloc(64, sizeof *workers * threads);
    struct job jobs[THREADS];
    struct found found;
    struct shape first;
    struct timespec begun, ended;
    _Atomic bool stop = false;
    uint64_t operations = 0;
    timespec_get(&begun, TIME_UTC);
    if (workers == NULL || !found_init(&found, expected)) {
        printf("no memory for %llu states\n", (unsigned long long)expected);
        return false;
    }
    for (uint32_t i = 0; i < threads; i++) {
        workers[i].found = add;
        workers[i].context = &found;
        stop |= !worker_init(&workers[i], granules, granules * 3);
        workers[i].sparing = sparing;
        jobs[i] = (struct job){.found = &found, .worker = &workers[i], .stop = &stop};
    }
    stop |= image_read(&workers[0].at, &first, NULL) != NULL || !add(&found, first);
    for (uint32_t i = 0; i < threads; i++) {
        stop |= pthread_create(&jobs[i].thread, NULL, work, &jobs[i]) != 0;
    }
    for (uint32_t i = 0; i < threads; i++) {
        pthread_join(jobs[i].thread, NULL);
        operations += workers[i].operations;
        if (workers[i].wrong != NULL) {
            complain(&workers[i]);
        }
    }
    timespec_get(&ended, TIME_UTC);
    const uint64_t states = found.tail;
    const double seconds = (double)(ended.tv_sec - begun.tv_sec) + 1e-9 * (double)(ended.tv_nsec - begun.tv_nsec);
    fprintf(out, "%u,%u,%llu,%llu,%llu,%d\n", 1u << CAIRN_TAG_SHIFT, granules, (unsigned long long)states, (unsigned long long)expected,
            (unsigned long long)operations, sparing);
    fflush(out);
    printf("%2u granules: %11llu states, %11llu legal, %13llu operations, %.1f s%s\n", granules, (unsigned long long)states,
           (unsigned long long)expected, (unsigned long long)operations, seconds, sparing ? ", sparingly" : "");
    fflush(stdout);
    total->states += states;
    total->sparing += sparing ? states : 0;
    total->operations += operations;
    found_deinit(&found);
    free(workers);
    return !stop && states == expected;
}

int main(int argc, char **argv)
{
    uint32_t last = 13, wide = 10, threads = 1;
    uint64_t floor = 0;
    struct total total = {0};
    FILE *out = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--last") == 0) {
            last = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--wide") == 0) {
            wide = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--threads") == 0) {
            threads = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--floor") == 0) {
            floor = strtoull(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--out") == 0) {
            out = fopen(argv[i + 1], "w");
        }
    }
    if (out == NULL && (out = fopen("/dev/null", "w")) == NULL) {
        return 2;
    }
    if (last < 1 || last > LONGEST || threads < 1 || threads > THREADS) {
        fprintf(stderr, "explore: lengths 1 to %u, threads 1 to %u\n", LONGEST, THREADS);
        return 2;
    }
    fprintf(out, "tag_granules,granules,states,legal,operations,sparing\n");
    printf("every state of heaps of 1 to %u granules, %u granules a pair of tag words\n", last, 1u << CAIRN_TAG_SHIFT);
    bool right = true;
    for (uint32_t granules = 1; granules <= last && right; granules++) {
        right = explore(granules, granules > wide, threads, out, &total);
    }
    printf("%llu distinct states, %llu operations: %llu states completely, %llu sparingly\n", (unsigned long long)total.states,
           (unsigned long long)total.operations, (unsigned long long)(total.states - total.sparing), (unsigned long long)total.sparing);
    fclose(out);
    if (right && total.states < floor) {
        printf("below the floor of %llu states\n", (unsigned long long)floor);
        right = false;
    }
    return right ? 0 : 1;
}
