// SPDX-License-Identifier: MIT
//
// Fuzz target: a heap and what is done to it, against a naive model of the live blocks, each full of its own pattern.
//
// PICTURE: the input: configuration, region size, then operations of 2 to 4 bytes until it runs out.
// INVARIANTS: a live block's bytes stay what they were, no two overlap, a bad pointer is reported and changes nothing; the check passes after each
//     operation until a link is damaged on purpose; after that blocks must still be the user's own, whatever is reported.
// OWNS: the model. CALLERS: libFuzzer; replay.c.
#include "input.h"

#define LIVE 48u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct live {
    unsigned char *at;
    size_t size;
    uint8_t mark;
};

struct run {
    struct ground ground;
    struct input input;
    struct live live[LIVE];
    uint32_t count;
    uint8_t mark;
    uint32_t cursor; // of check_step
    bool unknown;    // a block was asked for at more than a granule, or without a bounded fit: a bounded heap may not know its margin
};

static void fill(struct live *live)
{
    for (size_t i = 0; i < live->size; i++) {
        live->at[i] = (uint8_t)(live->mark + i);
    }
}

static void verify(const struct live *live, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        MUST(live->at[i] == (uint8_t)(live->mark + i));
    }
}

// A block came from the heap: inside the region, its own, at least so long.
static void admit(struct run *run, struct live *live, void *block, size_t size, size_t alignment)
{
    live->at = block;
    live->size = cairn_heap_usable_size(&run->ground.heap, block);
    live->mark = run->mark += 37;
    MUST(live->size >= size && ((uintptr_t)block & (alignment - 1)) == 0 && ((uintptr_t)block & (CAIRN_GRANULE - 1)) == 0);
    MUST(live->at > run->ground.region && live->at + live->size <= run->ground.region + run->ground.size);
    for (uint32_t i = 0; i < run->count; i++) {
        const struct live *const other = &run->live[i];
        MUST(other == live || other->at + other->size <= live->at || live->at + live->size <= other->at);
    }
    fill(live);
}

// Sizes with the interesting ones in reach: small, some, near the region, near SIZE_MAX.
static size_t size_from(struct run *run)
{
    const uint32_t half = input_half(&run->input);
    switch (half >> 14) {
    case 0:
        return half & 63;
    case 1:
        return half & 1023;
    case 2:
        return half & 0x3FFF;
    default:
        return (half & 0x2000) != 0 ? half % run->ground.size : SIZE_MAX - (half & 31);
    }
}

static size_t alignment_from(struct run *run)
{
    const uint8_t what = input_byte(&run->input);
    return what < 240 ? (size_t)1 << what % 10 : what == 240 ? 0 : what == 241 ? 24 : (size_t)1 << (what & 31);
}

static void do_alloc(struct run *run, uint8_t how)
{
    const size_t size = size_from(run);
    size_t alignment = 1;
    void *block;
    if (run->count == LIVE) {
        return;
    }
    if (how == 0) {
        block = cairn_heap_alloc(&run->ground.heap, size);
    } else if (how == 1) {
        const size_t count = 1 + (size & 3);
        block = cairn_heap_calloc(&run->ground.heap, count, size);
        if (block != NULL) {
            const unsigned char *const bytes = block;
            for (size_t i = 0; i < count * size; i++) {
                MUST(bytes[i] == 0);
            }
        }
    } else {
        alignment = alignment_from(run);
        run->unknown |= alignment > CAIRN_GRANULE;
        block = cairn_heap_aligned_alloc(&run->ground.heap, alignment, size);
        MUST(block == NULL || is_power_of_two(alignment));
    }
    MUST(block == NULL || size != 0);
    if (block != NULL) {
        admit(run, &run->live[run->count], block, size, alignment);
        run->count++;
    }
}

static struct live *pick(struct run *run)
{
    const uint8_t which = input_byte(&run->input);
    return run->count == 0 ? NULL : &run->live[which % run->count];
}

static void do_free(struct run *run)
{
    struct live *const live = pick(run);
    if (live != NULL) {
        verify(live, live->size);
        cairn_heap_free(&run->ground.heap, live->at);
        MUST(cairn_heap_usable_size(&run->ground.heap, live->at) == 0);
        *live = run->live[--run->count];
    }
}

static void do_realloc(struct run *run, bool aligned)
{
    struct live *const live = pick(run);
    const size_t size = size_from(run);
    const size_t alignment = aligned ? alignment_from(run) : 1;
    run->unknown |= alignment > CAIRN_GRANULE;
    if (live == NULL) {
        return;
    }
    verify(live, live->size);
    const struct live old = *live;
    void *const block = aligned ? cairn_heap_aligned_realloc(&run->ground.heap, old.at, alignment, size)
                                : cairn_heap_realloc(&run->ground.heap, old.at, size);
    if (size == 0) {
        MUST(block == NULL && cairn_heap_usable_size(&run->ground.heap, old.at) == 0);
        *live = run->live[--run->count];
    } else if (block == NULL) {
        MUST(cairn_heap_usable_size(&run->ground.heap, old.at) == old.size);
        verify(live, live->size);
    } else {
        live->at = block;
        verify(live, size < old.size ? size : old.size);
        admit(run, live, block, size, alignment);
    }
}

static void do_resize(struct run *run)
{
    struct live *const live = pick(run);
    const size_t size = size_from(run);
    if (live == NULL) {
        return;
    }
    const size_t old = live->size;
    const int error = cairn_heap_resize(&run->ground.heap, live->at, size);
    MUST(error == 0 || error == (size == 0 ? CAIRN_EINVAL : CAIRN_ENOMEM));
    verify(live, error == 0 && size < old ? size : old);
    if (error == 0) {
        admit(run, live, live->at, size, 1);
    }
}

// A pointer that is no live block: refused, with a report.
static void do_bad_pointer(struct run *run)
{
    const uint8_t how = input_byte(&run->input);
    const uint32_t offset = input_half(&run->input);
    const unsigned char *const base = (how & 1) != 0 ? run->ground.heap.base : run->ground.region - 64;
    unsigned char *const address = (unsigned char *)((uintptr_t)base + ((how & 2) != 0 ? offset * CAIRN_GRANULE : offset) % (run->ground.size + 128));
    for (uint32_t i = 0; i < run->count; i++) {
        if (run->live[i].at == address) {
            return;
        }
    }
    const uint32_t before = run->ground.reports;
    MUST(cairn_heap_usable_size(&run->ground.heap, address) == 0);
    if (how < 0x80) {
        cairn_heap_free(&run->ground.heap, address);
    } else if (how < 0xC0) {
        MUST(cairn_heap_realloc(&run->ground.heap, address, 24) == NULL);
    } else {
        MUST(cairn_heap_resize(&run->ground.heap, address, 24) == CAIRN_EINVAL);
    }
    MUST(run->ground.reports == before + 1 && run->ground.report.what != CAIRN_WRONG_LINK && run->ground.report.address == address);
}

struct hunt {
    uint32_t left;
    unsigned char *found;
    size_t size;
};

static int hunt(void *context, const struct cairn_block *block)
{
    struct hunt *const it = context;
    if (!block->used) {
        it->found = block->address;
        it->size = block->size;
        return it->left-- == 0;
    }
    return 0;
}

// Write over the links of a free block, as a program with a stale pointer does.
static void do_damage(struct run *run)
{
    struct hunt it = {.left = input_byte(&run->input) % 8};
    const uint8_t where = input_byte(&run->input);
    const uint8_t value = input_byte(&run->input);
    (void)cairn_heap_walk(&run->ground.heap, hunt, &it);
    if (it.found != NULL) {
        const size_t room = it.size < 16 ? it.size : 16;
        run->ground.damaged = true;
        if ((where & 0x80) != 0) {
            it.found[where % room] = value;
        } else {
            memset(it.found, value, room);
        }
    }
}

static void do_move_end(struct run *run)
{
    struct ground *const ground = &run->ground;
    const size_t size = input_half(&run->input) % (ground->max_size + 40);
    struct cairn_heap_stats before, after;
    cairn_heap_stats(&ground->heap, &before);
    const int error = size < ground->size ? cairn_heap_shrink(&ground->heap, size) : cairn_heap_grow(&ground->heap, size);
    cairn_heap_stats(&ground->heap, &after);
    if (error == 0) {
        ground->size = size;
        MUST(after.used == before.used);
    } else {
        MUST(error == CAIRN_EINVAL || error == CAIRN_ENOMEM || error == CAIRN_EBUSY || (ground->damaged && error == CAIRN_ECORRUPT));
        MUST(after.size == before.size);
    }
}

static void do_look(struct run *run)
{
    static const uint16_t searches[] = {0, 1, CAIRN_SEARCH_ALL, 7};
    const uint8_t how = input_byte(&run->input);
    struct cairn_margin margin;
    const int error = cairn_heap_check_step(&run->ground.heap, &run->cursor, 1 + how % 4, NULL);
    MUST(error == 0 || run->ground.damaged);
    run->unknown |= run->ground.heap.control->fit != CAIRN_FIT_BOUNDED && run->ground.heap.control->used != 0;
    MUST(cairn_heap_set_fit(&run->ground.heap, (enum cairn_fit)(how >> 2 & 3), searches[how >> 4 & 3]) == 0);
    const int answer = cairn_heap_margin(&run->ground.heap, &margin);
    MUST(answer == ((how >> 2 & 3) == CAIRN_FIT_BOUNDED ? 0 : CAIRN_ENOTSUP) || (answer == CAIRN_ENOTSUP && run->unknown));
}

static void step(struct run *run)
{
    static const uint8_t acts[16] = {0, 0, 0, 1, 2, 2, 3, 3, 3, 4, 4, 5, 6, 7, 8, 9};
    const uint8_t what = input_byte(&run->input);
    switch (acts[what & 15]) {
    case 0:
        do_alloc(run, 0);
        break;
    case 1:
        do_alloc(run, 1);
        break;
    case 2:
        do_alloc(run, 2);
        break;
    case 3:
        do_free(run);
        break;
    case 4:
        do_realloc(run, (what & 16) != 0);
        break;
    case 5:
        do_resize(run);
        break;
    case 6:
        do_bad_pointer(run);
        break;
    case 7:
        do_move_end(run);
        break;
    case 8:
        do_look(run);
        break;
    default:
        if (what >= 0xE0) {
            do_damage(run);
        }
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run run = {.input = {data, size}};
    if (!ground_init(&run.ground, &run.input)) {
        return 0;
    }
    while (run.input.left != 0) {
        step(&run);
        if (!run.ground.damaged) {
            MUST(cairn_heap_check(&run.ground.heap, NULL) == 0);
            MUST(run.ground.reports == 0 || run.ground.report.what != CAIRN_WRONG_LINK);
        }
    }
    size_t used = 0;
    for (uint32_t i = 0; i < run.count; i++) {
        verify(&run.live[i], run.live[i].size);
        used += run.live[i].size;
    }
    struct cairn_heap_stats stats;
    cairn_heap_stats(&run.ground.heap, &stats);
    MUST(stats.used == used && stats.used_blocks == run.count);
    while (run.count != 0) {
        cairn_heap_free(&run.ground.heap, run.live[--run.count].at);
    }
    cairn_heap_stats(&run.ground.heap, &stats);
    MUST(stats.used == 0 && (run.ground.damaged || stats.free_blocks == 1));
    ground_deinit(&run.ground);
    return 0;
}
