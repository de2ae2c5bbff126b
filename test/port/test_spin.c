// SPDX-License-Identifier: MIT
//
// OWNS        the proof of port/baremetal/spin.c: threads stand in for cores, a counter for the interrupt mask. And a lock of the chip that is free.
// CALLERS     ctest, on host presets.
#include "port/baremetal/lock.h"
#include "port/baremetal/spin.h"

#include "cairn/heap.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define CORES 3u
#define ROUNDS 20000u

static _Thread_local uint32_t masked; // of this "core"

uint32_t baremetal_lock(void *context)
{
    (void)context;
    return masked++;
}

void baremetal_unlock(void *context, uint32_t key)
{
    (void)context;
    masked = key;
}

static struct baremetal_spin spin;
static struct cairn_heap heap;
static _Alignas(16) unsigned char region[65536];

static void *core(void *context)
{
    const unsigned char id = (unsigned char)(uintptr_t)context;
    unsigned char *blocks[16] = {0};
    uint32_t random = id;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        random = random * 1664525u + 1013904223u;
        unsigned char **const block = &blocks[random >> 28];
        if (*block != NULL && (**block != id || masked != 0)) {
            return "another core wrote here, or interrupts stayed off";
        }
        cairn_heap_free(&heap, *block);
        *block = cairn_heap_alloc(&heap, 1 + (random >> 8 & 255));
        if (*block == NULL) {
            return "no memory";
        }
        **block = id;
    }
    for (uint32_t i = 0; i < 16; i++) {
        cairn_heap_free(&heap, blocks[i]);
    }
    return NULL;
}

static void cores_share_a_heap(void **state)
{
    (void)state;
    static const struct cairn_heap_hooks hooks = {.hooked = CAIRN_HOOKED, .lock = baremetal_spin_lock, .unlock = baremetal_spin_unlock};
    static const struct cairn_heap_config config = {.hooks = &hooks, .context = &spin};
    pthread_t cores[CORES];
    spin = (struct baremetal_spin){0};
    assert_int_equal(cairn_heap_init(&heap, region, sizeof region, &config), 0);
    for (uintptr_t i = 0; i < CORES; i++) {
        assert_int_equal(pthread_create(&cores[i], NULL, core, (void *)(i + 1)), 0);
    }
    for (uint32_t i = 0; i < CORES; i++) {
        void *wrong;
        assert_int_equal(pthread_join(cores[i], &wrong), 0);
        assert_null(wrong);
    }
    assert_int_equal(cairn_heap_check(&heap, NULL), 0);
    struct cairn_heap_stats stats;
    cairn_heap_stats(&heap, &stats);
    assert_int_equal(stats.used, 0);
    assert_int_equal(spin.word, 0);
}

static void a_lock_of_the_chip_is_given_back_by_a_write(void **state)
{
    (void)state;
    volatile uint32_t chip = 0x100; // free: a read gives something
    spin = (struct baremetal_spin){.hardware = &chip};
    masked = 0;
    const uint32_t key = baremetal_spin_lock(&spin);
    assert_int_equal(key, 0);
    assert_int_equal(masked, 1);
    assert_int_equal(chip, 0x100); // only read
    baremetal_spin_unlock(&spin, key);
    assert_int_equal(chip, 1);
    assert_int_equal(masked, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(cores_share_a_heap),
        cmocka_unit_test(a_lock_of_the_chip_is_given_back_by_a_write),
    };
    return cmocka_run_group_tests_name("spin", tests, NULL, NULL);
}
