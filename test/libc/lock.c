// SPDX-License-Identifier: MIT
//
// The lock of preempt.c: cairn_libc_lock by way of the C library's own, as a program with a kernel has it, or as port/libc has it by itself.
//
//   HOOKED 0    interrupts are held off
//   HOOKED 1    newlib: cairn_libc_lock -> __malloc_lock -> mutex    picolibc: cairn_libc_lock -> __LIBC_LOCK -> __retarget_lock_acquire_recursive -> mutex
//   UNLOCKED 1  it is taken out: with HOOKED, what the library has in the place of its hooks
//
// OWNS        a mutex for the two threads of switch.h: who has it, how often.
// INVARIANTS  1. Interrupts stay on in a section: the other thread runs there, and waits. That it did is counted: a mutex that nobody meets proves nothing.
// CALLERS     preempt.c, port/libc, the C library.
#include "lock.h"

#include "port/baremetal/lock.h"
#include "port/libc/libc.h"
#include "switch.h"

static volatile uint32_t waits;

uint32_t lock_waits(void)
{
    return waits;
}

#if HOOKED && !UNLOCKED

static volatile uint32_t owner; // 0: nobody; else 1 + the thread
static uint32_t depth;

static void mutex_take(void)
{
    for (bool waited = false;; waited = true) {
        const uint32_t key = baremetal_lock(NULL);
        const uint32_t self = 1 + switch_thread();
        const bool mine = owner == 0 || owner == self;
        if (mine) {
            owner = self;
            depth++;
        }
        waits += !mine && !waited;
        baremetal_unlock(NULL, key);
        if (mine) {
            return;
        }
    }
}

static void mutex_give(void)
{
    const uint32_t key = baremetal_lock(NULL);
    depth--;
    if (depth == 0) {
        owner = 0;
    }
    baremetal_unlock(NULL, key);
}

#endif

#if HOOKED && defined(__PICOLIBC__)

#include <sys/lock.h>

#if !UNLOCKED
struct __lock {
    char none;
};
struct __lock __lock___libc_recursive_mutex;

void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
    (void)lock;
    mutex_take();
}

void __retarget_lock_release_recursive(_LOCK_T lock)
{
    (void)lock;
    mutex_give();
}
#endif

uint32_t cairn_libc_lock(void)
{
    __LIBC_LOCK();
    return 0;
}

void cairn_libc_unlock(uint32_t key)
{
    (void)key;
    __LIBC_UNLOCK();
}

#elif HOOKED

#include <malloc.h>
#include <reent.h>

#if !UNLOCKED
void __malloc_lock(struct _reent *reent)
{
    (void)reent;
    mutex_take();
}

void __malloc_unlock(struct _reent *reent)
{
    (void)reent;
    mutex_give();
}
#endif

uint32_t cairn_libc_lock(void)
{
    __malloc_lock(_REENT);
    return 0;
}

void cairn_libc_unlock(uint32_t key)
{
    (void)key;
    __malloc_unlock(_REENT);
}

#elif UNLOCKED

uint32_t cairn_libc_lock(void)
{
    return 0;
}

void cairn_libc_unlock(uint32_t key)
{
    (void)key;
}

#endif
