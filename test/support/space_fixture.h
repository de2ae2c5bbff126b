// SPDX-License-Identifier: MIT
//
// A vm with two spaces that have a break, and what says whether a space's heap is whole: its image, copied out, is a heap like any other.
//
// OWNS        up to 40 frames and 1200 slots of 128 bytes, memory for tables, two spaces; the copy of an image.
// PICTURE     pages of 128 bytes, 1024 of them (128 KB); the break begins at page 4.       [heap + 16, break) -> copy -> cairn_heap_attach, cairn_heap_check
// INVARIANTS  1. After every test the vm is whole, no page is pinned, and when its spaces have ended nothing is left.
// COST        450 KB of RAM.
// CALLERS     test/unit/test_space_*.c.
#ifndef CAIRN_TEST_SPACE_FIXTURE_H
#define CAIRN_TEST_SPACE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cairn/access.h"
#include "cairn/heap.h"
#include "cairn/space_heap.h"
#include "cairn/store.h"
#include "heap/control.h"

#include "faulty_store.h"

#include <string.h>

#define PAGE 128u
#define FRAMES 40u
#define SLOTS 1200u
#define PAGES 1024u
#define BREAK (4u * PAGE)
#define RW (CAIRN_READ | CAIRN_WRITE)
#define VM (&sf.vm)
#define SPACE (&sf.space)
#define OTHER (&sf.other)

struct space_fixture {
    struct cairn_vm vm;
    struct cairn_store_ram ram;
    struct faulty_store store;
    struct cairn_space space, other;
    struct cairn_space hoard; // has frames that nobody else is to have
    uint32_t hoarded;
};

static struct space_fixture sf;
static _Alignas(PAGE) unsigned char sf_frames[FRAMES * PAGE];
static _Alignas(8) unsigned char sf_memory[40 * 1024];
static unsigned char sf_slots[SLOTS * PAGE];
static _Alignas(16) unsigned char sf_image[PAGES * PAGE], sf_before[PAGES * PAGE];

static inline int space_setup(void **state)
{
    (void)state;
    memset(&sf, 0, sizeof sf);
    memset(sf_memory, 0xA5, sizeof sf_memory);
    memset(sf_frames, 0xA5, sizeof sf_frames);
    if (cairn_store_ram_init(&sf.ram, sf_slots, sizeof sf_slots, PAGE, SLOTS) != 0) {
        return -1;
    }
    faulty_store_init(&sf.store, &sf.ram.store);
    const struct cairn_vm_config config = {.page_shift = 7,
                                           .levels = 2,
                                           .bits = {5, 5},
                                           .tlb = 8,
                                           .frames = sf_frames,
                                           .frame_count = FRAMES,
                                           .memory = sf_memory,
                                           .size = sizeof sf_memory,
                                           .policy = &cairn_policy_clock,
                                           .store = &sf.store.store};
    if (cairn_vm_init(VM, &config) != 0 || cairn_space_init(SPACE, VM) != 0 || cairn_space_init(OTHER, VM) != 0) {
        return -1;
    }
    return cairn_space_set_break(SPACE, BREAK) != 0 || cairn_space_set_break(OTHER, BREAK) != 0 ? -1 : 0;
}

// The vm is whole, and no frame is pinned but those that are hoarded.
static inline void space_sound(void)
{
    uint32_t rule = 0;
    uint32_t pinned = 0;
    if (cairn_vm_check(VM, &rule) != 0) {
        fail_msg("V%u is broken", (unsigned)rule);
    }
    for (uint32_t frame = 0; frame < VM->frame_count; frame++) {
        pinned += VM->table[frame].pins;
    }
    assert_int_equal(pinned, sf.hoarded);
}

static inline int space_teardown(void **state)
{
    (void)state;
    space_sound();
    while (VM->spaces != NULL) {
        if (cairn_space_deinit(VM->spaces) != 0) {
            return -1;
        }
    }
    struct cairn_vm_figures now;
    cairn_vm_figures(VM, &now);
    return now.frames_free != FRAMES || now.slots_used != 0 || now.tables != 0 || VM->committed != 0 ? -1 : 0;
}

// The heap's image is copied to `bytes`. Returns how long it is.
static inline size_t space_image(struct cairn_space *space, unsigned char *bytes)
{
    const cairn_vaddr_t image = space->heap + 16;
    const size_t size = (size_t)(space->break_end - image);
    assert_true(space->heap != 0 && space->heap % 16 == 0 && size <= PAGES * PAGE);
    assert_int_equal(cairn_space_read(space, bytes, image, size), 0);
    return size;
}

// The image is a heap, whole; its figures are those that the space says.
static inline void space_whole(struct cairn_space *space)
{
    struct cairn_heap heap;
    struct cairn_heap_stats stats;
    struct cairn_space_heap_stats its;
    space_sound();
    if (space->heap == 0) {
        return;
    }
    const size_t size = space_image(space, sf_image);
    struct cairn_fault fault;
    assert_int_equal(cairn_heap_attach(&heap, sf_image, size, NULL), 0);
    if (cairn_heap_check(&heap, &fault) != 0) {
        fail_msg("T%u is broken", (unsigned)fault.rule);
    }
    cairn_heap_stats(&heap, &stats);
    assert_int_equal(cairn_space_heap_stats(space, &its), 0);
    assert_int_equal(its.size, stats.size);
    assert_int_equal(its.used, stats.used);
    assert_int_equal(its.free, stats.free);
    assert_int_equal(its.peak, stats.peak);
    assert_int_equal(its.used_blocks, stats.used_blocks);
    assert_int_equal(its.free_blocks, stats.free_blocks);
}

// What a call that fails must leave as it is: what is mapped, promised and held, and the bytes of the heap that mean something.
struct space_shape {
    cairn_vaddr_t heap, break_end, virtual_pages, committed;
    size_t size;
};

// What is free holds anything but its links: it becomes zeros in the copy.
static inline void space_forget_free(unsigned char *image, size_t size)
{
    struct cairn_heap heap;
    if (cairn_heap_attach(&heap, image, size, NULL) != 0) {
        return; // it was forged: all of it counts
    }
    const uint32_t granules = heap.control->granules;
    for (uint32_t from = 0, to; from < granules; from = to) {
        for (to = from + 1; (heap.tags[to / 32].border << to % 32 >> 31) == 0; to++) {
        }
        if ((heap.tags[to / 32].free << to % 32 >> 31) != 0) {
            const uint32_t kept = to - from < 8 ? 1 : 2;
            memset(heap.base + (size_t)from * CAIRN_GRANULE, 0, (size_t)(to - from - kept) * CAIRN_GRANULE);
            memset(heap.base + (size_t)to * CAIRN_GRANULE - CAIRN_GRANULE + 8, 0, CAIRN_GRANULE - 8);
            if (kept == 2) {
                memset(heap.base + (size_t)to * CAIRN_GRANULE - 2 * CAIRN_GRANULE + 4, 0, CAIRN_GRANULE - 4);
            }
        }
    }
}

static inline struct space_shape space_shape(struct cairn_space *space)
{
    struct space_shape shape = {space->heap, space->break_end, space->figures.virtual_pages, VM->committed, 0};
    if (space->heap != 0) {
        shape.size = space_image(space, sf_before);
        space_forget_free(sf_before, shape.size);
    }
    return shape;
}

static inline void space_unchanged(struct cairn_space *space, const struct space_shape *before)
{
    assert_int_equal(space->heap, before->heap);
    assert_int_equal(space->break_end, before->break_end);
    assert_int_equal(space->figures.virtual_pages, before->virtual_pages);
    assert_int_equal(VM->committed, before->committed);
    if (space->heap != 0) {
        assert_int_equal(space_image(space, sf_image), before->size);
        space_forget_free(sf_image, before->size);
        assert_memory_equal(sf_image, sf_before, before->size);
    }
    space_sound();
}

// The call fails with this, and nothing has changed.
#define SPACE_REFUSES(expected, space, call) \
    do { \
        const struct space_shape shape_before = space_shape(space); \
        assert_int_equal(call, expected); \
        space_unchanged(space, &shape_before); \
    } while (0)

// Nobody else is to have more than so many frames: the others are pinned. FRAMES: all may be had again.
static inline void space_leave_frames(uint32_t count)
{
    void *memory;
    size_t run;
    static struct cairn_mapping map;
    if (sf.hoarded != 0) {
        for (uint32_t i = 0; i < sf.hoarded; i++) {
            assert_int_equal(cairn_space_unpin(&sf.hoard, (1 + i) * PAGE), 0);
        }
        sf.hoarded = 0;
        assert_int_equal(cairn_space_deinit(&sf.hoard), 0);
    }
    if (count < FRAMES) {
        assert_int_equal(cairn_space_init(&sf.hoard, VM), 0);
        assert_int_equal(cairn_space_map(&sf.hoard, &map, PAGE, FRAMES * PAGE, RW), 0);
        for (; sf.hoarded < FRAMES - count; sf.hoarded++) {
            assert_int_equal(cairn_space_pin(&sf.hoard, (1 + sf.hoarded) * PAGE, RW, &memory, &run), 0);
        }
    }
}

// All of a space's pages leave.
static inline void space_send_away(struct cairn_space *space)
{
    assert_int_equal(cairn_space_suspend(space), 0);
    cairn_space_resume(space);
}

static inline cairn_vaddr_t space_get(struct cairn_space *space, uint64_t size)
{
    cairn_vaddr_t address = 0;
    assert_int_equal(cairn_space_malloc(space, size, &address), 0);
    assert_true(address != 0 && address % CAIRN_GRANULE == 0);
    return address;
}

static inline void space_drop(struct cairn_space *space, cairn_vaddr_t address)
{
    assert_int_equal(cairn_space_free(space, address), 0);
}

static inline uint64_t space_size(struct cairn_space *space, cairn_vaddr_t address)
{
    uint64_t size = 0;
    assert_int_equal(cairn_space_usable_size(space, address, &size), 0);
    return size;
}

// Fill `size` bytes with what says which block they are; are they there?
static inline void space_write(struct cairn_space *space, cairn_vaddr_t address, size_t size, uint32_t seed)
{
    unsigned char bytes[64];
    for (size_t done = 0; done < size; done += sizeof bytes) {
        const size_t run = size - done < sizeof bytes ? size - done : sizeof bytes;
        for (size_t i = 0; i < run; i++) {
            bytes[i] = (unsigned char)(seed * 37 + (done + i) * 11 + ((done + i) >> 8) + 1);
        }
        assert_int_equal(cairn_space_write(space, address + (cairn_vaddr_t)done, bytes, run), 0);
    }
}

static inline bool space_holds(struct cairn_space *space, cairn_vaddr_t address, size_t size, uint32_t seed)
{
    unsigned char bytes[64];
    for (size_t done = 0; done < size; done += sizeof bytes) {
        const size_t run = size - done < sizeof bytes ? size - done : sizeof bytes;
        int order = 1;
        for (size_t i = 0; i < run; i++) {
            bytes[i] = (unsigned char)(seed * 37 + (done + i) * 11 + ((done + i) >> 8) + 1);
        }
        if (cairn_space_compare(space, address + (cairn_vaddr_t)done, bytes, run, &order) != 0 || order != 0) {
            return false;
        }
    }
    return true;
}

static inline bool space_is_zeros(struct cairn_space *space, cairn_vaddr_t address, size_t size)
{
    uint8_t byte = 0;
    for (size_t i = 0; i < size; i++) {
        if (cairn_space_read(space, &byte, address + (cairn_vaddr_t)i, 1) != 0 || byte != 0) {
            return false;
        }
    }
    return true;
}

#define SPACE_UNIT(test) cmocka_unit_test_setup_teardown(test, space_setup, space_teardown)

#endif
